/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A plan on a device: one arena buffer with a sub-buffer a value, packed constants, kernels with their arguments set
 * once. A run only enqueues; it allocates nothing.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "exec/env.h"

typedef struct exec_launch {
    clx_kernel   *kernel;
    const launch *k;
    int           program; /* index into env->pool */
} exec_launch;

typedef struct exec_step {
    exec_launch *launches;
    clx_buffer **packs, **scratch;
    exec_times   times;
} exec_step;

struct exec_cl {
    exec_env     *env;
    const plan   *p;
    arena         memory;
    bool          profile;
    clx_buffer   *arena_buffer;
    clx_buffer  **values; /* by value id; of roots */
    exec_step    *steps;
    clx_event   **events; /* n_events of the last run, in launch order */
    int           n_launches, n_events;
    uint64_t      weight_bytes;
    clx_buffer  **wrapped; /* by input: the caller's memory as a buffer; NULL */
    const float **bound;   /* by input: the caller's memory, copied at each enqueue; NULL */
    bool          astray;  /* kernels may not point at their inputs */
    int           pending; /* the first step that was enqueued and not waited for; -1: none was */
};

/* ------------------------------------------------------------------ programs */

/* Options of a launch: storage type, row parameters, the launch's own defines. */
static char *options_text(arena *memory, const plan *p, const plan_step *s, const launch *k)
{
    char       text[1024];
    const bool half = p->g->values[s->n->out[0]].type == DT_F16;
    int        at = snprintf(text, sizeof text, "-DSTORE_F16=%d", half);
    for (int i = 0; i < kernel_params(s->row) && at < (int)sizeof text; i++)
        at += snprintf(text + at, sizeof text - (size_t)at, " -D%s=%d", s->row->params[i].name, s->p[i]);
    for (int i = 0; i < k->n_defines && at < (int)sizeof text; i++) {
        const define *d = &k->defines[i];
        at += d->text ? snprintf(text + at, sizeof text - (size_t)at, " -D%s=%s", d->name, d->text)
                      : snprintf(text + at, sizeof text - (size_t)at, " -D%s=%d", d->name, d->value);
    }
    return arena_strdup(memory, text);
}

