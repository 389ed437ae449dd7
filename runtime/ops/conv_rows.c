/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel rows of conv: pointwise, implicit product, direct; the others have files of their own. */
#include "base/size.h"
#include "ops/conv_kernels.h"
#include "ops/fused.h"

/* ------------------------------------------------------------------ pointwise: kernels/gemm.cl */

static gemm_size pointwise_size(const conv_geometry *g)
{
    return (gemm_size){g->out.n * g->out.h * g->out.w, g->ci, g->co};
}

static bool fits_pointwise(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    return g.pointwise && tile_fits(c, p);
}

static double cost_pointwise(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const gemm_size     s = pointwise_size(&g);
    return tile_cost(c, p, s.m, s.k, s.n);
}

static void launch_pointwise(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const gemm_size     s = pointwise_size(&g);
    gemm_launch(v, c, p, &s, NULL, out);
}

static bool fits_strided(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const attr_conv    *a = g.a;
    return !g.pointwise && a->kernel[0] == 1 && a->kernel[1] == 1 && a->group == 1 && !a->pad[0] && !a->pad[1] &&
           !a->pad[2] && !a->pad[3] && tile_fits(c, p);
}

static double cost_strided(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const gemm_size     s = pointwise_size(&g);
    const double        address = caps_is_cpu(c) ? 1 : 0; /* cycles, for each row of a tile */
    return tile_cost(c, p, s.m, s.k, s.n) +
           address * (double)s.m * (double)div_up(s.n, (int64_t)p[TILE_V] * p[TILE_NB]);
}

static void launch_strided(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const gemm_size     s = pointwise_size(&g);
    gemm_launch(v, c, p, &s, &g, out);
}

/* ------------------------------------------------------------------ implicit product: kernels/conv.cl */

static bool fits_implicit(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    return !g.depthwise && tile_fits(c, p) && (g.a->group == 1 || g.co >= p[TILE_V]);
}

static double cost_implicit(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const int64_t       taps = (int64_t)g.a->kernel[0] * g.a->kernel[1], mr = p[TILE_MR];
    const int64_t       blocks = div_up(g.co, (int64_t)p[TILE_V] * p[TILE_NB]);
    const int64_t       tiles = g.out.n * g.out.h * div_up(g.out.w, mr); /* they do not cross rows */
    double              product = tile_cost(c, p, tiles * mr, g.ci * taps, g.co);
    if (g.pointwise) /* its addresses are more work than the plain product's */
        product *= 1.2;
    if (caps_is_cpu(c)) /* each tap of a tile has addresses of its own */
        product += 2.0 * (double)(mr * taps) * (double)(tiles * blocks);
    return (double)g.a->group * product;
}

static void fill_implicit(const node_view *v, const int *p, void *dst)
{
    const conv_geometry g = conv_geometry_of(v);
    const weight_view   w = weights_of(v, &g.a->w);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB], blocks = div_up(g.co, nr);
    float              *to = dst;
    for (int64_t b = 0; b < blocks * g.a->group; b++)
        for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
            for (int64_t kx = 0; kx < g.a->kernel[1]; kx++)
                for (int64_t i = 0; i < g.ci; i++)
                    for (int64_t j = 0; j < nr; j++, to++) {
                        const int64_t o = b % blocks * nr + j;
                        *to = o < g.co ? weight_at(&w, b / blocks * g.co + o, i, ky, kx) : 0;
                    }
}

static void fill_implicit_bias(const node_view *v, const int *p, void *dst)
{
    const conv_geometry g = conv_geometry_of(v);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB], blocks = div_up(g.co, nr);
    for (int64_t i = 0; i < blocks * g.a->group * nr; i++) {
        const int64_t o = i % (blocks * nr);
        ((float *)dst)[i] = o < g.co ? bias_at(v, i / (blocks * nr) * g.co + o) : 0;
    }
}

static void fill_zeros(const node_view *v, const int *p, void *dst)
{
    (void)p;
    memset(dst, 0, (size_t)conv_geometry_of(v).ci * sizeof(float));
}

static void conv_sizes(launch *k, const conv_geometry *g)
{
    const attr_conv *a = g->a;
    const int64_t    sizes[] = {g->in.h,      g->in.w,        g->out.h,       g->out.w,     g->ci,
                                g->co,        a->group,       a->kernel[0],   a->kernel[1], a->stride[0],
                                a->stride[1], a->dilation[0], a->dilation[1], a->pad[0],    a->pad[1]};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        arg_i32(k, sizes[i]);
}

