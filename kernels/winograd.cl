/* SPDX-License-Identifier: Apache-2.0 */
/*
 * winograd: dense 3x3 convolution, stride 1, by Winograd's minimal filtering F(TM x TM, 3x3) (S. Winograd, Arithmetic
 * Complexity of Computations, 1980; for convolution layers A. Lavin and S. Gray, arXiv 1509.09308).
 *
 * An output tile of TM x TM needs an input tile of TN x TN, TN = TM+2. Input tiles are transformed (B' d B), multiplied
 * position by position with transformed weights and summed over the input channels, which makes TN*TN small matrix
 * products, and the sums are transformed back (A' m A): (TN/TM)^2 multiply-adds an output instead of 9.
 *
 * TM = 4 interpolates at 0, +-3/4, +-3/2 and infinity: numbers that are exact in binary and whose products stay near 1,
 * which costs a quarter of the error of the usual 0, +-1, +-2.
 *
 *   in    [batch][ih][iw][ci]
 *   w     [blocks][TN*TN][ci][NB*V]  transformed weights (G g G'), the last block filled up with zeros
 *   bias  [blocks][NB*V]
 *   zeros [TN*ci]                    what lies outside the picture
 *   out   [batch][oh][ow][co]
 *
 * Item (s, g) makes the channels of blocks g*per ... g*per+per-1 for the tiles s*strip ... s*strip+strip-1, counted along
 * rows, then columns, then batches. In local memory, for one strip:
 *   tv    [TN*TN][channel vectors][strip][V]  transformed input, tv_pitch floats a position; the last vector is the
 *                                             last V channels, whichever of them the one before has too
 *   tm    [TN*TN][strip][NB*V]                sums of one block, tm_pitch floats a position
 * strip is a multiple of MR. The pitches keep the positions of a tile from falling into the same cache sets.
 *
 *   TM  2, 4         edge of an output tile
 *   MR  1 ... 16     tiles of a register tile
 *   V   1, 4, 8, 16  channels of a vector
 *   NB  1 ... 4      vectors of a register tile
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef TM
#define TM 4
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
#define NR (NB * V)
#define TN (TM + 2)
#define VEC FLOATN(V)

/* The one-dimensional transforms, of vectors s apart. d and t may be the same only in that each is read before it is
   written: they are not. */
#if TM == 4
#define P 0.75f
#define Q 1.5f
#define PP (P * P)
#define QQ (Q * Q)
/* B' */
#define TRANSFORM_INPUT(d, t, s)                                             \
    do {                                                                     \
        const VEC p_even = fma((VEC)(-QQ), d[2 * s], d[4 * s]);              \
        const VEC p_odd = P * fma((VEC)(-QQ), d[1 * s], d[3 * s]);           \
        const VEC q_even = fma((VEC)(-PP), d[2 * s], d[4 * s]);              \
        const VEC q_odd = Q * fma((VEC)(-PP), d[1 * s], d[3 * s]);           \
        t[0 * s] = fma((VEC)(PP * QQ), d[0 * s], fma((VEC)(-PP - QQ), d[2 * s], d[4 * s])); \
        t[1 * s] = p_even + p_odd;                                           \
        t[2 * s] = p_even - p_odd;                                           \
        t[3 * s] = q_even + q_odd;                                           \
        t[4 * s] = q_even - q_odd;                                           \
        t[5 * s] = fma((VEC)(PP * QQ), d[1 * s], fma((VEC)(-PP - QQ), d[3 * s], d[5 * s])); \
    } while (0)
/* A' */
#define TRANSFORM_OUTPUT(m, t, s)                                            \
    do {                                                                     \
        const VEC p_sum = m[1 * s] + m[2 * s], p_dif = m[1 * s] - m[2 * s];  \
        const VEC q_sum = m[3 * s] + m[4 * s], q_dif = m[3 * s] - m[4 * s];  \
        t[0 * s] = m[0 * s] + p_sum + q_sum;                                 \
        t[1 * s] = fma((VEC)(P), p_dif, Q * q_dif);                          \
        t[2 * s] = fma((VEC)(PP), p_sum, QQ * q_sum);                        \
        t[3 * s] = fma((VEC)(PP * P), p_dif, fma((VEC)(QQ * Q), q_dif, m[5 * s])); \
    } while (0)
