/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_norm: out[i] = epilogue(in[i] * factor[i % period] + shift[i % period]); the period is a number of whole
 * pixels, so that few channels fill vectors.
 *
 * Item (x, y) does elements x*columns_item ... of periods y*rows_item ...; the last period may be cut short by `total`.
 *
 * V (1, 4, 8, 16): floats a step.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif

#define NORMALISE(n)                                                           \
    do {                                                                       \
        const FLOATN(n) f = CAT(LDF, n)(factor, c), s = CAT(LDF, n)(shift, c); \
        const FLOATN(n) x = LDN(n, in, at + c);                                \
        FLOATN(n) y = fma(x, f, s);                                            \
        EPILOGUE(n, y, at + c);                                                \
        STN(n, y, out, at + c);                                                \
    } while (0)

__kernel void batch_norm(__global const value_t *in, __global const float *factor, __global const float *shift,
                         __global value_t *out, const int total, const int rows, const int period, const int rows_item,
                         const int columns_item, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * columns_item;
    const int first = (int)get_global_id(1) * rows_item, last = min(rows, first + rows_item);
    for (int r = first; r < last; r++) {
        const int at = r * period, end = min(min(period, begin + columns_item), total - at);
        int       c = begin;
        SWEEP(NORMALISE, c, end);
    }
}
