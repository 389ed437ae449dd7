/* SPDX-License-Identifier: Apache-2.0 */
#include "table.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

typedef struct row {
    char *cells[TABLE_COLUMNS]; /* cleaned text; with span only the first */
    bool  span;
} row;

struct table {
    column columns[TABLE_COLUMNS];
    int    n;
    row   *rows;
    int    n_rows, capacity;
    int    next; /* cell of the last row that comes next; n: a new row */
};

table *table_new(const column *columns, int n)
{
    table *t = need(calloc(1, sizeof(*t)));
    t->n = n < TABLE_COLUMNS ? n : TABLE_COLUMNS;
    memcpy(t->columns, columns, (size_t)t->n * sizeof(*columns));
    t->next = t->n;
    return t;
}

void table_free(table *t)
{
    if (!t)
        return;
    for (int i = 0; i < t->n_rows; i++)
        for (int c = 0; c < t->n; c++)
            free(t->rows[i].cells[c]);
    free(t->rows);
    free(t);
}

static row *new_row(table *t)
{
    if (t->n_rows == t->capacity) {
        t->capacity = t->capacity ? 2 * t->capacity : 64;
        t->rows = need(realloc(t->rows, (size_t)t->capacity * sizeof(row)));
    }
    t->rows[t->n_rows] = (row){0};
    return &t->rows[t->n_rows++];
}

/* Cleaned text, in which newlines stay. */
static char *cell_text(const char *format, va_list args)
{
    char *raw = NULL;
    need(vasprintf(&raw, format, args) < 0 ? NULL : raw);
    char *newline = strchr(raw, '\n');
    if (newline)
        *newline = 0;
    char *first = text_clean(raw), *second = newline ? text_clean(newline + 1) : NULL;
    char *out = second ? text_format("%s\n%s", first, second) : need(strdup(first));
    free(first);
    free(second);
    free(raw);
    return out;
}

void table_cell(table *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (t->next == t->n) {
        new_row(t);
        t->next = 0;
    }
    t->rows[t->n_rows - 1].cells[t->next++] = cell_text(format, args);
    va_end(args);
}

void table_span(table *t, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    row *r = new_row(t);
    r->cells[0] = cell_text(format, args);
    r->span = true;
    t->next = t->n;
    va_end(args);
}

/* ---------------------------------------------------------------- layout */

static int chrome(const table *t, table_style style)
{
    return style == TABLE_BOX ? 3 * t->n + 1 : 2 * (t->n - 1);
}

static void natural_widths(const table *t, int widths[TABLE_COLUMNS])
{
    for (int c = 0; c < t->n; c++) {
        widths[c] = text_width(t->columns[c].title);
        for (int i = 0; i < t->n_rows; i++)
            if (!t->rows[i].span && t->rows[i].cells[c] && text_width(t->rows[i].cells[c]) > widths[c])
                widths[c] = text_width(t->rows[i].cells[c]);
    }
}

static int least_of(const column *c, int natural)
{
    const int title = text_width(c->title), least = c->least > title ? c->least : title;
    return c->least > 0 && least < natural ? least : natural;
}

static int total_width(const table *t, table_style style, const int widths[TABLE_COLUMNS])
{
    int sum = chrome(t, style);
    for (int c = 0; c < t->n; c++)
        sum += widths[c];
    return sum;
}

int table_least(const table *t, table_style style)
{
    int widths[TABLE_COLUMNS];
    natural_widths(t, widths);
    for (int c = 0; c < t->n; c++)
        widths[c] = least_of(&t->columns[c], widths[c]);
    return total_width(t, style, widths);
}

/* Columns for the text of a spanning row. */
static int span_width(const table *t, table_style style, const int widths[TABLE_COLUMNS])
{
    return total_width(t, style, widths) - (style == TABLE_BOX ? 6 : 2);
}

/* Widens the first column that may shrink, so that spanning rows fit. */
static void widen_for_spans(const table *t, table_style style, int width, int widths[TABLE_COLUMNS])
{
    int c = 0, missing = 0;
    while (c < t->n && t->columns[c].least == 0)
        c++;
    for (int i = 0; i < t->n_rows; i++)
        if (t->rows[i].span && text_width(t->rows[i].cells[0]) - span_width(t, style, widths) > missing)
            missing = text_width(t->rows[i].cells[0]) - span_width(t, style, widths);
    const int room = width - total_width(t, style, widths);
    if (c < t->n && room > 0)
        widths[c] += missing < room ? missing : room;
}

