/* SPDX-License-Identifier: Apache-2.0 */
/* The graph's ops in terms of ONNX. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "import/onnx_write.h"
#include "ops/conv_part.h"

/* ------------------------------------------------------------------ results */

static const char *base_of(const writer *w, const node *n)
{
    return w->g->values[n->out[0]].name;
}

static status made(writer *w, const node *n, const char *name, bool second)
{
    (second ? w->second : w->plain)[n->out[0]] = name;
    return SEPCL_OK;
}

static int rank_of(const writer *w, value_id v)
{
    return w->g->values[v].shape.rank;
}

/* Axis of the graph in a value with channels second. */
static int64_t second_axis(int axis)
{
    static const int to[] = {0, 2, 3, 1};
    return to[axis];
}

static value_id input_of(const node *n, int slot)
{
    return slot < n->n_in ? n->in[slot] : -1;
}

/* A constant of one element a channel. */
static const char *put_vector(writer *w, value_id v)
{
    return writer_plain(w, v);
}

/* ------------------------------------------------------------------ convolutions and products */

static void put_window(wire_out *m, const attr_conv *a)
{
    onnx_put_pairs(m, "dilations", a->dilation, 2, 2);
    onnx_put_int(m, "group", a->group);
    onnx_put_pairs(m, "kernel_shape", a->kernel, 2, 2);
    onnx_put_pairs(m, "pads", a->pad, 4, 2);
    onnx_put_pairs(m, "strides", a->stride, 2, 2);
}

/* Convolutions as they are read have neither a factor nor a residual. */
static status put_conv_node(writer *w, const node *n, const char *op, const char *weights)
{
    const char *in[] = {writer_second(w, n->in[CONV_X]), weights, ""};
    const int   n_in = input_of(n, CONV_B) >= 0 ? 3 : 2;
    NEED(input_of(n, CONV_SCALE) < 0 && input_of(n, CONV_RES) < 0, "it has been changed by a pass");
    if (n_in == 3)
        in[2] = put_vector(w, n->in[CONV_B]);
    writer_node m = writer_begin(op, in, n_in);
    put_window(&m.m, &n->a.conv);
    if (n->op == OP_CONV_TRANSPOSE)
        onnx_put_pairs(&m.m, "output_padding", n->a.conv.out_pad, 2, 2);
    return made(w, n, writer_end(w, &m, base_of(w, n)), true);
}

static status put_conv(writer *w, const node *n)
{
    const node_view v = {w->g, n};
    conv_part       c;
    TRY(conv_part_of(&v, &c));
    const int64_t dims[] = {c.a.out_channels, c.ci, c.a.kernel[0], c.a.kernel[1]};
    const char   *weights = writer_floats(w, w->g->values[n->in[CONV_W]].name, c.w, dims, 4);
    conv_part_free(&c);
    return put_conv_node(w, n, "Conv", weights);
}

/* [input channels][output channels of a group][kernel height][kernel width] */
static status put_conv_transpose(writer *w, const node *n)
{
    const attr_conv *a = &n->a.conv;
    const value     *v = &w->g->values[n->in[CONV_W]];
    const int64_t    ci = w->g->values[n->in[CONV_X]].shape.dim[3], co = a->out_channels / a->group;
    const int64_t    dims[] = {ci, co, a->kernel[0], a->kernel[1]};
    float           *data = malloc((size_t)(ci * co * dims[2] * dims[3]) * sizeof *data), *to = data;
    if (!data)
        return fail_memory((size_t)(ci * co * dims[2] * dims[3]) * sizeof *data, v->name);
    for (int64_t i = 0; i < ci; i++)
        for (int64_t o = 0; o < co; o++)
            for (int64_t y = 0; y < dims[2]; y++)
                for (int64_t x = 0; x < dims[3]; x++)
                    *to++ = data_float(v->type, v->data, o * a->w.o + i * a->w.i + y * a->w.h + x * a->w.w);
    const char *weights = writer_floats(w, v->name, data, dims, 4);
    free(data);
    return put_conv_node(w, n, "ConvTranspose", weights);
}

