/* SPDX-License-Identifier: Apache-2.0 */
/* A part as a sepcl model, with sessions for the shapes that it meets. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "ort.h"

/* Sessions that a part keeps; the one that was not used for longest goes. */
#define SESSIONS 4

typedef struct session_slot {
    sepcl_session *session;
    sepcl_shape   *shapes; /* of the inputs */
    uint64_t       used;
} session_slot;

typedef struct part {
    OrtNodeComputeInfo info; /* first */
    ort_provider       settings;
    onnx_bytes         file;
    sepcl_model       *model;
    int                n_in, n_out;
    int               *input_of, *output_of; /* onnxruntime's numbers to sepcl's */
    pthread_mutex_t    mutex;
    session_slot       slots[SESSIONS];
    uint64_t           clock;
} part;

OrtStatus *ort_opset(const OrtGraph *graph, int64_t *version_out)
{
    size_t n = 0;
    *version_out = 0;
    ORT_TRY(ort.Graph_GetNumOperatorSets(graph, &n));
    const char **domains = calloc(n + 1, sizeof(*domains));
    int64_t     *versions = calloc(n + 1, sizeof(*versions));
    OrtStatus   *s = domains && versions ? ort.Graph_GetOperatorSets(graph, domains, versions, n) : ort_no_memory();
    for (size_t i = 0; i < n && !s; i++)
        if (!*domains[i] || !strcmp(domains[i], "ai.onnx"))
            *version_out = versions[i];
    free(domains);
    free(versions);
    return s;
}

/* ---------------------------------------------------------------- compiling */

static void part_free(part *p)
{
    if (!p)
        return;
    for (int i = 0; i < SESSIONS; i++) {
        sepcl_session_destroy(p->slots[i].session);
        free(p->slots[i].shapes);
    }
    sepcl_model_destroy(p->model);
    free(p->file.data);
    free(p->input_of);
    free(p->output_of);
    pthread_mutex_destroy(&p->mutex);
    free(p);
}

static OrtStatus *write_part(const OrtGraph *graph, const ort_node *fused, onnx_bytes *out)
{
    size_t  n = 0;
    int64_t opset;
    ORT_TRY(ort_opset(graph, &opset));
    ORT_TRY(ort.Graph_GetNumNodes(graph, &n));
    const OrtNode **list = calloc(n + 1, sizeof(*list));
    ort_node       *nodes = calloc(n + 1, sizeof(*nodes));
    OrtStatus      *s = list && nodes ? ort.Graph_GetNodes(graph, list, n) : ort_no_memory();
    for (size_t i = 0; i < n && !s; i++)
        s = ort_node_read(list[i], &nodes[i]);
    if (!s) {
        const onnx_part whole = {nodes, n, fused->in, fused->out, fused->n_in, fused->n_out, opset, false};
        s = onnx_write(&whole, out);
    }
    for (size_t i = 0; nodes && i < n; i++)
        ort_node_free(&nodes[i]);
    free(nodes);
    free(list);
    return s;
}

/* Which input or output of the model has the name of each of the fused node's. */
static OrtStatus *map_names(part *p, const ort_node *fused)
{
    p->n_in = (int)fused->n_in;
    p->n_out = (int)fused->n_out;
    p->input_of = calloc(fused->n_in + 1, sizeof(int));
    p->output_of = calloc(fused->n_out + 1, sizeof(int));
    if (!p->input_of || !p->output_of)
        return ort_no_memory();
    for (int i = 0; i < p->n_in; i++) {
        const char *name;
        ORT_TRY(ort.GetValueInfoName(fused->in[i], &name));
        ORT_TRY(ort_library(sepcl_model_find_input(p->model, name, &p->input_of[i])));
    }
    for (int i = 0; i < p->n_out; i++) {
        const char *name;
        ORT_TRY(ort.GetValueInfoName(fused->out[i], &name));
        ORT_TRY(ort_library(sepcl_model_find_output(p->model, name, &p->output_of[i])));
    }
    return NULL;
}

/* ---------------------------------------------------------------- sessions */

static bool same_shapes(const part *p, const session_slot *slot, const sepcl_shape *shapes)
{
    return slot->session && !memcmp(slot->shapes, shapes, (size_t)p->n_in * sizeof(*shapes));
}

static OrtStatus *make_session(part *p, session_slot *slot, const sepcl_shape *shapes)
{
    sepcl_input_shape *given = calloc((size_t)p->n_in + 1, sizeof(*given));
    sepcl_shape       *kept = calloc((size_t)p->n_in + 1, sizeof(*kept));
    OrtStatus         *s = given && kept ? NULL : ort_no_memory();
    for (int i = 0; i < p->n_in && !s; i++) {
        given[i] = (sepcl_input_shape){sepcl_model_input_name(p->model, p->input_of[i]), shapes[i]};
        kept[i] = shapes[i];
    }
    const sepcl_session_desc desc = {.device = *p->settings.device ? p->settings.device : NULL,
                                     .precision = p->settings.precision,
                                     .shapes = given,
                                     .n_shapes = p->n_in};
    sepcl_session           *session = NULL;
    if (!s)
        s = ort_library(sepcl_session_create(p->model, &desc, &session));
    free(given);
    if (s) {
        free(kept);
        return s;
    }
    sepcl_session_destroy(slot->session);
    free(slot->shapes);
    *slot = (session_slot){.session = session, .shapes = kept};
    return NULL;
}

static OrtStatus *session_for(part *p, const sepcl_shape *shapes, sepcl_session **out)
{
    session_slot *oldest = &p->slots[0], *found = NULL;
    for (int i = 0; i < SESSIONS && !found; i++) {
        found = same_shapes(p, &p->slots[i], shapes) ? &p->slots[i] : NULL;
        oldest = p->slots[i].used < oldest->used ? &p->slots[i] : oldest;
    }
    if (!found) {
        ORT_TRY(make_session(p, oldest, shapes));
        found = oldest;
    }
    found->used = ++p->clock;
    *out = found->session;
    return NULL;
}

