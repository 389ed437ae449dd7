/* SPDX-License-Identifier: Apache-2.0 */
/* The same plan in plain C, one op's scalar reference after the other: what the device is compared with. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "exec/exec.h"

struct exec_ref {
    const plan *p;
    float     **values; /* by value id; made on first use */
};

status exec_ref_create(const plan *p, exec_ref **out)
{
    *out = NULL;
    exec_ref *x = calloc(1, sizeof *x);
    if (!x)
        return fail_memory(sizeof *x, "the reference executor");
    x->p = p;
    x->values = calloc((size_t)p->g->n_values + 1, sizeof *x->values);
    if (!x->values) {
        free(x);
        return fail_memory((size_t)p->g->n_values, "the reference executor");
    }
    *out = x;
    return SEPCL_OK;
}

void exec_ref_destroy(exec_ref *x)
{
    if (!x)
        return;
    for (int i = 0; i < x->p->g->n_values; i++)
        free(x->values[i]);
    free(x->values);
    free(x);
}

/* The value whose elements v shows: views share their source's. */
static value_id root_of(const graph *g, value_id v)
{
    while (g->values[v].producer >= 0) {
        const node *n = g->nodes[g->values[v].producer];
        if (!(op_get(n->op)->flags & OP_VIEW))
            break;
        v = n->in[0];
    }
    return v;
}

float *exec_ref_value(exec_ref *x, value_id v)
{
    const graph *g = x->p->g;
    v = root_of(g, v);
    if (x->values[v])
        return x->values[v];
    const value  *val = &g->values[v];
    const int64_t n = shape_count(&val->shape);
    size_t        bytes;
    if (!size_mul((size_t)i64_max(n, 1), sizeof(float), &bytes) || !(x->values[v] = malloc(bytes))) {
        fail_memory((size_t)n, val->name);
        return NULL;
    }
    for (int64_t i = 0; val->data && i < n; i++)
        x->values[v][i] = data_float(val->type, val->data, i);
    return x->values[v];
}

static void apply_epilogue(const node *n, float *y, const float *residual, int64_t count)
{
    const bool plain = n->epi.act.kind == ACT_NONE && n->epi.act2.kind == ACT_NONE && !residual;
    for (int64_t i = 0; !plain && i < count; i++) {
        double v = act_apply(&n->epi.act, y[i]);
        if (residual)
            v += residual[i];
        y[i] = (float)act_apply(&n->epi.act2, v);
    }
}

static status run_node(exec_ref *x, const node *n)
{
    const graph  *g = x->p->g;
    const op_def *op = op_get(n->op);
    for (int i = 0; i < n->n_sub; i++)
        TRY(run_node(x, n->sub[i]));
    if (n->n_sub || (op->flags & OP_VIEW))
        return SEPCL_OK;
    status        st = SEPCL_OUT_OF_MEMORY;
    const float **in = calloc((size_t)n->n_in + 1, sizeof *in);
    float       **out = calloc((size_t)n->n_out + 1, sizeof *out);
    if (!in || !out) {
        fail_memory((size_t)(n->n_in + n->n_out) * sizeof *in, "the reference executor");
        goto done;
    }
    for (int i = 0; i < n->n_in; i++)
        if (n->in[i] >= 0 && !(in[i] = exec_ref_value(x, n->in[i])))
            goto done;
    for (int i = 0; i < n->n_out; i++)
        if (!(out[i] = exec_ref_value(x, n->out[i])))
            goto done;
    st = op->ref(&(node_view){g, n}, in, out);
    if (st == SEPCL_OK) {
        const int r = op->residual_slot;
        apply_epilogue(n, out[0], (op->flags & OP_EPI_RESIDUAL) && r < n->n_in ? in[r] : NULL,
                       shape_count(&g->values[n->out[0]].shape));
    }
done:
    free(in);
    free(out);
    return st == SEPCL_OK ? st : fail_in(st, "reference of '%s' (%s)", n->name, op->name);
}

status exec_ref_step(exec_ref *x, int step)
{
    return run_node(x, x->p->steps[step].n);
}

status exec_ref_run(exec_ref *x)
{
    for (int i = 0; i < x->p->n_steps; i++)
        TRY(exec_ref_step(x, i));
    return SEPCL_OK;
}

double compare_floats(const float *got, const float *want, int64_t n, int64_t *where)
{
    double largest = 0, worst = 0;
    int64_t at = 0;
    for (int64_t i = 0; i < n; i++)
        if (isfinite(want[i]) && fabs(want[i]) > largest)
            largest = fabs(want[i]);
    for (int64_t i = 0; i < n; i++) {
        if (isnan(got[i]) && isnan(want[i]))
            continue;
        double d = got[i] == want[i] ? 0 : fabs((double)got[i] - want[i]);
        if (d != d)
            d = INFINITY;
        if (d > worst) {
            worst = d;
            at = i;
        }
    }
    if (where)
        *where = at;
    return worst == 0 ? 0 : worst / (largest > 0 ? largest : 1);
}
