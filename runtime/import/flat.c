/* SPDX-License-Identifier: Apache-2.0 */
#include "import/flat.h"

#include <string.h>

/* Notes where reading went wrong; gives the position of something absent. */
static size_t bad(flat *f, size_t at)
{
    if (!f->bad)
        f->bad_at = at;
    f->bad = true;
    return 0;
}

static bool inside(const flat *f, size_t at, size_t n)
{
    return at <= f->n && n <= f->n - at;
}

/* A little-endian number of n bytes that lie inside. */
static uint64_t number(const flat *f, size_t at, size_t n)
{
    uint64_t v = 0;
    for (size_t i = 0; i < n; i++)
        v |= (uint64_t)f->p[at + i] << 8 * i;
    return v;
}

/* Follows the forward offset that stands at a position; 0 when it leads nowhere. */
static size_t follow(flat *f, size_t at)
{
    if (!inside(f, at, 4))
        return bad(f, at);
    const size_t step = (size_t)number(f, at, 4);
    if (step < 4 || !inside(f, at, step) || !inside(f, at + step, 4))
        return bad(f, at);
    return at + step;
}

flat_table flat_table_at(flat *f, size_t at)
{
    flat_table t = {.f = f};
    if (!at)
        return t;
    if (!inside(f, at, 4)) {
        bad(f, at);
        return t;
    }
    /* a signed offset backwards, usually */
    const int64_t fields = (int64_t)at - (int32_t)(uint32_t)number(f, at, 4);
    if (fields < 0 || !inside(f, (size_t)fields, 4)) {
        bad(f, at);
        return t;
    }
    const size_t bytes = (size_t)number(f, (size_t)fields, 2), size = (size_t)number(f, (size_t)fields + 2, 2);
    if (bytes < 4 || bytes % 2 || size < 4 || !inside(f, (size_t)fields, bytes) || !inside(f, at, size)) {
        bad(f, (size_t)fields);
        return t;
    }
    return (flat_table){.f = f, .at = at, .fields = (size_t)fields, .n_fields = bytes / 2 - 2, .size = size};
}

flat_table flat_root(flat *f)
{
    return flat_table_at(f, follow(f, 0));
}

/* Where a field of n bytes is; 0 when it is absent. */
static size_t field_at(const flat_table *t, int field, size_t n)
{
    if (!t->at || (size_t)field >= t->n_fields)
        return 0;
    const size_t entry = t->fields + 4 + 2 * (size_t)field, offset = (size_t)number(t->f, entry, 2);
    if (offset == 0)
        return 0;
    if (offset < 4 || offset > t->size || n > t->size - offset)
        return bad(t->f, entry);
    return t->at + offset;
}

flat_table flat_child(const flat_table *t, int field)
{
    const size_t at = field_at(t, field, 4);
    return flat_table_at(t->f, at ? follow(t->f, at) : 0);
}

bool flat_has(const flat_table *t, int field)
{
    return field_at(t, field, 1) != 0;
}

uint8_t flat_u8(const flat_table *t, int field, uint8_t def)
{
    const size_t at = field_at(t, field, 1);
    return at ? t->f->p[at] : def;
}

int32_t flat_i32(const flat_table *t, int field, int32_t def)
{
    const size_t at = field_at(t, field, 4);
    return at ? (int32_t)(uint32_t)number(t->f, at, 4) : def;
}

uint64_t flat_u64(const flat_table *t, int field, uint64_t def)
{
    const size_t at = field_at(t, field, 8);
    return at ? number(t->f, at, 8) : def;
}

float flat_f32(const flat_table *t, int field, float def)
{
    const size_t at = field_at(t, field, 4);
    if (!at)
        return def;
    const uint32_t bits = (uint32_t)number(t->f, at, 4);
    float          v;
    memcpy(&v, &bits, sizeof v);
    return v;
}

flat_vector flat_list(const flat_table *t, int field, size_t size)
{
    flat_vector  v = {.f = t->f, .size = size};
    const size_t slot = field_at(t, field, 4), at = slot ? follow(t->f, slot) : 0;
    if (!at)
        return v;
    const uint32_t n = (uint32_t)number(t->f, at, 4);
    if (n > (t->f->n - at - 4) / size) {
        bad(t->f, at);
        return v;
    }
    v.at = at + 4;
    v.n = n;
    return v;
}

const char *flat_text(const flat_table *t, int field)
{
    const flat_vector v = flat_list(t, field, 1);
    if (!v.at)
        return "";
    const uint8_t *text = v.f->p + v.at;
    if (!inside(v.f, v.at, (size_t)v.n + 1) || memchr(text, 0, (size_t)v.n + 1) != text + v.n) {
        bad(v.f, v.at);
        return "";
    }
    return (const char *)text;
}

flat_table flat_item(const flat_vector *v, uint32_t i)
{
    return flat_table_at(v->f, i < v->n ? follow(v->f, v->at + 4 * (size_t)i) : 0);
}

int64_t flat_int(const flat_vector *v, uint32_t i)
{
    if (i >= v->n)
        return 0;
    const uint64_t u = number(v->f, v->at + v->size * i, v->size);
    return v->size == 4 ? (int32_t)(uint32_t)u : (int64_t)u;
}
