/* SPDX-License-Identifier: Apache-2.0 */
/* From the JSON of an architecture to layers: sequential and functional models, and models in models. */
#include "import/keras_model.h"

#include <string.h>

static status read_model(keras_file *f, const json_t *object, int depth, bool trainable, keras_model **out);

/* ---------------------------------------------------------------- one layer */

/* Classes of other packages, and classes that a user registered under a name that Keras has too. */
static status check_origin(const json_t *object, const char *name, const char *class_name)
{
    static const char *const known[] = {"keras", "tensorflow.keras", "tensorflow.python.keras", "tf_keras"};
    const char              *module = keras_get_text(object, "module", "keras");
    const char              *registered = keras_get_text(object, "registered_name", "");
    bool                     ours = strchr(registered, '>') == NULL;
    bool                     any = false;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const size_t n = strlen(known[i]);
        any |= strncmp(module, known[i], n) == 0 && (module[n] == 0 || module[n] == '.');
    }
    ours &= any;
    return ours ? SEPCL_OK
                : fail(SEPCL_UNSUPPORTED, "layer '%s' (%s): the layer is not Keras's own (it is of '%s')", name,
                       class_name, strchr(registered, '>') ? registered : module);
}

static bool is_model_class(const char *class_name)
{
    return strcmp(class_name, "Sequential") == 0 || strcmp(class_name, "Functional") == 0 ||
           strcmp(class_name, "Model") == 0;
}

/* Functions of tensors have no settings that every layer has. */
static bool is_operation(const json_t *object, const json_t *config, const char *class_name)
{
    const char *module = keras_get_text(object, "module", "");
    if (strncmp(module, "keras.src.ops", 13) == 0 || strncmp(module, "keras.ops", 9) == 0)
        return true;
    return !module[0] && keras_operation_type(class_name) && !json_object_get(config, "trainable") &&
           !json_object_get(config, "dtype");
}

/* Weights of few bits have numbers in other forms than a network of floats. */
static status check_dtype(const json_t *config, const keras_layer *l)
{
    const json_t *type = keras_get(config, "dtype");
    const char   *policy = keras_get_text(type, "class_name", "");
    const bool    quantised = strstr(policy, "Quantiz") || keras_get(config, "quantization_mode") ||
                           strncmp(keras_get_text(keras_get(type, "config"), "name", ""), "int", 3) == 0;
    if (quantised)
        return fail(SEPCL_UNSUPPORTED, "layer '%s' (%s): quantised models are not supported", l->name, l->class_name);
    if (keras_get(config, "lora_rank"))
        return fail(SEPCL_UNSUPPORTED, "layer '%s' (%s): weights of low rank (LoRA) are not supported", l->name,
                    l->class_name);
    return SEPCL_OK;
}

static status read_input(const json_t *config, keras_layer *l)
{
    const json_t *s = keras_get(config, "batch_shape");
    const char   *type = keras_get_text(config, "dtype", "float32");
    if (!s)
        s = keras_get(config, "batch_input_shape");
    if (!s)
        return fail(SEPCL_BAD_FILE, "input '%s' has no shape", l->name);
    if (strncmp(type, "float", 5) != 0 && strcmp(type, "bfloat16") != 0)
        return fail(SEPCL_UNSUPPORTED, "input '%s' is a tensor of type %s; inputs have to be of a float type", l->name,
                    type);
    if (keras_is(json_object_get(config, "sparse"), JSON_TRUE) ||
        keras_is(json_object_get(config, "ragged"), JSON_TRUE))
        return fail(SEPCL_UNSUPPORTED, "input '%s' is sparse or ragged", l->name);
    l->is_input = true;
    return keras_shape(s, l->name, &l->shape);
}

