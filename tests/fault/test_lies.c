/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Drivers that lie: about the device, about times, about what went well; and kernels that compute something else. The
 * answer is right, or an error says what is wrong; a kernel that was found wrong is not used again.
 */
#include "child.h"

#include <math.h>

#include "figures.h"
#include "level.h"

static const char *test_device(void)
{
    return getenv("SEPCL_TEST_DEVICE");
}

/* ---------------------------------------------------------------- absurd facts of a device, a process each */

static const char *const facts[] = {
    "device.max_work_group=0", "device.max_work_group=1", "device.max_work_group=18446744073709551615",
    "device.max_work_item=0", "device.max_work_item=1", "device.max_work_item=18446744073709551615",
    "device.compute_units=0", "device.compute_units=4294967295", "device.clock=0", "device.clock=4294967295",
    "device.local_bytes=0", "device.local_bytes=1", "device.local_bytes=18446744073709551615", "device.local_type=77",
    "device.global_bytes=0", "device.global_bytes=1", "device.global_bytes=18446744073709551615", "device.max_alloc=0",
    "device.max_alloc=1000", "device.max_alloc=18446744073709551615", "device.constant_bytes=0",
    "device.cache_bytes=18446744073709551615", "device.align_bits=0", "device.align_bits=1", "device.align_bits=12345",
    "device.align_bits=2147483648", "device.align_bits=4294967295", "device.vector_width=0", "device.vector_width=7",
    "device.vector_width=4294967295", "device.unified=0", "device.type=0", "device.type=4", "device.type=8",
    "device.type=18446744073709551615", "device.name=", "device.name=long:100000", "device.name=\033[2J|\n%s%n",
    "device.driver=", "device.driver=long:100000", "device.version=", "device.version=long:2000000", "device.c_version=",
    "device.c_version=OpenCL C 99.99", "device.c_version=OpenCL C 1.0", "device.extensions=",
    "device.extensions=long:1000000", "device.kernel_work_group=0", "device.kernel_work_group=1",
    "device.kernel_work_group=18446744073709551615",
    "device.type=4;device.max_work_group=0;device.max_work_item=0;device.local_bytes=0;device.compute_units=0",
    "device.type=4;device.max_work_group=3;device.kernel_work_group=2",
};

/* 0: right, 2: a named error. */
static int live_with(const char *lie)
{
    work              w = {0};
    sepcl_device_info info;
    const char       *text;
    int               n = 0;
    fault_set(lie);
    work_do(&w);
    if (sepcl_device_count(&n) != SEPCL_OK || n < 1 || sepcl_device_get(0, &info) != SEPCL_OK)
        return 1;
    for (int i = 0; sepcl_device_choice(0, i, &text) == SEPCL_OK; i++)
        if (!*text)
            return 1;
    if (fault_lied() == 0)
        return 1;
    if (w.status == SEPCL_OK)
        return w.right ? 0 : 1;
    if ((w.status != SEPCL_DEVICE_ERROR && w.status != SEPCL_OUT_OF_MEMORY && w.status != SEPCL_UNSUPPORTED) ||
        strlen(w.error) < 20)
        return 1;
    printf("%.60s: %s\n", lie, w.error);
    fflush(stdout);
    return 2;
}

/* Before any other test, as a device list is made once a process. */
static void absurd_facts_are_survived(void **state)
{
    int       right = 0, named = 0;
    const int n = (int)(sizeof facts / sizeof *facts);
    (void)state;
    for (int i = 0; i < n; i++) {
        const pid_t child = fork();
        if (child == 0) {
            alarm(60);
            child_ends(live_with(facts[i]));
        }
        const int outcome = child_code(child, facts[i]);
        right += outcome == 0;
        named += outcome == 2;
    }
    figure("lies", "right answer or named error", "Absurd facts of a device | %d: %d right, %d named", n, right, named);
}

/* ---------------------------------------------------------------- times */

