/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-summary: the layers of a model with their parameters and multiplications, and what each convolution would cost
   in its other forms. */
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/progress.h"
#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"

#define WIDTH 100
/* Columns that a layer's name keeps in a narrow table. */
#define NAME_COLUMNS 20

static const option_def options[] = {
    TOOL_OPTION_SHAPE,
    TOOL_OPTION_JSON,
    TOOL_OPTIONS_GENERAL,
    {0},
};

static const program summary_program = {
    .name = "sepcl-summary",
    .usage = "MODEL",
    .purpose =
        "Prints the layers of a model file: output shape, parameters and multiplications of each, and beside each "
        "convolution what the same layer would cost as one dense convolution, as a depthwise and a pointwise one "
        "(separable), and as a column and a row one (spatial). Marks convolutions whose weights separate exactly.",
    .details =
        "Shapes are in the order batch, height, width, channels, whatever the file's own order is. None is a batch "
        "size that the file leaves free; the counts are then for one.\n"
        "\n"
        "Examples\n"
        "  sepcl-summary model.onnx\n"
        "  sepcl-summary --shape input=1x3x320x320 --json model.onnx",
    .options = options,
    .min_args = 1,
    .max_args = 1,
    .missing = "a model file is needed",
};

typedef struct totals {
    uint64_t parameters, trainable, multiplications, additions;
    uint64_t convolution, dense, separable,
        spatial; /* multiplications of the convolutions as they are and in each form */
    int convolutions, spatial_forms;
} totals;

typedef struct summary {
    const char        *file;
    sepcl_model       *model;
    sepcl_summary     *layers;
    sepcl_input_shape *shapes;
    bool               free_batch; /* the file leaves the batch of every input open, and so did the user */
    totals             sum;
    sepcl_exact_form  *exact; /* by layer */
} summary;

/* ---------------------------------------------------------------- facts */

static sepcl_status look_at_inputs(summary *s)
{
    const int n = sepcl_model_input_count(s->model);
    s->free_batch = n > 0;
    for (int i = 0; i < n; i++) {
        sepcl_shape shape;
        TRY_LIB(sepcl_model_input_shape(s->model, i, &shape));
        if (s->shapes[i].shape.rank == 0)
            TRY(tool_check_shape(s->file, sepcl_model_input_name(s->model, i), &shape));
        s->free_batch = s->free_batch && shape.rank > 0 && shape.dims[0] < 0 && s->shapes[i].shape.rank == 0;
    }
    return SEPCL_OK;
}

static void add_layer(totals *t, const sepcl_layer_info *l)
{
    t->parameters += l->parameters;
    t->trainable += l->trainable;
    t->multiplications += l->multiplications;
    t->additions += l->additions;
    if (!l->is_convolution)
        return;
    t->convolutions++;
    t->convolution += l->multiplications;
    t->dense += l->dense_multiplications;
    t->separable += l->separable_multiplications;
    t->spatial += l->spatial_multiplications ? l->spatial_multiplications : l->multiplications;
    t->spatial_forms += l->spatial_multiplications > 0;
}

static sepcl_status find_exact_forms(summary *s)
{
    const int n = sepcl_summary_layer_count(s->layers);
    s->exact = need(calloc((size_t)n + 1, sizeof(*s->exact)));
    if (!sepcl_can_separate()) {
        tool_say("layers that separate exactly are not marked: this build has no LAPACK");
        return SEPCL_OK;
    }
    progress_begin("analysing", n);
    sepcl_status st = SEPCL_OK;
    for (int i = 0; i < n && st == SEPCL_OK; i++) {
        progress_step(i, NULL);
        st = tool_library(sepcl_summary_exact_form(s->layers, i, &s->exact[i]));
    }
    progress_end();
    return st;
}

static sepcl_status load(summary *s)
{
    TRY_LIB(sepcl_model_load(s->file, NULL, &s->model));
    TRY(tool_shapes(s->model, &s->shapes));
    TRY(look_at_inputs(s));
    sepcl_input_shape *given = need(calloc((size_t)sepcl_model_input_count(s->model) + 1, sizeof(*given)));
    int                n = 0;
    for (int i = 0; i < sepcl_model_input_count(s->model); i++)
        if (s->shapes[i].shape.rank > 0)
            given[n++] = s->shapes[i];
    const sepcl_status st = tool_library(sepcl_summary_create(s->model, given, n, &s->layers));
    free(given);
    TRY(st);
    for (int i = 0; i < sepcl_summary_layer_count(s->layers); i++) {
        sepcl_layer_info layer;
        TRY_LIB(sepcl_summary_layer(s->layers, i, &layer));
        add_layer(&s->sum, &layer);
    }
    return find_exact_forms(s);
}

