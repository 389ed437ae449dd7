/* SPDX-License-Identifier: Apache-2.0 */
/* .npy arrays: every element type and order, strict headers, and files cut anywhere. */
#include "tool_test.h"

#include <math.h>

#include "npy.h"

typedef struct file {
    uint8_t bytes[4096];
    size_t  size;
} file;

/* A file of the given version with this dict and these elements. */
static file make(int version, const char *dict, const void *data, size_t size)
{
    file         f = {.size = 0};
    const size_t length = strlen(dict), begin = version == 1 ? 10 : 12;
    memcpy(f.bytes, "\x93NUMPY", 6);
    f.bytes[6] = (uint8_t)version;
    f.bytes[8] = (uint8_t)(length & 255);
    f.bytes[9] = (uint8_t)(length >> 8);
    memcpy(f.bytes + begin, dict, length);
    memcpy(f.bytes + begin + length, data, size);
    f.size = begin + length + size;
    return f;
}

static sepcl_status parse(const file *f, npy_array *out)
{
    uint8_t           *exact = exact_copy(f->bytes, f->size);
    const sepcl_status st = npy_parse(exact, f->size, "x.npy", out);
    free(exact);
    return st;
}

static void check_values(const char *descr, const void *data, size_t size, int count, const float *want)
{
    char      dict[128];
    npy_array a;
    snprintf(dict, sizeof(dict), "{'descr': '%s', 'fortran_order': False, 'shape': (%d,), }\n", descr, count);
    const file f = make(1, dict, data, size);
    assert_done(parse(&f, &a));
    assert_int_equal(a.shape.rank, 1);
    assert_int_equal(a.count, count);
    for (int i = 0; i < count; i++)
        if (!(a.data[i] == want[i] || (isnan(a.data[i]) && isnan(want[i]))))
            fail_msg("%s: element %d is %g, not %g", descr, i, (double)a.data[i], (double)want[i]);
    npy_free(&a);
}

static void element_types(void **state)
{
    (void)state;
    const float    f4[] = {1.5f, -2, NAN, INFINITY};
    const double   f8[] = {0.1, -1e300, 3};
    const uint16_t f2[] = {0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfe00, 0x8000, 0x03ff};
    const int8_t   i1[] = {-128, 127, 0};
    const uint8_t  u1[] = {255, 1, 0}, b1[] = {0, 1, 2};
    const int16_t  i2[] = {-32768, 5};
    const uint16_t u2[] = {65535, 5};
    const int32_t  i4[] = {INT32_MIN, 7};
    const uint32_t u4[] = {UINT32_MAX, 7};
    const int64_t  i8[] = {INT64_MIN, -1};
    const uint64_t u8[] = {UINT64_MAX, 9};
    check_values("<f4", f4, sizeof(f4), 4, f4);
    check_values("<f8", f8, sizeof(f8), 3, (float[]){0.1f, -INFINITY, 3});
    check_values("<f2", f2, sizeof(f2), 8, (float[]){1, -2, 0x1p-24f, 65504, INFINITY, NAN, -0.0f, 1023 * 0x1p-24f});
    check_values("|i1", i1, sizeof(i1), 3, (float[]){-128, 127, 0});
    check_values("|u1", u1, sizeof(u1), 3, (float[]){255, 1, 0});
    check_values("|b1", b1, sizeof(b1), 3, (float[]){0, 1, 1});
    check_values("<i2", i2, sizeof(i2), 2, (float[]){-32768, 5});
    check_values("<u2", u2, sizeof(u2), 2, (float[]){65535, 5});
    check_values("<i4", i4, sizeof(i4), 2, (float[]){-0x1p31f, 7});
    check_values("<u4", u4, sizeof(u4), 2, (float[]){0x1p32f, 7});
    check_values("<i8", i8, sizeof(i8), 2, (float[]){-0x1p63f, -1});
    check_values("<u8", u8, sizeof(u8), 2, (float[]){0x1p64f, 9});
}

static void big_endian(void **state)
{
    (void)state;
    const uint8_t f4[] = {0x3f, 0xc0, 0, 0, 0xc0, 0, 0, 0}, i2[] = {0xff, 0xfe, 1, 2},
                  f8[] = {0x40, 8, 0, 0, 0, 0, 0, 0};
    check_values(">f4", f4, sizeof(f4), 2, (float[]){1.5f, -2});
    check_values(">i2", i2, sizeof(i2), 2, (float[]){-2, 258});
    check_values(">f8", f8, sizeof(f8), 1, (float[]){3});
}

/* numpy: np.arange(24).reshape(2, 3, 4) saved in Fortran order lists its elements with the first index fastest. */
static void fortran_order(void **state)
{
    (void)state;
    uint8_t elements[24];
    int     n = 0;
    for (int k = 0; k < 4; k++)
        for (int j = 0; j < 3; j++)
            for (int i = 0; i < 2; i++)
                elements[n++] = (uint8_t)(12 * i + 4 * j + k);
    const file f = make(2, "{'shape': (2, 3, 4), 'fortran_order': True, 'descr': '|u1'}", elements, sizeof(elements));
    npy_array  a;
    assert_done(parse(&f, &a));
    assert_int_equal(a.shape.rank, 3);
    for (int i = 0; i < 24; i++)
        assert_true(a.data[i] == (float)i);
    npy_free(&a);
}

