/* SPDX-License-Identifier: Apache-2.0 */
/* The option parser: every form that an option can take on the command line, and what is said of wrong ones. */
#include "tool_test.h"

#include "options.h"
#include "text.h"

static struct {
    bool           flag, check;
    int            count, choice;
    const char    *text;
    option_list    list;
    option_numbers numbers;
    int64_t        number;
    double         real;
} v;

static const char *const colours[] = {"red", "green", "blue", NULL};
static const option_def  table[] = {
     {.name = "flag", .letter = 'f', .group = "A", .help = "a flag", .kind = OPTION_FLAG, .value = &v.flag},
     {.name = "verbose", .letter = 'v', .group = "B", .help = "more", .kind = OPTION_COUNT, .value = &v.count},
     {.name = "device",
      .letter = 'd',
      .arg = "SEL",
      .group = "A",
      .help = "text",
      .kind = OPTION_TEXT,
      .value = &v.text},
     {.name = "item", .letter = 'i', .arg = "X", .group = "B", .help = "list", .kind = OPTION_LIST, .value = &v.list},
     {.name = "colour",
      .arg = "C",
      .group = "A",
      .help = "a choice",
      .kind = OPTION_CHOICE,
      .value = &v.choice,
      .choices = colours},
     {.name = "number",
      .letter = 'n',
      .arg = "N",
      .group = "A",
      .help = "whole",
      .kind = OPTION_INT,
      .value = &v.number,
      .min = 1,
      .max = 10},
     {.name = "mean", .arg = "M", .group = "A", .help = "numbers", .kind = OPTION_NUMBERS, .value = &v.numbers},
     {.name = "check",
      .arg = "TOL",
      .group = "A",
      .help = "optional",
      .kind = OPTION_REAL,
      .optional = true,
      .value = &v.real,
      .given = &v.check,
      .min = 0,
      .max = 1},
     {.name = "help", .letter = 'h', .group = "B", .help = "help", .kind = OPTION_HELP},
     {.name = "version", .group = "B", .help = "version", .kind = OPTION_VERSION},
     {0},
};

#define PARSE(...) parse((const char *const[]){"program", __VA_ARGS__, NULL})
static options_result result;

static sepcl_status parse(const char *const *argv)
{
    int n = 0;
    options_release(table, &result);
    memset(&v, 0, sizeof(v));
    while (argv[n])
        n++;
    return options_parse(table, n, (char **)argv, &result);
}

static int tear_down(void **state)
{
    (void)state;
    options_release(table, &result);
    return 0;
}

static void forms(void **state)
{
    (void)state;
    assert_done(PARSE("a", "--flag", "--device=gpu", "b", "-vv", "-v"));
    assert_true(v.flag);
    assert_string_equal(v.text, "gpu");
    assert_int_equal(v.count, 3);
    assert_int_equal(result.count, 2);
    assert_string_equal(result.args[0], "a");
    assert_string_equal(result.args[1], "b");
    assert_done(PARSE("--device", "0:1", "-i", "x", "-iy", "--item=z=1"));
    assert_string_equal(v.text, "0:1");
    assert_int_equal(v.list.count, 3);
    assert_string_equal(v.list.items[1], "y");
    assert_string_equal(v.list.items[2], "z=1");
    assert_done(PARSE("-fvd", "cpu", "-"));
    assert_true(v.flag);
    assert_int_equal(v.count, 1);
    assert_string_equal(v.text, "cpu");
    assert_string_equal(result.args[0], "-");
    assert_done(PARSE("--", "--flag", "-x"));
    assert_false(v.flag);
    assert_int_equal(result.count, 2);
    assert_done(PARSE("--device=a", "--device=b")); /* the last one counts */
    assert_string_equal(v.text, "b");
}

