/* SPDX-License-Identifier: Apache-2.0 */
/* Memory orders: channels last inside, the file's order at both ends, transposes only where they have to be. */
#include "import_test.h"

static void conv(net *m, const char *name, const char *in, const char *out, int64_t from, int64_t to)
{
    char weights[32], list[64];
    snprintf(weights, sizeof weights, "w_%s", name);
    snprintf(list, sizeof list, "%s,%s", in, weights);
    WEIGHT(m, weights, 0.01f, to, from, 1, 1);
    NODE(m, "Conv", name, list, out);
}

/* Conv, batch norm, activation, residual, pool, flatten, dense: transposes at the entry and before the dense layer. */
static void conv_net(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", -1, 3, 8, 6);
    WEIGHT(&m, "w", 0.1f, 4, 3, 3, 3);
    WEIGHT(&m, "b", 1, 4);
    WEIGHT(&m, "var", 1, 4);
    WEIGHT(&m, "fc", 0.1f, 5, 48);
    NODE_WITH(&m, "Conv", "c1", "x,w,b", "v1", ATTR_IS("pads", 1, 1, 1, 1));
    NODE(&m, "BatchNormalization", "bn", "v1,b,b,b,var", "v2");
    NODE(&m, "Relu", "r", "v2", "v3");
    NODE(&m, "Add", "res", "v3,v1", "v4");
    NODE_WITH(&m, "MaxPool", "p", "v4", "v5", ATTR_IS("kernel_shape", 2, 2), ATTR_IS("strides", 2, 2));
    NODE(&m, "Flatten", "f", "v5", "v6");
    NODE_WITH(&m, "Gemm", "fc", "v6,fc", "y", attr_i("transB", 1));
    net_output(&m, "y");
    check_lines(&m, 13,
                "transpose 1x3x8x6 > 1x8x6x3\n"
                "conv 1x8x6x3 [4x3x3x3] [4] > 1x8x6x4\n"
                "batch_norm 1x8x6x4 [4] [4] [4] [4] > 1x8x6x4\n"
                "unary 1x8x6x4 > 1x8x6x4\n"
                "binary 1x8x6x4 1x8x6x4 > 1x8x6x4\n"
                "pool 1x8x6x4 > 1x4x3x4\n"
                "transpose 1x4x3x4 > 1x4x4x3\n"
                "reshape 1x4x4x3 > 1x48\n"
                "dense 1x48 [5x48] > 1x5\n");
}

static void exit_transpose(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 2, 4, 4);
    conv(&m, "a", "x", "v", 2, 3);
    conv(&m, "b", "v", "y", 3, 3);
    net_output(&m, "y");
    check_lines(&m, 13,
                "transpose 1x2x4x4 > 1x4x4x2\n"
                "conv 1x4x4x2 [3x2x1x1] > 1x4x4x3\n"
                "conv 1x4x4x3 [3x3x1x1] > 1x4x4x3\n"
                "transpose 1x4x4x3 > 1x3x4x4\n");
}

/* Moving an axis past axes of 1 is a view. */
static void one_channel_is_a_view(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 2, 1, 4, 5);
    conv(&m, "a", "x", "v", 1, 8);
    NODE(&m, "GlobalAveragePool", "g", "v", "p");
    NODE(&m, "Flatten", "f", "p", "y");
    net_output(&m, "y");
    check_lines(&m, 13,
                "reshape 2x1x4x5 > 2x4x5x1\n"
                "conv 2x4x5x1 [8x1x1x1] > 2x4x5x8\n"
                "reduce 2x4x5x8 > 2x1x1x8\n"
                "reshape 2x1x1x8 > 2x8\n");
}

