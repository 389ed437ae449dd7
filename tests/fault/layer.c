/* SPDX-License-Identifier: Apache-2.0 */
/* The layer's calls: each is counted, may be failed, and else goes on to the driver. A call that releases something does
   so even when it reports a failure, since nothing can be expected to release it again. */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer_state.h"

static cl_icd_dispatch next, mine;

static bool matches(const char *variant, const char *text)
{
    return variant[0] && strstr(text, variant);
}

static bool kernel_matches(const char *variant, cl_kernel k)
{
    char text[2048];
    return variant[0] && matches(variant, layer_noted(k, text, sizeof text));
}

/* ---------------------------------------------------------------- questions: counted and passed on */

#define PASS(name, parameters, arguments)                                                                              \
    static cl_int CL_API_CALL on_##name parameters                                                                     \
    {                                                                                                                  \
        const cl_int e = layer_enter(CALL_##name);                                                                     \
        return e != CL_SUCCESS ? e : next.name arguments;                                                              \
    }

PASS(clGetPlatformIDs, (cl_uint n, cl_platform_id *p, cl_uint *count), (n, p, count))
PASS(clGetPlatformInfo, (cl_platform_id p, cl_platform_info i, size_t n, void *v, size_t *r), (p, i, n, v, r))
PASS(clGetDeviceIDs, (cl_platform_id p, cl_device_type t, cl_uint n, cl_device_id *d, cl_uint *count),
     (p, t, n, d, count))
PASS(clGetCommandQueueInfo, (cl_command_queue q, cl_command_queue_info i, size_t n, void *v, size_t *r),
     (q, i, n, v, r))
PASS(clGetMemObjectInfo, (cl_mem m, cl_mem_info i, size_t n, void *v, size_t *r), (m, i, n, v, r))
PASS(clGetProgramBuildInfo, (cl_program p, cl_device_id d, cl_program_build_info i, size_t n, void *v, size_t *r),
     (p, d, i, n, v, r))
PASS(clSetKernelArg, (cl_kernel k, cl_uint i, size_t n, const void *v), (k, i, n, v))

static cl_int CL_API_CALL on_clGetDeviceInfo(cl_device_id d, cl_device_info i, size_t n, void *v, size_t *r)
{
    cl_int e = layer_enter(CALL_clGetDeviceInfo);
    if (e != CL_SUCCESS || layer_device_lie(i, n, v, r, &e))
        return e;
    return next.clGetDeviceInfo(d, i, n, v, r);
}

static cl_int CL_API_CALL on_clGetKernelWorkGroupInfo(cl_kernel k, cl_device_id d, cl_kernel_work_group_info i, size_t n,
                                                      void *v, size_t *r)
{
    cl_int e = layer_enter(CALL_clGetKernelWorkGroupInfo);
    if (e != CL_SUCCESS || layer_device_lie(i, n, v, r, &e))
        return e;
    return next.clGetKernelWorkGroupInfo(k, d, i, n, v, r);
}

static cl_int CL_API_CALL on_clGetEventProfilingInfo(cl_event event, cl_profiling_info i, size_t n, void *v, size_t *r)
{
    const cl_int failed = layer_enter(CALL_clGetEventProfilingInfo);
    if (failed != CL_SUCCESS)
        return failed;
    const cl_int e = next.clGetEventProfilingInfo(event, i, n, v, r);
    if (e == CL_SUCCESS && v && n >= sizeof(cl_ulong))
        *(cl_ulong *)v = layer_false_time(i, *(cl_ulong *)v);
    return e;
}

/* ---------------------------------------------------------------- references */

#define RETAIN(name, type, kind)                                                                                       \
    static cl_int CL_API_CALL on_##name(type o)                                                                        \
    {                                                                                                                  \
        cl_int e = layer_enter(CALL_##name);                                                                           \
        if (e == CL_SUCCESS && (e = next.name(o)) == CL_SUCCESS)                                                       \
            layer_retained(kind, o);                                                                                   \
        return e;                                                                                                      \
    }
#define RELEASE(name, type, kind)                                                                                      \
    static cl_int CL_API_CALL on_##name(type o)                                                                        \
    {                                                                                                                  \
        const cl_int failed = layer_enter(CALL_##name);                                                                \
        (void)layer_released(kind, o);                                                                                     \
        const cl_int e = next.name(o);                                                                                 \
        return failed != CL_SUCCESS ? failed : e;                                                                      \
    }

RETAIN(clRetainContext, cl_context, FAULT_CONTEXT)
RELEASE(clReleaseContext, cl_context, FAULT_CONTEXT)
RETAIN(clRetainCommandQueue, cl_command_queue, FAULT_QUEUE)
RELEASE(clReleaseCommandQueue, cl_command_queue, FAULT_QUEUE)
RETAIN(clRetainMemObject, cl_mem, FAULT_BUFFER)
RELEASE(clReleaseMemObject, cl_mem, FAULT_BUFFER)
RETAIN(clRetainProgram, cl_program, FAULT_PROGRAM)
RELEASE(clReleaseKernel, cl_kernel, FAULT_KERNEL)
RELEASE(clReleaseEvent, cl_event, FAULT_EVENT)

/* ---------------------------------------------------------------- objects */

static void *refuse(cl_int e, cl_int *to)
{
    if (to)
        *to = e;
    return NULL;
}

#define MADE(kind, call)                                                                                               \
    do {                                                                                                               \
        void *const handle = (call);                                                                                   \
        layer_made(kind, handle);                                                                                      \
        return handle;                                                                                                 \
    } while (0)

static cl_context CL_API_CALL on_clCreateContext(const cl_context_properties *properties, cl_uint n,
                                                 const cl_device_id *devices,
                                                 void(CL_CALLBACK *fn)(const char *, const void *, size_t, void *),
                                                 void *user, cl_int *error)
{
    const cl_int e = layer_enter(CALL_clCreateContext);
    if (e != CL_SUCCESS)
        return refuse(e, error);
    MADE(FAULT_CONTEXT, next.clCreateContext(properties, n, devices, fn, user, error));
}

static cl_command_queue CL_API_CALL on_clCreateCommandQueue(cl_context c, cl_device_id d,
                                                            cl_command_queue_properties properties, cl_int *error)
{
    const cl_int e = layer_enter(CALL_clCreateCommandQueue);
    if (e != CL_SUCCESS)
        return refuse(e, error);
    cl_command_queue q = next.clCreateCommandQueue(c, d, properties, error);
    layer_made(FAULT_QUEUE, q);
    if (q)
        layer_queue_made(q, c);
    return q;
}

static cl_mem CL_API_CALL on_clCreateBuffer(cl_context c, cl_mem_flags flags, size_t n, void *host, cl_int *error)
{
    const cl_int e = layer_enter(CALL_clCreateBuffer);
    if (e != CL_SUCCESS)
        return refuse(e, error);
    MADE(FAULT_BUFFER, next.clCreateBuffer(c, flags, n, host, error));
}

static cl_mem CL_API_CALL on_clCreateSubBuffer(cl_mem m, cl_mem_flags flags, cl_buffer_create_type type,
                                               const void *region, cl_int *error)
{
    const cl_int e = layer_enter(CALL_clCreateSubBuffer);
    if (e != CL_SUCCESS)
        return refuse(e, error);
    MADE(FAULT_BUFFER, next.clCreateSubBuffer(m, flags, type, region, error));
}

/* ---------------------------------------------------------------- programs and kernels */

/* Which variant a program is, is known when it is built. One that is to compute something else gets a twin then, built from
   the same text behind a false fma, whose kernels and binary are given as its own. */
#define TWINS 256

typedef struct twin {
    cl_program program, twin; /* program NULL: free */
    cl_context context;
    char      *text;
} twin;

static pthread_mutex_t twins_lock = PTHREAD_MUTEX_INITIALIZER;
static twin            twins[TWINS];

static void remember_text(cl_program p, cl_context c, const char *text)
{
    pthread_mutex_lock(&twins_lock);
    for (int i = 0; p && i < TWINS; i++)
        if (!twins[i].program) {
            twins[i] = (twin){p, NULL, c, strdup(text)};
            break;
        }
    pthread_mutex_unlock(&twins_lock);
}

static twin *twin_of(cl_program p)
{
    twin *found = NULL;
    pthread_mutex_lock(&twins_lock);
    for (int i = 0; i < TWINS && !found; i++)
        found = twins[i].program == p ? &twins[i] : NULL;
    pthread_mutex_unlock(&twins_lock);
    return found;
}

/* What the driver knows a program by. */
static cl_program real_program(cl_program p)
{
    const twin *t = twin_of(p);
    return t && t->twin ? t->twin : p;
}

static void forget_twin(cl_program p)
{
    twin *t = twin_of(p);
    if (!t)
        return;
    if (t->twin)
        (void)next.clReleaseProgram(t->twin);
    free(t->text);
    pthread_mutex_lock(&twins_lock);
    *t = (twin){0};
    pthread_mutex_unlock(&twins_lock);
}

static cl_program make_twin(cl_program p)
{
    static const char garbled[] = "#define fma(a, b, c) ((a) * (b) + (c) + 0.25f)\n#line 1\n";
    twin             *t = twin_of(p);
    if (!t)
        return NULL;
    const char *both[] = {garbled, t->text};
    t->twin = next.clCreateProgramWithSource(t->context, 2, both, NULL, NULL);
    return t->twin;
}

static cl_program CL_API_CALL on_clCreateProgramWithSource(cl_context c, cl_uint n, const char **texts,
                                                           const size_t *lengths, cl_int *error)
{
    const cl_int e = layer_enter(CALL_clCreateProgramWithSource);
    if (e != CL_SUCCESS)
        return refuse(e, error);
    cl_program p = next.clCreateProgramWithSource(c, n, texts, lengths, error);
    layer_made(FAULT_PROGRAM, p);
    if (lies.garbage[0] && n == 1 && !lengths)
        remember_text(p, c, texts[0]);
    return p;
}

static cl_int CL_API_CALL on_clReleaseProgram(cl_program p)
{
    const cl_int failed = layer_enter(CALL_clReleaseProgram);
    if (layer_released(FAULT_PROGRAM, p))
        forget_twin(p);
    const cl_int e = next.clReleaseProgram(p);
    return failed != CL_SUCCESS ? failed : e;
}

static cl_int CL_API_CALL on_clGetProgramInfo(cl_program p, cl_program_info i, size_t n, void *v, size_t *r)
{
    const cl_int e = layer_enter(CALL_clGetProgramInfo);
    return e != CL_SUCCESS ? e : next.clGetProgramInfo(real_program(p), i, n, v, r);
}

static cl_program CL_API_CALL on_clCreateProgramWithBinary(cl_context c, cl_uint n, const cl_device_id *devices,
                                                           const size_t *lengths, const unsigned char **binaries,
                                                           cl_int *states, cl_int *error)
{
    const cl_int e = layer_enter(CALL_clCreateProgramWithBinary);
    if (e != CL_SUCCESS) {
        if (states && n > 0)
            states[0] = e;
        return refuse(e, error);
    }
    MADE(FAULT_PROGRAM, next.clCreateProgramWithBinary(c, n, devices, lengths, binaries, states, error));
}

static cl_int CL_API_CALL on_clBuildProgram(cl_program p, cl_uint n, const cl_device_id *devices, const char *options,
                                            void(CL_CALLBACK *fn)(cl_program, void *), void *user)
{
    const cl_int e = layer_enter(CALL_clBuildProgram);
    if (e != CL_SUCCESS)
        return e;
    layer_note(p, options ? options : "");
    cl_program twin = matches(lies.garbage, options ? options : "") ? make_twin(p) : NULL;
    if (!twin)
        return next.clBuildProgram(p, n, devices, options, fn, user);
    layer_lied();
    return next.clBuildProgram(twin, n, devices, options, fn, user);
}

static cl_kernel CL_API_CALL on_clCreateKernel(cl_program p, const char *name, cl_int *error)
{
    const cl_int e = layer_enter(CALL_clCreateKernel);
    char         options[1536], text[2048];
    if (e != CL_SUCCESS)
        return refuse(e, error);
    snprintf(text, sizeof text, "%s %s", name, layer_noted(p, options, sizeof options));
    if (matches(lies.missing, text)) {
        layer_lied();
        return refuse(CL_INVALID_KERNEL_NAME, error);
    }
    cl_kernel k = next.clCreateKernel(real_program(p), name, error);
    layer_made(FAULT_KERNEL, k);
    if (k)
        layer_note(k, text);
    return k;
}

/* ---------------------------------------------------------------- work */

static cl_int CL_API_CALL on_clFlush(cl_command_queue q)
{
    cl_int e = layer_enter(CALL_clFlush);
    if (e == CL_SUCCESS)
        e = layer_late_call(layer_context_of(q));
    return e != CL_SUCCESS ? e : next.clFlush(q);
}

static cl_int CL_API_CALL on_clFinish(cl_command_queue q)
{
    cl_int e = layer_enter(CALL_clFinish);
    if (e != CL_SUCCESS)
        return e;
    e = layer_late_wait(layer_context_of(q));
    const cl_int finished = next.clFinish(q); /* also when it fails: what was enqueued may use the caller's memory */
    return e != CL_SUCCESS ? e : finished;
}

static cl_int CL_API_CALL on_clEnqueueReadBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t at, size_t n, void *to,
                                                 cl_uint n_events, const cl_event *events, cl_event *event)
{
    cl_int e = layer_enter(CALL_clEnqueueReadBuffer);
    if (e == CL_SUCCESS)
        e = layer_late_wait(layer_context_of(q));
    return e != CL_SUCCESS ? e : next.clEnqueueReadBuffer(q, m, wait, at, n, to, n_events, events, event);
}

static cl_int CL_API_CALL on_clEnqueueWriteBuffer(cl_command_queue q, cl_mem m, cl_bool wait, size_t at, size_t n,
                                                  const void *from, cl_uint n_events, const cl_event *events,
                                                  cl_event *event)
{
    cl_int e = layer_enter(CALL_clEnqueueWriteBuffer);
    if (e == CL_SUCCESS)
        e = layer_late_wait(layer_context_of(q));
    return e != CL_SUCCESS ? e : next.clEnqueueWriteBuffer(q, m, wait, at, n, from, n_events, events, event);
}

static void *CL_API_CALL on_clEnqueueMapBuffer(cl_command_queue q, cl_mem m, cl_bool wait, cl_map_flags flags, size_t at,
                                               size_t n, cl_uint n_events, const cl_event *events, cl_event *event,
                                               cl_int *error)
{
    cl_int e = layer_enter(CALL_clEnqueueMapBuffer);
    if (e == CL_SUCCESS)
        e = layer_late_wait(layer_context_of(q));
    return e != CL_SUCCESS ? refuse(e, error)
                           : next.clEnqueueMapBuffer(q, m, wait, flags, at, n, n_events, events, event, error);
}

/* Unmaps even when it reports a failure, like a release. */
static cl_int CL_API_CALL on_clEnqueueUnmapMemObject(cl_command_queue q, cl_mem m, void *mapped, cl_uint n_events,
                                                     const cl_event *events, cl_event *event)
{
    cl_int e = layer_enter(CALL_clEnqueueUnmapMemObject);
    if (e == CL_SUCCESS)
        e = layer_late_call(layer_context_of(q));
    const cl_int unmapped = next.clEnqueueUnmapMemObject(q, m, mapped, n_events, events, event);
    return e != CL_SUCCESS ? e : unmapped;
}

static cl_int launch(cl_command_queue q, cl_kernel k, cl_uint dims, const size_t *offset, const size_t *global,
                     const size_t *local, cl_uint n_events, const cl_event *events, cl_event *event)
{
    if (kernel_matches(lies.late, k))
        layer_late_launch(layer_context_of(q));
    if (!kernel_matches(lies.skip, k))
        return next.clEnqueueNDRangeKernel(q, k, dims, offset, global, local, n_events, events, event);
    layer_lied();
    return event ? next.clEnqueueMarkerWithWaitList(q, n_events, events, event) : CL_SUCCESS;
}

static cl_int CL_API_CALL on_clEnqueueNDRangeKernel(cl_command_queue q, cl_kernel k, cl_uint dims, const size_t *offset,
                                                    const size_t *global, const size_t *local, cl_uint n_events,
                                                    const cl_event *events, cl_event *event)
{
    cl_int e = layer_enter(CALL_clEnqueueNDRangeKernel);
    if (e == CL_SUCCESS)
        e = layer_late_call(layer_context_of(q));
    if (e == CL_SUCCESS)
        e = launch(q, k, dims, offset, global, local, n_events, events, event);
    if (e == CL_SUCCESS && event)
        layer_made(FAULT_EVENT, *event);
    return e;
}

/* ---------------------------------------------------------------- the loader's side */

FAULT_API cl_int CL_API_CALL clGetLayerInfo(cl_layer_info what, size_t size, void *value, size_t *size_ret)
{
    static const cl_layer_api_version version = CL_LAYER_API_VERSION_100;
    if (what != CL_LAYER_API_VERSION || (value && size < sizeof version))
        return CL_INVALID_VALUE;
    if (size_ret)
        *size_ret = sizeof version;
    if (value)
        memcpy(value, &version, sizeof version);
    return CL_SUCCESS;
}

FAULT_API cl_int CL_API_CALL clInitLayer(cl_uint n, const cl_icd_dispatch *target, cl_uint *n_ret,
                                         const cl_icd_dispatch **layer_ret)
{
    const size_t entries = sizeof next / sizeof(void *);
    if (!target || !n_ret || !layer_ret)
        return CL_INVALID_VALUE;
    memcpy(&next, target, (n < entries ? n : entries) * sizeof(void *));
    mine = next;
#define CALL(name, ...) mine.name = on_##name;
#include "calls.inc"
#undef CALL
    *n_ret = (cl_uint)(n < entries ? n : entries);
    *layer_ret = &mine;
    if (getenv("SEPCL_FAULT"))
        fault_set(getenv("SEPCL_FAULT"));
    return CL_SUCCESS;
}
