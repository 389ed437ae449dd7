/* SPDX-License-Identifier: Apache-2.0 */
/* Every kernel row over its cases and legal parameters, against the scalar reference, with poisoned margins. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/size.h"
#include "pass/pass.h"

#define GUARD 256

int  self_test_one_in = 1;
bool self_test_few_sets = false;

typedef struct tester {
    const sepcl_self_test_desc *d;
    exec_env                   *env;
    sepcl_self_test_fn          fn;
    void                       *user;
    graph                     **cases; /* of the op at hand */
    int                         n_cases, cap_cases;
    const op_def               *op;
    op_kind                     kind;
    int                         row;
    bool                        stop;
    status                      st;       /* what ended the test; SEPCL_OK while it goes on */
    int                         failures; /* rows that differ */
    int                         tested;   /* cases of the op at hand that a row has run */
    tune_db                    *db;       /* for bans; NULL: there is no place for them */
    int                         banned;
    char                        first[1024];
    /* parameter sets to test, gathered over the cases */
    int (*sets)[PARAM_MAX];
    int n_sets, cap_sets;
    int set; /* the one at hand */
    /* of each case, the values of the row's parameters that it has met, a bit each; for self_test_one_in and
       self_test_few_sets */
    uint32_t (*met)[PARAM_MAX];
    arena memory;
} tester;

/* ------------------------------------------------------------------ one case */

static status fill_inputs(const plan *p, exec_cl *x, exec_ref *ref)
{
    for (int i = 0; i < p->g->n_inputs; i++) {
        const value_id v = p->g->inputs[i];
        float         *data = exec_ref_value(ref, v);
        if (!data)
            return SEPCL_OUT_OF_MEMORY;
        test_fill(data, shape_count(&p->g->values[v].shape), 77u + (uint32_t)i);
        TRY(exec_cl_write(x, i, data));
    }
    return SEPCL_OK;
}

static status compare_outputs(const plan *p, exec_cl *x, exec_ref *ref, double *error)
{
    for (int i = 0; i < p->g->n_outputs; i++) {
        const value_id v = p->g->outputs[i];
        const int64_t  n = shape_count(&p->g->values[v].shape);
        const float   *want = exec_ref_value(ref, v);
        float         *got = malloc((size_t)i64_max(n, 1) * sizeof *got);
        if (!got || !want) {
            free(got);
            return fail_memory((size_t)n * sizeof *got, "a self-test");
        }
        const status st = exec_cl_read(x, i, got);
        int64_t      where;
        const double e = compare_floats(got, want, n, &where);
        *error = e > *error || e != e ? e : *error;
        free(got);
        TRY(st);
    }
    return SEPCL_OK;
}

/* Runs a planned case; error receives the largest difference. SEPCL_MISMATCH: wrote outside its output. */
static status run_plan(tester *t, const plan *p, double *error)
{
    exec_cl  *x = NULL;
    exec_ref *ref = NULL;
    status    st = exec_cl_create(t->env, p, false, false, &x);
    if (st == SEPCL_OK)
        st = exec_ref_create(p, &ref);
    if (st == SEPCL_OK)
        st = exec_cl_poison(x);
    if (st == SEPCL_OK)
        st = fill_inputs(p, x, ref);
    if (st == SEPCL_OK)
        st = exec_cl_enqueue(x);
    if (st == SEPCL_OK)
        st = exec_cl_wait(x);
    if (st == SEPCL_OK)
        st = exec_ref_run(ref);
    if (st == SEPCL_OK)
        st = compare_outputs(p, x, ref, error);
    if (st == SEPCL_OK)
        st = exec_cl_check_guards(x);
    exec_cl_destroy(x);
    exec_ref_destroy(ref);
    return st;
}

static bool fits_case(const tester *t, const graph *g, const int *p)
{
    const kernel_def *row = &t->op->kernels[t->row];
    bool              any = false;
    for (int i = 0; i < g->n_nodes; i++) {
        const node_view v = {g, g->nodes[i]};
        if (v.n->op != t->kind)
            continue;
        if (!row->fits(&v, exec_env_caps(t->env), p))
            return false;
        any = true;
    }
    return any;
}

/* ------------------------------------------------------------------ one parameter set of a row */

static void parameters_text(const kernel_def *row, const int *p, char *text, size_t size)
{
    size_t at = 0;
    text[0] = 0;
    for (int i = 0; i < kernel_params(row) && at < size; i++)
        at += (size_t)snprintf(text + at, size - at, "%s%s=%d", i ? " " : "", row->params[i].name, p[i]);
}

