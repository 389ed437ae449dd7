/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What crashed, hung or misled other runtimes, as published over the years, each as a small file. External data that
 * leaves its folder is in test_import_external.c, sizes that lie in test_import_malformed.c.
 */
#include <math.h>

#include "import_test.h"
#include "sepcl/sepcl.h"

/* ---------------------------------------------------------------- divisors and steps of zero */

static void zero_strides_and_dilations(void **state)
{
    static const char *const ops[] = {"Conv", "ConvTranspose", "MaxPool", "AveragePool", "LpPool"};
    static const char *const names[] = {"strides", "dilations", "kernel_shape"};
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++)
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            for (int64_t v = 0; v >= -1; v--) {
                net m = {0};
                INPUT(&m, "x", 1, 2, 8, 8);
                net_output(&m, "y");
                WEIGHT(&m, "w", 1, 2, 2, 3, 3);
                const bool conv = ops[i][0] == 'C';
                if (k == 2)
                    NODE_WITH(&m, ops[i], "n", conv ? "x,w" : "x", "y", ATTR_IS(names[k], 3, v));
                else
                    NODE_WITH(&m, ops[i], "n", conv ? "x,w" : "x", "y", ATTR_IS(names[k], 1, v),
                              ATTR_IS("kernel_shape", 3, 3));
                char text[64];
                snprintf(text, sizeof text, "attribute '%s' has the entry %lld", names[k], (long long)v);
                check_refused(&m, 19, SEPCL_BAD_FILE, text);
            }
}

static void groups_and_blocks_of_zero(void **state)
{
    static const struct {
        const char *op, *attribute, *text;
        int         opset;
    } rows[] = {
        {"Conv", "group", "attribute 'group' is", 13},       {"ConvTranspose", "group", "attribute 'group' is", 13},
        {"DepthToSpace", "blocksize", "block size is", 13},  {"SpaceToDepth", "blocksize", "block size is", 13},
        {"GroupNormalization", "num_groups", "groups", 21},  {"LRN", "size", "attribute 'size' is", 13},
        {"Split", "num_outputs", "", 18},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int64_t v = 0; v > -3; v--) {
            net m = {0};
            INPUT(&m, "x", 1, 2, 8, 8);
            net_output(&m, "y");
            WEIGHT(&m, "w", 1, 2, 2, 3, 3);
            WEIGHT(&m, "s", 1, 2);
            const char *in = rows[i].op[0] == 'C' ? "x,w" : rows[i].op[0] == 'G' ? "x,s,s" : "x";
            NODE_WITH(&m, rows[i].op, "n", in, "y", attr_i(rows[i].attribute, v));
            check_refused(&m, rows[i].opset, SEPCL_BAD_FILE, rows[i].text);
        }
}

static void divided_by_zero(void **state)
{
    static const char *const ops[] = {"Div", "Mod"};
    net                      m = {0};
    (void)state;
    for (int i = 0; i < 2; i++) {
        INPUT(&m, "x", 1, 4);
        net_output(&m, "y");
        INTS(&m, "a", INT64_MIN, 7);
        INTS(&m, "b", -1, 0);
        NODE(&m, ops[i], "n", "a,b", "c");
        NODE(&m, "Reshape", "r", "x,c", "y");
        check_refused(&m, 13, SEPCL_BAD_FILE, "a constant is divided by zero");
    }
    INPUT(&m, "x", 1, 4);
    net_output(&m, "y");
    INTS(&m, "zero", 0);
    INTS(&m, "four", 4);
    NODE(&m, "Range", "n", "zero,four,zero", "c");
    NODE(&m, "Reshape", "r", "x,c", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "in steps of 0");
}

static void scales_that_are_no_numbers(void **state)
{
    static const float scales[] = {0, -2, NAN, INFINITY, 1e-38f, 1e38f};
    (void)state;
    for (size_t i = 0; i < sizeof scales / sizeof scales[0]; i++) {
        const float v[4] = {1, 1, scales[i], 1};
        pb          t = tensor_begin("s", 1, 1, &(int64_t){4});
        net         m = {0};
        pb_bytes(&t, 9, v, sizeof v);
        net_tensor(&m, t);
        INPUT(&m, "x", 1, 2, 8, 8);
        net_output(&m, "y");
        NODE_WITH(&m, "Resize", "n", "x,,s", "y", attr_s("mode", i % 2 ? "cubic" : "nearest"));
        check_refused(&m, 13, SEPCL_BAD_FILE, "scale");
    }
}

/* ---------------------------------------------------------------- nothing where something is expected */

