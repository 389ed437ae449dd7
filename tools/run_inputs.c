/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-run: which file belongs to which input or output, and from files to tensors. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/output.h"
#include "common/random.h"
#include "common/recipe.h"
#include "common/text.h"
#include "common/tool.h"
#include "run.h"

/* ---------------------------------------------------------------- names */

typedef const char *(*name_fn)(const sepcl_model *, int);

/* Splits NAME=FILE at the first '=' that has a name of the model before it. Returns the index, -1 when there is none.
 */
static int split_name(const run *r, name_fn name_of, int n, const char *text, const char **file_out)
{
    for (const char *at = strchr(text, '='); at; at = strchr(at + 1, '='))
        for (int i = 0; i < n; i++) {
            const char *name = name_of(r->model, i);
            if (strlen(name) == (size_t)(at - text) && !memcmp(name, text, (size_t)(at - text))) {
                *file_out = at + 1;
                return i;
            }
        }
    *file_out = text;
    return -1;
}

/* Is it a name that the model lacks, rather than a file with '=' in its name? */
static sepcl_status check_unnamed(const run *r, const char *text, bool input)
{
    const char *equals = strchr(text, '=');
    int         index;
    if (!equals || access(text, F_OK) == 0)
        return SEPCL_OK;
    char              *name = text_format("%.*s", (int)(equals - text), text);
    const sepcl_status st = input ? tool_library(sepcl_model_find_input(r->model, name, &index))
                                  : tool_library(sepcl_model_find_output(r->model, name, &index));
    free(name);
    return st;
}

static sepcl_status add_file(feed *in, const char *file)
{
    if (!*file)
        return tool_fail(SEPCL_INVALID, "input '%s' has an empty file name", in->name);
    in->files = need(realloc(in->files, (size_t)(in->n_files + 1) * sizeof(*in->files)));
    in->files[in->n_files++] = strcmp(file, "-") ? file : "/dev/stdin";
    return SEPCL_OK;
}

static sepcl_status add_unnamed(run *r, const char *file)
{
    TRY(check_unnamed(r, file, true));
    if (r->n_inputs == 1)
        return add_file(&r->inputs[0], file);
    for (int i = 0; i < r->n_inputs; i++)
        if (r->inputs[i].n_files == 0)
            return add_file(&r->inputs[i], file);
    return tool_fail(SEPCL_INVALID, "%s is one input too many: the model has %d", file, r->n_inputs);
}

/* Every input needs a file, or --random. */
static sepcl_status check_inputs(const run *r)
{
    for (int i = 0; i < r->n_inputs; i++)
        if (r->inputs[i].n_files == 0 && !run_set.random) {
            char        text[TEXT_SMALL];
            sepcl_shape shape = r->inputs[i].shape;
            return tool_fail(SEPCL_INVALID, "input '%s' (%s) needs a file, or --random", r->inputs[i].name,
                             text_shape(&shape, text));
        }
    return SEPCL_OK;
}

sepcl_status run_assign_inputs(run *r, const char *const *args, int n)
{
    sepcl_input_shape *shapes = NULL;
    r->n_inputs = sepcl_model_input_count(r->model);
    r->inputs = need(calloc((size_t)r->n_inputs + 1, sizeof(*r->inputs)));
    TRY(tool_shapes(r->model, &shapes));
    for (int i = 0; i < r->n_inputs; i++) {
        r->inputs[i].name = sepcl_model_input_name(r->model, i);
        r->inputs[i].shape = shapes[i].shape;
        if (shapes[i].shape.rank == 0 && sepcl_model_input_shape(r->model, i, &r->inputs[i].shape) != SEPCL_OK)
            r->inputs[i].shape = (sepcl_shape){0};
    }
    free(shapes);
    for (int pass = 0; pass < 2; pass++) /* named ones first, so that the others can go to what is left */
        for (int i = 0; i < n; i++) {
            const char *file;
            const int   index = split_name(r, sepcl_model_input_name, r->n_inputs, args[i], &file);
            if (pass == 0 && index >= 0)
                TRY(add_file(&r->inputs[index], file));
            else if (pass == 1 && index < 0)
                TRY(add_unnamed(r, file));
        }
    return check_inputs(r);
}

static sepcl_status set_output(run *r, int index, const char *file)
{
    run_output *o = &r->outputs[index];
    if (o->file)
        return tool_fail(SEPCL_INVALID, "output '%s' has two files, %s and %s", o->name, o->file, file);
    if (!*file)
        return tool_fail(SEPCL_INVALID, "output '%s' has an empty file name", o->name);
    if (!strcmp(file, "-")) {
        file = "/dev/stdout";
        r->to_stdout = true;
    }
    o->file = file;
    return output_check(file);
}

sepcl_status run_assign_outputs(run *r)
{
    r->n_outputs = sepcl_model_output_count(r->model);
    r->outputs = need(calloc((size_t)r->n_outputs + 1, sizeof(*r->outputs)));
    for (int i = 0; i < r->n_outputs; i++)
        r->outputs[i].name = sepcl_model_output_name(r->model, i);
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < run_set.outputs.count; i++) {
            const char *file;
            int         index = split_name(r, sepcl_model_output_name, r->n_outputs, run_set.outputs.items[i], &file);
            if ((index < 0) != (pass == 1))
                continue;
            if (index < 0) {
                TRY(check_unnamed(r, file, false));
                for (index = 0; index < r->n_outputs && r->outputs[index].file;)
                    index++;
            }
            if (index == r->n_outputs)
                return tool_fail(SEPCL_INVALID, "%s is one output file too many: the model has %d output%s", file,
                                 r->n_outputs, r->n_outputs == 1 ? "" : "s");
            TRY(set_output(r, index, file));
        }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- files */

sepcl_status run_read_inputs(run *r)
{
    const double begin = tool_seconds();
    const picture_recipe recipe = recipe_make();
    for (int k = 0; k < r->n_inputs; k++)
        TRY(feed_read(&r->inputs[k], &recipe));
    run_span_end(r, "read files", begin);
    return SEPCL_OK;
}

sepcl_status run_fill_inputs(run *r)
{
    uint64_t state = (uint64_t)run_set.seed;
    for (int k = 0; k < r->n_inputs; k++) {
        feed *in = &r->inputs[k];
        if (in->data)
            continue;
        TRY_LIB(sepcl_session_input_shape(r->session, k, &in->shape));
        in->count = tool_elements(&in->shape);
        in->data = malloc(in->count * sizeof(float) + 1);
        if (!in->data)
            return tool_fail(SEPCL_OUT_OF_MEMORY, "no memory for input '%s'", in->name);
        random_fill(in->data, in->count, &state);
    }
    return SEPCL_OK;
}
