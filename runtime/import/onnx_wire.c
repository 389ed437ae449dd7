/* SPDX-License-Identifier: Apache-2.0 */
#include "import/onnx_wire.h"

#include <string.h>

wire wire_open(wire_bytes b)
{
    return (wire){.at = b.p, .end = b.p ? b.p + b.n : NULL};
}

static bool malformed(wire *w)
{
    w->bad = true;
    return false;
}

static size_t left(const wire *w)
{
    return (size_t)(w->end - w->at);
}

bool wire_varint(wire *w, uint64_t *out)
{
    uint64_t v = 0;
    if (w->bad)
        return false;
    for (int shift = 0; shift < 70; shift += 7) {
        if (w->at == w->end)
            return malformed(w);
        const uint8_t b = *w->at++;
        if (shift == 63 && b > 1)
            return malformed(w);
        v |= (uint64_t)(b & 127) << shift;
        if (b < 128) {
            *out = v;
            return true;
        }
    }
    return malformed(w);
}

static bool read_tag(wire *w, wire_field *f)
{
    uint64_t tag;
    if (!wire_varint(w, &tag))
        return false;
    if (tag > UINT32_MAX || tag >> 3 == 0)
        return malformed(w);
    *f = (wire_field){.number = (uint32_t)(tag >> 3), .type = (wire_type)(tag & 7)};
    return true;
}

static bool read_fixed(wire *w, wire_field *f, size_t n)
{
    if (left(w) < n)
        return malformed(w);
    f->bytes = (wire_bytes){w->at, n};
    for (size_t i = 0; i < n; i++)
        f->value |= (uint64_t)w->at[i] << 8 * i;
    w->at += n;
    return true;
}

static bool read_length(wire *w, wire_field *f)
{
    uint64_t n;
    if (!wire_varint(w, &n))
        return false;
    if (n > left(w))
        return malformed(w);
    f->bytes = (wire_bytes){w->at, (size_t)n};
    w->at += n;
    return true;
}

/* Anything but groups. */
static bool read_content(wire *w, wire_field *f)
{
    switch (f->type) {
    case WIRE_VARINT:
        return wire_varint(w, &f->value);
    case WIRE_64:
        return read_fixed(w, f, 8);
    case WIRE_32:
        return read_fixed(w, f, 4);
    case WIRE_LENGTH:
        return read_length(w, f);
    default:
        return malformed(w);
    }
}

/* Passes over a group's content, up to the end tag that matches. */
static bool skip_group(wire *w, uint32_t number)
{
    uint32_t open[WIRE_DEPTH];
    int      depth = 0;
    open[depth++] = number;
    while (depth) {
        wire_field f;
        if (!read_tag(w, &f))
            return malformed(w);
        if (f.type == WIRE_GROUP) {
            if (depth == WIRE_DEPTH)
                return malformed(w);
            open[depth++] = f.number;
        } else if (f.type == WIRE_GROUP_END) {
            if (open[--depth] != f.number)
                return malformed(w);
        } else if (!read_content(w, &f)) {
            return false;
        }
    }
    return true;
}

bool wire_next(wire *w, wire_field *f)
{
    if (w->bad || w->at == w->end || !read_tag(w, f))
        return false;
    return f->type == WIRE_GROUP ? skip_group(w, f->number) : read_content(w, f);
}

bool wire_whole(wire_bytes b)
{
    wire       w = wire_open(b);
    wire_field f;
    while (wire_next(&w, &f)) {
    }
    return !w.bad;
}

bool wire_equal(wire_bytes b, const char *text)
{
    return b.n == strlen(text) && (b.n == 0 || memcmp(b.p, text, b.n) == 0);
}