/* ---------------------------------------------------------------- running */

static OrtStatus *input_shape(OrtKernelContext *context, int i, const OrtValue **value, sepcl_shape *out)
{
    OrtTensorTypeAndShapeInfo *info = NULL;
    size_t                     rank = 0;
    *out = (sepcl_shape){0};
    ORT_TRY(ort.KernelContext_GetInput(context, (size_t)i, value));
    if (!*value)
        return ort_fail(ORT_INVALID_ARGUMENT, "sepcl: input %d is missing", i);
    ORT_TRY(ort.GetTensorTypeAndShape(*value, &info));
    OrtStatus *s = ort.GetDimensionsCount(info, &rank);
    if (!s && rank > ORT_MAX_RANK)
        s = ort_fail(ORT_NOT_IMPLEMENTED, "sepcl: input %d has %zu dimensions; %d is the limit", i, rank, ORT_MAX_RANK);
    if (!s) {
        out->rank = (int32_t)rank;
        s = ort.GetDimensions(info, out->dims, rank);
    }
    ort.ReleaseTensorTypeAndShapeInfo(info);
    return s;
}

static size_t bytes_of(const sepcl_shape *s)
{
    size_t n = sizeof(float);
    for (int i = 0; i < s->rank; i++)
        n *= (size_t)s->dims[i];
    return n;
}

static OrtStatus *read_output(part *p, sepcl_session *session, OrtKernelContext *context, int i)
{
    sepcl_shape shape;
    OrtValue   *value = NULL;
    void       *data = NULL;
    ORT_TRY(ort_library(sepcl_session_output_shape(session, p->output_of[i], &shape)));
    ORT_TRY(ort.KernelContext_GetOutput(context, (size_t)i, shape.dims, (size_t)shape.rank, &value));
    ORT_TRY(ort.GetTensorMutableData(value, &data));
    return ort_library(sepcl_session_read(session, p->output_of[i], data, bytes_of(&shape)));
}

static OrtStatus *run(part *p, OrtKernelContext *context, sepcl_shape *shapes, const OrtValue **values)
{
    sepcl_session *session;
    for (int i = 0; i < p->n_in; i++)
        ORT_TRY(input_shape(context, i, &values[i], &shapes[i]));
    ORT_TRY(session_for(p, shapes, &session));
    for (int i = 0; i < p->n_in; i++) {
        const void *data = NULL;
        ORT_TRY(ort.GetTensorData(values[i], &data));
        ORT_TRY(ort_library(sepcl_session_bind(session, p->input_of[i], data, bytes_of(&shapes[i]))));
    }
    OrtStatus *s = ort_library(sepcl_session_run(session));
    for (int i = 0; i < p->n_out && !s; i++)
        s = read_output(p, session, context, i);
    for (int i = 0; i < p->n_in; i++) /* onnxruntime's memory is not ours any longer */
        (void)sepcl_session_bind(session, p->input_of[i], NULL, 0);
    return s;
}

static OrtStatus *compute(OrtNodeComputeInfo *info, void *state, OrtKernelContext *context)
{
    part            *p = (part *)info;
    sepcl_shape     *shapes = calloc((size_t)p->n_in + 1, sizeof(*shapes));
    const OrtValue **values = calloc((size_t)p->n_in + 1, sizeof(*values));
    (void)state;
    pthread_mutex_lock(&p->mutex); /* several threads may run one onnxruntime session */
    OrtStatus *s = shapes && values ? run(p, context, shapes, values) : ort_no_memory();
    pthread_mutex_unlock(&p->mutex);
    free(shapes);
    free(values);
    return s;
}

/* All state is the part's own. */
static OrtStatus *create_state(OrtNodeComputeInfo *info, OrtNodeComputeContext *context, void **state)
{
    (void)context;
    *state = info;
    return NULL;
}

static void release_state(OrtNodeComputeInfo *info, void *state)
{
    (void)info;
    (void)state;
}

static OrtStatus *make_part(const ort_provider *settings, const OrtGraph *graph, const ort_node *fused, part **out)
{
    part *p = calloc(1, sizeof(*p));
    if (!p)
        return ort_no_memory();
    pthread_mutex_init(&p->mutex, NULL);
    p->info = (OrtNodeComputeInfo){ORT_INTERFACE, create_state, compute, release_state};
    p->settings = *settings;
    OrtStatus *s = write_part(graph, fused, &p->file);
    if (!s)
        s = ort_library(sepcl_model_load_memory(p->file.data, p->file.size, NULL, &p->model));
    if (!s)
        s = map_names(p, fused);
    if (s) {
        part_free(p);
        return s;
    }
    *out = p;
    return NULL;
}

OrtStatus *ort_compile(OrtEp *ep, const OrtGraph **graphs, const OrtNode **fused, size_t count,
                       OrtNodeComputeInfo **out, OrtNode **contexts)
{
    (void)contexts; /* compiled models are not written */
    for (size_t i = 0; i < count; i++) {
        ort_node   node;
        part      *p = NULL;
        OrtStatus *s = ort_node_read(fused[i], &node);
        if (!s)
            s = make_part((const ort_provider *)ep, graphs[i], &node, &p);
        ort_node_free(&node);
        ORT_TRY(s);
        out[i] = &p->info;
    }
    return NULL;
}

void ort_release_compute(OrtEp *ep, OrtNodeComputeInfo **infos, size_t count)
{
    (void)ep;
    for (size_t i = 0; i < count; i++)
        part_free((part *)infos[i]);
}
