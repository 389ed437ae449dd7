/* SPDX-License-Identifier: Apache-2.0 */
/* pad: more elements around a tensor of any rank: a value, a reflection without or with the edge, the edge, or the other end. */
#include "base/size.h"
#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const attr_pad *a = &v->n->a.pad;
    const shape    *in = &nv_in(v, 0)->shape;
    NEED(a->mode <= PAD_SYMMETRIC, "pad mode number %d is unknown", (int)a->mode);
    for (int i = 0; i < in->rank; i++) {
        const int64_t most = INT32_MAX / 4;
        NEED(a->before[i] >= 0 && a->after[i] >= 0 && a->before[i] <= most && a->after[i] <= most,
             "axis %d is padded by %lld before and %lld after, outside 0 to %lld", i, (long long)a->before[i],
             (long long)a->after[i], (long long)most);
        NEED(in->dim[i] >= 1 || (!a->before[i] && !a->after[i]), "axis %d has no element to pad", i);
    }
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    const attr_pad *a = &v->n->a.pad;
    *out = nv_in(v, 0)->shape;
    for (int i = 0; i < out->rank; i++)
        out->dim[i] += a->before[i] + a->after[i];
    return SEPCL_OK;
}

/* Where position i of the padded axis comes from; -1: the value. */
static int64_t source(pad_mode mode, int64_t i, int64_t n)
{
    while (mode == PAD_REFLECT && n > 1 && (i < 0 || i >= n))
        i = i < 0 ? -i : 2 * (n - 1) - i;
    while (mode == PAD_SYMMETRIC && (i < 0 || i >= n))
        i = i < 0 ? -1 - i : 2 * n - 1 - i;
    while (mode == PAD_WRAP && (i < 0 || i >= n))
        i += i < 0 ? n : -n;
    if (mode == PAD_EDGE || (mode == PAD_REFLECT && n == 1))
        i = i < 0 ? 0 : i64_min(i, n - 1);
    return i >= 0 && i < n ? i : -1;
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    const attr_pad *a = &v->n->a.pad;
    const shape    *to = &nv_out(v, 0)->shape, *from = &nv_in(v, 0)->shape;
    int64_t         at[MAX_RANK] = {0}, src[MAX_RANK];
    if (shape_count(to) == 0)
        return SEPCL_OK;
    do {
        bool inside = true;
        for (int i = 0; i < to->rank; i++) {
            src[i] = source(a->mode, at[i] - a->before[i], from->dim[i]);
            inside = inside && src[i] >= 0;
        }
        out[0][index_at(to, at)] = inside ? in[0][index_at(from, src)] : a->value;
    } while (index_next(to, at));
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ kernel */

typedef struct pad_axis {
    int64_t out, in, before, stride;
} pad_axis;

typedef struct pad_plan {
    pad_axis outer[MAX_RANK];
    int      n_outer;
    pad_axis mid;
    int64_t  len;
} pad_plan;

/* The innermost padded axis is mid, what lies behind it is len; unpadded neighbours before it are joined. */
static void make_plan(const node_view *v, pad_plan *out)
{
    const attr_pad *a = &v->n->a.pad;
    const shape    *in = &nv_in(v, 0)->shape;
    int64_t         stride[MAX_RANK];
    int             k = in->rank - 1;
    shape_strides(in, stride);
    *out = (pad_plan){.mid = {1, 1, 0, 0}, .len = 1};
    while (k >= 0 && !a->before[k] && !a->after[k])
        out->len *= in->dim[k--];
    if (k >= 0)
        out->mid = (pad_axis){in->dim[k] + a->before[k] + a->after[k], in->dim[k], a->before[k], stride[k]};
    for (int i = 0; i < k; i++) {
        const pad_axis x = {in->dim[i] + a->before[i] + a->after[i], in->dim[i], a->before[i], stride[i]};
        pad_axis      *last = out->n_outer ? &out->outer[out->n_outer - 1] : NULL;
        if (x.out == 1)
            continue;
        if (last && last->out == last->in && x.out == x.in)
            *last = (pad_axis){last->out * x.out, last->in * x.in, 0, x.stride};
        else
            out->outer[out->n_outer++] = x;
    }
}

static void add_axis(launch *k, const pad_axis *x)
{
    arg_i32(k, x->out);
    arg_i32(k, x->in);
    arg_i32(k, x->before);
    arg_i32(k, x->stride);
}

static void launch_pad(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    static const pad_axis one = {1, 1, 0, 0};
    pad_plan              plan;
    make_plan(v, &plan);
    int64_t outer = 1;
    for (int i = 0; i < plan.n_outer; i++)
        outer *= plan.outer[i].out;
    const int64_t extent[3] = {outer, plan.mid.out, plan.len};
    const chunks  s = chunks_for(c, p[0], extent, 1, p[0]);
    launch       *k = launch_add(out, 1, s.items, 1, 1);
    launch_define(k, "MODE", (int)v->n->a.pad.mode);
    launch_define(k, "OUTER", plan.n_outer);
    arg_in(k, 0);
    arg_out(k, 0);
    for (int i = 0; i < MAX_RANK - 1; i++)
        add_axis(k, i < plan.n_outer ? &plan.outer[i] : &one);
    arg_i32(k, outer);
    arg_i32(k, plan.mid.out);
    arg_i32(k, plan.mid.in);
    arg_i32(k, plan.mid.before);
    arg_i32(k, plan.len);
    arg_f32(k, v->n->a.pad.value);
    arg_i32(k, s.outer);
    arg_i32(k, s.mid);
    arg_i32(k, s.len);
}

static const kernel_def kernels[] = {
    {"pad", "pad", "rows, with blocks copied whole", {{"V", {16, 8, 4, 1}}}, copy_fits, launch_pad, copy_cost},
    {0},
};

/* ------------------------------------------------------------------ cases */

typedef struct pad_case {
    shape   s;
    int64_t before[MAX_RANK], after[MAX_RANK];
} pad_case;

static bool gen(int i, graph *g)
{
    const pad_case cases[] = {
        {SHAPE(1, 9, 7, 16), {0, 1, 1, 0}, {0, 1, 1, 0}},
        {SHAPE(2, 9, 7, 3), {0, 0, 0, 0}, {0, 1, 1, 0}},
        {SHAPE(1, 9, 7, 17), {0, 3, 2, 0}, {0, 0, 5, 0}},
        {SHAPE(2, 9, 7, 5), {0, 0, 0, 1}, {0, 0, 0, 3}},
        {SHAPE(2, 4, 4, 3), {1, 2, 3, 2}, {1, 1, 2, 2}},
        {SHAPE(1, 5, 4, 1), {0, 2, 2, 0}, {0, 2, 2, 0}},
        {SHAPE(2, 3, 4), {0, 2, 0}, {0, 1, 0}},
        {SHAPE(40), {17}, {20}},
        {SHAPE(1), {1}, {0}},
        {SHAPE(3, 2), {5, 0}, {7, 0}}, /* reflected and wrapped more than once */
        {SHAPE(2, 3, 2, 3, 4), {0, 1, 0, 1, 0}, {1, 0, 0, 1, 0}},
        {SHAPE(2, 3, 2, 3, 2, 2), {1, 1, 1, 1, 1, 1}, {1, 1, 1, 1, 1, 1}},
        {SHAPE(2, 2, 2, 2, 2, 2, 2, 2), {1, 0, 1, 0, 1, 0, 1, 1}, {0, 1, 0, 1, 0, 1, 0, 1}},
        {SHAPE(1, 40, 40, 24), {0, 1, 1, 0}, {0, 1, 1, 0}},
        {SHAPE(3, 4), {0, 0}, {0, 0}},
    };
    const int n = (int)(sizeof cases / sizeof *cases);
    if (i >= 5 * n)
        return false;
    attrs a = {.pad = {.mode = (pad_mode)(i / n), .value = -0.75f}};
    for (int k = 0; k < MAX_RANK; k++) {
        a.pad.before[k] = cases[i % n].before[k];
        a.pad.after[k] = cases[i % n].after[k];
    }
    const value_id x = test_input(g, "x", &cases[i % n].s);
    return graph_output(g, graph_op(g, OP_PAD, "y", &a, &x, 1)) == SEPCL_OK;
}

const op_def op_pad = {
    .name = "pad",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = copy_bytes,
    .ref = ref,
    .gen = gen,
    .kernels = kernels,
};