static void note_failure(tester *t, sepcl_self_test_result *r, char *detail, size_t size, int index, status st,
                         double error)
{
    r->failed++;
    if (r->detail)
        return;
    if (st != SEPCL_OK)
        snprintf(detail, size, "case %d: %s", index, error_sentence());
    else
        snprintf(detail, size, "case %d: differs by %.3g (limit %.3g)", index, error, r->tolerance);
    r->detail = detail;
    if (!t->first[0])
        snprintf(t->first, sizeof t->first, "%s %s (%s): %s", r->op, r->kernel, r->parameters, detail);
}

/* A variant that gave a wrong answer is not used on this device any more. */
static void ban(tester *t, const int *p, sepcl_self_test_result *r)
{
    const tune_ban_desc d = {
        .op = t->op, .row = &t->op->kernels[t->row], .p = p, .half = t->d->f16, .error = r->error, .reason = r->detail};
    if (!t->db || !t->op->kernels)
        return;
    const status st = api_ban(t->db, &d);
    r->banned = st == SEPCL_OK;
    t->banned += r->banned;
    if (st == SEPCL_OUT_OF_MEMORY)
        t->st = st;
}

/* After a failure a driver may have lost the context, and with it all that would follow. */
static void revive(tester *t, status st)
{
    char reason[512];
    if (st != SEPCL_DEVICE_ERROR || exec_env_works(t->env))
        return;
    snprintf(reason, sizeof reason, "%s", error_sentence());
    log_warn("self-test: the device is opened anew (%s)", reason);
    t->st = exec_env_reopen(t->env);
    exec_env_trust(t->env);
}

/* The set's place in self_test_one_in, so that at least one of the cases that it fits comes up. */
static int first_turn(const tester *t, const int *p)
{
    int fitting = 0;
    for (int i = 0; i < t->n_cases && t->op->kernels && self_test_one_in > 1; i++)
        fitting += fits_case(t, t->cases[i], p);
    const int most = fitting < self_test_one_in ? fitting : self_test_one_in;
    return most ? (self_test_one_in - t->set % most) % self_test_one_in : 0;
}

static uint32_t value_bit(const param *q, int value)
{
    int i = 0;
    while (i < PARAM_VALUES - 1 && q->values[i] != value)
        i++;
    return (uint32_t)1 << i;
}

/* Whether sets are left out of the row at hand. */
static bool few_sets(const tester *t)
{
    return self_test_few_sets && t->op->kernels && kernel_params(&t->op->kernels[t->row]) > 1;
}

/* Whether a case, though it is not its turn, has to run the set at hand: it has met none, and no set after it fits. */
static bool last_that_fits(const tester *t, int index)
{
    bool comes = false;
    for (int k = 0; k < PARAM_MAX && !comes; k++)
        comes = t->met[index][k] != 0;
    for (int s = t->set + 1; s < t->n_sets && !comes; s++)
        comes = fits_case(t, t->cases[index], t->sets[s]);
    return !comes;
}

/* Whether a case, though it is not its turn, has to run the set at hand: no set after it has this value of a parameter,
   which the case has not met. */
static bool last_with_value(const tester *t, int index, const int *p)
{
    const kernel_def *row = &t->op->kernels[t->row];
    for (int k = 0; k < kernel_params(row); k++) {
        bool comes = (t->met[index][k] & value_bit(&row->params[k], p[k])) != 0;
        for (int s = t->set + 1; s < t->n_sets && !comes; s++)
            comes = t->sets[s][k] == p[k] && fits_case(t, t->cases[index], t->sets[s]);
        if (!comes)
            return true;
    }
    return false;
}

/* Whether the case runs the set. turn counts the cases that it fits. */
static bool is_due(tester *t, int index, const int *p, int *turn)
{
    const kernel_def *row = &t->op->kernels[t->row];
    if (!fits_case(t, t->cases[index], p))
        return false;
    if ((*turn)++ % self_test_one_in != 0 && !(few_sets(t) ? last_that_fits(t, index) : last_with_value(t, index, p)))
        return false;
    for (int k = 0; k < kernel_params(row); k++)
        t->met[index][k] |= value_bit(&row->params[k], p[k]);
    return true;
}

