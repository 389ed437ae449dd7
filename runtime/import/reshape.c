/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reshape in any memory order. Axes before and after fall into groups of equal extent (C -> g, C/g; H, W -> H*W). A
 * form in which the axes of each group lie side by side and in the file's order can be reshaped where it is: each group
 * is replaced by its new axes. So a channel shuffle or a depth-to-space written as reshape, transpose, reshape stays
 * channels last and costs one transpose.
 */
#include <string.h>

#include "import/build.h"

typedef struct group {
    int in, in_end, out, out_end; /* axes before, axes after */
    int key;                      /* place of its first axis in memory */
} group;

typedef struct grouping {
    group g[2 * MAX_RANK + 1];
    int   n;
} grouping;

/* Pairs axes of equal products; both shapes have the same number of elements, none of them 0. */
static grouping pair_axes(const shape *in, const shape *out)
{
    grouping p = {.n = 0};
    int      i = 0, o = 0;
    while (i < in->rank || o < out->rank) {
        group  *g = &p.g[p.n++];
        int64_t a, c;
        g->in = i;
        g->out = o;
        a = i < in->rank ? in->dim[i++] : 1;
        c = o < out->rank ? out->dim[o++] : 1;
        while (a != c) {
            if (a < c)
                a *= in->dim[i++];
            else
                c *= out->dim[o++];
        }
        g->in_end = i;
        g->out_end = o;
    }
    return p;
}

/* The place in memory of each axis, counted among those that are not 1; -1 for those that are. */
static void places(const shape *s, const layout *l, int place[MAX_RANK])
{
    int n = 0;
    for (int a = 0; a < s->rank; a++)
        place[a] = -1;
    for (int k = 0; k < l->rank; k++)
        for (int a = 0; a < s->rank; a++)
            if (l->pos[a] == k && s->dim[a] != 1)
                place[a] = n++;
}

/* Can a form with this layout be reshaped where it is? Sets the groups' keys. */
static bool in_place(const shape *in, const layout *l, grouping *p)
{
    int place[MAX_RANK], before = -1;
    places(in, l, place);
    for (int k = 0; k < p->n; k++) {
        group *g = &p->g[k];
        int    last = -1;
        g->key = before; /* a group of ones goes with the group before it */
        for (int a = g->in; a < g->in_end; a++) {
            if (place[a] < 0)
                continue;
            if (last >= 0 && place[a] != last + 1)
                return false;
            if (last < 0)
                g->key = before = place[a];
            last = place[a];
        }
    }
    return true;
}

/* The layout of the result: groups in memory order, each with its new axes in the file's order. */
static layout reshaped(const grouping *p, const shape *out)
{
    layout l = {.rank = out->rank};
    int    next = 0;
    for (int key = -1; key < MAX_RANK; key++)
        for (int k = 0; k < p->n; k++)
            for (int a = p->g[k].out; p->g[k].key == key && a < p->g[k].out_end; a++)
                l.pos[a] = (int8_t)next++;
    return l;
}

static bool equal_order(const layout *a, const layout *b, const shape *s)
{
    int pa[MAX_RANK], pb[MAX_RANK];
    places(s, a, pa);
    places(s, b, pb);
    return memcmp(pa, pb, (size_t)s->rank * sizeof pa[0]) == 0;
}

/* Prefers the two usual layouts over others with the same order in memory. */
static layout usual(const import_build *b, const layout *l, const shape *s)
{
    const layout last = layout_last(b, s->rank), plain = layout_plain(s->rank);
    return equal_order(l, &last, s) ? last : equal_order(l, &plain, s) ? plain : *l;
}

static status reshape_form(import_build *b, const form *f, const grouping *p, const shape *s, operand **out)
{
    const layout made = reshaped(p, s), l = usual(b, &made, s);
    const shape  graph_shape = layout_shape(&l, s);
    value_id     id;
    TRY(operand_view(b, f->id, &graph_shape, b->node, &id));
    operand *x = operand_new(b);
    if (!x)
        return SEPCL_OUT_OF_MEMORY;
    x->type = DT_F32;
    x->shape = *s;
    x->forms[0] = (form){id, l};
    x->n_forms = 1;
    x->fresh = b->g->values[id].producer == b->g->n_nodes - 1 && id != f->id;
    *out = x;
    return SEPCL_OK;
}

/* An order of the axes before that can be reshaped in place and gives channels last; false when a group stands in the
   way of that. Sets the groups' keys. */
static bool order_for_last(const import_build *b, grouping *p, const shape *in, const shape *out, layout *before)
{
    const layout last = layout_last(b, out->rank);
    int          key = -1, next = 0;
    for (int k = 0; k < p->n; k++) {
        group *g = &p->g[k];
        for (int a = g->out_end - 1; a >= g->out; a--)
            if (out->dim[a] != 1)
                key = last.pos[a];
        g->key = key;
    }
    *before = (layout){.rank = in->rank};
    for (key = -1; key < MAX_RANK; key++)
        for (int k = 0; k < p->n; k++)
            for (int a = p->g[k].in; p->g[k].key == key && a < p->g[k].in_end; a++)
                before->pos[a] = (int8_t)next++;
    const layout made = reshaped(p, out);
    return equal_order(&made, &last, out);
}

static status reshape_moved(import_build *b, operand *x, grouping *p, const shape *s, operand **out)
{
    layout before = layout_plain(x->shape.rank);
    if (b->leaves || s->rank < 3 || !order_for_last(b, p, &x->shape, s, &before))
        before = layout_plain(x->shape.rank);
    form f = {.at = before};
    TRY(operand_get(b, x, &before, &f.id));
    if (!in_place(&x->shape, &before, p))
        return fail(SEPCL_INVALID, "no memory order suits the reshape of '%s'", x->name ? x->name : b->node);
    return reshape_form(b, &f, p, s, out);
}

static status reshape_const(import_build *b, const operand *x, const shape *s, operand **out)
{
    operand *r = operand_new(b);
    if (!r)
        return SEPCL_OUT_OF_MEMORY;
    *r = (operand){.name = x->name, .shape = *s, .type = x->type, .is_const = true, .data = x->data};
    *out = r;
    return SEPCL_OK;
}

status emit_reshape(import_build *b, operand *x, const shape *s, operand **out)
{
    char from[SHAPE_TEXT], to[SHAPE_TEXT];
    if (shape_count(s) != operand_count(x))
        return fail(SEPCL_BAD_FILE, "%s cannot be reshaped to %s: the numbers of elements differ",
                    shape_text(&x->shape, from), shape_text(s, to));
    if (shape_equal(s, &x->shape)) {
        *out = x;
        return SEPCL_OK;
    }
    if (x->is_const)
        return reshape_const(b, x, s, out);
    grouping   p = pair_axes(&x->shape, s);
    const form f = operand_here(b, x);
    if (in_place(&x->shape, &f.at, &p))
        return reshape_form(b, &f, &p, s, out);
    for (int i = 0; i < x->n_forms; i++)
        if (in_place(&x->shape, &x->forms[i].at, &p))
            return reshape_form(b, &x->forms[i], &p, s, out);
    return reshape_moved(b, x, &p, s, out);
}

status emit_rank(import_build *b, operand *x, int rank, operand **out)
{
    shape s = {.rank = rank};
    if (x->shape.rank >= rank) {
        *out = x;
        return SEPCL_OK;
    }
    for (int i = 0; i < rank; i++)
        s.dim[i] = i < rank - x->shape.rank ? 1 : x->shape.dim[i - (rank - x->shape.rank)];
    return emit_reshape(b, x, &s, out);
}
