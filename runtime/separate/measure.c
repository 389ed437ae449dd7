/* SPDX-License-Identifier: Apache-2.0 */
#include "separate/measure.h"

#include <math.h>
#include <stdlib.h>

#include "base/size.h"

#define SEED 17u

/* ------------------------------------------------------------------ a graph on the device */

static status plan_as_session(const bench_env *b, graph *g, plan **out)
{
    const plan_options o = {.tuning = b->tuning, .quiet = true};
    TRY(plan_forms(g, b->c, &o));
    return plan_create(g, b->c, &o, out);
}

status network_open(const bench_env *b, graph *g, trial **out)
{
    plan        *p = NULL;
    const status st = plan_as_session(b, g, &p);
    *out = NULL;
    if (st != SEPCL_OK) {
        graph_destroy(g);
        return st;
    }
    return trial_open(b->env, g, p, out);
}

static status fill_input(trial *t, int i)
{
    const graph  *g = trial_graph(t);
    const int64_t n = shape_count(&g->values[g->inputs[i]].shape);
    float        *data = malloc((size_t)i64_max(n, 1) * sizeof *data);
    if (!data)
        return fail_memory((size_t)n * sizeof *data, "an input to be timed");
    test_fill(data, n, SEED + (uint32_t)i);
    const status st = exec_cl_write(trial_exec(t), i, data);
    free(data);
    return st;
}

status network_fill(trial *t)
{
    for (int i = 0; i < trial_graph(t)->n_inputs; i++)
        TRY(fill_input(t, i));
    return SEPCL_OK;
}

status network_write(trial *t, const samples *s, int sample)
{
    const int n = trial_graph(t)->n_inputs;
    for (int i = 0; i < n; i++)
        TRY(exec_cl_write(trial_exec(t), i, s->data[(size_t)sample * (size_t)n + (size_t)i]));
    return SEPCL_OK;
}

double network_predicted(const trial *t)
{
    const plan *p = trial_plan(t);
    double      sum = 0;
    for (int i = 0; i < p->n_steps; i++)
        sum += p->steps[i].predicted;
    return sum;
}

/* ------------------------------------------------------------------ a layer and its neighbours */

/* No form fuses a dense k x k convolution with others. */
static bool may_fuse(const graph *g, const node *n)
{
    if (n->op != OP_CONV)
        return false;
    const node_view     v = {g, n};
    const conv_geometry c = conv_geometry_of(&v);
    return c.depthwise || c.a->kernel[0] == 1 || c.a->kernel[1] == 1;
}

/* The node before, when this one alone reads it; -1. */
static int node_before(const graph *g, int at)
{
    const value_id x = g->nodes[at]->in[CONV_X];
    const int      before = g->values[x].producer;
    return before >= 0 && may_fuse(g, g->nodes[before]) && graph_uses(g, x) == 1 ? before : -1;
}

static int node_behind(const graph *g, int at)
{
    int         behind = -1;
    const node *n = graph_single_user(g, g->nodes[at]->out[0], &behind);
    return n && may_fuse(g, n) && n->in[CONV_X] == g->nodes[at]->out[0] ? behind : -1;
}

status cut_create(const graph *g, int at, int n_old, cut *out)
{
    node *nodes[3 * FORM_PARTS];
    int   index[FORM_PARTS + 1], before = 0, n = 0;
    *out = (cut){.at = 0};
    for (int i = at; before < FORM_PARTS - 1 + n_old - 1 && (i = node_before(g, i)) >= 0;)
        index[before++] = i;
    for (int k = before - 1; k >= 0; k--)
        nodes[n++] = g->nodes[index[k]];
    out->at = n;
    nodes[n++] = g->nodes[at];
    for (int i = at, k = 0; k < FORM_PARTS - 1 && (i = node_behind(g, i)) >= 0; k++)
        nodes[n++] = g->nodes[i];
    return subject_create(g, nodes, n, &out->s);
}

void cut_destroy(cut *c)
{
    subject_destroy(c->s);
    *c = (cut){0};
}

status cut_open(const bench_env *b, const cut *c, const rewriting *r, trial **out)
{
    graph *g;
    *out = NULL;
    TRY(graph_clone(subject_graph(c->s), &g));
    const status st = r ? rewrite_apply(g, c->at, r, NULL) : SEPCL_OK;
    if (st != SEPCL_OK) {
        graph_destroy(g);
        return st;
    }
    TRY(network_open(b, g, out));
    const status filled = network_fill(*out);
    if (filled != SEPCL_OK) {
        trial_destroy(*out);
        *out = NULL;
    }
    return filled;
}