/* MatMul with [in][out] weights, then Add. */
static status put_dense(writer *w, const node *n)
{
    const attr_dense *a = &n->a.dense;
    const value      *v = &w->g->values[n->in[CONV_W]];
    const int64_t     dims[] = {a->in_features, a->out_features};
    float            *data = malloc((size_t)(dims[0] * dims[1]) * sizeof *data);
    if (!data)
        return fail_memory((size_t)(dims[0] * dims[1]) * sizeof *data, v->name);
    for (int64_t k = 0; k < dims[0]; k++)
        for (int64_t o = 0; o < dims[1]; o++)
            data[k * dims[1] + o] = data_float(v->type, v->data, o * a->w.o + k * a->w.i);
    const char *in[] = {writer_plain(w, n->in[CONV_X]), writer_floats(w, v->name, data, dims, 2)};
    free(data);
    const char *y = writer_op(w, "MatMul", in, 2, base_of(w, n));
    if (input_of(n, CONV_SCALE) >= 0) {
        const char *product[] = {y, put_vector(w, n->in[CONV_SCALE])};
        y = writer_op(w, "Mul", product, 2, base_of(w, n));
    }
    if (input_of(n, CONV_B) >= 0) {
        const char *sum[] = {y, put_vector(w, n->in[CONV_B])};
        y = writer_op(w, "Add", sum, 2, base_of(w, n));
    }
    if (input_of(n, CONV_RES) >= 0) {
        const char *sum[] = {y, writer_plain(w, n->in[CONV_RES])};
        y = writer_op(w, "Add", sum, 2, base_of(w, n));
    }
    return made(w, n, y, false);
}

static status put_product(writer *w, const node *n)
{
    const char *in[2];
    for (int i = 0; i < 2; i++)
        in[i] = writer_plain(w, n->in[i]);
    NEED(input_of(n, 2) < 0, "it has been changed by a pass");
    return made(w, n, writer_op(w, "MatMul", in, 2, base_of(w, n)), false);
}

/* ------------------------------------------------------------------ pools and reductions */

/* Standard and runtimes count the windows of ceil_mode in different ways: so the padding that just holds all windows is
   written instead. False: elements of the kernel beyond the own padding count in an average. */
static bool pool_pads(const writer *w, const node *n, int pad[4])
{
    const attr_pool *a = &n->a.pool;
    bool             same = true;
    memcpy(pad, a->pad, sizeof a->pad);
    for (int i = 0; i < 2 && a->ceil_mode; i++) {
        const int64_t in = w->g->values[n->in[0]].shape.dim[1 + i], out = w->g->values[n->out[0]].shape.dim[1 + i];
        const int64_t end =
            (out - 1) * a->stride[i] + (int64_t)(a->kernel[i] - 1) * a->dilation[i] + 1 - in - a->pad[i];
        pad[2 + i] = (int)i64_max(end, 0);
        same &= a->kind != POOL_AVERAGE || !a->count_include_pad || end <= a->pad[2 + i];
    }
    return same;
}

static status put_pool(writer *w, const node *n)
{
    static const char *const ops[] = {"MaxPool", "AveragePool", "LpPool"};
    const attr_pool         *a = &n->a.pool;
    const bool               dilated = a->dilation[0] > 1 || a->dilation[1] > 1;
    NEED(!dilated || a->kind == POOL_MAX, "opset %d has no dilations for it", ONNX_WRITE_OPSET);
    int pad[4];
    NEED(pool_pads(w, n, pad), "an average over ceil_mode's last window is not told alike everywhere");
    const char *in = writer_second(w, n->in[0]);
    writer_node m = writer_begin(ops[a->kind], &in, 1);
    onnx_put_pairs(&m.m, "kernel_shape", a->kernel, 2, 2);
    onnx_put_pairs(&m.m, "pads", pad, 4, 2);
    onnx_put_pairs(&m.m, "strides", a->stride, 2, 2);
    if (dilated)
        onnx_put_pairs(&m.m, "dilations", a->dilation, 2, 2);
    if (a->kind == POOL_AVERAGE)
        onnx_put_int(&m.m, "count_include_pad", a->count_include_pad);
    if (a->kind == POOL_LP)
        onnx_put_int(&m.m, "p", (int64_t)a->p);
    return made(w, n, writer_end(w, &m, base_of(w, n)), true);
}

