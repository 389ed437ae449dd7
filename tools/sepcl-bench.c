/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench: how long models take on a device, and where the time goes. */
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "bench_break_even.h"
#include "common/output.h"
#include "common/text.h"
#include "common/tool.h"

bench_settings bench_set = {.repeat = 50, .most = 256};

static const option_def options[] = {
    {.name = "repeat",
     .arg = "N",
     .group = "Measuring",
     .kind = OPTION_INT,
     .value = &bench_set.repeat,
     .min = 1,
     .max = 100000,
     .help = "runs that are timed, after some to warm up [50]"},
    {.name = "batch",
     .arg = "N",
     .group = "Measuring",
     .kind = OPTION_INT,
     .value = &bench_set.batch,
     .given = &bench_set.batch_given,
     .min = 1,
     .max = 65536,
     .help = "size of the first free dimension of each input [1]"},
    {.name = "layers",
     .group = "Measuring",
     .kind = OPTION_FLAG,
     .value = &bench_set.layers,
     .help = "time every step of the plan and compare it with what the device can do at best; sorted by lost time"},
    {.name = "no-fusion",
     .group = "Measuring",
     .kind = OPTION_FLAG,
     .value = &bench_set.no_fusion,
     .help = "one kernel a layer"},
    {.name = "break-even",
     .group = "Break-even",
     .kind = OPTION_FLAG,
     .value = &bench_set.break_even,
     .help = "without a model: one convolution dense, depthwise-separable, and k x 1 then 1 x k, over 1, 2, 4 ... output "
             "channels; of an input of 12x12x3 with a kernel of 5x5, and of each --shape HEIGHTxWIDTHxCHANNELS"},
    {.name = "kernel",
     .arg = "KHxKW",
     .group = "Break-even",
     .kind = OPTION_LIST,
     .value = &bench_set.kernels,
     .help = "the kernel of each --shape, the last one that of all further [3x3]"},
    {.name = "most",
     .arg = "N",
     .group = "Break-even",
     .kind = OPTION_INT,
     .value = &bench_set.most,
     .min = 1,
     .max = 16384,
     .help = "up to N output channels [256]"},
    {.name = "svg",
     .arg = "FILE",
     .group = "Break-even",
     .kind = OPTION_FILE,
     .value = &bench_set.svg,
     .help = "write the curves as a picture"},
    {.name = "json",
     .arg = "FILE",
     .group = "Output",
     .kind = OPTION_FILE,
     .value = &bench_set.json,
     .help = "write all that was measured, steps included, as one JSON object"},
    {.name = "html",
     .arg = "FILE",
     .group = "Output",
     .kind = OPTION_FILE,
     .value = &bench_set.html,
     .help = "write a page with the roofline, the time of each layer, a table, and the forms tried"},
    TOOL_OPTION_SHAPE,
    TOOL_OPTIONS_DEVICE,
    TOOL_OPTION_PRECISION,
    TOOL_OPTIONS_GENERAL,
    {0},
};

static const program bench_program = {
    .name = "sepcl-bench",
    .usage = "MODEL...",
    .purpose = "Times models from inputs written to outputs read. Several models take turns, so that what disturbs the "
               "machine for a while disturbs all of them.",
    .details =
        "Inputs are random numbers. The floor of a step is the longer of its multiply-adds over the device's peak and "
        "its bytes over the bandwidth, of the caches where its data fits in them, else of memory; peak and bandwidths "
        "are measured in the same run. Efficiency is floor over time, lost time is time less floor; kernels that need "
        "fewer "
        "multiplications than their layer, as minimal filtering does, may be above 100 %. - is standard "
        "output.\n"
        "\n"
        "Examples\n"
        "  sepcl-bench mobilenet.onnx resnet.onnx\n"
        "  sepcl-bench --layers --html page.html mobilenet.onnx\n"
        "  sepcl-bench --batch 8 --repeat 200 --json - mobilenet.onnx\n"
        "  sepcl-bench --break-even --shape 112x112x32 --kernel 3x3 --svg curves.svg",
    .options = options,
    .min_args = 0,
    .max_args = -1,
};

/* ---------------------------------------------------------------- before and after */

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
    const char *const names[] = {"--json", "--html", "--svg"};
    const char      **files[] = {&bench_set.json, &bench_set.html, &bench_set.svg};
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < i; k++)
            if (*files[i] && *files[k] && !strcmp(*files[i], *files[k]))
                return tool_fail(SEPCL_INVALID, "%s and %s both write '%s'", names[k], names[i], *files[i]);
    for (int i = 0; i < 3; i++)
        TRY(check_output(files[i]));
    return SEPCL_OK;
}

bool bench_wants_steps(void)
{
    return bench_set.layers || bench_set.json || bench_set.html;
}

static bool to_stdout(const char *file)
{
    return file && !strcmp(file, "/dev/stdout");
}

/* Are the options those of what is to be done? */
static sepcl_status check_mode(int n_models)
{
    if (bench_set.break_even && n_models)
        return tool_fail(SEPCL_INVALID, "--break-even takes no model; see 'sepcl-bench --help'");
    if (bench_set.break_even && (bench_set.layers || bench_set.no_fusion || bench_set.batch_given))
        return tool_fail(SEPCL_INVALID, "--layers, --no-fusion and --batch are of models, not of --break-even");
    if (!bench_set.break_even && n_models == 0)
        return tool_fail(SEPCL_INVALID, "a model file is needed; see 'sepcl-bench --help'");
    if (!bench_set.break_even && (bench_set.svg || bench_set.kernels.count))
        return tool_fail(SEPCL_INVALID, "%s goes with --break-even", bench_set.svg ? "--svg" : "--kernel");
    return SEPCL_OK;
}

/* Both files, or none. */
static sepcl_status write_files(const bench *b)
{
    char        *json = bench_set.json ? bench_json(b) : NULL, *page = bench_set.html ? bench_page(b) : NULL;
    sepcl_status st = SEPCL_OK;
    if (json)
        st = output_add(bench_set.json, &(output_part){json, strlen(json)}, 1);
    if (page && st == SEPCL_OK)
        st = output_add(bench_set.html, &(output_part){page, strlen(page)}, 1);
    if (st == SEPCL_OK)
        st = output_commit();
    output_abandon();
    free(json);
    free(page);
    return st;
}

/* ---------------------------------------------------------------- the program */

static sepcl_status run(bench *b)
{
    TRY(check_mode(b->n_models));
    TRY(check_settings());
    if (bench_set.break_even)
        return break_even_run();
    for (int i = 0; i < b->n_models; i++)
        TRY(bench_load(&b->models[i]));
    TRY_LIB(sepcl_device_find(tool.device, &b->device_index));
    TRY_LIB(sepcl_device_get(b->device_index, &b->device));
    TRY(bench_time(b));
    if (bench_wants_steps())
        TRY(bench_time_steps(b));
    if (!tool.quiet && !to_stdout(bench_set.json) && !to_stdout(bench_set.html))
        bench_print(b);
    return write_files(b);
}

int main(int argc, char **argv)
{
    options_result args;
    sepcl_status   st;
    bench          b = {0};
    if (!tool_begin(&bench_program, argc, argv, &args, &st))
        return tool_end(st);
    b.n_models = args.count;
    b.models = need(calloc((size_t)args.count + 1, sizeof(*b.models)));
    for (int i = 0; i < args.count; i++)
        b.models[i].file = args.args[i];
    st = run(&b);
    for (int i = 0; i < b.n_models; i++)
        bench_release(&b.models[i]);
    free(b.models);
    return tool_end(st);
}
