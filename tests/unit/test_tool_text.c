/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, widths, hostile strings and tables as a terminal shows them. */
#include "tool_test.h"

#include "stats.h"
#include "table.h"
#include "text.h"

static void numbers(void **state)
{
    (void)state;
    char b[TEXT_SMALL];
    assert_string_equal(text_count(0, b), "0");
    assert_string_equal(text_count(999, b), "999");
    assert_string_equal(text_count(27648, b), "27,648");
    assert_string_equal(text_count(UINT64_MAX, b), "18,446,744,073,709,551,615");
    assert_string_equal(text_short(99999, b), "99,999");
    assert_string_equal(text_short(100000, b), "100.0k");
    assert_string_equal(text_short(999949, b), "999.9k");
    assert_string_equal(text_short(999950, b), "1.000M");
    assert_string_equal(text_short(585252864, b), "585.3M");
    assert_string_equal(text_short(12345678901, b), "12.35G");
    assert_string_equal(text_bytes(1023, b), "1023 bytes");
    assert_string_equal(text_bytes(1024, b), "1 KiB");
    assert_string_equal(text_bytes(14019488, b), "13.4 MiB");
    const sepcl_shape s = {4, {-1, 3, 224, 224}}, scalar = {0};
    assert_string_equal(text_shape(&s, b), "?x3x224x224");
    assert_string_equal(text_shape(&scalar, b), "scalar");
    const sepcl_shape longest = {
        8, {INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX, INT64_MAX}};
    assert_true(strlen(text_shape(&longest, b)) < TEXT_SMALL);
}

static void assert_clean(const char *raw, const char *want)
{
    char *got = text_clean(raw);
    assert_string_equal(got, want);
    free(got);
}

static void hostile_text(void **state)
{
    (void)state;
    assert_clean("plain", "plain");
    assert_clean("caf\u00e9 \u732b", "caf\u00e9 \u732b");
    assert_clean("\x1b[31mred\n", "\ufffd[31mred\ufffd");
    assert_clean("\xff\xc0\xaf!", "\ufffd\ufffd\ufffd!"); /* not UTF-8; overlong */
    assert_clean("\xed\xa0\x80", "\ufffd\ufffd\ufffd");   /* a surrogate */
    assert_clean("a\xe7\x8c", "a\ufffd\ufffd");           /* cut in a character */
    assert_clean("\u202egnp.exe", "\ufffdgnp.exe");       /* would turn the line around */
}

static void assert_fit(const char *raw, int width, const char *want)
{
    char *got = text_fit(raw, width);
    assert_string_equal(got, want);
    assert_true(text_width(got) <= width);
    free(got);
}

static void widths(void **state)
{
    (void)state;
    assert_int_equal(text_width("\u732bx\u0301"), 3);
    assert_fit("features.0.conv.weight", 30, "features.0.conv.weight");
    assert_fit("features.0.conv.weight", 11, "featu\u2026eight");
    assert_fit("\u732b\u732b\u732b\u732b", 5, "\u732b\u2026\u732b");
    assert_fit("abc", 1, "\u2026");
    assert_fit("abc", 0, "");
}

static void distance(void **state)
{
    (void)state;
    assert_int_equal(text_distance("", "abc"), 3);
    assert_int_equal(text_distance("device", "devise"), 1);
    assert_int_equal(text_distance("verison", "version"), 1);
    assert_int_equal(text_distance("kitten", "sitting"), 3);
}

static void quantiles(void **state)
{
    (void)state;
    double t[] = {5, 1, 3, 2, 4};
    stats_sort(t, 5);
    assert_true(stats_quantile(t, 5, 0) == 1 && stats_quantile(t, 5, 0.5) == 3 && stats_quantile(t, 5, 1) == 5);
    assert_true(stats_quantile(t, 5, 0.875) == 4.5);
    assert_true(stats_quantile(t, 1, 0.9) == 1);
}

/* Prints into memory; each line has to be as wide as the first and at most `width`. */
static char *print(const table *t, table_style style, int width)
{
    char  *text = NULL;
    size_t size = 0;
    FILE  *out = open_memstream(&text, &size);
    assert_non_null(out);
    table_print(t, out, style, width);
    fclose(out);
    return text;
}

static table *sample(void)
{
    const column columns[] = {{"Layer (type)", false, 12}, {"N", true, 0}};
    table       *t = table_new(columns, 2);
    table_cell(t, "%s\n(%s)", "conv", "Conv2D");
    table_cell(t, "%d", 75);
    table_cell(t, "%s\n(%s)", "a_rather_long_name", "DepthwiseConv2D");
    table_cell(t, "%d", 4800);
    table_span(t, "note");
    return t;
}

static void wide_table(void **state)
{
    (void)state;
    table *t = sample();
    char  *text = print(t, TABLE_BOX, 100);
    assert_string_equal(text, "┌──────────────────────────────────────┬──────┐\n"
                              "│ Layer (type)                         │    N │\n"
                              "├──────────────────────────────────────┼──────┤\n"
                              "│ conv (Conv2D)                        │   75 │\n"
                              "│ a_rather_long_name (DepthwiseConv2D) │ 4800 │\n"
                              "│   note                                      │\n"
                              "└──────────────────────────────────────┴──────┘\n");
    free(text);
    table_free(t);
}

static void narrow_table(void **state)
{
    (void)state;
    table *t = sample();
    char  *text = print(t, TABLE_BOX, 25);
    assert_string_equal(text, "┌────────────────┬──────┐\n"
                              "│ Layer (type)   │    N │\n"
                              "├────────────────┼──────┤\n"
                              "│ conv (Conv2D)  │   75 │\n"
                              "│ a_rathe…g_name │ 4800 │\n"
                              "│ (Depthw…onv2D) │      │\n"
                              "│   note                │\n"
                              "└────────────────┴──────┘\n");
    free(text);
    assert_int_equal(table_least(t, TABLE_BOX), 12 + 4 + 7);
    text = print(t, TABLE_PLAIN, 30);
    assert_true(text_width(strtok(text, "\n")) <= 30);
    free(text);
    table_free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers),      cmocka_unit_test(hostile_text), cmocka_unit_test(widths),
        cmocka_unit_test(distance),     cmocka_unit_test(quantiles),    cmocka_unit_test(wide_table),
        cmocka_unit_test(narrow_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
