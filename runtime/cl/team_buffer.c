/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of a team: ordinary memory, which every lane sees through an OpenCL object of its own. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/size.h"
#include "cl/team.h"

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)

static status new_buffer(char *host, team_memory *memory, size_t bytes, clx_buffer **out)
{
    clx_buffer *b = calloc(1, sizeof *b);
    *out = b;
    if (!b)
        return fail_memory(sizeof *b, "a buffer");
    b->host = host;
    b->bytes = bytes;
    b->memory = memory;
    if (memory)
        memory->users++;
    return SEPCL_OK;
}

static void leave_memory(team_memory *m)
{
    if (!m || --m->users > 0)
        return;
    free(m->base);
    free(m);
}

/* Large memory begins where large pages do, so that weights cost fewer misses of the address cache. */
static char *allocate(size_t bytes)
{
    const size_t align = bytes >= HUGE_PAGE ? HUGE_PAGE : PAGE;
    void        *p = NULL;
    size_t       room;
    if (!size_add(bytes, PAGE - 1, &room) || posix_memalign(&p, align, room / PAGE * PAGE) != 0)
        return NULL;
    if (align == HUGE_PAGE)
        (void)madvise(p, bytes, MADV_HUGEPAGE); /* a wish: without it everything works as well */
    return p;
}

status team_buffer_create(clx *x, size_t bytes, clx_buffer **out)
{
    *out = NULL;
    team_memory *m = calloc(1, sizeof *m);
    if (!m)
        return fail_memory(sizeof *m, "a buffer");
    m->base = allocate(bytes);
    if (!m->base) {
        free(m);
        return fail(SEPCL_OUT_OF_MEMORY, "out of memory: a buffer of %zu bytes on %s", bytes, x->caps.name);
    }
    m->users = 1;
    const status s = new_buffer(m->base, m, bytes, out);
    leave_memory(m);
    return s;
}

status team_buffer_sub(clx_buffer *parent, size_t offset, size_t bytes, clx_buffer **out)
{
    return new_buffer(parent->host + offset, parent->memory, bytes, out);
}

status team_buffer_wrap(const void *host, size_t bytes, clx_buffer **out)
{
    return new_buffer((char *)(uintptr_t)host, NULL, bytes, out);
}

void team_buffer_destroy(clx_buffer *b)
{
    for (int i = 0; i < b->n_mems; i++)
        (void)clReleaseMemObject(b->mems[i]);
    free(b->mems);
    leave_memory(b->memory);
    free(b);
}

status team_buffer_objects(clx *x, clx_buffer *b, const cl_mem **out)
{
    cl_int e;
    if (!b->mems && !(b->mems = calloc((size_t)x->n_lanes, sizeof(cl_mem))))
        return fail_memory((size_t)x->n_lanes * sizeof(cl_mem), "a buffer's objects");
    const cl_mem_flags flags = (b->memory ? CL_MEM_READ_WRITE : CL_MEM_READ_ONLY) | CL_MEM_USE_HOST_PTR;
    for (; b->n_mems < x->n_lanes; b->n_mems++) {
        b->mems[b->n_mems] = clCreateBuffer(x->context, flags, b->bytes, b->host, &e);
        if (!b->mems[b->n_mems])
            return cl_fail(e, "a buffer of %zu bytes on %s", b->bytes, x->caps.name);
    }
    *out = b->mems;
    return SEPCL_OK;
}
