/* SPDX-License-Identifier: Apache-2.0 */
/* Buffers of a team: ordinary memory, which every lane sees through an OpenCL object of its own. */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "base/size.h"
#include "cl/team.h"

#define PAGE ((size_t)4096)
#define HUGE_PAGE ((size_t)2 << 20)
#define SLAB ((size_t)4 << 20) /* small buffers share such pieces */

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

void team_memory_leave(team_memory *m)
{
    if (!m || --m->users > 0)
        return;
    free(m->base);
    free(m);
}

/* Large pages, so that a run over all weights of a network costs few misses of the address cache, which are dear in
   virtual machines. */
static team_memory *new_memory(size_t bytes)
{
    team_memory *m = calloc(1, sizeof *m);
    void        *p = NULL;
    size_t       room;
    if (m && size_add(bytes, HUGE_PAGE - 1, &room) &&
        posix_memalign(&p, bytes < HUGE_PAGE ? PAGE : HUGE_PAGE,
                       bytes < HUGE_PAGE ? bytes : room / HUGE_PAGE * HUGE_PAGE) == 0) {
        if (bytes >= HUGE_PAGE)
            (void)madvise(p, room / HUGE_PAGE * HUGE_PAGE, MADV_HUGEPAGE); /* a wish: all works as well without */
        m->base = p;
        m->users = 1;
        return m;
    }
    free(m);
    fail(SEPCL_OUT_OF_MEMORY, "out of memory: a buffer of %zu bytes of the host's", bytes);
    return NULL;
}

/* A part of the slab, or of a new one. */
static status slab_buffer(clx *x, size_t bytes, clx_buffer **out)
{
    const size_t room = (bytes + PAGE - 1) / PAGE * PAGE;
    if (!x->slab || room > SLAB - x->slab_taken) {
        team_memory *m = new_memory(SLAB);
        if (!m)
            return SEPCL_OUT_OF_MEMORY;
        team_memory_leave(x->slab);
        x->slab = m;
        x->slab_taken = 0;
    }
    TRY(new_buffer(x->slab->base + x->slab_taken, x->slab, bytes, out));
    x->slab_taken += room;
    return SEPCL_OK;
}

status team_buffer_create(clx *x, size_t bytes, clx_buffer **out)
{
    *out = NULL;
    if (bytes <= SLAB / 4)
        return slab_buffer(x, bytes, out);
    team_memory *m = new_memory(bytes);
    if (!m)
        return SEPCL_OUT_OF_MEMORY;
    const status s = new_buffer(m->base, m, bytes, out);
    team_memory_leave(m);
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
    team_memory_leave(b->memory);
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
