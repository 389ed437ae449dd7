/* SPDX-License-Identifier: Apache-2.0 */
/* Kernel texts, builds and launches on the default device. */
#include "scratch.h"

#include <pthread.h>

#include "cl/internal.h"
#include "ir/op.h"

static clx  *x;
static char *folder; /* SEPCL_KERNEL_DIR of these tests */
static int   device;

static void put_kernel(const char *name, const char *text)
{
    char *path = file_join(folder, name);
    assert_ok(file_write(path, text, strlen(text), 0600));
    free(path);
}

static const char add_text[] = "__kernel void add(__global float *out, const int n, const float b, __local float *l)\n"
                               "{\n"
                               "    const int i = (int)get_global_id(0);\n"
                               "    l[get_local_id(0)] = b;\n"
                               "    if (i < n)\n"
                               "        out[i] += l[get_local_id(0)] * FACTOR;\n"
                               "}\n";

static int set_up(void **state)
{
    (void)state;
    folder = strdup(scratch_folder());
    setenv("SEPCL_KERNEL_DIR", folder, 1);
    put_kernel("common.cl", "#define SEPCL_COMMON\n#define SHARED_VALUE 7\n");
    put_kernel("add.cl", add_text);
    put_kernel("broken.cl", "__kernel void broken(__global float *out)\n{\n    out[0] = nonesuch;\n}\n");
    put_kernel("shared.cl", "__kernel void shared(__global int *out) { out[0] = SHARED_VALUE; }\n");
    put_kernel("popular.cl", "__kernel void popular(__global int *out) { out[0] = (int)popcount(7u); }\n");
    put_kernel("line.cl", "__kernel void line(__global int *out) { out[0] = __LINE__; }\n");
    assert_ok(devices_find(NULL, &device));
    assert_ok(clx_open(&(clx_desc){.device = device, .profile = true}, &x));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    clx_close(x);
    scratch_remove(folder);
    unsetenv("SEPCL_KERNEL_DIR");
    free(folder);
    return 0;
}

/* ---------------------------------------------------------------- texts */

static void text_is_embedded(void **state)
{
    char *text, *common;
    (void)state;
    unsetenv("SEPCL_KERNEL_DIR");
    assert_ok(kernel_source("unary", &text));
    assert_ok(kernel_source("common", &common));
    setenv("SEPCL_KERNEL_DIR", folder, 1);
    assert_memory_equal(text, common, strlen(common));
    assert_non_null(strstr(text, "#line 1 \"unary.cl\""));
    assert_non_null(strstr(text, "__kernel void unary("));
    free(text);
    free(common);
}

static void text_from_folder(void **state)
{
    char *text;
    (void)state;
    assert_ok(kernel_source("add", &text));
    assert_non_null(strstr(text, "void add("));
    free(text);
    assert_fails(SEPCL_BAD_FILE, "missing.cl", kernel_source("missing", &text));
    assert_null(text);
    unsetenv("SEPCL_KERNEL_DIR");
    assert_fails(SEPCL_DEVICE_ERROR, "missing.cl", kernel_source("missing", &text));
    setenv("SEPCL_KERNEL_DIR", folder, 1);
}

static void names_are_checked(void **state)
{
    static const char *const bad[] = {
        "",     "../x", "a/b",         "A",
        "a.cl", "a b",  "/etc/passwd", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    char *text;
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_fails(SEPCL_INVALID, "kernel file name", kernel_source(bad[i], &text));
        assert_null(text);
    }
    assert_fails(SEPCL_INVALID, "kernel file name", kernel_source(NULL, &text));
}

static void gist_of_logs(void **state)
{
    char buffer[64];
    (void)state;
    assert_string_equal(log_gist("note: a\n  x.cl:3: error: b\r\n\n^\ny.cl:4: ERROR c\n", buffer, sizeof buffer),
                        "x.cl:3: error: b | y.cl:4: ERROR c");
    assert_string_equal(log_gist("one\ntwo\nthree\nfour", buffer, sizeof buffer), "one | two | three");
    assert_string_equal(log_gist("", buffer, sizeof buffer), "");
    assert_string_equal(log_gist("\n\n", buffer, sizeof buffer), "");
    assert_string_equal(log_gist("a\x1b[31mb", buffer, sizeof buffer), "a [31mb");
    assert_int_equal(strlen(log_gist("error: 0123456789012345678901234567890123456789012345678901234567890123456789",
                                     buffer, sizeof buffer)),
                     63);
}