/* Takes a column from the widest that may shrink until the table fits or nothing may. */
static void fit_widths(const table *t, table_style style, int width, int widths[TABLE_COLUMNS])
{
    int natural[TABLE_COLUMNS];
    natural_widths(t, widths);
    memcpy(natural, widths, sizeof(natural));
    for (int sum = total_width(t, style, widths); sum > width; sum--) {
        int widest = -1;
        for (int c = 0; c < t->n; c++)
            if (widths[c] > least_of(&t->columns[c], natural[c]) && (widest < 0 || widths[c] > widths[widest]))
                widest = c;
        if (widest < 0)
            return;
        widths[widest]--;
    }
    widen_for_spans(t, style, width, widths);
}

/* ---------------------------------------------------------------- printing */

static void print_padded(const char *text, int width, bool right, bool last, FILE *out)
{
    const int pad = width - text_width(text);
    if (right)
        fprintf(out, "%*s%s", pad > 0 ? pad : 0, "", text);
    else
        fprintf(out, "%s%*s", text, pad > 0 && !last ? pad : 0, "");
}

/* One printed line of cells. */
static void print_cells(const table *t, table_style style, const int *widths, char *const *cells, FILE *out)
{
    const bool box = style == TABLE_BOX;
    if (box)
        fputs("│ ", out);
    for (int c = 0; c < t->n; c++) {
        print_padded(cells[c] ? cells[c] : "", widths[c], t->columns[c].right, !box && c == t->n - 1, out);
        fputs(c < t->n - 1 ? box ? " │ " : "  " : box ? " │\n" : "\n", out);
    }
}

static void print_rule(const table *t, table_style style, const int *widths, const char *ends[3], FILE *out)
{
    if (style == TABLE_BOX)
        fputs(ends[0], out);
    for (int c = 0; c < t->n; c++) {
        for (int i = 0; i < widths[c] + (style == TABLE_BOX ? 2 : 0); i++)
            fputs("─", out);
        fputs(c < t->n - 1 ? style == TABLE_BOX ? ends[1] : "  " : style == TABLE_BOX ? ends[2] : "", out);
    }
    fputc('\n', out);
}

/* A row as one or two lines. */
static void print_row(const table *t, table_style style, const int *widths, const row *r, FILE *out)
{
    char *lines[2][TABLE_COLUMNS] = {{NULL}};
    bool  two = false;
    for (int c = 0; c < t->n; c++) {
        char      *text = need(strdup(r->cells[c] ? r->cells[c] : ""));
        char      *cut = strchr(text, '\n');
        const bool fits = text_width(text) <= widths[c]; /* the newline counts as the blank that it becomes */
        if (cut)
            *cut = fits ? ' ' : 0;
        lines[0][c] = text_fit(text, widths[c]);
        lines[1][c] = cut && !fits ? text_fit(cut + 1, widths[c]) : NULL;
        two = two || lines[1][c];
        free(text);
    }
    print_cells(t, style, widths, lines[0], out);
    if (two)
        print_cells(t, style, widths, lines[1], out);
    for (int c = 0; c < t->n; c++) {
        free(lines[0][c]);
        free(lines[1][c]);
    }
}

static void print_span(const table *t, table_style style, const int *widths, const row *r, FILE *out)
{
    const int inside = span_width(t, style, widths);
    char     *text = text_fit(r->cells[0], inside);
    fputs(style == TABLE_BOX ? "│   " : "  ", out);
    print_padded(text, inside, false, style != TABLE_BOX, out);
    fputs(style == TABLE_BOX ? " │\n" : "\n", out);
    free(text);
}

void table_print(const table *t, FILE *out, table_style style, int width)
{
    static const char *const corners[3][3] = {{"┌", "┬", "┐"}, {"├", "┼", "┤"}, {"└", "┴", "┘"}};
    int                      widths[TABLE_COLUMNS];
    char                    *titles[TABLE_COLUMNS];
    fit_widths(t, style, width, widths);
    for (int c = 0; c < t->n; c++)
        titles[c] = text_fit(t->columns[c].title, widths[c]);
    if (style == TABLE_BOX)
        print_rule(t, style, widths, (const char **)corners[0], out);
    print_cells(t, style, widths, titles, out);
    print_rule(t, style, widths, (const char **)corners[1], out);
    for (int i = 0; i < t->n_rows; i++) {
        if (t->rows[i].span)
            print_span(t, style, widths, &t->rows[i], out);
        else
            print_row(t, style, widths, &t->rows[i], out);
    }
    if (style == TABLE_BOX)
        print_rule(t, style, widths, (const char **)corners[2], out);
    for (int c = 0; c < t->n; c++)
        free(titles[c]);
}
