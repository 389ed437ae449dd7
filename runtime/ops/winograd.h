/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of kernels/winograd.cl, for the table of conv. */
#ifndef SEPCL_OPS_WINOGRAD_H
#define SEPCL_OPS_WINOGRAD_H

#include "ops/conv.h"

#define WINOGRAD_PARAMS                                                                                                \
    {                                                                                                                  \
        {"MR", {14, 8, 7, 6, 4}}, {"V", {16, 8, 4}}, {"NB", {1, 2, 3, 4}},                                             \
        {                                                                                                              \
            "TM",                                                                                                      \
            {                                                                                                          \
                4, 2                                                                                                   \
            }                                                                                                          \
        }                                                                                                              \
    }
bool   winograd_fits(const node_view *v, const caps *c, const int *p);
double winograd_cost(const node_view *v, const caps *c, const int *p);
void   winograd_launch(const node_view *v, const caps *c, const int *p, launch_list *out);

#endif
