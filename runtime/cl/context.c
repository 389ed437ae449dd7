/* SPDX-License-Identifier: Apache-2.0 */
/* Context, in-order queue, buffers, events. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cl/team.h"

/* ---------------------------------------------------------------- opening */

#define TEXT_OF_(x) #x
#define TEXT_OF(x) TEXT_OF_(x)
#define VERSION_TEXT TEXT_OF(SEPCL_VERSION_MAJOR) "." TEXT_OF(SEPCL_VERSION_MINOR) "." TEXT_OF(SEPCL_VERSION_PATCH)

/* What makes a compiled program fit: anything that an upgrade of driver or library would change. */
static hash128 device_identity(const sepcl_device_info *info, bool lanes)
{
    hasher h;
    hash_begin(&h);
    hash_text(&h, lanes ? "sepcl program 1, lanes" : "sepcl program 1");
    hash_text(&h, VERSION_TEXT);
    hash_text(&h, info->name);
    hash_text(&h, info->vendor);
    hash_text(&h, info->device_version);
    hash_text(&h, info->driver_version);
    hash_text(&h, info->c_version);
    hash_text(&h, info->platform);
    hash_text(&h, info->platform_version);
    return hash_end(&h);
}

static void use_record(clx *x, const device_record *r)
{
    if (!x->device)
        x->device = r->device;
    x->identity = device_identity(&r->info, x->n_lanes > 0);
    x->host_memory = r->info.unified_memory || r->info.type == SEPCL_DEVICE_CPU;
    x->simulator = strcmp(r->info.platform, "Oclgrind") == 0;
    /* PoCL's binaries also hold every kernel compiled for any work-group size, which takes longer than all the rest */
    x->slow_binaries = strcmp(r->info.platform, "Portable Computing Language") == 0;
    x->slow_header = x->slow_binaries;
}

/* Where the CPU can be had as lanes, these are better than the driver's own pool of threads. */
static status open_team(const device_record *r, const cl_context_properties *properties, clx *x)
{
    cl_int    e;
    const int lanes = r->n_lanes;
    x->device = r->lane;
    x->context = clCreateContext(properties, 1, &x->device, NULL, NULL, &e);
    if (!x->context)
        return cl_fail(e, "a context on %s", r->info.name);
    for (int i = 0; i < lanes; i++, x->n_lanes++) {
        x->queues[i] = clCreateCommandQueue(x->context, x->device, 0, &e);
        if (!x->queues[i])
            return cl_fail(e, "queue %d of %d on %s", i + 1, lanes, r->info.name);
    }
    x->queue = x->queues[0];
    TRY(team_join(lanes));
    x->joined = true;
    x->team.failed = -1;
    use_record(x, r);
    log_info("%s: a team of %d lane%s, instead of the driver's own threads", r->info.name, lanes,
             lanes == 1 ? "" : "s");
    return SEPCL_OK;
}

static void close_team(clx *x)
{
    if (x->joined)
        team_leave();
    for (int i = 0; i < x->n_lanes; i++)
        (void)clReleaseCommandQueue(x->queues[i]);
    free(x->team.commands);
    team_memory_leave(x->slab);
    x->slab = NULL;
    if (x->context)
        (void)clReleaseContext(x->context);
    x->joined = false;
    x->n_lanes = 0;
    x->team = (team_queue){0};
    x->queue = NULL;
    x->context = NULL;
    x->device = NULL;
}

static status open_own(const clx_desc *d, clx *x)
{
    const device_record *r;
    cl_int               e;
    TRY(devices_record(d->device, &r));
    if (!r->info.available)
        return fail(SEPCL_DEVICE_ERROR, "device %s (%s) is not available or has no compiler of OpenCL C 1.2",
                    r->info.selector, r->info.name);
    TRY(devices_caps(d->device, &x->caps));
    const cl_context_properties properties[] = {CL_CONTEXT_PLATFORM, (cl_context_properties)r->platform, 0};
    if (r->n_lanes > 0) {
        if (open_team(r, properties, x) == SEPCL_OK)
            return SEPCL_OK;
        log_warn("%s: no team (%s); the driver's own threads are used", r->info.name, error_sentence());
        close_team(x);
        TRY(devices_caps(d->device, &x->caps));
    }
    use_record(x, r);
    x->context = clCreateContext(properties, 1, &r->device, NULL, NULL, &e);
    if (!x->context)
        return cl_fail(e, "a context on %s", r->info.name);
    x->queue = clCreateCommandQueue(x->context, r->device, d->profile ? CL_QUEUE_PROFILING_ENABLE : 0, &e);
    if (!x->queue && d->profile && e == CL_INVALID_QUEUE_PROPERTIES) {
        log_warn("%s: its queues give no times", r->info.name);
        x->profile = false;
        x->queue = clCreateCommandQueue(x->context, r->device, 0, &e);
    }
    return x->queue ? SEPCL_OK : cl_fail(e, "a queue on %s", r->info.name);
}

