/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Caches under fire: many processes on one folder that are killed at any moment, entries that are damaged or in each
 * other's place, folders that are full, read-only or somebody else's, a clock that jumps, a driver that changed. Always the
 * right answer, never a stale program, and not a word above info in the log. The device is used in children alone, so that
 * each has a driver of its own.
 */
#include "../unit/scratch.h"

#include <errno.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/wait.h>
#include <time.h>

#include "base/hash.h"
#include "figures.h"
#include "level.h"

#define PROCESSES 16

static int rounds = 6, most_kills = 40; /* --all: 50 and 150 */

/* What children tell. */
typedef struct shared {
    float answer[WORK_OUT];
    struct {
        volatile int rounds, wrong, loud; /* done; wrong answers or failures; lines above info */
    } of[PROCESSES];
    char why[512];
} shared;

static shared *told;
static char    cache[600], programs[700];

/* ---------------------------------------------------------------- children */

static char said[65536];
static int  loud;

static void listen(void *user, sepcl_log_level level, const char *line)
{
    const size_t at = strlen(said);
    (void)user;
    snprintf(said + at, sizeof said - at, "%s\n", line);
    loud += level < SEPCL_LOG_INFO;
}

/* One session on the shared cache; its log is in said. */
static bool session_is_right(work *w)
{
    said[0] = 0;
    loud = 0;
    sepcl_set_log(listen, NULL, SEPCL_LOG_INFO);
    work_do(w);
    sepcl_set_log(NULL, NULL, SEPCL_LOG_OFF);
    return w->status == SEPCL_OK && w->right;
}

/* Exits with 1 and a reason when it does not hold. */
static void need(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "%s; the log:\n%s\n", what, said);
    _exit(1);
}

static void need_session(const char *what)
{
    work w = {.cache_dir = cache};
    if (!session_is_right(&w)) {
        fprintf(stderr, "%s: %s\n", what, w.error);
        need(false, "no right answer");
    }
    need(loud == 0, what);
}

/* Programs that the last session took from the cache, and built. */
static void counts(int *stored, int *built)
{
    const char *line = strstr(said, " from the cache, ");
    *stored = *built = -1;
    while (line && line > said && line[-1] != '\n')
        line--;
    if (line)
        (void)sscanf(line, "%*d program%*[s]: %d from the cache, %d", stored, built);
}

/* false: the child lacks a right that the case takes. */
static bool child_has_rights(void (*fn)(void))
{
    int         outcome;
    const pid_t child = fork();
    if (child == 0) {
        work_set_answer(told->answer);
        alarm(300);
        fn();
        _exit(0);
    }
    assert_int_equal(waitpid(child, &outcome, 0), child);
    if (WIFEXITED(outcome) && WEXITSTATUS(outcome) == 77)
        return false;
    if (!WIFEXITED(outcome) || WEXITSTATUS(outcome) != 0)
        test_fail("the child ended with %#x\n", (unsigned)outcome);
    return true;
}

static void in_child(void (*fn)(void))
{
    if (!child_has_rights(fn))
        skip();
}

/* The same with a figure, which tells when the case was left out. */
static void in_child_for(void (*fn)(void), const char *what)
{
    const bool done = child_has_rights(fn);
    figure("cache", "right answer, no stale program", "%s | %s", what, done ? "held" : "left out: this user lacks the right");
    if (!done)
        skip();
}

static void find_answer(void)
{
    work w = {.no_cache = true};
    work_do(&w);
    need(w.status == SEPCL_OK, w.error);
    memcpy(told->answer, w.out, sizeof told->answer);
}

/* ---------------------------------------------------------------- many processes, killed */

static char *entry(int wanted)
{
    DIR           *d = opendir(programs);
    struct dirent *e;
    char          *path = NULL;
    int            n = 0;
    while (d && !path && (e = readdir(d)))
        if (e->d_name[0] != '.' && n++ == wanted)
            path = file_join(programs, e->d_name);
    if (d)
        closedir(d);
    return path;
}

