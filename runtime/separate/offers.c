/* SPDX-License-Identifier: Apache-2.0 */
/* The forms that one convolution may take: singular values, ranks worth a try, errors, times. */
#include <math.h>
#include <stdlib.h>

#include "base/size.h"
#include "separate/separation.h"

/* Ranks to try where nothing has to be exact, as shares of the multiplications. */
static const double shares[] = {0.125, 0.25, 0.375, 0.5, 0.7};
#define RANK_STEP 8 /* channels that vectors are full with */
/* Errors of a layer that are not worth timing: so many times what the outputs may have, and any above the most. */
#define LAYER_WITHIN 30.0
#define LAYER_MOST 0.7
/* Cycles that the plan predicts, over those of the layer as it is, from which on a form that saves no multiplications
   is not timed. */
#define CLEARLY_SLOWER 3.0

/* ------------------------------------------------------------------ offers */

bool offer_is_exact(const offer *c)
{
    return c->weight_error <= SPECTRUM_EXACT;
}

static void cost_of(const site *t, offer *c)
{
    nhwc in = t->in;
    for (int i = 0; i < c->r.n_parts; i++) {
        uint64_t multiplications, bytes;
        conv_part_cost(&c->r.parts[i], in, &multiplications, &bytes);
        c->multiplications += multiplications;
        c->bytes += bytes;
        in = conv_part_out(&c->r.parts[i], in);
    }
}

/* Errors of a offer against the layer's weights, by themselves and on what comes in. */
static status errors_of(const site *t, const conv_part *own, offer *c)
{
    double *e = residual_of(own, c->r.parts, c->r.n_parts), norm = 0;
    if (!e)
        return SEPCL_OUT_OF_MEMORY;
    c->weight_error = relative_frobenius(own, e);
    const status st = patch_norm(own, e, &norm);
    c->gain = norm * sqrt((double)most_patches(&own->a));
    c->e = measure_patches(&t->samples, own, e, norm);
    free(e);
    return st;
}

static status add_rank(site *t, const conv_part *own, const spectrum *sp, int rank)
{
    if (t->n_list == MOST_OFFERS)
        return SEPCL_OK;
    offer *c = &t->list[t->n_list];
    *c = (offer){.r = {.form = unfolding_form(own, sp->kind), .rank = rank, .n_old = 1, .n_parts = 2}, .note = ""};
    TRY(spectrum_factor(sp, own, rank, t->stored, c->r.parts));
    t->n_list++; /* from here on the list frees it */
    cost_of(t, c);
    return errors_of(t, own, c);
}

static bool has_rank(const site *t, sepcl_form form, int rank)
{
    for (int i = 0; i < t->n_list; i++)
        if (t->list[i].r.form == form && t->list[i].r.rank == rank)
            return true;
    return false;
}

/* Full vectors of channels where there are many. */
static int rounded_rank(unfolding kind, int rank)
{
    return kind == UNFOLD_SPATIAL && rank > RANK_STEP ? rank / RANK_STEP * RANK_STEP : rank;
}

