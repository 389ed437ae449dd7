/* SPDX-License-Identifier: Apache-2.0 */
/* Timing nodes by themselves on the default device: right answers are timed, wrong ones never. */
#include "scratch.h"

#include <math.h>

#include "exec/trial.h"

static exec_env *env;

static int open_env(void **state)
{
    exec_env_desc d = {.no_cache = true};
    (void)state;
    assert_ok(devices_find(NULL, &d.cl.device));
    assert_ok(exec_env_create(&d, &env));
    return 0;
}

static int close_env(void **state)
{
    (void)state;
    exec_env_destroy(env);
    return 0;
}

static value_id add_conv(graph *g, value_id x, int64_t out, int k, bool depthwise, value_id residual)
{
    const int64_t  in = g->values[x].shape.dim[3], ci = depthwise ? 1 : in;
    const shape    w = SHAPE(out, ci, k, k), b = SHAPE(out);
    const attrs    a = {.conv = {.kernel = {k, k}, .stride = {1, 1}, .dilation = {1, 1},
                                 .pad = {k / 2, k / 2, k / 2, k / 2}, .group = depthwise ? (int)in : 1,
                                 .out_channels = (int)out, .w = {ci * k * k, (int64_t)k * k, k, 1}}};
    const value_id slots[CONV_INPUTS] = {x, test_const(g, "w", &w), test_const(g, "b", &b), -1, residual};
    const value_id y = graph_op(g, OP_CONV, "conv", &a, slots, CONV_INPUTS);
    assert_true(y >= 0);
    return y;
}

/* Pointwise, depthwise, pointwise with the input added: type is how values are stored. */
static graph *block(dtype type)
{
    graph      *g;
    const shape s = SHAPE(1, 6, 7, 8);
    assert_ok(graph_create("test", &g));
    const value_id x = graph_input(g, "x", DT_F32, &s);
    const value_id wide = add_conv(g, x, 24, 1, false, -1), mid = add_conv(g, wide, 24, 3, true, -1);
    g->nodes[0]->epi.act = (act){ACT_CLAMP, 0, 6};
    assert_ok(graph_output(g, add_conv(g, mid, 8, 1, false, x)));
    for (int i = 0; i < g->n_values; i++)
        g->values[i].type = g->values[i].data ? g->values[i].type : type;
    return g;
}

static plan *plan_of(const graph *g)
{
    plan *p;
    assert_ok(plan_create(g, exec_env_caps(env), &(plan_options){.quiet = true, .guard = 256}, &p));
    return p;
}

static graph *copy_of(const subject *s)
{
    graph *g;
    assert_ok(graph_clone(subject_graph(s), &g));
    return g;
}

/* ------------------------------------------------------------------ cutting out */

static void nodes_are_cut_out(void **state)
{
    (void)state;
    graph   *g = block(DT_F32);
    subject *s;
    assert_ok(subject_create(g, g->nodes, 3, &s));
    assert_int_equal(subject_graph(s)->n_nodes, 3);
    assert_int_equal(subject_graph(s)->n_inputs, 1); /* the residual is the input of the first: one value */
    assert_int_equal(subject_graph(s)->n_outputs, 1);
    assert_int_equal(subject_graph(s)->nodes[0]->epi.act.kind, ACT_CLAMP);
    subject_destroy(s);
    assert_ok(subject_create(g, g->nodes + 2, 1, &s));
    assert_int_equal(subject_graph(s)->n_inputs, 2); /* here they are two */
    subject_destroy(s);
    subject_destroy(NULL);
    graph_destroy(g);
}

static void right_answers_are_timed(void **state)
{
    (void)state;
    for (int half = 0; half < 2; half++) {
        graph   *g = block(half ? DT_F16 : DT_F32);
        subject *s;
        trial   *t, *other;
        double   a = 0, b = 0;
        assert_ok(subject_create(g, g->nodes, 3, &s));
        graph *first = copy_of(s), *second = copy_of(s);
        assert_ok(trial_create(env, s, first, plan_of(first), half ? 1e-2 : 1e-4, &t));
        assert_ok(trial_create(env, s, second, plan_of(second), half ? 1e-2 : 1e-4, &other));
        assert_true(trial_error(t) <= (half ? 1e-2 : 1e-4));
        assert_ok(trial_race(t, NULL, 0, &a, NULL));
        assert_true(a > 0 && a < 1);
        assert_ok(trial_race(t, other, 0, &a, &b));
        assert_true(a > 0 && b > 0);
        assert_ok(trial_race(t, other, 1e3, &a, &b)); /* nothing can take that long: no time makes sense */
        assert_true(a == 0 && b == 0);
        trial_destroy(t);
        trial_destroy(other);
        trial_destroy(NULL);
        subject_destroy(s);
        graph_destroy(g);
    }
}

