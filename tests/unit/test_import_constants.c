/* SPDX-License-Identifier: Apache-2.0 */
/* What ONNX's ops make of constants while the graph is built: the numbers. Expected ones are the standard's, or
 * NumPy's. */
#include <math.h>

#include "onnx_text.h"

static const struct row {
    int         opset;
    const char *op, *inputs, *attributes, *shape, *numbers;
} rows[] = {
    /* whole numbers */
    {13, "Add", "[1,-2] [3,4]", NULL, "2", "4 2"},
    {13, "Sub", "[1,-2] (5)", NULL, "2", "-4 -7"},
    {13, "Mul", "[2,-3] [4,5]", NULL, "2", "8 -15"},
    {13, "Mul", "w[65536,3] w[65536,5]", NULL, "2", "0 15"}, /* as 32 bits wrap */
    {13, "Add", "w[2147483647] w[1]", NULL, "1", "-2147483648"},
    {13, "Div", "[7,-7,7,-7] [2,2,-2,-1]", NULL, "4", "3 -3 -3 7"},
    {13, "Mod", "[7,-7,7,-7,6] [3,3,-3,-1,3]", NULL, "5", "1 2 -2 0 0"},
    {13, "Mod", "[7,-7,7] [3,3,-3]", "fmod=1", "3", "1 -1 1"},
    {13, "Pow", "[2,-3,5,2] [10,3,0,1]", NULL, "4", "1024 -27 1 2"},
    {13, "Pow", "[1,-1,-1,7] [-3,-3,-2,-1]", NULL, "4", "1 -1 1 0"},
    {13, "Min", "[1,5] [3,4]", NULL, "2", "1 4"},
    {13, "Max", "[1,5] [3,4] [2,9]", NULL, "2", "3 9"},
    {13, "Neg", "[1,-2,0]", NULL, "3", "-1 2 0"},
    {13, "Abs", "[1,-2,0]", NULL, "3", "1 2 0"},
    {13, "Sign", "[7,-2,0]", NULL, "3", "1 -1 0"},
    {13, "Equal", "[1,2] [1,3]", NULL, "2", "1 0"},
    {13, "Less", "[1,2,3] (2)", NULL, "3", "1 0 0"},
    {13, "Greater", "[1,2,3] (2)", NULL, "3", "0 0 1"},
    {13, "LessOrEqual", "[1,2,3] (2)", NULL, "3", "1 1 0"},
    {13, "GreaterOrEqual", "[1,2,3] (2)", NULL, "3", "0 1 1"},
    {13, "And", "b4 b1x1", NULL, "1x4", "0 0 0 0"},
    {13, "And", "b2 b2", NULL, "2", "0 1"},
    {13, "Or", "b3 b3", NULL, "3", "0 1 0"},
    {13, "Xor", "b4 b2x1", NULL, "2x4", "0 1 0 1 1 0 1 0"},
    {13, "Not", "b3", NULL, "3", "1 0 1"},
    {13, "Where", "b3 [1,2,3] (9)", NULL, "3", "9 2 9"},
    {13, "Where", "b3 {1,2,3} {9}", NULL, "3", "9 2 9"},
    {13, "Where", "b3 b3 b3", NULL, "3", "0 1 0"},
    {13, "ReduceSum", "n2x3", "keepdims=0", "scalar", "15"},
    {13, "ReduceSum", "n2x3 [0]", NULL, "1x3", "3 5 7"},
    {13, "ReduceMax", "n2x3", "axes=[1] keepdims=0", "2", "2 5"},
    {13, "ReduceMin", "n2x3", "axes=[-1]", "2x1", "0 3"},
    {13, "ReduceProd", "[2,3,4]", NULL, "1", "24"},
    {13, "Clip", "[1,5,9] (2) (7)", NULL, "3", "2 5 7"},
    {13, "Clip", "[1,5,9] - (7)", NULL, "3", "1 5 7"},
    {13, "Sum", "[1,2] [3,4] [5,6]", NULL, "2", "9 12"},
    /* floats */
    {13, "Sub", "{1,2.5} {0.5,3}", NULL, "2", "0.5 -0.5"},
    {13, "Div", "{1,-3} {2,4}", NULL, "2", "0.5 -0.75"},
    {13, "Pow", "{2,9} {3,0.5}", NULL, "2", "8 3"},
    {13, "Pow", "{2,3} [3,2]", NULL, "2", "8 9"}, /* exponents may be whole */
    {13, "Min", "{1,nan,2} {2,1,nan}", NULL, "3", "1 nan nan"},
    {13, "Max", "{1,nan,2} {2,1,nan}", NULL, "3", "2 nan nan"},
    {13, "Max", "{3,-1} {2,-2}", NULL, "2", "3 -1"},
    {13, "Min", "{3,-1} {2,-2}", NULL, "2", "2 -2"},
    {13, "PRelu", "{-2,3} {0.5,0.5}", NULL, "2", "-1 3"},
    {13, "Mod", "{5.5,-5.5,5.5,6} {2,2,-2,-3}", NULL, "4", "1.5 0.5 -0.5 -0"},
    {13, "Mod", "{5.5,-5.5} {2,2}", "fmod=1", "2", "1.5 -1.5"},
    {13, "Less", "{1,2,3} {2,2,2}", NULL, "3", "1 0 0"},
    {13, "Equal", "{1,2} {1,3}", NULL, "2", "1 0"},
    {13, "Greater", "{1,2,3} {2,2,2}", NULL, "3", "0 0 1"},
    {13, "LessOrEqual", "{1,2,3} {2,2,2}", NULL, "3", "1 1 0"},
    {13, "GreaterOrEqual", "{1,2,nan} {2,2,2}", NULL, "3", "0 1 0"},
    {13, "ReduceMean", "{1,2,6}", NULL, "1", "3"},
    {13, "ReduceL1", "{1,-2,3}", NULL, "1", "6"},
    {13, "ReduceL2", "{3,-4}", "keepdims=0", "scalar", "5"},
    {13, "ReduceSumSquare", "{3,-4}", NULL, "1", "25"},
    {13, "ReduceMax", "{1,nan,3}", NULL, "1", "nan"},
    {13, "ReduceMin", "{1,-2,3}", NULL, "1", "-2"},
    {13, "ReduceMin", "{nan,-2}", NULL, "1", "nan"},
    {13, "ReduceMean", "f2x2x2", "axes=[0,2] keepdims=0", "2", "2.5 4.5"},
    {18, "ReduceMean", "f2x2", "noop_with_empty_axes=1", "2x2", "0 1 2 3"},
    {18, "ReduceLogSum", "f2", "noop_with_empty_axes=1", "2", "-inf 0"},
    {18, "ReduceLogSumExp", "f2", "noop_with_empty_axes=1", "2", "0 1"},
    {18, "ReduceLogSumExp", "{0,0}", "keepdims=0", "scalar", "0.6931472"},
    {18, "ReduceLogSumExp", "{1000,-inf}", NULL, "1", "1000"},
    {18, "ReduceLogSumExp", "{inf,1}", NULL, "1", "inf"},
    {13, "Mean", "{1,2} {3,5}", NULL, "2", "2 3.5"},
    {13, "Mean", "{1,2}", NULL, "2", "1 2"},
    {13, "IsNaN", "{1,nan}", NULL, "2", "0 1"},
    {13, "IsInf", "{1,inf,-inf,nan}", NULL, "4", "0 1 1 0"},
    {13, "IsInf", "{1,inf,-inf}", "detect_negative=0", "3", "0 1 0"},
    {13, "IsInf", "{1,inf,-inf}", "detect_positive=0", "3", "0 0 1"},
    {13, "IsInf", "{1,inf,-inf}", "detect_positive=0 detect_negative=0", "3", "0 0 0"},
    {13, "Clip", "{1,5,9} {2} {7}", NULL, "3", "2 5 7"},
    {13, "Clip", "{1,5,9} {8} {7}", NULL, "3", "7 7 7"}, /* the upper bound is applied last */
    {13, "Add", "d{1.5,2} d{1,1}", NULL, "2", "2.5 3"},
    /* types */
    {13, "Cast", "{1.7,-1.7,0}", "to=7", "3", "1 -1 0"},
    {13, "Cast", "{1.7,-1.7,0}", "to=9", "3", "1 1 0"},
    {13, "Cast", "[3,0]", "to=9", "2", "1 0"},
    {13, "Cast", "[300,-1]", "to=2", "2", "44 255"},
    {13, "Cast", "[200,-1]", "to=3", "2", "-56 -1"},
    {13, "Cast", "[4294967295,5]", "to=6", "2", "-1 5"},
    {15, "CastLike", "{1.7,2} n1", NULL, "2", "1 2"},
    /* shapes */
    {15, "Shape", "f2x3x4", NULL, "3", "2 3 4"},
    {15, "Shape", "f2x3x4", "start=1", "2", "3 4"},
    {15, "Shape", "f2x3x4", "start=-2 end=-1", "1", "3"},
    {15, "Shape", "f2x3x4", "start=-9 end=9", "3", "2 3 4"},
    {13, "Size", "f2x3x4", NULL, "scalar", "24"},
    {13, "Range", "(1) (10) (4)", NULL, "3", "1 5 9"},
    {13, "Range", "(5) (0) (-2)", NULL, "3", "5 3 1"},
    {13, "NonZero", "n2x2", NULL, "2x3", "0 1 1 1 0 1"},
    {13, "NonZero", "{0,2,0,nan}", NULL, "1x2", "1 3"},
    {13, "NonZero", "b4", NULL, "1x2", "1 3"},
    {13, "Constant", NULL, "value_float=2.5", "scalar", "2.5"},
    {13, "Constant", NULL, "value_int=7", "scalar", "7"},
    {13, "Constant", NULL, "value_floats={2.5,3}", "2", "2.5 3"},
    {13, "Constant", NULL, "value_ints=[7,8]", "2", "7 8"},
    {13, "ConstantOfShape", "[2,3]", NULL, "2x3", "0 0 0 0 0 0"},
    {13, "Dropout", "{1,2} - b1", NULL, "2", "1 2"},
    {13, "Flatten", "f2x3", "axis=0", "1x6", "0 1 2 3 4 5"},
    {13, "Flatten", "f2x3", "axis=-1", "2x3", "0 1 2 3 4 5"},
    {13, "Squeeze", "f1x3x1", NULL, "3", "0 1 2"},
    {13, "Squeeze", "f1x3x1 [-1]", NULL, "1x3", "0 1 2"},
    {13, "Unsqueeze", "f3 [0,-1]", NULL, "1x3x1", "0 1 2"},
    {14, "Reshape", "f2x3 [0,-1,1]", NULL, "2x3x1", "0 1 2 3 4 5"},
    /* moving */
    {13, "Transpose", "f2x3", NULL, "3x2", "0 3 1 4 2 5"},
    {13, "Transpose", "n2x2", "perm=[1,0]", "2x2", "0 2 1 3"},
    {13, "Concat", "n2 [7]", "axis=0", "3", "0 1 7"},
    {13, "Concat", "b2 b1", "axis=-1", "3", "0 1 0"},
    {13, "Slice", "n6 [1] [5] [0] [2]", NULL, "2", "1 3"},
    {13, "Slice", "n6 [-1] [-7] [0] [-2]", NULL, "3", "5 3 1"},
    {9, "Slice", "n6", "starts=[2] ends=[100]", "4", "2 3 4 5"},
    {13, "Gather", "n4 [-1,0]", NULL, "2", "3 0"},
    {13, "Gather", "f2x2 (1)", "axis=1", "2", "1 3"},
    {13, "GatherElements", "f2x2 n1x2", NULL, "1x2", "0 3"},
    {13, "GatherND", "f2x2 n1x2", NULL, "1", "1"},
    {13, "GatherND", "f2x2 n2x1", "batch_dims=1", "2", "0 3"},
    {13, "ScatterElements", "f4 [3,-4] {7,8}", NULL, "4", "8 1 2 7"},
    {16, "ScatterElements", "f3 [0,0] {7,8}", "reduction=add", "3", "15 1 2"},
    {16, "ScatterElements", "f3 [2,2] {3,4}", "reduction=mul", "3", "0 1 24"},
    {18, "ScatterElements", "f3 [1,1] {3,-4}", "reduction=max", "3", "0 3 2"},
    {18, "ScatterElements", "f3 [1,1] {3,-4}", "reduction=min", "3", "0 -4 2"},
    {13, "ScatterND", "f3 n2x1 {7,8}", NULL, "3", "7 8 2"},
    {13, "Expand", "f2x1 [2]", NULL, "2x2", "0 0 1 1"},
    {13, "Tile", "n2 [3]", NULL, "6", "0 1 0 1 0 1"},
    {18, "CenterCropPad", "f4 [2]", NULL, "2", "1 2"},
    {13, "Split", "n4 [4]", NULL, "4", "0 1 2 3"},
};