/* reshape, transpose, reshape between two convolutions: one transpose, of channels only */
static void channel_shuffle(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 1, 4, 5);
    conv(&m, "a", "x", "v", 1, 6);
    INTS(&m, "s1", 0, 2, 3, 4, 5);
    INTS(&m, "s2", 0, -1, 4, 5);
    NODE(&m, "Reshape", "r1", "v,s1", "v1");
    NODE_WITH(&m, "Transpose", "t", "v1", "v2", ATTR_IS("perm", 0, 2, 1, 3, 4));
    NODE(&m, "Reshape", "r2", "v2,s2", "v3");
    conv(&m, "b", "v3", "u", 6, 2);
    NODE(&m, "GlobalMaxPool", "g", "u", "y");
    net_output(&m, "y");
    check_lines(&m, 13,
                "reshape 1x1x4x5 > 1x4x5x1\n"
                "conv 1x4x5x1 [6x1x1x1] > 1x4x5x6\n"
                "reshape 1x4x5x6 > 1x4x5x2x3\n"
                "transpose 1x4x5x2x3 > 1x4x5x3x2\n"
                "reshape 1x4x5x3x2 > 1x4x5x6\n"
                "conv 1x4x5x6 [2x6x1x1] > 1x4x5x2\n"
                "reduce 1x4x5x2 > 1x1x1x2\n"
                "reshape 1x1x1x2 > 1x2x1x1\n");
}

static void axes_are_renumbered(void **state)
{
    net   m = {0};
    built b;
    (void)state;
    INPUT(&m, "x", 1, 1, 4, 6);
    conv(&m, "a", "x", "v", 1, 3);
    conv(&m, "b", "x", "u", 1, 2);
    NODE_WITH(&m, "Concat", "cat", "v,u", "c", attr_i("axis", 1));
    NODE_WITH(&m, "Softmax", "soft", "c", "s", attr_i("axis", 1));
    INTS(&m, "starts", 1, 1);
    INTS(&m, "ends", 3, 4);
    INTS(&m, "axes", 1, -1);
    NODE(&m, "Slice", "slice", "s,starts,ends,axes", "t");
    INTS(&m, "pads", 0, 1, 0, 2, 0, 0, 3, 0);
    NODE(&m, "Pad", "pad", "t,pads", "p");
    NODE_WITH(&m, "ReduceSum", "sum", "p,height", "y", attr_i("keepdims", 0));
    INTS(&m, "height", 2);
    net_output(&m, "y");
    assert_ok(build_file(net_finish(&m, 13), 1, &b));
    assert_int_equal(find_node(b.g, OP_CONCAT)->a.concat.axis, 3);
    assert_int_equal(find_node(b.g, OP_SOFTMAX)->a.softmax.axis, 3);
    const attr_slice *s = &find_node(b.g, OP_SLICE)->a.slice;
    assert_int_equal(s->start[3], 1);
    assert_int_equal(s->size[3], 2);
    assert_int_equal(s->start[2], 1);
    assert_int_equal(s->size[2], 3);
    assert_int_equal(s->size[1], 4);
    const attr_pad *p = &find_node(b.g, OP_PAD)->a.pad;
    assert_int_equal(p->before[3], 1);
    assert_int_equal(p->before[2], 2);
    assert_int_equal(p->after[1], 3);
    assert_int_equal(p->after[3], 0);
    assert_int_equal(find_node(b.g, OP_REDUCE)->a.reduce.axes, 2); /* height is dimension 1 */
    /* what is left of 1 x 3 x 7 x 5 without its height: rows of channels, so one transpose gives the file's order */
    assert_int_equal(count_nodes(b.g, OP_TRANSPOSE), 1);
    assert_output(b.g, 0, "1x3x5");
    built_free(&b);
}

