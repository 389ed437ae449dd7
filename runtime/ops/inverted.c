/* SPDX-License-Identifier: Apache-2.0 */
/* inverted: pointwise (expand), depthwise, pointwise (project) in one kernel (sub[0], sub[1], sub[2]).
   expand_depthwise: the first two alone. */
#include <math.h>

#include "base/size.h"
#include "ops/fused.h"

bool expand_depthwise_matches(const node_view *parts)
{
    if (!fused_inner_part(parts[0].n) || !fused_inner_part(parts[1].n))
        return false;
    const conv_geometry a = conv_geometry_of(&parts[0]), dw = conv_geometry_of(&parts[1]);
    return a.pointwise && dw.plain_depthwise && dw.a->kernel[0] <= 9 && dw.a->kernel[1] <= 9;
}

bool inverted_matches(const node_view *parts)
{
    return expand_depthwise_matches(parts) && parts[2].n->op == OP_CONV && conv_geometry_of(&parts[2]).pointwise;
}

/* ------------------------------------------------------------------ geometry of a launch */

typedef struct block {
    conv_geometry a, dw, b; /* b: none (b.co 0) without the projection */
    int           ev;       /* channels of the expansion's vectors */
    int64_t       wr;       /* wide channels at a time */
    int           dv, dm;   /* depthwise tile */
    int           mr;       /* pixels of the projection's tile */
    int64_t       rows;     /* output rows of an item; 0: none fits */
} block;

#define WNB 2 /* vectors of the expansion's tile */

/* Parameters: a tile's, and the expansion's vector in the projection's; there are channels enough for whole vectors, where
   a narrow projection does better with halves. */
enum { BLOCK_EV = TILE_NB + 1 };

static int expand_vector(const int *p)
{
    return p[TILE_V] * p[BLOCK_EV];
}

static int64_t input_rows(const block *k, int64_t rows)
{
    const attr_conv *a = k->dw.a;
    return i64_min(k->dw.in.h, (rows - 1) * a->stride[0] + (int64_t)(a->kernel[0] - 1) * a->dilation[0] + 1);
}

static int64_t wide_floats(const block *k, int64_t rows)
{
    return input_rows(k, rows) * k->dw.in.w * k->wr;
}

static int64_t mid_floats(const block *k, int64_t rows)
{
    return !k->b.co ? 0 : round_up(rows * k->dw.out.w, k->mr) * round_up(k->dw.out.c, k->dv);
}

/* Multiply-adds of an item, the border that its neighbours compute too included. */
static double item_work(const block *k, int64_t rows)
{
    const double wide = (double)(input_rows(k, rows) * k->dw.in.w) * (double)(k->a.ci * k->a.co);
    const double mid = (double)(rows * k->dw.out.w) * (double)k->dw.out.c;
    return wide +
           mid * (2.0 * k->dw.a->kernel[0] * k->dw.a->kernel[1] + (double)k->b.co); /* depthwise runs at half speed */
}

/* Time of the slowest core, in multiply-adds of one core. */
static double makespan(const block *k, const caps *c, int64_t rows)
{
    const int64_t items = div_up(k->dw.out.h, rows) * k->dw.out.n;
    return (double)div_up(items, i64_max(1, c->compute_units)) * item_work(k, rows);
}

/* The strip height of the shortest makespan whose scratch stays in the second-level cache. */
static int64_t best_rows(const block *k, const caps *c)
{
    const int64_t budget = i64_min(c->local_bytes, 768 * 1024);
    int64_t       best = 0;
    for (int64_t r = 1; r <= k->dw.out.h; r++) {
        if (4 * (wide_floats(k, r) + mid_floats(k, r)) > budget)
            break;
        if (!best || makespan(k, c, r) < 0.98 * makespan(k, c, best))
            best = r;
    }
    return best;
}

/* Channels of a depthwise vector: the last vector of a block of wr wide channels may overlap the one before, so it only
   has to fit into the last block. */
static int block_vector(const caps *c, int64_t channels, int64_t wr)
{
    const int64_t last = channels % wr ? channels % wr : wr;
    return depthwise_vector(c, i64_min(last, i64_min(channels, wr)));
}

