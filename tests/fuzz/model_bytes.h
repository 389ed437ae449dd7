/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a model file: opened, checked, and built with free dimensions fixed. */
#ifndef SEPCL_FUZZ_MODEL_BYTES_H
#define SEPCL_FUZZ_MODEL_BYTES_H

#include "sepcl/sepcl.h"

#define MOST_INPUTS 8

static inline int fix_shapes(const sepcl_model *model, int64_t extent, sepcl_input_shape shapes[MOST_INPUTS])
{
    int n = sepcl_model_input_count(model);
    n = n < MOST_INPUTS ? n : MOST_INPUTS;
    for (int i = 0; i < n; i++) {
        shapes[i].name = sepcl_model_input_name(model, i);
        if (sepcl_model_input_shape(model, i, &shapes[i].shape) != SEPCL_OK)
            return i;
        for (int k = 0; k < shapes[i].shape.rank; k++)
            if (shapes[i].shape.dims[k] < 0)
                shapes[i].shape.dims[k] = extent;
    }
    return n;
}

static inline void try_model_bytes(const uint8_t *bytes, size_t size)
{
    sepcl_model      *model;
    sepcl_summary    *summary;
    sepcl_input_shape shapes[MOST_INPUTS];
    if (sepcl_model_load_memory(bytes, size, NULL, &model) == SEPCL_OK) {
        const int n = fix_shapes(model, 1 + (int64_t)(size % 9), shapes);
        if (sepcl_summary_create(model, shapes, n, &summary) == SEPCL_OK)
            sepcl_summary_destroy(summary);
    }
    sepcl_model_destroy(model);
}

#endif
