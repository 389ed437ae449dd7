/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise_narrow: each channel by itself, for rows so short that a kernel of their own pays:
 * out[n][y][x][c] = epilogue(bias[c] + sum_{ky,kx} in[n][y*sh-pt+ky*dh][x*SW-PL+kx*DW][c] * w[ky][kx][c])
 *
 *   in [batch][ih][IW][c]   w [KH][KW][c]   bias [c]   out [batch][oh][OW][c]
 *
 * Item (b, r) makes channels b*V ... b*V+V-1 (the last block ends with the last channel, and may so make some that the one
 * before it makes too, with the same result) for output rows r*rows ... (row = n*oh+y). Widths and padding are known to
 * the compiler, so that all tiles of a row are written out and a tap beyond the border is no code at all; in a narrow
 * image every tile meets the border. Each column of a kernel row is loaded once a tile, for all taps that meet it.
 *
 *   V       4, 8, 16      channels of a vector, at most all
 *   MR      4 ... 14      output columns of a tile; OW is at most 4 tiles
 *   KH, KW  1 ... 9       kernel     SW  1, 2   stride along the row     DW  1 ...  dilation along it
 *   IW, OW, PL            columns of a row of input and output, padding before the row
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef MR
#define MR 4
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
#ifndef IW
#define IW 7
#endif
#ifndef OW
#define OW 7
#endif
#ifndef PL
#define PL 1
#endif
#define COLUMNS ((MR - 1) * SW + (KW - 1) * DW + 1)

/* acc[m] += the taps of one kernel row, for the output columns X ... of a tile */
#define ROW_OF_TILE(X)                                                                   \
    UNROLL                                                                               \
    for (int j = 0; j < COLUMNS; j++) {                                                  \
        const int ix = (X)*SW - PL + j;                                                  \
        if (ix >= 0 && ix < IW) {                                                        \
            const FLOATN(V) col = LDN(V, line, ix * channels);                           \
            UNROLL                                                                       \
            for (int kx = 0; kx < KW; kx++) {                                            \
                const int d = j - kx * DW, m = d / SW;                                   \
                if (d >= 0 && m * SW == d && m < MR && (X) + m < OW)                     \
                    acc[m] = fma(col, wv[kx], acc[m]);                                   \
            }                                                                            \
        }                                                                                \
    }

#define TILE(X)                                                                          \
    if ((X) < OW) {                                                                      \
        FLOATN(V) acc[MR];                                                               \
        UNROLL                                                                           \
        for (int m = 0; m < MR; m++)                                                     \
            acc[m] = b;                                                                  \
        __global const value_t *line = top;                                              \
        __global const value_t *wk = w + k0 * KW * channels + c;                         \
        for (int ky = k0; ky < k1; ky++, line += pitch, wk += KW * channels) {           \
            FLOATN(V) wv[KW];                                                            \
            UNROLL                                                                       \
            for (int kx = 0; kx < KW; kx++)                                              \
                wv[kx] = LDN(V, wk, kx * channels);                                      \
            ROW_OF_TILE(X)                                                               \
        }                                                                                \
        UNROLL                                                                           \
        for (int m = 0; m < MR; m++) {                                                   \
            if ((X) + m < OW) {                                                          \
                const int at = (r * OW + (X) + m) * channels + c;                        \
                EPILOGUE(V, acc[m], at);                                                 \
                STN(V, acc[m], out, at);                                                 \
            }                                                                            \
        }                                                                                \
    }

__kernel void depthwise_narrow(__global const value_t *in, __global const value_t *w, __global const float *bias,
                               __global value_t *out, const int n_rows, const int rows, const int ih, const int oh,
                               const int channels, const int sh, const int dh, const int pt, EPILOGUE_ARGS)
{
    const int c = min((int)get_global_id(0) * V, channels - V);
    const int row_end = min(((int)get_global_id(1) + 1) * rows, n_rows);
    const int pitch = dh * IW * channels;
    if ((int)get_global_id(0) * V >= channels)
        return;
    const FLOATN(V) b = LDF(V, bias, c);

    for (int r = (int)get_global_id(1) * rows; r < row_end; r++) {
        const int n = r / oh, y = r - n * oh, y0 = y * sh - pt;
        /* the taps whose input row there is */
        const int k0 = min(KH, max(0, (dh - 1 - y0) / dh)), k1 = min(KH, (ih - y0 + dh - 1) / dh);
        __global const value_t *top = in + (size_t)n * ih * IW * channels + (y0 + k0 * dh) * IW * channels + c;
        TILE(0)
        TILE(MR)
        TILE(2 * MR)
        TILE(3 * MR)
    }
}
