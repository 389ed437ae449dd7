/* SPDX-License-Identifier: Apache-2.0 */
/* ZIP archives: members that are packed, the wider numbers of large archives, and archives that are malformed. */
#include "scratch.h"

#include <zlib.h>

#include "import/keras_zip.h"

typedef struct bytes {
    uint8_t p[2048];
    size_t  n;
} bytes;

static size_t raw(bytes *b, const void *p, size_t n)
{
    const size_t at = b->n;
    assert_true(b->n + n <= sizeof b->p);
    memcpy(b->p + at, p, n);
    b->n += n;
    return at;
}

/* n bytes, 16 at most; those beyond the number's own are 0. */
static size_t put(bytes *b, uint64_t v, size_t n)
{
    const uint64_t wide[2] = {v, 0};
    assert_true(n <= sizeof wide);
    return raw(b, wide, n);
}

static void set(bytes *b, size_t at, uint64_t v, size_t n)
{
    memcpy(b->p + at, &v, n);
}

static const char text[] = "one two three one two three one two three";
#define TEXT (sizeof text - 1)

/* An archive of one member called "m", and where its parts are. */
typedef struct archive {
    bytes  b;
    size_t local, data, entry, extra, wide, locator, end;
} archive;

typedef struct kind {
    bool packed;
    bool wide;       /* the directory is found by wider numbers */
    bool wide_entry; /* so are the member's sizes and place */
} kind;

static archive make(kind k)
{
    archive       a = {.local = 0};
    uint8_t       packed[256];
    uLongf        n = TEXT;
    const uint8_t extra = k.wide_entry ? 4 + 2 + 4 + 24 : 0; /* another kind of extra field comes first */
    memcpy(packed, text, TEXT);
    if (k.packed) {
        z_stream z = {.next_in = (Bytef *)text, .avail_in = TEXT, .next_out = packed, .avail_out = sizeof packed};
        assert_int_equal(deflateInit2(&z, 9, Z_DEFLATED, -MAX_WBITS, 8, Z_DEFAULT_STRATEGY), Z_OK);
        assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
        n = z.total_out;
        deflateEnd(&z);
    }
    raw(&a.b, "PK\3\4\24\0\0\0", 8);
    put(&a.b, k.packed ? 8 : 0, 2);
    put(&a.b, 0, 4 + 4 + 4);
    put(&a.b, 0, 4);
    put(&a.b, 1, 2);
    put(&a.b, 0, 2);
    raw(&a.b, "m", 1);
    a.data = raw(&a.b, packed, n);
    a.entry = raw(&a.b, "PK\1\2\24\0\24\0\0\0", 10);
    put(&a.b, k.packed ? 8 : 0, 2);
    put(&a.b, 0, 4);
    put(&a.b, crc32(0, (const Bytef *)text, TEXT), 4);
    put(&a.b, k.wide_entry ? UINT32_MAX : n, 4);
    put(&a.b, k.wide_entry ? UINT32_MAX : TEXT, 4);
    put(&a.b, 1, 2);
    put(&a.b, extra, 2);
    put(&a.b, 0, 2 + 2 + 2 + 4);
    put(&a.b, k.wide_entry ? UINT32_MAX : a.local, 4);
    raw(&a.b, "m", 1);
    a.extra = a.b.n;
    if (k.wide_entry) {
        put(&a.b, 0x5455, 2);
        put(&a.b, 2, 2);
        put(&a.b, 0, 2);
        put(&a.b, 1, 2);
        put(&a.b, 24, 2);
        put(&a.b, TEXT, 8);
        put(&a.b, n, 8);
        put(&a.b, a.local, 8);
    }
    const size_t size = a.b.n - a.entry;
    if (k.wide) {
        a.wide = raw(&a.b, "PK\6\6", 4);
        put(&a.b, 44, 8);
        put(&a.b, 0, 8);
        put(&a.b, 0, 4);
        put(&a.b, 1, 8);
        put(&a.b, 1, 8);
        put(&a.b, size, 8);
        put(&a.b, a.entry, 8);
        a.locator = raw(&a.b, "PK\6\7", 4);
        put(&a.b, 0, 4);
        put(&a.b, a.wide, 8);
        put(&a.b, 1, 4);
    }
    a.end = raw(&a.b, "PK\5\6\0\0\0\0", 8);
    put(&a.b, k.wide ? UINT16_MAX : 1, 2);
    put(&a.b, k.wide ? UINT16_MAX : 1, 2);
    put(&a.b, k.wide ? UINT32_MAX : size, 4);
    put(&a.b, k.wide ? UINT32_MAX : a.entry, 4);
    put(&a.b, 0, 2);
    return a;
}

