/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every OpenCL call of loading, running and tuning a small network fails: once, always, and with all that follow it. Then
 * either the answer is right all the same, or an error names the OpenCL error, and the layer where there is one; and
 * nothing is left over. --all tries each call in each way, without it some are left out.
 */
#include "child.h"

#include <errno.h>

#define CL_USE_DEPRECATED_OPENCL_1_2_APIS
#include <CL/cl.h>

#include "figures.h"
#include "level.h"

#define WAY 12 /* frames of the stack by which ways through the code are told apart */

static level before;

/* ---------------------------------------------------------------- what has to hold */

static const char *const mode_names[] = {"once", "always", "with all after it"};

static char described[256];

static void describe(const char *work_name, long n, int code, fault_mode mode)
{
    snprintf(described, sizeof described, "%s: call %ld (%s) fails %s, with its error %d", work_name, n,
             fault_call_name(fault_nth(n)), mode_names[mode], code);
}

/* Calls that are made for a layer. */
static bool is_for_layer(fault_call c)
{
    return c == CALL_clCreateProgramWithSource || c == CALL_clBuildProgram || c == CALL_clCreateKernel ||
           c == CALL_clGetKernelWorkGroupInfo || c == CALL_clSetKernelArg || c == CALL_clEnqueueNDRangeKernel;
}

static void check_outcome(const work *w, long n, fault_mode mode, tally *t)
{
    t->cases++;
    if (w->status == SEPCL_OK) {
        t->right++;
        if (!w->right)
            test_fail("%s: the answer is wrong\n", described);
    } else {
        t->named++;
        if (w->status != SEPCL_DEVICE_ERROR && w->status != SEPCL_OUT_OF_MEMORY)
            test_fail("%s: %s gave status %d, %s\n", described, w->failed_at, (int)w->status, w->error);
        if (!level_names_error(w->error))
            test_fail("%s: no name of the error in \"%s\"\n", described, w->error);
        if (mode != FAULT_GONE && is_for_layer(fault_nth(n)) && !strstr(w->error, "layer '"))
            test_fail("%s: no layer in \"%s\"\n", described, w->error);
    }
    level_check(&before, described);
}

/* ---------------------------------------------------------------- the device list, asked once a process */

/* What a child makes of a failure while devices are found: 0: all is right. */
static int find_devices_with_failure(long n, int code, fault_mode mode)
{
    work w = {0};
    fault_arm(n, code, mode);
    work_do(&w);
    if (fault_failed() == 0)
        return 1;
    if (w.status == SEPCL_OK)
        return w.right ? 0 : 1;
    if ((w.status != SEPCL_DEVICE_ERROR && w.status != SEPCL_OUT_OF_MEMORY) || !level_names_error(w.error)) {
        describe("devices", n, code, mode);
        fprintf(stderr, "%s: status %d, %s\n", described, (int)w.status, w.error);
        return 1;
    }
    return 2;
}

/* The calls that list devices and open one: with --all each, else one on each way through the code. */
static void calls_of_finding(child_numbers *to)
{
    const long *fresh;
    work        w = {0};
    fault_clear();
    fault_note_ways(work_all() ? 0 : WAY);
    work_do(&w);
    const long n = work_all() ? fault_calls() : fault_new_ways(&fresh);
    fault_note_ways(0);
    for (long i = 0; i < n; i++) {
        const long call = work_all() ? i + 1 : fresh[i];
        child_take(to, call);
        if (fault_nth(call) == CALL_clCreateCommandQueue)
            return;
    }
}

/* A question about a device may stay unanswered; the list itself may not. Before any other test, as a device list is made
   once a process. */
static void finding_devices_may_fail(void **state)
{
    tally t = {0};
    (void)state;
    child_numbers *calls = child_finds(calls_of_finding);
    for (long i = 0; i < calls->n; i++)
        for (int k = 0; k < 6; k++) {
            const long n = calls->at[i];
            const int  code = k % 2, mode = k / 2;
            if (!work_all() && (mode == FAULT_GONE || (work_few() ? k != (int)(i % 4) : k % 2 != (int)(i % 2))))
                continue;
            const pid_t child = fork();
            if (child == 0)
                child_ends(find_devices_with_failure(n, code, (fault_mode)mode));
            snprintf(described, sizeof described, "call %ld while devices are found fails %s", n, mode_names[mode]);
            const int outcome = child_code(child, described);
            t.cases++;
            t.right += outcome == 0;
            t.named += outcome == 2;
        }
    child_forget(calls);
    figure("calls", "right answer or named error", "Failures while devices are listed | %ld: %ld right, %ld named", t.cases,
           t.right, t.named);
}

