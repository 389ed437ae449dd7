/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each call for memory, files and threads that sepcl makes fails, in turn: once, and from then on. Then either the answer
 * is right, as a cache can be done without, or the failure is reported by its kind; and nothing is left over. --all tries
 * each call, without it most.
 */
#include "../unit/scratch.h"

#include <errno.h>

#include "figures.h"
#include "level.h"

static level before;
static char  described[256];

static void describe(const char *name, sys_call what, long n, int error, bool stuck)
{
    char        text[64];
    const char *said = error == SYS_SHORT ? "half done" : strerror_r(error, text, sizeof text);
    snprintf(described, sizeof described, "%s: %s %ld fails %s (%s)", name, sys_name(what), n, stuck ? "from then on" : "once",
             said);
}

/* ---------------------------------------------------------------- memory */

static void check_memory(const work *w, tally *t)
{
    t->cases++;
    if (w->status == SEPCL_OK) {
        t->right++;
        if (!w->right)
            test_fail("%s: the answer is wrong\n", described);
    } else {
        t->named++;
        if (w->status != SEPCL_OUT_OF_MEMORY || !strstr(w->error, "out of memory"))
            test_fail("%s: %s gave status %d, %s\n", described, w->failed_at, (int)w->status, w->error);
    }
    level_check(&before, described);
}

typedef void (*work_fn)(work *w);

static void fail_memory_of(const char *name, work *w, work_fn fn, long most)
{
    tally t = {0};
    sys_clear();
    fn(w);
    const long n_calls = sys_count(SYS_MEMORY), step = work_all() || n_calls <= most ? 1 : n_calls / most + 1;
    for (long n = 1; n <= n_calls; n += step)
        for (int stuck = 0; stuck < 2; stuck++) {
            if (!work_all() && stuck && n % 3)
                continue;
            sys_arm(SYS_MEMORY, n, ENOMEM, stuck);
            fn(w);
            describe(name, SYS_MEMORY, n, ENOMEM, stuck);
            check_memory(w, &t);
        }
    sys_clear();
    fn(w);
    assert_int_equal(w->status, SEPCL_OK);
    figure("system", "right answer or \"out of memory\", nothing left",
           "%s: allocations failed, once or for good | %ld failures, %ld allocations: %ld right, %ld named", name,
           t.cases, n_calls, t.right, t.named);
}

static void memory_of_a_session_fails(void **state)
{
    work w = {0};
    (void)state;
    before = level_warm(&w);
    fail_memory_of("Session", &w, work_do, work_few() ? 120 : 100000);
}

static void memory_of_a_half_session_fails(void **state)
{
    work w = {.f16 = true, .no_fusion = true};
    (void)state;
    before = level_warm(&w);
    fail_memory_of("Session of halves, unfused", &w, work_do, 150);
}

static char cold[600];

static void do_cold(work *w)
{
    empty_folder("cold", cold, sizeof cold);
    work_do(w);
}

static void memory_of_a_first_session_fails(void **state)
{
    work w = {.cache_dir = cold};
    (void)state;
    empty_folder("cold", cold, sizeof cold);
    before = level_warm(&w);
    fail_memory_of("Session that builds its programs", &w, do_cold, 40);
}

static void tune_shortly(work *w)
{
    work_tune(w, 0.1);
}

static void memory_of_a_tuning_fails(void **state)
{
    char folder[600];
    work w = {.cache_dir = folder};
    (void)state;
    empty_folder("tuned", folder, sizeof folder);
    (void)level_warm(&w);
    for (int i = 0; i < 2; i++)
        work_tune(&w, 0.5);
    before = level_now();
    fail_memory_of("Tuning", &w, tune_shortly, 60);
}

/* ---------------------------------------------------------------- files and threads */

static void check_files(const work *w, bool may_fail, tally *t)
{
    t->cases++;
    if (w->status == SEPCL_OK) {
        t->right++;
        if (!w->right)
            test_fail("%s: the answer is wrong\n", described);
    } else {
        t->named++;
        const bool file = w->status == SEPCL_BAD_FILE && strstr(w->error, "/");
        const bool memory = w->status == SEPCL_OUT_OF_MEMORY && strstr(described, "Cannot allocate memory");
        const bool folder = w->status == SEPCL_INVALID && strstr(w->error, "no cache folder to keep tuning in");
        if (!may_fail || (!file && !memory && !folder))
            test_fail("%s: %s gave status %d, %s\n", described, w->failed_at, (int)w->status, w->error);
    }
    level_check(&before, described);
}

