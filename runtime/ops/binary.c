/* SPDX-License-Identifier: Apache-2.0 */
/* binary: a function of two operands with NumPy broadcasting. */
#include <math.h>

#include "ops/broadcast.h"
#include "ops/rows.h"

enum { A, B, RESIDUAL };
#define NARROW_MAX 8

static const char *const names[BINARY_COUNT] = {
#define BINARY(NAME, fn, layer) [BINARY_##NAME] = #fn,
#include "ir/binaries.inc"
#undef BINARY
};

static status infer(const node_view *v, shape *out)
{
    char         a[SHAPE_TEXT], b[SHAPE_TEXT];
    const shape *sa = &nv_in(v, A)->shape, *sb = &nv_in(v, B)->shape;
    NEED(shape_broadcast(sa, sb, out), "shapes %s and %s cannot be broadcast to each other", shape_text(sa, a),
         shape_text(sb, b));
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    const int kind = (int)v->n->a.binary.kind;
    NEED(kind >= 0 && kind < BINARY_COUNT, "binary function number %d is unknown", kind);
    return rows_check_residual(v, RESIDUAL, infer);
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t    n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    const binary_kind k = v->n->a.binary.kind;
    out->bytes = 4 * n;
    if (k == BINARY_MUL || k == BINARY_DIV || k == BINARY_POW || k == BINARY_PRELU || k >= BINARY_MOD)
        out->multiplications = n;
    else
        out->additions = n;
    for (int i = 0; i < v->n->n_in; i++) {
        const value *in = nv_in(v, i);
        if (!in)
            continue;
        out->bytes += 4 * (uint64_t)shape_count(&in->shape);
        /* a constant scalar is part of the formula; a constant tensor was learnt */
        if (in->data && shape_count(&in->shape) > 1)
            out->parameters += (uint64_t)shape_count(&in->shape);
    }
}

/* The remainder with the divisor's sign. */
static double floor_mod(double x, double y)
{
    const double r = fmod(x, y);
    return r == 0 ? copysign(0, y) : (r < 0) != (y < 0) ? r + y : r;
}

static double apply(binary_kind kind, double x, double y)
{
    switch (kind) {
    case BINARY_ADD:
        return x + y;
    case BINARY_SUB:
        return x - y;
    case BINARY_MUL:
        return x * y;
    case BINARY_DIV:
        return x / y;
    case BINARY_POW:
        return pow(x, y);
    case BINARY_MIN:
        return x < y || x != x ? x : y;
    case BINARY_MAX:
        return x > y || x != x ? x : y;
    case BINARY_PRELU:
        return x < 0 ? x * y : x;
    case BINARY_EQUAL:
        return x == y;
    case BINARY_LESS:
        return x < y;
    case BINARY_LESS_EQUAL:
        return x <= y;
    case BINARY_MOD:
        return floor_mod(x, y);
    case BINARY_FMOD:
        return fmod(x, y);
    case BINARY_COUNT:
        break;
    }
    return NAN;
}

