/* SPDX-License-Identifier: Apache-2.0 */
/* Sessions through the public API: the ways of data in and out, and what misuse is told. */
#include "import_test.h"

#include <math.h>

#define IN_FLOATS (3 * 8 * 6)
#define OUT_FLOATS (4 * 8 * 6)

typedef struct fixture {
    pb             file;
    sepcl_model   *model;
    sepcl_session *session;
    float          in[IN_FLOATS], out[OUT_FLOATS], again[OUT_FLOATS];
} fixture;

static fixture *open_with(const sepcl_session_desc *desc)
{
    net      m = {0};
    fixture *f = calloc(1, sizeof *f);
    assert_non_null(f);
    INPUT(&m, "x", -1, 3, 8, 6);
    WEIGHT(&m, "w", 0.1f, 4, 3, 3, 3);
    NODE_WITH(&m, "Conv", "conv", "x,w", "v", ATTR_IS("pads", 1, 1, 1, 1));
    NODE(&m, "Relu", "relu", "v", "y");
    net_output(&m, "y");
    f->file = net_finish(&m, 13);
    assert_int_equal(sepcl_model_load_memory(f->file.p, f->file.n, NULL, &f->model), SEPCL_OK);
    if (sepcl_session_create(f->model, desc, &f->session) != SEPCL_OK)
        test_fail("%s", sepcl_last_error());
    for (int i = 0; i < IN_FLOATS; i++)
        f->in[i] = (float)(i % 13) - 6;
    return f;
}

static void close_all(fixture *f)
{
    sepcl_session_destroy(f->session);
    sepcl_model_destroy(f->model);
    free(f->file.p);
    free(f);
}

static void run_and_read(fixture *f, float *out)
{
    assert_int_equal(sepcl_session_run(f->session), SEPCL_OK);
    assert_int_equal(sepcl_session_read(f->session, 0, out, sizeof f->out), SEPCL_OK);
}

static void written_data_may_be_reused(void **state)
{
    (void)state;
    fixture *f = open_with(NULL);
    float    copy[IN_FLOATS];
    memcpy(copy, f->in, sizeof copy);
    assert_int_equal(sepcl_session_write(f->session, 0, copy, sizeof copy), SEPCL_OK);
    memset(copy, 0xff, sizeof copy);
    run_and_read(f, f->out);
    run_and_read(f, f->again);
    assert_memory_equal(f->out, f->again, sizeof f->out);
    for (int i = 0; i < OUT_FLOATS; i++)
        assert_true(isfinite(f->out[i]));
    close_all(f);
}

static void bound_data_is_read_at_each_run(void **state)
{
    (void)state;
    fixture *f = open_with(NULL);
    float    bound[IN_FLOATS], zero[OUT_FLOATS];
    assert_int_equal(sepcl_session_write(f->session, 0, f->in, sizeof f->in), SEPCL_OK);
    run_and_read(f, f->out);
    memset(bound, 0, sizeof bound);
    assert_int_equal(sepcl_session_bind(f->session, 0, bound, sizeof bound), SEPCL_OK);
    run_and_read(f, zero);
    for (int i = 0; i < OUT_FLOATS; i++)
        assert_true(zero[i] == 0);
    memcpy(bound, f->in, sizeof bound); /* a new picture in the same place */
    run_and_read(f, f->again);
    assert_memory_equal(f->out, f->again, sizeof f->out);
    assert_int_equal(sepcl_session_check(f->session, 0, NULL, NULL), SEPCL_OK);
    /* a write ends the binding */
    assert_int_equal(sepcl_session_write(f->session, 0, f->in, sizeof f->in), SEPCL_OK);
    memset(bound, 0xff, sizeof bound);
    run_and_read(f, f->again);
    assert_memory_equal(f->out, f->again, sizeof f->out);
    /* unbound and not written again: nothing to run on */
    assert_int_equal(sepcl_session_bind(f->session, 0, f->in, sizeof f->in), SEPCL_OK);
    assert_int_equal(sepcl_session_bind(f->session, 0, NULL, 0), SEPCL_OK);
    assert_int_equal(sepcl_session_run(f->session), SEPCL_INVALID);
    close_all(f);
}

