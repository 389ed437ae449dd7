/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spatial_pair: KH x 1 down the columns, then 1 x KW along the row; the row between them in local memory only.
 *   mid[x][q]    = MID(b1[q] + sum_{ky,i} in[n][y*sh-pt+ky*dh][x][i] * w1(q,ky,i))        x over the input's columns
 *   out[n][y][x][o] = epilogue(b2[o] + sum_{kx,q} mid[x*sw-pl+kx*dw][q] * w2(o,kx,q))
 * An output row needs one row of mid, so nothing is computed twice.
 *
 *   in [batch][ih][iw][ci]   out [batch][oh][ow][co]   mid [iw+1][cm] floats, local, the last column zero
 *   w1 [blocks1][kh][ci][NB*V]   b1 [blocks1][NB*V]   w2 [blocks2][kw][cm][NB*V]   b2 [blocks2][NB*V]
 *
 * Work-group r makes output row r = n*oh+y, with register tiles of MR columns and NB vectors of V channels.
 *
 *   MR 1 ... 16, V 1, 4, 8, 16, NB 1 ... 4   as in gemm.cl
 *   LS   items of a work-group; with 1 no barrier is needed
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
#ifndef LS
#define LS 1
#endif
#ifndef MID
#define MID act_none
#endif
#define NR (NB * V)

/* Row y of image n after the vertical part, all columns and one of zeros, to mid. */
BIG_PART static void vertical_part(__global const value_t *in, __global const value_t *w1, __global const float *b1,
                                   __local float *mid, const int lane, const int n, const int y, const int ih, const int iw,
                                   const int ci, const int cm, const int kh, const int sh, const int dh, const int pt,
                                   const float mid_a, const float mid_b)
{
    const int tiles1 = (iw + MR - 1) / MR, blocks1 = (cm + NR - 1) / NR;

    for (int q = lane; q < cm; q += LS)
        mid[iw * cm + q] = 0.0f;
    for (int job = lane; job < tiles1 * blocks1; job += LS) {
        const int block = job / tiles1, x0 = (job - block * tiles1) * MR;
        FLOATN(V) acc[MR][NB];
        int       at[MR];
        UNROLL
        for (int m = 0; m < MR; m++) {
            at[m] = min(x0 + m, iw - 1) * ci; /* columns past the end repeat the last one and are not stored */
            UNROLL
            for (int b = 0; b < NB; b++)
                acc[m][b] = LDF(V, b1, block * NR + b * V);
        }
        for (int ky = 0; ky < kh; ky++) {
            const int iy = y * sh - pt + ky * dh;
            if (iy < 0 || iy >= ih)
                continue;
            __global const value_t *line = in + (size_t)(n * ih + iy) * iw * ci;
            __global const value_t *x[MR]; /* pointers, as in gemm.cl */
            UNROLL
            for (int m = 0; m < MR; m++)
                x[m] = line + at[m];
            __global const value_t *wk = w1 + (size_t)(block * kh + ky) * ci * NR;
            for (int i = 0; i < ci; i++, wk += NR) {
                FLOATN(V) wv[NB];
                UNROLL
                for (int b = 0; b < NB; b++)
                    wv[b] = LDN(V, wk, b * V);
                UNROLL
                for (int m = 0; m < MR; m++) {
                    const float xv = LD1(x[m], i);
                    UNROLL
                    for (int b = 0; b < NB; b++)
                        acc[m][b] = fma((FLOATN(V))(xv), wv[b], acc[m][b]);
                }
            }
        }
        UNROLL
        for (int m = 0; m < MR; m++) {
            UNROLL
            for (int b = 0; b < NB; b++) {
                const FLOATN(V) q = MID(FLOATN(V), acc[m][b], mid_a, mid_b);
                const int       c = block * NR + b * V;
                if (x0 + m < iw && c + V <= cm) {
                    CAT(STF, V)(q, mid, (x0 + m) * cm + c);
                } else if (x0 + m < iw) {
                    float part[V];
                    CAT(STP, V)(q, part);
                    for (int j = 0; j < cm - c; j++)
                        mid[(x0 + m) * cm + c + j] = part[j];
                }
            }
        }
    }
}

/* Output row r from mid. */
BIG_PART static void horizontal_part(__local const float *mid, __global const value_t *w2, __global const float *b2,
                                     __global value_t *out, const int lane, const int r, const int iw, const int ow,
                                     const int cm, const int co, const int kw, const int sw, const int dw, const int pl,
                                     EPILOGUE_ARGS)
{
    const int tiles2 = (ow + MR - 1) / MR, blocks2 = (co + NR - 1) / NR;

    for (int job = lane; job < tiles2 * blocks2; job += LS) {
        const int block = job / tiles2, x0 = (job - block * tiles2) * MR;
        FLOATN(V) acc[MR][NB];
        UNROLL
        for (int m = 0; m < MR; m++) {
            UNROLL
            for (int b = 0; b < NB; b++)
                acc[m][b] = LDF(V, b2, block * NR + b * V);
        }
        for (int kx = 0; kx < kw; kx++) {
            const int            first = x0 * sw - pl + kx * dw;
            __local const float *x[MR];
            UNROLL
            for (int m = 0; m < MR; m++) {
                const int ix = first + m * sw;
                x[m] = mid + (ix >= 0 && ix < iw ? ix : iw) * cm; /* outside: the column of zeros */
            }
            __global const value_t *wk = w2 + (size_t)(block * kw + kx) * cm * NR;
            for (int q = 0; q < cm; q++, wk += NR) {
                FLOATN(V) wv[NB];
                UNROLL
                for (int b = 0; b < NB; b++)
                    wv[b] = LDN(V, wk, b * V);
                UNROLL
                for (int m = 0; m < MR; m++) {
                    const float xv = x[m][q];
                    UNROLL
                    for (int b = 0; b < NB; b++)
                        acc[m][b] = fma((FLOATN(V))(xv), wv[b], acc[m][b]);
                }
            }
        }
        STORE_TILE(ow - x0, (r * ow + x0) * co, co, block * NR, co)
    }
}

__kernel void spatial_pair(__global const value_t *in, __global const value_t *w1, __global const float *b1,
                           __global const value_t *w2, __global const float *b2, __global value_t *out,
                           __local float *mid, const int n_rows, const int ih, const int iw, const int oh, const int ow,
                           const int ci, const int cm, const int co, const int kh, const int kw, const int sh,
                           const int sw, const int dh, const int dw, const int pt, const int pl, const float mid_a,
                           const float mid_b, EPILOGUE_ARGS)
{
    const int lane = get_local_id(0), r = GROUP_ID(0), n = r / oh, y = r - n * oh;
    if (r >= n_rows)
        return; /* a whole work-group at a time */
    vertical_part(in, w1, b1, mid, lane, n, y, ih, iw, ci, cm, kh, sh, dh, pt, mid_a, mid_b);
#if LS > 1
    barrier(CLK_LOCAL_MEM_FENCE);
#endif
    horizontal_part(mid, w2, b2, out, lane, r, iw, ow, cm, co, kw, sw, dw, pl, act_a, act_b, act2_a, act2_b, res);
}