static status put_reduce(writer *w, const node *n)
{
    static const char *const ops[] = {"ReduceMean", "ReduceSum", "ReduceMax", "ReduceMin",
                                      "ReduceProd", "ReduceL1",  "ReduceL2",  "ReduceSumSquare"};
    const attr_reduce       *a = &n->a.reduce;
    const bool               second = a->keepdims && rank_of(w, n->in[0]) == 4 && writer_prefers_second(w, n->in[0]);
    const char              *in[] = {second ? writer_second(w, n->in[0]) : writer_plain(w, n->in[0]), ""};
    int64_t                  axes[MAX_RANK];
    int                      count = 0;
    for (int i = 0; i < rank_of(w, n->in[0]); i++)
        if (a->axes >> i & 1)
            axes[count++] = second ? second_axis(i) : i;
    if (a->kind == REDUCE_SUM)
        in[1] = writer_whole(w, "axes", axes, count);
    writer_node m = writer_begin(ops[a->kind], in, a->kind == REDUCE_SUM ? 2 : 1);
    if (a->kind != REDUCE_SUM)
        onnx_put_ints(&m.m, "axes", axes, count);
    onnx_put_int(&m.m, "keepdims", a->keepdims);
    return made(w, n, writer_end(w, &m, base_of(w, n)), second);
}

/* ------------------------------------------------------------------ element by element */

static const char *put_pair(writer *w, const char *op, const char *a, const char *b, const char *base)
{
    const char *in[] = {a, b};
    return writer_op(w, op, in, 2, base);
}

static const char *put_one(writer *w, const char *op, const char *a, const char *base)
{
    return writer_op(w, op, &a, 1, base);
}

/* An op with up to two float attributes. */
static const char *put_with(writer *w, const char *op, const char *x, const char *base, const char *name_a, float a,
                            const char *name_b, float b)
{
    writer_node n = writer_begin(op, &x, 1);
    onnx_put_float(&n.m, name_a, a);
    if (name_b)
        onnx_put_float(&n.m, name_b, b);
    return writer_end(w, &n, base);
}

static const char *put_clamp(writer *w, const act *f, const char *x, const char *base)
{
    if (f->a == 0 && isinf(f->b))
        return put_one(w, "Relu", x, base);
    const char *in[] = {x, isinf(f->a) ? "" : writer_number(w, f->a), isinf(f->b) ? "" : writer_number(w, f->b)};
    return writer_op(w, "Clip", in, 3, base);
}

/* x / 2 (1 + g) */
static const char *put_gelu_end(writer *w, const char *x, const char *g, const char *base)
{
    const char *sum = put_pair(w, "Add", g, writer_number(w, 1), base);
    return put_pair(w, "Mul", put_pair(w, "Mul", x, writer_number(w, 0.5f), base), sum, base);
}

static const char *put_gelu_tanh(writer *w, const char *x, const char *base)
{
    const char *square = put_pair(w, "Mul", x, x, base);
    const char *inner =
        put_pair(w, "Add", put_pair(w, "Mul", square, writer_number(w, 0.044715f), base), writer_number(w, 1), base);
    const char *outer =
        put_pair(w, "Mul", put_pair(w, "Mul", x, inner, base), writer_number(w, 0.79788456080286536f), base);
    return put_gelu_end(w, x, put_one(w, "Tanh", outer, base), base);
}

