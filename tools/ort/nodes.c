/* SPDX-License-Identifier: Apache-2.0 */
/* onnxruntime's nodes, and the model file that they make. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ort.h"

/* ---------------------------------------------------------------- reading */

OrtStatus *ort_node_read(const OrtNode *node, ort_node *out)
{
    *out = (ort_node){.node = node};
    ORT_TRY(ort.Node_GetOperatorType(node, &out->op));
    ORT_TRY(ort.Node_GetDomain(node, &out->domain));
    ORT_TRY(ort.Node_GetNumInputs(node, &out->n_in));
    ORT_TRY(ort.Node_GetNumOutputs(node, &out->n_out));
    out->in = calloc(out->n_in + 1, sizeof(*out->in));
    out->out = calloc(out->n_out + 1, sizeof(*out->out));
    if (!out->in || !out->out)
        return ort_no_memory();
    ORT_TRY(ort.Node_GetInputs(node, out->in, out->n_in));
    return ort.Node_GetOutputs(node, out->out, out->n_out);
}

void ort_node_free(ort_node *n)
{
    free(n->in);
    free(n->out);
    *n = (ort_node){0};
}

OrtStatus *ort_value_shape(const OrtValueInfo *v, int *type_out, sepcl_shape *shape_out)
{
    const OrtTypeInfo               *type = NULL;
    const OrtTensorTypeAndShapeInfo *tensor = NULL;
    size_t                           rank = 0;
    *type_out = 0;
    *shape_out = (sepcl_shape){0};
    ORT_TRY(ort.GetValueInfoTypeInfo(v, &type));
    if (!type)
        return NULL;
    ORT_TRY(ort.CastTypeInfoToTensorInfo(type, &tensor));
    if (!tensor)
        return NULL;
    ORT_TRY(ort.GetDimensionsCount(tensor, &rank));
    if (rank > ORT_MAX_RANK)
        return NULL;
    shape_out->rank = (int32_t)rank;
    ORT_TRY(ort.GetDimensions(tensor, shape_out->dims, rank));
    return ort.GetTensorElementType(tensor, type_out);
}

OrtStatus *ort_is_constant(const OrtValueInfo *v, bool *constant_out)
{
    *constant_out = false;
    return ort.ValueInfo_IsConstantInitializer(v, constant_out);
}

/* ---------------------------------------------------------------- protocol buffers */

static void put(onnx_bytes *b, const void *bytes, size_t size)
{
    if (b->failed || size == 0)
        return;
    if (size > b->room - b->size) {
        const size_t room = 2 * b->room + size + 64;
        uint8_t     *grown = room > b->size + size ? realloc(b->data, room) : NULL;
        if (!grown) {
            b->failed = true;
            return;
        }
        b->data = grown;
        b->room = room;
    }
    memcpy(b->data + b->size, bytes, size);
    b->size += size;
}

static void put_varint(onnx_bytes *b, uint64_t v)
{
    uint8_t bytes[10];
    size_t  n = 0;
    do {
        bytes[n++] = (uint8_t)(v & 127) | (v > 127 ? 128 : 0);
        v >>= 7;
    } while (v);
    put(b, bytes, n);
}

static void put_number(onnx_bytes *b, int field, int64_t v)
{
    put_varint(b, (uint64_t)field << 3);
    put_varint(b, (uint64_t)v);
}

static void put_block(onnx_bytes *b, int field, const void *bytes, size_t size)
{
    put_varint(b, (uint64_t)field << 3 | 2);
    put_varint(b, size);
    put(b, bytes, size);
}

static void put_text(onnx_bytes *b, int field, const char *text)
{
    put_block(b, field, text, strlen(text));
}

/* Appends an inner message, and frees it. */
static void put_inner(onnx_bytes *b, int field, onnx_bytes *inner)
{
    b->failed = b->failed || inner->failed;
    put_block(b, field, inner->data, inner->size);
    free(inner->data);
    *inner = (onnx_bytes){0};
}

/* ---------------------------------------------------------------- attributes */

enum { ATTRIBUTE_TYPE = 20 };

