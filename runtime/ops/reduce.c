/* SPDX-License-Identifier: Apache-2.0 */
/* reduce: mean, sum, ... over any set of dimensions. */
#include <math.h>

#include "ops/rows.h"

enum { X, RESIDUAL };
/* Fewest elements along the reduced length that are worth a part of their own. */
enum { PART_ROWS = 16, PART_ELEMENTS = 256 };

static const char *const names[] = {
    [REDUCE_MEAN] = "fn_mean", [REDUCE_SUM] = "fn_sum", [REDUCE_MAX] = "fn_max", [REDUCE_MIN] = "fn_min",
    [REDUCE_PROD] = "fn_prod", [REDUCE_L1] = "fn_l1",   [REDUCE_L2] = "fn_l2",   [REDUCE_SUM_SQUARE] = "fn_sum_square",
};
#define N_KINDS ((int)(sizeof names / sizeof names[0]))

static status infer(const node_view *v, shape *out)
{
    const shape       *in = &nv_in(v, X)->shape;
    const attr_reduce *a = &v->n->a.reduce;
    *out = (shape){0};
    for (int i = 0; i < in->rank; i++) {
        const bool reduced = a->axes >> i & 1;
        if (!reduced || a->keepdims)
            out->dim[out->rank++] = reduced ? 1 : in->dim[i];
    }
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    const attr_reduce *a = &v->n->a.reduce;
    const int          kind = (int)a->kind, rank = nv_in(v, X)->shape.rank;
    NEED(kind >= 0 && kind < N_KINDS, "reduction number %d is unknown", kind);
    NEED(a->axes >> rank == 0, "axes (as bits %#x) lie outside the input's %d dimensions", a->axes, rank);
    return rows_check_residual(v, RESIDUAL, infer);
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t    in = (uint64_t)shape_count(&nv_in(v, X)->shape), n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    const reduce_kind k = v->n->a.reduce.kind;
    const bool        squares = k == REDUCE_L2 || k == REDUCE_SUM_SQUARE || k == REDUCE_PROD;
    out->additions = k == REDUCE_PROD ? 0 : in;
    out->multiplications = squares ? in : k == REDUCE_MEAN ? n : 0;
    out->bytes = 4 * (in + n);
}

/* ------------------------------------------------------------------ views */

/* The input's dimensions, kept and reduced ones apart, neighbours of a kind merged and extents of 1 left out. */
typedef struct reduce_view {
    int     kept, reduced;
    int64_t kept_dim[MAX_RANK], kept_stride[MAX_RANK];
    int64_t reduced_dim[MAX_RANK], reduced_stride[MAX_RANK];
    /* as [planes][length][columns], reduced over length, when simple */
    bool    simple;
    int64_t planes, length, columns;
} reduce_view;

static void append(int64_t *dim, int64_t *stride, int *n, int64_t d, int64_t s, bool merge)
{
    if (merge) {
        dim[*n - 1] *= d;
        stride[*n - 1] = s;
        return;
    }
    dim[*n] = d;
    stride[(*n)++] = s;
}

static void view_of(const node_view *v, reduce_view *r)
{
    const shape *in = &nv_in(v, X)->shape;
    int64_t      stride[MAX_RANK];
    int          last = -1, changes = 0; /* last: was the dimension before reduced? */
    bool         first = false;
    *r = (reduce_view){.planes = 1, .length = 1, .columns = 1};
    shape_strides(in, stride);
    for (int i = 0; i < in->rank; i++) {
        const int reduced = (int)(v->n->a.reduce.axes >> i & 1);
        if (in->dim[i] == 1)
            continue;
        if (reduced)
            append(r->reduced_dim, r->reduced_stride, &r->reduced, in->dim[i], stride[i], last == 1);
        else
            append(r->kept_dim, r->kept_stride, &r->kept, in->dim[i], stride[i], last == 0);
        if (last < 0)
            first = reduced;
        changes += last >= 0 && reduced != last;
        last = reduced;
    }
    /* kept, reduced, kept: any of the three may be missing */
    r->simple = r->reduced <= 1 && changes <= 2;
    r->length = r->reduced ? r->reduced_dim[0] : 1;
    if (r->kept == 2) {
        r->planes = r->kept_dim[0];
        r->columns = r->kept_dim[1];
    } else if (r->kept == 1 && (first || !r->reduced)) {
        r->columns = r->kept_dim[0];
    } else if (r->kept == 1) {
        r->planes = r->kept_dim[0];
    }
}

