/* SPDX-License-Identifier: Apache-2.0 */
/* Truth values that depend on the input, and ops that become several nodes of the graph or take constant indices. */
#include <math.h>

#include "import_test.h"
#include "sepcl/sepcl.h"

static void two_inputs(net *m)
{
    INPUT(m, "x", 2, 3);
    INPUT(m, "z", 3);
    net_output(m, "y");
}

static void comparisons(void **state)
{
    static const struct {
        const char *op;
        binary_kind kind;
        bool        swapped;
    } rows[] = {
        {"Equal", BINARY_EQUAL, false},
        {"Less", BINARY_LESS, false},
        {"Greater", BINARY_LESS, true},
        {"LessOrEqual", BINARY_LESS_EQUAL, false},
        {"GreaterOrEqual", BINARY_LESS_EQUAL, true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net   m = {0};
        built b;
        two_inputs(&m);
        NODE(&m, rows[i].op, "n", "x,z", "t");
        NODE(&m, "Where", "w", "t,x,z", "y");
        assert_int_equal(build_file(net_finish(&m, 13), 1, &b), SEPCL_OK);
        const node *n = find_node(b.g, OP_BINARY);
        assert_int_equal(n->a.binary.kind, rows[i].kind);
        assert_int_equal(b.g->values[n->in[0]].shape.dim[0] == 1, rows[i].swapped);
        assert_int_equal(count_nodes(b.g, OP_WHERE), 1);
        built_free(&b);
    }
}

/* Truth values go where elements are only moved or asked for, and nowhere else. */
static void truth_values(void **state)
{
    net m = {0};
    (void)state;
    two_inputs(&m);
    NODE(&m, "Less", "a", "x,z", "t");
    NODE(&m, "Transpose", "b", "t", "u");
    NODE_WITH(&m, "Concat", "c", "u,u", "v", attr_i("axis", 0));
    NODE_WITH(&m, "Cast", "d", "v", "y", attr_i("to", 1));
    check_lines(&m, 13,
                "reshape 3 > 1x3\n"
                "binary 2x3 1x3 > 2x3\n"
                "concat 2x3 2x3 > 2x6\n"
                "transpose 2x6 > 6x2\n");
    static const char *const takes_none[] = {"Relu", "Softmax", "Not_of_float", "Neg"};
    for (size_t i = 0; i < sizeof takes_none / sizeof takes_none[0]; i++) {
        const bool other = takes_none[i][0] == 'N' && takes_none[i][1] == 'o';
        two_inputs(&m);
        NODE(&m, "Less", "a", "x,z", "t");
        NODE(&m, other ? "Not" : takes_none[i], "n", other ? "x" : "t", "y");
        check_refused(&m, 13, other ? SEPCL_BAD_FILE : SEPCL_UNSUPPORTED,
                      other ? "node 'n' (Not): the operand is of type" : "input 't' is a tensor of bool");
    }
    two_inputs(&m);
    NODE(&m, "Less", "a", "x,z", "t");
    NODE(&m, "Where", "n", "x,t,z", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "node 'n' (Where): the operands are of types");
    two_inputs(&m);
    NODE(&m, "Less", "a", "x,z", "t");
    NODE(&m, "And", "n", "t,z", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "node 'n' (And): the operands are of types");
    two_inputs(&m);
    NODE(&m, "Less", "a", "x,z", "t");
    NODE_WITH(&m, "Cast", "n", "t", "y", attr_i("to", 7));
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "a cast of 't' to int64 is supported on constants only");
    two_inputs(&m);
    NODE(&m, "Less", "a", "x,z", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "output 'y' is a tensor of type bool");
}

