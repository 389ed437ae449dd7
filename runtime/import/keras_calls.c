/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which layer of a model is called on which tensors.
 *
 * A tensor is named by its layer, the number of the call of that layer, and the number of the output. Keras 1 and 2
 * write a call as [[layer, call, output, {keywords}], ...], Keras 3 as {"args": [...], "kwargs": {...}} in which
 * tensors are objects of class "__keras_tensor__". A model that is a layer had been called once before, on its own
 * inputs; whether that call counts differs between versions.
 */
#include <stdlib.h>
#include <string.h>

#include "import/keras_model.h"

/* Lists in lists of arguments; inputs or outputs of a model; rounds in which calls are ordered times calls. */
#define MOST_NESTING 8
#define MOST_ENDS 256
#define MOST_TRIES ((int64_t)10000000)

/* Names of a model's layers, sorted. */
typedef struct name_index {
    const char *name;
    int         layer;
} name_index;

typedef struct reading {
    keras_file  *f;
    keras_model *m;
    name_index  *names;
    bool         modern; /* calls are written as Keras 3 does */
    keras_call  *call;   /* at hand */
} reading;

static int by_name(const void *a, const void *b)
{
    return strcmp(((const name_index *)a)->name, ((const name_index *)b)->name);
}

static status index_names(reading *r)
{
    const keras_model *m = r->m;
    r->names = arena_array(&r->f->memory, (size_t)m->n_layers, sizeof *r->names);
    if (!r->names)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < m->n_layers; i++)
        r->names[i] = (name_index){m->layers[i].name, i};
    qsort(r->names, (size_t)m->n_layers, sizeof *r->names, by_name);
    for (int i = 1; i < m->n_layers; i++)
        if (strcmp(r->names[i - 1].name, r->names[i].name) == 0)
            return fail(SEPCL_BAD_FILE, "two layers are called '%s'", r->names[i].name);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- arguments */

/* [layer, call, output] */
static bool is_reference(const json_t *v)
{
    return json_array_size(v) >= 3 && keras_is(json_array_get(v, 0), JSON_STRING) &&
           keras_is(json_array_get(v, 1), JSON_INTEGER) && keras_is(json_array_get(v, 2), JSON_INTEGER);
}

static status read_source(const reading *r, const json_t *v, keras_source *out)
{
    const char      *name = json_string_value(json_array_get(v, 0));
    const json_int_t call = json_integer_value(json_array_get(v, 1)), tensor = json_integer_value(json_array_get(v, 2));
    const name_index key = {name, 0};
    const name_index *found = bsearch(&key, r->names, (size_t)r->m->n_layers, sizeof key, by_name);
    if (!found)
        return fail(SEPCL_BAD_FILE, "there is no layer '%s', but a tensor of it is used", name);
    if (call < 0 || call > INT32_MAX / 2 || tensor < 0 || tensor > INT32_MAX / 2)
        return fail(SEPCL_BAD_FILE, "call %lld and output %lld of layer '%s' cannot be", (long long)call,
                    (long long)tensor, name);
    *out = (keras_source){found->layer, (int)call, (int)tensor};
    return SEPCL_OK;
}

static status add_argument(reading *r, const char *keyword, const keras_source *from, const json_t *value)
{
    keras_call     *c = r->call;
    keras_argument *grown = arena_grow(&r->f->memory, c->args, &c->cap_args, c->n_args + 1, sizeof *grown);
    if (!grown)
        return SEPCL_OUT_OF_MEMORY;
    c->args = grown;
    c->args[c->n_args++] = (keras_argument){keyword, from ? *from : (keras_source){-1, 0, 0}, value};
    return SEPCL_OK;
}

static bool holds_tensor(const json_t *v, bool modern, int depth)
{
    if (depth > MOST_NESTING)
        return false;
    if (keras_is(v, JSON_OBJECT))
        return strcmp(keras_get_text(v, "class_name", ""), "__keras_tensor__") == 0;
    if (!modern && is_reference(v))
        return true;
    for (size_t i = 0; i < json_array_size(v); i++)
        if (holds_tensor(json_array_get(v, i), modern, depth + 1))
            return true;
    return false;
}

