/* SPDX-License-Identifier: Apache-2.0 */
#include "base/file.h"
#include "base/size.h"

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static status fail_errno(const char *what, const char *path)
{
    const int   code = errno;
    char        text[128];
    const char *reason = strerror_r(code, text, sizeof text);
    return fail(code == ENOMEM ? SEPCL_OUT_OF_MEMORY : SEPCL_BAD_FILE, "%s: cannot %s: %s", path, what, reason);
}

char *file_join(const char *folder, const char *name)
{
    const size_t n = strlen(folder) + strlen(name) + 2;
    char        *path = malloc(n);
    if (path)
        snprintf(path, n, "%s/%s", folder, name);
    else
        fail_memory(n, "a path");
    return path;
}

/* ---------------------------------------------------------------- reading */

/* Reads until size bytes or the end; -1 with errno on failure. */
static ssize_t read_fully(int fd, char *data, size_t size)
{
    size_t done = 0;
    while (done < size) {
        const ssize_t n = read(fd, data + done, size - done);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        if (n == 0)
            break;
        done += (size_t)n;
    }
    return (ssize_t)done;
}

static status read_open_file(int fd, const char *path, size_t limit, void **out, size_t *size_out)
{
    struct stat st;
    size_t      room;
    if (fstat(fd, &st) != 0)
        return fail_errno("read", path);
    if (!S_ISREG(st.st_mode))
        return fail(SEPCL_BAD_FILE, "%s: not a regular file", path);
    if (st.st_size < 0 || (uintmax_t)st.st_size > limit)
        return fail(SEPCL_BAD_FILE, "%s: %jd bytes, more than the limit of %zu", path, (intmax_t)st.st_size, limit);
    if (!size_add((size_t)st.st_size, 1, &room))
        return fail_memory((size_t)st.st_size, path);
    char *data = malloc(room);
    if (!data)
        return fail_memory(room, path);
    const ssize_t got = read_fully(fd, data, (size_t)st.st_size);
    if (got < 0 || got != st.st_size) {
        const status s = got < 0 ? fail_errno("read", path)
                                 : fail(SEPCL_BAD_FILE, "%s: shrank to %zd bytes while it was read", path, got);
        free(data);
        return s;
    }
    data[got] = 0;
    *out = data;
    if (size_out)
        *size_out = (size_t)got;
    return SEPCL_OK;
}

status file_read(const char *path, size_t limit, void **out, size_t *size_out)
{
    *out = NULL;
    if (size_out)
        *size_out = 0;
    /* without O_NONBLOCK the opening of a pipe would wait for a writer */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno("open", path);
    const status s = read_open_file(fd, path, limit, out, size_out);
    close(fd);
    return s;
}

/* ---------------------------------------------------------------- writing */

static bool write_fully(int fd, const char *data, size_t size)
{
    while (size > 0) {
        const ssize_t n = write(fd, data, size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        data += n;
        size -= (size_t)n;
    }
    return true;
}

/* Opens a new file beside path. O_EXCL, so a name that somebody else took, or a planted link, is never written to. */
static int open_temporary(const char *path, unsigned mode, char **name_out)
{
    static atomic_uint count;
    const char        *slash = strrchr(path, '/');
    const int          folder = slash ? (int)(slash - path + 1) : 0;
    const size_t       room = strlen(path) + 64;
    char              *name = malloc(room);
    *name_out = name;
    if (!name)
        return -1;
    for (int i = 0; i < 100; i++) {
        struct timespec t;
        clock_gettime(CLOCK_REALTIME, &t);
        snprintf(name, room, "%.*s.%s.%lx-%x-%lx", folder, path, path + folder, (unsigned long)getpid(),
                 atomic_fetch_add(&count, 1), (unsigned long)t.tv_nsec);
        const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, (mode_t)mode);
        if (fd >= 0 || errno != EEXIST)
            return fd;
    }
    return -1;
}

/* The rename itself is lost with the power unless the folder is synchronised too; some file systems refuse that, which
   is no failure of the write. */
static void sync_folder(const char *path)
{
    const char *slash = strrchr(path, '/');
    char       *folder = slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
    const int   fd = folder ? open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
    if (fd >= 0) {
        (void)fsync(fd);
        close(fd);
    }
    free(folder);
}

static status write_in_place(const char *path, const void *data, size_t size)
{
    const int fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return fail_errno("write", path);
    status s = write_fully(fd, data, size) ? SEPCL_OK : fail_errno("write", path);
    if (close(fd) != 0 && s == SEPCL_OK)
        s = fail_errno("write", path);
    return s;
}

status file_write(const char *path, const void *data, size_t size, unsigned mode)
{
    struct stat st;
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return write_in_place(path, data, size);
    char  *name;
    status s = SEPCL_OK;
    int    fd = open_temporary(path, mode, &name);
    if (fd < 0) {
        s = fail_errno("write", path);
        free(name);
        return s;
    }
    if (!write_fully(fd, data, size) || fsync(fd) != 0)
        s = fail_errno("write", path);
    if (close(fd) != 0 && s == SEPCL_OK)
        s = fail_errno("write", path);
    if (s == SEPCL_OK && rename(name, path) != 0)
        s = fail_errno("write", path);
    if (s == SEPCL_OK)
        sync_folder(path);
    else
        (void)unlink(name);
    free(name);
    return s;
}

/* ---------------------------------------------------------------- folders */

status file_make_folder(const char *path, unsigned mode)
{
    struct stat st;
    char       *text = strdup(path);
    status      s = SEPCL_OK;
    if (!text)
        return fail_memory(strlen(path) + 1, "a path");
    for (char *p = text + 1; *text && s == SEPCL_OK; p++) {
        if (*p != '/' && *p != 0)
            continue;
        const char end = *p;
        *p = 0;
        if (mkdir(text, (mode_t)mode) != 0 && errno != EEXIST) {
            const int code = errno; /* not what stat says of it */
            if (stat(text, &st) != 0 || !S_ISDIR(st.st_mode)) {
                errno = code;
                s = fail_errno("make folder", text);
            }
        }
        *p = end;
        if (end == 0)
            break;
    }
    if (s == SEPCL_OK && (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))) {
        errno = ENOTDIR;
        s = fail_errno("make folder", path);
    }
    free(text);
    return s;
}

/* ---------------------------------------------------------------- locks */

int file_lock(const char *folder)
{
    const struct timespec moment = {.tv_nsec = 20000000};
    const int             fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < 100; i++) {
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            return fd;
        if (errno != EWOULDBLOCK && errno != EINTR)
            break;
        (void)nanosleep(&moment, NULL);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

void file_unlock(int lock)
{
    if (lock >= 0)
        close(lock);
}