/* Constants follow: [C,1,1] becomes 1x1x1xC where it lies, [H,W] gets an axis, a full one is moved. */
static void constants_follow(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 1, 2, 5);
    conv(&m, "a", "x", "v", 1, 3);
    WEIGHT(&m, "channel", 1, 3, 1, 1);
    WEIGHT(&m, "plane", 1, 2, 5);
    WEIGHT(&m, "all", 1, 1, 3, 2, 5);
    WEIGHT(&m, "one", 1, 1);
    NODE(&m, "Mul", "m1", "v,channel", "v1");
    NODE(&m, "Add", "m2", "plane,v1", "v2");
    NODE(&m, "Sub", "m3", "v2,all", "v3");
    NODE(&m, "Div", "m4", "v3,one", "v4");
    NODE(&m, "GlobalAveragePool", "g", "v4", "y");
    net_output(&m, "y");
    built b;
    assert_ok(build_file(net_finish(&m, 13), 1, &b));
    assert_string_equal(graph_lines(b.g), "reshape 1x1x2x5 > 1x2x5x1\n"
                                          "conv 1x2x5x1 [3x1x1x1] > 1x2x5x3\n"
                                          "binary 1x2x5x3 [1x1x1x3] > 1x2x5x3\n"
                                          "binary [1x2x5x1] 1x2x5x3 > 1x2x5x3\n"
                                          "binary 1x2x5x3 [1x2x5x3] > 1x2x5x3\n"
                                          "binary 1x2x5x3 [1x1x1x1] > 1x2x5x3\n"
                                          "reduce 1x2x5x3 > 1x1x1x3\n"
                                          "reshape 1x1x1x3 > 1x3x1x1\n");
    /* element (h 1, w 2, c 2) of the moved constant is the file's (c 2, h 1, w 2) */
    const value *all = &b.g->values[b.g->nodes[4]->in[1]];
    assert_true(data_float(all->type, all->data, (1 * 5 + 2) * 3 + 2) == (2 * 2 + 1) * 5 + 2);
    built_free(&b);
}

/* A network that was written channels last, with transposes around each convolution, has none inside. */
static void transposes_cancel(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 4, 5, 2); /* N, H, W, C */
    NODE_WITH(&m, "Transpose", "t1", "x", "v1", ATTR_IS("perm", 0, 3, 1, 2));
    conv(&m, "a", "v1", "v2", 2, 3);
    NODE_WITH(&m, "Transpose", "t2", "v2", "v3", ATTR_IS("perm", 0, 2, 3, 1));
    NODE(&m, "Relu", "r", "v3", "v4");
    WEIGHT(&m, "bias", 1, 3);
    NODE(&m, "Add", "add", "v4,bias", "y");
    net_output(&m, "y");
    check_lines(&m, 13,
                "conv 1x4x5x2 [3x2x1x1] > 1x4x5x3\n"
                "unary 1x4x5x3 > 1x4x5x3\n"
                "binary 1x4x5x3 [1x1x1x3] > 1x4x5x3\n");
}

/* N,C,L is kept as N,1,L,C, through elementwise ops too. */
static void one_dimension(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 2, 3, 9);
    WEIGHT(&m, "w1", 0.1f, 4, 3, 3);
    WEIGHT(&m, "w2", 0.1f, 4, 1, 3);
    WEIGHT(&m, "c", 1, 4, 1);
    NODE_WITH(&m, "Conv", "c1", "x,w1", "v1", ATTR_IS("strides", 2), ATTR_IS("pads", 1, 0));
    NODE(&m, "Relu", "r", "v1", "v2");
    NODE(&m, "Mul", "m", "v2,c", "v3");
    NODE_WITH(&m, "Conv", "c2", "v3,w2", "v4", attr_i("group", 4), ATTR_IS("dilations", 1));
    NODE(&m, "GlobalAveragePool", "g", "v4", "v5");
    INTS(&m, "axes", 2);
    NODE(&m, "Squeeze", "s", "v5,axes", "y");
    net_output(&m, "y");
    built b;
    assert_ok(build_file(net_finish(&m, 13), 1, &b));
    assert_string_equal(graph_lines(b.g), "transpose 2x3x9 > 2x9x3\n"
                                          "reshape 2x9x3 > 2x1x9x3\n"
                                          "conv 2x1x9x3 [4x3x3] > 2x1x4x4\n"
                                          "unary 2x1x4x4 > 2x1x4x4\n"
                                          "binary 2x1x4x4 [1x1x1x4] > 2x1x4x4\n"
                                          "conv 2x1x4x4 [4x1x3] > 2x1x2x4\n"
                                          "reduce 2x1x2x4 > 2x1x1x4\n"
                                          "reshape 2x1x1x4 > 2x4\n");
    const attr_conv *a = &b.g->nodes[2]->a.conv;
    assert_int_equal(a->kernel[0], 1);
    assert_int_equal(a->kernel[1], 3);
    assert_int_equal(a->stride[1], 2);
    assert_int_equal(a->pad[1], 1);
    assert_int_equal(a->pad[3], 0);
    assert_int_equal(a->w.o, 9);
    assert_int_equal(a->w.i, 3);
    built_free(&b);
}

