/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_numbers [--op NAME] [--device SEL]: numbers stay numbers, on a device beside plain C.
 *
 * special   each kernel row over its op's cases with NaN, then infinities, among the inputs: what is not finite stands
 *           where the reference has it, as it has it
 * half      stored as half, sums beyond 65504 inside pools, means, norms and products do not spoil results below it
 * large     functions of numbers whose exponential would overflow
 *
 * Prints a line for each op or case that fails, then "N passed, N failed".
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "exec/exec.h"
#include "pass/pass.h"

static exec_env *env;
static int       passed, failed;

static void count(bool right, const char *kind, const char *what, const char *detail)
{
    passed += right;
    failed += !right;
    if (!right)
        printf("%s, %s: %s\n", kind, what, detail);
    fflush(stdout);
}

/* ---------------------------------------------------------------- a plan on the device and in C */

typedef struct answers {
    float  *got, *want; /* of the first output */
    int64_t n;
} answers;

typedef void (*filler)(float *data, int64_t n, int input);

static status fill_inputs(const graph *g, exec_ref *ref, exec_cl *x, filler fill)
{
    for (int i = 0; i < g->n_inputs; i++) {
        float *data = exec_ref_value(ref, g->inputs[i]);
        if (!data)
            return SEPCL_OUT_OF_MEMORY;
        fill(data, shape_count(&g->values[g->inputs[i]].shape), i);
        TRY(exec_cl_write(x, i, data));
    }
    return SEPCL_OK;
}

static status run_both(const plan *p, exec_ref *ref, exec_cl *x, filler fill, answers *a)
{
    const value_id out = p->g->outputs[0];
    TRY(fill_inputs(p->g, ref, x, fill));
    TRY(exec_ref_run(ref));
    TRY(exec_cl_enqueue(x));
    TRY(exec_cl_wait(x));
    a->n = shape_count(&p->g->values[out].shape);
    a->got = malloc((size_t)a->n * sizeof(float));
    a->want = malloc((size_t)a->n * sizeof(float));
    const float *want = exec_ref_value(ref, out);
    if (!a->got || !a->want || !want)
        return fail_memory((size_t)a->n, "an output");
    memcpy(a->want, want, (size_t)a->n * sizeof(float));
    return exec_cl_read(x, 0, a->got);
}

/* The caller frees got and want. */
static status answer(const graph *g, const plan_options *o, filler fill, answers *a)
{
    plan     *p;
    exec_ref *ref = NULL;
    exec_cl  *x = NULL;
    *a = (answers){0};
    TRY(plan_create(g, exec_env_caps(env), o, &p));
    status st = exec_ref_create(p, &ref);
    if (st == SEPCL_OK)
        st = exec_cl_create(env, p, false, false, &x);
    if (st == SEPCL_OK)
        st = run_both(p, ref, x, fill, a);
    exec_cl_destroy(x);
    exec_ref_destroy(ref);
    plan_destroy(p);
    return st;
}

/* ---------------------------------------------------------------- special values */

static void with_nan(float *data, int64_t n, int input)
{
    test_fill(data, n, 77u + (uint32_t)input);
    if (input == 0)
        data[n * 3 / 8] = NAN;
}

static void with_infinities(float *data, int64_t n, int input)
{
    test_fill(data, n, 77u + (uint32_t)input);
    if (input == 0 && n > 3) {
        data[n / 4] = INFINITY;
        data[n * 7 / 8] = -INFINITY;
    }
}

/* Filtering by transforms spreads what is not finite over a tile, and makes NaN of infinity; it must not lose it. */
static bool spreads(const kernel_def *row)
{
    return strstr(row->file, "winograd") || strstr(row->entry, "winograd");
}

static bool same_kind(float got, float want, bool loose)
{
    if (isfinite(want))
        return loose || isfinite(got);
    return loose ? !isfinite(got) : isnan(want) ? isnan(got) : got == want;
}

