/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring one piece: its candidates one after the other against the fastest so far, so that both are timed in turns
   and a change of the machine's speed meets both. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "api_tune.h"
#include "base/size.h"

#define GUARD 256
/* A time below this share of what the device's peak allows is no time. Winograd's product has a quarter of the counted
   multiplications, caches are faster than the memory that the bandwidth is of, and both figures may be guesses. */
#define PLAUSIBLE 0.05
/* Fewer different programs make a first start faster: what no other piece uses has to be this much faster than what one
   does. Among equals it has to be more than noise. */
#define ANOTHER_PROGRAM 1.03
#define NOISE 1.02
/* From here on an answer is none, as a share of the largest number. */
#define GARBAGE 1e-2
#define GARBAGE_HALF 1e-1
#define KEEP_BYTES ((int64_t)8 << 20) /* of a subject's tensors, so that it is kept from survey to choice */

static const op_def *target_op(const piece *p)
{
    return op_get(p->op != OP_NONE ? p->op : p->nodes[0]->op);
}

static double tolerance_of(const tuner *t, const piece *p)
{
    double most = target_op(p)->tolerance;
    for (int i = 0; i < p->n; i++)
        most = fmax(most, op_get(p->nodes[i]->op)->tolerance);
    if (t->d->precision == SEPCL_F16)
        return 1e-2;
    return 10 * (most > 0 ? most : 1e-5);
}

/* ------------------------------------------------------------------ graphs and trials */

/* A clone of the subject's graph with pieces fused as a split says. */
static status variant_of(const subject *s, const form_piece *pieces, int n, graph **out)
{
    TRY(graph_clone(subject_graph(s), out));
    status st = SEPCL_OK;
    for (int i = 0; i < n && st == SEPCL_OK; i++) {
        int index[FORM_PARTS];
        for (int k = 0; k < pieces[i].parts; k++)
            index[k] = pieces[i].first + k;
        if (pieces[i].op != OP_NONE)
            st = plan_fuse(*out, index, pieces[i].parts, pieces[i].op);
    }
    if (st == SEPCL_OK) {
        graph_compact(*out);
        return SEPCL_OK;
    }
    graph_destroy(*out);
    *out = NULL;
    return st;
}

static status piece_variant(const piece *p, graph **out)
{
    const form_piece all = {p->op, 0, p->n};
    return variant_of(p->s, &all, p->op != OP_NONE, out);
}

static status try_candidate(const tuner *t, const piece *p, const candidate *k, trial **out)
{
    graph       *g;
    plan        *pl;
    plan_options o = {.quiet = true, .guard = GUARD, .force_row = k->index, .bans = t->db};
    o.force_op = p->op != OP_NONE ? p->op : p->nodes[0]->op;
    memcpy(o.force_p, k->p, sizeof o.force_p);
    *out = NULL;
    TRY(piece_variant(p, &g));
    const status st = plan_create(g, t->c, &o, &pl);
    if (st != SEPCL_OK) {
        graph_destroy(g);
        return st;
    }
    return trial_create(t->env, p->s, g, pl, tolerance_of(t, p), out);
}

/* The subject, and the list of what to try. */
static status open_piece(const tuner *t, piece *p)
{
    graph *g;
    if (!p->s)
        TRY(subject_create(t->g, p->nodes, p->n, &p->s));
    if (p->n_list)
        return SEPCL_OK;
    TRY(piece_variant(p, &g));
    const plan_options o = {.bans = t->db};
    const status       st =
        plan_candidates(&(node_view){g, g->nodes[g->n_nodes - 1]}, t->c, &o, p->list, TUNE_CANDIDATES, &p->n_list);
    graph_destroy(g);
    return st;
}

void piece_forget(piece *p)
{
    subject_destroy(p->s);
    p->s = NULL;
}

static void forget_if_large(piece *p)
{
    const graph *g = subject_graph(p->s);
    int64_t      bytes = 0;
    for (int i = 0; i < g->n_values; i++)
        bytes += g->values[i].data ? 0 : 4 * shape_count(&g->values[i].shape);
    if (bytes > KEEP_BYTES)
        piece_forget(p);
}

/* ------------------------------------------------------------------ who wins */

static bool is_in_use(const tuner *t, const piece *self, const candidate *k)
{
    for (int i = 0; i < t->n_pieces; i++) {
        const piece     *p = &t->pieces[i];
        const candidate *c = p->best >= 0 ? &p->tried[p->best].c : NULL;
        if (p != self && p->wanted && c && c->row == k->row && !memcmp(c->p, k->p, sizeof k->p))
            return true;
    }
    return false;
}

