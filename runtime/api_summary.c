/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a model as its author knows them: the graph as read, before any pass. */
#include <stdio.h>
#include <stdlib.h>

#include "api.h"
#include "ops/conv_part.h"
#include "separate/spectrum.h"

typedef struct layer {
    const node *n;
    const char *op, *detail;
} layer;

struct sepcl_summary {
    graph *g;
    layer *layers;
    int    n_layers;
};

/* ------------------------------------------------------------------ names */

static const char *activation_name(act_kind k, float a, float b)
{
    if (k == ACT_CLAMP && a == 0)
        return b == 6 ? "ReLU6" : b > 1e30f ? "ReLU" : "Clip";
    return act_name(k);
}

const char *api_conv_name(const node_view *v)
{
    return conv_geometry_of(v).depthwise ? "DepthwiseConv2D" : "Conv2D";
}

static const char *reduce_name(const node_view *v)
{
    const attr_reduce *a = &v->n->a.reduce;
    const bool         spatial = nv_in(v, 0)->shape.rank == 4 && a->axes == 6u;
    if (spatial && a->kind == REDUCE_MEAN)
        return "GlobalAveragePooling2D";
    return spatial && a->kind == REDUCE_MAX ? "GlobalMaxPooling2D" : "Reduce";
}

static const char *layer_name(const node_view *v)
{
    static const char *const binary[] = {"Add", "Subtract", "Multiply", "Divide", "Power", "Minimum", "Maximum", "PReLU"};
    static const char *const plain[OP_COUNT] = {
        [OP_CONV_TRANSPOSE] = "Conv2DTranspose", [OP_DENSE] = "Dense", [OP_MATMUL] = "MatMul",
        [OP_SOFTMAX] = "Softmax", [OP_CONCAT] = "Concatenate", [OP_SLICE] = "Slice", [OP_PAD] = "ZeroPadding2D",
        [OP_RESIZE] = "UpSampling2D", [OP_TRANSPOSE] = "Permute", [OP_RESHAPE] = "Reshape", [OP_EXPAND] = "Expand",
        [OP_GATHER] = "Gather", [OP_CAST] = "Cast", [OP_LRN] = "LRN", [OP_BATCH_NORM] = "BatchNormalization",
        [OP_INSTANCE_NORM] = "InstanceNormalization", [OP_LAYER_NORM] = "LayerNormalization",
    };
    const node *n = v->n;
    switch (n->op) {
    case OP_CONV:
        return api_conv_name(v);
    case OP_POOL:
        return n->a.pool.kind == POOL_MAX ? "MaxPooling2D" : n->a.pool.kind == POOL_AVERAGE ? "AveragePooling2D" : "LpPooling2D";
    case OP_REDUCE:
        return reduce_name(v);
    case OP_BINARY:
        return binary[n->a.binary.kind];
    case OP_UNARY:
        return activation_name(n->a.unary.f.kind, n->a.unary.f.a, n->a.unary.f.b);
    default:
        return plain[n->op] ? plain[n->op] : op_name(n->op);
    }
}

const char *api_conv_detail(graph *g, const node *n)
{
    const attr_conv *a = &n->a.conv;
    char             extra[64] = "";
    const bool       padded = a->pad[0] || a->pad[1] || a->pad[2] || a->pad[3];
    if (a->dilation[0] > 1 || a->dilation[1] > 1)
        snprintf(extra, sizeof extra, " d%d", a->dilation[0] > a->dilation[1] ? a->dilation[0] : a->dilation[1]);
    return arena_printf(&g->memory, "%dx%d s%d%s%s", a->kernel[0], a->kernel[1], a->stride[0], extra,
                        padded ? " padded" : " valid");
}

/* ------------------------------------------------------------------ life */

