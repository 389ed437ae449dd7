/* SPDX-License-Identifier: Apache-2.0 */
/* What ONNX nodes become: attributes and parameters by opset, defaults, and what is refused. */
#include <math.h>

#include "import_test.h"

static void one_input(net *m, int64_t n, int64_t c, int64_t h, int64_t w)
{
    INPUT(m, "x", n, c, h, w);
    net_output(m, "y");
}

/* ---------------------------------------------------------------- convolution */

/* Pads {top, left, bottom, right} and output of a 5x8 input under a 3x2 kernel with strides 2x3. */
static void auto_pads(void **state)
{
    static const struct {
        const char *mode;
        int         pad[4], out[2];
    } rows[] = {
        {"NOTSET", {0, 0, 0, 0}, {2, 3}},
        {"VALID", {0, 0, 0, 0}, {2, 3}},
        {"SAME_UPPER", {1, 0, 1, 0}, {3, 3}},
        {"SAME_LOWER", {1, 0, 1, 0}, {3, 3}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int op = 0; op < 2; op++) {
            net m = {0};
            one_input(&m, 1, 1, 5, 8);
            WEIGHT(&m, "w", 1, 1, 1, 3, 2);
            NODE_WITH(&m, op ? "Conv" : "MaxPool", "n", op ? "x,w" : "x", "y", attr_s("auto_pad", rows[i].mode),
                      ATTR_IS("strides", 2, 3), ATTR_IS("kernel_shape", 3, 2));
            built       b;
            const node *n = build_one(&m, 12, op ? OP_CONV : OP_POOL, &b);
            const int  *pad = op ? n->a.conv.pad : n->a.pool.pad;
            for (int k = 0; k < 4; k++)
                assert_int_equal(pad[k], rows[i].pad[k]);
            const shape *s = &b.g->values[n->out[0]].shape;
            assert_int_equal(s->dim[1], rows[i].out[0]);
            assert_int_equal(s->dim[2], rows[i].out[1]);
            built_free(&b);
        }
}

/* An odd total goes to the end for SAME_UPPER, to the start for SAME_LOWER; dilation widens the kernel. */
static void odd_pads(void **state)
{
    (void)state;
    for (int upper = 0; upper < 2; upper++) {
        net m = {0};
        one_input(&m, 1, 1, 4, 6);
        WEIGHT(&m, "w", 1, 1, 1, 2, 4);
        NODE_WITH(&m, "Conv", "n", "x,w", "y", attr_s("auto_pad", upper ? "SAME_UPPER" : "SAME_LOWER"),
                  ATTR_IS("dilations", 3, 1));
        built       b;
        const node *n = build_one(&m, 12, OP_CONV, &b);
        /* height: reach 4, total 3; width: total 3 */
        assert_int_equal(n->a.conv.pad[0], upper ? 1 : 2);
        assert_int_equal(n->a.conv.pad[2], upper ? 2 : 1);
        assert_int_equal(n->a.conv.pad[1], upper ? 1 : 2);
        assert_int_equal(n->a.conv.pad[3], upper ? 2 : 1);
        assert_output(b.g, 0, "1x1x4x6");
        built_free(&b);
    }
}

static void conv_weights(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 6, 5, 5);
    WEIGHT(&m, "w", 1, 4, 3, 2, 3);
    WEIGHT(&m, "b", 1, 4);
    NODE_WITH(&m, "Conv", "n", "x,w,b", "y", attr_i("group", 2), ATTR_IS("pads", 0, 1, 2, 3));
    built            b;
    const node      *n = build_one(&m, 7, OP_CONV, &b);
    const attr_conv *a = &n->a.conv;
    assert_int_equal(a->group, 2);
    assert_int_equal(a->out_channels, 4);
    assert_int_equal(a->w.o, 18);
    assert_int_equal(a->w.i, 6);
    assert_int_equal(a->w.h, 3);
    assert_int_equal(a->w.w, 1);
    assert_int_equal(a->pad[1], 1);
    assert_int_equal(a->pad[2], 2);
    assert_int_equal(a->pad[3], 3);
    assert_true(data_float(DT_F32, b.g->values[n->in[CONV_B]].data, 3) == 3);
    built_free(&b);
}

