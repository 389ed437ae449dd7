/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resample: out[(o * mid + m) * len + l] = sum over t < taps of weight[m * taps + t] *
 *           in[(o * extent + index[m * taps + t]) * len + l]
 * for o < outer, m < mid, l < len; `extent` is the input's along the axis that is resampled. Item g takes
 * outer_chunk x mid_chunk x len_chunk of the (outer, mid, len) space, len turning fastest.
 *
 * V (1, 4, 8, 16): elements a step along len.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif

/* n elements of one output, from l on. */
#define MIX(n, l)                                                                         \
    {                                                                                     \
        FLOATN(n) sum = (FLOATN(n))(0.0f);                                                \
        for (int t = 0; t < taps; t++)                                                    \
            sum = fma((FLOATN(n))(w[t]), LDN(n, in, from + at[t] * len + (l)), sum);      \
        STN(n, sum, out, to + (l));                                                       \
    }

__kernel void resample(__global const value_t *in, __global const int *index, __global const float *weight,
                       __global value_t *out, const int extent, const int taps, const int outer, const int mid,
                       const int len, const int outer_chunk, const int mid_chunk, const int len_chunk)
{
    const int segments_l = (len - 1) / len_chunk + 1;
    const int segments_m = (mid - 1) / mid_chunk + 1;
    const int item = (int)get_global_id(0);
    const int segment_om = item / segments_l;
    const int segment_o = segment_om / segments_m;
    const int first_l = (item - segment_om * segments_l) * len_chunk;
    const int end_l = first_l + min(len_chunk, len - first_l);
    const int first_m = (segment_om - segment_o * segments_m) * mid_chunk;
    const int end_m = first_m + min(mid_chunk, mid - first_m);
    const int first_o = segment_o < (outer - 1) / outer_chunk + 1 ? segment_o * outer_chunk : outer;
    const int end_o = first_o + min(outer_chunk, outer - first_o);

    for (int o = first_o; o < end_o; o++) {
        const int from = o * extent * len;
        for (int m = first_m; m < end_m; m++) {
            __global const int   *at = index + m * taps;
            __global const float *w = weight + m * taps;
            const int             to = (o * mid + m) * len;
            int                   l = first_l;
            for (; l + V <= end_l; l += V)
                MIX(V, l)
            if (l < end_l && first_l + V <= end_l) { /* the last vector overlaps the one before */
                MIX(V, end_l - V)
                l = end_l;
            }
            for (; l < end_l; l++)
                MIX(1, l)
        }
    }
}