sepcl_status sepcl_summary_create(const sepcl_model *model, const sepcl_input_shape *shapes, int n_shapes,
                                  sepcl_summary **summary_out)
{
    *summary_out = NULL;
    if (!model)
        return fail(SEPCL_INVALID, "sepcl_summary_create: model is NULL");
    sepcl_summary *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(sizeof *s, "a summary");
    status st = api_graph(model, shapes, n_shapes, &s->g);
    if (st == SEPCL_OK && !(s->layers = arena_array(&s->g->memory, (size_t)s->g->n_nodes, sizeof *s->layers)))
        st = SEPCL_OUT_OF_MEMORY;
    for (int i = 0; st == SEPCL_OK && i < s->g->n_nodes; i++) {
        const node     *n = s->g->nodes[i];
        const node_view v = {s->g, n};
        if (n->dead || n->layout)
            continue;
        layer *l = &s->layers[s->n_layers++];
        *l = (layer){n, layer_name(&v), ""};
        if (n->op == OP_CONV && !(l->detail = api_conv_detail(s->g, n)))
            st = SEPCL_OUT_OF_MEMORY;
    }
    if (st != SEPCL_OK) {
        sepcl_summary_destroy(s);
        return st;
    }
    *summary_out = s;
    return SEPCL_OK;
}

void sepcl_summary_destroy(sepcl_summary *s)
{
    if (!s)
        return;
    graph_destroy(s->g);
    free(s);
}

int sepcl_summary_layer_count(const sepcl_summary *s)
{
    return s ? s->n_layers : 0;
}

/* ------------------------------------------------------------------ one layer */

/* The other forms of a convolution layer, in multiplications. */
static void other_forms(const node_view *v, sepcl_layer_info *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const uint64_t      kh = (uint64_t)g.a->kernel[0], kw = (uint64_t)g.a->kernel[1];
    const uint64_t      ci = (uint64_t)g.in.c, co = (uint64_t)g.out.c;
    const uint64_t      pixels = (uint64_t)(g.out.n * g.out.h * g.out.w);
    out->is_convolution = true;
    out->dense_multiplications = pixels * kh * kw * ci * co;
    if (g.plain_depthwise)
        out->separable_multiplications = pixels * kh * kw * ci;
    else if (kh * kw == 1) /* there is nothing to separate */
        out->separable_multiplications = out->multiplications;
    else
        out->separable_multiplications = pixels * (kh * kw * ci + ci * co);
    if (g.a->group == 1 && kh > 1 && kw > 1) /* k x 1 over the input's columns, then 1 x k */
        out->spatial_multiplications =
            (uint64_t)(g.out.n * g.out.h * (g.in.w + g.a->pad[1] + g.a->pad[3])) * kh * ci * co + pixels * kw * co * co;
}

sepcl_status sepcl_summary_layer(const sepcl_summary *s, int index, sepcl_layer_info *out)
{
    *out = (sepcl_layer_info){0};
    if (index < 0 || index >= sepcl_summary_layer_count(s))
        return fail(SEPCL_INVALID, "layer %d: the summary has %d", index, sepcl_summary_layer_count(s));
    const layer    *l = &s->layers[index];
    const node_view v = {s->g, l->n};
    op_count        c = {0};
    if (op_get(l->n->op)->count)
        op_get(l->n->op)->count(&v, &c);
    out->name = l->n->name;
    out->op = l->op;
    out->detail = l->detail;
    out->output = api_shape(&nv_out(&v, 0)->shape);
    out->parameters = out->trainable = c.parameters;
    if (l->n->op == OP_BATCH_NORM) /* gamma and beta are trained, mean and variance are counted */
        out->trainable = c.parameters / 2;
    out->multiplications = c.multiplications;
    out->additions = c.additions;
    if (l->n->op == OP_CONV)
        other_forms(&v, out);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ what separates */

static status exact_form_of(const node_view *v, sepcl_exact_form *out)
{
    conv_part c;
    TRY(conv_part_of(v, &c));
    const status st = weights_are_finite(&c) ? spectrum_exact_form(&c, conv_geometry_of(v).in, out) : SEPCL_OK;
    conv_part_free(&c);
    return st;
}

sepcl_status sepcl_summary_exact_form(const sepcl_summary *s, int index, sepcl_exact_form *out)
{
    *out = (sepcl_exact_form){SEPCL_FORM_AS_IT_IS, 0, 0};
    if (index < 0 || index >= sepcl_summary_layer_count(s))
        return fail(SEPCL_INVALID, "layer %d: the summary has %d", index, sepcl_summary_layer_count(s));
    const node_view v = {s->g, s->layers[index].n};
    if (!svd_available())
        return fail(SEPCL_UNSUPPORTED, "this build of sepcl has no LAPACK, which finding out what separates needs");
    const status st = v.n->op == OP_CONV ? exact_form_of(&v, out) : SEPCL_OK;
    return st == SEPCL_OK ? st : fail_in(st, "layer '%s' (conv)", v.n->name);
}
