/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tuning, separating and looking where forms break even, while allocations and OpenCL calls fail: one on each way
 * through the code (ways.h), with --all each. Times are those of tests/tools/fixed_times.c; measured ones would make
 * each such run a matter of seconds, and of chance.
 */
#include "known.h"

#include <math.h>

#include "figures.h"
#include "level.h"
#include "starve.h"

static char cache[600];
static pb   file, block;

/* ---------------------------------------------------------------- the steps */

/* Some attempts after a failure the tuning has lived with it. */
static bool go_on(void *user, const sepcl_tune_state *state)
{
    int *since = user;
    (void)state;
    *since += sys_failed() > 0 || fault_failed() > 0;
    return *since < 4;
}

static status do_tune(const void *given)
{
    sepcl_model *m;
    int          since = 0;
    TRY(sepcl_model_load_memory(block.p, block.n, NULL, &m));
    const status st = sepcl_tune(m, given, go_on, &since);
    sepcl_model_destroy(m);
    return st;
}

typedef struct separating {
    sepcl_separate_desc     d;
    sepcl_separation_totals usual; /* from the first time that went well */
} separating;

static status read_all(const sepcl_separation *s)
{
    sepcl_separated_layer l;
    sepcl_form_info       f;
    const void           *bytes;
    size_t                size;
    for (int i = 0; i < sepcl_separation_layer_count(s); i++) {
        TRY(sepcl_separation_layer(s, i, &l));
        assert_true(*l.why && (l.chosen < 0 || !l.absorbed));
        for (int k = 0; k < l.n_forms; k++)
            TRY(sepcl_separation_form(s, i, k, &f));
    }
    TRY(sepcl_separation_file(s, &bytes, &size));
    assert_true(size > 100);
    return SEPCL_OK;
}

static void check_totals(separating *j, const sepcl_separation *s)
{
    sepcl_separation_totals t;
    assert_ok(sepcl_separation_total(s, &t));
    if (!j->usual.layers)
        j->usual = t;
    assert_int_equal(t.rewritten, j->usual.rewritten);
    assert_int_equal(t.multiplications[1], j->usual.multiplications[1]);
    assert_true(fabs(t.error - j->usual.error) <= 1e-5);
}

static status do_separate(const void *given)
{
    separating       *j = (separating *)given;
    sepcl_model      *m;
    sepcl_separation *s;
    TRY(sepcl_model_load_memory(file.p, file.n, NULL, &m));
    status st = sepcl_separate(m, &j->d, NULL, NULL, &s);
    if (st == SEPCL_OK) {
        check_totals(j, s);
        st = read_all(s);
    }
    sepcl_separation_destroy(s);
    sepcl_model_destroy(m);
    return st;
}

static bool count_points(void *user, const sepcl_break_even_point *p)
{
    assert_int_equal(p->outputs, 1 << *(int *)user);
    assert_true(p->dense.multiplications > 0 && p->dense.seconds > 0);
    ++*(int *)user;
    return true;
}

static status do_break_even(const void *given)
{
    int          points = 0;
    const status st = sepcl_break_even(given, count_points, &points);
    assert_true(st != SEPCL_OK || points == 2);
    return st;
}

/* ---------------------------------------------------------------- failures */

typedef struct step {
    const char *name;
    status (*fn)(const void *);
    const void *given;
} step;

static sepcl_tune_desc tune_f32 = {.cache_dir = cache, .again = true};
static sepcl_tune_desc tune_f16 = {.cache_dir = cache, .again = true, .precision = SEPCL_F16};
static separating      exact = {.d = {.cache_dir = cache}}, near = {.d = {.cache_dir = cache, .tolerance = 0.02}},
                  fast = {.d = {.cache_dir = cache, .target_speedup = 2.5}};
static sepcl_break_even_desc pairs = {.cache_dir = cache, .height = 8, .width = 7, .kernel = {3, 3}, .most = 2};

