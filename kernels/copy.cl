/* SPDX-License-Identifier: Apache-2.0 */
/*
 * copy: strided copies of every kind (transpose, slice, expand, concat, cast).
 *
 * A copy has up to six outer axes and two inner ones, mid and len:
 *   out[out_at + sum_d x_d * od + m * mid_out + l * len_out] = in[in_at + sum_d x_d * id + m * mid_in + l * len_in]
 * for x_d < ed, m < mid, l < len. Item g takes outer_chunk x mid_chunk x len_chunk of the (outer, mid, len) space,
 * len turning fastest; `outer` is the product of the outer extents, which o counts through, the last axis fastest.
 *
 * Which entry needs which strides:
 *   copy_block       len_in 1 (or 0 with SPLAT), len_out 1: vectors along len
 *   copy_interleave  mid_in 1, mid_out C, len_out 1, len C: C planes to C-tuples; len is not split
 *   copy_separate    len_in C, len_out 1, mid_in 1, mid C: C-tuples to C planes; mid is not split
 *   copy_tile        mid_in 1, len_out 1: T x T tiles through registers
 *   copy_tile_local  the same through local memory, 32 x 32 a work-group of 32 x 8 items; grid (mid, len, outer)
 *   copy_strided     any
 *
 * IN_F16, OUT_F16 (0, 1; default STORE_F16): how the two sides are stored.
 * OUTER (0 ... 6): outer axes in use.  V (1, 4, 8, 16): elements a step of copy_block and copy_strided.
 * C (2, 3, 4): planes.  T (4, 8): tile.  SPLAT (0, 1).
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef IN_F16
#define IN_F16 STORE_F16
#endif
#ifndef OUT_F16
#define OUT_F16 STORE_F16
#endif
#ifndef OUTER
#define OUTER 0
#endif
#ifndef V
#define V 4
#endif
#ifndef C
#define C 3
#endif
#ifndef T
#define T 4
#endif
#ifndef SPLAT
#define SPLAT 0
#endif

/* Halves that stay halves are moved as bits; everything else passes through float. */
#if IN_F16 && OUT_F16
typedef ushort in_t;
typedef ushort out_t;
typedef ushort elem_t;
#define ushort1 ushort
#define ELEM(n) CAT(ushort, n)
#define LDI(n, p, i) CAT(LDF, n)(p, i)
#define STO(n, v, p, i) CAT(STF, n)(v, p, i)
#else
typedef float elem_t;
#define ELEM(n) CAT(float, n)
#if IN_F16
typedef half in_t;
#define LDI(n, p, i) CAT(LDH, n)(p, i)
#else
typedef float in_t;
#define LDI(n, p, i) CAT(LDF, n)(p, i)
#endif
#if OUT_F16
typedef half out_t;
#define STO(n, v, p, i) CAT(STH, n)(v, p, i)
#else
typedef float out_t;
#define STO(n, v, p, i) CAT(STF, n)(v, p, i)
#endif
#endif

#define AXIS(d) const int e##d, const int i##d, const int o##d
#define COPY_ARGS                                                                                                   \
    __global const in_t *in, __global out_t *out, const int in_at, const int out_at, AXIS(0), AXIS(1), AXIS(2),     \
        AXIS(3), AXIS(4), AXIS(5), const int outer, const int mid, const int mid_in, const int mid_out,             \
        const int len, const int len_in, const int len_out, const int outer_chunk, const int mid_chunk,             \
        const int len_chunk

/* Declares this item's ranges [first_o, end_o) x [first_m, end_m) x [first_l, end_l). */
#define RANGES                                                                      \
    const int segments_l = (len - 1) / len_chunk + 1;                               \
    const int segments_m = (mid - 1) / mid_chunk + 1;                               \
    const int item = (int)get_global_id(0);                                         \
    const int segment_om = item / segments_l;                                       \
    const int segment_o = segment_om / segments_m;                                  \
    const int first_l = (item - segment_om * segments_l) * len_chunk;               \
    const int end_l = first_l + min(len_chunk, len - first_l);                      \
    const int first_m = (segment_om - segment_o * segments_m) * mid_chunk;          \
    const int end_m = first_m + min(mid_chunk, mid - first_m);                      \
    const int first_o = segment_o < (outer - 1) / outer_chunk + 1 ? segment_o * outer_chunk : outer; \
    const int end_o = first_o + min(outer_chunk, outer - first_o);

