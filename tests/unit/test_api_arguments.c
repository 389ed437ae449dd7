/* SPDX-License-Identifier: Apache-2.0 */
/* What the public functions say to arguments that make no sense; most of it before a device is asked for. */
#include "import_test.h"

#include "sepcl/sepcl.h"

/* y = relu(conv(x)), with one free extent. */
static pb a_file(void)
{
    net m = {{0}};
    INPUT(&m, "x", 1, 2, -1, 4);
    WEIGHT(&m, "w", 0.01f, 3, 2, 3, 3);
    NODE(&m, "Conv", "c", "x,w", "c");
    NODE(&m, "Relu", "r", "c", "y");
    net_output(&m, "y");
    return net_finish(&m, 13);
}

typedef struct fixture {
    pb           file;
    sepcl_model *model;
} fixture;

static int set_up(void **state)
{
    static fixture f;
    f.file = a_file();
    *state = &f;
    return sepcl_model_load_memory(f.file.p, f.file.n, NULL, &f.model) != SEPCL_OK;
}

static int tear_down(void **state)
{
    fixture *f = *state;
    sepcl_model_destroy(f->model);
    free(f->file.p);
    return 0;
}

#define INVALID(words, call) assert_fails(SEPCL_INVALID, words, call)

static void names_of_numbers(void **state)
{
    (void)state;
    assert_string_equal(sepcl_status_name(SEPCL_OK), "ok");
    assert_string_equal(sepcl_status_name((sepcl_status)99), "unknown status");
    assert_string_equal(sepcl_status_name((sepcl_status)-1), "unknown status");
    assert_string_equal(sepcl_form_name(SEPCL_FORM_SPATIAL), "spatial");
    assert_string_equal(sepcl_form_name((sepcl_form)99), "unknown form");
    assert_int_equal(sepcl_version()[0], '0' + SEPCL_VERSION_MAJOR);
}

static void models(void **state)
{
    fixture     *f = *state;
    sepcl_model *m = f->model;
    sepcl_shape  s;
    int          i;
    INVALID("path is NULL", sepcl_model_load(NULL, NULL, &m));
    assert_null(m);
    INVALID("bytes is NULL", sepcl_model_load_memory(NULL, 1, NULL, &m));
    assert_fails(SEPCL_BAD_FILE, "called so: ", sepcl_model_load_memory("xx", 2, &(sepcl_model_desc){"called so"}, &m));
    assert_fails(SEPCL_BAD_FILE, "/nowhere/x.onnx", sepcl_model_load("/nowhere/x.onnx", NULL, &m));
    m = f->model;
    assert_int_equal(sepcl_model_input_count(NULL) + sepcl_model_output_count(NULL), 0);
    assert_null(sepcl_model_input_name(NULL, 0));
    assert_null(sepcl_model_output_name(NULL, 0));
    assert_null(sepcl_model_input_name(m, -1));
    assert_null(sepcl_model_input_name(m, 1));
    assert_null(sepcl_model_output_name(m, -1));
    assert_null(sepcl_model_output_name(m, 1));
    INVALID("input 1: the model has 1", sepcl_model_input_shape(m, 1, &s));
    assert_int_equal(s.rank, 0);
    INVALID("input 0: the model has 0", sepcl_model_input_shape(NULL, 0, &s));
    INVALID("model or name is NULL", sepcl_model_find_input(NULL, "x", &i));
    INVALID("model or name is NULL", sepcl_model_find_output(m, NULL, &i));
    INVALID("has no input 'y'; there is 'x'", sepcl_model_find_input(m, "y", &i));
    INVALID("has no output 'x'; there is 'y'", sepcl_model_find_output(m, "x", &i));
    assert_ok(sepcl_model_find_output(m, "y", &i));
    sepcl_model_destroy(NULL);
}

