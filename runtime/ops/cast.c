/* SPDX-License-Identifier: Apache-2.0 */
/* cast: the same elements in the storage type of the output's value (float32 or half). */
#include <string.h>

#include "ops/copy_plan.h"

static status check(const node_view *v)
{
    const dtype t = nv_in(v, 0)->type;
    NEED(nv_in(v, 0)->data || t == DT_F32 || t == DT_F16,
         "the input is %s, and only float32 and float16 can be cast on a device", dtype_name(t));
    return SEPCL_OK;
}

static status infer(const node_view *v, shape *out)
{
    *out = nv_in(v, 0)->shape;
    return SEPCL_OK;
}

void cast_copy(const node_view *v, copy_plan *out)
{
    out->rank = 1;
    out->axis[0] = (copy_axis){shape_count(&nv_out(v, 0)->shape), 1, 1};
}

static status ref(const node_view *v, const float *const *in, float *const *out)
{
    memcpy(out[0], in[0], (size_t)shape_count(&nv_out(v, 0)->shape) * sizeof(float));
    return SEPCL_OK;
}

/* Both storage types on either side; the halves are exact because the cast to half comes first. */
static bool gen(int i, graph *g)
{
    const shape shapes[] = {SHAPE(1), SHAPE(77), SHAPE(2, 3, 5, 7), SHAPE(1, 64, 64, 16)};
    const int   n = (int)(sizeof shapes / sizeof *shapes);
    if (i >= 2 * n)
        return false;
    value_id x = test_input(g, "x", &shapes[i % n]);
    if (i >= n) {
        x = graph_op(g, OP_CAST, "half", NULL, &x, 1);
        if (x < 0)
            return false;
        g->values[x].type = DT_F16;
    }
    return graph_output(g, graph_op(g, OP_CAST, "y", NULL, &x, 1)) == SEPCL_OK;
}

const op_def op_cast = {
    .name = "cast",
    .min_in = 1,
    .max_in = 1,
    .n_out = 1,
    .check = check,
    .infer = infer,
    .count = copy_bytes,
    .ref = ref,
    .gen = gen,
    .kernels = copy_kernels,
    .tolerance = 1e-3, /* half keeps 11 bits */
};