static void misuse_is_told(void **state)
{
    (void)state;
    fixture *f = open_with(NULL);
    int      i;
    assert_int_equal(sepcl_session_run(f->session), SEPCL_INVALID);
    assert_non_null(strstr(sepcl_last_error(), "'x' has not been written"));
    assert_int_equal(sepcl_session_write(f->session, 0, f->in, 12), SEPCL_INVALID);
    assert_non_null(strstr(sepcl_last_error(), "12 bytes"));
    assert_int_equal(sepcl_session_bind(f->session, 0, f->in, 12), SEPCL_INVALID);
    assert_int_equal(sepcl_session_write(f->session, 1, f->in, sizeof f->in), SEPCL_INVALID);
    assert_int_equal(sepcl_session_write(f->session, 0, NULL, sizeof f->in), SEPCL_INVALID);
    assert_int_equal(sepcl_session_read(f->session, 0, f->out, sizeof f->out), SEPCL_INVALID);
    assert_non_null(strstr(sepcl_last_error(), "before a run"));
    assert_int_equal(sepcl_model_find_input(f->model, "z", &i), SEPCL_INVALID);
    assert_non_null(strstr(sepcl_last_error(), "'x'"));
    assert_int_equal(sepcl_session_create(NULL, NULL, &(sepcl_session *){NULL}), SEPCL_INVALID);
    close_all(f);
}

static void ways_are_told_of_each_step(void **state)
{
    (void)state;
    fixture        *f = open_with(NULL);
    sepcl_step_info step;
    sepcl_way       way;
    int             n;
    for (int i = 0; i < sepcl_session_step_count(f->session); i++) {
        int runs = 0;
        assert_int_equal(sepcl_session_step(f->session, i, &step), SEPCL_OK);
        assert_int_equal(sepcl_session_way_count(f->session, i, &n), SEPCL_OK);
        for (int k = 0; k < n; k++) {
            assert_int_equal(sepcl_session_way(f->session, i, k, &way), SEPCL_OK);
            runs += !way.is_form && way.chosen && !strcmp(way.name, step.kernel);
        }
        assert_int_equal(runs, 1);
        assert_int_equal(sepcl_session_way(f->session, i, n, &way), SEPCL_INVALID);
        assert_null(way.name);
    }
    assert_int_equal(sepcl_session_way_count(f->session, -1, &n), SEPCL_INVALID);
    assert_int_equal(n, 0);
    assert_int_equal(sepcl_session_way_count(f->session, 99, &n), SEPCL_INVALID);
    assert_non_null(strstr(sepcl_last_error(), "step 99: the plan has"));
    assert_int_equal(sepcl_session_way_count(NULL, 0, &n), SEPCL_INVALID);
    close_all(f);
}

static void shapes_are_fixed_per_session(void **state)
{
    (void)state;
    const sepcl_input_shape  two = {"x", {4, {2, 3, 8, 6}}}, wrong = {"x", {4, {2, 3, 9, 6}}};
    const sepcl_session_desc d = {.shapes = &two, .n_shapes = 1}, bad = {.shapes = &wrong, .n_shapes = 1};
    fixture                 *f = open_with(&d);
    sepcl_shape              s;
    sepcl_session           *none;
    assert_int_equal(sepcl_session_output_shape(f->session, 0, &s), SEPCL_OK);
    assert_int_equal(s.dims[0], 2);
    assert_int_equal(sepcl_session_create(f->model, &bad, &none), SEPCL_INVALID);
    assert_null(none);
    assert_non_null(strstr(sepcl_last_error(), "2x3x9x6"));
    close_all(f);
}

static void f16_is_near_f32(void **state)
{
    (void)state;
    const sepcl_session_desc d = {.precision = SEPCL_F16, .profile = true};
    fixture                 *f = open_with(NULL), *h = open_with(&d);
    sepcl_memory_info        full, half;
    sepcl_step_info          step;
    assert_int_equal(sepcl_session_write(f->session, 0, f->in, sizeof f->in), SEPCL_OK);
    assert_int_equal(sepcl_session_write(h->session, 0, f->in, sizeof f->in), SEPCL_OK);
    run_and_read(f, f->out);
    run_and_read(h, f->again);
    float largest = 0;
    for (int i = 0; i < OUT_FLOATS; i++)
        largest = fmaxf(largest, fabsf(f->out[i]));
    for (int i = 0; i < OUT_FLOATS; i++)
        assert_true(fabsf(f->out[i] - f->again[i]) <= 1e-2f * largest);
    assert_int_equal(sepcl_session_memory(f->session, &full), SEPCL_OK);
    assert_int_equal(sepcl_session_memory(h->session, &half), SEPCL_OK);
    assert_true(half.weight_bytes < full.weight_bytes);
    assert_int_equal(sepcl_session_check(h->session, 0, NULL, NULL), SEPCL_OK);
    for (int i = 0; i < sepcl_session_step_count(h->session); i++)
        assert_int_equal(sepcl_session_step(h->session, i, &step), SEPCL_OK);
    assert_int_equal(sepcl_session_step(h->session, 1000, &step), SEPCL_INVALID);
    close_all(f);
    close_all(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(written_data_may_be_reused), cmocka_unit_test(bound_data_is_read_at_each_run),
        cmocka_unit_test(misuse_is_told),             cmocka_unit_test(ways_are_told_of_each_step),
        cmocka_unit_test(shapes_are_fixed_per_session),
        cmocka_unit_test(f16_is_near_f32),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
