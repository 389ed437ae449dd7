/* SPDX-License-Identifier: Apache-2.0 */
/* What the tuner and a separation choose, and what they say of it, where times are known (tests/tools/fixed_times.c).
 */
#include "known.h"

#include <math.h>

#include "../unit/tflite_writer.h"
#include "import/tflite_model.h"
#include "level.h"

#define MOST_RESULTS 32

static char cache[600];
static pb   file, block;

/* ---------------------------------------------------------------- tuning */

typedef struct result {
    char   name[128], op[32], before[128], after[256];
    bool   is_form, used;
    int    tried, wrong;
    double before_us, after_us;
} result;

typedef struct tuned {
    result r[MOST_RESULTS];
    int    n, calls, stop_at; /* stop_at: the call that says stop; 0: none */
    double done;
} tuned;

static bool take_result(void *user, const sepcl_tune_state *s)
{
    tuned                   *t = user;
    const sepcl_tune_result *from = s->result;
    assert_true(s->done >= t->done && s->done <= 1);
    t->done = s->done;
    assert_true(from ? !s->trying : s->name && s->trying);
    if (from) {
        assert_true(t->n < MOST_RESULTS);
        result *r = &t->r[t->n++];
        *r = (result){.is_form = from->is_form,
                      .used = from->used,
                      .tried = from->tried,
                      .wrong = from->wrong,
                      .before_us = from->before_us,
                      .after_us = from->after_us};
        snprintf(r->name, sizeof r->name, "%s", from->name);
        snprintf(r->op, sizeof r->op, "%s", from->op);
        snprintf(r->before, sizeof r->before, "%s", from->before);
        snprintf(r->after, sizeof r->after, "%s", from->after);
    }
    return ++t->calls != t->stop_at;
}

static status tune(bool again, tuned *t)
{
    sepcl_model          *m;
    const sepcl_tune_desc d = {.cache_dir = cache, .again = again, .budget = 1000};
    assert_ok(sepcl_model_load_memory(block.p, block.n, NULL, &m));
    const status st = sepcl_tune(m, &d, take_result, t);
    sepcl_model_destroy(m);
    return st;
}

static tuned tune_anew(void)
{
    tuned t = {.n = 0};
    assert_ok(tune(true, &t));
    assert_true(t.n > 0);
    return t;
}

/* What became of a piece: its layers and op, of a form "form". */
static const result *find(const tuned *t, const char *name, const char *op)
{
    for (int i = 0; i < t->n; i++)
        if (!strcmp(t->r[i].name, name) && !strcmp(t->r[i].op, op))
            return &t->r[i];
    return NULL;
}

/* Steps of a session that are as tuned; kernels: their texts, joined. */
static int tuned_steps(char kernels[1024])
{
    const sepcl_session_desc d = {.cache_dir = cache};
    sepcl_model             *m;
    sepcl_session           *s;
    int                      n = 0;
    kernels[0] = 0;
    assert_ok(sepcl_model_load_memory(block.p, block.n, NULL, &m));
    assert_ok(sepcl_session_create(m, &d, &s));
    for (int i = 0; i < sepcl_session_step_count(s); i++) {
        sepcl_step_info step;
        assert_ok(sepcl_session_step(s, i, &step));
        n += strstr(step.why, "tuned: ") != NULL;
        snprintf(kernels + strlen(kernels), 1024 - strlen(kernels), "%s;", step.kernel);
    }
    sepcl_session_destroy(s);
    sepcl_model_destroy(m);
    return n;
}

/* What is slow in one tuning is not what that chooses, and is chosen again where it is not. */
static void the_fastest_kernel_wins(void **state)
{
    char kernels[1024];
    (void)state;
    known_kernels(NULL);
    const tuned t = tune_anew();
    for (int i = 0; i < t.n; i++) {
        const result *r = &t.r[i];
        assert_true(r->wrong == 0 && r->tried > 0 && r->after_us > 0 && r->after_us <= r->before_us);
        assert_true(strcmp(r->before, r->after) || r->after_us == r->before_us);
        if (r->is_form || r->tried < 2)
            continue;
        known_kernels(r->after);
        const tuned   slow = tune_anew();
        const result *now = find(&slow, r->name, r->op);
        /* a piece that is no part of a likely form is only surveyed */
        if (now && now->tried > 1)
            assert_string_not_equal(now->after, r->after);
        (void)tuned_steps(kernels);
        assert_null(strstr(kernels, r->after));
    }
    known_kernels(NULL);
    const tuned again = tune_anew();
    assert_int_equal(again.n, t.n);
    for (int i = 0; i < t.n; i++)
        assert_string_equal(again.r[i].after, t.r[i].after);
    assert_true(tuned_steps(kernels) > 0);
    tuned none = {.n = 0};
    assert_ok(tune(false, &none)); /* all is known */
    assert_int_equal(none.n, 0);
}

