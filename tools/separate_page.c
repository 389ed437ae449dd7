/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-separate --report: a row a layer with its spectrum, forms, errors and times, and the network's totals. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/page.h"
#include "common/text.h"
#include "common/tool.h"
#include "separate.h"

static const char style[] =
    ".layer{border-top:1px solid var(--line);padding:.75rem 0;display:grid;grid-template-columns:15rem 1fr;gap:.25rem "
    "1.5rem}\n"
    ".layer h3{margin:0;overflow-wrap:anywhere}.layer figure{max-width:15rem}.layer svg{margin:.4rem 0 0}\n"
    ".taken{color:var(--c2);font-weight:600}tr.taken td{color:inherit}\n"
    ".layer td{white-space:nowrap}.layer td:first-child,.layer th:first-child{text-align:left;white-space:normal}\n"
    ".bar{fill:var(--c0)}.rest{fill:var(--line)}svg line.rank{stroke:var(--c1);stroke-width:1.5}\n"
    "@media (max-width:40rem){.layer{grid-template-columns:1fr}.layer figure{max-width:none}}\n";

/* ---------------------------------------------------------------- spectra */

#define SVG_WIDTH 240
#define SVG_HEIGHT 64
#define MOST_BARS 80
#define DECADES 8.0 /* from the largest value down */

/* The height of a value, 0 ... 1: logarithmic, so that what an exact rank leaves out can be seen to be rounding. */
static double height_of(double v, double largest)
{
    if (!(v > 0) || !(largest > 0))
        return 0;
    return fmax(0, 1 + log10(v / largest) / DECADES);
}

/* Many values share a bar, of the largest of them. */
static void write_bars(FILE *out, const sepcl_spectrum *s, int rank)
{
    const int    bars = s->n < MOST_BARS ? s->n : MOST_BARS;
    const double width = (double)SVG_WIDTH / bars;
    for (int i = 0; i < bars; i++) {
        const int    first = (int)((int64_t)i * s->n / bars);
        const double h = SVG_HEIGHT * height_of(s->values[first], s->values[0]);
        if (h > 0)
            fprintf(out, "<rect class=\"%s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\"/>",
                    first < rank ? "bar" : "rest", i * width, SVG_HEIGHT - h, width * 0.85, h);
    }
}

static void write_spectrum(FILE *out, const sepcl_spectrum *s, int rank)
{
    const double x = s->n ? (double)SVG_WIDTH * rank / s->n : 0;
    fprintf(out, "<figure><svg viewBox=\"0 0 %d %d\" role=\"img\" aria-label=\"singular values, %s\">", SVG_WIDTH,
            SVG_HEIGHT + 2, sepcl_form_name(s->form));
    write_bars(out, s, rank);
    if (rank > 0 && rank < s->n)
        fprintf(out, "<line class=\"rank\" x1=\"%.1f\" y1=\"0\" x2=\"%.1f\" y2=\"%d\"/>", x, x, SVG_HEIGHT);
    fprintf(out, "</svg><figcaption><small>%s: ", sepcl_form_name(s->form));
    if (s->rank == 0)
        fputs("all 0", out);
    else if (s->rank < s->n)
        fprintf(out, "exact at %d of %d", s->rank, s->n);
    else
        fprintf(out, "full rank, %d", s->n);
    fputs("</small></figcaption></figure>\n", out);
}

/* ---------------------------------------------------------------- forms */

static void write_small(FILE *out, double v, const char *class)
{
    if (v == 0)
        fprintf(out, "<td class=\"%s\">0</td>", class);
    else
        fprintf(out, "<td class=\"%s\">%.2g</td>", class, v);
}

static void write_count(FILE *out, uint64_t n, const char *class)
{
    char text[TEXT_SMALL];
    fprintf(out, "<td class=\"%s\">%s</td>", class, text_short(n, text));
}

