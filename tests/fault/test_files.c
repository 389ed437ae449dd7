/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in and out, folders and locks, while each of the system's calls behind them fails. */
#include "../unit/scratch.h"

#include <errno.h>

#include "system.h"

static char folder[512], path[600];

static status do_read(void)
{
    void        *data;
    size_t       size;
    const status st = file_read(path, 100, &data, &size);
    assert_true(st == SEPCL_OK ? size == 7 && !memcmp(data, "one\0two", 8) : !data && size == 0);
    free(data);
    return st;
}

static status do_write(void)
{
    return file_write(path, "another", 7, 0666);
}

static status do_write_here(void)
{
    return file_write("here", "another", 7, 0666);
}

static status do_write_device(void)
{
    return file_write("/dev/null", "another", 7, 0666);
}

static status do_folder(void)
{
    char *deep = file_join(path, "a/b");
    if (!deep)
        return error_code();
    const status st = file_make_folder(deep, 0700);
    free(deep);
    return st;
}

static status do_lock(void)
{
    const int lock = file_lock(folder);
    file_unlock(lock);
    return lock < 0 ? SEPCL_BAD_FILE : SEPCL_OK;
}

typedef struct failure {
    status (*work)(void);
    sys_call what;
    long     n;
    int      error;
    bool     stuck;
    status   want; /* SEPCL_OK: it is none for the caller */
} failure;

static const failure failures[] = {
    {do_read, SYS_open, 1, EACCES, false, SEPCL_BAD_FILE},
    {do_read, SYS_fstat, 1, EIO, false, SEPCL_BAD_FILE},
    {do_read, SYS_read, 1, EIO, false, SEPCL_BAD_FILE},
    {do_read, SYS_read, 1, EINTR, false, SEPCL_OK},
    {do_read, SYS_read, 1, SYS_SHORT, true, SEPCL_OK},
    {do_read, SYS_close, 1, EIO, false, SEPCL_OK}, /* all was read */
    {do_read, SYS_MEMORY, 1, ENOMEM, false, SEPCL_OUT_OF_MEMORY},
    {do_write, SYS_stat, 1, EACCES, false, SEPCL_OK}, /* then it is taken for a new one */
    {do_write, SYS_MEMORY, 1, ENOMEM, false, SEPCL_OUT_OF_MEMORY},
    {do_write, SYS_open, 1, EEXIST, false, SEPCL_OK}, /* another name */
    {do_write, SYS_open, 1, EEXIST, true, SEPCL_BAD_FILE},
    {do_write, SYS_open, 1, ENOSPC, false, SEPCL_BAD_FILE},
    {do_write, SYS_write, 1, ENOSPC, false, SEPCL_BAD_FILE},
    {do_write, SYS_write, 1, EINTR, false, SEPCL_OK},
    {do_write, SYS_write, 1, SYS_SHORT, true, SEPCL_OK},
    {do_write, SYS_fsync, 1, EIO, false, SEPCL_BAD_FILE},
    {do_write, SYS_close, 1, EIO, false, SEPCL_BAD_FILE},
    {do_write, SYS_rename, 1, EACCES, false, SEPCL_BAD_FILE},
    {do_write, SYS_MEMORY, 2, ENOMEM, false, SEPCL_OK}, /* from here on the folder is synchronised: not all can be */
    {do_write, SYS_open, 2, EACCES, false, SEPCL_OK},
    {do_write, SYS_fsync, 2, EINVAL, false, SEPCL_OK},
    {do_write, SYS_close, 2, EIO, false, SEPCL_OK},
    {do_write_here, SYS_write, 1, SYS_SHORT, false, SEPCL_OK},
    {do_write_here, SYS_rename, 1, EIO, false, SEPCL_BAD_FILE},
    {do_write_device, SYS_open, 1, EACCES, false, SEPCL_BAD_FILE},
    {do_write_device, SYS_write, 1, EIO, false, SEPCL_BAD_FILE},
    {do_write_device, SYS_write, 1, EINTR, false, SEPCL_OK},
    {do_write_device, SYS_close, 1, EIO, false, SEPCL_BAD_FILE},
    {do_folder, SYS_MEMORY, 1, ENOMEM, false, SEPCL_OUT_OF_MEMORY},
    {do_folder, SYS_MEMORY, 2, ENOMEM, false, SEPCL_OUT_OF_MEMORY},
    {do_folder, SYS_mkdir, 1, EROFS, false, SEPCL_OK}, /* it is there */
    {do_folder, SYS_mkdir, 1, EROFS, true, SEPCL_BAD_FILE},
    {do_folder, SYS_stat, 1, EACCES, true, SEPCL_BAD_FILE},
    {do_lock, SYS_open, 1, EACCES, false, SEPCL_BAD_FILE},
    {do_lock, SYS_flock, 1, EINTR, false, SEPCL_OK},
    {do_lock, SYS_flock, 1, EWOULDBLOCK, false, SEPCL_OK}, /* a moment later it is free */
    {do_lock, SYS_flock, 1, ENOLCK, false, SEPCL_BAD_FILE},
};

