/* SPDX-License-Identifier: Apache-2.0 */
/* spatial_pair: a k x 1 convolution, then a 1 x k one, in one kernel (sub[0], sub[1]). */
#include <math.h>

#include "base/size.h"
#include "ops/fused.h"
#include "ops/spatial_pair.h"

bool spatial_pair_matches(const node_view *parts)
{
    if (!fused_inner_part(parts[0].n) || parts[1].n->op != OP_CONV)
        return false;
    const attr_conv *a = &parts[0].n->a.conv, *b = &parts[1].n->a.conv;
    return a->group == 1 && b->group == 1 && a->kernel[0] > 1 && a->kernel[1] == 1 && a->stride[1] == 1 &&
           !a->pad[1] && !a->pad[3] && b->kernel[0] == 1 && b->kernel[1] > 1 && b->stride[0] == 1 && !b->pad[0] &&
           !b->pad[2];
}

static int64_t mid_bytes(const node_view *v)
{
    const node_view     first = nv_sub(v, 0);
    const conv_geometry g = conv_geometry_of(&first);
    return (g.out.w + 1) * g.out.c * (int64_t)sizeof(float); /* with the column of zeros */
}

static bool fits(const node_view *v, const caps *c, const int *p)
{
    /* on a CPU the row should stay in the second-level cache; elsewhere two groups share a unit's local memory */
    const int64_t most = caps_is_cpu(c) ? i64_min(c->local_bytes, 256 * 1024) : c->local_bytes / 2;
    return tile_fits(c, p) && mid_bytes(v) <= most;
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    const node_view     first = nv_sub(v, 0), second = nv_sub(v, 1);
    const conv_geometry a = conv_geometry_of(&first), b = conv_geometry_of(&second);
    const int64_t       rows = b.out.n * b.out.h;
    return tile_cost(c, p, rows * round_up(a.out.w, p[TILE_MR]), a.ci * a.a->kernel[0], a.co) +
           tile_cost(c, p, rows * round_up(b.out.w, p[TILE_MR]), b.ci * b.a->kernel[1], b.co);
}

/* [blocks][taps][ci][NB*V]; one of kh and kw is 1. */
static void fill_part(const node_view *part, const int *p, float *to)
{
    const conv_geometry g = conv_geometry_of(part);
    const weight_view   w = weights_of(part, &g.a->w);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB];
    for (int64_t b = 0; b < div_up(g.co, nr); b++)
        for (int64_t t = 0; t < (int64_t)g.a->kernel[0] * g.a->kernel[1]; t++)
            for (int64_t i = 0; i < g.ci; i++)
                for (int64_t j = 0; j < nr; j++, to++)
                    *to = b * nr + j < g.co ? weight_at(&w, b * nr + j, i, g.a->kernel[0] > 1 ? t : 0,
                                                        g.a->kernel[0] > 1 ? 0 : t)
                                            : 0;
}

static void fill_first(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 0);
    fill_part(&part, p, dst);
}

static void fill_second(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 1);
    fill_part(&part, p, dst);
}

static void fill_first_bias(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 0);
    gemm_fill_bias(&part, p, dst);
}

static void fill_second_bias(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 1);
    gemm_fill_bias(&part, p, dst);
}

static void launch_pair(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const node_view     first = nv_sub(v, 0), second = nv_sub(v, 1);
    const conv_geometry a = conv_geometry_of(&first), b = conv_geometry_of(&second);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB], rows = b.out.n * b.out.h;
    const int64_t       n1 = div_up(a.co, nr) * nr, n2 = div_up(b.co, nr) * nr;
    const int64_t       ls = caps_is_cpu(c) ? 1 : i64_max(1, i64_min(64, c->max_work_group));
    const int packs[] = {
        launch_pack(out, DT_F32, (size_t)(n1 * a.a->kernel[0] * a.ci), true, fill_first),
        launch_pack(out, DT_F32, (size_t)n1, false, fill_first_bias),
        launch_pack(out, DT_F32, (size_t)(n2 * b.a->kernel[1] * b.ci), true, fill_second),
        launch_pack(out, DT_F32, (size_t)n2, false, fill_second_bias),
    };
    launch *k = launch_add(out, 1, i64_max(1, rows) * ls, 1, 1);
    launch_local(k, (size_t)ls, 1, 1);
    launch_define(k, "LS", (int)ls);
    arg_in(k, FUSED_X);
    for (int i = 0; i < 4; i++)
        arg_packed(k, packs[i]);
    arg_out(k, 0);
    arg_local(k, (size_t)mid_bytes(v));
    const int64_t numbers[] = {rows,           a.in.h,           a.in.w,         b.out.h,          b.out.w,
                               a.ci,           a.co,             b.co,           a.a->kernel[0],   b.a->kernel[1],
                               a.a->stride[0], b.a->stride[1],   a.a->dilation[0], b.a->dilation[1], a.a->pad[0],
                               b.a->pad[1]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_inner_act(k, "MID", &first);
    launch_epilogue(k, v, FUSED_RES);
}

