/* SPDX-License-Identifier: Apache-2.0 */
/* Opens a model file with the importer whose format it has. */
#include "import/import.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "import/file_map.h"
#include "import/keras.h"
#include "import/onnx.h"
#include "import/tflite.h"

/* The first that recognises a file; ONNX has no mark of its own, so it comes last. */
static const importer *const formats[] = {
    &import_keras,
    &import_tflite,
    &import_onnx,
};

struct model_file {
    char           *name;
    file_map        map; /* empty for a model in memory */
    const importer *format;
    void           *state;
    size_t          size;
};

/* Sniffs, decodes and checks. The error does not name the file yet. */
static status read_model(model_file *f, const uint8_t *bytes, size_t size, const char *path)
{
    f->size = size;
    if (size == 0)
        return fail(SEPCL_BAD_FILE, "the file is empty");
    for (size_t i = 0; i < sizeof formats / sizeof formats[0] && !f->format; i++)
        if (formats[i]->sniff(bytes, size, path))
            f->format = formats[i];
    if (!f->format)
        return fail(SEPCL_BAD_FILE, "not a model of a known format (Keras, TFLite, ONNX)");
    TRY(f->format->open(bytes, size, path, &f->state));
    return f->format->check(f->state);
}

static status make_file(const char *name, model_file **out)
{
    *out = NULL;
    model_file *f = calloc(1, sizeof *f);
    if (!f)
        return fail_memory(sizeof *f, "a model file");
    f->name = strdup(name);
    if (!f->name) {
        free(f);
        return fail_memory(strlen(name) + 1, "a model's name");
    }
    *out = f;
    return SEPCL_OK;
}

static status finish(model_file *f, status st, model_file **out)
{
    if (st == SEPCL_OK) {
        *out = f;
        return st;
    }
    st = fail_in(st, "%s", f->name);
    model_file_close(f);
    *out = NULL;
    return st;
}

status model_file_open(const char *path, const char *name, model_file **out)
{
    TRY(make_file(name ? name : path, out));
    model_file *f = *out;
    status      st = file_map_open(path, &f->map);
    if (st == SEPCL_OK)
        st = read_model(f, f->map.bytes, f->map.size, path);
    return finish(f, st, out);
}

status model_file_open_memory(const void *bytes, size_t size, const char *name, model_file **out)
{
    TRY(make_file(name ? name : "model", out));
    return finish(*out, read_model(*out, bytes, size, NULL), out);
}

void model_file_close(model_file *f)
{
    if (!f)
        return;
    if (f->state)
        f->format->close(f->state);
    file_map_close(&f->map);
    free(f->name);
    free(f);
}

int model_file_inputs(const model_file *f)
{
    return f->format->n_inputs(f->state);
}

int model_file_outputs(const model_file *f)
{
    return f->format->n_outputs(f->state);
}

const file_tensor *model_file_input(const model_file *f, int i)
{
    return f->format->input(f->state, i);
}

const file_tensor *model_file_output(const model_file *f, int i)
{
    return f->format->output(f->state, i);
}

const char *model_file_name(const model_file *f)
{
    return f->name;
}

/* A given shape must be whole and agree with what the file fixes. */
static status check_input(const file_tensor *t, const shape *given)
{
    char want[SHAPE_TEXT], got[SHAPE_TEXT];
    bool fits = given->rank == t->shape.rank;
    for (int i = 0; fits && i < given->rank; i++)
        fits = given->dim[i] > 0 && (t->shape.dim[i] < 0 || t->shape.dim[i] == given->dim[i]);
    if (fits && shape_count(given) < 0)
        return fail(SEPCL_UNSUPPORTED, "input '%s': shape %s is above the limit of 2147483647 elements", t->name,
                    shape_text(given, got));
    return fits ? SEPCL_OK
                : fail(SEPCL_INVALID, "input '%s' has shape %s in the file (-1: free), but %s was given", t->name,
                       shape_text(&t->shape, want), shape_text(given, got));
}

static status build(const model_file *f, const shape *inputs, arena_budget *budget, graph **out)
{
    graph *g = NULL;
    status st = SEPCL_OK;
    *out = NULL;
    for (int i = 0; st == SEPCL_OK && i < model_file_inputs(f); i++)
        st = check_input(model_file_input(f, i), &inputs[i]);
    if (st == SEPCL_OK)
        st = graph_create(f->name, &g);
    if (st == SEPCL_OK) {
        g->memory.budget = budget;
        st = f->format->build(f->state, inputs, g);
    }
    if (st == SEPCL_OK)
        st = graph_check(g);
    if (st != SEPCL_OK) {
        graph_destroy(g);
        return fail_in(st, "%s", f->name);
    }
    g->memory.budget = NULL;
    *out = g;
    return SEPCL_OK;
}

const char *model_file_why_not(const model_file *f, const char *value)
{
    return f->format->why_not ? f->format->why_not(f->state, value) : "files of this format are not written";
}

status model_file_edit(const model_file *f, const model_edit *edits, int n, uint8_t **bytes_out, size_t *size_out)
{
    *bytes_out = NULL;
    *size_out = 0;
    const status st = f->format->edit ? f->format->edit(f->state, edits, n, bytes_out, size_out)
                                      : fail(SEPCL_UNSUPPORTED, "files of the format %s are not written", f->format->format);
    return st == SEPCL_OK ? st : fail_in(st, "%s", f->name);
}

status model_file_build(const model_file *f, const shape *inputs, graph **out)
{
    return build(f, inputs, NULL, out);
}

static size_t room_of(const model_file *f)
{
    size_t room;
    if (f->format->room)
        return f->format->room(f->state);
    return size_mul(2, f->size, &room) && size_add(IMPORT_MEMORY, room, &room) ? room : SIZE_MAX;
}

status model_file_try_build(const model_file *f, const shape *inputs, graph **out)
{
    arena_budget budget = {.left = room_of(f)};
    const status st = build(f, inputs, &budget, out);
    if (st != SEPCL_OUT_OF_MEMORY || !budget.over)
        return st;
    error_clear();
    return SEPCL_OK;
}