static void conv_transpose(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 4, 5, 5);
    WEIGHT(&m, "w", 1, 4, 3, 2, 3);
    NODE_WITH(&m, "ConvTranspose", "n", "x,w", "y", attr_i("group", 2), ATTR_IS("strides", 2, 2),
              ATTR_IS("output_shape", 10, 12));
    built            b;
    const node      *n = build_one(&m, 11, OP_CONV_TRANSPOSE, &b);
    const attr_conv *a = &n->a.conv;
    assert_int_equal(a->out_channels, 6);
    assert_int_equal(a->w.o, 6);
    assert_int_equal(a->w.i, 18);
    /* height: 8 + 2 = 10, nothing to cut; width: 8 + 3 = 11, one row more is asked for */
    assert_int_equal(a->pad[0] + a->pad[2], 0);
    assert_int_equal(a->out_pad[0], 0);
    assert_int_equal(a->out_pad[1], 1);
    assert_output(b.g, 0, "1x6x10x12");
    built_free(&b);
}

static void conv_refused(void **state)
{
    static const struct {
        const char *attribute;
        int64_t     v[4];
        int         n;
        const char *text;
    } rows[] = {
        {"strides", {0, 1}, 2, "'strides' has the entry 0"},
        {"dilations", {1, -1}, 2, "'dilations' has the entry -1"},
        {"strides", {1, 1, 1}, 3, "3 entries for 2 spatial axes"},
        {"pads", {0, -1, 0, 0}, 4, "'pads' has the entry -1"},
        {"pads", {0, 1}, 2, "2 entries"},
        {"kernel_shape", {3, 2}, 2, "'kernel_shape' says 2, but the weights have 3"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net m = {0};
        one_input(&m, 1, 2, 5, 5);
        WEIGHT(&m, "w", 1, 2, 2, 3, 3);
        NODE_WITH(&m, "Conv", "bad conv", "x,w", "y", attr_list(rows[i].attribute, rows[i].n, rows[i].v));
        check_refused(&m, 13, SEPCL_BAD_FILE, rows[i].text);
        assert_non_null(strstr(error_sentence(), "node 'bad conv' (Conv)"));
    }
    static const int64_t groups[] = {0, -1, 3, INT64_MIN, INT64_MAX};
    for (size_t i = 0; i < sizeof groups / sizeof groups[0]; i++) {
        net m = {0};
        one_input(&m, 1, 2, 5, 5);
        WEIGHT(&m, "w", 1, 2, 2, 3, 3);
        NODE_WITH(&m, "Conv", "bad conv", "x,w", "y", attr_i("group", groups[i]));
        check_refused(&m, 13, SEPCL_BAD_FILE, "group");
    }
}

static void conv_unsupported(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 1, 4, 4, 4);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 1, 1, 2, 2, 2);
    NODE(&m, "Conv", "deep", "x,w", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'deep' (Conv): the input 'x' of shape 1x1x4x4x4 has 3 spatial axes");
    INPUT(&m, "x", 1, 1, 3, 3);
    net_output(&m, "y");
    NODE(&m, "Conv", "self", "x,x", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "the weights 'x' are not a constant");
    INPUT(&m, "x", 1, 1, 4, 4);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 1, 1, 9, 9);
    NODE(&m, "Conv", "large", "x,w", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "node 'large'");
}

/* ---------------------------------------------------------------- pools */

static void pools(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 1, 6, 6);
    NODE_WITH(&m, "AveragePool", "n", "x", "y", ATTR_IS("kernel_shape", 3, 3), ATTR_IS("strides", 2, 2),
              attr_i("ceil_mode", 1), attr_i("count_include_pad", 1), ATTR_IS("pads", 1, 0, 0, 1));
    built            b;
    const attr_pool *a = &build_one(&m, 19, OP_POOL, &b)->a.pool;
    assert_int_equal(a->kind, POOL_AVERAGE);
    assert_true(a->ceil_mode && a->count_include_pad);
    assert_int_equal(a->pad[0], 1);
    assert_int_equal(a->pad[3], 1);
    built_free(&b);

    one_input(&m, 1, 1, 6, 6);
    NODE_WITH(&m, "MaxPool", "n", "x", "y,indices", ATTR_IS("kernel_shape", 3, 3));
    net_output(&m, "indices");
    check_refused(&m, 12, SEPCL_UNSUPPORTED, "node 'n' (MaxPool): output 1, 'indices', is used");
    one_input(&m, 1, 1, 6, 6);
    NODE(&m, "MaxPool", "n", "x", "y");
    check_refused(&m, 12, SEPCL_BAD_FILE, "'kernel_shape' is missing");
}