static void false_times_do_no_harm(void **state)
{
    static const char *const lies[] = {"times=zero", "times=backwards", "times=same", "times=huge"};
    long                     told = 0;
    (void)state;
    for (size_t i = 0; i < sizeof lies / sizeof *lies; i++) {
        sepcl_model             *model;
        sepcl_session           *session;
        sepcl_step_info          step;
        const sepcl_session_desc d = {.device = test_device(), .profile = true};
        fault_clear();
        fault_set(lies[i]);
        assert_int_equal(sepcl_model_load(work_model(), NULL, &model), SEPCL_OK);
        assert_int_equal(sepcl_session_create(model, &d, &session), SEPCL_OK);
        assert_int_equal(sepcl_session_write(session, 0, work_input(), WORK_IN * sizeof(float)), SEPCL_OK);
        assert_int_equal(sepcl_session_run(session), SEPCL_OK);
        told += fault_lied();
        for (int k = 0; k < sepcl_session_step_count(session); k++) {
            assert_int_equal(sepcl_session_step(session, k, &step), SEPCL_OK);
            assert_true(step.queued_ns <= step.start_ns && step.start_ns <= step.end_ns);
            assert_true(step.busy_ns <= step.end_ns - step.start_ns);
        }
        sepcl_session_destroy(session);
        sepcl_model_destroy(model);
    }
    if (told == 0)
        skip(); /* a team of lanes takes the times by the host's clock */
}

/* ---------------------------------------------------------------- kernels that compute something else */

/* The kernel with which a session runs a layer, "conv/conv MR=6 V=16", and the layer's op; false when no layer runs with one
   of that file. */
static bool kernel_in_use(const char *cache_dir, const char *file, char kernel[160], char op[32])
{
    sepcl_model             *model;
    sepcl_session           *session;
    sepcl_step_info          step;
    bool                     found = false;
    const sepcl_session_desc d = {.device = test_device(), .cache_dir = cache_dir};
    assert_int_equal(sepcl_model_load(work_model(), NULL, &model), SEPCL_OK);
    assert_int_equal(sepcl_session_create(model, &d, &session), SEPCL_OK);
    for (int k = 0; k < sepcl_session_step_count(session) && !found; k++) {
        assert_int_equal(sepcl_session_step(session, k, &step), SEPCL_OK);
        found = strncmp(step.kernel, file, strlen(file)) == 0 && step.kernel[strlen(file)] == '/';
        snprintf(op, 32, "%s", step.op);
        snprintf(kernel, 160, "%s", step.kernel);
    }
    sepcl_session_destroy(session);
    sepcl_model_destroy(model);
    return found;
}

/* What the layer is to look for: the options of a variant, or the entry of all variants of a row. */
static void lie_about(const char *kind, const char *kernel, char lie[256])
{
    const char *entry = strchr(kernel, '/') + 1, *at = strchr(kernel, ' ');
    snprintf(lie, 256, "%s=", kind);
    if (strcmp(kind, "skip") == 0) {
        snprintf(lie + strlen(lie), 256 - strlen(lie), "%.*s ", (int)strcspn(entry, " #"), entry);
        return;
    }
    for (char name[64]; at && sscanf(at, " %63s", name) == 1; at += strlen(name) + 1)
        snprintf(lie + strlen(lie), 256 - strlen(lie), " -D%s", name);
}

static int bans_of(const char *cache_dir)
{
    int              device;
    sepcl_cache_info info;
    assert_int_equal(sepcl_device_find(test_device(), &device), SEPCL_OK);
    assert_int_equal(sepcl_device_cache(device, cache_dir, &info), SEPCL_OK);
    for (int i = 0; i < info.bans; i++) {
        const char *line;
        assert_int_equal(sepcl_device_ban(device, cache_dir, i, &line), SEPCL_OK);
        print_message("banned: %s\n", line);
    }
    return info.bans;
}

static void session_is(bool right, const char *cache_dir)
{
    work w = {.cache_dir = cache_dir};
    work_do(&w);
    if (w.status != SEPCL_OK || w.right != right)
        test_fail("%s the answer was %s: %s\n", right ? "with the kernel banned" : "with the kernel in use",
                  w.right ? "right" : "wrong", w.error);
}

