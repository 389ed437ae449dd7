/* SPDX-License-Identifier: Apache-2.0 */
/* What an HDF5 file's objects hold: types, shapes, attributes with their texts, arrays. */
#include <string.h>

#include "base/size.h"
#include "import/keras_h5.h"

/* Elements of an attribute: a list of names has a few thousand. */
#define MOST_TEXTS 1000000

/* ---------------------------------------------------------------- types and shapes */

enum { CLASS_INTEGER = 0, CLASS_FLOAT = 1, CLASS_TEXT = 3, CLASS_VARIABLE = 9 };

/* The IEEE formats, by where sign, exponent and mantissa lie. */
static dtype float_type(uint32_t bits, uint32_t size, h5_cursor *c)
{
    static const struct {
        uint32_t size, sign, exponent_at, exponent, mantissa, bias;
        dtype    type;
    } known[] = {{2, 15, 10, 5, 10, 15, DT_F16}, {4, 31, 23, 8, 23, 127, DT_F32}, {8, 63, 52, 11, 52, 1023, DT_F64}};
    const uint64_t offset = h5_number(c, 2), precision = h5_number(c, 2);
    const uint64_t exponent_at = h5_number(c, 1), exponent = h5_number(c, 1);
    const uint64_t mantissa_at = h5_number(c, 1), mantissa = h5_number(c, 1), bias = h5_number(c, 4);
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (!c->cut && known[i].size == size && offset == 0 && precision == 8 * size && mantissa_at == 0 &&
            (bits >> 8 & 255) == known[i].sign && exponent_at == known[i].exponent_at &&
            exponent == known[i].exponent && mantissa == known[i].mantissa && bias == known[i].bias)
            return known[i].type;
    return DT_NONE;
}

status h5_read_type(h5_cursor c, h5_type *out)
{
    const int      kind = (int)h5_number(&c, 1) & 15;
    const uint32_t bits = (uint32_t)h5_number(&c, 3);
    *out = (h5_type){.kind = H5_OTHER, .size = (uint32_t)h5_number(&c, 4)};
    TRY(h5_cut(&c, "a type"));
    if (out->size == 0)
        return fail(SEPCL_BAD_FILE, "HDF5: a type of 0 bytes");
    if (kind == CLASS_INTEGER) {
        out->kind = H5_INTEGER;
        out->big_endian = bits & 1;
    } else if (kind == CLASS_FLOAT) {
        out->kind = H5_FLOAT;
        out->big_endian = bits & 0x41;
        out->type = float_type(bits, out->size, &c);
    } else if (kind == CLASS_TEXT) {
        out->kind = H5_TEXT;
    } else if (kind == CLASS_VARIABLE && (bits & 15) == 1) {
        out->kind = H5_TEXT_ELSEWHERE;
    }
    return h5_cut(&c, "a type");
}

status h5_read_space(h5_file *f, h5_cursor c, shape *out, int64_t *count)
{
    const int version = (int)h5_number(&c, 1), rank = (int)h5_number(&c, 1);
    *out = (shape){.rank = rank};
    if (version != 1 && version != 2)
        return fail(SEPCL_BAD_FILE, "HDF5: a shape of version %d", version);
    if (rank > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "HDF5: an array of %d dimensions is above the limit of %d", rank, MAX_RANK);
    h5_skip(&c, 1);
    const bool none = version == 2 && h5_number(&c, 1) == 2;
    h5_skip(&c, version == 1 ? 5 : 0);
    *count = none ? 0 : 1;
    for (int i = 0; i < rank; i++) {
        const uint64_t dim = h5_number(&c, f->length_size);
        if (dim > INT32_MAX || (*count *= (int64_t)dim) > INT32_MAX)
            return fail(SEPCL_BAD_FILE, "HDF5: an array of more than %d elements", INT32_MAX);
        out->dim[i] = (int64_t)dim;
    }
    return h5_cut(&c, "a shape");
}

/* ---------------------------------------------------------------- attributes */

typedef struct attribute_search {
    const char   *name;
    h5_attribute *out;
    bool          found, dense;
} attribute_search;

