/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A team: threads ("lanes") that each have a queue on an OpenCL device whose kernels run in the thread that enqueues
 * them. Each lane takes a part of every launch, and a barrier of a few hundred nanoseconds stands between launches,
 * where a driver's own pool of threads sleeps and wakes: with PoCL that is 12 us a launch, a fifth of a small network.
 *
 * The thread that waits for a run is lane 0. The others belong to the process; they spin for a while after a run, give
 * their core away when others want it, and then sleep. One run at a time has them.
 */
#ifndef SEPCL_CL_TEAM_H
#define SEPCL_CL_TEAM_H

#include "cl/internal.h"

/* Starts the other lanes when there are none yet; every join needs a leave. */
status team_join(int lanes);
void   team_leave(void);
/* Appends; nothing runs yet. Allocates only when the queue was never that long. */
status team_enqueue(clx *x, clx_kernel *k, int dims, const size_t *global, const size_t *local, clx_event *event);
/* Wakes the other lanes, so that they are there when team_run comes. */
void team_wake(void);
/* Runs what was enqueued, as lane 0, and empties the queue. */
status team_run(clx *x);

/* team_buffer.c: host memory with an OpenCL object a lane. */
status team_buffer_create(clx *x, size_t bytes, clx_buffer **out);
status team_buffer_sub(clx_buffer *parent, size_t offset, size_t bytes, clx_buffer **out);
status team_buffer_wrap(const void *host, size_t bytes, clx_buffer **out);
void   team_buffer_destroy(clx_buffer *b);
void   team_memory_leave(team_memory *m); /* the last one frees it; m may be NULL */
/* The objects by lane; made at the first call. */
status team_buffer_objects(clx *x, clx_buffer *b, const cl_mem **out);

#endif
