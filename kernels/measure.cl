/* SPDX-License-Identifier: Apache-2.0 */
/*
 * measure: what a device can do at best. Not part of any network.
 *   fma<W>   ACC chains of multiply-adds of floatW, `rounds` steps each: 2 * W * ACC * rounds operations an item.
 *            out[g] = sum of the chains of item g.
 *   copy     out[i] = in[i]; item g copies vectors g*chunk ... g*chunk+chunk-1 (float16), below n; `rounds` times.
 *   strided  the same, item g copies float4 number g, g + items, ... below n: neighbours in lock step stay together.
 *   nothing  one store that never happens: what a launch costs.
 * ACC (8 ... 12): chains that hide the latency of a multiply-add without filling more registers than there are.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef ACC
#define ACC 10
#endif

/* The factor is below one and the addend small, so that the chains stay finite numbers. */
#define FMA_KERNEL(W)                                                                              \
    __kernel void fma##W(__global float *out, const int rounds, const float factor, const float addend) \
    {                                                                                              \
        const float##W f = (float##W)(factor), a = (float##W)(addend);                             \
        float##W       acc[ACC];                                                                   \
        UNROLL for (int i = 0; i < ACC; i++) acc[i] = (float##W)((float)i);                        \
        for (int r = 0; r < rounds; r++) {                                                         \
            UNROLL for (int i = 0; i < ACC; i++) acc[i] = fma(acc[i], f, a);                       \
        }                                                                                          \
        float##W sum = acc[0];                                                                     \
        UNROLL for (int i = 1; i < ACC; i++) sum += acc[i];                                        \
        float lanes[W];                                                                            \
        vstore##W(sum, 0, lanes);                                                                  \
        float total = 0.0f;                                                                        \
        for (int i = 0; i < W; i++)                                                                \
            total += lanes[i];                                                                     \
        out[get_global_id(0)] = total;                                                             \
    }

FMA_KERNEL(4)
FMA_KERNEL(8)
FMA_KERNEL(16)

__kernel void copy(__global const float *in, __global float *out, const int n, const int chunk, const int rounds)
{
    const int begin = (int)get_global_id(0) * chunk;
    const int end = min(n, begin + chunk);
    for (int r = 0; r < rounds; r++)
        for (int i = begin; i < end; i++)
            vstore16(vload16(i, in), i, out);
}

__kernel void strided(__global const float *in, __global float *out, const int n, const int items)
{
    for (int i = (int)get_global_id(0); i < n; i += items)
        vstore4(vload4(i, in), i, out);
}

__kernel void nothing(__global float *out, const int never)
{
    if (never)
        out[get_global_id(0)] = 0.0f;
}
