/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding out what is fastest. Layers that are the same are measured once. In three steps:
 *
 *  1. A survey: every piece (a node, or several as one fused node) with the kernel that the cost model takes. It tells
 *     which splits into pieces can win at all; the rest of the time goes to their pieces.
 *  2. Each of these pieces, the costliest first, with up to ten kernels and parameter sets.
 *  3. Each window of nodes in a row: which split into pieces is the fastest. Where that is not what the cost model
 * would have taken, both are run as a whole before it counts.
 *
 * An entry is stored when its piece or window is finished, so stopping at any time loses nothing but what is at hand.
 */
#include "api_tune.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "pass/pass.h"

#define BUDGET 45.0       /* with kernels compiled before and stored afterwards, a minute */
#define SURVEY_SHARE 0.45 /* most of the budget that the survey may take */
#define SAVE_EVERY 2.0    /* seconds */
#define MOST_FAILURES 6   /* pieces in a row that nothing runs: the device is gone */
#define MOST_LOST 20      /* contexts that may be lost to kernels that fail */
/* A split that was only added up has to be this much better than the own one to be taken without a race. */
#define CLEARLY 0.85
#define BETTER 0.98

static double clock_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

double tuner_seconds(const tuner *t)
{
    return clock_seconds() - t->begun;
}

static bool is_over(const tuner *t)
{
    return t->stop || tuner_seconds(t) >= t->budget;
}

/* ------------------------------------------------------------------ what the caller hears */

static void call(tuner *t, sepcl_tune_state *s)
{
    s->seconds = tuner_seconds(t);
    s->budget = t->budget;
    s->done = fmin(1, t->done);
    if (t->fn && !t->fn(t->user, s))
        t->stop = true;
}

void tuner_say(tuner *t, const char *name, const char *trying)
{
    call(t, &(sepcl_tune_state){.name = name, .trying = trying});
}

static void tell(tuner *t, const sepcl_tune_result *r)
{
    call(t, &(sepcl_tune_state){.result = r});
}

/* "a + b" */
static void names_text(node *const *nodes, int n, char *text, size_t size)
{
    strbuf b = strbuf_on(text, size);
    for (int i = 0; i < n; i++)
        strbuf_put(&b, "%s%s", i ? " + " : "", nodes[i]->name);
}

static void tell_piece(tuner *t, const piece *p)
{
    const op_def *op = op_get(p->op != OP_NONE ? p->op : p->nodes[0]->op);
    const attempt none = {.seconds = 0}, *own = &p->tried[0], *best = p->best < 0 ? &none : &p->tried[p->best];
    char          name[512], before[TUNE_CHOICE], after[TUNE_CHOICE] = "";
    names_text(p->nodes, p->n, name, sizeof name);
    row_text(op, own->c.row, own->c.p, before);
    if (p->best >= 0)
        row_text(op, best->c.row, best->c.p, after);
    tell(t, &(sepcl_tune_result){.name = name,
                                 .op = op->name,
                                 .layers = p->layers,
                                 .used = p->used,
                                 .before = before,
                                 .after = after,
                                 .before_us = own->seconds * 1e6,
                                 .after_us = best->seconds * 1e6,
                                 .error = best->error,
                                 .tried = p->n_tried - p->wrong,
                                 .wrong = p->wrong});
}

static status save_now_and_then(tuner *t, bool now)
{
    if (!now && tuner_seconds(t) < t->saved + SAVE_EVERY)
        return SEPCL_OK;
    t->saved = tuner_seconds(t);
    return tune_save(t->db);
}

static status check_device(const tuner *t)
{
    if (t->failed_in_a_row < MOST_FAILURES)
        return SEPCL_OK;
    return fail(SEPCL_DEVICE_ERROR, "no kernel of the last %d layers ran on %s; the last reason: %s", MOST_FAILURES,
                t->c->name, error_sentence());
}

bool tuner_lost(tuner *t, status st)
{
    char reason[512];
    if (st != SEPCL_DEVICE_ERROR)
        return false;
    snprintf(reason, sizeof reason, "%s", error_sentence());
    const bool lost = !exec_env_works(t->env);
    fail(st, "%s", reason);
    return lost;
}

