/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench: models made ready, and end to end times. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "common/progress.h"
#include "common/random.h"
#include "common/stats.h"
#include "common/text.h"
#include "common/tool.h"

/* Warming up takes so many runs at least, and more until so many seconds have gone. */
#define WARM_RUNS 2
#define WARM_SECONDS 0.3
/* How often models are changed. A turn begins with a run that brings its data back into the caches. */
#define TURNS 10

/* ---------------------------------------------------------------- shapes */

static int first_free(const sepcl_shape *shape)
{
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0)
            return i;
    return -1;
}

/* The shape of input i with what --shape and --batch say; what both leave open may be the batch alone. */
static sepcl_status fix_shape(bench_model *m, int i, sepcl_shape *shape, bool *batched)
{
    const char *name = sepcl_model_input_name(m->model, i);
    if (shape->rank == 0)
        TRY_LIB(sepcl_model_input_shape(m->model, i, shape));
    const int free_dim = first_free(shape);
    if (bench_set.batch_given && free_dim >= 0) {
        shape->dims[free_dim] = bench_set.batch;
        *batched = true;
    }
    TRY(tool_check_shape(m->file, name, shape));
    if (first_free(shape) < 0)
        m->shapes[m->n_shapes++] = (sepcl_input_shape){name, *shape};
    return SEPCL_OK;
}

static sepcl_status no_free_dimension(const bench_model *m)
{
    char text[TEXT_SMALL] = "no input";
    if (m->n_shapes > 0)
        text_shape(&m->shapes[0].shape, text);
    return tool_fail(SEPCL_INVALID, "%s has no free dimension for --batch %lld: input '%s' is %s", m->file,
                     (long long)bench_set.batch, m->n_shapes > 0 ? m->shapes[0].name : "", text);
}

static sepcl_status fix_shapes(bench_model *m)
{
    bool               batched = false;
    sepcl_input_shape *given = NULL;
    sepcl_status       st = tool_shapes(m->model, &given);
    m->shapes = need(calloc((size_t)m->n_inputs + 1, sizeof(*m->shapes)));
    for (int i = 0; i < m->n_inputs && st == SEPCL_OK; i++)
        st = fix_shape(m, i, &given[i].shape, &batched);
    free(given);
    TRY(st);
    return bench_set.batch_given && !batched ? no_free_dimension(m) : SEPCL_OK;
}

