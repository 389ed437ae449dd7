/* SPDX-License-Identifier: Apache-2.0 */
#include "npy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "elements are written as they lie in memory, which must be little-endian"
#endif

static const uint8_t magic[6] = {0x93, 'N', 'U', 'M', 'P', 'Y'};

/* What a header says. */
typedef struct header {
    char        order, type; /* '<' or '>', then NumPy's kind character */
    int         width;       /* bytes of an element */
    bool        fortran;
    sepcl_shape shape;
} header;

/* Text being read: at moves towards end. */
typedef struct cursor {
    const char *at, *end, *name;
} cursor;

static sepcl_status bad(const cursor *c, const char *what)
{
    return tool_fail(SEPCL_BAD_FILE, "%s: bad .npy header: %s", c->name, what);
}

/* ---------------------------------------------------------------- the header, a Python dict */

static void skip_blanks(cursor *c)
{
    while (c->at < c->end && (*c->at == ' ' || *c->at == '\t' || *c->at == '\n' || *c->at == '\r'))
        c->at++;
}

static bool take(cursor *c, char wanted)
{
    skip_blanks(c);
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool take_word(cursor *c, const char *word)
{
    const size_t n = strlen(word);
    skip_blanks(c);
    if ((size_t)(c->end - c->at) < n || memcmp(c->at, word, n))
        return false;
    c->at += n;
    return true;
}

/* A quoted text without escapes. */
static bool take_text(cursor *c, char *buffer, size_t size)
{
    skip_blanks(c);
    if (c->at == c->end || (*c->at != '\'' && *c->at != '"'))
        return false;
    const char  quote = *c->at++;
    const char *close = memchr(c->at, quote, (size_t)(c->end - c->at));
    if (!close || (size_t)(close - c->at) >= size || memchr(c->at, '\\', (size_t)(close - c->at)))
        return false;
    memcpy(buffer, c->at, (size_t)(close - c->at));
    buffer[close - c->at] = 0;
    c->at = close + 1;
    return true;
}

static sepcl_status parse_descr(cursor *c, header *h)
{
    static const char *const known[] = {"f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1"};
    char                     text[32];
    if (!take_text(c, text, sizeof(text)))
        return bad(c, "'descr' is no element type (arrays of records are not read)");
    if (strlen(text) == 3 && strchr("<>|=", text[0]))
        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
            if (!strcmp(text + 1, known[i])) {
                h->order = text[0];
                h->type = text[1];
                h->width = text[2] - '0';
                if ((h->order == '|') == (h->width == 1)) /* '|': order does not matter */
                    return SEPCL_OK;
            }
    for (char *p = text; *p; p++)
        if (*p < ' ' || *p > '~')
            *p = '?';
    return tool_fail(SEPCL_BAD_FILE,
                     "%s: elements of type '%s' cannot be read (floats, integers and booleans of 1 to 8 bytes can)",
                     c->name, text);
}

static sepcl_status parse_shape(cursor *c, header *h)
{
    bool comma = false;
    h->shape = (sepcl_shape){0};
    if (!take(c, '('))
        return bad(c, "'shape' is no tuple");
    while (!take(c, ')')) {
        int64_t value = 0;
        if (h->shape.rank > 0 && !comma)
            return bad(c, "'shape' lacks a comma");
        if (h->shape.rank == SEPCL_MAX_RANK)
            return tool_fail(SEPCL_BAD_FILE, "%s: more than %d dimensions", c->name, SEPCL_MAX_RANK);
        const char *begin = c->at;
        for (; c->at < c->end && *c->at >= '0' && *c->at <= '9'; c->at++) {
            value = 10 * value + (*c->at - '0');
            if (value > NPY_ELEMENTS)
                return tool_fail(SEPCL_BAD_FILE, "%s: a dimension is over %d", c->name, NPY_ELEMENTS);
        }
        if (c->at == begin)
            return bad(c, "'shape' holds something that is no number");
        h->shape.dims[h->shape.rank++] = value;
        comma = take(c, ',');
        skip_blanks(c);
    }
    return h->shape.rank == 1 && !comma ? bad(c, "'shape' is no tuple") : SEPCL_OK;
}

static sepcl_status parse_order(cursor *c, header *h)
{
    if (take_word(c, "True"))
        h->fortran = true;
    else if (take_word(c, "False"))
        h->fortran = false;
    else
        return bad(c, "'fortran_order' is neither True nor False");
    return SEPCL_OK;
}

static sepcl_status parse_header(cursor *c, header *h)
{
    static const char *const names[] = {"descr", "fortran_order", "shape"};
    sepcl_status (*const parse[])(cursor *, header *) = {parse_descr, parse_order, parse_shape};
    unsigned seen = 0;
    bool     comma = true;
    *h = (header){0};
    if (!take(c, '{'))
        return bad(c, "it is no dict");
    while (!take(c, '}')) {
        char key[32];
        int  k = 0;
        if (!comma || !take_text(c, key, sizeof(key)) || !take(c, ':'))
            return bad(c, "a key with a value was expected");
        while (k < 3 && strcmp(key, names[k]))
            k++;
        if (k == 3 || (seen & 1u << k))
            return bad(c, k == 3 ? "it holds a key that is not descr, fortran_order or shape" : "a key occurs twice");
        TRY(parse[k](c, h));
        seen |= 1u << k;
        comma = take(c, ',');
    }
    skip_blanks(c);
    if (seen != 7)
        return bad(c, "descr, fortran_order or shape is missing");
    return c->at == c->end ? SEPCL_OK : bad(c, "something follows the dict");
}

/* ---------------------------------------------------------------- elements */

static float half_value(uint16_t h)
{
    const int      exponent = h >> 10 & 31;
    const uint32_t mantissa = h & 1023;
    const float    sign = h >> 15 ? -1.0f : 1.0f;
    if (exponent == 31)
        return mantissa ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexpf((float)(1024 + mantissa), exponent - 25) : ldexpf((float)mantissa, -24));
}

