/* SPDX-License-Identifier: Apache-2.0 */
#include "separate/separation.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/size.h"
#include "pass/pass.h"

/* ------------------------------------------------------------------ small things */

bool separation_approximates(const separation *s)
{
    return s->tolerance > 0 || s->target > 0;
}

status separation_say(separation *s, double done, const char *phase, const char *name)
{
    const sepcl_separate_state state = {done, phase, name};
    if (s->fn && !s->fn(s->user, &state))
        return fail(SEPCL_INVALID, "stopped by the caller");
    return SEPCL_OK;
}

const char *separation_text(separation *s, const char *format, ...)
{
    char    text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    const char *copy = arena_strdup(&s->memory, text);
    return copy ? copy : "";
}

/* ------------------------------------------------------------------ networks */

static int index_of(const graph *g, const node *n)
{
    int i = 0;
    while (g->nodes[i] != n)
        i++;
    return i;
}

/* Rewrites a clone of the graph as read. Each rewriting moves nodes. */
static status rewrite_all(const separation *s, const int *pick, graph *g)
{
    const node **at = calloc((size_t)s->n_sites + 1, sizeof *at);
    status       st = at ? SEPCL_OK : fail_memory((size_t)s->n_sites * sizeof *at, "a list of layers");
    for (int i = 0; i < s->n_sites && st == SEPCL_OK; i++)
        at[i] = g->nodes[s->sites[i].read];
    for (int i = 0; i < s->n_sites && st == SEPCL_OK; i++)
        if (pick[i] >= 0)
            st = rewrite_apply(g, index_of(g, at[i]), &s->sites[i].list[pick[i]].r, NULL);
    free(at);
    return st;
}

status separation_network(const separation *s, const int *pick, trial **out)
{
    graph *g;
    *out = NULL;
    TRY(graph_clone(s->read, &g));
    status st = pick ? rewrite_all(s, pick, g) : SEPCL_OK;
    if (st == SEPCL_OK)
        st = passes_run(g, &(pass_options){.f16 = false});
    if (st != SEPCL_OK) {
        graph_destroy(g);
        return st;
    }
    return network_open(&s->bench, g, out);
}

/* ------------------------------------------------------------------ words */

static const char *rank_words(separation *s, const offer *c)
{
    if (c->r.form == SEPCL_FORM_FOLDED)
        return "folded";
    return separation_text(s, "%s at %s %d", sepcl_form_name(c->r.form),
                           c->r.form == SEPCL_FORM_DEPTHWISE ? "multiplier" : "rank", c->r.rank);
}

static const char *chosen_words(separation *s, const offer *c)
{
    const char *what = rank_words(s, c);
    if (offer_is_exact(c))
        return separation_text(s, "%s, exact: %.0f us instead of %.0f", what, 1e6 * c->seconds, 1e6 * c->as_is);
    return separation_text(s, "%s with an error of %.2g: %.0f us instead of %.0f", what, c->e.measured,
                           1e6 * c->seconds, 1e6 * c->as_is);
}

/* The fastest offer that was timed; exact: of those only. */
static const offer *fastest(const site *t, bool exact)
{
    const offer *best = NULL;
    for (int i = 0; i < t->n_list; i++) {
        const offer *c = &t->list[i];
        if (c->seconds > 0 && (!exact || offer_is_exact(c)) &&
            (!best || c->seconds / c->as_is < best->seconds / best->as_is))
            best = c;
    }
    return best;
}

static const char *spectrum_words(separation *s, const site *t)
{
    const layer_spectrum *l = &t->spectra[0];
    if (!t->n_spectra)
        return "left: there is nothing to separate";
    if (l->rank == 0)
        return "left: its weights are all 0";
    for (int i = 0; i < t->n_spectra; i++)
        if (t->spectra[i].rank < t->spectra[i].n)
            return separation_text(s, "left: exact as %s from %d of %d on, which saves nothing",
                                   sepcl_form_name(t->spectra[i].form), t->spectra[i].rank, t->spectra[i].n);
    return "left: of full rank";
}