/* Pointwise and depthwise layer in one kernel, and in one each, where the other way is slow. */
static void the_fastest_form_wins(void **state)
{
    static const char *const slow[] = {"inverted/", "!inverted/"}, *const want[] = {"conv, conv", "expand_depthwise"};
    char kernels[1024];
    (void)state;
    for (int i = 0; i < 2; i++) {
        known_kernels(slow[i]);
        const tuned   t = tune_anew();
        const result *form = find(&t, "pointwise + depthwise", "form");
        assert_true(form && form->is_form);
        assert_string_equal(form->after, want[i]);
        assert_int_equal(tuned_steps(kernels), i ? 3 : 4); /* the first and the last are transposes */
        assert_int_equal(strstr(kernels, "inverted/") != NULL, i);
    }
}

/* What is finished when it is stopped is kept, and whatever the moment, nothing is broken. */
static void a_tuning_may_be_stopped(void **state)
{
    char  kernels[1024];
    int   kept = 0;
    tuned all;
    (void)state;
    known_kernels(NULL);
    all = tune_anew();
    for (int at = 1; at <= all.calls; at += 3) {
        tuned t = {.stop_at = at};
        assert_ok(tune(true, &t));
        assert_true(t.calls >= at);
        kept += tuned_steps(kernels) > 0;
    }
    assert_true(kept > 0);
}

static void times_without_sense_choose_nothing(void **state)
{
    tuned t = {.n = 0};
    (void)state;
    char command[700];
    snprintf(command, sizeof command, "rm -rf '%s/tuning'", cache);
    assert_int_equal(system(command), 0);
    known_set("SEPCL_FIXED_SLOW", "*");
    assert_ok(tune(true, &t));
    known_set("SEPCL_FIXED_SLOW", NULL);
    for (int i = 0; i < t.n; i++) {
        assert_string_equal(t.r[i].after, "");
        assert_true(t.r[i].after_us == 0 && t.r[i].wrong > 0 && t.r[i].tried == 0);
    }
    char kernels[1024];
    assert_int_equal(tuned_steps(kernels), 0);
}

/* ---------------------------------------------------------------- separating */

static status separate(const sepcl_separate_desc *d, sepcl_separate_fn fn, void *user, sepcl_model **m,
                       sepcl_separation **s)
{
    assert_ok(sepcl_model_load_memory(file.p, file.n, NULL, m));
    return sepcl_separate(*m, d, fn, user, s);
}

static void refused(status want, const char *text, const sepcl_separate_desc *d)
{
    sepcl_model      *m;
    sepcl_separation *s;
    assert_fails(want, text, separate(d, NULL, NULL, &m, &s));
    assert_null(s);
    sepcl_model_destroy(m);
}

static void wrong_wishes_are_refused(void **state)
{
    static float       in[4 * KNOWN_SIZE * KNOWN_SIZE];
    const float *const list[] = {in};
    (void)state;
    refused(SEPCL_INVALID, "a tolerance of -1 is not one", &(sepcl_separate_desc){.tolerance = -1});
    refused(SEPCL_INVALID, "a tolerance of nan is not one", &(sepcl_separate_desc){.tolerance = NAN});
    refused(SEPCL_INVALID, "a speed-up of -2 is not one", &(sepcl_separate_desc){.target_speedup = -2});
    refused(SEPCL_INVALID, "-1 samples, but their list is given",
            &(sepcl_separate_desc){.samples = list, .n_samples = -1});
    refused(SEPCL_INVALID, "2 samples, but their list is NULL", &(sepcl_separate_desc){.n_samples = 2});
    in[7] = NAN;
    refused(SEPCL_UNSUPPORTED, "the network's outputs on sample 0 hold NaN or infinity",
            &(sepcl_separate_desc){.samples = list, .n_samples = 1});
}

static bool stop_at(void *user, const sepcl_separate_state *s)
{
    assert_true(s->done >= 0 && s->done <= 1 && s->phase);
    return --*(int *)user != 0;
}

static void a_separation_may_be_stopped(void **state)
{
    const sepcl_separate_desc d = {.cache_dir = cache, .tolerance = 0.02};
    sepcl_model              *m;
    sepcl_separation         *s;
    int                       left = 1 << 20;
    (void)state;
    assert_ok(separate(&d, stop_at, &left, &m, &s));
    sepcl_separation_destroy(s);
    sepcl_model_destroy(m);
    for (int n = (1 << 20) - left; n > 0; n--) {
        left = n;
        assert_fails(SEPCL_INVALID, "stopped by the caller", separate(&d, stop_at, &left, &m, &s));
        assert_null(s);
        sepcl_model_destroy(m);
    }
}

