/* SPDX-License-Identifier: Apache-2.0 */
/* Keras models as words of their architecture, opened and built from memory. */
#ifndef SEPCL_TEST_KERAS_TEXT_H
#define SEPCL_TEST_KERAS_TEXT_H

#include "model_bytes.h"

#include "keras_writer.h"

typedef struct built {
    model_file *model;
    graph      *g;
} built;

static inline void built_free(built *b)
{
    graph_destroy(b->g);
    model_file_close(b->model);
    *b = (built){0};
}

/* Free extents become 8. The bytes must stay. */
static inline status build(const uint8_t *p, size_t n, built *b)
{
    return model_starve_and_build(&(model_bytes){p, n, "test.h5", 1, 8}, &b->model, &b->g);
}

/* ---------------------------------------------------------------- architectures in words */

#define LAYER(class_name, name, ...)                                                                                   \
    "{\"class_name\":\"" class_name "\",\"config\":{\"name\":\"" name "\"," __VA_ARGS__ "}}"
#define INPUT LAYER("InputLayer", "x", "\"batch_input_shape\":[null,8,8,3]")
#define VECTOR LAYER("InputLayer", "x", "\"batch_input_shape\":[null,4]")
#define CHAIN(...) "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"layers\":[" __VA_ARGS__ "]}}"
#define NO_SETTINGS "\"trainable\":true"

/* A layer of a functional model that takes call 0 of another. */
#define ON(class_name, name, source, ...)                                                                              \
    "{\"class_name\":\"" class_name "\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\"" __VA_ARGS__ "},"      \
    "\"inbound_nodes\":[[[\"" source "\",0,0,{}]]]}"
#define START                                                                                                          \
    "{\"class_name\":\"InputLayer\",\"name\":\"x\",\"config\":{\"name\":\"x\",\"batch_input_shape\":[null,8,8,3]},"    \
    "\"inbound_nodes\":[]}"
#define NET(ends, ...)                                                                                                 \
    "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" __VA_ARGS__ "],"                          \
    "\"input_layers\":[[\"x\",0,0]],\"output_layers\":" ends "}}"

/* Whether the file is refused with this status and a sentence that has this text (NULL: any); frees the file. */
static inline bool answers(kw file, status want, const char *text)
{
    built        b;
    const status st = build(file.p, file.n, &b);
    const bool   right = st == want && (!text || strstr(error_sentence(), text)) &&
                       (st == SEPCL_OK || strncmp(error_sentence(), "test.h5: ", 9) == 0);
    if (!right)
        print_error("status %d (want %d), '%s' (want '%s')\n", st, want, st ? error_sentence() : "", text ? text : "");
    built_free(&b);
    free(file.p);
    return right;
}

static inline void check(kw file, status want, const char *text)
{
    assert_true(answers(file, want, text));
}

#endif