static const char *put_swish(writer *w, const act *f, const char *x, const char *base)
{
    const char *inner = f->a == 1 ? x : put_pair(w, "Mul", x, writer_number(w, f->a), base);
    return put_pair(w, "Mul", x, put_one(w, "Sigmoid", inner, base), base);
}

static const char *put_affine(writer *w, const act *f, const char *x, const char *base)
{
    return put_pair(w, "Add", put_pair(w, "Mul", x, writer_number(w, f->a), base), writer_number(w, f->b), base);
}

/* ONNX's op of the same name and no attributes; NULL. */
static const char *plain_act(act_kind k)
{
    static const char *const names[ACT_COUNT] = {
        [ACT_NONE] = "Identity",     [ACT_SIGMOID] = "Sigmoid",   [ACT_TANH] = "Tanh",
        [ACT_SOFTPLUS] = "Softplus", [ACT_SOFTSIGN] = "Softsign", [ACT_EXP] = "Exp",
        [ACT_LOG] = "Log",           [ACT_SQRT] = "Sqrt",         [ACT_RECIPROCAL] = "Reciprocal",
        [ACT_ERF] = "Erf",           [ACT_ABS] = "Abs",           [ACT_NEG] = "Neg",
        [ACT_SIGN] = "Sign",         [ACT_FLOOR] = "Floor",       [ACT_CEIL] = "Ceil",
        [ACT_ROUND] = "Round",       [ACT_SIN] = "Sin",           [ACT_COS] = "Cos",
    };
    return names[k];
}

/* NULL: there is none. */
static const char *put_act(writer *w, const act *f, const char *x, const char *base)
{
    if (plain_act(f->kind))
        return put_one(w, plain_act(f->kind), x, base);
    switch (f->kind) {
    case ACT_CLAMP:
        return put_clamp(w, f, x, base);
    case ACT_LEAKY:
        return put_with(w, "LeakyRelu", x, base, "alpha", f->a, NULL, 0);
    case ACT_HARD_SIGMOID:
        return put_with(w, "HardSigmoid", x, base, "alpha", f->a, "beta", f->b);
    case ACT_HARD_SWISH:
        return put_pair(w, "Mul", x, put_with(w, "HardSigmoid", x, base, "alpha", f->a, "beta", f->b), base);
    case ACT_ELU:
        return put_with(w, "Elu", x, base, "alpha", f->a, NULL, 0);
    case ACT_SELU:
        return put_with(w, "Selu", x, base, "alpha", f->a, "gamma", f->b);
    case ACT_CELU:
        return put_with(w, "Celu", x, base, "alpha", f->a, NULL, 0);
    case ACT_SWISH:
        return put_swish(w, f, x, base);
    case ACT_MISH:
        return put_pair(w, "Mul", x, put_one(w, "Tanh", put_one(w, "Softplus", x, base), base), base);
    case ACT_GELU:
        return put_gelu_end(
            w, x, put_one(w, "Erf", put_pair(w, "Mul", x, writer_number(w, 0.70710678118654752f), base), base), base);
    case ACT_GELU_TANH:
        return put_gelu_tanh(w, x, base);
    case ACT_THRESHOLD:
        return put_with(w, "ThresholdedRelu", x, base, "alpha", f->a, NULL, 0);
    case ACT_SHRINK:
        return put_with(w, "Shrink", x, base, "lambd", f->a, "bias", f->b);
    case ACT_AFFINE:
        return put_affine(w, f, x, base);
    default:
        return NULL;
    }
}

static status put_unary(writer *w, const node *n, const act *f)
{
    const bool  second = writer_prefers_second(w, n->in[0]);
    const char *y = put_act(w, f, second ? writer_second(w, n->in[0]) : writer_plain(w, n->in[0]), base_of(w, n));
    NEED(y, "ONNX has nothing for %s", act_name(f->kind));
    return made(w, n, y, second);
}

