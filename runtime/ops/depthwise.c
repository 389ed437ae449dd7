/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of kernels/depthwise.cl and kernels/depthwise_narrow.cl: each channel by itself. */
#include "base/size.h"
#include "ops/conv_kernels.h"
#include "ops/fused.h"

/* ------------------------------------------------------------------ rows of any width */

enum { DW_V, DW_MR };

bool depthwise_fits(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const attr_conv    *a = g.a;
    const int           mr = p[DW_MR];
    if (!g.plain_depthwise || g.in.c < p[DW_V] || a->kernel[0] > 9 || a->kernel[1] > 9)
        return false;
    const int columns = (mr - 1) * a->stride[1] + (a->kernel[1] - 1) * a->dilation[1] + 1;
    if (columns > 24)
        return false;
    if (p[DW_V] > 4 && (c->simd_width < 2 || p[DW_V] > 2 * c->simd_width))
        return false;
    const int native = (int)div_up(p[DW_V], c->simd_width > 0 ? c->simd_width : 1);
    return !caps_is_cpu(c) || mr * native <= c->vector_registers / 2 || mr <= 2;
}

/* Cycles that lines of 64 bytes take beside the sums, both tensors being too large for a core's own cache or from
   another core. */
#define LINE_CYCLES 3.0

static double traffic(const conv_geometry *g)
{
    return LINE_CYCLES * (double)(g->in.n * g->in.h * g->in.w * g->in.c + g->out.n * g->out.h * g->out.w * g->out.c) /
           16;
}

double depthwise_cost(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const int64_t       mr = p[DW_MR], tiles = div_up(g.out.w, mr), taps = g.a->kernel[1];
    const int64_t       columns = (mr - 1) * g.a->stride[1] + (taps - 1) * g.a->dilation[1] + 1;
    const double        native = caps_is_cpu(c) ? (double)div_up(p[DW_V], c->simd_width) : p[DW_V] * 0.75;
    double              cycles = native * ((double)(mr * taps) / 2 + (double)(columns + taps) / 2); /* a kernel row */
    if (cycles < 4.0 * (double)taps)
        cycles = 4.0 * (double)taps;
    return (double)(tiles * g.out.h * g.out.n) * (double)div_up(g.in.c, p[DW_V]) * (g.a->kernel[0] * cycles + 10) + (caps_is_cpu(c) ? traffic(&g) : 0);
}

static void fill_weights(const node_view *v, const int *p, void *dst)
{
    (void)p;
    depthwise_fill(v, dst);
}

void conv_fill_bias(const node_view *v, const int *p, void *dst)
{
    (void)p;
    depthwise_fill_bias(v, dst);
}

int64_t conv_rows_per_item(const caps *c, int64_t rows, int64_t others)
{
    if (!caps_is_cpu(c))
        return 1;
    return i64_max(1, rows * others / (8 * (int64_t)c->compute_units));
}