/* ---------------------------------------------------------------- activations */

static act clip_of(int64_t opset, const char *in, int n_attr, pb *attr)
{
    net m = {0};
    one_input(&m, 1, 2, 3, 3);
    net_tensor(&m, tensor_ramp("zero", 1, 0, NULL));
    pb six = tensor_begin("six", 1, 0, NULL);
    pb_float(&six, 4, 6);
    net_tensor(&m, six);
    net_node(&m, "Clip", "n", in, "y", n_attr, attr);
    built     b;
    const act f = build_one(&m, opset, OP_UNARY, &b)->a.unary.f;
    assert_int_equal(f.kind, ACT_CLAMP);
    built_free(&b);
    return f;
}

/* Bounds are attributes up to opset 10 and inputs, each of which may be absent, from 11 on. */
static void clip(void **state)
{
    (void)state;
    act f = clip_of(6 + 1, "x", 2, (pb[]){attr_f("min", -1), attr_f("max", 2)});
    assert_true(f.a == -1 && f.b == 2);
    f = clip_of(10, "x", 0, NULL);
    assert_true(f.a == -INFINITY && f.b == INFINITY);
    f = clip_of(11, "x,zero,six", 0, NULL);
    assert_true(f.a == 0 && f.b == 6);
    f = clip_of(13, "x,,six", 0, NULL);
    assert_true(f.a == -INFINITY && f.b == 6);
    f = clip_of(13, "x,zero", 0, NULL);
    assert_true(f.a == 0 && f.b == INFINITY);
    f = clip_of(13, "x,six,zero", 0, NULL); /* crossed: the upper one holds */
    assert_true(f.a == 0 && f.b == 0);
}

