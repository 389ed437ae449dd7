/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that a Keras file describes its layers with. */
#include <math.h>
#include <string.h>

#include "import/keras_model.h"

/* What a value of a tree takes, about. */
#define BYTES_A_VALUE 150

/* An upper bound of the values in a JSON text. */
static size_t count_values(const char *text, size_t length)
{
    size_t n = 1;
    bool   quoted = false;
    for (size_t i = 0; i < length; i++) {
        const char c = text[i];
        if (quoted && c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted)
            n += c == ',' || c == '[' || c == '{';
    }
    return n;
}

status keras_parse_json(keras_file *f, const char *text, size_t length, const char *what, json_t **out)
{
    json_error_t error;
    TRY(keras_take(f, BYTES_A_VALUE * count_values(text, length), what));
    *out = json_loadb(text, length, 0, &error);
    if (*out)
        return SEPCL_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return fail_memory(length, what);
    return fail(SEPCL_BAD_FILE, "%s is no JSON: line %d, column %d: %s", what, error.line, error.column, error.text);
}

bool keras_is(const json_t *v, json_type type)
{
    return v && json_typeof(v) == type;
}

bool keras_truth(const json_t *v, bool *out)
{
    *out = keras_is(v, JSON_TRUE);
    return *out || keras_is(v, JSON_FALSE);
}

const json_t *keras_get(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return keras_is(v, JSON_NULL) ? NULL : v;
}

const char *keras_get_text(const json_t *object, const char *key, const char *def)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : def;
}

bool keras_get_bool(const json_t *object, const char *key, bool def)
{
    bool truth;
    return keras_truth(json_object_get(object, key), &truth) ? truth : def;
}

bool keras_number(const json_t *v, double *out)
{
    if (keras_is(v, JSON_OBJECT)) /* {"type": "ndarray", "value": 0.3} */
        v = json_object_get(v, "value");
    if (!json_is_number(v))
        return false;
    *out = json_number_value(v);
    return isfinite(*out);
}

status keras_shape(const json_t *value, const char *what, shape *out)
{
    const size_t n = json_array_size(value);
    *out = (shape){.rank = (int)n};
    if (!keras_is(value, JSON_ARRAY) || n > MAX_RANK)
        return fail(keras_is(value, JSON_ARRAY) ? SEPCL_UNSUPPORTED : SEPCL_BAD_FILE,
                    "the shape of '%s' is no list of at most %d extents", what, MAX_RANK);
    for (size_t i = 0; i < n; i++) {
        const json_t   *e = json_array_get(value, i);
        const long long extent = keras_is(e, JSON_NULL) ? -1 : json_integer_value(e);
        if (!keras_is(e, JSON_NULL) && (extent < 1 || extent > INT32_MAX))
            return fail(SEPCL_BAD_FILE, "extent %zu of '%s' is no number from 1 to %d", i, what, INT32_MAX);
        out->dim[i] = extent;
    }
    return SEPCL_OK;
}
