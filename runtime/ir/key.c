/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A node as text: all that decides how fast it runs, and nothing that differs between two models that have the same
 * layer. Numbers that only change values (epsilon, the bounds of a clamp) and the file's layout of weights are left
 * out.
 *
 *     conv 1x56x56x24 const const > 1x56x56x144 k1x1 s1x1 d1x1 p0,0,0,0 g1 clamp
 */
#include "ir/op.h"

static void put_ints(strbuf *t, const char *name, const int *v, int n)
{
    for (int i = 0; i < n; i++)
        strbuf_put(t, "%s%d", i ? "," : name, v[i]);
}

static void put_longs(strbuf *t, const char *name, const int64_t *v, int n)
{
    for (int i = 0; i < n; i++)
        strbuf_put(t, "%s%lld", i ? "," : name, (long long)v[i]);
}

static void put_conv(strbuf *t, const attr_conv *a)
{
    strbuf_put(t, " k%dx%d s%dx%d d%dx%d", a->kernel[0], a->kernel[1], a->stride[0], a->stride[1], a->dilation[0],
               a->dilation[1]);
    put_ints(t, " p", a->pad, 4);
    strbuf_put(t, " g%d", a->group);
}

static void put_pool(strbuf *t, const attr_pool *a)
{
    static const char *const kinds[] = {"max", "average", "lp"};
    strbuf_put(t, " %s k%dx%d s%dx%d d%dx%d", kinds[a->kind], a->kernel[0], a->kernel[1], a->stride[0], a->stride[1],
               a->dilation[0], a->dilation[1]);
    put_ints(t, " p", a->pad, 4);
    strbuf_put(t, "%s", a->count_include_pad ? " padded" : "");
}

static void put_slice(strbuf *t, const attr_slice *a, int rank)
{
    put_longs(t, " from", a->start, rank);
    put_longs(t, " step", a->step, rank);
}

static void put_pad(strbuf *t, const attr_pad *a, int rank)
{
    strbuf_put(t, " mode%d", (int)a->mode);
    put_longs(t, " before", a->before, rank);
}

static void put_attributes(strbuf *t, op_kind op, const attrs *a, int rank)
{
    switch (op) {
    case OP_CONV:
    case OP_CONV_TRANSPOSE:
        put_conv(t, &a->conv);
        break;
    case OP_POOL:
        put_pool(t, &a->pool);
        break;
    case OP_REDUCE:
        strbuf_put(t, " kind%d axes%x", (int)a->reduce.kind, (unsigned)a->reduce.axes);
        break;
    case OP_BINARY:
        strbuf_put(t, " kind%d", (int)a->binary.kind);
        break;
    case OP_UNARY:
        strbuf_put(t, " %s", act_name(a->unary.f.kind));
        break;
    case OP_SOFTMAX:
        strbuf_put(t, " axis%d%s", a->softmax.axis, a->softmax.log ? " log" : "");
        break;
    case OP_CONCAT:
        strbuf_put(t, " axis%d", a->concat.axis);
        break;
    case OP_SLICE:
        put_slice(t, &a->slice, rank);
        break;
    case OP_PAD:
        put_pad(t, &a->pad, rank);
        break;
    case OP_RESIZE:
        strbuf_put(t, " mode%d", (int)a->resize.mode);
        break;
    case OP_RESAMPLE:
        strbuf_put(t, " axis%d", a->resample.axis);
        break;
    case OP_GRID_SAMPLE:
        strbuf_put(t, " mode%d outside%d", (int)a->grid_sample.mode, (int)a->grid_sample.outside);
        break;
    case OP_TRANSPOSE:
        put_ints(t, " perm", a->transpose.perm, rank);
        break;
    case OP_GATHER:
        strbuf_put(t, " axis%d", a->gather.axis);
        break;
    case OP_LRN:
        strbuf_put(t, " size%d", a->lrn.size);
        break;
    case OP_LAYER_NORM:
        strbuf_put(t, " axis%d", a->norm.axis);
        break;
    default: /* shapes say all there is */
        break;
    }
}

static void put_value(strbuf *t, const value *v)
{
    char shape[SHAPE_TEXT];
    strbuf_put(t, "%s", shape_text(&v->shape, shape));
    if (v->type != DT_F32)
        strbuf_put(t, ":%s", dtype_name(v->type));
}

/* Weights are packed for the kernel: the order in which the file has them does not count. */
static bool is_packed(op_kind op, int input)
{
    return (op == OP_CONV || op == OP_CONV_TRANSPOSE || op == OP_DENSE) && input >= CONV_W && input <= CONV_SCALE;
}

static void put_inputs(strbuf *t, const node_view *v)
{
    int last = v->n->n_in;
    while (last > 0 && v->n->in[last - 1] < 0)
        last--;
    for (int i = 0; i < last; i++) {
        strbuf_put(t, " ");
        if (!nv_has(v, i)) {
            strbuf_put(t, "-");
            continue;
        }
        const value *in = nv_in(v, i);
        strbuf_put(t, "%s", in->data ? "const" : "");
        if (in->data && is_packed(v->n->op, i))
            continue;
        strbuf_put(t, "%s", in->data ? " " : "");
        put_value(t, in);
    }
}

static void put_node(strbuf *t, const node_view *v)
{
    const node *n = v->n;
    strbuf_put(t, "%s", op_name(n->op));
    put_inputs(t, v);
    strbuf_put(t, " >");
    for (int i = 0; i < n->n_out; i++) {
        strbuf_put(t, " ");
        put_value(t, nv_out(v, i));
    }
    put_attributes(t, n->op, &n->a, nv_has(v, 0) ? nv_in(v, 0)->shape.rank : 0);
    if (n->epi.act.kind != ACT_NONE)
        strbuf_put(t, " %s", act_name(n->epi.act.kind));
    if (n->epi.act2.kind != ACT_NONE)
        strbuf_put(t, " then %s", act_name(n->epi.act2.kind));
}

void chain_key(const graph *g, node *const *nodes, int n, strbuf *t)
{
    for (int i = 0; i < n; i++) {
        strbuf_put(t, "%s", i ? " + " : "");
        put_node(t, &(node_view){g, nodes[i]});
    }
}

void node_key(const node_view *v, strbuf *t)
{
    if (!v->n->n_sub) {
        put_node(t, v);
        return;
    }
    strbuf_put(t, "%s: ", op_name(v->n->op));
    chain_key(v->g, v->n->sub, v->n->n_sub, t);
}
