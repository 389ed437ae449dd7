/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The part of HDF5 that Keras files are made of, read where it lies in memory: groups, attributes, and arrays of numbers.
 *
 * HDF5's own library is not used on purpose: it trusts a file's structures, so that a damaged or hostile file can crash
 * it, and it copies what it reads. Here every address and count is checked against the file, links out of the file do
 * not exist, and the number of structures looked at is bounded. What is left out is refused by name: arrays in other
 * files, virtual arrays, filters other than deflate and shuffle, dense storage of large groups in the newest layout.
 *
 * Source: "HDF5 File Format Specification Version 3.0", The HDF Group.
 */
#ifndef SEPCL_IMPORT_KERAS_H5_H
#define SEPCL_IMPORT_KERAS_H5_H

#include "base/arena.h"
#include "base/tensor.h"

/* A file in memory. Addresses count from the bytes given here. */
typedef struct h5_file {
    const uint8_t *bytes;
    size_t         size;
    int            offset_size, length_size; /* bytes of an address and of a length */
    uint64_t       root;
    int64_t        steps;  /* structures that may still be looked at */
    size_t         unpack; /* bytes that compressed arrays may still take */
} h5_file;

/* Bytes that are being read; nothing is read beyond their end. */
typedef struct h5_cursor {
    const uint8_t *at, *end;
    bool           cut; /* something beyond the end was asked for, and 0 was given */
} h5_cursor;

typedef enum h5_class { H5_INTEGER, H5_FLOAT, H5_TEXT, H5_TEXT_ELSEWHERE, H5_OTHER } h5_class;

typedef struct h5_type {
    h5_class kind;
    dtype    type; /* H5_FLOAT: DT_F16, DT_F32, DT_F64, or DT_NONE for what sepcl lacks */
    uint32_t size; /* bytes of an element */
    bool     big_endian;
} h5_type;

/* An attribute: elements of a type, in the file. */
typedef struct h5_attribute {
    h5_type   type;
    shape     shape;
    int64_t   count;
    h5_cursor data;
} h5_attribute;

/* An array of numbers. data: dense and row-major, where it lies in the file (at any address) or in the arena. */
typedef struct h5_array {
    h5_type     type;
    shape       shape;
    const void *data;
} h5_array;

/* Does an HDF5 file begin at *offset of these bytes? */
bool h5_sniff(const uint8_t *bytes, size_t size, size_t *offset);
/* unpack: bytes that compressed arrays of the file may take together. */
status h5_open(const uint8_t *bytes, size_t size, size_t unpack, h5_file *f);

/* The object that a path ("a/b/c") leads to from a group. *found is false when a part of it is not there. */
status h5_find(h5_file *f, uint64_t group, const char *path, uint64_t *object, bool *found);

status h5_find_attribute(h5_file *f, uint64_t object, const char *name, h5_attribute *out, bool *found);
/* An attribute's texts, copied into the arena: one, or a list of them. */
status h5_text(h5_file *f, const h5_attribute *a, arena *memory, const char **out);
status h5_texts(h5_file *f, const h5_attribute *a, arena *memory, const char ***out, int *n);

status h5_read_array(h5_file *f, uint64_t object, arena *memory, h5_array *out);

/* ---------------------------------------------------------------- between the files of this reader */

/* Kinds of messages in an object's header. */
enum {
    H5_SPACE = 0x01,
    H5_LINKS = 0x02,
    H5_DATATYPE = 0x03,
    H5_LINK = 0x06,
    H5_EXTERNAL = 0x07,
    H5_LAYOUT = 0x08,
    H5_FILTERS = 0x0b,
    H5_ATTRIBUTE = 0x0c,
    H5_CONTINUATION = 0x10,
    H5_SYMBOLS = 0x11,
    H5_ATTRIBUTES = 0x15
};

typedef struct h5_message {
    int       type, flags;
    h5_cursor body;
} h5_message;

/* Called for each message until *stop. */
typedef status (*h5_visit)(h5_file *f, const h5_message *m, void *user, bool *stop);
status h5_messages(h5_file *f, uint64_t object, h5_visit visit, void *user);

/* size bytes (at most 8) as a number. */
uint64_t h5_number(h5_cursor *c, int size);
/* n bytes, which are skipped; NULL with c->cut when there are fewer. */
const uint8_t *h5_skip(h5_cursor *c, uint64_t n);
/* The bytes from address on, at least `least` of them. */
status h5_at(h5_file *f, uint64_t address, uint64_t least, const char *what, h5_cursor *out);
/* An address of which all bits are set is none. */
bool   h5_no_address(const h5_file *f, uint64_t address);
status h5_cut(const h5_cursor *c, const char *what);
/* Counts steps; BAD_FILE when there have been too many. */
status h5_step(h5_file *f, int64_t steps);

status h5_read_type(h5_cursor c, h5_type *out);
status h5_read_space(h5_file *f, h5_cursor c, shape *out, int64_t *count);

/* An array in chunks, each perhaps packed. */
#define H5_FILTERS_MOST 8
typedef struct h5_chunks {
    uint64_t tree;                /* address of the index */
    int64_t  chunk[MAX_RANK];     /* extents of a chunk */
    int      filters[H5_FILTERS_MOST], n_filters;
    uint32_t shuffle_size;
} h5_chunks;
status h5_read_filters(h5_cursor c, h5_chunks *out);
status h5_read_chunks(h5_file *f, const h5_chunks *chunks, arena *memory, h5_array *out);

#endif