/* ---------------------------------------------------------------- builds */

static void build_and_run(void **state)
{
    clx_build   b = {.file = "add", .options = "-DFACTOR=2", .layer = "l"};
    clx_kernel *k;
    clx_buffer *out;
    float       v[8] = {0};
    size_t      most, global = 8, local = 1;
    clx_event  *event;
    uint64_t    times[3];
    (void)state;
    assert_ok(clx_build_all(x, &b, 1, NULL, false));
    assert_false(b.from_cache);
    assert_fails(SEPCL_DEVICE_ERROR, "kernel nothing", clx_kernel_create(x, b.program, "nothing", &k));
    assert_null(k);
    assert_ok(clx_kernel_create(x, b.program, "add", &k));
    assert_ok(clx_kernel_work_group(x, k, &most));
    assert_true(most >= 1);
    assert_ok(clx_buffer_create(x, sizeof v, &out));
    assert_ok(clx_write(x, out, 0, sizeof v, v));
    status s = clx_enqueue(x, k, 1, &global, &local, NULL); /* arguments are missing; a team finds out when it runs */
    assert_fails(SEPCL_DEVICE_ERROR, "kernel add", s == SEPCL_OK ? clx_finish(x) : s);
    assert_ok(clx_arg_buffer(x, k, 0, out));
    assert_ok(clx_arg_i32(k, 1, 7));
    assert_ok(clx_arg_f32(k, 2, 1.5f));
    assert_ok(clx_arg_local(k, 3, 64));
    assert_fails(SEPCL_DEVICE_ERROR, "argument 4 of kernel add: CL_INVALID_ARG_INDEX", clx_arg_i32(k, 4, 0));
    assert_ok(clx_enqueue(x, k, 1, &global, &local, &event));
    assert_ok(clx_flush(x));
    assert_ok(clx_finish(x));
    clx_event_times(x, event, &times[0], &times[1], &times[2]);
    assert_true(times[0] <= times[1] && times[1] <= times[2]);
    assert_ok(clx_read(x, out, 0, sizeof v, v));
    assert_true(v[0] == 3.0f && v[6] == 3.0f && v[7] == 0.0f);
    clx_buffer_destroy(out);
    clx_kernel_destroy(k);
    clx_program_destroy(b.program);
    clx_kernel_destroy(NULL);
    clx_program_destroy(NULL);
}

static int int_of(const char *file)
{
    clx_build   b = {.file = file, .options = ""};
    clx_kernel *k;
    clx_buffer *out;
    int         v = 0;
    size_t      global = 1;
    assert_ok(clx_build_all(x, &b, 1, NULL, false));
    assert_ok(clx_kernel_create(x, b.program, file, &k));
    assert_ok(clx_buffer_create(x, sizeof v, &out));
    assert_ok(clx_arg_buffer(x, k, 0, out));
    assert_ok(clx_enqueue(x, k, 1, &global, NULL, NULL));
    assert_ok(clx_read(x, out, 0, sizeof v, &v));
    clx_buffer_destroy(out);
    clx_kernel_destroy(k);
    clx_program_destroy(b.program);
    return v;
}

static void common_comes_first(void **state)
{
    (void)state;
    assert_int_equal(int_of("shared"), 7);
    assert_int_equal(int_of("line"), 1); /* and does not shift the lines */
}

/* ---------------------------------------------------------------- without the driver's header */

/* Fails when options make a kernel file call a built-in function that builtins.cl does not declare. */
static void builds_without_header(const char *file, const char *options)
{
    clx_build b = {.file = file, .options = options};
    assert_ok(clx_build_all(x, &b, 1, NULL, false));
    clx_program_destroy(b.program);
    if (atomic_load(&x->needs_header))
        test_fail("%s.cl with \"%s\" needs more declarations than builtins.cl has\n", file, options);
}

static void kernels_build_without_header(void **state)
{
    char options[100];
    (void)state;
    if (!x->slow_header)
        skip();
    unsetenv("SEPCL_KERNEL_DIR");
    for (const struct kernel_text *k = kernel_texts; k->name; k++)
        for (int half = 0; half < 2; half++) {
            snprintf(options, sizeof options, "-DSTORE_F16=%d", half);
            if (strcmp(k->name, "builtins") != 0 && strcmp(k->name, "common") != 0)
                builds_without_header(k->name, options);
        }
    for (int a = 0; a < ACT_COUNT; a++) {
        snprintf(options, sizeof options, "-DACT=%s", act_macro((act_kind)a));
        builds_without_header("unary", options);
    }
    setenv("SEPCL_KERNEL_DIR", folder, 1);
}

