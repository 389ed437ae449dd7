/* SPDX-License-Identifier: Apache-2.0 */
/* Building programs, several at once, and keeping their binaries. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/size.h"
#include "cl/internal.h"

#define MAX_THREADS 32
#define COMPILER_STACK ((size_t)8 << 20) /* what compilers expect of a main thread */
#define LOG_LIMIT ((size_t)16 << 20)
#define CACHE_LIMIT ((uint64_t)512 << 20)

/* ---------------------------------------------------------------- one program */

/* The compiler's log in malloc'd text; NULL when there is none. */
static char *build_log(cl_program p, cl_device_id d)
{
    size_t size = 0;
    if (clGetProgramBuildInfo(p, d, CL_PROGRAM_BUILD_LOG, 0, NULL, &size) != CL_SUCCESS || size == 0 ||
        size > LOG_LIMIT)
        return NULL;
    char *log = calloc(1, size + 1);
    if (log && clGetProgramBuildInfo(p, d, CL_PROGRAM_BUILD_LOG, size, log, NULL) != CL_SUCCESS)
        log[0] = 0;
    return log;
}

/* PoCL 3.1 sometimes stumbles over its own temporary files when programs are built side by side; the next try works. */
static bool failed_by_chance(const clx *x, cl_program p, cl_int e)
{
    char      *log = e == CL_BUILD_PROGRAM_FAILURE ? build_log(p, x->device) : NULL;
    const bool chance = log && strstr(log, "unable to rename temporary");
    free(log);
    return chance;
}

static status build_failed(const clx *x, const clx_build *b, cl_program p, cl_int e)
{
    char   gist[600];
    char  *log = build_log(p, x->device);
    status s = cl_fail(e, "kernels/%s.cl with \"%s\" does not build on %s", b->file, b->options, x->caps.name);
    if (log && *log) {
        log_debug("build log of %s.cl:\n%s", b->file, log);
        s = fail(s, "%s: %s", error_sentence(), log_gist(log, gist, sizeof gist));
    }
    free(log);
    return s;
}

static status build_text(clx *x, const clx_build *b, const char *text, const char *options, cl_program *out)
{
    for (int tries = 1;; tries++) {
        cl_int e;
        *out = clCreateProgramWithSource(x->context, 1, &text, NULL, &e);
        if (!*out)
            return cl_fail(e, "kernels/%s.cl", b->file);
        e = clBuildProgram(*out, 1, &x->device, options, NULL, NULL);
        if (e == CL_SUCCESS)
            return SEPCL_OK;
        const bool   again = tries < 3 && failed_by_chance(x, *out, e);
        const status s = build_failed(x, b, *out, e);
        (void)clReleaseProgram(*out);
        *out = NULL;
        if (!again)
            return s;
        log_info("%s.cl is built again: %s", b->file, error_sentence());
    }
}

/* Where the driver's header costs time, it is left out by its guard and builtins.cl is in the text instead; what does
   not build so may still build with the header. */
static status build_source(clx *x, const clx_build *b, const char *text, const char *options, cl_program *out)
{
    static const char guard[] = "-D_OPENCL_H_ ";
    const size_t      room = sizeof guard + strlen(options);
    char             *plain = NULL, *guarded = NULL;
    status            s = SEPCL_DEVICE_ERROR;
    if (!x->slow_header)
        return build_text(x, b, text, options, out);
    if (!atomic_load(&x->needs_header)) {
        if (!(guarded = malloc(room)))
            return fail_memory(room, "build options");
        snprintf(guarded, room, "%s%s", guard, options);
        s = build_text(x, b, text, guarded, out);
        free(guarded);
        if (s != SEPCL_DEVICE_ERROR)
            return s;
        log_warn("%s.cl is built with the driver's own header: %s", b->file, error_sentence());
    }
    s = kernel_source(b->file, &plain);
    if (s == SEPCL_OK)
        s = build_text(x, b, plain, options, out);
    if (s == SEPCL_OK)
        atomic_store(&x->needs_header, true);
    free(plain);
    return s;
}

