/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the passes make of expressions: which nodes are left, and that these compute what the expression did.
 * Expressions are written operands first:
 *
 *   x y v        inputs of shape 1x5x5x4, and one of shape 4
 *   k c          constants of these shapes; a number: a constant of one element
 *   $n           what the n-th token made
 *   + - * / max min prelu mod     of two values
 *   sigmoid erf abs clamp:A:B     of one
 *   conv         3x3 with a bias; conv0 without one; convt transposed; dense
 *   bn           batch norm
 *   pool pad     of 1x1, of nothing: nodes that keep the shape; pad1 around height and width
 */
#include "scratch.h"
#include "usual_devices.h"

#include <math.h>

#include "exec/exec.h"
#include "ir/op.h"
#include "pass/pass.h"

#define DEEP 40

typedef struct expression {
    graph   *g;
    value_id x, y, v, made[DEEP];
    int      n, stack[DEEP], depth; /* numbers of tokens */
} expression;

/* ------------------------------------------------------------------ reading */

static value_id pop(expression *e)
{
    assert_true(e->depth > 0);
    return e->made[e->stack[--e->depth]];
}

static value_id constant(expression *e, float number)
{
    const shape one = SHAPE(1);
    value_id    c = graph_const(e->g, "number", DT_F32, &one, NULL, true);
    assert_true(c >= 0);
    *graph_const_data(e->g, c) = number;
    return c;
}

static value_id input(expression *e, value_id *known, const char *name, shape s)
{
    if (*known < 0)
        *known = graph_input(e->g, name, DT_F32, &s);
    return *known;
}

static value_id four(expression *e)
{
    const shape s = SHAPE(4);
    return test_const(e->g, "four", &s);
}

static value_id add_conv(expression *e, op_kind op, bool bias)
{
    const shape    w = SHAPE(4, 4, 3, 3), wd = SHAPE(4, 4);
    const value_id x = pop(e);
    attrs          a = {.conv = {.kernel = {3, 3},
                                 .stride = {1, 1},
                                 .dilation = {1, 1},
                                 .pad = {1, 1, 1, 1},
                                 .group = 1,
                                 .out_channels = 4,
                                 .w = {36, 9, 3, 1}}};
    if (op == OP_DENSE)
        a = (attrs){.dense = {.in_features = 4, .out_features = 4, .w = {.o = 4, .i = 1}}};
    const value_id in[] = {x, test_const(e->g, "w", op == OP_DENSE ? &wd : &w), bias ? four(e) : -1};
    return graph_op(e->g, op, "conv", &a, in, 3);
}

static value_id positive(expression *e)
{
    const shape    s = SHAPE(4);
    const value_id v = graph_const(e->g, "variance", DT_F32, &s, NULL, true);
    assert_true(v >= 0);
    for (int i = 0; i < 4; i++)
        graph_const_data(e->g, v)[i] = 0.5f + (float)i;
    return v;
}

static value_id add_norm(expression *e)
{
    const attrs a = {.norm = {.epsilon = 1e-3f}};
    return graph_op(e->g, OP_BATCH_NORM, "norm", &a, (value_id[]){pop(e), four(e), four(e), four(e), positive(e)}, 5);
}

static value_id add_unary(expression *e, act f)
{
    const value_id x = pop(e);
    return graph_op(e->g, OP_UNARY, "unary", &(attrs){.unary.f = f}, &x, 1);
}

static value_id add_binary(expression *e, binary_kind kind)
{
    const value_id b = pop(e), a = pop(e);
    return graph_op(e->g, OP_BINARY, "binary", &(attrs){.binary.kind = kind}, (value_id[]){a, b}, 2);
}

static value_id add_window(expression *e, bool pool, int border)
{
    attrs          p = {.pool = {.kind = POOL_MAX, .kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}}};
    const value_id x = pop(e);
    if (!pool)
        p = (attrs){.pad = {.mode = PAD_CONSTANT, .before = {0, border, border}, .after = {0, border, border}}};
    return graph_op(e->g, pool ? OP_POOL : OP_PAD, "window", &p, &x, 1);
}

