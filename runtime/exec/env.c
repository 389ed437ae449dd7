/* SPDX-License-Identifier: Apache-2.0 */
/* A context with the programs built in it. */
#include "exec/env.h"

#include <stdlib.h>
#include <string.h>

status exec_env_create(const exec_env_desc *d, exec_env **out)
{
    *out = NULL;
    exec_env *e = calloc(1, sizeof *e);
    if (!e)
        return fail_memory(sizeof *e, "an execution environment");
    e->d = *d;
    e->failed_step = e->failed_program = -1;
    status st = SEPCL_OK;
    if (d->cache_dir && !(e->d.cache_dir = arena_strdup(&e->memory, d->cache_dir)))
        st = SEPCL_OUT_OF_MEMORY;
    if (st == SEPCL_OK)
        st = clx_open(&d->cl, &e->cl);
    if (st != SEPCL_OK) {
        exec_env_destroy(e);
        return st;
    }
    *out = e;
    return SEPCL_OK;
}

static void drop_programs(exec_env *e)
{
    for (int i = 0; i < e->n_pool; i++)
        clx_program_destroy(e->pool[i].program);
    e->n_pool = 0;
}

void exec_env_destroy(exec_env *e)
{
    if (!e)
        return;
    drop_programs(e);
    clx_close(e->cl);
    arena_free(&e->memory);
    free(e);
}

const caps *exec_env_caps(const exec_env *e)
{
    return clx_caps(e->cl);
}

bool exec_env_is_borrowed(const exec_env *e)
{
    return e->d.cl.queue != NULL;
}

/* ------------------------------------------------------------------ programs */

int env_find(const exec_env *e, const char *file, const char *options)
{
    for (int i = 0; i < e->n_pool; i++)
        if (!strcmp(e->pool[i].file, file) && !strcmp(e->pool[i].options, options))
            return i;
    return -1;
}

status env_add(exec_env *e, const char *file, const char *options, int *index_out)
{
    pool_entry *grown = arena_grow(&e->memory, e->pool, &e->cap_pool, e->n_pool + 1, sizeof *grown);
    if (!grown)
        return SEPCL_OUT_OF_MEMORY;
    e->pool = grown;
    pool_entry *entry = &grown[e->n_pool];
    *entry = (pool_entry){arena_strdup(&e->memory, file), arena_strdup(&e->memory, options), NULL, false};
    if (!entry->file || !entry->options)
        return SEPCL_OUT_OF_MEMORY;
    *index_out = e->n_pool++;
    return SEPCL_OK;
}

void env_trim(exec_env *e)
{
    int kept = 0;
    for (int i = 0; i < e->n_pool; i++)
        if (e->pool[i].program)
            e->pool[kept++] = e->pool[i];
    e->n_pool = kept;
}

status env_build(exec_env *e, clx_build *builds, const int *which, int n, int *failed_out)
{
    const status st = clx_build_all(e->cl, builds, n, e->d.cache_dir, !e->d.no_cache);
    *failed_out = -1;
    for (int i = 0; i < n; i++) {
        e->pool[which[i]].program = builds[i].program;
        e->pool[which[i]].from_cache = builds[i].from_cache;
        if (builds[i].failed)
            *failed_out = i;
    }
    if (st != SEPCL_OK)
        env_trim(e);
    return st;
}

/* ------------------------------------------------------------------ after a failure */

int exec_env_failed_step(const exec_env *e)
{
    return e->failed_step;
}

bool exec_env_rebuild_failed(exec_env *e)
{
    pool_entry *p = e->failed_program >= 0 && e->failed_program < e->n_pool ? &e->pool[e->failed_program] : NULL;
    if (!p || !p->from_cache)
        return false;
    clx_program_distrust(e->cl, p->program, e->d.cache_dir);
    clx_program_destroy(p->program);
    p->program = NULL;
    env_trim(e);
    e->failed_program = -1;
    return true;
}

bool exec_env_works(exec_env *e)
{
    return clx_probe(e->cl) == SEPCL_OK;
}

bool exec_env_is_careful(const exec_env *e)
{
    return e->careful || clx_waits_for_launches(e->cl);
}

status exec_env_reopen(exec_env *e)
{
    clx *fresh;
    if (exec_env_is_borrowed(e))
        return fail(SEPCL_INVALID, "a borrowed context cannot be opened anew");
    drop_programs(e);
    clx_close(e->cl); /* first, as the device may have memory for one only */
    e->cl = NULL;
    TRY(clx_open(&e->d.cl, &fresh));
    e->cl = fresh;
    e->careful = true;
    e->failed_step = e->failed_program = -1;
    return SEPCL_OK;
}

void exec_env_trust(exec_env *e)
{
    e->careful = false;
}
