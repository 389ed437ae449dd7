/* SPDX-License-Identifier: Apache-2.0 */
/*
 * TensorProto: elements stand in raw_data, in a list by type, or in another file. They are used where they lie when
 * they are aligned and of a type that sepcl computes with; else they are copied once, when the file is opened.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "import/onnx_model.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "raw tensor data is little-endian");

enum {
    T_DIMS = 1,
    T_TYPE = 2,
    T_SEGMENT = 3,
    T_FLOATS = 4,
    T_INT32S = 5,
    T_INT64S = 7,
    T_NAME = 8,
    T_RAW = 9,
    T_DOUBLES = 10,
    T_EXTERNAL = 13,
    T_LOCATION = 14
};

static const struct type_row {
    const char *name;
    dtype       type;
    uint8_t     size;  /* in raw_data */
    uint8_t     field; /* list that holds it when raw_data does not */
} types[] = {
    [0] = {.name = "undefined"},
    [ONNX_FLOAT] = {"float", DT_F32, 4, T_FLOATS},
    [ONNX_UINT8] = {"uint8", DT_U8, 1, T_INT32S},
    [ONNX_INT8] = {"int8", DT_I8, 1, T_INT32S},
    [4] = {.name = "uint16"},
    [5] = {.name = "int16"},
    [ONNX_INT32] = {"int32", DT_I32, 4, T_INT32S},
    [ONNX_INT64] = {"int64", DT_I64, 8, T_INT64S},
    [8] = {.name = "string"},
    [ONNX_BOOL] = {"bool", DT_BOOL, 1, T_INT32S},
    [ONNX_FLOAT16] = {"float16", DT_F16, 2, T_INT32S},
    [ONNX_DOUBLE] = {"double", DT_F32, 8, T_DOUBLES},
    [12] = {.name = "uint32"},
    [13] = {.name = "uint64"},
    [14] = {.name = "complex64"},
    [15] = {.name = "complex128"},
    [ONNX_BFLOAT16] = {"bfloat16", DT_F32, 2, T_INT32S},
};
#define N_TYPES ((int64_t)(sizeof types / sizeof types[0]))

dtype onnx_dtype(int64_t onnx_type)
{
    return onnx_type >= 0 && onnx_type < N_TYPES ? types[onnx_type].type : DT_NONE;
}

const char *onnx_type_name(int64_t onnx_type)
{
    return onnx_type >= 0 && onnx_type < N_TYPES ? types[onnx_type].name : "of 8 bits and fewer, or unknown";
}

/* ---------------------------------------------------------------- description */

static status add_dim(onnx_tensor *t, uint64_t dim)
{
    if (t->shape.rank == MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "tensor '%s' has more than %d dimensions", t->name, MAX_RANK);
    if ((int64_t)dim < 0)
        return fail(SEPCL_BAD_FILE, "tensor '%s' has a negative dimension, %lld", t->name, (long long)dim);
    t->shape.dim[t->shape.rank++] = (int64_t)dim;
    return SEPCL_OK;
}

static status add_dims(onnx_model *m, onnx_tensor *t, const wire_field *f)
{
    uint64_t dim;
    if (f->type == WIRE_VARINT)
        return add_dim(t, f->value);
    wire w = wire_open(f->bytes);
    if (f->type != WIRE_LENGTH)
        return onnx_malformed(m, &w, "shape of a tensor");
    while (w.at < w.end && wire_varint(&w, &dim))
        TRY(add_dim(t, dim));
    return w.bad ? onnx_malformed(m, &w, "shape of a tensor") : SEPCL_OK;
}

