/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A device's speed by the host's clock: events may lie, waiting does not. Each quantity is measured with work that is
 * doubled until it takes long enough to be timed, so the same code serves a large GPU and a simulator, and the best of
 * many short pieces is taken: everything that disturbs makes a device look slower, and on a busy machine a piece
 * shorter than a time slice has the cores for itself now and then.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/size.h"
#include "cl/internal.h"

#define PIECE 0.002 /* seconds that one timed piece should take */
#define SPAN 0.08   /* seconds of its repeats, of which there are LEAST_REPEATS at least */
#define LEAST_REPEATS 4
#define SLOW 0.4                     /* seconds of a piece that is not repeated */
#define CHAINS 10                    /* ACC of measure.cl */
#define SMALLEST ((int64_t)64 << 20) /* of the buffers that are copied */
#define LARGEST ((int64_t)256 << 20)
#define CPU_SET ((int64_t)256 << 10) /* bytes a core that more than fill its first cache, but hardly its second */

typedef struct bench {
    clx         *x;
    const caps  *c;
    clx_program *program;
    clx_buffer  *in, *out;
    clx_kernel  *kernel; /* in use */
    size_t       global, local;
} bench;

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static bool is_cpu(const bench *b)
{
    return caps_is_cpu(b->c);
}

static status use_kernel(bench *b, const char *entry)
{
    size_t most;
    clx_kernel_destroy(b->kernel);
    b->kernel = NULL;
    TRY(clx_kernel_create(b->x, b->program, entry, &b->kernel));
    TRY(clx_kernel_work_group(b->x, b->kernel, &most));
    b->local = is_cpu(b) ? 1 : (size_t)i64_max(1, i64_min((int64_t)most, i64_min(256, b->c->max_work_item[0])));
    return SEPCL_OK;
}

/* count launches, then a wait; the time in seconds. */
static status timed(bench *b, int count, double *seconds)
{
    const double start = now();
    for (int i = 0; i < count; i++)
        TRY(clx_enqueue(b->x, b->kernel, 1, &b->global, &b->local, NULL));
    TRY(clx_finish(b->x));
    *seconds = now() - start;
    return SEPCL_OK;
}

/* The best of many pieces, each of which fn times. */
typedef status (*piece_fn)(bench *b, int count, double *seconds);

static status best_of(bench *b, piece_fn fn, int count, double *seconds)
{
    const double start = now();
    double       s;
    *seconds = INFINITY;
    for (int i = 0; i < LEAST_REPEATS || now() - start < SPAN; i++) {
        TRY(fn(b, count, &s));
        *seconds = fmin(*seconds, s);
        if (s > SLOW)
            break;
    }
    return SEPCL_OK;
}

