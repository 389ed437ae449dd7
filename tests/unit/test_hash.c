/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include "base/hash.h"

/* The authors' vectors: key 00 01 ... 0f, input 00 01 ... of the given length. */
static void published_vectors(void **state)
{
    static const struct {
        size_t      length;
        const char *hex;
    } vectors[] = {
        {0, "a3817f04ba25a8e66df67214c7550293"},  {1, "da87c1d86b99af44347659119b22fc45"},
        {7, "a1f1ebbed8dbc153c0b84aa61ff08239"},  {8, "3b62a9ba6258f5610f83e264f31497b4"},
        {15, "5493e99933b0a8117e08ec0f97cfc3d9"}, {63, "5150d1772f50834a503e069a973fbd7c"},
    };
    uint8_t key[16], input[64];
    char    hex[HASH_TEXT];
    (void)state;
    for (int i = 0; i < 64; i++)
        input[i] = (uint8_t)i;
    memcpy(key, input, sizeof key);
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        hasher h;
        hash_begin_keyed(&h, key);
        hash_bytes(&h, input, vectors[i].length);
        const hash128 got = hash_end(&h);
        assert_string_equal(hash_hex(&got, hex), vectors[i].hex);
    }
}

static void pieces_do_not_matter(void **state)
{
    uint8_t data[100];
    (void)state;
    for (int i = 0; i < 100; i++)
        data[i] = (uint8_t)(37 * i + 11);
    const hash128 whole = hash_of(data, sizeof data);
    for (size_t a = 0; a <= sizeof data; a++) {
        for (size_t b = a; b <= sizeof data; b += 3) {
            hasher h;
            hash_begin(&h);
            hash_bytes(&h, data, a);
            hash_bytes(&h, data + a, b - a);
            hash_bytes(&h, data + b, sizeof data - b);
            const hash128 got = hash_end(&h);
            assert_true(hash_equal(&got, &whole));
        }
    }
}

static hash128 of_texts(const char *a, const char *b)
{
    hasher h;
    hash_begin(&h);
    hash_text(&h, a);
    hash_text(&h, b);
    return hash_end(&h);
}

static void texts_keep_their_ends(void **state)
{
    const hash128 x = of_texts("ab", "c"), y = of_texts("a", "bc"), z = of_texts(NULL, "abc"), e = of_texts("", "abc");
    (void)state;
    assert_false(hash_equal(&x, &y));
    assert_false(hash_equal(&y, &z));
    assert_true(hash_equal(&z, &e));
}

static void every_bit_counts(void **state)
{
    uint8_t       data[33] = {0};
    const hash128 zero = hash_of(data, sizeof data);
    (void)state;
    for (size_t bit = 0; bit < 8 * sizeof data; bit++) {
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        const hash128 other = hash_of(data, sizeof data);
        data[bit / 8] ^= (uint8_t)(1u << bit % 8);
        int changed = 0;
        for (int i = 0; i < 16; i++)
            changed += __builtin_popcount(zero.byte[i] ^ other.byte[i]);
        assert_in_range(changed, 30, 98); /* 64 expected, standard deviation 5.7 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(pieces_do_not_matter),
        cmocka_unit_test(texts_keep_their_ends),
        cmocka_unit_test(every_bit_counts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
