/* SPDX-License-Identifier: Apache-2.0 */
/* ONNX files written again with other convolutions: what is replaced computes the same, and all else is as it was. */
#include "import_test.h"

#include <math.h>

#include "exec/exec.h"
#include "separate/bound.h"
#include "separate/rewrite.h"

/* ------------------------------------------------------------------ two convolutions and the one that they are */

static conv_part part(int group, int ci, int co, int kh, int kw, uint32_t seed)
{
    conv_part c = {.a = {.kernel = {kh, kw}, .stride = {1, 1}, .dilation = {1, 1}, .group = group,
                         .out_channels = group * co}, .ci = ci};
    assert_ok(conv_part_alloc(&c));
    test_fill(c.w, conv_part_count(&c), seed);
    return c;
}

/* 3 x 1 to 2 channels, then 1 x 3. */
static void spatial_parts(conv_part parts[2], int channels, int outputs)
{
    parts[0] = part(1, channels, 2, 3, 1, 1);
    parts[1] = part(1, 2, outputs, 1, 3, 2);
}

static void free_parts(conv_part parts[2])
{
    conv_part_free(&parts[0]);
    conv_part_free(&parts[1]);
}

/* An initializer of the weights that both are, or of a part's own (which 0 or 1). */
static pb joint_tensor(const char *name, int type, const conv_part parts[2], int kh, int kw)
{
    conv_part c = {.a = {.kernel = {kh, kw}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1,
                         .out_channels = parts[1].a.out_channels}, .ci = parts[0].ci * parts[0].a.group};
    const int64_t dims[] = {c.a.out_channels, c.ci, kh, kw};
    double       *joint = compose(&c, parts);
    pb            t = tensor_begin(name, type, 4, dims), raw = {0};
    assert_non_null(joint);
    for (int64_t i = 0; i < conv_part_count(&c); i++) {
        const float    f = (float)joint[i];
        const uint16_t h = float_to_half(f);
        pb_raw(&raw, type == 10 ? (const void *)&h : (const void *)&f, type == 10 ? 2 : 4);
    }
    pb_message(&t, 9, raw);
    free(joint);
    return t;
}

static pb part_tensor(const char *name, const conv_part *c)
{
    const int64_t dims[] = {c->a.out_channels, c->ci, c->a.kernel[0], c->a.kernel[1]};
    pb            t = tensor_begin(name, 1, 4, dims);
    pb_bytes(&t, 9, c->w, (size_t)conv_part_count(c) * sizeof *c->w);
    return t;
}

/* ------------------------------------------------------------------ before and after */

static const caps cpu = {.type = SEPCL_DEVICE_CPU, .compute_units = 2, .max_work_group = 4096,
                         .max_work_item = {4096, 4096, 4096}, .local_bytes = 1 << 18, .global_bytes = 1 << 30,
                         .max_alloc_bytes = 1 << 30, .constant_bytes = 1 << 16, .align_bytes = 128, .simd_width = 8,
                         .vector_registers = 16, .preferred_multiple = 1};

/* The first output on an input of made-up numbers. */
static float *answer(const graph *g, int64_t *n)
{
    plan     *p;
    exec_ref *r;
    assert_ok(plan_create(g, &cpu, &(plan_options){.quiet = true}, &p));
    assert_ok(exec_ref_create(p, &r));
    for (int i = 0; i < g->n_inputs; i++)
        test_fill(exec_ref_value(r, g->inputs[i]), shape_count(&g->values[g->inputs[i]].shape), 5);
    assert_ok(exec_ref_run(r));
    *n = shape_count(&g->values[g->outputs[0]].shape);
    float *out = malloc((size_t)*n * sizeof *out);
    assert_non_null(out);
    memcpy(out, exec_ref_value(r, g->outputs[0]), (size_t)*n * sizeof *out);
    exec_ref_destroy(r);
    plan_destroy(p);
    return out;
}

