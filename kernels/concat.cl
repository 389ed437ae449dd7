/* SPDX-License-Identifier: Apache-2.0 */
/*
 * concat: several inputs side by side, in one launch. With r counting the extents before the axis and lenk the
 * elements of input k from the axis on:
 *   out[r * total + before_k + l] = in_k[r * lenk + l],  before_k = len0 + ... + len(k-1),  total = sum of all lenk
 *
 *   concat_rows     item g takes rows g*chunk ... of `rows`, all inputs: for a CPU
 *   concat_vectors  item g takes one vector of one input of one row, vectors turning fastest: for a GPU
 *
 * N (2 ... 8): inputs.  V (1, 4, 8, 16): elements a step.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef N
#define N 2
#endif
#ifndef V
#define V 4
#endif

#define INPUT(k) __global const value_t *in##k, const int len##k,
#define EACH_2(F) F(0) F(1)
#define EACH_3(F) EACH_2(F) F(2)
#define EACH_4(F) EACH_3(F) F(3)
#define EACH_5(F) EACH_4(F) F(4)
#define EACH_6(F) EACH_5(F) F(5)
#define EACH_7(F) EACH_6(F) F(6)
#define EACH_8(F) EACH_7(F) F(7)
#define EACH(F) CAT(EACH_, N)(F)

/* A run of `length` elements; a last vector that would pass the end is moved back where the run is long enough. */
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

#define COPY_ROW(k)                              \
    copy_run(in##k + r * len##k, out + to, len##k); \
    to += len##k;

__kernel void concat_rows(EACH(INPUT) __global value_t *out, const int total, const int rows, const int chunk)
{
    const int first = (int)get_global_id(0) * chunk;
    const int end = first < rows ? first + min(chunk, rows - first) : first;
    for (int r = first; r < end; r++) {
        int to = r * total;
        EACH(COPY_ROW)
    }
}

/* Input k holds vectors 0 ... of the row that are left; the rest go on to the next input. */
#define COPY_VECTOR(k)                                                                       \
    {                                                                                        \
        const int here = (len##k - 1) / V + 1;                                               \
        if (v >= 0 && v < here)                                                              \
            copy_run(in##k + r * len##k + v * V, out + to + v * V, min(V, len##k - v * V));  \
        v -= here;                                                                           \
        to += len##k;                                                                        \
    }

__kernel void concat_vectors(EACH(INPUT) __global value_t *out, const int total, const int rows, const int vectors)
{
    const int r = (int)get_global_id(0) / vectors;
    int       v = (int)get_global_id(0) - r * vectors;
    int       to = r * total;
    if (r >= rows)
        return;
    EACH(COPY_VECTOR)
}
