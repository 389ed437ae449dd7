/* SPDX-License-Identifier: Apache-2.0 */
/* Rows of conv that have a file of their own, for its table. Their tiles read through one pointer. */
#ifndef SEPCL_OPS_CONV_KERNELS_H
#define SEPCL_OPS_CONV_KERNELS_H

#include "ops/conv.h"

/* depthwise.c */
bool   depthwise_fits(const node_view *v, const caps *c, const int *p);
double depthwise_cost(const node_view *v, const caps *c, const int *p);
void   depthwise_launch(const node_view *v, const caps *c, const int *p, launch_list *out);
bool   depthwise_narrow_fits(const node_view *v, const caps *c, const int *p);
double depthwise_narrow_cost(const node_view *v, const caps *c, const int *p);
void   depthwise_narrow_launch(const node_view *v, const caps *c, const int *p, launch_list *out);
/* Rows an item takes: one on a GPU; on a CPU as many as still give every core eight items. */
int64_t conv_rows_per_item(const caps *c, int64_t rows, int64_t others);
/* The bias of each output channel, for launch_pack. */
void conv_fill_bias(const node_view *v, const int *p, void *dst);

/* winograd.c */
#define WINOGRAD_PARAMS {{"MR", {14, 8, 7, 6, 4}}, {"V", {16, 8, 4}}, {"NB", {1, 2, 3, 4}}, {"TM", {4, 2}}}
bool   winograd_fits(const node_view *v, const caps *c, const int *p);
double winograd_cost(const node_view *v, const caps *c, const int *p);
void   winograd_launch(const node_view *v, const caps *c, const int *p, launch_list *out);

/* stem.c */
#define STEM_PARAMS {{"MR", {14, 8, 7, 6, 4}}, {"V", {16, 8, 4}}, {"NB", {1, 2, 3, 4}}}
bool   stem_fits(const node_view *v, const caps *c, const int *p);
double stem_cost(const node_view *v, const caps *c, const int *p);
void   stem_launch(const node_view *v, const caps *c, const int *p, launch_list *out);

#endif
