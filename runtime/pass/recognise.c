/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Activations that exporters write as several nodes become one: swish, hard sigmoid, hard swish, gelu. First, arithmetic
 * with a scalar constant becomes `affine` or `clamp`, so that the patterns have one spelling.
 */
#include <math.h>

#include "ir/op.h"
#include "pass/pass.h"

static bool scalar(const graph *g, value_id v, float *out)
{
    const value *c = &g->values[v];
    if (!c->data || shape_count(&c->shape) != 1)
        return false;
    *out = data_float(c->type, c->data, 0);
    return true;
}

static void make_unary(graph *g, node *n, value_id x, act f)
{
    (void)g;
    n->op = OP_UNARY;
    n->in[0] = x;
    n->n_in = 1;
    n->a.unary.f = f;
}

/* The function of one number that a binary node with a scalar constant is; false when it is none of acts.inc. */
static bool as_function(binary_kind kind, float c, bool constant_first, act *f)
{
    switch (kind) {
    case BINARY_ADD:
        *f = (act){ACT_AFFINE, 1, c};
        return true;
    case BINARY_SUB:
        *f = constant_first ? (act){ACT_AFFINE, -1, c} : (act){ACT_AFFINE, 1, -c};
        return true;
    case BINARY_MUL:
        *f = (act){ACT_AFFINE, c, 0};
        return isfinite(c);
    case BINARY_DIV:
        *f = constant_first ? (act){ACT_RECIPROCAL, 0, 0} : (act){ACT_AFFINE, 1 / c, 0};
        return constant_first ? c == 1 : c != 0 && isfinite(c) && isfinite(1 / c);
    case BINARY_MAX:
        *f = (act){ACT_CLAMP, c, INFINITY};
        return c == c;
    case BINARY_MIN:
        *f = (act){ACT_CLAMP, -INFINITY, c};
        return c == c;
    case BINARY_PRELU:
        *f = (act){ACT_LEAKY, c, 0};
        return !constant_first;
    default:
        return false;
    }
}

static void simplify_scalar(graph *g, node *n)
{
    float c;
    act   f;
    if (n->op != OP_BINARY)
        return;
    for (int k = 0; k < 2; k++) {
        const value_id x = n->in[1 - k];
        if (scalar(g, n->in[k], &c) && shape_equal(&g->values[x].shape, &g->values[n->out[0]].shape) &&
            as_function(n->a.binary.kind, c, k == 0, &f)) {
            make_unary(g, n, x, f);
            return;
        }
    }
}

static node *maker(const graph *g, value_id v)
{
    const int p = v < 0 ? -1 : g->values[v].producer;
    return p < 0 ? NULL : g->nodes[p];
}

/* The unary node of that kind that makes v and is read only once; NULL. */
static node *unary_maker(const graph *g, value_id v, act_kind kind)
{
    node *n = maker(g, v);
    return n && n->op == OP_UNARY && n->a.unary.f.kind == kind && graph_uses(g, v) == 1 ? n : NULL;
}

static bool near(double a, double b)
{
    return fabs(a - b) <= 1e-4 * fabs(b);
}

/* affine after affine; clamp to [0, h] after affine, then times 1/h: hard sigmoid. */
static void simplify_chain(graph *g, node *n)
{
    if (n->op != OP_UNARY || n->a.unary.f.kind != ACT_AFFINE)
        return;
    const act   f = n->a.unary.f;
    const node *inner = unary_maker(g, n->in[0], ACT_AFFINE);
    if (inner) {
        const act h = inner->a.unary.f;
        make_unary(g, n, inner->in[0], (act){ACT_AFFINE, f.a * h.a, f.a * h.b + f.b});
        return;
    }
    const node *clamp = unary_maker(g, n->in[0], ACT_CLAMP);
    const node *shift = clamp ? unary_maker(g, clamp->in[0], ACT_AFFINE) : NULL;
    if (shift && clamp->a.unary.f.a == 0 && isfinite(clamp->a.unary.f.b) && f.b == 0 &&
        near((double)f.a * clamp->a.unary.f.b, 1))
        make_unary(g, n, shift->in[0], (act){ACT_HARD_SIGMOID, shift->a.unary.f.a * f.a, shift->a.unary.f.b * f.a});
}

