/* SPDX-License-Identifier: Apache-2.0 */
/*
 * random_graphs [--first N] [--count N] [--seconds S] [--device SEL]: random graphs, planned with everything that passes
 * and forms make of them, run on a device twice and compared with the plain C executor on the graph as it was. Prints the
 * number of each that differs, then "N passed, N failed".
 */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "exec/exec.h"
#include "pass/pass.h"
#include "random_graph.h"

#define TOLERANCE 1e-4

static status fill_inputs(const graph *g, exec_ref *ref, exec_cl *x)
{
    for (int i = 0; i < g->n_inputs; i++) {
        float *data = exec_ref_value(ref, g->inputs[i]);
        if (!data)
            return SEPCL_OUT_OF_MEMORY;
        test_fill(data, shape_count(&g->values[g->inputs[i]].shape), 77u + (uint32_t)i);
        TRY(exec_cl_write(x, i, data));
    }
    return SEPCL_OK;
}

static status compare_outputs(const graph *plain, exec_ref *ref, const graph *fused, exec_cl *x, double *error)
{
    for (int i = 0; i < plain->n_outputs; i++) {
        const shape  *s = &plain->values[plain->outputs[i]].shape;
        const int64_t n = shape_count(s);
        float        *got = malloc((size_t)n * sizeof *got);
        if (!got)
            return fail_memory((size_t)n * sizeof *got, "an output");
        status st = shape_equal(s, &fused->values[fused->outputs[i]].shape) ? exec_cl_read(x, i, got)
                                                                             : fail(SEPCL_MISMATCH, "output %d has another shape", i);
        if (st == SEPCL_OK)
            *error = fmax(*error, compare_floats(got, exec_ref_value(ref, plain->outputs[i]), n, NULL));
        free(got);
        TRY(st);
    }
    return SEPCL_OK;
}

/* Twice: what a first run leaves in the arena must not matter. */
static status run_twice(const plan *plain, const plan *fused, exec_ref *ref, exec_cl *x, double *error)
{
    TRY(exec_cl_poison(x));
    TRY(fill_inputs(plain->g, ref, x));
    TRY(exec_ref_run(ref));
    for (int i = 0; i < 2; i++) {
        TRY(exec_cl_enqueue(x));
        TRY(exec_cl_wait(x));
        TRY(compare_outputs(plain->g, ref, fused->g, x, error));
    }
    return SEPCL_OK;
}

typedef struct attempt {
    graph    *plain, *fused;
    plan     *plan_plain, *plan_fused;
    exec_ref *ref;
    exec_cl  *x;
} attempt;

static status try_graph(exec_env *env, uint64_t seed, attempt *a, double *error)
{
    dice               d = {.seed = seed * 0x9e3779b97f4a7c15u + 1};
    const caps        *c = exec_env_caps(env);
    const plan_options o = {.quiet = true};
    a->plain = make_random_graph(&d);
    if (!a->plain)
        return SEPCL_OUT_OF_MEMORY;
    TRY(graph_clone(a->plain, &a->fused));
    TRY(passes_run(a->plain, &(pass_options){.no_fusion = true}));
    TRY(passes_run(a->fused, &(pass_options){0}));
    TRY(plan_forms(a->fused, c, &o));
    TRY(plan_create(a->plain, c, &o, &a->plan_plain));
    TRY(plan_create(a->fused, c, &o, &a->plan_fused));
    TRY(exec_ref_create(a->plan_plain, &a->ref));
    TRY(exec_cl_create(env, a->plan_fused, false, false, &a->x));
    return run_twice(a->plan_plain, a->plan_fused, a->ref, a->x, error);
}

static bool one(exec_env *env, uint64_t seed)
{
    attempt      a = {0};
    double       error = 0;
    const status st = try_graph(env, seed, &a, &error);
    const bool   right = st == SEPCL_OK && error <= TOLERANCE;
    if (!right)
        printf("graph %llu: %s (difference %.2e)\n", (unsigned long long)seed, st == SEPCL_OK ? "differs" : error_sentence(), error);
    exec_cl_destroy(a.x);
    exec_ref_destroy(a.ref);
    plan_destroy(a.plan_fused);
    plan_destroy(a.plan_plain);
    graph_destroy(a.fused);
    graph_destroy(a.plain);
    return right;
}

int main(int argc, char **argv)
{
    uint64_t      first = 1, count = 10;
    double        seconds = 0;
    const char   *device = getenv("SEPCL_TEST_DEVICE");
    exec_env_desc d = {0};
    exec_env     *env;
    int           passed = 0, failed = 0;
    for (int i = 1; i + 1 < argc; i += 2) {
        if (!strcmp(argv[i], "--first"))
            first = strtoull(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--count"))
            count = strtoull(argv[i + 1], NULL, 10);
        else if (!strcmp(argv[i], "--seconds"))
            seconds = strtod(argv[i + 1], NULL);
        else if (!strcmp(argv[i], "--device"))
            device = argv[i + 1];
    }
    if (devices_find(device, &d.cl.device) != SEPCL_OK || exec_env_create(&d, &env) != SEPCL_OK) {
        fprintf(stderr, "random_graphs: %s\n", error_sentence());
        return 5;
    }
    const time_t begin = time(NULL);
    for (uint64_t i = 0; seconds > 0 ? difftime(time(NULL), begin) < seconds : i < count; i++) {
        const bool right = one(env, first + i);
        passed += right;
        failed += !right;
        fflush(stdout);
    }
    exec_env_destroy(env);
    printf("%d passed, %d failed\n", passed, failed);
    return failed || !passed ? 1 : 0;
}