static void summaries(void **state)
{
    const fixture          *f = *state;
    sepcl_summary          *s;
    sepcl_layer_info        l;
    sepcl_exact_form        e;
    const sepcl_input_shape right = {"x", {.rank = 4, .dims = {1, 2, 5, 4}}}, high = {"x", {.rank = 9}},
                            low = {"x", {.rank = -1}}, flat = {"x", {.rank = 2, .dims = {5, 4}}},
                            other = {"x", {.rank = 4, .dims = {1, 3, 5, 4}}},
                            none = {"x", {.rank = 4, .dims = {1, 2, 0, 4}}}, stranger = {"z", {.rank = 1, .dims = {1}}};
    INVALID("model is NULL", sepcl_summary_create(NULL, NULL, 0, &s));
    INVALID("of input 'x'", sepcl_summary_create(f->model, NULL, 0, &s));
    assert_null(s);
    INVALID("rank 9 is above the limit", sepcl_summary_create(f->model, &high, 1, &s));
    INVALID("rank -1 is above the limit", sepcl_summary_create(f->model, &low, 1, &s));
    INVALID("does not fit the file's", sepcl_summary_create(f->model, &flat, 1, &s));
    INVALID("shape 1x3x5x4 does not fit the file's 1x2x-1x4", sepcl_summary_create(f->model, &other, 1, &s));
    INVALID("shape 1x2x0x4 does not fit", sepcl_summary_create(f->model, &none, 1, &s));
    INVALID("has no input 'z'", sepcl_summary_create(f->model, &stranger, 1, &s));
    assert_ok(sepcl_summary_create(f->model, &right, 1, &s));
    const int n = sepcl_summary_layer_count(s);
    assert_true(n >= 1);
    INVALID("the summary has", sepcl_summary_layer(s, n, &l));
    INVALID("layer -1: the summary has", sepcl_summary_layer(s, -1, &l));
    INVALID("layer -1: the summary has", sepcl_summary_exact_form(s, -1, &e));
    INVALID("the summary has", sepcl_summary_exact_form(s, n, &e));
    if (sepcl_can_separate())
        assert_ok(sepcl_summary_exact_form(s, 0, &e));
    else
        assert_fails(SEPCL_UNSUPPORTED, "no LAPACK", sepcl_summary_exact_form(s, 0, &e));
    INVALID("layer 0: the summary has 0", sepcl_summary_layer(NULL, 0, &l));
    sepcl_summary_destroy(s);
    sepcl_summary_destroy(NULL);
}

static bool no_pairs(void *user, const sepcl_break_even_point *r)
{
    (void)user;
    (void)r;
    return false;
}

static void separations(void **state)
{
    const fixture          *f = *state;
    sepcl_separation       *s;
    sepcl_separated_layer   l;
    sepcl_form_info         form;
    sepcl_separation_totals t;
    const void             *bytes;
    uint64_t                one, two;
    size_t                  size;
    INVALID("model is NULL", sepcl_separate(NULL, NULL, NULL, NULL, &s));
    assert_int_not_equal(sepcl_separate(f->model, &(sepcl_separate_desc){.device = "no such device"}, NULL, NULL, &s),
                         SEPCL_OK);
    assert_null(s);
    assert_int_equal(sepcl_separation_layer_count(NULL), 0);
    INVALID("layer 0: the model has 0 convolutions", sepcl_separation_layer(NULL, 0, &l));
    INVALID("layer -1: the model has 0", sepcl_separation_form(NULL, -1, 0, &form));
    INVALID("layer 0: the model has 0", sepcl_separation_cost(NULL, 0, 0, 1, &one, &two));
    INVALID("separation is NULL", sepcl_separation_total(NULL, &t));
    INVALID("separation is NULL", sepcl_separation_file(NULL, &bytes, &size));
    sepcl_separation_destroy(NULL);
    INVALID("fn is NULL", sepcl_break_even(NULL, NULL, NULL));
    INVALID("-1 is not in 1 ...", sepcl_break_even(&(sepcl_break_even_desc){.height = -1}, no_pairs, NULL));
    INVALID("99999999 is not in 1 ...", sepcl_break_even(&(sepcl_break_even_desc){.most = 99999999}, no_pairs, NULL));
    INVALID("a kernel of 5x5 does not fit into an input of 3x12",
            sepcl_break_even(&(sepcl_break_even_desc){.height = 3}, no_pairs, NULL));
    INVALID("a kernel of 5x5 does not fit into an input of 12x4",
            sepcl_break_even(&(sepcl_break_even_desc){.width = 4}, no_pairs, NULL));
    INVALID("precision 7 is unknown",
            sepcl_break_even(&(sepcl_break_even_desc){.precision = (sepcl_precision)7}, no_pairs, NULL));
}

static void tuning(void **state)
{
    const fixture *f = *state;
    INVALID("model is NULL", sepcl_tune(NULL, NULL, NULL, NULL));
    INVALID("precision 7 is unknown",
            sepcl_tune(f->model, &(sepcl_tune_desc){.precision = (sepcl_precision)7}, NULL, NULL));
    INVALID("a budget of -1 seconds", sepcl_tune(f->model, &(sepcl_tune_desc){.budget = -1}, NULL, NULL));
}