static void test_set(tester *t, const int *p)
{
    const kernel_def *row = t->op->kernels ? &t->op->kernels[t->row] : NULL;
    char              text[128] = "", kernel[128] = "view", detail[1024];
    const double      tolerance = t->d->f16 ? 1e-2 : t->op->tolerance > 0 ? t->op->tolerance : 1e-5;
    if (row) {
        parameters_text(row, p, text, sizeof text);
        snprintf(kernel, sizeof kernel, "%s/%s", row->file, row->entry);
    }
    sepcl_self_test_result r = {.op = t->op->name, .kernel = kernel, .parameters = text, .tolerance = tolerance};
    bool                   wrong = false;
    int                    turn = first_turn(t, p);
    for (int i = 0; i < t->n_cases && t->st == SEPCL_OK; i++) {
        plan        *pl = NULL;
        double       error = 0;
        plan_options o = {.guard = GUARD};
        if (row) {
            if (!is_due(t, i, p, &turn))
                continue;
            o.force_op = t->kind;
            o.force_row = t->row;
            memcpy(o.force_p, p, sizeof o.force_p);
        }
        status st = plan_create(t->cases[i], exec_env_caps(t->env), &o, &pl);
        if (st == SEPCL_OK)
            st = run_plan(t, pl, &error);
        plan_destroy(pl);
        r.cases++;
        r.error = error > r.error || error != error ? error : r.error;
        if (st == SEPCL_OUT_OF_MEMORY)
            t->st = st;
        else if (st != SEPCL_OK || !(error <= tolerance))
            note_failure(t, &r, detail, sizeof detail, i, st, error);
        wrong |= st == SEPCL_MISMATCH || (st == SEPCL_OK && !(error <= tolerance));
        revive(t, st);
    }
    if (wrong)
        ban(t, p, &r);
    t->failures += r.failed > 0;
    t->tested += r.cases;
    if (r.cases && t->st == SEPCL_OK && t->fn && !t->fn(t->user, &r))
        t->stop = true;
}

/* ------------------------------------------------------------------ all sets, rows, ops */

static bool gather_set(void *user, const int *p)
{
    tester *t = user;
    for (int i = 0; i < t->n_sets; i++)
        if (!memcmp(t->sets[i], p, sizeof t->sets[i]))
            return true;
    void *grown = arena_grow(&t->memory, t->sets, &t->cap_sets, t->n_sets + 1, sizeof *t->sets);
    if (!grown) {
        t->st = SEPCL_OUT_OF_MEMORY;
        return false;
    }
    t->sets = grown;
    memcpy(t->sets[t->n_sets++], p, sizeof *t->sets);
    return true;
}

/* quick: the set that the planner would take for each case, which covers what runs. */
static void gather_quick(tester *t, const kernel_def *row, const node_view *v)
{
    const caps *c = exec_env_caps(t->env);
    int         before = t->n_sets;
    if (before > 0 && row->fits(v, c, t->sets[before - 1]))
        return;
    tester one = *t;
    one.n_sets = 0;
    one.cap_sets = 0;
    one.sets = NULL;
    plan_each_parameters(row, v, c, gather_set, &one);
    int best = 0;
    for (int i = 1; row->cost && i < one.n_sets; i++)
        if (row->cost(v, c, one.sets[i]) < row->cost(v, c, one.sets[best]))
            best = i;
    t->memory = one.memory;
    if (one.n_sets)
        gather_set(t, one.sets[best]);
}

/* How many values of parameters the cases have not met and would meet with the set; meet: they do. */
static int new_values(tester *t, const int *p, bool meet)
{
    const kernel_def *row = &t->op->kernels[t->row];
    int               n = 0;
    for (int i = 0; i < t->n_cases; i++) {
        const int params = fits_case(t, t->cases[i], p) ? kernel_params(row) : 0;
        for (int k = 0; k < params; k++) {
            const uint32_t bit = value_bit(&row->params[k], p[k]);
            n += !(t->met[i][k] & bit);
            t->met[i][k] |= meet ? bit : 0;
        }
    }
    return n;
}

/* Keeps the sets in which each value of a parameter comes with each case that it fits, those first that bring most. */
static void keep_few(tester *t)
{
    int kept = 0;
    while (kept < t->n_sets) {
        int best = kept, most = 0, p[PARAM_MAX];
        for (int s = kept; s < t->n_sets; s++) {
            const int n = new_values(t, t->sets[s], false);
            best = n > most ? s : best;
            most = n > most ? n : most;
        }
        if (!most)
            break;
        memcpy(p, t->sets[best], sizeof p);
        memcpy(t->sets[best], t->sets[kept], sizeof p);
        memcpy(t->sets[kept++], p, sizeof p);
        new_values(t, p, true);
    }
    t->n_sets = kept;
    memset(t->met, 0, (size_t)t->n_cases * sizeof *t->met);
}