static const struct {
    const char *token;
    binary_kind kind;
} binaries[] = {{"+", BINARY_ADD},   {"-", BINARY_SUB},   {"*", BINARY_MUL},       {"/", BINARY_DIV},
                {"max", BINARY_MAX}, {"min", BINARY_MIN}, {"prelu", BINARY_PRELU}, {"mod", BINARY_MOD}};

static value_id token_value(expression *e, const char *t)
{
    const shape image = SHAPE(1, 5, 5, 4), vector = SHAPE(4);
    float       a, b;
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        if (!strcmp(t, binaries[i].token))
            return add_binary(e, binaries[i].kind);
    if (sscanf(t, "clamp:%f:%f", &a, &b) == 2)
        return add_unary(e, (act){ACT_CLAMP, a, b});
#define IS(name) !strcmp(t, name)
    return IS("x")         ? input(e, &e->x, "x", image)
           : IS("y")       ? input(e, &e->y, "y", image)
           : IS("v")       ? input(e, &e->v, "v", vector)
           : IS("k")       ? test_const(e->g, "k", &image)
           : IS("c")       ? four(e)
           : IS("sigmoid") ? add_unary(e, (act){ACT_SIGMOID, 0, 0})
           : IS("erf")     ? add_unary(e, (act){ACT_ERF, 0, 0})
           : IS("abs")     ? add_unary(e, (act){ACT_ABS, 0, 0})
           : IS("conv")    ? add_conv(e, OP_CONV, true)
           : IS("conv0")   ? add_conv(e, OP_CONV, false)
           : IS("convt")   ? add_conv(e, OP_CONV_TRANSPOSE, true)
           : IS("dense")   ? add_conv(e, OP_DENSE, true)
           : IS("bn")      ? add_norm(e)
           : IS("pool")    ? add_window(e, true, 0)
           : IS("pad")     ? add_window(e, false, 0)
           : IS("pad1")    ? add_window(e, false, 1)
                           : constant(e, strtof(t, NULL));
#undef IS
}

/* What is on the stack in the end is an output each. */
static graph *read_expression(const char *text)
{
    expression e = {.x = -1, .y = -1, .v = -1};
    char       copy[400], *rest = NULL;
    snprintf(copy, sizeof copy, "%s", text);
    assert_ok(graph_create("test", &e.g));
    for (char *t = strtok_r(copy, " ", &rest); t; t = strtok_r(NULL, " ", &rest)) {
        assert_true(e.n < DEEP);
        if (*t == '$') {
            e.stack[e.depth++] = atoi(t + 1);
            continue;
        }
        e.made[e.n] = token_value(&e, t);
        if (e.made[e.n] < 0)
            test_fail("%s: %s: %s\n", text, t, error_sentence());
        e.stack[e.depth++] = e.n++;
    }
    for (int i = 0; i < e.depth; i++)
        assert_ok(graph_output(e.g, e.made[e.stack[i]]));
    return e.g;
}

/* ------------------------------------------------------------------ what is left, and what it computes */

static const char *nodes_text(const graph *g)
{
    static char text[1000];
    size_t      at = 0;
    text[0] = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const node *n = g->nodes[i];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s%s", i ? " " : "",
                               n->op == OP_UNARY ? act_name(n->a.unary.f.kind) : op_name(n->op));
        if (n->epi.act.kind)
            at += (size_t)snprintf(text + at, sizeof text - at, ".%s", act_name(n->epi.act.kind));
        const int r = op_get(n->op)->residual_slot;
        if (op_get(n->op)->flags & OP_EPI_RESIDUAL && r < n->n_in && n->in[r] >= 0)
            at += (size_t)snprintf(text + at, sizeof text - at, ".residual");
        if (n->epi.act2.kind)
            at += (size_t)snprintf(text + at, sizeof text - at, ".%s", act_name(n->epi.act2.kind));
    }
    return text;
}