/* Share of the weights' energy that a form keeps. */
static void write_energy(FILE *out, const sepcl_form_info *f)
{
    const double kept = 1 - f->weight_error * f->weight_error;
    if (f->exact)
        fputs("<td class=\"wide\">100 %</td>", out);
    else
        fprintf(out, "<td class=\"wide\">%.3g %%</td>", 100 * fmax(0, kept));
}

static void write_form(FILE *out, const sepcl_form_info *f, bool chosen)
{
    char *name = separate_form_text(f), number[PAGE_NUMBER];
    fprintf(out, "<tr%s><td>%s", chosen ? " class=\"taken\"" : "", name);
    if (*f->note) {
        fputs("<small>", out);
        page_text(out, f->note);
        fputs("</small>", out);
    }
    fputs("</td>", out);
    write_count(out, f->multiplications, "");
    write_count(out, f->bytes, "wide");
    write_energy(out, f);
    write_small(out, f->weight_error, "wide");
    write_small(out, f->bound, "");
    write_small(out, f->error, "");
    page_cell(out, f->seconds > 0, 1e6 * f->seconds, "");
    if (f->seconds > 0)
        fprintf(out, "<td>%s</td></tr>\n", page_number(f->as_is_seconds / f->seconds, number));
    else
        fputs("<td>–</td></tr>\n", out);
    free(name);
}

static void write_forms(FILE *out, const separate_job *j, int layer, const sepcl_separated_layer *l)
{
    double as_is = 0;
    fputs("<table><thead><tr><th>Form</th><th>Mult.</th><th class=\"wide\">Bytes</th><th class=\"wide\">Energy</th>"
          "<th class=\"wide\">Weights’ "
          "error</th><th>Bound</th><th>Meas\u00adured</th><th>µs</th><th>Faster</th></tr></thead>\n<tbody>\n",
          out);
    for (int k = 0; k < l->n_forms; k++) {
        sepcl_form_info f;
        if (sepcl_separation_form(j->found, layer, k, &f) == SEPCL_OK && f.as_is_seconds > 0 && as_is <= 0)
            as_is = f.as_is_seconds;
    }
    fprintf(out, "<tr%s><td>as it is</td>", l->chosen < 0 && !l->absorbed ? " class=\"taken\"" : "");
    write_count(out, l->multiplications, "");
    write_count(out, l->bytes, "wide");
    fputs("<td class=\"wide\">100 %</td><td class=\"wide\">0</td><td>0</td><td>0</td>", out);
    page_cell(out, as_is > 0, 1e6 * as_is, "");
    fputs("<td></td></tr>\n", out);
    for (int k = 0; k < l->n_forms; k++) {
        sepcl_form_info f;
        if (sepcl_separation_form(j->found, layer, k, &f) == SEPCL_OK)
            write_form(out, &f, k == l->chosen);
    }
    fputs("</tbody></table>\n", out);
}

/* ---------------------------------------------------------------- layers */

/* The rank that the picture of a spectrum marks: of the form taken, else the exact one. */
static int marked_rank(const separate_job *j, int layer, const sepcl_separated_layer *l, const sepcl_spectrum *s)
{
    sepcl_form_info f;
    if (l->chosen >= 0 && sepcl_separation_form(j->found, layer, l->chosen, &f) == SEPCL_OK && f.form == s->form)
        return f.rank;
    return s->rank;
}

static void write_layer(FILE *out, const separate_job *j, int index)
{
    sepcl_separated_layer l;
    char                  shape[TEXT_SMALL];
    if (sepcl_separation_layer(j->found, index, &l) != SEPCL_OK)
        return; /* index is below the count */
    fputs("<section class=\"layer\"><div><h3>", out);
    page_text(out, l.name);
    fputs("</h3>\n<p class=\"soft\"><small>", out);
    page_text(out, l.op);
    fputs(" ", out);
    page_text(out, l.detail);
    fprintf(out, ", output %s</small></p>\n", text_shape(&l.output, shape));
    for (int k = 0; k < l.n_spectra; k++)
        write_spectrum(out, &l.spectra[k], marked_rank(j, index, &l, &l.spectra[k]));
    fprintf(out, "</div>\n<div><p%s>", l.chosen >= 0 ? " class=\"taken\"" : "");
    page_text(out, l.why);
    fputs("</p>\n", out);
    if (l.n_forms)
        write_forms(out, j, index, &l);
    fputs("</div></section>\n", out);
}

