/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench --html. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"
#include "common/page.h"
#include "common/text.h"
#include "common/tool.h"

/* Colours for ops; the last one is for all the others. */
#define COLOURS PAGE_COLOURS

static const char style[] =
    "svg text.roof{fill:var(--roof)}svg line.roof{stroke:var(--roof);stroke-width:1.5}\n"
    "svg text.rank{fill:var(--text);font-weight:600;paint-order:stroke;stroke:var(--back);stroke-width:3px}\n"
    "circle{fill-opacity:.7}\n"
    ".bar{display:grid;grid-template-columns:14rem 1fr 4.5rem 3.5rem;gap:0 .75rem;align-items:center;font-size:.85rem;"
    "line-height:1.7}\n"
    ".bar .n{overflow:hidden;text-overflow:ellipsis;white-space:nowrap}.bar .v,.bar .e{text-align:right}\n"
    ".bar .e{color:var(--soft)}.bar .t{display:flex;height:.8rem}\n"
    ".f{background:var(--floor)}.l{background:repeating-linear-gradient(135deg,var(--lost) 0 2px,transparent 2px 5px);"
    "box-shadow:inset 0 0 0 1px var(--lost)}\n"
    "@media (max-width:40rem){.bar{grid-template-columns:1fr 4.5rem 3.2rem;gap:0 .5rem;margin-bottom:.35rem;"
    "line-height:1.4}.bar .n{grid-column:1/-1}}\n";

/* ---------------------------------------------------------------- colours of ops */

typedef struct op_time {
    const char *op;
    double      seconds;
} op_time;

typedef struct palette {
    op_time *ops; /* longest first */
    int      n;
} palette;

static int by_seconds(const void *a, const void *b)
{
    const double x = ((const op_time *)a)->seconds, y = ((const op_time *)b)->seconds;
    return (x < y) - (x > y);
}

static int find_op(const palette *p, const char *op)
{
    for (int i = 0; i < p->n; i++)
        if (!strcmp(p->ops[i].op, op))
            return i;
    return p->n;
}

/* The same colours in all models of a page. */
static palette make_palette(const bench *b)
{
    size_t steps = 1;
    for (int i = 0; i < b->n_models; i++)
        steps += (size_t)b->models[i].n_steps;
    palette p = {need(calloc(steps, sizeof(op_time))), 0};
    for (int i = 0; i < b->n_models; i++)
        for (int k = 0; k < b->models[i].n_steps; k++) {
            const bench_step *s = &b->models[i].steps[k];
            const int         at = find_op(&p, s->op);
            if (at == p.n)
                p.ops[p.n++] = (op_time){s->op, 0};
            p.ops[at].seconds += s->seconds > 0 ? s->seconds : s->floor;
        }
    qsort(p.ops, (size_t)p.n, sizeof(op_time), by_seconds);
    return p;
}

static int colour_of(const palette *p, const char *op)
{
    const int at = find_op(p, op);
    return at < COLOURS - 1 ? at : COLOURS - 1;
}

/* ---------------------------------------------------------------- roofline */

static void write_key(FILE *out, const palette *p, const int *colours, const bench_model *m)
{
    bool used[COLOURS] = {false};
    for (int i = 0; i < m->n_steps; i++)
        used[colours[i]] = used[colours[i]] || bench_has_place(&m->steps[i]);
    fputs("<ul class=\"key\">", out);
    for (int c = 0; c < COLOURS; c++) {
        if (!used[c])
            continue;
        fprintf(out, "<li><i class=\"c%d\"></i>", c);
        page_text(out, c < COLOURS - 1 ? p->ops[c].op : "others");
        fputs("</li>", out);
    }
    fputs("</ul>\n", out);
}

static void write_roofline(FILE *out, const bench *b, const bench_model *m, const palette *p)
{
    const bench_canvas wide = {900, 460, 50, 40, "wide"}, narrow = {360, 360, 44, 40, "narrow"};
    int               *colours = need(calloc((size_t)m->n_steps + 1, sizeof(int)));
    int                still = 0;
    for (int i = 0; i < m->n_steps; i++) {
        colours[i] = colour_of(p, m->steps[i].op);
        still += bench_operations(&m->steps[i]) <= 0;
    }
    fputs("<h3>Roofline</h3>\n<figure>\n", out);
    write_key(out, p, colours, m);
    bench_roofline(out, b, m, colours, &wide);
    bench_roofline(out, b, m, colours, &narrow);
    fputs(
        "<figcaption><small>A point is a layer, its area the time it takes. Numbers are ranks of lost time, as in the "
        "table.",
        out);
    if (still)
        fprintf(out, " %d layer%s without multiplications and additions %s not shown.", still, still == 1 ? "" : "s",
                still == 1 ? "is" : "are");
    fputs("</small></figcaption>\n</figure>\n", out);
    free(colours);
}

