/* SPDX-License-Identifier: Apache-2.0 */
/*
 * All that sepcl asks of OpenCL, behind opaque types. Only the files of cl/ include <CL/cl.h>.
 * Every failure has a sentence with the OpenCL error's name (CL_OUT_OF_RESOURCES, ...) and SEPCL_DEVICE_ERROR, or
 * SEPCL_OUT_OF_MEMORY when the device or host is out of memory.
 */
#ifndef SEPCL_CL_CL_H
#define SEPCL_CL_CL_H

#include "base/caps.h"
#include "base/status.h"

/* ---------------------------------------------------------------- devices (device.c): enumerated once, never freed */
status devices_count(int *count_out);
status devices_info(int index, sepcl_device_info *out);
status devices_find(const char *selector, int *index_out);
/* Facts and speed guesses for planning. */
status devices_caps(int index, caps *out);
/* measure.c: a second of microbenchmarks. */
status devices_measure(int index, sepcl_device_speed *out);

/* ---------------------------------------------------------------- cache folder (cache.c) */
/* The folder for a kind of entry ("programs", "tuning"), created on demand; NULL when there is none (no home, not
   writable, not ours alone); the reason goes to the log at info. dir as in sepcl_session_desc; "off", there or in
   SEPCL_CACHE_DIR, means none. Returns malloc'd text. */
char *cache_folder(const char *dir, const char *kind);

/* ---------------------------------------------------------------- context (context.c) */
typedef struct clx         clx;        /* device, context, in-order queue */
typedef struct clx_buffer  clx_buffer; /* buffer or sub-buffer */
typedef struct clx_program clx_program;
typedef struct clx_kernel  clx_kernel;
typedef struct clx_event   clx_event;

typedef struct clx_desc {
    int   device;          /* index; ignored when a queue is borrowed */
    void *context, *queue; /* borrowed cl_context and cl_command_queue, or NULL */
    bool  profile;
} clx_desc;

status      clx_open(const clx_desc *d, clx **out);
void        clx_close(clx *x);
const caps *clx_caps(const clx *x);

/* bytes > 0. init may be NULL. On unified memory init is copied into host-reachable memory. */
status clx_buffer_create(clx *x, size_t bytes, clx_buffer **out);
/* offset a multiple of caps.align_bytes; released before or after its parent. */
status clx_buffer_sub(clx *x, clx_buffer *parent, size_t offset, size_t bytes, clx_buffer **out);
/* A read-only buffer that is the host's own memory, which must outlive it: for CPU devices only, where kernels see each
   change at once. SEPCL_UNSUPPORTED elsewhere. */
status clx_buffer_wrap(clx *x, const void *host, size_t bytes, clx_buffer **out);
void   clx_buffer_destroy(clx_buffer *b);
/* Blocking copies. */
status clx_write(clx *x, clx_buffer *b, size_t offset, size_t bytes, const void *data);
status clx_read(clx *x, clx_buffer *b, size_t offset, size_t bytes, void *data);
/* Maps for host access; blocks. Unmap before a kernel uses the buffer. */
status clx_map(clx *x, clx_buffer *b, size_t offset, size_t bytes, bool write, void **out);
status clx_unmap(clx *x, clx_buffer *b, void *mapped);

/* ---------------------------------------------------------------- programs (program.c) */
/* A program to build: kernels/<file>.cl with options ("-DV=8 ..."). */
typedef struct clx_build {
    const char  *file, *options;
    const char  *layer;      /* whose kernel this is, for errors */
    clx_program *program;    /* result */
    bool         from_cache; /* result */
    bool         failed;     /* result: this one did not build */
} clx_build;

/* Builds all of them, several at once; from the program cache under cache_dir where it has them (cache_dir NULL:
   default place; use_cache false: neither read nor written). On failure none is left behind. Says at info level how
   many came from where and the time it took. */
status clx_build_all(clx *x, clx_build *builds, int n, const char *cache_dir, bool use_cache);
/* Stores what was built from source and is not in the cache yet. To be called after a first run, because some drivers
   compile at first use. Where a driver takes long to give a binary, it is stored by clx_close. A failure to store is an
   info line, never an error. */
void clx_programs_save(clx *x, clx_build *builds, int n, const char *cache_dir);
void clx_program_destroy(clx_program *p);
/* Removes a program's entry from the cache. */
void clx_program_distrust(clx *x, const clx_program *p, const char *cache_dir);

status clx_kernel_create(clx *x, clx_program *p, const char *entry, clx_kernel **out);
void   clx_kernel_destroy(clx_kernel *k);
/* Largest work-group of this kernel on this device. */
status clx_kernel_work_group(clx *x, clx_kernel *k, size_t *max_out);
status clx_arg_buffer(clx *x, clx_kernel *k, int index, clx_buffer *b);
status clx_arg_i32(clx_kernel *k, int index, int32_t v);
status clx_arg_f32(clx_kernel *k, int index, float v);
status clx_arg_local(clx_kernel *k, int index, size_t bytes);

/* event_out may be NULL. local NULL: the driver chooses. */
status clx_enqueue(clx *x, clx_kernel *k, int dims, const size_t *global, const size_t *local, clx_event **event_out);
status clx_flush(clx *x);
status clx_finish(clx *x);
/* The same on the way out, where a failure changes nothing: the sentence stays. */
void clx_drain(clx *x);
/* Whether the context still does what it is told: drivers lose one when a kernel fails. Nothing may be under way. */
status clx_probe(clx *x);
/* Whether each launch is waited for by itself, so that a failure is that of the launch it is seen at. */
bool clx_waits_for_launches(const clx *x);
/* Which of the launches that clx_finish waited for failed, where that is known; else -1. */
int clx_failed_launch(const clx *x);
/* Device times in nanoseconds; all 0 when the device gives none that make sense. Frees the event. A pointer may be
 * NULL. */
void clx_event_times(clx *x, clx_event *e, uint64_t *queued, uint64_t *start, uint64_t *end);

/* Text of kernels/<file>.cl with common.cl in front: from SEPCL_KERNEL_DIR when that is set (development), else as
   embedded at build time. Returns malloc'd text. */
status kernel_source(const char *file, char **out);
/* The same after builtins.cl, for a compiler that is kept from reading its own header of built-in functions. */
status kernel_source_with_builtins(const char *file, char **out);

#endif
