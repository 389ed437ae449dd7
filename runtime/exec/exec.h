/* SPDX-License-Identifier: Apache-2.0 */
/* Running a plan: on a device (exec_cl.c) and in plain C (exec_ref.c). */
#ifndef SEPCL_EXEC_EXEC_H
#define SEPCL_EXEC_EXEC_H

#include "cl/cl.h"
#include "plan/plan.h"

/* ---------------------------------------------------------------- device */

/* A context with the programs built in it so far; several executors may share one, one thread at a time. */
typedef struct exec_env exec_env;
typedef struct exec_env_desc {
    clx_desc    cl;
    const char *cache_dir;
    bool        no_cache;
} exec_env_desc;
status      exec_env_create(const exec_env_desc *d, exec_env **out);
void        exec_env_destroy(exec_env *e);
const caps *exec_env_caps(const exec_env *e);
bool        exec_env_is_borrowed(const exec_env *e);
/* The step in which the last executor failed, while it was made or run, for its kernel's sake; -1: none is known. */
int  exec_env_failed_step(const exec_env *e);
/* Forgets the failed kernel's program when it is from the cache, and its entry there, so that the next executor builds it
   from source; false when it is not. No executor may be left. */
bool exec_env_rebuild_failed(exec_env *e);
/* Whether the context still does what it is told; drivers lose one when a kernel fails. */
bool exec_env_works(exec_env *e);
/* Opens the device anew, without programs; no executor may be left. From then on every step is waited for, so that a
   failure is known by its step, until exec_env_trust. After a failure only exec_env_reopen or exec_env_destroy. */
status exec_env_reopen(exec_env *e);
void   exec_env_trust(exec_env *e);
bool   exec_env_is_careful(const exec_env *e);

typedef struct exec_cl exec_cl;
typedef struct exec_times {
    uint64_t queued, start, end; /* ns, of a step's first and last launch */
    uint64_t busy;               /* ns, summed over its launches */
} exec_times;

/* Builds programs, packs constants, sets all arguments, and runs once when warm is set (drivers compile at first use). */
status exec_cl_create(exec_env *e, const plan *p, bool profile, bool warm, exec_cl **out);
void   exec_cl_destroy(exec_cl *x);
/* Copies float32 data of graph input or output i. */
status exec_cl_write(exec_cl *x, int input, const float *data);
/* Reads the input from data at each run from now on: in place on a CPU, else by a copy at each enqueue. NULL: no more. */
status exec_cl_bind(exec_cl *x, int input, const float *data);
status exec_cl_read(exec_cl *x, int output, float *data);
/* Any value that lives in the arena, as float32 (its memory may have been reused by a later step). */
status exec_cl_read_value(exec_cl *x, value_id v, float *data);
/* What the next run will read of an input. */
status exec_cl_read_input(exec_cl *x, int input, float *data);
status exec_cl_enqueue(exec_cl *x);
status exec_cl_step(exec_cl *x, int step); /* one step, not waited for */
status exec_cl_wait(exec_cl *x);
/* Enqueues and waits, step by step: a failure is known by its step. */
status exec_cl_run_carefully(exec_cl *x);
const exec_times *exec_cl_times(const exec_cl *x, int step);
uint64_t exec_cl_weight_bytes(const exec_cl *x);
/* Fills the arena with NaNs; afterwards, whether the guards around step outputs are still NaN (plan.guard > 0). */
status exec_cl_poison(exec_cl *x);
status exec_cl_check_guards(exec_cl *x);

/* ---------------------------------------------------------------- reference */

typedef struct exec_ref exec_ref;
status exec_ref_create(const plan *p, exec_ref **out);
void   exec_ref_destroy(exec_ref *x);
float *exec_ref_value(exec_ref *x, value_id v); /* inputs: to be filled; others: valid after their step */
status exec_ref_step(exec_ref *x, int step);
status exec_ref_run(exec_ref *x);

/* Largest |got - want| over the largest |want| (1 when want is all zero); NaN against a number is infinite, and equal
   NaNs or infinities are no difference. *where: the element of the largest difference. */
double compare_floats(const float *got, const float *want, int64_t n, int64_t *where);

#endif