static void ranks(void **state)
{
    (void)state;
    const uint8_t one = 7;
    npy_array     a;
    file          f = make(3, "{\"descr\": \"|u1\", \"fortran_order\": False, \"shape\": ()}", &one, 1);
    assert_done(parse(&f, &a));
    assert_int_equal(a.shape.rank, 0);
    assert_int_equal(a.count, 1);
    assert_true(a.data[0] == 7);
    npy_free(&a);
    f = make(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1)}", &one, 1);
    assert_done(parse(&f, &a));
    assert_int_equal(a.shape.rank, 8);
    npy_free(&a);
    f = make(1, "{'descr': '|u1', 'fortran_order': False, 'shape': (1,1,1,1,1,1,1,1,1)}", &one, 1);
    assert_refused(SEPCL_BAD_FILE, "x.npy: more than 8 dimensions", parse(&f, &a));
}

static void bad_headers(void **state)
{
    (void)state;
    static const struct {
        const char *dict, *sentence;
    } cases[] = {
        {"", "no dict"},
        {"{}", "missing"},
        {"{'descr': '<f4', 'fortran_order': False}", "missing"},
        {"{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (1,)}", "twice"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,), 'more': 1}", "key that is not"},
        {"{'descr': '<f4' 'fortran_order': False, 'shape': (1,)}", "key with a value"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1)}", "no tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': 1}", "no tuple"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1 1)}", "lacks a comma"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (-1,)}", "no number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,", "no number"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0,)}", "no elements"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}", "over 2147483647"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2147483647, 2147483647)}",
         "more than 2147483647 elements"},
        {"{'descr': '<f4', 'fortran_order': 1, 'shape': (1,)}", "neither True nor False"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (1,)}", "type '<c8'"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (1,)}", "type '|O'"},
        {"{'descr': '|f4', 'fortran_order': False, 'shape': (1,)}", "type '|f4'"},
        {"{'descr': 'x\x1b[2J', 'fortran_order': False, 'shape': (1,)}", "type 'x?[2J'"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (1,)}", "records"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1,)} x", "follows the dict"},
    };
    const float one = 1;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        const file f = make(1, cases[i].dict, &one, sizeof(one));
        npy_array  a;
        assert_refused(SEPCL_BAD_FILE, cases[i].sentence, parse(&f, &a));
        assert_null(a.data);
    }
}

static void sizes(void **state)
{
    (void)state;
    const float two[] = {1, 2};
    const char *dict = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)}";
    file        f = make(1, dict, two, sizeof(two));
    npy_array   a;
    for (size_t size = 0; size < f.size; size++) { /* cut anywhere */
        const file cut = {.size = size};
        memcpy((void *)cut.bytes, f.bytes, size);
        assert_refused(SEPCL_BAD_FILE, "x.npy", parse(&cut, &a));
    }
    f.size++;
    assert_refused(SEPCL_BAD_FILE, "9 bytes of elements where its header wants 8", parse(&f, &a));
    f.size--;
    f.bytes[6] = 4;
    assert_refused(SEPCL_BAD_FILE, "version 4", parse(&f, &a));
    f.bytes[6] = 1;
    f.bytes[9] = 0xff;
    assert_refused(SEPCL_BAD_FILE, "ends within", parse(&f, &a));
}

/* Any byte of the header changed in any of several ways: refused or read, never more than that. */
static void damaged(void **state)
{
    (void)state;
    const float two[] = {1, 2};
    const file  whole = make(1, "{'descr': '<f4', 'fortran_order': False, 'shape': (2, 1), }", two, sizeof(two));
    for (size_t at = 0; at < whole.size; at++)
        for (int bit = 0; bit < 8; bit++) {
            file      f = whole;
            npy_array a;
            f.bytes[at] ^= (uint8_t)(1 << bit);
            if (parse(&f, &a) == SEPCL_OK)
                npy_free(&a);
        }
}

static void round_trip(void **state)
{
    (void)state;
    const sepcl_shape shapes[] = {{0}, {1, {6}}, {3, {1, 2, 3}}, {8, {1, 1, 1, 1, 1, 1, 2, 3}}};
    const float       data[6] = {1, -2, 3.25f, NAN, 0, 6};
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        char         header[NPY_HEADER];
        file         f;
        npy_array    a;
        const size_t count = i ? 6 : 1, length = npy_header(&shapes[i], header);
        assert_int_equal(length % 64, 0);
        memcpy(f.bytes, header, length);
        memcpy(f.bytes + length, data, count * sizeof(float));
        f.size = length + count * sizeof(float);
        assert_done(parse(&f, &a));
        assert_int_equal(a.shape.rank, shapes[i].rank);
        assert_memory_equal(a.shape.dims, shapes[i].dims, sizeof(a.shape.dims));
        assert_memory_equal(a.data, data, count * sizeof(float));
        npy_free(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(element_types), cmocka_unit_test(big_endian),  cmocka_unit_test(fortran_order),
        cmocka_unit_test(ranks),         cmocka_unit_test(bad_headers), cmocka_unit_test(sizes),
        cmocka_unit_test(damaged),       cmocka_unit_test(round_trip),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
