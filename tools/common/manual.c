/* SPDX-License-Identifier: Apache-2.0 */
/* A manual page out of a program's description, in the man macros that every man(1) knows. */
#include "manual.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

/* Text with what roff would take for its own written otherwise; at a line's start a dot or a quote is a command. */
static void put_text(const char *text, size_t length, FILE *out)
{
    for (size_t i = 0; i < length; i++) {
        if (i == 0 && (text[0] == '.' || text[0] == '\''))
            fputs("\\&", out);
        if (text[i] == '\\')
            fputs("\\e", out);
        else if (text[i] == '-')
            fputs("\\-", out);
        else
            fputc(text[i], out);
    }
}

static void put(const char *text, FILE *out)
{
    put_text(text, strlen(text), out);
}

/* "sepcl-run \- runs a model on an OpenCL device": the first clause, as whatis(1) lists it. */
static void put_name(const program *p, FILE *out)
{
    const size_t clause = strcspn(p->purpose, ":;,");
    const char  *dot = strstr(p->purpose, ". ");
    size_t       length = dot && (size_t)(dot - p->purpose) < clause ? (size_t)(dot - p->purpose) : clause;
    if (length > 1 && p->purpose[length - 1] == '.')
        length--;
    put(p->name, out);
    fprintf(out, " \\- %c", tolower((unsigned char)p->purpose[0]));
    put_text(p->purpose + 1, length - 1, out);
    fputc('\n', out);
}

static void put_option(const option_def *o, FILE *out)
{
    fputs(".TP\n", out);
    if (o->letter)
        fprintf(out, "\\fB\\-%c\\fR, ", o->letter);
    fputs("\\fB\\-\\-", out);
    put(o->name, out);
    fputs("\\fR", out);
    if (o->arg) {
        fputs(o->optional ? "[=\\fI" : " \\fI", out);
        put(o->arg, out);
        fputs(o->optional ? "\\fR]" : "\\fR", out);
    }
    fputc('\n', out);
    put(o->help, out);
    fputc('\n', out);
}

static void put_options(const option_def *table, FILE *out)
{
    fputs(".SH OPTIONS\n", out);
    for (const option_def *o = table; o->name; o++) {
        bool first = true;
        for (const option_def *before = table; before < o && first; before++)
            first = strcmp(before->group, o->group) != 0;
        if (!first)
            continue;
        fputs(".SS ", out);
        put(o->group, out);
        fputc('\n', out);
        for (const option_def *same = o; same->name; same++)
            if (!strcmp(same->group, o->group))
                put_option(same, out);
    }
}

/* Paragraphs; lines that begin with a blank are examples, shown as they are. A heading stands before such lines. */
static void put_details(const char *text, FILE *out)
{
    bool literal = false;
    while (*text) {
        const size_t length = strcspn(text, "\n");
        const char  *next = text + length + (text[length] == '\n');
        const bool   indented = text[0] == ' ';
        if (literal && !indented)
            fputs(".EE\n.RE\n", out);
        if (!literal && indented)
            fputs(".RS 2\n.EX\n", out);
        literal = indented;
        if (indented) {
            const size_t blanks = strspn(text, " ");
            put_text(text + blanks, length - blanks, out);
            fputc('\n', out);
        } else if (length && *next == ' ') {
            fputs(".SH ", out);
            for (size_t i = 0; i < length; i++)
                fputc(toupper((unsigned char)text[i]), out);
            fputc('\n', out);
        } else if (length) {
            fputs(".PP\n", out);
            put_text(text, length, out);
            fputc('\n', out);
        }
        text = next;
    }
    if (literal)
        fputs(".EE\n.RE\n", out);
}

static void put_ends(FILE *out)
{
    fputs(".SH EXIT STATUS\n", out);
    for (int i = 0; tool_exit_codes[i]; i++) {
        fprintf(out, ".TP\n%d\n", i);
        put(tool_exit_codes[i], out);
        fputc('\n', out);
    }
    static const char *const variables[][2] = {
        {"SEPCL_DEVICE", "the device where none is named"},
        {"SEPCL_CACHE_DIR", "folder of compiled programs and tuning; off: none"},
        {"OCL_ICD_VENDORS", "folder or file that says which OpenCL drivers there are"},
        {"POCL_AFFINITY",
         "1, which the programs set where it is unset: PoCL pins its threads to cores; 0: it does not"},
    };
    fputs(".SH ENVIRONMENT\n", out);
    for (size_t i = 0; i < sizeof(variables) / sizeof(*variables); i++) {
        fprintf(out, ".TP\n\\fB%s\\fR\n", variables[i][0]);
        put(variables[i][1], out);
        fputc('\n', out);
    }
}

void manual_print(const program *p, FILE *out)
{
    fputs(".TH ", out);
    for (const char *c = p->name; *c; c++)
        fputc(toupper((unsigned char)*c), out);
    fprintf(out, " 1 \"\" \"sepcl %s\" \"sepcl\"\n.SH NAME\n", sepcl_version());
    put_name(p, out);
    fputs(".SH SYNOPSIS\n.B ", out);
    put(p->name, out);
    fputs("\n[\\fIOPTION\\fR...] ", out);
    put(p->usage, out);
    fputs("\n.SH DESCRIPTION\n", out);
    put(p->purpose, out);
    fputc('\n', out);
    if (p->details)
        put_details(p->details, out);
    put_options(p->options, out);
    put_ends(out);
}
