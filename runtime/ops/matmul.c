/* SPDX-License-Identifier: Apache-2.0 */
/* matmul: a product of two operands that are both computed at run time, batched and broadcast as NumPy does. */
#include <math.h>
#include <string.h>

#include "ops/broadcast.h"
#include "ops/rows.h"

enum { A, B, RESIDUAL };
/* matmul_local: results of a work-group along each side, depth of a step, floats of a row of local memory. */
enum { BLOCK = 64, DEPTH = 16, PITCH = BLOCK + 4 };
/* Parameters of matmul_tile. */
enum { P_V, P_TM, P_NV };

/* The batch dimensions of an operand, and its last two as a matrix: a vector is a row on the left, a column on the
   right. */
typedef struct operand {
    shape   batch;
    int64_t rows, columns;
} operand;

static operand operand_of(const shape *s, bool left)
{
    operand o = {.rows = 1, .columns = 1};
    if (s->rank == 1) {
        *(left ? &o.columns : &o.rows) = s->dim[0];
        return o;
    }
    o.rows = s->dim[s->rank - 2];
    o.columns = s->dim[s->rank - 1];
    o.batch = shape_make(s->rank - 2, s->dim);
    return o;
}

static status infer(const node_view *v, shape *out)
{
    const shape  *sa = &nv_in(v, A)->shape, *sb = &nv_in(v, B)->shape;
    char          ta[SHAPE_TEXT], tb[SHAPE_TEXT];
    shape_text(sa, ta);
    shape_text(sb, tb);
    NEED(sa->rank >= 1 && sb->rank >= 1, "operands of shape %s and %s: a scalar has no product", ta, tb);
    const operand a = operand_of(sa, true), b = operand_of(sb, false);
    NEED(a.columns == b.rows, "operands of shape %s and %s: %lld columns on the left, %lld rows on the right", ta, tb,
         (long long)a.columns, (long long)b.rows);
    NEED(shape_broadcast(&a.batch, &b.batch, out), "operands of shape %s and %s: the batches cannot be broadcast", ta,
         tb);
    if (sa->rank > 1)
        out->dim[out->rank++] = a.rows;
    if (sb->rank > 1)
        out->dim[out->rank++] = b.columns;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    return rows_check_residual(v, RESIDUAL, infer);
}

/* [batches] of [rows][inner] x [inner][columns]. */
typedef struct matmul_view {
    int64_t   batches, rows, inner, columns;
    broadcast batch; /* strides in matrices */
} matmul_view;

static matmul_view view_of(const node_view *v)
{
    const operand a = operand_of(&nv_in(v, A)->shape, true), b = operand_of(&nv_in(v, B)->shape, false);
    matmul_view   r = {.rows = a.rows, .inner = a.columns, .columns = b.columns};
    shape         batch = {0};
    shape_broadcast(&a.batch, &b.batch, &batch);
    if (shape_count(&b.batch) == 1) { /* one right side: the left batches are more rows */
        r.rows *= shape_count(&batch);
        batch = (shape){0};
        broadcast_collapse(&batch, &batch, &batch, &r.batch);
    } else {
        broadcast_collapse(&a.batch, &b.batch, &batch, &r.batch);
    }
    r.batches = shape_count(&batch);
    return r;
}

static void count(const node_view *v, op_count *out)
{
    const matmul_view r = view_of(v);
    const uint64_t    n = (uint64_t)(r.batches * r.rows * r.columns);
    out->multiplications = n * (uint64_t)r.inner;
    out->additions = r.inner ? n * (uint64_t)(r.inner - 1) : 0;
    out->bytes = 4 * n;
    for (int i = A; i <= B; i++) {
        const uint64_t elements = (uint64_t)shape_count(&nv_in(v, i)->shape);
        out->bytes += 4 * elements;
        out->parameters += nv_in(v, i)->data ? elements : 0;
    }
}