static void assert_same_answer(const graph *a, const graph *b, double tolerance)
{
    int64_t n, m;
    float  *x = answer(a, &n), *y = answer(b, &m);
    assert_int_equal(n, m);
    assert_true(compare_floats(y, x, n, NULL) <= tolerance);
    free(x);
    free(y);
}

static bool file_has(const pb *file, const char *text)
{
    return memmem(file->p, file->n, text, strlen(text)) != NULL;
}

/* Edits the file, reads the new one, and compares answers for two sizes of the free dimensions. */
static void edit_file(pb file, const model_edit *edits, int n, double tolerance, built *after)
{
    built before, other;
    if (build_file(file, 9, &before) != SEPCL_OK)
        test_fail("%s\n", error_sentence());
    pb made = {0};
    assert_ok(model_file_edit(before.model, edits, n, &made.p, &made.n));
    if (build_file(made, 9, after) != SEPCL_OK)
        test_fail("%s\n", error_sentence());
    assert_same_answer(before.g, after->g, tolerance);
    pb again = {malloc(made.n), made.n, made.n}, first = {malloc(file.n), file.n, file.n};
    assert_true(again.p && first.p);
    memcpy(again.p, made.p, made.n);
    memcpy(first.p, before.file.p, file.n);
    built_free(&before);
    assert_ok(build_file(first, 12, &before));
    assert_ok(build_file(again, 12, &other));
    assert_same_answer(before.g, other.g, tolerance);
    built_free(&before);
    built_free(&other);
}

static model_edit spatial_edit(const char *value, const conv_part parts[2])
{
    return (model_edit){.old = {value}, .n_old = 1, .parts = parts, .n_parts = 2, .roles = form_roles(SEPCL_FORM_SPATIAL)};
}

/* ------------------------------------------------------------------ replacing one */

/* x -> conv (weights w, bias b) -> relu -> y, and whatever a case adds. */
static net one_conv(const conv_part parts[2], int type, const char *w)
{
    net m = {0};
    INPUT(&m, "x", -1, 4, -1, 11);
    if (w)
        net_tensor(&m, joint_tensor(w, type, parts, 3, 3));
    WEIGHT(&m, "b", 0.5f, 5);
    NODE_WITH(&m, "Conv", "conv", "x,w,b", "c", ATTR_IS("kernel_shape", 3, 3), ATTR_IS("pads", 1, 1, 1, 1));
    NODE(&m, "Relu", "relu", "c", "y");
    net_output(&m, "y");
    return m;
}

static void set_pads(conv_part parts[2], int pad)
{
    parts[0].a.pad[0] = parts[0].a.pad[2] = pad;
    parts[1].a.pad[1] = parts[1].a.pad[3] = pad;
}

static void one_becomes_two(void **state)
{
    (void)state;
    conv_part parts[2];
    built     after;
    spatial_parts(parts, 4, 5);
    set_pads(parts, 1);
    net m = one_conv(parts, 1, "w");
    net_port(&m, 13, "w", 1, -1, NULL); /* what the file says of a value that goes */
    net_port(&m, 13, "c", 1, -1, NULL);
    const model_edit e = spatial_edit("c", parts);
    edit_file(net_finish(&m, 13), &e, 1, 1e-5, &after);
    assert_string_equal(graph_lines(after.g), "transpose 9x4x9x11 > 9x9x11x4\n"
                                              "conv 9x9x11x4 [2x4x3x1] > 9x9x11x2\n"
                                              "conv 9x9x11x2 [5x2x1x3] [5] > 9x9x11x5\n"
                                              "unary 9x9x11x5 > 9x9x11x5\n"
                                              "transpose 9x9x11x5 > 9x5x9x11\n");
    assert_string_equal(after.g->nodes[1]->name, "conv/column");
    assert_string_equal(after.g->nodes[2]->name, "conv/row");
    assert_false(file_has(&after.file, "\x0a\x01w"));
    built_free(&after);
    free_parts(parts);
}