static void put_values(onnx_bytes *b, int type, const void *data, size_t bytes)
{
    static const int onnx_types[] = {0, 2, 7, 1, 6, 3};
    if (type == ORT_ATTRIBUTE_STRING) {
        put_block(b, 4, data, strnlen(data, bytes));
    } else if (type == ORT_ATTRIBUTE_INT || type == ORT_ATTRIBUTE_INTS) {
        for (size_t i = 0; i < bytes / sizeof(int64_t); i++)
            put_number(b, type == ORT_ATTRIBUTE_INT ? 3 : 8, ((const int64_t *)data)[i]);
    } else {
        for (size_t i = 0; i < bytes / sizeof(float); i++) {
            put_varint(b, (uint64_t)(type == ORT_ATTRIBUTE_FLOAT ? 2 : 7) << 3 | 5);
            put(b, (const float *)data + i, sizeof(float));
        }
    }
    put_number(b, ATTRIBUTE_TYPE, onnx_types[type]);
}

/* The first call says how much room is needed: by failing, unless there was enough. */
static OrtStatus *put_attribute(const OrtOpAttr *a, onnx_bytes *node)
{
    const char *name;
    int         type;
    size_t      bytes = 0, room = 256;
    onnx_bytes  inner = {0};
    ORT_TRY(ort.OpAttr_GetName(a, &name));
    ORT_TRY(ort.OpAttr_GetType(a, &type));
    if (type < ORT_ATTRIBUTE_INT || type > ORT_ATTRIBUTE_STRING)
        return ort_fail(ORT_NOT_IMPLEMENTED, "sepcl: attribute '%s' is of a kind that is not passed on", name);
    void      *data = malloc(room);
    OrtStatus *s = data ? ort.ReadOpAttr(a, type, data, room, &bytes) : ort_no_memory();
    if (s && bytes > room) {
        ort.ReleaseStatus(s);
        free(data);
        room = bytes;
        data = malloc(room);
        s = data ? ort.ReadOpAttr(a, type, data, room, &bytes) : ort_no_memory();
    }
    if (!s) {
        put_text(&inner, 1, name);
        put_values(&inner, type, data, bytes);
        put_inner(node, 5, &inner);
    }
    free(data);
    return s;
}

static OrtStatus *put_attributes(const OrtNode *node, onnx_bytes *b)
{
    size_t n = 0;
    ORT_TRY(ort.Node_GetNumAttributes(node, &n));
    const OrtOpAttr **all = calloc(n + 1, sizeof(*all));
    if (!all)
        return ort_no_memory();
    OrtStatus *s = ort.Node_GetAttributes(node, all, n);
    for (size_t i = 0; i < n && !s; i++)
        s = all[i] ? put_attribute(all[i], b) : NULL;
    free(all);
    return s;
}

/* ---------------------------------------------------------------- nodes, values */

static OrtStatus *put_name(onnx_bytes *b, int field, const OrtValueInfo *v)
{
    const char *name = "";
    if (v)
        ORT_TRY(ort.GetValueInfoName(v, &name));
    put_text(b, field, name);
    return NULL;
}

static OrtStatus *put_node(onnx_bytes *graph, const ort_node *n)
{
    onnx_bytes  b = {0};
    const char *name = "";
    OrtStatus  *s = NULL;
    for (size_t i = 0; i < n->n_in && !s; i++)
        s = put_name(&b, 1, n->in[i]);
    for (size_t i = 0; i < n->n_out && !s; i++)
        s = put_name(&b, 2, n->out[i]);
    if (!s)
        s = ort.Node_GetName(n->node, &name);
    put_text(&b, 3, name);
    put_text(&b, 4, n->op);
    if (!s)
        s = put_attributes(n->node, &b);
    put_inner(graph, 1, &b);
    return s;
}