/* What the plan took for the batch: the first dimension that the file leaves free, else the first of all. */
static sepcl_status find_batch(bench_model *m)
{
    int input = 0, dim = -1;
    for (int i = 0; i < m->n_inputs && dim < 0; i++) {
        sepcl_shape declared;
        TRY_LIB(sepcl_model_input_shape(m->model, i, &declared));
        dim = first_free(&declared);
        input = dim >= 0 ? i : 0;
    }
    m->batch = 1;
    if (m->n_inputs == 0)
        return SEPCL_OK;
    sepcl_shape planned;
    TRY_LIB(sepcl_session_input_shape(m->session, input, &planned));
    if (planned.rank > 0)
        m->batch = planned.dims[dim >= 0 && dim < planned.rank ? dim : 0];
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- sessions */

sepcl_status bench_load(bench_model *m)
{
    const double begin = tool_seconds();
    TRY_LIB(sepcl_model_load(m->file, NULL, &m->model));
    m->load_s = tool_seconds() - begin;
    m->n_inputs = sepcl_model_input_count(m->model);
    m->n_outputs = sepcl_model_output_count(m->model);
    return fix_shapes(m);
}

/* Room for one side of the model; the first session makes it. */
static sepcl_status allocate(bench_model *m, bool inputs)
{
    const int n = inputs ? m->n_inputs : m->n_outputs;
    float   **data = need(calloc((size_t)n + 1, sizeof(*data)));
    size_t   *counts = need(calloc((size_t)n + 1, sizeof(*counts)));
    *(inputs ? &m->inputs : &m->outputs) = data;
    *(inputs ? &m->input_counts : &m->output_counts) = counts;
    for (int i = 0; i < n; i++) {
        sepcl_shape shape;
        TRY_LIB(inputs ? sepcl_session_input_shape(m->session, i, &shape)
                       : sepcl_session_output_shape(m->session, i, &shape));
        counts[i] = tool_elements(&shape);
        data[i] = malloc(counts[i] * sizeof(float) + 1);
        if (!data[i])
            return tool_fail(SEPCL_OUT_OF_MEMORY, "no memory for %s %d of %s", inputs ? "input" : "output", i, m->file);
    }
    return SEPCL_OK;
}

static sepcl_status prepare_data(bench_model *m)
{
    uint64_t seed = 1;
    if (m->inputs)
        return SEPCL_OK;
    TRY(find_batch(m));
    TRY(allocate(m, true));
    TRY(allocate(m, false));
    for (int i = 0; i < m->n_inputs; i++)
        random_fill(m->inputs[i], m->input_counts[i], &seed);
    return SEPCL_OK;
}

sepcl_status bench_start(const bench *b, bench_model *m, bool profile)
{
    const sepcl_session_desc desc = {.device = b->device.selector,
                                     .precision = (sepcl_precision)tool.precision,
                                     .shapes = m->shapes,
                                     .n_shapes = m->n_shapes,
                                     .cache_dir = tool.cache_dir,
                                     .no_cache = tool.no_cache,
                                     .profile = profile,
                                     .no_fusion = bench_set.no_fusion};
    const double             begin = tool_seconds();
    progress_begin("preparing the kernels", PROGRESS_WAIT);
    const sepcl_status st = tool_library(sepcl_session_create(m->model, &desc, &m->session));
    progress_end();
    TRY(st);
    if (!profile)
        m->session_s = tool_seconds() - begin;
    return prepare_data(m);
}

void bench_stop(bench_model *m)
{
    sepcl_session_destroy(m->session);
    m->session = NULL;
}

void bench_release(bench_model *m)
{
    bench_stop(m);
    sepcl_model_destroy(m->model);
    for (int i = 0; m->inputs && i < m->n_inputs; i++)
        free(m->inputs[i]);
    for (int i = 0; m->outputs && i < m->n_outputs; i++)
        free(m->outputs[i]);
    for (int i = 0; i < PARTS; i++)
        free(m->seconds[i]);
    for (int i = 0; i < m->n_steps; i++) {
        free(m->steps[i].name);
        free(m->steps[i].op);
        free(m->steps[i].kernel);
        free(m->steps[i].why);
        bench_free_ways(&m->steps[i]);
    }
    free(m->inputs);
    free(m->outputs);
    free(m->input_counts);
    free(m->output_counts);
    free(m->shapes);
    free(m->steps);
    free(m->rows);
    free(m->by_lost);
}

/* ---------------------------------------------------------------- end to end */

sepcl_status bench_write(bench_model *m)
{
    for (int i = 0; i < m->n_inputs; i++)
        TRY_LIB(sepcl_session_write(m->session, i, m->inputs[i], m->input_counts[i] * sizeof(float)));
    return SEPCL_OK;
}

static sepcl_status run_once(bench_model *m, double parts[PARTS])
{
    const double begin = tool_seconds();
    TRY(bench_write(m));
    const double written = tool_seconds();
    TRY_LIB(sepcl_session_run(m->session));
    const double done = tool_seconds();
    for (int i = 0; i < m->n_outputs; i++)
        TRY_LIB(sepcl_session_read(m->session, i, m->outputs[i], m->output_counts[i] * sizeof(float)));
    const double end = tool_seconds();
    parts[PART_ALL] = end - begin;
    parts[PART_WRITE] = written - begin;
    parts[PART_RUN] = done - written;
    parts[PART_READ] = end - done;
    return SEPCL_OK;
}

static sepcl_status warm_up(bench_model *m)
{
    double       unused[PARTS];
    const double begin = tool_seconds();
    for (int i = 0; i < WARM_RUNS || tool_seconds() - begin < WARM_SECONDS; i++)
        TRY(run_once(m, unused));
    return SEPCL_OK;
}

static sepcl_status timed_run(bench_model *m)
{
    double parts[PARTS];
    TRY(run_once(m, parts));
    for (int i = 0; i < PARTS; i++)
        m->seconds[i][m->n_runs] = parts[i];
    m->n_runs++;
    return SEPCL_OK;
}

/* Every model has its turn until all have had their runs. */
static sepcl_status take_turns(bench *b)
{
    const int64_t most = b->n_models > 1 ? (bench_set.repeat + TURNS - 1) / TURNS : bench_set.repeat;
    long          done = 0;
    while (b->models[0].n_runs < bench_set.repeat)
        for (int i = 0; i < b->n_models; i++) {
            bench_model  *m = &b->models[i];
            const int64_t end = m->n_runs + most < bench_set.repeat ? m->n_runs + most : bench_set.repeat;
            double        unused[PARTS];
            if (b->n_models > 1)
                TRY(run_once(m, unused));
            while (m->n_runs < end) {
                TRY(timed_run(m));
                progress_step(++done, m->file);
            }
        }
    return SEPCL_OK;
}

sepcl_status bench_time(bench *b)
{
    for (int i = 0; i < b->n_models; i++)
        TRY(bench_start(b, &b->models[i], false));
    for (int i = 0; i < b->n_models; i++) {
        for (int k = 0; k < PARTS; k++)
            b->models[i].seconds[k] = need(calloc((size_t)bench_set.repeat, sizeof(double)));
        TRY(warm_up(&b->models[i]));
    }
    progress_begin("timing", (long)(b->n_models * bench_set.repeat));
    const sepcl_status st = take_turns(b);
    progress_end();
    for (int i = 0; i < b->n_models; i++) {
        for (int k = 0; k < PARTS; k++)
            stats_sort(b->models[i].seconds[k], b->models[i].n_runs);
        bench_stop(&b->models[i]);
    }
    return st;
}

double bench_quantile(const bench_model *m, bench_part part, double q)
{
    return stats_quantile(m->seconds[part], m->n_runs, q);
}
