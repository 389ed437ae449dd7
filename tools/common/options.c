/* SPDX-License-Identifier: Apache-2.0 */
#include "options.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "tool.h"

/* ---------------------------------------------------------------- looking up */

static const option_def *find_name(const option_def *table, const char *name, size_t length)
{
    for (const option_def *o = table; o->name; o++)
        if (strlen(o->name) == length && !memcmp(o->name, name, length))
            return o;
    return NULL;
}

static const option_def *find_letter(const option_def *table, char letter)
{
    for (const option_def *o = table; o->name; o++)
        if (o->letter && o->letter == letter)
            return o;
    return NULL;
}

/* The option that was probably meant; NULL when none is near. */
static const option_def *nearest(const option_def *table, const char *name)
{
    const option_def *best = NULL;
    int               least = 1 + (int)strlen(name) / 3;
    for (const option_def *o = table; o->name; o++) {
        const int distance = strncmp(o->name, name, strlen(name)) ? text_distance(o->name, name) : 0;
        if (distance <= least && (!best || distance < least)) {
            best = o;
            least = distance;
        }
    }
    return best;
}

static sepcl_status unknown(const option_def *table, const char *name, size_t length)
{
    char             *text = text_format("%.*s", (int)length, name);
    const option_def *near = nearest(table, text);
    sepcl_status      st;
    if (length == 0)
        st = tool_fail(SEPCL_INVALID, "'--=' is no option");
    else if (near)
        st = tool_fail(SEPCL_INVALID, "unknown option --%s; did you mean --%s?", text, near->name);
    else
        st = tool_fail(SEPCL_INVALID, "unknown option --%s", text);
    free(text);
    return st;
}

/* ---------------------------------------------------------------- values */

static bool parse_plain(const char *text, size_t length, double *out)
{
    char buffer[64];
    if (length == 0 || length >= sizeof(buffer))
        return false;
    memcpy(buffer, text, length);
    buffer[length] = 0;
    if (strspn(buffer, "+-.0123456789eE") != length) /* no hexadecimal, no blanks, no "nan" */
        return false;
    char *end;
    errno = 0;
    *out = strtod(buffer, &end);
    return *end == 0 && isfinite(*out);
}

bool options_real(const char *text, size_t length, double *out)
{
    const char *slash = memchr(text, '/', length);
    double      top, bottom;
    if (!slash)
        return parse_plain(text, length, out);
    if (!parse_plain(text, (size_t)(slash - text), &top) ||
        !parse_plain(slash + 1, length - (size_t)(slash - text) - 1, &bottom) || bottom == 0)
        return false;
    *out = top / bottom;
    return isfinite(*out);
}

static sepcl_status set_choice(const option_def *o, const char *text)
{
    char list[256];
    int  at = 0;
    for (int i = 0; o->choices[i]; i++) {
        if (!strcmp(o->choices[i], text)) {
            *(int *)o->value = i;
            return SEPCL_OK;
        }
        at += snprintf(list + at, sizeof(list) - (size_t)at, "%s%s",
                       i == 0              ? ""
                       : o->choices[i + 1] ? ", "
                                           : " or ",
                       o->choices[i]);
        if (at >= (int)sizeof(list))
            at = (int)sizeof(list) - 1;
    }
    return tool_fail(SEPCL_INVALID, "--%s takes %s, not '%s'", o->name, list, text);
}

static bool in_range(const option_def *o, double value)
{
    return (o->min == 0 && o->max == 0) || (value >= o->min && value <= o->max);
}

static sepcl_status out_of_range(const option_def *o, const char *text)
{
    return tool_fail(SEPCL_INVALID, "--%s takes %s %.15g to %.15g, not '%s'", o->name,
                     o->kind == OPTION_INT ? "a whole number from" : "a number from", o->min, o->max, text);
}

static sepcl_status set_int(const option_def *o, const char *text)
{
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    const char      first = text[text[0] == '-' || text[0] == '+'];
    if (errno || *end || first < '0' || first > '9') {
        if (o->min != 0 || o->max != 0)
            return out_of_range(o, text);
        return tool_fail(SEPCL_INVALID, "--%s takes a whole number, not '%s'", o->name, text);
    }
    if (!in_range(o, (double)value))
        return out_of_range(o, text);
    *(int64_t *)o->value = value;
    return SEPCL_OK;
}

static sepcl_status set_real(const option_def *o, const char *text)
{
    double value;
    if (!options_real(text, strlen(text), &value))
        return tool_fail(SEPCL_INVALID, "--%s takes a number, not '%s'", o->name, text);
    if (!in_range(o, value))
        return out_of_range(o, text);
    *(double *)o->value = value;
    return SEPCL_OK;
}

static sepcl_status set_numbers(const option_def *o, const char *text)
{
    option_numbers *list = o->value;
    list->count = 0;
    for (const char *at = text;; at++) {
        const size_t length = strcspn(at, ",");
        if (list->count == OPTION_NUMBERS_MAX)
            return tool_fail(SEPCL_INVALID, "--%s takes at most %d numbers", o->name, OPTION_NUMBERS_MAX);
        if (!options_real(at, length, &list->v[list->count]))
            return tool_fail(SEPCL_INVALID, "--%s takes numbers with commas between, not '%s'", o->name, text);
        list->count++;
        at += length;
        if (!*at)
            return SEPCL_OK;
    }
}

