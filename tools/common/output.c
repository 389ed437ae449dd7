/* SPDX-License-Identifier: Apache-2.0 */
#include "output.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"
#include "tool.h"

#define MOST_FILES 256
#define MOST_PARTS 2

typedef struct pending {
    char       *path;      /* as the user wrote it */
    char       *target;    /* links followed */
    char       *temporary; /* NULL: written at commit */
    output_part parts[MOST_PARTS];
    int         n_parts;
} pending;

static pending               files[MOST_FILES];
static volatile sig_atomic_t n_files;

/* ---------------------------------------------------------------- signals */

static void on_signal(int number)
{
    const int n = n_files;
    for (int i = 0; i < n; i++)
        if (files[i].temporary)
            unlink(files[i].temporary);
    signal(number, SIG_DFL);
    raise(number);
}

void output_handle_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
        struct sigaction old;
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            signal(numbers[i], on_signal);
    }
}

/* ---------------------------------------------------------------- names */

static char *folder_of(const char *path)
{
    char *copy = need(strdup(path));
    char *folder = need(strdup(dirname(copy)));
    free(copy);
    return folder;
}

/* Is something there that cannot be replaced by renaming? */
static bool is_special(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && !S_ISREG(s.st_mode);
}

sepcl_status output_check(const char *path)
{
    struct stat s;
    if (stat(path, &s) == 0 && S_ISDIR(s.st_mode))
        return tool_fail(SEPCL_BAD_FILE, "cannot write %s: it is a folder", path);
    if (is_special(path))
        return SEPCL_OK;
    char        *folder = folder_of(path);
    const int    error = access(folder, W_OK | X_OK) ? errno : 0;
    sepcl_status st = SEPCL_OK;
    if (error)
        st = tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s: %s", path, folder, strerror(error));
    free(folder);
    return st;
}

/* ---------------------------------------------------------------- writing */

static bool write_all(int fd, const output_part *part)
{
    const char *at = part->bytes;
    size_t      left = part->size;
    while (left > 0) {
        const ssize_t n = write(fd, at, left);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return false;
        at += n;
        left -= (size_t)n;
    }
    return true;
}

static bool write_parts(int fd, const pending *p)
{
    for (int i = 0; i < p->n_parts; i++)
        if (!write_all(fd, &p->parts[i]))
            return false;
    return true;
}

/* The mode that open() would have given; that of the file to be replaced, if there is one. */
static mode_t wanted_mode(const char *target)
{
    struct stat s;
    if (stat(target, &s) == 0)
        return s.st_mode & 0777;
    const mode_t mask = umask(0);
    umask(mask);
    return 0666 & ~mask;
}

/* Fills p->temporary. */
static sepcl_status write_temporary(pending *p)
{
    char *folder = folder_of(p->target);
    p->temporary = text_format("%s/.sepcl-XXXXXX", folder);
    free(folder);
    const int fd = mkstemp(p->temporary);
    if (fd < 0) {
        const int error = errno;
        free(p->temporary);
        p->temporary = NULL;
        return tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s", p->path, strerror(error));
    }
    const bool ok = write_parts(fd, p) && fchmod(fd, wanted_mode(p->target)) == 0;
    const int  error = errno;
    if (close(fd) != 0 && ok)
        return tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s", p->path, strerror(errno));
    if (!ok)
        return tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s", p->path, strerror(error));
    return SEPCL_OK;
}

sepcl_status output_add(const char *path, const output_part *parts, int n_parts)
{
    if (n_files == MOST_FILES || n_parts > MOST_PARTS)
        return tool_fail(SEPCL_INVALID, "cannot write %s: more than %d output files", path, MOST_FILES);
    TRY(output_check(path));
    pending *p = &files[n_files];
    *p = (pending){.path = need(strdup(path)), .n_parts = n_parts};
    memcpy(p->parts, parts, (size_t)n_parts * sizeof(*parts));
    p->target = realpath(path, NULL); /* a link stays, and what it points to is replaced */
    if (!p->target)
        p->target = need(strdup(path));
    n_files++;
    return is_special(path) ? SEPCL_OK : write_temporary(p);
}

static sepcl_status commit_one(pending *p)
{
    if (p->temporary) {
        if (rename(p->temporary, p->target) != 0)
            return tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s", p->path, strerror(errno));
        free(p->temporary);
        p->temporary = NULL;
        return SEPCL_OK;
    }
    fflush(stdout); /* it may be the same pipe */
    const int fd = open(p->path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s", p->path, strerror(errno));
    const bool ok = write_parts(fd, p);
    const int  error = errno;
    close(fd);
    return ok ? SEPCL_OK : tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s", p->path, strerror(error));
}

sepcl_status output_commit(void)
{
    sepcl_status st = SEPCL_OK;
    for (int i = 0; i < n_files && st == SEPCL_OK; i++)
        st = commit_one(&files[i]);
    output_abandon();
    return st;
}

void output_abandon(void)
{
    const int n = n_files;
    for (int i = 0; i < n; i++)
        if (files[i].temporary)
            unlink(files[i].temporary);
    n_files = 0;
    for (int i = 0; i < n; i++) {
        free(files[i].path);
        free(files[i].target);
        free(files[i].temporary);
        files[i] = (pending){0};
    }
}
