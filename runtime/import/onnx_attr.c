/* SPDX-License-Identifier: Apache-2.0 */
/* Attributes of the node at hand, read from its bytes when asked for, and parameters that are constant inputs. */
#include <string.h>

#include "import/onnx_build.h"

enum { A_NAME = 1, A_FLOAT = 2, A_INT = 3, A_STRING = 4, A_FLOATS = 7, A_INTS = 8, A_TYPE = 20 };

/* The bytes of an attribute. They were read once at opening, so they are well-formed. */
static bool find(const onnx_build *b, const char *name, wire_bytes *out)
{
    wire       w = wire_open(onnx_of(b)->n->message);
    wire_field f, inner;
    while (wire_next(&w, &f)) {
        if (f.number != 5 || f.type != WIRE_LENGTH)
            continue;
        wire a = wire_open(f.bytes);
        while (wire_next(&a, &inner))
            if (inner.number == A_NAME && inner.type == WIRE_LENGTH && wire_equal(inner.bytes, name)) {
                *out = f.bytes;
                return true;
            }
    }
    return false;
}

/* The one field of a single-valued attribute. */
static bool find_field(onnx_build *b, const char *name, uint32_t number, wire_type type, wire_field *out)
{
    wire_bytes bytes;
    bool       found = false, other = false;
    if (!find(b, name, &bytes))
        return false;
    wire       w = wire_open(bytes);
    wire_field f;
    while (wire_next(&w, &f)) {
        if (f.number == number && f.type == type) {
            *out = f;
            found = true;
        } else if (f.number >= A_FLOAT && f.number <= A_INTS) {
            other = true;
        } else if (f.number == A_TYPE && f.type == WIRE_VARINT && !found && f.value + 1 == number) {
            *out = (wire_field){.number = number, .type = type}; /* proto3 writers leave out a zero */
            found = true;
        }
    }
    if (!found && other)
        import_bad(b, fail(SEPCL_BAD_FILE, "attribute '%s' has another type than the op asks for", name));
    return found;
}

bool attr_has(onnx_build *b, const char *name)
{
    wire_bytes bytes;
    return find(b, name, &bytes);
}

int64_t attr_int(onnx_build *b, const char *name, int64_t def)
{
    wire_field f;
    return find_field(b, name, A_INT, WIRE_VARINT, &f) ? (int64_t)f.value : def;
}

static float float_of(uint64_t bits)
{
    const uint32_t low = (uint32_t)bits;
    float          v;
    memcpy(&v, &low, sizeof v);
    return v;
}

float attr_float(onnx_build *b, const char *name, float def)
{
    wire_field f;
    return find_field(b, name, A_FLOAT, WIRE_32, &f) ? float_of(f.value) : def;
}

/* One more entry of a list; false when it is full. */
static bool list_add(uint64_t v, bool floats, void *out, int *n, int max)
{
    if (*n == max)
        return false;
    if (floats)
        ((float *)out)[(*n)++] = float_of(v);
    else
        ((int64_t *)out)[(*n)++] = (int64_t)v;
    return true;
}

static bool list_packed(wire_bytes bytes, bool floats, void *out, int *n, int max)
{
    wire     w = wire_open(bytes);
    uint64_t v;
    while (w.at < w.end) {
        if (!floats) {
            if (!wire_varint(&w, &v))
                return false;
        } else {
            if (w.end - w.at < 4)
                return false;
            v = (uint64_t)w.at[0] | (uint64_t)w.at[1] << 8 | (uint64_t)w.at[2] << 16 | (uint64_t)w.at[3] << 24;
            w.at += 4;
        }
        if (!list_add(v, floats, out, n, max))
            return false;
    }
    return true;
}

static int list(onnx_build *b, const char *name, bool floats, void *out, int max)
{
    const uint32_t number = floats ? A_FLOATS : A_INTS;
    wire_bytes     bytes;
    if (!find(b, name, &bytes))
        return -1;
    wire       w = wire_open(bytes);
    wire_field f;
    int        n = 0;
    bool       ok = true;
    while (ok && wire_next(&w, &f)) {
        if (f.number == number && f.type == WIRE_LENGTH)
            ok = list_packed(f.bytes, floats, out, &n, max);
        else if (f.number == number && f.type == (floats ? WIRE_32 : WIRE_VARINT))
            ok = list_add(f.value, floats, out, &n, max);
        else
            ok = f.number < A_FLOAT || f.number > A_INTS;
    }
    if (!ok)
        import_bad(b, fail(SEPCL_BAD_FILE,
                           "attribute '%s' is malformed, of another type than the op asks for, or has more "
                           "than %d entries",
                           name, max));
    return n;
}

int attr_ints(onnx_build *b, const char *name, int64_t *out, int max)
{
    return list(b, name, false, out, max);
}

int attr_floats(onnx_build *b, const char *name, float *out, int max)
{
    return list(b, name, true, out, max);
}

int attr_choice(onnx_build *b, const char *name, const char *const *options, int def)
{
    wire_field f;
    if (!find_field(b, name, A_STRING, WIRE_LENGTH, &f))
        return def;
    for (int i = 0; options[i]; i++)
        if (wire_equal(f.bytes, options[i]))
            return i;
    import_bad(b, fail(SEPCL_UNSUPPORTED, "%s '%.*s' is not supported", name, (int)(f.bytes.n < 64 ? f.bytes.n : 64),
                       f.bytes.n ? (const char *)f.bytes.p : ""));
    return def;
}

/* ---------------------------------------------------------------- parameters */

/* A constant input; NULL when absent, or bad. */
static const operand *param(onnx_build *b, int input, bool floats)
{
    const operand *x = onnx_in(b, input);
    if (!x)
        return NULL;
    if (!x->is_const)
        import_bad(b, fail(SEPCL_UNSUPPORTED,
                           "input '%s' has to be a constant, but it is computed from the model's inputs", x->name));
    else if (operand_is_float(x) != floats)
        import_bad(b, fail(SEPCL_BAD_FILE, "input '%s' is of type %s", x->name, dtype_name(x->type)));
    else
        return x;
    return NULL;
}

int param_ints(onnx_build *b, int input, int64_t *out, int max)
{
    const operand *x = param(b, input, false);
    if (!x)
        return -1;
    const int64_t n = operand_count(x);
    if (n > max || x->shape.rank > 1) {
        import_bad(b, fail(SEPCL_BAD_FILE, "input '%s' has %lld entries and rank %d; at most %d in one row make sense",
                           x->name, (long long)n, x->shape.rank, max));
        return -1;
    }
    for (int64_t i = 0; i < n; i++)
        out[i] = data_int(x->type, x->data, i);
    return (int)n;
}

float param_float(onnx_build *b, int input, float def)
{
    const operand *x = param(b, input, true);
    if (!x)
        return def;
    if (operand_count(x) != 1) {
        import_bad(b, fail(SEPCL_BAD_FILE, "input '%s' should have one element", x->name));
        return def;
    }
    return data_float(x->type, x->data, 0);
}

int ints_of(onnx_build *b, const char *attribute, int input, int since, int64_t *out, int max)
{
    return onnx_of(b)->m->opset >= since ? param_ints(b, input, out, max) : attr_ints(b, attribute, out, max);
}