/* ---------------------------------------------------------------- bars */

/* A bar of seconds, of which lost; both may be 0. longest: what fills the width. */
static void write_bar(FILE *out, const char *name, double seconds, double lost, double longest)
{
    char number[PAGE_NUMBER];
    fputs("<div class=\"bar\"><span class=\"n\" title=\"", out);
    page_text(out, name);
    fputs("\">", out);
    page_text(out, name);
    fprintf(out, "</span><span class=\"t\"><i class=\"f\" style=\"width:%.2f%%\"></i>",
            100 * (seconds - lost) / longest);
    fprintf(out, "<i class=\"l\" style=\"width:%.2f%%\"></i></span>", 100 * lost / longest);
    fprintf(out, "<span class=\"v\">%s µs</span><span class=\"e\">", page_number(1e6 * seconds, number));
    if (seconds > lost)
        fprintf(out, "%.0f %%", 100 * (seconds - lost) / seconds);
    fputs("</span></div>\n", out);
}

static void write_bars(FILE *out, const bench_model *m)
{
    double longest = m->idle_s;
    for (int i = 0; i < m->n_steps; i++)
        longest = fmax(longest, m->steps[i].seconds);
    if (longest <= 0)
        return;
    fputs("<h3>Time of each layer, in the order of execution</h3>\n<ul class=\"key\"><li><b class=\"f\"></b>floor</li>"
          "<li><b class=\"l\"></b>lost</li></ul>\n<div class=\"bars\">\n",
          out);
    for (int i = 0; i < m->n_steps; i++)
        write_bar(out, m->steps[i].name, m->steps[i].seconds, m->steps[i].lost, longest);
    write_bar(out, "between kernels", m->idle_s, m->idle_s, longest);
    fputs("</div>\n", out);
}

/* ---------------------------------------------------------------- tables */

static void write_row(FILE *out, const bench_step *s, int rank)
{
    char       shape[TEXT_SMALL];
    const bool known = s->seconds > 0;
    fprintf(out, "<tr><td>%d</td><td class=\"name\">", rank);
    page_text(out, s->name);
    fputs("<small>", out);
    page_text(out, s->kernel);
    fprintf(out, "</small></td><td class=\"wide\">%s</td>", text_shape(&s->output, shape));
    page_cell(out, known, 1e6 * s->seconds, "");
    page_cell(out, true, 1e6 * s->floor, "wide");
    fprintf(out, "<td class=\"wide\">%s</td>", bench_bounds[s->bound]);
    page_percent(out, known, bench_efficiency(s));
    page_cell(out, known, 1e6 * s->lost, "");
    fputs("</tr>\n", out);
}

static void write_table(FILE *out, const bench_model *m)
{
    double time = 0, lost = 0;
    fputs(
        "<h3>Layers by lost time</h3>\n<table><thead><tr><th>#</th><th class=\"name\">Layer and kernel</th>"
        "<th class=\"wide\">Output</th><th>Time µs</th><th class=\"wide\">Floor µs</th><th class=\"wide\">Bound by</th>"
        "<th>Effi\u00adciency</th><th>Lost µs</th></tr></thead>\n<tbody>\n",
        out);
    for (int i = 0; i < m->n_steps; i++) {
        write_row(out, &m->steps[m->by_lost[i]], i + 1);
        time += m->steps[i].seconds;
        lost += m->steps[i].lost;
    }
    fprintf(out, "</tbody>\n<tfoot><tr><td></td><td class=\"name\">all %d</td><td class=\"wide\"></td>", m->n_steps);
    page_cell(out, time > 0, 1e6 * time, "");
    page_cell(out, true, 1e6 * m->floor_s, "wide");
    fputs("<td class=\"wide\"></td>", out);
    page_percent(out, time > 0, m->floor_s / (time > 0 ? time : 1));
    page_cell(out, time > 0, 1e6 * lost, "");
    fputs("</tr></tfoot></table>\n", out);
}