/* Doubles count until a piece takes long enough, in the better of two tries. */
static status long_enough(bench *b, piece_fn fn, int most, int *count)
{
    for (*count = 1; *count < most; *count *= 2) {
        double s[2];
        TRY(fn(b, *count, &s[0]));
        if (s[0] < PIECE)
            continue;
        TRY(fn(b, *count, &s[1]));
        if (s[1] >= PIECE)
            break;
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- multiply-adds */

static status fma_rounds(bench *b, int rounds, double *seconds)
{
    TRY(clx_arg_i32(b->kernel, 1, rounds));
    return timed(b, 1, seconds);
}

static status fma_of_width(bench *b, int width, const char *entry, double *gflops)
{
    double s;
    int    rounds;
    TRY(use_kernel(b, entry));
    b->global = (size_t)b->c->compute_units * (is_cpu(b) ? 8 : 8 * b->local);
    TRY(clx_arg_buffer(b->x, b->kernel, 0, b->out));
    TRY(clx_arg_f32(b->kernel, 2, 0.9999f));
    TRY(clx_arg_f32(b->kernel, 3, 0.0001f));
    TRY(fma_rounds(b, 4, &s)); /* compiles and wakes up */
    TRY(long_enough(b, fma_rounds, 1 << 24, &rounds));
    TRY(best_of(b, fma_rounds, rounds, &s));
    const double operations = 2.0 * width * CHAINS * rounds * (double)b->global;
    *gflops = fmax(*gflops, operations / s / 1e9);
    return SEPCL_OK;
}

static status measure_fma(bench *b, double *gflops)
{
    *gflops = 0;
    TRY(fma_of_width(b, 4, "fma4", gflops));
    TRY(fma_of_width(b, 8, "fma8", gflops));
    return fma_of_width(b, 16, "fma16", gflops);
}

/* ---------------------------------------------------------------- memory */

/* Bytes of each of the two buffers: well over the caches, within what the device has. */
static int64_t copy_bytes(const caps *c, uint64_t cache_bytes)
{
    int64_t bytes = i64_max(SMALLEST, cache_bytes < LARGEST / 4 ? 4 * (int64_t)cache_bytes : LARGEST);
    if (c->max_alloc_bytes > 0)
        bytes = i64_min(bytes, c->max_alloc_bytes);
    if (c->global_bytes > 0)
        bytes = i64_min(bytes, c->global_bytes / 8);
    return i64_max(bytes, 1 << 20) / 4096 * 4096;
}

/* per_unit: work-items, or on others than CPUs work-groups, a compute unit. */
static status set_copy(bench *b, int64_t bytes, int per_unit)
{
    const int64_t vectors = bytes / (is_cpu(b) ? 64 : 16);
    int64_t       items = (int64_t)b->c->compute_units * per_unit * (is_cpu(b) ? 1 : (int64_t)b->local);
    TRY(clx_arg_buffer(b->x, b->kernel, 0, b->in));
    TRY(clx_arg_buffer(b->x, b->kernel, 1, b->out));
    TRY(clx_arg_i32(b->kernel, 2, (int32_t)vectors));
    TRY(clx_arg_i32(b->kernel, 3, (int32_t)(is_cpu(b) ? div_up(vectors, items) : items)));
    b->global = (size_t)items;
    return is_cpu(b) ? clx_arg_i32(b->kernel, 4, 1) : SEPCL_OK;
}

static status measure_bandwidth(bench *b, int64_t most, double *gbs)
{
    double  s = 0;
    int64_t bytes = 1 << 20;
    TRY(use_kernel(b, is_cpu(b) ? "copy" : "strided"));
    for (;; bytes = i64_min(most, bytes * 4)) {
        TRY(set_copy(b, bytes, is_cpu(b) ? 8 : 16));
        TRY(timed(b, 1, &s)); /* touches every page, too */
        if (bytes >= most || s > SLOW)
            break;
    }
    TRY(best_of(b, timed, 1, &s));
    *gbs = 2.0 * (double)bytes / s / 1e9;
    return SEPCL_OK;
}

/* On a CPU each core goes over its own part again and again in one launch; elsewhere the first caches are emptied
   between launches, so several launches reach the one that all share. */
static status repeat_copy(bench *b, int times, double *seconds)
{
    if (!is_cpu(b))
        return timed(b, times, seconds);
    TRY(clx_arg_i32(b->kernel, 4, times));
    return timed(b, 1, seconds);
}

static status measure_cache(bench *b, int64_t cache_bytes, int64_t most, double *gbs)
{
    double        s;
    int           times;
    const int64_t cores = b->c->compute_units;
    const int64_t wanted = is_cpu(b) ? i64_min(cache_bytes / 2, CPU_SET * cores) : cache_bytes / 2;
    const int64_t bytes = i64_min(wanted / 2, most) / 4096 * 4096;
    *gbs = 0;
    if (bytes <= 0)
        return SEPCL_OK;
    TRY(use_kernel(b, is_cpu(b) ? "copy" : "strided"));
    TRY(set_copy(b, bytes, is_cpu(b) ? 1 : 16));
    TRY(repeat_copy(b, 1, &s)); /* fills the caches */
    TRY(long_enough(b, repeat_copy, is_cpu(b) ? 1 << 20 : 1 << 12, &times));
    TRY(best_of(b, repeat_copy, times, &s));
    *gbs = 2.0 * (double)bytes * times / s / 1e9;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- launches */

static status measure_launch(bench *b, double *launch_us, double *round_trip_us)
{
    double s;
    int    count;
    TRY(use_kernel(b, "nothing"));
    TRY(clx_arg_buffer(b->x, b->kernel, 0, b->out));
    TRY(clx_arg_i32(b->kernel, 1, 0));
    b->global = (size_t)b->c->compute_units * b->local;
    TRY(timed(b, 1, &s));
    TRY(best_of(b, timed, 1, &s));
    *round_trip_us = s * 1e6;
    TRY(long_enough(b, timed, 1024, &count));
    TRY(best_of(b, timed, count, &s));
    *launch_us = s * 1e6 / count;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- all of it */

static status open_bench(int index, uint64_t *cache_bytes, bench *b)
{
    const device_record *r;
    TRY(devices_record(index, &r));
    *cache_bytes = r->info.cache_bytes;
    TRY(clx_open(&(clx_desc){.device = index}, &b->x));
    b->c = clx_caps(b->x);
    char      options[32];
    clx_build build = {.file = "measure", .options = options};
    snprintf(options, sizeof options, "-DACC=%d", CHAINS);
    TRY(clx_build_all(b->x, &build, 1, NULL, false));
    b->program = build.program;
    return SEPCL_OK;
}

static status fill_buffers(bench *b, int64_t bytes)
{
    void *mapped;
    TRY(clx_buffer_create(b->x, (size_t)bytes, &b->in));
    TRY(clx_buffer_create(b->x, (size_t)bytes, &b->out));
    TRY(clx_map(b->x, b->in, 0, (size_t)bytes, true,
                &mapped)); /* pages of zeros that were never touched are one page */
    memset(mapped, 1, (size_t)bytes);
    return clx_unmap(b->x, b->in, mapped);
}

static status run_bench(int index, bench *b, sepcl_device_speed *out)
{
    uint64_t cache_bytes;
    TRY(open_bench(index, &cache_bytes, b));
    const int64_t bytes = copy_bytes(b->c, cache_bytes);
    TRY(fill_buffers(b, bytes));
    TRY(measure_launch(b, &out->launch_us, &out->round_trip_us));
    TRY(measure_bandwidth(b, bytes, &out->bandwidth_gbs));
    TRY(measure_cache(b, (int64_t)cache_bytes, bytes, &out->cache_gbs));
    return measure_fma(b, &out->fma_gflops);
}

status devices_measure(int index, sepcl_device_speed *out)
{
    bench b = {0};
    memset(out, 0, sizeof *out);
    const status s = run_bench(index, &b, out);
    clx_kernel_destroy(b.kernel);
    clx_program_destroy(b.program);
    clx_buffer_destroy(b.in);
    clx_buffer_destroy(b.out);
    clx_close(b.x);
    if (s != SEPCL_OK) {
        memset(out, 0, sizeof *out);
        return fail_in(s, "measuring device %d", index);
    }
    devices_set_speed(index, out);
    return SEPCL_OK;
}
