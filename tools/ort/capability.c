/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which nodes sepcl takes. A node is taken when a model of it alone can be loaded; what is taken is cut into parts such
 * that no way leads out of a part and back into it: a node's level is one above that of what it gets through a node
 * that is not taken, and a part is a level.
 */
#include <stdlib.h>
#include <string.h>

#include "ort.h"

/* A part without one of these is not worth its copies. */
static bool is_heavy(const char *op)
{
    return !strcmp(op, "Conv") || !strcmp(op, "ConvTranspose") || !strcmp(op, "Gemm") || !strcmp(op, "MatMul");
}

/* Tensors that are computed are float32, with no free dimension but the batch. */
static OrtStatus *check_input(const OrtValueInfo *v, bool *ok)
{
    sepcl_shape shape;
    int         type;
    ORT_TRY(ort_value_shape(v, &type, &shape));
    *ok = type == ORT_FLOAT && shape.rank > 0;
    for (int i = 1; i < shape.rank; i++)
        *ok = *ok && shape.dims[i] > 0;
    *ok = *ok && (shape.rank == 0 || shape.dims[0] != 0);
    return NULL;
}

static OrtStatus *check_values(const ort_node *n, const OrtValueInfo **inputs, size_t *n_inputs, bool *ok)
{
    for (size_t i = 0; i < n->n_in && *ok; i++) {
        bool constant = false;
        if (!n->in[i])
            continue;
        ORT_TRY(ort_is_constant(n->in[i], &constant));
        if (constant)
            continue;
        ORT_TRY(check_input(n->in[i], ok));
        for (size_t k = 0; k < *n_inputs; k++) /* x + x */
            if (inputs[k] == n->in[i])
                constant = true;
        if (!constant)
            inputs[(*n_inputs)++] = n->in[i];
    }
    for (size_t i = 0; i < n->n_out && *ok; i++) {
        sepcl_shape shape;
        int         type = 0;
        if (n->out[i])
            ORT_TRY(ort_value_shape(n->out[i], &type, &shape));
        *ok = type == ORT_FLOAT;
    }
    return NULL;
}

/* Can sepcl load a model of this node alone? Its reasons are not errors. */
static OrtStatus *try_alone(const ort_node *n, const OrtValueInfo **inputs, size_t n_inputs, int64_t opset, bool *ok)
{
    onnx_bytes      file;
    sepcl_model    *model;
    const onnx_part part = {n, 1, inputs, n->out, n_inputs, n->n_out, opset, true};
    OrtStatus      *s = onnx_write(&part, &file);
    if (s) {
        ort.ReleaseStatus(s); /* an attribute that cannot be passed on, say */
        *ok = false;
        return NULL;
    }
    *ok = sepcl_model_load_memory(file.data, file.size, NULL, &model) == SEPCL_OK;
    sepcl_model_destroy(model);
    free(file.data);
    return NULL;
}

static OrtStatus *look_at(ort_node *n, int64_t opset)
{
    size_t subgraphs = 0, n_inputs = 0;
    bool   ok = !*n->domain || !strcmp(n->domain, "ai.onnx");
    ORT_TRY(ort.Node_GetNumSubgraphs(n->node, &subgraphs));
    const OrtValueInfo **inputs = calloc(n->n_in + 1, sizeof(*inputs));
    if (!inputs)
        return ort_no_memory();
    ok = ok && subgraphs == 0 && n->n_out > 0;
    OrtStatus *s = ok ? check_values(n, inputs, &n_inputs, &ok) : NULL;
    ok = ok && n_inputs > 0;
    if (!s && ok)
        s = try_alone(n, inputs, n_inputs, opset, &ok);
    free(inputs);
    n->supported = ok && !s;
    return s;
}

/* ---------------------------------------------------------------- parts */

static const ort_node *producer(const ort_node *nodes, size_t before, const OrtValueInfo *v, OrtStatus **s)
{
    const OrtNode *node = NULL;
    size_t         output = 0;
    *s = ort.ValueInfo_GetValueProducer(v, &node, &output);
    for (size_t i = before; node && i-- > 0;)
        if (nodes[i].node == node)
            return &nodes[i];
    return NULL;
}

static OrtStatus *set_level(ort_node *nodes, size_t at)
{
    ort_node *n = &nodes[at];
    for (size_t i = 0; i < n->n_in; i++) {
        OrtStatus      *s = NULL;
        const ort_node *from = n->in[i] ? producer(nodes, at, n->in[i], &s) : NULL;
        ORT_TRY(s);
        if (!from)
            continue;
        const int level = from->level + (from->supported && !n->supported);
        n->level = level > n->level ? level : n->level;
    }
    return NULL;
}

static OrtStatus *claim_level(const ort_node *nodes, size_t n, int level, OrtEpGraphSupportInfo *info)
{
    static const OrtNodeFusionOptions options = {.version = ORT_INTERFACE, .drop_constant_initializers = true};
    const OrtNode                   **part = calloc(n + 1, sizeof(*part));
    size_t                            count = 0;
    bool                              heavy = false;
    if (!part)
        return ort_no_memory();
    for (size_t i = 0; i < n; i++)
        if (nodes[i].supported && nodes[i].level == level) {
            part[count++] = nodes[i].node;
            heavy = heavy || is_heavy(nodes[i].op);
        }
    OrtStatus *s = heavy ? ort_ep->AddNodesToFuse(info, part, count, &options) : NULL;
    free(part);
    return s;
}

static OrtStatus *claim(ort_node *nodes, size_t n, int64_t opset, OrtEpGraphSupportInfo *info)
{
    int deepest = 0;
    for (size_t i = 0; i < n; i++) {
        ORT_TRY(look_at(&nodes[i], opset));
        ORT_TRY(set_level(nodes, i));
        deepest = nodes[i].level > deepest ? nodes[i].level : deepest;
    }
    for (int level = 0; level <= deepest; level++)
        ORT_TRY(claim_level(nodes, n, level, info));
    return NULL;
}

OrtStatus *ort_capability(OrtEp *ep, const OrtGraph *graph, OrtEpGraphSupportInfo *info)
{
    const OrtNode *parent = NULL;
    size_t         n = 0;
    int64_t        opset;
    (void)ep;
    ORT_TRY(ort.Graph_GetParentNode(graph, &parent));
    ORT_TRY(ort.Graph_GetNumNodes(graph, &n));
    ORT_TRY(ort_opset(graph, &opset));
    if (parent || n == 0)
        return NULL; /* the body of a loop or branch */
    const OrtNode **list = calloc(n, sizeof(*list));
    ort_node       *nodes = calloc(n, sizeof(*nodes));
    OrtStatus      *s = list && nodes ? ort.Graph_GetNodes(graph, list, n) : ort_no_memory();
    for (size_t i = 0; i < n && !s; i++)
        s = ort_node_read(list[i], &nodes[i]);
    if (!s)
        s = claim(nodes, n, opset, info);
    for (size_t i = 0; nodes && i < n; i++)
        ort_node_free(&nodes[i]);
    free(nodes);
    free(list);
    return s;
}
