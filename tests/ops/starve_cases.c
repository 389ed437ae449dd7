/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starve_cases: every op's own test cases, made, planned for a CPU and a GPU, and computed by the reference, once for
 * each allocation that is made on another way through the code, which then fails.
 */
#include <stdio.h>

#include "../fault/starve.h"
#include "../fault/starve_graph.h"
#include "../unit/usual_devices.h"
#include "exec/exec.h"
#include "ir/op.h"

#define MOST_WORK 300000u /* multiplications and additions of a case that the reference computes */

static const caps devices[] = {USUAL_CPU, USUAL_GPU};

typedef struct job {
    const op_def *op;
    int           index;
    const graph  *g;
} job;

/* As the self-test makes it. */
static status make(const job *j, graph **out)
{
    TRY(graph_create(j->op->name, out));
    error_clear();
    if (j->op->gen(j->index, *out))
        return SEPCL_OK;
    graph_destroy(*out);
    *out = NULL;
    return error_memory() ? fail_memory(0, "a case of the self-test") : fail(SEPCL_INVALID, "no more cases");
}

static status do_make(const void *given)
{
    graph *g;
    TRY(make(given, &g));
    graph_destroy(g);
    return SEPCL_OK;
}

static status plan_for(const job *j, const caps *c)
{
    plan *p;
    TRY(plan_create(j->g, c, NULL, &p));
    plan_destroy(p);
    return SEPCL_OK;
}

static status do_plan_cpu(const void *given)
{
    return plan_for(given, &devices[0]);
}

static status do_plan_gpu(const void *given)
{
    return plan_for(given, &devices[1]);
}

static status do_reference(const void *given)
{
    const job *j = given;
    return starve_reference(j->g, &devices[0]);
}

static bool one_case(job *j)
{
    graph *g;
    if (starve(j->op->name, "making a case", do_make, j, STARVE_NEW(STARVE_FRAMES), 0) != SEPCL_OK)
        return false;
    if (make(j, &g) != SEPCL_OK)
        return false;
    j->g = g;
    starve(j->op->name, "planning a case for a CPU", do_plan_cpu, j, STARVE_NEW(STARVE_FRAMES), 0);
    starve(j->op->name, "planning a case for a GPU", do_plan_gpu, j, STARVE_NEW(STARVE_FRAMES), 0);
    if (starve_work(g) < MOST_WORK)
        starve(j->op->name, "computing a case", do_reference, j, STARVE_NEW(STARVE_FRAMES), 0);
    graph_destroy(g);
    return true;
}

int main(void)
{
    for (op_kind kind = OP_NONE + 1; kind < OP_COUNT; kind++) {
        job j = {.op = op_get(kind)};
        while (j.op->gen && one_case(&j))
            j.index++;
    }
    printf("%ld failures: %ld said that memory is out, %ld ended as without\n", starve_failures, starve_named,
           starve_finished);
    return starve_wrongs == 0 && starve_named > 500 ? 0 : 1;
}