static int list_devices_without_memory(long n, bool stuck)
{
    work w = {0};
    int  count;
    sys_arm(SYS_MEMORY, n, ENOMEM, stuck);
    if (sepcl_device_count(&count) != SEPCL_OK && !strstr(sepcl_last_error(), "out of memory"))
        return 1;
    work_do(&w);
    if (w.status == SEPCL_OK)
        return !w.right;
    return w.status != SEPCL_OUT_OF_MEMORY || !strstr(w.error, "out of memory");
}

/* The allocations that list devices: with --all each of the first session, else one on each way through the code. */
static void memory_of_finding(child_numbers *to)
{
    const long *fresh;
    int         count;
    work        w = {0};
    sys_clear();
    sys_note_ways(work_all() ? 0 : WAY - 3);
    if (work_all())
        work_do(&w);
    else
        assert_int_equal(sepcl_device_count(&count), SEPCL_OK);
    const long n = work_all() ? sys_count(SYS_MEMORY) : sys_new_ways(&fresh);
    sys_note_ways(0);
    for (long i = 0; i < n; i++)
        child_take(to, work_all() ? i + 1 : fresh[i]);
}

/* Before any other test, too. */
static void memory_of_the_device_list_fails(void **state)
{
    long cases = 0;
    (void)state;
    child_numbers *calls = child_finds(memory_of_finding);
    for (long i = 0; i < calls->n; i++)
        for (int stuck = 0; stuck < 2; stuck++) {
            if (work_few() && stuck != (int)(i % 2))
                continue;
            const pid_t child = fork();
            if (child == 0)
                child_ends(list_devices_without_memory(calls->at[i], stuck));
            snprintf(described, sizeof described, "allocation %ld of a process fails", calls->at[i]);
            assert_int_equal(child_code(child, described), 0);
            cases++;
        }
    child_forget(calls);
    figure("calls", "right answer or \"out of memory\"", "Allocations failed while devices are listed | %ld", cases);
}

/* ---------------------------------------------------------------- a session */

static void fail_one(work *w, const char *name, long n, int code, fault_mode mode, tally *t)
{
    fault_arm(n, code, mode);
    work_do(w);
    describe(name, n, code, mode);
    check_outcome(w, n, mode, t);
}

/* What fails once, other than for memory, and leaves a context to work in, must not be seen at all. */
static void check_once(const work *w, long n, int code)
{
    const fault_call c = fault_nth(n);
    const bool       opening = c == CALL_clCreateContext || c == CALL_clCreateCommandQueue;
    if (w->status == SEPCL_DEVICE_ERROR && !opening && !w->queue)
        test_fail("%s: a failure that passes is reported, %s\n", described, w->error);
    (void)code;
}

/* Without --all: each call once, with one of its errors; of calls that go on failing, which need plans and programs of their
   own, some. few: a third of that. */
static bool is_chosen(long n, int code, fault_mode mode, bool few)
{
    const long thin = few ? 3 : 1;
    if (mode == FAULT_ONCE)
        return n % (2 * thin) == code;
    return n % (mode == FAULT_STUCK ? 12 * thin : 20 * thin) == 5 * code;
}

static void fail_each(work *w, const char *name)
{
    tally once = {0}, more = {0};
    before = level_warm(w);
    const long calls = fault_calls();
    for (long n = 1; n <= calls; n++)
        for (int k = 0; k < 6; k++) {
            const int  code = k % 2;
            const bool is_once = k / 2 == FAULT_ONCE;
            if (!work_all() && !is_chosen(n, code, (fault_mode)(k / 2), work_few() || w->queue))
                continue;
            fail_one(w, name, n, code, (fault_mode)(k / 2), is_once ? &once : &more);
            if (is_once)
                check_once(w, n, code);
        }
    fault_clear();
    work_do(w);
    assert_true(w->status == SEPCL_OK && w->right);
    figure("calls", "right answer or named error, nothing left", "%s: OpenCL calls failed once | %ld: %ld right, %ld named",
           name, once.cases, once.right, once.named);
    figure("calls", "right answer or named error, nothing left",
           "%s: OpenCL calls failed from then on | %ld: %ld right, %ld named", name, more.cases, more.right, more.named);
}

