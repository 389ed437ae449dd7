/* SPDX-License-Identifier: Apache-2.0 */
/* The environment's inside, for exec_cl.c. */
#ifndef SEPCL_EXEC_ENV_H
#define SEPCL_EXEC_ENV_H

#include "exec/exec.h"

typedef struct pool_entry {
    char        *file, *options;
    clx_program *program;
    bool         from_cache;
} pool_entry;

struct exec_env {
    exec_env_desc d; /* cache_dir is in memory */
    clx          *cl;
    pool_entry   *pool;
    int           n_pool, cap_pool;
    bool          careful;                     /* every step is waited for */
    int           failed_step, failed_program; /* -1: not known */
    arena         memory;
};

/* Index of a program in the pool, -1 when it is not there. */
int    env_find(const exec_env *e, const char *file, const char *options);
status env_add(exec_env *e, const char *file, const char *options, int *index_out);
/* Forgets what was added and has no program. */
void   env_trim(exec_env *e);
/* Builds programs that were added: builds[i] becomes entry which[i] of the pool. On failure they are forgotten, and
   *failed_out is the one that did not build (-1: not known). */
status env_build(exec_env *e, clx_build *builds, const int *which, int n, int *failed_out);

#endif
