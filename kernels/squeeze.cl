/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two halves of squeeze and excite, a launch each.
 *   squeeze: out[n][r]    = epilogue(b[r] + sum_c mean_p(in[n][p][c]) * w[c][r])
 *   excite:  out[n][p][c] = epilogue(x[n][p][c] * GATE(b[c] + sum_r in[n][r] * w[r][c]))
 *
 *   squeeze: in [batch][pixels][ci]   w [blocks][ci][NR]   b [blocks][NR]   out [batch][co]   mean [ci] floats, local
 *   excite:  in [batch][ci]           w [blocks][ci][NR]   b [blocks][NR]   x, out [batch][pixels][co]
 *   NR = NB*V; the last block of the co outputs is filled up with zeros
 *
 * squeeze: item t makes blocks t*share ... of every image; each item takes all means itself, which costs less than another
 * launch while there are few items. For devices where a work-group is one item.
 * excite: item (b, n) makes block b of image n.
 *
 *   V   1, 4, 8, 16   NB  1 ... 4
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef NB
#define NB 1
#endif
#ifndef GATE
#define GATE act_none
#endif
#define MR 1
#define NR (NB * V)

__kernel void squeeze(__global const value_t *in, __global const value_t *w, __global const float *bias,
                      __global value_t *out, __local float *mean, const int batch, const int pixels, const int ci,
                      const int co, const int share, EPILOGUE_ARGS)
{
    const int blocks = (co + NR - 1) / NR, b_first = (int)get_global_id(0) * share, b_end = min(b_first + share, blocks);
    const float scale = 1.0f / (float)pixels;
    if (b_first >= blocks)
        return;
    for (int n = 0; n < batch; n++) {
        __global const value_t *x = in + (size_t)n * pixels * ci;
        int                     c = 0;
        for (; c + V <= ci; c += V) {
            FLOATN(V) s0 = (FLOATN(V))(0.0f), s1 = s0, s2 = s0, s3 = s0;
            int       p = 0;
            for (; p + 4 <= pixels; p += 4) {
                s0 += LDN(V, x, p * ci + c);
                s1 += LDN(V, x, (p + 1) * ci + c);
                s2 += LDN(V, x, (p + 2) * ci + c);
                s3 += LDN(V, x, (p + 3) * ci + c);
            }
            for (; p < pixels; p++)
                s0 += LDN(V, x, p * ci + c);
            s0 = ((s0 + s1) + (s2 + s3)) * scale;
            CAT(STF, V)(s0, mean, c);
        }
        for (; c < ci; c++) {
            float s = 0.0f;
            for (int p = 0; p < pixels; p++)
                s += LD1(x, p * ci + c);
            mean[c] = s * scale;
        }
        for (int block = b_first; block < b_end; block++) {
            __global const value_t *wk = w + (size_t)block * ci * NR;
            FLOATN(V)               acc[MR][NB];
            UNROLL
            for (int b = 0; b < NB; b++)
                acc[0][b] = LDF(V, bias, block * NR + b * V);
            for (int k = 0; k < ci; k++, wk += NR) {
                const float xv = mean[k];
                UNROLL
                for (int b = 0; b < NB; b++)
                    acc[0][b] = fma((FLOATN(V))(xv), LDN(V, wk, b * V), acc[0][b]);
            }
            STORE_TILE(1, n * co, co, block * NR, co)
        }
    }
}

__kernel void excite(__global const value_t *in, __global const value_t *w, __global const float *bias,
                     __global const value_t *x, __global value_t *out, const int batch, const int pixels, const int ci,
                     const int co, const float gate_a, const float gate_b, EPILOGUE_ARGS)
{
    const int block = get_global_id(0), n = get_global_id(1), c0 = block * NR;
    if (c0 >= co || n >= batch)
        return;
    __global const value_t *wk = w + (size_t)block * ci * NR;
    FLOATN(V)               gate[NB];
    UNROLL
    for (int b = 0; b < NB; b++)
        gate[b] = LDF(V, bias, c0 + b * V);
    for (int k = 0; k < ci; k++, wk += NR) {
        const float xv = LD1(in, n * ci + k);
        UNROLL
        for (int b = 0; b < NB; b++)
            gate[b] = fma((FLOATN(V))(xv), LDN(V, wk, b * V), gate[b]);
    }
    float part[NR];
    UNROLL
    for (int b = 0; b < NB; b++) {
        gate[b] = GATE(FLOATN(V), gate[b], gate_a, gate_b);
        CAT(STP, V)(gate[b], part + b * V);
    }
    if (c0 + NR <= co) {
        for (int p = 0; p < pixels; p++) {
            const int at = (n * pixels + p) * co + c0;
            UNROLL
            for (int b = 0; b < NB; b++) {
                FLOATN(V) y = LDN(V, x, at + b * V) * gate[b];
                EPILOGUE(V, y, at + b * V);
                STN(V, y, out, at + b * V);
            }
        }
    } else {
        for (int p = 0; p < pixels; p++)
            for (int c = c0; c < co; c++) {
                const int at = (n * pixels + p) * co + c;
                float     y = LD1(x, at) * part[c - c0];
                EPILOGUE(1, y, at);
                ST1(y, out, at);
            }
    }
}
