/* SPDX-License-Identifier: Apache-2.0 */
/* Arrays of an HDF5 file that are kept in chunks, each perhaps shuffled and deflated. */
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "import/keras_h5.h"
#include "import/keras_zip.h"

enum { FILTER_DEFLATE = 1, FILTER_SHUFFLE = 2 };

/* Levels of the index of chunks. */
#define MOST_LEVELS 16

status h5_read_filters(h5_cursor c, h5_chunks *out)
{
    const int version = (int)h5_number(&c, 1);
    out->n_filters = (int)h5_number(&c, 1);
    if ((version != 1 && version != 2) || out->n_filters > H5_FILTERS_MOST)
        return fail(SEPCL_BAD_FILE, "HDF5: %d filters in version %d", out->n_filters, version);
    h5_skip(&c, version == 1 ? 6 : 0);
    for (int i = 0; i < out->n_filters; i++) {
        const int      id = (int)h5_number(&c, 2);
        const uint64_t name = version == 1 || id >= 256 ? h5_number(&c, 2) : 0;
        h5_skip(&c, 2); /* flags */
        const uint64_t values = h5_number(&c, 2);
        h5_skip(&c, version == 1 ? (name + 7) / 8 * 8 : name);
        if (id == FILTER_SHUFFLE && values >= 1)
            out->shuffle_size = (uint32_t)h5_number(&c, 4);
        h5_skip(&c, 4 * (values - (id == FILTER_SHUFFLE && values >= 1)) + (version == 1 && values % 2 ? 4 : 0));
        TRY(h5_cut(&c, "the filters of an array"));
        if (id != FILTER_DEFLATE && id != FILTER_SHUFFLE)
            return fail(SEPCL_UNSUPPORTED, "HDF5: filter number %d is not supported (deflate and shuffle are)", id);
        out->filters[i] = id;
    }
    return SEPCL_OK;
}

/* An array being put together. */
typedef struct assembly {
    h5_file         *f;
    const h5_chunks *chunks;
    const h5_array  *array;
    uint8_t         *to;
    size_t           chunk_bytes;
    uint8_t         *packed, *plain; /* room for a chunk each */
    int64_t          filled;         /* elements so far */
} assembly;

/* The bytes of all elements stand in planes: first bytes, second bytes, ... */
static void unshuffle(const uint8_t *from, uint8_t *to, size_t bytes, size_t size)
{
    const size_t n = bytes / size;
    for (size_t k = 0; k < size; k++)
        for (size_t i = 0; i < n; i++)
            to[i * size + k] = from[k * n + i];
    memcpy(to + n * size, from + n * size, bytes - n * size);
}

/* Undoes the filters, the last one first. *out: one of the rooms or the file itself. */
static status unfilter(assembly *a, uint64_t skipped, h5_cursor data, const uint8_t **out)
{
    const uint8_t *from = data.at;
    size_t         bytes = (size_t)(data.end - data.at);
    for (int i = a->chunks->n_filters - 1; i >= 0; i--) {
        uint8_t *to = from == a->plain ? a->packed : a->plain;
        if (skipped >> i & 1)
            continue;
        if (a->chunks->filters[i] == FILTER_DEFLATE) {
            TRY(zip_inflate_zlib(from, bytes, to, a->chunk_bytes));
            bytes = a->chunk_bytes;
        } else {
            const size_t size = a->chunks->shuffle_size;
            if (bytes != a->chunk_bytes || size < 1 || size > bytes)
                return fail(SEPCL_BAD_FILE, "HDF5: a shuffled chunk of %zu bytes in elements of %zu", bytes, size);
            unshuffle(from, to, bytes, size);
        }
        from = to;
    }
    if (bytes != a->chunk_bytes)
        return fail(SEPCL_BAD_FILE, "HDF5: a chunk has %zu bytes, not %zu", bytes, a->chunk_bytes);
    *out = from;
    return SEPCL_OK;
}

/* Copies the part of a chunk that lies inside the array, row by row. */
static status place(assembly *a, const int64_t *at, const uint8_t *from)
{
    const shape  *s = &a->array->shape;
    const size_t  size = a->array->type.size;
    const int     last = s->rank - 1;
    int64_t       inside[MAX_RANK], index[MAX_RANK] = {0}, stride[MAX_RANK], rows = 1;
    shape_strides(s, stride);
    for (int k = 0; k <= last; k++) {
        inside[k] = i64_min(a->chunks->chunk[k], s->dim[k] - at[k]);
        rows *= k < last ? inside[k] : 1;
    }
    TRY(h5_step(a->f, rows));
    for (int64_t r = 0; r < rows; r++) {
        int64_t source = 0, target = 0;
        for (int k = 0; k <= last; k++) {
            source = source * a->chunks->chunk[k] + index[k];
            target += (at[k] + index[k]) * stride[k];
        }
        memcpy(a->to + (size_t)target * size, from + (size_t)source * size, (size_t)inside[last] * size);
        for (int k = last - 1; k >= 0 && ++index[k] == inside[k]; k--)
            index[k] = 0;
    }
    a->filled += rows * inside[last];
    return SEPCL_OK;
}