static void write_models(FILE *out, const bench *b)
{
    fputs("<table><thead><tr><th class=\"name\">Model</th><th class=\"wide\">Batch</th><th>Min ms</th><th>Median "
          "ms</th><th>p90 ms</th>"
          "<th class=\"wide\">In kernels ms</th><th class=\"wide\">Floor ms</th></tr></thead>\n<tbody>\n",
          out);
    for (int i = 0; i < b->n_models; i++) {
        const bench_model *m = &b->models[i];
        fprintf(out, "<tr><td class=\"name\"><a href=\"#m%d\">", i);
        page_text(out, page_file_name(m->file));
        fprintf(out, "</a></td><td class=\"wide\">%lld</td>", (long long)m->batch);
        page_cell(out, true, 1e3 * bench_quantile(m, PART_ALL, 0), "");
        page_cell(out, true, 1e3 * bench_quantile(m, PART_ALL, 0.5), "");
        page_cell(out, true, 1e3 * bench_quantile(m, PART_ALL, 0.9), "");
        page_cell(out, m->kernel_s > 0, 1e3 * m->kernel_s, "wide");
        page_cell(out, true, 1e3 * m->floor_s, "wide");
        fputs("</tr>\n", out);
    }
    fputs("</tbody></table>\n", out);
}

/* ---------------------------------------------------------------- the page */

static void write_model(FILE *out, const bench *b, int index, const palette *p)
{
    const bench_model *m = &b->models[index];
    fprintf(out, "<section id=\"m%d\">\n<h2>", index);
    page_text(out, b->n_models > 1 ? page_file_name(m->file) : "Latency");
    fprintf(out, "</h2>\n<p class=\"soft\">Batch %lld, %s%s, %d run%s from inputs written to outputs read</p>\n",
            (long long)m->batch, tool_precisions[tool.precision], bench_set.no_fusion ? ", not fused" : "", m->n_runs,
            m->n_runs == 1 ? "" : "s");
    fputs("<dl class=\"tiles\">\n", out);
    page_tile(out, "Median", 1e3 * bench_quantile(m, PART_ALL, 0.5), "ms");
    page_tile(out, "Min", 1e3 * bench_quantile(m, PART_ALL, 0), "ms");
    page_tile(out, "90th percentile", 1e3 * bench_quantile(m, PART_ALL, 0.9), "ms");
    if (m->kernel_s > 0) {
        page_tile(out, "In kernels", 1e3 * m->kernel_s, "ms");
        page_tile(out, "Between kernels", 1e3 * m->idle_s, "ms");
    }
    page_tile(out, "Floor", 1e3 * m->floor_s, "ms");
    fputs("</dl>\n", out);
    if (m->kernel_s > 0)
        write_roofline(out, b, m, p);
    write_bars(out, m);
    write_table(out, m);
    bench_write_ways(out, m);
    fputs("</section>\n", out);
}

static void write_head(FILE *out, const bench *b)
{
    char *title =
        b->n_models == 1 ? text_format("%s", page_file_name(b->models[0].file)) : text_format("%d models", b->n_models);
    char *rules = text_format("%s%s", style, bench_ways_style);
    page_begin(out, "sepcl-bench", title, rules);
    free(rules);
    page_device(out, &b->device);
    fputs("<dl class=\"tiles\">\n", out);
    page_tile(out, "Multiply-add peak", b->speed.fma_gflops, "GFLOP/s");
    if (b->speed.cache_gbs > 0)
        page_tile(out, "Caches", b->speed.cache_gbs, "GB/s");
    page_tile(out, "Memory", b->speed.bandwidth_gbs, "GB/s");
    page_tile(out, "A launch", b->speed.launch_us, "µs");
    fputs("</dl>\n", out);
    if (bench_unsteady(b))
        fprintf(out,
                "<p class=\"soft\">The device's peak changed from %.3g to %.3g GFLOP/s while it was measured: "
                "something else ran on it, and times may be too long.</p>\n",
                b->least_gflops, b->speed.fma_gflops);
    fputs("</header>\n", out);
    free(title);
}

static void write_page(FILE *out, const void *what)
{
    const bench  *b = what;
    const palette p = make_palette(b);
    write_head(out, b);
    if (b->n_models > 1)
        write_models(out, b);
    for (int i = 0; i < b->n_models; i++)
        write_model(out, b, i, &p);
    fputs(
        "<footer class=\"soft\">\n<h3>How to read this</h3>\n<p><small>The floor of a layer is the longer of its "
        "operations over the peak and its bytes over the bandwidth: that of the caches where its data fits in them, "
        "else that of memory. Operations are twice the larger of multiplications and additions; bytes are those of "
        "tensors and weights, once each. Peak and bandwidths were measured in the same run. Efficiency is floor over "
        "time, lost is time less floor; a kernel that needs fewer multiplications than its layer, as minimal filtering "
        "does, may beat the floor. Times of layers are medians of a profiled session, which is a little slower; "
        "latencies are without profiling.</small></p>\n</footer>\n",
        out);
    page_end(out);
    free(p.ops);
}

char *bench_page(const bench *b)
{
    return page_write(write_page, b);
}
