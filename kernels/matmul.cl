/* SPDX-License-Identifier: Apache-2.0 */
/*
 * matmul: out[i][m][n] = epilogue(sum over k of a[i][m][k] * b[i][k][n]), both operands computed at run time.
 *
 * Batch i of a begins at i*a_batch, of b at i*b_batch; with TABLE at table[2*i] and table[2*i + 1], which serves batch
 * dimensions that are broadcast in any way.
 *
 *   matmul_tile   register tiles of TM rows x NV*V columns. Item (x, y, z): columns x*columns_item ...,
 *                 rows y*rows_item ..., batch z
 *   matmul_dot    one column: vectors along k. Item (x, y): rows x*rows_item ..., batch y
 *   matmul_local  work-groups of 16 x 16 items, 4 x 4 results each, over tiles of both operands in local memory.
 *                 Group (x, y, z): columns x*64 ..., rows y*64 ..., batch z
 *
 * V (1, 4, 8, 16): floats of a vector.  TM (1 ... 12): rows of a tile.  NV (1, 2): vectors of a tile.  TABLE (0, 1).
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef TM
#define TM 4
#endif
#ifndef NV
#define NV 1
#endif
#ifndef TABLE
#define TABLE 0
#endif

#if TABLE
#define BATCH_ARGS __global const int *table
#define A_BEGIN(i) table[2 * (i)]
#define B_BEGIN(i) table[2 * (i) + 1]
#else
#define BATCH_ARGS const int a_batch, const int b_batch
#define A_BEGIN(i) ((i) * a_batch)
#define B_BEGIN(i) ((i) * b_batch)
#endif

/* TM rows x count vectors of n columns from column c on. Rows past the end repeat the last one and are not stored. */
#define TILE(n, count)                                                                    \
    do {                                                                                  \
        FLOATN(n) s[TM][count];                                                           \
        UNROLL                                                                            \
        for (int i = 0; i < TM; i++) {                                                    \
            UNROLL                                                                        \
            for (int j = 0; j < count; j++)                                               \
                s[i][j] = (FLOATN(n))(0.0f);                                              \
        }                                                                                 \
        for (int k = 0, at = from_b + c; k < inner; k++, at += columns) {                 \
            FLOATN(n) y[count];                                                           \
            UNROLL                                                                        \
            for (int j = 0; j < count; j++)                                               \
                y[j] = LDN(n, b, at + j * n);                                             \
            UNROLL                                                                        \
            for (int i = 0; i < TM; i++) {                                                \
                const FLOATN(n) x = (FLOATN(n))(LD1(a, row[i] + k));                      \
                UNROLL                                                                    \
                for (int j = 0; j < count; j++)                                           \
                    s[i][j] = fma(x, y[j], s[i][j]);                                      \
            }                                                                             \
        }                                                                                 \
        UNROLL                                                                            \
        for (int i = 0; i < TM; i++) {                                                    \
            const int to = (batch * rows + m + i) * columns + c;                          \
            if (m + i >= last)                                                            \
                break;                                                                    \
            UNROLL                                                                        \
            for (int j = 0; j < count; j++) {                                             \
                EPILOGUE(n, s[i][j], to + j * n);                                         \
                STN(n, s[i][j], out, to + j * n);                                         \
            }                                                                             \
        }                                                                                 \
    } while (0)
#define NARROW_TILE(n) TILE(n, 1)

__kernel void matmul_tile(__global const value_t *a, __global const value_t *b, __global value_t *out, BATCH_ARGS,
                          const int batches, const int rows, const int inner, const int columns, const int rows_item,
                          const int columns_item, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * columns_item, end = min(columns, begin + columns_item);
    const int first = (int)get_global_id(1) * rows_item, last = min(rows, first + rows_item);
    const int batch = ITEM2;
    if (batch >= batches)
        return;
    const int from_a = A_BEGIN(batch), from_b = B_BEGIN(batch);
    for (int m = first; m < last; m += TM) {
        int row[TM], c = begin;
        UNROLL
        for (int i = 0; i < TM; i++)
            row[i] = from_a + min(m + i, last - 1) * inner;
#if NV > 1
        for (; c + NV * V <= end; c += NV * V)
            TILE(V, NV);
#endif
        SWEEP(NARROW_TILE, c, end);
    }
}