static void values(void **state)
{
    (void)state;
    assert_done(PARSE("--colour=blue", "-n10", "--mean", "-1.5,1/255,2e1"));
    assert_int_equal(v.choice, 2);
    assert_int_equal(v.number, 10);
    assert_int_equal(v.numbers.count, 3);
    assert_true(v.numbers.v[0] == -1.5 && v.numbers.v[1] == 1.0 / 255 && v.numbers.v[2] == 20);
    assert_done(PARSE("--check", "x"));
    assert_true(v.check && v.real == 0 && result.count == 1);
    assert_done(PARSE("--check=1/4"));
    assert_true(v.check && v.real == 0.25);
    assert_done(PARSE("x", "--version", "--nonsense"));
    assert_true(result.version);
    assert_done(PARSE("-h"));
    assert_true(result.help);
}

static void usage_errors(void **state)
{
    (void)state;
    assert_refused(SEPCL_INVALID, "unknown option --devise; did you mean --device?", PARSE("--devise=x"));
    assert_refused(SEPCL_INVALID, "did you mean --device?", PARSE("--dev"));
    assert_refused(SEPCL_INVALID, "did you mean --version?", PARSE("--verison"));
    assert_refused(SEPCL_INVALID, "unknown option --xylophone", PARSE("--xylophone"));
    assert_null(strstr(tool_sentence(), "did you mean"));
    assert_refused(SEPCL_INVALID, "unknown option -x", PARSE("-vx"));
    assert_refused(SEPCL_INVALID, "'--=' is no option", PARSE("--=x"));
    assert_refused(SEPCL_INVALID, "--flag takes no argument", PARSE("--flag=1"));
    assert_refused(SEPCL_INVALID, "--device needs an argument: SEL", PARSE("--device"));
    assert_refused(SEPCL_INVALID, "-d needs an argument: SEL", PARSE("-d"));
    assert_refused(SEPCL_INVALID, "--device needs SEL, not an empty text", PARSE("--device="));
    assert_refused(SEPCL_INVALID, "--colour takes red, green or blue, not 'pink'", PARSE("--colour", "pink"));
    assert_refused(SEPCL_INVALID, "whole number from 1 to 10, not '11'", PARSE("-n", "11"));
    assert_refused(SEPCL_INVALID, "not '0x3'", PARSE("-n", "0x3"));
    assert_refused(SEPCL_INVALID, "not ' 3'", PARSE("-n", " 3"));
    assert_refused(SEPCL_INVALID, "not '99999999999999999999'", PARSE("-n", "99999999999999999999"));
    assert_refused(SEPCL_INVALID, "--check takes a number, not 'nan'", PARSE("--check=nan"));
    assert_refused(SEPCL_INVALID, "--check takes a number, not '1/0'", PARSE("--check=1/0"));
    assert_refused(SEPCL_INVALID, "a number from 0 to 1, not '2'", PARSE("--check=2"));
    assert_refused(SEPCL_INVALID, "--mean takes numbers with commas between", PARSE("--mean=1,,2"));
    assert_refused(SEPCL_INVALID, "--mean takes numbers with commas between", PARSE("--mean="));
    assert_refused(SEPCL_INVALID, "at most 16 numbers", PARSE("--mean=1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1,1"));
}

/* Every option stands in the help, under its group's heading, and no line is too wide. */
static void help(void **state)
{
    (void)state;
    char  *text = NULL;
    size_t size = 0;
    FILE  *out = open_memstream(&text, &size);
    assert_non_null(out);
    options_help(table, out, 60);
    fclose(out);
    for (const option_def *o = table; o->name; o++) {
        char *form = text_format("--%s", o->name);
        assert_non_null(strstr(text, form));
        free(form);
    }
    assert_non_null(strstr(text, "--check[=TOL]"));
    assert_non_null(strstr(text, "-d, --device SEL"));
    assert_true(strstr(text, "\nA\n") < strstr(text, "--check") && strstr(text, "--check") < strstr(text, "\nB\n"));
    for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"))
        assert_true(text_width(line) <= 60);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),
        cmocka_unit_test(values),
        cmocka_unit_test(usage_errors),
        cmocka_unit_test(help),
    };
    return cmocka_run_group_tests(tests, NULL, tear_down);
}
