/* SPDX-License-Identifier: Apache-2.0 */
/* separable: depthwise, then pointwise, in one kernel (sub[0], sub[1]). */
#include <math.h>

#include "base/size.h"
#include "ops/fused.h"

bool separable_matches(const node_view *parts)
{
    if (!fused_inner_part(parts[0].n) || parts[1].n->op != OP_CONV)
        return false;
    const conv_geometry dw = conv_geometry_of(&parts[0]), pw = conv_geometry_of(&parts[1]);
    return dw.plain_depthwise && pw.pointwise && dw.a->kernel[0] <= 9 && dw.a->kernel[1] <= 9;
}

/* ------------------------------------------------------------------ the row */

/* How the pixels are dealt out. */
typedef struct deal {
    int64_t pixels; /* of a work-group, whole tiles; 0: mid fits nowhere */
    double  cycles; /* of the core that has most to do, times the cores */
} deal;

/* What one core has in its second cache for mid, beside the weights of a block. */
#define MID_BYTES ((int64_t)384 << 10)

/* Cycles of a work-group. Its weights come through the second cache once. */
static double group_cycles(const conv_geometry *dw, const conv_geometry *pw, const caps *c, const int *p,
                           int64_t pixels)
{
    const double taps = (double)dw->a->kernel[0] * dw->a->kernel[1];
    const double sums = (double)pixels * (double)dw->out.c * taps / (double)i64_max(1, c->simd_width);
    const double weights = 4.0 * (double)pw->ci * (double)pw->co / 64;
    const double product = caps_is_cpu(c) ? tile_cost_joined(c, p, pixels, pw->ci, pw->co) + weights
                                          : tile_cost(c, p, pixels, pw->ci, pw->co);
    return product + sums;
}

/* Work-groups are dealt out in turn or in equal shares; either way the core with most of them, the last one's few
   pixels left out where it has them, is the one to wait for. */
static double deal_cycles(const conv_geometry *dw, const conv_geometry *pw, const caps *c, const int *p, int64_t pixels)
{
    const int64_t total = pw->out.n * pw->out.h * pw->out.w, groups = div_up(total, pixels);
    const int64_t cores = i64_max(1, c->compute_units), most = div_up(groups, cores);
    const double  whole = group_cycles(dw, pw, c, p, pixels);
    const double  rest = group_cycles(dw, pw, c, p, total - (groups - 1) * pixels);
    const bool    last_counts = groups % cores == 1 || cores == 1;
    return (double)cores * ((double)(most - last_counts) * whole + (last_counts ? rest : 0));
}

static deal best_deal(const node_view *v, const caps *c, const int *p)
{
    const node_view     first = nv_sub(v, 0), second = nv_sub(v, 1);
    const conv_geometry dw = conv_geometry_of(&first), pw = conv_geometry_of(&second);
    const int64_t       total = pw.out.n * pw.out.h * pw.out.w, mr = p[TILE_MR];
    const int64_t       row = 4 * round_up(dw.in.c, depthwise_vector(c, dw.in.c));
    const int64_t       budget = i64_min(c->local_bytes, caps_is_cpu(c) ? MID_BYTES : c->local_bytes / 2);
    deal                best = {0};
    if (!caps_is_cpu(c)) {
        const int64_t pixels = i64_min(4 * mr, budget / row / mr * mr);
        return (deal){pixels, pixels ? tile_cost(c, p, total, pw.ci, pw.co) : 0};
    }
    for (int64_t groups = 1, before = 0; groups <= 16 * (int64_t)c->compute_units; groups++) {
        const int64_t pixels = round_up(i64_max(1, div_up(total, groups)), mr);
        if (pixels == before || pixels > budget / row)
            continue;
        before = pixels;
        const double cycles = deal_cycles(&dw, &pw, c, p, pixels);
        if (!best.pixels || cycles < 0.995 * best.cycles)
            best = (deal){pixels, cycles};
    }
    if (!best.pixels && mr <= budget / row)
        best = (deal){budget / row / mr * mr, deal_cycles(&dw, &pw, c, p, budget / row / mr * mr)};
    return best;
}

static bool fits(const node_view *v, const caps *c, const int *p)
{
    const node_view     first = nv_sub(v, 0);
    const conv_geometry g = conv_geometry_of(&first);
    const int           dm = depthwise_columns(c, &g, depthwise_vector(c, g.in.c));
    const int64_t       columns = (dm - 1) * g.a->stride[1] + (g.a->kernel[1] - 1) * g.a->dilation[1] + 1;
    return tile_fits(c, p) && columns <= 24 && best_deal(v, c, p).pixels > 0;
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    return best_deal(v, c, p).cycles;
}

static void fill_dw(const node_view *v, const int *p, void *dst)
{
    const node_view first = nv_sub(v, 0);
    (void)p;
    depthwise_fill(&first, dst);
}

static void fill_dw_bias(const node_view *v, const int *p, void *dst)
{
    const node_view first = nv_sub(v, 0);
    (void)p;
    depthwise_fill_bias(&first, dst);
}

static void fill_pw(const node_view *v, const int *p, void *dst)
{
    const node_view second = nv_sub(v, 1);
    gemm_fill_weights(&second, p, dst);
}

static void fill_pw_bias(const node_view *v, const int *p, void *dst)
{
    const node_view second = nv_sub(v, 1);
    gemm_fill_bias(&second, p, dst);
}

