/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Squeeze and excite in two launches: squeeze is the mean of each channel and the pointwise convolution after it
 * (sub[0], sub[1]); excite is the second pointwise convolution and the product with its gate.
 */
#include "base/size.h"
#include "ops/fused.h"

/* ------------------------------------------------------------------ what they stand for */

static bool plain(const node *n)
{
    return n->epi.act.kind == ACT_NONE && n->epi.act2.kind == ACT_NONE;
}

/* A pointwise convolution of one pixel an image: a matrix product. */
static bool of_one_pixel(const node_view *v)
{
    if (v->n->op != OP_CONV)
        return false;
    const conv_geometry g = conv_geometry_of(v);
    return g.pointwise && g.in.h == 1 && g.in.w == 1;
}

bool squeeze_matches(const node_view *parts)
{
    const node *r = parts[0].n;
    return r->op == OP_REDUCE && r->a.reduce.kind == REDUCE_MEAN && r->a.reduce.axes == 6u && r->n_in == 1 && plain(r) &&
           nv_in(&parts[0], 0)->shape.rank == 4 && of_one_pixel(&parts[1]) && !nv_has(&parts[1], CONV_RES);
}

bool excite_matches(const node_view *parts)
{
    const node *m = parts[1].n;
    if (!of_one_pixel(&parts[0]) || !fused_inner_part(parts[0].n) || m->op != OP_BINARY || m->a.binary.kind != BINARY_MUL ||
        nv_has(&parts[1], 2))
        return false;
    const shape *gate = &nv_out(&parts[0], 0)->shape;
    const value *x = nv_in(&parts[1], m->in[0] == parts[0].n->out[0]);
    return !x->data && x->shape.rank == 4 && x->shape.dim[0] == gate->dim[0] && x->shape.dim[3] == gate->dim[3];
}

/* The values of a fused excite: FUSED_X is the small vector, EXCITE_X the tensor that is gated. */
enum { EXCITE_X = FUSED_INPUTS, EXCITE_INPUTS };

