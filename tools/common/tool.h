/* SPDX-License-Identifier: Apache-2.0 */
/* What every program does alike: start, common options, messages, end. */
#ifndef SEPCL_TOOLS_TOOL_H
#define SEPCL_TOOLS_TOOL_H

#include "options.h"
#include "sepcl/sepcl.h"

/* A program as data: its help text, its manual page, its completion. */
typedef struct program {
    const char       *name;    /* "sepcl-run" */
    const char       *usage;   /* what follows the options: "MODEL [INPUT...]" */
    const char       *purpose; /* one sentence */
    const char       *details; /* paragraphs for the end of the help, lines that begin with a blank kept; may be NULL */
    const option_def *options;
    int               min_args, max_args; /* max_args -1: any number */
    const char       *missing;            /* what to say when there are fewer: "a model file is needed" */
} program;

/* Values of the common options. */
typedef struct tool_settings {
    const char *device, *cache_dir;
    bool        no_cache, quiet, json;
    int         precision; /* sepcl_precision */
    int         verbose;
    int         print; /* of tool_prints */
    option_list shapes;
} tool_settings;
extern tool_settings tool;

extern const char *const tool_precisions[], *const tool_prints[];
extern const char *const tool_exit_codes[]; /* what each code says, by number; ends with NULL */

/* Rows for a program's table. */
#define TOOL_OPTIONS_DEVICE                                                                                            \
    {.name = "device",                                                                                                 \
     .letter = 'd',                                                                                                    \
     .arg = "SEL",                                                                                                     \
     .group = "Device",                                                                                                \
     .kind = OPTION_TEXT,                                                                                              \
     .value = &tool.device,                                                                                            \
     .help = "platform and device as sepcl-info prints them (0:1), part of a device's name, or gpu, cpu, any "         \
             "[SEPCL_DEVICE, else any: the first GPU, else accelerator, else CPU]"},                                   \
        {.name = "cache-dir",                                                                                          \
         .arg = "DIR",                                                                                                 \
         .group = "Device",                                                                                            \
         .kind = OPTION_FOLDER,                                                                                        \
         .value = &tool.cache_dir,                                                                                     \
         .help = "where compiled programs and tuning are kept [SEPCL_CACHE_DIR, else ~/.cache/sepcl]"},                \
    {                                                                                                                  \
        .name = "no-cache", .group = "Device", .kind = OPTION_FLAG, .value = &tool.no_cache,                           \
        .help = "neither read nor write the caches"                                                                    \
    }
#define TOOL_OPTION_PRECISION                                                                                          \
    {                                                                                                                  \
        .name = "precision", .letter = 'p', .arg = "f32|f16", .group = "Device", .kind = OPTION_CHOICE,                \
        .value = &tool.precision, .choices = tool_precisions,                                                          \
        .help = "how values are stored; sums are in float32 either way [f32]"                                          \
    }
#define TOOL_OPTION_SHAPE                                                                                              \
    {                                                                                                                  \
        .name = "shape", .arg = "NAME=DIMS", .group = "Model", .kind = OPTION_LIST, .value = &tool.shapes,             \
        .help = "fix an input's free dimensions (x=1x3x224x224; the name may be left out when there is one input)"     \
    }
#define TOOL_OPTION_JSON                                                                                               \
    {                                                                                                                  \
        .name = "json", .group = "General", .kind = OPTION_FLAG, .value = &tool.json,                                  \
        .help = "print one JSON object instead of text"                                                                \
    }
#define TOOL_OPTIONS_GENERAL                                                                                           \
    {.name = "verbose",                                                                                                \
     .letter = 'v',                                                                                                    \
     .group = "General",                                                                                               \
     .kind = OPTION_COUNT,                                                                                             \
     .value = &tool.verbose,                                                                                           \
     .help = "say on standard error what was chosen and why; twice: everything"},                                      \
        {.name = "quiet",                                                                                              \
         .letter = 'q',                                                                                                \
         .group = "General",                                                                                           \
         .kind = OPTION_FLAG,                                                                                          \
         .value = &tool.quiet,                                                                                         \
         .help = "print nothing but errors, and what --json asks for"},                                                \
        {.name = "help", .letter = 'h', .group = "General", .kind = OPTION_HELP, .help = "print this and end"},        \
        {.name = "version", .group = "General", .kind = OPTION_VERSION, .help = "print the version and end"},          \
    {                                                                                                                  \
        .name = "print", .arg = "WHAT", .group = "General", .kind = OPTION_PRINT, .value = &tool.print,                \
        .choices = tool_prints,                                                                                        \
        .help = "print the manual page (man) or the completion for a shell (bash, zsh, fish), and end"                 \
    }

/* Parses the command line, answers --help and --version, and prepares the log and the environment. False: the program
   ends now with tool_end(*st_out). Must come before any other thread and before the first call that uses OpenCL. */
bool tool_begin(const program *p, int argc, char **argv, options_result *args_out, sepcl_status *st_out);

/* Prints the sentence of a failure, flushes standard output, frees what tool_begin made, and returns the exit code. */
int tool_end(sepcl_status st);

/* The failure's sentence, kept for this thread, and its code to return. */
sepcl_status tool_fail(sepcl_status code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Passes a status of the library on, with its sentence. */
sepcl_status tool_library(sepcl_status st);
const char  *tool_sentence(void);

#define TRY(expression)                                                                                                \
    do {                                                                                                               \
        const sepcl_status try_st = (expression);                                                                      \
        if (try_st != SEPCL_OK)                                                                                        \
            return try_st;                                                                                             \
    } while (0)
#define TRY_LIB(expression) TRY(tool_library(expression))

/* A line on standard error with the program's name in front: with -v; always but with -q. */
void tool_say(const char *format, ...) __attribute__((format(printf, 1, 2)));
void tool_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Columns of the terminal on standard output, at most `most`; `most` when it is none. */
int tool_width(int most);

/* Seconds of a clock that only goes forward. */
double tool_seconds(void);

/* Elements of a shape; 0 when a dimension is free, or when an int32 index could not reach them all. */
size_t tool_elements(const sepcl_shape *shape);

/* --shape's values for a model. *shapes_out is malloc'd and holds one entry for each input, in order, whose shape has
   rank 0 where nothing was said. */
sepcl_status tool_shapes(const sepcl_model *model, sepcl_input_shape **shapes_out);
/* Is every dimension of an input but the first, the batch, known? */
sepcl_status tool_check_shape(const char *file, const char *name, const sepcl_shape *shape);

#endif