static const char *const names[] = {"exact", "near", "depthwise", "pointwise"};

/* The forms taken: "spatial 1", "-" where the layer stays, "absorbed". */
static void check_forms(const sepcl_separate_desc *d, const char *const want[4])
{
    sepcl_model          *m;
    sepcl_separation     *s;
    sepcl_separated_layer l;
    sepcl_form_info       f;
    uint64_t              one, two;
    known_multiplications();
    assert_ok(separate(d, NULL, NULL, &m, &s));
    assert_int_equal(sepcl_separation_layer_count(s), 4);
    for (int i = 0; i < 4; i++) {
        char text[64];
        assert_ok(sepcl_separation_layer(s, i, &l));
        assert_string_equal(l.name, names[i]);
        snprintf(text, sizeof text, "%s", l.absorbed ? "absorbed" : "-");
        if (l.chosen >= 0) {
            assert_ok(sepcl_separation_form(s, i, l.chosen, &f));
            snprintf(text, sizeof text, "%s %d", sepcl_form_name(f.form), f.rank);
        }
        if (strcmp(text, want[i]))
            test_fail("%s: %s instead of %s: %s\n", l.name, text, want[i], l.why);
        assert_fails(SEPCL_INVALID, "form -1: layer '", sepcl_separation_form(s, i, -1, &f));
        assert_fails(SEPCL_INVALID, "has ", sepcl_separation_form(s, i, l.n_forms, &f));
        for (int k = 0; k < l.n_spectra; k++) {
            assert_ok(sepcl_separation_cost(s, i, k, 1, &one, &two));
            assert_true(one > 0 && two > 0);
            assert_fails(SEPCL_INVALID, "has no rank 0", sepcl_separation_cost(s, i, k, 0, &one, &two));
            assert_fails(SEPCL_INVALID, "has no rank ", sepcl_separation_cost(s, i, k, l.spectra[k].n + 1, &one, &two));
        }
        assert_fails(SEPCL_INVALID, "of spectrum -1", sepcl_separation_cost(s, i, -1, 1, &one, &two));
        assert_fails(SEPCL_INVALID, "of spectrum 2", sepcl_separation_cost(s, i, 2, 1, &one, &two));
    }
    assert_fails(SEPCL_INVALID, "layer 4: the model has 4 convolutions", sepcl_separation_layer(s, 4, &l));
    sepcl_separation_destroy(s);
    sepcl_model_destroy(m);
}

static void what_saves_multiplications_is_taken(void **state)
{
    const sepcl_separate_desc exact = {.cache_dir = cache}, near = {.cache_dir = cache, .tolerance = 0.02};
    (void)state;
    check_forms(&exact, (const char *const[]){"spatial 1", "-", "absorbed", "folded 0"});
    check_forms(&near, (const char *const[]){"spatial 1", "spatial 2", "absorbed", "folded 0"});
}

static void answer_of(const void *bytes, size_t size, const float *in, size_t in_bytes, float *out, size_t out_bytes)
{
    sepcl_model   *m;
    sepcl_session *s;
    assert_ok(sepcl_model_load_memory(bytes, size, NULL, &m));
    assert_ok(sepcl_session_create(m, &(sepcl_session_desc){.cache_dir = cache}, &s));
    assert_ok(sepcl_session_write(s, 0, in, in_bytes));
    assert_ok(sepcl_session_run(s));
    assert_ok(sepcl_session_read(s, 0, out, out_bytes));
    sepcl_session_destroy(s);
    sepcl_model_destroy(m);
}

#define TFL_OUT 8
#define TFL_IN 4

/* One convolution of 5x5 with weights of rank 1. */
static fw tflite_file(void)
{
    static float w[TFL_OUT * 25 * TFL_IN], bias[TFL_OUT];
    tfl          m = {0};
    for (int o = 0; o < TFL_OUT; o++) {
        bias[o] = known_dice(500 + o);
        for (int t = 0; t < 25; t++)
            for (int i = 0; i < TFL_IN; i++)
                w[(o * 25 + t) * TFL_IN + i] =
                    known_dice(i * 5 + t / 5) * known_dice(100 + t % 5 * TFL_OUT + o) / TFL_IN;
    }
    const int x = TFL_VALUE(&m, "x", 4, 1, KNOWN_SIZE, KNOWN_SIZE, TFL_IN);
    const int k = TFL_CONST(&m, "w", T_FLOAT32, w, 4, TFL_OUT, 5, 5, TFL_IN);
    const int b = TFL_CONST(&m, "b", T_FLOAT32, bias, 1, TFL_OUT);
    const int y = TFL_VALUE(&m, "y", 4, 1, KNOWN_SIZE, KNOWN_SIZE, TFL_OUT);
    TFL_OP(&m, .code = TFLITE_CONV_2D, .n_in = 3, .in = {x, k, b}, .n_out = 1, .out = {y}, .options_type = 1,
           .n_options = 6, .options = {0, 1, 1, 0, 1, 1});
    tfl_ends(&m, x, y);
    return tfl_finish(&m);
}

