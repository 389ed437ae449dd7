/* SPDX-License-Identifier: Apache-2.0 */
#include "tool.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "manual.h"
#include "output.h"
#include "progress.h"
#include "text.h"

tool_settings     tool;
const char *const tool_precisions[] = {"f32", "f16", NULL};
const char *const tool_exit_codes[] = {"done",
                                       "an answer was checked and is wrong",
                                       "usage",
                                       "a file is bad or unreadable",
                                       "a valid model that needs something sepcl lacks",
                                       "no usable device, or OpenCL failed",
                                       "out of memory",
                                       NULL};
const char *const tool_prints[] = {"man", "bash", "zsh", "fish", NULL};

static const program  *current;
static options_result *current_args;
/* Of each thread, so that decoders may fail side by side. */
static _Thread_local char sentence[4096];

/* ---------------------------------------------------------------- messages */

static const char *program_name(void)
{
    return current ? current->name : "sepcl";
}

/* One line on standard error, free of control characters, above the progress bar if there is one. */
static void print_line(const char *kind, const char *line)
{
    char *clean = text_clean(line);
    flockfile(stderr);
    progress_hide();
    fprintf(stderr, "%s: %s%s\n", program_name(), kind, clean);
    funlockfile(stderr);
    free(clean);
}

static void print_format(const char *kind, const char *format, va_list args)
{
    char line[4096];
    vsnprintf(line, sizeof(line), format, args);
    print_line(kind, line);
}

void tool_say(const char *format, ...)
{
    if (tool.verbose < 1 || tool.quiet)
        return;
    va_list args;
    va_start(args, format);
    print_format("", format, args);
    va_end(args);
}

void tool_warn(const char *format, ...)
{
    if (tool.quiet)
        return;
    va_list args;
    va_start(args, format);
    print_format("warning: ", format, args);
    va_end(args);
}

static void on_log(void *user, sepcl_log_level level, const char *line)
{
    (void)user;
    print_line(level == SEPCL_LOG_WARN ? "warning: " : "", line);
}

sepcl_status tool_fail(sepcl_status code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(sentence, sizeof(sentence), format, args);
    va_end(args);
    return code;
}

sepcl_status tool_library(sepcl_status st)
{
    if (st == SEPCL_OK)
        return st;
    const char *error = sepcl_last_error();
    return tool_fail(st, "%s", *error ? error : sepcl_status_name(st));
}

const char *tool_sentence(void)
{
    return sentence;
}

/* ---------------------------------------------------------------- start and end */

static void print_help(void)
{
    const int width = tool_width(80);
    char     *usage = text_format("Usage: %s [OPTION...] %s", current->name, current->usage);
    options_paragraph(usage, stdout, 0, width);
    free(usage);
    fputc('\n', stdout);
    options_paragraph(current->purpose, stdout, 0, width);
    options_help(current->options, stdout, width);
    if (current->details) {
        fputc('\n', stdout);
        options_paragraph(current->details, stdout, 0, width);
    }
    fputs("\nExit codes\n", stdout);
    for (int i = 0; tool_exit_codes[i]; i++)
        printf("  %d  %s\n", i, tool_exit_codes[i]);
}

/* PoCL's workers share cores for a while at times unless they are pinned, and read this before the first OpenCL call.
 */
static void pin_pocl(void)
{
    if (getenv("POCL_AFFINITY"))
        tool_say("POCL_AFFINITY=%s as the environment has it", getenv("POCL_AFFINITY"));
    else if (setenv("POCL_AFFINITY", "1", 0) == 0)
        tool_say(
            "POCL_AFFINITY=1 was set: PoCL pins its threads to cores (set it to 0 where programs share a machine)");
}

static sepcl_status check_args(const options_result *args)
{
    if (args->count < current->min_args)
        return tool_fail(SEPCL_INVALID, "%s; see '%s --help'", current->missing, current->name);
    if (current->max_args >= 0 && args->count > current->max_args)
        return tool_fail(SEPCL_INVALID, "'%s' is one argument too many; see '%s --help'", args->args[current->max_args],
                         current->name);
    return SEPCL_OK;
}