static void activations(void **state)
{
    static const struct {
        const char *op, *attribute;
        int64_t     opset;
        act         want;
    } rows[] = {
        {"Relu", NULL, 7, {ACT_CLAMP, 0, INFINITY}},
        {"LeakyRelu", NULL, 7, {ACT_LEAKY, 0.01f, 0}},
        {"LeakyRelu", "alpha", 16, {ACT_LEAKY, 0.75f, 0}},
        {"HardSigmoid", NULL, 7, {ACT_HARD_SIGMOID, 0.2f, 0.5f}},
        {"HardSigmoid", "beta", 7, {ACT_HARD_SIGMOID, 0.2f, 0.75f}},
        {"HardSwish", NULL, 14, {ACT_HARD_SWISH, 1.0f / 6, 0.5f}},
        {"Elu", NULL, 7, {ACT_ELU, 1, 0}},
        {"Celu", "alpha", 12, {ACT_CELU, 0.75f, 0}},
        {"Gelu", NULL, 20, {ACT_GELU, 0, 0}},
        {"Swish", "alpha", 24, {ACT_SWISH, 0.75f, 0}},
        {"Shrink", NULL, 9, {ACT_SHRINK, 0.5f, 0}},
        {"ThresholdedRelu", NULL, 10, {ACT_THRESHOLD, 1, 0}},
        {"Erf", NULL, 9, {ACT_ERF, 0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net m = {0};
        one_input(&m, 1, 2, 3, 3);
        pb a = attr_f(rows[i].attribute ? rows[i].attribute : "", 0.75f);
        net_node(&m, rows[i].op, "n", "x", "y", rows[i].attribute != NULL, &a);
        if (!rows[i].attribute)
            free(a.p);
        built     b;
        const act f = build_one(&m, rows[i].opset, OP_UNARY, &b)->a.unary.f;
        assert_int_equal(f.kind, rows[i].want.kind);
        assert_true(f.a == rows[i].want.a && f.b == rows[i].want.b);
        built_free(&b);
    }
}

static void wrong_attributes(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 2, 3, 3);
    NODE_WITH(&m, "LeakyRelu", "n", "x", "y", attr_i("alpha", 1));
    check_refused(&m, 13, SEPCL_BAD_FILE, "node 'n' (LeakyRelu): attribute 'alpha' has another type");
    one_input(&m, 1, 2, 3, 3);
    NODE_WITH(&m, "Softmax", "n", "x", "y", attr_i("axis", 4));
    check_refused(&m, 13, SEPCL_BAD_FILE, "axis 4 is outside");
    one_input(&m, 1, 2, 3, 3);
    NODE_WITH(&m, "Gelu", "n", "x", "y", attr_s("approximate", "sometimes"));
    check_refused(&m, 20, SEPCL_UNSUPPORTED, "approximate 'sometimes' is not supported");
    one_input(&m, 1, 2, 3, 3);
    NODE(&m, "Gelu", "n", "x", "y");
    check_refused(&m, 19, SEPCL_BAD_FILE, "node 'n' (Gelu): the op begins with opset 20");
}

/* ---------------------------------------------------------------- softmax */

/* Below opset 13 softmax is over all axes from `axis` on together; that is one axis when the others are 1. */
static void softmax_by_opset(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 2, 3, 4, 1);
    NODE_WITH(&m, "Softmax", "n", "x", "y", attr_i("axis", 1));
    check_lines(&m, 12,
                "reshape 2x3x4x1 > 2x12\n"
                "softmax 2x12 > 2x12\n"
                "reshape 2x12 > 2x3x4x1\n");
    one_input(&m, 2, 3, 4, 1);
    NODE_WITH(&m, "Softmax", "n", "x", "y", attr_i("axis", 1));
    check_lines(&m, 13, "softmax 2x3x4x1 > 2x3x4x1\n");
    one_input(&m, 2, 3, 1, 1);
    NODE(&m, "LogSoftmax", "n", "x", "y"); /* the default is 1 */
    built               b;
    const attr_softmax *a = &build_one(&m, 11, OP_SOFTMAX, &b)->a.softmax;
    assert_int_equal(a->axis, 1);
    assert_true(a->log);
    built_free(&b);
    one_input(&m, 2, 3, 4, 5);
    NODE(&m, "Softmax", "n", "x", "y"); /* the default is -1 */
    assert_int_equal(build_one(&m, 13, OP_SOFTMAX, &b)->a.softmax.axis, 3);
    built_free(&b);
}

/* ---------------------------------------------------------------- resize */

static const attr_resize *resize_of(net *m, int64_t opset, built *b, const char *in, int n_attr, pb *attr)
{
    one_input(m, 1, 1, 4, 6);
    net_tensor(m, tensor_begin("none", 1, 1, &(int64_t){0}));
    net_node(m, "Resize", "n", in, "y", n_attr, attr);
    return &build_one(m, opset, OP_RESIZE, b)->a.resize;
}

static pb scales(float h, float w)
{
    pb          t = tensor_begin("scales", 1, 1, &(int64_t){4});
    const float v[4] = {1, 1, h, w};
    pb_bytes(&t, 4, v, sizeof v);
    return t;
}

