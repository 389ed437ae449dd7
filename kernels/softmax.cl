/* SPDX-License-Identifier: Apache-2.0 */
/*
 * softmax over length of [planes][length][columns]:
 *   e[i] = exp(x[i] - max x), out = epilogue(e[i] / sum e), or with LOG epilogue(x[i] - max x - log(sum e)).
 *
 *   softmax_rows     columns = 1: vectors along length. Item x does planes x*planes_item ...
 *   softmax_group    columns = 1: a work-group of G a plane
 *   softmax_columns  vectors across columns. Item (x, y): columns x*columns_item ..., planes y*planes_item ...
 *
 * V (1, 4, 8, 16): floats a step.  LOG (0, 1).  G (64, 256): a power of two.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef LOG
#define LOG 0
#endif
#ifndef G
#define G 64
#endif

/* The numerators go through the output when it holds floats; half would round them twice, so they are made again. */
#if LOG
#define KEEP(n, e, at) (void)(e)
#define RESULT(n, at) ((LDN(n, in, at) - m) - total)
#define TOTAL(s) log(s)
#elif STORE_F16
#define KEEP(n, e, at) (void)(e)
#define RESULT(n, at) (exp(LDN(n, in, at) - m) * total)
#define TOTAL(s) (1.0f / (s))
#else
#define KEEP(n, e, at) STN(n, e, out, at)
#define RESULT(n, at) (LDN(n, out, at) * total)
#define TOTAL(s) (1.0f / (s))
#endif

/* The largest and the sum by width of step: m16, s16, ... are folded at the end. A NaN need not be the largest: the sum
   has it. */
#define LARGER(x, y) ((x) > (y) ? (x) : (y))
#define LARGEST(n)                                \
    do {                                          \
        const FLOATN(n) x = LDN(n, in, at + i);   \
        CAT(m, n) = LARGER(x, CAT(m, n));         \
    } while (0)
#define SUM(n)                                    \
    do {                                          \
        const FLOATN(n) x = LDN(n, in, at + i);   \
        const FLOATN(n) e = exp(x - m);           \
        CAT(s, n) += e;                           \
        KEEP(n, e, at + i);                       \
    } while (0)
#define WRITE(n)                                  \
    do {                                          \
        FLOATN(n) y = RESULT(n, at + i);          \
        EPILOGUE(n, y, at + i);                   \
        STN(n, y, out, at + i);                   \
    } while (0)

__kernel void softmax_rows(__global const value_t *in, __global value_t *out, const int planes, const int length,
                           const int planes_item, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * planes_item, last = min(planes, first + planes_item);
    for (int plane = first; plane < last; plane++) {
        const int at = plane * length;
        int       i = 0;
        float16   m16 = -INFINITY;
        float8    m8 = -INFINITY;
        float4    m4 = -INFINITY;
        float     m1 = -INFINITY;
        SWEEP(LARGEST, i, length);
        m8 = LARGER(m8, LARGER(m16.lo, m16.hi));
        m4 = LARGER(m4, LARGER(m8.lo, m8.hi));
        m1 = LARGER(m1, LARGER(LARGER(m4.x, m4.y), LARGER(m4.z, m4.w)));
        const float m = m1;
        float16     s16 = 0.0f;
        float8      s8 = 0.0f;
        float4      s4 = 0.0f;
        float       s1 = 0.0f;
        i = 0;
        SWEEP(SUM, i, length);
        s1 += SUM16(s16) + SUM8(s8) + SUM4(s4);
        const float total = TOTAL(s1);
        i = 0;
        SWEEP(WRITE, i, length);
    }
}

__kernel void softmax_columns(__global const value_t *in, __global value_t *out, const int planes, const int length,
                              const int columns, const int columns_item, const int planes_item, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * columns_item, end = min(columns, begin + columns_item);
    const int first = (int)get_global_id(1) * planes_item, last = min(planes, first + planes_item);
#define COLUMN(n)                                                          \
    do {                                                                   \
        const int from = plane * length * columns + c, to = from + length * columns; \
        FLOATN(n) m = (FLOATN(n))(-INFINITY), s = (FLOATN(n))(0.0f);       \
        for (int k = from; k < to; k += columns) {                         \
            const FLOATN(n) x = LDN(n, in, k);                             \
            m = LARGER(x, m);                                              \
        }                                                                  \
        for (int k = from; k < to; k += columns) {                         \
            const FLOATN(n) e = exp(LDN(n, in, k) - m);                    \
            s += e;                                                        \
            KEEP(n, e, k);                                                 \
        }                                                                  \
        const FLOATN(n) total = TOTAL(s);                                  \
        for (int k = from; k < to; k += columns) {                         \
            FLOATN(n) y = RESULT(n, k);                                    \
            EPILOGUE(n, y, k);                                             \
            STN(n, y, out, k);                                             \
        }                                                                  \
    } while (0)
    for (int plane = first; plane < last; plane++) {
        int c = begin;
        SWEEP(COLUMN, c, end);
    }
}

/* Barriers are reached by all items; a work-group past the last plane has nothing to fold. */
__kernel void softmax_group(__global const value_t *in, __global value_t *out, const int planes, const int length,
                            __local float *share, EPILOGUE_ARGS)
{
    const int  l = get_local_id(0), plane = GROUP_ID(0);
    const int  at = plane * length, count = plane < planes ? length : 0;
    float      m = -INFINITY, s = 0.0f;
    for (int i = l; i < count; i += G)
        m = LARGER(LD1(in, at + i), m);
    share[l] = m;
    for (int h = G / 2; h > 0; h /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l < h)
            share[l] = LARGER(share[l], share[l + h]);
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    m = share[0];
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int i = l; i < count; i += G) {
        const float e = exp(LD1(in, at + i) - m);
        s += e;
        KEEP(1, e, at + i);
    }
    share[l] = s;
    for (int h = G / 2; h > 0; h /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (l < h)
            share[l] += share[l + h];
    }
    barrier(CLK_LOCAL_MEM_FENCE);
    const float total = TOTAL(share[0]);
    for (int i = l; i < count; i += G) {
        float y = RESULT(1, at + i);
        EPILOGUE(1, y, at + i);
        ST1(y, out, at + i);
    }
}
