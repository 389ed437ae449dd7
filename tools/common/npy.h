/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NumPy's .npy format: versions 1 to 3, one array a file. Read as float32 whatever the element type, in C order
 * whatever the order in the file; written as version 1, little-endian float32.
 */
#ifndef SEPCL_TOOLS_NPY_H
#define SEPCL_TOOLS_NPY_H

#include <stddef.h>
#include <stdint.h>

#include "sepcl/sepcl.h"

/* Most elements of an array: what an int32 index reaches. */
#define NPY_ELEMENTS INT32_MAX
/* Largest file that is read. */
#define NPY_BYTES ((size_t)8 << 30)

typedef struct npy_array {
    sepcl_shape shape; /* rank 0: one element */
    size_t      count;
    float      *data; /* malloc'd */
} npy_array;

bool npy_is(const uint8_t *bytes, size_t size);
/* name: for the error sentence. SEPCL_BAD_FILE when the bytes are no such array, or not exactly one. */
sepcl_status npy_parse(const uint8_t *bytes, size_t size, const char *name, npy_array *out);
void         npy_free(npy_array *a);

/* An array that stays in its file's bytes. */
typedef struct npy_view {
    sepcl_shape    shape;
    size_t         count;
    const uint8_t *bytes; /* of the first element */
    char           order, type;
    int            width; /* bytes of an element */
} npy_view;

/* As npy_parse, but nothing is read, and there may be any number of elements. SEPCL_BAD_FILE for Fortran order. */
sepcl_status npy_look(const uint8_t *bytes, size_t size, const char *name, npy_view *out);
/* count elements from the first-th, as float32. */
void npy_elements(const npy_view *v, size_t first, size_t count, float *out);

/* The header of a file for a dense float32 array, whose elements follow it. Returns its length. */
#define NPY_HEADER 512
size_t npy_header(const sepcl_shape *shape, char buffer[NPY_HEADER]);

#endif
