/* SPDX-License-Identifier: Apache-2.0 */
/* What there is to measure in a model: the pieces that its layers can be run in, each once, and the windows in which
   splits into pieces compete. */
#include <math.h>
#include <string.h>

#include "api_tune.h"

/* A piece in a split whose prediction is farther than this from the best one's is not measured. */
#define SPLITS_WITHIN 2.5
/* A split whose first measurement is farther than this from the best one's will not win by other kernels. */
#define WANTED_WITHIN 1.3
/* Nor will the planner choose what is farther than this from the best. */
#define LIKELY_WITHIN 1.15

/* ------------------------------------------------------------------ pieces */

static double floor_of(const tuner *t, node *const *nodes, int n)
{
    double multiplications = 0, bytes = 0;
    for (int i = 0; i < n; i++) {
        const node_view v = {t->g, nodes[i]};
        const op_def   *op = op_get(nodes[i]->op);
        op_count        count = {0};
        if (op->count)
            op->count(&v, &count);
        multiplications += (double)count.multiplications;
        bytes += (double)count.bytes;
    }
    const double gflops = t->c->fma_gflops > 0 ? t->c->fma_gflops : 50;
    const double gbs = t->c->bandwidth_gbs > 0 ? t->c->bandwidth_gbs : 20;
    return fmax(2e-9 * multiplications / gflops, 1e-9 * bytes / gbs) + 1e-6;
}

static bool key_text(const tuner *t, op_kind op, node *const *nodes, int n, char key[TUNE_KEY])
{
    strbuf b = strbuf_on(key, TUNE_KEY);
    if (op != OP_NONE)
        strbuf_put(&b, "%s: ", op_name(op));
    chain_key(t->g, nodes, n, &b);
    return !b.cut;
}

/* An entry from before, if it still names a row of the op with legal parameters. */
static void take_entry(const tuner *t, piece *p)
{
    const kernel_def *row;
    int               parameters[PARAM_MAX];
    const tune_entry *e = t->d->again ? NULL : tune_find(t->db, TUNE_ROW, p->key);
    if (!e || !row_of_text(op_get(p->op ? p->op : p->nodes[0]->op), e->choice, &row, parameters))
        return;
    p->kept = true;
    p->seconds = (double)e->ns * 1e-9;
    p->error = e->error;
    p->best = 0;
    p->n_tried = 1;
    p->tried[0] = (attempt){.c = {.row = row}, .seconds = p->seconds, .error = p->error};
    memcpy(p->tried[0].c.p, parameters, sizeof parameters);
}

/* The piece of these nodes, new or known; -1 when memory is out, -2 when its key is too long. */
static int piece_of(tuner *t, op_kind op, node *const *nodes, int n)
{
    char key[TUNE_KEY];
    if (!key_text(t, op, nodes, n, key))
        return -2;
    for (int i = 0; i < t->n_pieces; i++)
        if (!strcmp(t->pieces[i].key, key))
            return i;
    char  *copy = arena_strdup(&t->memory, key);
    piece *grown = copy ? arena_grow(&t->memory, t->pieces, &t->cap_pieces, t->n_pieces + 1, sizeof *grown) : NULL;
    if (!grown)
        return -1;
    t->pieces = grown;
    piece *p = &grown[t->n_pieces];
    *p = (piece){.key = copy, .op = op, .n = n, .best = -1, .floor = floor_of(t, nodes, n)};
    memcpy(p->nodes, nodes, (size_t)n * sizeof *nodes);
    take_entry(t, p);
    return t->n_pieces++;
}

/* The piece of one node of the graph, which may be fused already. */
static int piece_of_node(tuner *t, int i)
{
    node *n = t->g->nodes[i];
    return n->n_sub ? piece_of(t, n->op, n->sub, n->n_sub) : piece_of(t, OP_NONE, &n, 1);
}

/* ------------------------------------------------------------------ windows */

