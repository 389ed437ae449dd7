/* SPDX-License-Identifier: Apache-2.0 */
/* Samples run through the original network, layer by layer: what comes in at each convolution, and the answers. */
#include <stdlib.h>

#include "base/size.h"
#include "pass/pass.h"
#include "separate/separation.h"

#define RANDOM_SAMPLES 4

static status random_arrays(separation *s)
{
    const graph *g = s->read;
    s->random = arena_array(&s->memory, (size_t)RANDOM_SAMPLES * (size_t)g->n_inputs, sizeof *s->random);
    if (!s->random)
        return SEPCL_OUT_OF_MEMORY;
    for (int k = 0; k < RANDOM_SAMPLES; k++)
        for (int i = 0; i < g->n_inputs; i++) {
            const int64_t n = shape_count(&g->values[g->inputs[i]].shape);
            float        *data = arena_array(&s->memory, (size_t)n, sizeof *data);
            if (!data)
                return SEPCL_OUT_OF_MEMORY;
            test_fill(data, n, (uint32_t)(7 + k * g->n_inputs + i));
            s->random[k * g->n_inputs + i] = data;
        }
    s->samples = (samples){(const float *const *)s->random, RANDOM_SAMPLES};
    return SEPCL_OK;
}

status samples_prepare(separation *s)
{
    return s->samples.n ? SEPCL_OK : random_arrays(s);
}

/* Is the step's node the site's layer? They come in the same order. */
static bool is_layer(const separation *s, const trial *t, const node *n, int k)
{
    if (n->op != OP_CONV || k >= s->n_sites)
        return false;
    const node *read = s->read->nodes[s->sites[k].read];
    return trial_graph(t)->values[n->in[CONV_W]].data == s->read->values[read->in[CONV_W]].data;
}

/* Reads what the step's convolution is about to read. */
static status take_input(separation *s, trial *t, const node *n, site *at, uint32_t *random)
{
    const value  *x = &trial_graph(t)->values[n->in[CONV_X]];
    const int64_t count = shape_count(&x->shape);
    const int     most = (int)i64_max(1, at->samples.room / s->samples.n);
    if (x->data || count == 0)
        return SEPCL_OK; /* a constant: nothing comes in */
    float *data = malloc((size_t)count * sizeof *data);
    if (!data)
        return fail_memory((size_t)count * sizeof *data, x->name);
    const status st = exec_cl_read_value(trial_exec(t), n->in[CONV_X], data);
    if (st == SEPCL_OK)
        patches_add(&at->samples, &at->window, data, at->in, most, random);
    for (int i = 0; st == SEPCL_OK && i < s->n_sites; i++)
        if (s->sites[i].before >= 0 && &s->sites[s->sites[i].before] == at)
            patches_add(&s->sites[i].fold_samples, &s->sites[i].fold_window, data, at->in, most, random);
    free(data);
    return st;
}

static status walk(separation *s, trial *t, int sample)
{
    const plan *p = trial_plan(t);
    uint32_t    random = 2463534242u + (uint32_t)sample;
    int         k = 0;
    TRY(network_write(t, &s->samples, sample));
    for (int i = 0; i < p->n_steps; i++) {
        const node *n = p->steps[i].n;
        if (is_layer(s, t, n, k))
            TRY(take_input(s, t, n, &s->sites[k++], &random));
        TRY(exec_cl_step(trial_exec(t), i));
        TRY(exec_cl_wait(trial_exec(t)));
    }
    return SEPCL_OK;
}

/* One node a layer, in the order as read, so that every convolution's input is in memory. */
static status open_walk(const separation *s, trial **out)
{
    graph *g;
    plan  *p = NULL;
    *out = NULL;
    TRY(graph_clone(s->read, &g));
    status st = passes_run(g, &(pass_options){.no_fusion = true});
    if (st == SEPCL_OK)
        st = plan_create(g, s->bench.c, &(plan_options){.tuning = s->tuning, .quiet = true}, &p);
    if (st != SEPCL_OK) {
        graph_destroy(g);
        return st;
    }
    return trial_open(s->env, g, p, out);
}

status samples_collect(separation *s)
{
    trial *t;
    TRY(separation_say(s, 0, "running samples", NULL));
    TRY(open_walk(s, &t));
    status st = SEPCL_OK;
    for (int k = 0; k < s->samples.n && st == SEPCL_OK; k++) {
        st = walk(s, t, k);
        if (st == SEPCL_OK)
            st = separation_say(s, 0.1 * (k + 1) / s->samples.n, "running samples", NULL);
    }
    trial_destroy(t);
    TRY(st);
    return answers_of(s->original, &s->samples, &s->want);
}
