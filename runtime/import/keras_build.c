/* SPDX-License-Identifier: Apache-2.0 */
/* Walks the calls of a model and of the models in it, and lists its layers as Keras's summary does. */
#include "import/keras_build.h"

#include <string.h>

/* Calls of layers, counting those of models in models: what a file can make of few bytes by calling models often. */
#define MOST_CALLS 200000

/* ---------------------------------------------------------------- the call at hand */

status keras_in(keras_build *b, int i, operand **out)
{
    *out = i < b->n_in ? b->in[i] : NULL;
    return *out ? SEPCL_OK : fail(SEPCL_BAD_FILE, "the layer is not called on %s%d tensors", i ? "" : "as many as ", i + 1);
}

status keras_in_rank(keras_build *b, int i, int rank, operand **out)
{
    char text[SHAPE_TEXT];
    TRY(keras_in(b, i, out));
    return (*out)->shape.rank == rank ? SEPCL_OK
                                      : fail(SEPCL_BAD_FILE, "the input has shape %s, but must have %d dimensions",
                                             shape_text(&(*out)->shape, text), rank);
}

status keras_weight_of(keras_build *b, const char *role, operand **out)
{
    const keras_weight *w = NULL;
    *out = NULL;
    for (int i = 0; !w && i < b->l->n_weights; i++)
        if (strcmp(b->l->weights[i].role, role) == 0)
            w = &b->l->weights[i];
    if (!w)
        return SEPCL_OK;
    if (w->type == DT_NONE)
        return fail(SEPCL_UNSUPPORTED,
                    "weight '%s' is of a type that is not supported; float16, float32 and float64 are", role);
    if (shape_count(&w->shape) < 1)
        return fail(SEPCL_BAD_FILE, "weight '%s' has no elements", role);
    const char *name = arena_printf(&b->common.memory, "%s/%s", b->common.node, role);
    return name ? import_constant(&b->common, name, w->type, &w->shape, w->data, out) : SEPCL_OUT_OF_MEMORY;
}

status keras_vector_of(keras_build *b, const char *role, int64_t n, operand **out)
{
    char text[SHAPE_TEXT];
    TRY(keras_weight_of(b, role, out));
    if (!*out)
        return fail(SEPCL_BAD_FILE, "weight '%s' is missing", role);
    if (operand_count(*out) != n)
        return fail(SEPCL_BAD_FILE, "weight '%s' has shape %s, but %lld elements are needed", role,
                    shape_text(&(*out)->shape, text), (long long)n);
    (*out)->shape = (shape){1, {n}};
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- models */

/* Tensors of a model while it is walked: by input layer, and by call and output. */
typedef struct tensors {
    operand  **inputs; /* by layer */
    operand ***calls;
} tensors;

static status run_model(keras_build *b, const keras_model *m, const char *prefix, operand *const *in, operand **out);

static operand *tensor_of(const keras_model *m, const tensors *t, keras_source s)
{
    const keras_layer *l = &m->layers[s.layer];
    return l->is_input ? t->inputs[s.layer] : t->calls[l->first_call + s.call][s.tensor];
}

static status make_arguments(keras_build *b, const keras_model *m, const tensors *t, const keras_call *c)
{
    b->in = arena_array(&b->common.memory, (size_t)c->n_args, sizeof(operand *));
    b->n_in = c->n_args;
    if (!b->in)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < c->n_args; i++)
        if (c->args[i].from.layer >= 0 && !(b->in[i] = tensor_of(m, t, c->args[i].from)))
            return fail(SEPCL_BAD_FILE, "layer '%s' is called on an input that its model does not have", b->l->name);
    return SEPCL_OK;
}

static status run_leaf(keras_build *b, const keras_layer *l, const char *name, operand **out)
{
    b->config = l->config;
    b->out = NULL;
    import_begin(&b->common, name, false);
    status st = l->type->build(b, l->type->arg);
    st = import_end(&b->common, st, l->class_name);
    if (st != SEPCL_OK)
        return st;
    import_name(&b->common, b->out, name);
    *out = b->out;
    return SEPCL_OK;
}

static status run_inner(keras_build *b, const keras_layer *l, const char *name, operand **out)
{
    const keras_model *m = l->model;
    if (b->n_in != m->n_inputs)
        return fail(SEPCL_BAD_FILE, "model '%s' has %d inputs, but is called on %d tensors", l->name, m->n_inputs,
                    b->n_in);
    for (int i = 0; i < b->n_in; i++)
        if (!b->in[i])
            return fail(SEPCL_UNSUPPORTED, "model '%s' is called on something that is no tensor", l->name);
    return run_model(b, m, name, b->in, out);
}

