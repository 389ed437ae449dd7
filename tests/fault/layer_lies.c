/* SPDX-License-Identifier: Apache-2.0 */
/* Lies about devices, times, and work that went wrong. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer_state.h"

layer_lies lies;

/* ---------------------------------------------------------------- facts of devices */

typedef enum answer { UINT, ULONG, SIZE, SIZES, TEXT } answer; /* SIZES: three of the same */

static const struct {
    const char    *name;
    cl_device_info what;
    answer         kind;
} facts[] = {
    {"type", CL_DEVICE_TYPE, ULONG},
    {"compute_units", CL_DEVICE_MAX_COMPUTE_UNITS, UINT},
    {"clock", CL_DEVICE_MAX_CLOCK_FREQUENCY, UINT},
    {"max_work_group", CL_DEVICE_MAX_WORK_GROUP_SIZE, SIZE},
    {"max_work_item", CL_DEVICE_MAX_WORK_ITEM_SIZES, SIZES},
    {"local_bytes", CL_DEVICE_LOCAL_MEM_SIZE, ULONG},
    {"local_type", CL_DEVICE_LOCAL_MEM_TYPE, UINT},
    {"global_bytes", CL_DEVICE_GLOBAL_MEM_SIZE, ULONG},
    {"max_alloc", CL_DEVICE_MAX_MEM_ALLOC_SIZE, ULONG},
    {"constant_bytes", CL_DEVICE_MAX_CONSTANT_BUFFER_SIZE, ULONG},
    {"cache_bytes", CL_DEVICE_GLOBAL_MEM_CACHE_SIZE, ULONG},
    {"align_bits", CL_DEVICE_MEM_BASE_ADDR_ALIGN, UINT},
    {"vector_width", CL_DEVICE_NATIVE_VECTOR_WIDTH_FLOAT, UINT},
    {"preferred_width", CL_DEVICE_PREFERRED_VECTOR_WIDTH_FLOAT, UINT},
    {"unified", CL_DEVICE_HOST_UNIFIED_MEMORY, UINT},
    {"name", CL_DEVICE_NAME, TEXT},
    {"driver", CL_DRIVER_VERSION, TEXT},
    {"version", CL_DEVICE_VERSION, TEXT},
    {"c_version", CL_DEVICE_OPENCL_C_VERSION, TEXT},
    {"extensions", CL_DEVICE_EXTENSIONS, TEXT},
    /* not of the device, but asked like it: CL_KERNEL_WORK_GROUP_SIZE */
    {"kernel_work_group", CL_KERNEL_WORK_GROUP_SIZE, SIZE},
};
#define FACTS (sizeof facts / sizeof *facts)

static char *told[FACTS]; /* the lies; NULL: none */

void layer_set_device_lie(const char *name, const char *value)
{
    for (size_t i = 0; i < FACTS; i++)
        if (strcmp(facts[i].name, name) == 0) {
            free(told[i]);
            told[i] = strdup(value);
            return;
        }
    fprintf(stderr, "fault layer: there is no device.%s\n", name);
    abort();
}

/* "long:N" is a text of N letters. */
static char *long_text(const char *value)
{
    const size_t n = strtoul(value + 5, NULL, 10);
    char        *text = malloc(n + 1);
    if (text) {
        memset(text, 'x', n);
        text[n] = 0;
    }
    return text;
}

static cl_int give(const void *from, size_t n, size_t size, void *value, size_t *size_ret)
{
    if (size_ret)
        *size_ret = n;
    if (value && size < n)
        return CL_INVALID_VALUE;
    if (value)
        memcpy(value, from, n);
    return CL_SUCCESS;
}

bool layer_device_lie(cl_device_info what, size_t size, void *value, size_t *size_ret, cl_int *e)
{
    for (size_t i = 0; i < FACTS; i++) {
        if (facts[i].what != what || !told[i])
            continue;
        const cl_ulong number = strtoull(told[i], NULL, 0);
        const cl_uint  small = (cl_uint)number;
        const size_t   sizes[3] = {(size_t)number, (size_t)number, (size_t)number};
        char          *text = facts[i].kind == TEXT && strncmp(told[i], "long:", 5) == 0 ? long_text(told[i]) : NULL;
        const char    *said = text ? text : told[i];
        layer_lied();
        *e = facts[i].kind == UINT    ? give(&small, sizeof small, size, value, size_ret)
             : facts[i].kind == ULONG ? give(&number, sizeof number, size, value, size_ret)
             : facts[i].kind == SIZE  ? give(sizes, sizeof *sizes, size, value, size_ret)
             : facts[i].kind == SIZES ? give(sizes, sizeof sizes, size, value, size_ret)
                                      : give(said, strlen(said) + 1, size, value, size_ret);
        free(text);
        return true;
    }
    return false;
}