static float element(const npy_view *h, const uint8_t *p)
{
    uint64_t bits = 0;
    for (int i = 0; i < h->width; i++)
        bits |= (uint64_t)p[h->order == '>' ? h->width - 1 - i : i] << 8 * i;
    if (h->type == 'f') {
        float    f;
        double   d;
        uint32_t low = (uint32_t)bits;
        if (h->width == 2)
            return half_value((uint16_t)bits);
        if (h->width == 4) {
            memcpy(&f, &low, sizeof(f));
            return f;
        }
        memcpy(&d, &bits, sizeof(d));
        return (float)d;
    }
    if (h->type == 'b')
        return bits != 0;
    if (h->type == 'u')
        return (float)bits;
    const uint64_t sign = (uint64_t)1 << (8 * h->width - 1);
    return (float)(int64_t)((bits ^ sign) - sign);
}

/* C order out of Fortran order: walks the file's elements and steps through the array's index with the first dimension
   fastest. */
static void fill_fortran(const npy_view *h, float *out)
{
    const uint8_t *p = h->bytes;
    size_t         stride[SEPCL_MAX_RANK], to = 0;
    int64_t        index[SEPCL_MAX_RANK] = {0};
    size_t         step = 1;
    for (int d = h->shape.rank - 1; d >= 0; d--) {
        stride[d] = step;
        step *= (size_t)h->shape.dims[d];
    }
    for (size_t i = 0; i < h->count; i++, p += h->width) {
        out[to] = element(h, p);
        for (int d = 0; d < h->shape.rank; d++) {
            to += stride[d];
            if (++index[d] < h->shape.dims[d])
                break;
            to -= stride[d] * (size_t)h->shape.dims[d];
            index[d] = 0;
        }
    }
}

void npy_elements(const npy_view *v, size_t first, size_t count, float *out)
{
    const uint8_t *p = v->bytes + first * (size_t)v->width;
    if (v->type == 'f' && v->width == 4 && v->order != '>')
        memcpy(out, p, 4 * count);
    else
        for (size_t i = 0; i < count; i++)
            out[i] = element(v, p + i * (size_t)v->width);
}

/* ---------------------------------------------------------------- files */

bool npy_is(const uint8_t *bytes, size_t size)
{
    return size >= sizeof(magic) && !memcmp(bytes, magic, sizeof(magic));
}

