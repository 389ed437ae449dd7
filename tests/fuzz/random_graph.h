/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Random valid graphs: a few small inputs, then nodes that read what is there already. Every choice is made by dice,
 * which are a fuzzer's bytes or a seed. Functions that jump (rounding, comparisons) are left out, and so is what makes
 * much of a rounding error, so that two ways to compute a graph agree.
 */
#ifndef SEPCL_FUZZ_RANDOM_GRAPH_H
#define SEPCL_FUZZ_RANDOM_GRAPH_H

#include <math.h>
#include <stdlib.h>

#include "base/size.h"
#include "ir/op.h"

typedef struct dice {
    const uint8_t *p;
    size_t         n;
    uint64_t       seed; /* when the bytes are used up; 0: then every throw is 0 */
} dice;

/* 0 ... sides-1 */
static inline int throw_of(dice *d, int sides)
{
    if (d->n > 0) {
        d->n--;
        return *d->p++ % sides;
    }
    d->seed = d->seed * 6364136223846793005u + (d->seed ? 1442695040888963407u : 0);
    return (int)(d->seed >> 33) % sides;
}

#define MOST_ELEMENTS 4096
#define MOST_VALUES 64

typedef struct random_graph {
    graph   *g;
    dice    *d;
    value_id values[MOST_VALUES];
    int      n;
} random_graph;

static inline const shape *shape_at(const random_graph *r, value_id v)
{
    return &r->g->values[v].shape;
}

static inline void keep(random_graph *r, value_id v)
{
    const int64_t n = v < 0 ? 0 : shape_count(shape_at(r, v));
    if (n > 0 && n <= MOST_ELEMENTS && r->n < MOST_VALUES)
        r->values[r->n++] = v;
}

/* A value there, one of the last most often. */
static inline value_id any_value(random_graph *r)
{
    const int back = throw_of(r->d, 3) ? throw_of(r->d, 2) : throw_of(r->d, r->n);
    return r->values[r->n - 1 - (back < r->n ? back : r->n - 1)];
}

/* Weights whose sums of fan_in products stay of the inputs' size. */
static inline value_id weights(random_graph *r, const shape *s, int64_t fan_in)
{
    const value_id v = test_const(r->g, "w", s);
    const int64_t  n = shape_count(s);
    for (int64_t i = 0; v >= 0 && i < n; i++)
        graph_const_data(r->g, v)[i] *= 1.7f / sqrtf((float)fan_in);
    return v;
}

static inline void bounded_function(dice *d, act *f)
{
    static const act some[] = {{ACT_CLAMP, 0, INFINITY},    {ACT_CLAMP, 0, 6},           {ACT_HARD_SWISH, 1.0f / 6, 0.5f},
                               {ACT_SIGMOID, 0, 0},         {ACT_TANH, 0, 0},            {ACT_LEAKY, 0.1f, 0},
                               {ACT_SWISH, 1, 0},           {ACT_ELU, 1, 0},             {ACT_HARD_SIGMOID, 0.2f, 0.5f},
                               {ACT_AFFINE, 0.5f, 0.25f},   {ACT_ABS, 0, 0},             {ACT_NEG, 0, 0},
                               {ACT_GELU, 0, 0},            {ACT_SOFTPLUS, 0, 0},        {ACT_MISH, 0, 0}};
    *f = some[throw_of(d, (int)(sizeof some / sizeof some[0]))];
}

static inline value_id add_unary(random_graph *r, value_id x)
{
    attrs a = {0};
    bounded_function(r->d, &a.unary.f);
    return graph_op(r->g, OP_UNARY, "act", &a, &x, 1);
}

typedef struct conv_wish {
    int  kh, kw, out;
    bool depthwise;
} conv_wish;