/* The op's output, cast to floats. */
static net model_of(const struct row *r)
{
    net m = {{0}};
    text_node(&m, r->op, r->inputs, r->attributes, "r");
    NODE_WITH(&m, "Cast", "cast", "r", "y", attr_i("to", 1));
    net_output(&m, "y");
    return m;
}

static bool same(float got, float want)
{
    return isnan(want) ? isnan(got) : got == want || fabsf(got - want) <= 1e-6f * fabsf(want);
}

/* Why the graph's output is not what the row says; NULL: it is. */
static const char *difference(const struct row *r, const graph *g)
{
    static char  text[256];
    char         found[SHAPE_TEXT];
    const value *v = &g->values[g->outputs[0]];
    const char  *at = r->numbers;
    if (!v->data)
        return "it is no constant";
    if (strcmp(shape_text(&v->shape, found), r->shape) != 0) {
        snprintf(text, sizeof text, "shape %s", found);
        return text;
    }
    for (int64_t i = 0; i < shape_count(&v->shape); i++) {
        const float want = strtof(at, (char **)&at), got = data_float(v->type, v->data, i);
        if (!same(got, want)) {
            snprintf(text, sizeof text, "element %d is %g instead of %g", (int)i, (double)got, (double)want);
            return text;
        }
    }
    return *at ? "fewer numbers" : NULL;
}