static unsigned random_number(unsigned *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 8;
}

/* Takes an entry away, or damages it, now and then, so that there is always something to be stored. */
static void stir(unsigned *state)
{
    char *path = entry((int)(random_number(state) % 8));
    if (!path)
        return;
    const unsigned how = random_number(state) % 8;
    if (how == 0)
        (void)truncate(path, random_number(state) % 5000);
    else if (how < 4)
        (void)unlink(path);
    free(path);
}

static void worker(int i, unsigned seed)
{
    work w = {.cache_dir = cache};
    work_set_answer(told->answer);
    while (told->of[i].rounds < rounds) {
        if (!session_is_right(&w)) {
            told->of[i].wrong++;
            snprintf(told->why, sizeof told->why, "process %d, round %d: %.300s", i, told->of[i].rounds, w.error);
        }
        told->of[i].loud += loud;
        told->of[i].rounds++;
        stir(&seed);
    }
    _exit(0);
}

static pid_t start_worker(int i, unsigned seed)
{
    const pid_t child = fork();
    if (child == 0)
        worker(i, seed);
    return child;
}

/* Kills one of them every few hundredths of a second, and starts it again, until all have done their rounds. */
static int shoot(pid_t *pids)
{
    unsigned state = 12345;
    int      kills = 0;
    for (int left = PROCESSES; left > 0;) {
        const struct timespec moment = {.tv_nsec = (long)(20 + random_number(&state) % 80) * 1000000};
        nanosleep(&moment, NULL);
        int i = (int)(random_number(&state) % PROCESSES);
        if (pids[i] > 0 && kills < most_kills) {
            kill(pids[i], SIGKILL);
            kills++;
        }
        for (i = 0; i < PROCESSES; i++) {
            int outcome;
            if (pids[i] <= 0 || waitpid(pids[i], &outcome, WNOHANG) != pids[i])
                continue;
            const bool done = WIFEXITED(outcome) && WEXITSTATUS(outcome) == 0;
            if (!done && !WIFSIGNALED(outcome))
                told->of[i].wrong++;
            if (WIFSIGNALED(outcome) && WTERMSIG(outcome) != SIGKILL)
                told->of[i].wrong++;
            pids[i] = done ? 0 : start_worker(i, (unsigned)kills * 31u + (unsigned)i);
            left -= done;
        }
    }
    return kills;
}

static void all_is_in_the_cache(void)
{
    int stored, built;
    need_session("after the fire");
    need_session("after the fire, again");
    counts(&stored, &built);
    need(stored > 0 && built == 0, "a session stores, and the next one finds");
}

static void killed_processes_leave_a_sound_cache(void **state)
{
    pid_t pids[PROCESSES];
    int   done = 0;
    (void)state;
    memset(told->of, 0, sizeof told->of);
    for (int i = 0; i < PROCESSES; i++)
        pids[i] = start_worker(i, 77u * (unsigned)i);
    const int kills = shoot(pids);
    for (int i = 0; i < PROCESSES; i++) {
        if (told->of[i].wrong || told->of[i].loud)
            test_fail("process %d: %d rounds wrong, %d lines above info; the last: %s\n", i, told->of[i].wrong,
                      told->of[i].loud, told->why);
        done += told->of[i].rounds;
    }
    in_child(all_is_in_the_cache);
    figure("cache", "16 x 50, all right, no word above info", "Processes on one cache, killed at random | %d x %d rounds, %d kills",
           PROCESSES, done / PROCESSES, kills);
}

/* ---------------------------------------------------------------- damage */

typedef struct file_bytes {
    char    *path;
    uint8_t *bytes;
    size_t   size;
} file_bytes;

static int read_entries(file_bytes *list, int most)
{
    int n = 0;
    for (char *path; n < most && (path = entry(n)); n++) {
        list[n].path = path;
        need(file_read(path, 1u << 30, (void **)&list[n].bytes, &list[n].size) == SEPCL_OK, path);
    }
    return n;
}

