/* SPDX-License-Identifier: Apache-2.0 */
/* Logarithmic axes of SVG pictures. */
#ifndef SEPCL_TOOLS_CHART_H
#define SEPCL_TOOLS_CHART_H

#include <stdio.h>

typedef struct chart_axis {
    double low, high; /* log10 */
    double from, to;  /* pixels; upwards they fall */
    int    base;      /* of the steps that have lines and numbers: 10 (0 is that too), or 2: powers of two */
} chart_axis;

/* Pixel of a value. */
double chart_at(const chart_axis *a, double v);
/* Lines and numbers of both axes: x along the lower end of y, y along the lower end of x. */
void chart_axes(FILE *out, const chart_axis *x, const chart_axis *y);

#endif
