/* SPDX-License-Identifier: Apache-2.0 */
#include "import/wire_out.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"

#define FIRST_ROOM 256

void wire_out_free(wire_out *w)
{
    free(w->p);
    *w = (wire_out){0};
}

static bool reserve(wire_out *w, size_t n)
{
    size_t need, room = w->room ? w->room : FIRST_ROOM;
    if (w->failed || !size_add(w->n, n, &need))
        return false;
    if (need <= w->room)
        return true;
    while (room < need)
        if (!size_mul(room, 2, &room))
            return false;
    uint8_t *grown = realloc(w->p, room);
    if (!grown)
        return false;
    w->p = grown;
    w->room = room;
    return true;
}

void wire_put(wire_out *w, const void *bytes, size_t n)
{
    if (!n)
        return;
    if (!reserve(w, n)) {
        w->failed = true;
        return;
    }
    memcpy(w->p + w->n, bytes, n);
    w->n += n;
}

void wire_put_varint(wire_out *w, uint64_t v)
{
    uint8_t bytes[10];
    size_t  n = 0;
    for (; v > 127; v >>= 7)
        bytes[n++] = (uint8_t)(v & 127) | 128;
    bytes[n++] = (uint8_t)v;
    wire_put(w, bytes, n);
}

void wire_put_tag(wire_out *w, uint32_t field, wire_type type)
{
    wire_put_varint(w, (uint64_t)field << 3 | type);
}

void wire_put_number(wire_out *w, uint32_t field, int64_t v)
{
    wire_put_tag(w, field, WIRE_VARINT);
    wire_put_varint(w, (uint64_t)v);
}

void wire_put_bytes(wire_out *w, uint32_t field, const void *bytes, size_t n)
{
    wire_put_tag(w, field, WIRE_LENGTH);
    wire_put_varint(w, n);
    wire_put(w, bytes, n);
}

void wire_put_text(wire_out *w, uint32_t field, const char *text)
{
    wire_put_bytes(w, field, text, strlen(text));
}

void wire_put_message(wire_out *w, uint32_t field, wire_out *message)
{
    wire_put_bytes(w, field, message->p, message->n);
    w->failed |= message->failed;
    wire_out_free(message);
}

void wire_put_field(wire_out *w, const wire_field *f)
{
    wire_put_tag(w, f->number, f->type);
    if (f->type == WIRE_VARINT)
        wire_put_varint(w, f->value);
    else if (f->type == WIRE_LENGTH)
        wire_put_varint(w, f->bytes.n);
    if (f->type == WIRE_LENGTH || f->type == WIRE_32 || f->type == WIRE_64)
        wire_put(w, f->bytes.p, f->bytes.n);
    else if (f->type != WIRE_VARINT)
        w->failed = true; /* groups are not read either */
}
