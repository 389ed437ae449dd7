/* SPDX-License-Identifier: Apache-2.0 */
/* Fused forms: one node that stands for several, whose inner values never reach memory. */
#ifndef SEPCL_OPS_FUSED_H
#define SEPCL_OPS_FUSED_H

#include "ops/conv.h"

/* Replaces nodes first and second (second alone reads first's output, as its input 0) by one of op. Inputs of the new
   node: x, then everything else that the two read, in order; the last is the residual of second or absent. */
status fuse_pair(graph *g, int first, int second, op_kind op, node **out);
/* Where a fused pair keeps the residual. */
enum { PAIR_X, PAIR_RES, PAIR_INPUTS };

/* Whether the two nodes have the shape that the op wants, whatever the device. */
bool separable_matches(const node_view *first, const node_view *second);
bool spatial_pair_matches(const node_view *first, const node_view *second);

/* Counts and shapes of a fused node are those of its parts. */
status fused_infer(const node_view *v, shape *out);
void   fused_count(const node_view *v, op_count *out);

/* The act between the parts: defines MID, arguments mid_a, mid_b. */
void launch_mid(launch *k, const node_view *first);

#endif
