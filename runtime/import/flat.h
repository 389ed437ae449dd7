/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of flatbuffers over bytes that stay where they are. Every offset, field table and vector is checked against
 * the bytes before it is followed; nothing is copied. What is out of place reads as absent and sets `bad`, so that a
 * caller may read a whole table and look once. Tables do not nest by themselves: a caller that asks for a child goes
 * one level down, so depth is bounded by what is asked.
 */
#ifndef SEPCL_IMPORT_FLAT_H
#define SEPCL_IMPORT_FLAT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct flat {
    const uint8_t *p;
    size_t         n;
    bool           bad; /* something was out of place; bad_at stands at the first such byte */
    size_t         bad_at;
} flat;

/* at 0: absent; each of its fields has its default. */
typedef struct flat_table {
    flat  *f;
    size_t at, fields; /* positions of the table and of its field table */
    size_t n_fields, size;
} flat_table;

/* n elements of `size` bytes each from `at` on. */
typedef struct flat_vector {
    flat    *f;
    size_t   at, size;
    uint32_t n;
} flat_vector;

flat_table flat_root(flat *f);
/* A table whose position flat_table.at had before; 0: absent. */
flat_table flat_table_at(flat *f, size_t at);
flat_table flat_child(const flat_table *t, int field);

bool     flat_has(const flat_table *t, int field);
uint8_t  flat_u8(const flat_table *t, int field, uint8_t def);
int32_t  flat_i32(const flat_table *t, int field, int32_t def);
uint64_t flat_u64(const flat_table *t, int field, uint64_t def);
float    flat_f32(const flat_table *t, int field, float def);
/* Borrowed, and ended by its only 0 byte; "" when absent. */
const char *flat_text(const flat_table *t, int field);

/* Of numbers of 1, 2, 4 or 8 bytes, or of tables (4). Empty when absent. */
flat_vector flat_list(const flat_table *t, int field, size_t size);
flat_table  flat_item(const flat_vector *v, uint32_t i);
int64_t     flat_int(const flat_vector *v, uint32_t i); /* 4 bytes are signed, 1 and 2 are not */

#endif
