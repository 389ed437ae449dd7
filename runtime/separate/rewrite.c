/* SPDX-License-Identifier: Apache-2.0 */
#include "separate/rewrite.h"

#include <stdlib.h>

#include "base/size.h"
#include "separate/bound.h"

void rewriting_free(rewriting *r)
{
    conv_part_free(&r->parts[0]);
    conv_part_free(&r->parts[1]);
    free(r->bias);
    *r = (rewriting){0};
}

const char *const *form_roles(sepcl_form form)
{
    static const char *const roles[][2] = {
        [SEPCL_FORM_AS_IT_IS] = {"", ""},
        [SEPCL_FORM_SPATIAL] = {"column", "row"},
        [SEPCL_FORM_DEPTHWISE] = {"depthwise", "pointwise"},
        [SEPCL_FORM_LOW_RANK] = {"reduce", "expand"},
        [SEPCL_FORM_FOLDED] = {"folded", "folded"},
    };
    return roles[form];
}

/* ------------------------------------------------------------------ putting parts in a node's place */

static value_id optional_input(const node *n, int slot)
{
    return slot < n->n_in ? n->in[slot] : -1;
}

static value_id weights_const(graph *g, const conv_part *c, const char *name)
{
    const shape s = SHAPE(c->a.out_channels, c->ci, c->a.kernel[0], c->a.kernel[1]);
    return graph_const(g, name, DT_F32, &s, c->w, false);
}

/* The inputs of the last part besides x and the weights are the old node's. */
static status last_inputs(graph *g, const node *old, const rewriting *r, value_id in[CONV_INPUTS])
{
    for (int k = CONV_B; k < CONV_INPUTS; k++)
        in[k] = optional_input(old, k);
    if (r->bias) {
        const shape s = SHAPE(r->parts[r->n_parts - 1].a.out_channels);
        in[CONV_B] = graph_const(g, old->name, DT_F32, &s, r->bias, false);
        return in[CONV_B] < 0 ? SEPCL_OUT_OF_MEMORY : SEPCL_OK;
    }
    return SEPCL_OK;
}

static status add_part(graph *g, const node *old, const rewriting *r, int part, value_id x, int at, value_id *out)
{
    const conv_part *c = &r->parts[part];
    const attrs      a = {.conv = c->a};
    const char      *name = arena_printf(&g->memory, "%s/%s", old->name, form_roles(r->form)[part]);
    value_id         in[CONV_INPUTS] = {x, -1, -1, -1, -1};
    const bool       last = part + 1 == r->n_parts;
    if (!name)
        return SEPCL_OUT_OF_MEMORY;
    in[CONV_W] = weights_const(g, c, name);
    if (in[CONV_W] < 0)
        return SEPCL_OUT_OF_MEMORY;
    if (last)
        TRY(last_inputs(g, old, r, in));
    TRY(graph_node(g, OP_CONV, name, &a, in, CONV_INPUTS, out, 1));
    node        *made = g->nodes[g->n_nodes - 1];
    const value *was = &g->values[old->out[0]];
    g->values[*out].type = was->type;
    if (last) {
        made->epi = old->epi;
        g->values[*out].name = was->name;
    }
    graph_move_last(g, at);
    return SEPCL_OK;
}

status rewrite_apply(graph *g, int at, const rewriting *r, int *first_out)
{
    node    *old = g->nodes[at], *before = NULL;
    value_id x = old->in[CONV_X];
    if (r->n_old == 2) {
        before = g->nodes[g->values[x].producer];
        x = before->in[CONV_X];
    }
    for (int i = 0; i < r->n_parts; i++)
        TRY(add_part(g, old, r, i, x, at + i, &x));
    graph_replace_uses(g, old->out[0], x);
    old->dead = true;
    if (before)
        before->dead = true;
    graph_compact(g);
    if (first_out)
        *first_out = at - (before != NULL);
    return graph_check(g);
}

/* ------------------------------------------------------------------ folding */

static bool has_plain_inputs(const node *n, bool bias_too)
{
    return optional_input(n, CONV_RES) < 0 && optional_input(n, CONV_SCALE) < 0 &&
           (bias_too || optional_input(n, CONV_B) < 0) && n->epi.act.kind == ACT_NONE && n->epi.act2.kind == ACT_NONE;
}

static bool is_depthwise_pair(const node_view *first, const attr_conv *b)
{
    const conv_geometry g = conv_geometry_of(first);
    return g.ci == 1 && g.a->kernel[0] * g.a->kernel[1] > 1 && (g.a->group > 1 || g.in.c == 1) && b->group == 1 &&
           b->kernel[0] == 1 && b->kernel[1] == 1;
}

static bool is_spatial_pair(const attr_conv *a, const attr_conv *b)
{
    return a->group == 1 && b->group == 1 && a->kernel[0] > 1 && a->kernel[1] == 1 && b->kernel[0] == 1 &&
           b->kernel[1] > 1 && a->stride[1] == 1 && !a->pad[1] && !a->pad[3];
}

