/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Padding with zeros that is a node of its own, as TensorFlow writes whatever is neither SAME nor VALID, becomes
 * padding of the convolutions that read it. Only where all of its readers are convolutions, since else it has to run
 * anyway.
 */
#include "ir/op.h"
#include "pass/pass.h"

/* Zeros around height and width only. */
static bool is_border(const graph *g, const node *n)
{
    const attr_pad *a = &n->a.pad;
    if (n->dead || n->op != OP_PAD || a->mode != PAD_CONSTANT || a->value != 0 || n->epi.act.kind != ACT_NONE)
        return false;
    const shape *s = &g->values[n->in[0]].shape;
    for (int i = 0; i < s->rank; i++)
        if (i != 1 && i != 2 && (a->before[i] || a->after[i]))
            return false;
    return s->rank == 4;
}

/* Large sums would leave what kernels count positions with. */
#define MOST_PADDING 65535

static bool can_take(const node *reader, value_id v, const attr_pad *a)
{
    if (reader->op != OP_CONV || reader->in[CONV_X] != v)
        return false;
    for (int k = 0; k < reader->n_in; k++)
        if (k != CONV_X && reader->in[k] == v)
            return false;
    for (int i = 0; i < 2; i++)
        if (reader->a.conv.pad[i] + a->before[1 + i] > MOST_PADDING ||
            reader->a.conv.pad[i + 2] + a->after[1 + i] > MOST_PADDING)
            return false;
    return true;
}

static bool reads(const node *n, value_id v)
{
    for (int k = 0; !n->dead && k < n->n_in; k++)
        if (n->in[k] == v)
            return true;
    return false;
}

static bool all_can_take(const graph *g, int from, value_id v, const attr_pad *a)
{
    bool any = false;
    for (int i = from; i < g->n_nodes; i++)
        if (reads(g->nodes[i], v)) {
            if (!can_take(g->nodes[i], v, a))
                return false;
            any = true;
        }
    return any && !g->values[v].is_output;
}

static void take(node *reader, value_id x, const attr_pad *a)
{
    reader->in[CONV_X] = x;
    for (int i = 0; i < 2; i++) {
        reader->a.conv.pad[i] += (int)a->before[1 + i];
        reader->a.conv.pad[i + 2] += (int)a->after[1 + i];
    }
}

status pass_fold_pad(graph *g, const pass_options *o)
{
    (void)o;
    for (int i = 0; i < g->n_nodes; i++) {
        node *n = g->nodes[i];
        if (!is_border(g, n) || !all_can_take(g, i + 1, n->out[0], &n->a.pad))
            continue;
        for (int k = i + 1; k < g->n_nodes; k++)
            if (reads(g->nodes[k], n->out[0]))
                take(g->nodes[k], n->in[0], &n->a.pad);
        n->dead = true;
    }
    return SEPCL_OK;
}
