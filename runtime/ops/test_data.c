/* SPDX-License-Identifier: Apache-2.0 */
/* Reproducible numbers for the ops' test cases. */
#include "ir/op.h"

/* xorshift32 (Marsaglia 2003): plain, and the same everywhere. */
void test_fill(float *data, int64_t n, uint32_t seed)
{
    uint32_t x = seed * 2654435761u + 88172645u;
    for (int64_t i = 0; i < n; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        data[i] = (float)(int32_t)x * (1.0f / 2147483648.0f);
    }
}

value_id test_input(graph *g, const char *name, const shape *s)
{
    return graph_input(g, name, DT_F32, s);
}

value_id test_const(graph *g, const char *name, const shape *s)
{
    const value_id v = graph_const(g, name, DT_F32, s, NULL, true);
    if (v >= 0)
        test_fill(graph_const_data(g, v), shape_count(s), (uint32_t)v + 1);
    return v;
}