static void resize_by_opset(void **state)
{
    net                m = {0};
    built              b;
    const attr_resize *a;
    (void)state;
    /* 10: below when it grows, above when it shrinks */
    net_tensor(&m, scales(2, 1.5f));
    a = resize_of(&m, 10, &b, "x,scales", 0, NULL);
    assert_int_equal(a->coordinates, RESIZE_ASYMMETRIC);
    assert_int_equal(a->round, RESIZE_FLOOR);
    assert_output(b.g, 0, "1x1x8x9");
    built_free(&b);
    net_tensor(&m, scales(0.5f, 0.5f));
    a = resize_of(&m, 10, &b, "x,scales", 0, NULL);
    assert_int_equal(a->round, RESIZE_CEIL);
    built_free(&b);
    one_input(&m, 1, 1, 4, 6);
    net_tensor(&m, scales(0.5f, 2));
    NODE(&m, "Resize", "n", "x,scales", "y");
    check_lines(&m, 10,
                "reshape 1x1x4x6 > 1x4x6x1\n"
                "resize 1x4x6x1 > 1x2x6x1\n"
                "resize 1x2x6x1 > 1x2x12x1\n"
                "reshape 1x2x12x1 > 1x1x2x12\n");
    /* 11: half_pixel and round_prefer_floor unless said otherwise */
    net_tensor(&m, scales(2, 1));
    a = resize_of(&m, 11, &b, "x,none,scales", 0, NULL);
    assert_int_equal(a->mode, RESIZE_NEAREST);
    assert_int_equal(a->coordinates, RESIZE_HALF_PIXEL);
    assert_int_equal(a->round, RESIZE_ROUND_PREFER_FLOOR);
    built_free(&b);
    net_tensor(&m, scales(2, 1));
    a = resize_of(&m, 11, &b, "x,none,scales", 3,
                  (pb[]){attr_s("mode", "linear"), attr_s("coordinate_transformation_mode", "align_corners"),
                         attr_s("nearest_mode", "ceil")});
    assert_int_equal(a->mode, RESIZE_LINEAR);
    assert_int_equal(a->coordinates, RESIZE_ALIGN_CORNERS);
    assert_int_equal(a->round, RESIZE_CEIL);
    built_free(&b);
    /* sizes; the scale is their ratio */
    INTS(&m, "sizes", 1, 1, 6, 3);
    a = resize_of(&m, 13, &b, "x,,,sizes", 0, NULL);
    assert_true(a->scale[0] == 1.5 && a->scale[1] == 0.5);
    assert_output(b.g, 0, "1x1x6x3");
    built_free(&b);
    /* 18: axes, and one scale for all of them */
    INTS(&m, "sizes", 12, 9);
    a = resize_of(&m, 18, &b, "x,,,sizes", 2,
                  (pb[]){ATTR_IS("axes", 3, -2), attr_s("keep_aspect_ratio_policy", "not_larger")});
    assert_true(a->scale[0] == 2 && a->scale[1] == 2); /* 12/6 is less than 9/4 */
    assert_output(b.g, 0, "1x1x8x12");
    built_free(&b);
    INTS(&m, "sizes", 9, 12);
    resize_of(&m, 18, &b, "x,,,sizes", 2,
              (pb[]){ATTR_IS("axes", 2, 3), attr_s("keep_aspect_ratio_policy", "not_smaller")});
    assert_output(b.g, 0, "1x1x9x14"); /* 9/4 of 6 is 13.5 */
    built_free(&b);
}

static void resize_refused(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 2, 4, 4);
    INTS(&m, "sizes", 1, 2, 8, 8);
    NODE_WITH(&m, "Resize", "n", "x,,,sizes", "y", attr_s("mode", "lanczos"));
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "mode 'lanczos' is not supported");
    one_input(&m, 1, 2, 4, 4);
    INTS(&m, "sizes", 1, 2, 8, 8);
    NODE_WITH(&m, "Resize", "n", "x,,,sizes", "y", attr_s("mode", "cubic"),
              attr_s("coordinate_transformation_mode", "tf_half_pixel_for_nn"));
    check_refused(&m, 11, SEPCL_UNSUPPORTED, "tf_half_pixel_for_nn is supported for");
    one_input(&m, 1, 2, 4, 4);
    NODE(&m, "Resize", "n", "x", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "either scales or sizes");
    one_input(&m, 1, 2, 4, 4);
    net_tensor(&m, scales(0, 1e30f));
    NODE(&m, "Resize", "n", "x,,scales", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "scale");
    one_input(&m, 1, 2, 4, 4);
    net_tensor(&m, scales(2, 2));
    NODE(&m, "Upsample", "n", "x,scales", "y");
    check_refused(&m, 10, SEPCL_BAD_FILE, "ended with opset 9");
}

static void upsample(void **state)
{
    net         m = {0};
    built       b;
    const float v[] = {1, 1, 2, 3};
    (void)state;
    one_input(&m, 1, 2, 4, 4);
    NODE_WITH(&m, "Upsample", "n", "x", "y", attr_floats("scales", 4, v));
    const attr_resize *a = &build_one(&m, 7, OP_RESIZE, &b)->a.resize;
    assert_int_equal(a->coordinates, RESIZE_ASYMMETRIC);
    assert_output(b.g, 0, "1x2x8x12");
    built_free(&b);
    one_input(&m, 1, 2, 4, 4);
    net_tensor(&m, scales(1, 1));
    NODE(&m, "Upsample", "n", "x,scales", "v");
    NODE(&m, "Relu", "r", "v", "y");
    check_lines(&m, 9, "unary 1x2x4x4 > 1x2x4x4\n"); /* nothing changes */
}