/* The device of a borrowed queue is one of the list, with its measured speed, or a part of one (a sub-device). */
static status facts_of_borrowed(clx *x, cl_device_id device)
{
    const device_record *known;
    device_record        r;
    cl_platform_id       platform = NULL;
    int                  n;
    TRY(devices_count(&n));
    for (int i = 0; i < n; i++) {
        TRY(devices_record(i, &known));
        if (known->device != device)
            continue;
        use_record(x, known);
        return devices_caps(i, &x->caps);
    }
    const cl_int e = clGetDeviceInfo(device, CL_DEVICE_PLATFORM, sizeof platform, &platform, NULL);
    if (e != CL_SUCCESS)
        return cl_fail(e, "the platform of the borrowed queue's device");
    if (!device_describe(platform, device, &r)) {
        device_forget(&r);
        return fail_memory(0, "facts of a device");
    }
    use_record(x, &r);
    caps_from_info(&r.info, r.lockstep, &x->caps);
    device_forget(&r);
    return SEPCL_OK;
}

static status open_borrowed(const clx_desc *d, clx *x)
{
    const cl_command_queue      queue = d->queue;
    cl_command_queue_properties properties = 0;
    cl_context                  context = NULL;
    cl_device_id                device = NULL;
    if (!queue)
        return fail(SEPCL_INVALID, "cl_context is given without cl_queue");
    cl_int e = clGetCommandQueueInfo(queue, CL_QUEUE_CONTEXT, sizeof context, &context, NULL);
    if (e == CL_SUCCESS)
        e = clGetCommandQueueInfo(queue, CL_QUEUE_DEVICE, sizeof device, &device, NULL);
    if (e == CL_SUCCESS)
        e = clGetCommandQueueInfo(queue, CL_QUEUE_PROPERTIES, sizeof properties, &properties, NULL);
    if (e != CL_SUCCESS)
        return cl_fail(e, "the facts of the borrowed queue");
    if (d->context && d->context != context)
        return fail(SEPCL_INVALID, "cl_queue belongs to another context than cl_context");
    if (properties & CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE)
        return fail(SEPCL_INVALID, "cl_queue runs out of order; sepcl needs an in-order queue");
    if (d->profile && !(properties & CL_QUEUE_PROFILING_ENABLE)) {
        log_warn("the borrowed queue was made without CL_QUEUE_PROFILING_ENABLE: no times of steps");
        x->profile = false;
    }
    TRY(facts_of_borrowed(x, device));
    if ((e = clRetainContext(context)) != CL_SUCCESS)
        return cl_fail(e, "the borrowed context");
    x->context = context;
    if ((e = clRetainCommandQueue(queue)) != CL_SUCCESS)
        return cl_fail(e, "the borrowed queue");
    x->queue = queue;
    return SEPCL_OK;
}

status clx_open(const clx_desc *d, clx **out)
{
    *out = NULL;
    clx *x = calloc(1, sizeof *x);
    if (!x)
        return fail_memory(sizeof *x, "a device context");
    x->profile = d->profile;
    const status s = d->queue || d->context ? open_borrowed(d, x) : open_own(d, x);
    if (s != SEPCL_OK) {
        clx_close(x);
        return s;
    }
    *out = x;
    return SEPCL_OK;
}

void clx_close(clx *x)
{
    if (!x)
        return;
    programs_store_late(x);
    if (x->n_lanes)
        close_team(x);
    if (x->queue) {
        (void)clFinish(x->queue);
        (void)clReleaseCommandQueue(x->queue);
    }
    if (x->context)
        (void)clReleaseContext(x->context);
    free(x);
}

const caps *clx_caps(const clx *x)
{
    return &x->caps;
}