/* What is known at load is computed at load. */
static void constants(void **state)
{
    net m = {0};
    (void)state;
    two_inputs(&m);
    WEIGHT(&m, "c", 1, 3);
    NODE(&m, "IsNaN", "a", "c", "t");
    NODE(&m, "Not", "b", "t", "u");
    NODE(&m, "IsInf", "d", "c", "v");
    NODE(&m, "Xor", "e", "u,v", "w");
    NODE(&m, "Where", "f", "w,c,c", "g");
    NODE(&m, "Mul", "h", "x,g", "i");
    NODE(&m, "Add", "j", "i,z", "y");
    check_lines(&m, 13,
                "binary 2x3 [1x3] > 2x3\n"
                "reshape 3 > 1x3\n"
                "binary 2x3 1x3 > 2x3\n");
}

/* Pieces without elements are made and left out again. */
static void empty_pieces(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 2, 3);
    net_output(&m, "y");
    INTS(&m, "sizes", 3, 0);
    NODE_WITH(&m, "Split", "n", "x,sizes", "a,b", attr_i("axis", 1));
    NODE_WITH(&m, "Concat", "c", "b,a,b", "d", attr_i("axis", 1));
    NODE(&m, "Relu", "r", "d", "y");
    check_lines(&m, 13,
                "concat 2x3 > 2x3\n"
                "unary 2x3 > 2x3\n");
}

static void tiles(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 2, 3);
    net_output(&m, "y");
    INTS(&m, "n", 1, 2);
    NODE(&m, "Tile", "t", "x,n", "y");
    check_lines(&m, 13,
                "reshape 2x3 > 2x1x3\n"
                "expand 2x1x3 > 2x2x3\n"
                "reshape 2x2x3 > 2x6\n");
    INPUT(&m, "x", 2, 3);
    net_output(&m, "y");
    INTS(&m, "n", 1, -2);
    NODE(&m, "Tile", "t", "x,n", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "repeat 1 is -2");
    INPUT(&m, "x", 2, 3);
    net_output(&m, "y");
    INTS(&m, "n", 1 << 30, 1 << 30);
    NODE(&m, "Tile", "t", "x,n", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "too many elements");
}

