/* SPDX-License-Identifier: Apache-2.0 */
/* instance_norm: mean and variance of each picture's channel. */
#include <math.h>

#include "ops/rows.h"

enum { X, SCALE, BIAS, RESIDUAL };
/* Fewest pixels that are worth a part of their own. */
#define PART_LENGTH 16

/* [planes][length][columns]: pictures, pixels, channels. */
typedef struct instance_view {
    int64_t planes, length, columns;
} instance_view;

static instance_view view_of(const node_view *v)
{
    const shape *s = &nv_in(v, X)->shape;
    return (instance_view){s->dim[0], shape_product(s, 1, s->rank - 1), s->dim[s->rank - 1]};
}

static status infer(const node_view *v, shape *out)
{
    out[0] = nv_in(v, X)->shape;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    static const char *const names[] = {"input", "scale", "bias"};
    char                     text[SHAPE_TEXT];
    NEED(nv_in(v, X)->shape.rank >= 2, "the input has shape %s, but needs pictures and channels",
         shape_text(&nv_in(v, X)->shape, text));
    for (int i = SCALE; i <= BIAS; i++)
        NEED(shape_count(&nv_in(v, i)->shape) == view_of(v).columns, "%s has shape %s, but there are %lld channels",
             names[i], shape_text(&nv_in(v, i)->shape, text), (long long)view_of(v).columns);
    NEED(view_of(v).length > 0, "the input has shape %s, and no pixels", shape_text(&nv_in(v, X)->shape, text));
    return rows_check_residual(v, RESIDUAL, infer);
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    out->multiplications = 2 * n;
    out->additions = 4 * n;
    for (int i = SCALE; i <= BIAS; i++)
        out->parameters += nv_in(v, i)->data ? (uint64_t)view_of(v).columns : 0;
    out->bytes = 8 * n + 8 * (uint64_t)view_of(v).columns;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const instance_view r = view_of(v);
    for (int64_t i = 0; i < r.planes * r.columns; i++) {
        const int64_t c = i % r.columns, from = i / r.columns * r.length * r.columns + c;
        const float  *x = in[X] + from;
        double        mean = 0, squares = 0;
        for (int64_t k = 0; k < r.length; k++)
            mean += x[k * r.columns];
        mean /= (double)r.length;
        for (int64_t k = 0; k < r.length; k++)
            squares += (x[k * r.columns] - mean) * (x[k * r.columns] - mean);
        const double deviation = sqrt(squares / (double)r.length + (double)v->n->a.norm.epsilon);
        for (int64_t k = 0; k < r.length; k++)
            out[0][from + k * r.columns] = (float)((x[k * r.columns] - mean) / deviation * in[SCALE][c] + in[BIAS][c]);
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

static const struct {
    const char *in;
    float       offset;   /* added to the input: a mean far from 0 */
    bool        constant; /* scale and bias */
    char        epilogue;
    bool        residual;
} cases[] = {
    {"1x8x8x64", 0, true, 0, false},   {"3x7x5x17", 0, true, 1, true}, {"2x33x31x3", 20, true, 0, false},
    {"1x40x40x24", 0, false, 2, true}, {"3x50x5", 0, true, 0, false},  {"2x1x1x8", 0, true, 0, false},
    {"3x4", 0, false, 0, false},       {"2x3x4x5x12", 0, true, 1, false}, {"1x64x64x1", 20, true, 0, false},
};

static bool gen(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof cases[0]))
        return false;
    const shape s = rows_shape(cases[i].in), channels = SHAPE(s.dim[s.rank - 1]);
    value_id (*make)(graph *, const char *, const shape *) = cases[i].constant ? test_const : test_input;
    value_id in[4] = {test_input(g, "x", &s), make(g, "scale", &channels), make(g, "bias", &channels), -1};
    if (cases[i].offset != 0)
        in[X] = graph_op(g, OP_UNARY, "far", &(attrs){.unary.f = {ACT_AFFINE, 1, cases[i].offset}}, &in[X], 1);
    if (cases[i].residual)
        in[RESIDUAL] = test_input(g, "residual", &s);
    const value_id y = graph_op(g, OP_INSTANCE_NORM, "y", &(attrs){.norm = {.epsilon = 1e-5f}}, in, 4);
    rows_epilogue(g, cases[i].epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

static int64_t vectors(const instance_view *r, int v)
{
    return div_up(i64_max(1, r->columns), v);
}

static int64_t parts_of(const instance_view *r, const caps *c, int v)
{
    return rows_parts(c, r->planes * vectors(r, v), r->length, PART_LENGTH);
}

static bool fits_parts(const node_view *v, const caps *c, const int *p)
{
    const instance_view r = view_of(v);
    return parts_of(&r, c, p[0]) > 1;
}

static bool fits(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static double cost_parts(const node_view *v, const caps *c, const int *p)
{
    const instance_view r = view_of(v);
    const int64_t       items = r.planes * vectors(&r, p[0]) * parts_of(&r, c, p[0]);
    return rows_seconds(c, 3.5 * (double)(r.planes * r.length) * rows_steps(c, r.columns, p[0]), items, 3);
}

static double cost_whole(const node_view *v, const caps *c, const int *p)
{
    const instance_view r = view_of(v);
    return rows_seconds(c, 3.0 * (double)(r.planes * r.length) * rows_steps(c, r.columns, p[0]),
                        r.planes * vectors(&r, p[0]), 1);
}

static void arg_view(launch *k, const instance_view *r)
{
    arg_i32(k, r->planes);
    arg_i32(k, r->length);
    arg_i32(k, r->columns);
}

static void launch_whole(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const instance_view r = view_of(v);
    launch             *k = launch_add(out, 2, vectors(&r, p[0]), r.planes, 1);
    (void)c;
    arg_in(k, X);
    arg_in(k, SCALE);
    arg_in(k, BIAS);
    arg_out(k, 0);
    arg_view(k, &r);
    arg_f32(k, v->n->a.norm.epsilon);
    launch_epilogue(k, v, RESIDUAL);
}

static void add_stats(const instance_view *r, int vec, int64_t part, int64_t parts, int partial, launch_list *out)
{
    launch *k = launch_add(out, 3, vectors(r, vec), parts, r->planes);
    arg_in(k, X);
    arg_scratch(k, partial);
    arg_view(k, r);
    arg_i32(k, parts);
    arg_i32(k, part);
}

static void add_apply(const node_view *v, const caps *c, const instance_view *r, int vec, int merged, launch_list *out)
{
    const rows_tile t = rows_share(c, r->planes * r->length, r->columns, vec, 4);
    launch         *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    k->entry = "instance_apply";
    arg_in(k, X);
    arg_scratch(k, merged);
    arg_in(k, BIAS);
    arg_out(k, 0);
    arg_i32(k, r->planes * r->length);
    arg_i32(k, r->length);
    arg_i32(k, r->columns);
    arg_i32(k, t.rows);
    arg_i32(k, t.columns);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_parts(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const instance_view r = view_of(v);
    const int64_t       part = div_up(r.length, parts_of(&r, c, p[0])), parts = div_up(r.length, part);
    const int partial = launch_scratch(out, 2 * sizeof(float) * (size_t)(r.planes * parts * r.columns));
    const int merged = launch_scratch(out, 2 * sizeof(float) * (size_t)(r.planes * r.columns));
    add_stats(&r, p[0], part, parts, partial, out);
    launch *k = launch_add(out, 2, vectors(&r, p[0]), r.planes, 1);
    k->entry = "instance_merge";
    arg_scratch(k, partial);
    arg_in(k, SCALE);
    arg_scratch(k, merged);
    arg_view(k, &r);
    arg_i32(k, parts);
    arg_i32(k, part);
    arg_f32(k, v->n->a.norm.epsilon);
    add_apply(v, c, &r, p[0], merged, out);
}

static const kernel_def kernels[] = {
    {"instance_norm", "instance_stats", "statistics in parts, joined, applied", {{"V", {16, 8, 4, 1}}}, fits_parts,
     launch_parts, cost_parts},
    {"instance_norm", "instance_norm", "vectors of channels", {{"V", {16, 8, 4, 1}}}, fits, launch_whole, cost_whole},
    {0},
};

const op_def op_instance_norm = {
    .name = "instance_norm",
    .min_in = 3,
    .max_in = 4,
    .n_out = 1,
    .flags = OP_EPI_ACT | OP_EPI_RESIDUAL,
    .residual_slot = RESIDUAL,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