static status split_pieces(tuner *t, window *w, int split)
{
    for (int k = 0; k < w->splits[split].n; k++) {
        const form_piece *f = &w->splits[split].pieces[k];
        node             *nodes[FORM_PARTS];
        for (int i = 0; i < f->parts; i++)
            nodes[i] = t->g->nodes[w->index[f->first + i]];
        w->pieces[split][k] = piece_of(t, f->op, nodes, f->parts);
        if (w->pieces[split][k] == -1)
            return SEPCL_OUT_OF_MEMORY;
    }
    return SEPCL_OK;
}

/* Drops the splits that are not worth measuring; makes the pieces of the others. */
static status fill_window(tuner *t, window *w)
{
    int best = 0, kept = 0;
    w->n_splits = plan_splits(t->g, w->index, w->n, t->c, &(plan_options){.bans = t->db}, w->splits);
    for (int i = 1; i < w->n_splits; i++)
        best = w->splits[i].predicted < w->splits[best].predicted ? i : best;
    for (int i = 0; i < w->n_splits; i++) {
        if (w->splits[i].predicted > SPLITS_WITHIN * w->splits[best].predicted)
            continue;
        w->own = i == best ? kept : w->own;
        w->splits[kept] = w->splits[i];
        TRY(split_pieces(t, w, kept));
        bool whole = true;
        for (int k = 0; k < w->splits[kept].n; k++)
            whole &= w->pieces[kept][k] >= 0;
        if (!whole && i == best) { /* not a window that can be decided */
            kept = 0;
            break;
        }
        kept += whole;
    }
    w->n_splits = kept;
    return SEPCL_OK;
}

/* The ops that run the layers: "conv, separable". */
void split_text(const tuner *t, const window *w, int split, char text[TUNE_CHOICE])
{
    strbuf b = strbuf_on(text, TUNE_CHOICE);
    for (int k = 0; k < w->splits[split].n; k++) {
        const form_piece *f = &w->splits[split].pieces[k];
        const op_kind     op = f->op != OP_NONE ? f->op : t->g->nodes[w->index[f->first]]->op;
        strbuf_put(&b, "%s%s", k ? ", " : "", op_name(op));
    }
}

static void take_form(const tuner *t, window *w)
{
    char              text[TUNE_CHOICE];
    const tune_entry *e = t->d->again ? NULL : tune_find(t->db, TUNE_FORM, w->key);
    for (int s = 0; e && s < w->n_splits; s++) {
        split_text(t, w, s, text);
        w->winner = strcmp(text, e->choice) ? w->winner : s;
    }
}

static status add_window(tuner *t, int at)
{
    window w = {.layers = 1, .winner = -1};
    char   key[TUNE_KEY];
    node  *nodes[FORM_PARTS];
    w.n = plan_chain(t->g, at, w.index);
    for (int k = 0; k < w.n; k++)
        nodes[k] = t->g->nodes[w.index[k]];
    t->window_of[at] = -1;
    if (!w.n || !key_text(t, OP_NONE, nodes, w.n, key))
        return SEPCL_OK;
    for (int i = 0; i < t->n_windows; i++)
        if (!strcmp(t->windows[i].key, key)) {
            t->windows[i].layers++;
            t->window_of[at] = i;
            return SEPCL_OK;
        }
    TRY(fill_window(t, &w));
    w.key = arena_strdup(&t->memory, key);
    window *grown = w.key ? arena_grow(&t->memory, t->windows, &t->cap_windows, t->n_windows + 1, sizeof *grown) : NULL;
    if (!grown)
        return SEPCL_OUT_OF_MEMORY;
    take_form(t, &w);
    t->windows = grown;
    t->window_of[at] = t->n_windows;
    grown[t->n_windows++] = w;
    return SEPCL_OK;
}

