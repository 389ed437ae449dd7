/* SPDX-License-Identifier: Apache-2.0 */
/* Help text out of an option table. */
#include <stdlib.h>
#include <string.h>

#include "options.h"
#include "text.h"

/* Column where an option's explanation begins. */
#define HELP_COLUMN 26

void options_wrap(const char *text, FILE *out, int at, int column, int width)
{
    bool first = true;
    while (*text) {
        text += strspn(text, " ");
        const size_t length = strcspn(text, " ");
        if (length == 0)
            break;
        char     *word = text_format("%.*s", (int)length, text);
        const int columns = text_width(word);
        if (at + columns + !first > width && !first) {
            fputc('\n', out);
            at = 0;
            first = true;
        }
        if (at < column) {
            fprintf(out, "%*s", column - at, "");
            at = column;
        }
        fprintf(out, "%s%s", first ? "" : " ", word);
        free(word);
        at += columns + !first;
        first = false;
        text += length;
    }
    fputc('\n', out);
}

void options_paragraph(const char *text, FILE *out, int indent, int width)
{
    while (*text) {
        const size_t length = strcspn(text, "\n");
        char        *line = text_format("%.*s", (int)length, text);
        if (line[0] == ' ' || !line[0])
            fprintf(out, "%*s%s\n", line[0] ? indent : 0, "", line);
        else
            options_wrap(line, out, 0, indent, width);
        free(line);
        text += length + (text[length] == '\n');
    }
}

static void print_option(const option_def *o, FILE *out, int width)
{
    char form[128];
    snprintf(form, sizeof(form), "  %c%c%c --%s%s%s%s", o->letter ? '-' : ' ', o->letter ? o->letter : ' ',
             o->letter ? ',' : ' ', o->name,
             !o->arg       ? ""
             : o->optional ? "[="
                           : " ",
             o->arg ? o->arg : "", o->arg && o->optional ? "]" : "");
    int at = text_width(form);
    fputs(form, out);
    if (at + 2 > HELP_COLUMN) {
        fputc('\n', out);
        at = 0;
    }
    options_wrap(o->help, out, at, HELP_COLUMN, width);
}

void options_help(const option_def *table, FILE *out, int width)
{
    for (const option_def *o = table; o->name; o++) {
        bool first = true;
        for (const option_def *before = table; before < o && first; before++)
            first = strcmp(before->group, o->group) != 0;
        if (!first)
            continue;
        fprintf(out, "\n%s\n", o->group);
        for (const option_def *same = o; same->name; same++)
            if (!strcmp(same->group, o->group))
                print_option(same, out, width);
    }
}
