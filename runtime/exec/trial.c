/* SPDX-License-Identifier: Apache-2.0 */
#include "exec/trial.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/size.h"

struct subject {
    graph  *g;
    float **inputs; /* by index; made with the answer */
    float **want;   /* by output; NULL until somebody asks */
    double  error;  /* of the last trial */
};

struct trial {
    graph   *g;
    plan    *p;
    exec_cl *x;
    double   error;
    int      batch; /* runs of a sample; 0: not known yet */
};

/* ------------------------------------------------------------------ cutting out */

/* The subject's value for one of g: made when it comes from elsewhere. */
static value_id value_in(graph *to, const graph *g, value_id v, value_id *map)
{
    if (v < 0 || map[v] >= 0)
        return v < 0 ? -1 : map[v];
    const value *from = &g->values[v];
    map[v] = from->data ? graph_const(to, from->name, from->type, &from->shape, from->data, false)
                        : graph_input(to, from->name, from->type, &from->shape);
    return map[v];
}

static status copy_node(graph *to, const graph *g, const node *n, value_id *map)
{
    value_id *ids = calloc((size_t)(n->n_in + n->n_out) + 1, sizeof *ids), *outs = ids ? ids + n->n_in : NULL;
    status    st = ids ? SEPCL_OK : fail_memory((size_t)n->n_in * sizeof *ids, "a node to be timed");
    for (int i = 0; i < n->n_in && st == SEPCL_OK; i++) {
        ids[i] = value_in(to, g, n->in[i], map);
        if (n->in[i] >= 0 && ids[i] < 0)
            st = SEPCL_OUT_OF_MEMORY;
    }
    if (st == SEPCL_OK)
        st = graph_node(to, n->op, n->name, &n->a, ids, n->n_in, outs, n->n_out);
    for (int i = 0; i < n->n_out && st == SEPCL_OK; i++) {
        to->values[outs[i]].type = g->values[n->out[i]].type;
        map[n->out[i]] = outs[i];
    }
    if (st == SEPCL_OK)
        to->nodes[to->n_nodes - 1]->epi = n->epi;
    free(ids);
    return st;
}

static status cut_out(subject *s, const graph *g, node *const *nodes, int n)
{
    value_id *map = malloc(((size_t)g->n_values + 1) * sizeof *map);
    status    st = map ? graph_create(g->name, &s->g) : fail_memory((size_t)g->n_values, "nodes to be timed");
    for (int i = 0; map && i < g->n_values; i++)
        map[i] = -1;
    for (int i = 0; i < n && st == SEPCL_OK; i++)
        st = copy_node(s->g, g, nodes[i], map);
    for (int i = 0; st == SEPCL_OK && i < nodes[n - 1]->n_out; i++)
        st = graph_output(s->g, map[nodes[n - 1]->out[i]]);
    free(map);
    return st == SEPCL_OK ? graph_check(s->g) : st;
}

status subject_create(const graph *g, node *const *nodes, int n, subject **out)
{
    *out = NULL;
    subject *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(sizeof *s, "nodes to be timed");
    const status st = cut_out(s, g, nodes, n);
    if (st != SEPCL_OK) {
        subject_destroy(s);
        return st;
    }
    *out = s;
    return SEPCL_OK;
}

static void free_floats(float **list, int n)
{
    for (int i = 0; list && i < n; i++)
        free(list[i]);
    free(list);
}

void subject_destroy(subject *s)
{
    if (!s)
        return;
    free_floats(s->inputs, s->g ? s->g->n_inputs : 0);
    free_floats(s->want, s->g ? s->g->n_outputs : 0);
    graph_destroy(s->g);
    free(s);
}

const graph *subject_graph(const subject *s)
{
    return s->g;
}

double subject_error(const subject *s)
{
    return s->error;
}

/* ------------------------------------------------------------------ the right answer */

static float *copy_floats(const float *from, int64_t n)
{
    float *to = malloc((size_t)i64_max(n, 1) * sizeof *to);
    if (to)
        memcpy(to, from, (size_t)n * sizeof *to);
    else
        fail_memory((size_t)n * sizeof *to, "a tensor of the reference");
    return to;
}

