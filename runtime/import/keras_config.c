/* SPDX-License-Identifier: Apache-2.0 */
/* Settings of the layer at hand. */
#include <string.h>

#include "import/keras_build.h"

static void wrong(keras_build *b, const char *key, const char *what)
{
    import_bad(&b->common, fail(SEPCL_BAD_FILE, "setting '%s' is %s", key, what));
}

int64_t cfg_int(keras_build *b, const char *key, int64_t def)
{
    const json_t *v = keras_get(b->config, key);
    double        d;
    if (!v)
        return def;
    if (keras_is(v, JSON_INTEGER))
        return json_integer_value(v);
    if (keras_number(v, &d) && d == (double)(int64_t)(d > -1e15 && d < 1e15 ? d : 0))
        return (int64_t)d;
    wrong(b, key, "no whole number");
    return def;
}

double cfg_number(keras_build *b, const char *key, double def)
{
    const json_t *v = keras_get(b->config, key);
    double        d;
    if (!v)
        return def;
    if (keras_number(v, &d))
        return d;
    wrong(b, key, "no number");
    return def;
}

bool cfg_bool(keras_build *b, const char *key, bool def)
{
    const json_t *v = keras_get(b->config, key);
    bool          truth;
    if (keras_truth(v, &truth))
        return truth;
    if (v)
        wrong(b, key, "neither true nor false");
    return def;
}

const char *cfg_text(keras_build *b, const char *key, const char *def)
{
    const json_t *v = keras_get(b->config, key);
    const char   *text = json_string_value(v);
    if (v && !text)
        wrong(b, key, "no text");
    return text ? text : def;
}

int cfg_choice(keras_build *b, const char *key, const char *const *options, int def)
{
    const char *text = cfg_text(b, key, options[def]);
    for (int i = 0; options[i]; i++)
        if (strcmp(text, options[i]) == 0)
            return i;
    import_bad(&b->common, fail(SEPCL_UNSUPPORTED, "%s '%s' is not supported", key, text));
    return def;
}

int cfg_ints(keras_build *b, const char *key, int64_t *out, int max)
{
    const json_t *v = keras_get(b->config, key);
    const size_t  n = json_array_size(v);
    if (!v)
        return -1;
    if (keras_is(v, JSON_INTEGER)) {
        *out = json_integer_value(v);
        return 1;
    }
    bool ok = keras_is(v, JSON_ARRAY) && n <= (size_t)max;
    for (size_t i = 0; ok && i < n; i++) {
        ok = keras_is(json_array_get(v, i), JSON_INTEGER);
        out[i] = json_integer_value(json_array_get(v, i));
    }
    if (ok)
        return (int)n;
    wrong(b, key, "no list of whole numbers");
    return -1;
}

void cfg_pair(keras_build *b, const char *key, int n, int64_t least, int pair[2])
{
    int64_t   v[2] = {0, 0};
    const int count = cfg_ints(b, key, v, 2);
    if (count < 0)
        return;
    if (count != n && count != 1) {
        import_bad(&b->common, fail(SEPCL_BAD_FILE, "setting '%s' has %d entries for %d axes", key, count, n));
        return;
    }
    for (int i = 0; i < n; i++) {
        const int64_t e = v[count == 1 ? 0 : i];
        if (e < least || e > IMPORT_MOST)
            import_bad(&b->common, fail(e < least ? SEPCL_BAD_FILE : SEPCL_UNSUPPORTED,
                                        "setting '%s' has the entry %lld, outside %lld to %d", key, (long long)e,
                                        (long long)least, IMPORT_MOST));
        else
            pair[2 - n + i] = (int)e;
    }
}

/* A number for both ends, or one for each. */
static bool read_ends(const json_t *v, int64_t *before, int64_t *after)
{
    const json_t *first = json_array_size(v) == 2 ? json_array_get(v, 0) : v;
    const json_t *second = json_array_size(v) == 2 ? json_array_get(v, 1) : v;
    if (!keras_is(first, JSON_INTEGER) || !keras_is(second, JSON_INTEGER))
        return false;
    *before = json_integer_value(first);
    *after = json_integer_value(second);
    return *before >= 0 && *after >= 0 && *before <= INT32_MAX && *after <= INT32_MAX;
}

void cfg_margins(keras_build *b, const char *key, int n, int64_t margins[4])
{
    const json_t *v = keras_get(b->config, key);
    bool          ok = true;
    memset(margins, 0, 4 * sizeof *margins);
    if (!v)
        return;
    if (n == 1) {
        ok = read_ends(v, &margins[1], &margins[3]);
    } else if (json_array_size(v) == 4) { /* top, bottom, left, right */
        static const int at[] = {0, 2, 1, 3};
        int64_t          unused;
        for (int i = 0; ok && i < 4; i++)
            ok = read_ends(json_array_get(v, (size_t)i), &margins[at[i]], &unused);
    } else {
        const bool list = json_array_size(v) == 2;
        for (int i = 0; ok && i < 2; i++)
            ok = read_ends(list ? json_array_get(v, (size_t)i) : v, &margins[i], &margins[i + 2]);
    }
    if (!ok)
        wrong(b, key, "no margins");
}

status cfg_axis(keras_build *b, const char *key, int64_t def, int rank, int *out)
{
    int64_t   v = def;
    const int n = cfg_ints(b, key, &v, 1);
    if (n == 0)
        return fail(SEPCL_BAD_FILE, "setting '%s' is an empty list", key);
    return import_axis(v, rank, out);
}

void cfg_order(keras_build *b)
{
    static const char *const orders[] = {"channels_last", "channels_first", NULL};
    b->common.channels_first = cfg_choice(b, "data_format", orders, 0) == 1;
}