/* What is in another format becomes an ONNX file with the same inputs and outputs. */
static void another_format_is_written_anew(void **state)
{
    enum { IN = KNOWN_SIZE * KNOWN_SIZE * TFL_IN, OUT = KNOWN_SIZE * KNOWN_SIZE * TFL_OUT };
    static float            in[IN], want[OUT], got[OUT];
    fw                      f = tflite_file();
    sepcl_model            *m;
    sepcl_separation       *s;
    sepcl_separation_totals t;
    const void             *bytes;
    size_t                  size;
    (void)state;
    known_multiplications();
    assert_ok(sepcl_model_load_memory(f.p, f.n, NULL, &m));
    assert_ok(sepcl_separate(m, &(sepcl_separate_desc){.cache_dir = cache}, NULL, NULL, &s));
    assert_ok(sepcl_separation_total(s, &t));
    assert_int_equal(t.rewritten, 1);
    assert_ok(sepcl_separation_file(s, &bytes, &size));
    for (int i = 0; i < IN; i++)
        in[i] = known_dice(i);
    answer_of(f.p, f.n, in, sizeof in, want, sizeof want);
    answer_of(bytes, size, in, sizeof in, got, sizeof got);
    for (int i = 0; i < OUT; i++)
        assert_true(fabsf(got[i] - want[i]) <= 1e-5f * (1 + fabsf(want[i])));
    sepcl_separation_destroy(s);
    sepcl_model_destroy(m);
    free(f.p);
}

/* ---------------------------------------------------------------- break-even points */

typedef struct points {
    int  n, most;
    bool spatial;
} points;

static bool take_point(void *user, const sepcl_break_even_point *p)
{
    points *all = user;
    assert_int_equal(p->outputs, 1 << all->n);
    assert_true(fabs(p->dense.seconds - 1e-9 * (double)p->dense.multiplications) < 1e-12);
    assert_true(fabs(p->separable.seconds - 1e-9 * (double)p->separable.multiplications) < 1e-12);
    assert_int_equal(p->spatial.seconds > 0, all->spatial);
    return ++all->n != all->most;
}

static void points_are_counted(void **state)
{
    (void)state;
    known_multiplications();
    points square = {.spatial = true}, row = {.most = 3}, half = {.spatial = true};
    assert_ok(sepcl_break_even(&(sepcl_break_even_desc){.cache_dir = cache, .most = 8}, take_point, &square));
    assert_int_equal(square.n, 4);
    assert_ok(sepcl_break_even(&(sepcl_break_even_desc){.no_cache = true, .kernel = {1, 5}, .channels = 1}, take_point,
                               &row));
    assert_int_equal(row.n, 3); /* stopped */
    assert_ok(sepcl_break_even(&(sepcl_break_even_desc){.cache_dir = cache, .most = 1, .precision = SEPCL_F16},
                               take_point, &half));
    assert_fails(
        SEPCL_UNSUPPORTED, "an input of 16384x16384x16 is above the limit of 2147483647 elements",
        sepcl_break_even(&(sepcl_break_even_desc){.height = 16384, .width = 16384, .channels = 16}, take_point, &half));
    assert_int_equal(half.n, 1);
    assert_fails(SEPCL_DEVICE_ERROR, "no usable device",
                 sepcl_break_even(&(sepcl_break_even_desc){.device = "no such device"}, take_point, &half));
}

static int set_up(void **state)
{
    (void)state;
    known_cache(cache, work_scratch());
    known_store = true;
    file = known_file();
    block = known_block();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    free(file.p);
    free(block.p);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_fastest_kernel_wins),
        cmocka_unit_test(the_fastest_form_wins),
        cmocka_unit_test(a_tuning_may_be_stopped),
        cmocka_unit_test(times_without_sense_choose_nothing),
        cmocka_unit_test(wrong_wishes_are_refused),
        cmocka_unit_test(a_separation_may_be_stopped),
        cmocka_unit_test(what_saves_multiplications_is_taken),
        cmocka_unit_test(another_format_is_written_anew),
        cmocka_unit_test(points_are_counted),
    };
    work_begin(argc, argv);
    const int failed = cmocka_run_group_tests(tests, set_up, tear_down);
    work_end();
    return failed;
}
