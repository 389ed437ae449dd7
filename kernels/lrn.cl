/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lrn across channels: out[p][c] = epilogue(in[p][c] / (bias + scale * sum of in[p][k]^2)^beta),
 * k = max(0, c - before) ... min(channels - 1, c + after).
 *
 * Item (x, y) does channels x*channels_item ... of pixels y*pixels_item ...
 *
 * V (1, 4, 8, 16): floats a step.  OVER: over_any, or over_half and over_three_quarters for a beta of
 * 1/2 and 3/4, which need no power function.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef OVER
#define OVER over_any
#endif

#define over_any(T, x, d) ((x) / pow(d, (T)(beta)))
#define over_half(T, x, d) ((x) / sqrt(d))
#define over_three_quarters(T, x, d) ((x) / (sqrt(d) * sqrt(sqrt(d))))

/* n channels from c on, neighbours k0 ... k1 of each. */
#define NORMALISE(n, k0, k1)                                         \
    do {                                                             \
        FLOATN(n) s = (FLOATN(n))(0.0f);                             \
        for (int k = (k0); k <= (k1); k++) {                         \
            const FLOATN(n) v = LDN(n, in, at + c + k);              \
            s = fma(v, v, s);                                        \
        }                                                            \
        const FLOATN(n) x = LDN(n, in, at + c);                      \
        const FLOATN(n) d = fma(s, (FLOATN(n))(scale), (FLOATN(n))(bias)); \
        FLOATN(n) y = OVER(FLOATN(n), x, d);             \
        EPILOGUE(n, y, at + c);                                      \
        STN(n, y, out, at + c);                                      \
    } while (0)
#define INNER(n) NORMALISE(n, -before, after)
#define EDGE NORMALISE(1, max(-before, -c), min(after, channels - 1 - c))

__kernel void lrn(__global const value_t *in, __global value_t *out, const int pixels, const int channels,
                  const int pixels_item, const int channels_item, const int before, const int after, const float scale,
                  const float bias, const float beta, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * channels_item, end = min(channels, begin + channels_item);
    const int first = (int)get_global_id(1) * pixels_item, last = min(pixels, first + pixels_item);
    const int inner_end = min(end, channels - after); /* up to here no neighbour is past the last channel */
    for (int p = first; p < last; p++) {
        const int at = p * channels;
        int       c = begin;
        for (; c < min(end, before); c++)
            EDGE;
        SWEEP(INNER, c, inner_end);
        for (; c < end; c++)
            EDGE;
    }
}
