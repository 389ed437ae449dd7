/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/copy_plan.h"

#include "base/size.h"

/* ------------------------------------------------------------------ description */

int copy_count(const node_view *v)
{
    return v->n->op == OP_CONCAT ? v->n->n_in : 1;
}

void copy_describe(const node_view *v, int k, copy_plan *out)
{
    *out = (copy_plan){.input = k};
    switch (v->n->op) {
    case OP_TRANSPOSE:
        transpose_copy(v, out);
        break;
    case OP_SLICE:
        slice_copy(v, out);
        break;
    case OP_EXPAND:
        expand_copy(v, out);
        break;
    case OP_CONCAT:
        concat_copy(v, k, out);
        break;
    default:
        cast_copy(v, out);
    }
}

void copy_merge(copy_plan *c)
{
    int n = 0;
    for (int i = 0; i < c->rank; i++) {
        const copy_axis a = c->axis[i];
        if (a.extent == 1)
            continue;
        copy_axis *last = n ? &c->axis[n - 1] : NULL;
        if (last && last->in == a.in * a.extent && last->out == a.out * a.extent)
            *last = (copy_axis){last->extent * a.extent, a.in, a.out};
        else
            c->axis[n++] = a;
    }
    c->rank = n;
}

/* ------------------------------------------------------------------ choice of a kernel */

typedef enum copy_form { COPY_BLOCK, COPY_SPLAT, COPY_INTERLEAVE, COPY_SEPARATE, COPY_TILE, COPY_STRIDED } copy_form;

/* A merged copy as the kernels see it: outer axes, then mid and len. */
typedef struct copy_view {
    copy_form form;
    int       input, n_outer;
    copy_axis outer[MAX_RANK], mid, len;
    int64_t   in_offset, out_offset;
    int       tile;
} copy_view;

/* Makes axis k the mid axis; the rest, in order, are outer. The last one is len. */
static void set_mid(const copy_plan *c, int k, copy_view *w)
{
    static const copy_axis one = {1, 0, 0};
    w->n_outer = 0;
    for (int i = 0; i < c->rank - 1; i++)
        if (i != k)
            w->outer[w->n_outer++] = c->axis[i];
    w->mid = k >= 0 ? c->axis[k] : one;
    w->len = c->rank ? c->axis[c->rank - 1] : (copy_axis){1, 1, 1};
}

/* The axis other than the last along which the input is contiguous; -1: none. */
static int contiguous_axis(const copy_plan *c)
{
    for (int i = 0; i < c->rank - 1; i++)
        if (c->axis[i].in == 1)
            return i;
    return -1;
}

static bool is_few(int64_t n)
{
    return n >= 2 && n <= 4;
}

static void choose_form(const copy_plan *c, copy_view *w)
{
    *w = (copy_view){.form = COPY_STRIDED, .input = c->input, .in_offset = c->in_offset, .out_offset = c->out_offset};
    set_mid(c, c->rank - 2, w);
    if (w->len.out != 1)
        return;
    if (w->len.in == 1 || w->len.in == 0) {
        w->form = w->len.in ? COPY_BLOCK : COPY_SPLAT;
        return;
    }
    const int k = contiguous_axis(c);
    if (k < 0)
        return;
    set_mid(c, k, w);
    if (is_few(w->len.extent) && w->mid.out == w->len.extent) {
        w->form = COPY_INTERLEAVE;
    } else if (is_few(w->mid.extent) && w->len.in == w->mid.extent) {
        w->form = COPY_SEPARATE;
    } else if (w->mid.extent >= 4 && w->len.extent >= 4) {
        w->form = COPY_TILE;
        w->tile = w->mid.extent >= 8 && w->len.extent >= 8 ? 8 : 4;
    } else { /* too thin for tiles */
        set_mid(c, c->rank - 2, w);
    }
}

/* ------------------------------------------------------------------ launches */

