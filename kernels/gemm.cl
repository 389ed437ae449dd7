/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gemm: pointwise convolution and dense layers. out[m][n] = epilogue(bias[n] + sum_k in[m][k] * w[k][n]).
 * gemm_strided: pointwise convolution with strides, whose rows of `in` are those of the pixels that count.
 *
 *   in    [m_total][k_total]
 *   w     [n_blocks][k_total][NB*V]   columns of a block side by side; the last block is filled up with zeros
 *   bias  [n_blocks][NB*V]
 *   out   [m_total][n_total]
 *
 * Item (b, s) makes the columns of block b for rows s*m_chunk ... s*m_chunk+m_chunk-1, a register tile of MR rows and
 * NB vectors of V columns at a time, so that the block's weights stay in the first-level cache over the whole chunk.
 *
 *   MR  1 ... 16     rows of a tile
 *   V   1, 4, 8, 16  columns of a vector
 *   NB  1 ... 4      vectors of a tile
 *   STRIDED  1: gemm_strided alone, else gemm alone; a program stores no kernel that nobody launches
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
#ifndef STRIDED
#define STRIDED 0
#endif
#define NR (NB * V)

/* Pictures of which only every sh-th row and sw-th column counts. */
typedef struct skips {
    int ih, iw, oh, ow, sh, sw;
} skips;

/* Row m of the output comes from row m of `in` or, where STRIDED, from pixel (n, y*sh, x*sw), m being
   (n*oh + y)*ow + x. */
BIG_PART static void product(__global const value_t *in, __global const value_t *w, __global const float *bias,
                             __global value_t *out, const int block, const int chunk, const int m_total, const int k_total,
                             const int n_total, const int m_chunk, const skips s, EPILOGUE_ARGS)
{
    const int n0 = block * NR, first = chunk * m_chunk, last = min(first + m_chunk, m_total); /* one behind */
    if (n0 >= n_total)
        return;
    __global const value_t *wb = w + (size_t)block * k_total * NR;
    /* of the next row; counted on, since divisions for each row of a tile would take as long as a tenth of its sums */
    int n = 0, y = 0, x_pixel = 0;
    if (STRIDED) {
        const int line = first / s.ow;
        x_pixel = first - line * s.ow;
        n = line / s.oh;
        y = line - n * s.oh;
    }

    for (int m0 = first; m0 < last; m0 += MR) {
        FLOATN(V) acc[MR][NB];
        /* a pointer a row: as indices into one array, compilers gather them in vectors to add k, and take them out again */
        __global const value_t *x[MR];
        UNROLL
        for (int m = 0; m < MR; m++) { /* rows past the end repeat the last one and are not stored */
            if (STRIDED) {
                x[m] = in + (((size_t)n * s.ih + y * s.sh) * s.iw + x_pixel * s.sw) * k_total;
                const int step = m0 + m < last - 1, turn = x_pixel + step == s.ow, next = turn && y + 1 == s.oh;
                x_pixel = turn ? 0 : x_pixel + step;
                y = next ? 0 : y + turn;
                n += next;
            } else {
                x[m] = in + (size_t)min(m0 + m, last - 1) * k_total;
            }
            UNROLL
            for (int b = 0; b < NB; b++)
                acc[m][b] = LDF(V, bias, n0 + b * V);
        }
        __global const value_t *wk = wb;
        for (int k = 0; k < k_total; k++, wk += NR) {
            FLOATN(V) wv[NB];
            PREFETCH(NR, wk);
            UNROLL
            for (int b = 0; b < NB; b++)
                wv[b] = LDN(V, wk, b * V);
            UNROLL
            for (int m = 0; m < MR; m++) {
                const float xv = LD1(x[m], k);
                UNROLL
                for (int b = 0; b < NB; b++)
                    acc[m][b] = fma((FLOATN(V))(xv), wv[b], acc[m][b]);
            }
        }
        STORE_TILE(last - m0, m0 * n_total, n_total, n0, n_total)
    }
}

#if !STRIDED
__kernel void gemm(__global const value_t *in, __global const value_t *w, __global const float *bias,
                   __global value_t *out, const int m_total, const int k_total, const int n_total, const int m_chunk,
                   EPILOGUE_ARGS)
{
    const skips none = {0, 0, 0, 0, 0, 0};
    product(in, w, bias, out, get_global_id(0), get_global_id(1), m_total, k_total, n_total, m_chunk, none, act_a, act_b, act2_a,
            act2_b, res);
}

#else
/* The same on `in` [batch][ih][iw][k_total] with m_total = batch*oh*ow: row (n, y, x) reads pixel (n, y*sh, x*sw). */
__kernel void gemm_strided(__global const value_t *in, __global const value_t *w, __global const float *bias,
                           __global value_t *out, const int m_total, const int k_total, const int n_total,
                           const int m_chunk, const int ih, const int iw, const int oh, const int ow, const int sh,
                           const int sw, EPILOGUE_ARGS)
{
    const skips s = {ih, iw, oh, ow, sh, sw};
    product(in, w, bias, out, get_global_id(0), get_global_id(1), m_total, k_total, n_total, m_chunk, s, act_a, act_b, act2_a,
            act2_b, res);
}
#endif
