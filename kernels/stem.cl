/* SPDX-License-Identifier: Apache-2.0 */
/*
 * stem: dense convolution of few input channels, as a network's first layer is. With channels last, the kw*ci inputs of
 * a tap row lie side by side, so that they are one run of a matrix product instead of kw runs of ci. With planes, as files
 * with channels first have them, they are CI runs of kw, and no launch has to bring the channels together.
 *
 *   in    [batch][ih][iw][CI], PLANES 1: [batch][CI][ih][iw]
 *   w     [blocks][kh][KW*CI][NB*V]   the last block filled up with zeros; PLANES 1: [blocks][kh][CI][KW][NB*V]
 *   bias  [blocks][NB*V]
 *   out   [batch][oh][ow][co]
 *
 * Item (s, n) makes output rows s*rows ... of batch n, all channels. It first copies the input rows it needs to local
 * memory, with zeros where padding is, so that the product knows no border:
 *   lines [(rows-1)*sh + (kh-1)*dh + 1][RUNS][pitch]   pitch covers the columns of whole tiles
 *
 *   PLANES  0, 1     how the channels of the input lie
 *   IN_F16  0, 1     the input's storage, which may be another than the rest's
 *   CI  1 ...        input channels
 *   KW  1 ...        kernel's width
 *   SW  1 ...        step along the row
 *   MR  1 ... 16     columns of a tile
 *   V   1, 4, 8, 16  channels of a vector
 *   NB  1 ... 4      vectors of a tile
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef CI
#define CI 3
#endif
#ifndef KW
#define KW 3
#endif
#ifndef SW
#define SW 2
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
#ifndef PLANES
#define PLANES 0
#endif
#ifndef IN_F16
#define IN_F16 STORE_F16
#endif
#if IN_F16
typedef half in_t;
#define LD_IN(n, p, i) CAT(LDH, n)(p, i)
#else
typedef float in_t;
#define LD_IN(n, p, i) CAT(LDF, n)(p, i)
#endif
#if PLANES
#define RUNS CI
#define PER_PIXEL 1
#else
#define RUNS 1
#define PER_PIXEL CI
#endif
#define NR (NB * V)

/* One input row with its padding: zeros, n values of from, zeros. */
void copy_line(__global const in_t *from, __local float *to, const int left, const int n, const int pitch)
{
    int i = 0;
    for (; i < left; i++)
        to[i] = 0.0f;
    for (; i + V <= left + n; i += V)
        STF(V, LD_IN(V, from, i - left), to, i);
    for (; i < left + n; i++)
        to[i] = LD_IN(1, from, i - left);
    for (; i < pitch; i++)
        to[i] = 0.0f;
}

/* Output rows first ... last-1 of image n from the lines. */
BIG_PART static void product(__local const float *lines, __global const value_t *w, __global const float *bias,
                             __global value_t *out, const int n, const int first, const int last, const int pitch, const int oh,
                             const int ow, const int co, const int kh, const int sh, const int dh, EPILOGUE_ARGS)
{
    for (int c = 0; c < co; c += NR)
        for (int y = first; y < last; y++)
            for (int x0 = 0; x0 < ow; x0 += MR) {
                FLOATN(V) acc[MR][NB];
                UNROLL
                for (int m = 0; m < MR; m++) {
                    UNROLL
                    for (int b = 0; b < NB; b++)
                        acc[m][b] = LDF(V, bias, c + b * V);
                }
                __global const value_t *wk = w + (size_t)c * kh * (KW * CI);
                __local const float    *x = lines + (y - first) * sh * RUNS * pitch + x0 * (SW * PER_PIXEL);
                for (int ky = 0; ky < kh; ky++, x += (dh - 1) * RUNS * pitch)
                    for (int r = 0; r < RUNS; r++, x += pitch)
                        for (int k = 0; k < KW * PER_PIXEL; k++, wk += NR) {
                            FLOATN(V) wv[NB];
                            UNROLL
                            for (int b = 0; b < NB; b++)
                                wv[b] = LDN(V, wk, b * V);
                            UNROLL
                            for (int m = 0; m < MR; m++) {
                                const float xv = x[m * (SW * PER_PIXEL) + k];
                                UNROLL
                                for (int b = 0; b < NB; b++)
                                    acc[m][b] = fma((FLOATN(V))(xv), wv[b], acc[m][b]);
                            }
                        }
                STORE_TILE(ow - x0, ((n * oh + y) * ow + x0) * co, co, c, co)
            }
}

__kernel void stem(__global const in_t *in, __global const value_t *w, __global const float *bias,
                   __global value_t *out, __local float *lines, const int pitch, const int rows, const int ih,
                   const int iw, const int oh, const int ow, const int co, const int kh, const int sh, const int dh,
                   const int pt, const int pl, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * rows, last = min(first + rows, oh), n = get_global_id(1);
    const int n_lines = (last - 1 - first) * sh + (kh - 1) * dh + 1, left = min(pl * PER_PIXEL, pitch);
    for (int i = 0; i < n_lines && first < last; i++) {
        const int iy = first * sh - pt + i, inside = iy >= 0 && iy < ih;
        for (int r = 0; r < RUNS; r++)
            copy_line(in + (size_t)((n * RUNS + r) * ih + (inside ? iy : 0)) * iw * PER_PIXEL, lines + (i * RUNS + r) * pitch,
                      left, inside ? min(iw * PER_PIXEL, pitch - left) : 0, pitch);
    }
    product(lines, w, bias, out, n, first, last, pitch, oh, ow, co, kh, sh, dh, act_a, act_b, act2_a, act2_b, res);
}
