/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a .npy file: refused or read; what was read is finite in number and can be written and read again. */
#include <stdlib.h>
#include <string.h>

#include "npy.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* Writes the array and reads it back: the same shape. */
static void write_and_read(const npy_array *a)
{
    char         header[NPY_HEADER];
    const size_t length = npy_header(&a->shape, header), data = a->count * sizeof(float);
    npy_array    again;
    uint8_t     *file = malloc(length + data);
    if (!file)
        return;
    memcpy(file, header, length);
    memcpy(file + length, a->data, data);
    if (npy_parse(file, length + data, "written", &again) != SEPCL_OK ||
        memcmp(&again.shape, &a->shape, sizeof(again.shape)) || memcmp(again.data, a->data, data))
        abort();
    npy_free(&again);
    free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    npy_array a;
    if (npy_parse(bytes, size, "x.npy", &a) == SEPCL_OK)
        write_and_read(&a);
    npy_free(&a);
    return 0;
}
