/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pad: seven outer axes, the innermost padded axis (mid), and the contiguous block behind it (len).
 *   out[(o * mid + m) * len + l] = in[sum_d map(x_d - bd, nd) * sd + map(m - mid_before, mid_in) * len + l]
 * with o counting the outer indices x_d < ed, the last axis fastest, and map(i, n) the element of 0 ... n-1 that stands
 * at i: none (the value) in constant mode, else by reflection without or with the edge, the edge, or i modulo n.
 * Item g takes outer_chunk x mid_chunk x len_chunk of the (outer, mid, len) space, len turning fastest.
 *
 * MODE (0 constant, 1 reflect, 2 edge, 3 wrap, 4 symmetric).  OUTER (0 ... 7): outer axes in use.  V (1, 4, 8, 16): elements a step.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef MODE
#define MODE 0
#endif
#ifndef OUTER
#define OUTER 0
#endif
#ifndef V
#define V 4
#endif

/* -1: no element. */
int map_index(const int i, const int n)
{
    if (i >= 0 && i < n)
        return i;
#if MODE == 0
    return -1;
#elif MODE == 1
    if (n == 1)
        return 0;
    const int period = 2 * n - 2;
    const int r = i % period + (i % period < 0 ? period : 0);
    return r < n ? r : period - r;
#elif MODE == 2
    return clamp(i, 0, n - 1);
#elif MODE == 3
    return i % n + (i % n < 0 ? n : 0);
#else
    const int r = i % (2 * n) + (i % (2 * n) < 0 ? 2 * n : 0);
    return r < n ? r : 2 * n - 1 - r;
#endif
}

void copy_run(__global const value_t *in, __global value_t *out, const int length)
{
    int l = 0;
    for (; l + V <= length; l += V)
        STN(V, LDN(V, in, l), out, l);
    if (l < length && length >= V) {
        STN(V, LDN(V, in, length - V), out, length - V);
        return;
    }
    for (; l < length; l++)
        ST1(LD1(in, l), out, l);
}

void fill_run(__global value_t *out, const int length, const float value)
{
    int l = 0;
    for (; l + V <= length; l += V)
        STN(V, (FLOATN(V))(value), out, l);
    for (; l < length; l++)
        ST1(value, out, l);
}

/* mid blocks first ... end-1 of a row; each is copied or filled in its part at ... at+length-1. */
void copy_blocks(__global const value_t *in, __global value_t *out, const int blocks, const int len, const int at,
                 const int length)
{
    if (length == len) {
        copy_run(in, out, blocks * len);
        return;
    }
    for (int m = 0; m < blocks; m++)
        copy_run(in + m * len + at, out + m * len + at, length);
}

void fill_blocks(__global value_t *out, const int blocks, const int len, const int at, const int length,
                 const float value)
{
    if (length == len) {
        fill_run(out, blocks * len, value);
        return;
    }
    for (int m = 0; m < blocks; m++)
        fill_run(out + m * len + at, length, value);
}

#define AXIS(d) const int e##d, const int n##d, const int b##d, const int s##d,
/* Takes the last axis off rest; from stays where it is when the index falls outside. */
#define AXIS_STEP(d)                                       \
    {                                                      \
        const int q = rest / e##d;                         \
        const int x = map_index(rest - q * e##d - b##d, n##d); \
        inside = inside && x >= 0;                         \
        from += max(x, 0) * s##d;                          \
        rest = q;                                          \
    }

__kernel void pad(__global const value_t *in, __global value_t *out,
                  AXIS(0) AXIS(1) AXIS(2) AXIS(3) AXIS(4) AXIS(5) AXIS(6)
                  const int outer, const int mid, const int mid_in, const int mid_before, const int len,
                  const float value, const int outer_chunk, const int mid_chunk, const int len_chunk)
{
    const int segments_l = (len - 1) / len_chunk + 1;
    const int segments_m = (mid - 1) / mid_chunk + 1;
    const int item = (int)get_global_id(0);
    const int segment_om = item / segments_l;
    const int segment_o = segment_om / segments_m;
    const int first_l = (item - segment_om * segments_l) * len_chunk;
    const int length = min(len_chunk, len - first_l);
    const int first_m = (segment_om - segment_o * segments_m) * mid_chunk;
    const int end_m = first_m + min(mid_chunk, mid - first_m);
    const int first_o = segment_o < (outer - 1) / outer_chunk + 1 ? segment_o * outer_chunk : outer;
    const int end_o = first_o + min(outer_chunk, outer - first_o);
    /* mid blocks begin ... begin+n-1 of this item are copied as they stand; those around them are padding */
    const int begin = clamp(mid_before, first_m, end_m);
    const int end = clamp(mid_before + mid_in, begin, end_m);

    for (int o = first_o; o < end_o; o++) {
        int  from = 0, rest = o;
        bool inside = true;
#if OUTER > 6
        AXIS_STEP(6)
#endif
#if OUTER > 5
        AXIS_STEP(5)
#endif
#if OUTER > 4
        AXIS_STEP(4)
#endif
#if OUTER > 3
        AXIS_STEP(3)
#endif
#if OUTER > 2
        AXIS_STEP(2)
#endif
#if OUTER > 1
        AXIS_STEP(1)
#endif
#if OUTER > 0
        AXIS_STEP(0)
#endif
        (void)rest;
        __global value_t *row = out + o * mid * len;
        if (!inside) {
            fill_blocks(row + first_m * len, end_m - first_m, len, first_l, length, value);
            continue;
        }
        copy_blocks(in + from + (begin - mid_before) * len, row + begin * len, end - begin, len, first_l, length);
#if MODE == 0
        fill_blocks(row + first_m * len, begin - first_m, len, first_l, length, value);
        fill_blocks(row + end * len, end_m - end, len, first_l, length, value);
#else
        for (int m = first_m; m < end_m; m++) {
            if (m == begin && end > begin)
                m = end;
            if (m < end_m)
                copy_run(in + from + map_index(m - mid_before, mid_in) * len + first_l, row + m * len + first_l,
                         length);
        }
#endif
    }
}
