/* SPDX-License-Identifier: Apache-2.0 */
/* The row of kernels/stem.cl: dense convolution of few input channels. */
#include "base/size.h"
#include "ops/conv_kernels.h"

/* Beyond this a tap's channels fill the product's inner loop by themselves. */
#define MOST_CHANNELS 8
#define BUDGET ((int64_t)256 * 1024)

typedef struct stem {
    conv_geometry g;
    int64_t       nr, blocks, pitch, rows, lines; /* rows 0: not even one fits */
} stem;

static int64_t lines_of(const attr_conv *a, int64_t rows)
{
    return (rows - 1) * a->stride[0] + (int64_t)(a->kernel[0] - 1) * a->dilation[0] + 1;
}

static stem stem_of(const node_view *v, const caps *c, const int *p)
{
    stem             s = {.g = conv_geometry_of(v)};
    const attr_conv *a = s.g.a;
    const int64_t    budget = i64_min(c->local_bytes, BUDGET), cores = i64_max(1, c->compute_units);
    s.nr = (int64_t)p[TILE_V] * p[TILE_NB];
    s.blocks = div_up(s.g.co, s.nr);
    s.pitch = ((round_up(s.g.out.w, p[TILE_MR]) - 1) * a->stride[1] + a->kernel[1]) * s.g.ci;
    /* about eight items a core, and no more lines than stay in a second-level cache */
    s.rows = i64_max(1, i64_min(s.g.out.h, s.g.out.n * s.g.out.h / (8 * cores)));
    while (s.rows && 4 * s.pitch * lines_of(a, s.rows) > budget)
        s.rows--;
    s.lines = lines_of(a, s.rows);
    return s;
}

bool stem_fits(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
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
    const double     copy = (double)(s.lines * s.pitch) / i64_max(1, c->simd_width) * 2 + 40.0 * (double)s.lines;
    return (double)strips * (product + copy);
}

static void fill_weights(const node_view *v, const int *p, void *dst)
{
    const conv_geometry g = conv_geometry_of(v);
    const weight_view   w = weights_of(v, &g.a->w);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB];
    float              *to = dst;
    for (int64_t b = 0; b < div_up(g.co, nr); b++)
        for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
            for (int64_t kx = 0; kx < g.a->kernel[1]; kx++)
                for (int64_t i = 0; i < g.ci; i++)
                    for (int64_t o = b * nr; o < (b + 1) * nr; o++)
                        *to++ = o < g.co ? weight_at(&w, o, i, ky, kx) : 0;
}

void stem_launch(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const stem       s = stem_of(v, c, p);
    const attr_conv *a = s.g.a;
    const int64_t    depth = (int64_t)a->kernel[0] * a->kernel[1] * s.g.ci;
    const int        w = launch_pack(out, DT_F32, (size_t)(s.blocks * s.nr * depth), true, fill_weights);
    const int        b = launch_pack(out, DT_F32, (size_t)(s.blocks * s.nr), false, gemm_fill_bias);
    launch          *k = launch_add(out, 2, div_up(s.g.out.h, s.rows), s.g.out.n, 1);
    launch_define(k, "CI", (int)s.g.ci);
    launch_define(k, "KW", a->kernel[1]);
    launch_define(k, "SW", a->stride[1]);
    arg_in(k, CONV_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_out(k, 0);
    arg_local(k, (size_t)(4 * s.lines * s.pitch));
    const int64_t numbers[] = {s.pitch, s.rows,       s.g.in.h,     s.g.in.w,       s.g.out.h, s.g.out.w,
                               s.g.co,  a->kernel[0], a->stride[0], a->dilation[0], a->pad[0], a->pad[1]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_epilogue(k, v, CONV_RES);
}