/* ---------------------------------------------------------------- times */

cl_ulong layer_false_time(cl_profiling_info what, cl_ulong t)
{
    if (!lies.times[0])
        return t;
    layer_lied();
    if (strcmp(lies.times, "zero") == 0)
        return 0;
    if (strcmp(lies.times, "backwards") == 0)
        return what == CL_PROFILING_COMMAND_END ? 1000 : what == CL_PROFILING_COMMAND_START ? 2000 : 3000;
    return strcmp(lies.times, "huge") == 0 ? CL_ULONG_MAX : 5000;
}

/* ---------------------------------------------------------------- work that fails late */

#define CONTEXTS 64

static struct {
    pthread_mutex_t lock;
    struct {
        const void *queue, *context;
    } queues[CONTEXTS];
    int         next_queue;
    const void *dying[CONTEXTS], *dead[CONTEXTS];
    int         n_dying, n_dead;
    long        killed;
} late = {.lock = PTHREAD_MUTEX_INITIALIZER};

static bool holds(const void *const *list, int n, const void *context)
{
    for (int i = 0; i < n; i++)
        if (list[i] == context)
            return true;
    return false;
}

static void take_out(const void **list, int *n, const void *context)
{
    for (int i = 0; i < *n; i++)
        if (list[i] == context) {
            list[i] = list[--*n];
            return;
        }
}

/* A context may be made where a dead one was. */
void layer_queue_made(const void *queue, const void *context)
{
    pthread_mutex_lock(&late.lock);
    int at = -1;
    for (int i = 0; i < CONTEXTS && at < 0; i++)
        at = late.queues[i].queue == queue ? i : at;
    at = at < 0 ? late.next_queue++ % CONTEXTS : at;
    late.queues[at].queue = queue;
    late.queues[at].context = context;
    take_out(late.dying, &late.n_dying, context);
    take_out(late.dead, &late.n_dead, context);
    pthread_mutex_unlock(&late.lock);
}

const void *layer_context_of(const void *queue)
{
    const void *found = NULL;
    pthread_mutex_lock(&late.lock);
    for (int i = 0; i < CONTEXTS; i++)
        found = late.queues[i].queue == queue ? late.queues[i].context : found;
    pthread_mutex_unlock(&late.lock);
    return found;
}

void layer_late_launch(const void *context)
{
    pthread_mutex_lock(&late.lock);
    if (!holds(late.dying, late.n_dying, context) && !holds(late.dead, late.n_dead, context) &&
        (lies.late_contexts == 0 || late.killed < lies.late_contexts) && late.n_dying < CONTEXTS) {
        late.dying[late.n_dying++] = context;
        late.killed++;
    }
    pthread_mutex_unlock(&late.lock);
}

cl_int layer_late_call(const void *context)
{
    pthread_mutex_lock(&late.lock);
    const bool dead = lies.late[0] && holds(late.dead, late.n_dead, context);
    pthread_mutex_unlock(&late.lock);
    return dead ? CL_INVALID_COMMAND_QUEUE : CL_SUCCESS;
}

cl_int layer_late_wait(const void *context)
{
    cl_int e = layer_late_call(context);
    pthread_mutex_lock(&late.lock);
    if (holds(late.dying, late.n_dying, context)) {
        take_out(late.dying, &late.n_dying, context);
        if (late.n_dead < CONTEXTS)
            late.dead[late.n_dead++] = context;
        e = CL_OUT_OF_RESOURCES;
    }
    pthread_mutex_unlock(&late.lock);
    if (e != CL_SUCCESS)
        layer_lied();
    return e;
}

void layer_clear_lies(void)
{
    lies = (layer_lies){0};
    for (size_t i = 0; i < FACTS; i++) {
        free(told[i]);
        told[i] = NULL;
    }
    pthread_mutex_lock(&late.lock);
    late.n_dying = late.n_dead = 0;
    late.killed = 0;
    pthread_mutex_unlock(&late.lock);
}
