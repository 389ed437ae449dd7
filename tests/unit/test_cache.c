/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The program cache: its folder, its entries whatever happened to them, and what a damaged cache means for a build.
 * The last test starts this program again, to see what a second start costs: `test_cache start CACHE`.
 */
#include "scratch.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>

#include "cl/internal.h"

static char *cache, *programs; /* a cache folder of the test's own, and its "programs" */
static char *kernels;          /* SEPCL_KERNEL_DIR of all tests here */

static const char abs_text[] = "__kernel void absolute(__global const float *in, __global float *out, const int n)\n"
                               "{\n"
                               "    for (int i = (int)get_global_id(0) * CHUNK; i < n; i++)\n"
                               "        out[i] = fabs(in[i]);\n"
                               "}\n";

static void put_kernel(const char *name, const char *text)
{
    char *path = file_join(kernels, name);
    assert_ok(file_write(path, text, strlen(text), 0600));
    free(path);
}

static int set_up_all(void **state)
{
    (void)state;
    kernels = strdup(scratch_folder());
    put_kernel("common.cl", "#define SEPCL_COMMON\n");
    put_kernel("absolute.cl", abs_text);
    return setenv("SEPCL_KERNEL_DIR", kernels, 1);
}

static int tear_down_all(void **state)
{
    (void)state;
    scratch_remove(kernels);
    free(kernels);
    return unsetenv("SEPCL_KERNEL_DIR");
}

static int set_up(void **state)
{
    (void)state;
    cache = strdup(scratch_folder());
    programs = file_join(cache, "programs");
    log_keep();
    return cache && programs ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    log_set(NULL, NULL, SEPCL_LOG_OFF);
    scratch_remove(cache);
    free(cache);
    free(programs);
    return 0;
}

#define assert_logged(text)                                                                                            \
    do {                                                                                                               \
        if (!strstr(scratch_log, (text)))                                                                              \
            test_fail("no \"%s\" in the log:\n%s", (text), scratch_log);                                               \
    } while (0)

/* ---------------------------------------------------------------- the folder */

static void folder_is_made_private(void **state)
{
    struct stat st;
    (void)state;
    char *deep = file_join(cache, "a/b");
    char *got = cache_folder(deep, "programs");
    assert_non_null(got);
    assert_int_equal(strncmp(got, deep, strlen(deep)), 0);
    for (int i = 0; i < 3; i++) { /* programs, b, a */
        assert_int_equal(stat(got, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0700);
        assert_int_equal(rmdir(got), 0);
        *strrchr(got, '/') = 0;
    }
    free(got);
    free(deep);
}

static void folder_open_to_others_is_not_used(void **state)
{
    static const mode_t bad[] = {0770, 0707, 0777, 01777, 0720, 0702};
    (void)state;
    free(cache_folder(cache, "programs")); /* made */
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        for (int inner = 0; inner < 2; inner++) {
            const char *which = inner ? programs : cache;
            log_keep();
            assert_int_equal(chmod(which, bad[i]), 0);
            assert_null(cache_folder(cache, "programs"));
            assert_logged("others may write to it");
            assert_logged(which);
            assert_int_equal(chmod(which, 0700), 0);
        }
    }
    assert_int_equal(chmod(cache, 0755), 0); /* reading is harmless */
    char *got = cache_folder(cache, "programs");
    assert_non_null(got);
    free(got);
}

static void folder_of_another_user_is_not_used(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a folder away */
    free(cache_folder(cache, "programs"));
    assert_int_equal(chown(programs, 12345, (gid_t)-1), 0);
    assert_null(cache_folder(cache, "programs"));
    assert_logged("belongs to user 12345");
    assert_int_equal(chown(programs, 0, (gid_t)-1), 0);
    assert_int_equal(chown(cache, 12345, (gid_t)-1), 0);
    assert_null(cache_folder(cache, "programs"));
    assert_int_equal(chown(cache, 0, (gid_t)-1), 0);
}

static void folder_with_a_file_in_the_way(void **state)
{
    (void)state;
    assert_ok(file_write(programs, "x", 1, 0600));
    assert_null(cache_folder(cache, "programs"));
    assert_logged(programs);
    assert_null(cache_folder(programs, "programs"));
}

