/* SPDX-License-Identifier: Apache-2.0 */
/*
 * separable: depthwise, then pointwise, the tensor between them in local memory only.
 *   mid[p][c] = MID(dw_b[c] + sum_{ky,kx} in[n][y*sh-pt+ky*dh][x*SW-pl+kx*DW][c] * dw_w[ky][kx][c]),  p = (n*oh+y)*ow+x
 *   out[p][o] = epilogue(pw_b[o] + sum_c mid[p][c] * pw_w[c][o])
 *
 *   in    [batch][ih][iw][ci]            dw_w [KH][KW][ci]   dw_b [ci]
 *   pw_w  [blocks][ci][NB*V]             pw_b [blocks][NB*V]  the last block filled up with zeros
 *   out   [batch][oh][ow][co]
 *   mid   [ci / DV, rounded up][pixels][DV] floats, local: one pointer leads to all pixels of a tile
 *
 * Work-group t makes output pixels t*pixels ... t*pixels+pixels-1, all channels: first the depthwise part, DM columns
 * and DV channels at a time, then the product with register tiles of MR pixels and NB vectors of V channels.
 *
 *   MR 1 ... 16, V 1, 4, 8, 16, NB 1 ... 4   as in gemm.cl
 *   DV 1, 4, 8, 16   channels of a depthwise vector, at most ci; the last block ends with the last channel
 *   DM               columns of a depthwise tile
 *   KH, KW, SW, DW   as in depthwise.cl
 *   LS               items of a work-group; with 1 no barrier is needed
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
#ifndef LS
#define LS 1
#endif
#ifndef MID
#define MID act_none
#endif
#define NR (NB * V)
#define COLUMNS ((DM - 1) * SW + (KW - 1) * DW + 1)

/* Depthwise sums of DM columns from x0 on (those below x_end are stored) of row y, channels c ... c+DV-1, to mid. */
static void depthwise_tile(__global const value_t *in, __global const value_t *w, __global const float *bias,
                           __local float *mid, const int n, const int y, const int x0, const int x_end, const int c,
                           const int ih, const int iw, const int ci, const int sh, const int dh, const int pt,
                           const int pl, const float mid_a, const float mid_b)
{
    const int       ix0 = x0 * SW - pl;
    const bool      inside = ix0 >= 0 && ix0 + COLUMNS <= iw;
    const FLOATN(DV) b = LDF(DV, bias, c);
    FLOATN(DV)      acc[DM];
    UNROLL
    for (int m = 0; m < DM; m++)
        acc[m] = b;
    for (int ky = 0; ky < KH; ky++) {
        const int iy = y * sh - pt + ky * dh;
        if (iy < 0 || iy >= ih)
            continue;
        __global const value_t *line = in + (size_t)(n * ih + iy) * iw * ci + c;
        FLOATN(DV)              col[COLUMNS];
        if (inside) {
            UNROLL
            for (int j = 0; j < COLUMNS; j++)
                col[j] = LDN(DV, line, (ix0 + j) * ci);
        } else {
            UNROLL
            for (int j = 0; j < COLUMNS; j++) {
                const int ix = clamp(ix0 + j, 0, iw - 1);
                col[j] = LDN(DV, line, ix * ci);
                col[j] = OR_ZERO(DV, col[j], ix == ix0 + j);
            }
        }
        UNROLL
        for (int kx = 0; kx < KW; kx++) {
            const FLOATN(DV) wv = LDN(DV, w, (ky * KW + kx) * ci + c);
            UNROLL
            for (int m = 0; m < DM; m++)
                acc[m] = fma(col[m * SW + kx * DW], wv, acc[m]);
        }
    }
    UNROLL
    for (int m = 0; m < DM; m++)
        if (x0 + m < x_end) {
            const FLOATN(DV) y_mid = MID(FLOATN(DV), acc[m], mid_a, mid_b);
            CAT(STF, DV)(y_mid, mid, m * DV);
        }
}