static void depthwise_with_zero_channels(void **state)
{
    static const int64_t weights[][4] = {{0, 1, 3, 3}, {2, 0, 3, 3}, {2, 1, 0, 3}, {2, 1, 3, 0}};
    (void)state;
    for (size_t i = 0; i < 4; i++)
        for (int transposed = 0; transposed < 2; transposed++) {
            net m = {0};
            INPUT(&m, "x", 1, 2, 8, 8);
            net_output(&m, "y");
            net_tensor(&m, tensor_ramp("w", 1, 4, weights[i]));
            NODE_WITH(&m, transposed ? "ConvTranspose" : "Conv", "n", "x,w", "y", attr_i("group", 2));
            check_refused(&m, 13, SEPCL_BAD_FILE, "node 'n'");
        }
}

static void missing_inputs_and_attributes(void **state)
{
    static const char *const ops[] = {"Conv", "Gemm", "MatMul", "BatchNormalization", "Concat", "Gather", "Reshape",
                                      "Pad",  "Tile", "Where",  "Resize",             "Expand", "Cast",   "MaxPool"};
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        net   m = {0};
        built b;
        INPUT(&m, "x", 1, 2, 8, 8);
        net_output(&m, "y");
        NODE(&m, ops[i], "n", "x", "y");
        assert_int_not_equal(build_file(net_finish(&m, 13), 1, &b), SEPCL_OK);
        assert_non_null(strstr(error_sentence(), "node 'n'"));
        built_free(&b);
    }
}

/* ---------------------------------------------------------------- products that overflow */

static void dims_whose_product_overflows(void **state)
{
    static const int64_t shapes[][3] = {{1 << 16, 1 << 16, 1}, {1ll << 32, 1ll << 32, 1}, {1ll << 62, 4, 1},
                                        {INT64_MAX, INT64_MAX, INT64_MAX}, {46341, 46341, 1}};
    static const char *const ops[] = {"Reshape", "Expand", "Tile", "ConstantOfShape"};
    (void)state;
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        for (size_t k = 0; k < sizeof ops / sizeof ops[0]; k++) {
            net   m = {0};
            built b;
            INPUT(&m, "x", 1, 1, 1);
            net_output(&m, "y");
            net_tensor(&m, tensor_ints("s", 1, &(int64_t){3}, shapes[i]));
            NODE(&m, ops[k], "n", k == 3 ? "s" : "x,s", "t");
            NODE(&m, "Add", "a", "x,t", "y");
            const status st = build_file(net_finish(&m, 13), 1, &b);
            assert_true(st == SEPCL_BAD_FILE || st == SEPCL_UNSUPPORTED);
            assert_non_null(strstr(error_sentence(), "node 'n'"));
            built_free(&b);
        }
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        net m = {0};
        net_port(&m, 11, "x", 1, 3, shapes[i]);
        net_output(&m, "y");
        NODE(&m, "Relu", "n", "x", "y");
        check_refused(&m, 13, SEPCL_UNSUPPORTED, "limit");
    }
}

static void data_shorter_than_its_dims(void **state)
{
    net m = {0};
    pb  t = tensor_begin("w", 1, 4, (int64_t[]){64, 2, 3, 3});
    (void)state;
    pb_bytes(&t, 9, "only twelve!", 12);
    net_tensor(&m, t);
    INPUT(&m, "x", 1, 2, 8, 8);
    net_output(&m, "y");
    NODE(&m, "Conv", "n", "x,w", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "tensor 'w' of shape 64x2x3x3 has more elements than bytes");
}

/* ---------------------------------------------------------------- little that becomes much */

/* Each joins the one before with itself. */
static void doubling_without_end(void **state)
{
    net m = {0};
    (void)state;
    model_failures = 2;
    INPUT(&m, "x", 1, 4);
    net_output(&m, "y");
    WEIGHT(&m, "c0", 1, 1, 4);
    for (int i = 0; i < 60; i++) {
        char in[32], out[16];
        snprintf(in, sizeof in, "c%d,c%d", i, i);
        snprintf(out, sizeof out, "c%d", i + 1);
        NODE_WITH(&m, "Concat", out, in, out, attr_i("axis", 0));
    }
    NODE(&m, "Add", "a", "x,c60", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "would be computed; the limit is");
    model_failures = MODEL_FAILURES;
}

static void a_long_chain(void **state)
{
    net   m = {0};
    built b;
    (void)state;
    model_failures = 2;
    INPUT(&m, "x", 1, 4);
    for (int i = 0; i < 50000; i++) {
        char in[16], out[16];
        snprintf(in, sizeof in, i ? "v%d" : "x", i - 1);
        snprintf(out, sizeof out, "v%d", i);
        NODE(&m, "Identity", "", in, out);
    }
    net_output(&m, "y");
    NODE(&m, "Relu", "r", "v49999", "y");
    assert_ok(build_file(net_finish(&m, 13), 1, &b));
    assert_int_equal(b.g->n_nodes, 1);
    built_free(&b);
    model_failures = MODEL_FAILURES;
}