/* Declares from and to, where outer index o begins in both buffers. */
#define AXIS_STEP(d)               \
    {                              \
        const int q = rest / e##d; \
        const int x = rest - q * e##d; \
        from += x * i##d;          \
        to += x * o##d;            \
        rest = q;                  \
    }
#if OUTER > 5
#define STEP5 AXIS_STEP(5)
#else
#define STEP5
#endif
#if OUTER > 4
#define STEP4 AXIS_STEP(4)
#else
#define STEP4
#endif
#if OUTER > 3
#define STEP3 AXIS_STEP(3)
#else
#define STEP3
#endif
#if OUTER > 2
#define STEP2 AXIS_STEP(2)
#else
#define STEP2
#endif
#if OUTER > 1
#define STEP1 AXIS_STEP(1)
#else
#define STEP1
#endif
#if OUTER > 0
#define STEP0 from += rest * i0; to += rest * o0;
#else
#define STEP0
#endif
#define BEGIN(o)                    \
    int from = in_at, to = out_at;  \
    {                               \
        int rest = (o);             \
        STEP5 STEP4 STEP3 STEP2 STEP1 STEP0 \
        (void)rest;                 \
    }

/* ---------------------------------------------------------------- contiguous rows */
#if SPLAT
#define ROW_LOAD(n, l) (ELEM(n))(value)
#else
#define ROW_LOAD(n, l) LDI(n, in, from_row + (l))
#endif

__kernel void copy_block(COPY_ARGS)
{
    RANGES
    for (int o = first_o; o < end_o; o++) {
        BEGIN(o)
        for (int m = first_m; m < end_m; m++) {
            const int from_row = from + m * mid_in, to_row = to + m * mid_out;
            int       l = first_l;
#if SPLAT
            const elem_t value = LDI(1, in, from_row);
#endif
            for (; l + V <= end_l; l += V)
                STO(V, ROW_LOAD(V, l), out, to_row + l);
            if (l < end_l && first_l + V <= end_l) { /* the last vector overlaps the one before */
                l = end_l - V;
                STO(V, ROW_LOAD(V, l), out, to_row + l);
                l = end_l;
            }
            for (; l < end_l; l++)
                STO(1, ROW_LOAD(1, l), out, to_row + l);
        }
    }
}

/* ---------------------------------------------------------------- shuffles
   Element k of the result is element i_k of a followed by b. As one operation each: written element by element, LLVM
   joins the stages of a transposition again and loses the vectors. */
#ifdef __has_builtin
#if __has_builtin(__builtin_shufflevector)
#define SHUFFLE(n, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#endif
#endif
#ifndef SHUFFLE
#if IN_F16 && OUT_F16
#define SHUFFLE(n, a, b, ...) shuffle2(a, b, (CAT(ushort, n))(__VA_ARGS__))
#else
#define SHUFFLE(n, a, b, ...) shuffle2(a, b, (CAT(uint, n))(__VA_ARGS__))
#endif
#endif

/* ---------------------------------------------------------------- few planes to tuples and back, four at a time */
#define TRANSPOSE4(a, b, c, d)                                        \
    {                                                                 \
        const ELEM(4) t0 = SHUFFLE(4, a, b, 0, 4, 1, 5);              \
        const ELEM(4) t1 = SHUFFLE(4, a, b, 2, 6, 3, 7);              \
        const ELEM(4) t2 = SHUFFLE(4, c, d, 0, 4, 1, 5);              \
        const ELEM(4) t3 = SHUFFLE(4, c, d, 2, 6, 3, 7);              \
        a = SHUFFLE(4, t0, t2, 0, 1, 4, 5);                           \
        b = SHUFFLE(4, t0, t2, 2, 3, 6, 7);                           \
        c = SHUFFLE(4, t1, t3, 0, 1, 4, 5);                           \
        d = SHUFFLE(4, t1, t3, 2, 3, 6, 7);                           \
    }

/* INTERLEAVE: the four tuples m ... m+3 of the planes at from; SEPARATE: the other way, tuples l ... l+3. Three planes
   take six shuffles, none of which makes an element that is not used. */
