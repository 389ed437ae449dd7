/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench --break-even: pictures, as a page and by themselves. Both axes of a picture are logarithmic. Left what is
   computed, multiplications; right what is measured, time. Where a form begins or ceases to be the better one is
   marked. */
#include <math.h>
#include <stdlib.h>

#include "bench.h"
#include "bench_break_even.h"
#include "common/chart.h"
#include "common/page.h"
#include "common/text.h"
#include "common/tool.h"

#define CHART_WIDTH 420
#define CHART_HEIGHT 300
#define LEFT 52
#define RIGHT 12
#define TOP 30
#define BOTTOM 40
#define GAP 20     /* between two charts of the picture by itself */
#define HEAD 34    /* its legend */
#define CAPTION 26 /* above each row */

static const char style[] = ".pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(19rem,1fr));gap:1rem}\n"
                            "td:first-child,th:first-child{text-align:left}\n";

/* ---------------------------------------------------------------- one chart */

typedef struct curve_set {
    const break_even_shape *s;
    bool                    time; /* else multiplications */
    chart_axis              x, y;
} curve_set;

static double value_of(const curve_set *c, int form, int point)
{
    const sepcl_form_cost *cost = break_even_cost(&c->s->points[point], form);
    return c->time ? 1e6 * cost->seconds : (double)cost->multiplications;
}

static curve_set fit(const break_even_shape *s, bool time)
{
    curve_set c = {.s = s, .time = time};
    double    least = INFINITY, most = 0;
    for (int f = 0; f < BREAK_EVEN_FORMS; f++)
        for (int i = 0; i < s->n && break_even_has(s, f); i++) {
            least = fmin(least, value_of(&c, f, i));
            most = fmax(most, value_of(&c, f, i));
        }
    c.x = (chart_axis){-0.05, log10(fmax(2, s->points[s->n - 1].outputs)) + 0.05, LEFT, CHART_WIDTH - RIGHT, 2};
    c.y = (chart_axis){log10(least / 1.3), log10(most * 1.3), CHART_HEIGHT - BOTTOM, TOP, 10};
    return c;
}

/* Of a form between two numbers of outputs, as the drawn line has it. */
static double value_at(const curve_set *c, int form, double outputs)
{
    int i = 1;
    while (i + 1 < c->s->n && c->s->points[i].outputs < outputs)
        i++;
    const double x0 = log(c->s->points[i - 1].outputs), x1 = log(c->s->points[i].outputs);
    const double y0 = log(value_of(c, form, i - 1)), y1 = log(value_of(c, form, i));
    return exp(y0 + (log(outputs) - x0) / (x1 - x0) * (y1 - y0));
}

static void draw_crossing(FILE *out, const curve_set *c, int form, double at)
{
    if (!(at > 1) || isinf(at) || at > c->s->points[c->s->n - 1].outputs || c->s->n < 2)
        return;
    const double x = chart_at(&c->x, at), y = chart_at(&c->y, value_at(c, BREAK_EVEN_DENSE, at));
    char         number[PAGE_NUMBER];
    fprintf(out, "<line class=\"mark\" x1=\"%.1f\" y1=\"%.1f\" x2=\"%.1f\" y2=\"%.1f\"/>", x, y, x, c->y.from);
    fprintf(out, "<circle class=\"c%d\" cx=\"%.1f\" cy=\"%.1f\" r=\"4.5\"/>", form, x, y);
    fprintf(out, "<text class=\"strong\" x=\"%.1f\" y=\"%.1f\">%s</text>\n", x + 5, c->y.from - 6 - 14 * (form - 1),
            page_number(at, number));
}

static void draw_curve(FILE *out, const curve_set *c, int form)
{
    char *name = break_even_name(c->s, form);
    fprintf(out, "<polyline class=\"curve s%d\" points=\"", form);
    for (int i = 0; i < c->s->n; i++)
        fprintf(out, "%s%.1f,%.1f", i ? " " : "", chart_at(&c->x, c->s->points[i].outputs),
                chart_at(&c->y, value_of(c, form, i)));
    fprintf(out, "\"><title>%s</title></polyline>\n", name);
    free(name);
}

static void draw_chart(FILE *out, const break_even_shape *s, bool time)
{
    const curve_set c = fit(s, time);
    chart_axes(out, &c.x, &c.y);
    fprintf(out, "<text class=\"strong\" x=\"%d\" y=\"%d\">%s</text>", LEFT, TOP - 12,
            time ? "measured: time, µs" : "computed: multiplications");
    fprintf(out, "<text x=\"%d\" y=\"%d\" text-anchor=\"end\">output channels</text>\n", CHART_WIDTH - RIGHT,
            CHART_HEIGHT - 5);
    for (int f = 0; f < BREAK_EVEN_FORMS; f++)
        if (break_even_has(s, f))
            draw_curve(out, &c, f);
    for (int f = BREAK_EVEN_SEPARABLE; f < BREAK_EVEN_FORMS; f++) {
        if (!break_even_has(s, f))
            continue;
        const break_even_spans spans = time ? break_even_measured(s, f) : break_even_computed(s, f);
        for (int i = 0; i < spans.n; i++) {
            draw_crossing(out, &c, f, spans.from[i]);
            draw_crossing(out, &c, f, spans.to[i]);
        }
    }
}

/* ---------------------------------------------------------------- the page */

static void write_key(FILE *out, const break_even_shape *s)
{
    fputs("<ul class=\"key\">", out);
    for (int f = 0; f < BREAK_EVEN_FORMS; f++) {
        char *name = break_even_name(s, f);
        if (break_even_has(s, f))
            fprintf(out, "<li><b class=\"c%d\"></b>%s</li>", f, name);
        free(name);
    }
    fputs("</ul>\n", out);
}

