/* SPDX-License-Identifier: Apache-2.0 */
/* Files of the programs: read up to a limit; written whole or not at all. */
#include "tool_test.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "input.h"
#include "output.h"

static char folder[] = TEST_SCRATCH "/tool_files_XXXXXX";

static const char *in_folder(const char *name)
{
    static char paths[4][512];
    static int  next;
    char       *path = paths[next++ % 4];
    snprintf(path, sizeof(paths[0]), "%s/%s", folder, name);
    return path;
}

static int entries(void)
{
    int            n = 0;
    DIR           *d = opendir(folder);
    struct dirent *e;
    assert_non_null(d);
    while ((e = readdir(d)))
        n += strcmp(e->d_name, ".") && strcmp(e->d_name, "..");
    closedir(d);
    return n;
}

static void write_text(const char *path, const char *text)
{
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void assert_text(const char *path, const char *want)
{
    input_file f;
    assert_done(input_read(path, 1 << 20, &f));
    assert_int_equal(f.size, strlen(want));
    assert_string_equal((const char *)f.bytes, want);
    input_free(&f);
}

static int make_folder(void **state)
{
    (void)state;
    mkdir(TEST_SCRATCH, 0777);
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    (void)state;
    DIR           *d = opendir(folder);
    struct dirent *e;
    while (d && (e = readdir(d)))
        unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        closedir(d);
    return rmdir(folder);
}

static int empty_folder(void **state)
{
    (void)state;
    output_abandon();
    DIR           *d = opendir(folder);
    struct dirent *e;
    while (d && (e = readdir(d)))
        unlinkat(dirfd(d), e->d_name, 0);
    return d ? closedir(d) : -1;
}

static void reading(void **state)
{
    (void)state;
    input_file  f;
    const char *path = in_folder("in");
    write_text(path, "0123456789");
    assert_done(input_read(path, 10, &f));
    assert_int_equal(f.size, 10);
    assert_int_equal(f.bytes[10], 0);
    input_free(&f);
    assert_refused(SEPCL_BAD_FILE, "larger than the limit of 9 bytes", input_read(path, 9, &f));
    assert_null(f.bytes);
    assert_refused(SEPCL_BAD_FILE, "No such file", input_read(in_folder("none"), 9, &f));
    assert_refused(SEPCL_BAD_FILE, "is a folder", input_read(folder, 9, &f));
    assert_refused(SEPCL_BAD_FILE, "larger than the limit", input_read("/dev/zero", 100000, &f));
    assert_done(input_read("/dev/null", 9, &f));
    assert_int_equal(f.size, 0);
    input_free(&f);
}

static void pipes(void **state)
{
    (void)state;
    int        ends[2];
    char       path[64];
    input_file f;
    char       many[10000];
    memset(many, 'x', sizeof(many));
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(write(ends[1], many, sizeof(many)), sizeof(many));
    close(ends[1]);
    snprintf(path, sizeof(path), "/dev/fd/%d", ends[0]);
    assert_done(input_read(path, 1 << 20, &f));
    assert_int_equal(f.size, sizeof(many));
    input_free(&f);
    close(ends[0]);
}

static void all_or_nothing(void **state)
{
    (void)state;
    char one[512], two[512];
    snprintf(one, sizeof(one), "%s/one", folder);
    snprintf(two, sizeof(two), "%s/two", folder);
    write_text(one, "old");
    assert_done(output_add(one, (output_part[]){{"ne", 2}, {"w", 1}}, 2));
    assert_done(output_add(two, &(output_part){"second", 6}, 1));
    assert_text(one, "old"); /* not yet */
    assert_int_not_equal(access(two, F_OK), 0);
    assert_done(output_commit());
    assert_text(one, "new");
    assert_text(two, "second");
    assert_int_equal(entries(), 2);
    assert_done(output_add(one, &(output_part){"third", 5}, 1));
    assert_int_equal(entries(), 3);
    output_abandon();
    assert_int_equal(entries(), 2);
    assert_text(one, "new");
}

static void modes_and_links(void **state)
{
    (void)state;
    struct stat s;
    char        real[512], link[512];
    snprintf(real, sizeof(real), "%s/real", folder);
    snprintf(link, sizeof(link), "%s/link", folder);
    umask(027);
    assert_done(output_add(real, &(output_part){"a", 1}, 1));
    assert_done(output_commit());
    assert_int_equal(stat(real, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0640);
    chmod(real, 0600);
    assert_int_equal(symlink("real", link), 0);
    assert_done(output_add(link, &(output_part){"b", 1}, 1));
    assert_done(output_commit());
    assert_int_equal(lstat(link, &s), 0);
    assert_true(S_ISLNK(s.st_mode)); /* what it points to was replaced */
    assert_int_equal(stat(real, &s), 0);
    assert_int_equal(s.st_mode & 0777, 0600);
    assert_text(real, "b");
}

static void special_files(void **state)
{
    (void)state;
    struct stat s;
    assert_done(output_add("/dev/null", &(output_part){"x", 1}, 1));
    assert_done(output_commit());
    assert_int_equal(stat("/dev/null", &s), 0);
    assert_true(S_ISCHR(s.st_mode)); /* and not a file that took its place */
    assert_refused(SEPCL_BAD_FILE, "No such file or directory", output_check(in_folder("none/x")));
    assert_refused(SEPCL_BAD_FILE, "is a folder", output_check(folder));
    if (access("/dev/full", W_OK) == 0) {
        assert_done(output_add("/dev/full", &(output_part){"x", 1}, 1));
        assert_refused(SEPCL_BAD_FILE, "cannot write /dev/full: No space left on device", output_commit());
    }
}

/* A file that cannot be written in full leaves nothing behind, and the old one as it was. */
static void full_disk(void **state)
{
    (void)state;
    static char         many[100000];
    struct rlimit       old;
    const struct rlimit low = {50000, RLIM_INFINITY};
    const char         *path = in_folder("big");
    write_text(path, "old");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){low.rlim_cur, old.rlim_max}), 0);
    const sepcl_status st = output_add(path, &(output_part){many, sizeof(many)}, 1);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_refused(SEPCL_BAD_FILE, "File too large", st);
    output_abandon();
    assert_int_equal(entries(), 1);
    assert_text(path, "old");
}

/* A program that is told to end between writing and renaming takes its temporaries with it. */
static void signals(void **state)
{
    (void)state;
    const char *path = in_folder("killed");
    const int   numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (int i = 0; i < 3; i++) {
        int         status;
        const pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0) {
            output_handle_signals();
            if (output_add(path, &(output_part){"x", 1}, 1) != SEPCL_OK)
                _exit(99);
            raise(numbers[i]);
            _exit(98);
        }
        assert_int_equal(waitpid(child, &status, 0), child);
        assert_true(WIFSIGNALED(status) && WTERMSIG(status) == numbers[i]);
        assert_int_equal(entries(), 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(reading, empty_folder),
        cmocka_unit_test_teardown(pipes, empty_folder),
        cmocka_unit_test_teardown(all_or_nothing, empty_folder),
        cmocka_unit_test_teardown(modes_and_links, empty_folder),
        cmocka_unit_test_teardown(special_files, empty_folder),
        cmocka_unit_test_teardown(full_disk, empty_folder),
        cmocka_unit_test_teardown(signals, empty_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
