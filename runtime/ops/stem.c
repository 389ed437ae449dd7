/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of kernels/stem.cl: dense convolution of few input channels. As stem_planes it stands for a transposition of
 * planes to channels last and the convolution after it (sub[0], sub[1]), and reads the planes themselves.
 */
#include <math.h>

#include "base/size.h"
#include "ops/conv_kernels.h"
#include "ops/fused.h"

/* Beyond this a tap's channels fill the product's inner loop by themselves. */
#define MOST_CHANNELS 8
#define BUDGET ((int64_t)256 * 1024)

typedef struct stem {
    conv_geometry g;
    int64_t       runs, nr, blocks, pitch, rows, lines; /* rows 0: not even one fits */
} stem;

static bool reads_planes(const node_view *v)
{
    return v->n->op == OP_STEM_PLANES;
}

/* The convolution of either op. */
static node_view conv_of(const node_view *v)
{
    return reads_planes(v) ? nv_sub(v, 1) : *v;
}

static int64_t lines_of(const attr_conv *a, int64_t rows)
{
    return (rows - 1) * a->stride[0] + (int64_t)(a->kernel[0] - 1) * a->dilation[0] + 1;
}

static stem stem_of(const node_view *v, const caps *c, const int *p)
{
    const node_view  conv = conv_of(v);
    stem             s = {.g = conv_geometry_of(&conv)};
    const attr_conv *a = s.g.a;
    const int64_t    budget = i64_min(c->local_bytes, BUDGET), cores = i64_max(1, c->compute_units);
    s.nr = (int64_t)p[TILE_V] * p[TILE_NB];
    s.blocks = div_up(s.g.co, s.nr);
    s.runs = reads_planes(v) ? s.g.ci : 1;
    s.pitch = ((round_up(s.g.out.w, p[TILE_MR]) - 1) * a->stride[1] + a->kernel[1]) * s.g.ci / s.runs;
    /* about eight items a core, and no more lines than stay in a second-level cache */
    s.rows = i64_max(1, i64_min(s.g.out.h, s.g.out.n * s.g.out.h / (8 * cores)));
    while (s.rows && 4 * s.runs * s.pitch * lines_of(a, s.rows) > budget)
        s.rows--;
    s.lines = lines_of(a, s.rows);
    return s;
}

bool stem_fits(const node_view *v, const caps *c, const int *p)
{
    const node_view     conv = conv_of(v);
    const conv_geometry g = conv_geometry_of(&conv);
    if (!caps_is_cpu(c) || g.a->group != 1 || g.a->dilation[1] != 1 || g.ci > MOST_CHANNELS || g.pointwise)
        return false;
    if (!tile_fits(c, p) || !tile_busy(c, p) || g.out.h < 1 || g.out.w < 1)
        return false;
    return stem_of(v, c, p).rows > 0;
}

double stem_cost(const node_view *v, const caps *c, const int *p)
{
    const stem       s = stem_of(v, c, p);
    const attr_conv *a = s.g.a;
    const int64_t    strips = s.g.out.n * div_up(s.g.out.h, s.rows), m = s.rows * round_up(s.g.out.w, p[TILE_MR]);
    const double     product = tile_cost_joined(c, p, m, (int64_t)a->kernel[0] * a->kernel[1] * s.g.ci, s.g.co);
    const double     lines = (double)(s.lines * s.runs);
    const double     copy = lines * (double)s.pitch / i64_max(1, c->simd_width) * 2 + 40.0 * lines;
    return (double)strips * (product + copy);
}

/* By rows of the kernel; in each by columns, with all channels of a column together, or by channels. */
static void fill_weights(const node_view *v, const int *p, void *dst)
{
    const node_view     conv = conv_of(v);
    const conv_geometry g = conv_geometry_of(&conv);
    const weight_view   w = weights_of(&conv, &g.a->w);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB], kw = g.a->kernel[1], planes = reads_planes(v);
    float              *to = dst;
    for (int64_t b = 0; b < div_up(g.co, nr); b++)
        for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
            for (int64_t k = 0; k < kw * g.ci; k++) {
                const int64_t i = planes ? k / kw : k % g.ci, kx = planes ? k % kw : k / g.ci;
                for (int64_t o = b * nr; o < (b + 1) * nr; o++)
                    *to++ = o < g.co ? weight_at(&w, o, i, ky, kx) : 0;
            }
}

static void fill_bias(const node_view *v, const int *p, void *dst)
{
    const node_view conv = conv_of(v);
    gemm_fill_bias(&conv, p, dst);
}

