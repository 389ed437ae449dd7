/* SPDX-License-Identifier: Apache-2.0 */
/* Constants and shape chains computed while the graph is built, and what is refused by name. */
#include "import_test.h"

static void one_input(net *m, int64_t n, int64_t c, int64_t h, int64_t w)
{
    INPUT(m, "x", n, c, h, w);
    net_output(m, "y");
}

/* Shape, Gather, Unsqueeze, Concat, Reshape with a symbolic batch: nothing of it is left. */
static void shape_chain(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", -1, 2, 3, 4);
    net_output(&m, "y");
    net_tensor(&m, tensor_ints("zero", 0, NULL, &(int64_t){0}));
    INTS(&m, "rest", -1);
    NODE(&m, "Shape", "s", "x", "s");
    NODE(&m, "Gather", "g", "s,zero", "g");
    NODE_WITH(&m, "Unsqueeze", "u", "g", "u", ATTR_IS("axes", 0));
    NODE_WITH(&m, "Concat", "c", "u,rest", "c", attr_i("axis", 0));
    NODE(&m, "Reshape", "r", "x,c", "y");
    built b;
    assert_ok(build_file(net_finish(&m, 11), 7, &b));
    assert_string_equal(graph_lines(b.g), "reshape 7x2x3x4 > 7x24\n");
    built_free(&b);
}

/* Twice the height and width by arithmetic on the shape, as exporters write an upsampling. */
static void computed_sizes(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 2, 3, 5);
    INTS(&m, "two", 2);
    INTS(&m, "zero", 0);
    INTS(&m, "end", 100);
    NODE(&m, "Shape", "s", "x", "s");
    NODE(&m, "Slice", "hw", "s,two,end,zero", "hw");
    NODE(&m, "Slice", "nc", "s,zero,two,zero", "nc");
    NODE_WITH(&m, "Cast", "f", "hw", "f", attr_i("to", 1));
    WEIGHT(&m, "ramp", 1.5f, 2);               /* 0, 1.5 */
    NODE(&m, "Exp", "scale", "ramp", "scale"); /* 1, 4.48 */
    NODE(&m, "Mul", "mul", "f,scale", "mul");
    NODE(&m, "Floor", "floor", "mul", "floor");
    NODE_WITH(&m, "Cast", "i", "floor", "i", attr_i("to", 7));
    NODE_WITH(&m, "Concat", "c", "nc,i", "c", attr_i("axis", 0));
    NODE(&m, "Resize", "r", "x,,,c", "y");
    built b;
    build_one(&m, 13, OP_RESIZE, &b);
    assert_output(b.g, 0, "1x2x3x22");
    built_free(&b);
}

/* Constants in Constant and ConstantOfShape nodes; Where, Equal, Range, Expand, Tile, ReduceProd and arithmetic. */
static void constant_ops(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 2, 12);
    net_output(&m, "y");
    NODE_WITH(&m, "Constant", "k", NULL, "k", ATTR_IS("value_ints", 2, 0, 4)); /* 2 0 4 */
    NODE_WITH(&m, "Constant", "z", NULL, "z", attr_i("value_int", 0));
    NODE_WITH(&m, "Constant", "l", NULL, "l", attr_t("value", tensor_ints("", 1, &(int64_t){1}, &(int64_t){3})));
    NODE(&m, "Equal", "eq", "k,z", "eq");          /* 0 1 0 */
    NODE(&m, "ConstantOfShape", "cos", "l", "f0"); /* 0 0 0 as floats */
    NODE_WITH(&m, "Cast", "cast", "f0", "i0", attr_i("to", 7));
    NODE(&m, "Add", "add", "i0,l", "three");                              /* 3 3 3 */
    NODE(&m, "Where", "w", "eq,three,k", "s");                            /* 2 3 4 */
    NODE_WITH(&m, "ReduceProd", "prod", "s", "p", attr_i("keepdims", 0)); /* 24 */
    NODE(&m, "Size", "size", "x", "n");
    NODE(&m, "Div", "div", "p,n", "q"); /* 1 */
    NODE(&m, "Mul", "mul", "s,q", "t"); /* 2 3 4 */
    NODE(&m, "Reshape", "r", "x,t", "y");
    check_lines(&m, 13, "reshape 2x12 > 2x3x4\n");
}