static void taken_names_get_a_number(void **state)
{
    (void)state;
    conv_part parts[2];
    built     after;
    spatial_parts(parts, 4, 5);
    set_pads(parts, 1);
    net m = one_conv(parts, 1, "w");
    NODE(&m, "Relu", "other", "x", "conv/column.weight");
    NODE(&m, "Relu", "third", "x", "conv/column.out");
    net_output(&m, "conv/column.weight");
    net_output(&m, "conv/column.out");
    const model_edit e = spatial_edit("c", parts);
    edit_file(net_finish(&m, 13), &e, 1, 1e-5, &after);
    assert_true(file_has(&after.file, "conv/column_2.weight") && file_has(&after.file, "conv/column_2.out"));
    built_free(&after);
    free_parts(parts);
}

static void shared_weights_stay(void **state)
{
    (void)state;
    conv_part parts[2];
    built     after;
    spatial_parts(parts, 4, 5);
    set_pads(parts, 1);
    net m = one_conv(parts, 1, "w");
    NODE_WITH(&m, "Conv", "second", "x,w", "z", ATTR_IS("kernel_shape", 3, 3));
    net_output(&m, "z");
    const model_edit e = spatial_edit("c", parts), both[] = {e, spatial_edit("z", parts)};
    edit_file(net_finish(&m, 13), &e, 1, 1e-5, &after);
    assert_int_equal(count_nodes(after.g, OP_CONV), 3);
    built_free(&after);
    /* when both go, their weights go */
    m = one_conv(parts, 1, "w");
    NODE_WITH(&m, "Conv", "second", "x,w", "z", ATTR_IS("kernel_shape", 3, 3), ATTR_IS("pads", 1, 1, 1, 1));
    net_output(&m, "z");
    edit_file(net_finish(&m, 13), both, 2, 1e-5, &after);
    assert_int_equal(count_nodes(after.g, OP_CONV), 4);
    assert_false(file_has(&after.file, "\x42\x01w")); /* a tensor of that name */
    built_free(&after);
    free_parts(parts);
}

/* Weights in a Constant node, which goes; and in a file of an early representation, where new ones are such nodes. */
static void weights_may_be_nodes(void **state)
{
    (void)state;
    conv_part parts[2];
    built     after;
    spatial_parts(parts, 4, 5);
    set_pads(parts, 1);
    net m = {0};
    NODE_WITH(&m, "Constant", "constant", NULL, "w", attr_t("value", joint_tensor("", 1, parts, 3, 3)));
    net rest = one_conv(parts, 1, NULL);
    pb_raw(&m.graph, rest.graph.p, rest.graph.n);
    free(rest.graph.p);
    const model_edit e = spatial_edit("c", parts);
    edit_file(net_finish(&m, 13), &e, 1, 1e-5, &after);
    assert_false(file_has(&after.file, "Constant"));
    built_free(&after);
    m = one_conv(parts, 1, "w");
    INPUT(&m, "w", 5, 4, 3, 3);
    INPUT(&m, "b", 5);
    pb file = net_finish(&m, 9);
    file.p[1] = 3; /* ir_version comes first */
    edit_file(file, &e, 1, 1e-5, &after);
    assert_true(file_has(&after.file, "Constant"));
    assert_int_equal(model_file_inputs(after.model), 1);
    assert_false(file_has(&after.file, "\x0a\x01w")); /* no input of the old weights' name */
    built_free(&after);
    free_parts(parts);
}

static void half_weights_stay_half(void **state)
{
    (void)state;
    conv_part parts[2];
    built     after;
    spatial_parts(parts, 4, 5);
    set_pads(parts, 1);
    net              m = one_conv(parts, 10, "w");
    const model_edit e = spatial_edit("c", parts);
    edit_file(net_finish(&m, 13), &e, 1, 5e-3, &after);
    assert_int_equal(after.g->values[after.g->nodes[1]->in[CONV_W]].type, DT_F16);
    built_free(&after);
    free_parts(parts);
}