static block block_of(const node_view *v, const caps *c, const int *p)
{
    const node_view a = nv_sub(v, 0), dw = nv_sub(v, 1);
    block           k = {.a = conv_geometry_of(&a), .dw = conv_geometry_of(&dw)};
    if (v->n->n_sub > 2) {
        const node_view b = nv_sub(v, 2);
        k.b = conv_geometry_of(&b);
    }
    k.ev = expand_vector(p);
    k.wr = (int64_t)WNB * k.ev;
    k.dv = block_vector(c, k.dw.in.c, k.wr);
    k.dm = depthwise_columns(c, &k.dw, k.dv);
    k.mr = p[TILE_MR];
    k.rows = best_rows(&k, c);
    return k;
}

/* ------------------------------------------------------------------ the row */

static bool fits(const node_view *v, const caps *c, const int *p)
{
    if (!caps_is_cpu(c) || !(p[BLOCK_EV] == 2 ? tile_of_halves(c, p) : tile_fits(c, p)))
        return false;
    const block   k = block_of(v, c, p);
    const int64_t columns = (k.dm - 1) * k.dw.a->stride[1] + (int64_t)(k.dw.a->kernel[1] - 1) * k.dw.a->dilation[1] + 1;
    return k.rows > 0 && columns <= 24;
}

/* Rows of the expansion's tile: as many as leave the registers for WNB vectors. */
static int wide_rows(const caps *c, int v)
{
    const int native = (int)div_up(v, i64_max(1, c->simd_width)), registers = i64_max(16, c->vector_registers);
    const int rows = (registers - 1 - WNB * native) / (WNB * native);
    return rows > 10 ? 10 : rows < 1 ? 1 : rows;
}

/* Vectors of the last block of wide channels. */
static int last_vectors(const block *k)
{
    return (int)div_up(k->a.co - (div_up(k->a.co, k->wr) - 1) * k->wr, k->ev);
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    const block   k = block_of(v, c, p);
    const int64_t strips = div_up(k.dw.out.h, k.rows) * k.dw.out.n, pixels = input_rows(&k, k.rows) * k.dw.in.w;
    const int     wide_tile[] = {wide_rows(c, k.ev), k.ev, WNB}, last_tile[] = {wide_tile[0], k.ev, last_vectors(&k)};
    const int64_t whole = (div_up(k.a.co, k.wr) - 1) * k.wr;
    const double  expand = tile_cost(c, wide_tile, pixels, k.a.ci, whole) +
                          tile_cost(c, last_tile, pixels, k.a.ci, k.a.co - whole);
    const double  project = k.b.co ? tile_cost_joined(c, p, k.rows * k.dw.out.w, k.b.ci, k.b.co) : 0;
    const double  depthwise = (double)(k.rows * k.dw.out.w * k.dw.out.c) * k.dw.a->kernel[0] * k.dw.a->kernel[1] /
                             (double)i64_max(1, c->simd_width);
    const int64_t turns = div_up(strips, i64_max(1, c->compute_units));
    return (double)(turns * c->compute_units) * (expand + project + depthwise);
}

/* [blocks][ci][wr], filled up with zeros. */
static void fill_wide(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 0);
    const int       tile[] = {1, expand_vector(p), WNB};
    gemm_fill_weights(&part, tile, dst);
}

static void fill_wide_bias(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 0);
    const int       tile[] = {1, expand_vector(p), WNB};
    gemm_fill_bias(&part, tile, dst);
}

static void fill_dw(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 1);
    (void)p;
    depthwise_fill(&part, dst);
}

static void fill_dw_bias(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 1);
    (void)p;
    depthwise_fill_bias(&part, dst);
}

static void fill_project(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 2);
    gemm_fill_weights(&part, p, dst);
}

static void fill_project_bias(const node_view *v, const int *p, void *dst)
{
    const node_view part = nv_sub(v, 2);
    gemm_fill_bias(&part, p, dst);
}

