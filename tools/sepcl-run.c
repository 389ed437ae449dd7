/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-run: a model, inputs in, answers out. */
#include "run.h"

#include <stdlib.h>
#include <string.h>

#include "common/npy.h"
#include "common/output.h"
#include "common/progress.h"
#include "common/recipe.h"
#include "common/stats.h"
#include "common/text.h"
#include "common/tool.h"

run_settings run_set = {.top = 5, .seed = 1, .repeat = 1};

static const option_def options[] = {
    {.name = "output",
     .letter = 'o',
     .arg = "[NAME=]FILE",
     .group = "Output",
     .kind = OPTION_LIST,
     .value = &run_set.outputs,
     .help = "write an output as .npy, in the layout of the model file; the name may be left out: the first such "
             "file is for the first output without one"},
    {.name = "top",
     .letter = 'k',
     .arg = "K",
     .group = "Output",
     .kind = OPTION_INT,
     .value = &run_set.top,
     .given = &run_set.top_given,
     .min = 1,
     .max = 1000000,
     .help = "print the K best classes [5 with --labels]"},
    {.name = "labels",
     .letter = 'l',
     .arg = "FILE",
     .group = "Output",
     .kind = OPTION_FILE,
     .value = &run_set.labels,
     .help = "names of the classes, one a line"},
    RECIPE_OPTIONS,
    {.name = "random",
     .arg = "SEED",
     .group = "Model",
     .kind = OPTION_INT,
     .optional = true,
     .value = &run_set.seed,
     .given = &run_set.random,
     .help = "fill inputs that have no file with numbers from -1 to 1, the same for the same seed [1]"},
    TOOL_OPTION_SHAPE,
    {.name = "check",
     .arg = "TOL",
     .group = "Measuring",
     .kind = OPTION_REAL,
     .optional = true,
     .value = &run_set.tolerance,
     .given = &run_set.check,
     .min = 1e-12,
     .max = 1e12,
     .help = "compare every layer with the reference executor; the largest difference over the largest magnitude may "
             "be TOL [1e-4, with f16 1e-2]"},
    {.name = "profile",
     .arg = "FILE",
     .group = "Measuring",
     .kind = OPTION_FILE,
     .value = &run_set.profile,
     .help = "write a trace of host and device that Perfetto opens (ui.perfetto.dev)"},
    {.name = "repeat",
     .arg = "N",
     .group = "Measuring",
     .kind = OPTION_INT,
     .value = &run_set.repeat,
     .min = 1,
     .max = 1000000,
     .help = "after one run to warm up, time N from inputs written to outputs read [1, without warm-up]"},
    {.name = "no-fusion",
     .group = "Measuring",
     .kind = OPTION_FLAG,
     .value = &run_set.no_fusion,
     .help = "one kernel a layer"},
    TOOL_OPTIONS_DEVICE,
    TOOL_OPTION_PRECISION,
    TOOL_OPTION_JSON,
    TOOL_OPTIONS_GENERAL,
    {0},
};

static const program run_program = {
    .name = "sepcl-run",
    .usage = "MODEL [[NAME=]INPUT...]",
    .purpose = "Runs a model on an OpenCL device. An INPUT is a PNG or JPEG picture, or a .npy array in the layout of "
               "the model file's own input. Without -o or -k, prints shape and range of each output.",
    .details =
        "Inputs without a name go to the model's inputs in order; when there is one input, several pictures for "
        "it are a batch. A picture fills an input of shape NCHW or NHWC (1 or 3 channels), is resized to it with an "
        "antialiasing filter, and gives free height and width its own size. Transparent parts stand on white. - is "
        "standard "
        "input or output.\n"
        "\n"
        "Examples\n"
        "  sepcl-run model.onnx cat.png -k 5 -l labels.txt\n"
        "  sepcl-run model.onnx cat.jpg --mean 124,116,104 --scale 1/58.4,1/57.1,1/57.4\n"
        "  sepcl-run model.onnx x=in.npy -o y=out.npy\n"
        "  sepcl-run model.onnx --random --check --profile trace.json",
    .options = options,
    .min_args = 1,
    .max_args = -1,
    .missing = "a model file is needed",
};

/* ---------------------------------------------------------------- small things */