/* Where the elements begin, from the fixed part of the file. */
static sepcl_status find_header(const uint8_t *bytes, size_t size, cursor *c, size_t *data_out)
{
    const char *name = c->name;
    if (!npy_is(bytes, size))
        return tool_fail(SEPCL_BAD_FILE, "%s is no .npy file", name);
    const int    version = size > 6 ? bytes[6] : 1;
    const size_t begin = version == 1 ? 10 : 12;
    if (version < 1 || version > 3)
        return tool_fail(SEPCL_BAD_FILE, "%s: .npy version %d is not known (1 to 3 are)", name, version);
    if (size < begin)
        return tool_fail(SEPCL_BAD_FILE, "%s ends within its .npy header", name);
    size_t length = bytes[8] | (size_t)bytes[9] << 8;
    if (version > 1)
        length |= (size_t)bytes[10] << 16 | (size_t)bytes[11] << 24;
    if (length > size - begin)
        return tool_fail(SEPCL_BAD_FILE, "%s ends within its .npy header", name);
    c->at = (const char *)bytes + begin;
    c->end = c->at + length;
    *data_out = begin + length;
    return SEPCL_OK;
}

static sepcl_status count_elements(const cursor *c, const header *h, int64_t most, size_t *count_out)
{
    int64_t count = 1;
    for (int i = 0; i < h->shape.rank; i++) {
        if (__builtin_mul_overflow(count, h->shape.dims[i], &count) || count > most)
            return tool_fail(SEPCL_BAD_FILE, "%s: more than %" PRId64 " elements", c->name, most);
    }
    if (count == 0)
        return tool_fail(SEPCL_BAD_FILE, "%s: the array has no elements", c->name);
    *count_out = (size_t)count;
    return SEPCL_OK;
}

/* Everything but the elements. */
static sepcl_status look(const uint8_t *bytes, size_t size, const char *name, int64_t most, npy_view *out,
                         bool *fortran)
{
    cursor c = {.name = name};
    header h;
    size_t begin = 0;
    *out = (npy_view){0};
    TRY(find_header(bytes, size, &c, &begin));
    TRY(parse_header(&c, &h));
    TRY(count_elements(&c, &h, most, &out->count));
    const size_t want = out->count * (size_t)h.width, have = size - begin; /* most is at most 2^60 */
    if (have != want)
        return tool_fail(SEPCL_BAD_FILE, "%s holds %zu bytes of elements where its header wants %zu", name, have, want);
    out->shape = h.shape;
    out->bytes = bytes + begin;
    out->order = h.order;
    out->type = h.type;
    out->width = h.width;
    *fortran = h.fortran;
    return SEPCL_OK;
}

sepcl_status npy_look(const uint8_t *bytes, size_t size, const char *name, npy_view *out)
{
    bool fortran;
    TRY(look(bytes, size, name, (int64_t)1 << 60, out, &fortran));
    if (fortran && out->shape.rank > 1)
        return tool_fail(SEPCL_BAD_FILE, "%s is in Fortran order, in which a row's elements are not together", name);
    return SEPCL_OK;
}

sepcl_status npy_parse(const uint8_t *bytes, size_t size, const char *name, npy_array *out)
{
    npy_view v;
    bool     fortran;
    *out = (npy_array){0};
    TRY(look(bytes, size, name, NPY_ELEMENTS, &v, &fortran));
    out->data = malloc(v.count * sizeof(float));
    if (!out->data)
        return tool_fail(SEPCL_OUT_OF_MEMORY, "%s: no memory for %zu elements", name, v.count);
    out->shape = v.shape;
    out->count = v.count;
    if (fortran)
        fill_fortran(&v, out->data);
    else
        npy_elements(&v, 0, v.count, out->data);
    return SEPCL_OK;
}

void npy_free(npy_array *a)
{
    free(a->data);
    *a = (npy_array){0};
}

size_t npy_header(const sepcl_shape *shape, char buffer[NPY_HEADER])
{
    char text[NPY_HEADER - 16];
    int  at = snprintf(text, sizeof(text), "{'descr': '<f4', 'fortran_order': False, 'shape': (");
    for (int i = 0; i < shape->rank; i++)
        at += snprintf(text + at, sizeof(text) - (size_t)at, "%s%" PRId64, i ? ", " : "", shape->dims[i]);
    at += snprintf(text + at, sizeof(text) - (size_t)at, "%s), }", shape->rank == 1 ? "," : "");
    const size_t total = (10 + (size_t)at + 1 + 63) / 64 * 64,
                 length = total - 10; /* data begins at a multiple of 64 */
    memcpy(buffer, magic, sizeof(magic));
    buffer[6] = 1;
    buffer[7] = 0;
    buffer[8] = (char)(length & 255);
    buffer[9] = (char)(length >> 8);
    memcpy(buffer + 10, text, (size_t)at);
    memset(buffer + 10 + at, ' ', length - (size_t)at - 1);
    buffer[total - 1] = '\n';
    return total;
}