static status run_call(keras_build *b, const keras_model *m, const char *prefix, const tensors *t, keras_source at)
{
    const keras_layer *l = &m->layers[at.layer];
    /* values are called by it as long as the graph lives */
    const char        *name = *prefix ? arena_printf(&b->common.g->memory, "%s/%s", prefix, l->name) : l->name;
    operand          **out = arena_array(&b->common.memory, l->model ? (size_t)l->model->n_outputs : 1, sizeof *out);
    if (!name || !out)
        return SEPCL_OUT_OF_MEMORY;
    if (++b->calls > MOST_CALLS)
        return fail(SEPCL_UNSUPPORTED, "layers are called more than %d times", MOST_CALLS);
    b->l = l;
    b->call = &l->calls[at.call];
    if (l->number)
        b->common.g->layer = l->number;
    TRY(make_arguments(b, m, t, b->call));
    TRY(l->model ? run_inner(b, l, name, out) : run_leaf(b, l, name, out));
    t->calls[l->first_call + at.call] = out;
    if (l->number)
        b->common.g->layers[l->number - 1].output = out[0]->shape;
    return SEPCL_OK;
}

static status run_model(keras_build *b, const keras_model *m, const char *prefix, operand *const *in, operand **out)
{
    tensors t = {.inputs = arena_array(&b->common.memory, (size_t)m->n_layers, sizeof(operand *)),
                 .calls = arena_array(&b->common.memory, (size_t)m->n_calls, sizeof(operand **))};
    if (!t.inputs || !t.calls)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < m->n_inputs; i++)
        t.inputs[m->inputs[i].layer] = in[i];
    for (int i = 0; i < m->n_order; i++)
        TRY(run_call(b, m, prefix, &t, m->order[i]));
    for (int i = 0; i < m->n_outputs; i++)
        if (!(out[i] = tensor_of(m, &t, m->outputs[i])))
            return fail(SEPCL_BAD_FILE, "output %d of model '%s' is an input that it does not have", i, m->name);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- the list of layers */

static void count_model(const keras_model *m, graph_layer *out);

static void count_layer(const keras_layer *l, graph_layer *out)
{
    if (l->model)
        count_model(l->model, out);
    for (int i = 0; i < l->n_weights; i++) {
        const uint64_t n = (uint64_t)shape_count(&l->weights[i].shape);
        out->parameters += n;
        out->trainable += l->weights[i].trainable ? n : 0;
    }
}

static void count_model(const keras_model *m, graph_layer *out)
{
    for (int i = 0; i < m->n_layers; i++)
        count_layer(&m->layers[i], out);
}

static status list_layers(keras_build *b, const keras_model *m, operand *const *in)
{
    for (int i = 0; i < m->n_layers; i++) {
        const keras_layer *l = &m->layers[i];
        graph_layer        g = {.name = l->name, .type = l->class_name, .output = l->shape};
        if (!l->number)
            continue;
        for (int k = 0; l->is_input && k < m->n_inputs; k++)
            if (m->inputs[k].layer == i)
                g.output = in[k]->shape;
        count_layer(l, &g);
        if (!graph_add_layer(b->common.g, &g))
            return SEPCL_OUT_OF_MEMORY;
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- the graph */

static status build_all(keras_build *b, const shape *inputs)
{
    const keras_model *m = b->f->model;
    import_build      *c = &b->common;
    operand          **in = arena_array(&c->memory, (size_t)m->n_inputs, sizeof *in);
    operand          **out = arena_array(&c->memory, (size_t)m->n_outputs, sizeof *out);
    if (!in || !out)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < m->n_inputs; i++)
        TRY(import_input(c, b->f->inputs[i].name, &inputs[i], &in[i]));
    TRY(list_layers(b, m, in));
    TRY(run_model(b, m, "", in, out));
    c->g->layer = 0;
    for (int i = 0; i < m->n_outputs; i++)
        TRY(import_output(c, out[i], b->f->outputs[i].name));
    return import_finish(c);
}

status keras_build_graph(const keras_file *f, const shape *inputs, graph *g)
{
    keras_build b = {.common = {.g = g, .file_bytes = (int64_t)f->size},
                     .f = f};
    const status st = build_all(&b, inputs);
    g->layer = 0;
    import_done(&b.common);
    return st;
}