#if C == 2
#define INTERLEAVE(m)                                                 \
    {                                                                 \
        const ELEM(4) a = LDI(4, in, from + (m));                     \
        const ELEM(4) b = LDI(4, in, from + len_in + (m));            \
        const ELEM(4) r0 = SHUFFLE(4, a, b, 0, 4, 1, 5);              \
        const ELEM(4) r1 = SHUFFLE(4, a, b, 2, 6, 3, 7);              \
        STO(4, r0, out, to + 2 * (m));                                \
        STO(4, r1, out, to + 2 * (m) + 4);                            \
    }
#define SEPARATE(l)                                                   \
    {                                                                 \
        const ELEM(4) a = LDI(4, in, from + 2 * (l));                 \
        const ELEM(4) b = LDI(4, in, from + 2 * (l) + 4);             \
        const ELEM(4) r0 = SHUFFLE(4, a, b, 0, 2, 4, 6);              \
        const ELEM(4) r1 = SHUFFLE(4, a, b, 1, 3, 5, 7);              \
        STO(4, r0, out, to + (l));                                    \
        STO(4, r1, out, to + mid_out + (l));                          \
    }
#elif C == 3
#define INTERLEAVE(m)                                                 \
    {                                                                 \
        const ELEM(4) a = LDI(4, in, from + (m));                     \
        const ELEM(4) b = LDI(4, in, from + len_in + (m));            \
        const ELEM(4) c = LDI(4, in, from + 2 * len_in + (m));        \
        const ELEM(4) p = SHUFFLE(4, a, b, 0, 4, 1, 5);               \
        const ELEM(4) q = SHUFFLE(4, a, b, 2, 6, 3, 7);               \
        const ELEM(4) s = SHUFFLE(4, p, c, 3, 5, 6, 7);               \
        const ELEM(4) r0 = SHUFFLE(4, p, c, 0, 1, 4, 2);              \
        const ELEM(4) r1 = SHUFFLE(4, s, q, 0, 1, 4, 5);              \
        const ELEM(4) r2 = SHUFFLE(4, s, q, 2, 6, 7, 3);              \
        STO(4, r0, out, to + 3 * (m));                                \
        STO(4, r1, out, to + 3 * (m) + 4);                            \
        STO(4, r2, out, to + 3 * (m) + 8);                            \
    }
#define SEPARATE(l)                                                   \
    {                                                                 \
        const ELEM(4) a = LDI(4, in, from + 3 * (l));                 \
        const ELEM(4) b = LDI(4, in, from + 3 * (l) + 4);             \
        const ELEM(4) c = LDI(4, in, from + 3 * (l) + 8);             \
        const ELEM(4) p = SHUFFLE(4, a, b, 0, 5, 6, 3);               \
        const ELEM(4) q = SHUFFLE(4, a, b, 4, 1, 2, 7);               \
        const ELEM(4) s = SHUFFLE(4, p, c, 1, 4, 7, 5);               \
        const ELEM(4) r0 = SHUFFLE(4, p, s, 0, 3, 2, 7);              \
        const ELEM(4) r1 = SHUFFLE(4, q, c, 1, 0, 3, 6);              \
        const ELEM(4) r2 = SHUFFLE(4, q, s, 2, 4, 5, 6);              \
        STO(4, r0, out, to + (l));                                    \
        STO(4, r1, out, to + mid_out + (l));                          \
        STO(4, r2, out, to + 2 * mid_out + (l));                      \
    }
#else
#define INTERLEAVE(m)                                                 \
    {                                                                 \
        ELEM(4) a = LDI(4, in, from + (m));                           \
        ELEM(4) b = LDI(4, in, from + len_in + (m));                  \
        ELEM(4) c = LDI(4, in, from + 2 * len_in + (m));              \
        ELEM(4) d = LDI(4, in, from + 3 * len_in + (m));              \
        TRANSPOSE4(a, b, c, d)                                        \
        STO(4, a, out, to + 4 * (m));                                 \
        STO(4, b, out, to + 4 * (m) + 4);                             \
        STO(4, c, out, to + 4 * (m) + 8);                             \
        STO(4, d, out, to + 4 * (m) + 12);                            \
    }
#define SEPARATE(l)                                                   \
    {                                                                 \
        ELEM(4) a = LDI(4, in, from + 4 * (l));                       \
        ELEM(4) b = LDI(4, in, from + 4 * (l) + 4);                   \
        ELEM(4) c = LDI(4, in, from + 4 * (l) + 8);                   \
        ELEM(4) d = LDI(4, in, from + 4 * (l) + 12);                  \
        TRANSPOSE4(a, b, c, d)                                        \
        STO(4, a, out, to + (l));                                     \
        STO(4, b, out, to + mid_out + (l));                           \
        STO(4, c, out, to + 2 * mid_out + (l));                       \
        STO(4, d, out, to + 3 * mid_out + (l));                       \
    }
