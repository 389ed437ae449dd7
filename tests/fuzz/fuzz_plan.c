/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as the choices of a random graph and of a device: the graph is planned as it is and with everything that passes
 * and forms make of it. Both are run by the plain C executor and agree; no two values that are alive at once share
 * memory; launches stay within the device's limits.
 */
#include <stdio.h>

#include "exec/exec.h"
#include "pass/pass.h"
#include "random_graph.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(bool holds, const char *what)
{
    if (holds)
        return;
    fprintf(stderr, "fuzz_plan: %s: %s\n", what, error_sentence());
    abort();
}

static caps some_device(dice *d)
{
    static const int simd[] = {4, 8, 16};
    const bool       cpu = throw_of(d, 2) == 0;
    const int        width = simd[throw_of(d, 3)], group = 64 << throw_of(d, 4);
    return (caps){.type = cpu ? SEPCL_DEVICE_CPU : SEPCL_DEVICE_GPU,
                  .compute_units = 1 + throw_of(d, 40),
                  .max_work_group = group,
                  .max_work_item = {group, group, 64},
                  .local_bytes = 4096 << throw_of(d, 6),
                  .local_is_real = !cpu,
                  .align_bytes = 128,
                  .simd_width = cpu ? width : 1,
                  .vector_registers = cpu ? 2 * width : 0,
                  .preferred_multiple = cpu ? 1 : 32,
                  .fma_gflops = 100,
                  .bandwidth_gbs = 30};
}

/* ---------------------------------------------------------------- the plan */

typedef struct piece {
    size_t begin, end;
    int    first, last; /* steps */
} piece;

static void reach(piece *p, int step)
{
    p->first = step < p->first ? step : p->first;
    p->last = step > p->last ? step : p->last;
}

static void check_memory(const plan *p)
{
    const graph *g = p->g;
    piece       *all = calloc((size_t)g->n_values + 1, sizeof *all);
    if (!all)
        return;
    for (int v = 0; v < g->n_values; v++)
        all[v] = (piece){p->values[v].offset, p->values[v].offset + p->values[v].bytes, INT32_MAX, -1};
    for (int i = 0; i < p->n_steps; i++) {
        for (int k = 0; k < p->steps[i].n->n_in; k++)
            if (p->steps[i].n->in[k] >= 0)
                reach(&all[p->values[p->steps[i].n->in[k]].root], i);
        for (int k = 0; k < p->steps[i].n->n_out; k++)
            reach(&all[p->values[p->steps[i].n->out[k]].root], i);
    }
    for (int i = 0; i < g->n_inputs; i++) {
        reach(&all[g->inputs[i]], 0);
        reach(&all[g->inputs[i]], p->n_steps);
    }
    for (int i = 0; i < g->n_outputs; i++)
        reach(&all[p->values[g->outputs[i]].root], p->n_steps);
    for (int a = 0; a < g->n_values; a++) {
        if (p->values[a].home != HOME_ARENA || p->values[a].root != a || all[a].last < 0)
            continue;
        check(all[a].end <= p->arena_bytes, "a value lies beyond the arena");
        for (int b = 0; b < a; b++)
            if (p->values[b].home == HOME_ARENA && p->values[b].root == b && all[b].last >= 0)
                check(all[a].end <= all[b].begin || all[b].end <= all[a].begin || all[a].last < all[b].first ||
                          all[b].last < all[a].first,
                      "two values that are alive at once share memory");
    }
    free(all);
}

static void check_launches(const plan *p)
{
    for (int i = 0; i < p->n_steps; i++) {
        check(p->steps[i].row->fits(&(node_view){p->g, p->steps[i].n}, &p->caps, p->steps[i].p), "a row that does not fit");
        for (int k = 0; k < p->steps[i].n_launches; k++) {
            const launch *l = &p->steps[i].launches[k];
            size_t        items = 1;
            for (int j = 0; j < l->dims; j++) {
                check(l->local[j] > 0 && l->global[j] > 0 && l->global[j] % l->local[j] == 0, "a work-group's size");
                check((int64_t)l->local[j] <= p->caps.max_work_item[j], "a work-group that is too wide");
                items *= l->local[j];
            }
            check((int64_t)items <= p->caps.max_work_group, "a work-group that is too large");
        }
    }
}

/* ---------------------------------------------------------------- running it */

static void run(const graph *g, const plan *p, exec_ref **out)
{
    *out = NULL;
    if (exec_ref_create(p, out) != SEPCL_OK)
        return;
    for (int i = 0; i < g->n_inputs; i++)
        test_fill(exec_ref_value(*out, g->inputs[i]), shape_count(&g->values[g->inputs[i]].shape), 77u + (uint32_t)i);
    check(exec_ref_run(*out) == SEPCL_OK, "the reference did not run");
}

static void check_outputs(const graph *a, exec_ref *ra, const graph *b, exec_ref *rb)
{
    check(a->n_outputs == b->n_outputs, "the passes changed the number of outputs");
    for (int i = 0; i < a->n_outputs; i++) {
        const shape *s = &a->values[a->outputs[i]].shape;
        check(shape_equal(s, &b->values[b->outputs[i]].shape), "the passes changed an output's shape");
        const double error =
            compare_floats(exec_ref_value(rb, b->outputs[i]), exec_ref_value(ra, a->outputs[i]), shape_count(s), NULL);
        if (!(error <= 1e-3)) {
            fprintf(stderr, "output %d differs by %g\n", i, error);
            check(false, "what the passes made computes something else");
        }
    }
}

static plan *plan_of(graph *g, const caps *c, bool plain, bool half)
{
    plan              *p = NULL;
    const pass_options o = {.no_fusion = plain, .f16 = half};
    const plan_options quiet = {.quiet = true};
    check(passes_run(g, &o) == SEPCL_OK, "the passes refused a valid graph");
    if (!plain)
        check(plan_forms(g, c, &quiet) == SEPCL_OK, "no form for a valid graph");
    check(graph_check(g) == SEPCL_OK, "the graph is not sound any more");
    check(plan_create(g, c, &quiet, &p) == SEPCL_OK, "no plan for a valid graph");
    check_memory(p);
    check_launches(p);
    return p;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    dice       d = {bytes, size, 0};
    const caps c = some_device(&d);
    const bool half = throw_of(&d, 8) == 1;
    graph     *plain = make_random_graph(&d), *fused = NULL;
    if (!plain || graph_clone(plain, &fused) != SEPCL_OK)
        return 0;
    plan     *pp = plan_of(plain, &c, true, false), *pf = plan_of(fused, &c, false, half);
    exec_ref *rp, *rf;
    run(plain, pp, &rp);
    run(fused, pf, &rf);
    if (rp && rf)
        check_outputs(plain, rp, fused, rf);
    exec_ref_destroy(rp);
    exec_ref_destroy(rf);
    plan_destroy(pp);
    plan_destroy(pf);
    graph_destroy(fused);
    graph_destroy(plain);
    return 0;
}