/* Wrong kinds of layers deserve a better reason than "not supported". */
static const char *reason(const char *class_name)
{
    static const char *const recurrent[] = {"LSTM", "GRU", "SimpleRNN", "RNN", "ConvLSTM", "Bidirectional"};
    if (strcmp(class_name, "Lambda") == 0)
        return "a Lambda is a program in Python, which only Python can run";
    for (size_t i = 0; i < sizeof recurrent / sizeof recurrent[0]; i++)
        if (strncmp(class_name, recurrent[i], strlen(recurrent[i])) == 0)
            return "recurrent layers are not supported";
    return "the layer is not supported";
}

static status read_kind(keras_file *f, const json_t *object, int depth, keras_layer *l)
{
    if (is_model_class(l->class_name))
        return read_model(f, object, depth + 1, l->trainable, &l->model);
    if (!keras_is(l->config, JSON_OBJECT))
        return fail(SEPCL_BAD_FILE, "layer '%s' (%s) has no settings", l->name, l->class_name);
    if (strcmp(l->class_name, "InputLayer") == 0)
        return read_input(l->config, l);
    l->is_operation = is_operation(object, l->config, l->class_name);
    TRY(check_dtype(l->config, l));
    l->type = l->is_operation ? keras_operation_type(l->class_name) : keras_layer_type(l->class_name);
    return l->type ? SEPCL_OK
                   : fail(SEPCL_UNSUPPORTED, "layer '%s' (%s): %s", l->name, l->class_name, reason(l->class_name));
}

static status read_layer(keras_file *f, json_t *object, int depth, bool trainable, keras_layer *l)
{
    if (!keras_is(object, JSON_OBJECT))
        return fail(SEPCL_BAD_FILE, "an entry in the list of layers is no object");
    TRY(keras_modernise(object));
    l->config = json_object_get(object, "config");
    l->class_name = keras_get_text(object, "class_name", NULL);
    l->name = keras_get_text(object, "name", keras_get_text(l->config, "name", NULL));
    if (!l->class_name || (!l->name && !keras_is(l->config, JSON_ARRAY)))
        return fail(SEPCL_BAD_FILE, "a layer without %s", l->class_name ? "a name" : "a class");
    if (!l->name) /* a sequential model of Keras 1 */
        l->name = "sequential";
    if (++f->n_layers > KERAS_MOST_LAYERS)
        return fail(SEPCL_UNSUPPORTED, "more than %d layers", KERAS_MOST_LAYERS);
    TRY(check_origin(object, l->name, l->class_name));
    l->trainable = trainable && keras_get_bool(l->config, "trainable", true);
    return read_kind(f, object, depth, l);
}

/* ---------------------------------------------------------------- the input of a sequential model */

/* The shape that a sequential model without an input layer takes. */
static const json_t *sequential_shape(const json_t *model, const json_t *config, const json_t *layers)
{
    const json_t *first = json_object_get(json_array_get(layers, 0), "config");
    const json_t *s = keras_get(first, "batch_input_shape");
    if (!s)
        s = keras_get(first, "batch_shape");
    if (!s)
        s = keras_get(config, "build_input_shape");
    if (!s)
        s = keras_get(keras_get(model, "build_config"), "input_shape");
    return s;
}

static status add_sequential_input(keras_file *f, const json_t *shape_value, keras_model *m)
{
    keras_layer       *l = &m->layers[0];
    const keras_layer *next = &m->layers[1];
    *l = (keras_layer){.class_name = "InputLayer", .is_input = true, .hidden = true, .trainable = true};
    l->name = arena_printf(&f->memory, "%s_input", next->name);
    if (!l->name)
        return SEPCL_OUT_OF_MEMORY;
    if (shape_value)
        return keras_shape(shape_value, l->name, &l->shape);
    if (next->model && next->model->n_inputs == 1) {
        l->shape = next->model->layers[next->model->inputs[0].layer].shape;
        return SEPCL_OK;
    }
    return fail(SEPCL_BAD_FILE, "sequential model '%s' has no input shape: it was saved before it was built", m->name);
}