static bool beats(const tuner *t, const piece *p, const attempt *a, const attempt *king)
{
    const bool   used = is_in_use(t, p, &a->c), king_used = is_in_use(t, p, &king->c);
    const double handicap = used == king_used ? NOISE : used ? 1 : ANOTHER_PROGRAM;
    return a->seconds * handicap < king->seconds;
}

/* Times a new trial against the king (NULL: there is none); *king is the winner afterwards, the other is gone. */
static status duel(tuner *t, piece *p, trial **king, trial *new_one, attempt *a)
{
    const double least = PLAUSIBLE * p->floor;
    status       st;
    a->error = trial_error(new_one);
    if (*king)
        st = trial_race(*king, new_one, least, &p->tried[p->best].seconds, &a->seconds);
    else
        st = trial_race(new_one, NULL, least, &a->seconds, NULL);
    const bool won = st == SEPCL_OK && a->seconds > 0 && (!*king || beats(t, p, a, &p->tried[p->best]));
    if (won) {
        trial_destroy(*king);
        *king = new_one;
        p->best = (int)(a - p->tried);
    } else {
        trial_destroy(new_one);
    }
    return st;
}

/* The king of an earlier call, built anew. */
static status crown(tuner *t, piece *p, trial **king)
{
    if (p->best < 0)
        return SEPCL_OK;
    const status st = try_candidate(t, p, &p->tried[p->best].c, king);
    if (st != SEPCL_OK)
        p->best = -1; /* it did run before: the next candidates decide */
    return SEPCL_OK;
}

/* An answer that is no answer, rather than one that is not close enough in this layer: its kernel is not to be used on
   this device at all. */
static status ban_garbage(tuner *t, const piece *p, const candidate *k)
{
    const double error = subject_error(p->s);
    const bool   half = t->d->precision == SEPCL_F16;
    char         reason[300];
    if (error <= (half ? GARBAGE_HALF : GARBAGE))
        return SEPCL_OK;
    snprintf(reason, sizeof reason, "%s", error_sentence());
    return api_ban(
        t->db,
        &(tune_ban_desc){.op = target_op(p), .row = k->row, .p = k->p, .half = half, .error = error, .reason = reason});
}

/* After an attempt that failed with st: the king cannot outlive its context. */
static status revive(tuner *t, piece *p, status st, trial **king)
{
    if (!tuner_lost(t, st))
        return SEPCL_OK;
    trial_destroy(*king);
    *king = NULL;
    TRY(tuner_reopen(t));
    return crown(t, p, king);
}

/* One candidate, whatever becomes of it; only memory or a device that does not come back ends the tuning. */
static status attempt_one(tuner *t, piece *p, const candidate *k, trial **king)
{
    char     text[TUNE_CHOICE];
    trial   *new_one;
    attempt *a = &p->tried[p->n_tried++];
    *a = (attempt){.c = *k};
    row_text(target_op(p), k->row, k->p, text);
    tuner_say(t, p->nodes[0]->name, text);
    status st = try_candidate(t, p, k, &new_one);
    if (st == SEPCL_OK)
        st = duel(t, p, king, new_one, a);
    if (st == SEPCL_OK && a->seconds > 0)
        return SEPCL_OK;
    p->wrong++;
    a->seconds = 0;
    log_info("tuning: '%s' with %s is left out: %s", p->nodes[0]->name, text,
             st == SEPCL_OK ? "its times make no sense" : error_sentence());
    if (st == SEPCL_OUT_OF_MEMORY)
        return st;
    if (st == SEPCL_MISMATCH)
        TRY(ban_garbage(t, p, k));
    return revive(t, p, st, king);
}

/* The king has met each challenger at another time. What counts is whether it beats what would be taken without it. */
static status confirm(tuner *t, piece *p, trial *king)
{
    trial *own;
    double seconds[2];
    if (!king || p->best <= 0 || !(p->tried[0].seconds > 0))
        return SEPCL_OK;
    attempt *a = &p->tried[p->best];
    status   st = try_candidate(t, p, &p->tried[0].c, &own);
    if (st != SEPCL_OK)
        return st; /* it ran before; then it is worth nothing now */
    st = trial_race(own, king, PLAUSIBLE * p->floor, &seconds[0], &seconds[1]);
    trial_destroy(own);
    if (st == SEPCL_OK && seconds[0] > 0 && seconds[1] > 0) {
        p->tried[0].seconds = seconds[0];
        a->seconds = seconds[1];
        p->best = beats(t, p, a, &p->tried[0]) ? p->best : 0;
    }
    return st;
}