static int64_t offset_of(int64_t i, int n, const int64_t *dim, const int64_t *stride)
{
    int64_t at = 0;
    for (int d = n - 1; d >= 0; d--) {
        at += i % dim[d] * stride[d];
        i /= dim[d];
    }
    return at;
}

static int64_t product(int n, const int64_t *dim)
{
    int64_t p = 1;
    for (int i = 0; i < n; i++)
        p *= dim[i];
    return p;
}

/* ------------------------------------------------------------------ reference */

static double step(reduce_kind k, double s, double x)
{
    switch (k) {
    case REDUCE_MEAN:
    case REDUCE_SUM:
        return s + x;
    case REDUCE_MAX:
        return x > s || x != x ? x : s;
    case REDUCE_MIN:
        return x < s || x != x ? x : s;
    case REDUCE_PROD:
        return s * x;
    case REDUCE_L1:
        return s + fabs(x);
    case REDUCE_L2:
    case REDUCE_SUM_SQUARE:
        return s + x * x;
    }
    return NAN;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const reduce_kind k = v->n->a.reduce.kind;
    const double      start = k == REDUCE_MAX ? -INFINITY : k == REDUCE_MIN ? INFINITY : k == REDUCE_PROD;
    reduce_view       r;
    view_of(v, &r);
    const int64_t outputs = product(r.kept, r.kept_dim), length = product(r.reduced, r.reduced_dim);
    for (int64_t o = 0; o < outputs; o++) {
        const float *from = in[X] + offset_of(o, r.kept, r.kept_dim, r.kept_stride);
        double       s = start;
        for (int64_t i = 0; i < length; i++)
            s = step(k, s, from[offset_of(i, r.reduced, r.reduced_dim, r.reduced_stride)]);
        out[0][o] = (float)(k == REDUCE_MEAN ? s / (double)length : k == REDUCE_L2 ? sqrt(s) : s);
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

typedef struct reduce_case {
    reduce_kind kind;
    const char *in;
    uint32_t    axes;
    bool        keepdims;
    char        epilogue;
    bool        residual;
} reduce_case;

static const reduce_case cases[] = {
    /* global pooling of NHWC */
    {REDUCE_MEAN, "1x7x7x40", 6, true, 0, false},
    {REDUCE_MEAN, "3x5x9x17", 6, true, 1, true},
    {REDUCE_MEAN, "1x32x33x3", 6, false, 0, false},
    {REDUCE_MAX, "2x6x7x24", 6, true, 2, false},
    {REDUCE_MIN, "2x6x7x5", 6, true, 0, false},
    {REDUCE_L2, "1x40x40x16", 6, true, 0, true},
    {REDUCE_SUM, "1x1x1x19", 6, true, 0, false},
    /* the last dimension */
    {REDUCE_SUM, "3x100", 2, false, 0, false},
    {REDUCE_MAX, "2x3x4x67", 8, true, 1, true},
    {REDUCE_L1, "300x5", 2, false, 0, false},
    {REDUCE_SUM_SQUARE, "2x3x1030", 4, true, 0, false},
    {REDUCE_MEAN, "1000x1", 2, true, 0, false},
    /* everything */
    {REDUCE_MEAN, "3x20x20x3", 15, false, 0, false},
    {REDUCE_L2, "1x1x5000", 7, true, 0, false},
    {REDUCE_PROD, "17", 1, false, 0, false},
    {REDUCE_MIN, "", 0, false, 0, false},
    {REDUCE_MAX, "1x1", 3, false, 0, false},
    /* leading dimensions, nothing, and dimensions apart */
    {REDUCE_PROD, "7x3x10", 1, false, 0, false},
    {REDUCE_L1, "2x3x4x5", 7, true, 0, false},
    {REDUCE_SUM_SQUARE, "2x3x5", 0, true, 2, true},
    {REDUCE_SUM, "4x5x6x7", 5, false, 0, false},
    {REDUCE_MAX, "4x5x6x7", 10, true, 1, true},
    {REDUCE_MEAN, "2x3x4x5x6x7", 42, false, 0, false},
    {REDUCE_MIN, "2x2x3x2x3x2x2x3", 85, true, 0, false},
    {REDUCE_L2, "3x1x5x1x9", 17, false, 0, false},
};
#define N_CASES ((int)(sizeof cases / sizeof cases[0]))

static bool gen_table(const reduce_case *c, graph *g)
{
    const shape s = rows_shape(c->in);
    const attrs a = {.reduce = {c->kind, c->axes, c->keepdims}};
    value_id    in[2] = {test_input(g, "x", &s), -1};
    shape       out;
    if (c->kind == REDUCE_PROD) /* a product that half can hold */
        in[X] = graph_op(g, OP_UNARY, "near1", &(attrs){.unary.f = {ACT_AFFINE, 0.3f, 1}}, in, 1);
    if (c->residual) {
        const node n = {.op = OP_REDUCE, .n_in = 1, .in = in, .a = a};
        if (infer(&(node_view){g, &n}, &out) != SEPCL_OK)
            return false;
        in[RESIDUAL] = test_input(g, "residual", &out);
    }
    const value_id y = graph_op(g, OP_REDUCE, "y", &a, in, 2);
    rows_epilogue(g, c->epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* A NaN is the largest and the smallest, wherever it stands; infinities are numbers. */
static bool gen_nan(int i, graph *g)
{
    static const reduce_kind kinds[] = {REDUCE_MAX, REDUCE_MIN};
    const shape              s = SHAPE(2, 20, 18);
    const value_id           x = test_const(g, "x", &s);
    if (i >= 4 || x < 0)
        return false;
    float *data = graph_const_data(g, x);
    data[5] = data[18 * 19 + 17] = data[18 * 20] = NAN;
    data[7] = INFINITY;
    data[8] = -INFINITY;
    const attrs    a = {.reduce = {kinds[i / 2], i % 2 ? 4 : 2, true}};
    const value_id y = graph_op(g, OP_REDUCE, "y", &a, &x, 1);
    return graph_output(g, y) == SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    return i < N_CASES ? gen_table(&cases[i], g) : gen_nan(i - N_CASES, g);
}

/* ------------------------------------------------------------------ rows */

static int64_t vectors(int64_t columns, int v)
{
    return div_up(i64_max(1, columns), v);
}

static bool fits_columns(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    (void)c, (void)p;
    view_of(v, &r);
    return r.simple && r.columns > 1;
}

static int64_t column_parts(const caps *c, const reduce_view *r, int v)
{
    return rows_parts(c, r->planes * vectors(r->columns, v), r->length, PART_ROWS);
}

static bool fits_column_parts(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    return r.simple && r.columns > 1 && column_parts(c, &r, p[0]) > 1;
}

static bool fits_rows(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    (void)c, (void)p;
    view_of(v, &r);
    return r.simple && r.columns == 1;
}

static bool fits_row_parts(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    return fits_rows(v, c, p) && rows_parts(c, r.planes, r.length, PART_ELEMENTS) > 1;
}

/* p: LX, LY, V. A work-group spans 16 vectors of columns, or all of it goes along the length. */
static bool fits_group(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    const bool shaped = r.columns == 1 ? p[0] == 1 && p[1] >= 64 && p[2] == 1
                                       : p[0] == 16 && p[1] == 16 && r.columns % p[2] == 0;
    return r.simple && shaped && rows_group_fits(c, p[0], p[1], sizeof(float) * (size_t)(p[0] * p[1] * p[2]));
}

static bool fits_any(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static double cost_columns(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    const rows_tile t = rows_share(c, r.planes, r.columns, p[0], (double)i64_max(1, r.length));
    return rows_seconds(c, (double)(r.planes * r.length) * rows_steps(c, r.columns, p[0]),
                        t.column_items * t.row_items, 1);
}

static double cost_column_parts(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    const int64_t parts = column_parts(c, &r, p[0]);
    return rows_seconds(c, (double)(r.planes * (r.length + 2 * parts)) * rows_steps(c, r.columns, p[0]),
                        r.planes * vectors(r.columns, p[0]) * parts, 2);
}

static double cost_rows(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    const rows_tile t = rows_share(c, r.planes, 1, 1, (double)i64_max(1, r.length));
    return rows_seconds(c, (double)r.planes * (rows_steps(c, r.length, p[0]) + 4), t.row_items, 1);
}

static double cost_row_parts(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    const int64_t parts = rows_parts(c, r.planes, r.length, PART_ELEMENTS);
    return rows_seconds(c, (double)r.planes * (rows_steps(c, r.length, p[0]) + 4.0 * (double)parts), r.planes * parts,
                        2);
}

static double cost_group(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    view_of(v, &r);
    const int64_t groups = r.planes * div_up(r.columns, p[0] * p[2]);
    const double  elements = (double)(r.planes * r.length * r.columns);
    /* on a CPU every barrier cuts the work-item loop in two, with all variables kept in memory */
    const double slow = caps_is_cpu(c) ? 8 : 1;
    return rows_seconds(c, slow * elements * (p[2] == 4 ? 1 : 1.3), groups * p[0] * p[1], 1);
}

static double cost_any(const node_view *v, const caps *c, const int *p)
{
    reduce_view r;
    (void)p;
    view_of(v, &r);
    const int64_t   outputs = product(r.kept, r.kept_dim), length = product(r.reduced, r.reduced_dim);
    const rows_tile t = rows_share(c, outputs, 1, 1, (double)i64_max(1, length));
    return rows_seconds(c, 4.0 * (double)(outputs * length), t.row_items, 1);
}

static void start(launch *k, const node_view *v)
{
    launch_define_text(k, "FN", names[v->n->a.reduce.kind]);
    arg_in(k, X);
}

/* The second launch of the rows that work in parts. */
static void add_finish(const node_view *v, const caps *c, const int *p, launch_list *out, const reduce_view *r,
                       int scratch, int64_t parts)
{
    const int64_t columns = rows_share(c, r->planes, r->columns, p[0], (double)parts).columns;
    launch       *k = launch_add(out, 2, div_up(r->columns, columns), r->planes, 1);
    k->entry = "reduce_finish";
    launch_define_text(k, "FN", names[v->n->a.reduce.kind]);
    arg_scratch(k, scratch);
    arg_out(k, 0);
    arg_i32(k, r->planes);
    arg_i32(k, parts);
    arg_i32(k, r->columns);
    arg_i32(k, columns);
    arg_i32(k, r->length);
    launch_epilogue(k, v, RESIDUAL);
}

static int partial_sums(launch_list *out, const reduce_view *r, int64_t parts)
{
    return launch_scratch(out, sizeof(float) * (size_t)(r->planes * parts * r->columns));
}

static void launch_columns(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    reduce_view r;
    view_of(v, &r);
    const rows_tile t = rows_share(c, r.planes, r.columns, p[0], (double)i64_max(1, r.length));
    launch         *k = launch_add(out, 3, t.column_items, 1, t.row_items);
    start(k, v);
    arg_out(k, 0);
    arg_i32(k, r.planes);
    arg_i32(k, r.length);
    arg_i32(k, r.columns);
    arg_i32(k, t.columns);
    arg_i32(k, t.rows);
    arg_i32(k, 1);
    arg_i32(k, r.length);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_column_parts(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    reduce_view r;
    view_of(v, &r);
    const int64_t part = div_up(r.length, column_parts(c, &r, p[0])), parts = div_up(r.length, part);
    const int     scratch = partial_sums(out, &r, parts);
    launch       *k = launch_add(out, 3, vectors(r.columns, p[0]), parts, r.planes);
    launch_define(k, "PARTIAL", 1);
    start(k, v);
    arg_scratch(k, scratch);
    arg_i32(k, r.planes);
    arg_i32(k, r.length);
    arg_i32(k, r.columns);
    arg_i32(k, p[0]);
    arg_i32(k, 1);
    arg_i32(k, parts);
    arg_i32(k, part);
    launch_epilogue(k, v, RESIDUAL);
    add_finish(v, c, p, out, &r, scratch, parts);
}

static void launch_rows(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    reduce_view r;
    (void)p;
    view_of(v, &r);
    const rows_tile t = rows_share(c, r.planes, 1, 1, (double)i64_max(1, r.length));
    launch         *k = launch_add(out, 2, 1, t.row_items, 1);
    start(k, v);
    arg_out(k, 0);
    arg_i32(k, r.planes);
    arg_i32(k, r.length);
    arg_i32(k, t.rows);
    arg_i32(k, 1);
    arg_i32(k, r.length);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_row_parts(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    reduce_view r;
    view_of(v, &r);
    const int64_t part = div_up(r.length, rows_parts(c, r.planes, r.length, PART_ELEMENTS));
    const int64_t parts = div_up(r.length, part);
    const int     scratch = partial_sums(out, &r, parts);
    launch       *k = launch_add(out, 2, parts, r.planes, 1);
    launch_define(k, "PARTIAL", 1);
    start(k, v);
    arg_scratch(k, scratch);
    arg_i32(k, r.planes);
    arg_i32(k, r.length);
    arg_i32(k, 1);
    arg_i32(k, parts);
    arg_i32(k, part);
    launch_epilogue(k, v, RESIDUAL);
    add_finish(v, c, p, out, &r, scratch, parts);
}

static void launch_group(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    reduce_view r;
    (void)c;
    view_of(v, &r);
    launch *k = launch_add(out, 2, div_up(r.columns, p[0] * p[2]) * p[0], r.planes * p[1], 1);
    launch_local(k, (size_t)p[0], (size_t)p[1], 1);
    start(k, v);
    arg_out(k, 0);
    arg_i32(k, r.planes);
    arg_i32(k, r.length);
    arg_i32(k, r.columns);
    arg_local(k, sizeof(float) * (size_t)(p[0] * p[1] * p[2]));
    launch_epilogue(k, v, RESIDUAL);
}

/* The table of reduce_any. */
static void fill_table(const node_view *v, const int *p, void *dst)
{
    reduce_view r;
    int32_t    *t = dst;
    (void)p;
    view_of(v, &r);
    for (int i = 0; i < r.kept; i++) {
        t[i] = (int32_t)r.kept_dim[i];
        t[r.kept + i] = (int32_t)r.kept_stride[i];
    }
    t += 2 * r.kept;
    for (int i = 0; i < r.reduced - 1; i++) {
        t[i] = (int32_t)r.reduced_dim[i];
        t[r.reduced - 1 + i] = (int32_t)r.reduced_stride[i];
    }
}

static void launch_any(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    reduce_view r;
    (void)p;
    view_of(v, &r);
    const int       outer = r.reduced > 1 ? r.reduced - 1 : 0;
    const int64_t   outputs = product(r.kept, r.kept_dim), outer_length = product(outer, r.reduced_dim);
    const int64_t   run = r.reduced ? r.reduced_dim[outer] : 1, run_stride = r.reduced ? r.reduced_stride[outer] : 1;
    const rows_tile t = rows_share(c, outputs, 1, 1, (double)i64_max(1, outer_length * run));
    launch         *k = launch_add(out, 1, t.row_items, 1, 1);
    start(k, v);
    arg_out(k, 0);
    arg_packed(k, launch_pack(out, DT_I32, (size_t)i64_max(1, 2 * (r.kept + outer)), false, fill_table));
    arg_i32(k, r.kept);
    arg_i32(k, outer);
    arg_i32(k, outer_length);
    arg_i32(k, run);
    arg_i32(k, run_stride);
    arg_i32(k, outputs);
    arg_i32(k, t.rows);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"reduce", "reduce_columns", "vectors across what is kept", {{"V", {16, 8, 4, 1}}}, fits_columns, launch_columns,
     cost_columns},
    {"reduce", "reduce_columns", "the same in parts, then joined", {{"V", {16, 8, 4, 1}}}, fits_column_parts,
     launch_column_parts, cost_column_parts},
    {"reduce", "reduce_rows", "vectors along what is reduced", {{"V", {16, 8, 4, 1}}}, fits_rows, launch_rows,
     cost_rows},
    {"reduce", "reduce_rows", "the same in parts, then joined", {{"V", {16, 8, 4, 1}}}, fits_row_parts,
     launch_row_parts, cost_row_parts},
    {"reduce", "reduce_group", "a work-group a result", {{"LX", {16, 1}}, {"LY", {16, 64, 256}}, {"V", {4, 1}}},
     fits_group, launch_group, cost_group},
    {"reduce", "reduce_any", "any dimensions", {{"V", {1}}}, fits_any, launch_any, cost_any},
    {0},
};

const op_def op_reduce = {
    .name = "reduce",
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