__kernel void matmul_dot(__global const value_t *a, __global const value_t *b, __global value_t *out, BATCH_ARGS,
                         const int batches, const int rows, const int inner, const int rows_item, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * rows_item, last = min(rows, first + rows_item);
    const int batch = get_global_id(1);
    if (batch >= batches)
        return;
    __global const value_t *y = b + B_BEGIN(batch);
    for (int m = first; m < last; m++) {
        __global const value_t *x = a + A_BEGIN(batch) + m * inner;
        FLOATN(V)               s0 = (FLOATN(V))(0.0f), s1 = s0, s2 = s0, s3 = s0;
        int                     k = 0;
        for (; k + 4 * V <= inner; k += 4 * V) {
            s0 = fma(LDN(V, x, k), LDN(V, y, k), s0);
            s1 = fma(LDN(V, x, k + V), LDN(V, y, k + V), s1);
            s2 = fma(LDN(V, x, k + 2 * V), LDN(V, y, k + 2 * V), s2);
            s3 = fma(LDN(V, x, k + 3 * V), LDN(V, y, k + 3 * V), s3);
        }
        for (; k + V <= inner; k += V)
            s0 = fma(LDN(V, x, k), LDN(V, y, k), s0);
        s0 = (s0 + s1) + (s2 + s3);
        float s = SUMN(V, s0);
        for (; k < inner; k++)
            s = fma(LD1(x, k), LD1(y, k), s);
        EPILOGUE(1, s, batch * rows + m);
        ST1(s, out, batch * rows + m);
    }
}

/* 16 of k at a time: 64 rows of a, turned so that a thread's four lie together, and 64 columns of b. Four floats more a
   row keep the turned stores off one bank. */
#define BLOCK 64
#define DEPTH 16
#define PITCH (BLOCK + 4)

__kernel void matmul_local(__global const value_t *a, __global const value_t *b, __global value_t *out, BATCH_ARGS,
                           const int batches, const int rows, const int inner, const int columns, EPILOGUE_ARGS)
{
    __local float xs[DEPTH * PITCH], ys[DEPTH * PITCH];
    const int     lx = get_local_id(0), ly = get_local_id(1), item = ly * 16 + lx;
    const int     batch = GROUP2, m0 = (int)GROUP_ID(1) * BLOCK, n0 = (int)GROUP_ID(0) * BLOCK;
    const int     from_a = A_BEGIN(batch), from_b = B_BEGIN(batch);
    float4        s[4] = {0.0f, 0.0f, 0.0f, 0.0f};
    for (int k0 = 0; k0 < inner; k0 += DEPTH) {
        for (int i = 0; i < BLOCK * DEPTH / 256; i++) { /* 16 rows of a, and 4 of b, are 256 elements */
            const int ax = item & 15, ay = (item >> 4) + 16 * i, bx = item & 63, by = (item >> 6) + 4 * i;
            const int at_a = from_a + (m0 + ay) * inner + k0 + ax, at_b = from_b + (k0 + by) * columns + n0 + bx;
            xs[ax * PITCH + ay] = k0 + ax < inner && m0 + ay < rows ? LD1(a, at_a) : 0.0f;
            ys[by * PITCH + bx] = k0 + by < inner && n0 + bx < columns ? LD1(b, at_b) : 0.0f;
        }
        barrier(CLK_LOCAL_MEM_FENCE);
        UNROLL
        for (int k = 0; k < DEPTH; k++) {
            const float4 x = vload4(0, xs + k * PITCH + ly * 4), y = vload4(0, ys + k * PITCH + lx * 4);
            s[0] = fma((float4)(x.x), y, s[0]);
            s[1] = fma((float4)(x.y), y, s[1]);
            s[2] = fma((float4)(x.z), y, s[2]);
            s[3] = fma((float4)(x.w), y, s[3]);
        }
        barrier(CLK_LOCAL_MEM_FENCE);
    }
    for (int i = 0; i < 4; i++) {
        const int m = m0 + ly * 4 + i, n = n0 + lx * 4, to = (batch * rows + m) * columns + n;
        if (m < rows && n + 4 <= columns) {
            EPILOGUE(4, s[i], to);
            STN(4, s[i], out, to);
        } else if (m < rows) {
            const float part[4] = {s[i].x, s[i].y, s[i].z, s[i].w};
            for (int j = 0; n + j < columns; j++) {
                float one = part[j];
                EPILOGUE(1, one, to + j);
                ST1(one, out, to + j);
            }
        }
    }
}
