/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/fused.h"

#include "base/size.h"

status fuse_nodes(graph *g, const int *index, int count, op_kind op, node **out)
{
    const node *a = g->nodes[index[0]], *b = g->nodes[index[count - 1]];
    node       *n = arena_alloc(&g->memory, sizeof *n);
    node      **sub = arena_array(&g->memory, (size_t)count, sizeof(node *));
    node       *gone = arena_array(&g->memory, (size_t)count, sizeof *gone);
    value_id   *in = arena_array(&g->memory, FUSED_INPUTS, sizeof *in);
    value_id   *outs = arena_array(&g->memory, 1, sizeof *outs);
    char       *name = arena_printf(&g->memory, count > 2 ? "%s ... %s" : "%s + %s", a->name, b->name);
    if (!n || !sub || !gone || !in || !outs || !name)
        return SEPCL_OUT_OF_MEMORY;
    in[FUSED_X] = a->in[CONV_X];
    in[FUSED_RES] = CONV_RES < b->n_in ? b->in[CONV_RES] : -1;
    outs[0] = b->out[0];
    *n = (node){
        .op = op, .name = name, .n_in = FUSED_INPUTS, .n_out = 1, .in = in, .out = outs, .sub = sub, .n_sub = count};
    n->epi = b->epi; /* what the kernel does at its end; the reference runs the parts with theirs */
    for (int i = 0; i < count; i++) {
        sub[i] = g->nodes[index[i]];
        gone[i] = (node){.op = sub[i]->op, .name = sub[i]->name, .dead = true};
        g->nodes[index[i]] = &gone[i];
        g->values[sub[i]->out[0]].producer = -1;
    }
    g->values[outs[0]].producer = index[count - 1];
    g->nodes[index[count - 1]] = n; /* where the last of its inputs is known to exist */
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

bool fused_case(graph *g, value_id y, int n, op_kind op)
{
    node *fused;
    if (y < 0 || graph_output(g, y) != SEPCL_OK || fuse_nodes(g, (const int[]){0, 1, 2}, n, op, &fused) != SEPCL_OK)
        return false;
    graph_compact(g);
    return true;
}

void launch_inner_act(launch *k, const char *name, const node_view *part)
{
    const act *f = &part->n->epi.act;
    launch_define_text(k, name, act_macro(f->kind));
    arg_f32(k, f->a);
    arg_f32(k, f->b);
}

void depthwise_fill(const node_view *part, float *to)
{
    const conv_geometry g = conv_geometry_of(part);
    const weight_view   w = weights_of(part, &g.a->w);
    for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
        for (int64_t kx = 0; kx < g.a->kernel[1]; kx++)
            for (int64_t o = 0; o < g.out.c; o++)
                *to++ = weight_at(&w, o, 0, ky, kx);
}

void depthwise_fill_bias(const node_view *part, float *to)
{
    for (int64_t o = 0; o < part->n->a.conv.out_channels; o++)
        to[o] = bias_at(part, o);
}

int depthwise_vector(const caps *c, int64_t channels)
{
    const int most = c->simd_width > 1 ? 2 * c->simd_width : 4;
    for (int v = 16; v > 2; v /= 2)
        if (v <= most && channels >= v)
            return v;
    return 1;
}

int depthwise_columns(const caps *c, const conv_geometry *g, int v)
{
    /* 7 first: it divides all widths that begin with 224, which then share programs */
    static const int widths[] = {7, 8, 6, 5, 4};
    const int        native = (int)div_up(v, c->simd_width > 0 ? c->simd_width : 1);
    const int        registers = caps_is_cpu(c) ? c->vector_registers : 16 * native;
    int              best = 4;
    int64_t          least = INT64_MAX;
    for (size_t i = 0; i < sizeof widths / sizeof *widths; i++) {
        const int     m = widths[i];
        const int     columns = (m - 1) * g->a->stride[1] + (g->a->kernel[1] - 1) * g->a->dilation[1] + 1;
        const int64_t covered = round_up(g->out.w, m);
        if (m > 4 && native * (m + columns + g->a->kernel[1]) > registers)
            continue;
        if (covered < least) {
            least = covered;
            best = m;
        }
    }
    return best;
}

bool fused_inner_part(const node *n)
{
    return n->op == OP_CONV && n->epi.act2.kind == ACT_NONE && (CONV_RES >= n->n_in || n->in[CONV_RES] < 0);
}