static int64_t first_wrong(const answers *a, bool loose)
{
    for (int64_t i = 0; i < a->n; i++)
        if (!same_kind(a->got[i], a->want[i], loose))
            return i;
    return -1;
}

typedef struct first_set {
    int  p[PARAM_MAX];
    bool found;
} first_set;

static bool take_first(void *user, const int *p)
{
    first_set *s = user;
    memcpy(s->p, p, sizeof s->p);
    s->found = true;
    return false;
}

/* One case on one row, with the first parameters that fit every node of the op. */
static void special_case(const graph *g, op_kind kind, int index, int number)
{
    static const struct {
        const char *name;
        filler      fill;
    } fills[] = {{"NaN", with_nan}, {"infinities", with_infinities}};
    const kernel_def *row = &op_get(kind)->kernels[index];
    plan_options      o = {.force_op = kind, .force_row = index, .quiet = true};
    first_set         s = {.found = false};
    for (int i = 0; i < g->n_nodes && !s.found; i++)
        if (g->nodes[i]->op == kind)
            plan_each_parameters(row, &(node_view){g, g->nodes[i]}, exec_env_caps(env), take_first, &s);
    memcpy(o.force_p, s.p, sizeof o.force_p);
    for (int i = 0; i < g->n_nodes && s.found; i++)
        if (g->nodes[i]->op == kind && !row->fits(&(node_view){g, g->nodes[i]}, exec_env_caps(env), s.p))
            s.found = false;
    for (size_t f = 0; s.found && f < sizeof fills / sizeof fills[0]; f++) {
        answers       a;
        char          what[160], detail[600] = "";
        const status  st = answer(g, &o, fills[f].fill, &a);
        const int64_t at = st == SEPCL_OK ? first_wrong(&a, spreads(row)) : 0;
        snprintf(what, sizeof what, "%s %s/%s case %d", op_name(kind), row->file, row->entry, number);
        if (st != SEPCL_OK)
            snprintf(detail, sizeof detail, "%s", error_sentence());
        else if (at >= 0)
            snprintf(detail, sizeof detail, "element %lld is %g instead of %g", (long long)at, (double)a.got[at], (double)a.want[at]);
        count(st == SEPCL_OK && at < 0, fills[f].name, what, detail);
        free(a.got);
        free(a.want);
    }
}

static void special(op_kind kind)
{
    const op_def *op = op_get(kind);
    for (int i = 0; op->kernels; i++) {
        graph *g;
        if (graph_create(op->name, &g) != SEPCL_OK)
            return;
        const bool more = op->gen(i, g);
        /* an op whose cases are many is as well tested by some of them */
        const bool chosen = i < 24 || i % 7 == 0;
        if (more && chosen && g->n_inputs > 0 && pass_outputs(g, &(pass_options){0}) == SEPCL_OK)
            for (int row = 0; op->kernels[row].file; row++)
                special_case(g, kind, row, i);
        graph_destroy(g);
        if (!more)
            return;
    }
}

/* ---------------------------------------------------------------- sums beyond what half holds */

static void hundreds(float *data, int64_t n, int input)
{
    (void)input;
    for (int64_t i = 0; i < n; i++)
        data[i] = 200 + (float)(i % 8) * 25;
}

static value_id pointwise(graph *g, value_id x, int64_t out, float weight)
{
    const int64_t in = g->values[x].shape.dim[3];
    const shape   s = SHAPE(out, in, 1, 1);
    const attrs   a = {.conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1,
                                .out_channels = (int)out, .w = {in, 1, 1, 1}}};
    const value_id w = graph_const(g, "w", DT_F32, &s, NULL, true);
    for (int64_t i = 0; w >= 0 && i < in * out; i++)
        graph_const_data(g, w)[i] = i % 2 ? -weight : weight * 1.03f;
    return graph_op(g, OP_CONV, "pointwise", &a, (value_id[]){x, w}, 2);
}

static value_id mean(graph *g, value_id x)
{
    return graph_op(g, OP_REDUCE, "mean", &(attrs){.reduce = {REDUCE_MEAN, 6, true}}, &x, 1);
}