static void put_back(const file_bytes *f)
{
    need(file_write(f->path, f->bytes, f->size, 0600) == SEPCL_OK, f->path);
}

/* One entry is not used, and the log says so. */
static void need_refusal(const char *what)
{
    int stored, built;
    need_session(what);
    counts(&stored, &built);
    need(built == 1 && strstr(said, "is not used: it"), what);
}

static void damage(void)
{
    file_bytes f[16];
    need_session("before");
    const int n = read_entries(f, 16);
    need(n >= 3, "there are entries");
    for (int k = 0; k < 256; k++) { /* truncated, at offsets in all of the file */
        const file_bytes *one = &f[k % n];
        need(file_write(one->path, one->bytes, one->size * (size_t)k / 256, 0600) == SEPCL_OK, one->path);
        need_refusal("truncated");
        put_back(one);
    }
    for (size_t k = 0; k < 56; k++) { /* each byte of the header */
        const file_bytes *one = &f[k % (size_t)n];
        one->bytes[k] ^= (uint8_t)(1u << k % 8);
        put_back(one);
        need_refusal("a header byte flipped");
        one->bytes[k] ^= (uint8_t)(1u << k % 8);
        put_back(one);
    }
    for (int k = 0; k < 2 * n; k++) { /* each other's file, or each other's payload behind the own header */
        const file_bytes *a = &f[k % n], *b = &f[(k + 1) % n];
        file_bytes        mixed = {a->path, malloc(a->size + b->size), b->size};
        need(mixed.bytes != NULL, "memory");
        memcpy(mixed.bytes, b->bytes, b->size);
        if (k >= n) /* own name, but length and checksum of the other */
            memcpy(mixed.bytes + 24, a->bytes + 24, sizeof(hash128));
        put_back(&mixed);
        need_refusal("another program in its place");
        free(mixed.bytes);
        put_back(a);
    }
    int stored, built;
    need_session("after");
    counts(&stored, &built);
    need(stored == n && built == 0, "all are used when nothing is damaged");
    for (int i = 0; i < n; i++) {
        free(f[i].path);
        free(f[i].bytes);
    }
}

static void damaged_entries_are_never_used(void **state)
{
    (void)state;
    in_child(damage);
    figure("cache", "each refused, the answer right", "Entries truncated at 256 offsets, 56 header bytes flipped, swapped | all refused");
}

/* ---------------------------------------------------------------- folders */

/* A file system with hardly any room, in a mount name space of the child's own. */
static void full_disk(void)
{
    char path[600];
    if (unshare(CLONE_NEWNS) != 0 && unshare(CLONE_NEWNS | CLONE_NEWUSER) != 0)
        _exit(77);
    empty_folder("full", path, sizeof path);
    if (mkdir(path, 0700) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mount("tmpfs", path, "tmpfs", 0, "size=64k,mode=0700") != 0)
        _exit(77);
    snprintf(cache, sizeof cache, "%s", path);
    for (int i = 0; i < 3; i++) {
        need_session("on a full disk");
        if (i == 0)
            need(strstr(said, "is not stored: ") && strstr(said, "No space left on device"), "the log tells of the full disk");
    }
    (void)umount2(path, MNT_DETACH);
}

static void a_full_disk_does_no_harm(void **state)
{
    (void)state;
    in_child_for(full_disk, "Full disk");
}

/* Somebody without rights, as root may write everywhere. */
static void become_nobody(void)
{
    if (geteuid() == 0 && (setgroups(0, NULL) != 0 || setgid(65534) != 0 || setuid(65534) != 0))
        _exit(77);
    if (access(work_model(), R_OK) != 0) /* the path to it is not open to others */
        _exit(77);
}

