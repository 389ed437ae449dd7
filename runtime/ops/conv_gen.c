/* SPDX-License-Identifier: Apache-2.0 */
/* The test cases of conv. */
#include "ops/conv.h"

#include <math.h>

typedef struct conv_case {
    int n, h, w, ci, co, kh, kw, stride, dilation, group;
    int pad[4];
    int flags; /* below */
} conv_case;

enum { BIAS = 1, SCALE = 2, RESIDUAL = 4, RELU6 = 8, SWISH = 16, OHWI = 32, RELU_AFTER = 64, HALF_WEIGHTS = 128 };

#define SAME(k) {(k) / 2, (k) / 2, (k) / 2, (k) / 2}
static const conv_case cases[] = {
    /* pointwise: tiles full and partial in every direction */
    {1, 7, 7, 32, 64, 1, 1, 1, 1, 1, {0}, BIAS | RELU6},
    {1, 5, 3, 17, 33, 1, 1, 1, 1, 1, {0}, BIAS | RESIDUAL},
    {3, 4, 4, 8, 24, 1, 1, 1, 1, 1, {0}, BIAS | SCALE | RESIDUAL | RELU_AFTER},
    {1, 1, 1, 40, 10, 1, 1, 1, 1, 1, {0}, SWISH},
    {1, 2, 1, 3, 1, 1, 1, 1, 1, 1, {0}, 0},
    {1, 6, 6, 12, 16, 1, 1, 1, 1, 1, {0}, OHWI | BIAS},
    {1, 8, 8, 16, 8, 1, 1, 2, 1, 1, {0}, BIAS},
    {2, 7, 9, 19, 40, 1, 1, 2, 1, 1, {0}, BIAS | RESIDUAL | RELU_AFTER},
    {3, 8, 5, 12, 33, 1, 1, 3, 1, 1, {0}, BIAS | SCALE | RELU6},
    {1, 4, 4, 8, 8, 1, 1, 1, 1, 1, {1, 0, 0, 1}, BIAS},
    {1, 4, 4, 8, 8, 1, 1, 1, 1, 1, {0}, BIAS | HALF_WEIGHTS},
    /* depthwise */
    {1, 9, 11, 16, 16, 3, 3, 1, 1, 16, SAME(3), BIAS | RELU6},
    {2, 10, 7, 24, 24, 3, 3, 2, 1, 24, {0, 0, 1, 1}, BIAS | SCALE},
    {1, 7, 5, 3, 3, 5, 5, 1, 1, 3, SAME(5), BIAS | RESIDUAL},
    {1, 14, 14, 32, 32, 5, 5, 2, 1, 32, {1, 2, 2, 2}, SWISH},
    {1, 12, 12, 8, 8, 3, 3, 1, 2, 8, SAME(5), BIAS},
    {1, 3, 20, 8, 8, 7, 7, 1, 1, 8, SAME(7), OHWI},
    {1, 12, 12, 3, 3, 5, 5, 1, 1, 3, {0}, 0},
    {1, 6, 6, 4, 8, 3, 3, 1, 1, 4, SAME(3), BIAS | RESIDUAL},  /* multiplier 2 */
    {1, 6, 9, 16, 48, 3, 3, 2, 1, 16, SAME(3), BIAS | RELU6},  /* multiplier 3 */
    {1, 5, 30, 16, 16, 1, 5, 1, 1, 16, {0, 2, 0, 2}, BIAS},
    {1, 30, 5, 16, 16, 5, 1, 1, 1, 16, {2, 0, 2, 0}, BIAS},
    {1, 9, 9, 16, 16, 3, 3, 3, 1, 16, SAME(3), BIAS},
    {1, 2, 2, 16, 16, 3, 3, 1, 1, 16, SAME(3), BIAS},
    {1, 11, 13, 16, 16, 11, 1, 1, 1, 16, {5, 0, 5, 0}, BIAS},
    /* dense k x k */
    {1, 12, 12, 3, 1, 5, 5, 1, 1, 1, {0}, 0},
    {1, 13, 11, 3, 32, 3, 3, 2, 1, 1, SAME(3), BIAS | RELU6},
    {2, 8, 8, 16, 24, 3, 3, 1, 1, 1, SAME(3), BIAS | RESIDUAL | RELU_AFTER},
    {1, 9, 7, 5, 17, 3, 3, 1, 2, 1, {2, 1, 0, 2}, SCALE},
    {1, 12, 12, 3, 4, 5, 1, 1, 1, 1, {0}, BIAS},
    {1, 8, 12, 4, 4, 1, 5, 1, 1, 1, {0}, BIAS},
    {1, 10, 10, 7, 9, 7, 7, 2, 1, 1, SAME(7), OHWI | BIAS | SWISH},
    {1, 1, 9, 6, 8, 1, 3, 1, 1, 1, {0, 1, 0, 1}, BIAS},
    {1, 5, 5, 4, 16, 5, 5, 1, 1, 1, {0}, BIAS},
    /* dense 3x3 of stride 1: tiles cut off at both ends, one-sided padding, channels beside vectors and blocks */
    {1, 14, 14, 16, 32, 3, 3, 1, 1, 1, SAME(3), BIAS | RELU6},
    {2, 9, 15, 19, 37, 3, 3, 1, 1, 1, {1, 0, 0, 2}, BIAS | RESIDUAL | RELU_AFTER},
    {1, 7, 7, 64, 48, 3, 3, 1, 1, 1, SAME(3), OHWI | SCALE | RESIDUAL},
    {1, 5, 6, 17, 9, 3, 3, 1, 1, 1, {0, 3, 4, 0}, SWISH},
    {1, 3, 3, 40, 20, 3, 3, 1, 1, 1, {0}, BIAS},
    {1, 30, 26, 16, 16, 3, 3, 1, 1, 1, SAME(3), BIAS},
    {1, 4, 4, 520, 4, 3, 3, 1, 1, 1, SAME(3), HALF_WEIGHTS},
    /* few input channels */
    {2, 17, 31, 3, 40, 7, 7, 2, 1, 1, SAME(7), BIAS | RELU6},
    {1, 6, 19, 1, 5, 3, 3, 1, 2, 1, {3, 0, 1, 2}, BIAS | RESIDUAL},
    {1, 9, 5, 4, 16, 5, 3, 3, 1, 1, {2, 6, 3, 9}, SCALE | SWISH},
    /* grouped */
    {1, 6, 6, 8, 16, 3, 3, 1, 1, 2, SAME(3), BIAS | RESIDUAL},
    {1, 7, 5, 12, 48, 3, 3, 2, 1, 3, SAME(3), BIAS | RELU6},
    {2, 5, 5, 32, 64, 1, 1, 1, 1, 4, {0}, BIAS},
    {1, 5, 5, 6, 6, 3, 3, 1, 1, 3, SAME(3), SCALE},
};