static value_id half_global_mean(graph *g, value_id x)
{
    return mean(g, x);
}

static value_id half_average_pool(graph *g, value_id x)
{
    const attr_pool a = {.kind = POOL_AVERAGE, .kernel = {32, 32}, .stride = {16, 16}, .dilation = {1, 1}};
    return graph_op(g, OP_POOL, "pool", &(attrs){.pool = a}, &x, 1);
}

static value_id half_lp_pool(graph *g, value_id x)
{
    const attr_pool a = {.kind = POOL_LP, .kernel = {3, 3}, .stride = {2, 2}, .dilation = {1, 1}, .p = 2};
    return graph_op(g, OP_POOL, "pool", &(attrs){.pool = a}, &x, 1);
}

static value_id half_length(graph *g, value_id x)
{
    return graph_op(g, OP_REDUCE, "length", &(attrs){.reduce = {REDUCE_L2, 6, true}}, &x, 1);
}

static value_id half_layer_norm(graph *g, value_id x)
{
    return graph_op(g, OP_LAYER_NORM, "norm", &(attrs){.norm = {1e-5f, 3}}, &x, 1);
}

static value_id half_instance_norm(graph *g, value_id x)
{
    const shape    c = SHAPE(g->values[x].shape.dim[3]);
    const value_id ones = test_const(g, "ones", &c);
    return graph_op(g, OP_INSTANCE_NORM, "norm", &(attrs){.norm.epsilon = 1e-5f}, (value_id[]){x, ones, ones}, 3);
}

static value_id half_lrn(graph *g, value_id x)
{
    return graph_op(g, OP_LRN, "lrn", &(attrs){.lrn = {5, 1e-4f, 0.75f, 1}}, &x, 1);
}

/* Two large sums that nearly cancel. */
static value_id half_product(graph *g, value_id x)
{
    return pointwise(g, x, 24, 4);
}

/* The mean of 4096 pixels goes through two products and becomes a gate. */
static value_id half_squeeze_excite(graph *g, value_id x)
{
    const act relu = {ACT_CLAMP, 0, INFINITY}, gate = {ACT_HARD_SIGMOID, 1e-3f, 0.5f};
    value_id  y = pointwise(g, mean(g, x), 8, 0.5f);
    y = graph_op(g, OP_UNARY, "relu", &(attrs){.unary.f = relu}, &y, 1);
    y = pointwise(g, y, g->values[x].shape.dim[3], 0.5f);
    y = graph_op(g, OP_UNARY, "gate", &(attrs){.unary.f = gate}, &y, 1);
    return graph_op(g, OP_BINARY, "excite", &(attrs){.binary.kind = BINARY_MUL}, (value_id[]){x, y}, 2);
}

static double half_error(const answers *a)
{
    for (int64_t i = 0; i < a->n; i++)
        if (!isfinite(a->got[i]) || !isfinite(a->want[i]))
            return INFINITY;
    return compare_floats(a->got, a->want, a->n, NULL);
}

static void half_sums(void)
{
    static const struct {
        const char *name;
        value_id (*make)(graph *, value_id);
    } rows[] = {{"global mean", half_global_mean},     {"average pool", half_average_pool},
                {"LpPool", half_lp_pool},              {"ReduceL2", half_length},
                {"layer norm", half_layer_norm},       {"instance norm", half_instance_norm},
                {"LRN", half_lrn},                     {"pointwise", half_product},
                {"squeeze and excite", half_squeeze_excite}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int fused = 0; fused < 2; fused++) {
            const pass_options passes = {.f16 = true, .no_fusion = !fused};
            const plan_options o = {.quiet = true};
            const shape        s = SHAPE(1, 64, 64, 40);
            answers            a = {0};
            graph             *g;
            char               detail[600];
            if (graph_create(rows[i].name, &g) != SEPCL_OK)
                return;
            const value_id x = graph_input(g, "x", DT_F32, &s);
            status         st = graph_output(g, rows[i].make(g, x));
            if (st == SEPCL_OK)
                st = passes_run(g, &passes);
            if (st == SEPCL_OK && fused)
                st = plan_forms(g, exec_env_caps(env), &o);
            if (st == SEPCL_OK)
                st = answer(g, &o, hundreds, &a);
            const double error = st == SEPCL_OK ? half_error(&a) : INFINITY;
            if (st == SEPCL_OK)
                snprintf(detail, sizeof detail, "differs by %g", error);
            else
                snprintf(detail, sizeof detail, "%s", error_sentence());
            count(error <= 1e-2, "half", rows[i].name, detail);
            free(a.got);
            free(a.want);
            graph_destroy(g);
        }
}