/* The environment's say: each row sets the three variables and tells where the folder is below the test's. */
static void folder_from_the_environment(void **state)
{
    static const char *const names[] = {"SEPCL_CACHE_DIR", "XDG_CACHE_HOME", "HOME"};
    static const struct {
        const char *value[3]; /* "/x" stands for the test's folder and x */
        const char *want;     /* NULL: no cache */
    } rows[] = {
        {{"/s", "/x", "/h"}, "/s/programs"},
        {{NULL, "/x", "/h"}, "/x/sepcl/programs"},
        {{"", "/x", "/h"}, "/x/sepcl/programs"},
        {{NULL, NULL, "/h"}, "/h/.cache/sepcl/programs"},
        {{NULL, "x", "/h"}, "/h/.cache/sepcl/programs"},
        {{NULL, NULL, NULL}, NULL},
        {{"off", "/x", "/h"}, NULL},
    };
    char *old[3], path[600];
    (void)state;
    for (int i = 0; i < 3; i++)
        old[i] = getenv(names[i]) ? strdup(getenv(names[i])) : NULL;
    for (size_t r = 0; r < sizeof rows / sizeof *rows; r++) {
        for (int i = 0; i < 3; i++) {
            const char *v = rows[r].value[i];
            snprintf(path, sizeof path, "%s%s", v && v[0] == '/' ? cache : "", v ? v : "");
            v ? setenv(names[i], path, 1) : unsetenv(names[i]);
        }
        char *got = cache_folder(NULL, "programs");
        snprintf(path, sizeof path, "%s%s", cache, rows[r].want ? rows[r].want : "");
        if (rows[r].want)
            assert_string_equal(got, path);
        else
            assert_null(got);
        while (got && strcmp(got, cache) != 0) { /* deeper than scratch_remove goes */
            rmdir(got);
            *strrchr(got, '/') = 0;
        }
        free(got);
    }
    assert_null(cache_folder("off", "programs"));
    for (int i = 0; i < 3; i++) {
        old[i] ? setenv(names[i], old[i], 1) : unsetenv(names[i]);
        free(old[i]);
    }
}

/* ---------------------------------------------------------------- entries */

static const char binary[] = "a binary of some driver, as long as it has to be for this test";

static hash128 key_of(const char *text)
{
    return hash_of(text, strlen(text));
}

static char *path_of(const hash128 *key)
{
    char hex[HASH_TEXT], name[HASH_TEXT + 4];
    snprintf(name, sizeof name, "%s.bin", hash_hex(key, hex));
    return file_join(programs, name);
}

static bool loads(const hash128 *key)
{
    void      *data;
    size_t     size;
    const bool ok = cache_load(programs, key, &data, &size);
    if (ok) {
        assert_int_equal(size, sizeof binary);
        assert_memory_equal(data, binary, sizeof binary);
        free(data);
    } else {
        assert_null(data);
    }
    return ok;
}

static void entry_comes_back(void **state)
{
    const hash128 a = key_of("a"), b = key_of("b");
    (void)state;
    free(cache_folder(cache, "programs"));
    assert_false(loads(&a));
    assert_string_equal(scratch_log, ""); /* no entry is nothing odd */
    assert_ok(cache_store(programs, &a, binary, sizeof binary));
    assert_ok(cache_store(programs, &a, binary, sizeof binary));
    assert_true(loads(&a));
    assert_false(loads(&b));
    cache_drop(programs, &b);
    cache_drop(programs, &a);
    assert_false(loads(&a));
    assert_fails(SEPCL_INVALID, "0 bytes", cache_store(programs, &a, binary, 0));
}

static void torn_entry_is_refused(void **state)
{
    const hash128 a = key_of("a");
    char         *path, *file;
    size_t        size;
    (void)state;
    free(cache_folder(cache, "programs"));
    assert_ok(cache_store(programs, &a, binary, sizeof binary));
    path = path_of(&a);
    assert_ok(file_read(path, 10000, (void **)&file, &size));
    for (size_t n = 0; n < size; n++) {
        assert_ok(file_write(path, file, n, 0600));
        log_keep();
        assert_false(loads(&a));
        assert_logged(path);
    }
    char *longer = calloc(1, size + 1);
    memcpy(longer, file, size);
    assert_ok(file_write(path, longer, size + 1, 0600));
    assert_false(loads(&a));
    assert_ok(file_write(path, file, size, 0600));
    assert_true(loads(&a));
    free(longer);
    free(file);
    free(path);
}

