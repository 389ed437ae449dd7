/* SPDX-License-Identifier: Apache-2.0 */
/* What ops refuse and in which words, what they infer and count, and how their rows spread work, without a device. */
#include "ops/broadcast.h" /* before cmocka, which has a macro named fail */
#include "graph_text.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

/* ------------------------------------------------------------------ refusals */

typedef struct refusal {
    op_kind     op;
    attrs       a;
    const char *in[6]; /* shapes of inputs; "-": absent, "c2x3": a constant, "i2x3": constant whole numbers 0, 1, ... */
    const char *words; /* what the sentence has to say */
} refusal;

#define WINDOW(kh, kw, sy, sx) .kernel = {kh, kw}, .stride = {sy, sx}, .dilation = {1, 1}
#define CONV_AT(dy, dx) .kernel = {3, 3}, .stride = {1, 1}, .dilation = {dy, dx}
#define CONV_3x3 CONV_AT(1, 1)
#define SIZED(h, w) .size = {h, w}, .scale = {1, 1}

static const refusal refusals[] = {
    {OP_BINARY, {.binary = {BINARY_ADD}}, {"2x3", "2x4"}, "shapes 2x3 and 2x4 cannot be broadcast"},
    {OP_BINARY, {.binary = {(binary_kind)99}}, {"2", "2"}, "function number 99"},
    {OP_BINARY, {.binary = {BINARY_ADD}}, {"2x3", "3", "3"}, "residual has shape 3, the output 2x3"},
    {OP_REDUCE, {.reduce = {REDUCE_MEAN, 8, true}}, {"2x3x4"}, "axes (as bits 0x8) lie outside the input's 3"},
    {OP_REDUCE, {.reduce = {(reduce_kind)-1, 1, true}}, {"2"}, "reduction number -1"},
    {OP_REDUCE, {.reduce = {REDUCE_MEAN, 2, true}}, {"2x3", "2x3"}, "residual has shape 2x3, the output 2x1"},
    {OP_POOL,
     {.pool = {.kind = POOL_MAX, WINDOW(0, 1, 1, 1)}},
     {"1x4x4x1"},
     "kernel 0, stride 1 and dilation 1 along h"},
    {OP_POOL,
     {.pool = {.kind = POOL_MAX, WINDOW(1, 2, 1, 0)}},
     {"1x4x4x1"},
     "kernel 2, stride 0 and dilation 1 along w"},
    {OP_POOL, {.pool = {.kind = POOL_MAX, WINDOW(5, 5, 1, 1)}}, {"1x4x4x1"}, "window of 5x5"},
    {OP_POOL,
     {.pool = {.kind = POOL_MAX, WINDOW(1, 1, 1, 1), .pad = {0, -1}}},
     {"1x4x4x1"},
     "padding -1 and 0 along w"},
    {OP_POOL, {.pool = {.kind = POOL_MAX, WINDOW(1, 1, 1, 1)}}, {"4x4"}, "3 or 4 dimensions, the input is 4x4"},
    {OP_POOL, {.pool = {.kind = POOL_LP, WINDOW(1, 1, 1, 1), .p = 0}}, {"1x4x4x1"}, "p is 0"},
    {OP_SOFTMAX, {.softmax = {2, false}}, {"2x3"}, "axis 2 lies outside the input's 2"},
    {OP_SOFTMAX, {.softmax = {-1, false}}, {"2x3"}, "axis -1"},
    {OP_LRN, {.lrn = {0, 1, 1, 1}}, {"2x3"}, "size is 0"},
    {OP_LRN, {.lrn = {5, 1, 1, 1}}, {""}, "no dimension of channels"},
    {OP_INSTANCE_NORM, {.norm = {1e-5f, 0}}, {"2x4x4x3", "4", "3"}, "scale has shape 4, but there are 3 channels"},
    {OP_INSTANCE_NORM, {.norm = {1e-5f, 0}}, {"3", "3", "3"}, "shape 3, but needs pictures"},
    {OP_LAYER_NORM, {.norm = {1e-5f, 1}}, {"2x3x4", "-", "4"}, "bias has shape 4, but 12 elements are normalised"},
    {OP_LAYER_NORM, {.norm = {1e-5f, 3}}, {"2x3x4"}, "axis 3 lies outside the input's 3"},
    {OP_MATMUL, {.norm = {0, 0}}, {"2x3", "4x5"}, "3 columns on the left, 4 rows on the right"},
    {OP_MATMUL, {.norm = {0, 0}}, {"2x1x3", "5x3x4x4"}, "3 columns on the left, 4 rows"},
    {OP_MATMUL, {.norm = {0, 0}}, {"2x1x3", "5x3x4"}, "batches cannot be broadcast"},
    {OP_MATMUL, {.norm = {0, 0}}, {"", "3"}, "a scalar has no product"},
    {OP_BATCH_NORM, {.norm = {1e-5f, 0}}, {"", "c3", "c3", "c3", "c3"}, "no dimension of channels"},
    {OP_BATCH_NORM, {.norm = {1e-5f, 0}}, {"2x3", "c3", "c2", "c3", "c3"}, "has shape 2, but there are 3 channels"},
    {OP_CONCAT, {.concat = {2}}, {"2x3", "2x3"}, "axis 2 is outside rank 2"},
    {OP_CONCAT, {.concat = {-1}}, {"2x3", "2x3"}, "axis -1 is outside rank 2"},
    {OP_CONCAT, {.concat = {0}}, {"2x3", "-"}, "input 1 is missing"},
    {OP_CONCAT, {.concat = {0}}, {"2x3", "2x4"}, "input 1 of shape 2x4 can't be joined to 2x3 along axis 0"},
    {OP_CONCAT, {.concat = {0}}, {"2x3", "2"}, "can't be joined"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"4x4x3", "c54"},
     "has shape 4x4x3, but must have four"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 0, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "0 groups do not divide 3 input"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 2, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "2 groups do not divide 3 input"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 3, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "3 groups do not divide 3 input and 2"},
    {OP_CONV, {.conv = {CONV_3x3, .group = 1, .out_channels = 0}}, {"1x4x4x3", "c54"}, "and 0 output channels"},
    {OP_CONV, {.conv = {CONV_3x3, .group = 1, .out_channels = 2}}, {"1x4x4x3", "54"}, "the weights are not a constant"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2, .w = {27, 9, 3, 1}}},
     {"1x4x4x3", "c53"},
     "the weights have 53 elements, but element 53 is needed"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54", "2"},
     "the bias is not a constant"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54", "c3"},
     "the bias has 3 elements, but there are 2 output channels"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54", "-", "2"},
     "the scale is not a constant"},
    {OP_CONV,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54", "-", "c1"},
     "the scale has 1 elements"},
    {OP_CONV,
     {.conv = {WINDOW(0, 3, 1, 1), .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "kernel height 0 is not in 1"},
    {OP_CONV,
     {.conv = {WINDOW(3, 3, 1, 0), .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "stride 0 is not in 1"},
    {OP_CONV, {.conv = {CONV_AT(0, 1), .group = 1, .out_channels = 2}}, {"1x4x4x3", "c54"}, "dilation 0 is not in 1"},
    {OP_CONV,
     {.conv = {CONV_3x3, .pad = {0, 0, -1, 0}, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "padding -1 is not in 0"},
    {OP_CONV,
     {.conv = {WINDOW(5, 5, 1, 1), .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c150"},
     "the 5x5 kernel does not fit into the padded 4x4 input"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"4x4x3", "c54"},
     "must have four dimensions"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .group = 2, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "2 groups do not divide"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .group = 0, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "0 groups do not divide"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "54"},
     "the weights are not a constant"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2, .w = {9, 18, 3, 1}}},
     {"1x4x4x3", "c53"},
     "the weights have 53 elements, but element 53 is needed"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54", "2"},
     "the bias is not a constant"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54", "c3"},
     "the bias has 3 elements"},
    {OP_CONV_TRANSPOSE,
     {.conv = {WINDOW(3, 0, 1, 1), .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "kernel width 0 is not in 1"},
    {OP_CONV_TRANSPOSE,
     {.conv = {WINDOW(3, 3, 0, 1), .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "stride 0 is not in 1"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_AT(1, 0), .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "dilation 0 is not in 1"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .out_pad = {-1, 0}, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "output padding -1 is not in 0"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .pad = {-1}, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "padding -1 is not in 0"},
    {OP_CONV_TRANSPOSE,
     {.conv = {CONV_3x3, .pad = {9, 0, 0, 0}, .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c54"},
     "nothing is left of the"},
    {OP_DENSE, {.dense = {3, 2, {3, 1, 0, 0}}}, {"", "c6"}, "the input is a scalar"},
    {OP_DENSE, {.dense = {4, 2, {4, 1, 0, 0}}}, {"2x3", "c8"}, "shape 2x3 does not end in the weights' 4 features"},
    {OP_DENSE, {.dense = {3, 0, {3, 1, 0, 0}}}, {"2x3", "c8"}, "does not end in the weights' 3 features"},
    {OP_DENSE, {.dense = {3, 2, {3, 1, 0, 0}}}, {"2x3", "6"}, "the weights are not a constant"},
    {OP_EXPAND, {.expand = {{1, {3}}}}, {"2"}, "2 can't be expanded to 3"},
    {OP_EXPAND, {.expand = {{1, {1}}}}, {"2"}, "2 can't be expanded to 1"},
    {OP_GATHER, {.gather = {1}}, {"2", "i2"}, "axis 1 is outside rank 1"},
    {OP_GATHER, {.gather = {0}}, {"2", "2"}, "are not a constant"},
    {OP_GATHER, {.gather = {0}}, {"2", "c2"}, "are float32, and have to be int64 or int32"},
    {OP_GATHER, {.gather = {0}}, {"1x1x1x1x1x1x1x2", "i1x1"}, "the result would have rank 9, above the limit of 8"},
    {OP_GATHER, {.gather = {0}}, {"2", "i3"}, "index 2 is outside axis 0 of extent 2"},
    {OP_GRID_SAMPLE, {.grid_sample = {(sample_mode)3, SAMPLE_ZEROS, false}}, {"1x4x4x2", "1x2x2x2"}, "mode number 3"},
    {OP_GRID_SAMPLE,
     {.grid_sample = {SAMPLE_LINEAR, (sample_outside)3, false}},
     {"1x4x4x2", "1x2x2x2"},
     "padding number 3"},
    {OP_GRID_SAMPLE,
     {.grid_sample = {SAMPLE_LINEAR, SAMPLE_ZEROS, false}},
     {"2x4x4x2", "1x2x2x2"},
     "does not suit an image"},
    {OP_GRID_SAMPLE,
     {.grid_sample = {SAMPLE_LINEAR, SAMPLE_ZEROS, false}},
     {"4x4x2", "1x2x2x2"},
     "does not suit an image"},
    {OP_INSTANCE_NORM, {.norm = {1e-5f, 0}}, {"2x0x4x3", "3", "3"}, "and no pixels"},
    {OP_PAD, {.pad = {.mode = (pad_mode)5}}, {"2"}, "pad mode number 5 is unknown"},
    {OP_PAD, {.pad = {.before = {-1}}}, {"2"}, "axis 0"},
    {OP_PAD, {.pad = {.mode = PAD_EDGE, .after = {1}}}, {"0x2"}, "axis 0 has no element to pad"},
    {OP_POOL, {.pool = {.kind = (pool_kind)7, WINDOW(1, 1, 1, 1)}}, {"1x4x4x1"}, "pooling number 7 is unknown"},
    {OP_POOL,
     {.pool = {.kind = POOL_MAX, WINDOW(2, 1, 1, 1), .pad = {1, 0, 1, 0}}},
     {"1x4x1"},
     "a window of height 2 on an input without height"},
    {OP_POOL,
     {.pool = {.kind = POOL_MAX, .kernel = {1, 3}, .stride = {1, 1}, .dilation = {1, INT32_MAX / 4}}},
     {"1x4x4x1"},
     "along w"},
    {OP_RESAMPLE, {.resample = {2}}, {"2x3", "i2x1", "c2x1"}, "axis 2 is outside rank 2"},
    {OP_RESAMPLE, {.resample = {1}}, {"2x3", "2x1", "c2x1"}, "the tables are not constants"},
    {OP_RESAMPLE, {.resample = {1}}, {"2x3", "i2x1", "2x1"}, "the tables are not constants"},
    {OP_RESAMPLE, {.resample = {1}}, {"2x3", "c2x1", "c2x1"}, "indices and weights are not tables of one size"},
    {OP_RESHAPE, {.reshape = {{1, {4}}}}, {"2x3"}, "2x3 (6 elements) can't become 4 (4 elements)"},
    {OP_RESHAPE, {.reshape = {{.rank = 9}}}, {"2x3"}, "the new shape has rank 9, above the limit of 8"},
    {OP_RESIZE, {.resize = {SIZED(2, 2)}}, {"4x4"}, "the input has rank 2"},
    {OP_RESIZE, {.resize = {.mode = (resize_mode)2, SIZED(2, 2)}}, {"1x4x4x1"}, "mode number 2 is unknown"},
    {OP_RESIZE,
     {.resize = {.coordinates = (resize_coordinates)6, SIZED(2, 2)}},
     {"1x4x4x1"},
     "coordinate mode number 6"},
    {OP_RESIZE, {.resize = {.round = (resize_round)4, SIZED(2, 2)}}, {"1x4x4x1"}, "rounding mode number 4"},
    {OP_RESIZE, {.resize = {SIZED(2, 2)}}, {"1x4x1"}, "an input of rank 3 has no height to resize to 2"},
    {OP_RESIZE, {.resize = {SIZED(2, 0)}}, {"1x4x4x1"}, "the new extent 0 is outside 1 to"},
    {OP_RESIZE, {.resize = {SIZED(INT32_MAX, 1)}}, {"1x4x4x1"}, "the new extent 2147483647 is outside 1 to"},
    {OP_RESIZE, {.resize = {.size = {2, 2}, .scale = {-1, 1}}}, {"1x4x4x1"}, "the scale -1 is not usable"},
    {OP_RESIZE, {.resize = {.size = {2, 2}, .scale = {1, INFINITY}}}, {"1x4x4x1"}, "the scale inf is not usable"},
    {OP_RESIZE,
     {.resize = {.coordinates = RESIZE_ALIGN_CORNERS, SIZED(2, 2), .step = {0.5f, 0}}},
     {"1x4x4x1"},
     "coordinate mode number 2 does not go by steps"},
    {OP_RESIZE, {.resize = {SIZED(2, 2)}}, {"0x4x4x1"}, "the input is empty"},
    {OP_SLICE, {.slice = {.size = {-1}, .step = {1}}}, {"4"}, "the slice of axis 0 has the negative size -1"},
    {OP_SLICE, {.slice = {.size = {1}, .step = {0}}}, {"4"}, "the slice of axis 0 has step 0"},
    {OP_SLICE, {.slice = {.size = {3}, .step = {2}}}, {"4"}, "axis 0"},
    {OP_SLICE, {.slice = {.start = {-1}, .size = {2}, .step = {1}}}, {"4"}, "axis 0"},
    {OP_SLICE, {.slice = {.start = {1}, .size = {3}, .step = {-1}}}, {"4"}, "axis 0"},
    {OP_TRANSPOSE, {.transpose = {{0, 2}}}, {"2x3"}, "perm[1] is 2, outside 0 to 1"},
    {OP_TRANSPOSE, {.transpose = {{-1, 0}}}, {"2x3"}, "perm[0] is -1"},
    {OP_TRANSPOSE, {.transpose = {{1, 1}}}, {"2x3"}, "perm names axis 1 twice"},
    {OP_UNARY, {.unary = {{(act_kind)99, 0, 0}}}, {"2"}, "function number 99 is unknown"},
    {OP_WHERE, {.norm = {0, 0}}, {"2", "2", "3"}, "shapes 2 and 3 cannot be broadcast"},
    {OP_WHERE, {.norm = {0, 0}}, {"2", "3", "2"}, "shapes 2 and 3 cannot be broadcast"},
    {OP_CAST, {.norm = {0, 0}}, {"2", "2"}, "2 inputs, but the op takes 1 to 1"},
    {OP_MATMUL, {.norm = {0, 0}}, {"2x3"}, "1 inputs, but the op takes 2 to"},
    {OP_MATMUL, {.norm = {0, 0}}, {"2x3", "-"}, "input 1 is missing"},
};

static int add_inputs(graph *g, const char *const *shapes, int most, value_id *in)
{
    int n = 0;
    for (; n < most && shapes[n]; n++)
        in[n] = strcmp(shapes[n], "-") ? add_input(g, shapes[n]) : -1;
    return n;
}

static void test_refusals(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++) {
        const refusal *r = &refusals[i];
        graph         *g;
        value_id       in[6];
        assert_int_equal(graph_create("refusals", &g), SEPCL_OK);
        const int  n = add_inputs(g, r->in, 6, in);
        const bool taken = graph_op(g, r->op, "the node", &r->a, in, n) >= 0;
        if (taken || !strstr(error_sentence(), r->words) || !strstr(error_sentence(), "the node")) {
            print_error("%s, case %zu: '%s' does not say '%s'\n", op_name(r->op), i, taken ? "" : error_sentence(),
                        r->words);
            wrong++;
        }
        graph_destroy(g);
    }
    assert_int_equal(wrong, 0);
}

/* Statistics that are computed at run time cannot be packed. */
static void test_batch_norm_wants_constants(void **state)
{
    const shape x = SHAPE(1, 2, 2, 3), c = SHAPE(3);
    graph      *g;
    (void)state;
    assert_int_equal(graph_create("batch norm", &g), SEPCL_OK);
    value_id in[5] = {test_input(g, "x", &x)};
    for (int i = 1; i < 5; i++)
        in[i] = i == 3 ? test_input(g, "mu", &c) : test_const(g, "c", &c);
    assert_int_equal(graph_op(g, OP_BATCH_NORM, "n", NULL, in, 5), -1);
    assert_non_null(strstr(error_sentence(), "mean 'mu' is not a constant"));
    graph_destroy(g);
}

/* ------------------------------------------------------------------ shapes and counts */

typedef struct counted {
    op_kind     op;
    attrs       a;
    const char *in[4];
    const char *out;
    uint64_t    multiplications, additions;
} counted;

static const counted counts[] = {
    {OP_BINARY, {.binary = {BINARY_MUL}}, {"2x1x4", "3x1"}, "2x3x4", 24, 0},
    {OP_BINARY, {.binary = {BINARY_SUB}}, {"", "5"}, "5", 0, 5},
    {OP_REDUCE, {.reduce = {REDUCE_MEAN, 6, true}}, {"2x3x4x5"}, "2x1x1x5", 10, 120},
    {OP_REDUCE, {.reduce = {REDUCE_MAX, 15, false}}, {"2x3x4x5"}, "", 0, 120},
    {OP_POOL, {.pool = {.kind = POOL_MAX, WINDOW(3, 2, 2, 1)}}, {"1x7x5x3"}, "1x3x4x3", 0, 216},
    {OP_POOL, {.pool = {.kind = POOL_AVERAGE, WINDOW(1, 2, 1, 2), .ceil_mode = true}}, {"2x5x3"}, "2x3x3", 18, 36},
    {OP_MATMUL, {.norm = {0, 0}}, {"2x1x3x4", "5x4x6"}, "2x5x3x6", 720, 540},
    {OP_MATMUL, {.norm = {0, 0}}, {"4", "4"}, "", 4, 3},
    {OP_MATMUL, {.norm = {0, 0}}, {"7x3x4", "4"}, "7x3", 84, 63},
};

static void test_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof counts / sizeof counts[0]; i++) {
        const counted *c = &counts[i];
        graph         *g;
        value_id       in[4];
        op_count       got = {0};
        assert_int_equal(graph_create("counts", &g), SEPCL_OK);
        const int      n = add_inputs(g, c->in, 4, in);
        const value_id y = graph_op(g, c->op, "y", &c->a, in, n);
        assert_true(y >= 0);
        const shape want = rows_shape(c->out);
        assert_true(shape_equal(&g->values[y].shape, &want));
        op_get(c->op)->count(&(node_view){g, g->nodes[0]}, &got);
        assert_int_equal(got.multiplications, c->multiplications);
        assert_int_equal(got.additions, c->additions);
        graph_destroy(g);
    }
}

static void test_broadcast_collapse(void **state)
{
    const shape a = SHAPE(2, 3, 4, 5), channel = SHAPE(5), picture = SHAPE(2, 1, 1, 5), one = SHAPE(1, 1);
    broadcast   r;
    (void)state;
    broadcast_collapse(&a, &a, &a, &r);
    assert_true(r.rank == 1 && r.dim[0] == 120 && r.a[0] == 1 && r.b[0] == 1);
    broadcast_collapse(&a, &channel, &a, &r);
    assert_true(r.rank == 2 && r.dim[0] == 24 && r.dim[1] == 5 && r.a[0] == 5 && r.b[0] == 0 && r.b[1] == 1);
    broadcast_collapse(&a, &picture, &a, &r);
    assert_true(r.rank == 3 && r.dim[1] == 12 && r.a[0] == 60 && r.b[0] == 5 && r.b[1] == 0 && r.b[2] == 1);
    broadcast_collapse(&one, &a, &a, &r);
    assert_true(r.rank == 1 && r.a[0] == 0 && r.b[0] == 1);
    broadcast_collapse(&one, &one, &one, &r);
    assert_true(r.rank == 1 && r.dim[0] == 1);
}

/* ------------------------------------------------------------------ the spread of work */

static const caps cpu = {.type = SEPCL_DEVICE_CPU, .compute_units = 4, .simd_width = 8};
static const caps gpu = {.type = SEPCL_DEVICE_GPU, .compute_units = 4, .simd_width = 1};

static void test_shares(void **state)
{
    (void)state;
    /* a GPU: one vector an item */
    rows_tile t = rows_share(&gpu, 100, 30, 4, 1);
    assert_true(t.columns == 4 && t.rows == 1 && t.column_items == 8 && t.row_items == 100);
    /* a CPU: about eight items a core, whole rows */
    t = rows_share(&cpu, 100000, 64, 8, 1);
    assert_true(t.columns == 64 && t.column_items == 1 && t.row_items == 32);
    /* few long rows are cut, at whole vectors */
    t = rows_share(&cpu, 2, 1000003, 16, 1);
    assert_true(t.rows == 1 && t.row_items == 2 && t.columns % 16 == 0 && t.column_items == 16);
    /* little work is one item */
    t = rows_share(&cpu, 10, 30, 8, 1);
    assert_true(t.column_items == 1 && t.row_items == 1);
    /* and nothing is none, without a division by it */
    t = rows_share(&cpu, 0, 0, 8, 1);
    assert_true(t.column_items == 1 && t.row_items == 1);
}

static void test_parts(void **state)
{
    (void)state;
    assert_int_equal(rows_parts(&cpu, 1, 10000, 16), 32);
    assert_int_equal(rows_parts(&cpu, 1, 100, 16), 6);
    assert_int_equal(rows_parts(&cpu, 64, 10000, 16), 1);
    assert_int_equal(rows_parts(&cpu, 1, 3, 16), 1);
}

/* 24 channels are one step of 16 and one of 8, which costs less than three of 8, and less than single channels. */
static void test_steps(void **state)
{
    caps wide = cpu;
    (void)state;
    wide.simd_width = 16;
    assert_true(rows_steps(&wide, 24, 16) < rows_steps(&wide, 24, 8));
    assert_true(rows_steps(&wide, 24, 8) < rows_steps(&wide, 24, 1));
    assert_true(rows_steps(&gpu, 64, 4) < rows_steps(&gpu, 64, 1));
    assert_true(rows_steps(&gpu, 5, 1) < rows_steps(&gpu, 5, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refusals), cmocka_unit_test(test_batch_norm_wants_constants),
        cmocka_unit_test(test_counts),   cmocka_unit_test(test_broadcast_collapse),
        cmocka_unit_test(test_shares),   cmocka_unit_test(test_parts),
        cmocka_unit_test(test_steps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