/* Depth to space in both orders and back, between convolutions: one transpose each. */
static void blocks(void **state)
{
    static const char *const modes[] = {"DCR", "CRD"};
    (void)state;
    for (int i = 0; i < 2; i++) {
        net m = {0};
        INPUT(&m, "x", 1, 1, 2, 3);
        conv(&m, "a", "x", "v", 1, 8);
        NODE_WITH(&m, "DepthToSpace", "d", "v", "u", attr_i("blocksize", 2), attr_s("mode", modes[i]));
        conv(&m, "b", "u", "t", 2, 3);
        NODE_WITH(&m, "SpaceToDepth", "s", "t", "q", attr_i("blocksize", 2));
        conv(&m, "c", "q", "p", 12, 1);
        NODE(&m, "Flatten", "f", "p", "y");
        net_output(&m, "y");
        built b;
        assert_ok(build_file(net_finish(&m, 13), 1, &b));
        assert_int_equal(count_nodes(b.g, OP_TRANSPOSE), 2);
        assert_output(b.g, 0, "1x6");
        built_free(&b);
    }
}

/* Two readers that want the same order share one transpose. */
static void conversions_are_shared(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 3, 4, 4);
    conv(&m, "a", "x", "v", 3, 2);
    conv(&m, "b", "x", "u", 3, 2);
    NODE(&m, "Identity", "i", "x", "x2");
    conv(&m, "c", "x2", "t", 3, 2);
    NODE(&m, "Sum", "s", "v,u,t", "w");
    NODE(&m, "GlobalMaxPool", "g", "w", "y");
    net_output(&m, "y");
    built b;
    assert_ok(build_file(net_finish(&m, 13), 1, &b));
    assert_int_equal(count_nodes(b.g, OP_TRANSPOSE), 1);
    built_free(&b);
}

static void names_are_the_files(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "image", 1, 1, 4, 4);
    conv(&m, "first", "image", "features", 1, 2);
    NODE(&m, "Relu", "", "features", "scores");
    net_output(&m, "scores");
    built b;
    assert_ok(build_file(net_finish(&m, 13), 1, &b));
    const node *c = find_node(b.g, OP_CONV), *r = find_node(b.g, OP_UNARY);
    assert_string_equal(c->name, "first");
    assert_string_equal(b.g->values[c->out[0]].name, "features");
    assert_string_equal(b.g->values[c->in[CONV_W]].name, "w_first");
    assert_string_equal(r->name, "scores"); /* a node without a name takes its output's */
    assert_string_equal(b.g->values[b.g->inputs[0]].name, "image");
    assert_string_equal(b.g->values[b.g->outputs[0]].name, "scores");
    built_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(conv_net),
        cmocka_unit_test(exit_transpose),
        cmocka_unit_test(one_channel_is_a_view),
        cmocka_unit_test(channel_shuffle),
        cmocka_unit_test(axes_are_renumbered),
        cmocka_unit_test(constants_follow),
        cmocka_unit_test(transposes_cancel),
        cmocka_unit_test(one_dimension),
        cmocka_unit_test(blocks),
        cmocka_unit_test(conversions_are_shared),
        cmocka_unit_test(names_are_the_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
