/* SPDX-License-Identifier: Apache-2.0 */
/*
 * instance_norm over length of [planes][length][columns]:
 *   out = epilogue((in - mean) / sqrt(variance + epsilon) * scale[column] + bias[column]).
 *
 *   instance_norm   all of it. Item (x, y): columns x*V ..., plane y
 *   instance_stats  mean and sum of squared differences of part y of length of plane z, columns x*V ...,
 *                   to partial[plane][part][2][columns]
 *   instance_merge  all parts to merged[plane][2][columns]: mean, scale / sqrt(variance + epsilon)
 *   instance_apply  out from merged. Item (x, y): columns x*columns_item ..., rows y*rows_item ... of planes*length
 *
 * The variance is taken about the mean, in a second pass, so that a large mean does not drown it.
 *
 * V (1, 4, 8, 16): floats a step.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif

/* Declares mean and squares, the sum of squared differences from it, of in[from + k * columns], k < count. Two sums at
   once hide the latency of an addition. */
#define STATS(n)                                                                               \
    FLOATN(n) sum0 = (FLOATN(n))(0.0f), sum1 = sum0, square0 = sum0, square1 = sum0;           \
    for (int k = 0; k + 2 <= count; k += 2) {                                                  \
        sum0 += LDN(n, in, from + k * columns);                                                \
        sum1 += LDN(n, in, from + (k + 1) * columns);                                          \
    }                                                                                          \
    if (count % 2)                                                                             \
        sum0 += LDN(n, in, from + (count - 1) * columns);                                      \
    const FLOATN(n) mean = (sum0 + sum1) / (FLOATN(n))((float)count);                          \
    for (int k = 0; k + 2 <= count; k += 2) {                                                  \
        const FLOATN(n) d0 = LDN(n, in, from + k * columns) - mean;                            \
        const FLOATN(n) d1 = LDN(n, in, from + (k + 1) * columns) - mean;                      \
        square0 = fma(d0, d0, square0);                                                        \
        square1 = fma(d1, d1, square1);                                                        \
    }                                                                                          \
    if (count % 2) {                                                                           \
        const FLOATN(n) d = LDN(n, in, from + (count - 1) * columns) - mean;                   \
        square0 = fma(d, d, square0);                                                          \
    }                                                                                          \
    const FLOATN(n) squares = square0 + square1

#define FACTOR(n, squares, count) \
    (LDN(n, scale, c) / sqrt((squares) / (FLOATN(n))((float)(count)) + (FLOATN(n))(epsilon)))

#define WHOLE(n)                                                       \
    do {                                                               \
        const int count = length, from = plane * length * columns + c; \
        STATS(n);                                                      \
        const FLOATN(n) f = FACTOR(n, squares, length), s = LDN(n, bias, c); \
        for (int k = 0; k < length; k++) {                             \
            const int at = from + k * columns;                         \
            FLOATN(n) y = fma(LDN(n, in, at) - mean, f, s);            \
            EPILOGUE(n, y, at);                                        \
            STN(n, y, out, at);                                        \
        }                                                              \
    } while (0)

__kernel void instance_norm(__global const value_t *in, __global const value_t *scale, __global const value_t *bias,
                            __global value_t *out, const int planes, const int length, const int columns,
                            const float epsilon, EPILOGUE_ARGS)
{
    int       c = (int)get_global_id(0) * V;
    const int plane = get_global_id(1), end = min(columns, c + V);
    if (plane >= planes)
        return;
    SWEEP(WHOLE, c, end);
}

#define PART(n)                                                            \
    do {                                                                   \
        const int from = (plane * length + first) * columns + c;           \
        STATS(n);                                                          \
        CAT(STF, n)(mean, partial, to + c);                                \
        CAT(STF, n)(squares, partial, to + columns + c);                   \
    } while (0)

__kernel void instance_stats(__global const value_t *in, __global float *partial, const int planes, const int length,
                             const int columns, const int parts, const int part_length)
{
    int       c = (int)get_global_id(0) * V;
    const int part = get_global_id(1), plane = ITEM2, end = min(columns, c + V);
    const int first = part * part_length, count = min(length - first, part_length);
    if (part >= parts || plane >= planes)
        return;
    const int to = (plane * parts + part) * 2 * columns;
    SWEEP(PART, c, end);
}

/* Chan, Golub, LeVeque (1979): squares about the whole mean are those about a part's, plus count * difference^2. */
#define MERGE(n)                                                                           \
    do {                                                                                   \
        FLOATN(n) mean = (FLOATN(n))(0.0f), squares = mean;                                \
        for (int k = 0; k < parts; k++) {                                                  \
            const float share = (float)min(length - k * part_length, part_length) / (float)length; \
            mean = fma(CAT(LDF, n)(partial, from + 2 * k * columns + c), (FLOATN(n))(share), mean); \
        }                                                                                  \
        for (int k = 0; k < parts; k++) {                                                  \
            const float     count = (float)min(length - k * part_length, part_length);     \
            const FLOATN(n) d = CAT(LDF, n)(partial, from + 2 * k * columns + c) - mean;   \
            squares += CAT(LDF, n)(partial, from + (2 * k + 1) * columns + c);             \
            squares = fma(d * d, (FLOATN(n))(count), squares);                             \
        }                                                                                  \
        const FLOATN(n) f = FACTOR(n, squares, length);                                    \
        CAT(STF, n)(mean, merged, 2 * plane * columns + c);                                \
        CAT(STF, n)(f, merged, (2 * plane + 1) * columns + c);                             \
    } while (0)

__kernel void instance_merge(__global const float *partial, __global const value_t *scale, __global float *merged,
                             const int planes, const int length, const int columns, const int parts,
                             const int part_length, const float epsilon)
{
    int       c = (int)get_global_id(0) * V;
    const int plane = get_global_id(1), end = min(columns, c + V);
    if (plane >= planes)
        return;
    const int from = plane * parts * 2 * columns;
    SWEEP(MERGE, c, end);
}

#define MERGED_ROW(n)                                                              \
    do {                                                                           \
        const FLOATN(n) mean = CAT(LDF, n)(merged, from + c);                      \
        const FLOATN(n) f = CAT(LDF, n)(merged, from + columns + c);               \
        const int       at = r * columns + c;                                      \
        FLOATN(n) y = fma(LDN(n, in, at) - mean, f, LDN(n, bias, c));              \
        EPILOGUE(n, y, at);                                                        \
        STN(n, y, out, at);                                                        \
    } while (0)

__kernel void instance_apply(__global const value_t *in, __global const float *merged, __global const value_t *bias,
                             __global value_t *out, const int rows, const int length, const int columns,
                             const int rows_item, const int columns_item, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * columns_item, end = min(columns, begin + columns_item);
    const int first = (int)get_global_id(1) * rows_item, last = min(rows, first + rows_item);
    for (int r = first; r < last; r++) {
        const int from = r / length * 2 * columns;
        int       c = begin;
        SWEEP(MERGED_ROW, c, end);
    }
}
