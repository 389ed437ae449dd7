/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/fused.h"

status fuse_pair(graph *g, int first, int second, op_kind op, node **out)
{
    node     *a = g->nodes[first], *b = g->nodes[second];
    node     *n = arena_alloc(&g->memory, sizeof *n);
    node    **sub = arena_array(&g->memory, 2, sizeof(node *));
    value_id *in = arena_array(&g->memory, PAIR_INPUTS, sizeof *in);
    value_id *outs = arena_array(&g->memory, 1, sizeof *outs);
    if (!n || !sub || !in || !outs)
        return SEPCL_OUT_OF_MEMORY;
    in[PAIR_X] = a->in[CONV_X];
    in[PAIR_RES] = CONV_RES < b->n_in ? b->in[CONV_RES] : -1;
    outs[0] = b->out[0];
    sub[0] = a;
    sub[1] = b;
    char *name = arena_printf(&g->memory, "%s + %s", a->name, b->name);
    if (!name)
        return SEPCL_OUT_OF_MEMORY;
    *n = (node){.op = op, .name = name, .n_in = PAIR_INPUTS, .n_out = 1, .in = in, .out = outs, .sub = sub, .n_sub = 2};
    n->epi = b->epi; /* what the kernel does at its end; the reference runs the parts with theirs */
    g->values[a->out[0]].producer = -1;
    g->values[b->out[0]].producer = second;
    g->nodes[second] = n; /* where the last of its inputs is known to exist */
    node *gone = arena_alloc(&g->memory, sizeof *gone);
    if (!gone)
        return SEPCL_OUT_OF_MEMORY;
    *gone = (node){.op = a->op, .name = a->name, .dead = true};
    g->nodes[first] = gone;
    *out = n;
    return SEPCL_OK;
}

status fused_infer(const node_view *v, shape *out)
{
    const node_view last = nv_sub(v, v->n->n_sub - 1);
    return op_get(last.n->op)->infer(&last, out);
}

void fused_count(const node_view *v, op_count *out)
{
    uint64_t inner = 0;
    for (int i = 0; i < v->n->n_sub; i++) {
        const node_view sub = nv_sub(v, i);
        op_count        c = {0};
        op_get(sub.n->op)->count(&sub, &c);
        out->multiplications += c.multiplications;
        out->additions += c.additions;
        out->parameters += c.parameters;
        out->bytes += c.bytes;
        if (i + 1 < v->n->n_sub) /* neither written nor read */
            inner += 2 * 4 * (uint64_t)shape_count(&nv_out(&sub, 0)->shape);
    }
    out->bytes -= inner;
}

void launch_mid(launch *k, const node_view *first)
{
    const act *f = &first->n->epi.act;
    launch_define_text(k, "MID", act_macro(f->kind));
    arg_f32(k, f->a);
    arg_f32(k, f->b);
}
