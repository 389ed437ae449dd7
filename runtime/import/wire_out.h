/* SPDX-License-Identifier: Apache-2.0 */
/* Writing the protobuf wire format into memory that grows. A failure is remembered; it is asked for once, at the end.
 */
#ifndef SEPCL_IMPORT_WIRE_OUT_H
#define SEPCL_IMPORT_WIRE_OUT_H

#include "base/status.h"
#include "import/onnx_wire.h"

typedef struct wire_out {
    uint8_t *p; /* malloc'd */
    size_t   n, room;
    bool     failed;
} wire_out;

void wire_out_free(wire_out *w);
/* Bytes as they are. */
void wire_put(wire_out *w, const void *bytes, size_t n);
void wire_put_tag(wire_out *w, uint32_t field, wire_type type);
void wire_put_varint(wire_out *w, uint64_t v);
/* Fields: a number, bytes, text, a message (which is freed). */
void wire_put_number(wire_out *w, uint32_t field, int64_t v);
void wire_put_bytes(wire_out *w, uint32_t field, const void *bytes, size_t n);
void wire_put_text(wire_out *w, uint32_t field, const char *text);
void wire_put_message(wire_out *w, uint32_t field, wire_out *message);
/* A field as it was read. */
void wire_put_field(wire_out *w, const wire_field *f);

#endif
