/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-tune: finds by measurement which forms and kernels run a model's layers fastest, for later sessions. */
#include <stdlib.h>
#include <string.h>

#include "common/progress.h"
#include "common/text.h"
#include "common/tool.h"
#include "tune.h"

#define STEPS 1000 /* of the bar */

static struct {
    double budget;
    bool   again;
} settings = {.budget = 45};

static const option_def options[] = {
    {.name = "budget",
     .letter = 'b',
     .arg = "SECONDS",
     .group = "Tuning",
     .kind = OPTION_REAL,
     .value = &settings.budget,
     .min = 0.1,
     .max = 86400,
     .help = "for each model; the costliest layers come first [45]"},
    {.name = "again",
     .group = "Tuning",
     .kind = OPTION_FLAG,
     .value = &settings.again,
     .help = "measure anew what was tuned before"},
    TOOL_OPTION_SHAPE,
    TOOL_OPTIONS_DEVICE,
    TOOL_OPTION_PRECISION,
    TOOL_OPTION_JSON,
    TOOL_OPTIONS_GENERAL,
    {0},
};

static const program tune_program = {
    .name = "sepcl-tune",
    .usage = "MODEL...",
    .purpose = "Times the forms and kernels that may run a model's layers on a device, checks each against the reference, "
               "and stores the fastest in the cache folder, where later sessions find them.",
    .details =
        "Layers that were tuned before are not measured again. Ctrl-C ends the tuning and keeps what is done. Nothing "
        "else should run on the device meanwhile. What was found is a text file in the folder tuning of the cache.\n"
        "\n"
        "Examples\n"
        "  sepcl-tune model.onnx\n"
        "  sepcl-tune --budget 300 --shape x=8x3x224x224 model.onnx",
    .options = options,
    .min_args = 1,
    .max_args = -1,
    .missing = "a model file is needed",
};

/* ---------------------------------------------------------------- one model */

static void keep_layer(tune_model *m, const sepcl_tune_result *r)
{
    if (m->n_layers == m->room) {
        m->room = m->room ? 2 * m->room : 64;
        m->layers = need(realloc(m->layers, (size_t)m->room * sizeof(*m->layers)));
    }
    sepcl_tune_result *to = &m->layers[m->n_layers++].r;
    *to = *r;
    to->name = need(strdup(r->name));
    to->op = need(strdup(r->op));
    to->before = need(strdup(r->before));
    to->after = need(strdup(r->after));
}

static bool on_state(void *user, const sepcl_tune_state *s)
{
    tune_model *m = user;
    m->seconds = s->seconds;
    m->budget = s->budget;
    if (s->result)
        keep_layer(m, s->result);
    const double spent = s->seconds / s->budget, share = spent > s->done ? spent : s->done;
    const double left = s->budget - s->seconds, guess = s->done > 0.1 ? s->seconds * (1 / s->done - 1) : left;
    char        *detail = text_format("%.0f s left  %s %s", left < 0 ? 0 : guess < left ? guess : left,
                                      s->name ? s->name : "", s->trying ? s->trying : "");
    progress_step((long)(STEPS * share), detail);
    free(detail);
    m->stopped |= tune_interrupted();
    return !tune_interrupted();
}

static sepcl_status create_session(const tune_model *m, sepcl_session **out)
{
    const sepcl_session_desc desc = {.device = m->device.selector,
                                     .precision = (sepcl_precision)tool.precision,
                                     .shapes = m->shapes,
                                     .n_shapes = m->n_shapes,
                                     .cache_dir = tool.cache_dir};
    progress_begin("preparing the kernels", PROGRESS_WAIT);
    const sepcl_status st = tool_library(sepcl_session_create(m->model, &desc, out));
    progress_end();
    return st;
}

static sepcl_status tune(tune_model *m)
{
    const sepcl_tune_desc desc = {.device = m->device.selector,
                                  .precision = (sepcl_precision)tool.precision,
                                  .shapes = m->shapes,
                                  .n_shapes = m->n_shapes,
                                  .cache_dir = tool.cache_dir,
                                  .budget = settings.budget,
                                  .again = settings.again};
    const double          begin = tool_seconds();
    progress_begin("tune", STEPS);
    const sepcl_status st = tool_library(sepcl_tune(m->model, &desc, on_state, m));
    progress_end();
    m->seconds = tool_seconds() - begin;
    return st;
}

/* The shapes that --shape names; the others are the file's. */
static sepcl_status load(tune_model *m)
{
    int index, kept = 0;
    TRY_LIB(sepcl_model_load(m->file, NULL, &m->model));
    TRY(tool_shapes(m->model, &m->shapes));
    for (int i = 0; i < sepcl_model_input_count(m->model); i++) {
        sepcl_shape declared = m->shapes[i].shape;
        if (declared.rank == 0)
            TRY_LIB(sepcl_model_input_shape(m->model, i, &declared));
        TRY(tool_check_shape(m->file, m->shapes[i].name, &declared));
        if (m->shapes[i].shape.rank > 0)
            m->shapes[kept++] = m->shapes[i];
    }
    m->n_shapes = kept;
    TRY_LIB(sepcl_device_find(tool.device, &index));
    return tool_library(sepcl_device_get(index, &m->device));
}

static sepcl_status tune_one(tune_model *m)
{
    TRY(load(m));
    TRY(create_session(m, &m->before));
    if (!tune_interrupted())
        TRY(tune(m));
    m->stopped |= tune_interrupted();
    TRY(create_session(m, &m->after));
    return tune_measure(m);
}

static void release(tune_model *m)
{
    for (int i = 0; i < m->n_layers; i++) {
        free((char *)m->layers[i].r.name);
        free((char *)m->layers[i].r.op);
        free((char *)m->layers[i].r.before);
        free((char *)m->layers[i].r.after);
    }
    free(m->layers);
    free(m->shapes);
    fflush(stdout);
    sepcl_session_destroy(m->before);
    sepcl_session_destroy(m->after);
    sepcl_model_destroy(m->model);
}

static json_t *device_json(const sepcl_device_info *d)
{
    json_t *o = need(json_object());
    json_put(o, "selector", json_text(d->selector));
    json_put(o, "name", json_text(d->name));
    json_put(o, "driver", json_text(d->driver_version));
    return o;
}

static sepcl_status tune_all(const options_result *args)
{
    sepcl_status st = SEPCL_OK;
    json_t      *out = need(json_object()), *models = need(json_array());
    if (tool.no_cache)
        st = tool_fail(SEPCL_INVALID, "--no-cache leaves no place for what is found");
    for (int i = 0; i < args->count && st == SEPCL_OK && !tune_interrupted(); i++) {
        tune_model m = {.file = args->args[i]};
        st = tune_one(&m);
        if (st == SEPCL_OK && i == 0)
            json_put(out, "device", device_json(&m.device));
        if (st == SEPCL_OK && tool.json)
            json_add(models, tune_json(&m));
        else if (st == SEPCL_OK && !tool.quiet) {
            printf("%s", i ? "\n" : "");
            tune_report(&m);
        }
        release(&m);
    }
    json_put(out, "precision", json_text(tool_precisions[tool.precision]));
    json_put(out, "models", models);
    if (st == SEPCL_OK && tool.json)
        json_print(out);
    else
        json_decref(out);
    return st;
}

int main(int argc, char **argv)
{
    options_result args;
    sepcl_status   st;
    if (!tool_begin(&tune_program, argc, argv, &args, &st))
        return tool_end(st);
    tune_catch_interrupt();
    return tool_end(tune_all(&args));
}
