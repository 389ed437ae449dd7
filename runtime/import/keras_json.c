/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON that a Keras file describes its layers with. */
#include <math.h>
#include <string.h>

#include "import/keras_model.h"

/* Values of a tree take about 150 bytes each. */
#define MOST_VALUES 80000
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

status keras_parse_json(const char *text, size_t length, size_t file_size, const char *what, json_t **out)
{
    json_error_t error;
    const size_t values = count_values(text, length), most = MOST_VALUES + file_size / BYTES_A_VALUE;
    if (values > most)
        return fail(SEPCL_BAD_FILE, "%s has %zu values, above the limit of %zu for a file of this size", what, values,
                    most);
    *out = json_loadb(text, length, 0, &error);
    if (*out)
        return SEPCL_OK;
    if (json_error_code(&error) == json_error_out_of_memory)
        return fail_memory(length, what);
    return fail(SEPCL_BAD_FILE, "%s is no JSON: line %d, column %d: %s", what, error.line, error.column, error.text);
}

const json_t *keras_get(const json_t *object, const char *key)
{
    const json_t *v = json_object_get(object, key);
    return json_is_null(v) ? NULL : v;
}

const char *keras_get_text(const json_t *object, const char *key, const char *def)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : def;
}

bool keras_get_bool(const json_t *object, const char *key, bool def)
{
    const json_t *v = json_object_get(object, key);
    return json_is_boolean(v) ? json_is_true(v) : def;
}

bool keras_number(const json_t *v, double *out)
{
    if (json_is_object(v)) /* {"type": "ndarray", "value": 0.3} */
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
    if (!json_is_array(value) || n > MAX_RANK)
        return fail(json_is_array(value) ? SEPCL_UNSUPPORTED : SEPCL_BAD_FILE,
                    "the shape of '%s' is no list of at most %d extents", what, MAX_RANK);
    for (size_t i = 0; i < n; i++) {
        const json_t   *e = json_array_get(value, i);
        const long long extent = json_is_null(e) ? -1 : json_integer_value(e);
        if (!json_is_null(e) && (extent < 1 || extent > INT32_MAX))
            return fail(SEPCL_BAD_FILE, "extent %zu of '%s' is no number from 1 to %d", i, what, INT32_MAX);
        out->dim[i] = extent;
    }
    return SEPCL_OK;
}
