/* SPDX-License-Identifier: Apache-2.0 */
/* The Keras importer's table and the layers that it supports. */
#include "import/keras.h"

#include <string.h>

#include "import/keras_build.h"
#include "import/keras_zip.h"

static const keras_type layers[] = {
#define KERAS_LAYER(name, fn, arg, weights, note) {#name, keras_op_##fn, arg, weights, note},
#define KERAS_OPERATION(name, fn, arg, note)
#include "import/keras_layers.inc"
#undef KERAS_LAYER
#undef KERAS_OPERATION
};

static const keras_type operations[] = {
#define KERAS_LAYER(name, fn, arg, weights, note)
#define KERAS_OPERATION(name, fn, arg, note) {#name, keras_op_##fn, arg, "", note},
#include "import/keras_layers.inc"
#undef KERAS_LAYER
#undef KERAS_OPERATION
};

#define COUNT(list) ((int)(sizeof(list) / sizeof(list)[0]))

static const keras_type *find(const keras_type *list, int n, const char *name)
{
    for (int i = 0; i < n; i++)
        if (strcmp(list[i].name, name) == 0)
            return &list[i];
    return NULL;
}

const keras_type *keras_layer_type(const char *class_name)
{
    return find(layers, COUNT(layers), class_name);
}

const keras_type *keras_operation_type(const char *class_name)
{
    return find(operations, COUNT(operations), class_name);
}

const char *keras_layer_support(int i, const char **note)
{
    if (i < 0 || i >= COUNT(layers))
        return NULL;
    if (note)
        *note = layers[i].note;
    return layers[i].name;
}

static status open_model(const uint8_t *bytes, size_t size, const char *path, void **state_out)
{
    keras_file  *f;
    const status st = keras_file_open(bytes, size, path, &f);
    *state_out = f;
    return st;
}

static void close_model(void *state)
{
    keras_file_close(state);
}

/* Layers are looked up when the file is opened. */
static status check_model(const void *state)
{
    (void)state;
    return SEPCL_OK;
}

static int n_inputs(const void *state)
{
    return ((const keras_file *)state)->model->n_inputs;
}

static int n_outputs(const void *state)
{
    return ((const keras_file *)state)->model->n_outputs;
}

static const file_tensor *get_input(const void *state, int i)
{
    return &((const keras_file *)state)->inputs[i];
}

static const file_tensor *get_output(const void *state, int i)
{
    return &((const keras_file *)state)->outputs[i];
}

static status build(const void *state, const shape *inputs, graph *g)
{
    return keras_build_graph(state, inputs, g);
}

/* Both containers serve other programs too; what is inside decides when the file is opened. */
static bool sniff(const uint8_t *bytes, size_t size, const char *path)
{
    size_t offset;
    (void)path;
    return zip_sniff(bytes, size) || h5_sniff(bytes, size, &offset);
}

const importer import_keras = {
    .format = "Keras",
    .sniff = sniff,
    .open = open_model,
    .close = close_model,
    .check = check_model,
    .n_inputs = n_inputs,
    .n_outputs = n_outputs,
    .input = get_input,
    .output = get_output,
    .build = build,
};
