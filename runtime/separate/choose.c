/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which forms are taken. Time saved adds up over the layers. Errors are taken to add up as if independent: an error e
 * of a layer's output becomes k e at the network's outputs, and squares add. k is measured, by running the network with
 * this layer alone rewritten. What was assumed decides the order only: each network that is kept has been measured.
 *
 * Of a layer's forms only those matter that no mixture of two others beats: the corners of the convex hull of (squared
 * error, time saved). Each step from one corner to the next is a move; done in the order of time saved per squared
 * error they are the best there is at every total, if sums were all. The longest row of moves from the start on whose
 * measured error is within the tolerance is found by halving; then moves behind it are tried one by one.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "separate/separation.h"

#define NOISE 0.97      /* of the time as it is: what is not below is no gain */
#define LATE_TRIES 8    /* moves behind the first that did not fit */
#define LATE_SHARE 0.01 /* of the network's time that such a move has to save */
#define MOST_PROBES 64  /* layers whose k is measured */

typedef struct move {
    int    site, to;    /* offer */
    double saved, cost; /* more than the move before of this site */
} move;

typedef struct chooser {
    separation *s;
    double     *k; /* by site */
    move       *moves;
    int         n, cap;
    int        *pick, *best;
    double      limit;
} chooser;

/* ------------------------------------------------------------------ what a offer is worth */

static double saved_by(const offer *c)
{
    return c->seconds > 0 && !c->hopeless && c->seconds < NOISE * c->as_is ? c->as_is - c->seconds : 0;
}

/* Exact forms cost nothing. */
static double cost_of(const chooser *h, int site, const offer *c)
{
    const double e = h->k[site] * c->e.measured;
    return offer_is_exact(c) ? 0 : e * e;
}

static bool is_allowed(const separation *s, const offer *c)
{
    return saved_by(c) > 0 && (offer_is_exact(c) || separation_approximates(s));
}

/* The next corner of the hull from (cost, saved) on; -1: there is none. */
static int next_corner(const chooser *h, int site, double cost, double saved)
{
    const struct site *t = &h->s->sites[site];
    int                best = -1;
    double             steepest = 0;
    for (int i = 0; i < t->n_list; i++) {
        const double more = saved_by(&t->list[i]) - saved, dearer = fmax(cost_of(h, site, &t->list[i]) - cost, 1e-16);
        if (is_allowed(h->s, &t->list[i]) && more > 0 && more / dearer > steepest) {
            steepest = more / dearer;
            best = i;
        }
    }
    return best;
}

static status add_moves(chooser *h, int site)
{
    double cost = 0, saved = 0;
    for (int i; (i = next_corner(h, site, cost, saved)) >= 0;) {
        const offer *c = &h->s->sites[site].list[i];
        const double c_cost = fmax(cost_of(h, site, c), cost + 1e-16), c_saved = saved_by(c);
        move        *grown = arena_grow(&h->s->memory, h->moves, &h->cap, h->n + 1, sizeof *grown);
        if (!grown)
            return SEPCL_OUT_OF_MEMORY;
        h->moves = grown;
        grown[h->n++] = (move){site, i, c_saved - saved, c_cost - cost};
        cost = c_cost;
        saved = c_saved;
    }
    return SEPCL_OK;
}

static int steepest_first(const void *a, const void *b)
{
    const move  *x = a, *y = b;
    const double s = x->saved * y->cost, t = y->saved * x->cost;
    return s != t ? (s < t ? 1 : -1) : x->site - y->site;
}

/* ------------------------------------------------------------------ networks */

static bool takes_other(const separation *s, const int *pick, int site, int to)
{
    const struct site *t = &s->sites[site];
    if (t->list[to].r.n_old == 2)
        return pick[t->before] >= 0;
    for (int i = 0; i < s->n_sites; i++) /* is it part of a folded one? */
        if (s->sites[i].before == site && pick[i] >= 0 && s->sites[i].list[pick[i]].r.n_old == 2)
            return true;
    return false;
}