void stem_launch(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const stem       s = stem_of(v, c, p);
    const attr_conv *a = s.g.a;
    const int64_t    depth = (int64_t)a->kernel[0] * a->kernel[1] * s.g.ci;
    const int        w = launch_pack(out, DT_F32, (size_t)(s.blocks * s.nr * depth), true, fill_weights);
    const int        b = launch_pack(out, DT_F32, (size_t)(s.blocks * s.nr), false, fill_bias);
    launch          *k = launch_add(out, 2, div_up(s.g.out.h, s.rows), s.g.out.n, 1);
    launch_define(k, "PLANES", reads_planes(v));
    launch_define(k, "IN_F16", nv_stored(v, CONV_X) == DT_F16);
    launch_define(k, "CI", (int)s.g.ci);
    launch_define(k, "KW", a->kernel[1]);
    launch_define(k, "SW", a->stride[1]);
    arg_in(k, CONV_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_out(k, 0);
    arg_local(k, (size_t)(4 * s.lines * s.runs * s.pitch));
    const int64_t numbers[] = {s.pitch, s.rows,       s.g.in.h,     s.g.in.w,       s.g.out.h, s.g.out.w,
                               s.g.co,  a->kernel[0], a->stride[0], a->dilation[0], a->pad[0], a->pad[1]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_epilogue(k, v, reads_planes(v) ? (int)FUSED_RES : (int)CONV_RES);
}

/* ------------------------------------------------------------------ with planes */

bool stem_planes_matches(const node_view *parts)
{
    static const int to_last[] = {0, 2, 3, 1};
    const node      *t = parts[0].n;
    return t->op == OP_TRANSPOSE && nv_in(&parts[0], 0)->shape.rank == 4 && !nv_in(&parts[0], 0)->data &&
           !memcmp(t->a.transpose.perm, to_last, sizeof to_last) && parts[1].n->op == OP_CONV &&
           parts[1].n->a.conv.group == 1 && parts[1].n->in[CONV_X] == t->out[0];
}

static const kernel_def kernels[] = {
    {"stem", "stem", "few input channels, read as planes", STEM_PARAMS, stem_fits, stem_launch, stem_cost},
    {0},
};

static bool gen(int i, graph *g)
{
    static const struct {
        int  n, h, w, ci, co, kh, kw, stride, dilation, pad[4];
        bool residual;
    } cases[] = {
        {1, 12, 13, 3, 8, 3, 3, 2, 1, {0, 0, 1, 1}, false},
        {2, 9, 31, 3, 33, 3, 3, 1, 1, {1, 1, 1, 1}, true},
        {1, 17, 5, 1, 16, 5, 5, 1, 1, {2, 2, 2, 2}, false},
        {1, 8, 40, 4, 20, 3, 5, 2, 2, {2, 2, 2, 2}, false},
        {3, 6, 7, 2, 5, 2, 3, 1, 1, {0}, false},
        {1, 3, 3, 8, 17, 3, 3, 1, 1, {1, 1, 1, 1}, true},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const int64_t  ci = cases[i].ci, co = cases[i].co, kh = cases[i].kh, kw = cases[i].kw;
    const shape    in = SHAPE(cases[i].n, ci, cases[i].h, cases[i].w), w = SHAPE(co, ci, kh, kw), b = SHAPE(co);
    attrs          a = {.conv = {.kernel = {(int)kh, (int)kw},
                                 .stride = {cases[i].stride, cases[i].stride},
                                 .dilation = {cases[i].dilation, 1},
                                 .group = 1,
                                 .out_channels = (int)co,
                                 .w = {ci * kh * kw, kh * kw, kw, 1}}};
    const attrs    last = {.transpose = {{0, 2, 3, 1}}};
    const value_id x = test_input(g, "x", &in), t = graph_op(g, OP_TRANSPOSE, "channels_last", &last, &x, 1);
    memcpy(a.conv.pad, cases[i].pad, sizeof a.conv.pad);
    if (t < 0)
        return false;
    value_id slots[CONV_INPUTS] = {t, test_const(g, "w", &w), test_const(g, "b", &b), -1, -1};
    if (cases[i].residual) {
        const conv_geometry s =
            conv_geometry_of(&(node_view){g, &(node){.op = OP_CONV, .a = a, .in = slots, .n_in = CONV_INPUTS}});
        const shape r = SHAPE(s.out.n, s.out.h, s.out.w, co);
        slots[CONV_RES] = test_input(g, "r", &r);
    }
    const value_id y = graph_op(g, OP_CONV, "conv", &a, slots, CONV_INPUTS);
    if (y >= 0)
        g->nodes[g->n_nodes - 1]->epi.act = (act){ACT_CLAMP, 0, i % 2 ? 6 : INFINITY};
    return fused_case(g, y, 2, OP_STEM_PLANES);
}

const op_def op_stem_planes = FUSED_OP("stem_planes", FUSED_INPUTS, gen, kernels);
