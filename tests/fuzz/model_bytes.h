/* SPDX-License-Identifier: Apache-2.0 */
/* Bytes as a model file: opened, checked, and built with free dimensions fixed. */
#ifndef SEPCL_FUZZ_MODEL_BYTES_H
#define SEPCL_FUZZ_MODEL_BYTES_H

#include <sanitizer/allocator_interface.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

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

/* Loading may take twice the file and this much more. */
#define LOADING_MEMORY ((size_t)16 << 20)

/* A second of processor time a MB is meant, a sanitizer slows everything down, and opening anything takes a moment. */
#define LOADING_SECONDS_PER_BYTE 10e-6
#define LOADING_SECONDS 2.0

static size_t             loading_now, loading_most;
static _Thread_local bool loading; /* a driver's threads have their own life */

static void count_malloc(const volatile void *p, size_t n)
{
    if (!loading || !p)
        return;
    loading_now += n;
    loading_most = loading_now > loading_most ? loading_now : loading_most;
}

static void count_free(const volatile void *p)
{
    if (!loading || !p)
        return;
    const size_t n = __sanitizer_get_allocated_size(p);
    loading_now -= n < loading_now ? n : loading_now;
}

/* Of this thread alone, so that a busy machine makes no difference. */
static inline double processor_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (double)t.tv_sec + (double)t.tv_nsec * 1e-9;
}

static inline sepcl_status load_in_bounds(const uint8_t *bytes, size_t size, sepcl_model **model)
{
    static bool installed;
    if (!installed)
        __sanitizer_install_malloc_and_free_hooks(count_malloc, count_free);
    installed = true;
    loading_now = loading_most = 0;
    loading = true;
    const double       begin = processor_seconds();
    const sepcl_status st = sepcl_model_load_memory(bytes, size, NULL, model);
    const double       took = processor_seconds() - begin;
    loading = false;
    if (took > LOADING_SECONDS + LOADING_SECONDS_PER_BYTE * (double)size) {
        fprintf(stderr, "loading %zu bytes took %.3g seconds\n", size, took);
        abort();
    }
    if (loading_most > 2 * size + LOADING_MEMORY) {
        fprintf(stderr, "loading %zu bytes took %zu bytes of memory\n", size, loading_most);
        abort();
    }
    return st;
}

static inline void try_model_bytes(const uint8_t *bytes, size_t size)
{
    sepcl_model      *model;
    sepcl_summary    *summary;
    sepcl_input_shape shapes[MOST_INPUTS];
    if (load_in_bounds(bytes, size, &model) == SEPCL_OK) {
        const int n = fix_shapes(model, 1 + (int64_t)(size % 9), shapes);
        if (sepcl_summary_create(model, shapes, n, &summary) == SEPCL_OK)
            sepcl_summary_destroy(summary);
    }
    sepcl_model_destroy(model);
}

#endif