chunks chunks_for(const caps *c, int vec, const int64_t extent[3], int64_t mid_step, int64_t len_step)
{
    const int64_t outer = i64_max(1, extent[0]), mid = i64_max(1, extent[1]), len = i64_max(1, extent[2]);
    const int64_t count = outer * mid * len;
    int64_t       items = div_up(count, elements_per_item(c, count, vec));
    chunks        r = {1, mid, len, 0};
    if (outer >= items) {
        r.outer = div_up(outer, items);
    } else {
        items = div_up(items, outer);
        if (mid_step) {
            r.mid = i64_min(mid, round_up(div_up(mid, items), mid_step));
            items = div_up(items, div_up(mid, r.mid));
        }
        if (len_step && items > 1)
            r.len = i64_min(len, round_up(div_up(len, items), len_step));
    }
    r.items = div_up(outer, r.outer) * div_up(mid, r.mid) * div_up(len, r.len);
    return r;
}

double vector_cost(const caps *c, int v)
{
    const int best = caps_is_cpu(c) ? (int)i64_min(16, 2 * (int64_t)c->simd_width) : 4;
    return v == best ? 1 : v > best ? 1.1 : 1 + 0.5 * (best - v) / best;
}

/* A constant, seen through views. */
static bool is_constant(const graph *g, value_id id)
{
    while (g->values[id].producer >= 0 && (op_get(g->nodes[g->values[id].producer]->op)->flags & OP_VIEW))
        id = g->nodes[g->values[id].producer]->in[0];
    return g->values[id].data != NULL;
}

/* The storage of either side. A constant is uploaded in the storage type of the node's output. */
static void define_storage(const node_view *v, int input, launch *k)
{
    const bool out_half = nv_out(v, 0)->type == DT_F16;
    const bool in_half = is_constant(v->g, v->n->in[input]) ? out_half : nv_in(v, input)->type == DT_F16;
    launch_define(k, "IN_F16", in_half);
    launch_define(k, "OUT_F16", out_half);
}

static void add_axis(launch *k, const copy_axis *a)
{
    arg_i32(k, a->extent);
    arg_i32(k, a->in);
    arg_i32(k, a->out);
}

static int64_t outer_count(const copy_view *w)
{
    int64_t n = 1;
    for (int i = 0; i < w->n_outer; i++)
        n *= w->outer[i].extent;
    return n;
}

static void add_args(const node_view *v, const copy_view *w, const chunks *s, launch *k)
{
    static const copy_axis one = {1, 0, 0};
    define_storage(v, w->input, k);
    launch_define(k, "OUTER", w->n_outer);
    arg_in(k, w->input);
    arg_out(k, 0);
    arg_i32(k, w->in_offset);
    arg_i32(k, w->out_offset);
    for (int i = 0; i < MAX_RANK - 2; i++)
        add_axis(k, i < w->n_outer ? &w->outer[i] : &one);
    arg_i32(k, outer_count(w));
    add_axis(k, &w->mid);
    add_axis(k, &w->len);
    arg_i32(k, s->outer);
    arg_i32(k, s->mid);
    arg_i32(k, s->len);
}

static void launch_view(const node_view *v, const caps *c, int vec, const copy_view *w, launch_list *out)
{
    static const char *const entries[] = {
        [COPY_BLOCK] = "copy_block",       [COPY_SPLAT] = "copy_block", [COPY_INTERLEAVE] = "copy_interleave",
        [COPY_SEPARATE] = "copy_separate", [COPY_TILE] = "copy_tile",   [COPY_STRIDED] = "copy_strided",
    };
    const int64_t extent[3] = {outer_count(w), w->mid.extent, w->len.extent};
    int           per_item = vec;
    int64_t       mid_step = 1, len_step = vec;
    if (w->form == COPY_INTERLEAVE) {
        per_item = 4 * (int)w->len.extent;
        mid_step = 4;
        len_step = 0;
    } else if (w->form == COPY_SEPARATE) {
        per_item = 4 * (int)w->mid.extent;
        mid_step = 0;
        len_step = 4;
    } else if (w->form == COPY_TILE) {
        per_item = w->tile * w->tile;
        mid_step = caps_is_cpu(c) ? 16 : w->tile;
        len_step = w->tile;
    }
    const chunks s = chunks_for(c, per_item, extent, mid_step, len_step);
    launch      *k = launch_add(out, 1, s.items, 1, 1);
    k->entry = entries[w->form];
    add_args(v, w, &s, k);
    if (w->form == COPY_SPLAT)
        launch_define(k, "SPLAT", 1);
    if (w->form == COPY_INTERLEAVE || w->form == COPY_SEPARATE)
        launch_define(k, "C", (int)(w->form == COPY_INTERLEAVE ? w->len.extent : w->mid.extent));
    if (w->form == COPY_TILE)
        launch_define(k, "T", w->tile);
}