static void pack_wide(const block *k, launch_list *out, int packs[4])
{
    const attr_conv *a = k->dw.a;
    const int64_t    wide = round_up(k->a.co, k->wr);
    packs[0] = launch_pack(out, DT_F32, (size_t)(wide * k->a.ci), true, fill_wide);
    packs[1] = launch_pack(out, DT_F32, (size_t)wide, false, fill_wide_bias);
    packs[2] = launch_pack(out, DT_F32, (size_t)(k->dw.out.c * a->kernel[0] * a->kernel[1]), true, fill_dw);
    packs[3] = launch_pack(out, DT_F32, (size_t)k->dw.out.c, false, fill_dw_bias);
}

static void define_wide(launch *l, const block *k, const caps *c)
{
    const attr_conv *a = k->dw.a;
    const define     defines[] = {{"WMR", NULL, wide_rows(c, k->ev)},
                                  {"WNB", NULL, WNB},
                                  {"EV", NULL, k->ev},
                                  {"LAST", NULL, last_vectors(k)},
                                  {"DV", NULL, k->dv},
                                  {"DM", NULL, k->dm},
                                  {"KH", NULL, a->kernel[0]},
                                  {"KW", NULL, a->kernel[1]},
                                  {"SW", NULL, a->stride[1]},
                                  {"DW", NULL, a->dilation[1]},
                                  {"PROJECT", NULL, k->b.co > 0}};
    for (size_t i = 0; i < sizeof defines / sizeof *defines; i++)
        launch_define(l, defines[i].name, defines[i].value);
}

static void launch_block(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const node_view  first = nv_sub(v, 0), second = nv_sub(v, 1);
    const block      k = block_of(v, c, p);
    const attr_conv *a = k.dw.a;
    const int64_t    narrow = round_up(k.b.co, (int64_t)p[TILE_V] * p[TILE_NB]);
    const int64_t    strips = div_up(k.dw.out.h, k.rows), total = strips * k.dw.out.n;
    int              packs[6], n_packs = 4;
    pack_wide(&k, out, packs);
    if (k.b.co) {
        packs[n_packs++] = launch_pack(out, DT_F32, (size_t)(narrow * k.b.ci), true, fill_project);
        packs[n_packs++] = launch_pack(out, DT_F32, (size_t)narrow, false, fill_project_bias);
    }
    launch *l = launch_add(out, 1, i64_max(1, total), 1, 1);
    launch_local(l, 1, 1, 1);
    define_wide(l, &k, c);
    arg_in(l, FUSED_X);
    for (int i = 0; i < n_packs; i++)
        arg_packed(l, packs[i]);
    arg_out(l, 0);
    arg_local(l, (size_t)wide_floats(&k, k.rows) * sizeof(float));
    if (k.b.co)
        arg_local(l, (size_t)mid_floats(&k, k.rows) * sizeof(float));
    if (k.b.co)
        arg_i32(l, round_up(k.rows * k.dw.out.w, k.mr));
    const int64_t sizes[] = {total, strips, k.rows, k.dw.in.h, k.dw.in.w, k.dw.out.h, k.dw.out.w, k.a.ci, k.a.co};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        arg_i32(l, sizes[i]);
    if (k.b.co)
        arg_i32(l, k.b.co);
    const int steps[] = {a->stride[0], a->dilation[0], a->pad[0], a->pad[1]};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++)
        arg_i32(l, steps[i]);
    launch_inner_act(l, "WIDE", &first);
    launch_inner_act(l, "MID", &second);
    if (k.b.co)
        launch_epilogue(l, v, FUSED_RES);
}

/* Only where a work-group is one item; other devices run the parts. */
static const kernel_def inverted_kernels[] = {
    {"inverted",
     "inverted",
     "a whole inverted residual, its wide tensors in local memory",
     {TILE_MR_PARAM, TILE_V_PARAM, TILE_NB_PARAM, {"E", {1, 2}}},
     fits,
     launch_block,
     cost},
    {0},
};

