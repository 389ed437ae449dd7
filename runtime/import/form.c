/* SPDX-License-Identifier: Apache-2.0 */
/* Memory orders of operands: what is on hand, and how to get what is asked for. */
#include "base/size.h"
#include "import/build.h"

operand *operand_new(import_build *b)
{
    return arena_alloc(&b->memory, sizeof(operand));
}

layout layout_plain(int rank)
{
    layout l = {.rank = rank};
    for (int a = 0; a < rank; a++)
        l.pos[a] = (int8_t)a;
    return l;
}

layout layout_last(const import_build *b, int rank)
{
    layout l = layout_plain(rank == 3 ? 4 : rank);
    if (rank < 3)
        return l;
    const int channels = import_channels_axis(b, rank);
    int       next = rank == 3 ? 2 : 1;
    l.pos[channels] = (int8_t)(l.rank - 1);
    for (int a = 1; a < rank; a++)
        if (a != channels)
            l.pos[a] = (int8_t)next++;
    return l;
}

shape layout_shape(const layout *l, const shape *file)
{
    shape s = {.rank = l->rank};
    for (int k = 0; k < l->rank; k++)
        s.dim[k] = 1;
    for (int a = 0; a < file->rank; a++)
        s.dim[l->pos[a]] = file->dim[a];
    return s;
}

/* The file axis at each dimension of a layout; -1: none. */
static void axes_at(const layout *l, int file_rank, int axis[MAX_RANK])
{
    for (int k = 0; k < l->rank; k++)
        axis[k] = -1;
    for (int a = 0; a < file_rank; a++)
        axis[l->pos[a]] = a;
}

/* Do two layouts keep the elements of a shape in the same order? Axes of extent 1 do not matter. */
static bool same_order(const layout *a, const layout *b, const shape *file)
{
    int at_a[MAX_RANK], at_b[MAX_RANK], j = 0;
    axes_at(a, file->rank, at_a);
    axes_at(b, file->rank, at_b);
    for (int i = 0; i < a->rank; i++) {
        if (at_a[i] < 0 || file->dim[at_a[i]] == 1)
            continue;
        while (at_b[j] < 0 || file->dim[at_b[j]] == 1)
            j++;
        if (at_a[i] != at_b[j++])
            return false;
    }
    return true;
}

static bool same_layout(const layout *a, const layout *b, int file_rank)
{
    bool same = a->rank == b->rank;
    for (int i = 0; same && i < file_rank; i++)
        same = a->pos[i] == b->pos[i];
    return same;
}

static const form *last_form(const import_build *b, const operand *x)
{
    if (x->shape.rank < 3)
        return NULL;
    const layout last = layout_last(b, x->shape.rank), plain = layout_plain(x->shape.rank);
    if (same_order(&last, &plain, &x->shape))
        return NULL;
    for (int i = 0; i < x->n_forms; i++)
        if (same_order(&x->forms[i].at, &last, &x->shape))
            return &x->forms[i];
    return NULL;
}

bool operand_is_last(const import_build *b, const operand *x)
{
    return last_form(b, x) != NULL;
}

layout operands_layout(const import_build *b, operand *const *x, int n, int rank)
{
    const operand *most = NULL;
    for (int i = 0; i < n; i++) {
        if (x[i]->is_const || x[i]->shape.rank != rank)
            continue;
        if (operand_is_last(b, x[i]))
            return layout_last(b, rank);
        if (!most || operand_count(x[i]) > operand_count(most))
            most = x[i];
    }
    return most ? most->forms[0].at : layout_plain(rank);
}

/* ---------------------------------------------------------------- getting a form */

static void remember(operand *x, value_id id, const layout *l)
{
    const int at = x->n_forms < MAX_FORMS ? x->n_forms++ : MAX_FORMS - 1;
    x->forms[at] = (form){id, *l};
}

status operand_view(import_build *b, value_id from, const shape *s, const char *name, value_id *out)
{
    const value *v = &b->g->values[from];
    /* a view of a view is a view of its source */
    while (v->producer >= 0 && b->g->nodes[v->producer]->op == OP_RESHAPE) {
        from = b->g->nodes[v->producer]->in[0];
        v = &b->g->values[from];
    }
    *out = from;
    if (shape_equal(&v->shape, s))
        return SEPCL_OK;
    const status st = graph_node(b->g, OP_RESHAPE, name, &(attrs){.reshape.shape = *s}, &from, 1, out, 1);
    b->placed |= st != SEPCL_OK;
    return st;
}

static const char *form_name(import_build *b, const operand *x, const layout *l)
{
    const layout plain = layout_plain(x->shape.rank), last = layout_last(b, x->shape.rank);
    const char  *order = same_layout(l, &plain, x->shape.rank)  ? "plain"
                         : same_layout(l, &last, x->shape.rank) ? "channels_last"
                                                                : "permuted";
    const char  *name = arena_printf(&b->memory, "%s:%s", x->name ? x->name : b->node, order);
    return name ? name : order;
}

