/* SPDX-License-Identifier: Apache-2.0 */
/* From Keras layers to the graph: what build.h leaves to the importer. The functions of layers see one call of a layer:
   its settings, its weights, and the tensors that it is called on. */
#ifndef SEPCL_IMPORT_KERAS_BUILD_H
#define SEPCL_IMPORT_KERAS_BUILD_H

#include "import/build.h"
#include "import/keras_model.h"

struct keras_build {
    import_build      common; /* the first member */
    const keras_file *f;
    const keras_layer *l;     /* the layer at hand */
    const keras_call  *call;
    const json_t      *config; /* its settings, or those of an activation that is a layer */
    operand          **in;     /* its arguments; NULL for those that are no tensors */
    int                n_in;
    operand           *out;
    int64_t            calls;  /* made so far */
};

/* ---------------------------------------------------------------- the call at hand (keras_build.c) */

/* Tensor i of the call; a failure when there is none. */
status keras_in(keras_build *b, int i, operand **out);
/* The same, of so many dimensions. */
status keras_in_rank(keras_build *b, int i, int rank, operand **out);
static inline void keras_out(keras_build *b, operand *x)
{
    b->out = x;
}
/* A weight by its role, as floats; *out is NULL when the layer has none of this role. */
status keras_weight_of(keras_build *b, const char *role, operand **out);
/* The same, which has to be there and of n elements; its shape becomes [n]. */
status keras_vector_of(keras_build *b, const char *role, int64_t n, operand **out);

/* Adds the layers of the file to the graph (the importer's build). */
status keras_build_graph(const keras_file *f, const shape *inputs, graph *g);

/* ---------------------------------------------------------------- settings (keras_config.c)
   A malformed one sets b->common.bad, and the default is returned. */
int64_t     cfg_int(keras_build *b, const char *key, int64_t def);
double      cfg_number(keras_build *b, const char *key, double def);
bool        cfg_bool(keras_build *b, const char *key, bool def);
const char *cfg_text(keras_build *b, const char *key, const char *def);
/* Index of the text in options (ended by NULL). Any other text is unsupported. */
int cfg_choice(keras_build *b, const char *key, const char *const *options, int def);
/* Numbers, or one number: entries, or -1 when absent. */
int cfg_ints(keras_build *b, const char *key, int64_t *out, int max);
/* n entries for the last n of {height, width}; one number serves both. Each from least to IMPORT_MOST. */
void cfg_pair(keras_build *b, const char *key, int n, int64_t least, int pair[2]);
/* {top, left, bottom, right} from a number, a number for each axis, or two numbers for each. */
void cfg_margins(keras_build *b, const char *key, int n, int64_t margins[4]);
/* An axis of the tensor. */
status cfg_axis(keras_build *b, const char *key, int64_t def, int rank, int *out);
/* data_format: sets where the channels are for this layer and for those that do not say. */
void cfg_order(keras_build *b);

/* ---------------------------------------------------------------- activations (keras_activation.c) */

/* By the setting of this name; nothing when it is absent or "linear". */
status keras_activate(keras_build *b, const char *key, operand *x, operand **out);

/* ---------------------------------------------------------------- functions of layers and operations */

#define KERAS_LAYER(name, fn, arg, weights, note) status keras_op_##fn(keras_build *b, int arg_);
#define KERAS_OPERATION(name, fn, arg, note) status keras_op_##fn(keras_build *b, int arg_);
#include "import/keras_layers.inc"
#undef KERAS_LAYER
#undef KERAS_OPERATION

#endif