/* With channels second where both are of four dimensions, or constants, and at least one is on hand so only. */
static status put_binary(writer *w, const node *n)
{
    static const char *const ops[] = {"Add", "Sub", "Mul", "Div", "Pow", "Min", "Max", "PRelu"};
    bool                     second = false, may = rank_of(w, n->out[0]) == 4;
    for (int i = 0; i < 2; i++) {
        const value *v = &w->g->values[n->in[i]];
        second |= !v->data && writer_prefers_second(w, n->in[i]);
        may &= v->data || v->shape.rank == 4;
    }
    second &= may;
    NEED(n->a.binary.kind != BINARY_PRELU || shape_equal(&w->g->values[n->in[0]].shape, &w->g->values[n->out[0]].shape),
         "ONNX broadcasts its slopes only");
    const char *in[2];
    for (int i = 0; i < 2; i++)
        in[i] = second ? writer_second(w, n->in[i]) : writer_plain(w, n->in[i]);
    return made(w, n, writer_op(w, ops[n->a.binary.kind], in, 2, base_of(w, n)), second);
}

/* ------------------------------------------------------------------ normalisation */

/* On images and rows of features as itself; on others as a product and a sum by channel. */
static status put_batch_norm(writer *w, const node *n)
{
    const int rank = rank_of(w, n->in[0]);
    if (rank == 4 || rank == 2) {
        const char *in[5] = {rank == 4 ? writer_second(w, n->in[0]) : writer_plain(w, n->in[0])};
        for (int i = 1; i < 5; i++)
            in[i] = put_vector(w, n->in[i]);
        writer_node m = writer_begin("BatchNormalization", in, 5);
        onnx_put_float(&m.m, "epsilon", n->a.norm.epsilon);
        return made(w, n, writer_end(w, &m, base_of(w, n)), rank == 4);
    }
    const value *v[5];
    for (int i = 1; i < 5; i++)
        v[i] = &w->g->values[n->in[i]];
    const int64_t c = shape_count(&v[1]->shape);
    float        *f = calloc((size_t)(2 * c) + 1, sizeof *f);
    if (!f)
        return fail_memory((size_t)(2 * c) * sizeof *f, n->name);
    for (int64_t i = 0; i < c; i++) {
        double p[5];
        for (int k = 1; k < 5; k++)
            p[k] = data_float(v[k]->type, v[k]->data, i);
        const double factor = p[1] / sqrt(p[4] + (double)n->a.norm.epsilon);
        f[i] = (float)factor;
        f[c + i] = (float)(p[2] - p[3] * factor);
    }
    const char *scale = writer_floats(w, v[1]->name, f, &c, 1), *shift = writer_floats(w, v[2]->name, f + c, &c, 1);
    free(f);
    const char *y = put_pair(w, "Mul", writer_plain(w, n->in[0]), scale, base_of(w, n));
    return made(w, n, put_pair(w, "Add", y, shift, base_of(w, n)), false);
}

static status put_instance_norm(writer *w, const node *n)
{
    NEED(rank_of(w, n->in[0]) == 4, "it is of %d dimensions; 4 are written", rank_of(w, n->in[0]));
    const char *in[] = {writer_second(w, n->in[0]), put_vector(w, n->in[1]), put_vector(w, n->in[2])};
    writer_node m = writer_begin("InstanceNormalization", in, 3);
    onnx_put_float(&m.m, "epsilon", n->a.norm.epsilon);
    return made(w, n, writer_end(w, &m, base_of(w, n)), true);
}

/* The factor has to be there. */
static const char *put_ones(writer *w, const shape *s, int axis)
{
    const int64_t n = shape_product(s, axis, s->rank);
    float        *ones = malloc((size_t)i64_max(n, 1) * sizeof *ones);
    if (!ones) {
        w->out_of_memory = true;
        return "";
    }
    for (int64_t i = 0; i < n; i++)
        ones[i] = 1;
    const char *name = writer_floats(w, "ones", ones, s->dim + axis, s->rank - axis);
    free(ones);
    return name;
}