static void read_only_folder(void)
{
    char drivers[700];
    snprintf(cache, sizeof cache, "%s/read-only", work_scratch());
    snprintf(drivers, sizeof drivers, "%s/nobody", work_scratch());
    need(mkdir(cache, 0700) == 0 && mkdir(drivers, 0700) == 0, "folders");
    if (geteuid() == 0)
        need(chown(cache, 65534, 65534) == 0 && chown(drivers, 65534, 65534) == 0 && chmod(work_scratch(), 0755) == 0 &&
                 chmod(work_model(), 0644) == 0, "given to nobody");
    need(setenv("POCL_CACHE_DIR", drivers, 1) == 0, "setenv");
    become_nobody();
    need(chmod(cache, 0500) == 0, "chmod");
    need_session("in a folder that is read-only");
    need(strstr(said, "cannot make folder") || strstr(said, "cannot be written to"), "the log tells of it");
}

static void a_read_only_folder_does_no_harm(void **state)
{
    (void)state;
    in_child_for(read_only_folder, "Read-only folder");
}

/* Programs are code: those of somebody else are not run. */
static void folder_of_another(void)
{
    int stored, built;
    if (geteuid() != 0)
        _exit(77);
    snprintf(cache, sizeof cache, "%s/another", work_scratch());
    need_session("in a folder that is ours");
    need_session("in a folder that is ours, again");
    counts(&stored, &built);
    need(stored > 0 && built == 0, "programs are kept");
    need(chown(cache, 12345, 12345) == 0, "chown");
    need_session("in a folder of another user");
    counts(&stored, &built);
    need(stored == 0 && built > 0 && strstr(said, "it belongs to user 12345"), "it is not used");
}

static void a_folder_of_another_is_not_trusted(void **state)
{
    (void)state;
    in_child_for(folder_of_another, "Folder of another user");
}

/* ---------------------------------------------------------------- time and drivers */

static void clock_jumps(void)
{
    static const long years[] = {-40, -1, 1, 10, 60};
    int               stored, built;
    need_session("before");
    for (size_t i = 0; i < sizeof years / sizeof *years; i++) {
        sys_shift_clock(years[i] * 365 * 86400);
        need_session("with another time");
        counts(&stored, &built);
        need(stored > 0 && built == 0, "entries from the past or the future are used");
    }
    sys_shift_clock(0);
}

static void a_clock_that_jumps_does_no_harm(void **state)
{
    (void)state;
    in_child_for(clock_jumps, "Clock that jumps, by up to 60 years");
}

static void same_driver(void)
{
    int stored, built;
    need_session("before");
    need_session("before, again");
    counts(&stored, &built);
    need(stored > 0 && built == 0, "programs are kept");
}

static void other_driver(void)
{
    int stored, built;
    fault_set("device.driver=another version");
    need_session("with another driver");
    counts(&stored, &built);
    need(fault_lied() > 0 && stored == 0 && built > 0, "a stored program is not used with another driver");
}

static void another_driver_means_other_programs(void **state)
{
    (void)state;
    in_child(same_driver);
    in_child_for(other_driver, "Another driver");
    in_child(same_driver);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_processes_leave_a_sound_cache), cmocka_unit_test(damaged_entries_are_never_used),
        cmocka_unit_test(a_full_disk_does_no_harm),             cmocka_unit_test(a_read_only_folder_does_no_harm),
        cmocka_unit_test(a_folder_of_another_is_not_trusted),   cmocka_unit_test(a_clock_that_jumps_does_no_harm),
        cmocka_unit_test(another_driver_means_other_programs),
    };
    work_begin(argc, argv);
    if (work_all()) {
        rounds = 50;
        most_kills = 150;
    }
    /* a killed process may leave half a file in the driver's own cache as well, which no other test shall meet */
    char drivers[600];
    snprintf(drivers, sizeof drivers, "%s/pocl", work_scratch());
    if (mkdir(drivers, 0700) != 0 || setenv("POCL_CACHE_DIR", drivers, 1) != 0)
        return 1;
    told = mmap(NULL, sizeof *told, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (told == MAP_FAILED)
        return 1;
    snprintf(cache, sizeof cache, "%s/cache", work_scratch());
    snprintf(programs, sizeof programs, "%s/programs", cache);
    in_child(find_answer);
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    work_end();
    return failed;
}
