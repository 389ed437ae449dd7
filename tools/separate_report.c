/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-separate: what a person, or with --json a program, gets to read. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"
#include "separate.h"

#define WIDTH 120
#define TABLE_WIDTH 180 /* the reasons are long, and worth a wide terminal */

/* ---------------------------------------------------------------- text */

char *separate_form_text(const sepcl_form_info *f)
{
    return f->form == SEPCL_FORM_FOLDED ? text_format("%s", sepcl_form_name(f->form))
                                        : text_format("%s %d", sepcl_form_name(f->form), f->rank);
}

static void paragraph(char *text)
{
    char *clean = text_clean(text);
    options_paragraph(clean, stdout, 0, tool_width(isatty(STDOUT_FILENO) ? WIDTH : INT_MAX));
    free(clean);
    free(text);
}

static void print_head(const separate_job *j)
{
    const sepcl_separation_totals *t = &j->totals;
    char                           count[2][TEXT_SMALL];
    paragraph(text_format("%s on %s (%s): %d convolution%s, %d rewritten.", j->file, j->device.name, j->device.selector,
                          t->layers, t->layers == 1 ? "" : "s", t->rewritten));
    if (t->rewritten == 0) {
        paragraph(text_format("%s: the model is left as it is, at %.3f ms.",
                              separate_set.speedup_given && t->target_met ? "It is as fast as was asked for"
                                                                          : "Nothing is gained",
                              1e3 * t->seconds[0]));
        return;
    }
    paragraph(
        text_format("%.3f ms instead of %.3f: %.2f times faster. Multiplications of convolutions: %s instead of %s.",
                    1e3 * t->seconds[1], 1e3 * t->seconds[0], t->seconds[0] / t->seconds[1],
                    text_short(t->multiplications[1], count[1]), text_short(t->multiplications[0], count[0])));
    char *classes =
        t->rows ? text_format("; %d of %d best classes changed", t->changed, t->rows) : text_format("%s", "");
    paragraph(text_format("Error of the outputs on %d %s: %.3g%s.", t->samples,
                          t->random_samples ? "samples of random numbers"
                          : t->samples == 1 ? "sample"
                                            : "samples",
                          t->error, classes));
    free(classes);
}

void separate_print(const separate_job *j)
{
    const column columns[] = {
        {"Layer", false, 16}, {"Type", false, 0}, {"Ranks", false, 0}, {"What was decided", false, 40}};
    print_head(j);
    if (!j->totals.layers)
        return;
    table *t = table_new(columns, 4);
    for (int i = 0; i < sepcl_separation_layer_count(j->found); i++) {
        sepcl_separated_layer l;
        char                  ranks[TEXT_SMALL] = "-";
        int                   at = 0;
        if (sepcl_separation_layer(j->found, i, &l) != SEPCL_OK)
            continue; /* i is below the count */
        for (int k = 0; k < l.n_spectra && at < TEXT_SMALL; k++)
            at += snprintf(ranks + at, (size_t)(TEXT_SMALL - at), "%s%s %d/%d", k ? ", " : "",
                           sepcl_form_name(l.spectra[k].form), l.spectra[k].rank, l.spectra[k].n);
        table_cell(t, "%s", l.name);
        table_cell(t, "%s %s", l.op, l.detail);
        table_cell(t, "%s", ranks);
        table_cell(t, "%s", l.why);
    }
    printf("\n");
    table_print(t, stdout, TABLE_PLAIN, tool_width(TABLE_WIDTH));
    table_free(t);
}

/* ---------------------------------------------------------------- JSON */

static json_t *number_list(const double *v, int n)
{
    json_t *list = need(json_array());
    for (int i = 0; i < n; i++)
        json_add(list, json_number(v[i]));
    return list;
}

/* Share of the sum of squares that the first r + 1 values hold. */
static json_t *energy_list(const double *v, int n)
{
    json_t *list = need(json_array());
    double  all = 0, kept = 0;
    for (int i = 0; i < n; i++)
        all += v[i] * v[i];
    for (int i = 0; i < n; i++) {
        kept += v[i] * v[i];
        json_add(list, json_number(all > 0 ? kept / all : 1));
    }
    return list;
}

