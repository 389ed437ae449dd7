/* SPDX-License-Identifier: Apache-2.0 */
/* where: one of two operands, element by element, as a third one says; NumPy broadcasting of all three. */
#include <math.h>

#include "ops/rows.h"

enum { TEST, A, B, OPERANDS };

/* The output with as few dimensions as can tell it, outermost first, and the operands' strides, 0 where one is
   repeated. rank is at least 1. */
typedef struct merged {
    int     rank;
    int64_t dim[MAX_RANK], stride[OPERANDS][MAX_RANK];
} merged;

static status infer(const node_view *v, shape *out)
{
    char  a[SHAPE_TEXT], b[SHAPE_TEXT];
    shape both;
    for (int k = A; k < OPERANDS; k++) {
        const shape *s = &nv_in(v, k)->shape;
        both = k == A ? nv_in(v, TEST)->shape : *out;
        NEED(shape_broadcast(&both, s, out), "shapes %s and %s cannot be broadcast to each other", shape_text(&both, a),
             shape_text(s, b));
    }
    return SEPCL_OK;
}

static void count(const node_view *v, op_count *out)
{
    out->bytes = 4 * (uint64_t)shape_count(&nv_out(v, 0)->shape);
    for (int k = 0; k < OPERANDS; k++)
        out->bytes += 4 * (uint64_t)shape_count(&nv_in(v, k)->shape);
}

static int64_t stride_at(const shape *s, const shape *out, int dim)
{
    int64_t   dense[MAX_RANK];
    const int k = dim - (out->rank - s->rank);
    shape_strides(s, dense);
    return k < 0 || s->dim[k] == 1 ? 0 : dense[k];
}

