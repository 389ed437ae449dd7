/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sepcl-bench: the roofline as an SVG picture (Williams, Waterman, Patterson: "Roofline: an insightful visual
 * performance model for multicore architectures", 2009). Operations a byte to the right, operations a second upwards,
 * both logarithmic; the ceilings are measured. A point is a step, its area is its share of the time; how far it lies
 * below its ceiling is the time lost.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "common/chart.h"
#include "common/page.h"
#include "common/text.h"

#define RIGHT 14
#define TOP 26
/* Radius of the smallest and of the largest point. */
#define LEAST_RADIUS 3.5
#define MOST_RADIUS 13.0
#define LARGE_SHARE 0.12
/* So many steps, those that lose most, have their number beside them. */
#define NUMBERED 6
#define DIGIT_WIDTH 8
#define DIGIT_HEIGHT 10

typedef struct plot {
    FILE               *out;
    const bench        *b;
    const bench_model  *m;
    const bench_canvas *canvas;
    chart_axis          x, y;
} plot;

bool bench_has_place(const bench_step *s)
{
    return s->seconds > 0 && bench_operations(s) > 0 && s->bytes > 0;
}

static double intensity(const bench_step *s)
{
    return bench_operations(s) / (double)s->bytes;
}

static double gflops(const bench_step *s)
{
    return 1e-9 * bench_operations(s) / s->seconds;
}

static double best_bandwidth(const bench *b)
{
    return fmax(b->speed.bandwidth_gbs, b->speed.cache_gbs);
}

/* The picture holds every point, and where the ceilings meet. */
static void fit_axes(plot *p)
{
    const double peak = p->b->speed.fma_gflops;
    double x0 = peak / best_bandwidth(p->b) / 3, x1 = 2.5 * peak / p->b->speed.bandwidth_gbs, y0 = peak / 30, y1 = peak;
    for (int i = 0; i < p->m->n_steps; i++) {
        const bench_step *s = &p->m->steps[i];
        if (!bench_has_place(s))
            continue;
        x0 = fmin(x0, intensity(s));
        x1 = fmax(x1, intensity(s));
        y0 = fmin(y0, gflops(s));
        y1 = fmax(y1, gflops(s));
    }
    const bench_canvas *c = p->canvas;
    p->x = (chart_axis){log10(x0 / 1.3), log10(x1 * 1.3), c->left, c->width - RIGHT, 10};
    p->y = (chart_axis){log10(y0 / 1.4), log10(y1 * 1.5), c->height - c->bottom, TOP, 10};
}

/* ---------------------------------------------------------------- axes */

static void draw_axes(const plot *p)
{
    const bench_canvas *c = p->canvas;
    chart_axes(p->out, &p->x, &p->y);
    fprintf(p->out, "<text x=\"%d\" y=\"%d\">GFLOP/s</text>", c->left - 7 - 30, TOP - 11);
    fprintf(p->out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">operations a byte</text>\n", c->width - RIGHT,
            c->height - 5);
}

/* ---------------------------------------------------------------- ceilings */

static void draw_slope(const plot *p, double gbs, const char *what)
{
    const double peak = p->b->speed.fma_gflops, start = fmax(pow(10, p->x.low), pow(10, p->y.low) / gbs);
    const double x0 = chart_at(&p->x, start), y0 = chart_at(&p->y, start * gbs), x1 = chart_at(&p->x, peak / gbs), y1 = chart_at(&p->y, peak);
    const double angle = atan2(y1 - y0, x1 - x0);
    const double lx = x0 + 12 * cos(angle) + 6 * sin(angle), ly = y0 + 12 * sin(angle) - 6 * cos(angle);
    char         number[PAGE_NUMBER];
    if (start >= peak / gbs)
        return;
    fprintf(p->out, "<line class=\"roof\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x0, y0, x1, y1);
    fprintf(p->out, "<text class=\"roof\" transform=\"translate(%.1f %.1f) rotate(%.2f)\">%s %s GB/s</text>\n", lx, ly,
            angle * 180 / M_PI, what, page_number(gbs, number));
}

static void draw_ceilings(const plot *p)
{
    const double peak = p->b->speed.fma_gflops, y = chart_at(&p->y, peak);
    char         number[PAGE_NUMBER];
    fprintf(p->out, "<line class=\"roof\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%d\" y2=\"%.1f\"/>",
            chart_at(&p->x, peak / best_bandwidth(p->b)), y, p->canvas->width - RIGHT, y);
    fprintf(p->out, "<text class=\"roof\" x=\"%d\" y=\"%.1f\" text-anchor=\"end\">peak %s GFLOP/s</text>\n",
            p->canvas->width - RIGHT, y - 7, page_number(peak, number));
    draw_slope(p, p->b->speed.bandwidth_gbs, "memory");
    if (p->b->speed.cache_gbs > p->b->speed.bandwidth_gbs)
        draw_slope(p, p->b->speed.cache_gbs, "caches");
}

/* ---------------------------------------------------------------- points */

/* Areas are as shares of the time, up to a share that many layers reach in small networks. */
static double radius(const plot *p, const bench_step *s)
{
    const double share = s->seconds / p->m->kernel_s / LARGE_SHARE;
    return fmax(LEAST_RADIUS, MOST_RADIUS * sqrt(share < 1 ? share : 1));
}

static void draw_point(const plot *p, const bench_step *s, int colour)
{
    char number[3][PAGE_NUMBER];
    fprintf(p->out, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"%.1f\"><title>", colour, chart_at(&p->x, intensity(s)),
            chart_at(&p->y, gflops(s)), radius(p, s));
    page_text(p->out, s->name);
    fprintf(p->out, " (%s): %s µs, %s GFLOP/s, %.0f %% of %s, %s operations a byte</title></circle>\n", s->op,
            page_number(1e6 * s->seconds, number[0]), page_number(gflops(s), number[1]), 100 * bench_efficiency(s),
            s->bound == BOUND_COMPUTE ? "the peak" : "the bandwidth", page_number(intensity(s), number[2]));
}

typedef struct box {
    double x0, y0, x1, y1;
} box;

static bool overlap(const box *a, const box *b)
{
    return a->x0 < b->x1 && b->x0 < a->x1 && a->y0 < b->y1 && b->y0 < a->y1;
}

/* Where a number may stand: right of its point, left, above, below. */
static box beside(const plot *p, const bench_step *s, int side)
{
    const double x = chart_at(&p->x, intensity(s)), y = chart_at(&p->y, gflops(s)), r = radius(p, s) + 2;
    const double left = side == 0 ? x + r : side == 1 ? x - r - DIGIT_WIDTH : x - DIGIT_WIDTH / 2.0;
    const double top = side == 2 ? y - r - DIGIT_HEIGHT : side == 3 ? y + r : y - DIGIT_HEIGHT / 2.0;
    return (box){left, top, left + DIGIT_WIDTH, top + DIGIT_HEIGHT};
}

static bool on_a_point(const plot *p, const box *b)
{
    for (int i = 0; i < p->m->n_steps; i++) {
        const bench_step *s = &p->m->steps[i];
        if (!bench_has_place(s))
            continue;
        const double x = chart_at(&p->x, intensity(s)), y = chart_at(&p->y, gflops(s)), r = radius(p, s);
        if (overlap(b, &(box){x - r, y - r, x + r, y + r}))
            return true;
    }
    return false;
}

/* Numbers of the worst steps, beside their points; one that has room nowhere may stand on a point, but not on another
   number. */
static void draw_numbers(const plot *p)
{
    box taken[NUMBERED];
    int n = 0;
    for (int i = 0; i < p->m->n_steps && i < NUMBERED; i++) {
        const bench_step *s = &p->m->steps[p->m->by_lost[i]];
        bool              found = false;
        for (int k = 0; k < 8 && !found && bench_has_place(s) && s->lost > 0; k++) {
            const box b = beside(p, s, k % 4);
            found = k >= 4 || !on_a_point(p, &b);
            for (int j = 0; j < n && found; j++)
                found = !overlap(&b, &taken[j]);
            taken[n] = b;
        }
        if (!found)
            continue;
        fprintf(p->out, "<text class=\"rank\" x=\"%.1f\" y=\"%.1f\">%d</text>\n", taken[n].x0, taken[n].y1 - 1, i + 1);
        n++;
    }
}

static const bench_step *sorted_steps; /* for by_time */

static int by_time(const void *a, const void *b)
{
    const double x = sorted_steps[*(const int *)a].seconds, y = sorted_steps[*(const int *)b].seconds;
    return (x < y) - (x > y);
}

/* Large ones first, so that none hides another. */
static void draw_points(const plot *p, const int *colours)
{
    int *order = need(calloc((size_t)p->m->n_steps + 1, sizeof(int)));
    for (int i = 0; i < p->m->n_steps; i++)
        order[i] = i;
    sorted_steps = p->m->steps;
    qsort(order, (size_t)p->m->n_steps, sizeof(int), by_time);
    for (int i = 0; i < p->m->n_steps; i++)
        if (bench_has_place(&p->m->steps[order[i]]))
            draw_point(p, &p->m->steps[order[i]], colours[order[i]]);
    free(order);
    draw_numbers(p);
}

void bench_roofline(FILE *out, const bench *b, const bench_model *m, const int *colours, const bench_canvas *canvas)
{
    plot p = {.out = out, .b = b, .m = m, .canvas = canvas};
    fit_axes(&p);
    fprintf(out, "<svg class=\"%s\" viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"Roofline\">\n", canvas->class,
            canvas->width, canvas->height);
    draw_axes(&p);
    draw_ceilings(&p);
    draw_points(&p, colours);
    fprintf(out, "</svg>\n");
}