/* ---------------------------------------------------------------- buffers */

status clx_buffer_create(clx *x, size_t bytes, clx_buffer **out)
{
    *out = NULL;
    if (bytes == 0)
        return fail(SEPCL_INVALID, "a buffer of 0 bytes");
    if (x->caps.max_alloc_bytes > 0 && bytes > (uint64_t)x->caps.max_alloc_bytes)
        return fail(SEPCL_OUT_OF_MEMORY, "a buffer of %zu bytes: %s allocates at most %lld at once", bytes,
                    x->caps.name, (long long)x->caps.max_alloc_bytes);
    if (x->n_lanes)
        return team_buffer_create(x, bytes, out);
    clx_buffer *b = calloc(1, sizeof *b);
    if (!b)
        return fail_memory(sizeof *b, "a buffer");
    cl_int e;
    b->bytes = bytes;
    b->mem =
        clCreateBuffer(x->context, CL_MEM_READ_WRITE | (x->host_memory ? CL_MEM_ALLOC_HOST_PTR : 0), bytes, NULL, &e);
    if (!b->mem) {
        free(b);
        return cl_fail(e, "a buffer of %zu bytes on %s", bytes, x->caps.name);
    }
    *out = b;
    return SEPCL_OK;
}

status clx_buffer_wrap(clx *x, const void *host, size_t bytes, clx_buffer **out)
{
    *out = NULL;
    if (!caps_is_cpu(&x->caps))
        return fail(SEPCL_UNSUPPORTED, "%s does not work in the host's memory", x->caps.name);
    if (x->n_lanes)
        return team_buffer_wrap(host, bytes, out);
    clx_buffer *b = calloc(1, sizeof *b);
    if (!b)
        return fail_memory(sizeof *b, "a buffer");
    cl_int e;
    b->bytes = bytes;
    b->mem = clCreateBuffer(x->context, CL_MEM_READ_ONLY | CL_MEM_USE_HOST_PTR, bytes, (void *)host, &e);
    if (!b->mem) {
        free(b);
        return cl_fail(e, "a buffer of %zu bytes of the host's on %s", bytes, x->caps.name);
    }
    *out = b;
    return SEPCL_OK;
}

static status check_range(const clx_buffer *b, size_t offset, size_t bytes, const char *what)
{
    if (offset > b->bytes || bytes > b->bytes - offset)
        return fail(SEPCL_INVALID, "%s of %zu bytes at %zu: the buffer has %zu", what, bytes, offset, b->bytes);
    return SEPCL_OK;
}

status clx_buffer_sub(clx *x, clx_buffer *parent, size_t offset, size_t bytes, clx_buffer **out)
{
    *out = NULL;
    TRY(check_range(parent, offset, bytes, "a sub-buffer"));
    if (bytes == 0 || offset % (size_t)x->caps.align_bytes != 0)
        return fail(SEPCL_INVALID, "a sub-buffer of %zu bytes at %zu: must not be empty and begin at a multiple of %d",
                    bytes, offset, x->caps.align_bytes);
    if (x->n_lanes)
        return team_buffer_sub(parent, offset, bytes, out);
    clx_buffer *b = calloc(1, sizeof *b);
    if (!b)
        return fail_memory(sizeof *b, "a sub-buffer");
    const cl_mem           root = parent->root ? parent->root : parent->mem;
    const cl_buffer_region region = {parent->origin + offset, bytes};
    cl_int                 e;
    b->bytes = bytes;
    b->origin = region.origin;
    b->mem = clCreateSubBuffer(root, CL_MEM_READ_WRITE, CL_BUFFER_CREATE_TYPE_REGION, &region, &e);
    if (!b->mem) {
        free(b);
        return cl_fail(e, "a sub-buffer of %zu bytes at %zu", bytes, region.origin);
    }
    /* OpenCL lets a sub-buffer keep its buffer alive; a reference of our own does not depend on the driver's care */
    if ((e = clRetainMemObject(root)) != CL_SUCCESS) {
        clx_buffer_destroy(b);
        return cl_fail(e, "a sub-buffer's parent");
    }
    b->root = root;
    *out = b;
    return SEPCL_OK;
}

