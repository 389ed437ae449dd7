/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <stdlib.h>

#include "input.h"
#include "npy.h"
#include "text.h"
#include "tool.h"

/* ---------------------------------------------------------------- arrays */

static sepcl_status take_array(feed *in, const char *file, npy_array *a)
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

static sepcl_status read_array(feed *in, const input_file *bytes)
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
static sepcl_status fit_shape(feed *in, const picture_layout *l, const picture *p, const picture_recipe *recipe,
                              picture_target *target)
{
    int64_t *d = in->shape.dims;
    if (l->batch >= 0 && d[l->batch] < 0)
        d[l->batch] = in->n_files;
    if ((l->batch >= 0 ? d[l->batch] : 1) != in->n_files)
        return tool_fail(SEPCL_INVALID, "input '%s' takes a batch of %lld, but %d picture%s given", in->name,
                         l->batch >= 0 ? (long long)d[l->batch] : 1, in->n_files, in->n_files == 1 ? " was" : "s were");
    if (l->channel >= 0 && d[l->channel] < 0)
        d[l->channel] = recipe->channels == CHANNELS_GRAY ? 1 : 3;
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

static sepcl_status convert(const feed *in, int index, const picture *p, const picture_recipe *recipe,
                            const picture_target *t)
{
    if (p->width != t->width || p->height != t->height)
        tool_say("%s: %dx%d pixels, %s to %dx%d", in->files[index], p->width, p->height,
                 recipe->resize == RESIZE_TO_CROP ? "scaled and cropped" : "stretched", t->width, t->height);
    return picture_to_floats(p, recipe, t, in->data + (size_t)index * (in->count / (size_t)in->n_files));
}

/* Picture i of an input; the first one decides what is free. */
static sepcl_status take_picture(feed *in, int i, const picture *p, const picture_recipe *recipe,
                                 picture_target *target)
{
    if (i == 0) {
        picture_layout layout;
        TRY(picture_find_layout(&in->shape, in->name, &layout));
        TRY(fit_shape(in, &layout, p, recipe, target));
        TRY(picture_check_recipe(recipe, target->channels, in->name));
    }
    return convert(in, i, p, recipe, target);
}

static sepcl_status read_picture(feed *in, int i, const input_file *bytes, const picture_recipe *recipe,
                                 picture_target *target)
{
    picture p;
    TRY(picture_parse(bytes->bytes, bytes->size, in->files[i], &p));
    const sepcl_status st = take_picture(in, i, &p, recipe, target);
    picture_free(&p);
    return st;
}

/* ---------------------------------------------------------------- all */

static sepcl_status read_file(feed *in, int i, const picture_recipe *recipe, picture_target *target)
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
        st = read_picture(in, i, &bytes, recipe, target);
    input_free(&bytes);
    return st;
}

sepcl_status feed_read(feed *in, const picture_recipe *recipe)
{
    picture_target target = {0};
    for (int i = 0; i < in->n_files; i++)
        TRY(read_file(in, i, recipe, &target));
    return SEPCL_OK;
}
