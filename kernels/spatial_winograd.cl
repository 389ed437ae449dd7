/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spatial_winograd: KH x 1 down the columns, then 1 x KW along the row, both by one-dimensional minimal filtering
 * (Winograd 1980; Lavin and Gray 2016 for the matrices): six products give M outputs of a filter of K = 7 - M taps, which
 * takes M*K one by one. With 5 taps that is 6 instead of 10, with 3 taps 6 instead of 12.
 *
 * Interpolation points 0, 1, -1, 2, -2 and infinity. With d six neighbouring inputs and g the taps:
 *   t = BT d,  u_j = sum over channels of t_j * (G g)_j,  y_i = sum_j A[i][j] u_j,  A[i][j] = point_j ^ i
 * G is applied when the weights are packed. BT, as rows:
 *   4 0 -5 0 1 0 | 0 -4 -4 1 1 0 | 0 4 -4 -1 1 0 | 0 -2 -1 2 1 0 | 0 2 -1 -2 1 0 | 0 4 0 -5 0 1
 *
 *   in [batch][ih][iw][ci]   out [batch][oh][ow][co]   stride 1, dilation 1
 *   w1 [6][blocks1][ci][NR]  b1 [blocks1][NR]  w2 [6][blocks2][cm][NR]  b2 [blocks2][NR],  NR = NB*V, filled up with zeros
 *   t [6][max(iw*ci, MH*tiles*cm)], mid [MH][iw][blocks1*NR], o [MH][tiles][MW][blocks2*NR]: floats, local; tiles = ow / MW up
 *
 * Item s makes output rows y0 ... y0+MH-1 of an image (MH = 7 - KH). The inputs of all products go to t, for
 * the whole width; then, product by product, register tiles of MR columns and NB vectors of V channels are added to the
 * outputs that it counts for, so that its inputs and the outputs stay in near caches while the weights pass once. For
 * devices where a work-group is one item.
 *
 *   MR, V, NB   as in gemm.cl      KH, KW 2 ... 5
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef MR
#define MR 4
#endif
#ifndef V
#define V 4
#endif
#ifndef NB
#define NB 1
#endif
#ifndef KH
#define KH 5
#endif
#ifndef KW
#define KW 5
#endif
#ifndef MID
#define MID act_none
#endif
#define NR (NB * V)
#define MH (7 - KH)
#define MW (7 - KW)

__constant float point[5] = {0, 1, -1, 2, -2};

/* How product j counts for output i of m. */
static float share(const int i, const int j, const int m)
{
    if (j == 5)
        return i == m - 1 ? 1.0f : 0.0f;
    float a = 1.0f;
    for (int k = 0; k < i; k++)
        a *= point[j];
    return a;
}

/* out[m*row_pitch + i*output_pitch + n] += share(i, j, outputs) * sum_k t[m][k] w[k][n] for all n of all blocks. */
BIG_PART static void add_product(__local const float *t, __global const value_t *w, __local float *out, const int rows,
                                 const int k_total, const int blocks, const int row_pitch, const int output_pitch,
                                 const int outputs, const int j)
{
    for (int block = 0; block < blocks; block++)
        for (int m0 = 0; m0 < rows; m0 += MR) {
            FLOATN(V)               acc[MR][NB];
            __local const float    *x[MR];
            __global const value_t *wk = w + (size_t)block * k_total * NR;
            UNROLL
            for (int m = 0; m < MR; m++) {
                x[m] = t + min(m0 + m, rows - 1) * k_total;
                UNROLL
                for (int b = 0; b < NB; b++)
                    acc[m][b] = (FLOATN(V))(0.0f);
            }
            for (int k = 0; k < k_total; k++, wk += NR) {
                FLOATN(V) wv[NB];
                UNROLL
                for (int b = 0; b < NB; b++)
                    wv[b] = LDN(V, wk, b * V);
                UNROLL
                for (int m = 0; m < MR; m++) {
                    const float xv = x[m][k];
                    UNROLL
                    for (int b = 0; b < NB; b++)
                        acc[m][b] = fma((FLOATN(V))(xv), wv[b], acc[m][b]);
                }
            }
            for (int i = 0; i < outputs; i++) {
                const float    a = share(i, j, outputs);
                __local float *to = out + m0 * row_pitch + i * output_pitch + block * NR;
                if (a == 0.0f)
                    continue;
                UNROLL
                for (int m = 0; m < MR; m++) {
                    UNROLL
                    for (int b = 0; b < NB; b++)
                        if (m0 + m < rows) {
                            const FLOATN(V) y = fma((FLOATN(V))(a), acc[m][b], LDF(V, to, m * row_pitch + b * V));
                            CAT(STF, V)(y, to, m * row_pitch + b * V);
                        }
                }
            }
        }
}

/* BT over six lines of floatn: line q begins at from + q*pitch and counts where bit q of live is set. Product j's input
   goes to t[j*plane + at]. */