/* Padding that depends on the input's size goes on doing so. */
static void automatic_padding_stays(void **state)
{
    (void)state;
    conv_part parts[2];
    built     after;
    spatial_parts(parts, 4, 5);
    parts[0].a.stride[0] = 2;
    parts[1].a.stride[1] = 3;
    net m = {0};
    INPUT(&m, "x", 1, 4, -1, -1);
    net_tensor(&m, joint_tensor("w", 1, parts, 3, 3));
    NODE_WITH(&m, "Conv", "conv", "x,w", "y", attr_s("auto_pad", "SAME_LOWER"), ATTR_IS("strides", 2, 3));
    net_output(&m, "y");
    const model_edit e = spatial_edit("y", parts);
    edit_file(net_finish(&m, 13), &e, 1, 1e-5, &after);
    built_free(&after);
    free_parts(parts);
}

static void one_axis_stays_one(void **state)
{
    (void)state;
    conv_part     parts[2] = {part(4, 1, 1, 1, 3, 1), part(1, 4, 5, 1, 1, 2)};
    built         after;
    net           m = {0};
    const int64_t dims[] = {5, 4, 3};
    conv_part     c = {.a = {.kernel = {1, 3}, .group = 1, .out_channels = 5}, .ci = 4};
    double       *joint = compose(&c, parts);
    pb            t = tensor_begin("w", 1, 3, dims), raw = {0};
    for (int i = 0; i < 60; i++)
        pb_raw(&raw, &(float){(float)joint[i]}, 4);
    pb_message(&t, 9, raw);
    free(joint);
    INPUT(&m, "x", 2, 4, -1);
    net_tensor(&m, t);
    NODE_WITH(&m, "Conv", "conv", "x,w", "y", ATTR_IS("pads", 2, 1), ATTR_IS("strides", 2));
    net_output(&m, "y");
    parts[0].a.pad[1] = 2;
    parts[0].a.pad[3] = 1;
    parts[0].a.stride[1] = 2;
    const model_edit e = {.old = {"y"}, .n_old = 1, .parts = parts, .n_parts = 2,
                          .roles = form_roles(SEPCL_FORM_DEPTHWISE)};
    edit_file(net_finish(&m, 13), &e, 1, 1e-5, &after);
    built_free(&after);
    free_parts(parts);
}

/* ------------------------------------------------------------------ two become one */

static void two_become_one(void **state)
{
    (void)state;
    conv_part parts[2] = {part(4, 1, 2, 3, 3, 1), part(1, 8, 5, 1, 1, 2)};
    net       m = {0};
    built     before, after;
    rewriting r;
    double   *joint;
    int       first;
    const char *why;
    INPUT(&m, "x", 1, 4, -1, 11);
    net_tensor(&m, part_tensor("dw", &parts[0]));
    net_tensor(&m, part_tensor("pw", &parts[1]));
    WEIGHT(&m, "db", 0.25f, 8);
    WEIGHT(&m, "pb", 0.5f, 5);
    net_port(&m, 13, "mid", 1, -1, NULL);
    NODE_WITH(&m, "Conv", "first", "x,dw,db", "mid", ATTR_IS("pads", 1, 1, 1, 1), attr_i("group", 4));
    NODE(&m, "Conv", "second", "mid,pw,pb", "y");
    net_output(&m, "y");
    pb file = net_finish(&m, 13), copy = {malloc(file.n), file.n, file.n};
    assert_non_null(copy.p);
    memcpy(copy.p, file.p, file.n);
    assert_ok(build_file(copy, 9, &before));
    assert_true(fold_applies(before.g, 2, &first, &why));
    assert_ok(fold_make(before.g, first, 2, DT_F32, &r, &joint));
    const model_edit e = {.old = {"mid", "y"}, .n_old = 2, .parts = r.parts, .n_parts = 1,
                          .roles = form_roles(SEPCL_FORM_FOLDED), .bias = r.bias};
    edit_file(file, &e, 1, 1e-5, &after);
    assert_int_equal(count_nodes(after.g, OP_CONV), 1);
    assert_false(file_has(&after.file, "mid"));
    assert_false(file_has(&after.file, "\x42\x02" "dw") || file_has(&after.file, "\x42\x02pb"));
    built_free(&after);
    built_free(&before);
    free(joint);
    rewriting_free(&r);
    free_parts(parts);
}

