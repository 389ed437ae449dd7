/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ONNX models of one node, written as text:
 *
 *   inputs      separated by blanks, called i0, i1, ...:
 *               x2x3  an input of floats of that shape ("x": a scalar)      f2x3  constant floats 0, 1, 2, ... ("f": 0)
 *               n2x3  constant whole numbers 0, 1, 2, ...                   [1,-2]  a row of whole numbers, [] none
 *               w[1,-2]  a row of whole numbers of 32 bits                  d{0.5,2}  a row of numbers of 64 bits
 *               (3)   a whole number without a dimension                    b2  constant truth values 0, 1, 0, ...
 *               t2x3  truth values that depend on an input                  -  absent
 *               {0.5,2}  a row of floats
 *   attributes  name=3, name=0.5, name=text, name=[1,2], name={0.5,2}
 */
#ifndef SEPCL_TEST_ONNX_TEXT_H
#define SEPCL_TEST_ONNX_TEXT_H

#include "import_test.h"

#define TEXT_ENTRIES 80

/* "2x3" */
static inline int text_dims(const char *at, int64_t *dims)
{
    int rank = 0;
    for (; *at >= '0' && *at <= '9' && rank < MAX_RANK + 1; at += *at == 'x')
        dims[rank++] = strtoll(at, (char **)&at, 10);
    if (*at)
        test_fail("'%s' is no shape\n", at);
    return rank;
}

/* Between a bracket and its end, separated by commas. */
static inline int text_wholes(const char *at, int64_t *v)
{
    int n = 0;
    for (at++; *at != ']' && n < TEXT_ENTRIES; at += *at == ',')
        v[n++] = strtoll(at, (char **)&at, 10);
    return n;
}

static inline int text_floats(const char *at, float *v)
{
    int n = 0;
    for (at++; *at != '}' && n < TEXT_ENTRIES; at += *at == ',')
        v[n++] = strtof(at, (char **)&at);
    return n;
}

static inline void text_truths(net *m, const char *name, int rank, const int64_t *dims)
{
    pb            t = tensor_begin(name, 9, rank, dims);
    const int64_t n = dims_count(rank, dims);
    uint8_t       v[TEXT_ENTRIES];
    assert_true(n <= TEXT_ENTRIES);
    for (int64_t i = 0; i < n; i++)
        v[i] = i & 1;
    pb_bytes(&t, 9, v, (size_t)n);
    net_tensor(m, t);
}

static inline void text_input(net *m, const char *name, const char *text)
{
    int64_t   dims[MAX_RANK + 1], v[TEXT_ENTRIES];
    float     f[TEXT_ENTRIES];
    int64_t   n;
    char      of[16];
    const int rank = strchr("xfnbt", *text) ? text_dims(text + 1, dims) : 0;
    switch (*text) {
    case 'x':
        net_port(m, 11, name, 1, rank, dims);
        return;
    case 'f':
        net_tensor(m, tensor_ramp(name, 1, rank, dims));
        return;
    case 'n':
        n = dims_count(rank, dims);
        assert_true(n <= TEXT_ENTRIES);
        for (int64_t i = 0; i < n; i++)
            v[i] = i;
        net_tensor(m, tensor_ints(name, rank, dims, v));
        return;
    case 'b':
        text_truths(m, name, rank, dims);
        return;
    case 't':
        snprintf(of, sizeof of, "%s_of", name);
        net_port(m, 11, of, 1, rank, dims);
        NODE_WITH(m, "Cast", of, of, name, attr_i("to", 9));
        return;
    case 'w': {
        int32_t small[TEXT_ENTRIES];
        n = text_wholes(text + 1, v);
        for (int64_t i = 0; i < n; i++)
            small[i] = (int32_t)v[i];
        pb t = tensor_begin(name, 6, 1, &n);
        pb_bytes(&t, 9, small, (size_t)n * sizeof *small);
        net_tensor(m, t);
        return;
    }
    case 'd': {
        double wide[TEXT_ENTRIES];
        n = text_floats(text + 1, f);
        for (int64_t i = 0; i < n; i++)
            wide[i] = (double)f[i];
        pb t = tensor_begin(name, 11, 1, &n);
        pb_bytes(&t, 9, wide, (size_t)n * sizeof *wide);
        net_tensor(m, t);
        return;
    }
    case '(':
        n = strtoll(text + 1, NULL, 10);
        net_tensor(m, tensor_ints(name, 0, NULL, &n));
        return;
    case '[':
        n = text_wholes(text, v);
        net_tensor(m, tensor_ints(name, 1, &n, v));
        return;
    case '{': {
        n = text_floats(text, f);
        pb t = tensor_begin(name, 1, 1, &n);
        pb_bytes(&t, 9, f, (size_t)n * sizeof *f);
        net_tensor(m, t);
        return;
    }
    default:
        test_fail("'%s' is no input\n", text);
    }
}

static inline pb text_attribute(const char *text)
{
    int64_t     v[TEXT_ENTRIES];
    float       f[TEXT_ENTRIES];
    char        name[48];
    char       *end;
    const char *value = strchr(text, '=') + 1;
    snprintf(name, sizeof name, "%.*s", (int)(value - 1 - text), text);
    if (*value == '[')
        return attr_list(name, text_wholes(value, v), v);
    if (*value == '{') {
        const int n = text_floats(value, f);
        return attr_floats(name, n, f);
    }
    const int64_t whole = strtoll(value, &end, 10);
    if (!*end)
        return attr_i(name, whole);
    const float number = strtof(value, &end);
    return *end ? attr_s(name, value) : attr_f(name, number);
}

/* Adds the node, called n, and its inputs. outputs: names, separated by commas. */
static inline void text_node(net *m, const char *op, const char *inputs, const char *attributes, const char *outputs)
{
    pb    attr[8];
    char  text[512], names[128] = "";
    int   n = 0, n_attr = 0;
    char *rest = NULL;
    snprintf(text, sizeof text, "%s", inputs ? inputs : "");
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest), n++) {
        char name[8] = "";
        if (*word != '-') {
            snprintf(name, sizeof name, "i%d", n);
            text_input(m, name, word);
        }
        snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", n ? "," : "", name);
    }
    snprintf(text, sizeof text, "%s", attributes ? attributes : "");
    for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
        attr[n_attr++] = text_attribute(word);
    net_node(m, op, "n", n ? names : NULL, outputs, n_attr, attr);
}

/* A model of this node, whose outputs ("y" or "y,z") are the model's. */
static inline net text_model(const char *op, const char *inputs, const char *attributes, const char *outputs)
{
    net   m = {{0}};
    char  text[64];
    char *rest = NULL;
    text_node(&m, op, inputs, attributes, outputs);
    snprintf(text, sizeof text, "%s", outputs);
    for (char *word = strtok_r(text, ",", &rest); word; word = strtok_r(NULL, ",", &rest))
        net_output(&m, word);
    return m;
}

#endif
