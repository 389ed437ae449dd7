/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench: the time of each step, and the least that the device's speed allows. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "common/progress.h"
#include "common/stats.h"
#include "common/text.h"
#include "common/tool.h"

/* Medians need no more runs. */
#define MOST_RUNS 200
/* Models and measurements of the device take turns: whatever disturbs makes a device look slower, so the best of
   several measurements counts. */
#define TURNS 3
#define WARM_RUNS 2
/* Measurements that differ by more than this factor are worth a word. */
#define STEADY 1.15

const char *const bench_bounds[] = {"", "compute", "cache", "memory"};

/* ---------------------------------------------------------------- times */

static sepcl_status describe_steps(bench_model *m)
{
    m->n_steps = sepcl_session_step_count(m->session);
    m->steps = need(calloc((size_t)m->n_steps + 1, sizeof(*m->steps)));
    for (int i = 0; i < m->n_steps; i++) {
        sepcl_step_info s;
        TRY_LIB(sepcl_session_step(m->session, i, &s));
        m->steps[i] = (bench_step){.name = text_clean(s.name),
                                   .op = text_clean(s.op),
                                   .kernel = text_clean(s.kernel),
                                   .why = text_clean(s.why),
                                   .output = s.output,
                                   .launches = s.launches,
                                   .multiplications = s.multiplications,
                                   .additions = s.additions,
                                   .bytes = s.bytes};
        TRY(bench_find_ways(m, i, &m->steps[i]));
    }
    return SEPCL_OK;
}

/* The rows that follow those of the steps. */
enum { ROW_WALL, ROW_KERNELS, ROW_IDLE, ROWS };

static int runs_of_each(void)
{
    return bench_set.repeat < MOST_RUNS ? (int)bench_set.repeat : MOST_RUNS;
}

static double *row(const bench_model *m, int index)
{
    return m->rows + (size_t)index * (size_t)runs_of_each();
}

/* Times become number `run`. */
static sepcl_status profiled_run(bench_model *m, int run)
{
    double kernels = 0;
    TRY(bench_write(m));
    const double begin = tool_seconds();
    TRY_LIB(sepcl_session_run(m->session));
    const double wall = tool_seconds() - begin;
    for (int i = 0; i < m->n_steps; i++) {
        sepcl_step_info s;
        TRY_LIB(sepcl_session_step(m->session, i, &s));
        row(m, i)[run] = 1e-9 * (double)s.busy_ns;
        kernels += 1e-9 * (double)s.busy_ns;
    }
    row(m, m->n_steps + ROW_WALL)[run] = wall;
    row(m, m->n_steps + ROW_KERNELS)[run] = kernels;
    row(m, m->n_steps + ROW_IDLE)[run] = fmax(0, wall - kernels);
    return SEPCL_OK;
}

static sepcl_status start(const bench *b, bench_model *m)
{
    TRY(bench_start(b, m, true));
    TRY(describe_steps(m));
    m->rows = need(calloc(((size_t)m->n_steps + ROWS) * (size_t)runs_of_each(), sizeof(double)));
    return SEPCL_OK;
}

static sepcl_status take_turn(bench_model *m, int end)
{
    for (int i = 0; i < WARM_RUNS && m->n_profiled < end; i++)
        TRY(profiled_run(m, m->n_profiled));
    for (; m->n_profiled < end; m->n_profiled++)
        TRY(profiled_run(m, m->n_profiled));
    return SEPCL_OK;
}

static double median(bench_model *m, int index)
{
    stats_sort(row(m, index), m->n_profiled);
    return stats_quantile(row(m, index), m->n_profiled, 0.5);
}

static void finish(const bench *b, bench_model *m)
{
    for (int i = 0; i < m->n_steps; i++)
        m->steps[i].seconds = median(m, i);
    m->wall_s = median(m, m->n_steps + ROW_WALL);
    m->kernel_s = median(m, m->n_steps + ROW_KERNELS);
    m->idle_s = median(m, m->n_steps + ROW_IDLE);
    if (m->n_steps > 0 && m->kernel_s <= 0)
        tool_warn("%s: %s gives no event times, so the steps have none", m->file, b->device.name);
}

/* ---------------------------------------------------------------- floors */