static cl_program build_binary(clx *x, const void *data, size_t size, const char *options, const char *file)
{
    const unsigned char *bytes = data;
    cl_int               e, state = CL_SUCCESS;
    cl_program           p = clCreateProgramWithBinary(x->context, 1, &x->device, &size, &bytes, &state, &e);
    if (p && state == CL_SUCCESS && (e = clBuildProgram(p, 1, &x->device, options, NULL, NULL)) == CL_SUCCESS)
        return p;
    log_info("cache: the driver does not take the stored binary of %s.cl (%s): building from source", file,
             cl_error_name(p && state != CL_SUCCESS ? state : e));
    if (p)
        (void)clReleaseProgram(p);
    return NULL;
}

static cl_program build_stored(clx *x, const char *folder, const hash128 *key, const char *options, const char *file)
{
    void  *data;
    size_t size;
    if (!folder || !cache_load(folder, key, &data, &size))
        return NULL;
    cl_program p = build_binary(x, data, size, options, file);
    free(data);
    if (!p)
        cache_drop(folder, key);
    return p;
}

static hash128 program_key(const clx *x, const char *text, const char *options)
{
    hasher h;
    hash_begin(&h);
    hash_bytes(&h, x->identity.byte, sizeof x->identity.byte);
    hash_text(&h, options);
    hash_text(&h, text);
    return hash_end(&h);
}

/* OpenCL C 1.2 is what kernel files are written in, so it is asked for, whatever the driver's default. Warnings are
   off, as some drivers print their number on standard error. No option that would loosen arithmetic: NaN and infinity
   have to come through. */
static char *full_options(const clx *x, const char *options)
{
    const char  *always = x->n_lanes ? "-cl-std=CL1.2 -w -DLANE_BASE=1 " : "-cl-std=CL1.2 -w ";
    const size_t room = strlen(always) + strlen(options) + 1;
    char        *text = malloc(room);
    if (text)
        snprintf(text, room, "%s%s", always, options);
    else
        fail_memory(room, "build options");
    return text;
}

static status build_one(clx *x, clx_build *b, const char *folder)
{
    char        *text = NULL;
    clx_program *p = calloc(1, sizeof *p);
    char        *options = full_options(x, b->options ? b->options : "");
    status       s = p ? SEPCL_OK : fail_memory(sizeof *p, "a program");
    if (s == SEPCL_OK && !options)
        s = SEPCL_OUT_OF_MEMORY;
    if (s == SEPCL_OK)
        s = x->slow_header ? kernel_source_with_builtins(b->file, &text) : kernel_source(b->file, &text);
    if (s == SEPCL_OK) {
        p->key = program_key(x, text, options);
        p->program = build_stored(x, folder, &p->key, options, b->file);
        b->from_cache = p->program != NULL;
        if (!p->program)
            s = build_source(x, b, text, options, &p->program);
    }
    free(text);
    free(options);
    if (s == SEPCL_OK)
        b->program = p;
    else
        free(p);
    return s;
}

/* ---------------------------------------------------------------- several at once */

typedef struct build_jobs {
    clx        *x;
    clx_build  *builds;
    int         n;
    const char *folder;
    atomic_int  next;
    atomic_bool failed;
    pthread_mutex_t
           lock; /* of what follows: the failure with the lowest number, so that the report is the same every time */
    int    failed_at;
    status state;
    char   sentence[1024];
} build_jobs;

static void note_failure(build_jobs *j, int i, status s)
{
    pthread_mutex_lock(&j->lock);
    if (j->state == SEPCL_OK || i < j->failed_at) {
        j->state = s;
        j->failed_at = i;
        snprintf(j->sentence, sizeof j->sentence, "%s", error_sentence()); /* sentences belong to threads */
    }
    pthread_mutex_unlock(&j->lock);
    atomic_store(&j->failed, true);
}

