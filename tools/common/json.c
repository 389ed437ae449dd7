/* SPDX-License-Identifier: Apache-2.0 */
#include "json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

json_t *json_text(const char *s)
{
    if (!s)
        return json_null();
    char   *clean = text_clean(s);
    json_t *out = need(json_string(clean));
    free(clean);
    return out;
}

json_t *json_number(double v)
{
    return isfinite(v) ? need(json_real(v)) : json_null();
}

json_t *json_count(uint64_t v)
{
    return v <= INT64_MAX ? need(json_integer((json_int_t)v)) : json_number((double)v);
}

json_t *json_shape(const sepcl_shape *s)
{
    json_t *out = need(json_array());
    for (int i = 0; i < s->rank; i++)
        json_add(out, s->dims[i] < 0 ? json_null() : json_count((uint64_t)s->dims[i]));
    return out;
}

void json_put(json_t *object, const char *key, json_t *value)
{
    if (json_object_set_new(object, key, value) != 0)
        need(NULL);
}

void json_add(json_t *array, json_t *value)
{
    if (json_array_append_new(array, value) != 0)
        need(NULL);
}

static char *dump(json_t *value, size_t flags)
{
    char *text = need(json_dumps(value, flags));
    char *line = text_format("%s\n", text);
    free(text);
    json_decref(value);
    return line;
}

char *json_dump(json_t *value, bool indent)
{
    return dump(value, JSON_REAL_PRECISION(9) | (indent ? JSON_INDENT(2) : JSON_COMPACT));
}

char *json_dump_exact(json_t *value)
{
    return dump(value, JSON_REAL_PRECISION(15) | JSON_COMPACT);
}

void json_print(json_t *value)
{
    char *text = json_dump(value, true);
    fputs(text, stdout);
    free(text);
}