typedef struct garbage_case {
    const char *kind, *file;
    char        lie[256], kernel[160], op[32], cache[600];
} garbage_case;

/* A new cache, and the lie about the kernel that a session uses. */
static void begin_garbage(garbage_case *g)
{
    fault_clear();
    session_is(true, NULL); /* the right answer has to be known, whichever tests are chosen */
    empty_folder("garbage", g->cache, sizeof g->cache);
    assert_true(kernel_in_use(g->cache, g->file, g->kernel, g->op));
    empty_folder("garbage", g->cache, sizeof g->cache);
    lie_about(g->kind, g->kernel, g->lie);
    fault_set(g->lie);
    session_is(false, g->cache); /* the lie works */
    assert_true(fault_lied() > 0);
    assert_int_equal(bans_of(g->cache), 0);
}

/* With the lie still told, a session is right from now on, and when it is over the ban stays. */
static void end_garbage(const garbage_case *g)
{
    char kernel[160], op[32];
    assert_true(bans_of(g->cache) >= 1);
    session_is(true, g->cache);
    fault_clear();
    if (kernel_in_use(g->cache, g->file, kernel, op))
        assert_string_not_equal(kernel, g->kernel);
}

static void the_tuner_bans_garbage(void **state)
{
    garbage_case g = {.kind = "garbage", .file = "stem"};
    work         w = {.cache_dir = g.cache};
    (void)state;
    begin_garbage(&g);
    work_tune(&w, 20);
    assert_int_equal(w.status, SEPCL_OK);
    end_garbage(&g);
}

static bool count_bans(void *user, const sepcl_self_test_result *r)
{
    *(int *)user += r->banned;
    return true;
}

static void self_test(const garbage_case *g, sepcl_status want, int *banned)
{
    sepcl_self_test_desc d = {.op = g->op, .cache_dir = g->cache};
    *banned = 0;
    assert_int_equal(sepcl_device_find(test_device(), &d.device), SEPCL_OK);
    assert_int_equal(sepcl_device_self_test(&d, count_bans, banned), want);
}

static void the_self_test_bans_garbage(void **state)
{
    garbage_case g = {.kind = "skip", .file = "softmax"};
    int          banned;
    (void)state;
    fault_clear();
    begin_garbage(&g);
    self_test(&g, SEPCL_MISMATCH, &banned);
    assert_true(banned >= 1);
    assert_non_null(strstr(sepcl_last_error(), "differ from the reference"));
    end_garbage(&g);
    self_test(&g, SEPCL_OK, &banned); /* it goes over banned kernels, too */
}

/* A ban is of one driver and one text of the kernel. */
static void bans_do_not_outlive_their_reason(void **state)
{
    garbage_case g = {.kind = "skip", .file = "softmax"};
    int          banned;
    char         command[1400];
    (void)state;
    begin_garbage(&g);
    self_test(&g, SEPCL_MISMATCH, &banned);
    fault_clear();
    assert_true(bans_of(g.cache) >= 1);
    /* the mark of the text, 16 digits between bars */
    snprintf(command, sizeof command, "sed -i -E 's/ \\| [0-9a-f]{16} \\| 0 / | 0123456789abcdef | 0 /' '%s'/tuning/*.txt",
             g.cache);
    assert_int_equal(system(command), 0);
    assert_int_equal(bans_of(g.cache), 0);
    char kernel[160], op[32];
    assert_true(kernel_in_use(g.cache, g.file, kernel, op));
    assert_string_equal(kernel, g.kernel);
    figure("lies", "found, banned, right answers after it", "Kernels that compute something else | by sepcl_tune and self-test");
}

/* ---------------------------------------------------------------- what is missing, and what fails late */

