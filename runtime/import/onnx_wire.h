/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of the protobuf wire format over bytes that stay where they are. It never copies and never looks outside the
 * bytes it was given; a nested message is a byte range, read only when it is asked for.
 */
#ifndef SEPCL_IMPORT_ONNX_WIRE_H
#define SEPCL_IMPORT_ONNX_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Groups (an old form of nested messages) deeper than this are refused. */
#define WIRE_DEPTH 32

typedef struct wire_bytes {
    const uint8_t *p;
    size_t         n;
} wire_bytes;

typedef enum wire_type {
    WIRE_VARINT = 0,
    WIRE_64 = 1,
    WIRE_LENGTH = 2,
    WIRE_GROUP = 3,
    WIRE_GROUP_END = 4,
    WIRE_32 = 5
} wire_type;

typedef struct wire_field {
    uint32_t   number;
    wire_type  type;
    uint64_t   value; /* WIRE_VARINT, WIRE_64, WIRE_32 */
    wire_bytes bytes; /* WIRE_LENGTH: the content; WIRE_64, WIRE_32: the 8 or 4 bytes */
} wire_field;

typedef struct wire {
    const uint8_t *at, *end;
    bool           bad; /* set once a field was malformed; at then stands at it */
} wire;

wire wire_open(wire_bytes b);
/* The next field. false at the end, and when it is malformed (then w->bad). A group comes as WIRE_GROUP without
 * content. */
bool wire_next(wire *w, wire_field *f);
/* A bare varint, of a packed list. */
bool wire_varint(wire *w, uint64_t *out);
/* Does every field of a message read? Does not look into nested messages. */
bool wire_whole(wire_bytes b);

bool wire_equal(wire_bytes b, const char *text);

#endif