/* Finds the member, in memory of the archive's exact size, and unpacks it. */
static status look(const archive *a, const char *name, bool *found, char *to)
{
    uint8_t   *copy = malloc(a->b.n);
    zip_member m = {0};
    assert_non_null(copy);
    memcpy(copy, a->b.p, a->b.n);
    status st = zip_find(copy, a->b.n, name, &m, found);
    memset(to, 0, sizeof text);
    if (st == SEPCL_OK && *found) {
        assert_int_equal(m.size, TEXT);
        if (m.deflated)
            st = zip_unpack(&m, (uint8_t *)to);
        else
            memcpy(to, m.data, m.size);
    }
    free(copy);
    return st;
}

static void found_and_unpacked(void **state)
{
    char to[sizeof text];
    bool found;
    (void)state;
    for (int i = 0; i < 8; i++) {
        const archive a = make((kind){.packed = i & 1, .wide = i & 2, .wide_entry = i & 4});
        assert_ok(look(&a, "m", &found, to));
        assert_true(found);
        assert_string_equal(to, text);
        assert_ok(look(&a, "n", &found, to));
        assert_false(found);
        assert_ok(look(&a, "more", &found, to));
        assert_false(found);
    }
}

static void sniffed(void **state)
{
    (void)state;
    assert_true(zip_sniff((const uint8_t *)"PK\3\4", 4));
    assert_true(zip_sniff((const uint8_t *)"PK\5\6", 4));
    assert_false(zip_sniff((const uint8_t *)"PK\1\2", 4));
    assert_false(zip_sniff((const uint8_t *)"PK\3", 3));
}