static inline value_id add_conv(random_graph *r, value_id x, conv_wish c)
{
    const shape  *s = shape_at(r, x);
    const int64_t in = s->dim[3], ci = c.depthwise ? 1 : in, out = c.depthwise ? in : c.out;
    attr_conv     a = {.kernel = {c.kh, c.kw}, .group = c.depthwise ? (int)in : 1, .out_channels = (int)out};
    const shape   w = SHAPE(out, ci, c.kh, c.kw), b = SHAPE(out);
    if (s->rank != 4)
        return -1;
    a.w = (weight_strides){ci * c.kh * c.kw, (int64_t)c.kh * c.kw, c.kw, 1};
    for (int i = 0; i < 2; i++) {
        a.stride[i] = 1 + (throw_of(r->d, 4) == 0);
        a.dilation[i] = 1 + (throw_of(r->d, 6) == 0);
        a.pad[i] = a.pad[i + 2] = throw_of(r->d, 4) ? a.kernel[i] / 2 : throw_of(r->d, 3);
    }
    const value_id in_slots[3] = {x, weights(r, &w, ci * c.kh * c.kw), throw_of(r->d, 2) ? test_const(r->g, "b", &b) : -1};
    return graph_op(r->g, OP_CONV, "conv", &(attrs){.conv = a}, in_slots, 3);
}

static inline value_id any_conv(random_graph *r, value_id x)
{
    const int kind = throw_of(r->d, 4);
    conv_wish c = {1, 1, 1 + throw_of(r->d, 24), kind == 1};
    if (kind != 0) {
        c.kh = 1 + throw_of(r->d, 5);
        c.kw = kind == 2 ? 1 : 1 + throw_of(r->d, 5);
    }
    return add_conv(r, x, c);
}

static inline value_id any_conv_transpose(random_graph *r, value_id x)
{
    const shape *s = shape_at(r, x);
    const int    kh = 1 + throw_of(r->d, 4), kw = 1 + throw_of(r->d, 4), out = 1 + throw_of(r->d, 9);
    if (s->rank != 4)
        return -1;
    attr_conv   a = {.kernel = {kh, kw}, .stride = {1 + throw_of(r->d, 3), 1 + throw_of(r->d, 3)}, .dilation = {1, 1},
                     .group = 1, .out_channels = out, .w = {(int64_t)kh * kw, (int64_t)out * kh * kw, kw, 1}};
    const shape w = SHAPE(s->dim[3], out, kh, kw);
    for (int i = 0; i < 4; i++)
        a.pad[i] = throw_of(r->d, a.kernel[i % 2]);
    const value_id in[2] = {x, weights(r, &w, s->dim[3] * kh * kw)};
    return graph_op(r->g, OP_CONV_TRANSPOSE, "up", &(attrs){.conv = a}, in, 2);
}

static inline value_id any_pool(random_graph *r, value_id x)
{
    attr_pool a = {.kind = (pool_kind)throw_of(r->d, 2), .count_include_pad = throw_of(r->d, 2),
                   .ceil_mode = throw_of(r->d, 3) == 0};
    for (int i = 0; i < 2; i++) {
        a.kernel[i] = 1 + throw_of(r->d, 3);
        a.stride[i] = 1 + throw_of(r->d, 2);
        a.dilation[i] = 1;
        a.pad[i] = throw_of(r->d, a.kernel[i]);
        a.pad[i + 2] = throw_of(r->d, a.kernel[i]);
    }
    return graph_op(r->g, OP_POOL, "pool", &(attrs){.pool = a}, &x, 1);
}

/* With a value of the same shape, a channel's own constants, a scalar, or another value that may not fit. */
static inline value_id any_binary(random_graph *r, value_id x)
{
    static const binary_kind kinds[] = {BINARY_ADD, BINARY_ADD, BINARY_SUB, BINARY_MUL, BINARY_MIN, BINARY_MAX, BINARY_PRELU};
    const shape              s = *shape_at(r, x), last = SHAPE(s.rank ? s.dim[s.rank - 1] : 1), one = {.rank = 0};
    value_id                 other = -1;
    const int                kind = throw_of(r->d, 4);
    if (kind == 0)
        for (int i = r->n - 1; i >= 0 && other < 0; i--)
            other = r->values[i] != x && shape_equal(shape_at(r, r->values[i]), &s) ? r->values[i] : -1;
    else
        other = kind == 1 ? test_const(r->g, "row", &last) : kind == 2 ? test_const(r->g, "one", &one) : any_value(r);
    if (other < 0)
        return -1;
    const bool     swapped = throw_of(r->d, 4) == 0;
    const value_id in[2] = {swapped ? other : x, swapped ? x : other};
    return graph_op(r->g, OP_BINARY, "binary", &(attrs){.binary.kind = kinds[throw_of(r->d, 7)]}, in, 2);
}

