/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel rows of several ops share: how much one work-item takes, what that costs, and pieces of their test
 * cases. A tensor is seen as rows of columns, the columns next to each other in memory.
 */
#ifndef SEPCL_OPS_ROWS_H
#define SEPCL_OPS_ROWS_H

#include "base/size.h"
#include "ir/op.h"

/* What one work-item takes of rows x columns. */
typedef struct rows_tile {
    int64_t columns, rows;
    int64_t column_items, row_items; /* work-items along each */
} rows_tile;

/* CPU: long runs, about eight work-items a core, never so small that the launch outweighs the work.
   Elsewhere: one vector of v columns of one row. weight: work of an element, in loads. */
rows_tile rows_share(const caps *c, int64_t rows, int64_t columns, int v, double weight);

/* Native vector steps that a row of `columns` takes with vectors of v and the narrower ones of SWEEP (common.cl). */
double rows_steps(const caps *c, int64_t columns, int v);

/* Seconds of `steps` vector steps, spread over `items` work-items, in `launches` launches. */
double rows_seconds(const caps *c, double steps, int64_t items, int launches);

/* How many parts to cut `length` into, so that items x parts work-items keep the device busy; at least `least` elements
   a part. */
int64_t rows_parts(const caps *c, int64_t items, int64_t length, int64_t least);

/* Is a work-group of x * y items within the device's limits, with so many bytes of local memory? */
bool rows_group_fits(const caps *c, int x, int y, size_t local_bytes);

/* The residual in `slot`, when there is one, must have the output's shape. */
status rows_check_residual(const node_view *v, int slot, status (*infer)(const node_view *, shape *));

/* ------------------------------------------------------------------ test cases */

/* "2x3x4" as a shape; "" is a scalar. */
shape rows_shape(const char *text);
/* Gives the node made last an activation before and after the residual. */
void rows_epilogue(graph *g, int which);
/* Epilogues that rows_epilogue knows: 0 none, 1 relu6-like clamp, 2 hard swish then clamp. */
enum { ROWS_EPILOGUES = 3 };

#endif