static void test_row(tester *t)
{
    const kernel_def *row = &t->op->kernels[t->row];
    t->n_sets = 0;
    t->met = arena_array(&t->memory, (size_t)i64_max(1, t->n_cases), sizeof *t->met);
    if (!t->met)
        t->st = SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < t->n_cases && t->st == SEPCL_OK; i++)
        for (int k = 0; k < t->cases[i]->n_nodes; k++) {
            const node_view v = {t->cases[i], t->cases[i]->nodes[k]};
            if (v.n->op != t->kind)
                continue;
            if (t->d->quick)
                gather_quick(t, row, &v);
            else
                plan_each_parameters(row, &v, exec_env_caps(t->env), gather_set, t);
        }
    if (few_sets(t) && t->st == SEPCL_OK)
        keep_few(t);
    for (t->set = 0; t->set < t->n_sets && t->st == SEPCL_OK && !t->stop; t->set++)
        test_set(t, t->sets[t->set]);
}

static status make_cases(tester *t)
{
    const pass_options o = {.no_fusion = true, .f16 = t->d->f16};
    for (int i = 0;; i++) {
        graph *g;
        TRY(graph_create(t->op->name, &g));
        error_clear();
        if (!t->op->gen(i, g)) {
            graph_destroy(g);
            if (error_memory())
                return fail_memory(0, "a case of the self-test");
            if (error_sentence()[0])
                return fail_in(SEPCL_INVALID, "self-test case %d of %s", i, t->op->name);
            return SEPCL_OK;
        }
        graph **grown = arena_grow(&t->memory, t->cases, &t->cap_cases, t->n_cases + 1, sizeof *grown);
        if (!grown) {
            graph_destroy(g);
            return SEPCL_OUT_OF_MEMORY;
        }
        t->cases = grown;
        t->cases[t->n_cases++] = g;
        status st = graph_check(g);
        if (st == SEPCL_OK)
            st = pass_outputs(g, &o); /* a case that is a view needs a kernel to make its output */
        if (st == SEPCL_OK)
            st = pass_half(g, &o);
        if (st != SEPCL_OK)
            return fail_in(st, "self-test case %d of %s", i, t->op->name);
    }
}

/* An op that no row runs here: right for a fused one, whose parts run instead, and a failure for any other. */
static void report_none(tester *t)
{
    const bool             fused = (t->op->flags & OP_FUSED) != 0;
    sepcl_self_test_result r = {.op = t->op->name,
                                .kernel = "none fits this device",
                                .parameters = "",
                                .failed = !fused,
                                .detail = fused ? NULL : "an op without a kernel"};
    t->failures += r.failed;
    if (!fused && !t->first[0])
        snprintf(t->first, sizeof t->first, "%s: no kernel fits this device", t->op->name);
    if (t->fn && !t->fn(t->user, &r))
        t->stop = true;
}

static void test_op(tester *t)
{
    t->tested = 0;
    t->n_cases = 0;
    t->cap_cases = 0;
    t->cases = NULL;
    t->st = make_cases(t);
    if (!t->op->kernels && t->st == SEPCL_OK)
        test_set(t, (int[PARAM_MAX]){0});
    for (t->row = 0; t->op->kernels && t->op->kernels[t->row].file && t->st == SEPCL_OK && !t->stop; t->row++)
        test_row(t);
    if (!t->tested && t->st == SEPCL_OK && !t->stop)
        report_none(t);
    for (int i = 0; i < t->n_cases; i++)
        graph_destroy(t->cases[i]);
}

status self_test(const sepcl_self_test_desc *d, sepcl_self_test_fn fn, void *user)
{
    tester        t = {.d = d, .fn = fn, .user = user};
    exec_env_desc e = {.cl = {.device = d->device}, .cache_dir = d->cache_dir, .no_cache = d->no_cache};
    bool          known = d->op == NULL;
    TRY(exec_env_create(&e, &t.env));
    t.st = api_tuning(exec_env_caps(t.env), d->cache_dir, d->no_cache, &t.db);
    for (int k = 1; k < OP_COUNT && t.st == SEPCL_OK && !t.stop; k++) {
        t.kind = (op_kind)k;
        t.op = op_get(t.kind);
        if (d->op && strcmp(d->op, t.op->name) != 0)
            continue;
        known = true;
        test_op(&t);
    }
    if (t.banned && tune_save(t.db) != SEPCL_OK)
        log_warn("self-test: the bans are not kept: %s", error_sentence());
    tune_close(t.db);
    exec_env_destroy(t.env);
    arena_free(&t.memory);
    if (t.st != SEPCL_OK)
        return t.st;
    if (!known)
        return fail(SEPCL_INVALID, "there is no op '%s'", d->op);
    return t.failures
               ? fail(SEPCL_MISMATCH, "%d kernel variants differ from the reference; first: %s", t.failures, t.first)
               : SEPCL_OK;
}