static void missing_kernels_are_replaced(void **state)
{
    static const char *const found[] = {"missing=inverted ", "missing=stem ", "missing=softmax_rows "};
    work                     w = {0};
    (void)state;
    level before = level_warm(&w);
    for (size_t i = 0; i < sizeof found / sizeof *found; i++) {
        fault_clear();
        fault_set(found[i]);
        work_do(&w);
        if (w.status != SEPCL_OK || !w.right)
            test_fail("%s: %s\n", found[i], w.error);
        assert_true(fault_lied() > 0);
        level_check(&before, found[i]);
    }
    fault_clear();
    fault_set("missing= "); /* all */
    work_do(&w);
    assert_int_equal(w.status, SEPCL_DEVICE_ERROR);
    assert_non_null(strstr(w.error, "CL_INVALID_KERNEL_NAME"));
    assert_non_null(strstr(w.error, "layer '"));
    level_check(&before, "no kernel at all");
    fault_clear();
}

/* Out of resources that shows when something is waited for, with the context lost: while a session is made. */
static void lost_contexts_are_replaced(void **state)
{
    static const char *const passing[] = {"late= ;late_contexts=1", "late=stem ", "late=inverted "};
    work                     w = {0};
    (void)state;
    level before = level_warm(&w);
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        fault_clear();
        fault_set(passing[i]);
        work_do(&w);
        if (w.status != SEPCL_OK || !w.right)
            test_fail("%s: %s\n", passing[i], w.error);
        assert_true(fault_lied() > 0);
        level_check(&before, passing[i]);
    }
    fault_clear();
    fault_set("late= ");
    work_do(&w);
    assert_int_equal(w.status, SEPCL_DEVICE_ERROR);
    assert_non_null(strstr(w.error, "CL_OUT_OF_RESOURCES"));
    level_check(&before, "every context is lost");
    fault_clear();
}

/* A session that ran, with its input written or bound, before the lie. */
typedef struct running {
    sepcl_model   *model;
    sepcl_session *session;
} running;

static void begin_running(running *r, bool bound)
{
    const sepcl_session_desc d = {.device = test_device()};
    const size_t             bytes = WORK_IN * sizeof(float);
    assert_int_equal(sepcl_model_load(work_model(), NULL, &r->model), SEPCL_OK);
    assert_int_equal(sepcl_session_create(r->model, &d, &r->session), SEPCL_OK);
    if (bound)
        assert_int_equal(sepcl_session_bind(r->session, 0, work_input(), bytes), SEPCL_OK);
    else
        assert_int_equal(sepcl_session_write(r->session, 0, work_input(), bytes), SEPCL_OK);
    assert_int_equal(sepcl_session_run(r->session), SEPCL_OK);
}

static void end_running(running *r)
{
    sepcl_session_destroy(r->session);
    sepcl_model_destroy(r->model);
}

static bool answers(running *r)
{
    float out[WORK_OUT];
    if (sepcl_session_run(r->session) != SEPCL_OK)
        return false;
    assert_int_equal(sepcl_session_read(r->session, 0, out, sizeof out), SEPCL_OK);
    assert_true(work_is_right(out, 1e-4));
    return true;
}

/* Whatever is asked of a session whose device is gone. */
static void all_say_that_it_is_lost(sepcl_session *s)
{
    const size_t      bytes = WORK_IN * sizeof(float);
    float             out[WORK_OUT];
    sepcl_memory_info memory;
    sepcl_step_info   step;
    for (int i = 0; i < 8; i++) {
        const status st = i == 0   ? sepcl_session_run(s)
                          : i == 1 ? sepcl_session_wait(s)
                          : i == 2 ? sepcl_session_read(s, 0, out, sizeof out)
                          : i == 3 ? sepcl_session_write(s, 0, work_input(), bytes)
                          : i == 4 ? sepcl_session_bind(s, 0, work_input(), bytes)
                          : i == 5 ? sepcl_session_memory(s, &memory)
                          : i == 6 ? sepcl_session_step(s, 0, &step)
                                   : sepcl_session_check(s, 0, NULL, NULL);
        if (st != SEPCL_DEVICE_ERROR || !strstr(sepcl_last_error(), "the session's device was lost: ") ||
            !strstr(sepcl_last_error(), "CL_OUT_OF_RESOURCES"))
            test_fail("question %d to a session without device: status %d, %s\n", i, (int)st, sepcl_last_error());
    }
}

