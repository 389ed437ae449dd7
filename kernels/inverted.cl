/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inverted: an inverted residual block in one kernel: pointwise (expand), depthwise, pointwise (project). Neither of the
 * two wide tensors between reaches global memory. expand_depthwise (PROJECT 0): the first two only, for blocks with
 * something else before the projection (squeeze and excite); mid is then the output.
 *   wide[p][e] = WIDE(w1_b[e] + sum_i in[p][i] * w1[i][e])                          p over the input's pixels
 *   mid[q][e]  = MID(dw_b[e] + sum_{ky,kx} wide[(y*sh-pt+ky*dh, x*SW-pl+kx*DW)][e] * dw_w[ky][kx][e])   q = (y, x)
 *   out[q][o]  = epilogue(w2_b[o] + sum_e mid[q][e] * w2[e][o])
 *
 *   in  [batch][ih][iw][ci]   out [batch][oh][ow][co]
 *   w1 [ce / WR, rounded up][ci][WR], WR = WNB*EV   w1_b the same without ci   dw_w [KH][KW][ce]   dw_b [ce]
 *   w2 [co / NR, rounded up][ce][NR], NR = NB*V    w2_b the same without ce   filled up with zeros
 *   wide [rows of the strip's input][iw][WR], mid [ce / DV, rounded up][pitch][DV]: floats, local; pitch is rows*ow
 *   rounded up to whole tiles, so that one pointer leads to all pixels of a tile. Without projection mid is out,
 *   [rows*ow][ce].
 *
 * Item t makes the output rows y0 ... y0+rows-1 (strip t % strips of image t / strips): for each block of WR wide
 * channels it expands the input rows that the strip needs, those of its border included, and takes the depthwise sums;
 * at last it projects. For devices where a work-group is one item (LS 1): nothing is shared, so no barrier is needed.
 *
 *   PROJECT 0, 1     whether the projection belongs to it
 *   MR, V, NB        register tile of the projection, as in gemm.cl
 *   WMR, WNB, EV     rows, vectors and their floats of the expansion's tile
 *   LAST             vectors that the last block has of WNB, if it needs no more
 *   DV, DM           channels and columns of a depthwise tile; DV is not above the channels of the
 *                    last block: its last vector overlaps the one before
 *   KH, KW, SW, DW   as in depthwise.cl
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
#ifndef PROJECT
#define PROJECT 1
#endif
#ifndef WMR
#define WMR 4
#endif
#ifndef WNB
#define WNB 1
#endif
#ifndef EV
#define EV V
#endif
#ifndef LAST
#define LAST WNB
#endif
#ifndef DV
#define DV 4
#endif
#ifndef DM
#define DM 4
#endif
#ifndef KH
#define KH 3
#endif
#ifndef KW
#define KW 3
#endif
#ifndef SW
#define SW 1
#endif
#ifndef DW
#define DW 1
#endif
#ifndef WIDE
#define WIDE act_none
#endif
#ifndef MID
#define MID act_none
#endif
#define NR (NB * V)
#define WR (WNB * EV)
#define COLUMNS ((DM - 1) * SW + (KW - 1) * DW + 1)
#if PROJECT
typedef __local float mid_t;
#define ST_MID(v, p, i) CAT(STF, DV)(v, p, i)
#define MID_PIXEL DV
#define MID_AT(e, c0, c, pixel) ((((e) + (c0)) / DV * pitch + (pixel)) * DV)
#else
typedef __global value_t mid_t;
#define ST_MID(v, p, i) STN(DV, v, p, i)
#define MID_PIXEL ce
#define MID_AT(e, c0, c, pixel) ((pixel) * ce + (e) + (c))
#endif

/* wide[m][0 ... vectors*EV-1] of `pixels` pixels from `in` on, for one block of channels. */
static void expand(__global const value_t *in, __global const value_t *w, __global const float *bias,
                   __local float *wide, const int vectors, const int pixels, const int ci, const float wide_a,
                   const float wide_b)
{
    for (int m0 = 0; m0 < pixels; m0 += WMR) {
        FLOATN(EV)              acc[WMR][WNB];
        __global const value_t *x[WMR];
        __global const value_t *wk = w;
        UNROLL
        for (int m = 0; m < WMR; m++) {
            x[m] = in + min(m0 + m, pixels - 1) * ci;
            UNROLL
            for (int b = 0; b < WNB; b++)
                acc[m][b] = LDF(EV, bias, b * EV);
        }
        for (int k = 0; k < ci; k++, wk += WR) {
            FLOATN(EV) wv[WNB];
            PREFETCH(WR, wk);
            UNROLL
            for (int b = 0; b < WNB; b++)
                wv[b] = LDN(EV, wk, b * EV);
            UNROLL
            for (int m = 0; m < WMR; m++) {
                const float xv = LD1(x[m], k);
                UNROLL
                for (int b = 0; b < WNB; b++)
                    if (b < vectors)
                        acc[m][b] = fma((FLOATN(EV))(xv), wv[b], acc[m][b]);
            }
        }
        UNROLL
        for (int m = 0; m < WMR; m++) {
            UNROLL
            for (int b = 0; b < WNB; b++) {
                const FLOATN(EV) y = WIDE(FLOATN(EV), acc[m][b], wide_a, wide_b);
                if (m0 + m < pixels && b < vectors)
                    CAT(STF, EV)(y, wide, (m0 + m) * WR + b * EV);
            }
        }
    }
}

/* Depthwise sums of DV channels over output columns x0 ... x0+DM-1 of one row, from wide rows `top` ... (first is the
   input row that wide begins with), to mid. */
static void depthwise_tile(__local const float *wide, __global const value_t *w, const FLOATN(DV) bias,
                           mid_t *mid, const int iy0, const int first, const int x0, const int ih, const int iw,
                           const int ow, const int ce, const int dh, const int pl, const float mid_a, const float mid_b)
{
    const int  ix0 = x0 * SW - pl;
    const bool inside = ix0 >= 0 && ix0 + COLUMNS <= iw;
    FLOATN(DV) acc[DM];
    UNROLL
    for (int m = 0; m < DM; m++)
        acc[m] = bias;
    for (int ky = 0; ky < KH; ky++) {
        const int iy = iy0 + ky * dh;
        if (iy < 0 || iy >= ih)
            continue;
        __local const float *line = wide + (iy - first) * iw * WR;
        FLOATN(DV)           col[COLUMNS];
        if (inside) {
            UNROLL
            for (int j = 0; j < COLUMNS; j++)
                col[j] = LDF(DV, line, (ix0 + j) * WR);
        } else {
            UNROLL
            for (int j = 0; j < COLUMNS; j++) {
                const int ix = clamp(ix0 + j, 0, iw - 1);
                col[j] = LDF(DV, line, ix * WR);
                col[j] = OR_ZERO(DV, col[j], ix == ix0 + j);
            }
        }
        UNROLL
        for (int kx = 0; kx < KW; kx++) {
            const FLOATN(DV) wv = LDN(DV, w, (ky * KW + kx) * ce);
            UNROLL
            for (int m = 0; m < DM; m++)
                acc[m] = fma(col[m * SW + kx * DW], wv, acc[m]);
        }
    }
    UNROLL
    for (int m = 0; m < DM; m++) {
        const FLOATN(DV) y = MID(FLOATN(DV), acc[m], mid_a, mid_b);
        if (x0 + m < ow)
            ST_MID(y, mid, m * MID_PIXEL);
    }
}

/* The depthwise sums of output rows y0 ... y_end-1 of image n to mid, by blocks of WR wide channels. */
BIG_PART static void wide_part(__global const value_t *in, __global const value_t *w1, __global const float *w1_b,
                               __global const value_t *dw_w, __global const float *dw_b, __local float *wide, mid_t *mid,
                               const int pitch, const int n, const int y0, const int y_end, const int ih, const int iw,
                               const int ow, const int ci, const int ce, const int sh, const int dh, const int pt, const int pl,
                               const float wide_a, const float wide_b, const float mid_a, const float mid_b)
{
    const int first = max(0, y0 * sh - pt), last = min(ih, (y_end - 1) * sh - pt + (KH - 1) * dh + 1);
    for (int e = 0; e < ce; e += WR) {
        const int                     width = min(WR, ce - e), pixels = max(0, last - first) * iw;
        __global const value_t *const from = in + (size_t)(n * ih + first) * iw * ci;
        if (LAST == WNB || width == WR)
            expand(from, w1 + (size_t)e * ci, w1_b + e, wide, WNB, pixels, ci, wide_a, wide_b);
        else
            expand(from, w1 + (size_t)e * ci, w1_b + e, wide, LAST, pixels, ci, wide_a, wide_b);
        for (int c0 = 0; c0 < width; c0 += DV) {
            const int        c = min(c0, width - DV);
            const FLOATN(DV) bias = LDF(DV, dw_b, e + c);
            for (int y = y0; y < y_end; y++)
                for (int x0 = 0; x0 < ow; x0 += DM)
                    depthwise_tile(wide + c, dw_w + e + c, bias, mid + MID_AT(e, c0, c, (y - y0) * ow + x0), y * sh - pt,
                                   first, x0, ih, iw, ow, ce, dh, pl, mid_a, mid_b);
        }
    }
}

#if !PROJECT
__kernel void expand_depthwise(__global const value_t *in, __global const value_t *w1, __global const float *w1_b,
                               __global const value_t *dw_w, __global const float *dw_b, __global value_t *out,
                               __local float *wide, const int total, const int strips, const int rows, const int ih,
                               const int iw, const int oh, const int ow, const int ci, const int ce, const int sh,
                               const int dh, const int pt, const int pl, const float wide_a, const float wide_b,
                               const float mid_a, const float mid_b)
{
    const int t = get_global_id(0), n = t / strips, y0 = (t - n * strips) * rows, y_end = min(y0 + rows, oh);
    if (t < total)
        wide_part(in, w1, w1_b, dw_w, dw_b, wide, out + (size_t)(n * oh + y0) * ow * ce, 0, n, y0, y_end, ih, iw, ow, ci, ce,
                  sh, dh, pt, pl, wide_a, wide_b, mid_a, mid_b);
}
#else
/* Output pixels p0 ... p0+pixels-1 from mid. */
BIG_PART static void project(__local float *mid, __global const value_t *w2, __global const float *w2_b, __global value_t *out,
                             const int pitch, const int p0, const int pixels, const int ce, const int co, EPILOGUE_ARGS)
{
    for (int m = pixels; m < (pixels + MR - 1) / MR * MR; m++) /* computed, but not stored */
        for (int c = 0; c < ce; c += DV)
            CAT(STF, DV)((FLOATN(DV))(0.0f), mid, (c / DV * pitch + m) * DV);
    for (int n0 = 0; n0 < co; n0 += NR)
        for (int m0 = 0; m0 < pixels; m0 += MR) {
            FLOATN(V)               acc[MR][NB];
            __global const value_t *wk = w2 + (size_t)n0 * ce;
            UNROLL
            for (int m = 0; m < MR; m++) {
                UNROLL
                for (int b = 0; b < NB; b++)
                    acc[m][b] = LDF(V, w2_b, n0 + b * V);
            }
            for (int k = 0; k < ce;) {
                const int            first = min(k, ce - DV), end = first + DV; /* channels of this part of mid */
                __local const float *x = mid + (k / DV * pitch + m0) * DV - first;
                for (; k < end; k++, wk += NR) {
                    FLOATN(V) wv[NB];
                    PREFETCH(NR, wk);
                    UNROLL
                    for (int b = 0; b < NB; b++)
                        wv[b] = LDN(V, wk, b * V);
                    UNROLL
                    for (int m = 0; m < MR; m++) {
                        const float xv = x[m * DV + k];
                        UNROLL
                        for (int b = 0; b < NB; b++)
                            acc[m][b] = fma((FLOATN(V))(xv), wv[b], acc[m][b]);
                    }
                }
            }
            STORE_TILE(pixels - m0, (p0 + m0) * co, co, n0, co)
        }
}

__kernel void inverted(__global const value_t *in, __global const value_t *w1, __global const float *w1_b,
                       __global const value_t *dw_w, __global const float *dw_b, __global const value_t *w2,
                       __global const float *w2_b, __global value_t *out, __local float *wide, __local float *mid,
                       const int pitch, const int total, const int strips, const int rows, const int ih, const int iw, const int oh,
                       const int ow, const int ci, const int ce, const int co, const int sh, const int dh, const int pt,
                       const int pl, const float wide_a, const float wide_b, const float mid_a, const float mid_b,
                       EPILOGUE_ARGS)
{
    const int t = get_global_id(0), n = t / strips, y0 = (t - n * strips) * rows, y_end = min(y0 + rows, oh);
    if (t >= total)
        return;
    wide_part(in, w1, w1_b, dw_w, dw_b, wide, mid, pitch, n, y0, y_end, ih, iw, ow, ci, ce, sh, dh, pt, pl, wide_a, wide_b, mid_a,
              mid_b);
    project(mid, w2, w2_b, out, pitch, (n * oh + y0) * ow, (y_end - y0) * ow, ce, co, act_a, act_b, act2_a, act2_b, res);
}
#endif
