/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv_transpose: each output pixel sums the taps that hit it.
 *   out[n, y, x, o] = bias[o] + sum over ky, kx, i of in[n, iy, ix, i] * w[o, i, ky, kx]
 *   where iy * stride_h = y + pad_h - ky * dilation_h, ix * stride_w = x + pad_w - kx * dilation_w, both inside.
 * Then the epilogue. in is n x ih x iw x (groups * ci), out n x oh x ow x (groups * co); rows r = n * oh + y.
 *
 *   conv_transpose_tile       output pixels f + stride_w * t (f: phase) share their taps and read neighbouring input
 *                             pixels: a tile is P of them by V channels, w[group][ky][kx][i][blocks * V]. Item g does
 *                             tiles g*chunk ...; tiles are numbered (row, block, phase, t / P), or with BLOCKS_FAST
 *                             (row, phase, t / P, block), the last turning fastest.
 *   conv_transpose_dot        few output channels: vectors along i, w[output channel][ky][kx][i]. Item g does elements
 *                             g*chunk ... of the output.
 *   conv_transpose_depthwise  ci = co = 1: vectors along channels, w[ky][kx][channel]. Item g takes outer_chunk rows x
 *                             mid_chunk pixels x len_chunk channels, channels turning fastest.
 *
 * V (4, 8, 16; dot and depthwise also 1).  P (1 ... 12).  BLOCKS_FAST (0, 1).
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef P
#define P 4
#endif
#ifndef BLOCKS_FAST
#define BLOCKS_FAST 0
#endif

/* A tile of STORE_TILE: P pixels, one vector. */
#define MR P
#define NB 1

#define SHAPE_ARGS                                                                                                  \
    const int ih, const int iw, const int oh, const int ow, const int rows, const int groups, const int ci,         \
        const int co, const int kh, const int kw, const int stride_h, const int stride_w, const int dilation_h,     \
        const int dilation_w, const int pad_h, const int pad_w

/* Tap k of output position o stands at (o + pad - k * dilation) / stride of the input, when that division has no rest.
   TAPS declares the quotient and rest of tap 0 (o + pad is never negative); BACK takes them on to the next tap, so that
   nothing is divided inside the loops. STEPS declares what BACK subtracts. */
#define STEPS                                                                             \
    const int back_h = dilation_h / stride_h, rest_h = dilation_h - back_h * stride_h;    \
    const int back_w = dilation_w / stride_w, rest_w = dilation_w - back_w * stride_w;
#define TAPS(i, rest, o, pad, stride) int i = ((o) + pad) / stride, rest = (o) + pad - i * stride
#define BACK(i, rest, back, less, stride) \
    do {                                  \
        i -= back;                        \
        rest -= less;                     \
        if (rest < 0) {                   \
            rest += stride;               \
            i--;                          \
        }                                 \
    } while (0)
#define BACK_H(i, rest) BACK(i, rest, back_h, rest_h, stride_h)
#define BACK_W(i, rest) BACK(i, rest, back_w, rest_w, stride_w)

/* ---------------------------------------------------------------- tiles */
#if V > 1
__kernel void conv_transpose_tile(__global const value_t *in, __global const value_t *w, __global const float *bias,
                                  __global value_t *out, SHAPE_ARGS, const int blocks, const int tiles_w,
                                  const int tiles, const int chunk, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * chunk;
    const int end = first < tiles ? first + min(chunk, tiles - first) : first;
    const int cop = blocks * V;
    STEPS
    for (int tile = first; tile < end; tile++) {
        const int all = groups * blocks;
#if BLOCKS_FAST
        const int before_t = tile / all, block = tile - before_t * all;
#else
        const int before_t = tile;
#endif
        const int before_phase = before_t / tiles_w, t0 = (before_t - before_phase * tiles_w) * P;
        const int before_block = before_phase / stride_w, phase = before_phase - before_block * stride_w;
#if BLOCKS_FAST
        const int row = before_block;
#else
        const int row = before_block / all, block = before_block - row * all;
#endif
        const int image = row / oh, y = row - image * oh;
        const int group = block / blocks, b = (block - group * blocks) * V;
        if (phase + stride_w * t0 >= ow) /* phases differ by one pixel at most, but may end a tile earlier */
            continue;

        FLOATN(V) acc[MR][NB];
        UNROLL
        for (int j = 0; j < P; j++)
            acc[j][0] = CAT(LDF, V)(bias, group * cop + b);
        TAPS(iy, no_y, y, pad_h, stride_h);
        for (int ky = 0; ky < kh; ky++) {
            const int here = no_y == 0 && iy >= 0 && iy < ih ? iy : -1;
            BACK_H(iy, no_y);
            if (here < 0)
                continue;
            __global const value_t *line = in + (image * ih + here) * iw * groups * ci + group * ci;
            TAPS(shift, no_x, phase, pad_w, stride_w);
            for (int kx = 0; kx < kw; kx++) {
                const int ix = shift + t0, hit = no_x == 0;
                BACK_W(shift, no_x);
                if (!hit)
                    continue;
                __global const value_t *const tap = w + ((group * kh + ky) * kw + kx) * ci * cop + b;
                if (ix >= 0 && ix + P <= iw) {
                    __global const value_t *const x = line + ix * groups * ci;
                    for (int i = 0; i < ci; i++) {
                        const FLOATN(V) wv = LDN(V, tap, i * cop);
                        UNROLL
                        for (int j = 0; j < P; j++)
                            acc[j][0] = fma((FLOATN(V))(LD1(x, j * groups * ci + i)), wv, acc[j][0]);
                    }
                } else {
                    UNROLL
                    for (int j = 0; j < P; j++) {
                        if (ix + j < 0 || ix + j >= iw)
                            continue;
                        __global const value_t *const x = line + (ix + j) * groups * ci;
                        for (int i = 0; i < ci; i++)
                            acc[j][0] = fma((FLOATN(V))(LD1(x, i)), LDN(V, tap, i * cop), acc[j][0]);
                    }
                }
            }
        }

        const int x0 = phase + stride_w * t0;
        const int at = ((row * ow + x0) * groups + group) * co;
        STORE_TILE((ow - x0 + stride_w - 1) / stride_w, at, stride_w * groups * co, b, co)
    }
}
#endif