static void flipped_bit_is_noticed(void **state)
{
    const hash128 a = key_of("a");
    char         *path;
    uint8_t      *file;
    size_t        size;
    (void)state;
    free(cache_folder(cache, "programs"));
    assert_ok(cache_store(programs, &a, binary, sizeof binary));
    path = path_of(&a);
    assert_ok(file_read(path, 10000, (void **)&file, &size));
    for (size_t i = 0; i < size; i++) {
        file[i] ^= (uint8_t)(1u << i % 8);
        assert_ok(file_write(path, file, size, 0600));
        file[i] ^= (uint8_t)(1u << i % 8);
        log_keep();
        assert_false(loads(&a));
        assert_logged("is not used: it");
    }
    free(file);
    free(path);
}

static void entry_under_another_key_is_refused(void **state)
{
    const hash128 a = key_of("a"), b = key_of("b");
    (void)state;
    free(cache_folder(cache, "programs"));
    assert_ok(cache_store(programs, &a, binary, sizeof binary));
    char *from = path_of(&a), *to = path_of(&b);
    assert_int_equal(rename(from, to), 0);
    assert_false(loads(&b));
    assert_logged("holds another program");
    assert_int_equal(unlink(to), 0);
    assert_int_equal(mkdir(to, 0700), 0); /* no file at all */
    assert_false(loads(&b));
    assert_logged("not a regular file");
    free(from);
    free(to);
}

static void old_entries_go_first(void **state)
{
    char *foreign, *left, text[16];
    (void)state;
    free(cache_folder(cache, "programs"));
    for (int i = 0; i < 10; i++) {
        snprintf(text, sizeof text, "%d", i);
        const hash128         key = key_of(text);
        const struct timespec times[2] = {{.tv_sec = 1000000 + i}, {.tv_sec = 1000000 + i}};
        assert_ok(cache_store(programs, &key, binary, sizeof binary));
        char *path = path_of(&key);
        assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
        free(path);
    }
    foreign = file_join(programs, "notes.txt");
    assert_ok(file_write(foreign, binary, sizeof binary, 0600));
    left = file_join(programs, ".00000000000000000000000000000000.bin.1-2-3"); /* of a crash, a while ago */
    assert_ok(file_write(left, binary, sizeof binary, 0600));
    const struct timespec old[2] = {{.tv_sec = 1000000}, {.tv_sec = 1000000}};
    assert_int_equal(utimensat(AT_FDCWD, left, old, 0), 0);
    const hash128 used = key_of("0");
    assert_true(loads(&used)); /* the oldest, but used just now */
    cache_trim(programs, 1 << 20);
    assert_int_equal(scratch_count(programs), 11); /* below the limit only the left-over goes */
    cache_trim(programs, 1000);
    const int rest = scratch_count(programs) - 1;
    assert_in_range(rest, 1, 5);
    assert_true(loads(&used));
    for (int i = 1; i < 10; i++) {
        snprintf(text, sizeof text, "%d", i);
        const hash128 key = key_of(text);
        assert_int_equal(loads(&key), i > 10 - rest);
    }
    assert_int_equal(access(foreign, F_OK), 0);
    free(left);
    free(foreign);
}

/* ---------------------------------------------------------------- builds */

#define PROGRAMS 8

static clx *open_default(void)
{
    clx *x;
    int  i;
    assert_ok(devices_find(NULL, &i));
    assert_ok(clx_open(&(clx_desc){.device = i}, &x));
    return x;
}

/* One run over 5 numbers. */
static void run_abs(clx *x, clx_program *p)
{
    static const float in[5] = {-1, 2, -3, 4, -5};
    float              out[5] = {0};
    const size_t       global = 1, local = 1;
    clx_kernel        *k;
    clx_buffer        *a, *b;
    assert_ok(clx_kernel_create(x, p, "absolute", &k));
    assert_ok(clx_buffer_create(x, sizeof in, &a));
    assert_ok(clx_buffer_create(x, sizeof in, &b));
    assert_ok(clx_write(x, a, 0, sizeof in, in));
    assert_ok(clx_arg_buffer(x, k, 0, a));
    assert_ok(clx_arg_buffer(x, k, 1, b));
    assert_ok(clx_arg_i32(k, 2, 5));
    assert_ok(clx_enqueue(x, k, 1, &global, &local, NULL));
    assert_ok(clx_read(x, b, 0, sizeof out, out));
    for (int i = 0; i < 5; i++)
        assert_true(out[i] == (float)(i + 1));
    clx_buffer_destroy(a);
    clx_buffer_destroy(b);
    clx_kernel_destroy(k);
}

static clx_build abs_build(const char *options)
{
    return (clx_build){.file = "absolute", .options = options, .layer = "abs"};
}

