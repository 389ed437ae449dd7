/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What competed for each step: the forms of the nodes in a row that begin there, and the kernel rows of its op, with
 * what the cost model predicts and what the tuning database has as measured. Found by planning the forms once more when
 * somebody asks, since a plan that is only run needs none of it.
 */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

typedef struct finder {
    const plan  *p;
    plan_options o;
    plan_ways   *ways;
} finder;

static status add(plan_ways *w, int step, const plan_way *one)
{
    plan_way_list *list = &w->steps[step];
    plan_way      *grown = arena_grow(&w->memory, list->ways, &list->cap, list->n + 1, sizeof *grown);
    char          *name = arena_strdup(&w->memory, one->name);
    if (!grown || !name)
        return SEPCL_OUT_OF_MEMORY;
    list->ways = grown;
    grown[list->n] = *one;
    grown[list->n++].name = name;
    return SEPCL_OK;
}

/* The next of an entry's losers, "choice: ns; ...", as text and time; false at the end. */
static bool next_loser(const char **at, char text[TUNE_CHOICE], int64_t *ns)
{
    while (**at) {
        const size_t length = strcspn(*at, ";");
        const char  *one = *at + strspn(*at, " "), *colon = memchr(*at, ':', length);
        *at += length + ((*at)[length] == ';');
        const size_t name = colon && colon > one ? (size_t)(colon - one) : 0;
        if (!name || name >= TUNE_CHOICE)
            continue;
        memcpy(text, one, name);
        text[name] = 0;
        *ns = strtoll(colon + 1, NULL, 10);
        return true;
    }
    return false;
}

/* What an entry (NULL: none) has for a way; 0 when that is nothing. */
static int64_t measured(const tune_entry *e, const char *name)
{
    char    text[TUNE_CHOICE];
    int64_t ns;
    if (!e)
        return 0;
    if (!strcmp(e->choice, name))
        return e->ns;
    for (const char *at = e->losers; next_loser(&at, text, &ns);)
        if (!strcmp(text, name))
            return ns;
    return 0;
}

/* ------------------------------------------------------------------ forms */

static void split_name(const graph *g, const int *index, const form_split *f, char text[TUNE_CHOICE])
{
    strbuf b = strbuf_on(text, TUNE_CHOICE);
    for (int k = 0; k < f->n; k++) {
        const form_piece *one = &f->pieces[k];
        strbuf_put(&b, "%s%s", k ? ", " : "", op_name(one->op != OP_NONE ? one->op : g->nodes[index[one->first]]->op));
    }
}

/* The step that makes a value; -1: none. */
static int step_of(const plan *p, value_id v)
{
    for (int i = 0; i < p->n_steps; i++)
        if (p->steps[i].n->out[0] == v)
            return i;
    return -1;
}

/* Which of the splits was taken, when its first piece was: the tuning's, or the cheapest that begins so. */
static int taken(const form_split *splits, int n, char (*names)[TUNE_CHOICE], const form_piece *first,
                 const tune_entry *e)
{
    int best = -1;
    for (int i = 0; i < n; i++) {
        const form_piece *own = &splits[i].pieces[0];
        if (own->op != first->op || own->parts != first->parts)
            continue;
        if (e && !strcmp(names[i], e->choice))
            return i;
        best = best < 0 || splits[i].predicted < splits[best].predicted ? i : best;
    }
    return best;
}