/* A number of the archive that is another one. */
static void malformed(void **state)
{
    static const kind plain = {0}, packed = {.packed = true}, wide = {.wide = true}, wide_entry = {.wide_entry = true};
    const archive     p = make(plain), d = make(packed), w = make(wide), e = make(wide_entry);
    const struct {
        const archive *of;
        size_t         at;
        uint64_t       v;
        size_t         n;
        status         want;
        const char    *words;
    } rows[] = {
        {&p, p.end, 0, 1, SEPCL_BAD_FILE, "has no end record"},
        {&p, p.end + 20, 1, 2, SEPCL_BAD_FILE, "has no end record"},
        {&p, p.end + 12, UINT32_MAX, 4, SEPCL_BAD_FILE, "the list of members reaches beyond the archive"},
        {&p, p.end + 16, p.end + 1, 4, SEPCL_BAD_FILE, "the list of members reaches beyond the archive"},
        {&p, p.end + 12, p.end - p.entry + 1, 4, SEPCL_BAD_FILE, "the list of members reaches beyond the archive"},
        {&p, p.entry, 0, 1, SEPCL_BAD_FILE, "the list of members ends after 0 of 1"},
        {&p, p.entry + 28, 99, 2, SEPCL_BAD_FILE, "an entry reaches beyond the list of members"},
        {&p, p.entry + 8, 1, 2, SEPCL_UNSUPPORTED, "'m' is encrypted"},
        {&p, p.entry + 10, 9, 2, SEPCL_UNSUPPORTED, "'m' is packed by method 9"},
        {&p, p.entry + 24, TEXT + 1, 4, SEPCL_BAD_FILE, "'m' is stored as it is, but in"},
        {&d, d.entry + 20, 9999, 4, SEPCL_BAD_FILE, "'m' with 9999 bytes reaches beyond the archive"},
        {&d, d.entry + 20, d.b.n - 1, 4, SEPCL_BAD_FILE, "reaches beyond the archive"},
        {&p, p.local, 0, 1, SEPCL_BAD_FILE, "'m' has no header where it should be"},
        {&p, p.entry + 42, p.b.n - 29, 4, SEPCL_BAD_FILE, "'m' has no header where it should be"},
        {&p, p.local + 26, 60000, 2, SEPCL_BAD_FILE, "reaches beyond the archive"},
        {&d, d.data, 7, 1, SEPCL_BAD_FILE, "packed data is damaged"},
        {&d, d.entry + 16, 1, 4, SEPCL_BAD_FILE, "does not have the checksum"},
        {&w, w.locator + 8, 9999, 8, SEPCL_BAD_FILE, "the list of members reaches beyond the archive"},
        {&w, w.wide, 0, 1, SEPCL_BAD_FILE, "the list of members reaches beyond the archive"},
        {&w, w.locator, 0, 1, SEPCL_BAD_FILE, "the list of members reaches beyond the archive"},
        {&w, w.wide + 48, UINT64_MAX, 8, SEPCL_BAD_FILE, "the list of members reaches beyond the archive"},
        {&e, e.extra + 2, 999, 2, SEPCL_BAD_FILE, "the entry of 'm' is malformed"},
        {&e, e.extra + 8, 23, 2, SEPCL_BAD_FILE, "the entry of 'm' is malformed"},
        {&e, e.extra + 6, 2, 2, SEPCL_BAD_FILE, "reaches beyond the archive"}, /* no wider numbers */
        {&e, e.extra + 26, UINT64_MAX, 8, SEPCL_BAD_FILE, "'m' has no header where it should be"},
    };
    char to[sizeof text];
    bool found;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        archive a = *rows[i].of;
        set(&a.b, rows[i].at, rows[i].v, rows[i].n);
        const status st = look(&a, "m", &found, to);
        if (st != rows[i].want || !strstr(error_sentence(), rows[i].words))
            test_fail("row %zu: status %d, '%s' (want '%s')\n", i, st, st ? error_sentence() : "", rows[i].words);
    }
}

/* An end record that counts more members than there are. */
static void too_few(void **state)
{
    char    to[sizeof text];
    bool    found;
    archive a = make((kind){.packed = false});
    (void)state;
    set(&a.b, a.end + 10, 2, 2);
    assert_fails(SEPCL_BAD_FILE, "the list of members ends after 1 of 2", look(&a, "n", &found, to));
    set(&a.b, a.end + 10, UINT16_MAX, 2); /* there are no wider numbers */
    assert_fails(SEPCL_BAD_FILE, "the list of members ends after 1 of 65535", look(&a, "n", &found, to));
}

/* Only an end record, which promises wider numbers, with and without room for them in front. */
static void nothing_but_an_end(void **state)
{
    char to[sizeof text];
    bool found;
    (void)state;
    for (int room = 0; room < 3; room++) {
        archive a = {.local = 0};
        if (room) {
            raw(&a.b, room == 2 ? "PK\6\7" : "....", 4);
            put(&a.b, 0, 8);
            put(&a.b, 0, 8);
        }
        raw(&a.b, "PK\5\6\0\0\0\0\xff\xff\xff\xff", 12);
        put(&a.b, 0, 8);
        put(&a.b, 0, 2);
        assert_fails(SEPCL_BAD_FILE, room == 2 ? "reaches beyond the archive" : "ends after 0 of 65535",
                     look(&a, "m", &found, to));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(found_and_unpacked), cmocka_unit_test(sniffed),
        cmocka_unit_test(malformed),          cmocka_unit_test(too_few),
        cmocka_unit_test(nothing_but_an_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