double bench_operations(const bench_step *s)
{
    return 2.0 * (double)(s->multiplications > s->additions ? s->multiplications : s->additions);
}

double bench_efficiency(const bench_step *s)
{
    return s->seconds > 0 ? s->floor / s->seconds : 0;
}

static void set_floor(const bench *b, bench_step *s)
{
    const bool   cached = b->speed.cache_gbs > b->speed.bandwidth_gbs && s->bytes <= b->device.cache_bytes;
    const double gbs = cached ? b->speed.cache_gbs : b->speed.bandwidth_gbs;
    const double compute = bench_operations(s) / (1e9 * b->speed.fma_gflops), moving = (double)s->bytes / (1e9 * gbs);
    s->floor = fmax(compute, moving);
    s->bound = s->floor <= 0 ? BOUND_NONE : compute >= moving ? BOUND_COMPUTE : cached ? BOUND_CACHE : BOUND_MEMORY;
    s->lost = s->seconds > 0 ? fmax(0, s->seconds - s->floor) : 0;
}

static const bench_step *sorted_steps; /* for by_lost_time */

static int by_lost_time(const void *a, const void *b)
{
    const int    i = *(const int *)a, k = *(const int *)b;
    const double x = sorted_steps[i].lost, y = sorted_steps[k].lost;
    return x != y ? (x < y) - (x > y) : i - k;
}

static void set_floors(const bench *b, bench_model *m)
{
    m->by_lost = need(calloc((size_t)m->n_steps + 1, sizeof(*m->by_lost)));
    m->floor_s = 0;
    for (int i = 0; i < m->n_steps; i++) {
        set_floor(b, &m->steps[i]);
        m->floor_s += m->steps[i].floor;
        m->by_lost[i] = i;
    }
    sorted_steps = m->steps;
    qsort(m->by_lost, (size_t)m->n_steps, sizeof(int), by_lost_time);
}

/* ---------------------------------------------------------------- all of it */

static sepcl_status measure(bench *b)
{
    const bool         first = b->speed.fma_gflops <= 0;
    sepcl_device_speed v;
    TRY_LIB(sepcl_device_measure(b->device_index, &v));
    b->speed.fma_gflops = fmax(b->speed.fma_gflops, v.fma_gflops);
    b->speed.bandwidth_gbs = fmax(b->speed.bandwidth_gbs, v.bandwidth_gbs);
    b->speed.cache_gbs = fmax(b->speed.cache_gbs, v.cache_gbs);
    b->speed.launch_us = first ? v.launch_us : fmin(b->speed.launch_us, v.launch_us);
    b->speed.round_trip_us = first ? v.round_trip_us : fmin(b->speed.round_trip_us, v.round_trip_us);
    b->least_gflops = first ? v.fma_gflops : fmin(b->least_gflops, v.fma_gflops);
    return SEPCL_OK;
}

bool bench_unsteady(const bench *b)
{
    return b->speed.fma_gflops > STEADY * b->least_gflops;
}

static sepcl_status all_turns(bench *b)
{
    long done = 0;
    for (int turn = 1; turn <= TURNS; turn++) {
        TRY(measure(b));
        progress_step(++done, b->device.name);
        for (int i = 0; i < b->n_models; i++) {
            TRY(take_turn(&b->models[i], runs_of_each() * turn / TURNS));
            progress_step(++done, b->models[i].file);
        }
    }
    return measure(b);
}

/* All sessions are made before the device is measured, since plans that are made afterwards know its speed and may
   differ from those that other programs make. */
sepcl_status bench_time_steps(bench *b)
{
    for (int i = 0; i < b->n_models; i++)
        TRY(start(b, &b->models[i]));
    progress_begin("timing layers", (long)TURNS * (b->n_models + 1) + 1);
    const sepcl_status st = all_turns(b);
    progress_end();
    TRY(st);
    for (int i = 0; i < b->n_models; i++) {
        finish(b, &b->models[i]);
        set_floors(b, &b->models[i]);
        bench_stop(&b->models[i]);
    }
    if (bench_unsteady(b))
        tool_warn("the speed of %s changed from %.3g to %.3g GFLOP/s while it was measured; something else runs on it",
                  b->device.name, b->least_gflops, b->speed.fma_gflops);
    return SEPCL_OK;
}