static void test_constants(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct row *r = &rows[i];
        net               m = model_of(r);
        built             b;
        const char       *why =
            build_file(net_finish(&m, r->opset), 1, &b) == SEPCL_OK ? difference(r, b.g) : error_sentence();
        if (why) {
            print_error("%s of %s, %s: %s\n", r->op, r->inputs, r->attributes ? r->attributes : "", why);
            wrong++;
        }
        built_free(&b);
    }
    assert_int_equal(wrong, 0);
}

/* Ops for which the operands' types do not do. */
static void test_refused(void **state)
{
    static const struct {
        const char *op, *inputs, *attributes;
        status      want;
        const char *words;
    } bad[] = {
        {"Exp", "[1]", NULL, SEPCL_UNSUPPORTED, "of integers is not supported"},
        {"Div", "[1] [0]", NULL, SEPCL_BAD_FILE, "a constant is divided by zero"},
        {"PRelu", "[1] [2]", NULL, SEPCL_UNSUPPORTED, "the op is not supported on integers"},
        {"And", "{1} {1}", NULL, SEPCL_UNSUPPORTED, "the op is not supported on floats"},
        {"Add", "[1] {1}", NULL, SEPCL_BAD_FILE, "the operands are of types int64 and float32"},
        {"Pow", "[1] {1}", NULL, SEPCL_UNSUPPORTED, "the operands are of types int64 and float32"},
        {"Where", "b1 [1] {1}", NULL, SEPCL_BAD_FILE, "the operands are of types bool, int64 and float32"},
        {"Where", "{1} [1] [1]", NULL, SEPCL_BAD_FILE, "the operands are of types float32, int64 and int64"},
        {"Where", "b2 n3 n1", NULL, SEPCL_BAD_FILE, "cannot be broadcast"},
        {"Add", "n2 n3", NULL, SEPCL_BAD_FILE, "shapes 2 and 3 cannot be broadcast to each other"},
        {"Concat", "n2 {1}", "axis=0", SEPCL_BAD_FILE, "the operands are of types int64 and float32"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        net m = text_model(bad[i].op, bad[i].inputs, bad[i].attributes, "y");
        check_refused(&m, 13, bad[i].want, bad[i].words);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constants),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
