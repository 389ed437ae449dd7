/* SPDX-License-Identifier: Apache-2.0 */
/* softmax and its logarithm along one dimension. */
#include <math.h>

#include "ops/rows.h"

enum { X, RESIDUAL };
/* What an exponential weighs beside a load. */
#define EXP_WEIGHT 12

static status infer(const node_view *v, shape *out)
{
    out[0] = nv_in(v, X)->shape;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    const int axis = v->n->a.softmax.axis, rank = nv_in(v, X)->shape.rank;
    NEED(axis >= 0 && axis < rank, "axis %d lies outside the input's %d dimensions", axis, rank);
    return rows_check_residual(v, RESIDUAL, infer);
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    out->multiplications = 2 * n; /* an exponential counts as one, as a function of `unary` does */
    out->additions = 2 * n;
    out->bytes = 8 * n;
}

/* [planes][length][columns] around the axis. */
typedef struct softmax_view {
    int64_t planes, length, columns;
} softmax_view;

static softmax_view view_of(const node_view *v)
{
    const shape *s = &nv_in(v, X)->shape;
    const int    axis = v->n->a.softmax.axis;
    return (softmax_view){shape_product(s, 0, axis), s->dim[axis], shape_product(s, axis + 1, s->rank)};
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const softmax_view r = view_of(v);
    for (int64_t i = 0; i < r.planes * r.columns; i++) {
        const int64_t at = i / r.columns * r.length * r.columns + i % r.columns;
        const float  *x = in[X] + at;
        float        *y = out[0] + at;
        double        m = -INFINITY, s = 0;
        for (int64_t k = 0; k < r.length; k++)
            m = x[k * r.columns] > m ? x[k * r.columns] : m;
        for (int64_t k = 0; k < r.length; k++)
            s += exp(x[k * r.columns] - m);
        for (int64_t k = 0; k < r.length; k++) {
            const double d = x[k * r.columns] - m;
            y[k * r.columns] = (float)(v->n->a.softmax.log ? d - log(s) : exp(d) / s);
        }
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

typedef struct softmax_case {
    const char *in;
    int         axis;
    bool        log;
    char        epilogue;
    bool        residual;
} softmax_case;

static const softmax_case cases[] = {
    {"1x1000", 1, false, 0, false},  {"3x17", 1, false, 0, false},     {"3x17", 1, true, 0, false},
    {"2", 0, false, 0, false},       {"5x1", 1, false, 0, false},      {"2x3x4x24", 3, false, 1, true},
    {"2x7x5x3", 3, true, 2, true},   {"3x10x7", 1, false, 0, false},   {"3x10x24", 1, true, 0, false},
    {"2x3x5x40", 2, false, 1, true}, {"7x5", 0, false, 0, false},      {"2x5x1x1", 1, true, 0, false},
    {"2x2x3x2x3x2", 4, false, 0, false}, {"200x33", 1, false, 0, false},
};
#define N_CASES ((int)(sizeof cases / sizeof cases[0]))

static bool gen_table(const softmax_case *c, graph *g)
{
    const shape s = rows_shape(c->in);
    value_id    in[2] = {test_input(g, "x", &s), c->residual ? test_input(g, "residual", &s) : -1};
    const attrs a = {.softmax = {c->axis, c->log}};
    const value_id y = graph_op(g, OP_SOFTMAX, "y", &a, in, 2);
    rows_epilogue(g, c->epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* Numbers whose exponentials overflow, rows of minus infinity, and a NaN that spoils its row alone. */
static bool gen_large(int i, graph *g)
{
    const shape    s = SHAPE(4, 21);
    const value_id x = test_const(g, "x", &s);
    if (i >= 4 || x < 0)
        return false;
    float *data = graph_const_data(g, x);
    for (int k = 0; k < 84; k++)
        data[k] = data[k] * 300 + (k % 2 ? 1000 : -1000);
    for (int k = 0; k < 20; k++)
        data[21 + k] = -INFINITY;
    data[2 * 21 + 5] = NAN;
    const attrs    a = {.softmax = {i / 2, i % 2}};
    const value_id y = graph_op(g, OP_SOFTMAX, "y", &a, &x, 1);
    return graph_output(g, y) == SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    return i < N_CASES ? gen_table(&cases[i], g) : gen_large(i - N_CASES, g);
}

/* ------------------------------------------------------------------ rows */

static bool fits_rows(const node_view *v, const caps *c, const int *p)
{
    (void)c, (void)p;
    return view_of(v).columns == 1;
}

static bool fits_group(const node_view *v, const caps *c, const int *p)
{
    return view_of(v).columns == 1 && rows_group_fits(c, p[0], 1, sizeof(float) * (size_t)p[0]);
}

static bool fits_columns(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static rows_tile share_rows(const softmax_view *r, const caps *c)
{
    return rows_share(c, r->planes, 1, 1, (double)(EXP_WEIGHT * i64_max(1, r->length)));
}

static rows_tile share_columns(const softmax_view *r, const caps *c, int vec)
{
    return rows_share(c, r->planes, r->columns, vec, (double)(EXP_WEIGHT * i64_max(1, r->length)));
}

static double cost_rows(const node_view *v, const caps *c, const int *p)
{
    const softmax_view r = view_of(v);
    const double       steps = (double)r.planes * (rows_steps(c, r.length, p[0]) * (EXP_WEIGHT + 3) + 12);
    return rows_seconds(c, steps, share_rows(&r, c).row_items, 1);
}

static double cost_group(const node_view *v, const caps *c, const int *p)
{
    const softmax_view r = view_of(v);
    const double       slow = caps_is_cpu(c) ? 16 : 1; /* barriers cut up a CPU's work-item loop */
    const double       steps = (double)r.planes * ((double)r.length * 1.3 * (EXP_WEIGHT + 3) + p[0]);
    return slow * rows_seconds(c, steps, r.planes * p[0], 1);
}

static double cost_columns(const node_view *v, const caps *c, const int *p)
{
    const softmax_view r = view_of(v);
    const rows_tile    t = share_columns(&r, c, p[0]);
    return rows_seconds(c, (double)(r.planes * r.length) * rows_steps(c, r.columns, p[0]) * (EXP_WEIGHT + 3),
                        t.column_items * t.row_items, 1);
}

static void start(launch *k, const node_view *v, const softmax_view *r)
{
    launch_define(k, "LOG", v->n->a.softmax.log);
    arg_in(k, X);
    arg_out(k, 0);
    arg_i32(k, r->planes);
    arg_i32(k, r->length);
}

static void launch_rows(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const softmax_view r = view_of(v);
    const rows_tile    t = share_rows(&r, c);
    launch            *k = launch_add(out, 1, t.row_items, 1, 1);
    (void)p;
    start(k, v, &r);
    arg_i32(k, t.rows);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_group(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const softmax_view r = view_of(v);
    launch            *k = launch_add(out, 1, r.planes * p[0], 1, 1);
    (void)c;
    launch_local(k, (size_t)p[0], 1, 1);
    start(k, v, &r);
    arg_local(k, sizeof(float) * (size_t)p[0]);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_columns(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const softmax_view r = view_of(v);
    const rows_tile    t = share_columns(&r, c, p[0]);
    launch            *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    start(k, v, &r);
    arg_i32(k, r.columns);
    arg_i32(k, t.columns);
    arg_i32(k, t.rows);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"softmax", "softmax_rows", "vectors along the axis", {{"V", {16, 8, 4, 1}}}, fits_rows, launch_rows, cost_rows},
    {"softmax", "softmax_group", "a work-group a row", {{"G", {256, 64}}}, fits_group, launch_group, cost_group},
    {"softmax", "softmax_columns", "vectors across the axis", {{"V", {16, 8, 4, 1}}}, fits_columns, launch_columns,
     cost_columns},
    {0},
};

const op_def op_softmax = {
    .name = "softmax",
    .min_in = 1,
    .max_in = 2,
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