/* Keras 3: tensors, lists of tensors, and everything else. */
static status read_argument(reading *r, const char *keyword, const json_t *v)
{
    keras_source from;
    if (!holds_tensor(v, r->modern, 0))
        return add_argument(r, keyword, NULL, v);
    if (keras_is(v, JSON_OBJECT)) {
        const json_t *history = keras_get(keras_get(v, "config"), "keras_history");
        if (!is_reference(history))
            return fail(SEPCL_BAD_FILE, "a tensor does not say where it comes from");
        TRY(read_source(r, history, &from));
        return add_argument(r, keyword, &from, NULL);
    }
    if (!r->modern && is_reference(v)) {
        TRY(read_source(r, v, &from));
        return add_argument(r, keyword, &from, NULL);
    }
    for (size_t i = 0; i < json_array_size(v); i++)
        TRY(read_argument(r, keyword, json_array_get(v, i)));
    return SEPCL_OK;
}

/* Keywords that change nothing when a network is run are left out. */
static status read_keywords(reading *r, const json_t *keywords)
{
    for (void *at = json_object_iter((json_t *)keywords); at; at = json_object_iter_next((json_t *)keywords, at)) {
        const char   *key = json_object_iter_key(at);
        const json_t *v = json_object_iter_value(at);
        if (keras_is(v, JSON_NULL) || strcmp(key, "training") == 0 || strcmp(key, "mask") == 0 ||
            strcmp(key, "name") == 0)
            continue;
        TRY(read_argument(r, key, v));
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- calls */

/* [layer, call, output, {keywords}]; the layer may be a word for a constant. */
static status read_old_tensor(reading *r, const json_t *v)
{
    keras_source from;
    const char  *name = json_string_value(json_array_get(v, 0));
    if (name && strcmp(name, "_CONSTANT_VALUE") == 0) {
        TRY(add_argument(r, "", NULL, json_array_get(v, 2)));
    } else {
        if (!is_reference(v))
            return fail(SEPCL_BAD_FILE, "an input is not written as layer, call and output");
        TRY(read_source(r, v, &from));
        TRY(add_argument(r, "", &from, NULL));
    }
    return read_keywords(r, json_array_get(v, 3));
}

static status read_old_call(reading *r, const json_t *v)
{
    if (keras_is(json_array_get(v, 0), JSON_STRING))
        return read_old_tensor(r, v);
    if (!keras_is(v, JSON_ARRAY))
        return fail(SEPCL_UNSUPPORTED, "its inputs are in a form that is not supported");
    for (size_t i = 0; i < json_array_size(v); i++)
        TRY(read_old_tensor(r, json_array_get(v, i)));
    return SEPCL_OK;
}

static status read_call(reading *r, const json_t *v)
{
    if (!keras_is(v, JSON_OBJECT))
        return read_old_call(r, v);
    r->modern = true;
    const json_t *args = json_object_get(v, "args");
    for (size_t i = 0; i < json_array_size(args); i++)
        TRY(read_argument(r, "", json_array_get(args, i)));
    return read_keywords(r, json_object_get(v, "kwargs"));
}

static status read_layer_calls(reading *r, keras_layer *l, const json_t *nodes)
{
    const size_t n = json_array_size(nodes);
    l->calls = arena_array(&r->f->memory, n, sizeof *l->calls);
    if (!l->calls)
        return SEPCL_OUT_OF_MEMORY;
    l->n_calls = (int)n;
    for (size_t i = 0; i < n; i++) {
        r->call = &l->calls[i];
        const status st = read_call(r, json_array_get(nodes, i));
        if (st != SEPCL_OK)
            return fail_in(st, "layer '%s' (%s)", l->name, l->class_name);
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- inputs and outputs of a model */

/* One reference, a list of them, or an object of them by name. */
static status read_ends(reading *r, const json_t *v, keras_source **out, const char ***names, int *n)
{
    const bool   one = is_reference(v);
    const size_t most = one ? 1 : keras_is(v, JSON_OBJECT) ? json_object_size(v) : json_array_size(v);
    *out = arena_array(&r->f->memory, most, sizeof **out);
    *names = arena_array(&r->f->memory, most, sizeof **names);
    if (!*out || !*names)
        return SEPCL_OUT_OF_MEMORY;
    *n = (int)most;
    if (most > MOST_ENDS)
        return fail(SEPCL_UNSUPPORTED, "model '%s' has more than %d inputs or outputs", r->m->name, MOST_ENDS);
    if (one)
        return read_source(r, v, *out);
    if (keras_is(v, JSON_OBJECT)) {
        void *at = json_object_iter((json_t *)v);
        for (size_t i = 0; at; i++, at = json_object_iter_next((json_t *)v, at)) {
            (*names)[i] = json_object_iter_key(at);
            if (!is_reference(json_object_iter_value(at)))
                return fail(SEPCL_UNSUPPORTED, "the model's '%s' is no single tensor", (*names)[i]);
            TRY(read_source(r, json_object_iter_value(at), &(*out)[i]));
        }
        return SEPCL_OK;
    }
    for (size_t i = 0; i < most; i++) {
        const json_t *entry = json_array_get(v, i);
        if (!is_reference(entry))
            return fail(SEPCL_UNSUPPORTED, "input or output %zu of model '%s' is no single tensor", i, r->m->name);
        TRY(read_source(r, entry, &(*out)[i]));
    }
    return SEPCL_OK;
}

/* An output is called as its layer, or as the file calls it; a number makes names differ. */
static status name_outputs(reading *r)
{
    keras_model *m = r->m;
    for (int i = 0; i < m->n_outputs; i++) {
        const char *base = m->output_names[i] ? m->output_names[i] : m->layers[m->outputs[i].layer].name;
        const char *name = base;
        for (int k = 0, tries = 1; k < i; k++)
            if (strcmp(m->output_names[k], name) == 0) {
                name = arena_printf(&r->f->memory, "%s_%d", base, tries++);
                if (!name)
                    return SEPCL_OUT_OF_MEMORY;
                k = -1;
            }
        m->output_names[i] = name;
    }
    return SEPCL_OK;
}

static status check_inputs(const keras_model *m)
{
    for (int i = 0; i < m->n_inputs; i++)
        if (!m->layers[m->inputs[i].layer].is_input)
            return fail(SEPCL_BAD_FILE, "input '%s' of model '%s' is no input layer",
                        m->layers[m->inputs[i].layer].name, m->name);
    if (m->n_inputs < 1 || m->n_outputs < 1)
        return fail(SEPCL_BAD_FILE, "model '%s' has %d inputs and %d outputs", m->name, m->n_inputs, m->n_outputs);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- numbers of calls */

/* Marks in first_call, which has no meaning yet, the models that are layers and whose calls are counted from 1: the
   largest number of a call is then their count. */
static void mark_counted_from_1(keras_model *m, keras_source s)
{
    if (s.layer >= 0 && m->layers[s.layer].model && s.call == m->layers[s.layer].n_calls)
        m->layers[s.layer].first_call = 1;
}

/* All calls count from 0 afterwards. */
static void renumber(keras_model *m)
{
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < m->n_layers; i++)
            for (int c = 0; c < m->layers[i].n_calls; c++)
                for (int a = 0; a < m->layers[i].calls[c].n_args; a++) {
                    keras_source *s = &m->layers[i].calls[c].args[a].from;
                    if (pass == 0)
                        mark_counted_from_1(m, *s);
                    else if (s->layer >= 0)
                        s->call -= m->layers[s->layer].first_call;
                }
        for (int i = 0; i < m->n_outputs; i++)
            if (pass == 0)
                mark_counted_from_1(m, m->outputs[i]);
            else
                m->outputs[i].call -= m->layers[m->outputs[i].layer].first_call;
    }
}

/* Keras 3 counts from 0, but from 1 where it lists the outputs of a model. */
static void renumber_outputs(keras_model *m)
{
    for (int i = 0; i < m->n_outputs; i++) {
        const keras_layer *l = &m->layers[m->outputs[i].layer];
        if (l->model && !l->model->sequential)
            m->outputs[i].call--;
    }
}

static status check_source(const keras_model *m, const keras_source *s)
{
    const keras_layer *l = &m->layers[s->layer];
    const int          calls = l->is_input ? 1 : l->n_calls, tensors = l->model ? l->model->n_outputs : 1;
    if (s->call >= 0 && s->call < calls && s->tensor < tensors)
        return SEPCL_OK;
    return fail(SEPCL_BAD_FILE, "layer '%s' (%s) has %d calls of %d outputs, but output %d of call %d is used", l->name,
                l->class_name, calls, tensors, s->tensor, s->call);
}

static status check_sources(const keras_model *m)
{
    for (int i = 0; i < m->n_layers; i++)
        for (int c = 0; c < m->layers[i].n_calls; c++)
            for (int a = 0; a < m->layers[i].calls[c].n_args; a++)
                if (m->layers[i].calls[c].args[a].from.layer >= 0)
                    TRY(check_source(m, &m->layers[i].calls[c].args[a].from));
    for (int i = 0; i < m->n_outputs; i++)
        TRY(check_source(m, &m->outputs[i]));
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- order */

static bool is_ready(const keras_model *m, const keras_call *c, const bool *made)
{
    for (int a = 0; a < c->n_args; a++) {
        const keras_source s = c->args[a].from;
        if (s.layer >= 0 && !m->layers[s.layer].is_input && !made[m->layers[s.layer].first_call + s.call])
            return false;
    }
    return true;
}

/* Files list layers by depth, so one round is enough but for layers that are called several times. */
static status order_calls(keras_file *f, keras_model *m)
{
    int64_t tries = 0;
    m->n_calls = 0;
    for (int i = 0; i < m->n_layers; i++) {
        m->layers[i].first_call = m->n_calls;
        m->n_calls += m->layers[i].n_calls;
    }
    bool *made = arena_array(&f->memory, (size_t)m->n_calls, sizeof *made);
    m->order = arena_array(&f->memory, (size_t)m->n_calls, sizeof *m->order);
    if (!made || !m->order)
        return SEPCL_OUT_OF_MEMORY;
    for (int before = -1; m->n_order < m->n_calls && m->n_order != before;) {
        before = m->n_order;
        for (int i = 0; i < m->n_layers; i++)
            for (int c = 0; c < m->layers[i].n_calls; c++) {
                const int at = m->layers[i].first_call + c;
                tries += m->layers[i].calls[c].n_args + 1;
                if (made[at] || !is_ready(m, &m->layers[i].calls[c], made))
                    continue;
                made[at] = true;
                m->order[m->n_order++] = (keras_source){i, c, 0};
            }
        if (tries > MOST_TRIES)
            return fail(SEPCL_UNSUPPORTED, "the layers of model '%s' are in no usable order", m->name);
    }
    return m->n_order == m->n_calls ? SEPCL_OK
                                    : fail(SEPCL_BAD_FILE, "layers of model '%s' need each other in a circle", m->name);
}

/* ---------------------------------------------------------------- both kinds of models */

/* Each layer takes the output of the one before. */
static status chain(keras_file *f, keras_model *m)
{
    m->inputs = arena_array(&f->memory, 1, sizeof *m->inputs);
    m->outputs = arena_array(&f->memory, 1, sizeof *m->outputs);
    m->output_names = arena_array(&f->memory, 1, sizeof *m->output_names);
    keras_call     *calls = arena_array(&f->memory, (size_t)m->n_layers, sizeof *calls);
    keras_argument *args = arena_array(&f->memory, (size_t)m->n_layers, sizeof *args);
    if (!m->inputs || !m->outputs || !m->output_names || !calls || !args)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 1; i < m->n_layers; i++) {
        args[i] = (keras_argument){.keyword = "", .from = {i - 1, 0, 0}};
        calls[i] = (keras_call){&args[i], 1, 1};
        if (m->layers[i].is_input)
            return fail(SEPCL_BAD_FILE, "sequential model '%s' has an input in the middle", m->name);
        if (m->layers[i].model && (m->layers[i].model->n_inputs != 1 || m->layers[i].model->n_outputs != 1))
            return fail(SEPCL_BAD_FILE, "layer '%s' of sequential model '%s' has %d inputs and %d outputs",
                        m->layers[i].name, m->name, m->layers[i].model->n_inputs, m->layers[i].model->n_outputs);
        m->layers[i].calls = &calls[i];
        m->layers[i].n_calls = 1;
    }
    m->n_inputs = m->n_outputs = 1;
    m->outputs[0].layer = m->n_layers - 1;
    m->output_names[0] = m->layers[m->n_layers - 1].name;
    return check_inputs(m);
}

static status connect(keras_file *f, keras_model *m, const json_t *config)
{
    reading       r = {.f = f, .m = m};
    const char  **unused;
    const json_t *layers = json_object_get(config, "layers");
    TRY(index_names(&r));
    for (int i = 0; i < m->n_layers; i++)
        TRY(read_layer_calls(&r, &m->layers[i], json_object_get(json_array_get(layers, (size_t)i), "inbound_nodes")));
    TRY(read_ends(&r, json_object_get(config, "input_layers"), &m->inputs, &unused, &m->n_inputs));
    TRY(read_ends(&r, json_object_get(config, "output_layers"), &m->outputs, &m->output_names, &m->n_outputs));
    TRY(name_outputs(&r));
    TRY(check_inputs(m));
    if (r.modern)
        renumber_outputs(m);
    else
        renumber(m);
    return check_sources(m);
}

status keras_read_calls(keras_file *f, keras_model *m, const json_t *config)
{
    TRY(m->sequential ? chain(f, m) : connect(f, m, config));
    TRY(order_calls(f, m));
    f->n_calls += m->n_calls;
    return SEPCL_OK;
}
