/* SPDX-License-Identifier: Apache-2.0 */
#include "scratch.h"

#include <signal.h>
#include <sys/resource.h>

static char *folder, *path;

static int set_up(void **state)
{
    (void)state;
    folder = strdup(scratch_folder());
    path = file_join(folder, "file");
    return folder && path ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    free(path);
    free(folder);
    return 0;
}

static void written_is_read(void **state)
{
    void  *data;
    size_t size;
    (void)state;
    assert_ok(file_write(path, "one\0two", 7, 0666));
    assert_ok(file_write(path, "abc", 3, 0666)); /* replaces */
    assert_ok(file_read(path, 3, &data, &size));
    assert_int_equal(size, 3);
    assert_string_equal(data, "abc"); /* the 0 behind it */
    free(data);
    assert_ok(file_write(path, "", 0, 0666));
    assert_ok(file_read(path, 0, &data, &size));
    assert_int_equal(size, 0);
    free(data);
    assert_int_equal(scratch_count(folder), 1);
}

static void mode_is_kept(void **state)
{
    struct stat st;
    (void)state;
    assert_ok(file_write(path, "abc", 3, 0600));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_is_no_file_is_refused(void **state)
{
    void  *data;
    size_t size;
    (void)state;
    assert_fails(SEPCL_BAD_FILE, path, file_read(path, 100, &data, &size));
    assert_null(data);
    assert_fails(SEPCL_BAD_FILE, "not a regular file", file_read(folder, 100, &data, &size));
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_fails(SEPCL_BAD_FILE, "not a regular file", file_read(path, 100, &data, &size)); /* and does not wait */
}

static void limit_holds(void **state)
{
    void *data;
    (void)state;
    assert_ok(file_write(path, "abcd", 4, 0666));
    assert_fails(SEPCL_BAD_FILE, "limit of 3", file_read(path, 3, &data, NULL));
    assert_null(data);
}

/* A disk that is full, played by a limit of this process. */
static void failed_write_leaves_the_old_file(void **state)
{
    static char   big[100000];
    struct rlimit old, tight = {1000, RLIM_INFINITY};
    void         *data;
    (void)state;
    assert_ok(file_write(path, "old", 3, 0666));
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight.rlim_max = old.rlim_max;
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    const status s = file_write(path, big, sizeof big, 0666);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_int_equal(s, SEPCL_BAD_FILE);
    assert_non_null(strstr(error_sentence(), path));
    assert_ok(file_read(path, 100, &data, NULL));
    assert_string_equal(data, "old");
    free(data);
    assert_int_equal(scratch_count(folder), 1); /* no temporary file stays */
}

static void odd_targets(void **state)
{
    char *inner = file_join(path, "below");
    (void)state;
    assert_ok(file_write("/dev/null", "abc", 3, 0666));
    assert_fails(SEPCL_BAD_FILE, inner, file_write(inner, "abc", 3, 0666)); /* no such folder */
    assert_fails(SEPCL_BAD_FILE, folder, file_write(folder, "abc", 3, 0666));
    free(inner);
}

static void folders_are_made(void **state)
{
    char       *deep = file_join(path, "a/b/c");
    struct stat st;
    (void)state;
    assert_ok(file_make_folder(deep, 0700));
    assert_ok(file_make_folder(deep, 0700));
    assert_int_equal(stat(deep, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(rmdir(deep), 0);
    assert_ok(file_write(deep, "abc", 3, 0666));
    assert_fails(SEPCL_BAD_FILE, deep, file_make_folder(deep, 0700)); /* a file is in the way */
    assert_int_equal(unlink(deep), 0);
    while (strlen(deep) > strlen(path)) { /* deeper than scratch_remove goes */
        *strrchr(deep, '/') = 0;
        assert_int_equal(rmdir(deep), 0);
    }
    free(deep);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(written_is_read, set_up, tear_down),
        cmocka_unit_test_setup_teardown(mode_is_kept, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(limit_holds, set_up, tear_down),
        cmocka_unit_test_setup_teardown(failed_write_leaves_the_old_file, set_up, tear_down),
        cmocka_unit_test_setup_teardown(odd_targets, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folders_are_made, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