static const step steps[] = {
    {"tuning", do_tune, &tune_f32},
    {"tuning halves", do_tune, &tune_f16},
    {"separating exactly", do_separate, &exact},
    {"separating within a tolerance", do_separate, &near},
    {"separating for a speed", do_separate, &fast},
    {"break-even points", do_break_even, &pairs},
};
#define STEPS (sizeof steps / sizeof *steps)

/* Frames of the stack by which ways through the code are told apart: most of what is behind one is the same. */
static int frames(void)
{
    return work_few() ? 4 : 8;
}

static void memory_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < STEPS; i++) {
        for (int k = 0; k < 2; k++)
            assert_ok(steps[i].fn(steps[i].given)); /* what stays for good is made now */
        assert_ok(starve("with times that are known", steps[i].name, steps[i].fn, steps[i].given,
                         work_all() ? 0 : STARVE_NEW(frames()), 0));
    }
    assert_int_equal(starve_wrongs, 0);
    figure("known", "right or \"out of memory\", nothing left",
           "Tuning, separating, break-even: allocations failed | %ld: %ld right, %ld named", starve_failures,
           starve_finished, starve_named);
}

static void fail_call(const step *s, long n, fault_mode mode, const level *before, tally *t)
{
    char described[200];
    fault_arm(n, (int)(n % 2), mode);
    const status st = s->fn(s->given);
    snprintf(described, sizeof described, "%s: call %ld (%s) fails %s", s->name, n, fault_call_name(fault_nth(n)),
             mode == FAULT_GONE ? "and all after it" : "once");
    t->cases++;
    t->right += st == SEPCL_OK;
    t->named += st != SEPCL_OK;
    if (st != SEPCL_OK &&
        ((st != SEPCL_DEVICE_ERROR && st != SEPCL_OUT_OF_MEMORY) || !level_names_error(error_sentence())))
        test_fail("%s: status %d, %s\n", described, (int)st, error_sentence());
    level_check(before, described);
}

static void fail_calls_of(const step *s, tally *t)
{
    const long *fresh;
    for (int k = 0; k < 2; k++) {
        fault_clear();
        fault_note_ways(k ? frames() + 2 : 0);
        assert_ok(s->fn(s->given));
        fault_note_ways(0);
    }
    const level before = level_now();
    const long  calls = fault_calls(), n_new = fault_new_ways(&fresh);
    for (long i = 0; i < (work_all() ? calls : n_new); i++)
        for (fault_mode mode = FAULT_ONCE; mode <= FAULT_GONE; mode += FAULT_GONE)
            fail_call(s, work_all() ? i + 1 : fresh[i], mode, &before, t);
    fault_clear();
    assert_ok(s->fn(s->given));
}

static void calls_fail(void **state)
{
    tally t = {0};
    (void)state;
    for (size_t i = 0; i < STEPS; i++)
        fail_calls_of(&steps[i], &t);
    figure("known", "right or named error, nothing left",
           "Tuning, separating, break-even: OpenCL calls failed | %ld: %ld right, %ld named", t.cases, t.right,
           t.named);
}

static int set_up(void **state)
{
    work w = {.cache_dir = cache};
    (void)state;
    known_kernels(NULL);
    known_cache(cache, work_scratch());
    file = known_file();
    block = known_block();
    known_store = true;
    for (size_t i = 0; i < STEPS; i++)
        assert_ok(steps[i].fn(steps[i].given));
    known_store = false;
    work_do(&w); /* the right answer */
    return w.status != SEPCL_OK;
}

static int tear_down(void **state)
{
    work w = {.cache_dir = cache}, half = {.cache_dir = cache, .f16 = true};
    (void)state;
    work_do(&w); /* with what was tuned */
    work_do(&half);
    free(file.p);
    free(block.p);
    return w.status != SEPCL_OK || !w.right || half.status != SEPCL_OK || !half.right;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_fails),
        cmocka_unit_test(calls_fail),
    };
    work_begin(argc, argv);
    const int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    work_end();
    return failed;
}
