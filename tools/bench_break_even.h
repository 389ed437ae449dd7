/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench --break-even: from how many output channels on separating pays. */
#ifndef SEPCL_TOOLS_BENCH_BREAK_EVEN_H
#define SEPCL_TOOLS_BENCH_BREAK_EVEN_H

#include <stdio.h>

#include "sepcl/sepcl.h"

typedef struct break_even_shape {
    int                     height, width, channels, kernel[2];
    sepcl_break_even_point *points;
    int                     n;
} break_even_shape;

typedef struct break_even {
    sepcl_device_info device;
    break_even_shape *shapes;
    int               n;
} break_even;

/* The forms that compete with the dense one. */
typedef enum break_even_form {
    BREAK_EVEN_DENSE,
    BREAK_EVEN_SEPARABLE,
    BREAK_EVEN_SPATIAL,
    BREAK_EVEN_FORMS
} break_even_form;
const sepcl_form_cost *break_even_cost(const sepcl_break_even_point *p, int form);
/* Was the form measured: does it exist for this kernel? */
bool break_even_has(const break_even_shape *s, int form);
/* "depthwise-separable", "5x1, then 1x5"; to be freed. */
char *break_even_name(const break_even_shape *s, int form);

/* Where, in numbers of output channels, a form is better than the dense one. */
#define BREAK_EVEN_SPANS 8
typedef struct break_even_spans {
    double from[BREAK_EVEN_SPANS], to[BREAK_EVEN_SPANS]; /* 0 and infinity: as far as there are numbers */
    int    n;
} break_even_spans;
/* By multiplications, solved; by time, between the numbers that were measured. */
break_even_spans break_even_computed(const break_even_shape *s, int form);
break_even_spans break_even_measured(const break_even_shape *s, int form);
/* "from 1.04 on", "up to 10.5", "always", "never"; to be freed. */
char *break_even_words(const break_even_spans *s);

/* The whole run: shapes from the command line, measuring, files, text. */
sepcl_status break_even_run(void);

/* bench_break_even_page.c: a page, and the same pictures as one SVG. To be freed. */
char *break_even_page(const break_even *b);
char *break_even_picture(const break_even *b);

#endif
