/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-run: what a person, or with --json a program, gets to read. */
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/stats.h"
#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"
#include "run.h"

#define LABELS_BYTES ((size_t)16 << 20)
#define WIDTH 100

/* ---------------------------------------------------------------- labels */

sepcl_status run_read_labels(run *r)
{
    input_file f;
    if (!run_set.labels)
        return SEPCL_OK;
    TRY(input_read(run_set.labels, LABELS_BYTES, &f));
    if (f.size == 0 || memchr(f.bytes, 0, f.size)) {
        const bool empty = f.size == 0;
        input_free(&f);
        return tool_fail(SEPCL_BAD_FILE, "%s %s", run_set.labels, empty ? "is empty" : "is no text file");
    }
    int capacity = 0;
    for (char *at = (char *)f.bytes; *at;) {
        const size_t length = strcspn(at, "\n");
        const size_t shown = length > 0 && at[length - 1] == '\r' ? length - 1 : length;
        if (r->n_labels == capacity) {
            capacity = capacity ? 2 * capacity : 1024;
            r->labels = need(realloc(r->labels, (size_t)capacity * sizeof(*r->labels)));
        }
        char *raw = text_format("%.*s", (int)shown, at);
        r->labels[r->n_labels++] = text_clean(raw);
        free(raw);
        at += length + (at[length] == '\n');
    }
    input_free(&f);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- classes */

/* An output as rows of scores: batch and classes, all other dimensions 1. */
typedef struct scores {
    size_t rows, classes;
    bool   probabilities; /* from 0 to 1, each row's sum 1 */
} scores;

static bool scores_of(const run_output *o, scores *out)
{
    *out = (scores){1, 1, true};
    int long_ones = 0;
    for (int i = 0; i < o->shape.rank; i++) {
        const size_t d = (size_t)o->shape.dims[i];
        if (i == 0 && o->shape.rank > 1) {
            out->rows = d;
        } else if (d != 1) {
            long_ones++;
            out->classes = d;
        }
    }
    if (o->shape.rank == 0 || long_ones > 1 || o->count == 0)
        return false;
    for (size_t row = 0; row < out->rows && out->probabilities; row++) {
        double sum = 0;
        for (size_t c = 0; c < out->classes; c++) {
            const float v = o->data[row * out->classes + c];
            out->probabilities = out->probabilities && v >= 0 && v <= 1;
            sum += v;
        }
        out->probabilities = out->probabilities && fabs(sum - 1) < 1e-2;
    }
    return true;
}

/* Is class a before class b? Larger first, NaN last, ties by number. */
static bool better(const float *v, size_t a, size_t b)
{
    if (isnan(v[a]) || isnan(v[b]))
        return isnan(v[b]) && (!isnan(v[a]) || a < b);
    return v[a] > v[b] || (v[a] == v[b] && a < b);
}

/* Fills best[k] in order: a heap of the k best would do the same faster, but k is small. */
static size_t best_classes(const float *v, size_t n, size_t k, size_t *best)
{
    size_t have = 0;
    for (size_t i = 0; i < n; i++) {
        if (have == k && !better(v, i, best[have - 1]))
            continue;
        size_t at = have < k ? have++ : have - 1;
        for (; at > 0 && better(v, i, best[at - 1]); at--)
            best[at] = best[at - 1];
        best[at] = i;
    }
    return have;
}

static bool wants_classes(void)
{
    return run_set.top_given || run_set.labels;
}

static size_t class_limit(const scores *s)
{
    return (size_t)run_set.top < s->classes ? (size_t)run_set.top : s->classes;
}

static const char *label_of(const run *r, size_t class)
{
    return class < (size_t)r->n_labels ? r->labels[class] : NULL;
}

/* What a row of a batch came from: the picture's file when there is one for each row. */
static const char *row_name(const run *r, size_t row, size_t rows)
{
    return r->n_inputs == 1 && (size_t)r->inputs[0].n_files == rows ? r->inputs[0].files[row] : NULL;
}

/* ---------------------------------------------------------------- text */

static void print_classes(const run *r, const run_output *o, const scores *s)
{
    const column columns[] = {{"Class", true, 0},
                              {s->probabilities ? "Probability" : "Score", true, 0},
                              {r->n_labels ? "Label" : "", false, 10}};
    size_t      *best = need(calloc(class_limit(s), sizeof(*best)));
    for (size_t row = 0; row < s->rows; row++) {
        const float *v = o->data + row * s->classes;
        const size_t n = best_classes(v, s->classes, class_limit(s), best);
        table       *t = table_new(columns, r->n_labels ? 3 : 2);
        const char  *from = row_name(r, row, s->rows);
        char *name = from ? text_clean(from) : s->rows > 1 ? text_format("batch %zu", row) : text_format("%s", "");
        char *output = text_clean(o->name);
        if (r->n_outputs > 1 || *name)
            printf("\n%s%s%s", r->n_outputs > 1 ? output : "", r->n_outputs > 1 && *name ? ", " : "", name);
        printf("\n");
        for (size_t i = 0; i < n; i++) {
            table_cell(t, "%zu", best[i]);
            table_cell(t, s->probabilities ? "%.4f" : "%.4g", v[best[i]]);
            if (r->n_labels)
                table_cell(t, "%s", label_of(r, best[i]) ? label_of(r, best[i]) : "");
        }
        table_print(t, stdout, TABLE_PLAIN, tool_width(WIDTH));
        table_free(t);
        free(name);
        free(output);
    }
    free(best);
}

typedef struct range {
    double least, most, mean;
    size_t nan; /* are left out of the rest */
} range;

static range range_of(const run_output *o)
{
    range  g = {INFINITY, -INFINITY, 0, 0};
    double sum = 0;
    for (size_t i = 0; i < o->count; i++) {
        const double v = o->data[i];
        if (isnan(v)) {
            g.nan++;
            continue;
        }
        g.least = v < g.least ? v : g.least;
        g.most = v > g.most ? v : g.most;
        sum += v;
    }
    g.mean = g.nan < o->count ? sum / (double)(o->count - g.nan) : NAN;
    if (g.nan == o->count)
        g.least = g.most = NAN;
    return g;
}

/* Is this output shown by its classes alone? */
static bool shown_as_classes(const run_output *o)
{
    scores s;
    return wants_classes() && !o->file && scores_of(o, &s);
}

static void add_range(table *t, const run_output *o, bool any_nan, bool any_file)
{
    const range g = range_of(o);
    char        text[TEXT_SMALL];
    table_cell(t, "%s", o->name);
    table_cell(t, "%s", text_shape(&o->shape, text));
    table_cell(t, "%.5g", g.least);
    table_cell(t, "%.5g", g.most);
    table_cell(t, "%.5g", g.mean);
    if (any_nan)
        table_cell(t, "%zu", g.nan);
    if (any_file)
        table_cell(t, "%s", o->file ? o->file : "-");
}

static void print_ranges(const run *r)
{
    column columns[7] = {
        {"Output", false, 12}, {"Shape", false, 0}, {"Least", true, 0}, {"Most", true, 0}, {"Mean", true, 0}};
    int  n = 5, rows = 0;
    bool any_nan = false, any_file = false;
    for (int i = 0; i < r->n_outputs; i++)
        if (!shown_as_classes(&r->outputs[i])) {
            any_nan = any_nan || range_of(&r->outputs[i]).nan > 0;
            any_file = any_file || r->outputs[i].file;
            rows++;
        }
    if (rows == 0)
        return;
    if (any_nan)
        columns[n++] = (column){"NaN", true, 0};
    if (any_file)
        columns[n++] = (column){"File", false, 12};
    table *t = table_new(columns, n);
    for (int i = 0; i < r->n_outputs; i++)
        if (!shown_as_classes(&r->outputs[i]))
            add_range(t, &r->outputs[i], any_nan, any_file);
    printf("\n");
    table_print(t, stdout, TABLE_PLAIN, tool_width(WIDTH));
    table_free(t);
}

static void print_times(const run *r)
{
    char *times = r->n_runs == 1 ? text_format("%.2f ms", 1e3 * r->seconds[0])
                                 : text_format("min %.2f, median %.2f, p90 %.2f ms of %d runs", 1e3 * r->seconds[0],
                                               1e3 * stats_quantile(r->seconds, r->n_runs, 0.5),
                                               1e3 * stats_quantile(r->seconds, r->n_runs, 0.9), r->n_runs);
    char *line = text_format("%s on %s (%s), %s: %s", r->file, r->device.name, r->device.selector,
                             tool_precisions[tool.precision], times);
    char *clean = text_clean(line);
    options_paragraph(clean, stdout, 0, tool_width(isatty(STDOUT_FILENO) ? WIDTH : INT_MAX));
    free(times);
    free(line);
    free(clean);
}

void run_report(const run *r)
{
    print_times(r);
    for (int i = 0; i < r->n_outputs && wants_classes(); i++) {
        scores s;
        if (scores_of(&r->outputs[i], &s))
            print_classes(r, &r->outputs[i], &s);
    }
    print_ranges(r);
}

void run_print_steps(const run *r)
{
    sepcl_memory_info memory;
    char              text[2][TEXT_SMALL];
    /* the library's own lines say at -v what was chosen; -vv shows what became of it */
    for (int i = 0; tool.verbose > 1 && i < sepcl_session_step_count(r->session); i++) {
        sepcl_step_info s;
        if (sepcl_session_step(r->session, i, &s) != SEPCL_OK)
            continue;
        tool_say("step %d: %s, %s (%s): %s, %d launch%s of %llux%llux%llu by %llux%llux%llu; %s", i, s.name, s.op,
                 text_shape(&s.output, text[0]), s.kernel, s.launches, s.launches == 1 ? "" : "es",
                 (unsigned long long)s.global[0], (unsigned long long)s.global[1], (unsigned long long)s.global[2],
                 (unsigned long long)s.local[0], (unsigned long long)s.local[1], (unsigned long long)s.local[2], s.why);
    }
    if (sepcl_session_memory(r->session, &memory) == SEPCL_OK)
        tool_say("memory on the device: activations %s, weights %s", text_bytes(memory.arena_bytes, text[0]),
                 text_bytes(memory.weight_bytes, text[1]));
    tool_say("model loaded in %.1f ms, session made in %.1f ms", 1e3 * r->load_s, 1e3 * r->plan_s);
}

/* ---------------------------------------------------------------- JSON */

static json_t *classes_json(const run *r, const run_output *o, const scores *s)
{
    json_t *rows = need(json_array());
    size_t *best = need(calloc(class_limit(s), sizeof(*best)));
    for (size_t row = 0; row < s->rows; row++) {
        const float *v = o->data + row * s->classes;
        const size_t n = best_classes(v, s->classes, class_limit(s), best);
        json_t      *list = need(json_array());
        for (size_t i = 0; i < n; i++) {
            json_t *c = need(json_object());
            json_put(c, "class", json_count(best[i]));
            json_put(c, s->probabilities ? "probability" : "score", json_number(v[best[i]]));
            if (label_of(r, best[i]))
                json_put(c, "label", json_text(label_of(r, best[i])));
            json_add(list, c);
        }
        json_add(rows, list);
    }
    free(best);
    return rows;
}

static json_t *output_json(const run *r, const run_output *o)
{
    const range g = range_of(o);
    scores      s;
    json_t     *j = need(json_object());
    json_put(j, "name", json_text(o->name));
    json_put(j, "shape", json_shape(&o->shape));
    json_put(j, "least", json_number(g.least));
    json_put(j, "most", json_number(g.most));
    json_put(j, "mean", json_number(g.mean));
    json_put(j, "nan", json_count(g.nan));
    if (o->file)
        json_put(j, "file", json_text(o->file));
    if (wants_classes() && scores_of(o, &s))
        json_put(j, "classes", classes_json(r, o, &s));
    return j;
}

static json_t *input_json(const feed *in)
{
    json_t *j = need(json_object()), *files = need(json_array());
    json_put(j, "name", json_text(in->name));
    json_put(j, "shape", json_shape(&in->shape));
    for (int i = 0; i < in->n_files; i++)
        json_add(files, json_text(in->files[i]));
    json_put(j, "files", files);
    return j;
}

static void put_times(const run *r, json_t *j)
{
    json_put(j, "load_ms", json_number(1e3 * r->load_s));
    json_put(j, "session_ms", json_number(1e3 * r->plan_s));
    json_put(j, "runs", json_integer(r->n_runs));
    json_put(j, "min_ms", json_number(1e3 * r->seconds[0]));
    json_put(j, "median_ms", json_number(1e3 * stats_quantile(r->seconds, r->n_runs, 0.5)));
    json_put(j, "p90_ms", json_number(1e3 * stats_quantile(r->seconds, r->n_runs, 0.9)));
}

void run_report_json(const run *r)
{
    json_t *j = need(json_object()), *device = need(json_object()), *inputs = need(json_array()),
           *outputs = need(json_array());
    json_put(device, "selector", json_text(r->device.selector));
    json_put(device, "name", json_text(r->device.name));
    json_put(device, "driver", json_text(r->device.driver_version));
    json_put(j, "model", json_text(r->file));
    json_put(j, "device", device);
    json_put(j, "precision", json_text(tool_precisions[tool.precision]));
    put_times(r, j);
    for (int i = 0; i < r->n_inputs; i++)
        json_add(inputs, input_json(&r->inputs[i]));
    for (int i = 0; i < r->n_outputs; i++)
        json_add(outputs, output_json(r, &r->outputs[i]));
    json_put(j, "inputs", inputs);
    json_put(j, "outputs", outputs);
    if (r->check)
        json_put(j, "check", json_incref(r->check));
    json_print(j);
}