void clx_buffer_destroy(clx_buffer *b)
{
    if (!b)
        return;
    if (b->host) {
        team_buffer_destroy(b);
        return;
    }
    if (b->mem)
        (void)clReleaseMemObject(b->mem);
    if (b->root)
        (void)clReleaseMemObject(b->root);
    free(b->copy);
    free(b);
}

/* The simulator's search for uninitialised values takes a buffer for as large as the last write to it, so there a part
   is written by writing the whole. */
static status write_whole(clx *x, const clx_buffer *b, size_t offset, size_t bytes, const void *data)
{
    const cl_mem root = b->root ? b->root : b->mem;
    size_t       size = 0;
    cl_int       e = clGetMemObjectInfo(root, CL_MEM_SIZE, sizeof size, &size, NULL);
    char        *copy = e == CL_SUCCESS ? malloc(size) : NULL;
    if (e == CL_SUCCESS && !copy)
        return fail_memory(size, "a copy of a buffer");
    if (e == CL_SUCCESS)
        e = clEnqueueReadBuffer(x->queue, root, CL_TRUE, 0, size, copy, 0, NULL, NULL);
    if (e == CL_SUCCESS) {
        memcpy(copy + b->origin + offset, data, bytes);
        e = clEnqueueWriteBuffer(x->queue, root, CL_TRUE, 0, size, copy, 0, NULL, NULL);
    }
    free(copy);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "writing %zu bytes to %s", bytes, x->caps.name);
}

status clx_write(clx *x, clx_buffer *b, size_t offset, size_t bytes, const void *data)
{
    TRY(check_range(b, offset, bytes, "a write"));
    if (bytes == 0)
        return SEPCL_OK;
    if (b->host) {
        team_wake(); /* a run is near */
        TRY(team_run(x));
        memcpy(b->host + offset, data, bytes);
        return SEPCL_OK;
    }
    if (x->simulator)
        return write_whole(x, b, offset, bytes, data);
    const cl_int e = clEnqueueWriteBuffer(x->queue, b->mem, CL_TRUE, offset, bytes, data, 0, NULL, NULL);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "writing %zu bytes to %s", bytes, x->caps.name);
}

status clx_read(clx *x, clx_buffer *b, size_t offset, size_t bytes, void *data)
{
    TRY(check_range(b, offset, bytes, "a read"));
    if (bytes == 0)
        return SEPCL_OK;
    if (b->host) {
        TRY(team_run(x));
        memcpy(data, b->host + offset, bytes);
        return SEPCL_OK;
    }
    const cl_int e = clEnqueueReadBuffer(x->queue, b->mem, CL_TRUE, offset, bytes, data, 0, NULL, NULL);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "reading %zu bytes from %s", bytes, x->caps.name);
}

/* Mapping where memory is the device's own: a copy here, written back when unmapped. Drivers do no less, and some write
   back what was only read. */
static status map_copy(clx *x, clx_buffer *b, size_t offset, size_t bytes, bool write, void **out)
{
    if (b->copy)
        return fail(SEPCL_INVALID, "a mapping of a buffer that is mapped already");
    void *copy = malloc(bytes);
    if (!copy)
        return fail_memory(bytes, "a mapped buffer");
    const status s = clx_read(x, b, offset, bytes, copy);
    if (s != SEPCL_OK) {
        free(copy);
        return s;
    }
    b->copy = *out = copy;
    b->copy_at = offset;
    b->copy_bytes = bytes;
    b->copy_back = write;
    return SEPCL_OK;
}

status clx_map(clx *x, clx_buffer *b, size_t offset, size_t bytes, bool write, void **out)
{
    *out = NULL;
    TRY(check_range(b, offset, bytes, "a mapping"));
    if (bytes == 0)
        return fail(SEPCL_INVALID, "a mapping of 0 bytes");
    if (b->host) {
        TRY(team_run(x));
        *out = b->host + offset;
        return SEPCL_OK;
    }
    if (!x->host_memory)
        return map_copy(x, b, offset, bytes, write, out);
    cl_int             e;
    const cl_map_flags flags = write ? CL_MAP_READ | CL_MAP_WRITE : CL_MAP_READ;
    *out = clEnqueueMapBuffer(x->queue, b->mem, CL_TRUE, flags, offset, bytes, 0, NULL, NULL, &e);
    return *out ? SEPCL_OK : cl_fail(e, "mapping %zu bytes of %s", bytes, x->caps.name);
}