/* Where batch i of each operand begins. */
static void begin_of(const matmul_view *r, int64_t i, int64_t *a, int64_t *b)
{
    *a = *b = 0;
    for (int d = r->batch.rank - 1; d >= 0; d--) {
        *a += i % r->batch.dim[d] * r->batch.a[d] * r->rows * r->inner;
        *b += i % r->batch.dim[d] * r->batch.b[d] * r->inner * r->columns;
        i /= r->batch.dim[d];
    }
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const matmul_view r = view_of(v);
    float            *to = out[0];
    for (int64_t i = 0; i < r.batches; i++) {
        int64_t a, b;
        begin_of(&r, i, &a, &b);
        for (int64_t m = 0; m < r.rows; m++)
            for (int64_t n = 0; n < r.columns; n++) {
                double s = 0;
                for (int64_t k = 0; k < r.inner; k++)
                    s += (double)in[A][a + m * r.inner + k] * in[B][b + k * r.columns + n];
                *to++ = (float)s;
            }
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

static const struct {
    const char *a, *b;
    char        constant; /* which operand is a constant */
    char        epilogue;
    bool        residual;
} cases[] = {
    {"16x20", "20x64", 0, 0, false},
    {"7x17", "17x45", 0, 1, true},
    {"1x3", "3x1", 0, 0, false},
    {"13x5", "5x3", 'b', 0, false},
    {"1x300", "300x100", 'b', 0, false},
    {"2x3x9x8", "2x3x8x11", 0, 0, false}, /* as many batches */
    {"3x9x8", "8x24", 0, 2, false},       /* one right side */
    {"9x8", "3x8x24", 0, 0, false},       /* one left side */
    {"2x1x5x6", "1x3x6x40", 0, 1, true},  /* batches broadcast both ways */
    {"2x1x3x1x4x5", "3x1x2x5x33", 0, 0, false},
    {"8", "8x19", 0, 0, false}, /* vectors on either side, or both */
    {"3x8", "8", 0, 0, true},
    {"130", "130", 0, 0, false},
    {"2x4x70", "70", 'b', 1, false},
    {"5", "2x5x7", 'a', 0, false},
    {"70x129", "129x130", 0, 0, false},
    {"3x20x70", "3x70x1", 0, 0, false},
};

static bool gen(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof cases[0]))
        return false;
    const shape sa = rows_shape(cases[i].a), sb = rows_shape(cases[i].b);
    value_id    in[3] = {cases[i].constant == 'a' ? test_const(g, "a", &sa) : test_input(g, "a", &sa),
                         cases[i].constant == 'b' ? test_const(g, "b", &sb) : test_input(g, "b", &sb), -1};
    shape       out;
    if (cases[i].residual) {
        const node n = {.op = OP_MATMUL, .n_in = 2, .in = in};
        if (infer(&(node_view){g, &n}, &out) != SEPCL_OK)
            return false;
        in[RESIDUAL] = test_input(g, "residual", &out);
    }
    const value_id y = graph_op(g, OP_MATMUL, "y", NULL, in, 3);
    rows_epilogue(g, cases[i].epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

static bool fits_dot(const node_view *v, const caps *c, const int *p)
{
    (void)c, (void)p;
    return view_of(v).columns == 1;
}

static bool fits_local(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)p;
    return rows_group_fits(c, 16, 16, 2 * sizeof(float) * DEPTH * PITCH);
}

/* Two vectors side by side make sense where one is as wide as can be; the rest would only be more programs. */
static bool fits_tile(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c;
    return p[P_NV] == 1 || p[P_V] == 16;
}

static rows_tile share_dot(const matmul_view *r, const caps *c)
{
    return rows_share(c, r->rows, 1, 1, 2.0 * (double)i64_max(1, r->inner));
}

static double cost_dot(const node_view *v, const caps *c, const int *p)
{
    const matmul_view r = view_of(v);
    return rows_seconds(c, (double)(r.batches * r.rows) * (2 * rows_steps(c, r.inner, p[P_V]) + 4),
                        share_dot(&r, c).row_items * r.batches, 1);
}

static double cost_local(const node_view *v, const caps *c, const int *p)
{
    const matmul_view r = view_of(v);
    const int64_t     items = r.batches * div_up(r.rows, BLOCK) * div_up(r.columns, BLOCK) * 256;
    const double      slow = caps_is_cpu(c) ? 16 : 1; /* barriers cut up a CPU's work-item loop */
    (void)p;
    return slow * rows_seconds(c, (double)(items * r.inner) * (16 * 0.25 + 8 * 0.125), items, 1);
}

/* Rows and columns of one item of matmul_tile: rows are split first, because the columns of the right side stay in the
   first-level cache over all rows of an item. */
static rows_tile share_tile(const matmul_view *r, const caps *c, const int *p)
{
    const int64_t wide = (int64_t)p[P_V] * p[P_NV], tiles = div_up(r->columns, wide), strips = div_up(r->rows, p[P_TM]);
    rows_tile     t = {wide, p[P_TM], 0, 0};
    if (caps_is_cpu(c)) {
        const int64_t items = 8 * i64_max(1, c->compute_units), others = i64_max(1, r->batches * tiles);
        /* a quarter of a million multiplications are about ten microseconds */
        const int64_t least = 250000 / i64_max(1, r->inner * wide * p[P_TM]);
        const int64_t share = i64_max(div_up(strips * others, items), least);
        t.rows = p[P_TM] * i64_max(1, i64_min(strips, share));
        t.columns = wide * i64_max(1, i64_min(tiles, share / i64_max(1, strips)));
    }
    t.column_items = div_up(r->columns, t.columns);
    t.row_items = div_up(r->rows, t.rows);
    return t;
}

/* Cycles of one step of k for a register tile of count vectors of n. */
static double tile_cycles(const caps *c, int n, int rows, int count)
{
    const double steps = fmax(1, (double)n / (double)i64_max(1, c->simd_width));
    const double sums = rows * count * steps, loads = rows + count * steps;
    double       cycles = fmax(fmax(sums, loads) / 2, 4); /* two of each a cycle; a sum waits 4 for itself */
    if (c->vector_registers > 0 && sums + count * steps + 1 > c->vector_registers)
        cycles *= 2; /* spills */
    return cycles;
}

static double cost_tile(const node_view *v, const caps *c, const int *p)
{
    const matmul_view r = view_of(v);
    const rows_tile   t = share_tile(&r, c, p);
    const int64_t     items = t.column_items * t.row_items * r.batches;
    const double      strips = (double)(r.batches * div_up(r.rows, p[P_TM]) * r.inner);
    if (!caps_is_cpu(c)) {
        const int results = p[P_TM] * p[P_V] * p[P_NV], wide = p[P_V] * p[P_NV];
        return rows_seconds(c, strips * (double)t.column_items * (results * 0.25 + (p[P_TM] + wide) * 0.5), items, 1) *
               (wide > 4 ? 4 : 1);
    }
    int64_t rest = r.columns;
    double  cycles = 0;
    if (p[P_NV] > 1) {
        cycles += (double)(rest / (p[P_V] * p[P_NV])) * tile_cycles(c, p[P_V], p[P_TM], p[P_NV]);
        rest %= p[P_V] * p[P_NV];
    }
    for (int n = p[P_V]; n >= 4; n /= 2) {
        cycles += (double)(rest / n) * tile_cycles(c, n, p[P_TM], 1);
        rest %= n;
    }
    cycles += (double)rest * tile_cycles(c, 1, p[P_TM], 1);
    return rows_seconds(c, strips * cycles / 2, items, 1);
}

static void fill_table(const node_view *v, const int *p, void *dst)
{
    const matmul_view r = view_of(v);
    int32_t          *table = dst;
    (void)p;
    for (int64_t i = 0; i < r.batches; i++) {
        int64_t a, b;
        begin_of(&r, i, &a, &b);
        table[2 * i] = (int32_t)a;
        table[2 * i + 1] = (int32_t)b;
    }
}

static void start(launch *k, const matmul_view *r, launch_list *out)
{
    const bool table = r->batch.rank > 1;
    launch_define(k, "TABLE", table);
    arg_in(k, A);
    arg_in(k, B);
    arg_out(k, 0);
    if (table) {
        arg_packed(k, launch_pack(out, DT_I32, 2 * (size_t)r->batches, false, fill_table));
    } else {
        arg_i32(k, r->batch.a[0] * r->rows * r->inner);
        arg_i32(k, r->batch.b[0] * r->inner * r->columns);
    }
    arg_i32(k, r->batches);
    arg_i32(k, r->rows);
    arg_i32(k, r->inner);
}

static void launch_dot(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const matmul_view r = view_of(v);
    const rows_tile   t = share_dot(&r, c);
    launch           *k = launch_add(out, 2, t.row_items, r.batches, 1);
    (void)p;
    start(k, &r, out);
    arg_i32(k, t.rows);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_local_tiles(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const matmul_view r = view_of(v);
    launch *k = launch_add(out, 3, 16 * div_up(r.columns, BLOCK), 16 * div_up(r.rows, BLOCK), r.batches);
    (void)c, (void)p;
    launch_local(k, 16, 16, 1);
    start(k, &r, out);
    arg_i32(k, r.columns);
    launch_epilogue(k, v, RESIDUAL);
}

static void launch_tile(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const matmul_view r = view_of(v);
    const rows_tile   t = share_tile(&r, c, p);
    launch           *k = launch_add(out, 3, t.column_items, t.row_items, r.batches);
    start(k, &r, out);
    arg_i32(k, r.columns);
    arg_i32(k, t.rows);
    arg_i32(k, t.columns);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"matmul", "matmul_dot", "vectors along the sum of one column", {{"V", {16, 8, 4, 1}}}, fits_dot, launch_dot,
     cost_dot},
    {"matmul", "matmul_local", "tiles in local memory", {{"V", {4}}}, fits_local, launch_local_tiles, cost_local},
    {"matmul", "matmul_tile", "register tiles", {{"V", {16, 8, 4}}, {"TM", {12, 6, 4, 1}}, {"NV", {1, 2}}}, fits_tile,
     launch_tile, cost_tile},
    {0},
};

const op_def op_matmul = {
    .name = "matmul",
    .min_in = 2,
    .max_in = 3,
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