static void merge(const node_view *v, merged *m)
{
    const shape *out = &nv_out(v, 0)->shape;
    *m = (merged){0};
    for (int i = 0; i < out->rank; i++) {
        const int64_t d = out->dim[i];
        int64_t       stride[OPERANDS];
        bool          joins = m->rank > 0;
        if (d == 1)
            continue;
        for (int k = 0; k < OPERANDS; k++) {
            stride[k] = stride_at(&nv_in(v, k)->shape, out, i);
            joins = joins && m->stride[k][m->rank - 1] == stride[k] * d;
        }
        m->rank += !joins;
        m->dim[m->rank - 1] = joins ? m->dim[m->rank - 1] * d : d;
        for (int k = 0; k < OPERANDS; k++)
            m->stride[k][m->rank - 1] = stride[k];
    }
    if (m->rank == 0) {
        m->rank = 1;
        m->dim[0] = 1;
        for (int k = 0; k < OPERANDS; k++)
            m->stride[k][0] = 1;
    }
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const shape  *s = &nv_out(v, 0)->shape;
    const int64_t n = shape_count(s);
    for (int64_t i = 0; i < n; i++) {
        int64_t at[OPERANDS] = {0}, rest = i;
        for (int d = s->rank - 1; d >= 0; d--) {
            for (int k = 0; k < OPERANDS; k++)
                at[k] += rest % s->dim[d] * stride_at(&nv_in(v, k)->shape, s, d);
            rest /= s->dim[d];
        }
        out[0][i] = in[TEST][at[TEST]] != 0 ? in[A][at[A]] : in[B][at[B]];
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

static const struct {
    const char *test, *a, *b;
} cases[] = {
    {"1x5x7x3", "1x5x7x3", "1x5x7x3"},
    {"2x6x6x24", "2x6x6x24", ""},
    {"1x9x9x17", "", "1"},
    {"", "3x33", "3x33"},
    {"40", "1x7x9x40", "1x7x9x1"},
    {"3x1x1x24", "24", "3x5x7x24"},
    {"2x1x4x1x6", "3x1x5x6", "6"},
    {"7x1", "1x19", "1"},
    {"2x1x2x1x2x1x2x3", "1x3x1x3x1x3x1x3", "3"},
    {"", "", ""},
    {"1x64x64x24", "1x64x64x24", "1x64x64x24"},
};
#define N_CASES ((int)(sizeof cases / sizeof cases[0]))

/* Tests of whole numbers, among which are zeros; every fifth operand is NaN or infinite, and must not leak. */
static value_id make_test(graph *g, const shape *s)
{
    const value_id t = graph_const(g, "test", DT_F32, s, NULL, true);
    const int64_t  n = shape_count(s);
    for (int64_t i = 0; t >= 0 && i < n; i++)
        graph_const_data(g, t)[i] = (float)(i * 7 % 3 - (i % 11 == 0));
    return t;
}

static value_id make_odd(graph *g, const char *name, const shape *s)
{
    const value_id c = test_const(g, name, s);
    const int64_t  n = shape_count(s);
    for (int64_t i = 0; c >= 0 && i + 4 < n; i += 5)
        graph_const_data(g, c)[i] = i % 2 ? INFINITY : NAN;
    return c;
}

static bool gen(int i, graph *g)
{
    if (i >= 2 * N_CASES)
        return false;
    const shape t = rows_shape(cases[i / 2].test), a = rows_shape(cases[i / 2].a), b = rows_shape(cases[i / 2].b);
    value_id    in[OPERANDS] = {i % 2 ? make_test(g, &t) : test_input(g, "test", &t)};
    in[A] = i % 2 ? test_input(g, "a", &a) : make_odd(g, "a", &a);
    in[B] = test_input(g, "b", &b);
    return graph_output(g, graph_op(g, OP_WHERE, "y", NULL, in, OPERANDS)) == SEPCL_OK;
}

/* ------------------------------------------------------------------ kernel */

static int64_t rows_of(const merged *m)
{
    int64_t n = 1;
    for (int d = 0; d < m->rank - 1; d++)
        n *= m->dim[d];
    return n;
}

static bool fits(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    merged m;
    merge(v, &m);
    const int64_t   columns = m.dim[m.rank - 1], rows = rows_of(&m);
    const rows_tile t = rows_share(c, rows, columns, p[0], OPERANDS);
    const double    steps = (double)rows * (rows_steps(c, columns, p[0]) + 4.0 * (double)t.column_items);
    return rows_seconds(c, steps, t.column_items * t.row_items, 1);
}

static void fill_table(const node_view *v, const int *p, void *dst)
{
    merged   m;
    int32_t *table = dst;
    (void)p;
    merge(v, &m);
    const int outer = m.rank - 1;
    for (int d = 0; d < outer; d++) {
        table[d] = (int32_t)m.dim[d];
        for (int k = 0; k < OPERANDS; k++)
            table[(k + 1) * outer + d] = (int32_t)m.stride[k][d];
    }
}

static void launch_where(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    static const char *const steps[] = {"T_STEP", "A_STEP", "B_STEP"};
    merged                   m;
    merge(v, &m);
    const int       outer = m.rank - 1;
    const int64_t   columns = m.dim[outer], rows = rows_of(&m);
    const rows_tile t = rows_share(c, rows, columns, p[0], OPERANDS);
    launch         *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    for (int i = 0; i < OPERANDS; i++) {
        launch_define(k, steps[i], m.stride[i][outer] != 0);
        arg_in(k, i);
    }
    arg_out(k, 0);
    arg_packed(k, launch_pack(out, DT_I32, (size_t)i64_max(1, 4 * outer), false, fill_table));
    arg_i32(k, outer);
    arg_i32(k, rows);
    arg_i32(k, columns);
    arg_i32(k, t.rows);
    arg_i32(k, t.columns);
}

static const kernel_def kernels[] = {
    {"where", "where", "any broadcasting", {{"V", {16, 8, 4, 1}}}, fits, launch_where, cost},
    {0},
};

const op_def op_where = {
    .name = "where",
    .min_in = OPERANDS,
    .max_in = OPERANDS,
    .n_out = 1,
    .infer = infer,
    .count = count,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