/* Nothing was timed. */
static const char *note_words(separation *s, const site *t)
{
    for (int i = 0; i < t->n_list; i++)
        if (*t->list[i].note && (separation_approximates(s) || offer_is_exact(&t->list[i])))
            return separation_text(s, "left: %s is no gain, as %s", rank_words(s, &t->list[i]), t->list[i].note);
    return spectrum_words(s, t);
}

static const char *left_words(separation *s, const site *t)
{
    const bool   all = separation_approximates(s);
    const offer *c = fastest(t, !all);
    if (t->absorbed)
        return "part of the layer behind it, which is folded";
    if (t->why_not)
        return separation_text(s, "left: %s", t->why_not);
    if (!c)
        return note_words(s, t);
    if (c->seconds < c->as_is && s->target > 0 && s->target_met)
        return separation_text(s,
                               "left: the speed-up that was asked for is reached without %s, which takes %.0f us "
                               "instead of %.0f",
                               rank_words(s, c), 1e6 * c->seconds, 1e6 * c->as_is);
    if (c->seconds < c->as_is && !offer_is_exact(c))
        return separation_text(s, "left: %s would take %.0f us instead of %.0f, but its error of %.2g is not worth it",
                               rank_words(s, c), 1e6 * c->seconds, 1e6 * c->as_is, c->e.measured);
    return separation_text(s, "left: %s takes %.0f us, as it is %.0f", rank_words(s, c), 1e6 * c->seconds,
                           1e6 * c->as_is);
}

