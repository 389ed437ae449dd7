/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv: dense and grouped convolution as an implicit matrix product, no im2col in memory.
 *   out[n][y][x][o] = epilogue(bias[o] + sum_{ky,kx,i} in[n][y*sh-pt+ky*dh][x*sw-pl+kx*dw][g*ci+i] * w(o,ky,kx,i))
 *
 *   in    [batch][ih][iw][groups*ci]
 *   w     [groups][blocks][kh][kw][ci][NB*V]    a group's output channels in blocks, the last filled up with zeros
 *   bias  [groups][blocks][NB*V]
 *   zeros [ci]                                  what lies outside the picture
 *   out   [batch][oh][ow][groups*co]
 *
 * Item (b, r, t) makes block b = group*blocks+block for output rows r*rows ... of all batches (row = n*oh+y), and the
 * columns of strip t (strip columns wide), a register tile of MR columns and NB vectors of V channels at a time.
 *
 *   MR  1 ... 16     columns of a tile
 *   V   1, 4, 8, 16  channels of a vector
 *   NB  1 ... 4      vectors of a tile
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
#define NR (NB * V)

/* Columns x_first ... x_end-1 of output rows row_first ... row_end-1, the channels of one block, whose weights and bias w and
   bias are. */
BIG_PART static void tiles(__global const value_t *in, __global const value_t *w, __global const float *bias,
                           __global const value_t *zeros, __global value_t *out, const int g, const int block,
                           const int row_first, const int row_end, const int x_first, const int x_end, const int ih,
                           const int iw, const int oh, const int ow, const int ci, const int co, const int groups, const int kh,
                           const int kw, const int sh, const int sw, const int dh, const int dw, const int pt, const int pl,
                           EPILOGUE_ARGS)
{
    const int in_c = groups * ci;

    for (int r = row_first; r < row_end; r++) {
        const int n = r / oh, y = r - n * oh;
        for (int x0 = x_first; x0 < x_end; x0 += MR) {
            FLOATN(V) acc[MR][NB];
            UNROLL
            for (int m = 0; m < MR; m++) {
                UNROLL
                for (int b = 0; b < NB; b++)
                    acc[m][b] = LDF(V, bias, b * V);
            }
            for (int ky = 0; ky < kh; ky++) {
                const int iy = y * sh - pt + ky * dh;
                if (iy < 0 || iy >= ih)
                    continue;
                for (int kx = 0; kx < kw; kx++) {
                    __global const value_t *px[MR];
                    UNROLL
                    for (int m = 0; m < MR; m++) {
                        const int ix = (x0 + m) * sw - pl + kx * dw;
                        px[m] = ix >= 0 && ix < iw ? in + ((size_t)(n * ih + iy) * iw + ix) * in_c + g * ci : zeros;
                    }
                    __global const value_t *wk = w + (size_t)(ky * kw + kx) * ci * NR;
                    for (int i = 0; i < ci; i++, wk += NR) {
                        PREFETCH(NR, wk);
                        FLOATN(V) wv[NB];
                        UNROLL
                        for (int b = 0; b < NB; b++)
                            wv[b] = LDN(V, wk, b * V);
                        UNROLL
                        for (int m = 0; m < MR; m++) {
                            const float x = LD1(px[m], i);
                            UNROLL
                            for (int b = 0; b < NB; b++)
                                acc[m][b] = fma((FLOATN(V))(x), wv[b], acc[m][b]);
                        }
                    }
                }
            }
            STORE_TILE(x_end - x0, ((r * ow + x0) * groups + g) * co, groups * co, block * NR, co)
        }
    }
}

__kernel void conv(__global const value_t *in, __global const value_t *w, __global const float *bias,
                   __global const value_t *zeros, __global value_t *out, const int n_rows, const int rows,
                   const int strip, const int ih, const int iw, const int oh, const int ow, const int ci, const int co,
                   const int groups, const int kh, const int kw, const int sh, const int sw, const int dh, const int dw,
                   const int pt, const int pl, EPILOGUE_ARGS)
{
    const int blocks = (co + NR - 1) / NR;
    const int g = (int)get_global_id(0) / blocks, block = (int)get_global_id(0) - g * blocks;
    const int row_first = (int)get_global_id(1) * rows, row_end = min(row_first + rows, n_rows);
    const int x_first = ITEM2 * strip, x_end = min(x_first + strip, ow);
    if (g < groups)
        tiles(in, w + get_global_id(0) * kh * kw * ci * NR, bias + get_global_id(0) * NR, zeros, out, g, block, row_first, row_end,
              x_first, x_end, ih, iw, oh, ow, ci, co, groups, kh, kw, sh, sw, dh, dw, pt, pl, act_a, act_b, act2_a, act2_b, res);
}

/*
 * conv_direct: the same, one output element an item, for what no other variant fits. w and bias as above with NB*V = 1.
 * Item i is the element i of the output.
 */
__kernel void conv_direct(__global const value_t *in, __global const value_t *w, __global const float *bias,
                          __global value_t *out, const int total, const int ih, const int iw, const int oh,
                          const int ow, const int ci, const int co, const int groups, const int kh, const int kw,
                          const int sh, const int sw, const int dh, const int dw, const int pt, const int pl,
                          const int chunk, EPILOGUE_ARGS)
{
    const int end = min(((int)get_global_id(0) + 1) * chunk, total);
    for (int i = (int)get_global_id(0) * chunk; i < end; i++) {
        const int pixel = i / (groups * co), o = i - pixel * groups * co, r = pixel / ow, x = pixel - r * ow;
        const int n = r / oh, y = r - n * oh, g = o / co;
        float     acc = bias[o];
        for (int ky = 0; ky < kh; ky++) {
            const int iy = y * sh - pt + ky * dh;
            if (iy < 0 || iy >= ih)
                continue;
            for (int kx = 0; kx < kw; kx++) {
                const int ix = x * sw - pl + kx * dw;
                if (ix < 0 || ix >= iw)
                    continue;
                const size_t at = ((size_t)(n * ih + iy) * iw + ix) * groups * ci + g * ci;
                const size_t wt = ((size_t)(o * kh + ky) * kw + kx) * ci;
                for (int k = 0; k < ci; k++)
                    acc = fma(LD1(in, at + k), LD1(w, wt + k), acc);
            }
        }
        EPILOGUE(1, acc, i);
        ST1(acc, out, i);
    }
}