static inline value_id any_concat(random_graph *r, value_id x)
{
    const int rank = shape_at(r, x)->rank;
    value_id  in[3] = {x, any_value(r), any_value(r)};
    if (rank == 0)
        return -1;
    return graph_op(r->g, OP_CONCAT, "concat", &(attrs){.concat.axis = throw_of(r->d, rank)}, in, 2 + throw_of(r->d, 2));
}

static inline value_id any_slice(random_graph *r, value_id x)
{
    const shape *s = shape_at(r, x);
    attrs        a = {0};
    for (int i = 0; i < s->rank; i++) {
        const int     extent = (int)s->dim[i];
        const bool    back = throw_of(r->d, 5) == 0;
        const int64_t first = throw_of(r->d, extent), step = throw_of(r->d, 4) ? 1 : 2;
        a.slice.start[i] = first;
        a.slice.step[i] = back ? -step : step;
        a.slice.size[i] = 1 + throw_of(r->d, (int)((back ? first : extent - 1 - first) / step) + 1);
    }
    return graph_op(r->g, OP_SLICE, "slice", &a, &x, 1);
}

static inline value_id any_pad(random_graph *r, value_id x)
{
    attrs a = {.pad = {.mode = (pad_mode)throw_of(r->d, 4), .value = 0.5f}};
    for (int i = 0; i < shape_at(r, x)->rank; i++) {
        a.pad.before[i] = throw_of(r->d, 3);
        a.pad.after[i] = throw_of(r->d, 3);
    }
    return graph_op(r->g, OP_PAD, "pad", &a, &x, 1);
}

static inline value_id any_resize(random_graph *r, value_id x)
{
    attrs a = {.resize = {.mode = (resize_mode)throw_of(r->d, 2), .coordinates = (resize_coordinates)throw_of(r->d, 4),
                          .round = RESIZE_FLOOR, .size = {1 + throw_of(r->d, 16), 1 + throw_of(r->d, 16)}}};
    return graph_op(r->g, OP_RESIZE, "resize", &a, &x, 1);
}

static inline value_id any_transpose(random_graph *r, value_id x)
{
    const int rank = shape_at(r, x)->rank;
    attrs     a = {0};
    for (int i = 0; i < rank; i++)
        a.transpose.perm[i] = i;
    for (int i = rank - 1; i > 0; i--) {
        const int k = throw_of(r->d, i + 1), was = a.transpose.perm[i];
        a.transpose.perm[i] = a.transpose.perm[k];
        a.transpose.perm[k] = was;
    }
    return graph_op(r->g, OP_TRANSPOSE, "transpose", &a, &x, 1);
}

/* Joins two axes, or splits one. */
static inline value_id any_reshape(random_graph *r, value_id x)
{
    const shape *s = shape_at(r, x);
    shape        to = {.rank = 0};
    if (s->rank < 2)
        return -1;
    const int at = throw_of(r->d, s->rank - 1);
    const bool joins = throw_of(r->d, 2) || s->rank > 4;
    for (int i = 0; i < s->rank; i++) {
        if (joins && i == at + 1) {
            to.dim[to.rank - 1] *= s->dim[i];
        } else if (!joins && i == at && s->dim[i] % 2 == 0) {
            to.dim[to.rank++] = 2;
            to.dim[to.rank++] = s->dim[i] / 2;
        } else {
            to.dim[to.rank++] = s->dim[i];
        }
    }
    return graph_op(r->g, OP_RESHAPE, "reshape", &(attrs){.reshape.shape = to}, &x, 1);
}