/* What the file holds: as before or all that is new, and no temporary file beside it. */
static void check_file(const failure *f, size_t i)
{
    const bool written = f->work == do_write && f->want == SEPCL_OK;
    void      *data;
    size_t     size;
    assert_ok(file_read(path, 100, &data, &size));
    if (size != 7 || memcmp(data, written ? "another" : "one\0two", 7) != 0)
        test_fail("failure %zu: the file holds '%s'\n", i, (const char *)data);
    free(data);
    assert_int_equal(scratch_count(folder), f->work == do_write_here && f->want == SEPCL_OK ? 2 : 1);
}

static void fail_one(const failure *f, size_t i)
{
    const bool is_folder = f->work == do_folder;
    char       inner[700];
    if (!is_folder)
        assert_ok(file_write(path, "one\0two", 7, 0666));
    const long blocks = sys_live_blocks();
    const int  files = sys_open_files();
    sys_arm(f->what, f->n, f->error, f->stuck);
    const status st = f->work();
    if (sys_failed() == 0)
        test_fail("failure %zu: %s is not called %ld times\n", i, sys_name(f->what), f->n);
    sys_clear();
    if (st != f->want)
        test_fail("failure %zu, %s: status %d instead of %d: %s\n", i, sys_name(f->what), (int)st, (int)f->want,
                  error_sentence());
    if (st == SEPCL_BAD_FILE && f->work != do_lock) {
        const int said = f->error == EACCES && is_folder ? ENOTDIR : f->error;
        if (!strstr(error_sentence(), strerror(said)))
            test_fail("failure %zu, %s: no reason in \"%s\"\n", i, sys_name(f->what), error_sentence());
        assert_non_null(strstr(error_sentence(), f->work == do_write_here     ? "here"
                                                 : f->work == do_write_device ? "/dev/null"
                                                                              : path));
    }
    if (st == SEPCL_OUT_OF_MEMORY)
        assert_non_null(strstr(error_sentence(), "memory"));
    assert_int_equal(sys_live_blocks(), blocks);
    assert_int_equal(sys_open_files(), files);
    if (!is_folder) {
        check_file(f, i);
        (void)unlink("here");
        assert_int_equal(unlink(path), 0);
        return;
    }
    snprintf(inner, sizeof inner, "%s/a/b", path);
    (void)rmdir(inner);
    snprintf(inner, sizeof inner, "%s/a", path);
    (void)rmdir(inner);
    (void)rmdir(path);
}

static void each_call_may_fail(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof failures / sizeof *failures; i++)
        fail_one(&failures[i], i);
}

/* The lock is another process' for longer than anybody waits. */
static void a_lock_that_stays_is_given_up(void **state)
{
    (void)state;
    sys_arm(SYS_flock, 1, EWOULDBLOCK, true);
    assert_int_equal(file_lock(folder), -1);
    assert_true(sys_count(SYS_flock) > 10);
    sys_clear();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_call_may_fail),
        cmocka_unit_test(a_lock_that_stays_is_given_up),
    };
    snprintf(folder, sizeof folder, "%s", scratch_folder());
    snprintf(path, sizeof path, "%s/file", folder);
    if (chdir(folder) != 0)
        return 1;
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    return failed;
}
