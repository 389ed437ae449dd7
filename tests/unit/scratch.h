/* SPDX-License-Identifier: Apache-2.0 */
/* For unit tests: cmocka, folders that are theirs alone, and a look at the log. */
#ifndef SEPCL_TESTS_SCRATCH_H
#define SEPCL_TESTS_SCRATCH_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#undef fail /* the library's own function of this name; test_fail stands in */

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/file.h"
#include "base/status.h"

#define test_fail(...)                \
    do {                              \
        print_error(__VA_ARGS__);     \
        _fail(__FILE__, __LINE__);    \
    } while (0)

#define assert_ok(call)                                         \
    do {                                                        \
        const status assert_ok_s = (call);                      \
        if (assert_ok_s != SEPCL_OK)                            \
            test_fail("%s: %s\n", #call, error_sentence());     \
    } while (0)

/* The call fails with this code and a sentence that holds the text. */
#define assert_fails(code, text, call)                                                         \
    do {                                                                                       \
        const status assert_fails_s = (call);                                                  \
        if (assert_fails_s != (code) || !strstr(error_sentence(), (text)))                     \
            test_fail("%s gave %d, \"%s\"\n", #call, (int)assert_fails_s, error_sentence());   \
    } while (0)

/* A fresh folder, mode 0700, in a static buffer that the next call overwrites. */
static inline const char *scratch_folder(void)
{
    static char path[512];
    snprintf(path, sizeof path, "%s/XXXXXX", TEST_SCRATCH);
    if (!mkdtemp(path))
        test_fail("cannot make %s\n", path);
    return path;
}

/* Removes a folder and what is in it, two levels deep at most. */
static inline void scratch_remove(const char *folder)
{
    DIR           *d = opendir(folder);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        if (unlinkat(dirfd(d), e->d_name, 0) != 0) {
            char *inner = file_join(folder, e->d_name);
            if (inner)
                scratch_remove(inner);
            free(inner);
        }
    }
    if (d)
        closedir(d);
    rmdir(folder);
}

/* Number of files in a folder, hidden ones included. */
static inline int scratch_count(const char *folder)
{
    DIR           *d = opendir(folder);
    struct dirent *e;
    int            n = 0;
    while (d && (e = readdir(d)))
        n += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
    if (d)
        closedir(d);
    return n;
}

/* The log since log_keep, joined. */
static char scratch_log[16384];

static inline void scratch_log_line(void *user, sepcl_log_level level, const char *line)
{
    const size_t at = strlen(scratch_log);
    (void)user;
    (void)level;
    snprintf(scratch_log + at, sizeof scratch_log - at, "%s\n", line);
}

static inline void log_keep(void)
{
    scratch_log[0] = 0;
    log_set(scratch_log_line, NULL, SEPCL_LOG_INFO);
}

#endif
