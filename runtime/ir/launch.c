/* SPDX-License-Identifier: Apache-2.0 */
#include "ir/launch.h"

#include <assert.h>
#include <math.h>

#include "base/size.h"

launch *launch_add(launch_list *l, int dims, int64_t gx, int64_t gy, int64_t gz)
{
    launch *grown = arena_grow(l->memory, l->launches, &l->cap_launches, l->n_launches + 1, sizeof *grown);
    launch *k = &l->dummy;
    if (grown) {
        l->launches = grown;
        k = &grown[l->n_launches++];
    } else {
        l->failed = true;
    }
    const int64_t g[3] = {gx, gy, gz};
    *k = (launch){.dims = dims};
    for (int i = 0; i < 3; i++)
        k->global[i] = i < dims ? (size_t)i64_max(1, g[i]) : 1;
    return k;
}

int launch_pack(launch_list *l, dtype type, size_t count, bool half_ok,
                void (*fill)(const node_view *, const int *, void *))
{
    packed *grown = arena_grow(l->memory, l->packs, &l->cap_packs, l->n_packs + 1, sizeof *grown);
    if (!grown) {
        l->failed = true;
        return 0;
    }
    l->packs = grown;
    grown[l->n_packs] = (packed){type, count, half_ok, fill};
    return l->n_packs++;
}

int launch_scratch(launch_list *l, size_t bytes)
{
    size_t *grown = arena_grow(l->memory, l->scratch, &l->cap_scratch, l->n_scratch + 1, sizeof *grown);
    if (!grown) {
        l->failed = true;
        return 0;
    }
    l->scratch = grown;
    grown[l->n_scratch] = bytes;
    return l->n_scratch++;
}

void launch_local(launch *k, size_t lx, size_t ly, size_t lz)
{
    k->local[0] = lx;
    k->local[1] = ly;
    k->local[2] = lz;
}

static define *add_define(launch *k, const char *name)
{
    assert(k->n_defines < LAUNCH_DEFINES);
    define *d = &k->defines[k->n_defines++];
    *d = (define){.name = name};
    return d;
}

void launch_define(launch *k, const char *name, int value)
{
    add_define(k, name)->value = value;
}

void launch_define_text(launch *k, const char *name, const char *text)
{
    add_define(k, name)->text = text;
}

static arg *add_arg(launch *k, arg_kind kind)
{
    assert(k->n_args < LAUNCH_ARGS);
    arg *a = &k->args[k->n_args++];
    *a = (arg){.kind = kind};
    return a;
}

void arg_in(launch *k, int input)
{
    add_arg(k, ARG_IN)->index = input;
}

void arg_out(launch *k, int output)
{
    add_arg(k, ARG_OUT)->index = output;
}

void arg_packed(launch *k, int pack)
{
    add_arg(k, ARG_PACKED)->index = pack;
}

void arg_scratch(launch *k, int scratch)
{
    add_arg(k, ARG_SCRATCH)->index = scratch;
}

void arg_i32(launch *k, int64_t value)
{
    assert(value >= INT32_MIN && value <= INT32_MAX);
    add_arg(k, ARG_I32)->i = (int32_t)value;
}

void arg_f32(launch *k, double value)
{
    add_arg(k, ARG_F32)->f = (float)value;
}

void arg_local(launch *k, size_t bytes)
{
    add_arg(k, ARG_LOCAL)->bytes = bytes;
}

void launch_epilogue(launch *k, const node_view *v, int residual)
{
    const epilogue *e = &v->n->epi;
    const bool      has = residual >= 0 && nv_has(v, residual);
    /* no activation is a clamp to everything: it costs nothing beside the store, and one program serves both */
    const act f = e->act.kind == ACT_NONE ? (act){ACT_CLAMP, -INFINITY, INFINITY} : e->act;
    launch_define_text(k, "ACT", act_macro(f.kind));
    launch_define_text(k, "ACT2", act_macro(e->act2.kind));
    launch_define(k, "RES", has);
    arg_f32(k, f.a);
    arg_f32(k, f.b);
    arg_f32(k, e->act2.a);
    arg_f32(k, e->act2.b);
    if (has)
        arg_in(k, residual);
    else
        arg_out(k, 0);
}

int64_t elements_per_item(const caps *c, int64_t count, int vec)
{
    if (!caps_is_cpu(c))
        return vec;
    /* about eight work-groups a core even out uneven cores; below 4096 elements a launch costs more than the work */
    const int64_t share = div_up(count, 8 * (int64_t)c->compute_units);
    return round_up(i64_max(share, 4096), vec);
}

int kernel_params(const kernel_def *k)
{
    int n = 0;
    while (n < PARAM_MAX && k->params[n].name)
        n++;
    return n;
}

int64_t window_extent(int64_t in, int kernel, int stride, int dilation, int pad_begin, int pad_end, bool ceil_mode)
{
    const int64_t covered = (int64_t)dilation * (kernel - 1) + 1, padded = in + pad_begin + pad_end;
    if (padded < covered || stride < 1)
        return -1;
    const int64_t free_steps = padded - covered;
    int64_t       out = (ceil_mode ? div_up(free_steps, stride) : free_steps / stride) + 1;
    /* a window that would begin in the end padding sees no input: it is left out */
    if (ceil_mode && (out - 1) * stride >= in + pad_begin)
        out--;
    return out;
}