/* The same while a session runs. What was written to a device that works in the host's memory is lost with its context, and
   has to be written again; what the caller keeps, or the library, is not. */
static void lost_contexts_are_replaced_later(void **state)
{
    static const char *const passing[] = {"late= ;late_contexts=1", "late=stem ", "late=inverted "};
    running                  r;
    (void)state;
    for (size_t i = 0; i < sizeof passing / sizeof *passing; i++) {
        fault_clear();
        begin_running(&r, true);
        fault_set(passing[i]);
        if (!answers(&r) || !answers(&r))
            test_fail("%s: %s\n", passing[i], sepcl_last_error());
        end_running(&r);
        fault_clear();
        begin_running(&r, false);
        fault_set(passing[i]);
        if (!answers(&r)) {
            assert_non_null(strstr(sepcl_last_error(), "CL_OUT_OF_RESOURCES"));
            assert_non_null(strstr(sepcl_last_error(), "written again"));
            assert_int_equal(sepcl_session_run(r.session), SEPCL_INVALID);
            assert_int_equal(sepcl_session_write(r.session, 0, work_input(), WORK_IN * sizeof(float)), SEPCL_OK);
            assert_true(answers(&r));
        }
        end_running(&r);
    }
    for (int bound = 0; bound < 2; bound++) {
        fault_clear();
        begin_running(&r, bound);
        fault_set("late= ");
        assert_int_equal(sepcl_session_run(r.session), SEPCL_DEVICE_ERROR);
        assert_non_null(strstr(sepcl_last_error(), "CL_OUT_OF_RESOURCES"));
        assert_non_null(strstr(sepcl_last_error(), "opened anew"));
        all_say_that_it_is_lost(r.session);
        end_running(&r);
    }
    fault_clear();
}

/* A device of its own memory: nothing has to be written again. In a process of its own, as the device list is to say so;
   before any other test. */
static void what_was_written_is_kept(void **state)
{
    const pid_t child = fork();
    (void)state;
    if (child == 0) {
        running r;
        work    w = {0};
        fault_set("device.type=4");
        work_do(&w); /* for the answer */
        begin_running(&r, false);
        fault_set("late= ;late_contexts=1");
        const bool ok = answers(&r) && answers(&r) && fault_lied() > 0;
        if (!ok)
            fprintf(stderr, "%s\n", sepcl_last_error());
        end_running(&r);
        child_ends(!ok);
    }
    assert_int_equal(child_code(child, "a device of its own memory"), 0);
}

/* A candidate that takes the context with it leaves the others a new one. */
static void the_tuner_outlives_lost_contexts(void **state)
{
    char folder[600];
    work w = {.cache_dir = folder};
    (void)state;
    fault_clear();
    empty_folder("late", folder, sizeof folder);
    fault_set("late=stem ;late_contexts=3");
    work_tune(&w, 20); /* a bound: however busy the machine, a convolution has its turn */
    if (w.status != SEPCL_OK)
        test_fail("%s\n", w.error);
    assert_true(fault_lied() >= 1);
    fault_clear();
    work_do(&w);
    assert_true(w.status == SEPCL_OK && w.right);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absurd_facts_are_survived), /* first */
        cmocka_unit_test(what_was_written_is_kept),  /* second */
        cmocka_unit_test(false_times_do_no_harm),
        cmocka_unit_test(missing_kernels_are_replaced),
        cmocka_unit_test(lost_contexts_are_replaced),
        cmocka_unit_test(lost_contexts_are_replaced_later),
        cmocka_unit_test(the_tuner_outlives_lost_contexts),
        cmocka_unit_test(the_tuner_bans_garbage),
        cmocka_unit_test(the_self_test_bans_garbage),
        cmocka_unit_test(bans_do_not_outlive_their_reason),
    };
    work_begin(argc, argv);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    work_end();
    return failed;
}
