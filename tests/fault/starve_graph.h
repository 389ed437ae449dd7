/* SPDX-License-Identifier: Apache-2.0 */
/* What the programs that starve graphs have in common: how large one is, and its reference, run on zeros. */
#ifndef SEPCL_TESTS_FAULT_STARVE_GRAPH_H
#define SEPCL_TESTS_FAULT_STARVE_GRAPH_H

#include <string.h>

#include "exec/exec.h"
#include "ir/op.h"

/* Multiplications and additions. */
static inline uint64_t starve_work(const graph *g)
{
    uint64_t sum = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const node_view v = {g, g->nodes[i]};
        op_count        c = {0};
        if (op_get(v.n->op)->count)
            op_get(v.n->op)->count(&v, &c);
        sum += c.multiplications + c.additions;
    }
    return sum;
}

static inline status starve_reference(const graph *g, const caps *c)
{
    plan     *p;
    exec_ref *x = NULL;
    TRY(plan_create(g, c, NULL, &p));
    status st = exec_ref_create(p, &x);
    for (int i = 0; st == SEPCL_OK && i < g->n_inputs; i++) {
        float *in = exec_ref_value(x, g->inputs[i]);
        if (in)
            memset(in, 0, (size_t)shape_count(&g->values[g->inputs[i]].shape) * sizeof *in);
        else
            st = SEPCL_OUT_OF_MEMORY;
    }
    if (st == SEPCL_OK)
        st = exec_ref_run(x);
    exec_ref_destroy(x);
    plan_destroy(p);
    return st;
}

#endif