static void bad_indices(void **state)
{
    static const struct {
        const char *op, *text;
        int64_t     index[2];
    } rows[] = {
        {"GatherND", "index 5 is outside an axis of 2", {5, 0}},
        {"GatherND", "index -4 is outside an axis of 3", {1, -4}},
        {"ScatterND", "index 9 is outside an axis of 3", {0, 9}},
        {"GatherElements", "do not suit data of shape 2x3", {0, 0}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net m = {0};
        two_inputs(&m);
        net_tensor(&m, tensor_ints("i", 2, (int64_t[]){1, 2}, rows[i].index));
        WEIGHT(&m, "u", 1, 1);
        if (rows[i].op[0] == 'G' && rows[i].op[6] == 'E')
            net_tensor(&m, tensor_ints("j", 2, (int64_t[]){4, 1}, (int64_t[]){0, 0, 0, 0}));
        const bool elements = rows[i].op[0] == 'G' && rows[i].op[6] == 'E';
        NODE_WITH(&m, rows[i].op, "n",
                  elements               ? "x,j"
                  : rows[i].op[0] == 'S' ? "x,i,u"
                                         : "x,i",
                  "y", attr_i("axis", 1));
        check_refused(&m, 13, SEPCL_BAD_FILE, rows[i].text);
    }
    net m = {0};
    two_inputs(&m);
    NODE(&m, "GatherND", "n", "x,z", "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "the indices 'z' have to be integer constants");
}

/* The weights of a cubic filter that doubles an axis, and those of the edge. */
static void cubic_weights(void **state)
{
    net   m = {0};
    built b;
    (void)state;
    INPUT(&m, "x", 1, 1, 1, 4);
    net_output(&m, "y");
    INTS(&m, "size", 1, 1, 1, 8);
    NODE_WITH(&m, "Resize", "n", "x,,,size", "y", attr_s("mode", "cubic"));
    const node    *n = build_one(&m, 13, OP_RESAMPLE, &b);
    const int32_t *index = b.g->values[n->in[1]].data;
    const float   *w = b.g->values[n->in[2]].data;
    const float    t = 0.75f, u = 0.25f, a = -0.75f; /* output 2 lies at 0.75 */
    const float    want[4] = {a * t * u * u, ((a + 2) * t - (a + 3)) * t * t + 1, ((a + 2) * u - (a + 3)) * u * u + 1,
                              a * u * t * t};
    /* of elements -1 ... 2, where 0 stands for -1 too */
    assert_int_equal(index[2 * 4], 0);
    assert_true(fabsf(w[2 * 4] - (want[0] + want[1])) < 1e-6f);
    assert_int_equal(index[2 * 4 + 1], 1);
    assert_true(fabsf(w[2 * 4 + 1] - want[2]) < 1e-6f);
    assert_true(fabsf(w[2 * 4 + 2] - want[3]) < 1e-6f);
    assert_true(w[2 * 4 + 3] == 0);
    built_free(&b);
}

static void resize_limits(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 1, 1, 65000);
    net_output(&m, "y");
    INTS(&m, "size", 1, 1, 1, 1);
    NODE_WITH(&m, "Resize", "n", "x,,,size", "y", attr_s("mode", "cubic"), attr_i("antialias", 1));
    check_refused(&m, 18, SEPCL_UNSUPPORTED, "would mix more than 4096 neighbours");
    INPUT(&m, "x", 1, 1, 4, 4);
    net_output(&m, "y");
    INTS(&m, "size", 1, 1, 2, 2);
    NODE_WITH(&m, "Resize", "n", "x,,,size", "y", attr_s("coordinate_transformation_mode", "tf_crop_and_resize"));
    check_refused(&m, 13, SEPCL_BAD_FILE, "the region has 0 entries for 4 axes");
    /* positions beyond any number of elements, where adding one changes nothing */
    const float far[8] = {0, 0, 0, -3e38f, 1, 1, 1, 3e38f};
    pb          region = tensor_begin("region", 1, 1, &(int64_t){8});
    built       b;
    INPUT(&m, "x", 1, 1, 4, 4);
    net_output(&m, "y");
    INTS(&m, "size", 1, 1, 2, 2);
    pb_bytes(&region, 9, far, sizeof far);
    net_tensor(&m, region);
    NODE_WITH(&m, "Resize", "n", "x,region,,size", "y", attr_s("mode", "cubic"),
              attr_s("coordinate_transformation_mode", "tf_crop_and_resize"));
    assert_ok(build_file(net_finish(&m, 13), 1, &b));
    built_free(&b);
}

/* Every function of two numbers has a layer's name of its own in a summary. */
static void summary_names(void **state)
{
    static const char *const ops[] = {"Equal", "Less", "LessOrEqual", "Mod"};
    (void)state;
    for (size_t i = 0; i < sizeof ops / sizeof ops[0]; i++) {
        net              m = {0};
        sepcl_model     *model;
        sepcl_summary   *summary;
        sepcl_layer_info info;
        two_inputs(&m);
        NODE(&m, ops[i], "n", "x,z", i < 3 ? "t" : "y");
        if (i < 3)
            NODE_WITH(&m, "Cast", "c", "t", "y", attr_i("to", 1));
        pb file = net_finish(&m, 13);
        assert_ok(sepcl_model_load_memory(file.p, file.n, NULL, &model));
        assert_ok(sepcl_summary_create(model, NULL, 0, &summary));
        assert_ok(sepcl_summary_layer(summary, sepcl_summary_layer_count(summary) - 1, &info));
        assert_string_equal(info.op, ops[i]);
        sepcl_summary_destroy(summary);
        sepcl_model_destroy(model);
        free(file.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(comparisons),   cmocka_unit_test(truth_values),  cmocka_unit_test(constants),
        cmocka_unit_test(empty_pieces),  cmocka_unit_test(tiles),         cmocka_unit_test(bad_indices),
        cmocka_unit_test(cubic_weights), cmocka_unit_test(resize_limits), cmocka_unit_test(summary_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