static void add_span(run *r, const char *name, double begin, double end)
{
    if (!run_set.profile)
        return;
    if (r->n_spans == r->cap_spans) {
        r->cap_spans = r->cap_spans ? 2 * r->cap_spans : 64;
        r->spans = need(realloc(r->spans, (size_t)r->cap_spans * sizeof(*r->spans)));
    }
    r->spans[r->n_spans++] = (run_span){name, begin - r->begun, end - r->begun};
}

void run_span_end(run *r, const char *name, double begin)
{
    add_span(r, name, begin, tool_seconds());
}

static sepcl_status float_array(const char *name, size_t count, float **out)
{
    *out = malloc(count * sizeof(float));
    return *out ? SEPCL_OK
                : tool_fail(SEPCL_OUT_OF_MEMORY, "no memory for '%s': %zu bytes", name, count * sizeof(float));
}

/* ---------------------------------------------------------------- steps of the program, in order */

/* What can be found wrong before any work is done. */
static sepcl_status check_settings(void)
{
    TRY(recipe_check());
    if (run_set.profile)
        TRY(output_check(run_set.profile));
    return SEPCL_OK;
}

static sepcl_status load_model(run *r)
{
    const double begin = tool_seconds();
    TRY_LIB(sepcl_model_load(r->file, NULL, &r->model));
    r->load_s = tool_seconds() - begin;
    run_span_end(r, "load model", begin);
    return SEPCL_OK;
}

static sepcl_status find_device(run *r)
{
    const double begin = tool_seconds();
    int          index;
    TRY_LIB(sepcl_device_find(tool.device, &index));
    TRY_LIB(sepcl_device_get(index, &r->device));
    run_span_end(r, "find device", begin);
    return SEPCL_OK;
}

static sepcl_status create_session(run *r)
{
    for (int i = 0; i < r->n_inputs; i++)
        TRY(tool_check_shape(r->file, r->inputs[i].name, &r->inputs[i].shape));
    const double       begin = tool_seconds();
    sepcl_input_shape *shapes = need(calloc((size_t)r->n_inputs + 1, sizeof(*shapes)));
    sepcl_session_desc desc = {
        .device = r->device.selector,
        .precision = (sepcl_precision)tool.precision,
        .shapes = shapes,
        .cache_dir = tool.cache_dir,
        .no_cache = tool.no_cache,
        .profile = run_set.profile != NULL,
        .no_fusion = run_set.no_fusion,
    };
    for (int i = 0; i < r->n_inputs; i++)
        if (tool_elements(&r->inputs[i].shape) > 0)
            shapes[desc.n_shapes++] = (sepcl_input_shape){r->inputs[i].name, r->inputs[i].shape};
    progress_begin("preparing the kernels", PROGRESS_WAIT);
    const sepcl_status st = tool_library(sepcl_session_create(r->model, &desc, &r->session));
    progress_end();
    free(shapes);
    TRY(st);
    r->plan_s = tool_seconds() - begin;
    run_span_end(r, "create session", begin);
    return SEPCL_OK;
}

static sepcl_status allocate(run *r)
{
    for (int i = 0; i < r->n_outputs; i++) {
        run_output *o = &r->outputs[i];
        TRY_LIB(sepcl_session_output_shape(r->session, i, &o->shape));
        o->count = tool_elements(&o->shape);
        TRY(float_array(o->name, o->count, &o->data));
    }
    r->seconds = need(calloc((size_t)run_set.repeat, sizeof(double)));
    if (run_set.profile) {
        const size_t runs = (size_t)run_set.repeat, steps = (size_t)sepcl_session_step_count(r->session);
        if (runs * (steps + 1) > 4000000)
            return tool_fail(SEPCL_INVALID, "--profile with --repeat %zu would hold %zu steps; 4000000 is the limit",
                             runs, runs * steps);
        r->times = need(calloc(runs * steps + 1, sizeof(*r->times)));
        r->enqueued = need(calloc(runs, sizeof(double)));
    }
    return SEPCL_OK;
}

/* Device times of the run that has just ended. */
static sepcl_status keep_times(run *r, double enqueued)
{
    const int steps = sepcl_session_step_count(r->session);
    for (int i = 0; i < steps; i++) {
        sepcl_step_info s;
        TRY_LIB(sepcl_session_step(r->session, i, &s));
        r->times[(size_t)r->n_profiled * (size_t)steps + (size_t)i] =
            (run_step_times){s.queued_ns, s.start_ns, s.end_ns};
    }
    r->enqueued[r->n_profiled++] = enqueued - r->begun;
    return SEPCL_OK;
}