status excite_finish(graph *g, node *fused)
{
    const node *conv = fused->sub[0], *product = fused->sub[1];
    value_id   *in = arena_array(&g->memory, EXCITE_INPUTS, sizeof *in);
    if (!in)
        return SEPCL_OUT_OF_MEMORY;
    in[FUSED_X] = conv->in[CONV_X];
    in[FUSED_RES] = -1;
    in[EXCITE_X] = product->in[product->in[0] == conv->out[0]];
    fused->in = in;
    fused->n_in = EXCITE_INPUTS;
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

enum { SE_V, SE_NB };
#define SE_PARAMS {{"V", {16, 8, 4, 1}}, {"NB", {4, 2, 1}}}

static int64_t block_columns(const int *p)
{
    return (int64_t)p[SE_V] * p[SE_NB];
}

static bool fits_vectors(const caps *c, const int *p)
{
    if (p[SE_V] <= 4 && p[SE_NB] == 1)
        return true;
    return caps_is_cpu(c) ? p[SE_V] >= c->simd_width && (c->simd_width == 1 || p[SE_V] <= 2 * c->simd_width) : p[SE_V] * p[SE_NB] <= 16;
}

static bool fits_squeeze(const node_view *v, const caps *c, const int *p)
{
    const node_view     part = nv_sub(v, 1);
    const conv_geometry g = conv_geometry_of(&part);
    const nhwc          x = shape_nhwc(&nv_in(v, FUSED_X)->shape);
    /* all items take all means: about a launch's worth of work at most */
    return caps_is_cpu(c) && c->compute_units <= 8 && fits_vectors(c, p) && g.ci * (int64_t)sizeof(float) <= c->local_bytes &&
           x.h * x.w * x.c <= 32768 * (int64_t)i64_max(1, c->simd_width);
}

/* Halves of vectors, too, where pixels are so many channels apart that whole ones would straddle lines of the cache. */
static bool fits_excite(const node_view *v, const caps *c, const int *p)
{
    const int64_t channels = shape_nhwc(&nv_in(v, EXCITE_X)->shape).c;
    const bool    half = caps_is_cpu(c) && 2 * p[SE_V] == c->simd_width && p[SE_V] > 4;
    return fits_vectors(c, p) || (half && channels % p[SE_V] == 0 && channels % c->simd_width != 0);
}

/* Prefers blocks that leave every core something to do, then wide ones. */
static double block_cost(const caps *c, const int *p, int64_t co, double work)
{
    const int64_t blocks = div_up(co, block_columns(p)), units = i64_max(1, c->compute_units);
    const double  wide = (double)block_columns(p) / (double)i64_max(1, c->simd_width);
    return (double)div_up(blocks, units) * work * (wide < 4 ? wide + 0.5 : wide);
}

static double cost_squeeze(const node_view *v, const caps *c, const int *p)
{
    const node_view     part = nv_sub(v, 1);
    const conv_geometry g = conv_geometry_of(&part);
    return block_cost(c, p, g.co, (double)g.ci);
}

static double cost_excite(const node_view *v, const caps *c, const int *p)
{
    const node_view     part = nv_sub(v, 0);
    const conv_geometry g = conv_geometry_of(&part);
    const nhwc          x = shape_nhwc(&nv_in(v, EXCITE_X)->shape);
    /* a vector that straddles two lines is stored twice */
    return block_cost(c, p, g.co, (double)(g.ci + x.h * x.w)) * (g.co % p[SE_V] ? 1.5 : 1);
}

/* gemm.c's packing takes MR, V, NB. */
static void fill(const node_view *v, const int *p, void *dst, int which, bool bias)
{
    const node_view part = nv_sub(v, which);
    const int       tile[] = {1, p[SE_V], p[SE_NB]};
    if (bias)
        gemm_fill_bias(&part, tile, dst);
    else
        gemm_fill_weights(&part, tile, dst);
}

static void fill_squeeze(const node_view *v, const int *p, void *dst)
{
    fill(v, p, dst, 1, false);
}

static void fill_squeeze_bias(const node_view *v, const int *p, void *dst)
{
    fill(v, p, dst, 1, true);
}

static void fill_excite(const node_view *v, const int *p, void *dst)
{
    fill(v, p, dst, 0, false);
}

static void fill_excite_bias(const node_view *v, const int *p, void *dst)
{
    fill(v, p, dst, 0, true);
}

static void launch_squeeze(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const node_view     part = nv_sub(v, 1);
    const conv_geometry g = conv_geometry_of(&part);
    const nhwc          x = shape_nhwc(&nv_in(v, FUSED_X)->shape);
    const int64_t       nr = block_columns(p), blocks = div_up(g.co, nr);
    const int64_t       share = div_up(blocks, i64_min(blocks, i64_max(1, c->compute_units)));
    const int           w = launch_pack(out, DT_F32, (size_t)(blocks * nr * g.ci), true, fill_squeeze);
    const int           b = launch_pack(out, DT_F32, (size_t)(blocks * nr), false, fill_squeeze_bias);
    launch             *k = launch_add(out, 1, div_up(blocks, share), 1, 1);
    launch_local(k, 1, 1, 1);
    arg_in(k, FUSED_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_out(k, 0);
    arg_local(k, (size_t)g.ci * sizeof(float));
    const int64_t numbers[] = {x.n, x.h * x.w, g.ci, g.co, share};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_epilogue(k, v, FUSED_RES);
}

static void launch_excite(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const node_view     part = nv_sub(v, 0);
    const conv_geometry g = conv_geometry_of(&part);
    const nhwc          x = shape_nhwc(&nv_in(v, EXCITE_X)->shape);
    const int64_t       nr = block_columns(p), blocks = div_up(g.co, nr);
    const int           w = launch_pack(out, DT_F32, (size_t)(blocks * nr * g.ci), true, fill_excite);
    const int           b = launch_pack(out, DT_F32, (size_t)(blocks * nr), false, fill_excite_bias);
    launch             *k = launch_add(out, 2, blocks, i64_max(1, x.n), 1);
    (void)c;
    arg_in(k, FUSED_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_in(k, EXCITE_X);
    arg_out(k, 0);
    const int64_t numbers[] = {x.n, x.h * x.w, g.ci, g.co};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(k, numbers[i]);
    launch_inner_act(k, "GATE", &part);
    launch_epilogue(k, v, FUSED_RES);
}

static const kernel_def squeeze_kernels[] = {
    {"squeeze", "squeeze", "mean and product in one", SE_PARAMS, fits_squeeze, launch_squeeze, cost_squeeze},
    {0},
};

static const kernel_def excite_kernels[] = {
    {"squeeze", "excite", "gate and product in one", SE_PARAMS, fits_excite, launch_excite, cost_excite},
    {0},
};

/* ------------------------------------------------------------------ cases */

static const struct {
    int n, h, w, c, r;
} cases[] = {{1, 14, 14, 96, 24}, {2, 5, 7, 40, 17}, {1, 7, 7, 200, 72}, {3, 1, 1, 5, 3}, {1, 3, 11, 33, 64}};

static value_id pointwise(graph *g, value_id x, int64_t out, act f)
{
    const int64_t  in = g->values[x].shape.dim[3];
    const shape    w = SHAPE(out, in), b = SHAPE(out);
    const attrs    a = {.conv = {.kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}, .group = 1,
                                 .out_channels = (int)out, .w = {in, 1, 1, 1}}};
    const value_id y = graph_op(g, OP_CONV, "pointwise", &a,
                                (value_id[]){x, test_const(g, "w", &w), test_const(g, "b", &b)}, 3);
    if (y >= 0)
        g->nodes[g->n_nodes - 1]->epi.act = f;
    return y;
}

static bool gen_squeeze(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const shape    s = SHAPE(cases[i].n, cases[i].h, cases[i].w, cases[i].c);
    const value_id x = test_input(g, "x", &s);
    const attrs    mean = {.reduce = {REDUCE_MEAN, 6u, true}};
    const value_id m = graph_op(g, OP_REDUCE, "mean", &mean, &x, 1);
    const value_id y = m < 0 ? -1 : pointwise(g, m, cases[i].r, (act){ACT_CLAMP, 0, 6});
    return fused_case(g, y, 2, OP_SQUEEZE);
}

static bool gen_excite(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const shape    s = SHAPE(cases[i].n, cases[i].h, cases[i].w, cases[i].c), small = SHAPE(cases[i].n, 1, 1, cases[i].r);
    const value_id x = test_input(g, "x", &s), v = test_input(g, "v", &small);
    const value_id gate = pointwise(g, v, cases[i].c, (act){ACT_HARD_SIGMOID, 1.0f / 6, 0.5f});
    const value_id in[] = {i % 2 ? gate : x, i % 2 ? x : gate};
    const value_id y = gate < 0 ? -1 : graph_op(g, OP_BINARY, "product", &(attrs){.binary.kind = BINARY_MUL}, in, 2);
    node          *fused;
    if (y < 0 || graph_output(g, y) != SEPCL_OK)
        return false;
    if (i == 2)
        g->nodes[1]->epi.act = (act){ACT_CLAMP, 0, 1};
    if (fuse_nodes(g, (int[]){0, 1}, 2, OP_EXCITE, &fused) != SEPCL_OK || excite_finish(g, fused) != SEPCL_OK)
        return false;
    graph_compact(g);
    return true;
}

const op_def op_squeeze = FUSED_OP("squeeze", FUSED_INPUTS, gen_squeeze, squeeze_kernels);

const op_def op_excite = FUSED_OP("excite", EXCITE_INPUTS, gen_excite, excite_kernels);
