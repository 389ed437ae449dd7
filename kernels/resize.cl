/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resize: an NHWC image's height and width, by tables. With rows r = n * oh + y:
 *   out[(r * ow + x) * c + l] = sum over i, j in {0, 1} of wy_i * wx_j * in[((n * ih + y_i) * iw + x_j) * c + l]
 * index holds y_0, y_1 of every output row, then x_0, x_1 of every output column; weight holds the share of y_1, then
 * of x_1 (that of y_0 is the rest to 1). Item g takes outer_chunk rows x mid_chunk columns x len_chunk channels,
 * channels turning fastest.
 *
 * LINEAR_H, LINEAR_W (0, 1): whether an axis mixes two elements, or takes the first.  V (1, 4, 8, 16): channels a step.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef LINEAR_H
#define LINEAR_H 1
#endif
#ifndef LINEAR_W
#define LINEAR_W 1
#endif
#ifndef V
#define V 4
#endif

#if LINEAR_W
#define MIX_W(n, row, l) \
    (LDN(n, in, row + x0 + (l)) * (FLOATN(n))(1.0f - wx) + LDN(n, in, row + x1 + (l)) * (FLOATN(n))(wx))
#else
#define MIX_W(n, row, l) LDN(n, in, row + x0 + (l))
#endif
#if LINEAR_H
#define MIX(n, l) (MIX_W(n, row0, l) * (FLOATN(n))(1.0f - wy) + MIX_W(n, row1, l) * (FLOATN(n))(wy))
#else
#define MIX(n, l) MIX_W(n, row0, l)
#endif

__kernel void resize(__global const value_t *in, __global const int *index, __global const float *weight,
                     __global value_t *out, const int ih, const int iw, const int oh, const int rows, const int ow,
                     const int c, const int outer_chunk, const int mid_chunk, const int len_chunk)
{
    const int segments_l = (c - 1) / len_chunk + 1;
    const int segments_m = (ow - 1) / mid_chunk + 1;
    const int item = (int)get_global_id(0);
    const int segment_om = item / segments_l;
    const int segment_o = segment_om / segments_m;
    const int first_l = (item - segment_om * segments_l) * len_chunk;
    const int end_l = first_l + min(len_chunk, c - first_l);
    const int first_x = (segment_om - segment_o * segments_m) * mid_chunk;
    const int end_x = first_x + min(mid_chunk, ow - first_x);
    const int first_r = segment_o < (rows - 1) / outer_chunk + 1 ? segment_o * outer_chunk : rows;
    const int end_r = first_r + min(outer_chunk, rows - first_r);

    for (int r = first_r; r < end_r; r++) {
        const int image = r / oh, y = r - image * oh;
        const int row0 = (image * ih + index[2 * y]) * iw * c;
#if LINEAR_H
        const int   row1 = (image * ih + index[2 * y + 1]) * iw * c;
        const float wy = weight[y];
#endif
        for (int x = first_x; x < end_x; x++) {
            const int x0 = index[2 * (oh + x)] * c;
#if LINEAR_W
            const int   x1 = index[2 * (oh + x) + 1] * c;
            const float wx = weight[oh + x];
#endif
            const int to = (r * ow + x) * c;
            int       l = first_l;
            for (; l + V <= end_l; l += V) {
                const FLOATN(V) value = MIX(V, l);
                STN(V, value, out, to + l);
            }
            if (l < end_l && first_l + V <= end_l) { /* the last vector overlaps the one before */
                l = end_l - V;
                const FLOATN(V) value = MIX(V, l);
                STN(V, value, out, to + l);
                l = end_l;
            }
            for (; l < end_l; l++) {
                const float value = MIX(1, l);
                ST1(value, out, to + l);
            }
        }
    }
}