static status read_chunk(assembly *a, uint64_t size, uint64_t skipped, const int64_t *at, uint64_t address)
{
    h5_cursor      data;
    const uint8_t *plain = NULL;
    for (int k = 0; k < a->array->shape.rank; k++)
        if (at[k] < 0 || at[k] >= a->array->shape.dim[k] || at[k] % a->chunks->chunk[k])
            return fail(SEPCL_BAD_FILE, "HDF5: a chunk begins outside its array");
    TRY(h5_at(a->f, address, size, "a chunk", &data));
    data.end = data.at + size;
    TRY(unfilter(a, skipped, data, &plain));
    return place(a, at, plain);
}

/* The index is a tree; level is what this node may have at most. */
static status read_tree(assembly *a, uint64_t address, int level)
{
    h5_file *f = a->f;
    h5_cursor c;
    TRY(h5_at(f, address, 8, "the index of chunks", &c));
    if (memcmp(h5_skip(&c, 4), "TREE", 4) != 0 || h5_number(&c, 1) != 1)
        return fail(SEPCL_BAD_FILE, "HDF5: no signature where the index of chunks should be");
    const int own = (int)h5_number(&c, 1), n = (int)h5_number(&c, 2);
    if (own > level)
        return fail(SEPCL_BAD_FILE, "HDF5: level %d in the index of chunks is out of order", own);
    h5_skip(&c, 2 * (uint64_t)f->offset_size);
    for (int i = 0; i < n; i++) {
        int64_t        at[MAX_RANK];
        const uint64_t size = h5_number(&c, 4), skipped = h5_number(&c, 4);
        for (int k = 0; k < a->array->shape.rank; k++)
            at[k] = (int64_t)h5_number(&c, 8);
        h5_skip(&c, 8);
        const uint64_t child = h5_number(&c, f->offset_size);
        TRY(h5_cut(&c, "the index of chunks"));
        TRY(own ? read_tree(a, child, own - 1) : read_chunk(a, size, skipped, at, child));
    }
    return SEPCL_OK;
}

static status check_size(const h5_file *f, const h5_chunks *chunks, const h5_array *array, size_t *bytes,
                         size_t *chunk_bytes)
{
    char text[SHAPE_TEXT];
    *chunk_bytes = array->type.size;
    for (int k = 0; k < array->shape.rank; k++)
        if (!size_mul(*chunk_bytes, (size_t)chunks->chunk[k], chunk_bytes))
            return fail(SEPCL_BAD_FILE, "HDF5: a chunk is too large");
    if (!size_mul((size_t)shape_count(&array->shape), array->type.size, bytes) || *bytes > f->unpack ||
        *chunk_bytes > f->unpack)
        return fail(SEPCL_BAD_FILE, "HDF5: packed arrays take more than %zu bytes, at one of shape %s", f->unpack,
                    shape_text(&array->shape, text));
    return SEPCL_OK;
}

status h5_read_chunks(h5_file *f, const h5_chunks *chunks, arena *memory, h5_array *out)
{
    assembly a = {.f = f, .chunks = chunks, .array = out};
    size_t   bytes = 0;
    status   st = SEPCL_OUT_OF_MEMORY;
    TRY(check_size(f, chunks, out, &bytes, &a.chunk_bytes));
    if (shape_count(&out->shape) == 0)
        return SEPCL_OK;
    if (h5_no_address(f, chunks->tree))
        return fail(SEPCL_BAD_FILE, "HDF5: an array in chunks has none");
    f->unpack -= bytes;
    a.to = arena_alloc(memory, bytes);
    a.packed = malloc(a.chunk_bytes);
    a.plain = malloc(a.chunk_bytes);
    if (a.to && a.packed && a.plain)
        st = read_tree(&a, chunks->tree, MOST_LEVELS);
    else
        fail_memory(bytes, "an array");
    /* several chunks of one place would count twice, but then another place has none or the count is too high */
    if (st == SEPCL_OK && a.filled != shape_count(&out->shape))
        st = fail(SEPCL_BAD_FILE, "HDF5: the chunks of an array hold %lld of its %lld elements", (long long)a.filled,
                  (long long)shape_count(&out->shape));
    out->data = a.to;
    free(a.packed);
    free(a.plain);
    return st;
}
