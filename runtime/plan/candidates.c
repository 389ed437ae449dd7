/* SPDX-License-Identifier: Apache-2.0 */
/* What is worth measuring for a node. */
#include <stdlib.h>
#include <string.h>

#include "plan/plan.h"

typedef struct gathering {
    const node_view  *v;
    const caps       *c;
    const tune_db    *bans;
    const kernel_def *row;
    int               index;
    candidate        *all;
    int               n, cap;
    arena             memory;
    bool              failed;
} gathering;

static bool gather(void *user, const int *p)
{
    gathering *k = user;
    if (tune_banned(k->bans, k->v, k->row, p))
        return true;
    candidate *grown = arena_grow(&k->memory, k->all, &k->cap, k->n + 1, sizeof *grown);
    if (!grown) {
        k->failed = true;
        return false;
    }
    k->all = grown;
    candidate *one = &grown[k->n++];
    *one = (candidate){.row = k->row, .index = k->index, .cost = k->row->cost ? k->row->cost(k->v, k->c, p) : 0};
    memcpy(one->p, p, sizeof one->p);
    return k->row->cost != NULL; /* without a cost the first that fits is what the row offers */
}

/* By cost; those without one last; as in the table among equals. */
static int by_cost(const void *a, const void *b)
{
    const candidate *x = a, *y = b;
    if (!x->row->cost != !y->row->cost)
        return x->row->cost ? -1 : 1;
    if (x->cost != y->cost)
        return x->cost < y->cost ? -1 : 1;
    return x->index != y->index ? x->index - y->index : memcmp(x->p, y->p, sizeof x->p);
}

static bool is_there(const candidate *list, int n, const candidate *one)
{
    for (int i = 0; i < n; i++)
        if (list[i].row == one->row && !memcmp(list[i].p, one->p, sizeof one->p))
            return true;
    return false;
}

static bool has_row(const candidate *list, int n, const kernel_def *row)
{
    for (int i = 0; i < n; i++)
        if (list[i].row == row)
            return true;
    return false;
}

static status own_choice(const node_view *v, const caps *c, const plan_options *o, candidate *out)
{
    arena        memory = {0};
    plan_step    s = {0};
    const status st = plan_select(v, c, o, NULL, 0, &s, &memory);
    arena_free(&memory);
    if (st != SEPCL_OK)
        return st;
    *out = (candidate){.row = s.row, .index = (int)(s.row - op_get(v->n->op)->kernels), .cost = s.predicted};
    memcpy(out->p, s.p, sizeof out->p);
    return SEPCL_OK;
}

static void choose(const gathering *k, candidate *out, int most, int *n)
{
    const double limit = k->n ? k->all[0].cost * CANDIDATES_WITHIN : 0;
    for (int pass = 0; pass < 2; pass++) /* the best of each row first */
        for (int i = 0; i < k->n && *n < most; i++) {
            const candidate *one = &k->all[i];
            if ((one->row->cost && one->cost > limit) || is_there(out, *n, one))
                continue;
            if (pass == 1 || !has_row(out, *n, one->row))
                out[(*n)++] = *one;
        }
}

status plan_candidates(const node_view *v, const caps *c, const plan_options *o, candidate *out, int most, int *n_out)
{
    const op_def *op = op_get(v->n->op);
    gathering     k = {.v = v, .c = c, .bans = o ? o->bans : NULL};
    *n_out = 0;
    TRY(own_choice(v, c, o, &out[0]));
    *n_out = 1;
    for (k.row = op->kernels; k.row && k.row->file; k.row++, k.index++)
        plan_each_parameters(k.row, v, c, gather, &k);
    if (!k.failed && k.n)
        qsort(k.all, (size_t)k.n, sizeof *k.all, by_cost);
    choose(&k, out, most, n_out);
    arena_free(&k.memory);
    return k.failed ? SEPCL_OUT_OF_MEMORY : SEPCL_OK;
}