static void write_words(FILE *out, const break_even_shape *s)
{
    for (int f = BREAK_EVEN_SEPARABLE; f < BREAK_EVEN_FORMS; f++) {
        if (!break_even_has(s, f))
            continue;
        const break_even_spans computed = break_even_computed(s, f), measured = break_even_measured(s, f);
        char *name = break_even_name(s, f), *fewer = break_even_words(&computed), *faster = break_even_words(&measured);
        fprintf(out, "<p>%s: fewer multiplications than dense %s, faster %s.</p>\n", name, fewer, faster);
        free(name);
        free(fewer);
        free(faster);
    }
}

static void write_table(FILE *out, const break_even_shape *s)
{
    fputs("<table><thead><tr><th>N</th><th>Dense µs</th><th>Separable µs</th><th>Spatial µs</th>"
          "<th class=\"wide\">Mult. dense</th><th class=\"wide\">separable</th><th "
          "class=\"wide\">spatial</th></tr></thead>\n"
          "<tbody>\n",
          out);
    for (int i = 0; i < s->n; i++) {
        char text[TEXT_SMALL];
        fprintf(out, "<tr><td>%d</td>", s->points[i].outputs);
        for (int f = 0; f < BREAK_EVEN_FORMS; f++)
            page_cell(out, break_even_has(s, f), 1e6 * break_even_cost(&s->points[i], f)->seconds, "");
        for (int f = 0; f < BREAK_EVEN_FORMS; f++)
            fprintf(out, "<td class=\"wide\">%s</td>",
                    break_even_has(s, f) ? text_count(break_even_cost(&s->points[i], f)->multiplications, text) : "–");
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
}

static void write_shape(FILE *out, const break_even_shape *s)
{
    fprintf(out, "<section>\n<h2>%d×%d×%d, kernel %d×%d</h2>\n", s->height, s->width, s->channels, s->kernel[0],
            s->kernel[1]);
    write_key(out, s);
    fputs("<div class=\"pair\">\n", out);
    for (int time = 0; time < 2; time++) {
        fprintf(out, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"%s\">\n", CHART_WIDTH, CHART_HEIGHT,
                time ? "Times" : "Multiplications");
        draw_chart(out, s, time);
        fputs("</svg></figure>\n", out);
    }
    fputs("</div>\n", out);
    write_words(out, s);
    write_table(out, s);
    fputs("</section>\n", out);
}

static void write_page(FILE *out, const void *what)
{
    const break_even *b = what;
    page_begin(out, "sepcl-bench", "Break-even", style);
    page_device(out, &b->device);
    fprintf(out,
            "<p class=\"soft\">One convolution with N output channels, no padding, stride 1, %s, in three forms that "
            "are timed in turns: as one; depthwise, then pointwise; k×1 to N channels, then 1×k.</p>\n</header>\n",
            tool_precisions[tool.precision]);
    for (int i = 0; i < b->n; i++)
        write_shape(out, &b->shapes[i]);
    fputs("<footer class=\"soft\"><p><small>The forms compute different things unless weights separate; what is "
          "compared is "
          "what each costs. Marks are where a form begins or ceases to be better than the dense "
          "one.</small></p></footer>\n",
          out);
    page_end(out);
}

char *break_even_page(const break_even *b)
{
    return page_write(write_page, b);
}

/* ---------------------------------------------------------------- the picture by itself */

static void write_legend(FILE *out, const break_even *b)
{
    static const char *const names[] = {"dense k×k", "depthwise-separable", "k×1, then 1×k"};
    for (int f = 0; f < BREAK_EVEN_FORMS; f++) {
        const int x = LEFT + 170 * f;
        fprintf(out, "<rect class=\"c%d\" x=\"%d\" y=\"13\" width=\"10\" height=\"10\" rx=\"2\"/>", f, x);
        fprintf(out, "<text x=\"%d\" y=\"22\">%s</text>", x + 16, names[f]);
    }
    fprintf(out, "<text x=\"%d\" y=\"22\" text-anchor=\"end\">", 2 * CHART_WIDTH + GAP - RIGHT);
    page_text(out, b->device.name);
    fputs("</text>\n", out);
}

static void write_picture(FILE *out, const void *what)
{
    const break_even *b = what;
    const int         row = CAPTION + CHART_HEIGHT, width = 2 * CHART_WIDTH + GAP, height = HEAD + b->n * row;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" viewBox=\"0 0 %d %d\" role=\"img\" "
            "aria-label=\"Break-even of separable convolutions\">\n<style>\n%s</style>\n"
            "<rect width=\"%d\" height=\"%d\" style=\"fill:var(--back)\"/>\n",
            width, height, width, height, page_svg_style, width, height);
    write_legend(out, b);
    for (int i = 0; i < b->n; i++) {
        const break_even_shape *s = &b->shapes[i];
        const int               y = HEAD + i * row;
        fprintf(out, "<text class=\"strong\" x=\"%d\" y=\"%d\">input %d×%d×%d, kernel %d×%d</text>\n", LEFT, y + 18,
                s->height, s->width, s->channels, s->kernel[0], s->kernel[1]);
        for (int time = 0; time < 2; time++) {
            fprintf(out, "<g transform=\"translate(%d %d)\">\n", time * (CHART_WIDTH + GAP), y + CAPTION);
            draw_chart(out, s, time);
            fputs("</g>\n", out);
        }
    }
    fputs("</svg>\n", out);
}

char *break_even_picture(const break_even *b)
{
    return page_write(write_picture, b);
}
