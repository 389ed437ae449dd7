/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An activation, or the addition of a tensor of the same shape, moves into the node before it, which then computes
 * y = act2(act(y) + residual) before it stores y. Only where the value between has no other reader. A residual that is
 * made later (a shortcut's pool and pad often stand behind the convolution) is made before, where nothing speaks
 * against it.
 */
#include "ir/op.h"
#include "pass/pass.h"

static bool has_residual(const node *n)
{
    const int r = op_get(n->op)->residual_slot;
    return (op_get(n->op)->flags & OP_EPI_RESIDUAL) && r < n->n_in && n->in[r] >= 0;
}

/* n makes user's output from now on. */
static void take_over(graph *g, int index, node *n, node *user)
{
    g->values[n->out[0]].producer = -1;
    n->out[0] = user->out[0];
    g->values[n->out[0]].producer = index;
    user->dead = true;
    user->n_out = 0;
}

static bool fuse_unary(graph *g, int index, node *n, node *user)
{
    if (!(op_get(n->op)->flags & OP_EPI_ACT) || n->epi.act2.kind != ACT_NONE || user->op != OP_UNARY)
        return false;
    if (user->epi.act.kind != ACT_NONE || has_residual(user))
        return false;
    if (!has_residual(n) && n->epi.act.kind == ACT_NONE)
        n->epi.act = user->a.unary.f;
    else
        n->epi.act2 = user->a.unary.f;
    take_over(g, index, n, user);
    return true;
}

/* Nodes in a row that are moved for a residual. */
#define MOVED_DEEP 4

/* Can a value be made before the node at this position? */
static bool is_movable(const graph *g, value_id v, int index, int depth)
{
    const int p = v < 0 ? -1 : g->values[v].producer;
    if (p < index)
        return true;
    if (p == index || depth == 0)
        return false;
    const node *n = g->nodes[p];
    for (int k = 0; k < n->n_in; k++)
        if (!is_movable(g, n->in[k], index, depth - 1))
            return false;
    return true;
}

/* Moves what makes a value before the node at *index, which moves back. */
static void move_before(graph *g, value_id v, int *index)
{
    if (v < 0 || g->values[v].producer < *index)
        return;
    const node *n = g->nodes[g->values[v].producer];
    for (int k = 0; k < n->n_in; k++)
        move_before(g, n->in[k], index);
    graph_move(g, g->values[v].producer, (*index)++);
}

static status fuse_add(graph *g, int *index, node *n, node *user, bool *done)
{
    const op_def *op = op_get(n->op);
    if (!(op->flags & OP_EPI_RESIDUAL) || has_residual(n) || n->epi.act2.kind != ACT_NONE)
        return SEPCL_OK;
    if (user->op != OP_BINARY || user->a.binary.kind != BINARY_ADD || user->epi.act.kind != ACT_NONE ||
        has_residual(user) || user->in[0] == user->in[1])
        return SEPCL_OK;
    const value_id other = user->in[user->in[0] == n->out[0]];
    /* it must exist when n runs, and cover every element */
    if (!is_movable(g, other, *index, MOVED_DEEP) || !shape_equal(&g->values[other].shape, &g->values[n->out[0]].shape))
        return SEPCL_OK;
    const int need = op->residual_slot + 1;
    if (n->n_in < need) {
        value_id *in = arena_array(&g->memory, (size_t)need, sizeof *in);
        if (!in)
            return SEPCL_OUT_OF_MEMORY;
        for (int k = 0; k < need; k++)
            in[k] = k < n->n_in ? n->in[k] : -1;
        n->in = in;
        n->n_in = need;
    }
    move_before(g, other, index);
    n->in[op->residual_slot] = other;
    take_over(g, *index, n, user);
    *done = true;
    return SEPCL_OK;
}

status pass_fuse_epilogue(graph *g, const pass_options *o)
{
    (void)o;
    for (int i = 0; i < g->n_nodes; i++) {
        node *n = g->nodes[i];
        for (bool more = true; more && !n->dead && n->n_out == 1;) {
            node *user = graph_single_user(g, n->out[0], NULL);
            more = false;
            if (!user || user->n_out != 1)
                break;
            if (fuse_unary(g, i, n, user))
                more = true;
            else
                TRY(fuse_add(g, &i, n, user, &more));
        }
    }
    return SEPCL_OK;
}