static bool is_padded(const attr_conv *a)
{
    return a->pad[0] || a->pad[1] || a->pad[2] || a->pad[3];
}

bool fold_applies(const graph *g, int second, int *first_out, const char **why)
{
    const node *n = g->nodes[second];
    const int   at = n->op == OP_CONV ? g->values[n->in[CONV_X]].producer : -1;
    *why = NULL;
    if (at < 0 || g->nodes[at]->op != OP_CONV)
        return false;
    const node_view  before = {g, g->nodes[at]};
    const attr_conv *a = &before.n->a.conv, *b = &n->a.conv;
    const bool       depthwise = is_depthwise_pair(&before, b), spatial = is_spatial_pair(a, b);
    if ((!depthwise && !spatial) || (depthwise && is_padded(b)) || (spatial && (b->pad[0] || b->pad[2])))
        return false;
    /* strides of the second are steps of the first's output */
    if ((depthwise && (b->stride[0] > 1 || b->stride[1] > 1)) || (spatial && b->stride[0] > 1))
        *why = "the second of both strides over what the first made";
    else if (graph_uses(g, n->in[CONV_X]) != 1)
        *why = "others read what lies between";
    else if (!has_plain_inputs(before.n, true))
        *why = "the first of both is followed by something else";
    else if (optional_input(before.n, CONV_B) >= 0 && is_padded(b))
        *why = "the second of both pads what a bias was added to";
    *first_out = at;
    return *why == NULL;
}

/* bias = b2 + sum over mid channels and taps of W2 b1 */
static status fold_bias(const node_view *first, const node_view *second, const conv_part *b, dtype stored, float **out)
{
    *out = NULL;
    if (optional_input(first->n, CONV_B) < 0)
        return SEPCL_OK; /* the second's stays */
    const int64_t taps = b->a.kernel[0] * b->a.kernel[1];
    *out = calloc((size_t)b->a.out_channels, sizeof **out);
    if (!*out)
        return fail_memory((size_t)b->a.out_channels * sizeof **out, "a bias");
    for (int64_t o = 0; o < b->a.out_channels; o++) {
        double sum = bias_at(second, o);
        for (int64_t r = 0; r < b->ci; r++)
            for (int64_t t = 0; t < taps; t++)
                sum += (double)b->w[(o * b->ci + r) * taps + t] * (double)bias_at(first, r);
        (*out)[o] = stored == DT_F16 ? half_to_float(float_to_half((float)sum)) : (float)sum;
    }
    return SEPCL_OK;
}

/* The first's window, and along the axes where that is 1, the second's. */
conv_part fold_window(const graph *g, int first, int second)
{
    const node_view  v = {g, g->nodes[first]};
    const attr_conv *b = &g->nodes[second]->a.conv;
    conv_part        out = {.a = v.n->a.conv, .ci = conv_geometry_of(&v).in.c};
    out.a.group = 1;
    out.a.out_channels = b->out_channels;
    if (b->kernel[1] > 1) {
        out.a.kernel[1] = b->kernel[1];
        out.a.stride[1] = b->stride[1];
        out.a.dilation[1] = b->dilation[1];
        out.a.pad[1] = b->pad[1];
        out.a.pad[3] = b->pad[3];
    }
    conv_part_set_strides(&out);
    return out;
}

status fold_make(const graph *g, int first, int second, dtype stored, rewriting *out, double **joint_out)
{
    const node_view v[2] = {{g, g->nodes[first]}, {g, g->nodes[second]}};
    conv_part       pair[2] = {{.w = NULL}, {.w = NULL}};
    double         *joint = NULL;
    *out = (rewriting){.form = SEPCL_FORM_FOLDED, .n_old = 2, .n_parts = 1};
    status st = conv_part_of(&v[0], &pair[0]);
    if (st == SEPCL_OK)
        st = conv_part_of(&v[1], &pair[1]);
    if (st == SEPCL_OK) {
        out->parts[0] = fold_window(g, first, second);
        st = conv_part_alloc(&out->parts[0]);
    }
    if (st == SEPCL_OK && !(joint = compose(&out->parts[0], pair)))
        st = SEPCL_OUT_OF_MEMORY;
    for (int64_t i = 0; st == SEPCL_OK && i < conv_part_count(&out->parts[0]); i++)
        out->parts[0].w[i] = stored == DT_F16 ? half_to_float(float_to_half((float)joint[i])) : (float)joint[i];
    if (st == SEPCL_OK)
        st = fold_bias(&v[0], &v[1], &pair[1], stored, &out->bias);
    conv_part_free(&pair[0]);
    conv_part_free(&pair[1]);
    *joint_out = joint;
    if (st != SEPCL_OK) {
        free(joint);
        *joint_out = NULL;
        rewriting_free(out);
    }
    return st;
}