static status put_layer_norm(writer *w, const node *n)
{
    const value *x = &w->g->values[n->in[0]];
    const char  *in[] = {writer_plain(w, n->in[0]), "", ""};
    in[1] = input_of(n, 1) >= 0 ? writer_plain(w, n->in[1]) : put_ones(w, &x->shape, n->a.norm.axis);
    const bool bias = input_of(n, 2) >= 0;
    if (bias)
        in[2] = writer_plain(w, n->in[2]);
    writer_node m = writer_begin("LayerNormalization", in, bias ? 3 : 2);
    onnx_put_int(&m.m, "axis", n->a.norm.axis);
    onnx_put_float(&m.m, "epsilon", n->a.norm.epsilon);
    return made(w, n, writer_end(w, &m, base_of(w, n)), false);
}

static status put_lrn(writer *w, const node *n)
{
    const attr_lrn *a = &n->a.lrn;
    NEED(rank_of(w, n->in[0]) == 4, "it is of %d dimensions; 4 are written", rank_of(w, n->in[0]));
    const char *in = writer_second(w, n->in[0]);
    writer_node m = writer_begin("LRN", &in, 1);
    onnx_put_int(&m.m, "size", a->size);
    onnx_put_float(&m.m, "alpha", a->alpha);
    onnx_put_float(&m.m, "beta", a->beta);
    onnx_put_float(&m.m, "bias", a->bias);
    return made(w, n, writer_end(w, &m, base_of(w, n)), true);
}

static status put_softmax(writer *w, const node *n)
{
    const char *in = writer_plain(w, n->in[0]);
    writer_node m = writer_begin(n->a.softmax.log ? "LogSoftmax" : "Softmax", &in, 1);
    onnx_put_int(&m.m, "axis", n->a.softmax.axis);
    return made(w, n, writer_end(w, &m, base_of(w, n)), false);
}

/* ------------------------------------------------------------------ moving */

static status put_concat(writer *w, const node *n)
{
    bool         second = rank_of(w, n->out[0]) == 4, some = false;
    const char **in = arena_array(&w->memory, (size_t)n->n_in, sizeof *in);
    if (!in)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < n->n_in; i++)
        some |= writer_prefers_second(w, n->in[i]);
    second &= some;
    for (int i = 0; i < n->n_in; i++)
        in[i] = second ? writer_second(w, n->in[i]) : writer_plain(w, n->in[i]);
    writer_node m = writer_begin("Concat", in, n->n_in);
    onnx_put_int(&m.m, "axis", second ? second_axis(n->a.concat.axis) : n->a.concat.axis);
    return made(w, n, writer_end(w, &m, base_of(w, n)), second);
}

static status put_slice(writer *w, const node *n)
{
    const attr_slice *a = &n->a.slice;
    const int         rank = rank_of(w, n->in[0]);
    int64_t           end[MAX_RANK];
    for (int i = 0; i < rank; i++) {
        end[i] = a->start[i] + a->size[i] * a->step[i];
        if (a->step[i] < 0 && end[i] < 0)
            end[i] = INT32_MIN; /* a small negative one would count from the end */
    }
    const char *in[] = {writer_plain(w, n->in[0]), writer_whole(w, "starts", a->start, rank),
                        writer_whole(w, "ends", end, rank), "", writer_whole(w, "steps", a->step, rank)};
    return made(w, n, writer_op(w, "Slice", in, 5, base_of(w, n)), false);
}

