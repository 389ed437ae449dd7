/* SPDX-License-Identifier: Apache-2.0 */
/* Inputs of a test's graph as words. */
#ifndef SEPCL_TEST_GRAPH_TEXT_H
#define SEPCL_TEST_GRAPH_TEXT_H

#include "ops/rows.h"

/* "2x3": an input of the graph; "c2x3": a constant; "i3": whole numbers from 0 on, at most 16, as a constant. */
static inline value_id add_input(graph *g, const char *text)
{
    static const int32_t numbers[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    const bool           constant = *text == 'c', whole = *text == 'i';
    const shape          s = rows_shape(text + (constant || whole));
    if (whole)
        return graph_const(g, "i", DT_I32, &s, numbers, false);
    return constant ? test_const(g, "c", &s) : test_input(g, "x", &s);
}

#endif