/* A part of an attribute of n bytes, which old versions fill up to a multiple of 8. */
static h5_cursor part(h5_cursor *c, uint64_t n, bool filled)
{
    h5_cursor p = {.at = c->at, .end = c->at};
    if (h5_skip(c, n))
        p.end = c->at;
    if (filled)
        h5_skip(c, (8 - n % 8) % 8);
    return p;
}

static status read_attribute(h5_file *f, h5_cursor c, attribute_search *s)
{
    const int version = (int)h5_number(&c, 1), flags = (int)h5_number(&c, 1);
    if (version < 1 || version > 3)
        return fail(SEPCL_BAD_FILE, "HDF5: an attribute of version %d", version);
    const uint64_t name_size = h5_number(&c, 2), type_size = h5_number(&c, 2), space_size = h5_number(&c, 2);
    h5_skip(&c, version == 3 ? 1 : 0);
    const h5_cursor name = part(&c, name_size, version == 1);
    const h5_cursor type = part(&c, type_size, version == 1), space = part(&c, space_size, version == 1);
    TRY(h5_cut(&c, "an attribute"));
    const size_t length = strlen(s->name);
    if ((size_t)(name.end - name.at) < length + 1 || memcmp(name.at, s->name, length + 1) != 0)
        return SEPCL_OK;
    if (version > 1 && flags & 3)
        return fail(SEPCL_UNSUPPORTED, "HDF5: attribute '%s' has a type that several objects share", s->name);
    TRY(h5_read_type(type, &s->out->type));
    TRY(h5_read_space(f, space, &s->out->shape, &s->out->count));
    s->out->data = c;
    s->found = true;
    return SEPCL_OK;
}

static status visit_attribute(h5_file *f, const h5_message *m, void *user, bool *stop)
{
    attribute_search *s = user;
    h5_cursor         c = m->body;
    if (m->type == H5_ATTRIBUTES) {
        h5_skip(&c, 1);
        const int flags = (int)h5_number(&c, 1);
        h5_skip(&c, flags & 1 ? 2 : 0);
        s->dense = !h5_no_address(f, h5_number(&c, f->offset_size));
        return h5_cut(&c, "attributes");
    }
    if (m->type != H5_ATTRIBUTE || m->flags & 2)
        return SEPCL_OK;
    TRY(read_attribute(f, c, s));
    *stop = s->found;
    return SEPCL_OK;
}