/* Numbers that the device has exactly, so that only the kernels differ. */
static status fill_input(subject *s, exec_ref *ref, int i)
{
    const value  *v = &s->g->values[s->g->inputs[i]];
    const int64_t n = shape_count(&v->shape);
    float        *data = exec_ref_value(ref, s->g->inputs[i]);
    if (!data)
        return SEPCL_OUT_OF_MEMORY;
    test_fill(data, n, 91u + (uint32_t)i);
    for (int64_t k = 0; v->type == DT_F16 && k < n; k++)
        data[k] = half_to_float(float_to_half(data[k]));
    s->inputs[i] = copy_floats(data, n);
    return s->inputs[i] ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

static status run_reference(subject *s, exec_ref *ref)
{
    const graph *g = s->g;
    s->inputs = calloc((size_t)g->n_inputs + 1, sizeof *s->inputs);
    float **want = calloc((size_t)g->n_outputs + 1, sizeof *want);
    status  st = s->inputs && want ? SEPCL_OK : fail_memory((size_t)g->n_inputs, "nodes to be timed");
    for (int i = 0; i < g->n_inputs && st == SEPCL_OK; i++)
        st = fill_input(s, ref, i);
    if (st == SEPCL_OK)
        st = exec_ref_run(ref);
    for (int i = 0; i < g->n_outputs && st == SEPCL_OK; i++) {
        const float *data = exec_ref_value(ref, g->outputs[i]);
        want[i] = data ? copy_floats(data, shape_count(&g->values[g->outputs[i]].shape)) : NULL;
        st = want[i] ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
    }
    if (st == SEPCL_OK)
        s->want = want;
    else
        free_floats(want, g->n_outputs);
    return st;
}

static status answer(subject *s, const caps *c)
{
    plan     *p;
    exec_ref *ref = NULL;
    if (s->want)
        return SEPCL_OK;
    free_floats(s->inputs, s->g->n_inputs); /* of an attempt that failed */
    s->inputs = NULL;
    TRY(plan_create(s->g, c, &(plan_options){.quiet = true}, &p));
    status st = exec_ref_create(p, &ref);
    if (st == SEPCL_OK)
        st = run_reference(s, ref);
    exec_ref_destroy(ref);
    plan_destroy(p);
    return st;
}

/* ------------------------------------------------------------------ a trial */

static status compare_output(const trial *t, const subject *s, int i, double *error)
{
    const value  *v = &t->g->values[t->g->outputs[i]];
    const int64_t n = shape_count(&v->shape);
    float        *got = malloc((size_t)i64_max(n, 1) * sizeof *got);
    if (!got)
        return fail_memory((size_t)n * sizeof *got, v->name);
    const status st = exec_cl_read(t->x, i, got);
    if (st == SEPCL_OK)
        *error = compare_floats(got, s->want[i], n, NULL);
    free(got);
    return st;
}

/* Runs it on memory full of NaNs: what a kernel leaves out, or writes beside its output, shows. */
static status compare(trial *t, subject *s, double tolerance)
{
    s->error = 0;
    TRY(exec_cl_poison(t->x));
    for (int i = 0; i < t->g->n_inputs; i++)
        TRY(exec_cl_write(t->x, i, s->inputs[i]));
    TRY(exec_cl_enqueue(t->x));
    TRY(exec_cl_wait(t->x));
    for (int i = 0; i < t->g->n_outputs; i++) {
        double error = INFINITY;
        TRY(compare_output(t, s, i, &error));
        s->error = fmax(s->error, error);
        if (!(error <= tolerance))
            return fail(SEPCL_MISMATCH, "it differs from the reference by %.3g (limit %.3g)", error, tolerance);
        t->error = fmax(t->error, error);
    }
    const status st = exec_cl_check_guards(t->x);
    if (st == SEPCL_MISMATCH)
        s->error = INFINITY;
    return st;
}

status trial_open(exec_env *e, graph *variant, plan *p, trial **out)
{
    trial *t = calloc(1, sizeof *t);
    *out = NULL;
    if (!t) {
        plan_destroy(p);
        graph_destroy(variant);
        return fail_memory(sizeof *t, "a trial");
    }
    t->g = variant;
    t->p = p;
    const status st = exec_cl_create(e, p, false, false, &t->x); /* not warm: what loses is not to be stored */
    if (st != SEPCL_OK) {
        trial_destroy(t);
        return st;
    }
    *out = t;
    return SEPCL_OK;
}

status trial_create(exec_env *e, subject *s, graph *variant, plan *p, double tolerance, trial **out)
{
    TRY(trial_open(e, variant, p, out));
    status st = answer(s, exec_env_caps(e));
    if (st == SEPCL_OK)
        st = compare(*out, s, tolerance);
    if (st != SEPCL_OK) {
        trial_destroy(*out);
        *out = NULL;
    }
    return st;
}

exec_cl *trial_exec(trial *t)
{
    return t->x;
}

const graph *trial_graph(const trial *t)
{
    return t->g;
}

const plan *trial_plan(const trial *t)
{
    return t->p;
}

void trial_destroy(trial *t)
{
    if (!t)
        return;
    exec_cl_destroy(t->x);
    plan_destroy(t->p);
    graph_destroy(t->g);
    free(t);
}

double trial_error(const trial *t)
{
    return t->error;
}

/* ------------------------------------------------------------------ time */

#define ROUNDS 7
#define MOST_ROUNDS 25
#define ENOUGH 5    /* undisturbed samples of each */
#define SAMPLE 1e-3 /* seconds that a sample should take: a wait costs some 50 us */
#define MOST_RUNS 2000
#define DISTURBED 1.25 /* times the fastest: something else ran meanwhile */
#define HOPELESS 1.6

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static status time_runs(trial *t, int runs, double *seconds)
{
    const double begin = now();
    for (int i = 0; i < runs; i++)
        for (int k = 0; k < t->p->n_steps; k++)
            TRY(exec_cl_step(t->x, k));
    TRY(exec_cl_wait(t->x));
    *seconds = now() - begin;
    return SEPCL_OK;
}

/* Doubles the runs of a sample until it is long enough. This warms up as well. */
static status find_batch(trial *t)
{
    double s = 0;
    for (int runs = 1; !t->batch; runs *= 2) {
        TRY(time_runs(t, runs, &s));
        if (s >= SAMPLE / 2 || runs >= MOST_RUNS)
            t->batch = (int)fmin(MOST_RUNS, fmax(1, s > 0 ? ceil(runs * SAMPLE / s) : runs));
    }
    return SEPCL_OK;
}

static status sample(trial *t, double *seconds)
{
    TRY(time_runs(t, t->batch, seconds));
    *seconds /= t->batch;
    return SEPCL_OK;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Moves the samples that make sense to the front, sorted. */
static int keep_plausible(double *samples, int n, double least)
{
    int kept = 0;
    for (int i = 0; i < n; i++)
        if (isfinite(samples[i]) && samples[i] > 0 && samples[i] >= least)
            samples[kept++] = samples[i];
    qsort(samples, (size_t)kept, sizeof *samples, by_size);
    return kept;
}

static int undisturbed(const double *sorted, int n)
{
    int k = 0;
    while (k < n && sorted[k] <= DISTURBED * sorted[0])
        k++;
    return k;
}

double trial_median(double *samples, int n, double least)
{
    const int kept = keep_plausible(samples, n, least);
    if (kept == 0 || 2 * kept < n)
        return 0;
    const int k = undisturbed(samples, kept);
    return k % 2 ? samples[k / 2] : (samples[k / 2 - 1] + samples[k / 2]) / 2;
}

typedef struct series {
    double seconds[MOST_ROUNDS];
    int    n;
} series;

static status add_sample(trial *t, series *s)
{
    TRY(sample(t, &s->seconds[s->n]));
    s->n++;
    return SEPCL_OK;
}

static bool is_enough(const series *s, double least)
{
    series    copy = *s;
    const int kept = keep_plausible(copy.seconds, copy.n, least);
    return s->n >= ROUNDS && (kept < s->n || undisturbed(copy.seconds, kept) >= ENOUGH);
}

/* Is b far slower than a in every sample so far? */
static bool is_hopeless(const series *a, const series *b, double least)
{
    double slowest = 0, fastest = INFINITY;
    for (int i = 0; i < a->n; i++) {
        if (a->seconds[i] < least)
            return false;
        slowest = fmax(slowest, a->seconds[i]);
        fastest = fmin(fastest, b->seconds[i]);
    }
    return a->n >= 2 && fastest > HOPELESS * slowest;
}

status trial_race_all(trial *const *t, int n, double *seconds)
{
    series of[TRIAL_RACERS] = {{.n = 0}};
    bool   enough = false;
    if (n < 1 || n > TRIAL_RACERS)
        return fail(SEPCL_INVALID, "%d trials cannot be timed in turns", n);
    for (int i = 0; i < n; i++)
        TRY(find_batch(t[i]));
    while (of[0].n < MOST_ROUNDS && !enough) {
        enough = true;
        for (int i = 0; i < n; i++) {
            TRY(add_sample(t[i], &of[i]));
            enough = is_enough(&of[i], 0) && enough;
        }
    }
    for (int i = 0; i < n; i++)
        seconds[i] = trial_median(of[i].seconds, of[i].n, 0);
    return SEPCL_OK;
}

status trial_race(trial *a, trial *b, double least, double *a_seconds, double *b_seconds)
{
    series of_a = {.n = 0}, of_b = {.n = 0};
    TRY(find_batch(a));
    if (b)
        TRY(find_batch(b));
    while (of_a.n < MOST_ROUNDS) {
        TRY(add_sample(a, &of_a));
        if (b)
            TRY(add_sample(b, &of_b));
        if (is_enough(&of_a, least) && (!b || is_enough(&of_b, least)))
            break;
        if (b && is_hopeless(&of_a, &of_b, least))
            break;
    }
    *a_seconds = trial_median(of_a.seconds, of_a.n, least);
    if (b)
        *b_seconds = trial_median(of_b.seconds, of_b.n, least);
    return SEPCL_OK;
}
