/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-bench: the forms and kernels that competed for each step, and which was taken, as data and on the page. */
#include <math.h>
#include <stdlib.h>

#include "bench.h"
#include "common/page.h"
#include "common/text.h"
#include "common/tool.h"

/* A bar of a way so many times slower than the chosen one fills the width. */
#define FULL_WIDTH 4.0

const char bench_ways_style[] =
    "details{border-bottom:1px solid var(--line);padding:.3rem 0}summary{cursor:pointer;overflow-wrap:anywhere;"
    "font-size:.9rem}\nsummary small{display:block}details p{margin:.5rem 0 .1rem;font-size:.85rem}\n"
    ".way.on .n{font-weight:600}.way.on .f{background:var(--c2)}\n"
    "@media (min-width:40.01rem){.bar.way{grid-template-columns:21rem 1fr 4.5rem 3.5rem}}\n";

/* ---------------------------------------------------------------- asking */

sepcl_status bench_find_ways(const bench_model *m, int step, bench_step *s)
{
    TRY_LIB(sepcl_session_way_count(m->session, step, &s->n_ways));
    s->ways = need(calloc((size_t)s->n_ways + 1, sizeof(*s->ways)));
    for (int i = 0; i < s->n_ways; i++) {
        sepcl_way w;
        TRY_LIB(sepcl_session_way(m->session, step, i, &w));
        s->ways[i] = (bench_way){text_clean(w.name), w.is_form, w.chosen, 1e-6 * w.measured_us, w.predicted};
    }
    return SEPCL_OK;
}

void bench_free_ways(bench_step *s)
{
    for (int i = 0; s->ways && i < s->n_ways; i++)
        free(s->ways[i].name);
    free(s->ways);
}

static int count(const bench_step *s, bool forms)
{
    int n = 0;
    for (int i = 0; i < s->n_ways; i++)
        n += s->ways[i].is_form == forms;
    return n;
}

static const bench_way *chosen(const bench_step *s, bool forms)
{
    for (int i = 0; i < s->n_ways; i++)
        if (s->ways[i].chosen && s->ways[i].is_form == forms)
            return &s->ways[i];
    return NULL;
}

/* ---------------------------------------------------------------- data */

static json_t *way_json(const bench_way *w)
{
    json_t *j = need(json_object());
    json_put(j, "name", json_text(w->name));
    json_put(j, "chosen", json_boolean(w->chosen));
    json_put(j, "tuned_us", w->seconds > 0 ? json_number(1e6 * w->seconds) : json_null());
    json_put(j, "predicted", w->predicted > 0 ? json_number(w->predicted) : json_null());
    return j;
}

void bench_put_ways(json_t *j, const bench_step *s)
{
    json_t *forms = need(json_array()), *kernels = need(json_array());
    for (int i = 0; i < s->n_ways; i++)
        json_add(s->ways[i].is_form ? forms : kernels, way_json(&s->ways[i]));
    json_put(j, "forms_tried", forms);
    json_put(j, "kernels_tried", kernels);
}

/* ---------------------------------------------------------------- the page */

/* How many times the chosen way's time: measured where both are, else predicted; 0: nothing is known. */
static double ratio(const bench_way *w, const bench_way *best)
{
    if (!best)
        return 0;
    if (w->seconds > 0 && best->seconds > 0)
        return w->seconds / best->seconds;
    return w->predicted > 0 && best->predicted > 0 ? w->predicted / best->predicted : 0;
}

static void write_way(FILE *out, const bench_way *w, const bench_way *best)
{
    const bool   timed = w->seconds > 0 && best && best->seconds > 0;
    const double times = ratio(w, best);
    char         number[PAGE_NUMBER];
    fprintf(out, "<div class=\"bar way%s\"><span class=\"n\" title=\"", w->chosen ? " on" : "");
    page_text(out, w->name);
    fputs("\">", out);
    page_text(out, w->name);
    fprintf(out, "</span><span class=\"t\"><i class=\"%s\" style=\"width:%.2f%%\"></i></span><span class=\"v\">",
            timed || w->chosen ? "f" : "l", 100 * fmin(times, FULL_WIDTH) / FULL_WIDTH);
    if (w->seconds > 0)
        fprintf(out, "%s µs", page_number(1e6 * w->seconds, number));
    fputs("</span><span class=\"e\">", out);
    if (times > 0)
        fprintf(out, "×%s", page_number(times, number));
    fputs("</span></div>\n", out);
}

static void write_group(FILE *out, const bench_step *s, bool forms)
{
    const bench_way *best = chosen(s, forms);
    if (count(s, forms) == 0)
        return;
    if (forms)
        fprintf(out, "<p>Ops for this layer and those that follow it alone: %s</p>\n",
                best && best->seconds > 0 ? "the fastest, measured by sepcl-tune" : "the fewest predicted cycles");
    else
        fprintf(out, "<p>Kernels for %s</p>\n", s->op);
    for (int i = 0; i < s->n_ways; i++)
        if (s->ways[i].is_form == forms)
            write_way(out, &s->ways[i], best);
}

static void write_counts(FILE *out, const bench_step *s)
{
    const int forms = count(s, true), kernels = count(s, false);
    if (forms)
        fprintf(out, "%d forms, ", forms);
    fprintf(out, "%d kernel%s tried", kernels, kernels == 1 ? "" : "s");
}

static void write_step(FILE *out, const bench_step *s, bool open)
{
    fprintf(out, "<details%s><summary>", open ? " open=\"open\"" : "");
    page_text(out, s->name);
    fputs("<small>", out);
    page_text(out, s->kernel);
    fputs(": ", out);
    page_text(out, s->why);
    fputs("</small><small>", out);
    write_counts(out, s);
    fputs("</small></summary>\n", out);
    write_group(out, s, true);
    write_group(out, s, false);
    fputs("</details>\n", out);
}

void bench_write_ways(FILE *out, const bench_model *m)
{
    fputs("<h3>Forms tried, by lost time</h3>\n<ul class=\"key\"><li><i class=\"c2\"></i>runs</li>"
          "<li><b class=\"f\"></b>slower when tuned</li><li><b class=\"l\"></b>slower as predicted</li></ul>\n"
          "<p class=\"soft\"><small>What may run a layer, and times what runs: by sepcl-tune's measurement where there "
          "is "
          "one, else by the cost model, whose order counts rather than its figures.</small></p>\n",
          out);
    for (int i = 0; i < m->n_steps; i++)
        write_step(out, &m->steps[m->by_lost[i]], i == 0);
}