/* MR and NB belong to the projection: any value would do, and one is enough. */
static const kernel_def expand_depthwise_kernels[] = {
    {"inverted",
     "expand_depthwise",
     "pointwise and depthwise in one, the tensor between in local memory",
     {{"MR", {1}}, TILE_V_PARAM, {"NB", {1}}, {"E", {1}}},
     fits,
     launch_block,
     cost},
    {0},
};

/* ------------------------------------------------------------------ cases */

static value_id add_conv(graph *g, const char *name, value_id x, int64_t out, int k, int stride, int dilation,
                         bool depthwise, const int *pad, value_id residual)
{
    if (x < 0)
        return -1;
    const int64_t  in = g->values[x].shape.dim[3], ci = depthwise ? 1 : in;
    const shape    w = SHAPE(out, ci, k, k), b = SHAPE(out);
    const attrs    a = {.conv = {.kernel = {k, k},
                                 .stride = {stride, stride},
                                 .dilation = {dilation, dilation},
                                 .pad = {pad[0], pad[1], pad[2], pad[3]},
                                 .group = depthwise ? (int)in : 1,
                                 .out_channels = (int)out,
                                 .w = {ci * k * k, (int64_t)k * k, k, 1}}};
    const value_id slots[CONV_INPUTS] = {x, test_const(g, "w", &w), test_const(g, "b", &b), -1, residual};
    return graph_op(g, OP_CONV, name, &a, slots, CONV_INPUTS);
}

static bool gen_block(int i, graph *g, bool project)
{
    static const int no_pad[4] = {0, 0, 0, 0};
    static const struct {
        int  n, h, w, ci, ce, co, k, stride, dilation, pad[4];
        bool residual, swish;
    } cases[] = {
        {1, 14, 14, 16, 96, 16, 3, 1, 1, {1, 1, 1, 1}, true, false},
        {1, 9, 11, 8, 48, 24, 3, 2, 1, {0, 0, 1, 1}, false, false},
        {2, 7, 7, 12, 40, 17, 5, 1, 1, {2, 2, 2, 2}, false, true},
        {1, 6, 6, 5, 15, 5, 3, 1, 1, {1, 1, 1, 1}, true, true},
        {1, 8, 5, 4, 32, 8, 3, 1, 2, {2, 2, 2, 2}, false, false},
        {3, 10, 9, 24, 72, 40, 5, 2, 1, {2, 2, 2, 2}, false, false},
        {1, 1, 1, 8, 16, 8, 3, 1, 1, {1, 1, 1, 1}, true, false},
        {1, 5, 40, 8, 24, 8, 3, 1, 1, {0, 0, 0, 0}, false, false},
    };
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const shape    in = SHAPE(cases[i].n, cases[i].h, cases[i].w, cases[i].ci);
    const act      inner = cases[i].swish ? (act){ACT_HARD_SWISH, 1.0f / 6, 0.5f} : (act){ACT_CLAMP, 0, 6};
    const value_id x = test_input(g, "x", &in);
    const value_id wide = add_conv(g, "expand", x, cases[i].ce, 1, 1, 1, false, no_pad, -1);
    const value_id mid = add_conv(g, "depthwise", wide, cases[i].ce, cases[i].k, cases[i].stride, cases[i].dilation, true,
                                  cases[i].pad, -1);
    const value_id y =
        project ? add_conv(g, "project", mid, cases[i].co, 1, 1, 1, false, no_pad, cases[i].residual ? x : -1) : mid;
    if (y >= 0)
        g->nodes[0]->epi.act = g->nodes[1]->epi.act = inner;
    return fused_case(g, y, project ? 3 : 2, project ? OP_INVERTED : OP_EXPAND_DEPTHWISE);
}

static bool gen_inverted(int i, graph *g)
{
    return gen_block(i, g, true);
}

static bool gen_expand_depthwise(int i, graph *g)
{
    return gen_block(i, g, false);
}

const op_def op_inverted = FUSED_OP("inverted", FUSED_INPUTS, gen_inverted, inverted_kernels);

const op_def op_expand_depthwise = FUSED_OP("expand_depthwise", FUSED_INPUTS, gen_expand_depthwise, expand_depthwise_kernels);