/* Builds, runs, saves; true when the program came from the cache. */
static bool build_once(clx *x, const char *options, bool use_cache)
{
    clx_build b = abs_build(options);
    assert_ok(clx_build_all(x, &b, 1, cache, use_cache));
    run_abs(x, b.program);
    if (use_cache)
        clx_programs_save(x, &b, 1, cache);
    programs_store_late(x);
    clx_program_destroy(b.program);
    return b.from_cache;
}

static void second_build_comes_from_the_cache(void **state)
{
    clx *x = open_default();
    (void)state;
    assert_false(build_once(x, "-DCHUNK=5", false));
    assert_int_equal(access(programs, F_OK), -1); /* neither read nor written */
    assert_false(build_once(x, "-DCHUNK=5", true));
    assert_int_equal(scratch_count(programs), 1);
    assert_true(build_once(x, "-DCHUNK=5", true));
    assert_false(build_once(x, "-DCHUNK=5", false));
    assert_false(build_once(x, "-DCHUNK=8", true)); /* other options, other program */
    x->identity.byte[3] ^= 1;                       /* another driver */
    assert_false(build_once(x, "-DCHUNK=5", true));
    assert_int_equal(scratch_count(programs), 3);
    clx_close(x);
}

/* What is put off is done when the device is closed, though the program is gone by then. */
static void late_stores_are_done_at_closing(void **state)
{
    (void)state;
    for (int late = 0; late < 2; late++) {
        clx      *x = open_default();
        clx_build b = abs_build(late ? "-DCHUNK=6" : "-DCHUNK=5");
        x->slow_binaries = late;
        assert_ok(clx_build_all(x, &b, 1, cache, true));
        run_abs(x, b.program);
        clx_programs_save(x, &b, 1, cache);
        clx_program_destroy(b.program);
        assert_int_equal(scratch_count(programs), 1);
        clx_close(x);
        assert_int_equal(scratch_count(programs), 1 + late);
    }
}

static char *only_entry(void)
{
    DIR           *d = opendir(programs);
    struct dirent *e;
    char          *path = NULL;
    while (d && (e = readdir(d))) {
        if (e->d_name[0] != '.')
            path = file_join(programs, e->d_name);
    }
    closedir(d);
    assert_non_null(path);
    return path;
}

static void damaged_entry_means_a_build(void **state)
{
    clx  *x = open_default();
    char *path, *file;
    (void)state;
    size_t size;
    assert_false(build_once(x, "-DCHUNK=5", true));
    path = only_entry();
    assert_ok(file_read(path, 1 << 28, (void **)&file, &size));
    file[size / 2] ^= 4;
    assert_ok(file_write(path, file, size, 0600));
    log_keep();
    assert_false(build_once(x, "-DCHUNK=5", true));
    assert_logged("its checksum is wrong");
    assert_true(build_once(x, "-DCHUNK=5", true)); /* and was stored anew */
    assert_ok(file_write(path, file, size / 3, 0600));
    assert_false(build_once(x, "-DCHUNK=5", true));
    assert_true(build_once(x, "-DCHUNK=5", true));
    free(file);
    free(path);
    clx_close(x);
}

/* A binary that passes every check here and that the driver refuses. */
static void binary_that_the_driver_refuses(void **state)
{
    clx    *x = open_default();
    char   *path;
    hash128 key;
    (void)state;
    assert_false(build_once(x, "-DCHUNK=5", true));
    path = only_entry();
    for (int i = 0; i < 16; i++) {
        unsigned byte;
        assert_int_equal(sscanf(strrchr(path, '/') + 1 + 2 * i, "%2x", &byte), 1);
        key.byte[i] = (uint8_t)byte;
    }
    assert_ok(cache_store(programs, &key, binary, sizeof binary));
    log_keep();
    assert_false(build_once(x, "-DCHUNK=5", true));
    assert_logged("the driver does not take the stored binary of absolute.cl");
    assert_true(build_once(x, "-DCHUNK=5", true));
    free(path);
    clx_close(x);
}

static void cache_that_cannot_be_used_is_no_error(void **state)
{
    clx          *x = open_default();
    struct rlimit old, tight = {100, RLIM_INFINITY};
    (void)state;
    assert_int_equal(chmod(cache, 0777), 0);
    assert_false(build_once(x, "-DCHUNK=5", true));
    assert_logged("others may write to it");
    assert_int_equal(chmod(cache, 0700), 0);
    clx_build b = abs_build("-DCHUNK=5");
    assert_ok(clx_build_all(x, &b, 1, cache, true));
    run_abs(x, b.program);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
    tight.rlim_max = old.rlim_max;
    /* the driver writes files of its own while it gives the binary, so let it do that before the disk is full */
    clx_programs_save(x, &b, 1, cache);
    programs_store_late(x);
    char *path = only_entry();
    assert_int_equal(unlink(path), 0);
    log_keep();
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &tight), 0);
    clx_programs_save(x, &b, 1, cache);
    programs_store_late(x);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
    assert_logged("absolute.cl is not stored");
    assert_int_equal(scratch_count(programs), 0);
    clx_program_destroy(b.program);
    free(path);
    clx_close(x);
}