#endif

__kernel void copy_interleave(COPY_ARGS)
{
    RANGES
    for (int o = first_o; o < end_o; o++) {
        BEGIN(o)
        int m = first_m;
        for (; m + 4 <= end_m; m += 4)
            INTERLEAVE(m)
        if (m < end_m && first_m + 4 <= end_m) { /* the last step overlaps the one before */
            INTERLEAVE(end_m - 4)
            m = end_m;
        }
        for (; m < end_m; m++)
            for (int l = first_l; l < end_l; l++)
                STO(1, LDI(1, in, from + l * len_in + m), out, to + C * m + l);
    }
}

__kernel void copy_separate(COPY_ARGS)
{
    RANGES
    for (int o = first_o; o < end_o; o++) {
        BEGIN(o)
        int l = first_l;
        for (; l + 4 <= end_l; l += 4)
            SEPARATE(l)
        if (l < end_l && first_l + 4 <= end_l) {
            SEPARATE(end_l - 4)
            l = end_l;
        }
        for (; l < end_l; l++)
            for (int m = first_m; m < end_m; m++)
                STO(1, LDI(1, in, from + C * l + m), out, to + m * mid_out + l);
    }
}

/* ---------------------------------------------------------------- tiles: rows along mid in, rows along len out */
#define LD_ROW(k) LDI(T, in, at + k * len_in)
#define ST_ROW(k, v) STO(T, v, out, put + k * mid_out)
#if T == 8
#define UNPACK_LO(a, b) SHUFFLE(8, a, b, 0, 8, 1, 9, 4, 12, 5, 13)
#define UNPACK_HI(a, b) SHUFFLE(8, a, b, 2, 10, 3, 11, 6, 14, 7, 15)
#define PAIR_LO(a, b) SHUFFLE(8, a, b, 0, 1, 8, 9, 4, 5, 12, 13)
#define PAIR_HI(a, b) SHUFFLE(8, a, b, 2, 3, 10, 11, 6, 7, 14, 15)
#define HALF_LO(a, b) SHUFFLE(8, a, b, 0, 1, 2, 3, 8, 9, 10, 11)
#define HALF_HI(a, b) SHUFFLE(8, a, b, 4, 5, 6, 7, 12, 13, 14, 15)
/* Pairs are joined within the halves of the vectors first, and across them at the end. */
#define TILE(m, l)                                                                     \
    {                                                                                  \
        const int at = from + (m) + (l) * len_in, put = to + (m) * mid_out + (l);      \
        const ELEM(8) r0 = LD_ROW(0), r1 = LD_ROW(1), r2 = LD_ROW(2), r3 = LD_ROW(3);  \
        const ELEM(8) r4 = LD_ROW(4), r5 = LD_ROW(5), r6 = LD_ROW(6), r7 = LD_ROW(7);  \
        const ELEM(8) t0 = UNPACK_LO(r0, r1), t1 = UNPACK_HI(r0, r1);                  \
        const ELEM(8) t2 = UNPACK_LO(r2, r3), t3 = UNPACK_HI(r2, r3);                  \
        const ELEM(8) t4 = UNPACK_LO(r4, r5), t5 = UNPACK_HI(r4, r5);                  \
        const ELEM(8) t6 = UNPACK_LO(r6, r7), t7 = UNPACK_HI(r6, r7);                  \
        const ELEM(8) u0 = PAIR_LO(t0, t2), u1 = PAIR_HI(t0, t2);                      \
        const ELEM(8) u2 = PAIR_LO(t1, t3), u3 = PAIR_HI(t1, t3);                      \
        const ELEM(8) u4 = PAIR_LO(t4, t6), u5 = PAIR_HI(t4, t6);                      \
        const ELEM(8) u6 = PAIR_LO(t5, t7), u7 = PAIR_HI(t5, t7);                      \
        const ELEM(8) v0 = HALF_LO(u0, u4), v1 = HALF_LO(u1, u5);                      \
        const ELEM(8) v2 = HALF_LO(u2, u6), v3 = HALF_LO(u3, u7);                      \
        const ELEM(8) v4 = HALF_HI(u0, u4), v5 = HALF_HI(u1, u5);                      \
        const ELEM(8) v6 = HALF_HI(u2, u6), v7 = HALF_HI(u3, u7);                      \
        ST_ROW(0, v0);                                                                 \
        ST_ROW(1, v1);                                                                 \
        ST_ROW(2, v2);                                                                 \
        ST_ROW(3, v3);                                                                 \
        ST_ROW(4, v4);                                                                 \
        ST_ROW(5, v5);                                                                 \
        ST_ROW(6, v6);                                                                 \
        ST_ROW(7, v7);                                                                 \
    }
