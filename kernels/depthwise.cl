/* SPDX-License-Identifier: Apache-2.0 */
/*
 * depthwise: each channel by itself. out[n][y][x][c] = epilogue(bias[c] + sum_{ky,kx} in[n][y*SH-pt+ky*DH][x*SW-pl+kx*DW][c] * w[ky][kx][c])
 *
 *   in [batch][ih][iw][c]   w [KH][KW][c]   bias [c]   out [batch][oh][ow][c]
 *
 * Item (b, r) makes channels b*V ... b*V+V-1 (the last block ends with the last channel, and may so make some that the one
 * before it makes too, with the same result) for output rows r*rows ... (row = n*oh+y). It slides along a row, MR output
 * columns at a time: the input columns of a tile are loaded once for each kernel row and used by all taps that meet them.
 * Where a tile touches the border, columns outside count as zero; elsewhere nothing is checked.
 *
 *   V       1, 4, 8, 16   channels of a vector, at most all
 *   MR      1 ... 8       output columns of a tile
 *   KH, KW  1 ... 9       kernel     SH, SW 1, 2  stride     DW 1 ...  dilation along the row (DH is an argument)
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
#define COLUMNS ((MR - 1) * SW + (KW - 1) * DW + 1)

__kernel void depthwise(__global const value_t *in, __global const value_t *w, __global const float *bias,
                        __global value_t *out, const int n_rows, const int rows, const int ih, const int iw,
                        const int oh, const int ow, const int channels, const int sh, const int dh, const int pt,
                        const int pl, EPILOGUE_ARGS)
{
    const int c = min((int)get_global_id(0) * V, channels - V);
    const int row_end = min(((int)get_global_id(1) + 1) * rows, n_rows);
    if ((int)get_global_id(0) * V >= channels)
        return;
    const FLOATN(V) b = LDF(V, bias, c);

    for (int r = (int)get_global_id(1) * rows; r < row_end; r++) {
        const int n = r / oh, y = r - n * oh;
        for (int x0 = 0; x0 < ow; x0 += MR) {
            const int  ix0 = x0 * SW - pl;
            const bool inside = ix0 >= 0 && ix0 + COLUMNS <= iw;
            FLOATN(V)  acc[MR];
            UNROLL
            for (int m = 0; m < MR; m++)
                acc[m] = b;
            for (int ky = 0; ky < KH; ky++) {
                const int iy = y * sh - pt + ky * dh;
                if (iy < 0 || iy >= ih)
                    continue;
                __global const value_t *line = in + (size_t)(n * ih + iy) * iw * channels + c;
                FLOATN(V)               col[COLUMNS];
                if (inside) {
                    UNROLL
                    for (int j = 0; j < COLUMNS; j++)
                        col[j] = LDN(V, line, (ix0 + j) * channels);
                } else {
                    UNROLL
                    for (int j = 0; j < COLUMNS; j++) {
                        const int ix = clamp(ix0 + j, 0, iw - 1);
                        col[j] = LDN(V, line, ix * channels);
                        col[j] = OR_ZERO(V, col[j], ix == ix0 + j);
                    }
                }
                UNROLL
                for (int kx = 0; kx < KW; kx++) {
                    const FLOATN(V) wv = LDN(V, w, (ky * KW + kx) * channels + c);
                    UNROLL
                    for (int m = 0; m < MR; m++)
                        acc[m] = fma(col[m * SW + kx * DW], wv, acc[m]);
                }
            }
            UNROLL
            for (int m = 0; m < MR; m++) {
                if (x0 + m < ow) {
                    const int at = (r * ow + x0 + m) * channels + c;
                    EPILOGUE(V, acc[m], at);
                    STN(V, acc[m], out, at);
                }
            }
        }
    }
}