static OrtStatus *put_value(onnx_bytes *graph, int field, const OrtValueInfo *v, size_t number, bool batch_of_one)
{
    onnx_bytes  value = {0}, shape = {0}, tensor = {0}, type = {0};
    sepcl_shape s;
    int         element;
    ORT_TRY(ort_value_shape(v, &element, &s));
    for (int i = 0; i < s.rank; i++) {
        onnx_bytes dim = {0};
        char       name[48];
        snprintf(name, sizeof(name), "free_%zu_%d", number, i);
        if (s.dims[i] >= 0 || (i == 0 && batch_of_one))
            put_number(&dim, 1, s.dims[i] >= 0 ? s.dims[i] : 1);
        else
            put_text(&dim, 2, name);
        put_inner(&shape, 1, &dim);
    }
    put_number(&tensor, 1, element);
    if (field == 11) /* an output's shape is the reader's to find */
        put_inner(&tensor, 2, &shape);
    free(shape.data);
    put_inner(&type, 1, &tensor);
    OrtStatus *status = put_name(&value, 1, v);
    put_inner(&value, 2, &type);
    put_inner(graph, field, &value);
    return status;
}

static OrtStatus *put_constant(onnx_bytes *graph, const OrtValueInfo *v)
{
    const OrtValue *value = NULL;
    const void     *data = NULL;
    size_t          bytes = 0;
    sepcl_shape     shape;
    int             element;
    onnx_bytes      tensor = {0};
    ORT_TRY(ort_value_shape(v, &element, &shape));
    ORT_TRY(ort.ValueInfo_GetInitializerValue(v, &value));
    if (!value || element == 0)
        return ort_fail(ORT_NOT_IMPLEMENTED, "sepcl: a constant has no value");
    ORT_TRY(ort.GetTensorSizeInBytes(value, &bytes));
    ORT_TRY(ort.GetTensorData(value, &data));
    for (int i = 0; i < shape.rank; i++)
        put_number(&tensor, 1, shape.dims[i]);
    put_number(&tensor, 2, element);
    OrtStatus *s = put_name(&tensor, 8, v);
    put_block(&tensor, 9, data, bytes);
    put_inner(graph, 5, &tensor);
    return s;
}

/* Was the value met before, as input k of node n counting from the first? */
static bool seen(const onnx_part *p, size_t n, size_t k)
{
    const OrtValueInfo *v = p->nodes[n].in[k];
    for (size_t i = 0; i <= n; i++)
        for (size_t j = 0; j < (i == n ? k : p->nodes[i].n_in); j++)
            if (p->nodes[i].in[j] == v)
                return true;
    return false;
}

static OrtStatus *put_constants(onnx_bytes *graph, const onnx_part *p)
{
    for (size_t i = 0; i < p->n_nodes; i++)
        for (size_t k = 0; k < p->nodes[i].n_in; k++) {
            bool constant = false;
            if (!p->nodes[i].in[k])
                continue;
            ORT_TRY(ort_is_constant(p->nodes[i].in[k], &constant));
            if (constant && !seen(p, i, k))
                ORT_TRY(put_constant(graph, p->nodes[i].in[k]));
        }
    return NULL;
}

static OrtStatus *put_graph(onnx_bytes *graph, const onnx_part *p)
{
    for (size_t i = 0; i < p->n_nodes; i++)
        ORT_TRY(put_node(graph, &p->nodes[i]));
    put_text(graph, 2, "part");
    ORT_TRY(put_constants(graph, p));
    for (size_t i = 0; i < p->n_inputs; i++)
        ORT_TRY(put_value(graph, 11, p->inputs[i], i, p->batch_of_one));
    for (size_t i = 0; i < p->n_outputs; i++)
        ORT_TRY(put_value(graph, 12, p->outputs[i], i, false));
    return NULL;
}

OrtStatus *onnx_write(const onnx_part *p, onnx_bytes *out)
{
    onnx_bytes opset = {0}, graph = {0};
    *out = (onnx_bytes){0};
    put_number(out, 1, 8);
    put_number(&opset, 2, p->opset);
    put_inner(out, 8, &opset);
    OrtStatus *s = put_graph(&graph, p);
    put_inner(out, 7, &graph);
    if (!s && out->failed)
        s = ort_no_memory();
    if (s) {
        free(out->data);
        *out = (onnx_bytes){0};
    }
    return s;
}
