/* SPDX-License-Identifier: Apache-2.0 */
/* Which kernel row runs a node, with which parameters and work-groups. */
#include <string.h>

#include "base/size.h"
#include "plan/plan.h"

void plan_each_parameters(const kernel_def *row, const node_view *v, const caps *c,
                          bool (*fn)(void *user, const int *p), void *user)
{
    const int n = kernel_params(row);
    int       at[PARAM_MAX] = {0};
    for (;;) {
        int p[PARAM_MAX] = {0};
        for (int i = 0; i < n; i++)
            p[i] = row->params[i].values[at[i]];
        if (row->fits(v, c, p) && !fn(user, p))
            return;
        int i = n - 1;
        for (; i >= 0; i--) { /* the last parameter turns fastest */
            at[i]++;
            if (at[i] < PARAM_VALUES && row->params[i].values[at[i]])
                break;
            at[i] = 0;
        }
        if (i < 0)
            return;
    }
}

/* How much better a variant must be to be worth a program of its own. */
#define ANOTHER_PROGRAM 1.06

typedef struct best {
    const kernel_def *row;
    const node_view  *v;
    const caps       *c;
    const tune_db    *bans;
    double            cost;
    int               p[PARAM_MAX];
    bool              found;
    int               tried, banned;
    const plan_step  *done;
    int               n_done;
} best;

static bool in_use(const best *b, const int *p)
{
    for (int i = 0; i < b->n_done; i++)
        if (b->done[i].row == b->row && !memcmp(b->done[i].p, p, sizeof b->p))
            return true;
    return false;
}

static bool consider(void *user, const int *p)
{
    best  *b = user;
    double cost = b->row->cost ? b->row->cost(b->v, b->c, p) : 0;
    if (tune_banned(b->bans, b->v, b->row, p)) {
        b->banned++;
        return true;
    }
    if (!in_use(b, p))
        cost *= ANOTHER_PROGRAM;
    b->tried++;
    if (!b->found || cost < b->cost) {
        b->found = true;
        b->cost = cost;
        memcpy(b->p, p, sizeof b->p);
    }
    return b->row->cost != NULL; /* without a cost the first that fits is the choice */
}

/* A power of two as large as most, and no larger than the extent needs. */
static size_t local_extent(size_t global, size_t most)
{
    size_t l = 1;
    while (l * 2 <= most && l < global)
        l *= 2;
    return l;
}

void plan_work_group(launch *k, const caps *c)
{
    if (!k->local[0]) {
        /* a CPU runs a work-group on one core: single items with explicit vectors leave no work-item loop to
           compile; elsewhere two lock-step groups hide latency, widest dimension first */
        size_t most = caps_is_cpu(c) ? 1 : (size_t)i64_min(c->max_work_group, i64_max(64, 2 * (int64_t)c->preferred_multiple));
        for (int i = 0; i < 3; i++) {
            size_t limit = most;
            if (c->max_work_item[i] > 0 && (size_t)c->max_work_item[i] < limit)
                limit = (size_t)c->max_work_item[i];
            k->local[i] = i < k->dims ? local_extent(k->global[i], limit) : 1;
            most /= k->local[i];
        }
    }
    for (int i = 0; i < k->dims; i++)
        k->global[i] = (size_t)round_up((int64_t)k->global[i], (int64_t)k->local[i]);
}

static char *describe(arena *memory, const op_def *op, const kernel_def *row, const int *p)
{
    char text[TUNE_CHOICE];
    row_text(op, row, p, text); /* a text that is cut still names the kernel */
    return arena_strdup(memory, text);
}

