/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The minimal-filtering row of spatial_pair (kernels/spatial_winograd.cl). As with every such form, a NaN or infinity among
 * the six inputs of a tile reaches all outputs of the tile.
 */
#include "base/size.h"
#include "ops/fused.h"
#include "ops/spatial_pair.h"

#define PRODUCTS 6

typedef struct pair {
    conv_geometry a, b;
    int64_t       mh, mw, tiles;      /* output rows and columns of a tile; tiles along a row */
    int64_t       blocks1, blocks2, nr;
} pair;

static pair pair_of(const node_view *v, const int *p)
{
    const node_view first = nv_sub(v, 0), second = nv_sub(v, 1);
    pair            k = {.a = conv_geometry_of(&first), .b = conv_geometry_of(&second)};
    k.mh = 7 - k.a.a->kernel[0];
    k.mw = 7 - k.b.a->kernel[1];
    k.nr = (int64_t)p[TILE_V] * p[TILE_NB];
    k.blocks1 = div_up(k.a.co, k.nr);
    k.blocks2 = div_up(k.b.co, k.nr);
    k.tiles = k.mw > 0 ? div_up(k.b.out.w, k.mw) : 0;
    return k;
}

static int64_t t_floats(const pair *k)
{
    return PRODUCTS * i64_max(k->a.in.w * k->a.ci, k->mh * k->tiles * k->b.ci);
}

static int64_t mid_floats(const pair *k)
{
    return k->mh * k->a.in.w * k->blocks1 * k->nr;
}

static int64_t out_floats(const pair *k)
{
    return k->mh * k->tiles * k->mw * k->blocks2 * k->nr;
}

bool spatial_winograd_fits(const node_view *v, const caps *c, const int *p)
{
    const pair       k = pair_of(v, p);
    const attr_conv *a = k.a.a, *b = k.b.a;
    if (!caps_is_cpu(c) || !tile_fits(c, p) || k.mh < 2 || k.mw < 2 || k.mh > 5 || k.mw > 5)
        return false;
    if (a->stride[0] != 1 || a->stride[1] != 1 || a->dilation[0] != 1 || b->stride[1] != 1 || b->dilation[1] != 1)
        return false;
    return 4 * (t_floats(&k) + mid_floats(&k) + out_floats(&k)) <= i64_min(c->local_bytes, 512 * 1024);
}

double spatial_winograd_cost(const node_view *v, const caps *c, const int *p)
{
    const pair    k = pair_of(v, p);
    const int64_t strips = k.a.in.n * div_up(k.b.out.h, k.mh), units = i64_max(1, c->compute_units);
    const int64_t turns = div_up(strips, units); /* few strips leave cores idle */
    const double  simd = (double)i64_max(1, c->simd_width);
    const double  products = PRODUCTS * (tile_cost(c, p, k.a.in.w, k.a.ci, k.a.co) +
                                        tile_cost(c, p, k.mh * k.tiles, k.b.ci, k.b.co));
    /* the inputs of the products are some 20 operations a vector of six lines; each product reads and writes its outputs
       once or mh (mw) times */
    const double inputs = 20.0 * (double)(k.a.in.w * k.a.ci + k.mh * k.tiles * k.b.ci) / simd;
    const double outputs = PRODUCTS * 3.0 * (double)(mid_floats(&k) + out_floats(&k)) / simd;
    return (double)(turns * units) * (products + inputs + outputs);
}

/* (G g)_j of one filter, in double: the filter's polynomial at the point, scaled; for infinity its last tap. */
static double transformed(const weight_view *w, int64_t o, int64_t i, int taps, bool vertical, int j)
{
    static const double point[] = {0, 1, -1, 2, -2}, factor[] = {1 / 4.0, -1 / 6.0, -1 / 6.0, 1 / 24.0, 1 / 24.0};
    double              sum = 0, power = 1;
    if (j == PRODUCTS - 1)
        return weight_at(w, o, i, vertical ? taps - 1 : 0, vertical ? 0 : taps - 1);
    for (int t = 0; t < taps; t++, power *= point[j])
        sum += power * weight_at(w, o, i, vertical ? t : 0, vertical ? 0 : t);
    return factor[j] * sum;
}

/* [6][blocks][ci][NR] */
static void fill_part(const node_view *part, const int *p, float *to, bool vertical)
{
    const conv_geometry g = conv_geometry_of(part);
    const weight_view   w = weights_of(part, &g.a->w);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB];
    for (int j = 0; j < PRODUCTS; j++)
        for (int64_t b = 0; b < div_up(g.co, nr); b++)
            for (int64_t i = 0; i < g.ci; i++)
                for (int64_t n = 0; n < nr; n++, to++)
                    *to = b * nr + n < g.co
                              ? (float)transformed(&w, b * nr + n, i, g.a->kernel[vertical ? 0 : 1], vertical, j)
                              : 0;
}

static void fill_first(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 0);
    fill_part(&part, p, dst, true);
}

static void fill_second(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 1);
    fill_part(&part, p, dst, false);
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

void spatial_winograd_launch(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const pair      k = pair_of(v, p);
    const node_view first = nv_sub(v, 0);
    const int64_t   strips = div_up(k.b.out.h, k.mh), total = strips * k.a.in.n;
    (void)c;
    const int packs[] = {
        launch_pack(out, DT_F32, (size_t)(PRODUCTS * k.blocks1 * k.nr * k.a.ci), true, fill_first),
        launch_pack(out, DT_F32, (size_t)(k.blocks1 * k.nr), false, fill_first_bias),
        launch_pack(out, DT_F32, (size_t)(PRODUCTS * k.blocks2 * k.nr * k.b.ci), true, fill_second),
        launch_pack(out, DT_F32, (size_t)(k.blocks2 * k.nr), false, fill_second_bias),
    };
    launch *l = launch_add(out, 1, i64_max(1, total), 1, 1);
    launch_local(l, 1, 1, 1);
    launch_define(l, "KH", k.a.a->kernel[0]);
    launch_define(l, "KW", k.b.a->kernel[1]);
    arg_in(l, FUSED_X);
    for (int i = 0; i < 4; i++)
        arg_packed(l, packs[i]);
    arg_out(l, 0);
    arg_local(l, (size_t)t_floats(&k) * sizeof(float));
    arg_local(l, (size_t)mid_floats(&k) * sizeof(float));
    arg_local(l, (size_t)out_floats(&k) * sizeof(float));
    const int64_t numbers[] = {total,  strips, k.a.in.h, k.a.in.w, k.b.out.h,     k.b.out.w,
                               k.a.ci, k.a.co, k.b.co,   k.a.a->pad[0], k.b.a->pad[1]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(l, numbers[i]);
    launch_inner_act(l, "MID", &first);
    launch_epilogue(l, v, FUSED_RES);
}