static status on_forms(void *user, graph *g, const int *index, int n, const form_piece *first)
{
    const finder *f = user;
    form_split    splits[FORM_SPLITS];
    char          names[FORM_SPLITS][TUNE_CHOICE];
    node         *nodes[FORM_PARTS];
    const int     step = step_of(f->p, g->nodes[index[first->parts - 1]]->out[0]);
    const int     count = plan_splits(g, index, n, &f->p->caps, &f->o, splits);
    if (step < 0 || count < 2)
        return SEPCL_OK;
    for (int k = 0; k < n; k++)
        nodes[k] = g->nodes[index[k]];
    for (int i = 0; i < count; i++)
        split_name(g, index, &splits[i], names[i]);
    const tune_entry *e = f->o.tuning ? tune_form(f->o.tuning, g, nodes, n) : NULL;
    const int         chosen = taken(splits, count, names, first, e);
    for (int i = 0; i < count; i++)
        TRY(add(f->ways, step,
                &(plan_way){.is_form = true,
                            .chosen = i == chosen,
                            .name = names[i],
                            .predicted = splits[i].predicted,
                            .ns = measured(e, names[i])}));
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

typedef struct row_best {
    const finder     *f;
    const node_view  *v;
    const kernel_def *row;
    int               p[PARAM_MAX];
    double            cost;
    bool              found;
} row_best;

static bool cheaper(void *user, const int *p)
{
    row_best *b = user;
    if (tune_banned(b->f->o.bans, b->v, b->row, p))
        return true;
    const double cost = b->row->cost ? b->row->cost(b->v, &b->f->p->caps, p) : 0;
    if (!b->found || cost < b->cost) {
        b->found = true;
        b->cost = cost;
        memcpy(b->p, p, sizeof b->p);
    }
    return b->row->cost != NULL;
}

static bool is_listed(const plan_way_list *list, const char *name)
{
    for (int i = 0; i < list->n; i++)
        if (!list->ways[i].is_form && !strcmp(list->ways[i].name, name))
            return true;
    return false;
}

static status add_row(const finder *f, int step, const tune_entry *e, const row_best *b)
{
    const plan_step *s = &f->p->steps[step];
    char             name[TUNE_CHOICE];
    row_text(op_get(s->n->op), b->row, b->p, name);
    if (is_listed(&f->ways->steps[step], name))
        return SEPCL_OK;
    return add(f->ways, step,
               &(plan_way){.chosen = b->row == s->row && !memcmp(b->p, s->p, sizeof b->p),
                           .name = name,
                           .predicted = b->cost,
                           .ns = measured(e, name)});
}

/* A row that the entry names with parameters, which fit as they were measured. */
static status add_measured(const finder *f, const node_view *v, int step, const tune_entry *e, const char *text)
{
    row_best b = {.f = f, .v = v};
    if (!row_of_text(op_get(v->n->op), text, &b.row, b.p) || !b.row->fits(v, &f->p->caps, b.p))
        return SEPCL_OK;
    b.cost = b.row->cost ? b.row->cost(v, &f->p->caps, b.p) : 0;
    return add_row(f, step, e, &b);
}

/* What runs, the best of each other row, and whatever else was measured. */
static status add_rows(const finder *f, int step)
{
    const plan_step *s = &f->p->steps[step];
    const node_view  v = {f->p->g, s->n};
    char             key[TUNE_KEY], text[TUNE_CHOICE];
    int64_t          ns;
    strbuf           t = strbuf_on(key, sizeof key);
    node_key(&v, &t);
    const tune_entry *e = f->o.tuning && !t.cut ? tune_find(f->o.tuning, TUNE_ROW, key) : NULL;
    for (const kernel_def *row = op_get(s->n->op)->kernels; row && row->file; row++) {
        row_best b = {.f = f, .v = &v, .row = row};
        if (row == s->row) {
            memcpy(b.p, s->p, sizeof b.p);
            b.cost = s->predicted;
            b.found = true;
        } else {
            plan_each_parameters(row, &v, &f->p->caps, cheaper, &b);
        }
        if (b.found)
            TRY(add_row(f, step, e, &b));
    }
    if (!e)
        return SEPCL_OK;
    TRY(add_measured(f, &v, step, e, e->choice));
    for (const char *at = e->losers; next_loser(&at, text, &ns);)
        TRY(add_measured(f, &v, step, e, text));
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ all of it */

/* Forms first, what was measured before what was not, the fastest first. */
static int by_time(const void *a, const void *b)
{
    const plan_way *x = a, *y = b;
    if (x->is_form != y->is_form)
        return x->is_form ? -1 : 1;
    if (!x->ns != !y->ns)
        return x->ns ? -1 : 1;
    if (x->ns != y->ns)
        return x->ns < y->ns ? -1 : 1;
    return x->predicted != y->predicted ? (x->predicted < y->predicted ? -1 : 1) : strcmp(x->name, y->name);
}

static status find_all(finder *f, graph *unfused)
{
    if (unfused) {
        plan_options watched = f->o;
        watched.watch = on_forms;
        watched.watcher = f;
        TRY(plan_forms(unfused, &f->p->caps, &watched));
    }
    for (int i = 0; i < f->p->n_steps; i++) {
        TRY(add_rows(f, i));
        qsort(f->ways->steps[i].ways, (size_t)f->ways->steps[i].n, sizeof(plan_way), by_time);
    }
    return SEPCL_OK;
}

status plan_ways_create(const plan *p, graph *unfused, const plan_options *o, plan_ways **out)
{
    *out = NULL;
    plan_ways *w = calloc(1, sizeof *w);
    if (!w)
        return fail_memory(sizeof *w, "the ways of a plan");
    w->steps = arena_array(&w->memory, (size_t)p->n_steps, sizeof *w->steps);
    finder f = {p, *o, w};
    f.o.quiet = true;
    const status st = w->steps ? find_all(&f, unfused) : SEPCL_OUT_OF_MEMORY;
    if (st != SEPCL_OK) {
        plan_ways_destroy(w);
        return st;
    }
    *out = w;
    return SEPCL_OK;
}

void plan_ways_destroy(plan_ways *w)
{
    if (!w)
        return;
    arena_free(&w->memory);
    free(w);
}