static status fill_step(const node_view *v, const caps *c, const kernel_def *row, const int *p, plan_step *s,
                        arena *memory)
{
    launch_list list = {.memory = memory};
    s->n = v->n;
    s->row = row;
    memcpy(s->p, p, sizeof s->p);
    row->launch(v, c, p, &list);
    s->launches = list.launches;
    s->n_launches = list.n_launches;
    s->packs = list.packs;
    s->n_packs = list.n_packs;
    s->scratch_bytes = list.scratch;
    s->n_scratch = list.n_scratch;
    s->kernel = describe(memory, op_get(v->n->op), row, p);
    s->scratch_offset = arena_array(memory, (size_t)list.n_scratch, sizeof(size_t));
    if (list.failed || !s->kernel || !s->scratch_offset)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < s->n_launches; i++) {
        launch *k = &s->launches[i];
        k->file = k->file ? k->file : row->file;
        k->entry = k->entry ? k->entry : row->entry;
        plan_work_group(k, c);
    }
    const op_def *op = op_get(v->n->op);
    if (op->count)
        op->count(v, &s->cost);
    return SEPCL_OK;
}

static status select_forced(const node_view *v, const caps *c, const plan_options *o, plan_step *s, arena *memory)
{
    const kernel_def *row = &op_get(v->n->op)->kernels[o->force_row];
    if (!row->fits(v, c, o->force_p))
        return fail(SEPCL_INVALID, "node '%s' (%s): kernel %s/%s does not fit", v->n->name, op_name(v->n->op),
                    row->file, row->entry);
    s->why = "asked for";
    return fill_step(v, c, row, o->force_p, s, memory);
}

/* False when the tuning database has nothing that fits. */
static bool select_tuned(const node_view *v, const caps *c, const tune_db *tuning, plan_step *s, arena *memory,
                         status *st)
{
    const kernel_def *row;
    int               p[PARAM_MAX];
    const tune_entry *e = tune_row(tuning, v, c, &row, p);
    if (!e)
        return false;
    s->tuned = true;
    s->why = arena_printf(memory, "tuned: %.1f us measured", (double)e->ns / 1e3);
    s->predicted = row->cost ? row->cost(v, c, p) : 0;
    *st = s->why ? fill_step(v, c, row, p, s, memory) : SEPCL_OUT_OF_MEMORY;
    return true;
}

status plan_select(const node_view *v, const caps *c, const plan_options *o, const plan_step *done, int n_done,
                   plan_step *s, arena *memory)
{
    const op_def *op = op_get(v->n->op);
    if (o && o->force_op == v->n->op && o->force_op != OP_NONE)
        return select_forced(v, c, o, s, memory);
    status st;
    if (o && o->tuning && select_tuned(v, c, o->tuning, s, memory, &st))
        return st;
    best winner = {0};
    int  rows = 0, banned = 0;
    for (const kernel_def *row = op->kernels; row && row->file; row++) {
        best b = {.row = row, .v = v, .c = c, .bans = o ? o->bans : NULL, .done = done, .n_done = n_done};
        plan_each_parameters(row, v, c, consider, &b);
        banned += b.banned;
        if (!b.found)
            continue;
        rows++;
        /* rows stand best first; costs compare them only where both have one */
        if (!winner.found || (row->cost && winner.row->cost && b.cost < winner.cost))
            winner = b;
    }
    if (!winner.found && banned)
        return fail(SEPCL_DEVICE_ERROR, "node '%s' (%s): each of the %d kernel variants that fit %s is banned there, for it "
                    "gave wrong answers or did not run", v->n->name, op->name, banned, c->name);
    if (!winner.found)
        return fail(SEPCL_UNSUPPORTED, "node '%s' (%s): no kernel fits this device", v->n->name, op->name);
    s->why = arena_printf(memory, "%s; %d row%s fit, %d parameter set%s tried", winner.row->what, rows,
                          rows == 1 ? "" : "s", winner.tried, winner.tried == 1 ? "" : "s");
    if (!s->why)
        return SEPCL_OUT_OF_MEMORY;
    s->predicted = winner.row->cost ? winner.row->cost(v, c, winner.p) : 0;
    return fill_step(v, c, winner.row, winner.p, s, memory);
}