/* ------------------------------------------------------------------ what cannot be */

static void assert_why_not(net *m, const char *value, const char *text)
{
    built b;
    assert_ok(build_file(net_finish(m, 13), 4, &b));
    const char *why = model_file_why_not(b.model, value);
    if (!why || !strstr(why, text))
        test_fail("'%s' (want '%s')\n", why ? why : "", text);
    built_free(&b);
}

static void what_cannot_be_replaced_is_told(void **state)
{
    (void)state;
    conv_part parts[2];
    spatial_parts(parts, 4, 5);
    net m = one_conv(parts, 1, "w");
    assert_why_not(&m, "y", "more in its place than one Conv");
    m = one_conv(parts, 1, "w");
    assert_why_not(&m, "nothing", "more in its place");
    m = (net){0};
    INPUT(&m, "x", 1, 4, 9, 9);
    net_tensor(&m, joint_tensor("v", 1, parts, 3, 3));
    NODE(&m, "Identity", "copy", "v", "w");
    NODE(&m, "Conv", "conv", "x,w", "y");
    net_output(&m, "y");
    assert_why_not(&m, "y", "by other nodes");
    m = (net){0};
    INPUT(&m, "x", 1, 1, 9, 9);
    net_tensor(&m, tensor_begin("w", 16, 4, (int64_t[]){1, 1, 1, 1}));
    pb t = tensor_begin("w", 16, 4, (int64_t[]){1, 1, 1, 1});
    pb_bytes(&t, 9, "\x80\x3f", 2);
    free(m.graph.p);
    m = (net){0};
    INPUT(&m, "x", 1, 1, 9, 9);
    net_tensor(&m, t);
    NODE(&m, "Conv", "conv", "x,w", "y");
    net_output(&m, "y");
    assert_why_not(&m, "y", "type that is not written");
    free_parts(parts);
}

static void edits_are_checked(void **state)
{
    (void)state;
    conv_part parts[2];
    built     b;
    uint8_t  *bytes;
    size_t    size;
    spatial_parts(parts, 4, 5);
    net m = one_conv(parts, 1, "w");
    assert_ok(build_file(net_finish(&m, 13), 4, &b));
    const model_edit wrong = spatial_edit("y", parts), twice[] = {spatial_edit("c", parts), spatial_edit("c", parts)};
    assert_fails(SEPCL_UNSUPPORTED, "test.onnx: the convolution that makes 'y'", model_file_edit(b.model, &wrong, 1, &bytes, &size));
    assert_null(bytes);
    assert_fails(SEPCL_INVALID, "twice", model_file_edit(b.model, twice, 2, &bytes, &size));
    /* no edits: the same file, byte by byte, as fields come in the usual order here */
    assert_ok(model_file_edit(b.model, NULL, 0, &bytes, &size));
    assert_int_equal(size, b.file.n);
    free(bytes);
    built_free(&b);
    free_parts(parts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_becomes_two),        cmocka_unit_test(taken_names_get_a_number),
        cmocka_unit_test(shared_weights_stay),    cmocka_unit_test(weights_may_be_nodes),
        cmocka_unit_test(half_weights_stay_half), cmocka_unit_test(automatic_padding_stays),
        cmocka_unit_test(one_axis_stays_one),     cmocka_unit_test(two_become_one),
        cmocka_unit_test(what_cannot_be_replaced_is_told), cmocka_unit_test(edits_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