/* ---------------------------------------------------------------- a second start */

static double now_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* The child: builds or loads eight programs, runs each once, saves. Prints "<from cache> <milliseconds to the last
   answer>". */
static void start(const char *folder)
{
    clx_build    b[PROGRAMS];
    char         options[PROGRAMS][40];
    int          stored = 0;
    clx         *x = open_default();
    const double from = now_ms();
    for (int i = 0; i < PROGRAMS; i++) {
        snprintf(options[i], sizeof options[i], "-DCHUNK=%d", i + 5);
        b[i] = abs_build(options[i]);
    }
    assert_ok(clx_build_all(x, b, PROGRAMS, folder, true));
    for (int i = 0; i < PROGRAMS; i++) {
        run_abs(x, b[i].program);
        stored += b[i].from_cache;
    }
    printf("%d %.1f\n", stored, now_ms() - from);
    clx_programs_save(x, b, PROGRAMS, folder);
    for (int i = 0; i < PROGRAMS; i++)
        clx_program_destroy(b[i].program);
    clx_close(x);
}

/* Runs the child with a fresh folder for the cache of PoCL itself. */
static double start_again(int want_stored)
{
    int    pipes[2], state, stored = -1;
    double ms = -1;
    char  *fresh = strdup(scratch_folder());
    assert_int_equal(pipe(pipes), 0);
    const pid_t child = fork();
    if (child == 0) {
        dup2(pipes[1], STDOUT_FILENO);
        close(pipes[0]);
        setenv("POCL_CACHE_DIR", fresh, 1);
        execl("/proc/self/exe", "test_cache", "start", cache, (char *)NULL);
        _exit(127);
    }
    close(pipes[1]);
    FILE *f = fdopen(pipes[0], "r");
    assert_int_equal(fscanf(f, "%d %lf", &stored, &ms), 2);
    fclose(f);
    assert_int_equal(waitpid(child, &state, 0), child);
    assert_true(WIFEXITED(state) && WEXITSTATUS(state) == 0);
    assert_int_equal(stored, want_stored);
    char remove[600];
    snprintf(remove, sizeof remove, "rm -rf '%s'", fresh);
    assert_int_equal(system(remove), 0);
    free(fresh);
    return ms;
}

/* What is stored after a first run holds everything: not even the work-group functions are compiled again, although the
   driver's own cache is empty. */
static void second_start_compiles_nothing(void **state)
{
    clx       *x = open_default();
    const bool simulator = x->simulator;
    (void)state;
    clx_close(x);
    if (simulator)
        skip(); /* it interprets, so there is no compilation to save */
    const double first = start_again(0), second = start_again(PROGRAMS);
    print_message("%d programs, built and run once: %.0f ms from source, %.0f ms from the cache\n", PROGRAMS, first,
                  second);
    assert_true(second < first / 3);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(folder_is_made_private, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_open_to_others_is_not_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_of_another_user_is_not_used, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_with_a_file_in_the_way, set_up, tear_down),
        cmocka_unit_test_setup_teardown(folder_from_the_environment, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entry_comes_back, set_up, tear_down),
        cmocka_unit_test_setup_teardown(torn_entry_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(flipped_bit_is_noticed, set_up, tear_down),
        cmocka_unit_test_setup_teardown(entry_under_another_key_is_refused, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_entries_go_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(second_build_comes_from_the_cache, set_up, tear_down),
        cmocka_unit_test_setup_teardown(late_stores_are_done_at_closing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(damaged_entry_means_a_build, set_up, tear_down),
        cmocka_unit_test_setup_teardown(binary_that_the_driver_refuses, set_up, tear_down),
        cmocka_unit_test_setup_teardown(cache_that_cannot_be_used_is_no_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(second_start_compiles_nothing, set_up, tear_down),
    };
    if (argc == 3 && strcmp(argv[1], "start") == 0) {
        start(argv[2]);
        return 0;
    }
    return cmocka_run_group_tests(tests, set_up_all, tear_down_all);
}