#else
#define TRANSFORM_INPUT(d, t, s)                                             \
    do {                                                                     \
        t[0 * s] = d[0 * s] - d[2 * s];                                      \
        t[1 * s] = d[1 * s] + d[2 * s];                                      \
        t[2 * s] = d[2 * s] - d[1 * s];                                      \
        t[3 * s] = d[3 * s] - d[1 * s];                                      \
    } while (0)
#define TRANSFORM_OUTPUT(m, t, s)                                            \
    do {                                                                     \
        t[0 * s] = m[0 * s] + m[1 * s] + m[2 * s];                           \
        t[1 * s] = m[1 * s] - m[2 * s] + m[3 * s];                           \
    } while (0)
#endif

/* Channels c ... c+V-1 of the tile with pixels at px[TN*TN], to tv. */
#define INPUT_TILE                                                                      \
    do {                                                                     \
        VEC d[TN * TN], t[TN * TN];                                          \
        UNROLL                                                               \
        for (int i = 0; i < TN * TN; i++)                                    \
            d[i] = LDN(V, px[i], c);                                         \
        UNROLL                                                               \
        for (int i = 0; i < TN; i++)                                         \
            TRANSFORM_INPUT((d + i), (t + i), TN);                           \
        UNROLL                                                               \
        for (int i = 0; i < TN; i++)                                         \
            TRANSFORM_INPUT((t + i * TN), (d + i * TN), 1);                  \
        UNROLL                                                               \
        for (int i = 0; i < TN * TN; i++)                                    \
            STF(V, d[i], to, (size_t)i * tv_pitch);                          \
    } while (0)

/* Transforms the strip's tiles; those past the end become zeros. */
void input_strip(__global const value_t *in, __global const value_t *zeros, __local float *tv, const int first,
                 const int count, const int rows, const int strip, const int tiles_y, const int tiles_x, const int ih,
                 const int iw, const int ci, const int pt, const int pl, const int tv_pitch)
{
    for (int t = 0; t < rows; t++) {
        __local float          *to = tv + t * V;
        __global const value_t *px[TN * TN];
        const int               tile = first + t, line = tile / tiles_x, n = line / tiles_y;
        const int               y0 = (line - n * tiles_y) * TM - pt, x0 = (tile - line * tiles_x) * TM - pl;
        __global const value_t *from = in + ((size_t)(n * ih + y0) * iw + x0) * ci;
        UNROLL
        for (int i = 0; i < TN; i++, from += iw * ci) {
            __global const value_t *row = t < count && (uint)(y0 + i) < (uint)ih ? from : zeros;
            UNROLL
            for (int j = 0; j < TN; j++)
                px[i * TN + j] = (uint)(x0 + j) < (uint)iw ? row + j * ci : zeros;
        }
        for (int k = 0; k < ci; k += V, to += strip * V) {
            const int c = min(k, ci - V);
            INPUT_TILE;
        }
    }
}

/* The products of all positions: tm = tv x u. */
void products(__local const float *tv, __global const value_t *u, __local float *tm, const int rows, const int strip,
              const int ci, const int tv_pitch, const int tm_pitch)
{
    for (int i = 0; i < TN * TN; i++)
        for (int m0 = 0; m0 < rows; m0 += MR) {
            VEC acc[MR][NB];
            UNROLL
            for (int m = 0; m < MR; m++) {
                UNROLL
                for (int b = 0; b < NB; b++)
                    acc[m][b] = (VEC)(0.0f);
            }
            __global const value_t *uk = u + (size_t)i * ci * NR;
            for (int k = 0; k < ci;) {
                const int            first = min(k, ci - V), end = first + V; /* channels of this vector */
                __local const float *x = tv + (size_t)i * tv_pitch + (k / V * strip + m0) * V - first;
                for (; k < end; k++, uk += NR) {
                    VEC wv[NB];
                    PREFETCH(NR, uk);
                    UNROLL
                    for (int b = 0; b < NB; b++)
                        wv[b] = LDN(V, uk, b * V);
                    UNROLL
                    for (int m = 0; m < MR; m++) {
                        const float xv = x[m * V + k];
                        UNROLL
                        for (int b = 0; b < NB; b++)
                            acc[m][b] = fma((VEC)(xv), wv[b], acc[m][b]);
                    }
                }
            }
            UNROLL
            for (int m = 0; m < MR; m++) {
                UNROLL
                for (int b = 0; b < NB; b++)
                    STF(V, acc[m][b], tm, i * tm_pitch + (m0 + m) * NR + b * V);
            }
        }
}