static void calls_of_a_session_fail(void **state)
{
    work w = {0};
    (void)state;
    fail_each(&w, "Session");
}

static void calls_of_a_half_session_fail(void **state)
{
    work w = {.f16 = true, .no_fusion = true};
    (void)state;
    if (!work_all())
        skip();
    fail_each(&w, "Session of halves, unfused");
}

/* In a context of the caller's, whose references have to be as before. */
static void calls_of_a_borrowed_session_fail(void **state)
{
    work           w = {0};
    cl_device_id   device;
    cl_int         e;
    cl_platform_id platform;
    cl_uint        n;
    (void)state;
    fault_clear();
    assert_int_equal(clGetPlatformIDs(1, &platform, &n), CL_SUCCESS);
    assert_int_equal(clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 1, &device, &n), CL_SUCCESS);
    w.context = clCreateContext(NULL, 1, &device, NULL, NULL, &e);
    assert_non_null(w.context);
    w.queue = clCreateCommandQueue(w.context, device, CL_QUEUE_PROFILING_ENABLE, &e);
    assert_non_null(w.queue);
    fail_each(&w, "Session in a borrowed context");
    assert_int_equal(clReleaseCommandQueue(w.queue), CL_SUCCESS);
    assert_int_equal(clReleaseContext(w.context), CL_SUCCESS);
    assert_int_equal(fault_live(FAULT_CONTEXT), 0);
    assert_int_equal(fault_live(FAULT_QUEUE), 0);
}

/* ---------------------------------------------------------------- a session without cached programs, and tuning */

/* Programs are built from source and stored. */
static void calls_of_a_first_session_fail(void **state)
{
    char  path[600];
    work  w = {.cache_dir = path};
    tally t = {0};
    (void)state;
    empty_folder("cold", path, sizeof path);
    before = level_warm(&w);
    empty_folder("cold", path, sizeof path);
    fault_clear();
    work_do(&w);
    const long calls = fault_calls();
    for (long n = 1; n <= calls; n += work_all() ? 1 : 1 + calls / 25)
        for (int k = 0; k < (work_all() ? 2 : 1); k++) {
            empty_folder("cold", path, sizeof path);
            fail_one(&w, "first session", n, work_all() ? k : (int)(n % 2), FAULT_ONCE, &t);
            check_once(&w, n, 0);
        }
    figure("calls", "right answer or named error, nothing left",
           "Session that builds its programs: OpenCL calls failed once | %ld: %ld right, %ld named", t.cases, t.right, t.named);
}

/* Most calls of a tuning are launches that are timed, so those at the beginning are each looked at, later ones at growing
   distances. */
static void calls_of_a_tuning_fail(void **state)
{
    char  path[600];
    work  w = {.cache_dir = path}, after = {.cache_dir = path};
    tally t = {0};
    (void)state;
    empty_folder("tuned", path, sizeof path);
    for (int i = 0; i < 3; i++) {
        work_tune(&w, 0.5);
        work_do(&after);
        fault_clear();
    }
    work_tune(&w, 0.5);
    before = level_now();
    const long calls = fault_calls();
    long       n = 1;
    while (n <= calls) {
        for (int k = 0; k < (work_all() ? 4 : 1); k++) {
            const int mode = work_all() ? k / 2 : n % 3 == 0 ? FAULT_GONE : FAULT_ONCE;
            fault_arm(n, work_all() ? k % 2 : (int)(n % 2), (fault_mode)mode);
            work_tune(&w, 0.25);
            describe("tuning", n, work_all() ? k % 2 : (int)(n % 2), (fault_mode)mode);
            check_outcome(&w, n, FAULT_GONE, &t);
        }
        n += 1 + n / (work_all() ? 60 : 5);
    }
    fault_clear();
    work_do(&after);
    assert_true(after.status == SEPCL_OK && after.right);
    figure("calls", "success or named error, nothing left", "Tuning: OpenCL calls failed | %ld of %ld: %ld done, %ld named",
           t.cases, calls, t.right, t.named);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(finding_devices_may_fail), /* first */
        cmocka_unit_test(memory_of_the_device_list_fails),
        cmocka_unit_test(calls_of_a_session_fail),
        cmocka_unit_test(calls_of_a_half_session_fail),
        cmocka_unit_test(calls_of_a_borrowed_session_fail),
        cmocka_unit_test(calls_of_a_first_session_fail),
        cmocka_unit_test(calls_of_a_tuning_fail),
    };
    work_begin(argc, argv);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    work_end();
    return failed;
}