static void *build_thread(void *arg)
{
    build_jobs *j = arg;
    while (!atomic_load(&j->failed)) {
        const int i = atomic_fetch_add(&j->next, 1);
        if (i >= j->n)
            break;
        const status s = build_one(j->x, &j->builds[i], j->folder);
        if (s != SEPCL_OK)
            note_failure(j, i, s);
    }
    return NULL;
}

/* Runs the jobs on this thread and as many more as there are cores. A thread that cannot be made is no loss. */
static void run_jobs(build_jobs *j)
{
    pthread_t      threads[MAX_THREADS];
    pthread_attr_t attr;
    /* the standard lets programs be built concurrently; the simulator shares one LLVM context and crashes */
    const long cores = j->x->simulator ? 1 : sysconf(_SC_NPROCESSORS_ONLN);
    const int  wanted = (int)i64_min(i64_min(j->n, cores > 0 ? cores : 1), MAX_THREADS) - 1;
    int        made = 0;
    if (wanted > 0 && pthread_attr_init(&attr) == 0) {
        (void)pthread_attr_setstacksize(&attr, COMPILER_STACK);
        while (made < wanted && pthread_create(&threads[made], &attr, build_thread, j) == 0)
            made++;
        pthread_attr_destroy(&attr);
    }
    build_thread(j);
    while (made > 0)
        pthread_join(threads[--made], NULL);
}

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

status clx_build_all(clx *x, clx_build *builds, int n, const char *cache_dir, bool use_cache)
{
    const double start = now_ms();
    build_jobs   j = {.x = x, .builds = builds, .n = n};
    int          stored = 0;
    for (int i = 0; i < n; i++) {
        builds[i].program = NULL;
        builds[i].from_cache = builds[i].failed = false;
    }
    char *folder = use_cache && n > 0 ? cache_folder(cache_dir, "programs") : NULL;
    j.folder = folder;
    pthread_mutex_init(&j.lock, NULL);
    run_jobs(&j);
    pthread_mutex_destroy(&j.lock);
    free(folder);
    if (j.state != SEPCL_OK) {
        for (int i = 0; i < n; i++) {
            clx_program_destroy(builds[i].program);
            builds[i].program = NULL;
            builds[i].failed = i == j.failed_at;
        }
        const char *layer = builds[j.failed_at].layer;
        return layer ? fail(j.state, "layer '%s': %s", layer, j.sentence) : fail(j.state, "%s", j.sentence);
    }
    for (int i = 0; i < n; i++)
        stored += builds[i].from_cache;
    log_info("%d program%s: %d from the cache, %d built from source, in %.0f ms", n, n == 1 ? "" : "s", stored,
             n - stored, now_ms() - start);
    return SEPCL_OK;
}

void clx_program_destroy(clx_program *p)
{
    if (!p)
        return;
    (void)clReleaseProgram(p->program);
    free(p);
}

void clx_program_distrust(clx *x, const clx_program *p, const char *cache_dir)
{
    char *folder = cache_folder(cache_dir, "programs");
    if (folder) {
        log_info("cache: an entry is removed, as its program does not work on %s", x->caps.name);
        cache_drop(folder, &p->key);
    }
    free(folder);
}

/* ---------------------------------------------------------------- storing */

