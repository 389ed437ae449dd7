/* SPDX-License-Identifier: Apache-2.0 */
/* Completion rules for bash, zsh and fish out of a program's option table. */
#include <string.h>

#include "manual.h"

bool option_repeats(const option_def *o)
{
    return o->kind == OPTION_LIST || o->kind == OPTION_COUNT;
}

static bool takes_file(const option_def *o)
{
    return o->kind == OPTION_FILE || (o->kind == OPTION_LIST && strstr(o->arg, "FILE"));
}

/* The program's name as part of a function's. */
static void put_function(const program *p, FILE *out)
{
    fputc('_', out);
    for (const char *c = p->name; *c; c++)
        fputc(*c == '-' ? '_' : *c, out);
}

static void put_choices(const option_def *o, FILE *out)
{
    for (int i = 0; o->choices[i]; i++)
        fprintf(out, "%s%s", i ? " " : "", o->choices[i]);
}

/* ---------------------------------------------------------------- bash */

/* A branch of the case over the word before; files are what -o default offers when there is nothing else. */
static void bash_branch(const option_def *o, FILE *out)
{
    if (!o->arg || (o->optional && !o->choices))
        return;
    fputs("    ", out);
    if (o->letter && !o->optional)
        fprintf(out, "-%c | ", o->letter);
    fprintf(out, "--%s)\n", o->name);
    if (o->choices) {
        fputs("        mapfile -t COMPREPLY < <(compgen -W \"", out);
        put_choices(o, out);
        fputs("\" -- \"$cur\")\n        return ;;\n", out);
    } else if (o->kind == OPTION_FOLDER) {
        fputs("        compopt -o filenames\n        mapfile -t COMPREPLY < <(compgen -d -- \"$cur\")\n        return "
              ";;\n",
              out);
    } else if (takes_file(o)) {
        fputs("        return ;;\n", out);
    } else {
        fputs("        compopt +o default +o bashdefault\n        return ;;\n", out);
    }
}

static void bash_print(const program *p, FILE *out)
{
    fprintf(out, "# bash completion for %s\n", p->name);
    put_function(p, out);
    fputs("()\n{\n"
          "    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]}\n"
          "    if [[ $cur == '=' ]]; then\n"
          "        cur=\n"
          "    elif [[ $prev == '=' ]]; then\n"
          "        prev=${COMP_WORDS[COMP_CWORD - 2]}\n"
          "    fi\n"
          "    COMPREPLY=()\n"
          "    case $prev in\n",
          out);
    for (const option_def *o = p->options; o->name; o++)
        bash_branch(o, out);
    fputs("    esac\n    [[ $cur == -* ]] || return\n    mapfile -t COMPREPLY < <(compgen -W \"", out);
    for (const option_def *o = p->options; o->name; o++) {
        if (o->letter)
            fprintf(out, "-%c ", o->letter);
        fprintf(out, "--%s%s", o->name, o[1].name ? " " : "");
    }
    fputs("\" -- \"$cur\")\n}\ncomplete -o bashdefault -o default -F ", out);
    put_function(p, out);
    fprintf(out, " %s\n", p->name);
}

/* ---------------------------------------------------------------- zsh */

/* Inside single quotes and brackets, where a colon would end the explanation. */
static void zsh_text(const char *text, FILE *out)
{
    for (; *text; text++) {
        if (*text == '\'')
            fputs("'\\''", out);
        else if (strchr("[]:\\", *text))
            fprintf(out, "\\%c", *text);
        else
            fputc(*text, out);
    }
}

static void zsh_argument(const option_def *o, FILE *out)
{
    fputs(o->optional ? "::" : ":", out);
    zsh_text(o->arg, out);
    if (o->choices) {
        fputs(":(", out);
        put_choices(o, out);
        fputc(')', out);
    } else if (o->kind == OPTION_FOLDER) {
        fputs(":_files -/", out);
    } else {
        fputs(takes_file(o) ? ":_files" : ": ", out);
    }
}

/* '(-o --output)'{-o+,--output=}'[help]:FILE:_files' */
static void zsh_option(const option_def *o, FILE *out)
{
    const char *attached = !o->arg ? "" : o->optional ? "=-" : "=";
    const bool  both = o->letter && !o->optional;
    fputs("    ", out);
    if (option_repeats(o))
        fputs("'*'", out);
    else if (both)
        fprintf(out, "'(-%c --%s)'", o->letter, o->name);
    if (both)
        fprintf(out, "{-%c%s,--%s%s}", o->letter, o->arg ? "+" : "", o->name, attached);
    else
        fprintf(out, "'--%s%s'", o->name, attached);
    fputs("'[", out);
    zsh_text(o->help, out);
    fputc(']', out);
    if (o->arg)
        zsh_argument(o, out);
    fputs("' \\\n", out);
}

static void zsh_print(const program *p, FILE *out)
{
    fprintf(out, "#compdef %s\n_arguments -s -S \\\n", p->name);
    for (const option_def *o = p->options; o->name; o++)
        zsh_option(o, out);
    if (p->max_args != 0)
        fputs("    '*:file:_files' \\\n", out);
    fputs("    && return 0\n", out);
}

/* ---------------------------------------------------------------- fish */

static void fish_text(const char *text, FILE *out)
{
    fputc('\'', out);
    for (; *text; text++) {
        if (*text == '\'' || *text == '\\')
            fputc('\\', out);
        fputc(*text, out);
    }
    fputc('\'', out);
}

static void fish_print(const program *p, FILE *out)
{
    fprintf(out, "# fish completion for %s\n", p->name);
    for (const option_def *o = p->options; o->name; o++) {
        fprintf(out, "complete -c %s", p->name);
        if (o->letter && !o->optional)
            fprintf(out, " -s %c", o->letter);
        fprintf(out, " -l %s", o->name);
        if (o->choices) {
            fputs(" -x -a '", out);
            put_choices(o, out);
            fputc('\'', out);
        } else if (o->kind == OPTION_FOLDER) {
            fputs(" -x -a '(__fish_complete_directories)'", out);
        } else if (o->arg && !o->optional) {
            fputs(takes_file(o) ? " -r -F" : " -x", out);
        }
        fputs(" -d ", out);
        fish_text(o->help, out);
        fputc('\n', out);
    }
}

void completion_print(const program *p, const char *shell, FILE *out)
{
    if (!strcmp(shell, "bash"))
        bash_print(p, out);
    else if (!strcmp(shell, "zsh"))
        zsh_print(p, out);
    else
        fish_print(p, out);
}