static void nested_if(void **state)
{
    pb inner = {0};
    (void)state;
    for (int i = 0; i < 64; i++) {
        pb attr = attr_begin("then_branch", 5), node = node_begin("If", "choice", "c", "z"), outer = {0};
        pb_message(&attr, 6, inner);
        pb_message(&node, 5, attr);
        pb_message(&outer, 1, node);
        inner = outer;
    }
    net m = {0};
    pb  attr = attr_begin("else_branch", 5);
    INPUT(&m, "x", 1);
    net_output(&m, "y");
    pb_message(&attr, 6, inner);
    NODE_WITH(&m, "If", "n", "x", "y", attr);
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'n' (If): control flow is not supported");
}

/* ---------------------------------------------------------------- order and names */

static void a_circle_of_nodes(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 4);
    net_output(&m, "y");
    NODE(&m, "Add", "a", "x,q", "p");
    NODE(&m, "Relu", "b", "p", "q");
    NODE(&m, "Relu", "c", "q", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "reads 'q', which nothing before it makes");
}

/* Names are text, whatever they look like, and a sentence has an end. */
static void names_that_look_like_formats(void **state)
{
    net   m = {0};
    char *name = malloc(1 << 20);
    built b;
    (void)state;
    assert_non_null(name);
    INPUT(&m, "x", 1, 4);
    net_output(&m, "y");
    NODE(&m, "%s%n%s%999999d", "%n%n%n", "x", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node '%n%n%n' (%s%n%s%999999d)");
    memset(name, '%', (1 << 20) - 1);
    name[(1 << 20) - 1] = 0;
    INPUT(&m, "x", 1, 4);
    net_output(&m, "y");
    NODE(&m, "Loop", name, "x", "y");
    assert_int_equal(build_file(net_finish(&m, 13), 1, &b), SEPCL_UNSUPPORTED);
    assert_true(strlen(error_sentence()) < 4096);
    built_free(&b);
    free(name);
}

static void nine_dimensions(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 1, 1, 1, 1, 1, 1, 1, 4);
    net_output(&m, "y");
    NODE(&m, "Relu", "n", "x", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "more than 8 dimensions");
    INPUT(&m, "x", 1, 1, 1, 1, 1, 1, 1, 4);
    net_output(&m, "y");
    INTS(&m, "axes", 0);
    NODE(&m, "Unsqueeze", "n", "x,axes", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "more than 8 dimensions");
}

/* ---------------------------------------------------------------- more than there is */

/* Outputs of 64 GB and more, from a file of some hundred bytes: refused with a sentence when a session is made. */
static void an_output_larger_than_the_device(void **state)
{
    net            m = {0};
    sepcl_model   *model;
    sepcl_session *session;
    (void)state;
    INPUT(&m, "x", 1, 1);
    INTS(&m, "s", 46000, 46000);
    NODE(&m, "Expand", "e", "x,s", "e");
    for (int i = 0; i < 400; i++) {
        char out[16];
        snprintf(out, sizeof out, "y%d", i);
        NODE(&m, "Sigmoid", out, "e", out);
        net_output(&m, out);
    }
    pb file = net_finish(&m, 13);
    assert_ok(sepcl_model_load_memory(file.p, file.n, NULL, &model));
    const sepcl_status st = sepcl_session_create(model, NULL, &session);
    assert_null(session);
    if (st != SEPCL_OUT_OF_MEMORY && st != SEPCL_DEVICE_ERROR && st != SEPCL_UNSUPPORTED)
        test_fail("status %d: %s\n", st, sepcl_last_error());
    assert_true(strlen(sepcl_last_error()) > 20);
    sepcl_model_destroy(model);
    free(file.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(zero_strides_and_dilations),   cmocka_unit_test(groups_and_blocks_of_zero),
        cmocka_unit_test(divided_by_zero),              cmocka_unit_test(scales_that_are_no_numbers),
        cmocka_unit_test(depthwise_with_zero_channels), cmocka_unit_test(missing_inputs_and_attributes),
        cmocka_unit_test(dims_whose_product_overflows), cmocka_unit_test(data_shorter_than_its_dims),
        cmocka_unit_test(doubling_without_end),         cmocka_unit_test(a_long_chain),
        cmocka_unit_test(nested_if),                    cmocka_unit_test(a_circle_of_nodes),
        cmocka_unit_test(names_that_look_like_formats), cmocka_unit_test(nine_dimensions),
        cmocka_unit_test(an_output_larger_than_the_device),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
