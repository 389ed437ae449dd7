/* SPDX-License-Identifier: Apache-2.0 */
/*
 * grid_sample: out[(n * pixels + q) * c + l] = sum over i, j of wy_i * wx_j * in[((n * ih + y_i) * iw + x_j) * c + l],
 * where grid[2 * (n * pixels + q)] and the float after it are x and y in -1 ... 1; q < pixels = output height * width.
 * Item g does output pixels g*chunk ... g*chunk+chunk-1 of all `total` = images * pixels.
 *
 * MODE 0 nearest, 1 linear, 2 cubic.  OUTSIDE 0 zeros, 1 the border's pixels, 2 reflection.
 * ALIGNED (0, 1): -1 and 1 are the centres of the outermost pixels, not their edges.
 * V (1, 4, 8, 16): channels a step.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef MODE
#define MODE 1
#endif
#ifndef OUTSIDE
#define OUTSIDE 0
#endif
#ifndef ALIGNED
#define ALIGNED 0
#endif
#ifndef V
#define V 4
#endif

#if MODE == 0
#define TAPS 1
#elif MODE == 1
#define TAPS 2
#else
#define TAPS 4
#endif

/* x mirrored at both ends until it lies between them. */
float reflect(const float x, const int n)
{
    const float low = ALIGNED ? 0.0f : -0.5f, range = ALIGNED ? (float)n - 1.0f : (float)n;
    if (range <= 0.0f)
        return x == x ? 0.0f : x;
    const float d = fmod(fabs(x - low), 2.0f * range);
    return low + (d > range ? 2.0f * range - d : d);
}

/* Which element of n stands at i; -1: none. */
int element(const int i, const int n)
{
#if OUTSIDE == 0
    return i >= 0 && i < n ? i : -1;
#elif OUTSIDE == 1
    return clamp(i, 0, n - 1);
#else
    return clamp(convert_int_sat(reflect((float)i, n)), 0, n - 1);
#endif
}

/* Elements and weights along an axis of n for the coordinate g. NaN makes the weights NaN. */
void taps(const float g, const int n, int *at, float *w)
{
    const float half_range = 0.5f * (ALIGNED ? (float)n - 1.0f : (float)n);
    const float low = ALIGNED ? 0.0f : -0.5f, high = ALIGNED ? (float)n - 1.0f : (float)n - 0.5f;
    float       x = fma(g + 1.0f, half_range, low);
#if MODE == 0
    x = rint(x);
#endif
#if OUTSIDE == 0 || (OUTSIDE == 1 && MODE == 2) /* beyond these all elements are the same, and it stays within an int */
    x = x < -4.0f ? -4.0f : x > (float)n + 4.0f ? (float)n + 4.0f : x;
#elif OUTSIDE == 1
    if (x < low || x > high)
        x = x < 0.0f ? 0.0f : (float)n - 1.0f;
#else
    if (x < low || x > high)
        x = reflect(x, n);
#endif
#if MODE == 0
    at[0] = element(convert_int_sat(x), n);
    w[0] = x == x ? 1.0f : x;
#else
    const float below = floor(x), t = x - below;
    const int   first = convert_int_sat(below);
#if MODE == 1
    w[0] = 1.0f - t;
    w[1] = t;
    for (int i = 0; i < TAPS; i++)
        at[i] = element(first + i, n);
#else
    const float a = -0.75f, u = 1.0f - t;
    w[0] = a * t * u * u;
    w[1] = fma(fma(a + 2.0f, t, -(a + 3.0f)), t * t, 1.0f);
    w[2] = fma(fma(a + 2.0f, u, -(a + 3.0f)), u * u, 1.0f);
    w[3] = a * u * t * t;
    for (int i = 0; i < TAPS; i++)
        at[i] = element(first - 1 + i, n);
#endif
#endif
}

/* The weights' sum with the pixels' channels l ... l+n-1. Where nothing stands a NaN weight still makes a NaN. */
#define SAMPLE(n, l)                                                                               \
    {                                                                                              \
        FLOATN(n) sum = (FLOATN(n))(0.0f);                                                         \
        for (int i = 0; i < TAPS; i++)                                                             \
            for (int j = 0; j < TAPS; j++) {                                                       \
                const float w = wy[i] * wx[j];                                                     \
                if (y[i] >= 0 && x[j] >= 0)                                                        \
                    sum = fma((FLOATN(n))(w), LDN(n, in, (image + y[i] * iw + x[j]) * c + (l)), sum); \
                else if (w != w)                                                                   \
                    sum += (FLOATN(n))(w);                                                         \
            }                                                                                      \
        STN(n, sum, out, p * c + (l));                                                             \
    }

__kernel void grid_sample(__global const value_t *in, __global const value_t *grid, __global value_t *out, const int ih,
                          const int iw, const int c, const int pixels, const int total, const int chunk)
{
    const int first = (int)get_global_id(0) * chunk, end = min(total, first + chunk);
    for (int p = first; p < end; p++) {
        const int image = p / pixels * ih * iw;
        int       y[TAPS], x[TAPS], l = 0;
        float     wy[TAPS], wx[TAPS];
        taps(LD1(grid, 2 * p), iw, x, wx);
        taps(LD1(grid, 2 * p + 1), ih, y, wy);
        for (; l + V <= c; l += V)
            SAMPLE(V, l)
        for (; l < c; l++)
            SAMPLE(1, l)
    }
}