static const struct {
    sys_call what;
    int      errors[4]; /* ended by 0 */
} failures[] = {
    {SYS_open, {ENOENT, EMFILE, EIO, EACCES}},
    {SYS_openat, {ENOENT, EMFILE}},
    {SYS_close, {EIO, ENOSPC}},
    {SYS_read, {EIO, EINTR, SYS_SHORT}},
    {SYS_write, {ENOSPC, EIO, EINTR, SYS_SHORT}},
    {SYS_rename, {EACCES, ENOSPC}},
    {SYS_fsync, {EIO, ENOSPC}},
    {SYS_mmap, {ENOMEM, EACCES}},
    {SYS_fstat, {EIO, ENOMEM}},
    {SYS_stat, {EACCES, EIO}},
    {SYS_access, {EACCES, ENOENT}},
    {SYS_mkdir, {EROFS, ENOSPC}},
    {SYS_opendir, {EMFILE, EACCES}},
    {SYS_unlink, {EACCES, EIO}},
    {SYS_flock, {EWOULDBLOCK, ENOLCK}},
    {SYS_pthread_create, {EAGAIN, EPERM}},
};
#define FAILURES (sizeof failures / sizeof *failures)

/* may_fail: the work needs the model's file, or a place to store in. */
static void fail_files_of(const char *name, work *w, work_fn fn, long most)
{
    tally t = {0};
    for (size_t i = 0; i < FAILURES; i++) {
        sys_clear();
        fn(w);
        const sys_call what = failures[i].what;
        const long     n_calls = sys_count(what), step = work_all() || n_calls <= most ? 1 : n_calls / most + 1;
        for (long n = 1; n <= n_calls; n += step)
            for (int k = 0; k < 8; k++) {
                const int error = failures[i].errors[k / 2];
                if (error == 0 || (error == EINTR && k % 2) || (what == SYS_flock && error == EWOULDBLOCK && k % 2))
                    continue; /* for ever interrupted is not a failure, and for ever locked takes seconds */
                if (!work_all() && most < 100 && (n / step + k) % 2)
                    continue;
                sys_arm(what, n, error, k % 2);
                fn(w);
                describe(name, what, n, error, k % 2);
                const bool passing = error == EINTR || error == SYS_SHORT;
                check_files(w, !passing, &t);
            }
    }
    sys_clear();
    figure("system", "right answer or the file named, nothing left", "%s: file and thread calls failed | %ld: %ld right, %ld named",
           name, t.cases, t.right, t.named);
}

static void files_of_a_session_fail(void **state)
{
    work w = {0};
    (void)state;
    before = level_warm(&w);
    fail_files_of("Session", &w, work_do, 100000);
}

static void files_of_a_first_session_fail(void **state)
{
    work w = {.cache_dir = cold};
    (void)state;
    empty_folder("cold", cold, sizeof cold);
    before = level_warm(&w);
    fail_files_of("Session that builds its programs", &w, do_cold, 4);
}

static void files_of_a_tuning_fail(void **state)
{
    char folder[600];
    work w = {.cache_dir = folder};
    (void)state;
    empty_folder("tuned", folder, sizeof folder);
    (void)level_warm(&w);
    for (int i = 0; i < 2; i++)
        work_tune(&w, 0.5);
    before = level_now();
    fail_files_of("Tuning", &w, tune_shortly, 3);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_of_a_session_fails),
        cmocka_unit_test(memory_of_a_half_session_fails),
        cmocka_unit_test(memory_of_a_first_session_fails),
        cmocka_unit_test(memory_of_a_tuning_fails),
        cmocka_unit_test(files_of_a_session_fail),
        cmocka_unit_test(files_of_a_first_session_fail),
        cmocka_unit_test(files_of_a_tuning_fail),
    };
    work_begin(argc, argv);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    work_end();
    return failed;
}
