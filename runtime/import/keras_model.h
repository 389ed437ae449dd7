/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Keras file, decoded: layers with their settings and weights, and which layer is called on which tensors.
 *
 * A file is either HDF5 (.h5, .hdf5; Keras 1 to 3), with the architecture as JSON in an attribute and the weights in a
 * group for each layer; or a ZIP archive (.keras) of the JSON and an HDF5 file, in which weights are found by a path that
 * is made of the layers' classes. All of the file is read when it is opened; the weights stay where they lie if they are
 * aligned and of a type that sepcl computes with.
 */
#ifndef SEPCL_IMPORT_KERAS_MODEL_H
#define SEPCL_IMPORT_KERAS_MODEL_H

#include <jansson.h>

#include "import/import.h"
#include "import/keras_h5.h"

/* Models inside models. */
#define KERAS_MOST_DEPTH 16
/* Most layers of all models together. */
#define KERAS_MOST_LAYERS 65536

typedef struct keras_model keras_model;

typedef struct keras_weight {
    const char *role; /* "kernel", "moving_mean" */
    bool        trainable;
    dtype       type; /* DT_NONE: numbers that no kernel reads */
    shape       shape;
    const void *data;
} keras_weight;

/* The tensor that call number `call` of a layer of the same model gives as its output number `tensor`. */
typedef struct keras_source {
    int layer, call, tensor;
} keras_source;

/* What a layer is called with: a tensor, or a number (any JSON) when layer is -1. */
typedef struct keras_argument {
    const char   *keyword; /* "" for one by position */
    keras_source  from;
    const json_t *value;
} keras_argument;

typedef struct keras_call {
    keras_argument *args;
    int             n_args, cap_args;
} keras_call;

typedef struct keras_type keras_type;

typedef struct keras_layer {
    const char       *name, *class_name;
    const json_t     *config;
    const keras_type *type;  /* NULL: an input or a model */
    keras_model      *model; /* a model as a layer */
    bool              is_input;
    bool              is_operation; /* a function of tensors; Keras does not count it among a model's layers */
    bool              hidden;       /* the input of a sequential model, which Keras does not list */
    bool              trainable;    /* by itself and with all models around it */
    keras_weight     *weights;
    int               n_weights;
    keras_call       *calls;
    int               n_calls;
    int               first_call; /* number of its first call among all calls of the model */
    int               number; /* in the list of layers of the outermost model, counted from 1; 0: not in it */
    shape             shape;      /* is_input */
} keras_layer;

struct keras_model {
    const char    *name, *class_name;
    bool           sequential;
    bool           trainable;
    keras_layer   *layers; /* in the file's order */
    int            n_layers;
    keras_source  *inputs, *outputs;
    const char   **output_names;
    int            n_inputs, n_outputs;
    int            n_calls;
    keras_source  *order; /* calls in an order in which each can be made; inputs are not among them */
    int            n_order;
};

typedef struct keras_file {
    arena          memory;
    const uint8_t *bytes;
    size_t         size;
    uint8_t       *unpacked; /* the weights' file when the archive has it deflated */
    bool           mapped;   /* from a file; else the memory is the caller's, and must stay as it is */
    bool           archive;  /* .keras */
    int            version;  /* of Keras: 1, 2, 3 */
    h5_file        h5;
    size_t         budget;   /* bytes that may still be taken for what is in the file */
    json_t        *json;
    keras_model   *model;
    file_tensor   *inputs, *outputs;
    bool           mirrored; /* kernels stand upside down, as Theano had them */
    int            n_layers; /* of all models */
    int64_t        n_calls;  /* the same */
} keras_file;

/* A layer that sepcl knows; keras_layers.inc is the list. */
typedef struct keras_build keras_build;
struct keras_type {
    const char *name;
    status (*build)(keras_build *b, int arg);
    int         arg;
    const char *weights; /* roles in the file's order: "kernel bias?use_bias -moving_mean", see keras_weights.c */
    const char *note;    /* limits, for the table of what is supported; may be "" */
};

/* NULL: unknown. */
const keras_type *keras_layer_type(const char *class_name);
const keras_type *keras_operation_type(const char *class_name);

/* keras_file.c */
/* Counts bytes off from the budget; BAD_FILE when there are not so many left. */
status keras_take(keras_file *f, size_t bytes, const char *what);
status keras_file_open(const uint8_t *bytes, size_t size, const char *path, keras_file **out);
void   keras_file_close(keras_file *f);

/* keras_model.c: settings of the file's root to f->model, without weights. */
status keras_read_model(keras_file *f);
/* keras_calls.c: which layer is called on what, and in which order. */
status keras_read_calls(keras_file *f, keras_model *m, const json_t *config);
/* keras_v1.c: brings a layer's settings as Keras 1 wrote them to today's names. */
status keras_modernise(json_t *layer);
/* keras_weights.c: the weights of all layers. */
status keras_bind_weights(keras_file *f);

/* ---------------------------------------------------------------- JSON (keras_json.c) */

/* Text to a tree, whose bytes are counted off from f->budget. */
status keras_parse_json(keras_file *f, const char *text, size_t length, const char *what, json_t **out);
/* Whether there is a value, and of this type; jansson's json_is_... are macros that look at NULL wherever they stand. */
bool keras_is(const json_t *v, json_type type);
/* Whether a value is true or false, and which. */
bool keras_truth(const json_t *v, bool *out);
/* A member; NULL when it is absent or null. */
const json_t *keras_get(const json_t *object, const char *key);
/* A member that is a text; def when it is absent. */
const char *keras_get_text(const json_t *object, const char *key, const char *def);
bool        keras_get_bool(const json_t *object, const char *key, bool def);
/* A number, also in the forms that NumPy numbers were written in. */
bool keras_number(const json_t *value, double *out);
/* A shape with null for free extents. */
status keras_shape(const json_t *value, const char *what, shape *out);

#endif