static status put_pad(writer *w, const node *n)
{
    static const char *const modes[] = {"constant", "reflect", "edge", NULL};
    const attr_pad          *a = &n->a.pad;
    const int                rank = rank_of(w, n->in[0]);
    const bool               second = rank == 4 && writer_prefers_second(w, n->in[0]);
    int64_t                  pads[2 * MAX_RANK];
    NEED(modes[a->mode], "opset %d has no padding by wrapping", ONNX_WRITE_OPSET);
    for (int i = 0; i < rank; i++) {
        const int64_t to = second ? second_axis(i) : i;
        pads[to] = a->before[i];
        pads[rank + to] = a->after[i];
    }
    const char *in[] = {second ? writer_second(w, n->in[0]) : writer_plain(w, n->in[0]),
                        writer_whole(w, "pads", pads, 2 * rank), writer_number(w, a->value)};
    writer_node m = writer_begin("Pad", in, 3);
    onnx_put_text(&m.m, "mode", (wire_bytes){(const uint8_t *)modes[a->mode], strlen(modes[a->mode])});
    return made(w, n, writer_end(w, &m, base_of(w, n)), second);
}

static void put_word(wire_out *m, const char *name, const char *word)
{
    onnx_put_text(m, name, (wire_bytes){(const uint8_t *)word, strlen(word)});
}

/* The output's size decides where that is what the scale says; else the scale. */
static status put_resize(writer *w, const node *n)
{
    static const char *const coordinates[] = {"half_pixel", "pytorch_half_pixel", "align_corners", "asymmetric", NULL,
                                              NULL};
    static const char *const rounds[] = {"round_prefer_floor", "round_prefer_ceil", "floor", "ceil"};
    const attr_resize       *a = &n->a.resize;
    const shape             *s = &w->g->values[n->in[0]].shape;
    const int64_t            sizes[] = {s->dim[0], s->dim[3], a->size[0], a->size[1]};
    const float              scales[] = {1, 1, (float)a->scale[0], (float)a->scale[1]};
    const int64_t            four = 4;
    const bool               by_size = fabs(a->scale[0] * (double)s->dim[1] - (double)a->size[0]) < 1e-6 &&
                         fabs(a->scale[1] * (double)s->dim[2] - (double)a->size[1]) < 1e-6;
    /* the middle of a pixel, rounded down, is half a pixel less, rounded half up */
    const bool  tf = a->coordinates == RESIZE_TF_HALF_PIXEL_NN && a->mode == RESIZE_NEAREST && a->round == RESIZE_FLOOR;
    const char *coordinate = tf ? "half_pixel" : coordinates[a->coordinates];
    const char *in[] = {writer_second(w, n->in[0]), "", "", ""};
    NEED(coordinate, "opset %d has no such coordinates for it", ONNX_WRITE_OPSET);
    for (int i = 0; i < 2 && !by_size; i++)
        NEED((int64_t)floor((double)scales[2 + i] * (double)s->dim[1 + i]) == a->size[i],
             "opset %d does not let it keep the aspect", ONNX_WRITE_OPSET);
    if (by_size)
        in[3] = writer_whole(w, "sizes", sizes, 4);
    else
        in[2] = writer_floats(w, "scales", scales, &four, 1);
    writer_node m = writer_begin("Resize", in, by_size ? 4 : 3);
    put_word(&m.m, "mode", a->mode == RESIZE_NEAREST ? "nearest" : "linear");
    put_word(&m.m, "coordinate_transformation_mode", coordinate);
    if (a->mode == RESIZE_NEAREST)
        put_word(&m.m, "nearest_mode", tf ? "round_prefer_ceil" : rounds[a->round]);
    return made(w, n, writer_end(w, &m, base_of(w, n)), true);
}

static bool is_perm(const attr_transpose *a, int p, int q, int r)
{
    return a->perm[0] == 0 && a->perm[1] == p && a->perm[2] == q && a->perm[3] == r;
}