static void launch_implicit(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB], blocks = div_up(g.co, nr) * g.a->group, mr = p[TILE_MR];
    const int64_t       taps = (int64_t)g.a->kernel[0] * g.a->kernel[1], n_rows = g.out.n * g.out.h;
    const int64_t       rows = i64_max(1, i64_min(n_rows, conv_rows_per_item(c, n_rows, blocks)));
    int64_t             strip = caps_is_cpu(c) ? g.out.w : mr;
    /* few rows and blocks: split the row as well */
    if (caps_is_cpu(c) && rows == 1 && n_rows * blocks < 4 * (int64_t)c->compute_units)
        strip = round_up(div_up(g.out.w, div_up(8 * (int64_t)c->compute_units, i64_max(1, n_rows * blocks))), mr);
    strip = i64_max(1, strip);
    const int w = launch_pack(out, DT_F32, (size_t)(blocks * taps * g.ci * nr), true, fill_implicit);
    const int b = launch_pack(out, DT_F32, (size_t)(blocks * nr), false, fill_implicit_bias);
    const int z = launch_pack(out, DT_F32, (size_t)g.ci, true, fill_zeros);
    launch   *k = launch_add(out, 3, blocks, div_up(n_rows, rows), div_up(g.out.w, strip));
    arg_in(k, CONV_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_packed(k, z);
    arg_out(k, 0);
    arg_i32(k, n_rows);
    arg_i32(k, rows);
    arg_i32(k, strip);
    conv_sizes(k, &g);
    launch_epilogue(k, v, CONV_RES);
}

/* ------------------------------------------------------------------ direct */

static bool fits_any(const node_view *v, const caps *c, const int *p)
{
    (void)v;
    (void)c;
    (void)p;
    return true;
}

static double cost_direct(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    (void)p;
    const double each = (double)(g.ci * g.a->kernel[0] * g.a->kernel[1]) * (caps_is_cpu(c) ? 4 : 8) + 20;
    return (double)(g.out.n * g.out.h * g.out.w * g.out.c) * each;
}

static void fill_direct(const node_view *v, const int *p, void *dst)
{
    const conv_geometry g = conv_geometry_of(v);
    const weight_view   w = weights_of(v, &g.a->w);
    float              *to = dst;
    (void)p;
    for (int64_t o = 0; o < g.out.c; o++)
        for (int64_t ky = 0; ky < g.a->kernel[0]; ky++)
            for (int64_t kx = 0; kx < g.a->kernel[1]; kx++)
                for (int64_t i = 0; i < g.ci; i++)
                    *to++ = weight_at(&w, o, i, ky, kx);
}

static void launch_direct(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const int64_t       total = g.out.n * g.out.h * g.out.w * g.out.c;
    const int64_t       chunk = caps_is_cpu(c) ? i64_max(64, div_up(total, 8 * (int64_t)c->compute_units)) : 1;
    (void)p;
    const int64_t taps = g.ci * g.a->kernel[0] * g.a->kernel[1];
    const int     w = launch_pack(out, DT_F32, (size_t)(taps * g.out.c), true, fill_direct);
    const int     b = launch_pack(out, DT_F32, (size_t)g.out.c, false, conv_fill_bias);
    launch       *k = launch_add(out, 1, div_up(total, chunk), 1, 1);
    arg_in(k, CONV_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_out(k, 0);
    arg_i32(k, total);
    conv_sizes(k, &g);
    arg_i32(k, chunk);
    launch_epilogue(k, v, CONV_RES);
}

const kernel_def conv_kernels[] = {
    {"gemm", "gemm", "pointwise: register-tiled product", TILE_PARAMS, fits_pointwise, launch_pointwise,
     cost_pointwise},
    {"gemm", "gemm_strided", "pointwise with a stride: register-tiled product of the pixels that count", TILE_PARAMS,
     fits_strided, launch_strided, cost_strided},
    {"depthwise",
     "depthwise",
     "depthwise: sliding along the row",
     {{"V", {16, 8, 4, 1}}, {"MR", {8, 7, 4, 2, 1}}},
     depthwise_fits,
     depthwise_launch,
     depthwise_cost},
    {"depthwise_narrow",
     "depthwise_narrow",
     "depthwise: short rows",
     {{"V", {16, 8, 4}}, {"MR", {14, 10, 7, 5, 4}}},
     depthwise_narrow_fits,
     depthwise_narrow_launch,
     depthwise_narrow_cost},
    {"winograd", "winograd", "minimal filtering, 3x3", WINOGRAD_PARAMS, winograd_fits, winograd_launch, winograd_cost},
    {"stem", "stem", "few input channels", STEM_PARAMS, stem_fits, stem_launch, stem_cost},
    {"conv", "conv", "implicit matrix product", TILE_PARAMS, fits_implicit, launch_implicit, cost_implicit},
    {"conv", "conv_direct", "one output an item", {{0}}, fits_any, launch_direct, cost_direct},
    {0},
};