static void sum_up(tuner *t, piece *p)
{
    p->failed = p->best < 0;
    p->seconds = p->failed ? 0 : p->tried[p->best].seconds;
    p->error = p->failed ? 0 : p->tried[p->best].error;
    t->failed_in_a_row = p->failed ? t->failed_in_a_row + 1 : 0;
}

status piece_measure(tuner *t, piece *p, int most, double deadline)
{
    trial *king = NULL;
    status st = open_piece(t, p);
    if (st == SEPCL_OK && p->n_tried < p->n_list)
        st = crown(t, p, &king);
    for (int i = p->n_tried; i < p->n_list && (i < most || !king) && st == SEPCL_OK && !t->stop; i++) {
        if (king && tuner_seconds(t) > deadline)
            break;
        st = attempt_one(t, p, &p->list[i], &king);
    }
    status confirmed = st == SEPCL_OK && !t->stop ? confirm(t, p, king) : SEPCL_OK;
    trial_destroy(king);
    if (tuner_lost(t, confirmed))
        st = tuner_reopen(t);
    else if (confirmed == SEPCL_OUT_OF_MEMORY)
        st = confirmed;
    if (p->s)
        forget_if_large(p);
    if (st == SEPCL_OK && p->n_tried)
        sum_up(t, p);
    return st;
}

/* ------------------------------------------------------------------ what is kept */

static void put_loser(strbuf *b, const op_def *op, const attempt *a)
{
    char text[TUNE_CHOICE];
    if (a->seconds > 0 && row_text(op, a->c.row, a->c.p, text))
        strbuf_put(b, "%s%s: %lld", b->length ? "; " : "", text, (long long)llround(a->seconds * 1e9));
}

status piece_record(tuner *t, piece *p)
{
    char           text[TUNE_CHOICE], losers[2048];
    strbuf         b = strbuf_on(losers, sizeof losers);
    const attempt *a = &p->tried[p->best];
    for (int i = 0; i < p->n_tried; i++)
        if (i != p->best)
            put_loser(&b, target_op(p), &p->tried[i]);
    if (!row_text(target_op(p), a->c.row, a->c.p, text))
        return SEPCL_OK;
    return tune_set(t->db, &(tune_entry){TUNE_ROW, p->key, text, llround(a->seconds * 1e9) + (a->seconds < 1e-9),
                                         a->error, losers});
}

/* ------------------------------------------------------------------ whole splits */

static status try_split(const tuner *t, subject *s, const form_split *f, double tolerance, trial **out)
{
    graph             *g;
    plan              *pl;
    const plan_options o = {.quiet = true, .guard = GUARD, .tuning = t->db, .bans = t->db};
    *out = NULL;
    TRY(variant_of(s, f->pieces, f->n, &g));
    const status st = plan_create(g, t->c, &o, &pl);
    if (st != SEPCL_OK) {
        graph_destroy(g);
        return st;
    }
    return trial_create(t->env, s, g, pl, tolerance, out);
}

status window_race(tuner *t, const window *w, int a, int b, double seconds[2], double *error)
{
    subject *s;
    trial   *one = NULL, *other = NULL;
    node    *nodes[FORM_PARTS];
    double   tolerance = 0, least = 0;
    for (int k = 0; k < w->n; k++)
        nodes[k] = t->g->nodes[w->index[k]];
    for (int k = 0; k < 2; k++) {
        const int split = k ? b : a;
        for (int i = 0; i < w->splits[split].n; i++) {
            const piece *p = &t->pieces[w->pieces[split][i]];
            tolerance = fmax(tolerance, tolerance_of(t, p));
            least = fmax(least, PLAUSIBLE * p->floor);
        }
    }
    TRY(subject_create(t->g, nodes, w->n, &s));
    status st = try_split(t, s, &w->splits[a], tolerance, &one);
    if (st == SEPCL_OK)
        st = try_split(t, s, &w->splits[b], tolerance, &other);
    if (st == SEPCL_OK)
        st = trial_race(one, other, least, &seconds[0], &seconds[1]);
    if (st == SEPCL_OK)
        *error = fmax(trial_error(one), trial_error(other));
    trial_destroy(one);
    trial_destroy(other);
    subject_destroy(s);
    return st;
}