static void collapse(const node_view *v, broadcast *r)
{
    shape out = {0};
    shape_broadcast(&nv_in(v, A)->shape, &nv_in(v, B)->shape, &out);
    broadcast_collapse(&nv_in(v, A)->shape, &nv_in(v, B)->shape, &out, r);
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    broadcast r;
    collapse(v, &r);
    const int64_t n = shape_count(&nv_out(v, 0)->shape);
    for (int64_t i = 0; i < n; i++) {
        int64_t a = 0, b = 0, rest = i;
        for (int d = r.rank - 1; d >= 0; d--) {
            a += rest % r.dim[d] * r.a[d];
            b += rest % r.dim[d] * r.b[d];
            rest /= r.dim[d];
        }
        out[0][i] = (float)apply(v->n->a.binary.kind, in[A][a], in[B][b]);
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

typedef struct binary_case {
    binary_kind kind;
    const char *a, *b;
    char        constant; /* which operand is a constant */
    char        epilogue;
    bool        residual;
} binary_case;

static const binary_case cases[] = {
    /* one shape, every function */
    {BINARY_ADD, "1x5x7x3", "1x5x7x3", 0, 0, false},
    {BINARY_SUB, "3x4x4x17", "3x4x4x17", 0, 1, false},
    {BINARY_MUL, "2x100", "2x100", 0, 2, true},
    {BINARY_DIV, "67", "67", 0, 0, false},
    {BINARY_POW, "3x5x5x5", "3x5x5x5", 0, 0, false},
    {BINARY_MIN, "2x3x5x7x1", "2x3x5x7x1", 0, 0, false},
    {BINARY_MAX, "2x3x1x5x7x2", "2x3x1x5x7x2", 0, 0, false},
    {BINARY_PRELU, "1x6x6x24", "1x6x6x24", 0, 0, false},
    {BINARY_ADD, "1x64x64x24", "1x64x64x24", 0, 1, true},
    {BINARY_LESS, "2x3x5x7", "2x3x5x7", 0, 0, false},
    {BINARY_LESS_EQUAL, "2x3x5x7", "7", 'b', 0, false},
    {BINARY_MOD, "1x5x7x3", "1x5x7x3", 0, 0, false},
    {BINARY_FMOD, "1x5x7x24", "24", 'b', 0, false},
    /* a scalar on either side */
    {BINARY_MUL, "1x7x7x17", "", 'b', 1, false},
    {BINARY_SUB, "1", "2x3x5x7", 'a', 0, true},
    {BINARY_DIV, "1x1x1x1", "3x33", 0, 0, false},
    {BINARY_MAX, "1x9x9x3", "1x1x1x1", 'b', 0, false},
    {BINARY_ADD, "", "", 0, 0, false},
    {BINARY_SUB, "1x1x1", "1", 0, 0, false},
    /* a channel's own */
    {BINARY_ADD, "1x7x9x40", "40", 'b', 1, false},
    {BINARY_SUB, "2x16x16x3", "3", 'b', 0, false},
    {BINARY_DIV, "1x1x1x3", "3x16x16x3", 0, 2, false},
    {BINARY_PRELU, "1x6x6x17", "1x1x17", 'b', 0, false},
    {BINARY_PRELU, "5", "3x4x4x5", 'a', 0, false},
    {BINARY_MUL, "1x1x1x5", "2x33x5", 0, 0, true},
    {BINARY_MIN, "3x7x7x8", "1x1x1x8", 0, 1, true},
    {BINARY_ADD, "300x2", "2", 'b', 0, false},
    /* a picture's and channel's own: squeeze and excite */
    {BINARY_MUL, "3x5x7x24", "3x1x1x24", 0, 0, false},
    {BINARY_MUL, "2x1x1x17", "2x6x6x17", 0, 2, true},
    {BINARY_MUL, "1x40x40x96", "1x1x1x96", 0, 0, false},
    {BINARY_SUB, "3x5x5x1", "3x1x1x1", 0, 0, false},
    /* a pixel's own */
    {BINARY_MUL, "2x5x6x19", "2x5x6x1", 0, 1, false},
    {BINARY_DIV, "12x1", "12x50", 0, 0, false},
    {BINARY_SUB, "2x3x4x9", "1x3x4x1", 0, 0, true},
    /* both sides repeated, and what is left */
    {BINARY_ADD, "7x1", "1x19", 0, 0, false},
    {BINARY_MUL, "2x1x4x1x6", "3x1x5x6", 0, 1, true},
    {BINARY_SUB, "3x1x5x1x7x1", "1x4x1x6x1x8", 0, 0, false},
    {BINARY_MAX, "2x1x2x1x2x1x2x3", "1x3x1x3x1x3x1x3", 0, 0, false},
    {BINARY_ADD, "2x3x4x5", "3x1x5", 0, 0, false},
    {BINARY_PRELU, "2x3x4x5", "2x1x4x1", 0, 0, false},
};
#define N_CASES ((int)(sizeof cases / sizeof cases[0]))

static value_id make_operand(graph *g, const binary_case *c, char which)
{
    const shape s = rows_shape(which == 'a' ? c->a : c->b);
    const char  name[] = {which, 0};
    value_id    x = c->constant == which ? test_const(g, name, &s) : test_input(g, name, &s);
    if (c->kind == BINARY_POW && which == 'a') /* powers of a negative number are mostly NaN */
        x = graph_op(g, OP_UNARY, "positive", &(attrs){.unary.f = {ACT_AFFINE, 0.4f, 0.6f}}, &x, 1);
    if ((c->kind == BINARY_DIV || c->kind >= BINARY_MOD) && which == 'b') /* quotients of one magnitude */
        x = graph_op(g, OP_UNARY, "apart", &(attrs){.unary.f = {ACT_AFFINE, 0.4f, 1}}, &x, 1);
    return x;
}

static bool gen_table(const binary_case *c, graph *g)
{
    value_id in[3] = {make_operand(g, c, 'a'), make_operand(g, c, 'b'), -1};
    shape    out;
    if (c->residual) {
        shape_broadcast(&g->values[in[A]].shape, &g->values[in[B]].shape, &out);
        in[RESIDUAL] = test_input(g, "residual", &out);
    }
    const value_id y = graph_op(g, OP_BINARY, "y", &(attrs){.binary.kind = c->kind}, in, c->residual ? 3 : 2);
    rows_epilogue(g, c->epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* Values with a meaning of their own: integer powers of negative numbers, the square's short cut, NaN and infinity. */
static const struct {
    binary_kind kind;
    float       x[4], y[4];
    int         n_y;
} special[] = {
    {BINARY_POW, {-1.5f, -0.5f, 2, 0}, {2}, 1},
    {BINARY_POW, {-1.5f, -0.5f, 2, 3}, {3}, 1},
    {BINARY_POW, {-1.5f, -0.5f, 2, 4}, {-1, 3, 0.5f, 0}, 4},
    {BINARY_POW, {-1.5f, -2, 0, 1}, {0.5f, 2, 0, NAN}, 4},
    {BINARY_MAX, {NAN, 1, -1, NAN}, {1, NAN, -2, NAN}, 4},
    {BINARY_MIN, {NAN, 1, -1, INFINITY}, {1, NAN, -2, 3}, 4},
    {BINARY_MIN, {NAN, 1, -1, INFINITY}, {NAN}, 1},
    {BINARY_PRELU, {NAN, -1, INFINITY, -INFINITY}, {2, 0.5f, 0.5f, 0.25f}, 4},
    {BINARY_DIV, {1, -1, 0, 3}, {0, 0, 0, INFINITY}, 4},
    {BINARY_ADD, {NAN, INFINITY, INFINITY, -INFINITY}, {1, 1, -INFINITY, NAN}, 4},
    {BINARY_SUB, {NAN, INFINITY, INFINITY, -INFINITY}, {1, 1, INFINITY, NAN}, 4},
    {BINARY_MUL, {NAN, INFINITY, INFINITY, -INFINITY}, {0, 0, -2, 0.5f}, 4},
    {BINARY_EQUAL, {NAN, 1, INFINITY, -0.0f}, {NAN, 1, INFINITY, 0}, 4},
    {BINARY_EQUAL, {0.5f, 1, -INFINITY, 0.25f}, {0.5f}, 1},
    {BINARY_LESS, {NAN, 1, -INFINITY, 2}, {1, NAN, INFINITY, 2}, 4},
    {BINARY_LESS_EQUAL, {NAN, 1, INFINITY, 2}, {1, NAN, INFINITY, 2}, 4},
    {BINARY_MOD, {-4.5f, 4.5f, 5, -5}, {2, -2, -INFINITY, INFINITY}, 4},
    {BINARY_MOD, {-4, 1, NAN, INFINITY}, {2, 0, 2, 3}, 4},
    {BINARY_FMOD, {-4.5f, 4.5f, 5, -5}, {2, -2, -INFINITY, INFINITY}, 4},
    {BINARY_FMOD, {-4, 1, NAN, INFINITY}, {2, 0, 2, 3}, 4},
};
#define N_SPECIAL ((int)(sizeof special / sizeof special[0]))

static bool gen_special(int i, graph *g)
{
    const shape    sx = SHAPE(5, 4), sy = SHAPE(special[i].n_y);
    const value_id x = graph_const(g, "x", DT_F32, &sx, NULL, true);
    const value_id y = graph_const(g, "y", DT_F32, &sy, special[i].y, true);
    if (x < 0 || y < 0)
        return false;
    for (int k = 0; k < 20; k++)
        graph_const_data(g, x)[k] = special[i].x[k % 4];
    const value_id z = graph_op(g, OP_BINARY, "z", &(attrs){.binary.kind = special[i].kind}, (value_id[]){x, y}, 2);
    return graph_output(g, z) == SEPCL_OK;
}

static bool gen(int i, graph *g)
{
    if (i < N_CASES)
        return gen_table(&cases[i], g);
    return i < N_CASES + N_SPECIAL && gen_special(i - N_CASES, g);
}

/* ------------------------------------------------------------------ rows */

static bool fits_flat(const node_view *v, const caps *c, const int *p)
{
    broadcast r;
    (void)c, (void)p;
    collapse(v, &r);
    return r.rank == 1;
}

/* One operand is a few channels that repeat along the other: [rows][channels] with row strides channels and 0. */
static bool fits_narrow(const node_view *v, const caps *c, const int *p)
{
    broadcast r;
    (void)c;
    collapse(v, &r);
    return r.rank == 2 && p[0] > 1 && r.dim[1] <= NARROW_MAX && r.a[1] && r.b[1] && (r.a[0] == 0 || r.b[0] == 0);
}

static bool fits_rows(const node_view *v, const caps *c, const int *p)
{
    broadcast r;
    (void)c, (void)p;
    collapse(v, &r);
    return r.rank <= 3;
}

static bool fits_any(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static int64_t total(const broadcast *r)
{
    int64_t n = 1;
    for (int d = 0; d < r->rank; d++)
        n *= r->dim[d];
    return n;
}

/* Loads of an element: what a function weighs beside them is small, but for the power. */
static double weight(const node_view *v)
{
    return v->n->a.binary.kind == BINARY_POW ? 20 : 2;
}

static double cost_flat(const node_view *v, const caps *c, const int *p)
{
    broadcast r;
    collapse(v, &r);
    const rows_tile t = rows_share(c, 1, total(&r), p[0], weight(v));
    return rows_seconds(c, rows_steps(c, total(&r), p[0]), t.column_items, 1);
}

static double cost_narrow(const node_view *v, const caps *c, const int *p)
{
    broadcast r;
    collapse(v, &r);
    const rows_tile t = rows_share(c, 1, total(&r), p[0] * (int)r.dim[1], weight(v));
    return 1.05 * rows_seconds(c, rows_steps(c, total(&r), p[0]) + 4.0 * (double)t.column_items, t.column_items, 1);
}

static double cost_rows(const node_view *v, const caps *c, const int *p, double row_overhead)
{
    broadcast r;
    collapse(v, &r);
    const int64_t   columns = r.dim[r.rank - 1], rows = columns ? total(&r) / columns : 0;
    const rows_tile t = rows_share(c, rows, columns, p[0], weight(v));
    const double    steps = (double)rows * (rows_steps(c, columns, p[0]) + row_overhead * (double)t.column_items);
    return rows_seconds(c, steps, t.column_items * t.row_items, 1);
}

static double cost_planes(const node_view *v, const caps *c, const int *p)
{
    return cost_rows(v, c, p, 1);
}

static double cost_any(const node_view *v, const caps *c, const int *p)
{
    return cost_rows(v, c, p, 4);
}

/* x to a constant 2, what exported layer norms are full of, is a multiplication. */
static const char *function_name(const node_view *v)
{
    const value *b = nv_in(v, B);
    const bool   two = b->data && shape_count(&b->shape) == 1 && data_float(b->type, b->data, 0) == 2;
    return v->n->a.binary.kind == BINARY_POW && two ? "fn_square" : names[v->n->a.binary.kind];
}

static void add_common(launch *k, const node_view *v, const broadcast *r)
{
    launch_define_text(k, "FN", function_name(v));
    launch_define(k, "A_STEP", r->a[r->rank - 1] != 0);
    launch_define(k, "B_STEP", r->b[r->rank - 1] != 0);
    arg_in(k, A);
    arg_in(k, B);
    arg_out(k, 0);
}

static void launch_flat(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    broadcast r;
    collapse(v, &r);
    const rows_tile t = rows_share(c, 1, r.dim[0], p[0], weight(v));
    launch         *k = launch_add(out, 1, t.column_items, 1, 1);
    add_common(k, v, &r);
    arg_i32(k, r.dim[0]);
    arg_i32(k, t.columns);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_narrow(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    broadcast r;
    collapse(v, &r);
    const int64_t n = total(&r), pattern = p[0] * r.dim[1];
    const int64_t columns = round_up(rows_share(c, 1, n, (int)pattern, weight(v)).columns, pattern);
    launch       *k = launch_add(out, 1, div_up(n, columns), 1, 1);
    launch_define_text(k, "FN", function_name(v));
    launch_define(k, "A_STEP", r.a[0] != 0);
    launch_define(k, "NARROW", (int)r.dim[1]);
    arg_in(k, A);
    arg_in(k, B);
    arg_out(k, 0);
    arg_i32(k, n);
    arg_i32(k, columns);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_rows(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    broadcast r;
    collapse(v, &r);
    const int     last = r.rank - 1;
    const int64_t columns = r.dim[last], rows = columns ? total(&r) / columns : 0;
    const int64_t plane_rows = last ? i64_max(1, r.dim[last - 1]) : 1;
    const rows_tile t = rows_share(c, rows, columns, p[0], weight(v));
    launch         *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    add_common(k, v, &r);
    arg_i32(k, rows);
    arg_i32(k, columns);
    arg_i32(k, t.rows);
    arg_i32(k, t.columns);
    arg_i32(k, plane_rows);
    arg_i32(k, last > 1 ? r.a[0] : 0);
    arg_i32(k, last ? r.a[last - 1] : 0);
    arg_i32(k, last > 1 ? r.b[0] : 0);
    arg_i32(k, last ? r.b[last - 1] : 0);
    launch_epilogue(k, v, RESIDUAL);
}

/* The table of binary_any: extents and both strides of every dimension but the last. */
static void fill_table(const node_view *v, const int *p, void *dst)
{
    broadcast r;
    int32_t  *table = dst;
    (void)p;
    collapse(v, &r);
    const int outer = r.rank - 1;
    for (int d = 0; d < outer; d++) {
        table[d] = (int32_t)r.dim[d];
        table[outer + d] = (int32_t)r.a[d];
        table[2 * outer + d] = (int32_t)r.b[d];
    }
}

static void launch_any(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    broadcast r;
    collapse(v, &r);
    const int       outer = r.rank - 1;
    const int64_t   columns = r.dim[outer], rows = columns ? total(&r) / columns : 0;
    const rows_tile t = rows_share(c, rows, columns, p[0], weight(v));
    launch         *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    add_common(k, v, &r);
    arg_packed(k, launch_pack(out, DT_I32, (size_t)i64_max(1, 3 * outer), false, fill_table));
    arg_i32(k, outer);
    arg_i32(k, rows);
    arg_i32(k, columns);
    arg_i32(k, t.rows);
    arg_i32(k, t.columns);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"binary", "binary_flat", "same shape or a scalar", {{"V", {16, 8, 4, 1}}}, fits_flat, launch_flat, cost_flat},
    {"binary", "binary_narrow", "few channels that repeat", {{"V", {16, 8, 4}}}, fits_narrow, launch_narrow,
     cost_narrow},
    {"binary", "binary_rows", "by channel, plane or pixel", {{"V", {16, 8, 4, 1}}}, fits_rows, launch_rows,
     cost_planes},
    {"binary", "binary_any", "any broadcasting", {{"V", {16, 8, 4, 1}}}, fits_any, launch_any, cost_any},
    {0},
};

const op_def op_binary = {
    .name = "binary",
    .min_in = 2,
    .max_in = 3,
    .n_out = 1,
    .flags = OP_EPI_ACT | OP_EPI_RESIDUAL | OP_ELEMENTWISE,
    .residual_slot = RESIDUAL,
    .check = check,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