/* The binary for our device, of a program that may be meant for several. */
static status take_binary(clx *x, cl_program p, cl_uint n, unsigned char **data, size_t *size)
{
    cl_device_id   *devices = calloc(n, sizeof *devices);
    size_t         *sizes = calloc(n, sizeof *sizes);
    unsigned char **binaries = calloc(n, sizeof *binaries);
    status          s = devices && sizes && binaries ? SEPCL_OK : fail_memory(n * sizeof *sizes, "a program's binary");
    cl_int          e = CL_SUCCESS;
    if (s == SEPCL_OK &&
        (e = clGetProgramInfo(p, CL_PROGRAM_DEVICES, n * sizeof *devices, devices, NULL)) == CL_SUCCESS)
        e = clGetProgramInfo(p, CL_PROGRAM_BINARY_SIZES, n * sizeof *sizes, sizes, NULL);
    for (cl_uint i = 0; i < n && s == SEPCL_OK && e == CL_SUCCESS; i++) {
        if (devices[i] != x->device || sizes[i] == 0)
            continue;
        *size = sizes[i];
        *data = binaries[i] = malloc(sizes[i]); /* where a pointer is NULL the driver skips that device */
        if (!*data)
            s = fail_memory(sizes[i], "a program's binary");
    }
    if (s == SEPCL_OK && e == CL_SUCCESS && !*data)
        s = fail(SEPCL_DEVICE_ERROR, "the driver gives no binary");
    if (s == SEPCL_OK && e == CL_SUCCESS)
        e = clGetProgramInfo(p, CL_PROGRAM_BINARIES, n * sizeof *binaries, binaries, NULL);
    if (s == SEPCL_OK && e != CL_SUCCESS)
        s = cl_fail(e, "the program's binary");
    free(devices);
    free(sizes);
    free(binaries);
    return s;
}

static bool store_program(clx *x, const char *folder, cl_program p, const hash128 *key, const char *file)
{
    cl_uint        n = 0;
    size_t         size = 0;
    unsigned char *data = NULL;
    const cl_int   e = clGetProgramInfo(p, CL_PROGRAM_NUM_DEVICES, sizeof n, &n, NULL);
    status         s = e == CL_SUCCESS && n > 0 && n <= 4096 ? SEPCL_OK : cl_fail(e, "the program's devices, %u", n);
    if (s == SEPCL_OK)
        s = take_binary(x, p, n, &data, &size);
    if (s == SEPCL_OK)
        s = cache_store(folder, key, data, size);
    free(data);
    if (s != SEPCL_OK)
        log_info("cache: %s.cl is not stored: %s", file, error_sentence());
    return s == SEPCL_OK;
}

static void store_later(clx *x, const char *folder, const clx_build *b)
{
    late_store *l = calloc(1, sizeof *l);
    char       *copy = strdup(folder);
    if (!l || !copy || clRetainProgram(b->program->program) != CL_SUCCESS) {
        free(l);
        free(copy);
        return;
    }
    *l = (late_store){.next = x->late, .folder = copy, .program = b->program->program, .key = b->program->key};
    snprintf(l->file, sizeof l->file, "%s", b->file);
    x->late = l;
}

void programs_store_late(clx *x)
{
    const double start = now_ms();
    int          stored = 0, n = 0;
    for (late_store *l = x->late; l; l = x->late, n++) {
        stored += store_program(x, l->folder, l->program, &l->key, l->file);
        if (!l->next)
            cache_trim(l->folder, CACHE_LIMIT);
        (void)clReleaseProgram(l->program);
        x->late = l->next;
        free(l->folder);
        free(l);
    }
    if (n > 0)
        log_info("cache: %d of %d programs stored in %.0f ms", stored, n, now_ms() - start);
}

void clx_programs_save(clx *x, clx_build *builds, int n, const char *cache_dir)
{
    int fresh = 0, stored = 0;
    for (int i = 0; i < n; i++)
        fresh += builds[i].program && !builds[i].from_cache;
    char *folder = fresh > 0 ? cache_folder(cache_dir, "programs") : NULL;
    if (!folder)
        return;
    for (int i = 0; i < n; i++) {
        const clx_build *b = &builds[i];
        if (!b->program || b->from_cache)
            continue;
        if (x->slow_binaries)
            store_later(x, folder, b);
        else
            stored += store_program(x, folder, b->program->program, &b->program->key, b->file);
    }
    if (!x->slow_binaries) {
        log_info("cache: %d of %d programs stored in %s", stored, fresh, folder);
        cache_trim(folder, CACHE_LIMIT);
    }
    free(folder);
}