/* ---------------------------------------------------------------- table */

/* "(None, 8, 8, 1)" */
static void shape_words(const summary *s, const sepcl_shape *shape, char buffer[TEXT_SMALL])
{
    int at = snprintf(buffer, TEXT_SMALL, "(");
    for (int i = 0; i < shape->rank && at < TEXT_SMALL; i++) {
        const char *comma = i ? ", " : "";
        if (shape->dims[i] < 0 || (i == 0 && s->free_batch && shape->dims[0] == 1))
            at += snprintf(buffer + at, (size_t)(TEXT_SMALL - at), "%sNone", comma);
        else
            at += snprintf(buffer + at, (size_t)(TEXT_SMALL - at), "%s%lld", comma, (long long)shape->dims[i]);
    }
    if (at < TEXT_SMALL)
        snprintf(buffer + at, (size_t)(TEXT_SMALL - at), "%s)", shape->rank == 1 ? "," : "");
}

typedef enum table_form { FORM_EXACT, FORM_SHORT, FORM_LINES } table_form;

/* A form's multiplications; nothing where there is no such form or the layer is in it already. */
static const char *form_text(uint64_t n, table_form form, char buffer[TEXT_SMALL])
{
    if (n == 0)
        return "-";
    return form == FORM_EXACT ? text_count(n, buffer) : text_short(n, buffer);
}

static void add_forms(table *t, const sepcl_layer_info *l, table_form form)
{
    const uint64_t forms[] = {l->dense_multiplications, l->separable_multiplications, l->spatial_multiplications};
    char           text[3][TEXT_SMALL];
    if (form == FORM_LINES) {
        if (l->is_convolution)
            table_span(t, "%s%sas dense %s, separable %s, spatial %s", l->detail, *l->detail ? ": " : "",
                       form_text(forms[0], form, text[0]), form_text(forms[1], form, text[1]),
                       form_text(forms[2], form, text[2]));
        return;
    }
    for (int i = 0; i < 3; i++)
        table_cell(t, "%s", l->is_convolution ? form_text(forms[i], form, text[i]) : "");
}

static table *make_table(const summary *s, table_form form)
{
    const column columns[] = {
        {"Layer (type)", false, NAME_COLUMNS},
        {"Output shape", false, 0},
        {"Param #", true, 0},
        {"Mult #", true, 0},
        {"as dense", true, 0},
        {"separable", true, 0},
        {"spatial", true, 0},
    };
    table *t = table_new(columns, form == FORM_LINES ? 4 : 7);
    for (int i = 0; i < sepcl_summary_layer_count(s->layers); i++) {
        sepcl_layer_info l;
        char             shape[TEXT_SMALL], number[TEXT_SMALL];
        if (sepcl_summary_layer(s->layers, i, &l) != SEPCL_OK)
            continue; /* load() has asked for each of them */
        shape_words(s, &l.output, shape);
        table_cell(t, "%s\n(%s)", l.name, l.op);
        table_cell(t, "%s", shape);
        table_cell(t, "%s", text_count(l.parameters, number));
        table_cell(t, "%s", text_count(l.multiplications, number));
        add_forms(t, &l, form);
        if (s->exact[i].form != SEPCL_FORM_AS_IT_IS)
            table_span(t, "separates exactly: %s at %s %d, %s multiplications", sepcl_form_name(s->exact[i].form),
                       s->exact[i].form == SEPCL_FORM_DEPTHWISE ? "multiplier" : "rank", s->exact[i].rank,
                       text_count(s->exact[i].multiplications, number));
    }
    return t;
}

