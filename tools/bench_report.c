/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench: what a person, or with --json a program, gets to read. */
#include <limits.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "common/json.h"
#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"

#define WIDTH 100

/* ---------------------------------------------------------------- text */

static void paragraph(char *text)
{
    char *clean = text_clean(text);
    options_paragraph(clean, stdout, 0, tool_width(isatty(STDOUT_FILENO) ? WIDTH : INT_MAX));
    free(clean);
    free(text);
}

static void print_latencies(const bench *b)
{
    const column columns[] = {
        {"Model", false, 16}, {"Batch", true, 0}, {"Min ms", true, 0}, {"Median ms", true, 0}, {"p90 ms", true, 0}};
    table *t = table_new(columns, 5);
    paragraph(text_format("%s (%s), %s, %lld run%s", b->device.name, b->device.selector,
                          tool_precisions[tool.precision], (long long)bench_set.repeat,
                          bench_set.repeat == 1 ? "" : "s"));
    printf("\n");
    for (int i = 0; i < b->n_models; i++) {
        const bench_model *m = &b->models[i];
        table_cell(t, "%s", m->file);
        table_cell(t, "%lld", (long long)m->batch);
        table_cell(t, "%.3f", 1e3 * bench_quantile(m, PART_ALL, 0));
        table_cell(t, "%.3f", 1e3 * bench_quantile(m, PART_ALL, 0.5));
        table_cell(t, "%.3f", 1e3 * bench_quantile(m, PART_ALL, 0.9));
    }
    table_print(t, stdout, TABLE_PLAIN, tool_width(WIDTH));
    table_free(t);
}

/* The cells that follow a step's name; a time of 0 is not known. */
static void add_times(table *t, double seconds, double floor, double lost)
{
    const bool known = seconds > 0;
    table_cell(t, known ? "%.1f" : "-", 1e6 * seconds);
    table_cell(t, "%.1f", 1e6 * floor);
    table_cell(t, known ? "%.0f %%" : "-", 100 * floor / (known ? seconds : 1));
    table_cell(t, known ? "%.1f" : "-", 1e6 * lost);
}

static void print_table(const bench_model *m)
{
    const column columns[] = {{"Layer", false, 16}, {"Op", false, 0},      {"Bound by", false, 0},
                              {"Time us", true, 0}, {"Floor us", true, 0}, {"Efficiency", true, 0},
                              {"Lost us", true, 0}};
    table       *t = table_new(columns, 7);
    double       time = 0, lost = 0;
    for (int i = 0; i < m->n_steps; i++) {
        const bench_step *s = &m->steps[m->by_lost[i]];
        table_cell(t, "%s", s->name);
        table_cell(t, "%s", s->op);
        table_cell(t, "%s", bench_bounds[s->bound]);
        add_times(t, s->seconds, s->floor, s->lost);
        time += s->seconds;
        lost += s->lost;
    }
    table_cell(t, "all %d", m->n_steps);
    table_cell(t, "%s", "");
    table_cell(t, "%s", "");
    add_times(t, time, m->floor_s, lost);
    table_print(t, stdout, TABLE_PLAIN, tool_width(WIDTH));
    table_free(t);
}

static void print_steps(const bench_model *m)
{
    const double all = bench_quantile(m, PART_ALL, 0.5);
    printf("\n");
    paragraph(text_format("%s by lost time", m->file));
    printf("\n");
    print_table(m);
    printf("\n");
    if (m->kernel_s > 0)
        paragraph(text_format("A profiled run takes %.3f ms, of which %.3f in kernels and %.3f (%.1f %%) between them.",
                              1e3 * m->wall_s, 1e3 * m->kernel_s, 1e3 * m->idle_s, 100 * m->idle_s / m->wall_s));
    paragraph(text_format("Medians without profiling: inputs written in %.3f ms, run in %.3f, outputs read in %.3f.",
                          1e3 * bench_quantile(m, PART_WRITE, 0.5), 1e3 * bench_quantile(m, PART_RUN, 0.5),
                          1e3 * bench_quantile(m, PART_READ, 0.5)));
    paragraph(text_format("Floor of all: %.3f ms, %.0f %% of the median.", 1e3 * m->floor_s, 100 * m->floor_s / all));
}

void bench_print(const bench *b)
{
    print_latencies(b);
    if (!bench_set.layers)
        return;
    for (int i = 0; i < b->n_models; i++)
        print_steps(&b->models[i]);
    printf("\n");
    char *caches =
        b->speed.cache_gbs > 0 ? text_format(", %.4g GB/s in the caches", b->speed.cache_gbs) : text_format("%s", "");
    paragraph(text_format("Measured on %s: %.4g GFLOP/s of multiply-adds, %.4g GB/s to memory%s, %.3g us a launch.",
                          b->device.name, b->speed.fma_gflops, b->speed.bandwidth_gbs, caches, b->speed.launch_us));
    free(caches);
}

