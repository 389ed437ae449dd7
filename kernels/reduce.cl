/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reduce: out = epilogue(DONE(fold of STEP over the reduced elements)).
 *
 *   reduce_columns  in [planes][length][columns], reduced over length: neighbouring columns make vectors.
 *                   Item (x, y, z): columns x*columns_item ..., part y of length, planes z*planes_item ...
 *   reduce_rows     in [rows][length], reduced over length, neighbouring elements make vectors.
 *                   Item (x, y): part x of length, rows y*rows_item ...
 *   reduce_finish   in partial[planes][parts][columns] of either with PARTIAL: folds the parts
 *   reduce_group    in [planes][length][columns]: a work-group of LX columns of vectors and LY parts of length;
 *                   group (x, y) does columns x*LX*V ..., plane y
 *   reduce_any      table: kept extents and strides, outer reduced extents and strides; the innermost reduced dimension
 *                   is a run of `run` elements `run_stride` apart. Item x does outputs x*outputs_item ...
 *
 * V (1, 4, 8, 16): floats a step.  FN: fn_mean fn_sum fn_max fn_min fn_prod fn_l1 fn_l2
 * fn_sum_square.
 * PARTIAL (0, 1): stop before DONE and the epilogue, and write floats to partial[plane][part][column].
 * LX (1, 16), LY (16, 64, 256): powers of two.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef FN
#define FN fn_mean
#endif
#ifndef PARTIAL
#define PARTIAL 0
#endif
#ifndef LX
#define LX 16
#endif
#ifndef LY
#define LY 16
#endif

#define added(T, s, x) ((s) + (x))
#define larger(T, s, x) ((x) > (s) ? (x) : (x) == (x) ? (s) : (x)) /* a NaN gets in and stays in */
#define smaller(T, s, x) ((x) < (s) ? (x) : (x) == (x) ? (s) : (x))

/* Per function: start value, one more element, two folds joined, result from the fold over count elements. */
#define fn_sum_start 0.0f
#define fn_sum_step added
#define fn_sum_join added
#define fn_sum_done(T, s, count) (s)
#define fn_mean_start 0.0f
#define fn_mean_step added
#define fn_mean_join added
#define fn_mean_done(T, s, count) ((s) / (T)(count))
#define fn_max_start (-INFINITY)
#define fn_max_step larger
#define fn_max_join larger
#define fn_max_done(T, s, count) (s)
#define fn_min_start INFINITY
#define fn_min_step smaller
#define fn_min_join smaller
#define fn_min_done(T, s, count) (s)
#define fn_prod_start 1.0f
#define fn_prod_step(T, s, x) ((s) * (x))
#define fn_prod_join fn_prod_step
#define fn_prod_done(T, s, count) (s)
#define fn_l1_start 0.0f
#define fn_l1_step(T, s, x) ((s) + fabs(x))
#define fn_l1_join added
#define fn_l1_done(T, s, count) (s)
#define fn_sum_square_start 0.0f
#define fn_sum_square_step(T, s, x) fma(x, x, s)
#define fn_sum_square_join added
#define fn_sum_square_done(T, s, count) (s)
#define fn_l2_start 0.0f
#define fn_l2_step fn_sum_square_step
#define fn_l2_join added
#define fn_l2_done(T, s, count) sqrt(s)

#define START(n) (FLOATN(n))(CAT(FN, _start))
#define STEP(n, s, x) CAT(FN, _step)(FLOATN(n), s, x)
#define JOIN(n, s, x) CAT(FN, _join)(FLOATN(n), s, x)
#define DONE(n, s, count) CAT(FN, _done)(FLOATN(n), s, (float)(count))

#if PARTIAL
#define RESULT __global float *partial
#define FINISH(n, s, at, count) CAT(STF, n)(s, partial, at)
#else
#define RESULT __global value_t *out
#define FINISH(n, s, at, count)           \
    do {                                  \
        FLOATN(n) y = DONE(n, s, count);  \
        EPILOGUE(n, y, at);               \
        STN(n, y, out, at);               \
    } while (0)
#endif

/* Four folds at once hide the latency of the operation. */
#define COLUMNS(n)                                                   \
    do {                                                             \
        FLOATN(n) s0 = START(n), s1 = s0, s2 = s0, s3 = s0;          \
        int       r = first;                                         \
        for (; r + 4 <= last; r += 4) {                              \
            const FLOATN(n) x0 = LDN(n, p, r * columns + c);         \
            const FLOATN(n) x1 = LDN(n, p, (r + 1) * columns + c);   \
            const FLOATN(n) x2 = LDN(n, p, (r + 2) * columns + c);   \
            const FLOATN(n) x3 = LDN(n, p, (r + 3) * columns + c);   \
            s0 = STEP(n, s0, x0);                                    \
            s1 = STEP(n, s1, x1);                                    \
            s2 = STEP(n, s2, x2);                                    \
            s3 = STEP(n, s3, x3);                                    \
        }                                                            \
        for (; r < last; r++) {                                      \
            const FLOATN(n) x = LDN(n, p, r * columns + c);          \
            s0 = STEP(n, s0, x);                                     \
        }                                                            \
        s0 = JOIN(n, s0, s1);                                        \
        s2 = JOIN(n, s2, s3);                                        \
        s0 = JOIN(n, s0, s2);                                        \
        FINISH(n, s0, to + c, length);                               \
    } while (0)

