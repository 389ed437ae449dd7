/* SPDX-License-Identifier: Apache-2.0 */
/* batch_norm as it is at inference: a factor and a shift of each channel. Only where it could not be folded. */
#include <math.h>

#include "ops/rows.h"

enum { X, SCALE, BIAS, MEAN, VARIANCE, RESIDUAL };

static const char *const input_names[] = {"input", "scale", "bias", "mean", "variance"};

static int64_t channels_of(const node_view *v)
{
    const shape *s = &nv_in(v, X)->shape;
    return s->dim[s->rank - 1];
}

static status infer(const node_view *v, shape *out)
{
    out[0] = nv_in(v, X)->shape;
    return SEPCL_OK;
}

static status check(const node_view *v)
{
    char text[SHAPE_TEXT];
    NEED(nv_in(v, X)->shape.rank >= 1, "the input has no dimension of channels");
    for (int i = SCALE; i <= VARIANCE; i++) {
        const value *in = nv_in(v, i);
        NEED(in->data, "%s '%s' is not a constant", input_names[i], in->name);
        NEED(shape_count(&in->shape) == channels_of(v), "%s has shape %s, but there are %lld channels", input_names[i],
             shape_text(&in->shape, text), (long long)channels_of(v));
    }
    return rows_check_residual(v, RESIDUAL, infer);
}

static void count(const node_view *v, op_count *out)
{
    const uint64_t n = (uint64_t)shape_count(&nv_out(v, 0)->shape);
    out->multiplications = out->additions = n;
    out->parameters = 4 * (uint64_t)channels_of(v);
    out->bytes = 8 * n + 4 * out->parameters;
}

/* Channel c's factor and shift. */
static void affine(const node_view *v, int64_t c, double *factor, double *shift)
{
    double in[VARIANCE + 1];
    for (int i = SCALE; i <= VARIANCE; i++)
        in[i] = data_float(nv_in(v, i)->type, nv_in(v, i)->data, c);
    *factor = in[SCALE] / sqrt(in[VARIANCE] + (double)v->n->a.norm.epsilon);
    *shift = in[BIAS] - in[MEAN] * *factor;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const int64_t channels = channels_of(v), n = shape_count(&nv_out(v, 0)->shape);
    for (int64_t i = 0; i < n; i++) {
        const int64_t c = i % channels;
        const double  deviation = sqrt(in[VARIANCE][c] + (double)v->n->a.norm.epsilon);
        out[0][i] = (float)((in[X][i] - (double)in[MEAN][c]) / deviation * in[SCALE][c] + in[BIAS][c]);
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ cases */

static const struct {
    const char *in;
    float       epsilon;
    char        epilogue;
    bool        residual;
} cases[] = {
    {"1x7x9x64", 1e-3f, 0, false}, {"3x5x5x17", 1e-5f, 1, true},  {"1x16x17x3", 1e-3f, 0, false},
    {"2x9x5", 1e-5f, 2, true},     {"40", 1e-3f, 0, false},       {"3x24", 1e-3f, 1, false},
    {"11x1", 1e-3f, 0, false},     {"2x3x2x3x2x12", 1e-5f, 0, false}, {"1x64x64x24", 1e-3f, 0, true},
};

static bool gen(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof cases[0]))
        return false;
    const shape s = rows_shape(cases[i].in), channels = SHAPE(s.dim[s.rank - 1]);
    value_id    in[6] = {test_input(g, "x", &s)};
    for (int k = SCALE; k <= VARIANCE; k++)
        if ((in[k] = test_const(g, input_names[k], &channels)) < 0)
            return false;
    float *variance = graph_const_data(g, in[VARIANCE]);
    for (int64_t c = 0; c < channels.dim[0]; c++)
        variance[c] = 0.5f + 0.4f * variance[c];
    in[RESIDUAL] = cases[i].residual ? test_input(g, "residual", &s) : -1;
    const value_id y = graph_op(g, OP_BATCH_NORM, "y", &(attrs){.norm = {.epsilon = cases[i].epsilon}}, in, 6);
    rows_epilogue(g, cases[i].epilogue);
    return graph_output(g, y) == SEPCL_OK;
}

/* ------------------------------------------------------------------ rows */

static bool fits(const node_view *v, const caps *c, const int *p)
{
    (void)v, (void)c, (void)p;
    return true;
}

/* Few channels that do not fill vectors are repeated until they do. */
static int64_t period_of(const node_view *v, int vec)
{
    const int64_t channels = i64_max(1, channels_of(v));
    return channels > 64 || channels % vec == 0 ? channels : channels * vec;
}

static int64_t rows_of(const node_view *v, int vec)
{
    return div_up(shape_count(&nv_out(v, 0)->shape), period_of(v, vec));
}

static double cost(const node_view *v, const caps *c, const int *p)
{
    const int64_t   rows = rows_of(v, p[0]), period = period_of(v, p[0]);
    const rows_tile t = rows_share(c, rows, period, p[0], 3);
    return rows_seconds(c, (double)rows * (rows_steps(c, period, p[0]) + 1), t.column_items * t.row_items, 1);
}

static void fill_factor(const node_view *v, const int *p, void *dst)
{
    for (int64_t i = 0; i < period_of(v, p[0]); i++) {
        double factor, shift;
        affine(v, i % channels_of(v), &factor, &shift);
        ((float *)dst)[i] = (float)factor;
    }
}

static void fill_shift(const node_view *v, const int *p, void *dst)
{
    for (int64_t i = 0; i < period_of(v, p[0]); i++) {
        double factor, shift;
        affine(v, i % channels_of(v), &factor, &shift);
        ((float *)dst)[i] = (float)shift;
    }
}

static void launch_batch_norm(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const int64_t   rows = rows_of(v, p[0]), period = period_of(v, p[0]);
    const rows_tile t = rows_share(c, rows, period, p[0], 3);
    launch         *k = launch_add(out, 2, t.column_items, t.row_items, 1);
    arg_in(k, X);
    arg_packed(k, launch_pack(out, DT_F32, (size_t)period, false, fill_factor));
    arg_packed(k, launch_pack(out, DT_F32, (size_t)period, false, fill_shift));
    arg_out(k, 0);
    arg_i32(k, shape_count(&nv_out(v, 0)->shape));
    arg_i32(k, rows);
    arg_i32(k, period);
    arg_i32(k, t.rows);
    arg_i32(k, t.columns);
    launch_epilogue(k, v, RESIDUAL);
}

static const kernel_def kernels[] = {
    {"batch_norm", "batch_norm", "vectors of channels", {{"V", {16, 8, 4, 1}}}, fits, launch_batch_norm, cost},
    {0},
};

const op_def op_batch_norm = {
    .name = "batch_norm",
    .min_in = 5,
    .max_in = 6,
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
