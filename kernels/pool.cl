/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool: out[n][y][x][c] = epilogue(DONE(fold of STEP over in[n][y*sy - top + ky*dy][x*sx - left + kx*dx][c])), over the
 * ky < kh, kx < kw that lie inside the input.
 *
 * Item (x, y) does channels x*channels_item ... of pixels y*pixels_item ..., a pixel being (n*oh + y)*ow + x.
 * The average divides by the taps inside the input, widened by pad_top, ... pad_right when they count (else 0 each).
 *
 * V (1, 4, 8, 16): floats a step.  FN: fn_max fn_average fn_lp1 fn_lp2 fn_lp (sum of |x|^p, to the power of 1/p).
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef FN
#define FN fn_max
#endif

#define fn_max_start (-INFINITY)
#define fn_max_step(T, s, x) ((x) > (s) ? (x) : (x) == (x) ? (s) : (x)) /* a NaN gets in and stays in */
#define fn_max_done(T, s) (s)
#define fn_average_start 0.0f
#define fn_average_step(T, s, x) ((s) + (x))
#define fn_average_done(T, s) ((s) / (T)(divisor))
#define fn_lp1_start 0.0f
#define fn_lp1_step(T, s, x) ((s) + fabs(x))
#define fn_lp1_done(T, s) (s)
#define fn_lp2_start 0.0f
#define fn_lp2_step(T, s, x) fma(x, x, s)
#define fn_lp2_done(T, s) sqrt(s)
#define fn_lp_start 0.0f
#define fn_lp_step(T, s, x) ((s) + pow(fabs(x), (T)(power)))
#define fn_lp_done(T, s) pow(s, (T)(1.0f / power))

#define START(n) (FLOATN(n))(CAT(FN, _start))
#define STEP(n, s, x) CAT(FN, _step)(FLOATN(n), s, x)
#define DONE(n, s) CAT(FN, _done)(FLOATN(n), s)

/* First tap at or after position `limit`, of taps at origin + k * step. */
int tap_at(int origin, int step, int limit)
{
    return origin >= limit ? 0 : (limit - origin + step - 1) / step;
}

/* How many of the taps lie in begin ... end-1. */
int taps_in(int origin, int step, int taps, int begin, int end)
{
    return max(0, min(taps, tap_at(origin, step, end)) - tap_at(origin, step, begin));
}

#define POOL(n)                                                  \
    do {                                                         \
        FLOATN(n) s = START(n);                                  \
        for (int ky = ky0; ky < ky1; ky++) {                     \
            int at = row + ky * row_step + c;                    \
            for (int kx = kx0; kx < kx1; kx++, at += tap_step) { \
                const FLOATN(n) v = LDN(n, in, at);              \
                s = STEP(n, s, v);                               \
            }                                                    \
        }                                                        \
        s = DONE(n, s);                                          \
        EPILOGUE(n, s, pixel * channels + c);                    \
        STN(n, s, out, pixel * channels + c);                    \
    } while (0)

/* Four vectors at a time: their steps do not wait for each other, and share the loops. */
#define POOL_FOUR                                                           \
    for (; c + 4 * V <= end; c += 4 * V) {                                  \
        FLOATN(V) s[4];                                                     \
        UNROLL                                                              \
        for (int i = 0; i < 4; i++)                                         \
            s[i] = START(V);                                                \
        for (int ky = ky0; ky < ky1; ky++) {                                \
            __global const value_t *tap = in + (row + ky * row_step + c);   \
            for (int kx = kx0; kx < kx1; kx++, tap += tap_step) {           \
                UNROLL                                                      \
                for (int i = 0; i < 4; i++) {                               \
                    const FLOATN(V) v = LDN(V, tap, i * V);                 \
                    s[i] = STEP(V, s[i], v);                                \
                }                                                           \
            }                                                               \
        }                                                                   \
        UNROLL                                                              \
        for (int i = 0; i < 4; i++) {                                       \
            s[i] = DONE(V, s[i]);                                           \
            EPILOGUE(V, s[i], pixel * channels + c + i * V);                \
            STN(V, s[i], out, pixel * channels + c + i * V);                \
        }                                                                   \
    }

__kernel void pool(__global const value_t *in, __global value_t *out, const int ih, const int iw, const int oh,
                   const int ow, const int channels, const int pixels, const int channels_item, const int pixels_item,
                   const int kh, const int kw, const int sy, const int sx, const int dy, const int dx, const int top,
                   const int left, const int pad_top, const int pad_left, const int pad_bottom, const int pad_right,
                   const float power, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * channels_item, end = min(channels, begin + channels_item);
    const int first = (int)get_global_id(1) * pixels_item, last = min(pixels, first + pixels_item);
    for (int pixel = first; pixel < last; pixel++) {
        const int line = pixel / ow, x = pixel - line * ow, n = line / oh, y = line - n * oh;
        const int y0 = y * sy - top, x0 = x * sx - left;
        const int ky0 = tap_at(y0, dy, 0), ky1 = min(kh, tap_at(y0, dy, ih));
        const int kx0 = tap_at(x0, dx, 0), kx1 = min(kw, tap_at(x0, dx, iw));
        const int county = taps_in(y0, dy, kh, -pad_top, ih + pad_bottom);
        const int countx = taps_in(x0, dx, kw, -pad_left, iw + pad_right);
        const float divisor = (float)max(county * countx, 1);
        const int   row_step = dy * iw * channels, tap_step = dx * channels;
        const int   row = ((n * ih + y0) * iw + x0 + kx0 * dx) * channels;
        int         c = begin;
        (void)divisor;
        POOL_FOUR
        SWEEP(POOL, c, end);
    }
}
