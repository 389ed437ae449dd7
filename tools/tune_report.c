/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-tune: what was found. */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"
#include "tune.h"

#define WIDTH 110

static bool is_changed(const tune_layer *l)
{
    return strcmp(l->r.before, l->r.after) != 0;
}

static void print_head(const tune_model *m, int changed, int wrong)
{
    char *times = m->after_s > 0 ? text_format("%.2f ms before, %.2f ms after", 1e3 * m->before_s, 1e3 * m->after_s)
                                 : text_format("not measured");
    char *line = text_format("%s on %s (%s), %s: %s. %s%.0f s, %d layers and chains measured, %d changed%s.", m->file,
                             m->device.name, m->device.selector, tool_precisions[tool.precision], times,
                             m->stopped ? "Stopped after " : "", m->seconds, m->n_layers, changed,
                             wrong ? "" : "; every way tried was right");
    char *clean = text_clean(line);
    options_paragraph(clean, stdout, 0, tool_width(isatty(STDOUT_FILENO) ? WIDTH : INT_MAX));
    free(times);
    free(line);
    free(clean);
}

static table *make_table(const tune_model *m)
{
    static const column columns[] = {{"Layer", false, 16}, {"Same", true, 0},      {"Before", false, 16},
                                     {"After", false, 16}, {"us before", true, 0}, {"us after", true, 0}};
    table              *t = table_new(columns, 6);
    for (int i = 0; i < m->n_layers; i++) {
        const sepcl_tune_result *r = &m->layers[i].r;
        if (!is_changed(&m->layers[i]) || !r->used)
            continue;
        table_cell(t, "%s", r->name);
        table_cell(t, "%d", r->layers);
        table_cell(t, "%s", r->before);
        table_cell(t, "%s", *r->after ? r->after : "none is right");
        if (r->before_us > 0)
            table_cell(t, "%.1f", r->before_us);
        else
            table_cell(t, "wrong");
        if (r->after_us > 0)
            table_cell(t, "%.1f", r->after_us);
        else
            table_cell(t, "-");
    }
    return t;
}

void tune_report(const tune_model *m)
{
    int changed = 0, wrong = 0;
    for (int i = 0; i < m->n_layers; i++) {
        changed += is_changed(&m->layers[i]) && m->layers[i].r.used;
        wrong += m->layers[i].r.wrong;
    }
    print_head(m, changed, wrong);
    if (changed) {
        table *t = make_table(m);
        printf("\n");
        table_print(t, stdout, TABLE_PLAIN, tool_width(WIDTH));
        table_free(t);
    }
    if (wrong)
        printf("\n%d ways to run a layer were left out, because their answer was wrong or they did not run; -v says which.\n",
               wrong);
}

static json_t *layer_json(const sepcl_tune_result *r)
{
    json_t *o = need(json_object());
    json_put(o, "name", json_text(r->name));
    json_put(o, "op", json_text(r->op));
    json_put(o, "layers", json_integer(r->layers));
    json_put(o, "form", json_boolean(r->is_form));
    json_put(o, "used", json_boolean(r->used));
    json_put(o, "before", json_text(r->before));
    json_put(o, "after", json_text(r->after));
    json_put(o, "before_us", json_number(r->before_us));
    json_put(o, "after_us", json_number(r->after_us));
    json_put(o, "error", json_number(r->error));
    json_put(o, "tried", json_integer(r->tried));
    json_put(o, "wrong", json_integer(r->wrong));
    return o;
}

json_t *tune_json(const tune_model *m)
{
    json_t *o = need(json_object()), *layers = need(json_array());
    for (int i = 0; i < m->n_layers; i++)
        json_add(layers, layer_json(&m->layers[i].r));
    json_put(o, "file", json_text(m->file));
    json_put(o, "before_ms", m->before_s > 0 ? json_number(1e3 * m->before_s) : json_null());
    json_put(o, "after_ms", m->after_s > 0 ? json_number(1e3 * m->after_s) : json_null());
    json_put(o, "seconds", json_number(m->seconds));
    json_put(o, "stopped", json_boolean(m->stopped));
    json_put(o, "layers", layers);
    return o;
}
