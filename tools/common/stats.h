/* SPDX-License-Identifier: Apache-2.0 */
/* Order statistics of timings. */
#ifndef SEPCL_TOOLS_STATS_H
#define SEPCL_TOOLS_STATS_H

#include <stdlib.h>

static inline int stats_compare(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static inline void stats_sort(double *values, int n)
{
    qsort(values, (size_t)n, sizeof(*values), stats_compare);
}

/* Quantile q (0 ... 1) of n > 0 sorted values, linear between neighbours. */
static inline double stats_quantile(const double *sorted, int n, double q)
{
    const double at = q * (n - 1);
    const int    i = (int)at;
    return i + 1 < n ? sorted[i] + (at - i) * (sorted[i + 1] - sorted[i]) : sorted[n - 1];
}

#endif
