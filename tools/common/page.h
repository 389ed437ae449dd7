/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Pages that need nothing but themselves: light and dark, for a screen and a phone. They are well-formed XML as well, so
 * that tests and other programs can read them.
 */
#ifndef SEPCL_TOOLS_PAGE_H
#define SEPCL_TOOLS_PAGE_H

#include <stdio.h>

#include "sepcl/sepcl.h"

/* Classes c0 ... c6 have a colour each, as text fill and as background. */
#define PAGE_COLOURS 7

/* Everything up to the title, inside <header>. style: rules of the page's own, "" for none. */
void page_begin(FILE *out, const char *program, const char *title, const char *style);
/* A line on where and when, below the title. */
void page_device(FILE *out, const sepcl_device_info *device);
void page_end(FILE *out);

/* Text with what HTML has other uses for written as references. */
void page_text(FILE *out, const char *text);
/* Three digits: "188", "18.8", "1.88". */
#define PAGE_NUMBER 32
const char *page_number(double v, char buffer[PAGE_NUMBER]);
/* What follows the last slash. */
const char *page_file_name(const char *path);

/* In <dl class="tiles">. */
void page_tile(FILE *out, const char *title, double value, const char *unit);
void page_tile_text(FILE *out, const char *title, const char *text);
/* Cells whose value may be unknown. */
void page_cell(FILE *out, bool known, double value, const char *class);
void page_percent(FILE *out, bool known, double share);

/* The same rules for a picture by itself. */
extern const char page_svg_style[];

/* What a stream to memory holds when write has written to it; to be freed. */
char *page_write(void (*write)(FILE *out, const void *what), const void *what);

#endif