/* ---------------------------------------------------------------- the page */

static void write_totals(FILE *out, const separate_job *j)
{
    const sepcl_separation_totals *t = &j->totals;
    char                          *text = text_format("%d of %d", t->rewritten, t->layers), count[TEXT_SMALL];
    fputs("<dl class=\"tiles\">\n", out);
    page_tile(out, "Before", 1e3 * t->seconds[0], "ms");
    page_tile(out, "After", 1e3 * t->seconds[1], "ms");
    if (t->seconds[1] > 0)
        page_tile(out, "Faster", t->seconds[0] / t->seconds[1], "times");
    page_tile_text(out, "Rewritten", text);
    page_tile_text(out, "Multiplications before", text_short(t->multiplications[0], count));
    page_tile_text(out, "after", text_short(t->multiplications[1], count));
    free(text);
    text = text_format("%.2g", t->error);
    page_tile_text(out, "Error of the outputs", text);
    free(text);
    if (t->rows) {
        text = text_format("%d of %d", t->changed, t->rows);
        page_tile_text(out, "Best classes changed", text);
        free(text);
    }
    fputs("</dl>\n", out);
}

static void write_settings(FILE *out, const separate_job *j)
{
    const sepcl_separation_totals *t = &j->totals;
    fputs("<p class=\"soft\">", out);
    if (separate_set.tolerance_given)
        fprintf(out, "Tolerance of the outputs’ error %g. ", separate_set.tolerance);
    if (separate_set.speedup_given)
        fprintf(out, "Asked for %g times as fast: %s. ", separate_set.speedup,
                t->target_met ? "reached" : "not reached");
    if (!separate_set.tolerance_given && !separate_set.speedup_given)
        fputs("Only forms whose weights are the same but for rounding (1e-6). ", out);
    fprintf(out, "Errors were measured on %d %s%s.</p>\n", t->samples, t->samples == 1 ? "sample" : "samples",
            t->random_samples ? " of random numbers" : "");
}

static void write_all(FILE *out, const void *what)
{
    const separate_job *j = what;
    page_begin(out, "sepcl-separate", page_file_name(j->file), style);
    page_device(out, &j->device);
    write_totals(out, j);
    write_settings(out, j);
    fputs("</header>\n<h2>Convolutions</h2>\n", out);
    for (int i = 0; i < sepcl_separation_layer_count(j->found); i++)
        write_layer(out, j, i);
    if (sepcl_separation_layer_count(j->found) == 0)
        fputs("<p>The network has none.</p>\n", out);
    fputs("<footer class=\"soft\">\n<h3>How to read this</h3>\n<p><small>A spectrum shows the singular values of a "
          "layer’s "
          "weights written as matrices, largest first, over eight decades; values beyond the marked rank are left out "
          "by the "
          "form. The weights’ error is the Frobenius norm of what is left out over that of the weights. Bound: the "
          "layer’s "
          "output on the samples cannot be off by more, relative to the output without bias, in the Euclidean norm and "
          "in "
          "exact arithmetic; measured: by how much it is off. Times are medians of the layer with those that may be "
          "fused "
          "with it, in turns with the layer as it is. The error of the outputs is the largest difference over the "
          "largest "
          "magnitude, of the whole network on the device.</small></p>\n</footer>\n",
          out);
    page_end(out);
}

char *separate_page(const separate_job *j)
{
    return page_write(write_all, j);
}