/* ---------------------------------------------------------------- exponentials that would overflow */

static void large(float *data, int64_t n, int input)
{
    static const float values[] = {1000, 999, -1000, 88, 89, 3e38f, -3e38f, 0, 1e4f, 9999, -1e4f, 500};
    (void)input;
    for (int64_t i = 0; i < n; i++)
        data[i] = values[(i + i / 12) % 12];
}

static void large_case(const char *name, op_kind op, const attrs *a)
{
    const shape        s = SHAPE(3, 4, 12);
    const plan_options o = {.quiet = true};
    answers            r = {0};
    graph             *g;
    char               detail[600] = "";
    if (graph_create(name, &g) != SEPCL_OK)
        return;
    const value_id x = graph_input(g, "x", DT_F32, &s);
    status         st = graph_output(g, graph_op(g, op, name, a, &x, 1));
    if (st == SEPCL_OK)
        st = answer(g, &o, large, &r);
    bool right = st == SEPCL_OK;
    for (int64_t i = 0; right && i < r.n; i++) /* each by itself: the largest would hide the rest */
        if (!same_kind(r.got[i], r.want[i], false) ||
            (isfinite(r.want[i]) && fabs((double)r.got[i] - r.want[i]) > 1e-5 * fabs((double)r.want[i]) + 1e-30)) {
            snprintf(detail, sizeof detail, "element %lld is %g instead of %g", (long long)i, (double)r.got[i], (double)r.want[i]);
            right = false;
        }
    count(right, "large", name, st == SEPCL_OK ? detail : error_sentence());
    free(r.got);
    free(r.want);
    graph_destroy(g);
}

static void large_values(void)
{
    static const act_kind kinds[] = {ACT_SIGMOID, ACT_TANH, ACT_ELU, ACT_SELU, ACT_CELU, ACT_SWISH, ACT_SOFTPLUS, ACT_SOFTSIGN,
                                     ACT_GELU, ACT_ERF, ACT_EXP, ACT_HARD_SWISH, ACT_CLAMP, ACT_LEAKY};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        large_case(act_name(kinds[i]), OP_UNARY, &(attrs){.unary.f = {kinds[i], 1, 1}});
    for (int axis = 0; axis < 3; axis++)
        for (int log = 0; log < 2; log++)
            large_case(log ? "log_softmax" : "softmax", OP_SOFTMAX, &(attrs){.softmax = {axis, log}});
}

int main(int argc, char **argv)
{
    const char   *device = getenv("SEPCL_TEST_DEVICE"), *only = NULL;
    exec_env_desc d = {0};
    for (int i = 1; i + 1 < argc; i += 2)
        if (!strcmp(argv[i], "--op"))
            only = argv[i + 1];
        else if (!strcmp(argv[i], "--device"))
            device = argv[i + 1];
    if (devices_find(device, &d.cl.device) != SEPCL_OK || exec_env_create(&d, &env) != SEPCL_OK) {
        fprintf(stderr, "test_numbers: %s\n", error_sentence());
        return 5;
    }
    for (int k = 1; k < OP_COUNT; k++)
        if (!only || !strcmp(only, op_name((op_kind)k)))
            special((op_kind)k);
    if (!only) {
        half_sums();
        large_values();
    }
    exec_env_destroy(env);
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed ? 1 : 0;
}