#define TRANSFORM(n, LOAD, from, pitch, c, live, plane, at)                                             \
    {                                                                                                   \
        FLOATN(n) d[6];                                                                                 \
        UNROLL                                                                                          \
        for (int q = 0; q < 6; q++) {                                                                   \
            d[q] = (FLOATN(n))(0.0f);                                                                   \
            if ((live) >> q & 1)                                                                        \
                d[q] = LOAD(n, from, q * (pitch) + (c));                                                \
        }                                                                                               \
        const FLOATN(n) e = fma((FLOATN(n))(-4.0f), d[2], d[4]), f = fma((FLOATN(n))(-4.0f), d[1], d[3]); \
        const FLOATN(n) g = d[4] - d[2], h = 2.0f * (d[3] - d[1]);                                      \
        CAT(STF, n)(fma((FLOATN(n))(4.0f), d[0] - d[2], g), t, (at));                                   \
        CAT(STF, n)(e + f, t, (plane) + (at));                                                          \
        CAT(STF, n)(e - f, t, 2 * (plane) + (at));                                                      \
        CAT(STF, n)(g + h, t, 3 * (plane) + (at));                                                      \
        CAT(STF, n)(g - h, t, 4 * (plane) + (at));                                                      \
        CAT(STF, n)(fma((FLOATN(n))(4.0f), d[1] - d[3], d[5] - d[3]), t, 5 * (plane) + (at));           \
    }

static void fill(__local float *to, __global const float *bias, const int lines, const int pitch)
{
    for (int l = 0; l < lines; l++)
        for (int c = 0; c < pitch; c += V) {
            const FLOATN(V) b = LDF(V, bias, c);
            CAT(STF, V)(b, to, l * pitch + c);
        }
}

__kernel void spatial_winograd(__global const value_t *in, __global const value_t *w1, __global const float *b1,
                               __global const value_t *w2, __global const float *b2, __global value_t *out,
                               __local float *t, __local float *mid, __local float *o, const int total,
                               const int strips, const int ih, const int iw, const int oh, const int ow, const int ci,
                               const int cm, const int co, const int pt, const int pl, const float mid_a,
                               const float mid_b, EPILOGUE_ARGS)
{
    const int s = get_global_id(0), n = s / strips, y0 = (s - n * strips) * MH;
    const int blocks1 = (cm + NR - 1) / NR, blocks2 = (co + NR - 1) / NR, pm = blocks1 * NR, po = blocks2 * NR;
    const int tiles = (ow + MW - 1) / MW;
    if (s >= total)
        return;

    fill(mid, b1, MH * iw, pm);
    int live = 0;
    for (int q = 0; q < 6; q++)
        live |= (y0 - pt + q >= 0 && y0 - pt + q < ih) << q;
    /* the first line may lie outside; only those that live are read */
    __global const value_t *top = in + ((long)n * ih + y0 - pt) * iw * ci;
    const int plane1 = iw * ci, plane2 = MH * tiles * cm;
    int       at = 0;
    for (; at + V <= plane1; at += V)
        TRANSFORM(V, LDN, top, plane1, at, live, plane1, at)
    for (; at < plane1; at++)
        TRANSFORM(1, LDN, top, plane1, at, live, plane1, at)
    for (int j = 0; j < 6; j++)
        add_product(t + j * plane1, w1 + (size_t)j * blocks1 * ci * NR, mid, iw, ci, blocks1, pm, iw * pm, MH, j);
    for (int c = 0; c < MH * iw * pm; c += V) {
        const FLOATN(V) x = LDF(V, mid, c);
        const FLOATN(V) y = MID(FLOATN(V), x, mid_a, mid_b);
        CAT(STF, V)(y, mid, c);
    }

    fill(o, b2, MH * tiles * MW, po);
    for (int m = 0; m < MH * tiles; m++) {
        const int r = m / tiles, x0 = (m - r * tiles) * MW - pl;
        int       here = 0, c = 0;
        for (int q = 0; q < 6; q++)
            here |= (x0 + q >= 0 && x0 + q < iw) << q;
        __local const float *from = mid + (r * iw + x0) * pm;
        for (; c + V <= cm; c += V)
            TRANSFORM(V, LDF, from, pm, c, here, plane2, m * cm + c)
        for (; c < cm; c++)
            TRANSFORM(1, LDF, from, pm, c, here, plane2, m * cm + c)
    }
    for (int j = 0; j < 6; j++)
        add_product(t + j * plane2, w2 + (size_t)j * blocks2 * cm * NR, o, MH * tiles, cm, blocks2, MW * po, po, MW, j);

    for (int r = 0; r < min(MH, oh - y0); r++)
        for (int x = 0; x < ow; x++) {
            __local const float *from = o + (r * tiles * MW + x) * po;
            const int            at = ((n * oh + y0 + r) * ow + x) * co;
            int                  c = 0;
            for (; c + V <= co; c += V) {
                FLOATN(V) y = LDF(V, from, c);
                EPILOGUE(V, y, at + c);
                STN(V, y, out, at + c);
            }
            for (; c < co; c++) {
                float y = from[c];
                EPILOGUE(1, y, at + c);
                ST1(y, out, at + c);
            }
        }
}
