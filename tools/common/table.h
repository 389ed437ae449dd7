/* SPDX-License-Identifier: Apache-2.0 */
/* Tables for the terminal. */
#ifndef SEPCL_TOOLS_TABLE_H
#define SEPCL_TOOLS_TABLE_H

#include <stdbool.h>
#include <stdio.h>

#define TABLE_COLUMNS 12

typedef struct column {
    const char *title;
    bool        right; /* aligned to the right: numbers */
    int         least; /* > 0: may shrink to this many columns when the table is too wide */
} column;

typedef enum table_style {
    TABLE_PLAIN, /* columns two blanks apart, a rule under the titles */
    TABLE_BOX
} table_style;

typedef struct table table;

table *table_new(const column *columns, int n);
void   table_free(table *t);
/* The next cell of the current row. A newline is a place where the text may be broken if it does not fit; other text
   that does not fit loses its middle. */
void table_cell(table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A row of one cell over all columns, indented. */
void table_span(table *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Narrowest width in columns that the table can take. */
int  table_least(const table *t, table_style style);
void table_print(const table *t, FILE *out, table_style style, int width);

#endif