/* What a tile has inside the picture, h x w pixels of n channels, with the epilogue. */
void output_part(__global value_t *out, const float *part, const int h, const int w, const int base, const int pitch,
                 const int co, const int n, EPILOGUE_ARGS)
{
    for (int i = 0; i < h; i++)
        for (int j = 0; j < w; j++) {
            const int at = base + i * pitch + j * co, from = (i * TM + j) * V;
            if (n == V) {
                VEC one = LDF(V, part, from);
                EPILOGUE(V, one, at);
                STN(V, one, out, at);
            } else {
                for (int k = 0; k < n; k++) {
                    float one = part[from + k];
                    EPILOGUE(1, one, at + k);
                    ST1(one, out, at + k);
                }
            }
        }
}

/* The sums of a block transformed back, with bias and epilogue. */
void output_strip(__global value_t *out, __global const float *bias, __local const float *tm, const int block,
                  const int first, const int count, const int tiles_y, const int tiles_x, const int oh, const int ow,
                  const int co, const int tm_pitch, EPILOGUE_ARGS)
{
    for (int t = 0; t < count; t++) {
        const int tile = first + t, line = tile / tiles_x, n = line / tiles_y;
        const int y0 = (line - n * tiles_y) * TM, x0 = (tile - line * tiles_x) * TM;
        const int h = min(TM, oh - y0), w = min(TM, ow - x0), base = ((n * oh + y0) * ow + x0) * co;
        for (int b = 0; b < NB && block * NR + b * V < co; b++) {
            const int c = block * NR + b * V;
            VEC       m[TN * TN], r[TM * TN], y[TM * TM];
            float     part[TM * TM * V];
            UNROLL
            for (int i = 0; i < TN * TN; i++)
                m[i] = LDF(V, tm, i * tm_pitch + t * NR + b * V);
            UNROLL
            for (int i = 0; i < TN; i++)
                TRANSFORM_OUTPUT((m + i), (r + i), TN);
            UNROLL
            for (int i = 0; i < TM; i++)
                TRANSFORM_OUTPUT((r + i * TN), (y + i * TM), 1);
            const VEC add = LDF(V, bias, c);
            if (h == TM && w == TM && c + V <= co) {
                UNROLL
                for (int i = 0; i < TM * TM; i++) {
                    VEC       one = y[i] + add;
                    const int at = base + (i / TM * ow + i % TM) * co + c;
                    EPILOGUE(V, one, at);
                    STN(V, one, out, at);
                }
            } else {
                UNROLL
                for (int i = 0; i < TM * TM; i++)
                    STF(V, y[i] + add, part, i * V);
                output_part(out, part, h, w, base + c, ow * co, co, min(V, co - c), act_a, act_b, act2_a, act2_b, res);
            }
        }
    }
}

__kernel void winograd(__global const value_t *in, __global const value_t *w, __global const float *bias,
                       __global const value_t *zeros, __global value_t *out, __local float *tv, __local float *tm,
                       const int n_tiles, const int strip, const int per, const int ih, const int iw, const int oh,
                       const int ow, const int ci, const int co, const int tiles_y, const int tiles_x, const int pt,
                       const int pl, const int tv_pitch, const int tm_pitch, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * strip, count = min(strip, n_tiles - first);
    const int rows = (count + MR - 1) / MR * MR, blocks = (co + NR - 1) / NR;
    const int block_end = min(((int)get_global_id(1) + 1) * per, blocks);
    input_strip(in, zeros, tv, first, count, rows, strip, tiles_y, tiles_x, ih, iw, ci, pt, pl, tv_pitch);
    for (int block = (int)get_global_id(1) * per; block < block_end; block++) {
        products(tv, w + (size_t)block * (TN * TN) * ci * NR, tm, rows, strip, ci, tv_pitch, tm_pitch);
        output_strip(out, bias, tm, block, first, count, tiles_y, tiles_x, oh, ow, co, tm_pitch, act_a, act_b, act2_a,
                     act2_b, res);
    }
}