static bool is_empty(const copy_plan *c)
{
    for (int i = 0; i < c->rank; i++)
        if (c->axis[i].extent == 0)
            return true;
    return false;
}

bool copy_fits(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    (void)c;
    (void)p;
    return true;
}

void copy_launch(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    for (int i = 0; i < copy_count(v); i++) {
        copy_plan plan;
        copy_view w;
        copy_describe(v, i, &plan);
        if (is_empty(&plan))
            continue;
        copy_merge(&plan);
        choose_form(&plan, &w);
        launch_view(v, c, p[0], &w, out);
    }
}

double copy_cost(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    return vector_cost(c, p[0]);
}

void copy_launch_strided(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    for (int i = 0; i < copy_count(v); i++) {
        copy_plan plan;
        copy_view w;
        copy_describe(v, i, &plan);
        if (is_empty(&plan))
            continue;
        copy_merge(&plan);
        choose_form(&plan, &w);
        set_mid(&plan, plan.rank - 2, &w);
        w.form = COPY_STRIDED;
        launch_view(v, c, p[0], &w, out);
    }
}

double copy_cost_strided(const node_view *v, const caps *c, const int *p)
{
    return 4 * copy_cost(v, c, p);
}

/* ------------------------------------------------------------------ tiles through local memory */

enum { LOCAL_TILE = 32, LOCAL_ROWS = 8 };

static bool local_view(const node_view *v, copy_view *w)
{
    copy_plan plan;
    copy_describe(v, 0, &plan);
    if (is_empty(&plan))
        return false;
    copy_merge(&plan);
    choose_form(&plan, w);
    return w->form == COPY_TILE || w->form == COPY_INTERLEAVE || w->form == COPY_SEPARATE;
}

static bool fits_local(const node_view *v, const caps *c, const int *p)
{
    (void)p;
    copy_view w;
    return c->max_work_group >= LOCAL_TILE * LOCAL_ROWS && c->max_work_item[0] >= LOCAL_TILE &&
           c->max_work_item[1] >= LOCAL_ROWS && c->local_bytes >= 4 * LOCAL_TILE * (LOCAL_TILE + 1) &&
           local_view(v, &w) && outer_count(&w) <= 65535;
}

static void launch_local_tile(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    (void)c;
    (void)p;
    copy_view w;
    local_view(v, &w);
    const chunks s = {1, LOCAL_TILE, LOCAL_TILE, 0};
    launch      *k = launch_add(out, 3, LOCAL_TILE * div_up(w.mid.extent, LOCAL_TILE),
                                LOCAL_ROWS * div_up(w.len.extent, LOCAL_TILE), outer_count(&w));
    launch_local(k, LOCAL_TILE, LOCAL_ROWS, 1);
    add_args(v, &w, &s, k);
}

/* On a GPU the register tiles store in pieces of 16 bytes; but a tile that is mostly empty is worse. */
static double cost_local(const node_view *v, const caps *c, const int *p)
{
    (void)p;
    copy_view w;
    local_view(v, &w);
    if (caps_is_cpu(c) || !c->local_is_real)
        return 8;
    const double used = (double)w.mid.extent / (double)round_up(w.mid.extent, LOCAL_TILE) * (double)w.len.extent /
                        (double)round_up(w.len.extent, LOCAL_TILE);
    return 0.6 / used;
}

const kernel_def copy_kernels[] = {
    {"copy", "copy_tile_local", "tiles through local memory", {{0}}, fits_local, launch_local_tile, cost_local},
    {"copy",
     "copy_block",
     "rows, planes or register tiles, as the strides allow",
     {{"V", {16, 8, 4, 1}}},
     copy_fits,
     copy_launch,
     copy_cost},
    {"copy",
     "copy_strided",
     "element by element",
     {{"V", {16, 8, 4, 1}}},
     copy_fits,
     copy_launch_strided,
     copy_cost_strided},
    {0},
};

void copy_bytes(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    uint64_t       read = 0;
    for (int i = 0; i < v->n->n_in; i++)
        read += (uint64_t)shape_count(&nv_in(v, i)->shape);
    out->bytes = 4 * n + 4 * (read < n ? read : n);
}
