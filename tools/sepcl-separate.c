/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-separate: which convolutions of a model separate, at what error, and whether that is faster; and the model with
   them separated. */
#include "separate.h"

#include <stdlib.h>
#include <string.h>

#include "common/output.h"
#include "common/progress.h"
#include "common/recipe.h"
#include "common/text.h"
#include "common/tool.h"

#define STEPS 1000 /* of the bar */

separate_settings separate_set = {.most = 16};

static const option_def options[] = {
    {.name = "output",
     .letter = 'o',
     .arg = "FILE",
     .group = "Output",
     .kind = OPTION_FILE,
     .value = &separate_set.out,
     .help = "write the rewritten model in ONNX"},
    {.name = "report",
     .arg = "FILE",
     .group = "Output",
     .kind = OPTION_FILE,
     .value = &separate_set.report,
     .help = "write a page with a row a layer: singular values, ranks, errors, times, and what was chosen why"},
    {.name = "tolerance",
     .letter = 't',
     .arg = "E",
     .group = "Separating",
     .kind = OPTION_REAL,
     .value = &separate_set.tolerance,
     .given = &separate_set.tolerance_given,
     .min = 1e-9,
     .max = 1,
     .help = "largest error that the outputs may have, measured on samples: largest difference over largest magnitude "
             "[none: only what is exact but for rounding]"},
    {.name = "target-speedup",
     .arg = "S",
     .group = "Separating",
     .kind = OPTION_REAL,
     .value = &separate_set.speedup,
     .given = &separate_set.speedup_given,
     .min = 1,
     .max = 1000,
     .help = "make the model S times faster at the least error, or as near as it gets"},
    {.name = "calib",
     .arg = "FOLDER",
     .group = "Separating",
     .kind = OPTION_FOLDER,
     .value = &separate_set.calib,
     .help = "samples of the model's input: pictures, or .npy arrays of one or many [4 of random numbers]"},
    {.name = "samples",
     .arg = "N",
     .group = "Separating",
     .kind = OPTION_INT,
     .value = &separate_set.most,
     .min = 1,
     .max = 4096,
     .help = "take at most N of them [16]"},
    RECIPE_OPTIONS,
    TOOL_OPTION_SHAPE,
    TOOL_OPTIONS_DEVICE,
    TOOL_OPTION_JSON,
    TOOL_OPTIONS_GENERAL,
    {0},
};

static const program separate_program = {
    .name = "sepcl-separate",
    .usage = "MODEL",
    .purpose =
        "Finds the convolutions of a model that separate: spatially (k x 1, then 1 x k), into depthwise and pointwise, "
        "or, when pointwise, into two of fewer channels; and pairs that are faster as one. Takes the forms that are "
        "faster on the device in a measurement, and writes the model with them.",
    .details =
        "Without --tolerance or --target-speedup only forms are taken whose weights are the same but for rounding "
        "(1e-6). The error of the outputs is measured on the samples; the bound on a layer's error holds for any "
        "input. "
        "Nothing else should run on the device meanwhile. - is standard output.\n"
        "\n"
        "Examples\n"
        "  sepcl-separate model.onnx -o separated.onnx --report report.html\n"
        "  sepcl-separate model.onnx -o near.onnx --tolerance 0.02 --calib pictures/ --mean 128 --scale 1/128\n"
        "  sepcl-separate model.onnx -o fast.onnx --target-speedup 1.5 --calib samples.npy.d/",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .missing = "a model file is needed",
};

/* ---------------------------------------------------------------- before */

static sepcl_status check_output(const char **file)
{
    if (!*file)
        return SEPCL_OK;
    if (!strcmp(*file, "-"))
        *file = "/dev/stdout";
    return output_check(*file);
}

static sepcl_status check_settings(void)
{
    if (separate_set.out && separate_set.report && !strcmp(separate_set.out, separate_set.report))
        return tool_fail(SEPCL_INVALID, "-o and --report both write '%s'", separate_set.out);
    if (!sepcl_can_separate())
        return tool_fail(SEPCL_UNSUPPORTED,
                         "this build of sepcl has no LAPACK, which finding out what separates needs");
    TRY(recipe_check());
    TRY(check_output(&separate_set.out));
    return check_output(&separate_set.report);
}

