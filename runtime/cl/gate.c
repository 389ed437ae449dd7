/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gate before PoCL's own threads. PoCL keeps a kernel's loaded code for each work-group size and widest grid that it met,
 * with a count of the launches that use it; but a launch that ends is counted off the newest such entry, not off its own.
 * When a kernel first meets a wider grid while a narrower one of it is under way, in whatever session, the new entry's count
 * has reached 0 before its own launch ends, and an assertion ends the process (`found->ref_count > 0`, pocl 3.1,
 * lib/CL/devices/common.c). So a launch that may make an entry waits for whatever runs, and runs alone. After it every
 * narrower launch finds the new entry first, and is counted right. A session makes such launches while it is created.
 */
#include <pthread.h>

#include "cl/internal.h"

static pthread_mutex_t gate = PTHREAD_MUTEX_INITIALIZER;
static clx            *open_contexts; /* whose queues are our own */

void gate_join(clx *x)
{
    pthread_mutex_lock(&gate);
    x->next_gated = open_contexts;
    open_contexts = x;
    pthread_mutex_unlock(&gate);
}

void gate_leave(clx *x)
{
    pthread_mutex_lock(&gate);
    for (clx **at = &open_contexts; *at; at = &(*at)->next_gated)
        if (*at == x) {
            *at = x->next_gated;
            break;
        }
    pthread_mutex_unlock(&gate);
}

/* Has the kernel run with this work-group and over a grid as wide? Where the driver chooses the work-group, the grid has to
   be the same one. */
static bool is_known(const clx_kernel *k, int dims, const size_t *global, const size_t *local)
{
    bool known = k->warm;
    for (int d = 0; d < dims && known; d++)
        known = local ? local[d] == k->local[d] && global[d] <= k->widest[d] : global[d] == k->widest[d];
    return known;
}

static void remember(clx_kernel *k, int dims, const size_t *global, const size_t *local)
{
    k->warm = true;
    for (int d = 0; d < dims; d++) {
        const bool same = local && k->local[d] == local[d];
        k->widest[d] = same && k->widest[d] > global[d] ? k->widest[d] : global[d];
        k->local[d] = local ? local[d] : 0;
    }
}

cl_int gate_launch(clx *x, clx_kernel *k, int dims, const size_t *global, const size_t *local, cl_event *event)
{
    pthread_mutex_lock(&gate);
    const bool known = is_known(k, dims, global, local);
    for (clx *other = open_contexts; !known && other; other = other->next_gated)
        (void)clFinish(other->queue); /* what fails there is told to who waits there */
    cl_int e = clEnqueueNDRangeKernel(x->queue, k->kernels[0], (cl_uint)dims, NULL, global, local, 0, NULL, event);
    if (e == CL_SUCCESS && !known && (e = clFinish(x->queue)) == CL_SUCCESS)
        remember(k, dims, global, local);
    pthread_mutex_unlock(&gate);
    return e;
}