__kernel void reduce_columns(__global const value_t *in, RESULT, const int planes, const int length, const int columns,
                             const int columns_item, const int planes_item, const int parts, const int part_length,
                             EPILOGUE_ARGS)
{
    const int begin = (int)get_global_id(0) * columns_item, end = min(columns, begin + columns_item);
    const int part = get_global_id(1), plane0 = ITEM2 * planes_item;
    const int first = part * part_length, last = min(length, first + part_length);
    if (part >= parts)
        return;
    for (int plane = plane0; plane < min(planes, plane0 + planes_item); plane++) {
        __global const value_t *p = in + plane * length * columns;
        const int               to = (plane * parts + part) * columns;
        int                     c = begin;
        SWEEP(COLUMNS, c, end);
    }
}

__kernel void reduce_rows(__global const value_t *in, RESULT, const int rows, const int length, const int rows_item,
                          const int parts, const int part_length, EPILOGUE_ARGS)
{
    const int part = get_global_id(0), begin = (int)get_global_id(1) * rows_item;
    const int first = part * part_length, last = min(length, first + part_length);
    if (part >= parts)
        return;
    for (int row = begin; row < min(rows, begin + rows_item); row++) {
        __global const value_t *p = in + row * length;
        FLOATN(V)               s0 = START(V), s1 = s0, s2 = s0, s3 = s0;
        int                     i = first;
        for (; i + 4 * V <= last; i += 4 * V) {
            const FLOATN(V) x0 = LDN(V, p, i), x1 = LDN(V, p, i + V);
            const FLOATN(V) x2 = LDN(V, p, i + 2 * V), x3 = LDN(V, p, i + 3 * V);
            s0 = STEP(V, s0, x0);
            s1 = STEP(V, s1, x1);
            s2 = STEP(V, s2, x2);
            s3 = STEP(V, s3, x3);
        }
        for (; i + V <= last; i += V) {
            const FLOATN(V) x = LDN(V, p, i);
            s0 = STEP(V, s0, x);
        }
        s0 = JOIN(V, s0, s1);
        s2 = JOIN(V, s2, s3);
        s0 = JOIN(V, s0, s2);
        float lane[V], s = START(1);
        CAT(STF, V)(s0, lane, 0);
        for (int k = 0; k < V; k++)
            s = JOIN(1, s, lane[k]);
        for (; i < last; i++) {
            const float x = LD1(p, i);
            s = STEP(1, s, x);
        }
        FINISH(1, s, row * parts + part, length);
    }
}

#if !PARTIAL
#define FOLD_PARTS(n)                                                                        \
    do {                                                                                     \
        FLOATN(n) s = START(n);                                                              \
        for (int k = 0; k < parts; k++) {                                                    \
            const FLOATN(n) x = CAT(LDF, n)(partial, (plane * parts + k) * columns + c);     \
            s = JOIN(n, s, x);                                                               \
        }                                                                                    \
        FINISH(n, s, plane * columns + c, length);                                           \
    } while (0)

__kernel void reduce_finish(__global const float *partial, __global value_t *out, const int planes, const int parts,
                            const int columns, const int columns_item, const int length, EPILOGUE_ARGS)
{
    const int plane = get_global_id(1);
    int       c = (int)get_global_id(0) * columns_item;
    const int end = min(columns, c + columns_item);
    if (plane >= planes)
        return;
    SWEEP(FOLD_PARTS, c, end);
}

/* Columns past the end are folded as if there were nothing; barriers are reached by all. */
__kernel void reduce_group(__global const value_t *in, __global value_t *out, const int planes, const int length,
                           const int columns, __local float *share, EPILOGUE_ARGS)
{
    const int               lx = get_local_id(0), ly = get_local_id(1), plane = GROUP_ID(1);
    const int               c = (int)(GROUP_ID(0) * LX + lx) * V;
    const bool              mine = c + V <= columns && plane < planes;
    __global const value_t *p = in + plane * length * columns;
    FLOATN(V)               s = START(V);
    for (int r = ly; mine && r < length; r += LY) {
        const FLOATN(V) x = LDN(V, p, r * columns + c);
        s = STEP(V, s, x);
    }
    CAT(STF, V)(s, share, (ly * LX + lx) * V);
    for (int half_group = LY / 2; half_group > 0; half_group /= 2) {
        barrier(CLK_LOCAL_MEM_FENCE);
        if (ly < half_group) {
            const FLOATN(V) x = CAT(LDF, V)(share, ((ly + half_group) * LX + lx) * V);
            s = JOIN(V, s, x);
            CAT(STF, V)(s, share, (ly * LX + lx) * V);
        }
    }
    if (ly == 0 && mine)
        FINISH(V, s, plane * columns + c, length);
}

__kernel void reduce_any(__global const value_t *in, __global value_t *out, __global const int *table, const int kept,
                         const int outer, const int outer_length, const int run, const int run_stride,
                         const int outputs, const int outputs_item, EPILOGUE_ARGS)
{
    const int first = (int)get_global_id(0) * outputs_item, last = min(outputs, first + outputs_item);
    for (int o = first; o < last; o++) {
        int from = 0;
        for (int d = kept - 1, rest = o; d >= 0; d--) {
            const int outside = rest / table[d];
            from += (rest - outside * table[d]) * table[kept + d];
            rest = outside;
        }
        float s = START(1);
        for (int k = 0; k < outer_length; k++) {
            int at = from;
            for (int d = outer - 1, rest = k; d >= 0; d--) {
                const int extent = table[2 * kept + d], outside = rest / extent;
                at += (rest - outside * extent) * table[2 * kept + outer + d];
                rest = outside;
            }
            for (int i = 0; i < run; i++, at += run_stride) {
                const float x = LD1(in, at);
                s = STEP(1, s, x);
            }
        }
        FINISH(1, s, o, outer_length * run);
    }
}
#endif