/* From or to channels second: no node, but a name in the other order. */
static status put_transpose(writer *w, const node *n)
{
    const attr_transpose *a = &n->a.transpose;
    const int             rank = rank_of(w, n->in[0]);
    int64_t               perm[MAX_RANK];
    if (rank == 4 && is_perm(a, 3, 1, 2))
        return made(w, n, writer_second(w, n->in[0]), false);
    if (rank == 4 && is_perm(a, 2, 3, 1))
        return made(w, n, writer_plain(w, n->in[0]), true);
    for (int i = 0; i < rank; i++)
        perm[i] = a->perm[i];
    const char *in = writer_plain(w, n->in[0]);
    writer_node m = writer_begin("Transpose", &in, 1);
    onnx_put_ints(&m.m, "perm", perm, rank);
    return made(w, n, writer_end(w, &m, base_of(w, n)), false);
}

static status put_shaped(writer *w, const node *n, const char *op, const shape *s)
{
    const char *in[] = {writer_plain(w, n->in[0]), writer_whole(w, "shape", s->dim, s->rank)};
    return made(w, n, writer_op(w, op, in, 2, base_of(w, n)), false);
}

/* Indices are whole numbers. */
static status put_gather(writer *w, const node *n)
{
    const value  *v = &w->g->values[n->in[1]];
    const int64_t count = shape_count(&v->shape);
    int64_t      *index = malloc((size_t)i64_max(count, 1) * sizeof *index);
    wire_out      t = {0};
    if (!index)
        return fail_memory((size_t)count * sizeof *index, v->name);
    for (int64_t i = 0; i < count; i++)
        index[i] = data_int(v->type, v->data, i);
    const char *in[] = {writer_plain(w, n->in[0]), writer_name(w, "indices")};
    onnx_put_whole(&t, in[1], v->shape.dim, v->shape.rank, index);
    wire_put_message(&w->tensors, G_INITIALIZER, &t);
    free(index);
    writer_node m = writer_begin("Gather", in, 2);
    onnx_put_int(&m.m, "axis", n->a.gather.axis);
    return made(w, n, writer_end(w, &m, base_of(w, n)), false);
}

/* ------------------------------------------------------------------ all of them */

status writer_put_node(writer *w, const node *n)
{
    static const act none = {ACT_NONE, 0, 0};
    NEED(n->n_out == 1 && !n->n_sub && n->epi.act.kind == ACT_NONE && n->epi.act2.kind == ACT_NONE,
         "it has been changed by a pass");
    switch (n->op) {
    case OP_CONV:
        return put_conv(w, n);
    case OP_CONV_TRANSPOSE:
        return put_conv_transpose(w, n);
    case OP_DENSE:
        return put_dense(w, n);
    case OP_MATMUL:
        return put_product(w, n);
    case OP_POOL:
        return put_pool(w, n);
    case OP_REDUCE:
        return put_reduce(w, n);
    case OP_BINARY:
        return put_binary(w, n);
    case OP_UNARY:
        return put_unary(w, n, &n->a.unary.f);
    case OP_CAST:
        return put_unary(w, n, &none);
    case OP_SOFTMAX:
        return put_softmax(w, n);
    case OP_CONCAT:
        return put_concat(w, n);
    case OP_SLICE:
        return put_slice(w, n);
    case OP_PAD:
        return put_pad(w, n);
    case OP_RESIZE:
        return put_resize(w, n);
    case OP_TRANSPOSE:
        return put_transpose(w, n);
    case OP_RESHAPE:
        return put_shaped(w, n, "Reshape", &n->a.reshape.shape);
    case OP_EXPAND:
        return put_shaped(w, n, "Expand", &n->a.expand.shape);
    case OP_GATHER:
        return put_gather(w, n);
    case OP_LRN:
        return put_lrn(w, n);
    case OP_BATCH_NORM:
        return put_batch_norm(w, n);
    case OP_INSTANCE_NORM:
        return put_instance_norm(w, n);
    case OP_LAYER_NORM:
        return put_layer_norm(w, n);
    default:
        return fail(SEPCL_UNSUPPORTED, "it is not written");
    }
}