/* The outputs, one after the other. */
static double *compute(const graph *g, int64_t *n_out)
{
    static const caps c = USUAL_CPU;
    plan             *p;
    exec_ref         *ref;
    double           *all = calloc(1000, sizeof *all);
    assert_non_null(all);
    assert_ok(plan_create(g, &c, &(plan_options){.quiet = true}, &p));
    assert_ok(exec_ref_create(p, &ref));
    for (int i = 0; i < g->n_inputs; i++) {
        const value  *v = &g->values[g->inputs[i]];
        const int64_t n = shape_count(&v->shape);
        float        *to = exec_ref_value(ref, g->inputs[i]);
        assert_non_null(to);
        for (int64_t k = 0; k < n; k++) /* of a vector: all above 0, as it may be a variance */
            to[k] = v->shape.rank == 1 ? 0.5f + (float)k : (float)((k * 37 + i * 11) % 101) / 10 - 5;
    }
    assert_ok(exec_ref_run(ref));
    *n_out = 0;
    for (int i = 0; i < g->n_outputs; i++) {
        const float *from = exec_ref_value(ref, g->outputs[i]);
        for (int64_t k = 0; k < shape_count(&g->values[g->outputs[i]].shape); k++)
            all[(*n_out)++] = from[k];
        assert_true(*n_out < 900);
    }
    exec_ref_destroy(ref);
    plan_destroy(p);
    return all;
}

static void check(const char *text, const char *want)
{
    graph  *g = read_expression(text);
    int64_t n, m;
    double *before = compute(g, &n);
    assert_ok(passes_run(g, &(pass_options){0}));
    if (want && strcmp(nodes_text(g), want))
        test_fail("%s: \"%s\" instead of \"%s\"\n", text, nodes_text(g), want);
    double *after = compute(g, &m);
    assert_int_equal(n, m);
    for (int64_t i = 0; i < n; i++)
        if (after[i] != before[i] && !(fabs(after[i] - before[i]) <= 2e-4 * fmax(1, fabs(before[i]))))
            test_fail("%s: element %lld was %g and is %g\n", text, (long long)i, before[i], after[i]);
    free(before);
    free(after);
    graph_destroy(g);
}

typedef struct expected {
    const char *text, *nodes; /* NULL: whatever is left */
} expected;

static void check_all(const expected *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        check(list[i].text, list[i].nodes);
}
#define CHECK_ALL(...)                                                                                                 \
    check_all((const expected[]){__VA_ARGS__}, sizeof((const expected[]){__VA_ARGS__}) / sizeof(expected))

/* ------------------------------------------------------------------ the tests */

static void arithmetic_with_a_number_is_a_function(void **state)
{
    (void)state;
    CHECK_ALL({"x 3 +", "affine"}, {"3 x +", "affine"}, {"x 3 -", "affine"}, {"3 x -", "affine"}, {"x 3 *", "affine"},
              {"x 4 /", "affine"}, {"1 x 9 + /", "affine reciprocal"}, {"2 x 9 + /", "affine binary"},
              {"x 0.5 max", "clamp"}, {"0.5 x min", "clamp"}, {"x 0.25 prelu", "leaky_relu"}, {"0.5 x prelu", "binary"},
              {"x 3 mod", "binary"}, {"x 1e-39 /", "binary"}, /* 1 / c is infinite */
              {"x c +", "binary"}, {"x k *", "binary"}, {"x y *", "binary"}, {"v k +", "binary"},
              {"x 2 * 3 + 4 * 1 -", "affine"}, {"x 2 * $1 3 +", "affine affine"}); /* the one between is an output */
}

static void hard_sigmoids_are_recognised(void **state)
{
    (void)state;
    CHECK_ALL({"x 3 + clamp:0:6 6 /", "hard_sigmoid"}, {"x 3 + clamp:0:6 0.16666667 *", "hard_sigmoid"},
              {"x 3 + clamp:0:6 5 /", "affine clamp affine"}, {"x 3 + clamp:1:6 6 /", "affine clamp affine"},
              {"x 3 + clamp:0:6 6 / 1 +", "hard_sigmoid affine"}, {"x 3 + 0 max 6 /", "affine clamp affine"},
              {"x clamp:0:6 6 /", "clamp affine"}, {"x abs clamp:0:6 6 /", "abs clamp affine"});
}