static void launch_separable(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const node_view     first = nv_sub(v, 0), second = nv_sub(v, 1);
    const conv_geometry dw = conv_geometry_of(&first), pw = conv_geometry_of(&second);
    const attr_conv    *a = dw.a;
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB], blocks = div_up(pw.co, nr);
    const int64_t       total = dw.out.n * dw.out.h * dw.out.w, pixels = i64_max(1, best_deal(v, c, p).pixels);
    const int64_t       groups = i64_max(1, div_up(total, pixels));
    const int64_t       ls = caps_is_cpu(c) ? 1 : i64_max(1, i64_min(64, c->max_work_group));
    const int           packs[] = {
                  launch_pack(out, DT_F32, (size_t)(dw.out.c * a->kernel[0] * a->kernel[1]), true, fill_dw),
                  launch_pack(out, DT_F32, (size_t)dw.out.c, false, fill_dw_bias),
                  launch_pack(out, DT_F32, (size_t)(blocks * nr * pw.ci), true, fill_pw),
                  launch_pack(out, DT_F32, (size_t)(blocks * nr), false, fill_pw_bias),
    };
    launch *k = launch_add(out, 1, groups * ls, 1, 1);
    launch_local(k, (size_t)ls, 1, 1);
    launch_define(k, "DV", depthwise_vector(c, dw.in.c));
    launch_define(k, "DM", depthwise_columns(c, &dw, depthwise_vector(c, dw.in.c)));
    launch_define(k, "KH", a->kernel[0]);
    launch_define(k, "KW", a->kernel[1]);
    launch_define(k, "SW", a->stride[1]);
    launch_define(k, "DW", a->dilation[1]);
    launch_define(k, "LS", (int)ls);
    arg_in(k, FUSED_X);
    for (int i = 0; i < 4; i++)
        arg_packed(k, packs[i]);
    arg_out(k, 0);
    arg_local(k, (size_t)(pixels * round_up(dw.in.c, depthwise_vector(c, dw.in.c))) * sizeof(float));
    const int64_t numbers[] = {total, pixels, dw.in.h,      dw.in.w,        dw.out.h,  dw.out.w,
                               pw.ci, pw.co,  a->stride[0], a->dilation[0], a->pad[0], a->pad[1]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_inner_act(k, "MID", &first);
    launch_epilogue(k, v, FUSED_RES);
}

static const kernel_def kernels[] = {
    {"separable", "separable", "depthwise and pointwise in one, the tensor between in local memory", TILE_PARAMS, fits,
     launch_separable, cost},
    {0},
};

/* ------------------------------------------------------------------ cases */

static bool gen(int i, graph *g)
{
    static const struct {
        int  n, h, w, ci, co, k, stride, dilation, pad[4];
        bool residual, swish;
    } cases[] = {
        {1, 12, 12, 3, 1, 5, 1, 1, {0}, false, false},         {1, 7, 7, 32, 64, 3, 1, 1, {1, 1, 1, 1}, false, false},
        {2, 9, 5, 24, 17, 3, 2, 1, {0, 0, 1, 1}, false, true}, {1, 6, 11, 16, 16, 5, 1, 1, {2, 2, 2, 2}, true, false},
        {1, 8, 8, 8, 40, 3, 1, 2, {2, 2, 2, 2}, false, false}, {1, 3, 3, 5, 9, 3, 1, 1, {1, 1, 1, 1}, true, true},
        {3, 4, 6, 48, 8, 3, 2, 1, {1, 1, 1, 1}, false, false},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const int64_t ci = cases[i].ci, co = cases[i].co, k = cases[i].k;
    const shape   in = SHAPE(cases[i].n, cases[i].h, cases[i].w, ci), w1 = SHAPE(ci, 1, k, k), w2 = SHAPE(co, ci, 1, 1);
    const shape   b1 = SHAPE(ci), b2 = SHAPE(co);
    attrs         a1 = {.conv = {.kernel = {(int)k, (int)k},
                                 .stride = {cases[i].stride, cases[i].stride},
                                 .dilation = {cases[i].dilation, cases[i].dilation},
                                 .group = (int)ci,
                                 .out_channels = (int)ci,
                                 .w = {k * k, k * k, k, 1}}};
    const attrs   a2 = {.conv = {.kernel = {1, 1},
                                 .stride = {1, 1},
                                 .dilation = {1, 1},
                                 .group = 1,
                                 .out_channels = (int)co,
                                 .w = {ci, 1, 1, 1}}};
    memcpy(a1.conv.pad, cases[i].pad, sizeof a1.conv.pad);
    const value_id x = test_input(g, "x", &in);
    const value_id mid =
        graph_op(g, OP_CONV, "depthwise", &a1, (value_id[]){x, test_const(g, "w1", &w1), test_const(g, "b1", &b1)}, 3);
    if (mid < 0)
        return false;
    g->nodes[0]->epi.act = cases[i].swish ? (act){ACT_SWISH, 1, 0} : (act){ACT_CLAMP, 0, INFINITY};
    value_id slots[CONV_INPUTS] = {mid, test_const(g, "w2", &w2), test_const(g, "b2", &b2), -1, -1};
    if (cases[i].residual) {
        const shape *m = &g->values[mid].shape;
        const shape  r = SHAPE(m->dim[0], m->dim[1], m->dim[2], co);
        slots[CONV_RES] = test_input(g, "residual", &r);
    }
    const value_id y = graph_op(g, OP_CONV, "pointwise", &a2, slots, CONV_INPUTS);
    return fused_case(g, y, 2, OP_SEPARABLE);
}

const op_def op_separable = FUSED_OP("separable", FUSED_INPUTS, gen, kernels);