static json_t *spectrum_json(const separate_job *j, int layer, int k, const sepcl_spectrum *s)
{
    json_t *o = need(json_object()), *multiplications = need(json_array()), *bytes = need(json_array());
    for (int r = 1; r <= s->n; r++) {
        uint64_t m = 0, b = 0;
        if (sepcl_separation_cost(j->found, layer, k, r, &m, &b) != SEPCL_OK)
            break; /* r is within the spectrum */
        json_add(multiplications, json_count(m));
        json_add(bytes, json_count(b));
    }
    json_put(o, "form", json_text(sepcl_form_name(s->form)));
    json_put(o, "rank", json_count((uint64_t)s->rank));
    json_put(o, "full_rank", json_count((uint64_t)s->n));
    json_put(o, "singular_values", number_list(s->values, s->n));
    json_put(o, "energy", energy_list(s->values, s->n));
    json_put(o, "multiplications", multiplications);
    json_put(o, "bytes", bytes);
    return o;
}

static json_t *form_json(const sepcl_form_info *f)
{
    const bool timed = f->seconds > 0;
    json_t    *o = need(json_object());
    json_put(o, "form", json_text(sepcl_form_name(f->form)));
    json_put(o, "rank", f->form == SEPCL_FORM_FOLDED ? json_null() : json_count((uint64_t)f->rank));
    json_put(o, "exact", json_boolean(f->exact));
    json_put(o, "weight_error", json_number(f->weight_error));
    json_put(o, "gain", json_number(f->gain));
    json_put(o, "bound", json_number(f->bound));
    json_put(o, "error", json_number(f->error));
    json_put(o, "multiplications", json_count(f->multiplications));
    json_put(o, "bytes", json_count(f->bytes));
    json_put(o, "us", timed ? json_number(1e6 * f->seconds) : json_null());
    json_put(o, "as_it_is_us", timed ? json_number(1e6 * f->as_is_seconds) : json_null());
    json_put(o, "note", json_text(f->note));
    return o;
}

static json_t *layer_json(const separate_job *j, int index)
{
    sepcl_separated_layer l;
    json_t               *o = need(json_object()), *spectra = need(json_array()), *forms = need(json_array());
    if (sepcl_separation_layer(j->found, index, &l) == SEPCL_OK) {
        for (int k = 0; k < l.n_spectra; k++)
            json_add(spectra, spectrum_json(j, index, k, &l.spectra[k]));
        for (int k = 0; k < l.n_forms; k++) {
            sepcl_form_info f;
            if (sepcl_separation_form(j->found, index, k, &f) == SEPCL_OK)
                json_add(forms, form_json(&f));
        }
        json_put(o, "name", json_text(l.name));
        json_put(o, "type", json_text(l.op));
        json_put(o, "detail", json_text(l.detail));
        json_put(o, "output_shape", json_shape(&l.output));
        json_put(o, "multiplications", json_count(l.multiplications));
        json_put(o, "bytes", json_count(l.bytes));
        json_put(o, "chosen", l.chosen < 0 ? json_null() : json_count((uint64_t)l.chosen));
        json_put(o, "absorbed", json_boolean(l.absorbed));
        json_put(o, "why", json_text(l.why));
    }
    json_put(o, "spectra", spectra);
    json_put(o, "forms", forms);
    return o;
}

json_t *separate_json(const separate_job *j)
{
    const sepcl_separation_totals *t = &j->totals;
    json_t                        *o = need(json_object()), *device = need(json_object()), *layers = need(json_array());
    json_put(device, "selector", json_text(j->device.selector));
    json_put(device, "name", json_text(j->device.name));
    json_put(device, "driver", json_text(j->device.driver_version));
    for (int i = 0; i < sepcl_separation_layer_count(j->found); i++)
        json_add(layers, layer_json(j, i));
    json_put(o, "version", json_text(sepcl_version()));
    json_put(o, "model", json_text(j->file));
    json_put(o, "device", device);
    json_put(o, "tolerance", separate_set.tolerance_given ? json_number(separate_set.tolerance) : json_null());
    json_put(o, "target_speedup", separate_set.speedup_given ? json_number(separate_set.speedup) : json_null());
    json_put(o, "target_met", json_boolean(t->target_met));
    json_put(o, "before_ms", json_number(1e3 * t->seconds[0]));
    json_put(o, "after_ms", json_number(1e3 * t->seconds[1]));
    json_put(o, "multiplications_before", json_count(t->multiplications[0]));
    json_put(o, "multiplications_after", json_count(t->multiplications[1]));
    json_put(o, "error", json_number(t->error));
    json_put(o, "samples", json_count((uint64_t)t->samples));
    json_put(o, "random_samples", json_boolean(t->random_samples));
    json_put(o, "class_rows", json_count((uint64_t)t->rows));
    json_put(o, "classes_changed", json_count((uint64_t)t->changed));
    json_put(o, "convolutions", json_count((uint64_t)t->layers));
    json_put(o, "rewritten", json_count((uint64_t)t->rewritten));
    json_put(o, "layers", layers);
    return o;
}
