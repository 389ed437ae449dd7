/* SPDX-License-Identifier: Apache-2.0 */
/* Fused forms: one node that stands for several, whose inner values never reach memory. */
#ifndef SEPCL_OPS_FUSED_H
#define SEPCL_OPS_FUSED_H

#include "ops/conv.h"

/* Replaces the nodes at index[0] < index[1] < ... (each alone reads the one before, as its input 0) by one of op, at the
   last one's place. Its inputs are the first's x and the last's residual, or -1; all else stays with the parts. */
status fuse_nodes(graph *g, const int *index, int n, op_kind op, node **out);
enum { FUSED_X, FUSED_RES, FUSED_INPUTS };

/* Whether nodes in a row are what the op stands for, whatever the device. */
bool separable_matches(const node_view *parts);
bool spatial_pair_matches(const node_view *parts);
bool inverted_matches(const node_view *parts);
bool expand_depthwise_matches(const node_view *parts);
bool stem_planes_matches(const node_view *parts);
bool squeeze_matches(const node_view *parts);
bool excite_matches(const node_view *parts);
/* Gives a node just fused as excite its third input, the tensor that is gated. */
status excite_finish(graph *g, node *fused);

/* Counts and shapes of a fused node are those of its parts. */
status fused_infer(const node_view *v, shape *out);
void   fused_count(const node_view *v, op_count *out);

/* What all fused ops' definitions have in common. */
#define FUSED_OP(NAME, INPUTS, GEN, KERNELS)                                                                           \
    {                                                                                                                  \
        .name = (NAME), .min_in = 1, .max_in = (INPUTS), .n_out = 1, .flags = OP_FUSED, .residual_slot = FUSED_RES,     \
        .infer = fused_infer, .count = fused_count, .gen = (GEN), .kernels = (KERNELS)                                 \
    }
/* Ends a test case whose first n nodes are what the op stands for and y their output, or -1. */
bool fused_case(graph *g, value_id y, int n, op_kind op);

/* The activation of an inner part: defines `name` (MID, WIDE), adds its two parameters as arguments. */
void launch_inner_act(launch *k, const char *name, const node_view *part);

/* Constants of a depthwise part: [kh][kw][c], and [c]. */
void depthwise_fill(const node_view *part, float *to);
void depthwise_fill_bias(const node_view *part, float *to);
/* The widest vector up to twice the native one and the number of channels; the last one overlaps the one before. */
int  depthwise_vector(const caps *c, int64_t channels);
/* Columns of a depthwise tile with vectors of v channels: the fewest wasted over an output row, among those whose sums,
   input columns and weights fit the registers. */
int  depthwise_columns(const caps *c, const conv_geometry *g, int v);
/* A part may be an inner one: no residual, nothing after an addition. */
bool fused_inner_part(const node *n);

#endif