static status add_ranks(const separation *s, site *t, const conv_part *own, const spectrum *sp)
{
    const int most = separated_rank(own, sp->kind, t->in, 1);
    if (sp->rank > 0 && sp->rank <= most)
        TRY(add_rank(t, own, sp, sp->rank));
    for (size_t i = 0; separation_approximates(s) && i < sizeof shares / sizeof *shares; i++) {
        int rank = separated_rank(own, sp->kind, t->in, shares[i]);
        rank = rounded_rank(sp->kind, rank > 0 || most != 1 ? rank : 1);
        if (rank > 0 && (sp->rank == 0 || rank < sp->rank) && !has_rank(t, unfolding_form(own, sp->kind), rank))
            TRY(add_rank(t, own, sp, rank));
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ spectra */

static status keep_spectrum(separation *s, site *t, const conv_part *own, const spectrum *sp)
{
    layer_spectrum *l = &t->spectra[t->n_spectra++];
    *l = (layer_spectrum){unfolding_form(own, sp->kind), sp->kind, NULL, sp->n, sp->rank};
    l->values = arena_array(&s->memory, (size_t)sp->n, sizeof *l->values);
    if (!l->values)
        return SEPCL_OUT_OF_MEMORY;
    memcpy(l->values, sp->s, (size_t)sp->n * sizeof *l->values);
    return SEPCL_OK;
}

static status analyse_unfolding(separation *s, site *t, const conv_part *own, unfolding kind)
{
    spectrum sp;
    if (!spectrum_applies(own, kind))
        return SEPCL_OK;
    TRY(spectrum_make(own, kind, !t->why_not, &sp));
    status st = keep_spectrum(s, t, own, &sp);
    if (st == SEPCL_OK && sp.norm > 0 && !t->why_not)
        st = add_ranks(s, t, own, &sp);
    spectrum_free(&sp);
    return st;
}

/* Folded, the only error is that of rounding the joint weights to the file's type. */
static status add_fold(separation *s, site *t)
{
    double *e = NULL, norm = 0;
    if (t->before < 0 || t->why_not || s->sites[t->before].why_not || t->n_list == MOST_OFFERS)
        return SEPCL_OK;
    const site *first = &s->sites[t->before];
    offer      *c = &t->list[t->n_list];
    *c = (offer){.note = ""};
    TRY(fold_make(s->read, first->read, t->read, t->stored, &c->r, &e));
    t->n_list++; /* from here on the list frees it */
    const conv_part *joint = &c->r.parts[0];
    conv_part_cost(joint, first->in, &c->multiplications, &c->bytes);
    for (int64_t i = 0; i < conv_part_count(joint); i++)
        e[i] -= (double)joint->w[i];
    c->weight_error = relative_frobenius(joint, e);
    const status st = patch_norm(joint, e, &norm);
    c->gain = norm * sqrt((double)most_patches(&joint->a));
    c->e = measure_patches(&t->fold_samples, joint, e, norm);
    free(e);
    return st;
}

status site_analyse(separation *s, site *t)
{
    const node_view v = {s->read, s->read->nodes[t->read]};
    conv_part       own;
    TRY(conv_part_of(&v, &own));
    status st = SEPCL_OK;
    if (!weights_are_finite(&own)) {
        t->why_not = "its weights hold NaN or infinity";
    } else {
        st = analyse_unfolding(s, t, &own, UNFOLD_SPATIAL);
        if (st == SEPCL_OK)
            st = analyse_unfolding(s, t, &own, UNFOLD_DEPTHWISE);
        if (st == SEPCL_OK)
            st = add_fold(s, t);
    }
    conv_part_free(&own);
    return st == SEPCL_OK ? st : fail_in(st, "layer '%s' (conv)", t->name);
}

/* ------------------------------------------------------------------ times */

static bool worth_timing(separation *s, offer *c)
{
    const double most = s->tolerance > 0 ? fmin(LAYER_MOST, LAYER_WITHIN * s->tolerance) : LAYER_MOST;
    if (offer_is_exact(c) || (separation_approximates(s) && c->e.measured <= most))
        return true;
    c->hopeless = true;
    c->note = separation_approximates(s) ? separation_text(s, "its error of %.2g is too large", c->e.measured)
                                         : "its weights are not exact";
    return false;
}

static status race(separation *s, const cut *piece, trial *as_is, offer *c)
{
    trial *t;
    double difference = INFINITY;
    TRY(cut_open(&s->bench, piece, &c->r, &t));
    if (!offer_is_exact(c) && network_predicted(t) > CLEARLY_SLOWER * network_predicted(as_is)) {
        c->hopeless = true;
        c->note = "it is predicted to be far slower";
        trial_destroy(t);
        return SEPCL_OK;
    }
    status st = trials_differ(as_is, t, &difference);
    if (st == SEPCL_OK && offer_is_exact(c) && !(difference <= OUTPUT_ROUNDING)) {
        c->hopeless = true;
        c->note = separation_text(s, "its output differs by %.2g on random input", difference);
    } else if (st == SEPCL_OK) {
        st = trial_race(as_is, t, 0, &c->as_is, &c->seconds);
    }
    trial_destroy(t);
    return st;
}

static status time_folded(separation *s, const site *t, offer *c, bool folded)
{
    cut    piece;
    trial *as_is = NULL;
    TRY(cut_create(s->passed, t->passed, folded ? 2 : 1, &piece));
    status st = cut_open(&s->bench, &piece, NULL, &as_is);
    for (offer *one = c; st == SEPCL_OK && one < t->list + t->n_list; one++)
        if ((one->r.n_old == 2) == folded && !one->hopeless)
            st = race(s, &piece, as_is, one);
    trial_destroy(as_is);
    cut_destroy(&piece);
    return st;
}

status site_time(separation *s, site *t)
{
    bool some[2] = {false, false};
    for (int i = 0; i < t->n_list; i++)
        some[t->list[i].r.n_old == 2] |= worth_timing(s, &t->list[i]);
    status st = SEPCL_OK;
    for (int folded = 0; folded < 2 && st == SEPCL_OK; folded++)
        if (some[folded])
            st = time_folded(s, t, t->list, folded);
    return st == SEPCL_OK ? st : fail_in(st, "layer '%s' (conv)", t->name);
}