static void float_constants(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 2, 3);
    net_output(&m, "y");
    WEIGHT(&m, "a", 1, 3); /* 0 1 2 */
    WEIGHT(&m, "w", 1, 4, 3);
    INTS(&m, "perm", 1, 0);
    NODE(&m, "Mul", "sq", "a,a", "b");  /* 0 1 4 */
    NODE(&m, "Sqrt", "root", "b", "c"); /* 0 1 2 */
    NODE(&m, "Neg", "neg", "c", "d");
    NODE(&m, "Transpose", "t", "w", "wt"); /* 3 x 4 */
    NODE(&m, "Add", "add", "x,d", "e");
    NODE(&m, "MatMul", "mm", "e,wt", "y");
    built b;
    build_one(&m, 13, OP_DENSE, &b);
    const value *d = &b.g->values[find_node(b.g, OP_BINARY)->in[1]], *w = &b.g->values[find_node(b.g, OP_DENSE)->in[1]];
    assert_true(data_float(d->type, d->data, 2) == -2);
    assert_true(data_float(w->type, w->data, 1) == 3); /* row 0, column 1 of the transpose */
    built_free(&b);
}

/* A small file must not make the importer compute without end. */
static void folding_is_limited(void **state)
{
    net m = {0};
    (void)state;
    model_failures = 1;
    INPUT(&m, "x", 1, 3);
    net_output(&m, "y");
    INTS(&m, "huge", 1 << 26);
    NODE(&m, "ConstantOfShape", "c0", "huge", "c0");
    for (int i = 0; i < 40; i++) {
        char name[16], in[16];
        snprintf(name, sizeof name, "c%d", i + 1);
        snprintf(in, sizeof in, "c%d", i);
        NODE(&m, "Transpose", name, in, name);
    }
    NODE(&m, "Add", "add", "x,c40", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "folding constants would take more than");
    INPUT(&m, "x", 1, 3);
    net_output(&m, "y");
    INTS(&m, "large", 1 << 20);
    NODE(&m, "ConstantOfShape", "c", "large", "c");
    NODE(&m, "ReduceSum", "s0", "c", "s0");
    for (int i = 0; i < 130; i++) {
        char name[16], sum[16], in[32];
        snprintf(name, sizeof name, "m%d", i);
        snprintf(sum, sizeof sum, "s%d", i + 1);
        snprintf(in, sizeof in, "s%d,%s", i, name);
        NODE(&m, "ReduceMax", name, "c", name);
        NODE(&m, "Add", sum, in, sum);
    }
    NODE(&m, "Add", "add", "x,s130", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "folding constants would compute more than");
    INPUT(&m, "x", 1, 3);
    net_output(&m, "y");
    INTS(&m, "huge", 1 << 15, 1 << 15);
    NODE(&m, "ConstantOfShape", "c0", "huge", "c0");
    NODE(&m, "Add", "add", "x,c0", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "the limit is");
    INPUT(&m, "x", 1, 3);
    net_output(&m, "y");
    INTS(&m, "a", 7);
    INTS(&m, "b", 0);
    NODE(&m, "Div", "div", "a,b", "c");
    NODE(&m, "Reshape", "r", "x,c", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "node 'div' (Div): a constant is divided by zero");
    model_failures = MODEL_FAILURES;
}

static void gathers(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 3, 2, 2);
    INTS(&m, "bgr", 2, -2, 0);
    NODE_WITH(&m, "Gather", "g", "x,bgr", "y", attr_i("axis", 1));
    built        b;
    const node  *n = build_one(&m, 13, OP_GATHER, &b);
    const value *v = &b.g->values[n->in[1]];
    assert_int_equal(data_int(v->type, v->data, 1), 1); /* counted from the end in the file */
    built_free(&b);
    one_input(&m, 1, 3, 2, 2);
    INTS(&m, "bad", 3);
    NODE_WITH(&m, "Gather", "g", "x,bad", "y", attr_i("axis", 1));
    check_refused(&m, 13, SEPCL_BAD_FILE, "index 3 is outside an axis of 3");
    one_input(&m, 1, 3, 2, 2);
    net_tensor(&m, tensor_ints("one", 0, NULL, &(int64_t){1}));
    NODE_WITH(&m, "Gather", "g", "x,one", "y", attr_i("axis", 1));
    check_lines(&m, 13,
                "slice 1x3x2x2 > 1x1x2x2\n"
                "reshape 1x1x2x2 > 1x2x2\n");
}