static value_id weights(graph *g, const conv_case *c, weight_strides *s)
{
    const int64_t ci = c->ci / c->group, kh = c->kh, kw = c->kw;
    const shape   oihw = SHAPE(c->co, ci, kh, kw), ohwi = SHAPE(c->co, kh, kw, ci);
    *s = c->flags & OHWI ? (weight_strides){kh * kw * ci, 1, kw * ci, ci} : (weight_strides){ci * kh * kw, kh * kw, kw, 1};
    const value_id full = test_const(g, "w", c->flags & OHWI ? &ohwi : &oihw);
    if (full < 0 || !(c->flags & HALF_WEIGHTS))
        return full;
    const value_id half = graph_const(g, "w16", DT_F16, &oihw, NULL, true);
    for (int64_t i = 0; half >= 0 && i < shape_count(&oihw); i++)
        ((uint16_t *)(void *)graph_const_data(g, half))[i] = float_to_half(graph_const_data(g, full)[i]);
    return half;
}

bool conv_gen(int i, graph *g)
{
    if (i >= (int)(sizeof cases / sizeof *cases))
        return false;
    const conv_case *c = &cases[i];
    const shape      in = SHAPE(c->n, c->h, c->w, c->ci), channels = SHAPE(c->co);
    attrs            a = {.conv = {.kernel = {c->kh, c->kw},
                                   .stride = {c->stride, c->stride},
                                   .dilation = {c->dilation, c->dilation},
                                   .pad = {c->pad[0], c->pad[1], c->pad[2], c->pad[3]},
                                   .group = c->group,
                                   .out_channels = c->co}};
    value_id         slots[CONV_INPUTS] = {test_input(g, "x", &in), weights(g, c, &a.conv.w), -1, -1, -1};
    if (c->flags & BIAS)
        slots[CONV_B] = test_const(g, "b", &channels);
    if (c->flags & SCALE)
        slots[CONV_SCALE] = test_const(g, "scale", &channels);
    if (c->flags & RESIDUAL) {
        const shape out = SHAPE(c->n, window_extent(c->h, c->kh, c->stride, c->dilation, c->pad[0], c->pad[2], false),
                                window_extent(c->w, c->kw, c->stride, c->dilation, c->pad[1], c->pad[3], false), c->co);
        slots[CONV_RES] = test_input(g, "residual", &out);
    }
    const value_id y = graph_op(g, OP_CONV, "conv", &a, slots, CONV_INPUTS);
    if (y < 0)
        return false;
    epilogue *e = &g->nodes[g->n_nodes - 1]->epi;
    if (c->flags & RELU6)
        e->act = (act){ACT_CLAMP, 0, 6};
    if (c->flags & SWISH)
        e->act = (act){ACT_SWISH, 1, 0};
    if (c->flags & RELU_AFTER)
        e->act2 = (act){ACT_CLAMP, 0, INFINITY};
    return graph_output(g, y) == SEPCL_OK;
}
