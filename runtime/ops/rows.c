/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/rows.h"

#include <math.h>
#include <stdlib.h>

/* Below this many loads a work-item costs more to hand out than to do. */
#define LEAST_WORK 4096
/* Work-items that keep one compute unit of a GPU busy. */
#define GPU_ITEMS 512

static int64_t wanted_items(const caps *c)
{
    return (caps_is_cpu(c) ? 8 : GPU_ITEMS) * i64_max(1, c->compute_units);
}

rows_tile rows_share(const caps *c, int64_t rows, int64_t columns, int v, double weight)
{
    rows_tile t = {v, 1, 0, 0};
    rows = i64_max(rows, 1);
    columns = i64_max(columns, 1);
    if (caps_is_cpu(c)) {
        const int64_t items = wanted_items(c);
        const int64_t least = i64_max(1, (int64_t)(LEAST_WORK / weight));
        const int64_t pieces = div_up(items, rows); /* of a row, when there are too few rows */
        t.columns = i64_min(columns, round_up(i64_max(div_up(columns, pieces), least), v));
        t.rows = i64_min(rows, i64_max(div_up(rows, items), div_up(least, columns)));
    }
    t.column_items = div_up(columns, t.columns);
    t.row_items = div_up(rows, t.rows);
    return t;
}

double rows_steps(const caps *c, int64_t columns, int v)
{
    static const int narrower[] = {8, 4};
    const double     simd = i64_max(1, c->simd_width);
    int64_t          rest = columns % v;
    if (c->simd_width <= 1) /* one item a vector: wide ones spoil coalescing, tails diverge */
        return (double)(columns / v) * (v == 4 ? 4 : v == 1 ? 1.3 : 1.5 * v) + 4.0 * (double)rest;
    double steps = (double)(columns / v) * (fmax(1, v / simd) + 0.25);
    for (int i = 0; i < 2; i++)
        if (v > narrower[i] && rest >= narrower[i]) {
            rest -= narrower[i];
            steps += fmax(1, narrower[i] / simd) + 0.25;
        }
    return steps + 1.25 * (double)rest;
}

/* The part of the device that so many work-items keep busy. */
static double busy(const caps *c, int64_t items)
{
    const int64_t units = i64_max(1, c->compute_units) * (caps_is_cpu(c) ? 1 : GPU_ITEMS);
    items = i64_max(1, items);
    if (!caps_is_cpu(c))
        return fmin(1, (double)items / (double)units);
    return (double)items / (double)(div_up(items, units) * units);
}

double rows_seconds(const caps *c, double steps, int64_t items, int launches)
{
    const double lanes = (double)i64_max(1, c->simd_width);
    const double gflops = c->fma_gflops > 0 ? c->fma_gflops : 50, launch_us = c->launch_us > 0 ? c->launch_us : 5;
    /* a step is a load or two, an operation and a share of a store: about four times an FMA's issue slot */
    const double rate = gflops * 1e9 / (2 * lanes) / 4;
    return steps / rate / busy(c, items) + launches * launch_us * 1e-6;
}

int64_t rows_parts(const caps *c, int64_t items, int64_t length, int64_t least)
{
    const int64_t parts = div_up(wanted_items(c), i64_max(1, items));
    return i64_max(1, i64_min(parts, length / i64_max(1, least)));
}

bool rows_group_fits(const caps *c, int x, int y, size_t local_bytes)
{
    const int64_t items = (int64_t)x * y;
    return items <= c->max_work_group && x <= c->max_work_item[0] && y <= c->max_work_item[1] &&
           (int64_t)local_bytes <= c->local_bytes;
}

status rows_check_residual(const node_view *v, int slot, status (*infer)(const node_view *, shape *))
{
    shape out;
    char  got[SHAPE_TEXT], want[SHAPE_TEXT];
    TRY(infer(v, &out));
    if (nv_has(v, slot))
        NEED(shape_equal(&nv_in(v, slot)->shape, &out), "the residual has shape %s, the output %s",
             shape_text(&nv_in(v, slot)->shape, got), shape_text(&out, want));
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ test cases */

shape rows_shape(const char *text)
{
    shape s = {0};
    while (*text && s.rank < MAX_RANK) {
        char *end;
        s.dim[s.rank++] = strtoll(text, &end, 10);
        text = *end == 'x' ? end + 1 : end;
    }
    return s;
}

void rows_epilogue(graph *g, int which)
{
    if (g->n_nodes == 0)
        return;
    node *n = g->nodes[g->n_nodes - 1];
    if (which == 1)
        n->epi.act = (act){ACT_CLAMP, -0.25f, 0.75f};
    if (which == 2) {
        n->epi.act = (act){ACT_HARD_SWISH, 1.0f / 6, 0.5f};
        n->epi.act2 = (act){ACT_CLAMP, 0, 6};
    }
}