status tuner_reopen(tuner *t)
{
    if (t->lost++ >= MOST_LOST)
        return fail_in(SEPCL_DEVICE_ERROR, "the device was lost %d times", t->lost);
    log_warn("tuning: the device is opened anew (%s)", error_sentence());
    TRY(exec_env_reopen(t->env));
    exec_env_trust(t->env);
    t->c = exec_env_caps(t->env);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ order */

typedef struct place {
    double weight;
    int    piece;
} place;

static int heaviest_first(const void *a, const void *b)
{
    const place *x = a, *y = b;
    return x->weight != y->weight ? (x->weight < y->weight ? 1 : -1) : x->piece - y->piece;
}

/* Measured time where there is one, else what the device's peak allows, of all layers that are the same. */
static double weight(const piece *p)
{
    return (p->seconds > 0 ? p->seconds : p->floor) * (p->layers > 0 ? p->layers : 1);
}

/* The pieces that are to be measured still, costliest first. */
static status order_pieces(tuner *t, bool wanted, place **out, int *n_out, double *total)
{
    place *list = arena_array(&t->memory, (size_t)t->n_pieces, sizeof *list);
    *n_out = 0;
    *total = 0;
    *out = list;
    if (!list)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < t->n_pieces; i++) {
        const piece *p = &t->pieces[i];
        if (p->kept || p->failed || p->recorded || (wanted && !p->wanted))
            continue;
        list[(*n_out)++] = (place){weight(p), i};
        *total += weight(p);
    }
    qsort(list, (size_t)*n_out, sizeof *list, heaviest_first);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ the steps */

#define SURVEY_DONE 0.3 /* of the bar */
#define PIECES_DONE 0.95

static status survey(tuner *t)
{
    place *list;
    int    n;
    double total;
    TRY(order_pieces(t, false, &list, &n, &total));
    for (int i = 0; i < n && !is_over(t) && tuner_seconds(t) < SURVEY_SHARE * t->budget; i++) {
        t->done = SURVEY_DONE * i / n;
        TRY(piece_measure(t, &t->pieces[list[i].piece], 1, INFINITY));
        TRY(check_device(t));
    }
    return SEPCL_OK;
}

/* Time left is shared by weight; what one does not use goes to those after it. */
static status measure_pieces(tuner *t)
{
    place *list;
    int    n;
    double total;
    TRY(order_pieces(t, true, &list, &n, &total));
    for (int i = 0; i < n && !is_over(t); i++) {
        piece       *p = &t->pieces[list[i].piece];
        const double now = tuner_seconds(t), share = 1.5 * (t->budget - now) * list[i].weight / total;
        t->done = fmax(t->done, SURVEY_DONE + (PIECES_DONE - SURVEY_DONE) * i / n);
        TRY(piece_measure(t, p, TUNE_CANDIDATES, fmin(t->budget, now + share)));
        TRY(check_device(t));
        total = fmax(total - list[i].weight, 1e-9);
        piece_forget(p);
        if (p->best < 0 || t->stop) /* a piece that was interrupted may have met its second best only */
            continue;
        TRY(piece_record(t, p));
        TRY(save_now_and_then(t, false));
        p->recorded = true;
    }
    return SEPCL_OK;
}

static status record_window(tuner *t, const window *w, int winner, double seconds, double error)
{
    char   text[TUNE_CHOICE], other[TUNE_CHOICE], losers[2048];
    strbuf b = strbuf_on(losers, sizeof losers);
    split_text(t, w, winner, text);
    for (int s = 0; s < w->n_splits; s++) {
        const double sum = split_seconds(t, w, s);
        split_text(t, w, s, other);
        if (s != winner && sum > 0)
            strbuf_put(&b, "%s%s: %lld", b.length ? "; " : "", other, (long long)llround(sum * 1e9));
    }
    return tune_set(t->db, &(tune_entry){TUNE_FORM, w->key, text, (int64_t)fmax(1, seconds * 1e9), error, losers});
}

static void tell_window(tuner *t, const window *w, int winner, const double seconds[2], double error)
{
    char  name[512], before[TUNE_CHOICE], after[TUNE_CHOICE];
    node *nodes[FORM_PARTS];
    int   tried = 0;
    for (int k = 0; k < w->n; k++)
        nodes[k] = t->g->nodes[w->index[k]];
    for (int s = 0; s < w->n_splits; s++)
        tried += split_seconds(t, w, s) > 0;
    names_text(nodes, w->n, name, sizeof name);
    split_text(t, w, w->own, before);
    split_text(t, w, winner, after);
    tell(t, &(sepcl_tune_result){.name = name,
                                 .op = "form",
                                 .layers = w->layers,
                                 .is_form = true,
                                 .used = true,
                                 .before = before,
                                 .after = after,
                                 .before_us = seconds[0] * 1e6,
                                 .after_us = seconds[1] * 1e6,
                                 .error = error,
                                 .tried = tried});
}

static double split_error(const tuner *t, const window *w, int split)
{
    double most = 0;
    for (int k = 0; k < w->splits[split].n; k++)
        most = fmax(most, t->pieces[w->pieces[split][k]].error);
    return most;
}

/* seconds: of the own split and of the winner. */
static status decide_window(tuner *t, window *w)
{
    int    winner = w->own;
    double seconds[2] = {split_seconds(t, w, w->own), 0}, error;
    if (!(seconds[0] > 0))
        return SEPCL_OK;
    for (int s = 0; s < w->n_splits; s++) {
        const double one = split_seconds(t, w, s);
        if (one > 0 && one < split_seconds(t, w, winner))
            winner = s;
    }
    seconds[1] = split_seconds(t, w, winner);
    error = split_error(t, w, winner);
    if (winner != w->own && !is_over(t)) {
        tuner_say(t, t->g->nodes[w->index[0]]->name, "forms");
        const status st = window_race(t, w, w->own, winner, seconds, &error);
        if (st != SEPCL_OK || !(seconds[1] > 0) || seconds[1] > BETTER * seconds[0])
            winner = w->own;
        if (st != SEPCL_OK)
            log_info("tuning: forms of '%s' are left as they are: %s", t->g->nodes[w->index[0]]->name,
                     error_sentence());
        if (tuner_lost(t, st))
            TRY(tuner_reopen(t));
    } else if (seconds[1] > CLEARLY * seconds[0]) {
        winner = w->own;
    }
    if (winner == w->own)
        seconds[1] = seconds[0];
    if (!(seconds[0] > 0))
        return SEPCL_OK;
    w->winner = winner;
    TRY(record_window(t, w, winner, seconds[1], error));
    tell_window(t, w, winner, seconds, error);
    return SEPCL_OK;
}

/* decided: whether some were. */
static status decide_windows(tuner *t, bool *decided)
{
    *decided = false;
    for (int i = 0; i < t->n_windows; i++) {
        window *w = &t->windows[i];
        if (!w->live || w->winner >= 0 || w->n_splits < 2)
            continue;
        TRY(decide_window(t, w));
        *decided |= w->winner >= 0;
    }
    return SEPCL_OK;
}

/* Marks the pieces that a session will run now. */
static status mark_used(tuner *t)
{
    graph             *g;
    const plan_options o = {.tuning = t->db, .bans = t->db, .quiet = true};
    TRY(graph_clone(t->g, &g));
    const status st = plan_forms(g, t->c, &o);
    for (int i = 0; st == SEPCL_OK && i < g->n_nodes; i++) {
        char   key[TUNE_KEY];
        strbuf b = strbuf_on(key, sizeof key);
        node_key(&(node_view){g, g->nodes[i]}, &b);
        for (int k = 0; !b.cut && k < t->n_pieces; k++)
            t->pieces[k].used |= !strcmp(t->pieces[k].key, key);
    }
    graph_destroy(g);
    return st;
}

static status tell_pieces(tuner *t)
{
    TRY(mark_used(t));
    for (int i = 0; i < t->n_pieces; i++)
        if (t->pieces[i].recorded || t->pieces[i].failed)
            tell_piece(t, &t->pieces[i]);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ all of it */

static status open_tuner(tuner *t, const sepcl_model *m)
{
    const pass_options passes = {.f16 = t->d->precision == SEPCL_F16};
    exec_env_desc      e = {.cache_dir = t->d->cache_dir};
    TRY(api_graph(m, t->d->shapes, t->d->n_shapes, &t->g));
    TRY(passes_run(t->g, &passes));
    TRY(devices_find(t->d->device, &e.cl.device));
    TRY(exec_env_create(&e, &t->env));
    t->c = exec_env_caps(t->env);
    error_clear();
    TRY(api_tuning(t->c, t->d->cache_dir, false, &t->db));
    if (!t->db && error_memory())
        return fail_memory(0, "the name of the cache folder");
    if (!t->db)
        return fail(SEPCL_INVALID, "there is no cache folder to keep tuning in; give one that only you may write to");
    TRY(plan_small_forms(t->g, t->c, &(plan_options){.bans = t->db, .quiet = true}));
    return tuner_collect(t);
}

static status run_steps(tuner *t)
{
    bool more = true;
    TRY(survey(t));
    while (more) { /* what was decided shows which windows planning comes to next */
        tuner_mark_wanted(t);
        TRY(measure_pieces(t));
        TRY(decide_windows(t, &more));
    }
    t->done = 1;
    return tell_pieces(t);
}

static void close_tuner(tuner *t)
{
    for (int i = 0; i < t->n_pieces; i++)
        piece_forget(&t->pieces[i]);
    tune_close(t->db);
    exec_env_destroy(t->env);
    graph_destroy(t->g);
    arena_free(&t->memory);
}

sepcl_status sepcl_tune(const sepcl_model *model, const sepcl_tune_desc *desc, sepcl_tune_fn fn, void *user)
{
    static const sepcl_tune_desc defaults = {0};
    tuner                        t = {.d = desc ? desc : &defaults, .fn = fn, .user = user, .begun = clock_seconds()};
    if (!model)
        return fail(SEPCL_INVALID, "sepcl_tune: model is NULL");
    if (t.d->precision != SEPCL_F32 && t.d->precision != SEPCL_F16)
        return fail(SEPCL_INVALID, "precision %d is unknown", (int)t.d->precision);
    if (!(t.d->budget >= 0))
        return fail(SEPCL_INVALID, "sepcl_tune: a budget of %g seconds is not one", t.d->budget);
    t.budget = t.d->budget > 0 ? t.d->budget : BUDGET;
    status st = open_tuner(&t, model);
    if (st == SEPCL_OK) {
        st = run_steps(&t);
        const status saved = save_now_and_then(&t, true); /* also what there is when a step failed */
        st = st == SEPCL_OK ? saved : st;
    }
    close_tuner(&t);
    return st == SEPCL_OK ? st : fail_in(st, "%s", model_file_name(model->file));
}
