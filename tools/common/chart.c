/* SPDX-License-Identifier: Apache-2.0 */
#include "chart.h"

#include <math.h>
#include <stdbool.h>

/* Pixels a decade from which on 2 and 5 have a number, too. */
#define ROOMY 105

double chart_at(const chart_axis *a, double v)
{
    return a->from + (log10(v) - a->low) / (a->high - a->low) * (a->to - a->from);
}

static double per_decade(const chart_axis *a)
{
    return fabs(a->to - a->from) / (a->high - a->low);
}

/* "200", "50k", "10M". */
static const char *short_number(double v, char buffer[32])
{
    static const char *const units[] = {"", "k", "M", "G", "T", "P"};
    size_t                   i = 0;
    const bool               large = v >= 1e4; /* below, all digits are shorter */
    for (; large && v >= 1e3 && i + 1 < sizeof(units) / sizeof(*units); i++)
        v /= 1000;
    snprintf(buffer, 32, "%g%s", v, units[i]);
    return buffer;
}

static void tick_x(FILE *out, const chart_axis *x, const chart_axis *y, double value, bool labelled)
{
    const double v = chart_at(x, value);
    fprintf(out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", v, y->to, v, y->from);
    char         text[32];
    if (labelled)
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">%s</text>\n", v, y->from + 17,
                short_number(value, text));
}

static void tick_y(FILE *out, const chart_axis *y, const chart_axis *x, double value, bool labelled)
{
    const double v = chart_at(y, value);
    fprintf(out, "<line class=\"grid\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x->from, v, x->to, v);
    char         text[32];
    if (labelled)
        fprintf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"end\">%s</text>\n", x->from - 7, v + 4,
                short_number(value, text));
}

typedef void (*tick_fn)(FILE *out, const chart_axis *a, const chart_axis *other, double value, bool labelled);

static bool is_on(const chart_axis *a, double value)
{
    return log10(value) >= a->low - 1e-9 && log10(value) <= a->high + 1e-9;
}

static void decades(FILE *out, const chart_axis *a, const chart_axis *other, tick_fn tick)
{
    static const int steps[] = {1, 2, 5};
    for (int decade = (int)floor(a->low); decade <= (int)ceil(a->high); decade++)
        for (int i = 0; i < 3; i++) {
            const double value = steps[i] * pow(10, decade);
            if (is_on(a, value))
                tick(out, a, other, value, i == 0 || per_decade(a) >= ROOMY);
        }
}

static void draw(FILE *out, const chart_axis *a, const chart_axis *other, tick_fn tick)
{
    if (a->base != 2) {
        decades(out, a, other, tick);
        return;
    }
    for (int power = (int)floor(a->low / log10(2)); power <= (int)ceil(a->high / log10(2)); power++)
        if (is_on(a, pow(2, power)))
            tick(out, a, other, pow(2, power), true);
}

void chart_axes(FILE *out, const chart_axis *x, const chart_axis *y)
{
    draw(out, x, y, tick_x);
    draw(out, y, x, tick_y);
}
