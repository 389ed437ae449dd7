/* SPDX-License-Identifier: Apache-2.0 */
/*
 * binary: out = epilogue(FN(a, b)), a and b broadcast to the output, which is seen as rows of columns.
 *
 *   binary_flat    one row: out[i] = FN(a[i * A_STEP], b[i * B_STEP])
 *   binary_narrow  the operand whose STEP is 0 has NARROW elements and repeats: x[i], y[i % NARROW]
 *   binary_rows    planes of rows: row r = plane * plane_rows + q of an operand begins at
 *                  plane * plane_stride + q * row_stride
 *   binary_any     outer dimensions d = 0 ... outer-1 with extents table[d] and strides table[outer + d] (a),
 *                  table[2 * outer + d] (b)
 *
 * Item (x, y) does columns x*columns_item ... and rows y*rows_item ...
 *
 * V (1, 4, 8, 16): floats a step.  FN: fn_add fn_sub fn_mul fn_div fn_pow fn_square fn_min
 * fn_max fn_prelu fn_equal fn_less fn_less_equal fn_mod fn_fmod.
 * A_STEP, B_STEP (0, 1): whether the operand moves along the columns.  NARROW (2 ... 8).
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef FN
#define FN fn_add
#endif
#ifndef A_STEP
#define A_STEP 1
#endif
#ifndef B_STEP
#define B_STEP 1
#endif
#ifndef NARROW
#define NARROW 3
#endif

#define fn_add(T, x, y) ((x) + (y))
#define fn_sub(T, x, y) ((x) - (y))
#define fn_mul(T, x, y) ((x) * (y))
#define fn_div(T, x, y) ((x) / (y))
#define fn_pow(T, x, y) pow(x, y)
#define fn_square(T, x, y) ((x) * (x))
#define fn_min(T, x, y) ((x) < (y) ? (x) : (x) == (x) ? (y) : (x)) /* NaN on either side wins */
#define fn_max(T, x, y) ((x) > (y) ? (x) : (x) == (x) ? (y) : (x))
#define fn_prelu(T, x, y) ((x) < (T)(0.0f) ? (x) * (y) : (x))
#define fn_equal(T, x, y) ((x) == (y) ? (T)(1.0f) : (T)(0.0f))
#define fn_less(T, x, y) ((x) < (y) ? (T)(1.0f) : (T)(0.0f))
#define fn_less_equal(T, x, y) ((x) <= (y) ? (T)(1.0f) : (T)(0.0f))
#define fn_fmod(T, x, y) fmod(x, y)
/* the remainder with the divisor's sign; of a zero too */
#define fn_mod(T, x, y)                               \
    (fmod(x, y) == (T)(0.0f) ? copysign((T)(0.0f), y) \
     : (fmod(x, y) < (T)(0.0f)) != ((y) < (T)(0.0f)) ? fmod(x, y) + (y) : fmod(x, y))
#define APPLY(n, x, y) FN(FLOATN(n), x, y)

/* An operand at columns c ...: n elements, or the one that all share. */
#define OPERAND(n, STEP, p, at, shared) (STEP ? LDN(n, p, at) : (FLOATN(n))(shared))

#define STEP_FLAT(n)                                    \
    do {                                                \
        const FLOATN(n) x = OPERAND(n, A_STEP, a, i, a0); \
        const FLOATN(n) y = OPERAND(n, B_STEP, b, i, b0); \
        FLOATN(n) r = APPLY(n, x, y);                   \
        EPILOGUE(n, r, i);                              \
        STN(n, r, out, i);                              \
    } while (0)

__kernel void binary_flat(__global const value_t *a, __global const value_t *b, __global value_t *out,
                          const int columns, const int columns_item, EPILOGUE_ARGS)
{
    const int   end = min(columns, ((int)get_global_id(0) + 1) * columns_item);
    const float a0 = LD1(a, 0), b0 = LD1(b, 0);
    int         i = (int)get_global_id(0) * columns_item;
    SWEEP(STEP_FLAT, i, end);
}

__kernel void binary_narrow(__global const value_t *a, __global const value_t *b, __global value_t *out,
                            const int columns, const int columns_item, EPILOGUE_ARGS)
{
    __global const value_t *wide = A_STEP ? a : b, *narrow = A_STEP ? b : a;
    const int               end = min(columns, ((int)get_global_id(0) + 1) * columns_item);
    int                     i = (int)get_global_id(0) * columns_item; /* a multiple of the pattern */
    float                   pattern[V * NARROW];
    for (int k = 0; k < V * NARROW; k++)
        pattern[k] = LD1(narrow, k % NARROW);
    for (; i + V * NARROW <= end; i += V * NARROW) {
        UNROLL
        for (int k = 0; k < NARROW; k++) {
            const int       at = i + k * V;
            const FLOATN(V) x = LDN(V, wide, at), y = CAT(LDF, V)(pattern, k * V);
            FLOATN(V)       r = A_STEP ? APPLY(V, x, y) : APPLY(V, y, x);
            EPILOGUE(V, r, at);
            STN(V, r, out, at);
        }
    }
    for (int k = 0; i < end; i++, k++) {
        const float x = LD1(wide, i), y = pattern[k];
        float       r = A_STEP ? APPLY(1, x, y) : APPLY(1, y, x);
        EPILOGUE(1, r, i);
        ST1(r, out, i);
    }
}

#define STEP_ROW(n)                                            \
    do {                                                       \
        const FLOATN(n) x = OPERAND(n, A_STEP, a, ra + c, a0); \
        const FLOATN(n) y = OPERAND(n, B_STEP, b, rb + c, b0); \
        FLOATN(n) v = APPLY(n, x, y);                          \
        EPILOGUE(n, v, r * columns + c);                       \
        STN(n, v, out, r * columns + c);                       \
    } while (0)

__kernel void binary_rows(__global const value_t *a, __global const value_t *b, __global value_t *out, const int rows,
                          const int columns, const int rows_item, const int columns_item, const int plane_rows,
                          const int a_plane, const int a_row, const int b_plane, const int b_row, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * columns_item, end = min(columns, begin + columns_item);
    const int first = (int)get_global_id(1) * rows_item, last = min(rows, first + rows_item);
    if (begin >= columns)
        return;
    for (int r = first; r < last; r++) {
        const int   plane = r / plane_rows, q = r - plane * plane_rows;
        const int   ra = plane * a_plane + q * a_row, rb = plane * b_plane + q * b_row;
        const float a0 = LD1(a, ra), b0 = LD1(b, rb);
        int         c = begin;
        SWEEP(STEP_ROW, c, end);
    }
}

__kernel void binary_any(__global const value_t *a, __global const value_t *b, __global value_t *out,
                         __global const int *table, const int outer, const int rows, const int columns,
                         const int rows_item, const int columns_item, EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * columns_item, end = min(columns, begin + columns_item);
    const int first = (int)get_global_id(1) * rows_item, last = min(rows, first + rows_item);
    if (begin >= columns)
        return;
    for (int r = first; r < last; r++) {
        int ra = 0, rb = 0;
        for (int d = outer - 1, rest = r; d >= 0; d--) {
            const int outside = rest / table[d], i = rest - outside * table[d];
            rest = outside;
            ra += i * table[outer + d];
            rb += i * table[2 * outer + d];
        }
        const float a0 = LD1(a, ra), b0 = LD1(b, rb);
        int         c = begin;
        SWEEP(STEP_ROW, c, end);
    }
}