status onnx_tensor_describe(onnx_model *m, wire_bytes message, onnx_tensor *t)
{
    wire       w = wire_open(message);
    wire_field f;
    bool       outside = false;
    char       text[SHAPE_TEXT];
    *t = (onnx_tensor){.name = "", .message = message};
    while (wire_next(&w, &f)) {
        if (f.number == T_DIMS)
            TRY(add_dims(m, t, &f));
        else if (f.number == T_TYPE && f.type == WIRE_VARINT)
            t->onnx_type = (int64_t)f.value;
        else if (f.number == T_NAME && f.type == WIRE_LENGTH)
            TRY(onnx_text(m, f.bytes, &t->name));
        else if (f.number == T_LOCATION && f.type == WIRE_VARINT)
            outside = f.value == 1;
        else if (f.number == T_SEGMENT)
            return fail(SEPCL_UNSUPPORTED, "tensor '%s' is stored in segments", t->name);
    }
    if (w.bad)
        return onnx_malformed(m, &w, "tensor");
    t->type = onnx_dtype(t->onnx_type);
    t->count = shape_count(&t->shape);
    if (!outside && t->type != DT_NONE && message.n < INT32_MAX && (t->count < 0 || (size_t)t->count > message.n))
        return fail(SEPCL_BAD_FILE, "tensor '%s' of shape %s has more elements than bytes", t->name,
                    shape_text(&t->shape, text));
    if (t->count < 0)
        return fail(SEPCL_UNSUPPORTED, "tensor '%s' has more than 2147483647 elements", t->name);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- raw bytes */

static float bfloat_to_float(uint16_t b)
{
    const uint32_t bits = (uint32_t)b << 16;
    float          f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static void convert(const onnx_tensor *t, const uint8_t *from, float *to)
{
    for (int64_t i = 0; i < t->count; i++) {
        if (t->onnx_type == ONNX_DOUBLE) {
            double d;
            memcpy(&d, from + 8 * i, sizeof d);
            to[i] = (float)d;
        } else {
            uint16_t b;
            memcpy(&b, from + 2 * i, sizeof b);
            to[i] = bfloat_to_float(b);
        }
    }
}

static status make_room(onnx_model *m, onnx_tensor *t, void **out)
{
    *out = arena_array(&m->memory, (size_t)t->count, dtype_size(t->type));
    t->data = *out;
    return *out ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

static status use_bytes(onnx_model *m, onnx_tensor *t, wire_bytes raw, const char *what)
{
    const struct type_row *row = &types[t->onnx_type];
    const size_t           want = (size_t)t->count * row->size; /* at most 2^31 * 8 */
    void                  *copy;
    char                   text[SHAPE_TEXT];
    if (raw.n != want)
        return fail(SEPCL_BAD_FILE, "%s of %zu bytes, but %s of shape %s takes %zu", what, raw.n, row->name,
                    shape_text(&t->shape, text), want);
    if (row->size == dtype_size(t->type) && (uintptr_t)raw.p % row->size == 0 && raw.n) {
        t->data = raw.p;
        return SEPCL_OK;
    }
    TRY(make_room(m, t, &copy));
    if (row->size == dtype_size(t->type) && raw.n)
        memcpy(copy, raw.p, raw.n);
    else
        convert(t, raw.p, copy);
    if (m->path)
        file_map_forget(raw.p, raw.n); /* the copy is what will be read */
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- lists by type */

static void store(const onnx_tensor *t, void *to, int64_t i, uint64_t v)
{
    switch (t->onnx_type) {
    case ONNX_FLOAT:
        ((uint32_t *)to)[i] = (uint32_t)v;
        break;
    case ONNX_DOUBLE: {
        double d;
        memcpy(&d, &v, sizeof d);
        ((float *)to)[i] = (float)d;
        break;
    }
    case ONNX_BFLOAT16:
        ((float *)to)[i] = bfloat_to_float((uint16_t)v);
        break;
    case ONNX_FLOAT16:
        ((uint16_t *)to)[i] = (uint16_t)v;
        break;
    case ONNX_INT64:
        ((int64_t *)to)[i] = (int64_t)v;
        break;
    case ONNX_INT32:
        ((int32_t *)to)[i] = (int32_t)v;
        break;
    default:
        ((uint8_t *)to)[i] = (uint8_t)v;
    }
}

/* One entry of a packed list: a varint or a fixed-size number. */
static bool list_next(wire *w, int field, uint64_t *v)
{
    const size_t size = field == T_FLOATS ? 4 : field == T_DOUBLES ? 8 : 0;
    if (w->at == w->end)
        return false;
    if (!size)
        return wire_varint(w, v);
    if ((size_t)(w->end - w->at) < size) {
        w->bad = true;
        return false;
    }
    *v = 0;
    memcpy(v, w->at, size);
    w->at += size;
    return true;
}

/* Reads the list field into `to`, no more than its room, since a mapped file may have changed since it was counted; counts
   only when that is NULL. */
static status read_list(onnx_model *m, const onnx_tensor *t, void *to, int64_t *n_out)
{
    const int  field = types[t->onnx_type].field;
    wire       w = wire_open(t->message);
    wire_field f;
    int64_t    n = 0;
    while (wire_next(&w, &f)) {
        uint64_t v;
        if ((int)f.number != field)
            continue;
        if (f.type == WIRE_LENGTH) {
            wire list = wire_open(f.bytes);
            for (; list_next(&list, field, &v); n++)
                if (to && n < t->count)
                    store(t, to, n, v);
            if (list.bad)
                return onnx_malformed(m, &list, "tensor data");
        } else {
            if (to && n < t->count)
                store(t, to, n, f.value);
            n++;
        }
    }
    *n_out = n;
    return SEPCL_OK;
}

static status use_list(onnx_model *m, onnx_tensor *t)
{
    int64_t n = 0;
    void   *to;
    char    text[SHAPE_TEXT];
    /* counted first, so that a shape without data cannot ask for memory */
    TRY(read_list(m, t, NULL, &n));
    if (n != t->count)
        return fail(SEPCL_BAD_FILE, "%lld elements of data, but shape %s has %lld", (long long)n,
                    shape_text(&t->shape, text), (long long)t->count);
    TRY(make_room(m, t, &to));
    return read_list(m, t, to, &n);
}

/* ---------------------------------------------------------------- other files */

typedef struct external {
    const char *location;
    uint64_t    offset, length;
    bool        has_length;
} external;

static status read_number(wire_bytes b, const char *key, uint64_t *out)
{
    uint64_t v = 0;
    bool     ok = b.n > 0 && b.n < 20;
    for (size_t i = 0; ok && i < b.n; i++) {
        ok = b.p[i] >= '0' && b.p[i] <= '9';
        v = 10 * v + (uint64_t)(b.p[i] - '0');
    }
    *out = v;
    return ok ? SEPCL_OK : fail(SEPCL_BAD_FILE, "external data: the %s is not a number of bytes", key);
}

static status read_entry(onnx_model *m, wire_bytes b, external *e)
{
    wire       w = wire_open(b);
    wire_field f;
    wire_bytes key = {0}, text = {0};
    while (wire_next(&w, &f)) {
        if (f.type == WIRE_LENGTH && f.number == 1)
            key = f.bytes;
        else if (f.type == WIRE_LENGTH && f.number == 2)
            text = f.bytes;
    }
    if (w.bad)
        return onnx_malformed(m, &w, "external data entry");
    if (wire_equal(key, "location"))
        return onnx_text(m, text, &e->location);
    if (wire_equal(key, "offset"))
        return read_number(text, "offset", &e->offset);
    if (!wire_equal(key, "length"))
        return SEPCL_OK; /* a checksum, and what is to come */
    e->has_length = true;
    return read_number(text, "length", &e->length);
}

/* The mapping of a file of external data; each is opened once. */
static status find_external(onnx_model *m, const char *location, const file_map **out)
{
    for (int i = m->n_externals - 1; i >= 0; i--)
        if (strcmp(m->externals[i].location, location) == 0) {
            *out = &m->externals[i].map;
            return SEPCL_OK;
        }
    onnx_external *list = arena_grow(&m->memory, m->externals, &m->cap_externals, m->n_externals + 1, sizeof *list);
    if (!list)
        return SEPCL_OUT_OF_MEMORY;
    m->externals = list;
    onnx_external *e = &list[m->n_externals];
    *e = (onnx_external){.location = location};
    const status st = file_map_open_beside(m->path, location, &e->map);
    if (st != SEPCL_OK)
        return fail_in(st, "external data '%s'", location);
    onnx_model_allow(m, e->map.size);
    onnx_model_allow(m, e->map.size);
    m->n_externals++;
    *out = &e->map;
    return SEPCL_OK;
}

static status use_external(onnx_model *m, onnx_tensor *t)
{
    external        e = {0};
    const file_map *map = NULL;
    wire            w = wire_open(t->message);
    wire_field      f;
    while (wire_next(&w, &f))
        if (f.number == T_EXTERNAL && f.type == WIRE_LENGTH)
            TRY(read_entry(m, f.bytes, &e));
    if (!e.location || !e.location[0])
        return fail(SEPCL_BAD_FILE, "external data without a location");
    if (!m->path)
        return fail(SEPCL_UNSUPPORTED, "external data '%s': a model in memory has no folder to look in", e.location);
    TRY(find_external(m, e.location, &map));
    if (e.offset > map->size || (e.has_length && e.length > map->size - e.offset))
        return fail(SEPCL_BAD_FILE, "external data '%s' has %zu bytes, but %llu from byte %llu on are asked for",
                    e.location, map->size, (unsigned long long)e.length, (unsigned long long)e.offset);
    const size_t n = e.has_length ? (size_t)e.length : map->size - (size_t)e.offset;
    return use_bytes(m, t, (wire_bytes){map->bytes ? map->bytes + e.offset : NULL, n}, "external data");
}

/* ---------------------------------------------------------------- elements */

status onnx_tensor_load(onnx_model *m, onnx_tensor *t)
{
    wire       w = wire_open(t->message);
    wire_field f;
    wire_bytes raw = {0};
    bool       outside = false;
    if (t->data)
        return SEPCL_OK;
    if (t->type == DT_NONE)
        return fail(SEPCL_UNSUPPORTED, "elements of type %s are not supported", onnx_type_name(t->onnx_type));
    while (wire_next(&w, &f)) {
        if (f.number == T_RAW && f.type == WIRE_LENGTH)
            raw = f.bytes;
        else if (f.number == T_LOCATION && f.type == WIRE_VARINT)
            outside = f.value == 1;
    }
    if (outside)
        return use_external(m, t);
    return raw.p ? use_bytes(m, t, raw, "raw data") : use_list(m, t);
}
