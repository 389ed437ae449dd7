/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-info: the devices there are, what sepcl makes of them, and whether its kernels are right on them. */
#include "info.h"

#include <stdlib.h>
#include <string.h>

#include "common/progress.h"
#include "common/text.h"
#include "common/tool.h"

info_settings info_set;

static const option_def options[] = {
    {.name = "measure",
     .group = "Measuring",
     .kind = OPTION_FLAG,
     .value = &info_set.measure,
     .help = "measure multiply-add peak, memory bandwidth and launch cost (about a second a device)"},
    {.name = "self-test",
     .group = "Measuring",
     .kind = OPTION_FLAG,
     .value = &info_set.self_test,
     .help =
         "run every kernel variant that fits the device and compare with the reference; exit code 1 if one is wrong"},
    {.name = "quick",
     .group = "Measuring",
     .kind = OPTION_FLAG,
     .value = &info_set.quick,
     .help = "with --self-test: one parameter set a kernel, and only the cases of odd shapes"},
    {.name = "op",
     .arg = "NAME",
     .group = "Measuring",
     .kind = OPTION_TEXT,
     .value = &info_set.op,
     .help = "with --self-test: only the kernels of this op"},
    TOOL_OPTIONS_DEVICE,
    TOOL_OPTION_PRECISION,
    TOOL_OPTION_JSON,
    TOOL_OPTIONS_GENERAL,
    {0},
};

static const program info_program = {
    .name = "sepcl-info",
    .usage = "",
    .purpose =
        "Prints every OpenCL device with its limits, what sepcl would choose there, and the state of its caches; with "
        "--device only that one.",
    .details =
        "--self-test runs on one device, the one that --device selects. -v names every variant that was tested.\n"
        "\n"
        "Examples\n"
        "  sepcl-info\n"
        "  sepcl-info --device cpu --measure\n"
        "  sepcl-info --device 0:0 --self-test --op conv",
    .options = options,
    .min_args = 0,
    .max_args = 0,
    .missing = "",
};

/* ---------------------------------------------------------------- asking */

static sepcl_status ask_device(info_device *d, int index, bool is_default)
{
    TRY_LIB(sepcl_device_get(index, &d->info));
    d->index = index;
    d->is_default = is_default;
    if (info_set.measure) {
        tool_say("measuring %s", d->info.name);
        progress_begin("measuring", PROGRESS_WAIT);
        const sepcl_status st = tool_library(sepcl_device_measure(index, &d->speed));
        progress_end();
        TRY(st);
    }
    if (tool.no_cache)
        return SEPCL_OK;
    TRY_LIB(sepcl_device_cache(index, tool.cache_dir, &d->cache));
    if (d->cache.dir)
        d->cache.dir = d->cache_dir = need(strdup(d->cache.dir));
    return SEPCL_OK;
}

/* Which devices are meant: all, or the one of --device or SEPCL_DEVICE. */
static sepcl_status choose(int *first_out, int *end_out, int *default_out)
{
    const char *environment = getenv("SEPCL_DEVICE");
    const bool  one = tool.device || info_set.self_test || (environment && *environment);
    int         count, selected = -1;
    TRY_LIB(sepcl_device_count(&count));
    if (count == 0)
        return tool_fail(SEPCL_DEVICE_ERROR, "no OpenCL device was found (a driver's package brings an .icd file under "
                                             "/etc/OpenCL/vendors; pocl-opencl-icd runs on any CPU)");
    if (one)
        TRY_LIB(sepcl_device_find(tool.device, &selected));
    else if (sepcl_device_find("any", default_out) != SEPCL_OK)
        *default_out = -1; /* none can be used; they are listed all the same */
    *first_out = one ? selected : 0;
    *end_out = one ? selected + 1 : count;
    return SEPCL_OK;
}

static sepcl_status run_info(void)
{
    int          first = 0, end = 0, by_default = -1;
    info_device *devices = NULL;
    TRY(choose(&first, &end, &by_default));
    if (info_set.self_test)
        return info_self_test(first);
    devices = need(calloc((size_t)(end - first), sizeof(*devices)));
    sepcl_status st = SEPCL_OK;
    for (int i = first; i < end && st == SEPCL_OK; i++)
        st = ask_device(&devices[i - first], i, i == by_default);
    if (st == SEPCL_OK && tool.json)
        info_print_json(devices, end - first);
    else if (st == SEPCL_OK && !tool.quiet)
        info_print(devices, end - first);
    for (int i = 0; i < end - first; i++)
        free(devices[i].cache_dir);
    free(devices);
    return st;
}

static sepcl_status check_settings(void)
{
    if (!info_set.self_test && (info_set.quick || info_set.op))
        return tool_fail(SEPCL_INVALID, "--%s goes with --self-test", info_set.quick ? "quick" : "op");
    if (info_set.self_test && info_set.measure)
        return tool_fail(SEPCL_INVALID, "--measure and --self-test do not go together");
    return SEPCL_OK;
}

int main(int argc, char **argv)
{
    options_result args;
    sepcl_status   st;
    if (!tool_begin(&info_program, argc, argv, &args, &st))
        return tool_end(st);
    st = check_settings();
    return tool_end(st == SEPCL_OK ? run_info() : st);
}
