/* SPDX-License-Identifier: Apache-2.0 */
/* Two operands broadcast to one output, with as few dimensions as can tell it. */
#ifndef SEPCL_OPS_BROADCAST_H
#define SEPCL_OPS_BROADCAST_H

#include "base/tensor.h"

/* dim: extents of the output, outermost first; a, b: the operands' strides in elements, 0 where one is repeated.
   rank is at least 1; no extent is 1 unless it is the only one, and no two neighbours could be one dimension. */
typedef struct broadcast {
    int     rank;
    int64_t dim[MAX_RANK], a[MAX_RANK], b[MAX_RANK];
} broadcast;

/* a and b broadcast to out (shape_broadcast); both are dense. */
void broadcast_collapse(const shape *a, const shape *b, const shape *out, broadcast *r);

#endif