/* The depthwise part of output pixels p_first ... p_end-1: rows cut into tiles of DM columns; tile and channel block are
   spread over the work-group. */
BIG_PART static void depthwise_part(__global const value_t *in, __global const value_t *w, __global const float *bias,
                                    __local float *mid, const int lane, const int p_first, const int p_end, const int pixels,
                                    const int ih, const int iw, const int oh, const int ow, const int ci, const int sh,
                                    const int dh, const int pt, const int pl, const float mid_a, const float mid_b)
{
    int turn = 0;
    for (int p = p_first; p < p_end;) {
        const int r = p / ow, x_first = p - r * ow, n = r / oh, x_end = min(ow, x_first + p_end - p);
        for (int x0 = x_first; x0 < x_end; x0 += DM)
            for (int c0 = 0; c0 < ci; c0 += DV, turn++) {
                const int c = min(c0, ci - DV);
                if (LS == 1 || turn % LS == lane)
                    depthwise_tile(in, w, bias, mid + (c0 / DV * pixels + p + x0 - x_first - p_first) * DV, n, r - n * oh, x0,
                                   x_end, c, ih, iw, ci, sh, dh, pt, pl, mid_a, mid_b);
            }
        p += x_end - x_first;
    }
    /* the last tile's pixels that are none: computed, but not stored */
    for (int m = p_end - p_first; m < (p_end - p_first + MR - 1) / MR * MR; m++)
        for (int c0 = lane * DV; c0 < ci; c0 += LS * DV)
            CAT(STF, DV)((FLOATN(DV))(0.0f), mid, (c0 / DV * pixels + m) * DV);
}

/* Output pixels p_first ... p_first+count-1 from mid. */
BIG_PART static void pointwise_part(__local const float *mid, __global const value_t *w, __global const float *bias,
                                    __global value_t *out, const int lane, const int p_first, const int count,
                                    const int pixels, const int ci, const int co, EPILOGUE_ARGS)
{
    const int blocks = (co + NR - 1) / NR, tiles = (count + MR - 1) / MR;
    for (int job = lane; job < blocks * tiles; job += LS) {
        const int               block = job / tiles, m0 = (job - block * tiles) * MR;
        __global const value_t *wk = w + (size_t)block * ci * NR;
        FLOATN(V)               acc[MR][NB];
        UNROLL
        for (int m = 0; m < MR; m++) {
            UNROLL
            for (int b = 0; b < NB; b++)
                acc[m][b] = LDF(V, bias, block * NR + b * V);
        }
        for (int k = 0; k < ci;) {
            const int            first = min(k, ci - DV), end = first + DV; /* channels of this part of mid */
            __local const float *x = mid + (k / DV * pixels + m0) * DV - first;
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
        STORE_TILE(count - m0, (p_first + m0) * co, co, block * NR, co)
    }
}

__kernel void separable(__global const value_t *in, __global const value_t *dw_w, __global const float *dw_b,
                        __global const value_t *pw_w, __global const float *pw_b, __global value_t *out,
                        __local float *mid, const int total, const int pixels, const int ih, const int iw,
                        const int oh, const int ow, const int ci, const int co, const int sh, const int dh,
                        const int pt, const int pl, const float mid_a, const float mid_b, EPILOGUE_ARGS)
{
    const int lane = get_local_id(0);
    const int p_first = (int)GROUP_ID(0) * pixels, p_end = min(p_first + pixels, total);

    depthwise_part(in, dw_w, dw_b, mid, lane, p_first, p_end, pixels, ih, iw, oh, ow, ci, sh, dh, pt, pl, mid_a, mid_b);
#if LS > 1
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    pointwise_part(mid, pw_w, pw_b, out, lane, p_first, p_end - p_first, pixels, ci, co, act_a, act_b, act2_a, act2_b, res);
}