bool tool_begin(const program *p, int argc, char **argv, options_result *args_out, sepcl_status *st_out)
{
    current = p;
    current_args = args_out;
    signal(SIGXFSZ, SIG_IGN); /* a file size limit is an error of write() like a full disk */
    output_handle_signals();
    *st_out = options_parse(p->options, argc, argv, args_out);
    if (*st_out != SEPCL_OK)
        return false;
    if (args_out->version)
        printf("%s %s\n", p->name, sepcl_version());
    else if (args_out->help)
        print_help();
    else if (args_out->print && tool.print == 0)
        manual_print(current, stdout);
    else if (args_out->print)
        completion_print(current, tool_prints[tool.print], stdout);
    if (args_out->version || args_out->help || args_out->print)
        return false;
    *st_out = check_args(args_out);
    if (*st_out != SEPCL_OK)
        return false;
    if (tool.quiet)
        tool.verbose = 0;
    else
        sepcl_set_log(on_log, NULL,
                      tool.verbose > 1   ? SEPCL_LOG_DEBUG
                      : tool.verbose > 0 ? SEPCL_LOG_INFO
                                         : SEPCL_LOG_WARN);
    pin_pocl();
    return true;
}

int tool_end(sepcl_status st)
{
    progress_end();
    output_abandon();
    if ((fflush(stdout) != 0 || ferror(stdout)) && st == SEPCL_OK)
        st = tool_fail(SEPCL_BAD_FILE, "cannot write standard output: %s", strerror(errno));
    if (st != SEPCL_OK)
        print_line("", *sentence ? sentence : sepcl_status_name(st));
    if (current_args)
        options_release(current->options, current_args);
    return (int)st;
}

int tool_width(int most)
{
    struct winsize size;
    if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) != 0 || size.ws_col < 40)
        return most;
    return size.ws_col < most ? size.ws_col : most;
}

double tool_seconds(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---------------------------------------------------------------- shapes, --shape */

size_t tool_elements(const sepcl_shape *shape)
{
    int64_t count = 1;
    for (int i = 0; i < shape->rank; i++)
        if (shape->dims[i] < 0 || __builtin_mul_overflow(count, shape->dims[i], &count) || count > INT32_MAX)
            return 0;
    return (size_t)count;
}

static bool parse_dims(const char *text, sepcl_shape *out)
{
    *out = (sepcl_shape){0};
    for (;; text++) {
        char *end;
        errno = 0;
        if (*text < '0' || *text > '9' || out->rank == SEPCL_MAX_RANK)
            return false;
        const long long value = strtoll(text, &end, 10);
        if (errno || value < 1 || value > INT32_MAX)
            return false;
        out->dims[out->rank++] = value;
        if (!*end)
            return true;
        if (*end != 'x')
            return false;
        text = end;
    }
}

static sepcl_status one_shape(const sepcl_model *model, const char *text, sepcl_input_shape *shapes)
{
    const char *equals = strrchr(text, '=');
    const char *dims = equals ? equals + 1 : text;
    sepcl_shape shape;
    int         index = 0;
    if (!parse_dims(dims, &shape))
        return tool_fail(SEPCL_INVALID, "--shape takes NAME=1x3x224x224 with 1 to %d dimensions from 1 up, not '%s'",
                         SEPCL_MAX_RANK, text);
    if (equals) {
        char              *name = text_format("%.*s", (int)(equals - text), text);
        const sepcl_status st = tool_library(sepcl_model_find_input(model, name, &index));
        free(name);
        TRY(st);
    } else if (sepcl_model_input_count(model) != 1) {
        return tool_fail(SEPCL_INVALID, "--shape '%s' needs an input's name in front, as the model has %d inputs", text,
                         sepcl_model_input_count(model));
    }
    shapes[index].shape = shape;
    return SEPCL_OK;
}

sepcl_status tool_shapes(const sepcl_model *model, sepcl_input_shape **shapes_out)
{
    const int          n = sepcl_model_input_count(model);
    sepcl_input_shape *shapes = need(calloc((size_t)n + 1, sizeof(*shapes)));
    *shapes_out = NULL;
    for (int i = 0; i < n; i++)
        shapes[i].name = sepcl_model_input_name(model, i);
    for (int i = 0; i < tool.shapes.count; i++) {
        const sepcl_status st = one_shape(model, tool.shapes.items[i], shapes);
        if (st != SEPCL_OK) {
            free(shapes);
            return st;
        }
    }
    *shapes_out = shapes;
    return SEPCL_OK;
}

sepcl_status tool_check_shape(const char *file, const char *name, const sepcl_shape *shape)
{
    char text[TEXT_SMALL], example[TEXT_SMALL];
    for (int i = 1; i < shape->rank; i++)
        if (shape->dims[i] < 0) {
            sepcl_shape fixed = *shape;
            for (int k = 0; k < fixed.rank; k++)
                fixed.dims[k] = fixed.dims[k] >= 0 ? fixed.dims[k] : k == 0 ? 1 : 224;
            return tool_fail(SEPCL_INVALID,
                             "%s leaves dimensions of input '%s' (%s) open; fix them by --shape, as in --shape '%s=%s'",
                             file, name, text_shape(shape, text), name, text_shape(&fixed, example));
        }
    return SEPCL_OK;
}