/* ---------------------------------------------------------------- refusals by name */

static void refused_by_name(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 3, 2, 2);
    NODE(&m, "Einsum", "strange", "x", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'strange' (Einsum): the op is not supported");
    one_input(&m, 1, 3, 2, 2);
    pb branch = attr_begin("then_branch", 5);
    pb_message(&branch, 6, (pb){0});
    NODE_WITH(&m, "If", "choice", "x", "y", branch);
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'choice' (If): control flow is not supported");
    one_input(&m, 1, 3, 2, 2);
    pb custom = node_begin("FusedConv", "fused", "x", "y");
    pb_text(&custom, 7, "com.example");
    pb_message(&m.graph, 1, custom);
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'fused' (com.example.FusedConv)");
    one_input(&m, 1, 3, 2, 2);
    NODE_WITH(&m, "Dropout", "drop", "x", "y,mask", attr_f("ratio", 0.5f));
    net_output(&m, "mask");
    check_refused(&m, 10, SEPCL_UNSUPPORTED, "node 'drop' (Dropout): output 1, 'mask', is used");
    one_input(&m, 1, 3, 2, 2);
    WEIGHT(&m, "c", 1, 3);
    NODE_WITH(&m, "BatchNormalization", "bn", "x,c,c,c,c", "y", attr_i("training_mode", 1));
    check_refused(&m, 15, SEPCL_UNSUPPORTED, "training_mode");
    one_input(&m, 1, 3, 2, 2);
    NODE(&m, "Greater", "cmp", "x,x", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "output 'y' is a tensor of type bool; outputs are float32");
    INPUT(&m, "x", 1, 3);
    net_output(&m, "y");
    NODE(&m, "Shape", "s", "x", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "output 'y' is a tensor of type int64");
    INPUT(&m, "x", 1, 3);
    net_output(&m, "y");
    INTS(&m, "i", 1, 2, 3);
    NODE(&m, "Add", "mix", "x,i", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'mix' (Add): 'i' is a tensor of type int64");
}

/* What no output depends on needs no support. */
static void dead_nodes(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 3, 2, 2);
    NODE(&m, "Einsum", "strange", "x", "z");
    NODE(&m, "Relu", "r", "x", "y");
    check_lines(&m, 13, "unary 1x3x2x2 > 1x3x2x2\n");
}

static void casts(void **state)
{
    net m = {0};
    (void)state;
    one_input(&m, 1, 3, 2, 2);
    NODE_WITH(&m, "Cast", "half", "x", "h", attr_i("to", 10));
    NODE(&m, "CastLike", "like", "h,x", "f");
    NODE(&m, "Relu", "r", "f", "y");
    check_lines(&m, 15, "unary 1x3x2x2 > 1x3x2x2\n");
    one_input(&m, 1, 3, 2, 2);
    NODE_WITH(&m, "Cast", "int", "x", "y", attr_i("to", 7));
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'int' (Cast): a cast of 'x' to int64");
}

static void reshapes_refused(void **state)
{
    static const struct {
        int64_t     s[3];
        const char *text;
    } rows[] = {
        {{5, 3, 1}, "the numbers of elements differ"},
        {{-1, -1, 12}, "two entries of -1"},
        {{-2, 3, 4}, "an entry below -1"},
        {{-1, 5, 1}, "do not divide"},
        {{INT64_MAX, INT64_MAX, -1}, "too many elements"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net m = {0};
        one_input(&m, 1, 3, 2, 2);
        INTS(&m, "s", rows[i].s[0], rows[i].s[1], rows[i].s[2]);
        NODE(&m, "Reshape", "n", "x,s", "y");
        check_refused(&m, 13, SEPCL_BAD_FILE, rows[i].text);
    }
    net m = {0};
    one_input(&m, 1, 3, 2, 2);
    NODE(&m, "Reshape", "n", "x,x", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "input 'x' has to be a constant");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shape_chain),      cmocka_unit_test(computed_sizes),     cmocka_unit_test(constant_ops),
        cmocka_unit_test(float_constants),  cmocka_unit_test(folding_is_limited), cmocka_unit_test(gathers),
        cmocka_unit_test(refused_by_name),  cmocka_unit_test(dead_nodes),         cmocka_unit_test(casts),
        cmocka_unit_test(reshapes_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
