/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making a session run where not everything works. A plan that does not run is followed by others:
 *
 *   a kernel from the program cache      is built from source
 *   another kernel that does not run     is not used in this session any more: the plan is made anew without it
 *   a context that was lost              is opened anew, and every step waited for, so that the kernel that takes it
 * with it is known; without such knowledge once only
 *
 * What is reported in the end is the first failure.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/size.h"
#include "pass/pass.h"

#define MOST_WAYS 10 /* beside the first */

/* What is tried: graph and plan take the session's place when they run. */
typedef struct attempt {
    graph *g;
    plan  *p;
} attempt;

static void forget(attempt *a)
{
    plan_destroy(a->p);
    graph_destroy(a->g);
    *a = (attempt){0};
}

status session_graph(const sepcl_session *s, graph **out)
{
    const pass_options passes = {.no_fusion = s->no_fusion, .f16 = s->precision == SEPCL_F16};
    TRY(api_graph(s->model, s->shapes, s->n_shapes, out));
    return passes_run(*out, &passes);
}

static status make_plan(const sepcl_session *s, attempt *a)
{
    const plan_options o = {.tuning = s->tuning, .bans = s->tuning};
    TRY(session_graph(s, &a->g));
    if (!s->no_fusion)
        TRY(plan_forms(a->g, exec_env_caps(s->env), &o));
    return plan_create(a->g, exec_env_caps(s->env), &o, &a->p);
}

/* A kernel that does not run: first with these parameters, then with any. */
static bool avoid(sepcl_session *s, const plan *p, int step)
{
    const plan_step *k = &p->steps[step];
    const node_view  v = {p->g, k->n};
    tune_ban_desc    d = {.op = op_get(k->n->op),
                          .row = k->row,
                          .p = k->p,
                          .source = "this session",
                          .half = p->g->values[k->n->out[0]].type == DT_F16,
                          .reason = error_sentence()};
    for (int i = 0; i < tune_count(s->tuning); i++) { /* was it met with other parameters? */
        const tune_entry *e = tune_get(s->tuning, i);
        const op_def     *op;
        const kernel_def *row;
        if (e->kind == TUNE_BAN && tune_ban_row(e->key, &op, &row) && row == k->row)
            d.p = NULL;
    }
    log_warn("%s does not run (%s): planned without it", k->kernel, d.reason);
    return !tune_banned(s->tuning, &v, k->row, k->p) && tune_ban(s->tuning, &d) == SEPCL_OK;
}

static bool reopen(sepcl_session *s)
{
    log_warn("the device is opened anew (%s)", error_sentence());
    s->reopened = true;
    return exec_env_reopen(s->env) == SEPCL_OK;
}

/* Changes something after a failed attempt; false when there is nothing left to be tried. The sentence is kept. */
static bool other_way(sepcl_session *s, const attempt *a, bool careful)
{
    char       reason[1024];
    const int  step = a->p ? exec_env_failed_step(s->env) : -1;
    const bool known = step >= 0 && step < a->p->n_steps;
    snprintf(reason, sizeof reason, "%s", error_sentence());
    const bool works = exec_env_works(s->env);
    fail(SEPCL_DEVICE_ERROR, "%s", reason);
    if (works && known)
        return exec_env_rebuild_failed(s->env) || avoid(s, a->p, step);
    /* in a lost context the step that fails is the culprit only when each was waited for */
    if (known && careful)
        return avoid(s, a->p, step) && reopen(s);
    return !s->reopened && reopen(s);
}

status session_settle(sepcl_session *s)
{
    char    first[1024] = "";
    attempt a = {0};
    status  st;
    for (int way = 0;; way++) {
        const bool careful = exec_env_is_careful(s->env);
        st = make_plan(s, &a);
        if (st == SEPCL_OK)
            st = exec_cl_create(s->env, a.p, s->profile, true, &s->exec);
        if (st != SEPCL_OK && !first[0])
            snprintf(first, sizeof first, "%s", error_sentence());
        if (st != SEPCL_DEVICE_ERROR || way == MOST_WAYS || !other_way(s, &a, careful))
            break;
        forget(&a);
    }
    if (st != SEPCL_OK) {
        forget(&a);
        return fail(st, "%s", first);
    }
    plan_ways_destroy(s->ways);
    s->ways = NULL;
    plan_destroy(s->plan);
    graph_destroy(s->graph);
    s->graph = a.g;
    s->plan = a.p;
    exec_env_trust(s->env);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ a device that fails later */

/* What the device has of an input that nobody else keeps; lost inputs count as not written. */
static void save_input(sepcl_session *s, int i)
{
    const int64_t n = shape_count(&s->graph->values[s->graph->inputs[i]].shape);
    float        *copy = malloc((size_t)i64_max(n, 1) * sizeof *copy);
    if (copy && exec_cl_read_input(s->exec, i, copy) == SEPCL_OK) {
        s->data[i] = copy;
        return;
    }
    free(copy);
    s->written[i] = false;
}

static status restore_input(sepcl_session *s, int i)
{
    if (s->bound[i])
        return exec_cl_bind(s->exec, i, s->data[i]);
    return exec_cl_write(s->exec, i, s->data[i]);
}

/* Copies that were made for the way over only. */
static void drop_saved(sepcl_session *s, const bool *saved)
{
    for (int i = 0; i < s->n_shapes; i++)
        if (saved[i]) {
            free((float *)s->data[i]);
            s->data[i] = NULL;
        }
}

/* Executor, inputs and the last run, in a context that is new. */
static status bring_back(sepcl_session *s)
{
    bool whole = true;
    TRY(session_settle(s));
    for (int i = 0; i < s->n_shapes; i++) {
        if (s->written[i])
            TRY(restore_input(s, i));
        whole &= s->written[i];
    }
    if (!s->enqueued)
        return SEPCL_OK;
    if (!whole)
        return fail(SEPCL_DEVICE_ERROR, "the inputs were lost with it and have to be written again");
    return exec_cl_run_carefully(s->exec);
}

static status start_again(sepcl_session *s)
{
    for (int way = 0;; way++) {
        exec_cl_destroy(s->exec);
        s->exec = NULL;
        TRY(exec_env_reopen(s->env));
        s->reopened = true;
        const status st = bring_back(s);
        const int    step = s->exec ? exec_env_failed_step(s->env) : -1;
        if (st != SEPCL_DEVICE_ERROR || step < 0 || way == MOST_WAYS || !avoid(s, s->plan, step))
            return st;
    }
}

status session_recover(sepcl_session *s, status st)
{
    char cause[400], second[400];
    if (st != SEPCL_DEVICE_ERROR || exec_env_is_borrowed(s->env))
        return st;
    bool *saved = calloc((size_t)s->n_shapes + 1, sizeof *saved);
    if (!saved)
        return st;
    snprintf(cause, sizeof cause, "%s", error_sentence());
    log_warn("the device is opened anew, as it failed: %s", cause);
    for (int i = 0; i < s->n_shapes; i++)
        if (s->written[i] && !s->data[i]) {
            save_input(s, i);
            saved[i] = s->data[i] != NULL;
        }
    const status again = start_again(s);
    drop_saved(s, saved);
    free(saved);
    if (again == SEPCL_OK)
        return SEPCL_OK;
    snprintf(second, sizeof second, "%s", error_sentence());
    snprintf(s->lost, sizeof s->lost, "%s", cause);
    return fail(again, "%s; after the device was opened anew: %s", cause, second);
}