/* x * s(x) with s sigmoid or hard sigmoid. */
static void product_with_gate(graph *g, node *n)
{
    if (n->op != OP_BINARY || n->a.binary.kind != BINARY_MUL)
        return;
    for (int k = 0; k < 2; k++) {
        const value_id x = n->in[1 - k];
        const node    *s = unary_maker(g, n->in[k], ACT_SIGMOID);
        const node    *h = unary_maker(g, n->in[k], ACT_HARD_SIGMOID);
        if (s && s->in[0] == x) {
            make_unary(g, n, x, (act){ACT_SWISH, 1, 0});
            return;
        }
        if (h && h->in[0] == x) {
            make_unary(g, n, x, (act){ACT_HARD_SWISH, h->a.unary.f.a, h->a.unary.f.b});
            return;
        }
    }
}

/* (x * clamp(a x + b, 0, h)) / h */
static void hard_swish_divided_last(graph *g, node *n)
{
    if (n->op != OP_UNARY || n->a.unary.f.kind != ACT_AFFINE || n->a.unary.f.b != 0)
        return;
    const node *product = maker(g, n->in[0]);
    if (!product || product->op != OP_BINARY || product->a.binary.kind != BINARY_MUL || graph_uses(g, n->in[0]) != 1)
        return;
    for (int k = 0; k < 2; k++) {
        const value_id x = product->in[1 - k];
        const node    *clamp = unary_maker(g, product->in[k], ACT_CLAMP);
        const node    *shift = clamp ? unary_maker(g, clamp->in[0], ACT_AFFINE) : NULL;
        const float    f = n->a.unary.f.a;
        if (shift && shift->in[0] == x && clamp->a.unary.f.a == 0 && near((double)f * clamp->a.unary.f.b, 1)) {
            make_unary(g, n, x, (act){ACT_HARD_SWISH, shift->a.unary.f.a * f, shift->a.unary.f.b * f});
            return;
        }
    }
}

/* x * (1 + erf(x / sqrt 2)) / 2, the half before or after the product. */
static void gelu(graph *g, node *n)
{
    const bool  scaled = n->op == OP_UNARY && n->a.unary.f.kind == ACT_AFFINE && n->a.unary.f.b == 0;
    const node *product = scaled ? maker(g, n->in[0]) : n;
    double      half = scaled ? n->a.unary.f.a : 1;
    if (!product || product->op != OP_BINARY || product->a.binary.kind != BINARY_MUL ||
        (scaled && graph_uses(g, n->in[0]) != 1))
        return;
    for (int k = 0; k < 2; k++) {
        value_id    x = product->in[1 - k];
        const node *shift = unary_maker(g, product->in[k], ACT_AFFINE);
        const node *e = shift ? unary_maker(g, shift->in[0], ACT_ERF) : NULL;
        const node *in = e ? unary_maker(g, e->in[0], ACT_AFFINE) : NULL;
        const node *pre = unary_maker(g, x, ACT_AFFINE); /* x may come halved */
        if (!in || in->a.unary.f.b != 0 || !near(in->a.unary.f.a, 0.70710678))
            continue;
        if (in->in[0] != x && pre && pre->a.unary.f.b == 0 && pre->in[0] == in->in[0]) {
            half *= pre->a.unary.f.a;
            x = pre->in[0];
        }
        if (in->in[0] != x || !near(half * shift->a.unary.f.a, 0.5) || !near(half * shift->a.unary.f.b, 0.5))
            continue;
        make_unary(g, n, x, (act){ACT_GELU, 0, 0});
        return;
    }
}

/* Nodes that only fed what was replaced; their reads would hide further patterns. */
static status sweep(graph *g, const pass_options *o)
{
    TRY(pass_drop_dead(g, o));
    graph_compact(g);
    return SEPCL_OK;
}

status pass_recognise(graph *g, const pass_options *o)
{
    static void (*const steps[])(graph *, node *) = {simplify_scalar, gelu, simplify_chain, hard_swish_divided_last,
                                                     product_with_gate};
    for (size_t s = 0; s < sizeof steps / sizeof *steps; s++) {
        for (int i = 0; i < g->n_nodes; i++)
            if (!g->nodes[i]->dead && g->nodes[i]->n_out == 1)
                steps[s](g, g->nodes[i]);
        TRY(sweep(g, o));
    }
    return SEPCL_OK;
}
