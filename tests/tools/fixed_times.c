/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Replaces measured times by some that are known, by the linker's --wrap, so that what sepcl-separate and the tuner decide
 * can be tested exactly: a multiplication takes a nanosecond, and nothing else takes time. In the environment:
 *
 *   SEPCL_FIXED_SLOW=NAME        the second of two takes a hundred times as long when NAME is its first output, as that
 *                                of a network; *: all times make no sense, as those of a broken clock
 *   SEPCL_FIXED_KERNELS=1        a step takes a microsecond more, and all of it up to twice as long, by its kernel's name
 *                                and parameters: of two ways to run a layer one is the faster
 *   SEPCL_FIXED_SLOW_KERNEL=TEXT steps whose kernel and parameters hold TEXT take a hundred times as long; !TEXT: those that
 *                                do not
 */
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "exec/trial.h"

status __wrap_trial_race(trial *a, trial *b, double least, double *a_seconds, double *b_seconds);
status __wrap_trial_race_all(trial *const *t, int n, double *seconds);
double __wrap_network_predicted(const trial *t);

/* What the kernel adds, as a factor: 1 to 2. */
static double kernel_factor(const char *kernel)
{
    char   hex[HASH_TEXT];
    hasher h;
    hash_begin(&h);
    hash_text(&h, kernel);
    const hash128 sum = hash_end(&h);
    hash_hex(&sum, hex);
    hex[4] = 0;
    return 1 + (double)strtol(hex, NULL, 16) / 65536;
}

static bool is_slow(const char *kernel)
{
    const char *text = getenv("SEPCL_FIXED_SLOW_KERNEL");
    if (!text)
        return false;
    return *text == '!' ? !strstr(kernel, text + 1) : strstr(kernel, text) != NULL;
}

static double step_seconds(const plan_step *s)
{
    double one = 1e-9 * (double)s->cost.multiplications;
    if (getenv("SEPCL_FIXED_KERNELS"))
        one = (one + 1e-6) * kernel_factor(s->kernel);
    return is_slow(s->kernel) ? 100 * one : one;
}

static double fixed_seconds(const trial *t)
{
    const plan *p = trial_plan(t);
    const char *slow = getenv("SEPCL_FIXED_SLOW");
    double      sum = 0;
    for (int i = 0; i < p->n_steps; i++)
        sum += step_seconds(&p->steps[i]);
    return slow && !strcmp(slow, "*") ? 0 : sum;
}

status __wrap_trial_race(trial *a, trial *b, double least, double *a_seconds, double *b_seconds)
{
    const char *slow = getenv("SEPCL_FIXED_SLOW");
    (void)least;
    *a_seconds = fixed_seconds(a);
    if (!b)
        return SEPCL_OK;
    const graph *g = trial_graph(b);
    *b_seconds = fixed_seconds(b);
    if (slow && !strcmp(slow, g->values[g->outputs[0]].name))
        *b_seconds *= 100;
    return SEPCL_OK;
}

status __wrap_trial_race_all(trial *const *t, int n, double *seconds)
{
    for (int i = 0; i < n; i++)
        seconds[i] = fixed_seconds(t[i]);
    return SEPCL_OK;
}

/* The cost model's guess, which depends on the device. */
double __wrap_network_predicted(const trial *t)
{
    return fixed_seconds(t);
}