/* ------------------------------------------------------------------ wrong answers */

/* The n-th whole number among a launch's arguments. */
static arg *number(plan *p, int n)
{
    launch *k = &p->steps[0].launches[0];
    for (int i = 0; i < k->n_args; i++)
        if (k->args[i].kind == ARG_I32 && n-- == 0)
            return &k->args[i];
    test_fail("the launch has no such number\n");
    return NULL;
}

static plan *pointwise_plan(const graph *g)
{
    plan        *p;
    plan_options o = {.quiet = true, .guard = 256, .force_op = OP_CONV};
    const int    generic[] = {4, 4, 1}; /* a tile that fits any device */
    memcpy(o.force_p, generic, sizeof generic);
    assert_ok(plan_create(g, exec_env_caps(env), &o, &p));
    assert_string_equal(p->steps[0].row->entry, "gemm"); /* its numbers are rows, depth, columns, rows of an item */
    return p;
}

static void wrong_answers_are_rejected(void **state)
{
    (void)state;
    graph   *g = block(DT_F32);
    subject *s;
    trial   *t;
    assert_ok(subject_create(g, g->nodes, 1, &s));
    graph *copy = copy_of(s);
    assert_ok(trial_create(env, s, copy, pointwise_plan(copy), 1e-4, &t)); /* as it should be */
    trial_destroy(t);
    copy = copy_of(s);
    plan *p = pointwise_plan(copy);
    number(p, 1)->i--; /* one product left out of each sum */
    assert_fails(SEPCL_MISMATCH, "differs from the reference", trial_create(env, s, copy, p, 1e-4, &t));
    assert_null(t);
    copy = copy_of(s);
    p = pointwise_plan(copy);
    number(p, 0)->i--; /* the last pixel is never written: NaNs stand there */
    assert_fails(SEPCL_MISMATCH, "differs from the reference", trial_create(env, s, copy, p, 1e-4, &t));
    copy = copy_of(s);
    p = pointwise_plan(copy);
    p->steps[0].launches[0].entry = "no_such_kernel";
    assert_int_equal(trial_create(env, s, copy, p, 1e-4, &t), SEPCL_DEVICE_ERROR);
    copy = copy_of(s);
    assert_ok(trial_create(env, s, copy, pointwise_plan(copy), 1e-4, &t)); /* the device has not suffered */
    trial_destroy(t);
    copy = copy_of(s);
    assert_fails(SEPCL_MISMATCH, "limit", trial_create(env, s, copy, pointwise_plan(copy), -1, &t));
    subject_destroy(s);
    graph_destroy(g);
}

/* ------------------------------------------------------------------ times */

static void medians_leave_out_what_makes_no_sense(void **state)
{
    (void)state;
    double plain[] = {5, 4.9, 5.1, 4.8, 5.2}, even[] = {4, 4.2}, disturbed[] = {1.1, 1, 1.05, 9, 80, 7, 6};
    double odd[] = {NAN, -1, 0, 3, 3, 3, INFINITY, 3}, short_ones[] = {1e-9, 1e-9, 1, 1}, most_short[] = {1e-9, 0, -1, 1, 1};
    assert_true(trial_median(plain, 5, 0) == 5);
    assert_true(fabs(trial_median(even, 2, 0) - 4.1) < 1e-12);
    assert_true(trial_median(disturbed, 7, 0) == 1.05);
    assert_true(trial_median(odd, 8, 0) == 3);
    assert_true(trial_median(short_ones, 4, 0.5) == 1);
    assert_true(trial_median(most_short, 5, 0.5) == 0);
    assert_true(trial_median(plain, 0, 0) == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nodes_are_cut_out),
        cmocka_unit_test(right_answers_are_timed),
        cmocka_unit_test(wrong_answers_are_rejected),
        cmocka_unit_test(medians_leave_out_what_makes_no_sense),
    };
    return cmocka_run_group_tests(tests, open_env, close_env);
}
