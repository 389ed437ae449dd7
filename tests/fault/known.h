/* SPDX-License-Identifier: Apache-2.0 */
/* Times that are known (tests/tools/fixed_times.c) and a small network whose convolutions separate, for tests of what
   is tuned and separated. */
#ifndef SEPCL_TESTS_FAULT_KNOWN_H
#define SEPCL_TESTS_FAULT_KNOWN_H

#include "../unit/onnx_writer.h"
#include "../unit/scratch.h"
#include "exec/exec.h"

/* NULL: it is not there. */
static inline void known_set(const char *variable, const char *text)
{
    assert_int_equal(text ? setenv(variable, text, 1) : unsetenv(variable), 0);
}

/* Times that depend on kernels; those whose text holds `slow` are far slower, or with "!" before it those that do not.
 */
static inline void known_kernels(const char *slow)
{
    known_set("SEPCL_FIXED_KERNELS", "1");
    known_set("SEPCL_FIXED_SLOW_KERNEL", slow);
}

/* A multiplication takes a nanosecond, whatever the kernel. */
static inline void known_multiplications(void)
{
    known_set("SEPCL_FIXED_KERNELS", NULL);
    known_set("SEPCL_FIXED_SLOW_KERNEL", NULL);
}

/* ---------------------------------------------------------------- compiled once */

/* What is only tried out is not stored among the compiled programs, since most of it loses. While this is true it is,
   as tests try the same out a thousand times. */
static bool known_store;

status __real_exec_cl_create(exec_env *e, const plan *p, bool profile, bool warm, exec_cl **out);
status __wrap_exec_cl_create(exec_env *e, const plan *p, bool profile, bool warm, exec_cl **out);

status __wrap_exec_cl_create(exec_env *e, const plan *p, bool profile, bool warm, exec_cl **out)
{
    return __real_exec_cl_create(e, p, profile, warm || known_store, out);
}

/* A cache folder in which compiled programs may stay from an earlier time, tunings not. */
static inline void known_cache(char cache[600], const char *scratch)
{
    char        command[700];
    const char *all = getenv("SEPCL_CACHE_DIR");
    snprintf(cache, 600, "%s/known", all && strcmp(all, "off") ? all : scratch);
    snprintf(command, sizeof command, "rm -rf '%s/tuning'", cache);
    assert_int_equal(system(command), 0);
}

/* ---------------------------------------------------------------- a network of convolutions that separate */

#define KNOWN_SIZE 10

static inline float known_dice(int i)
{
    return (float)((uint64_t)(i + 11) * 2654435761u % 2001) / 1000 - 1;
}

/* [out][in][5][5] weights that are one product a(i, y) b(x, o), and `damage` of something else. */
static inline void known_rank_one(net *m, const char *name, int out, int in, float damage)
{
    const int64_t dims[] = {out, in, 5, 5};
    float         w[8 * 8 * 25];
    int           n = 0;
    for (int o = 0; o < out; o++)
        for (int i = 0; i < in; i++)
            for (int t = 0; t < 25; t++, n++)
                w[n] = (known_dice(i * 5 + t / 5) * known_dice(100 + t % 5 * out + o) + damage * known_dice(1000 + n)) /
                       (float)in;
    pb t = tensor_begin(name, 1, 4, dims);
    pb_bytes(&t, 9, w, (size_t)n * sizeof *w);
    net_tensor(m, t);
}

/* Exact at rank 1; near it; a depthwise layer and a pointwise one that are cheaper as one convolution. */
static inline pb known_file(void)
{
    net m = {{0}};
    INPUT(&m, "x", 1, 4, KNOWN_SIZE, KNOWN_SIZE);
    known_rank_one(&m, "w0", 8, 4, 0);
    NODE_WITH(&m, "Conv", "exact", "x,w0", "a", ATTR_IS("pads", 2, 2, 2, 2));
    NODE(&m, "Relu", "relu", "a", "b");
    known_rank_one(&m, "w1", 8, 8, 1e-3f);
    NODE_WITH(&m, "Conv", "near", "b,w1", "c", ATTR_IS("pads", 2, 2, 2, 2));
    NODE(&m, "Relu", "relu_2", "c", "d");
    WEIGHT(&m, "w2", 0.01f, 8, 1, 3, 3);
    NODE_WITH(&m, "Conv", "depthwise", "d,w2", "e", ATTR_IS("pads", 1, 1, 1, 1), attr_i("group", 8));
    WEIGHT(&m, "w3", 0.1f, 1, 8, 1, 1);
    NODE(&m, "Conv", "pointwise", "e,w3", "y");
    net_output(&m, "y");
    return net_finish(&m, 13);
}

/* Pointwise, then depthwise: a row in which forms compete. */
static inline pb known_block(void)
{
    net m = {{0}};
    INPUT(&m, "x", 1, 16, 14, 14);
    WEIGHT(&m, "w0", 0.01f, 48, 16, 1, 1);
    NODE(&m, "Conv", "pointwise", "x,w0", "a");
    NODE(&m, "Relu", "relu", "a", "b");
    WEIGHT(&m, "w1", 0.02f, 48, 1, 3, 3);
    NODE_WITH(&m, "Conv", "depthwise", "b,w1", "y", ATTR_IS("pads", 1, 1, 1, 1), attr_i("group", 48));
    net_output(&m, "y");
    return net_finish(&m, 13);
}

#endif