static status make_layers(keras_file *f, keras_model *m)
{
    TRY(keras_take(f, (size_t)m->n_layers * sizeof *m->layers, "the list of layers"));
    m->layers = arena_array(&f->memory, (size_t)m->n_layers, sizeof *m->layers);
    return m->layers ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

static status read_sequential(keras_file *f, const json_t *object, const json_t *config, int depth, keras_model *m)
{
    const json_t *layers = keras_is(config, JSON_ARRAY) ? config : json_object_get(config, "layers");
    const json_t *first = json_array_get(layers, 0);
    const size_t  n = json_array_size(layers);
    const bool    has_input = strcmp(keras_get_text(first, "class_name", ""), "InputLayer") == 0;
    if (n == 0)
        return fail(SEPCL_BAD_FILE, "sequential model '%s' has no layers", m->name);
    const json_t *shape_value = sequential_shape(object, config, layers);
    m->n_layers = (int)n + !has_input;
    TRY(make_layers(f, m));
    for (int i = !has_input; i < m->n_layers; i++)
        TRY(read_layer(f, json_array_get(layers, (size_t)(i - !has_input)), depth, m->trainable, &m->layers[i]));
    if (has_input)
        m->layers[0].hidden = true;
    else
        TRY(add_sequential_input(f, shape_value, m));
    return keras_read_calls(f, m, config);
}

/* ---------------------------------------------------------------- models */

static status read_functional(keras_file *f, const json_t *config, int depth, keras_model *m)
{
    const json_t *layers = json_object_get(config, "layers");
    m->n_layers = (int)json_array_size(layers);
    if (m->n_layers == 0)
        return fail(SEPCL_UNSUPPORTED,
                    "model '%s' has no list of layers: sequential and functional models are supported, those that are "
                    "programs in Python are not",
                    m->name);
    TRY(make_layers(f, m));
    for (int i = 0; i < m->n_layers; i++)
        TRY(read_layer(f, json_array_get(layers, (size_t)i), depth, m->trainable, &m->layers[i]));
    return keras_read_calls(f, m, config);
}

static status read_model(keras_file *f, const json_t *object, int depth, bool trainable, keras_model **out)
{
    const json_t *config = json_object_get(object, "config");
    keras_model  *m = arena_alloc(&f->memory, sizeof *m);
    *out = m;
    if (!m)
        return SEPCL_OUT_OF_MEMORY;
    if (depth > KERAS_MOST_DEPTH)
        return fail(SEPCL_UNSUPPORTED, "models in models of a depth of more than %d", KERAS_MOST_DEPTH);
    m->class_name = keras_get_text(object, "class_name", "");
    m->name = keras_get_text(config, "name", "model");
    m->sequential = strcmp(m->class_name, "Sequential") == 0;
    m->trainable = trainable && keras_get_bool(config, "trainable", true);
    if (!keras_is(config, JSON_OBJECT) && !(m->sequential && keras_is(config, JSON_ARRAY)))
        return fail(SEPCL_BAD_FILE, "model '%s' has no settings", m->name);
    return m->sequential ? read_sequential(f, object, config, depth, m) : read_functional(f, config, depth, m);
}

status keras_read_model(keras_file *f)
{
    const char *class_name = keras_get_text(f->json, "class_name", NULL);
    if (!class_name)
        return fail(SEPCL_BAD_FILE, "the architecture has no class");
    if (!is_model_class(class_name))
        return fail(SEPCL_UNSUPPORTED,
                    "a model of class '%s': sequential and functional models are supported, those that are programs in "
                    "Python are not",
                    class_name);
    TRY(read_model(f, f->json, 0, true, &f->model));
    for (int i = 0, number = 0; i < f->model->n_layers; i++)
        if (!f->model->layers[i].hidden)
            f->model->layers[i].number = ++number;
    return SEPCL_OK;
}