static void sessions_that_are_not(void **state)
{
    const fixture    *f = *state;
    sepcl_session    *s;
    sepcl_shape       shape;
    sepcl_memory_info memory;
    sepcl_step_info   step;
    float             v[4] = {0};
    INVALID("model is NULL", sepcl_session_create(NULL, NULL, &s));
    INVALID("precision 7 is unknown",
            sepcl_session_create(f->model, &(sepcl_session_desc){.precision = (sepcl_precision)7}, &s));
    INVALID("of input 'x'", sepcl_session_create(f->model, NULL, &s));
    assert_null(s);
    INVALID("session is NULL", sepcl_session_input_shape(NULL, 0, &shape));
    INVALID("session is NULL", sepcl_session_output_shape(NULL, 0, &shape));
    INVALID("session is NULL", sepcl_session_write(NULL, 0, v, sizeof v));
    INVALID("session is NULL", sepcl_session_bind(NULL, 0, v, sizeof v));
    INVALID("session is NULL", sepcl_session_enqueue(NULL));
    INVALID("session is NULL", sepcl_session_wait(NULL));
    INVALID("session is NULL", sepcl_session_run(NULL));
    INVALID("session is NULL", sepcl_session_read(NULL, 0, v, sizeof v));
    INVALID("session is NULL", sepcl_session_memory(NULL, &memory));
    INVALID("session is NULL", sepcl_session_check(NULL, 0, NULL, NULL));
    assert_int_equal(sepcl_session_step_count(NULL), 0);
    INVALID("step 0: the plan has 0", sepcl_session_step(NULL, 0, &step));
    sepcl_session_destroy(NULL);
}

static void sessions(void **state)
{
    const fixture           *f = *state;
    const sepcl_input_shape  x = {"x", {.rank = 4, .dims = {1, 2, 5, 4}}};
    const sepcl_session_desc d = {.shapes = &x, .n_shapes = 1};
    sepcl_session           *s;
    sepcl_shape              shape;
    sepcl_step_info          step;
    float                    in[40] = {1}, out[18];
    sepcl_session_desc       half = d;
    half.cl_queue = &half;
    INVALID("cl_context and cl_queue go together", sepcl_session_create(f->model, &half, &s));
    assert_ok(sepcl_session_create(f->model, &d, &s));
    INVALID("input 1: the model has 1", sepcl_session_input_shape(s, 1, &shape));
    INVALID("output -1: the model has 1", sepcl_session_output_shape(s, -1, &shape));
    assert_ok(sepcl_session_output_shape(s, 0, &shape));
    assert_int_equal(shape.rank, 4);
    INVALID("input 'x' has not been written", sepcl_session_run(s));
    INVALID("data is NULL", sepcl_session_write(s, 0, NULL, sizeof in));
    INVALID("'x'", sepcl_session_write(s, 0, in, sizeof in - 4));
    INVALID("input 2: the model has 1", sepcl_session_write(s, 2, in, sizeof in));
    INVALID("output 'y' is read before a run", sepcl_session_read(s, 0, out, sizeof out));
    assert_ok(sepcl_session_write(s, 0, in, sizeof in));
    assert_ok(sepcl_session_run(s));
    INVALID("'y'", sepcl_session_read(s, 0, out, sizeof out + 4));
    assert_ok(sepcl_session_read(s, 0, out, sizeof out));
    assert_ok(sepcl_session_check(s, 0, NULL, NULL));
    const int n = sepcl_session_step_count(s);
    INVALID("the plan has", sepcl_session_step(s, n, &step));
    INVALID("step -1: the plan has", sepcl_session_step(s, -1, &step));
    assert_ok(sepcl_session_step(s, n - 1, &step));
    sepcl_session_destroy(s);
}

static void devices(void **state)
{
    sepcl_device_info  info;
    sepcl_device_speed speed;
    const char        *line;
    int                n, i;
    (void)state;
    assert_ok(sepcl_device_count(&n));
    INVALID("there are", sepcl_device_get(n, &info));
    INVALID("device index -1", sepcl_device_get(-1, &info));
    INVALID("device index -1", sepcl_device_measure(-1, &speed));
    INVALID("device index", sepcl_device_self_test(&(sepcl_self_test_desc){.device = n}, NULL, NULL));
    INVALID("device index -1", sepcl_device_choice(-1, 0, &line));
    INVALID("", sepcl_device_choice(0, -1, &line));
    INVALID("", sepcl_device_choice(0, 9999, &line));
    assert_ok(sepcl_device_choice(0, 0, &line));
    INVALID("ban 0: there are 0", sepcl_device_ban(0, "off", 0, &line));
    INVALID("ban -1", sepcl_device_ban(0, "off", -1, &line));
    assert_fails(SEPCL_DEVICE_ERROR, "no usable device is meant by it", sepcl_device_find("no such device", &i));
    assert_fails(SEPCL_INVALID, "no such op",
                 sepcl_device_self_test(&(sepcl_self_test_desc){.op = "no such op"}, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_numbers), cmocka_unit_test(models),  cmocka_unit_test(summaries),
        cmocka_unit_test(separations),      cmocka_unit_test(tuning),  cmocka_unit_test(sessions_that_are_not),
        cmocka_unit_test(sessions),         cmocka_unit_test(devices),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