/* Every input's shape, a free batch as 1. */
static sepcl_status fix_shapes(separate_job *j)
{
    TRY(tool_shapes(j->model, &j->shapes));
    j->n_shapes = sepcl_model_input_count(j->model);
    for (int i = 0; i < j->n_shapes; i++) {
        sepcl_shape *shape = &j->shapes[i].shape;
        if (shape->rank == 0)
            TRY_LIB(sepcl_model_input_shape(j->model, i, shape));
        TRY(tool_check_shape(j->file, j->shapes[i].name, shape));
        if (shape->rank > 0 && shape->dims[0] < 0)
            shape->dims[0] = 1;
    }
    return SEPCL_OK;
}

static sepcl_status load(separate_job *j)
{
    int index;
    TRY_LIB(sepcl_model_load(j->file, NULL, &j->model));
    TRY(fix_shapes(j));
    TRY_LIB(sepcl_device_find(tool.device, &index));
    TRY_LIB(sepcl_device_get(index, &j->device));
    return separate_read_samples(j);
}

/* ---------------------------------------------------------------- the work */

static bool on_state(void *user, const sepcl_separate_state *state)
{
    (void)user;
    char *detail = text_format("%s  %s", state->phase, state->name ? state->name : "");
    progress_step((long)(STEPS * state->done), detail);
    free(detail);
    return true;
}

static sepcl_status separate(separate_job *j)
{
    const sepcl_separate_desc desc = {.device = j->device.selector,
                                      .shapes = j->shapes,
                                      .n_shapes = j->n_shapes,
                                      .cache_dir = tool.cache_dir,
                                      .no_cache = tool.no_cache,
                                      .samples = j->samples.data,
                                      .n_samples = j->samples.n,
                                      .tolerance = separate_set.tolerance,
                                      .target_speedup = separate_set.speedup};
    progress_begin("separate", STEPS);
    const sepcl_status st = tool_library(sepcl_separate(j->model, &desc, on_state, NULL, &j->found));
    progress_end();
    TRY(st);
    return tool_library(sepcl_separation_total(j->found, &j->totals));
}

/* All files, or none. */
static sepcl_status write_files(const separate_job *j)
{
    const void  *bytes = NULL;
    size_t       size = 0;
    char        *page = NULL;
    sepcl_status st = SEPCL_OK;
    if (separate_set.out)
        st = tool_library(sepcl_separation_file(j->found, &bytes, &size));
    if (bytes && st == SEPCL_OK)
        st = output_add(separate_set.out, &(output_part){bytes, size}, 1);
    if (separate_set.report && st == SEPCL_OK) {
        page = separate_page(j);
        st = output_add(separate_set.report, &(output_part){page, strlen(page)}, 1);
    }
    if (st == SEPCL_OK)
        st = output_commit();
    output_abandon();
    free(page);
    return st;
}

static bool to_stdout(const char *file)
{
    return file && !strcmp(file, "/dev/stdout");
}

static sepcl_status run(separate_job *j)
{
    TRY(check_settings());
    TRY(load(j));
    TRY(separate(j));
    TRY(write_files(j));
    if (!j->totals.target_met)
        tool_warn("%s: a speed-up of %.3g was asked for; the most that was found is %.3g", j->file,
                  separate_set.speedup, j->totals.rewritten ? j->totals.seconds[0] / j->totals.seconds[1] : 1);
    if (tool.json)
        json_print(separate_json(j));
    else if (!tool.quiet && !to_stdout(separate_set.out) && !to_stdout(separate_set.report))
        separate_print(j);
    return SEPCL_OK;
}

int main(int argc, char **argv)
{
    options_result args;
    sepcl_status   st;
    separate_job   j = {0};
    if (!tool_begin(&separate_program, argc, argv, &args, &st))
        return tool_end(st);
    j.file = args.args[0];
    st = run(&j);
    sepcl_separation_destroy(j.found);
    separate_free_samples(&j);
    free(j.shapes);
    sepcl_model_destroy(j.model);
    return tool_end(st);
}
