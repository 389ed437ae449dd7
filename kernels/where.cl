/* SPDX-License-Identifier: Apache-2.0 */
/*
 * where: out = test != 0 ? a : b, the three broadcast to the output, which is seen as rows of columns. Outer dimensions
 * d = 0 ... outer-1 have extents table[d] and strides table[outer + d] (test), table[2 * outer + d] (a) and
 * table[3 * outer + d] (b). Item (x, y) does columns x*columns_item ... and rows y*rows_item ...
 *
 * V (1, 4, 8, 16): floats a step.  T_STEP, A_STEP, B_STEP (0, 1): whether an operand moves along the columns.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef T_STEP
#define T_STEP 1
#endif
#ifndef A_STEP
#define A_STEP 1
#endif
#ifndef B_STEP
#define B_STEP 1
#endif

/* An operand at columns c ...: n elements, or the one that all share. */
#define OPERAND(n, STEP, p, at, shared) (STEP ? LDN(n, p, at) : (FLOATN(n))(shared))

#define STEP_ROW(n)                                               \
    do {                                                          \
        const FLOATN(n) t = OPERAND(n, T_STEP, test, rt + c, t0); \
        const FLOATN(n) x = OPERAND(n, A_STEP, a, ra + c, a0);    \
        const FLOATN(n) y = OPERAND(n, B_STEP, b, rb + c, b0);    \
        const FLOATN(n) v = t != (FLOATN(n))(0.0f) ? x : y;       \
        STN(n, v, out, r * columns + c);                          \
    } while (0)

__kernel void where(__global const value_t *test, __global const value_t *a, __global const value_t *b,
                    __global value_t *out, __global const int *table, const int outer, const int rows,
                    const int columns, const int rows_item, const int columns_item)
{
    const int begin = (int)get_global_id(0) * columns_item, end = min(columns, begin + columns_item);
    const int first = (int)get_global_id(1) * rows_item, last = min(rows, first + rows_item);
    if (begin >= columns)
        return;
    for (int r = first; r < last; r++) {
        int rt = 0, ra = 0, rb = 0;
        for (int d = outer - 1, rest = r; d >= 0; d--) {
            const int outside = rest / table[d], i = rest - outside * table[d];
            rest = outside;
            rt += i * table[outer + d];
            ra += i * table[2 * outer + d];
            rb += i * table[3 * outer + d];
        }
        const float t0 = LD1(test, rt), a0 = LD1(a, ra), b0 = LD1(b, rb);
        int         c = begin;
        SWEEP(STEP_ROW, c, end);
    }
}