static void add_item(option_list *list, const char *text)
{
    list->items = need(realloc(list->items, (size_t)(list->count + 1) * sizeof(*list->items)));
    list->items[list->count++] = text;
}

static sepcl_status set_value(const option_def *o, const char *text, options_result *out)
{
    if (o->given)
        *o->given = true;
    if (!text && o->arg) /* optional, absent: the default stands */
        return SEPCL_OK;
    switch (o->kind) {
    case OPTION_FLAG:
        *(bool *)o->value = true;
        return SEPCL_OK;
    case OPTION_COUNT:
        ++*(int *)o->value;
        return SEPCL_OK;
    case OPTION_TEXT:
    case OPTION_FILE:
    case OPTION_FOLDER:
        if (!*text)
            return tool_fail(SEPCL_INVALID, "--%s needs %s, not an empty text", o->name, o->arg);
        *(const char **)o->value = text;
        return SEPCL_OK;
    case OPTION_LIST:
        add_item(o->value, text);
        return SEPCL_OK;
    case OPTION_CHOICE:
        return set_choice(o, text);
    case OPTION_INT:
        return set_int(o, text);
    case OPTION_REAL:
        return set_real(o, text);
    case OPTION_NUMBERS:
        return set_numbers(o, text);
    case OPTION_HELP:
        out->help = true;
        return SEPCL_OK;
    case OPTION_VERSION:
        out->version = true;
        return SEPCL_OK;
    case OPTION_PRINT:
        out->print = true;
        return set_choice(o, text);
    }
    return tool_fail(SEPCL_INVALID, "option --%s has no kind", o->name);
}

/* ---------------------------------------------------------------- parsing */

/* --name, --name=value, --name value. *i moves past what was used. */
static sepcl_status parse_long(const option_def *table, int argc, char **argv, int *i, options_result *out)
{
    const char       *name = argv[*i] + 2;
    const size_t      length = strcspn(name, "=");
    const char       *value = name[length] ? name + length + 1 : NULL;
    const option_def *o = find_name(table, name, length);
    if (!o)
        return unknown(table, name, length);
    if (!o->arg && value)
        return tool_fail(SEPCL_INVALID, "--%s takes no argument", o->name);
    if (o->arg && !o->optional && !value) {
        if (*i + 1 >= argc)
            return tool_fail(SEPCL_INVALID, "--%s needs an argument: %s", o->name, o->arg);
        value = argv[++*i];
    }
    return set_value(o, value, out);
}

/* -x, -xvalue, -x value, -xyz. */
static sepcl_status parse_short(const option_def *table, int argc, char **argv, int *i, options_result *out)
{
    for (const char *at = argv[*i] + 1; *at; at++) {
        const option_def *o = find_letter(table, *at);
        if (!o) {
            char              *whole = text_format("%s", argv[*i] + 1);
            const size_t       length = strcspn(whole, "=");
            const option_def  *same = find_name(table, whole, length);
            const sepcl_status st =
                same && length > 1
                    ? tool_fail(SEPCL_INVALID, "unknown option -%s; did you mean --%s?", whole, same->name)
                    : tool_fail(SEPCL_INVALID, "unknown option -%.*s", text_char(at, NULL), at);
            free(whole);
            return st;
        }
        const char *value = NULL;
        if (o->arg && !o->optional) {
            value = at[1] ? at + 1 : *i + 1 < argc ? argv[++*i] : NULL;
            if (!value)
                return tool_fail(SEPCL_INVALID, "-%c needs an argument: %s", o->letter, o->arg);
        }
        const sepcl_status st = set_value(o, value, out);
        if (st != SEPCL_OK || value)
            return st;
    }
    return SEPCL_OK;
}

sepcl_status options_parse(const option_def *table, int argc, char **argv, options_result *out)
{
    *out = (options_result){0};
    option_list args = {0};
    bool        options = true;
    for (int i = 1; i < argc && !out->help && !out->version && !out->print; i++) {
        sepcl_status st = SEPCL_OK;
        if (!options || argv[i][0] != '-' || !argv[i][1])
            add_item(&args, argv[i]);
        else if (!strcmp(argv[i], "--"))
            options = false;
        else if (argv[i][1] == '-')
            st = parse_long(table, argc, argv, &i, out);
        else
            st = parse_short(table, argc, argv, &i, out);
        out->args = args.items;
        out->count = args.count;
        if (st != SEPCL_OK)
            return st;
    }
    return SEPCL_OK;
}

void options_release(const option_def *table, options_result *out)
{
    for (const option_def *o = table; o->name; o++)
        if (o->kind == OPTION_LIST) {
            option_list *list = o->value;
            free(list->items);
            *list = (option_list){0};
        }
    free(out->args);
    *out = (options_result){0};
}