/* Inputs written, network run, outputs read. */
static sepcl_status run_once(run *r, bool timed)
{
    const double begin = tool_seconds();
    for (int i = 0; i < r->n_inputs; i++)
        TRY_LIB(sepcl_session_write(r->session, i, r->inputs[i].data, r->inputs[i].count * sizeof(float)));
    const double written = tool_seconds();
    add_span(r, "write inputs", begin, written);
    TRY_LIB(sepcl_session_run(r->session));
    const double done = tool_seconds();
    add_span(r, timed ? "run" : "warm up", written, done);
    for (int i = 0; i < r->n_outputs; i++)
        TRY_LIB(sepcl_session_read(r->session, i, r->outputs[i].data, r->outputs[i].count * sizeof(float)));
    run_span_end(r, "read outputs", done);
    if (timed)
        r->seconds[r->n_runs++] = tool_seconds() - begin;
    return timed && r->times ? keep_times(r, written) : SEPCL_OK;
}

static sepcl_status run_all(run *r)
{
    if (run_set.repeat > 1) {
        TRY(run_once(r, false));
        progress_begin("run", (long)run_set.repeat);
    }
    while (r->n_runs < run_set.repeat) {
        TRY(run_once(r, true));
        progress_step(r->n_runs, NULL);
    }
    progress_end();
    stats_sort(r->seconds, r->n_runs);
    return SEPCL_OK;
}

/* Output files, all or none. */
static sepcl_status write_files(run *r)
{
    char        *headers = need(calloc((size_t)r->n_outputs + 1, NPY_HEADER)), *trace = NULL;
    sepcl_status st = SEPCL_OK;
    for (int i = 0; i < r->n_outputs && st == SEPCL_OK; i++) {
        const run_output *o = &r->outputs[i];
        char             *header = headers + (size_t)i * NPY_HEADER;
        if (!o->file)
            continue;
        const output_part parts[2] = {{header, npy_header(&o->shape, header)}, {o->data, o->count * sizeof(float)}};
        st = output_add(o->file, parts, 2);
    }
    if (run_set.profile && st == SEPCL_OK) {
        trace = run_trace(r);
        st = output_add(run_set.profile, &(output_part){trace, strlen(trace)}, 1);
    }
    if (st == SEPCL_OK)
        st = output_commit();
    output_abandon();
    free(trace);
    free(headers);
    return st;
}

static sepcl_status run_program_on(run *r, const options_result *args)
{
    r->file = args->args[0];
    TRY(check_settings());
    TRY(run_read_labels(r));
    TRY(load_model(r));
    TRY(run_assign_inputs(r, args->args + 1, args->count - 1));
    TRY(run_assign_outputs(r));
    TRY(run_read_inputs(r));
    TRY(find_device(r));
    TRY(create_session(r));
    TRY(run_fill_inputs(r));
    run_print_steps(r);
    TRY(allocate(r));
    TRY(run_all(r));
    const sepcl_status checked = run_set.check ? run_check(r) : SEPCL_OK;
    if (checked != SEPCL_OK && checked != SEPCL_MISMATCH)
        return checked;
    if (checked == SEPCL_OK)
        TRY(write_files(r));
    if (tool.json)
        run_report_json(r);
    else if (!tool.quiet && checked == SEPCL_OK && !r->to_stdout)
        run_report(r);
    return checked;
}

static void release(run *r)
{
    for (int i = 0; i < r->n_inputs; i++) {
        free(r->inputs[i].files);
        free(r->inputs[i].data);
    }
    for (int i = 0; i < r->n_outputs; i++)
        free(r->outputs[i].data);
    for (int i = 0; i < r->n_labels; i++)
        free(r->labels[i]);
    free(r->inputs);
    free(r->outputs);
    free(r->labels);
    free(r->seconds);
    free(r->spans);
    free(r->times);
    free(r->enqueued);
    json_decref(r->check);
    fflush(stdout); /* the answer first: after a first start the session may take seconds to store its programs */
    sepcl_session_destroy(r->session);
    sepcl_model_destroy(r->model);
}

int main(int argc, char **argv)
{
    static run     r;
    options_result args;
    sepcl_status   st;
    r.begun = tool_seconds();
    if (!tool_begin(&run_program, argc, argv, &args, &st))
        return tool_end(st);
    st = run_program_on(&r, &args);
    release(&r);
    return tool_end(st);
}