/* What both kernels begin with: the shape of the window, and the tensors. */
static launch *launch_depthwise(const conv_geometry *g, int64_t blocks, int64_t row_items, launch_list *out)
{
    const attr_conv *a = g->a;
    const int        w = launch_pack(out, DT_F32, (size_t)(g->out.c * a->kernel[0] * a->kernel[1]), true, fill_weights);
    const int        b = launch_pack(out, DT_F32, (size_t)g->out.c, false, conv_fill_bias);
    launch          *k = launch_add(out, 2, blocks, row_items, 1);
    launch_define(k, "KH", a->kernel[0]);
    launch_define(k, "KW", a->kernel[1]);
    launch_define(k, "SW", a->stride[1]);
    launch_define(k, "DW", a->dilation[1]);
    arg_in(k, CONV_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_out(k, 0);
    return k;
}

void depthwise_launch(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const attr_conv    *a = g.a;
    const int64_t       blocks = div_up(g.in.c, p[DW_V]), n_rows = g.out.n * g.out.h;
    const int64_t       rows = i64_max(1, i64_min(conv_rows_per_item(c, n_rows, blocks), n_rows));
    launch             *k = launch_depthwise(&g, blocks, div_up(n_rows, rows), out);
    const int64_t       numbers[] = {n_rows, rows,         g.in.h,         g.in.w,    g.out.h,  g.out.w,
                                     g.in.c, a->stride[0], a->dilation[0], a->pad[0], a->pad[1]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_epilogue(k, v, CONV_RES);
}

/* ------------------------------------------------------------------ narrow rows */

/* Tiles of a row that are written out, one after the other. */
#define MOST_TILES 4

bool depthwise_narrow_fits(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const attr_conv    *a = g.a;
    if (!caps_is_cpu(c) || !g.plain_depthwise || g.in.c < p[DW_V] || a->kernel[0] > 9 || a->kernel[1] > 9)
        return false;
    if (a->stride[1] > 2 || a->dilation[1] > 2 || g.out.w < 1 || g.out.w > (int64_t)MOST_TILES * p[DW_MR])
        return false;
    /* the sums, the weights of a kernel row and a column */
    return p[DW_V] == c->simd_width && p[DW_MR] + a->kernel[1] + 1 <= c->vector_registers;
}

/* Taps along a row that lie within the input, and columns that tiles load. */
static void narrow_work(const conv_geometry *g, int64_t mr, int64_t *taps, int64_t *loads)
{
    const attr_conv *a = g->a;
    *taps = *loads = 0;
    for (int64_t x0 = 0; x0 < g->out.w; x0 += mr) {
        const int64_t last = i64_min(x0 + mr, g->out.w) - 1, from = x0 * a->stride[1] - a->pad[1];
        const int64_t to = last * a->stride[1] - a->pad[1] + (int64_t)(a->kernel[1] - 1) * a->dilation[1];
        *loads += i64_max(0, i64_min(to, g->in.w - 1) - i64_max(from, 0) + 1) + a->kernel[1];
    }
    for (int64_t x = 0; x < g->out.w; x++)
        for (int64_t kx = 0; kx < a->kernel[1]; kx++) {
            const int64_t ix = x * a->stride[1] - a->pad[1] + kx * a->dilation[1];
            *taps += ix >= 0 && ix < g->in.w;
        }
}

double depthwise_narrow_cost(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    int64_t             taps, loads;
    (void)c;
    narrow_work(&g, p[DW_MR], &taps, &loads);
    const int64_t chains = i64_min(p[DW_MR], g.out.w), tiles = div_up(g.out.w, p[DW_MR]);
    double        cycles = i64_max(taps, loads) / 2.0 + 2.0 * (double)tiles; /* of a kernel row */
    if (chains < 8)                                                          /* a sum takes a tap every four cycles */
        cycles = cycles * 8 / (double)chains;
    const double row = g.a->kernel[0] * cycles + 10.0 * (double)tiles;
    return (double)(g.out.h * g.out.n) * (double)div_up(g.in.c, p[DW_V]) * row + traffic(&g);
}

void depthwise_narrow_launch(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const conv_geometry g = conv_geometry_of(v);
    const attr_conv    *a = g.a;
    const int64_t       blocks = div_up(g.in.c, p[DW_V]), n_rows = g.out.n * g.out.h;
    /* whole images of a few channels each, as the layers before and after share out their channels */
    const int64_t most = blocks >= 4 * (int64_t)c->compute_units ? n_rows : conv_rows_per_item(c, n_rows, blocks);
    const int64_t rows = i64_max(1, i64_min(most, n_rows));
    launch       *k = launch_depthwise(&g, blocks, div_up(n_rows, rows), out);
    launch_define(k, "IW", (int)g.in.w);
    launch_define(k, "OW", (int)g.out.w);
    launch_define(k, "PL", a->pad[1]);
    const int64_t numbers[] = {n_rows, rows, g.in.h, g.out.h, g.in.c, a->stride[0], a->dilation[0], a->pad[0]};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_epilogue(k, v, CONV_RES);
}
