/* SPDX-License-Identifier: Apache-2.0 */
/* Opening a Keras file: where architecture and weights are in each of its two containers. */
#include <stdlib.h>
#include <string.h>

#include "import/file_map.h"
#include "import/keras_model.h"
#include "import/keras_zip.h"

/* Bytes that reading a file may take beyond twice its size. */
#define ROOM ((size_t)14 << 20)

status keras_take(keras_file *f, size_t bytes, const char *what)
{
    if (bytes > f->budget)
        return fail(SEPCL_BAD_FILE, "%s would take %zu bytes of memory, too many for a file of %zu", what, bytes, f->size);
    f->budget -= bytes;
    return SEPCL_OK;
}

/* The first number of "2.15.0". */
static int major_version(const char *text)
{
    const long v = strtol(text, NULL, 10);
    return v < 1 || v > 3 ? 3 : (int)v;
}

/* ---------------------------------------------------------------- .h5 */

static status open_h5(keras_file *f)
{
    h5_attribute a;
    bool         found;
    const char  *text;
    TRY(h5_open(f->bytes, f->size, &f->budget, &f->h5));
    TRY(h5_find_attribute(&f->h5, f->h5.root, "keras_version", &a, &found));
    f->version = 1; /* Keras 1 wrote none */
    if (found) {
        TRY(h5_text(&f->h5, &a, &f->memory, &text));
        f->version = major_version(text);
    }
    TRY(h5_find_attribute(&f->h5, f->h5.root, "model_config", &a, &found));
    if (!found) {
        uint64_t group;
        TRY(h5_find_attribute(&f->h5, f->h5.root, "layer_names", &a, &found));
        bool weights = found;
        if (!weights)
            TRY(h5_find(&f->h5, f->h5.root, "layers", &group, &weights));
        return fail(weights ? SEPCL_UNSUPPORTED : SEPCL_BAD_FILE,
                    weights ? "the file has weights, but no architecture: save the whole model, by model.save()"
                            : "an HDF5 file, but no Keras model: it has no attribute 'model_config'");
    }
    size_t length;
    TRY(h5_text_bytes(&f->h5, &a, &text, &length));
    TRY(keras_parse_json(f, text, length, "the attribute 'model_config'", &f->json));
    TRY(h5_find_attribute(&f->h5, f->h5.root, "backend", &a, &found));
    if (found) {
        TRY(h5_text(&f->h5, &a, &f->memory, &text));
        f->mirrored = strcmp(text, "theano") == 0;
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- .keras */

static status need_member(const keras_file *f, const char *name, zip_member *out)
{
    bool found;
    TRY(zip_find(f->bytes, f->size, name, out, &found));
    if (found)
        return SEPCL_OK;
    return fail(SEPCL_BAD_FILE, "a ZIP archive, but no Keras model of one file: it has no '%s'", name);
}

/* *data: where the member's bytes are; in the archive, or in *room, which the caller frees. */
static status member_bytes(keras_file *f, const zip_member *m, const char *name, const uint8_t **data, uint8_t **room)
{
    *data = m->data;
    *room = NULL;
    if (!m->deflated)
        return SEPCL_OK;
    TRY(keras_take(f, m->size, name));
    *room = malloc(m->size ? m->size : 1);
    if (!*room)
        return fail_memory(m->size, name);
    *data = *room;
    const status st = zip_unpack(m, *room);
    if (f->mapped)
        file_map_forget(m->data, m->packed_size);
    return st == SEPCL_OK ? st : fail_in(st, "'%s'", name);
}

static status read_json_member(keras_file *f, const char *name, json_t **out)
{
    zip_member     m;
    const uint8_t *data;
    uint8_t       *room;
    TRY(need_member(f, name, &m));
    status st = member_bytes(f, &m, name, &data, &room);
    if (st == SEPCL_OK)
        st = keras_parse_json(f, (const char *)data, m.size, name, out);
    free(room);
    return st;
}

static status open_archive(keras_file *f)
{
    zip_member     m;
    const uint8_t *data;
    json_t        *about = NULL;
    bool           found;
    f->archive = true;
    f->version = 3;
    TRY(zip_find(f->bytes, f->size, "metadata.json", &m, &found));
    if (found) {
        const status st = read_json_member(f, "metadata.json", &about);
        f->version = major_version(keras_get_text(about, "keras_version", "3"));
        json_decref(about);
        TRY(st);
    }
    TRY(read_json_member(f, "config.json", &f->json));
    TRY(need_member(f, "model.weights.h5", &m));
    TRY(member_bytes(f, &m, "model.weights.h5", &data, &f->unpacked));
    const status st = h5_open(data, m.size, &f->budget, &f->h5);
    return st == SEPCL_OK ? st : fail_in(st, "model.weights.h5");
}

/* ---------------------------------------------------------------- both */

static status describe(keras_file *f)
{
    const keras_model *m = f->model;
    f->inputs = arena_array(&f->memory, (size_t)m->n_inputs, sizeof *f->inputs);
    f->outputs = arena_array(&f->memory, (size_t)m->n_outputs, sizeof *f->outputs);
    if (!f->inputs || !f->outputs)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < m->n_inputs; i++) {
        const keras_layer *l = &m->layers[m->inputs[i].layer];
        f->inputs[i] = (file_tensor){.name = l->name, .type = DT_F32, .shape = l->shape};
    }
    for (int i = 0; i < m->n_outputs; i++)
        f->outputs[i] = (file_tensor){.name = m->output_names[i], .type = DT_F32};
    return SEPCL_OK;
}

status keras_file_open(const uint8_t *bytes, size_t size, const char *path, keras_file **out)
{
    keras_file *f = calloc(1, sizeof *f);
    /* everything is in the file itself */
    *out = f;
    if (!f)
        return fail_memory(sizeof *f, "a Keras file");
    f->bytes = bytes;
    f->size = size;
    f->mapped = path != NULL;
    f->budget = size < SIZE_MAX / 4 ? 2 * size + ROOM : SIZE_MAX / 2;
    status st = zip_sniff(bytes, size) ? open_archive(f) : open_h5(f);
    if (st == SEPCL_OK)
        st = keras_read_model(f);
    if (st == SEPCL_OK)
        st = keras_bind_weights(f);
    if (st == SEPCL_OK)
        st = describe(f);
    return st;
}

void keras_file_close(keras_file *f)
{
    if (!f)
        return;
    json_decref(f->json);
    free(f->unpacked);
    arena_free(&f->memory);
    free(f);
}