status h5_find_attribute(h5_file *f, uint64_t object, const char *name, h5_attribute *out, bool *found)
{
    attribute_search s = {.name = name, .out = out};
    TRY(h5_messages(f, object, visit_attribute, &s));
    *found = s.found;
    if (!s.found && s.dense)
        return fail(SEPCL_UNSUPPORTED,
                    "HDF5: attributes are in dense storage (a file written with libver='latest'), '%s' perhaps", name);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- texts */

/* Object `index` of a collection of the global heap, where texts of any length are kept. */
static status heap_object(h5_file *f, uint64_t collection, uint64_t index, h5_cursor *out)
{
    h5_cursor c;
    TRY(h5_at(f, collection, 8, "a collection of texts", &c));
    const uint8_t *begin = c.at;
    if (memcmp(h5_skip(&c, 4), "GCOL", 4) != 0)
        return fail(SEPCL_BAD_FILE, "HDF5: no signature where a collection of texts should be");
    h5_skip(&c, 4);
    const uint64_t size = h5_number(&c, f->length_size);
    TRY(h5_cut(&c, "a collection of texts"));
    if (size > (uint64_t)(c.end - begin))
        return fail(SEPCL_BAD_FILE, "HDF5: a collection of texts reaches beyond the file");
    c.end = begin + size < c.at ? c.at : begin + size;
    while (c.end - c.at >= 8 + f->length_size) {
        const uint64_t id = h5_number(&c, 2);
        h5_skip(&c, 6);
        const uint64_t bytes = h5_number(&c, f->length_size);
        TRY(h5_step(f, 1));
        *out = part(&c, bytes, false);
        TRY(h5_cut(&c, "a text"));
        if (id == index && index != 0)
            return SEPCL_OK;
        if (id == 0) /* free space: the end */
            break;
        h5_skip(&c, i64_min((int64_t)((8 - bytes % 8) % 8), c.end - c.at));
    }
    return fail(SEPCL_BAD_FILE, "HDF5: text %llu is not in its collection", (unsigned long long)index);
}

/* The next element of an attribute as a text. */
static status next_text(h5_file *f, const h5_type *type, h5_cursor *c, const char **out, size_t *size)
{
    h5_cursor text;
    *out = "";
    *size = 0;
    if (type->kind == H5_TEXT) {
        text = part(c, type->size, false);
    } else {
        const uint64_t length = h5_number(c, 4), collection = h5_number(c, f->offset_size), index = h5_number(c, 4);
        TRY(h5_cut(c, "a list of texts"));
        if (length == 0)
            return SEPCL_OK;
        TRY(heap_object(f, collection, index, &text));
        if (length > (uint64_t)(text.end - text.at))
            return fail(SEPCL_BAD_FILE, "HDF5: a text of %llu bytes is cut", (unsigned long long)length);
        text.end = text.at + length;
    }
    TRY(h5_cut(c, "a list of texts"));
    const uint8_t *zero = text.at == text.end ? NULL : memchr(text.at, 0, (size_t)(text.end - text.at));
    *out = (const char *)text.at;
    *size = (size_t)((zero ? zero : text.end) - text.at);
    return SEPCL_OK;
}

static status need_texts(const h5_attribute *a)
{
    if (a->type.kind != H5_TEXT && a->type.kind != H5_TEXT_ELSEWHERE)
        return fail(SEPCL_BAD_FILE, "HDF5: an attribute that should hold text holds something else");
    return SEPCL_OK;
}

status h5_text_bytes(h5_file *f, const h5_attribute *a, const char **out, size_t *length)
{
    h5_cursor c = a->data;
    TRY(need_texts(a));
    if (a->count != 1)
        return fail(SEPCL_BAD_FILE, "HDF5: an attribute that should hold one text holds %lld", (long long)a->count);
    return next_text(f, &a->type, &c, out, length);
}

status h5_text(h5_file *f, const h5_attribute *a, arena *memory, const char **out)
{
    const char *text;
    size_t      length;
    TRY(h5_text_bytes(f, a, &text, &length));
    *out = arena_strndup(memory, text, length);
    return *out ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

status h5_texts(h5_file *f, const h5_attribute *a, arena *memory, const char ***out, int *n)
{
    h5_cursor c = a->data;
    *n = 0;
    *out = NULL;
    if (a->count == 0)
        return SEPCL_OK; /* an empty list is stored as numbers */
    TRY(need_texts(a));
    if (a->count > MOST_TEXTS || a->count > c.end - c.at)
        return fail(SEPCL_BAD_FILE, "HDF5: a list of %lld texts", (long long)a->count);
    *out = arena_array(memory, (size_t)a->count, sizeof **out);
    if (!*out)
        return SEPCL_OUT_OF_MEMORY;
    for (; *n < a->count; (*n)++) {
        const char *text;
        size_t      length;
        TRY(next_text(f, &a->type, &c, &text, &length));
        if (length > *f->budget)
            return fail(SEPCL_BAD_FILE, "HDF5: a list of texts is larger than its file");
        *f->budget -= length;
        if (!((*out)[*n] = arena_strndup(memory, text, length)))
            return SEPCL_OUT_OF_MEMORY;
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- arrays */

enum { LAYOUT_COMPACT, LAYOUT_PLAIN, LAYOUT_CHUNKED, LAYOUT_VIRTUAL };

/* What the messages of an array say. */
typedef struct array_facts {
    h5_array *out;
    int64_t   count;
    bool      has_type, has_space, has_layout;
    int       layout;
    h5_cursor data; /* compact, plain */
    uint64_t  size;
    int       chunk_rank;
    h5_chunks chunks;
} array_facts;

static status plain_layout(h5_file *f, h5_cursor *c, array_facts *a)
{
    const uint64_t address = h5_number(c, f->offset_size);
    a->size = h5_number(c, f->length_size);
    TRY(h5_cut(c, "the place of an array"));
    if (h5_no_address(f, address)) { /* nothing was written */
        a->size = 0;
        return SEPCL_OK;
    }
    return h5_at(f, address, a->size, "an array", &a->data);
}

static status chunked_layout(h5_file *f, int version, h5_cursor *c, array_facts *a)
{
    if (version != 3)
        return fail(SEPCL_UNSUPPORTED, "HDF5: an array in chunks of the newer kind (libver='latest') is not supported");
    a->chunk_rank = (int)h5_number(c, 1) - 1; /* the last extent is the element's size */
    a->chunks.tree = h5_number(c, f->offset_size);
    if (a->chunk_rank < 1 || a->chunk_rank > MAX_RANK)
        return fail(SEPCL_BAD_FILE, "HDF5: chunks of %d dimensions", a->chunk_rank);
    for (int i = 0; i < a->chunk_rank; i++)
        if ((a->chunks.chunk[i] = (int64_t)h5_number(c, 4)) == 0)
            return fail(SEPCL_BAD_FILE, "HDF5: a chunk has an extent of 0");
    return h5_cut(c, "the chunks of an array");
}

static status visit_layout(h5_file *f, h5_cursor c, array_facts *a)
{
    const int version = (int)h5_number(&c, 1);
    a->has_layout = true;
    if (version != 3 && version != 4)
        return fail(version == 1 || version == 2 ? SEPCL_UNSUPPORTED : SEPCL_BAD_FILE,
                    "HDF5: the place of an array in version %d; 3 and 4 are known", version);
    a->layout = (int)h5_number(&c, 1);
    TRY(h5_cut(&c, "the place of an array"));
    switch (a->layout) {
    case LAYOUT_COMPACT:
        a->size = h5_number(&c, 2);
        a->data = part(&c, a->size, false);
        return h5_cut(&c, "an array");
    case LAYOUT_PLAIN:
        return plain_layout(f, &c, a);
    case LAYOUT_CHUNKED:
        return chunked_layout(f, version, &c, a);
    case LAYOUT_VIRTUAL:
        return fail(SEPCL_UNSUPPORTED, "HDF5: an array that is a view of other files");
    default:
        return fail(SEPCL_BAD_FILE, "HDF5: the place of an array is of kind %d", a->layout);
    }
}

static status visit_array(h5_file *f, const h5_message *m, void *user, bool *stop)
{
    array_facts *a = user;
    (void)stop;
    if (m->flags & 2 && (m->type == H5_SPACE || m->type == H5_DATATYPE || m->type == H5_FILTERS))
        return fail(SEPCL_UNSUPPORTED, "HDF5: an array has a type or shape that several objects share");
    switch (m->type) {
    case H5_SPACE:
        a->has_space = true;
        return h5_read_space(f, m->body, &a->out->shape, &a->count);
    case H5_DATATYPE:
        a->has_type = true;
        return h5_read_type(m->body, &a->out->type);
    case H5_LAYOUT:
        return visit_layout(f, m->body, a);
    case H5_FILTERS:
        return h5_read_filters(m->body, &a->chunks);
    case H5_EXTERNAL:
        return fail(SEPCL_UNSUPPORTED, "HDF5: an array whose data is in other files");
    default:
        return SEPCL_OK;
    }
}

status h5_read_array(h5_file *f, uint64_t object, arena *memory, h5_array *out)
{
    array_facts a = {.out = out};
    char        text[SHAPE_TEXT];
    *out = (h5_array){.data = NULL};
    TRY(h5_messages(f, object, visit_array, &a));
    if (!a.has_type || !a.has_space || !a.has_layout)
        return fail(SEPCL_BAD_FILE, "HDF5: an object that should be an array is none");
    if (a.layout == LAYOUT_CHUNKED) {
        if (a.chunk_rank != out->shape.rank)
            return fail(SEPCL_BAD_FILE, "HDF5: chunks of %d dimensions for an array of shape %s", a.chunk_rank,
                        shape_text(&out->shape, text));
        return h5_read_chunks(f, &a.chunks, memory, out);
    }
    if (a.size < (uint64_t)a.count * out->type.size)
        return fail(SEPCL_BAD_FILE, "HDF5: an array of shape %s has %llu bytes", shape_text(&out->shape, text),
                    (unsigned long long)a.size);
    out->data = a.data.at;
    return SEPCL_OK;
}