/* Moves the axes of a form to where l has them. */
static status transpose(import_build *b, operand *x, const form *from, const layout *l, value_id *out)
{
    attrs       a = {0};
    int         from_axis[MAX_RANK], to_axis[MAX_RANK], extra = 0, k = 0;
    const char *name = form_name(b, x, l);
    const shape want = layout_shape(l, &x->shape);
    axes_at(&from->at, x->shape.rank, from_axis);
    axes_at(l, x->shape.rank, to_axis);
    /* dimensions that hold no axis: one for one when the ranks agree, else all of the source's in front */
    const bool paired = from->at.rank == l->rank;
    for (int i = 0; !paired && i < from->at.rank; i++)
        if (from_axis[i] < 0)
            a.transpose.perm[k++] = i;
    for (int i = 0; i < l->rank; i++) {
        if (to_axis[i] >= 0) {
            a.transpose.perm[k++] = from->at.pos[to_axis[i]];
        } else if (paired) {
            while (from_axis[extra] >= 0)
                extra++;
            a.transpose.perm[k++] = extra++;
        }
    }
    const status st = graph_node(b->g, OP_TRANSPOSE, name, &a, &from->id, 1, out, 1);
    if (st != SEPCL_OK) {
        b->placed = true;
        return st;
    }
    return operand_view(b, *out, &want, name, out);
}

/* A constant of the graph; its bytes are those of the operand unless its axes have to move. */
static status constant(import_build *b, operand *x, const layout *l, value_id *out)
{
    const layout plain = layout_plain(x->shape.rank);
    const shape  s = layout_shape(l, &x->shape);
    const bool   copy = !same_order(&plain, l, &x->shape);
    *out = graph_const(b->g, x->name, x->type, &s, copy ? NULL : x->data, copy);
    if (*out < 0)
        return SEPCL_OUT_OF_MEMORY;
    if (!copy)
        return SEPCL_OK;
    int64_t stride[MAX_RANK];
    strided box = {.rank = l->rank};
    shape_strides(&x->shape, stride);
    for (int k = 0; k < l->rank; k++)
        box.dim[k] = s.dim[k];
    for (int a = 0; a < x->shape.rank; a++)
        box.stride[l->pos[a]] = stride[a];
    TRY(fold_charge(b, operand_count(x)));
    strided_copy((void *)b->g->values[*out].data, x->data, &box, dtype_size(x->type));
    return SEPCL_OK;
}

status operand_get(import_build *b, operand *x, const layout *l, value_id *out)
{
    status    st = SEPCL_OK;
    const int before = b->g->n_nodes;
    if (!operand_is_float(x) && !operand_is_truth(x))
        return fail(SEPCL_UNSUPPORTED, "'%s' is a tensor of type %s, and those serve for shapes and indices only",
                    x->name ? x->name : b->node, dtype_name(x->type));
    if (operand_count(x) == 0)
        return fail(SEPCL_UNSUPPORTED, "'%s' has no elements", x->name ? x->name : b->node);
    const form *near = NULL;
    for (int i = 0; i < x->n_forms; i++) {
        if (same_layout(&x->forms[i].at, l, x->shape.rank)) {
            *out = x->forms[i].id;
            return SEPCL_OK;
        }
        if (!near && same_order(&x->forms[i].at, l, &x->shape))
            near = &x->forms[i];
    }
    if (x->is_const) {
        st = constant(b, x, l, out);
    } else if (near) {
        const shape s = layout_shape(l, &x->shape);
        st = operand_view(b, near->id, &s, form_name(b, x, l), out);
    } else {
        st = transpose(b, x, &x->forms[0], l, out);
    }
    for (int i = before; i < b->g->n_nodes; i++)
        b->g->nodes[i]->layout = true;
    if (st == SEPCL_OK)
        remember(x, *out, l);
    return st;
}

status operand_plain(import_build *b, operand *x, value_id *out)
{
    const layout l = layout_plain(x->shape.rank);
    return operand_get(b, x, &l, out);
}

status operand_last(import_build *b, operand *x, value_id *out)
{
    const layout l = layout_last(b, x->shape.rank);
    return operand_get(b, x, &l, out);
}

form operand_here(const import_build *b, const operand *x)
{
    const form *last = last_form(b, x);
    return last ? *last : x->forms[0];
}

status operand_any(import_build *b, operand *x, form *out)
{
    if (x->is_const && !last_form(b, x)) {
        out->at = layout_plain(x->shape.rank);
        return operand_get(b, x, &out->at, &out->id);
    }
    *out = operand_here(b, x);
    return SEPCL_OK;
}

status operand_node(import_build *b, op_kind op, const attrs *a, const value_id *in, int n_in, const layout *l,
                    int file_rank, operand **out)
{
    value_id     id;
    const status st = graph_node(b->g, op, b->node, a, in, n_in, &id, 1);
    if (st != SEPCL_OK) {
        b->placed = true;
        return st;
    }
    operand *x = operand_new(b);
    if (!x)
        return SEPCL_OUT_OF_MEMORY;
    const shape *s = &b->g->values[id].shape;
    x->type = DT_F32;
    x->shape.rank = file_rank;
    for (int k = 0; k < file_rank; k++)
        x->shape.dim[k] = s->dim[l->pos[k]];
    x->fresh = true;
    remember(x, id, l);
    *out = x;
    return SEPCL_OK;
}
