/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces measured times by some that are known, by the linker's --wrap, so that what sepcl-separate decides can be
 * tested exactly: a multiplication takes a nanosecond, and nothing else takes time. With SEPCL_FIXED_SLOW=NAME the
 * second of two takes a hundred times as long when NAME is its first output, as that of a network; with
 * SEPCL_FIXED_SLOW=* all times make no sense, as those of a broken clock.
 */
#include <stdlib.h>
#include <string.h>

#include "exec/trial.h"

status __wrap_trial_race(trial *a, trial *b, double least, double *a_seconds, double *b_seconds);
double __wrap_network_predicted(const trial *t);

static double fixed_seconds(const trial *t)
{
    const graph *g = trial_graph(t);
    uint64_t     sum = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        op_count count = {0};
        op_get(g->nodes[i]->op)->count(&(node_view){g, g->nodes[i]}, &count);
        sum += count.multiplications;
    }
    return 1e-9 * (double)sum;
}

status __wrap_trial_race(trial *a, trial *b, double least, double *a_seconds, double *b_seconds)
{
    const char *slow = getenv("SEPCL_FIXED_SLOW");
    const bool  senseless = slow && !strcmp(slow, "*");
    (void)least;
    *a_seconds = senseless ? 0 : fixed_seconds(a);
    if (!b)
        return SEPCL_OK;
    const graph *g = trial_graph(b);
    *b_seconds = senseless ? 0 : fixed_seconds(b);
    if (slow && !strcmp(slow, g->values[g->outputs[0]].name))
        *b_seconds *= 100;
    return SEPCL_OK;
}

/* The cost model's guess, which depends on the device. */
double __wrap_network_predicted(const trial *t)
{
    return fixed_seconds(t);
}
