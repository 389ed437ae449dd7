/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers as Keras 1 wrote them (2015 to 2017), under the names that Keras 2 and 3 use for the same things. What has no
 * counterpart keeps its name and is refused where layers are looked up.
 */
#include <string.h>

#include "import/keras_model.h"

typedef struct pair_of_names {
    const char *old, *now;
} pair_of_names;

static const pair_of_names classes[] = {
    {"Convolution1D", "Conv1D"},
    {"Convolution2D", "Conv2D"},
    {"AtrousConvolution1D", "Conv1D"},
    {"AtrousConvolution2D", "Conv2D"},
    {"Deconvolution2D", "Conv2DTranspose"},
    {"Convolution2DTranspose", "Conv2DTranspose"},
    {"SeparableConvolution1D", "SeparableConv1D"},
    {"SeparableConvolution2D", "SeparableConv2D"},
    {"Container", "Model"},
};

static const pair_of_names settings[] = {
    {"nb_filter", "filters"},         {"output_dim", "units"},      {"subsample", "strides"},
    {"subsample_length", "strides"},  {"stride", "strides"},        {"border_mode", "padding"},
    {"dim_ordering", "data_format"},  {"bias", "use_bias"},         {"atrous_rate", "dilation_rate"},
    {"filter_length", "kernel_size"}, {"pool_length", "pool_size"}, {"length", "size"},
    {"concat_axis", "axis"},
};

/* What Merge does, by its mode. */
static const pair_of_names merges[] = {
    {"sum", "Add"},     {"mul", "Multiply"}, {"concat", "Concatenate"},
    {"ave", "Average"}, {"max", "Maximum"},  {"dot", "Dot"},
};

static const char *find(const pair_of_names *list, size_t n, const char *old)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(list[i].old, old) == 0)
            return list[i].now;
    return NULL;
}

/* false: memory is out */
static bool put_text(json_t *object, const char *key, const char *text)
{
    return json_object_set_new(object, key, json_string(text)) == 0;
}

/* Moves a setting to its new name, unless that is there already. */
static bool rename_setting(json_t *config, const pair_of_names *p)
{
    json_t *v = json_object_get(config, p->old);
    if (!v || json_object_get(config, p->now))
        return true;
    return json_object_set(config, p->now, v) == 0 && json_object_del(config, p->old) == 0;
}

static bool rename_order(json_t *config)
{
    const char *order = keras_get_text(config, "data_format", "");
    if (strcmp(order, "tf") == 0 || strcmp(order, "default") == 0)
        return put_text(config, "data_format", "channels_last");
    return strcmp(order, "th") != 0 || put_text(config, "data_format", "channels_first");
}

/* nb_row and nb_col. */
static bool join_kernel(json_t *config)
{
    json_t *rows = json_object_get(config, "nb_row"), *columns = json_object_get(config, "nb_col");
    if (!rows || !columns || json_object_get(config, "kernel_size"))
        return true;
    return json_object_set_new(config, "kernel_size", json_pack("[O,O]", rows, columns)) == 0;
}

static bool rename_merge(json_t *layer, const json_t *config)
{
    const char *mode = keras_get_text(config, "mode", "");
    const char *now = find(merges, sizeof merges / sizeof merges[0], mode);
    if (strcmp(keras_get_text(config, "mode_type", "raw"), "raw") != 0)
        return put_text(layer, "class_name", "Lambda");
    return !now || put_text(layer, "class_name", now);
}

status keras_modernise(json_t *layer)
{
    json_t     *config = json_object_get(layer, "config");
    const char *class_name = keras_get_text(layer, "class_name", "");
    const char *now = find(classes, sizeof classes / sizeof classes[0], class_name);
    bool        ok = true;
    if (!keras_is(config, JSON_OBJECT) || strcmp(class_name, "Embedding") == 0)
        return SEPCL_OK;
    if (strcmp(class_name, "Merge") == 0)
        ok = rename_merge(layer, config);
    for (size_t i = 0; ok && i < sizeof settings / sizeof settings[0]; i++)
        ok = rename_setting(config, &settings[i]);
    ok = ok && rename_order(config) && join_kernel(config) && (!now || put_text(layer, "class_name", now));
    return ok ? SEPCL_OK : fail_memory(0, "a layer's settings");
}
