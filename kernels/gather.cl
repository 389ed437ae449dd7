/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gather: out[(o * mid + m) * len + l] = in[(o * extent + table[m]) * len + l]
 * for o < outer, m < mid, l < len; `extent` is the input's along the gathered axis. Item g takes
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

__kernel void gather(__global const value_t *in, __global const int *table, __global value_t *out, const int extent,
                     const int outer, const int mid, const int len, const int outer_chunk, const int mid_chunk,
                     const int len_chunk)
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
        for (int m = first_m; m < end_m; m++) {
            __global const value_t *from = in + (o * extent + table[m]) * len;
            __global value_t       *to = out + (o * mid + m) * len;
            int                     l = first_l;
            for (; l + V <= end_l; l += V)
                STN(V, LDN(V, from, l), to, l);
            if (l < end_l && first_l + V <= end_l) {
                STN(V, LDN(V, from, end_l - V), to, end_l - V);
                l = end_l;
            }
            for (; l < end_l; l++)
                ST1(LD1(from, l), to, l);
        }
    }
}
