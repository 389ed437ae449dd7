/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-separate --calib: the inputs on which errors are measured. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/progress.h"
#include "common/recipe.h"
#include "common/text.h"
#include "common/tool.h"
#include "separate.h"

/* ---------------------------------------------------------------- files of a folder */

typedef struct names {
    char **list;
    int    n;
} names;

static void free_names(names *f)
{
    for (int i = 0; i < f->n; i++)
        free(f->list[i]);
    free(f->list);
    *f = (names){0};
}

static int by_name(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool ends_like_input(const char *name)
{
    static const char *const ends[] = {".npy", ".png", ".jpg", ".jpeg", ".PNG", ".JPG", ".JPEG"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        const size_t n = strlen(name), k = strlen(ends[i]);
        if (n > k && !strcmp(name + n - k, ends[i]))
            return true;
    }
    return false;
}

/* In the order of their names. */
static sepcl_status list_folder(const char *folder, names *out)
{
    DIR                 *dir = opendir(folder);
    const struct dirent *entry;
    *out = (names){0};
    if (!dir)
        return tool_fail(SEPCL_BAD_FILE, "cannot read the folder %s: %s", folder, strerror(errno));
    while ((entry = readdir(dir)))
        if (ends_like_input(entry->d_name)) {
            out->list = need(realloc(out->list, (size_t)(out->n + 1) * sizeof(char *)));
            out->list[out->n++] = text_format("%s/%s", folder, entry->d_name);
        }
    closedir(dir);
    if (out->n == 0)
        return tool_fail(SEPCL_BAD_FILE, "%s holds no .npy, .png or .jpg file", folder);
    qsort(out->list, (size_t)out->n, sizeof(char *), by_name);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- samples */

static void add_sample(separate_samples *s, const float *data, size_t count)
{
    float *copy = need(malloc(count * sizeof(float) + 1));
    memcpy(copy, data, count * sizeof(float));
    s->data = need(realloc(s->data, (size_t)(s->n + 1) * sizeof(*s->data)));
    s->data[s->n++] = copy;
}

/* An array may hold many samples one after the other. */
static sepcl_status add_file(separate_job *j, const sepcl_shape *shape, const char *file)
{
    const char  *files[] = {file};
    feed         in = {.name = j->shapes[0].name, .shape = *shape, .files = files, .n_files = 1};
    const size_t count = tool_elements(shape);
    if (strlen(file) > 4 && !strcmp(file + strlen(file) - 4, ".npy") && shape->rank > 0)
        in.shape.dims[0] = -1;
    const picture_recipe recipe = recipe_make();
    sepcl_status         st = feed_read(&in, &recipe);
    if (st == SEPCL_OK && (count == 0 || in.count % count || in.count == 0)) {
        char have[TEXT_SMALL], want[TEXT_SMALL];
        st = tool_fail(SEPCL_INVALID, "%s has shape %s, which is not a number of inputs of shape %s", file,
                       text_shape(&in.shape, have), text_shape(shape, want));
    }
    for (size_t at = 0; st == SEPCL_OK && at < in.count && j->samples.n < separate_set.most; at += count)
        add_sample(&j->samples, in.data + at, count);
    free(in.data);
    return st;
}

/* Pictures are taken one a sample, so a batch of more has to be of one array. */
sepcl_status separate_read_samples(separate_job *j)
{
    names        files;
    sepcl_status st = SEPCL_OK;
    j->samples.n_inputs = j->n_shapes;
    if (!separate_set.calib)
        return SEPCL_OK;
    if (j->n_shapes != 1)
        return tool_fail(SEPCL_INVALID, "--calib takes models of one input; %s has %d", j->file, j->n_shapes);
    TRY(list_folder(separate_set.calib, &files));
    progress_begin("reading samples", files.n);
    for (int i = 0; i < files.n && st == SEPCL_OK && j->samples.n < separate_set.most; i++) {
        progress_step(i, files.list[i]);
        st = add_file(j, &j->shapes[0].shape, files.list[i]);
    }
    progress_end();
    free_names(&files);
    return st;
}

void separate_free_samples(separate_job *j)
{
    for (int i = 0; i < j->samples.n; i++)
        free((float *)j->samples.data[i]);
    free(j->samples.data);
    j->samples = (separate_samples){0};
}