#else
#define TILE(m, l)                                                                     \
    {                                                                                  \
        const int at = from + (m) + (l) * len_in, put = to + (m) * mid_out + (l);      \
        ELEM(4) r0 = LD_ROW(0), r1 = LD_ROW(1), r2 = LD_ROW(2), r3 = LD_ROW(3);        \
        TRANSPOSE4(r0, r1, r2, r3)                                                     \
        ST_ROW(0, r0);                                                                 \
        ST_ROW(1, r1);                                                                 \
        ST_ROW(2, r2);                                                                 \
        ST_ROW(3, r3);                                                                 \
    }
#endif

/* Tiles that would pass the end of this item's range are moved back, so that only ranges below T need scalars. Two
   tiles along mid at a time use a whole cache line of every input row. */
__kernel void copy_tile(COPY_ARGS)
{
    RANGES
    const bool whole = end_m - first_m >= T && end_l - first_l >= T;
    for (int o = first_o; o < end_o; o++) {
        BEGIN(o)
        if (!whole) {
            for (int m = first_m; m < end_m; m++)
                for (int l = first_l; l < end_l; l++)
                    STO(1, LDI(1, in, from + m + l * len_in), out, to + m * mid_out + l);
            continue;
        }
        for (int m = first_m; m < end_m; m += 2 * T) {
            for (int l = first_l; l < end_l; l += T) {
                const int tl = min(l, end_l - T);
                TILE(min(m, end_m - T), tl)
                if (m + T < end_m)
                    TILE(min(m + T, end_m - T), tl)
            }
        }
    }
}

__kernel __attribute__((reqd_work_group_size(32, 8, 1))) void copy_tile_local(COPY_ARGS)
{
    __local elem_t tile[32][33]; /* a column more than needed, against bank conflicts */
    const int      x = (int)get_local_id(0), y = (int)get_local_id(1);
    const int      m0 = (int)GROUP_ID(0) * 32, l0 = (int)GROUP_ID(1) * 32;
    BEGIN(GROUP2)
    for (int k = y; k < 32; k += 8)
        if (m0 + x < mid && l0 + k < len)
            tile[k][x] = LDI(1, in, from + m0 + x + (l0 + k) * len_in);
    barrier(CLK_LOCAL_MEM_FENCE);
    for (int k = y; k < 32; k += 8)
        if (m0 + k < mid && l0 + x < len)
            STO(1, tile[x][k], out, to + (m0 + k) * mid_out + l0 + x);
}

/* ---------------------------------------------------------------- anything */
#define PICK(k) LDI(1, in, at + k * len_in)
#if V == 1
#define GATHER PICK(0)
#elif V == 4
#define GATHER (ELEM(4))(PICK(0), PICK(1), PICK(2), PICK(3))
#elif V == 8
#define GATHER (ELEM(8))(PICK(0), PICK(1), PICK(2), PICK(3), PICK(4), PICK(5), PICK(6), PICK(7))
#else
#define GATHER                                                                                         \
    (ELEM(16))(PICK(0), PICK(1), PICK(2), PICK(3), PICK(4), PICK(5), PICK(6), PICK(7), PICK(8), PICK(9), \
               PICK(10), PICK(11), PICK(12), PICK(13), PICK(14), PICK(15))
#endif

__kernel void copy_strided(COPY_ARGS)
{
    RANGES
    for (int o = first_o; o < end_o; o++) {
        BEGIN(o)
        for (int m = first_m; m < end_m; m++) {
            const int from_row = from + m * mid_in, to_row = to + m * mid_out;
            int       l = first_l;
            for (; len_out == 1 && l + V <= end_l; l += V) {
                const int at = from_row + l * len_in;
                STO(V, GATHER, out, to_row + l);
            }
            for (; l < end_l; l++)
                STO(1, LDI(1, in, from_row + l * len_in), out, to_row + l * len_out);
        }
    }
}