static status explain(separation *s)
{
    for (int i = 0; i < s->n_sites; i++) {
        site *t = &s->sites[i];
        if (t->chosen >= 0)
            t->why = chosen_words(s, &t->list[t->chosen]);
        else if (!*t->why)
            t->why = left_words(s, t);
        if (!*t->why) /* the words themselves are never empty */
            return SEPCL_OUT_OF_MEMORY;
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ the file */

static model_edit edit_of(const separation *s, const site *t)
{
    const rewriting *r = &t->list[t->chosen].r;
    return (model_edit){.old = {r->n_old == 2 ? s->sites[t->before].output_name : t->output_name, t->output_name},
                        .n_old = r->n_old,
                        .parts = r->parts,
                        .n_parts = r->n_parts,
                        .roles = form_roles(r->form),
                        .bias = r->bias};
}

static status edit_file(separation *s)
{
    int         n = 0;
    model_edit *edits = calloc((size_t)s->n_sites + 1, sizeof *edits);
    if (!edits)
        return fail_memory((size_t)s->n_sites * sizeof *edits, "a list of layers");
    for (int i = 0; i < s->n_sites; i++)
        if (s->sites[i].chosen >= 0)
            edits[n++] = edit_of(s, &s->sites[i]);
    const status st = model_file_edit(s->file, edits, n, &s->bytes, &s->size);
    free(edits);
    return st;
}

/* For files whose nodes cannot be edited in place. */
static status write_file(separation *s)
{
    graph *g;
    int   *pick = arena_array(&s->memory, (size_t)s->n_sites, sizeof *pick);
    if (!pick)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < s->n_sites; i++)
        pick[i] = s->sites[i].chosen;
    TRY(graph_clone(s->read, &g));
    status st = rewrite_all(s, pick, g);
    if (st == SEPCL_OK)
        st = model_file_write(s->file, g, &s->bytes, &s->size);
    graph_destroy(g);
    return st;
}

/* A file that cannot be written is no failure: what was found is worth something without. */
static status make_file(separation *s)
{
    s->no_file = model_file_edits(s->file) ? edit_file(s) : write_file(s);
    if (s->no_file != SEPCL_OK)
        s->no_file_text = separation_text(s, "%s", error_sentence());
    return s->no_file == SEPCL_OUT_OF_MEMORY ? s->no_file : SEPCL_OK;
}

/* ------------------------------------------------------------------ all of it */

static void drop_patches(separation *s)
{
    for (int i = 0; i < s->n_sites; i++) {
        patches_free(&s->sites[i].samples);
        patches_free(&s->sites[i].fold_samples);
    }
}

/* The error of a network that gives no numbers is no measure. */
static status check_answers(const separation *s)
{
    for (int k = 0; k < s->want.n_samples * s->want.n_outputs; k++)
        for (int64_t i = 0; i < s->want.count[k % s->want.n_outputs]; i++)
            if (!isfinite(s->want.data[k][i]))
                return fail(SEPCL_UNSUPPORTED,
                            "the network's outputs on sample %d hold NaN or infinity, so that errors cannot be told",
                            k / s->want.n_outputs);
    return SEPCL_OK;
}

static status analyse_all(separation *s)
{
    for (int i = 0; i < s->n_sites; i++) {
        TRY(separation_say(s, 0.1 + 0.7 * i / s->n_sites, "analysing", s->sites[i].name));
        TRY(site_analyse(s, &s->sites[i]));
        if (s->sites[i].n_list)
            TRY(separation_say(s, 0.1 + 0.7 * i / s->n_sites, "timing", s->sites[i].name));
        TRY(site_time(s, &s->sites[i]));
    }
    drop_patches(s);
    return SEPCL_OK;
}

static status run_all(separation *s)
{
    TRY(sites_find(s));
    TRY(samples_prepare(s));
    TRY(separation_network(s, NULL, &s->original));
    TRY(samples_collect(s));
    TRY(check_answers(s));
    TRY(analyse_all(s));
    TRY(network_write(s->original, &s->samples, 0));
    TRY(separation_choose(s));
    TRY(explain(s));
    TRY(make_file(s));
    return separation_say(s, 1, "done", NULL);
}

static status check_desc(const sepcl_separate_desc *d)
{
    if (!svd_available())
        return fail(SEPCL_UNSUPPORTED, "this build of sepcl has no LAPACK, which finding out what separates needs");
    if (!(d->tolerance >= 0))
        return fail(SEPCL_INVALID, "a tolerance of %g is not one", d->tolerance);
    if (!(d->target_speedup >= 0))
        return fail(SEPCL_INVALID, "a speed-up of %g is not one", d->target_speedup);
    if (d->n_samples < 0 || (d->n_samples > 0 && !d->samples))
        return fail(SEPCL_INVALID, "%d samples, but their list is %s", d->n_samples, d->samples ? "given" : "NULL");
    return SEPCL_OK;
}

status separation_create(const separate_args *a, separation **out)
{
    separation *s = calloc(1, sizeof *s);
    *out = NULL;
    if (!s) {
        graph_destroy(a->read);
        tune_close(a->tuning);
        exec_env_destroy(a->env);
        return fail_memory(sizeof *s, "a separation");
    }
    *s = (separation){.file = a->file,
                      .read = a->read,
                      .env = a->env,
                      .tuning = a->tuning,
                      .fn = a->fn,
                      .user = a->user,
                      .tolerance = a->desc->tolerance,
                      .target = a->desc->target_speedup,
                      .samples = {a->desc->samples, a->desc->n_samples}};
    s->bench = (bench_env){s->env, exec_env_caps(s->env), s->tuning};
    status st = check_desc(a->desc);
    if (st == SEPCL_OK)
        st = run_all(s);
    if (st != SEPCL_OK) {
        separation_destroy(s);
        return st;
    }
    *out = s;
    return SEPCL_OK;
}

void separation_destroy(separation *s)
{
    if (!s)
        return;
    drop_patches(s);
    for (int i = 0; i < s->n_sites; i++)
        for (int k = 0; k < s->sites[i].n_list; k++)
            rewriting_free(&s->sites[i].list[k].r);
    answers_free(&s->want);
    trial_destroy(s->original);
    graph_destroy(s->passed);
    graph_destroy(s->read);
    tune_close(s->tuning);
    exec_env_destroy(s->env);
    free(s->bytes);
    arena_free(&s->memory);
    free(s);
}
