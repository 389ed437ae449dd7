/* SPDX-License-Identifier: Apache-2.0 */
/* A convolution by itself: its window and its weights, without the graph around it. */
#ifndef SEPCL_OPS_CONV_PART_H
#define SEPCL_OPS_CONV_PART_H

#include "ir/attrs.h"

struct node_view;

typedef struct conv_part {
    attr_conv a;  /* a.w: that of w */
    int64_t   ci; /* input channels of a group */
    float    *w;  /* [out_channels][ci][kernel height][kernel width], malloc'd; NULL: only the window is known */
} conv_part;

/* Output channels of a group, weights of an output channel, all weights. */
static inline int64_t conv_part_co(const conv_part *c)
{
    return c->a.out_channels / c->a.group;
}
static inline int64_t conv_part_taps(const conv_part *c)
{
    return c->ci * c->a.kernel[0] * c->a.kernel[1];
}
static inline int64_t conv_part_count(const conv_part *c)
{
    return c->a.out_channels * conv_part_taps(c);
}

/* The weights of a node as float32, copied, without a folded factor of the output channels. */
status conv_part_of(const struct node_view *v, conv_part *out);
void   conv_part_free(conv_part *c);
/* Room for the weights of a window; zeroed. */
status conv_part_alloc(conv_part *c);
/* Sets a.w to what w's layout asks for. */
void conv_part_set_strides(conv_part *c);
/* The output's extents for an input; h or w is -1 when the window does not fit. */
nhwc conv_part_out(const conv_part *c, nhwc in);
/* Multiplications, and bytes of weights, input and output in float32. */
void conv_part_cost(const conv_part *c, nhwc in, uint64_t *multiplications, uint64_t *bytes);

#endif
