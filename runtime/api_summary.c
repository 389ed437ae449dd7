/* SPDX-License-Identifier: Apache-2.0 */
/* The layers of a model as its author knows them: the graph as read, before any pass. */
#include <stdio.h>
#include <stdlib.h>

#include "api.h"
#include "ops/conv_part.h"
#include "separate/spectrum.h"

struct sepcl_summary {
    graph            *g;
    sepcl_layer_info *layers;
    const node      **convs; /* by layer: its first convolution, or NULL */
    int               n_layers;
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
    static const char *const binary[BINARY_COUNT] = {
#define BINARY(NAME, fn, layer) [BINARY_##NAME] = layer,
#include "ir/binaries.inc"
#undef BINARY
    };
    static const char *const plain[OP_COUNT] = {
        [OP_CONV_TRANSPOSE] = "Conv2DTranspose",
        [OP_DENSE] = "Dense",
        [OP_MATMUL] = "MatMul",
        [OP_SOFTMAX] = "Softmax",
        [OP_CONCAT] = "Concatenate",
        [OP_SLICE] = "Slice",
        [OP_PAD] = "ZeroPadding2D",
        [OP_RESIZE] = "UpSampling2D",
        [OP_TRANSPOSE] = "Permute",
        [OP_RESHAPE] = "Reshape",
        [OP_EXPAND] = "Expand",
        [OP_GATHER] = "Gather",
        [OP_CAST] = "Cast",
        [OP_LRN] = "LRN",
        [OP_BATCH_NORM] = "BatchNormalization",
        [OP_INSTANCE_NORM] = "InstanceNormalization",
        [OP_LAYER_NORM] = "LayerNormalization",
        [OP_WHERE] = "Where",
        [OP_RESAMPLE] = "Resample",
        [OP_GRID_SAMPLE] = "GridSample",
    };
    const node *n = v->n;
    switch (n->op) {
    case OP_CONV:
        return api_conv_name(v);
    case OP_POOL:
        return n->a.pool.kind == POOL_MAX       ? "MaxPooling2D"
               : n->a.pool.kind == POOL_AVERAGE ? "AveragePooling2D"
                                                : "LpPooling2D";
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

/* ------------------------------------------------------------------ other forms of a convolution */

/* Multiplications; spatial is 0 where there is no such form. */
typedef struct forms {
    uint64_t own, dense, separable, spatial;
} forms;

/* co: output channels of the pointwise convolution when one follows and belongs to the layer, else the own ones. */
static forms forms_of(const conv_geometry *g, uint64_t own, uint64_t co, bool followed)
{
    const uint64_t kh = (uint64_t)g->a->kernel[0], kw = (uint64_t)g->a->kernel[1], ci = (uint64_t)g->in.c;
    const uint64_t pixels = (uint64_t)(g->out.n * g->out.h * g->out.w);
    forms          f = {.own = own, .dense = pixels * kh * kw * ci * co};
    if (followed || kh * kw == 1) /* it is separable already, or there is nothing to separate */
        f.separable = own;
    else
        f.separable = pixels * (kh * kw * ci + (g->plain_depthwise ? 0 : ci * co));
    if ((followed || g->a->group == 1) && kh > 1 && kw > 1) /* k x 1 over the input's columns, then 1 x k */
        f.spatial = (uint64_t)(g->out.n * g->out.h * (g->in.w + g->a->pad[1] + g->a->pad[3])) * kh * ci * co +
                    pixels * kw * co * co;
    return f;
}

/* ------------------------------------------------------------------ layers */

static uint64_t multiplications_of(const node_view *v, uint64_t *additions, uint64_t *parameters)
{
    op_count c = {0};
    if (op_get(v->n->op)->count)
        op_get(v->n->op)->count(v, &c);
    *additions = c.additions;
    *parameters = c.parameters;
    return c.multiplications;
}

/* What is known of a layer while its nodes are gone through. */
typedef struct tally {
    node_view depthwise; /* its last node, when that may be the first half of a separable convolution */
    uint64_t  spatial;   /* multiplications with all convolutions spatial that can be */
} tally;

/* A convolution of a layer, which may be the second half of the one before. */
static void add_convolution(const node_view *v, uint64_t own, sepcl_layer_info *out, tally *t)
{
    const conv_geometry g = conv_geometry_of(v);
    const node_view     first = t->depthwise;
    forms               f = forms_of(&g, own, (uint64_t)g.out.c, false);
    t->depthwise = (node_view){0};
    if (first.n && g.pointwise && v->n->in[CONV_X] == first.n->out[0]) {
        const conv_geometry d = conv_geometry_of(&first);
        uint64_t            unused;
        const uint64_t      before = multiplications_of(&first, &unused, &unused);
        const forms         alone = forms_of(&d, before, (uint64_t)d.out.c, false);
        f = forms_of(&d, before + own, (uint64_t)g.out.c, true);
        out->dense_multiplications -= alone.dense;
        out->separable_multiplications -= alone.separable;
        t->spatial -= alone.spatial ? alone.spatial : alone.own;
    } else if (g.depthwise && g.a->group > 1) {
        t->depthwise = *v;
    }
    out->is_convolution = true;
    out->dense_multiplications += f.dense;
    out->separable_multiplications += f.separable;
    t->spatial += f.spatial ? f.spatial : f.own;
    if (f.spatial)
        out->spatial_multiplications = 1; /* there is such a form; its cost is in the tally */
}

static status add_node(graph *g, const node_view *v, sepcl_layer_info *out, tally *t)
{
    uint64_t       additions, parameters;
    const uint64_t multiplications = multiplications_of(v, &additions, &parameters);
    out->multiplications += multiplications;
    out->additions += additions;
    if (!v->n->layer) {
        out->parameters = out->trainable = parameters;
        if (v->n->op == OP_BATCH_NORM) /* gamma and beta are trained, mean and variance are counted */
            out->trainable = parameters / 2;
    }
    if (v->n->op != OP_CONV)
        return SEPCL_OK;
    if (!out->is_convolution && !(out->detail = api_conv_detail(g, v->n)))
        return SEPCL_OUT_OF_MEMORY;
    add_convolution(v, multiplications, out, t);
    return SEPCL_OK;
}

/* The layers of the file, when it has such a list. */
static void name_layers(sepcl_summary *s)
{
    const graph *g = s->g;
    for (int i = 0; i < g->n_layers; i++)
        s->layers[s->n_layers++] = (sepcl_layer_info){.name = g->layers[i].name,
                                                      .op = g->layers[i].type,
                                                      .detail = "",
                                                      .output = api_shape(&g->layers[i].output),
                                                      .parameters = g->layers[i].parameters,
                                                      .trainable = g->layers[i].trainable};
}

static status add_nodes(sepcl_summary *s, tally *tallies)
{
    graph *g = s->g;
    name_layers(s);
    for (int i = 0; i < g->n_nodes; i++) {
        const node     *n = g->nodes[i];
        const node_view v = {g, n};
        if (n->dead || (n->layout && !n->layer))
            continue;
        const int at = n->layer ? n->layer - 1 : s->n_layers++;
        if (!n->layer)
            s->layers[at] = (sepcl_layer_info){
                .name = n->name, .op = layer_name(&v), .detail = "", .output = api_shape(&nv_out(&v, 0)->shape)};
        if (n->op == OP_CONV && !s->convs[at])
            s->convs[at] = n;
        TRY(add_node(g, &v, &s->layers[at], &tallies[at]));
    }
    for (int i = 0; i < s->n_layers; i++)
        if (s->layers[i].spatial_multiplications)
            s->layers[i].spatial_multiplications = tallies[i].spatial;
    return SEPCL_OK;
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
    tally *tallies = NULL;
    if (st == SEPCL_OK) {
        const size_t most = (size_t)s->g->n_nodes + (size_t)s->g->n_layers;
        s->layers = arena_array(&s->g->memory, most, sizeof *s->layers);
        tallies = arena_array(&s->g->memory, most, sizeof *tallies);
        s->convs = arena_array(&s->g->memory, most, sizeof *s->convs);
        st = s->layers && tallies && s->convs ? add_nodes(s, tallies) : SEPCL_OUT_OF_MEMORY;
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

sepcl_status sepcl_summary_layer(const sepcl_summary *s, int index, sepcl_layer_info *out)
{
    *out = (sepcl_layer_info){0};
    if (index < 0 || index >= sepcl_summary_layer_count(s))
        return fail(SEPCL_INVALID, "layer %d: the summary has %d", index, sepcl_summary_layer_count(s));
    *out = s->layers[index];
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
    const node_view v = {s->g, s->convs[index]};
    if (!svd_available())
        return fail(SEPCL_UNSUPPORTED, "this build of sepcl has no LAPACK, which finding out what separates needs");
    const status st = v.n ? exact_form_of(&v, out) : SEPCL_OK;
    return st == SEPCL_OK ? st : fail_in(st, "layer '%s' (conv)", v.n->name);
}
