/* SPDX-License-Identifier: Apache-2.0 */
/* Kernels: arguments and launches. */
#include <stdio.h>
#include <stdlib.h>

#include "cl/team.h"

status clx_kernel_create(clx *x, clx_program *p, const char *entry, clx_kernel **out)
{
    cl_int e;
    *out = NULL;
    clx_kernel *k = calloc(1, sizeof *k);
    if (!k)
        return fail_memory(sizeof *k, "a kernel");
    const int n = x->n_lanes ? x->n_lanes : 1;
    snprintf(k->name, sizeof k->name, "%s", entry);
    k->kernels = calloc((size_t)n, sizeof(cl_kernel));
    if (!k->kernels) {
        free(k);
        return fail_memory((size_t)n * sizeof(cl_kernel), "a kernel");
    }
    for (; k->n_kernels < n; k->n_kernels++) {
        k->kernels[k->n_kernels] = clCreateKernel(p->program, entry, &e);
        if (!k->kernels[k->n_kernels]) {
            clx_kernel_destroy(k);
            return cl_fail(e, "kernel %s on %s", entry, x->caps.name);
        }
    }
    *out = k;
    return SEPCL_OK;
}

void clx_kernel_destroy(clx_kernel *k)
{
    if (!k)
        return;
    for (int i = 0; i < k->n_kernels; i++)
        (void)clReleaseKernel(k->kernels[i]);
    free(k->kernels);
    free(k);
}

status clx_kernel_work_group(clx *x, clx_kernel *k, size_t *max_out)
{
    const cl_int e =
        clGetKernelWorkGroupInfo(k->kernels[0], x->device, CL_KERNEL_WORK_GROUP_SIZE, sizeof *max_out, max_out, NULL);
    if (e == CL_SUCCESS)
        return SEPCL_OK;
    *max_out = 0;
    return cl_fail(e, "the largest work-group of kernel %s on %s", k->name, x->caps.name);
}

static status set_arg(clx_kernel *k, int index, size_t size, const void *value)
{
    cl_int e = CL_SUCCESS;
    for (int i = 0; i < k->n_kernels && e == CL_SUCCESS; i++)
        e = clSetKernelArg(k->kernels[i], (cl_uint)index, size, value);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "argument %d of kernel %s", index, k->name);
}

status clx_arg_buffer(clx *x, clx_kernel *k, int index, clx_buffer *b)
{
    const cl_mem *objects;
    cl_int        e = CL_SUCCESS;
    if (!b->host)
        return set_arg(k, index, sizeof b->mem, &b->mem);
    TRY(team_buffer_objects(x, b, &objects));
    for (int i = 0; i < k->n_kernels && e == CL_SUCCESS; i++)
        e = clSetKernelArg(k->kernels[i], (cl_uint)index, sizeof objects[i], &objects[i]);
    return e == CL_SUCCESS ? SEPCL_OK : cl_fail(e, "argument %d of kernel %s", index, k->name);
}

status clx_arg_i32(clx_kernel *k, int index, int32_t v)
{
    return set_arg(k, index, sizeof v, &v);
}

status clx_arg_f32(clx_kernel *k, int index, float v)
{
    return set_arg(k, index, sizeof v, &v);
}

status clx_arg_local(clx_kernel *k, int index, size_t bytes)
{
    return set_arg(k, index, bytes, NULL);
}

#define SIZES_TEXT 80
static const char *sizes_text(int dims, const size_t *s, char buffer[SIZES_TEXT])
{
    int at = snprintf(buffer, SIZES_TEXT, "%s", s ? "" : "the driver's choice");
    for (int i = 0; s && i < dims; i++)
        at += snprintf(buffer + at, SIZES_TEXT - (size_t)at, "%s%zu", i ? "x" : "", s[i]);
    return buffer;
}

static status enqueue_for_team(clx *x, clx_kernel *k, int dims, const size_t *global, const size_t *local,
                               clx_event **event_out)
{
    clx_event *event = event_out ? calloc(1, sizeof *event) : NULL;
    if (event_out && !event)
        return fail_memory(sizeof *event, "the times of a launch");
    const status s = team_enqueue(x, k, dims, global, local, event);
    if (s != SEPCL_OK)
        free(event);
    else if (event_out)
        *event_out = event;
    return s;
}

status clx_enqueue(clx *x, clx_kernel *k, int dims, const size_t *global, const size_t *local, clx_event **event_out)
{
    cl_event event = NULL;
    if (event_out)
        *event_out = NULL;
    if (dims < 1 || dims > 3)
        return fail(SEPCL_INVALID, "kernel %s: a launch of %d dimensions", k->name, dims);
    if (x->n_lanes)
        return enqueue_for_team(x, k, dims, global, local, event_out);
    const cl_int e = clEnqueueNDRangeKernel(x->queue, k->kernels[0], (cl_uint)dims, NULL, global, local, 0, NULL,
                                            event_out ? &event : NULL);
    if (e != CL_SUCCESS) {
        char g[SIZES_TEXT], l[SIZES_TEXT];
        return cl_fail(e, "kernel %s over %s, work-group %s, on %s", k->name, sizes_text(dims, global, g),
                       sizes_text(dims, local, l), x->caps.name);
    }
    if (event_out)
        *event_out = (clx_event *)event; /* the handle itself: a run must not allocate */
    return SEPCL_OK;
}