static void print_table(const summary *s)
{
    const int width = tool_width(WIDTH);
    for (table_form form = s->sum.convolutions ? FORM_EXACT : FORM_LINES;; form++) {
        table *t = make_table(s, form);
        if (form == FORM_LINES || table_least(t, TABLE_BOX) <= width) {
            table_print(t, stdout, TABLE_BOX, width);
            table_free(t);
            return;
        }
        table_free(t);
    }
}

static void print_total(const char *title, uint64_t n, bool parameters)
{
    char count[TEXT_SMALL], bytes[TEXT_SMALL];
    printf(" %-28s %15s", title, text_count(n, count));
    if (parameters)
        printf("  (%s)", text_bytes(4 * n, bytes));
    printf("\n");
}

static void print_totals(const totals *t)
{
    print_total("Total params", t->parameters, true);
    print_total("Trainable params", t->trainable, true);
    print_total("Non-trainable params", t->parameters - t->trainable, true);
    print_total("Multiplications", t->multiplications, false);
    if (!t->convolutions)
        return;
    print_total("  of convolutions", t->convolution, false);
    print_total("  if all were dense", t->dense, false);
    print_total("  if all were separable", t->separable, false);
    if (t->spatial_forms)
        print_total("  spatial where possible", t->spatial, false);
}

static void print_text(const summary *s)
{
    char *name = text_clean(s->file);
    printf("Model: %s\n", name);
    free(name);
    print_table(s);
    print_totals(&s->sum);
}

/* ---------------------------------------------------------------- JSON */

static json_t *exact_json(const sepcl_exact_form *e)
{
    if (e->form == SEPCL_FORM_AS_IT_IS)
        return json_null();
    json_t *o = need(json_object());
    json_put(o, "form", json_text(sepcl_form_name(e->form)));
    json_put(o, "rank", json_count((uint64_t)e->rank));
    json_put(o, "multiplications", json_count(e->multiplications));
    return o;
}

static json_t *layer_json(const sepcl_layer_info *l, const sepcl_exact_form *e)
{
    json_t *o = need(json_object());
    json_put(o, "name", json_text(l->name));
    json_put(o, "type", json_text(l->op));
    json_put(o, "detail", json_text(l->detail));
    json_put(o, "output_shape", json_shape(&l->output));
    json_put(o, "parameters", json_count(l->parameters));
    json_put(o, "trainable", json_count(l->trainable));
    json_put(o, "multiplications", json_count(l->multiplications));
    json_put(o, "additions", json_count(l->additions));
    if (!l->is_convolution)
        return o;
    json_t *forms = need(json_object());
    json_put(forms, "dense", json_count(l->dense_multiplications));
    json_put(forms, "separable", json_count(l->separable_multiplications));
    json_put(forms, "spatial", l->spatial_multiplications ? json_count(l->spatial_multiplications) : json_null());
    json_put(o, "forms", forms);
    json_put(o, "exact", exact_json(e));
    return o;
}

static void print_json(const summary *s)
{
    json_t *o = need(json_object()), *layers = need(json_array());
    for (int i = 0; i < sepcl_summary_layer_count(s->layers); i++) {
        sepcl_layer_info l;
        if (sepcl_summary_layer(s->layers, i, &l) == SEPCL_OK)
            json_add(layers, layer_json(&l, &s->exact[i]));
    }
    json_put(o, "model", json_text(s->file));
    json_put(o, "free_batch", json_boolean(s->free_batch));
    json_put(o, "layers", layers);
    json_put(o, "parameters", json_count(s->sum.parameters));
    json_put(o, "trainable", json_count(s->sum.trainable));
    json_put(o, "non_trainable", json_count(s->sum.parameters - s->sum.trainable));
    json_put(o, "multiplications", json_count(s->sum.multiplications));
    json_put(o, "additions", json_count(s->sum.additions));
    json_print(o);
}

int main(int argc, char **argv)
{
    options_result args;
    sepcl_status   st;
    summary        s = {0};
    if (!tool_begin(&summary_program, argc, argv, &args, &st))
        return tool_end(st);
    s.file = args.args[0];
    st = load(&s);
    if (st == SEPCL_OK && tool.json)
        print_json(&s);
    else if (st == SEPCL_OK && !tool.quiet)
        print_text(&s);
    sepcl_summary_destroy(s.layers);
    sepcl_model_destroy(s.model);
    free(s.shapes);
    free(s.exact);
    return tool_end(st);
}