/* ---------------------------------------------------------------- JSON */

static json_t *device_json(const bench *b)
{
    json_t *j = need(json_object());
    json_put(j, "selector", json_text(b->device.selector));
    json_put(j, "name", json_text(b->device.name));
    json_put(j, "driver", json_text(b->device.driver_version));
    json_put(j, "fma_gflops", json_number(b->speed.fma_gflops));
    json_put(j, "least_fma_gflops", json_number(b->least_gflops));
    json_put(j, "bandwidth_gbs", json_number(b->speed.bandwidth_gbs));
    json_put(j, "cache_gbs", json_number(b->speed.cache_gbs));
    json_put(j, "launch_us", json_number(b->speed.launch_us));
    json_put(j, "round_trip_us", json_number(b->speed.round_trip_us));
    return j;
}

/* null where the device gave no times */
static json_t *measured(bool known, double v)
{
    return known ? json_number(v) : json_null();
}

static json_t *step_json(const bench_step *s)
{
    const bool known = s->seconds > 0;
    json_t    *j = need(json_object());
    json_put(j, "name", json_text(s->name));
    json_put(j, "op", json_text(s->op));
    json_put(j, "kernel", json_text(s->kernel));
    json_put(j, "why", json_text(s->why));
    json_put(j, "output_shape", json_shape(&s->output));
    json_put(j, "launches", json_integer(s->launches));
    json_put(j, "multiplications", json_count(s->multiplications));
    json_put(j, "additions", json_count(s->additions));
    json_put(j, "bytes", json_count(s->bytes));
    json_put(j, "time_ms", measured(known, 1e3 * s->seconds));
    json_put(j, "floor_ms", json_number(1e3 * s->floor));
    json_put(j, "bound", s->bound ? json_text(bench_bounds[s->bound]) : json_null());
    json_put(j, "efficiency", measured(known, bench_efficiency(s)));
    json_put(j, "lost_ms", measured(known, 1e3 * s->lost));
    bench_put_ways(j, s);
    return j;
}

static void put_latencies(json_t *j, const bench_model *m)
{
    json_put(j, "load_ms", json_number(1e3 * m->load_s));
    json_put(j, "session_ms", json_number(1e3 * m->session_s));
    json_put(j, "runs", json_integer(m->n_runs));
    json_put(j, "min_ms", json_number(1e3 * bench_quantile(m, PART_ALL, 0)));
    json_put(j, "median_ms", json_number(1e3 * bench_quantile(m, PART_ALL, 0.5)));
    json_put(j, "p90_ms", json_number(1e3 * bench_quantile(m, PART_ALL, 0.9)));
    json_put(j, "write_ms", json_number(1e3 * bench_quantile(m, PART_WRITE, 0.5)));
    json_put(j, "run_ms", json_number(1e3 * bench_quantile(m, PART_RUN, 0.5)));
    json_put(j, "read_ms", json_number(1e3 * bench_quantile(m, PART_READ, 0.5)));
}

static json_t *model_json(const bench_model *m)
{
    const bool known = m->kernel_s > 0;
    json_t    *j = need(json_object()), *steps = need(json_array());
    json_put(j, "file", json_text(m->file));
    json_put(j, "batch", json_integer(m->batch));
    json_put(j, "precision", json_text(tool_precisions[tool.precision]));
    json_put(j, "fusion", json_boolean(!bench_set.no_fusion));
    put_latencies(j, m);
    json_put(j, "profiled_run_ms", json_number(1e3 * m->wall_s));
    json_put(j, "kernels_ms", measured(known, 1e3 * m->kernel_s));
    json_put(j, "idle_ms", measured(known, 1e3 * m->idle_s));
    json_put(j, "floor_ms", json_number(1e3 * m->floor_s));
    for (int i = 0; i < m->n_steps; i++)
        json_add(steps, step_json(&m->steps[i]));
    json_put(j, "steps", steps);
    return j;
}

char *bench_json(const bench *b)
{
    json_t *j = need(json_object()), *models = need(json_array());
    json_put(j, "version", json_text(sepcl_version()));
    json_put(j, "device", device_json(b));
    for (int i = 0; i < b->n_models; i++)
        json_add(models, model_json(&b->models[i]));
    json_put(j, "models", models);
    return json_dump(j, true);
}