static void swishes_are_recognised(void **state)
{
    (void)state;
    CHECK_ALL({"x $0 sigmoid *", "swish"}, {"x sigmoid $0 *", "swish"}, {"x y sigmoid *", "sigmoid binary"},
              {"x $0 sigmoid +", "sigmoid binary"}, {"x $0 3 + clamp:0:6 6 / *", "hard_swish"},
              {"x 3 + clamp:0:6 6 / $0 *", "hard_swish"}, {"y x 3 + clamp:0:6 6 / *", "hard_sigmoid binary"},
              {"x $0 3 + clamp:0:6 * 6 /", "hard_swish"}, {"x 3 + clamp:0:6 $0 * 6 /", "hard_swish"},
              {"x $0 3 + clamp:0:6 * 5 /", "affine clamp binary.affine"},
              {"x $0 3 + clamp:1:6 * 6 /", "affine clamp binary.affine"},
              {"y x 3 + clamp:0:6 * 6 /", "affine clamp binary.affine"},
              {"x $0 clamp:0:6 * 6 /", "clamp binary.affine"},
              {"x $0 3 + clamp:0:6 + 6 /", "affine clamp binary.affine"}, {"x y + 6 /", "binary.affine"});
}

static void gelus_are_recognised(void **state)
{
    (void)state;
    CHECK_ALL({"x 1.4142135 / erf 1 + $0 * 0.5 *", "gelu"}, {"x $0 1.4142135 / erf 1 + * 0.5 *", "gelu"},
              {"x 0.5 * $0 1.4142135 / erf 1 + *", "gelu"}, {"x $0 1.4142135 / erf 1 + 0.5 * *", NULL},
              {"x $0 1.4142135 / erf 1 + *", "affine erf affine binary"}, /* twice as large */
              {"x $0 1.4142135 / erf 2 + * 0.5 *", "affine erf affine binary.affine"},
              {"x $0 2 / erf 1 + * 0.5 *", "affine erf affine binary.affine"},
              {"y x 1.4142135 / erf 1 + * 0.5 *", "affine erf affine binary.affine"},
              {"y 0.5 * x 1.4142135 / erf 1 + *", "affine affine erf affine binary"},
              {"x $0 1.4142135 / abs 1 + * 0.5 *", "affine abs affine binary.affine"},
              {"x $0 erf 1 + * 0.5 *", "erf affine binary.affine"});
}

static void batch_norms_are_folded(void **state)
{
    (void)state;
    CHECK_ALL({"x conv bn", "conv"}, {"x conv0 bn", "conv"}, {"x conv bn bn", NULL}, {"x convt bn", "conv_transpose"},
              {"x dense bn", "dense"}, {"x conv bn abs", "conv.abs"}, {"x conv abs bn", "conv.abs batch_norm"},
              {"x pool bn", "pool batch_norm"}, {"x conv bn $1", "conv batch_norm"},
              {"x conv y + bn", "conv.residual batch_norm"});
}

static void functions_and_sums_go_into_what_is_before(void **state)
{
    (void)state;
    CHECK_ALL({"x conv abs", "conv.abs"}, {"x conv abs sigmoid", "conv.abs.sigmoid"},
              {"x conv abs sigmoid erf", "conv.abs.sigmoid erf"}, {"x conv y + abs", "conv.residual.abs"},
              {"x conv sigmoid y + abs", "conv.sigmoid.residual.abs"}, {"x conv abs $1", "conv abs"},
              {"x conv $1 $1 +", "conv binary"}, {"x conv y -", "conv binary"}, {"x conv v +", "conv binary"},
              {"x conv $0 conv +", "conv conv.residual"}, {"x conv y + k +", "conv.residual binary"},
              {"x conv y pool pool pool +", "pool pool pool conv.residual"},
              {"x conv y pool pool pool pool pool pool +", "conv pool pool pool pool pool pool.residual"},
              {"x pool y +", "pool.residual"});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arithmetic_with_a_number_is_a_function),
        cmocka_unit_test(hard_sigmoids_are_recognised),
        cmocka_unit_test(swishes_are_recognised),
        cmocka_unit_test(gelus_are_recognised),
        cmocka_unit_test(batch_norms_are_folded),
        cmocka_unit_test(functions_and_sums_go_into_what_is_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