static void do_moves(const chooser *h, int n, int *pick)
{
    for (int i = 0; i < h->s->n_sites; i++)
        pick[i] = -1;
    for (int i = 0; i < n; i++)
        if (!takes_other(h->s, pick, h->moves[i].site, h->moves[i].to))
            pick[h->moves[i].site] = h->moves[i].to;
}

static status error_of(const separation *s, const int *pick, answer_error *out)
{
    trial  *t;
    answers got;
    TRY(separation_network(s, pick, &t));
    const status st = answers_of(t, &s->samples, &got);
    if (st == SEPCL_OK) {
        *out = answers_compare(&got, &s->want, trial_graph(t));
        answers_free(&got);
    }
    trial_destroy(t);
    return st;
}

static status fits(const chooser *h, const int *pick, bool *yes)
{
    answer_error e;
    TRY(error_of(h->s, pick, &e));
    *yes = e.largest <= h->limit;
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ how errors travel */

/* The offer of middle error that would save time; -1. */
static int probe_of(const separation *s, const site *t)
{
    int n = 0, list[MOST_OFFERS];
    for (int i = 0; i < t->n_list; i++)
        if (is_allowed(s, &t->list[i]) && !offer_is_exact(&t->list[i]))
            list[n++] = i;
    return n ? list[n / 2] : -1;
}

static status probe_all(chooser *h)
{
    separation *s = h->s;
    int         probed = 0;
    for (int i = 0; i < s->n_sites; i++)
        h->k[i] = 1;
    for (int i = 0; i < s->n_sites && probed < MOST_PROBES; i++) {
        const int    to = probe_of(s, &s->sites[i]);
        answer_error e;
        if (to < 0)
            continue;
        TRY(separation_say(s, 0.8 + 0.08 * i / s->n_sites, "errors at the outputs", s->sites[i].name));
        for (int k = 0; k < s->n_sites; k++)
            h->pick[k] = k == i ? to : -1;
        TRY(error_of(s, h->pick, &e));
        h->k[i] = fmax(1e-3, e.largest / fmax(s->sites[i].list[to].e.measured, 1e-12));
        probed++;
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ within a tolerance */

static status try_late_moves(chooser *h, int from)
{
    bool yes;
    int  tries = 0;
    for (int i = from; i < h->n && tries < LATE_TRIES; i++) {
        const move *m = &h->moves[i];
        const int   was = h->best[m->site];
        if (takes_other(h->s, h->best, m->site, m->to) || m->saved < LATE_SHARE * h->s->seconds[0])
            continue;
        h->best[m->site] = m->to;
        tries++;
        TRY(fits(h, h->best, &yes));
        if (!yes)
            h->best[m->site] = was;
    }
    return SEPCL_OK;
}

/* most: of the moves. *done: how many of them were done in a row. */
static status longest_row(chooser *h, int most, int *done)
{
    int  low = 0, high = most;
    bool yes = true;
    for (int n = most; low < high; n = (low + high + 1) / 2) {
        TRY(separation_say(h->s, 0.88 + 0.07 * (double)(most - (high - low)) / most, "choosing", NULL));
        do_moves(h, n, h->pick);
        TRY(fits(h, h->pick, &yes));
        if (yes)
            low = n;
        else
            high = n - 1;
    }
    do_moves(h, low, h->best);
    *done = low;
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ towards a speed */

static status time_network(separation *s, const int *pick, double seconds[2])
{
    trial *t;
    TRY(separation_network(s, pick, &t));
    status st = network_write(t, &s->samples, 0);
    if (st == SEPCL_OK)
        st = trial_race(s->original, t, 0, &seconds[0], &seconds[1]);
    trial_destroy(t);
    return st;
}

static double expected_saving(const chooser *h, int n)
{
    double sum = 0;
    for (int i = 0; i < n; i++)
        sum += h->moves[i].saved;
    return sum;
}

/* 0: the times made no sense. */
static double times_faster(const double seconds[2])
{
    return seconds[0] > 0 && seconds[1] > 0 ? seconds[0] / seconds[1] : 0;
}

/* Says why forms that some network was timed with are not taken. */
static void explain_tried(const chooser *h, const int *tried)
{
    for (int i = 0; i < h->s->n_sites; i++)
        if (tried[i] >= 0 && h->best[i] < 0)
            h->s->sites[i].why = "left: another form is faster by itself, but the network is not";
}

/* The first network that is fast enough, of at most `most` moves; else the fastest that was timed. The network as it is
   is once as fast, which no measurement could tell better. */
static status moves_for_target(chooser *h, int most)
{
    separation *s = h->s;
    double      fastest = 1;
    int         n = 1;
    do_moves(h, 0, h->best);
    s->seconds[1] = s->seconds[0];
    while (n < most && s->seconds[0] < s->target * (s->seconds[0] - expected_saving(h, n)))
        n++;
    for (; n <= most && fastest < s->target; n++) {
        double seconds[2] = {0, 0};
        TRY(separation_say(s, 0.95, "timing the network", NULL));
        do_moves(h, n, h->pick);
        TRY(time_network(s, h->pick, seconds));
        if (times_faster(seconds) <= fastest)
            continue;
        fastest = times_faster(seconds);
        memcpy(s->seconds, seconds, sizeof seconds);
        memcpy(h->best, h->pick, (size_t)s->n_sites * sizeof *h->best);
    }
    s->target_met = fastest >= s->target;
    if (!s->target_met && most > 0)
        explain_tried(h, h->pick);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ all of it */

/* As fast as it gets: what was chosen is kept if the network is faster with it. */
static status keep_if_faster(chooser *h)
{
    separation *s = h->s;
    bool        some = false;
    for (int i = 0; i < s->n_sites; i++)
        some |= h->best[i] >= 0;
    s->seconds[1] = s->seconds[0];
    s->target_met = true; /* none was asked for */
    if (!some)
        return SEPCL_OK;
    TRY(separation_say(s, 0.97, "timing the network", NULL));
    TRY(time_network(s, h->best, s->seconds));
    if (times_faster(s->seconds) > 1)
        return SEPCL_OK;
    memcpy(h->pick, h->best, (size_t)s->n_sites * sizeof *h->pick);
    do_moves(h, 0, h->best);
    explain_tried(h, h->pick);
    s->seconds[1] = s->seconds[0];
    return SEPCL_OK;
}

static status settle(chooser *h)
{
    separation *s = h->s;
    for (int i = 0; i < s->n_sites; i++) {
        s->sites[i].chosen = h->best[i];
        if (h->best[i] >= 0 && s->sites[i].list[h->best[i]].r.n_old == 2)
            s->sites[s->sites[i].before].absorbed = true;
    }
    return error_of(s, h->best, &s->error);
}

static status choose(chooser *h)
{
    separation *s = h->s;
    int         done = 0;
    h->limit = s->tolerance > 0 ? s->tolerance : s->target > 0 ? INFINITY : OUTPUT_ROUNDING;
    TRY(probe_all(h));
    for (int i = 0; i < s->n_sites; i++)
        TRY(add_moves(h, i));
    if (h->n)
        qsort(h->moves, (size_t)h->n, sizeof *h->moves, steepest_first);
    TRY(longest_row(h, h->n, &done));
    if (s->target > 0) {
        TRY(moves_for_target(h, done));
    } else {
        TRY(try_late_moves(h, done));
        TRY(keep_if_faster(h));
    }
    return settle(h);
}

status separation_choose(separation *s)
{
    const size_t n = (size_t)s->n_sites;
    chooser      h = {.s = s};
    h.k = arena_array(&s->memory, n, sizeof *h.k);
    h.pick = arena_array(&s->memory, n, sizeof *h.pick);
    h.best = arena_array(&s->memory, n, sizeof *h.best);
    if (!h.k || !h.pick || !h.best)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < s->n_sites; i++)
        h.best[i] = -1;
    TRY(trial_race(s->original, NULL, 0, &s->seconds[0], NULL));
    return choose(&h);
}
