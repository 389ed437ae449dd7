/* SPDX-License-Identifier: Apache-2.0 */
/* Model files to graphs. The only place that knows file formats. */
#ifndef SEPCL_IMPORT_IMPORT_H
#define SEPCL_IMPORT_IMPORT_H

#include "ir/graph.h"
#include "ops/conv_part.h"

/* An opened file: decoded structure over the mapped bytes; immutable, so several threads may build graphs from it. */
typedef struct model_file model_file;

typedef struct file_tensor {
    const char *name;
    dtype       type;
    shape       shape;              /* free dimensions are -1 */
    const char *dim_names[MAX_RANK]; /* of free dimensions; may be NULL */
} file_tensor;

/* Convolutions that are to be replaced in a file by others, n_parts in a row. */
typedef struct model_edit {
    const char       *old[2]; /* names of what the convolutions make that go: one, or two in a row */
    int               n_old;
    const conv_part  *parts;
    const char *const *roles; /* a word for each part's name */
    int               n_parts;
    const float      *bias; /* of the last part; NULL: the last old one's */
} model_edit;

/* What a format provides. sniff looks at the first bytes; open decodes. A new importer is one such table in formats[] of
   import.c. */
typedef struct importer {
    const char *format;
    bool (*sniff)(const uint8_t *bytes, size_t size, const char *path);
    /* path is NULL for memory. The bytes stay mapped until close. *state_out is passed to the rest. */
    status (*open)(const uint8_t *bytes, size_t size, const char *path, void **state_out);
    void (*close)(void *state);
    /* Is every op known? Names the first that is not. Done at load, before shapes are known. */
    status (*check)(const void *state);
    int (*n_inputs)(const void *state);
    int (*n_outputs)(const void *state);
    const file_tensor *(*input)(const void *state, int i);
    const file_tensor *(*output)(const void *state, int i);
    /* Fills g. inputs[i] is the full shape of input i. Constants may borrow the mapped bytes. Memory of its own is within
       the budget of g's arena, when that has one. */
    status (*build)(const void *state, const shape *inputs, graph *g);
    /* Both may be NULL: the file cannot be written with other convolutions. why_not: what keeps the convolution that makes
       a value from being replaced; NULL: nothing. edit: the new file's bytes, malloc'd; nothing else changes. */
    const char *(*why_not)(const void *state, const char *value);
    status (*edit)(const void *state, const model_edit *edits, int n, uint8_t **bytes_out, size_t *size_out);
    /* Bytes of what loading may take that opening the file has left over; NULL: all but nothing was taken. */
    size_t (*room)(const void *state);
} importer;

/* What opening a file, and building a graph of it at load, may take from the system: twice the file, for what has to be
   converted or reordered, and this much more. */
#define IMPORT_MEMORY ((size_t)14 << 20)

status model_file_open(const char *path, const char *name, model_file **out);
status model_file_open_memory(const void *bytes, size_t size, const char *name, model_file **out);
void   model_file_close(model_file *f);
int    model_file_inputs(const model_file *f);
int    model_file_outputs(const model_file *f);
const file_tensor *model_file_input(const model_file *f, int i);
const file_tensor *model_file_output(const model_file *f, int i);
const char        *model_file_name(const model_file *f);
/* A graph with input i of shape inputs[i], every dimension > 0. The graph borrows the file's bytes: f must outlive it. */
status model_file_build(const model_file *f, const shape *inputs, graph **out);
/* The same within the memory that loading may take. *out stays NULL, with SEPCL_OK, when that is not enough, as for a
   network that computes large weights from a few bytes. */
status model_file_try_build(const model_file *f, const shape *inputs, graph **out);

const char *model_file_why_not(const model_file *f, const char *value);
status      model_file_edit(const model_file *f, const model_edit *edits, int n, uint8_t **bytes_out, size_t *size_out);

#endif
