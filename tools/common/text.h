/* SPDX-License-Identifier: Apache-2.0 */
/* Text as a person reads it: numbers, column widths, and strings from files that must not drive the terminal. */
#ifndef SEPCL_TOOLS_TEXT_H
#define SEPCL_TOOLS_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "sepcl/sepcl.h"

/* A buffer long enough for any of the numbers and shapes below. */
#define TEXT_SMALL 160

/* "27,648" */
const char *text_count(uint64_t n, char buffer[TEXT_SMALL]);
/* Four digits and a unit of 1,000: "585.3M"; exact below 100,000. */
const char *text_short(uint64_t n, char buffer[TEXT_SMALL]);
/* "13.4 MiB" */
const char *text_bytes(uint64_t n, char buffer[TEXT_SMALL]);
/* "1x3x224x224"; a free dimension is "?", rank 0 is "scalar". */
const char *text_shape(const sepcl_shape *s, char buffer[TEXT_SMALL]);

/* Bytes of the UTF-8 character at s (1 where the bytes are not UTF-8), 0 at the end. *code_out may be NULL. */
int text_char(const char *s, uint32_t *code_out);
/* Columns that s takes on a terminal. */
int text_width(const char *s);

/* malloc'd copies. Control characters and invalid UTF-8 become U+FFFD. */
char *text_clean(const char *s);
/* s cut to width columns, with an ellipsis in the middle, where names that share their ends still differ. */
char *text_fit(const char *s, int width);
char *text_format(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Edits (insert, delete, replace, swap of neighbours) from a to b. */
int text_distance(const char *a, const char *b);

/* Memory for small things: never NULL; a program that cannot have it ends with exit code 6. */
void *need(void *p);

#endif