/* Gives every launch its program; those not in the pool yet are listed in builds (program index in which). */
static status list_programs(exec_cl *x, clx_build *builds, int *which, int *n_out)
{
    for (int i = 0; i < x->p->n_steps; i++) {
        const plan_step *s = &x->p->steps[i];
        for (int k = 0; k < s->n_launches; k++) {
            exec_launch *l = &x->steps[i].launches[k];
            l->k = &s->launches[k];
            char *options = options_text(&x->memory, x->p, s, l->k);
            if (!options)
                return SEPCL_OUT_OF_MEMORY;
            l->program = env_find(x->env, l->k->file, options);
            if (l->program >= 0)
                continue;
            TRY(env_add(x->env, l->k->file, options, &l->program));
            builds[*n_out] = (clx_build){.file = l->k->file, .options = options, .layer = s->n->name};
            which[(*n_out)++] = l->program;
        }
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ buffers */

static status name_layer(const exec_cl *x, int step, status st)
{
    const node *n = x->p->steps[step].n;
    return fail_in(st, "layer '%s' (%s)", n->name, op_name(n->op));
}

/* What a kernel is to blame for; another one may do. */
static status blame(exec_cl *x, int step, int program, status st)
{
    x->env->failed_step = step;
    x->env->failed_program = program;
    return name_layer(x, step, st);
}

static status make_scratch(exec_cl *x, int step)
{
    const plan_step *s = &x->p->steps[step];
    for (int k = 0; k < s->n_scratch; k++)
        TRY(clx_buffer_sub(x->env->cl, x->arena_buffer, s->scratch_offset[k], s->scratch_bytes[k],
                           &x->steps[step].scratch[k]));
    return SEPCL_OK;
}

static status make_arena(exec_cl *x)
{
    const plan *p = x->p;
    status      st;
    if (!p->arena_bytes)
        return SEPCL_OK;
    if ((st = clx_buffer_create(x->env->cl, p->arena_bytes, &x->arena_buffer)) != SEPCL_OK)
        return fail_in(st, "activations");
    for (int i = 0; i < p->g->n_values; i++) {
        const plan_value *v = &p->values[i];
        if (v->home != HOME_ARENA || v->root != i || !v->bytes)
            continue;
        if ((st = clx_buffer_sub(x->env->cl, x->arena_buffer, v->offset, v->bytes, &x->values[i])) != SEPCL_OK)
            return fail_in(st, "tensor '%s'", p->g->values[i].name);
    }
    for (int i = 0; i < p->n_steps; i++)
        if ((st = make_scratch(x, i)) != SEPCL_OK)
            return name_layer(x, i, st);
    return SEPCL_OK;
}

/* A constant in device memory, written in place: make() fills count elements of float32 or int32; half: converted. */
typedef struct constant {
    size_t count;
    bool   half;
    void (*make)(const struct constant *c, void *data);
    node_view     v; /* of a packed constant */
    const packed *k;
    const int    *p;
    const value  *plain; /* of one that is uploaded as it is */
} constant;

static void make_packed(const constant *c, void *data)
{
    memset(data, 0, c->count * 4);
    c->k->fill(&c->v, c->p, data);
}

static void make_plain(const constant *c, void *data)
{
    for (size_t i = 0; i < c->count; i++)
        ((float *)data)[i] = data_float(c->plain->type, c->plain->data, (int64_t)i);
}

static status make_as_half(const constant *c, uint16_t *mapped)
{
    float *data = malloc(c->count * sizeof *data);
    if (!data)
        return fail_memory(c->count * sizeof *data, "weights to be stored as half");
    c->make(c, data);
    for (size_t i = 0; i < c->count; i++)
        mapped[i] = float_to_half(data[i]);
    free(data);
    return SEPCL_OK;
}

static status upload(exec_cl *x, const constant *c, clx_buffer **out)
{
    size_t bytes;
    void  *mapped;
    if (!size_mul(c->count, 4, &bytes)) /* also when stored as half: the float32 form exists for a while */
        return fail_memory(SIZE_MAX, "packed weights");
    bytes = c->half ? bytes / 2 : bytes;
    TRY(clx_buffer_create(x->env->cl, bytes, out));
    TRY(clx_map(x->env->cl, *out, 0, bytes, true, &mapped));
    status st = SEPCL_OK;
    if (c->half)
        st = make_as_half(c, mapped);
    else
        c->make(c, mapped);
    const status unmapped = clx_unmap(x->env->cl, *out, mapped);
    x->weight_bytes += bytes;
    return st != SEPCL_OK ? st : unmapped;
}

static status make_pack(exec_cl *x, const plan_step *s, const packed *k, clx_buffer **out)
{
    const bool     half = k->half_ok && k->type == DT_F32 && x->p->g->values[s->n->out[0]].type == DT_F16;
    const constant c = {k->count ? k->count : 1, half, make_packed, {x->p->g, s->n}, k, s->p, NULL};
    return upload(x, &c, out);
}

/* A constant that a kernel reads as it is. */
static status upload_constant(exec_cl *x, value_id id, bool half)
{
    const value  *v = &x->p->g->values[id];
    const int64_t n = shape_count(&v->shape);
    if (x->values[id] || n <= 0)
        return SEPCL_OK;
    const constant c = {.count = (size_t)n, .half = half, .make = make_plain, .plain = v};
    return upload(x, &c, &x->values[id]);
}

static status make_step_constants(exec_cl *x, int step)
{
    const plan_step *s = &x->p->steps[step];
    const bool       half = x->p->g->values[s->n->out[0]].type == DT_F16;
    for (int k = 0; k < s->n_packs; k++)
        TRY(make_pack(x, s, &s->packs[k], &x->steps[step].packs[k]));
    for (int k = 0; k < s->n_launches; k++)
        for (int j = 0; j < s->launches[k].n_args; j++) {
            const arg *a = &s->launches[k].args[j];
            if (a->kind != ARG_IN)
                continue;
            const value_id root = x->p->values[s->n->in[a->index]].root;
            if (x->p->values[root].home == HOME_CONST)
                TRY(upload_constant(x, root, half));
        }
    return SEPCL_OK;
}

static status make_constants(exec_cl *x)
{
    for (int i = 0; i < x->p->n_steps; i++) {
        const status st = make_step_constants(x, i);
        if (st != SEPCL_OK)
            return name_layer(x, i, fail_in(st, "weights"));
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ arguments */

static status set_arg(exec_cl *x, int step, clx_kernel *k, int at, const arg *a)
{
    const node *n = x->p->steps[step].n;
    switch (a->kind) {
    case ARG_IN:
        return clx_arg_buffer(x->env->cl, k, at, x->values[x->p->values[n->in[a->index]].root]);
    case ARG_OUT:
        return clx_arg_buffer(x->env->cl, k, at, x->values[x->p->values[n->out[a->index]].root]);
    case ARG_PACKED:
        return clx_arg_buffer(x->env->cl, k, at, x->steps[step].packs[a->index]);
    case ARG_SCRATCH:
        return clx_arg_buffer(x->env->cl, k, at, x->steps[step].scratch[a->index]);
    case ARG_I32:
        return clx_arg_i32(k, at, a->i);
    case ARG_F32:
        return clx_arg_f32(k, at, a->f);
    case ARG_LOCAL:
        return clx_arg_local(k, at, a->bytes);
    }
    return fail(SEPCL_INVALID, "an argument of unknown kind %d", (int)a->kind);
}

/* Shrinks a work-group that this kernel can't have on this device (registers); global stays a multiple. */
static status check_work_group(exec_cl *x, exec_launch *l)
{
    size_t most;
    TRY(clx_kernel_work_group(x->env->cl, l->kernel, &most));
    const size_t items = l->k->local[0] * l->k->local[1] * l->k->local[2];
    if (items <= most)
        return SEPCL_OK;
    if (l->k->n_args && most >= 1) {
        launch *k = (launch *)l->k; /* the plan's own copy; nobody else reads it while this session is made */
        while (k->local[0] * k->local[1] * k->local[2] > most) {
            int widest = 0;
            for (int i = 1; i < 3; i++)
                widest = k->local[i] > k->local[widest] ? i : widest;
            if (k->local[widest] % 2)
                break;
            k->local[widest] /= 2;
        }
        if (k->local[0] * k->local[1] * k->local[2] <= most) {
            log_info("kernel %s: work-group of %zu is above the kernel's limit of %zu here, made smaller", k->entry,
                     items, most);
            return SEPCL_OK;
        }
    }
    return fail(SEPCL_DEVICE_ERROR, "kernel %s: work-group of %zu is above the device's limit of %zu", l->k->entry,
                items, most);
}

static status make_kernels(exec_cl *x)
{
    for (int i = 0; i < x->p->n_steps; i++) {
        const plan_step *s = &x->p->steps[i];
        for (int k = 0; k < s->n_launches; k++) {
            exec_launch *l = &x->steps[i].launches[k];
            status       st = clx_kernel_create(x->env->cl, x->env->pool[l->program].program, l->k->entry, &l->kernel);
            if (st == SEPCL_OK)
                st = check_work_group(x, l);
            for (int a = 0; st == SEPCL_OK && a < l->k->n_args; a++)
                st = set_arg(x, i, l->kernel, a, &l->k->args[a]);
            if (st != SEPCL_OK)
                return blame(x, i, l->program, st);
        }
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ life */

static status allocate(exec_cl *x)
{
    const plan *p = x->p;
    x->steps = arena_array(&x->memory, (size_t)p->n_steps, sizeof *x->steps);
    x->values = arena_array(&x->memory, (size_t)p->g->n_values, sizeof(clx_buffer *));
    if (!x->steps || !x->values)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < p->n_steps; i++) {
        const plan_step *s = &p->steps[i];
        exec_step       *e = &x->steps[i];
        e->launches = arena_array(&x->memory, (size_t)s->n_launches, sizeof *e->launches);
        e->packs = arena_array(&x->memory, (size_t)s->n_packs, sizeof(clx_buffer *));
        e->scratch = arena_array(&x->memory, (size_t)s->n_scratch, sizeof(clx_buffer *));
        if (!e->launches || !e->packs || !e->scratch)
            return SEPCL_OUT_OF_MEMORY;
        x->n_launches += s->n_launches;
    }
    x->wrapped = arena_array(&x->memory, (size_t)p->g->n_inputs, sizeof(clx_buffer *));
    x->bound = arena_array(&x->memory, (size_t)p->g->n_inputs, sizeof(float *));
    if (!x->wrapped || !x->bound)
        return SEPCL_OUT_OF_MEMORY;
    x->events = arena_array(&x->memory, (size_t)x->n_launches, sizeof(clx_event *));
    return x->events ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

static status fill_arena(exec_cl *x, int byte)
{
    void *mapped;
    if (!x->arena_buffer)
        return SEPCL_OK;
    TRY(clx_map(x->env->cl, x->arena_buffer, 0, x->p->arena_bytes, true, &mapped));
    memset(mapped, byte, x->p->arena_bytes);
    return clx_unmap(x->env->cl, x->arena_buffer, mapped);
}

static status build_programs(exec_cl *x, clx_build *builds, int *which, int *n)
{
    int    failed = -1;
    status st = list_programs(x, builds, which, n);
    if (st == SEPCL_OK)
        st = env_build(x->env, builds, which, *n, &failed);
    else
        env_trim(x->env);
    for (int i = 0; failed >= 0 && i < x->p->n_steps; i++)
        for (int k = 0; k < x->p->steps[i].n_launches; k++)
            if (x->steps[i].launches[k].program == which[failed])
                x->env->failed_step = i;
    return st;
}

/* Programs, built and stored. The warm-up comes before the storing: see clx_programs_save. */
static status build_and_warm(exec_cl *x, bool warm)
{
    exec_env  *e = x->env;
    int        n = 0;
    clx_build *builds = arena_array(&x->memory, (size_t)x->n_launches, sizeof *builds);
    int       *which = arena_array(&x->memory, (size_t)x->n_launches, sizeof *which);
    if (!builds || !which)
        return SEPCL_OUT_OF_MEMORY;
    TRY(build_programs(x, builds, which, &n));
    TRY(make_kernels(x));
    if (!warm)
        return SEPCL_OK;
    TRY(fill_arena(x, 0)); /* the warm-up reads inputs that nobody has written yet */
    TRY(exec_cl_enqueue(x));
    TRY(exec_cl_wait(x));
    if (!e->d.no_cache)
        clx_programs_save(e->cl, builds, n, e->d.cache_dir);
    return SEPCL_OK;
}

status exec_cl_create(exec_env *e, const plan *p, bool profile, bool warm, exec_cl **out)
{
    *out = NULL;
    exec_cl *x = calloc(1, sizeof *x);
    if (!x)
        return fail_memory(sizeof *x, "an executor");
    x->env = e;
    x->p = p;
    x->profile = profile;
    x->pending = -1;
    e->failed_step = e->failed_program = -1;
    status st = allocate(x);
    if (st == SEPCL_OK)
        st = make_arena(x);
    if (st == SEPCL_OK)
        st = make_constants(x);
    if (st == SEPCL_OK)
        st = build_and_warm(x, warm);
    if (st != SEPCL_OK) {
        exec_cl_destroy(x);
        return st;
    }
    *out = x;
    return SEPCL_OK;
}

static void drop_events(exec_cl *x)
{
    for (int i = 0; i < x->n_events; i++)
        clx_event_times(x->env->cl, x->events[i], NULL, NULL, NULL);
    x->n_events = 0;
}

void exec_cl_destroy(exec_cl *x)
{
    if (!x)
        return;
    const plan *p = x->p;
    clx_drain(x->env->cl);
    drop_events(x);
    for (int i = 0; x->steps && i < p->n_steps; i++) {
        exec_step *s = &x->steps[i];
        for (int k = 0; s->launches && k < p->steps[i].n_launches; k++)
            clx_kernel_destroy(s->launches[k].kernel);
        for (int k = 0; s->packs && k < p->steps[i].n_packs; k++)
            clx_buffer_destroy(s->packs[k]);
        for (int k = 0; s->scratch && k < p->steps[i].n_scratch; k++)
            clx_buffer_destroy(s->scratch[k]);
    }
    for (int i = 0; x->values && i < p->g->n_values; i++)
        clx_buffer_destroy(x->values[i]);
    clx_buffer_destroy(x->arena_buffer);
    for (int i = 0; x->wrapped && i < p->g->n_inputs; i++)
        clx_buffer_destroy(x->wrapped[i]);
    arena_free(&x->memory);
    free(x);
}

uint64_t exec_cl_weight_bytes(const exec_cl *x)
{
    return x->weight_bytes;
}

/* ------------------------------------------------------------------ data */

static int64_t elements(const exec_cl *x, value_id v)
{
    return shape_count(&x->p->g->values[v].shape);
}

static status write_half(exec_cl *x, clx_buffer *b, int64_t n, const float *data)
{
    uint16_t *half = malloc((size_t)n * sizeof *half);
    if (!half)
        return fail_memory((size_t)n * sizeof *half, "a half tensor");
    for (int64_t i = 0; i < n; i++)
        half[i] = float_to_half(data[i]);
    const status st = clx_write(x->env->cl, b, 0, (size_t)n * sizeof *half, half);
    free(half);
    return st;
}

status exec_cl_write(exec_cl *x, int input, const float *data)
{
    const value_id v = x->p->g->inputs[input];
    const int64_t  n = elements(x, v);
    if (n == 0 || !x->values[v])
        return SEPCL_OK;
    const status st = x->p->g->values[v].type == DT_F16
                          ? write_half(x, x->values[v], n, data)
                          : clx_write(x->env->cl, x->values[v], 0, (size_t)n * sizeof(float), data);
    return st == SEPCL_OK ? st : fail_in(st, "input '%s'", x->p->g->values[v].name);
}

/* Makes all kernels that read this input read it from b. */
static status point_at(exec_cl *x, int input, clx_buffer *b)
{
    const value_id root = x->p->g->inputs[input];
    for (int i = 0; i < x->p->n_steps; i++) {
        const plan_step *s = &x->p->steps[i];
        for (int k = 0; k < s->n_launches; k++)
            for (int j = 0; j < s->launches[k].n_args; j++) {
                const arg *a = &s->launches[k].args[j];
                if (a->kind != ARG_IN || x->p->values[s->n->in[a->index]].root != root)
                    continue;
                const status st = clx_arg_buffer(x->env->cl, x->steps[i].launches[k].kernel, j, b);
                if (st != SEPCL_OK)
                    return name_layer(x, i, st);
            }
    }
    return SEPCL_OK;
}

status exec_cl_bind(exec_cl *x, int input, const float *data)
{
    const value_id v = x->p->g->inputs[input];
    const int64_t  n = elements(x, v);
    if (n == 0 || !x->values[v])
        return SEPCL_OK;
    TRY(clx_finish(x->env->cl)); /* a run may still read what was bound */
    x->bound[input] = NULL;
    clx_buffer *before = x->wrapped[input], *now = NULL;
    if (data && caps_is_cpu(exec_env_caps(x->env)))
        TRY(clx_buffer_wrap(x->env->cl, data, (size_t)n * sizeof(float), &now));
    else
        x->bound[input] = data;
    x->wrapped[input] = now;
    const status st = before || now ? point_at(x, input, now ? now : x->values[v]) : SEPCL_OK;
    clx_buffer_destroy(before);
    if (st != SEPCL_OK) { /* some kernels may point at what is gone, and some at what was to come */
        clx_buffer_destroy(now);
        x->wrapped[input] = NULL;
        x->bound[input] = NULL;
        x->astray = true;
    }
    return st;
}

/* After a failed bind. */
static status point_all(exec_cl *x)
{
    for (int i = 0; i < x->p->g->n_inputs; i++) {
        clx_buffer *own = x->values[x->p->g->inputs[i]];
        if (own || x->wrapped[i])
            TRY(point_at(x, i, x->wrapped[i] ? x->wrapped[i] : own));
    }
    x->astray = false;
    return SEPCL_OK;
}

static status read_half(exec_cl *x, clx_buffer *b, int64_t n, float *data)
{
    uint16_t *half = malloc((size_t)n * sizeof *half);
    if (!half)
        return fail_memory((size_t)n * sizeof *half, "a half tensor");
    const status st = clx_read(x->env->cl, b, 0, (size_t)n * sizeof *half, half);
    for (int64_t i = 0; st == SEPCL_OK && i < n; i++)
        data[i] = half_to_float(half[i]);
    free(half);
    return st;
}

status exec_cl_read_value(exec_cl *x, value_id v, float *data)
{
    const value_id root = x->p->values[v].root;
    const int64_t  n = elements(x, v);
    if (n == 0)
        return SEPCL_OK;
    if (x->pending >= 0)
        TRY(exec_cl_wait(x)); /* which names the layer of a failure */
    const status st = x->p->g->values[root].type == DT_F16
                          ? read_half(x, x->values[root], n, data)
                          : clx_read(x->env->cl, x->values[root], 0, (size_t)n * sizeof(float), data);
    return st == SEPCL_OK ? st : fail_in(st, "tensor '%s'", x->p->g->values[v].name);
}

status exec_cl_read_input(exec_cl *x, int input, float *data)
{
    const value_id v = x->p->g->inputs[input];
    const size_t   bytes = (size_t)elements(x, v) * sizeof(float);
    if (x->bound[input])
        TRY(exec_cl_write(x, input, x->bound[input])); /* single steps do not */
    if (x->wrapped[input])
        return clx_read(x->env->cl, x->wrapped[input], 0, bytes, data);
    return exec_cl_read_value(x, v, data);
}

status exec_cl_read(exec_cl *x, int output, float *data)
{
    return exec_cl_read_value(x, x->p->g->outputs[output], data);
}

/* ------------------------------------------------------------------ running */

status exec_cl_step(exec_cl *x, int step)
{
    const plan_step *s = &x->p->steps[step];
    if (s->n->n_out && elements(x, s->n->out[0]) == 0)
        return SEPCL_OK; /* nothing to compute, and no buffer to compute it in */
    if (x->astray)
        TRY(point_all(x));
    for (int k = 0; k < s->n_launches; k++) {
        const exec_launch *l = &x->steps[step].launches[k];
        clx_event        **event = x->profile && x->n_events < x->n_launches ? &x->events[x->n_events] : NULL;
        status             st = clx_enqueue(x->env->cl, l->kernel, l->k->dims, l->k->global, l->k->local, event);
        x->n_events += event != NULL && st == SEPCL_OK;
        if (st == SEPCL_OK && x->env->careful)
            st = clx_finish(x->env->cl);
        else if (x->pending < 0)
            x->pending = step;
        if (st != SEPCL_OK)
            return blame(x, step, l->program, st);
    }
    return SEPCL_OK;
}

status exec_cl_enqueue(exec_cl *x)
{
    x->env->failed_step = x->env->failed_program = -1;
    drop_events(x);
    for (int i = 0; i < x->p->g->n_inputs; i++)
        if (x->bound[i])
            TRY(exec_cl_write(x, i, x->bound[i]));
    for (int i = 0; i < x->p->n_steps; i++)
        TRY(exec_cl_step(x, i));
    return clx_flush(x->env->cl);
}

/* Takes the times out of the events of a whole run. */
static void collect_times(exec_cl *x)
{
    if (x->n_events != x->n_launches)
        return;
    int at = 0;
    for (int i = 0; i < x->p->n_steps; i++) {
        exec_times *t = &x->steps[i].times;
        bool        known = true;
        *t = (exec_times){0};
        for (int k = 0; k < x->p->steps[i].n_launches; k++, at++) {
            exec_times one = {0};
            clx_event_times(x->env->cl, x->events[at], &one.queued, &one.start, &one.end);
            if (k == 0)
                *t = one;
            t->end = one.end;
            t->busy += one.end - one.start;
            known = known && one.end > 0;
        }
        if (!known)
            *t = (exec_times){0};
    }
    x->n_events = 0;
}

/* The step of the launch that failed, counted from the first one that was not waited for; -1 when that is not known. */
static int failed_step(const exec_cl *x)
{
    int at = clx_failed_launch(x->env->cl), i = x->pending;
    if (at < 0 || i < 0 || x->n_launches == 0)
        return -1;
    for (at %= x->n_launches; at >= x->p->steps[i].n_launches; i = (i + 1) % x->p->n_steps)
        at -= x->p->steps[i].n_launches;
    return i;
}

status exec_cl_wait(exec_cl *x)
{
    const status st = clx_finish(x->env->cl);
    const int    step = st == SEPCL_OK ? -1 : failed_step(x);
    x->pending = -1;
    if (st != SEPCL_OK)
        return step < 0 ? st : blame(x, step, x->steps[step].launches[0].program, st);
    if (x->profile)
        collect_times(x);
    return SEPCL_OK;
}

status exec_cl_run_carefully(exec_cl *x)
{
    x->env->careful = true;
    status st = exec_cl_enqueue(x);
    if (st == SEPCL_OK)
        st = exec_cl_wait(x);
    x->env->careful = false;
    return st;
}

const exec_times *exec_cl_times(const exec_cl *x, int step)
{
    return &x->steps[step].times;
}

/* ------------------------------------------------------------------ guards */

status exec_cl_poison(exec_cl *x)
{
    return fill_arena(x, 0xff); /* a NaN as float and as half */
}

static bool all_ff(const unsigned char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i] != 0xff)
            return false;
    return true;
}

status exec_cl_check_guards(exec_cl *x)
{
    const plan *p = x->p;
    if (!x->arena_buffer || !p->guard)
        return SEPCL_OK;
    unsigned char *bytes = malloc(p->arena_bytes);
    if (!bytes)
        return fail_memory(p->arena_bytes, "reading the arena");
    status st = clx_read(x->env->cl, x->arena_buffer, 0, p->arena_bytes, bytes);
    for (int i = 0; st == SEPCL_OK && i < p->g->n_values; i++) {
        const plan_value *v = &p->values[i];
        if (v->home != HOME_ARENA || v->root != i || !v->bytes)
            continue;
        if (!all_ff(bytes + v->offset - p->guard, p->guard) || !all_ff(bytes + v->offset + v->bytes, p->guard))
            st = fail(SEPCL_MISMATCH, "something was written beside tensor '%s'", p->g->values[i].name);
    }
    free(bytes);
    return st;
}