/* A function that builtins.cl lacks: the header is taken after all, for all that follows. */
static void header_is_taken_where_needed(void **state)
{
    (void)state;
    assert_int_equal(int_of("popular"), 3);
    assert_true(atomic_load(&x->needs_header) == x->slow_header);
    assert_int_equal(int_of("shared"), 7);
    atomic_store(&x->needs_header, false);
}

static void broken_kernel_has_a_sentence(void **state)
{
    clx_build b[3] = {{.file = "add", .options = "-DFACTOR=1", .layer = "first"},
                      {.file = "broken", .options = "-DQ=3", .layer = "block3/conv"},
                      {.file = "add", .options = "-DFACTOR=3", .layer = "last"}};
    (void)state;
    assert_fails(SEPCL_DEVICE_ERROR, "layer 'block3/conv': kernels/broken.cl with \"-DQ=3\"",
                 clx_build_all(x, b, 3, NULL, false));
    assert_non_null(strstr(error_sentence(), "CL_BUILD_PROGRAM_FAILURE"));
    assert_non_null(strstr(error_sentence(), "nonesuch"));
    assert_null(strchr(error_sentence(), '\n'));
    for (int i = 0; i < 3; i++)
        assert_null(b[i].program);
}

static void first_failure_is_reported(void **state)
{
    clx_build b[6];
    (void)state;
    for (int i = 0; i < 6; i++)
        b[i] = (clx_build){.file = "missing", .options = "", .layer = i ? "other" : "first of all"};
    assert_fails(SEPCL_BAD_FILE, "layer 'first of all': ", clx_build_all(x, b, 6, NULL, false));
    assert_ok(clx_build_all(x, NULL, 0, NULL, true));
}

/* ---------------------------------------------------------------- two threads */

typedef struct worker {
    const char *cache;
    status      state;
    char        sentence[512];
} worker;

static status build_eight(worker *w)
{
    clx      *y;
    clx_build b[8];
    char      options[8][40];
    for (int i = 0; i < 8; i++) {
        snprintf(options[i], sizeof options[i], "-DFACTOR=%d", i);
        b[i] = (clx_build){.file = "add", .options = options[i], .layer = "l"};
    }
    TRY(clx_open(&(clx_desc){.device = device}, &y));
    for (int round = 0; round < 2; round++) {
        const status s = clx_build_all(y, b, 8, w->cache, true);
        if (s != SEPCL_OK) {
            clx_close(y);
            return s;
        }
        clx_programs_save(y, b, 8, w->cache);
        programs_store_late(y);
        for (int i = 0; i < 8; i++)
            clx_program_destroy(b[i].program);
    }
    clx_close(y);
    return SEPCL_OK;
}

static void *work(void *arg)
{
    worker *w = arg;
    w->state = build_eight(w);
    snprintf(w->sentence, sizeof w->sentence, "%s", error_sentence());
    return NULL;
}

static void two_threads_share_a_cache(void **state)
{
    char     *cache = strdup(scratch_folder());
    char     *programs = file_join(cache, "programs");
    worker    w[2] = {{.cache = cache}, {.cache = cache}};
    pthread_t threads[2];
    (void)state;
    if (x->simulator) { /* its compiler cannot run twice at a time, whoever asks */
        scratch_remove(cache);
        free(programs);
        free(cache);
        skip();
    }
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, &w[i]), 0);
    for (int i = 0; i < 2; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 2; i++) {
        if (w[i].state != SEPCL_OK)
            test_fail("%s\n", w[i].sentence);
    }
    assert_int_equal(scratch_count(programs), 8); /* eight entries, no temporary file */
    scratch_remove(cache);
    free(programs);
    free(cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_is_embedded),
        cmocka_unit_test(text_from_folder),
        cmocka_unit_test(names_are_checked),
        cmocka_unit_test(gist_of_logs),
        cmocka_unit_test(build_and_run),
        cmocka_unit_test(common_comes_first),
        cmocka_unit_test(kernels_build_without_header),
        cmocka_unit_test(header_is_taken_where_needed),
        cmocka_unit_test(broken_kernel_has_a_sentence),
        cmocka_unit_test(first_failure_is_reported),
        cmocka_unit_test(two_threads_share_a_cache),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