status clx_unmap(clx *x, clx_buffer *b, void *mapped)
{
    if (b->host)
        return SEPCL_OK;
    if (b->copy) {
        const status s = b->copy_back ? clx_write(x, b, b->copy_at, b->copy_bytes, b->copy) : SEPCL_OK;
        free(b->copy);
        b->copy = NULL;
        return s;
    }
    /* the queue is in order: what is enqueued later waits for this */
    const cl_int e = clEnqueueUnmapMemObject(x->queue, b->mem, mapped, 0, NULL, NULL);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "unmapping memory of %s", x->caps.name);
}

/* ---------------------------------------------------------------- queue and events */

status clx_flush(clx *x)
{
    if (x->n_lanes) {
        team_wake();
        return SEPCL_OK;
    }
    const cl_int e = clFlush(x->queue);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "starting the work of %s", x->caps.name);
}

int clx_failed_launch(const clx *x)
{
    return x->n_lanes ? x->team.failed : -1;
}

status clx_finish(clx *x)
{
    if (x->n_lanes)
        return team_run(x);
    const cl_int e = clFinish(x->queue);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "waiting for %s", x->caps.name);
}

void clx_drain(clx *x)
{
    char         sentence[1024];
    const status code = error_code();
    snprintf(sentence, sizeof sentence, "%s", error_sentence());
    if (clx_finish(x) != SEPCL_OK)
        fail(code, "%s", sentence);
}

/* The lanes' queues have no transfers, so that a buffer's object and an empty queue have to do. */
static status probe_team(clx *x)
{
    char   memory[64] = "";
    cl_int e;
    cl_mem m = clCreateBuffer(x->context, CL_MEM_READ_WRITE | CL_MEM_USE_HOST_PTR, sizeof memory, memory, &e);
    if (m)
        e = clReleaseMemObject(m);
    for (int i = 0; i < x->n_lanes && e == CL_SUCCESS; i++)
        e = clFinish(x->queues[i]);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "a look at %s", x->caps.name);
}

static status probe_buffer(clx *x, clx_buffer *b)
{
    static const char data[64] = "are you there?";
    char              back[64] = "";
    TRY(clx_write(x, b, 0, sizeof data, data));
    TRY(clx_read(x, b, 0, sizeof back, back));
    return memcmp(data, back, sizeof data) == 0 ? SEPCL_OK
                                                : fail(SEPCL_DEVICE_ERROR, "%s loses what is written", x->caps.name);
}

status clx_probe(clx *x)
{
    clx_buffer *b;
    TRY(clx_finish(x));
    if (x->n_lanes)
        return probe_team(x);
    TRY(clx_buffer_create(x, 64, &b));
    const status s = probe_buffer(x, b);
    clx_buffer_destroy(b);
    return s;
}

bool clx_waits_for_launches(const clx *x)
{
    return x->n_lanes > 0;
}

bool event_times_make_sense(uint64_t queued, uint64_t start, uint64_t end)
{
    return queued > 0 && queued <= start && start <= end;
}

/* True when the driver gave all three. */
static bool driver_times(cl_event event, cl_ulong t[3])
{
    const cl_profiling_info what[3] = {CL_PROFILING_COMMAND_QUEUED, CL_PROFILING_COMMAND_START,
                                       CL_PROFILING_COMMAND_END};
    bool                    ok = event != NULL;
    for (int i = 0; i < 3 && ok; i++)
        ok = clGetEventProfilingInfo(event, what[i], sizeof t[i], &t[i], NULL) == CL_SUCCESS;
    if (event)
        (void)clReleaseEvent(event);
    return ok;
}

void clx_event_times(clx *x, clx_event *e, uint64_t *queued, uint64_t *start, uint64_t *end)
{
    cl_ulong t[3] = {0, 0, 0};
    bool     ok = e != NULL;
    if (!x->n_lanes) {
        ok = driver_times((cl_event)e, t);
    } else if (e) {
        (void)team_run(x); /* it may not have run yet; an error comes again when the run is waited for */
        t[0] = e->queued;
        t[1] = e->start;
        t[2] = e->end;
        free(e);
    }
    ok = ok && event_times_make_sense(t[0], t[1], t[2]);
    if (queued)
        *queued = ok ? t[0] : 0;
    if (start)
        *start = ok ? t[1] : 0;
    if (end)
        *end = ok ? t[2] : 0;
}