/* ---------------------------------------------------------------- parameters that moved from attributes to inputs */

static void parameters_by_opset(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 2, 4, 1);
    NODE_WITH(&m, "Slice", "a", "x", "a", ATTR_IS("starts", -3), ATTR_IS("ends", 1000), ATTR_IS("axes", 2));
    NODE_WITH(&m, "Pad", "b", "a", "b", ATTR_IS("pads", 0, 0, 1, 0, 0, 0, 0, 2), attr_f("value", 5));
    NODE_WITH(&m, "Squeeze", "c", "b", "c", ATTR_IS("axes", 0));
    NODE_WITH(&m, "Unsqueeze", "d", "c", "d", ATTR_IS("axes", 3));
    NODE_WITH(&m, "Split", "e", "d", "e1,e2", attr_i("axis", 1), ATTR_IS("split", 1, 3));
    NODE_WITH(&m, "ReduceSum", "f", "e2", "y", ATTR_IS("axes", 2));
    check_lines(&m, 9,
                "slice 1x2x4x1 > 1x2x3x1\n"
                "pad 1x2x3x1 > 1x2x4x3\n"
                "reshape 1x2x4x3 > 2x4x3x1\n"
                "slice 2x4x3x1 > 2x3x3x1\n"
                "reduce 2x3x3x1 > 2x3x1x1\n");
    one_input(&m, 1, 2, 4, 1);
    INTS(&m, "starts", -3);
    INTS(&m, "ends", INT64_MAX);
    INTS(&m, "two", 2);
    INTS(&m, "pads", 0, 0, 1, 0, 0, 0, 0, 2);
    INTS(&m, "zero", 0);
    INTS(&m, "three", 3);
    INTS(&m, "sizes", 1, 3);
    NODE(&m, "Slice", "a", "x,starts,ends,two", "a");
    NODE(&m, "Pad", "b", "a,pads", "b");
    NODE(&m, "Squeeze", "c", "b,zero", "c");
    NODE(&m, "Unsqueeze", "d", "c,three", "d");
    NODE_WITH(&m, "Split", "e", "d,sizes", "e1,e2", attr_i("axis", 1));
    NODE(&m, "ReduceSum", "f", "e2,two", "y");
    check_lines(&m, 13,
                "slice 1x2x4x1 > 1x2x3x1\n"
                "pad 1x2x3x1 > 1x2x4x3\n"
                "reshape 1x2x4x3 > 2x4x3x1\n"
                "slice 2x4x3x1 > 2x3x3x1\n"
                "reduce 2x3x3x1 > 2x3x1x1\n");
}

static void slices(void **state)
{
    static const struct {
        int64_t start, end, step, want_start, want_size;
    } rows[] = {
        {0, 3, 1, 0, 3},         {-2, INT64_MAX, 1, 3, 2},         {-100, 100, 2, 0, 3},
        {4, -100, -1, 4, 5},     {INT64_MAX, INT64_MIN, -2, 4, 3}, {1, 2, INT64_MAX, 1, 1},
        {3, 0, INT64_MIN, 3, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net m = {0};
        INPUT(&m, "x", 2, 5);
        net_output(&m, "y");
        INTS(&m, "starts", rows[i].start);
        INTS(&m, "ends", rows[i].end);
        INTS(&m, "axes", 1);
        INTS(&m, "steps", rows[i].step);
        NODE(&m, "Slice", "n", "x,starts,ends,axes,steps", "y");
        built             b;
        const attr_slice *a = &build_one(&m, 13, OP_SLICE, &b)->a.slice;
        assert_int_equal(a->start[1], rows[i].want_start);
        assert_int_equal(a->size[1], rows[i].want_size);
        built_free(&b);
    }
    net m = {0};
    INPUT(&m, "x", 2, 5);
    net_output(&m, "y");
    INTS(&m, "starts", 3);
    INTS(&m, "ends", 3);
    NODE(&m, "Slice", "n", "x,starts,ends", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "'y' has no elements");
    INPUT(&m, "x", 2, 5);
    net_output(&m, "y");
    INTS(&m, "zero", 0);
    INTS(&m, "one", 1);
    NODE(&m, "Slice", "n", "x,zero,one,zero,zero", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "steps of 0");
}

/* Negative pads cut first; the rest pads. */
static void negative_pads(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 2, 4, 4);
    INTS(&m, "pads", 0, 0, -1, 2, 0, 0, 0, -3);
    NODE_WITH(&m, "Pad", "n", "x,pads", "y", attr_s("mode", "edge"));
    check_lines(&m, 13,
                "slice 1x2x4x4 > 1x2x3x1\n"
                "pad 1x2x3x1 > 1x2x3x3\n");
}