status tuner_collect(tuner *t)
{
    t->window_of = arena_array(&t->memory, (size_t)t->g->n_nodes + 1, sizeof *t->window_of);
    if (!t->window_of)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < t->g->n_nodes; i++) {
        if (op_get(t->g->nodes[i]->op)->flags & OP_VIEW) {
            t->window_of[i] = -1;
            continue;
        }
        const int p = piece_of_node(t, i);
        if (p == -1)
            return SEPCL_OUT_OF_MEMORY;
        if (p >= 0)
            t->pieces[p].layers++;
        TRY(add_window(t, i));
    }
    for (int i = 0; i < t->n_windows; i++) /* as often as the window that offers a fused piece first */
        for (int s = 0; s < t->windows[i].n_splits; s++)
            for (int k = 0; k < t->windows[i].splits[s].n; k++) {
                piece *p = &t->pieces[t->windows[i].pieces[s][k]];
                if (!p->layers)
                    p->layers = t->windows[i].layers;
            }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ after the survey */

double split_seconds(const tuner *t, const window *w, int split)
{
    double sum = 0;
    for (int k = 0; k < w->splits[split].n; k++) {
        const double s = t->pieces[w->pieces[split][k]].seconds;
        if (!(s > 0))
            return 0;
        sum += s;
    }
    return sum;
}

/* The shortest of a window's splits; 0 when none has been measured. */
static double best_seconds(const tuner *t, const window *w)
{
    double best = 0;
    for (int s = 0; s < w->n_splits; s++) {
        const double one = split_seconds(t, w, s);
        if (one > 0 && (!best || one < best))
            best = one;
    }
    return best;
}

/* Nodes that every likely split of a window fuses with its first one: no window begins there. */
static void mark_passed(const tuner *t, const window *w, const int *index, bool *passed)
{
    const double best = best_seconds(t, w);
    int          least = FORM_PARTS;
    for (int s = 0; s < w->n_splits; s++) {
        const double one = split_seconds(t, w, s);
        if (w->winner >= 0 ? s == w->winner : !best || (one > 0 && one <= LIKELY_WITHIN * best))
            least = w->splits[s].pieces[0].parts < least ? w->splits[s].pieces[0].parts : least;
    }
    for (int k = 1; k < least && k < w->n; k++)
        passed[index[k]] = true;
}

static void want_pieces(tuner *t, const window *w)
{
    const double best = best_seconds(t, w);
    for (int s = 0; s < w->n_splits; s++) {
        const double one = split_seconds(t, w, s);
        if (w->winner >= 0 && s != w->winner)
            continue;
        for (int k = 0; k < w->splits[s].n; k++)
            t->pieces[w->pieces[s][k]].wanted |= one > 0 ? one <= WANTED_WITHIN * best : !best && s == w->own;
    }
}

void tuner_mark_wanted(tuner *t)
{
    for (int i = 0; i < t->n_windows; i++)
        t->windows[i].live = false;
    bool *passed = arena_array(&t->memory, (size_t)t->g->n_nodes + 1, sizeof *passed);
    bool *inside = arena_array(&t->memory, (size_t)t->g->n_nodes + 1, sizeof *inside);
    for (int i = 0; passed && inside && i < t->g->n_nodes; i++) {
        int       index[FORM_PARTS];
        const int n = plan_chain(t->g, i, index), at = t->window_of[i];
        if (at < 0 || passed[i] || !t->windows[at].n_splits)
            continue;
        t->windows[at].live = true;
        for (int k = 0; k < n; k++)
            inside[index[k]] = true;
        mark_passed(t, &t->windows[at], index, passed);
        want_pieces(t, &t->windows[at]);
    }
    for (int i = 0; passed && inside && i < t->g->n_nodes; i++) {
        if (inside[i] || (op_get(t->g->nodes[i]->op)->flags & OP_VIEW))
            continue;
        const int p = piece_of_node(t, i);
        if (p >= 0)
            t->pieces[p].wanted = true;
    }
}