static status run(trial *t)
{
    TRY(exec_cl_enqueue(trial_exec(t)));
    return exec_cl_wait(trial_exec(t));
}

static status outputs_differ(trial *a, trial *b, int i, double *difference)
{
    const graph  *g = trial_graph(a);
    const int64_t n = shape_count(&g->values[g->outputs[i]].shape);
    float *got = malloc((size_t)i64_max(n, 1) * sizeof *got), *want = malloc((size_t)i64_max(n, 1) * sizeof *want);
    status st = got && want ? SEPCL_OK : fail_memory((size_t)n * sizeof *got, "a layer's output");
    if (st == SEPCL_OK)
        st = exec_cl_read(trial_exec(a), i, want);
    if (st == SEPCL_OK)
        st = exec_cl_read(trial_exec(b), i, got);
    if (st == SEPCL_OK)
        *difference = fmax(*difference, compare_floats(got, want, n, NULL));
    free(got);
    free(want);
    return st;
}

status trials_differ(trial *a, trial *b, double *difference)
{
    *difference = 0;
    TRY(run(a));
    TRY(run(b));
    for (int i = 0; i < trial_graph(a)->n_outputs; i++)
        TRY(outputs_differ(a, b, i, difference));
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ answers of whole networks */

void answers_free(answers *a)
{
    for (int i = 0; a->data && i < a->n_samples * a->n_outputs; i++)
        free(a->data[i]);
    free(a->data);
    free(a->count);
    *a = (answers){0};
}

static status read_answers(trial *t, int sample, answers *a)
{
    for (int i = 0; i < a->n_outputs; i++) {
        float *to = malloc((size_t)i64_max(a->count[i], 1) * sizeof *to);
        if (!to)
            return fail_memory((size_t)a->count[i] * sizeof *to, "an output of the network");
        a->data[sample * a->n_outputs + i] = to;
        TRY(exec_cl_read(trial_exec(t), i, to));
    }
    return SEPCL_OK;
}

status answers_of(trial *t, const samples *s, answers *out)
{
    const graph *g = trial_graph(t);
    *out = (answers){.n_samples = s->n, .n_outputs = g->n_outputs};
    out->count = calloc((size_t)g->n_outputs + 1, sizeof *out->count);
    out->data = calloc((size_t)s->n * (size_t)g->n_outputs + 1, sizeof *out->data);
    status st = out->count && out->data ? SEPCL_OK : fail_memory((size_t)s->n, "outputs of the network");
    for (int i = 0; st == SEPCL_OK && i < g->n_outputs; i++)
        out->count[i] = shape_count(&g->values[g->outputs[i]].shape);
    for (int k = 0; st == SEPCL_OK && k < s->n; k++) {
        st = network_write(t, s, k);
        if (st == SEPCL_OK)
            st = run(t);
        if (st == SEPCL_OK)
            st = read_answers(t, k, out);
    }
    if (st != SEPCL_OK)
        answers_free(out);
    return st;
}

static int64_t largest_at(const float *v, int64_t n)
{
    int64_t at = 0;
    for (int64_t i = 1; i < n; i++)
        at = v[i] > v[at] ? i : at;
    return at;
}

/* Scores of classes: a row of at least two an image, nothing else. */
static int64_t classes_of(const graph *g, int output)
{
    const shape *s = &g->values[g->outputs[output]].shape;
    return s->rank == 2 && s->dim[1] > 1 ? s->dim[1] : 0;
}

answer_error answers_compare(const answers *got, const answers *want, const graph *g)
{
    answer_error e = {0};
    for (int k = 0; k < want->n_samples; k++)
        for (int i = 0; i < want->n_outputs; i++) {
            const float  *a = got->data[k * want->n_outputs + i], *b = want->data[k * want->n_outputs + i];
            const int64_t classes = classes_of(g, i);
            e.largest = fmax(e.largest, compare_floats(a, b, want->count[i], NULL));
            for (int64_t at = 0; classes && at < want->count[i]; at += classes) {
                e.rows++;
                e.changed += largest_at(a + at, classes) != largest_at(b + at, classes);
            }
        }
    return e;
}