/* ---------------------------------------------------------------- dense layers */

static void gemm(void **state)
{
    net   m = {0};
    built b;
    (void)state;
    INPUT(&m, "x", 2, 3);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 3, 4);
    WEIGHT(&m, "c", 1, 1, 4);
    NODE_WITH(&m, "Gemm", "n", "x,w,c", "y", attr_f("alpha", 0.5f), attr_f("beta", 2));
    const node *n = build_one(&m, 7, OP_DENSE, &b);
    assert_int_equal(n->a.dense.in_features, 3);
    assert_int_equal(n->a.dense.out_features, 4);
    assert_int_equal(n->a.dense.w.o, 1);
    assert_int_equal(n->a.dense.w.i, 4);
    const value *bias = &b.g->values[n->in[CONV_B]], *scale = &b.g->values[n->in[CONV_SCALE]];
    assert_true(data_float(bias->type, bias->data, 3) == 6);
    assert_true(data_float(scale->type, scale->data, 3) == 0.5f);
    built_free(&b);
    /* transposed operands, and an addend that is no bias */
    INPUT(&m, "x", 3, 2);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 4, 3);
    WEIGHT(&m, "c", 1, 2, 1);
    NODE_WITH(&m, "Gemm", "n", "x,w,c", "y", attr_i("transA", 1), attr_i("transB", 1));
    check_lines(&m, 13,
                "transpose 3x2 > 2x3\n"
                "dense 2x3 [4x3] > 2x4\n"
                "binary 2x4 [2x1] > 2x4\n");
    INPUT(&m, "x", 2, 3);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 4, 4);
    NODE(&m, "Gemm", "n", "x,w", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "does not end in the weights' 4 features");
}

static void matmul(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 5, 2, 3);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 3, 4);
    NODE(&m, "MatMul", "n", "x,w", "y");
    check_lines(&m, 13, "dense 5x2x3 [3x4] > 5x2x4\n");
    INPUT(&m, "x", 2, 3);
    INPUT(&m, "z", 3, 2);
    net_output(&m, "y");
    NODE(&m, "MatMul", "n", "x,z", "y");
    check_lines(&m, 13, "matmul 2x3 3x2 > 2x2\n");
    INPUT(&m, "x", 3, 2);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 4, 3);
    NODE(&m, "MatMul", "n", "w,x", "y");
    check_lines(&m, 13, "matmul [4x3] 3x2 > 4x2\n");
    INPUT(&m, "x", 3);
    net_output(&m, "y");
    WEIGHT(&m, "w", 1, 3, 4);
    NODE(&m, "MatMul", "n", "x,w", "y");
    check_lines(&m, 13,
                "reshape 3 > 1x3\n"
                "dense 1x3 [3x4] > 1x4\n"
                "reshape 1x4 > 4\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(auto_pads),
        cmocka_unit_test(odd_pads),
        cmocka_unit_test(conv_weights),
        cmocka_unit_test(conv_transpose),
        cmocka_unit_test(conv_refused),
        cmocka_unit_test(conv_unsupported),
        cmocka_unit_test(pools),
        cmocka_unit_test(clip),
        cmocka_unit_test(activations),
        cmocka_unit_test(wrong_attributes),
        cmocka_unit_test(softmax_by_opset),
        cmocka_unit_test(resize_by_opset),
        cmocka_unit_test(resize_refused),
        cmocka_unit_test(upsample),
        cmocka_unit_test(parameters_by_opset),
        cmocka_unit_test(slices),
        cmocka_unit_test(negative_pads),
        cmocka_unit_test(gemm),
        cmocka_unit_test(matmul),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