static inline value_id any_reduce(random_graph *r, value_id x)
{
    static const reduce_kind kinds[] = {REDUCE_MEAN, REDUCE_MEAN, REDUCE_SUM, REDUCE_MAX, REDUCE_MIN, REDUCE_L1};
    const int                rank = shape_at(r, x)->rank;
    const uint32_t           axes = rank == 4 && throw_of(r->d, 2) ? 6u : 1u << throw_of(r->d, rank ? rank : 1);
    if (rank == 0)
        return -1;
    return graph_op(r->g, OP_REDUCE, "reduce",
                    &(attrs){.reduce = {.kind = kinds[throw_of(r->d, 6)], .axes = axes, .keepdims = throw_of(r->d, 3) > 0}},
                    &x, 1);
}

static inline value_id any_product(random_graph *r, value_id x)
{
    const shape *s = shape_at(r, x);
    if (s->rank < 2)
        return -1;
    const int64_t in = s->dim[s->rank - 1], out = 1 + throw_of(r->d, 20);
    const shape   w = SHAPE(in, out);
    const value_id slots[2] = {x, weights(r, &w, in)};
    if (throw_of(r->d, 3) == 0)
        return graph_op(r->g, OP_MATMUL, "matmul", NULL, slots, 2);
    return graph_op(r->g, OP_DENSE, "dense", &(attrs){.dense = {in, out, {.o = 1, .i = out}}}, slots, 2);
}

static inline value_id any_norm(random_graph *r, value_id x)
{
    const shape *s = shape_at(r, x);
    const int    kind = throw_of(r->d, 4);
    if (s->rank < 2)
        return -1;
    const shape c = SHAPE(s->dim[s->rank - 1]);
    attrs       a = {.norm = {.epsilon = 0.05f, .axis = s->rank - 1}};
    if (kind == 0)
        return graph_op(r->g, OP_LAYER_NORM, "layer_norm", &a, &x, 1);
    if (kind == 1)
        return graph_op(r->g, OP_LRN, "lrn", &(attrs){.lrn = {1 + throw_of(r->d, 5), 0.1f, 0.75f, 1}}, &x, 1);
    value_id in[5] = {x, test_const(r->g, "scale", &c), test_const(r->g, "bias", &c), test_const(r->g, "mean", &c), -1};
    if (kind == 2)
        return graph_op(r->g, OP_INSTANCE_NORM, "instance_norm", &a, in, 3);
    in[4] = test_const(r->g, "variance", &c);
    for (int64_t i = 0; in[4] >= 0 && i < c.dim[0]; i++)
        graph_const_data(r->g, in[4])[i] = 0.5f + fabsf(graph_const_data(r->g, in[4])[i]);
    return graph_op(r->g, OP_BATCH_NORM, "batch_norm", &a, in, 5);
}

static inline value_id any_softmax(random_graph *r, value_id x)
{
    const int rank = shape_at(r, x)->rank;
    if (rank == 0)
        return -1;
    return graph_op(r->g, OP_SOFTMAX, "softmax", &(attrs){.softmax.axis = throw_of(r->d, rank)}, &x, 1);
}

static inline value_id any_gather(random_graph *r, value_id x)
{
    const shape *s = shape_at(r, x), many = SHAPE(1 + throw_of(r->d, 9));
    if (s->rank == 0)
        return -1;
    const int axis = throw_of(r->d, s->rank);
    const int extent = (int)s->dim[axis];
    const value_id index = graph_const(r->g, "index", DT_I64, &many, NULL, true);
    for (int64_t i = 0; index >= 0 && i < many.dim[0]; i++)
        ((int64_t *)graph_const_data(r->g, index))[i] = throw_of(r->d, extent);
    return graph_op(r->g, OP_GATHER, "gather", &(attrs){.gather.axis = axis}, (value_id[]){x, index}, 2);
}

/* ---------------------------------------------------------------- what networks are made of, so that fusion meets it */

static inline value_id add_relu(random_graph *r, value_id x)
{
    return x < 0 ? -1 : graph_op(r->g, OP_UNARY, "relu6", &(attrs){.unary.f = {ACT_CLAMP, 0, 6}}, &x, 1);
}

