/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of spatial_pair that have a file of their own. */
#ifndef SEPCL_OPS_SPATIAL_PAIR_H
#define SEPCL_OPS_SPATIAL_PAIR_H

#include "ir/op.h"

bool   spatial_winograd_fits(const node_view *v, const caps *c, const int *p);
double spatial_winograd_cost(const node_view *v, const caps *c, const int *p);
void   spatial_winograd_launch(const node_view *v, const caps *c, const int *p, launch_list *out);

#endif
