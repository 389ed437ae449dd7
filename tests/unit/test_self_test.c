/* SPDX-License-Identifier: Apache-2.0 */
/* The self-test of a device, by the ops that take least: what it tells, when it stops, and what --one-in-n leaves out.
 */
#include "scratch.h"

#include "api.h"

#define MOST 400

typedef struct heard {
    char kernels[MOST][200]; /* with their parameters */
    int  n, cases, stop_at;  /* stop_at: the result that says stop; 0: none */
} heard;

static bool hear(void *user, const sepcl_self_test_result *r)
{
    heard *h = user;
    assert_true(h->n < MOST);
    assert_true(r->cases > 0 && r->failed == 0 && !r->detail && !r->banned);
    assert_true(r->error >= 0 && r->error <= r->tolerance);
    snprintf(h->kernels[h->n++], sizeof h->kernels[0], "%s %s %s", r->op, r->kernel, r->parameters);
    h->cases += r->cases;
    return h->n != h->stop_at;
}

static heard test_op(const char *op, bool quick, int one_in, int stop_at)
{
    sepcl_self_test_desc d = {.op = op, .quick = quick};
    heard                h = {.stop_at = stop_at};
    assert_ok(sepcl_device_find(getenv("SEPCL_TEST_DEVICE"), &d.device));
    self_test_one_in = one_in;
    assert_ok(sepcl_device_self_test(&d, hear, &h));
    self_test_one_in = 1;
    return h;
}

/* Each set of parameters comes up all the same. Where a row has one parameter, each case has to meet all its values,
   and nothing is left out; the sixth result of matmul is the first of a row with several. */
static void one_in_n_leaves_out_cases_but_no_kernels(void **state)
{
    (void)state;
    const heard all = test_op("cast", false, 1, 0), some = test_op("cast", false, 3, 0),
                few = test_op("cast", false, 1000, 0);
    assert_true(all.n > 1);
    assert_int_equal(some.n, all.n);
    assert_int_equal(few.n, all.n);
    for (int i = 0; i < all.n; i++) {
        assert_string_equal(some.kernels[i], all.kernels[i]);
        assert_string_equal(few.kernels[i], all.kernels[i]);
    }
    assert_true(some.cases == all.cases && few.cases == all.cases);
    const heard begin = test_op("matmul", false, 1, 6), third = test_op("matmul", false, 3, 6),
                least = test_op("matmul", false, 1000, 6);
    assert_true(third.n == begin.n && least.n == begin.n);
    assert_true(third.cases < begin.cases && least.cases < third.cases && least.cases >= least.n);
}

/* Whether a result has this "NAME=VALUE". */
static bool has_value(const heard *h, const char *value)
{
    bool found = false;
    for (int i = 0; i < h->n && !found; i++) {
        const char *at = strstr(h->kernels[i], value);
        found = at && (at[strlen(value)] == ' ' || at[strlen(value)] == 0);
    }
    return found;
}

static void few_sets_have_every_value(void **state)
{
    (void)state;
    const heard all = test_op("excite", false, 1, 0);
    self_test_few_sets = true;
    const heard few = test_op("excite", false, 1, 0);
    self_test_few_sets = false;
    assert_true(few.n < all.n && few.cases < all.cases);
    for (int i = 0; i < all.n; i++) {
        char text[200], *rest = NULL;
        snprintf(text, sizeof text, "%s", all.kernels[i]);
        for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
            assert_true(!strchr(word, '=') || has_value(&few, word));
    }
}

static void a_quick_one_takes_what_would_be_planned(void **state)
{
    (void)state;
    const heard all = test_op("cast", false, 1, 0), quick = test_op("cast", true, 1, 0);
    assert_true(quick.n > 0 && quick.n <= all.n);
    for (int i = 0; i < quick.n; i++) {
        bool found = false;
        for (int k = 0; k < all.n; k++)
            found |= !strcmp(quick.kernels[i], all.kernels[k]);
        assert_true(found);
    }
}

static void it_stops_when_told(void **state)
{
    (void)state;
    assert_int_equal(test_op("cast", false, 1, 1).n, 1);
    assert_int_equal(test_op("cast", false, 1, 2).n, 2);
    assert_int_equal(test_op("reshape", false, 1, 1).n, 1);
}

/* An op without kernels is run as what it is: other values' memory. */
static void a_view_is_tested_too(void **state)
{
    (void)state;
    const heard h = test_op("reshape", false, 1, 0);
    assert_int_equal(h.n, 1);
    assert_string_equal(h.kernels[0], "reshape view ");
}

static void nobody_has_to_listen(void **state)
{
    sepcl_self_test_desc d = {.op = "cast", .quick = true, .no_cache = true, .f16 = true};
    (void)state;
    assert_ok(sepcl_device_find(getenv("SEPCL_TEST_DEVICE"), &d.device));
    assert_ok(sepcl_device_self_test(&d, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_in_n_leaves_out_cases_but_no_kernels),
        cmocka_unit_test(few_sets_have_every_value),
        cmocka_unit_test(a_quick_one_takes_what_would_be_planned),
        cmocka_unit_test(it_stops_when_told),
        cmocka_unit_test(a_view_is_tested_too),
        cmocka_unit_test(nobody_has_to_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