static inline value_id inverted_residual(random_graph *r, value_id x)
{
    const shape *s = shape_at(r, x);
    if (s->rank != 4)
        return -1;
    const int  in = (int)s->dim[3], k = throw_of(r->d, 2) ? 3 : 5, out = throw_of(r->d, 2) ? in : 1 + throw_of(r->d, 16);
    value_id   y = add_relu(r, add_conv(r, x, (conv_wish){1, 1, 2 * in, false}));
    y = y < 0 ? -1 : add_relu(r, add_conv(r, y, (conv_wish){k, k, 0, true}));
    y = y < 0 ? -1 : add_conv(r, y, (conv_wish){1, 1, out, false});
    if (y >= 0 && shape_equal(shape_at(r, x), shape_at(r, y)))
        y = graph_op(r->g, OP_BINARY, "add", NULL, (value_id[]){y, x}, 2);
    return y;
}

static inline value_id spatial_pair(random_graph *r, value_id x)
{
    const int k = 3 + 2 * throw_of(r->d, 2), out = 1 + throw_of(r->d, 16);
    value_id  y = shape_at(r, x)->rank == 4 ? add_conv(r, x, (conv_wish){k, 1, out, false}) : -1;
    if (y >= 0 && throw_of(r->d, 2))
        y = add_unary(r, y);
    return y < 0 ? -1 : add_conv(r, y, (conv_wish){1, k, out, false});
}

static inline value_id squeeze_excite(random_graph *r, value_id x)
{
    if (shape_at(r, x)->rank != 4)
        return -1;
    const int c = (int)shape_at(r, x)->dim[3];
    value_id  y = graph_op(r->g, OP_REDUCE, "mean", &(attrs){.reduce = {REDUCE_MEAN, 6, true}}, &x, 1);
    y = y < 0 ? -1 : add_relu(r, add_conv(r, y, (conv_wish){1, 1, 1 + c / 2, false}));
    y = y < 0 ? -1 : add_conv(r, y, (conv_wish){1, 1, c, false});
    y = y < 0 ? -1 : graph_op(r->g, OP_UNARY, "gate", &(attrs){.unary.f = {ACT_SIGMOID, 0, 0}}, &y, 1);
    return y < 0 ? -1 : graph_op(r->g, OP_BINARY, "excite", &(attrs){.binary.kind = BINARY_MUL}, (value_id[]){x, y}, 2);
}

static inline void add_any(random_graph *r)
{
    static value_id (*const makers[])(random_graph *, value_id) = {
        any_conv,   any_conv,      any_conv,      any_conv_transpose, any_pool,    add_unary,         add_unary,
        any_binary, any_binary,    any_concat,    any_slice,          any_pad,     any_resize,        any_transpose,
        any_reduce, any_reshape,   any_product,   any_norm,           any_softmax, any_gather,        inverted_residual,
        spatial_pair, squeeze_excite, any_norm};
    const value_id x = any_value(r);
    keep(r, makers[throw_of(r->d, (int)(sizeof makers / sizeof makers[0]))](r, x));
}

/* What nothing reads becomes an output, and one value more. NULL when memory is out. */
static inline graph *make_random_graph(dice *d)
{
    random_graph r = {.d = d};
    if (graph_create("random", &r.g) != SEPCL_OK)
        return NULL;
    const int n_inputs = 1 + throw_of(d, 2), n_nodes = 1 + throw_of(d, 12);
    for (int i = 0; i < n_inputs; i++) {
        const shape s = SHAPE(1 + (throw_of(d, 4) == 0), 1 + throw_of(d, 10), 1 + throw_of(d, 10), 1 + throw_of(d, 20));
        keep(&r, graph_input(r.g, i ? "z" : "x", DT_F32, &s));
    }
    for (int i = 0; i < n_nodes; i++)
        add_any(&r);
    for (int i = n_inputs; i < r.n; i++)
        if (graph_uses(r.g, r.values[i]) == 0)
            graph_output(r.g, r.values[i]);
    if (r.g->n_outputs == 0 || throw_of(d, 4) == 0) {
        const value_id v = any_value(&r);
        if (!r.g->values[v].is_output)
            graph_output(r.g, v);
    }
    return r.g;
}

#endif
