/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options as data. One table a program drives parsing, help, and whatever else wants to know the options
 * (man pages, completion). Values go where the table points.
 */
#ifndef SEPCL_TOOLS_OPTIONS_H
#define SEPCL_TOOLS_OPTIONS_H

#include <stdio.h>

#include "sepcl/sepcl.h"

typedef enum option_kind {
    OPTION_FLAG,    /* bool: becomes true */
    OPTION_COUNT,   /* int: one more each time */
    OPTION_TEXT,    /* const char * */
    OPTION_FILE,    /* const char *, a file to read or write */
    OPTION_FOLDER,  /* const char * */
    OPTION_LIST,    /* option_list: may be given several times */
    OPTION_CHOICE,  /* int: index into choices */
    OPTION_INT,     /* int64_t, min <= value <= max */
    OPTION_REAL,    /* double, min <= value <= max */
    OPTION_NUMBERS, /* option_numbers: "1,2.5,1/255" */
    OPTION_HELP,    /* ends the parsing: options_result.help */
    OPTION_VERSION, /* the same: options_result.version */
    OPTION_PRINT    /* int: index into choices; ends the parsing: options_result.print */
} option_kind;

typedef struct option_def {
    const char        *name;   /* long form, without dashes; NULL ends a table */
    char               letter; /* short form; 0: none */
    const char        *arg;    /* what stands for the argument in the help; NULL: none */
    const char        *group;  /* heading in the help */
    const char        *help;
    option_kind        kind;
    void              *value;
    bool               optional; /* the argument may be absent; it can then only be given as --name=ARG */
    bool              *given;    /* set when the option occurs; may be NULL */
    const char *const *choices;  /* OPTION_CHOICE, OPTION_PRINT; ends with NULL */
    double             min, max; /* OPTION_INT, OPTION_REAL; both 0: any */
} option_def;

typedef struct option_list {
    const char **items; /* of argv */
    int          count;
} option_list;

#define OPTION_NUMBERS_MAX 16
typedef struct option_numbers {
    double v[OPTION_NUMBERS_MAX];
    int    count;
} option_numbers;

typedef struct options_result {
    const char **args; /* what is no option, in order; of argv */
    int          count;
    bool         help, version, print;
} options_result;

/* Options and arguments may mix; "--" ends the options. SEPCL_INVALID with a sentence (tool.h) on a usage error. */
sepcl_status options_parse(const option_def *table, int argc, char **argv, options_result *out);
void         options_release(const option_def *table, options_result *out);

/* The list of options for a help text, by group, wrapped to width columns. */
void options_help(const option_def *table, FILE *out, int width);
/* A paragraph wrapped to width columns, every line indented. Lines of the text that begin with a blank are kept as they
 * are. */
void options_paragraph(const char *text, FILE *out, int indent, int width);

/* Text wrapped to the columns from `column` to `width`, for a cursor that stands at `at`. Ends with a newline. */
void options_wrap(const char *text, FILE *out, int at, int column, int width);

/* A real number or a fraction ("1/255"), the whole of text[0..length). */
bool options_real(const char *text, size_t length, double *out);

#endif
