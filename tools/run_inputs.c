/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-run: which file belongs to which input or output, and from files to tensors. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/npy.h"
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

static sepcl_status add_file(run_input *in, const char *file)
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

/* ---------------------------------------------------------------- arrays */

static sepcl_status take_array(run_input *in, const char *file, npy_array *a)
{
    bool fits = a->shape.rank == in->shape.rank;
    for (int i = 0; fits && i < a->shape.rank; i++)
        fits = in->shape.dims[i] < 0 || in->shape.dims[i] == a->shape.dims[i];
    if (!fits) {
        char have[TEXT_SMALL], want[TEXT_SMALL];
        return tool_fail(SEPCL_INVALID, "%s has shape %s, but input '%s' takes %s", file, text_shape(&a->shape, have),
                         in->name, text_shape(&in->shape, want));
    }
    in->shape = a->shape;
    in->data = a->data;
    in->count = a->count;
    a->data = NULL;
    return SEPCL_OK;
}

static sepcl_status read_array(run_input *in, const input_file *bytes)
{
    npy_array a;
    if (in->n_files > 1)
        return tool_fail(SEPCL_INVALID, "input '%s' has %d files, but only pictures can be put together to a batch",
                         in->name, in->n_files);
    TRY(npy_parse(bytes->bytes, bytes->size, in->files[0], &a));
    const sepcl_status st = take_array(in, in->files[0], &a);
    npy_free(&a);
    return st;
}

/* ---------------------------------------------------------------- pictures */

/* Fixes what is free of an input's shape for pictures, the first of which is p, and makes room. */
static sepcl_status fit_shape(run_input *in, const picture_layout *l, const picture *p, picture_target *target)
{
    int64_t *d = in->shape.dims;
    if (l->batch >= 0 && d[l->batch] < 0)
        d[l->batch] = in->n_files;
    if ((l->batch >= 0 ? d[l->batch] : 1) != in->n_files)
        return tool_fail(SEPCL_INVALID, "input '%s' takes a batch of %lld, but %d picture%s given", in->name,
                         l->batch >= 0 ? (long long)d[l->batch] : 1, in->n_files, in->n_files == 1 ? " was" : "s were");
    if (l->channel >= 0 && d[l->channel] < 0)
        d[l->channel] = recipe_set.channels == CHANNELS_GRAY ? 1 : 3;
    if (d[l->row] < 0)
        d[l->row] = p->height;
    if (d[l->column] < 0)
        d[l->column] = p->width;
    in->count = tool_elements(&in->shape);
    if (in->count == 0 || d[l->row] > PICTURE_SIDE || d[l->column] > PICTURE_SIDE) {
        char text[TEXT_SMALL];
        return tool_fail(SEPCL_INVALID, "input '%s' of shape %s is too large or empty for a picture", in->name,
                         text_shape(&in->shape, text));
    }
    *target = (picture_target){.width = (int)d[l->column],
                               .height = (int)d[l->row],
                               .channels = l->channel >= 0 ? (int)d[l->channel] : 1,
                               .planar = l->channel >= 0 && l->channel < l->row};
    in->data = malloc(in->count * sizeof(float));
    return in->data ? SEPCL_OK : tool_fail(SEPCL_OUT_OF_MEMORY, "no memory for input '%s'", in->name);
}

static sepcl_status convert(const run_input *in, int index, const picture *p, const picture_recipe *recipe,
                            const picture_target *t)
{
    if (p->width != t->width || p->height != t->height)
        tool_say("%s: %dx%d pixels, %s to %dx%d", in->files[index], p->width, p->height,
                 recipe->resize == RESIZE_TO_CROP ? "scaled and cropped" : "stretched", t->width, t->height);
    return picture_to_floats(p, recipe, t, in->data + (size_t)index * (in->count / (size_t)in->n_files));
}

/* Picture i of an input; the first one decides what is free. */
static sepcl_status take_picture(run_input *in, int i, const picture *p, picture_target *target)
{
    const picture_recipe recipe = recipe_make();
    if (i == 0) {
        picture_layout layout;
        TRY(picture_find_layout(&in->shape, in->name, &layout));
        TRY(fit_shape(in, &layout, p, target));
        TRY(picture_check_recipe(&recipe, target->channels, in->name));
    }
    return convert(in, i, p, &recipe, target);
}

static sepcl_status read_picture(run_input *in, int i, const input_file *bytes, picture_target *target)
{
    picture p;
    TRY(picture_parse(bytes->bytes, bytes->size, in->files[i], &p));
    const sepcl_status st = take_picture(in, i, &p, target);
    picture_free(&p);
    return st;
}

/* ---------------------------------------------------------------- all */

static sepcl_status read_file(run_input *in, int i, picture_target *target)
{
    input_file   bytes;
    sepcl_status st;
    TRY(input_read(in->files[i], NPY_BYTES, &bytes));
    if (npy_is(bytes.bytes, bytes.size))
        st = read_array(in, &bytes);
    else if (!picture_kind(bytes.bytes, bytes.size))
        st = tool_fail(SEPCL_BAD_FILE, "%s is neither a PNG or JPEG picture nor a .npy array", in->files[i]);
    else if (bytes.size > PICTURE_BYTES)
        st = tool_fail(SEPCL_BAD_FILE, "%s is larger than the limit for pictures of %zu bytes", in->files[i],
                       PICTURE_BYTES);
    else
        st = read_picture(in, i, &bytes, target);
    input_free(&bytes);
    return st;
}

sepcl_status run_read_inputs(run *r)
{
    const double begin = tool_seconds();
    for (int k = 0; k < r->n_inputs; k++) {
        picture_target target = {0};
        for (int i = 0; i < r->inputs[k].n_files; i++)
            TRY(read_file(&r->inputs[k], i, &target));
    }
    run_span_end(r, "read files", begin);
    return SEPCL_OK;
}

sepcl_status run_fill_inputs(run *r)
{
    uint64_t state = (uint64_t)run_set.seed;
    for (int k = 0; k < r->n_inputs; k++) {
        run_input *in = &r->inputs[k];
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