/* ---------------------------------------------------------------- dot products along the input channels */
__kernel void conv_transpose_dot(__global const value_t *in, __global const value_t *w, __global const float *bias,
                                 __global value_t *out, SHAPE_ARGS, const int count, const int chunk, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * chunk;
    const int end = first < count ? first + min(chunk, count - first) : first;
    STEPS
    for (int at = first; at < end; at++) {
        const int pixel = at / (groups * co), o = at - pixel * groups * co;
        const int row = pixel / ow, x = pixel - row * ow;
        const int image = row / oh, y = row - image * oh;
        FLOATN(V) acc = (FLOATN(V))(0.0f);
        float     sum = bias[o];
        TAPS(iy, no_y, y, pad_h, stride_h);
        for (int ky = 0; ky < kh; ky++) {
            if (no_y == 0 && iy >= 0 && iy < ih) {
                TAPS(ix, no_x, x, pad_w, stride_w);
                for (int kx = 0; kx < kw; kx++) {
                    if (no_x == 0 && ix >= 0 && ix < iw) {
                        const int                     source = (image * ih + iy) * iw + ix;
                        __global const value_t *const a = in + source * groups * ci + o / co * ci;
                        __global const value_t *const b = w + ((o * kh + ky) * kw + kx) * ci;
                        int                           i = 0;
                        for (; i + V <= ci; i += V)
                            acc = fma(LDN(V, a, i), LDN(V, b, i), acc);
                        for (; i < ci; i++)
                            sum = fma(LD1(a, i), LD1(b, i), sum);
                    }
                    BACK_W(ix, no_x);
                }
            }
            BACK_H(iy, no_y);
        }
        sum += SUMN(V, acc);
        EPILOGUE(1, sum, at);
        ST1(sum, out, at);
    }
}

/* ---------------------------------------------------------------- one channel in, one out */
/* From iy, no_y, ix, no_x of the pixel's tap 0. */
#define DEPTHWISE(n)                                                                            \
    {                                                                                           \
        FLOATN(n) acc = CAT(LDF, n)(bias, l);                                                   \
        for (int ky = 0, jy = iy, rest_y = no_y; ky < kh; ky++) {                               \
            if (rest_y == 0 && jy >= 0 && jy < ih) {                                            \
                __global const value_t *const line = in + (image * ih + jy) * iw * groups + l;  \
                for (int kx = 0, jx = ix, rest_x = no_x; kx < kw; kx++) {                       \
                    if (rest_x == 0 && jx >= 0 && jx < iw)                                      \
                        acc = fma(LDN(n, line, jx * groups), LDN(n, w, (ky * kw + kx) * groups + l), acc); \
                    BACK_W(jx, rest_x);                                                         \
                }                                                                               \
            }                                                                                   \
            BACK_H(jy, rest_y);                                                                 \
        }                                                                                       \
        const int at = (r * ow + x) * groups + l;                                               \
        EPILOGUE(n, acc, at);                                                                   \
        STN(n, acc, out, at);                                                                   \
    }

__kernel void conv_transpose_depthwise(__global const value_t *in, __global const value_t *w,
                                       __global const float *bias, __global value_t *out, SHAPE_ARGS,
                                       const int outer_chunk, const int mid_chunk, const int len_chunk, EPILOGUE_ARGS)
{
    const int segments_l = (groups - 1) / len_chunk + 1;
    const int segments_m = (ow - 1) / mid_chunk + 1;
    const int item = (int)get_global_id(0);
    const int segment_om = item / segments_l;
    const int segment_o = segment_om / segments_m;
    const int first_l = (item - segment_om * segments_l) * len_chunk;
    const int end_l = first_l + min(len_chunk, groups - first_l);
    const int first_x = (segment_om - segment_o * segments_m) * mid_chunk;
    const int end_x = first_x + min(mid_chunk, ow - first_x);
    const int first_r = segment_o < (rows - 1) / outer_chunk + 1 ? segment_o * outer_chunk : rows;
    const int end_r = first_r + min(outer_chunk, rows - first_r);
    STEPS
    for (int r = first_r; r < end_r; r++) {
        const int image = r / oh, y = r - image * oh;
        TAPS(iy, no_y, y, pad_h, stride_h);
        for (int x = first_x; x < end_x; x++) {
            TAPS(ix, no_x, x, pad_w, stride_w);
            int l = first_l;
            SWEEP(DEPTHWISE, l, end_l);
        }
    }
}
