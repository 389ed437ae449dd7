/* SPDX-License-Identifier: Apache-2.0 */
/*
 * layer_norm over length of [rows][length]:
 *   out = epilogue((in - mean) / sqrt(variance + epsilon) * scale[i] + bias[i]).
 *
 *   layer_norm_rows   vectors along length. Item x does rows x*rows_item ...
 *   layer_norm_group  a work-group of G a row
 *
 * V (1, 4, 8, 16): floats a step.  HAS_SCALE, HAS_BIAS (0, 1).  G (64, 256): a power of two.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef HAS_SCALE
#define HAS_SCALE 1
#endif
#ifndef HAS_BIAS
#define HAS_BIAS 1
#endif
#ifndef G
#define G 64
#endif

/* Sums by width of step, joined at the end. */
#define ADD(n)                             \
    do {                                   \
        CAT(s, n) += LDN(n, in, at + i);   \
    } while (0)
#define ADD_SQUARE(n)                                      \
    do {                                                   \
        const FLOATN(n) d = LDN(n, in, at + i) - mean;     \
        CAT(s, n) = fma(d, d, CAT(s, n));                  \
    } while (0)
#define WRITE(n)                                                                    \
    do {                                                                            \
        FLOATN(n) y = (LDN(n, in, at + i) - mean) * factor;                         \
        y = HAS_SCALE ? y * LDN(n, scale, i) : y;                                   \
        y = HAS_BIAS ? y + LDN(n, bias, i) : y;                                     \
        EPILOGUE(n, y, at + i);                                                     \
        STN(n, y, out, at + i);                                                     \
    } while (0)

__kernel void layer_norm_rows(__global const value_t *in, __global const value_t *scale, __global const value_t *bias,
                              __global value_t *out, const int rows, const int length, const int rows_item,
                              const float epsilon, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * rows_item, last = min(rows, first + rows_item);
    for (int row = first; row < last; row++) {
        const int at = row * length;
        int       i = 0;
        float16   s16 = 0.0f;
        float8    s8 = 0.0f;
        float4    s4 = 0.0f;
        float     s1 = 0.0f;
        SWEEP(ADD, i, length);
        const float mean = (s1 + SUM16(s16) + SUM8(s8) + SUM4(s4)) / (float)length;
        s16 = 0.0f;
        s8 = 0.0f;
        s4 = 0.0f;
        s1 = 0.0f;
        i = 0;
        SWEEP(ADD_SQUARE, i, length);
        const float variance = (s1 + SUM16(s16) + SUM8(s8) + SUM4(s4)) / (float)length;
        const float factor = 1.0f / sqrt(variance + epsilon);
        i = 0;
        SWEEP(WRITE, i, length);
    }
}

/* The sum of every item's x, by all items of the work-group. */
float group_sum(__local float *share, float x)
{
    const int l = get_local_id(0);
    barrier(CLK_LOCAL_MEM_FENCE); /* the last sum has been read by all */
    share[l] = x;
    for (int h = G / 2; h > 0; h /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l < h)
            share[l] += share[l + h];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    return share[0];
}

__kernel void layer_norm_group(__global const value_t *in, __global const value_t *scale, __global const value_t *bias,
                               __global value_t *out, const int rows, const int length, const float epsilon,
                               __local float *share, EPILOGUE_ARGS)
{
    const int row = GROUP_ID(0), at = row * length, count = row < rows ? length : 0;
    float     s = 0.0f;
    for (int i = get_local_id(0); i < count; i += G)
        s += LD1(in, at + i);
    const float mean = group_sum(share, s) / (float)length;
    s = 0.0f;
    for (int i = get_local_id(0); i < count; i += G) {
        const float d = LD1(in, at + i) - mean;
        s = fma(d, d, s);
    }
    const float factor = 1.0f / sqrt(group_sum(share, s) / (float)length + epsilon);
    for (int i = get_local_id(0); i < count; i += G)
        WRITE(1);
}