static const kernel_def kernels[] = {
    {"spatial_pair", "spatial_pair", "k x 1 and 1 x k in one, the row between in local memory", TILE_PARAMS, fits,
     launch_pair, cost},
    {"spatial_winograd", "spatial_winograd", "k x 1 and 1 x k by minimal filtering", TILE_PARAMS, spatial_winograd_fits,
     spatial_winograd_launch, spatial_winograd_cost},
    {0},
};

static bool gen(int i, graph *g)
{
    static const struct {
        int  n, h, w, ci, cm, co, kh, kw, sh, sw, dil, pad[4];
        bool residual, swish;
    } cases[] = {
        {1, 12, 12, 3, 1, 1, 5, 5, 1, 1, 1, {0}, false, false},
        {1, 7, 9, 8, 16, 24, 5, 5, 1, 1, 1, {2, 2, 2, 2}, false, false},
        {2, 6, 13, 5, 7, 9, 3, 3, 1, 1, 1, {1, 1, 1, 1}, true, true},
        {1, 11, 8, 16, 32, 17, 3, 7, 2, 2, 1, {1, 3, 0, 3}, false, false},
        {1, 9, 9, 4, 8, 8, 3, 3, 1, 1, 2, {2, 2, 2, 2}, true, false},
        {1, 13, 11, 64, 48, 40, 5, 5, 1, 1, 1, {2, 2, 2, 2}, true, true},
        {2, 5, 9, 9, 20, 6, 3, 5, 1, 1, 1, {0, 1, 1, 0}, false, false},
        {1, 8, 8, 7, 5, 33, 4, 2, 1, 1, 1, {1, 0, 2, 1}, false, true},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const int64_t ci = cases[i].ci, cm = cases[i].cm, co = cases[i].co, kh = cases[i].kh, kw = cases[i].kw;
    const shape   in = SHAPE(cases[i].n, cases[i].h, cases[i].w, ci), w1 = SHAPE(cm, ci, kh, 1), w2 = SHAPE(co, cm, 1, kw);
    const shape   b1 = SHAPE(cm), b2 = SHAPE(co);
    const int    *pad = cases[i].pad, dil = cases[i].dil;
    const attrs   a1 = {.conv = {.kernel = {(int)kh, 1}, .stride = {cases[i].sh, 1}, .dilation = {dil, dil},
                                 .pad = {pad[0], 0, pad[2], 0}, .group = 1, .out_channels = (int)cm,
                                 .w = {ci * kh, kh, 1, 1}}};
    const attrs   a2 = {.conv = {.kernel = {1, (int)kw}, .stride = {1, cases[i].sw}, .dilation = {dil, dil},
                                 .pad = {0, pad[1], 0, pad[3]}, .group = 1, .out_channels = (int)co,
                                 .w = {cm * kw, kw, kw, 1}}};
    const value_id x = test_input(g, "x", &in);
    const value_id mid =
        graph_op(g, OP_CONV, "kx1", &a1, (value_id[]){x, test_const(g, "w1", &w1), test_const(g, "b1", &b1)}, 3);
    if (mid < 0)
        return false;
    g->nodes[0]->epi.act = cases[i].swish ? (act){ACT_SWISH, 1, 0} : (act){ACT_NONE, 0, 0};
    value_id slots[CONV_INPUTS] = {mid, test_const(g, "w2", &w2), test_const(g, "b2", &b2), -1, -1};
    value_id y = graph_op(g, OP_CONV, "1xk", &a2, slots, 3);
    if (y < 0)
        return false;
    node *last = g->nodes[1];
    if (cases[i].residual) {
        const shape r = g->values[y].shape;
        slots[CONV_RES] = test_input(g, "residual", &r);
        value_id *in_copy = arena_array(&g->memory, CONV_INPUTS, sizeof *in_copy);
        if (!in_copy)
            return false;
        memcpy(in_copy, slots, sizeof slots);
        last->in = in_copy;
        last->n_in = CONV_INPUTS;
    }
    last->epi.act2 = cases[i].residual ? (act){ACT_CLAMP, 0, INFINITY} : (act){ACT_NONE, 0, 0};
    return fused_case(g, y, 2, OP_SPATIAL_PAIR);
}

const op_def op_spatial_pair = FUSED_OP("spatial_pair", FUSED_INPUTS, gen, kernels);
