/* SPDX-License-Identifier: Apache-2.0 */
#include "import/file_map.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

/* Folders between the model's and the file. */
#define MAX_FOLDERS 32

static status fail_errno(const char *what)
{
    return fail(errno == ENOMEM ? SEPCL_OUT_OF_MEMORY : SEPCL_BAD_FILE, "%s: %s", what, strerror(errno));
}

/* Maps an open file; closes fd. only_name: refuse a file that has more than one name. */
static status map_fd(int fd, bool only_name, file_map *out)
{
    struct stat s;
    status      st = SEPCL_OK;
    if (fstat(fd, &s) != 0) {
        st = fail_errno("cannot look at it");
    } else if (!S_ISREG(s.st_mode)) {
        st = fail(SEPCL_BAD_FILE, "not a regular file");
    } else if (only_name && s.st_nlink != 1) {
        st = fail(SEPCL_BAD_FILE, "it has %ju hard links; a file of external data may have one name only",
                  (uintmax_t)s.st_nlink);
    } else if ((uintmax_t)s.st_size > SIZE_MAX / 2) {
        st = fail(SEPCL_BAD_FILE, "%jd bytes are more than this machine can map", (intmax_t)s.st_size);
    } else if (s.st_size > 0) {
        void *p = mmap(NULL, (size_t)s.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
        if (p == MAP_FAILED)
            st = fail_errno("cannot map it");
        else
            *out = (file_map){.bytes = p, .size = (size_t)s.st_size};
    }
    close(fd);
    return st;
}

status file_map_open(const char *path, file_map *out)
{
    *out = (file_map){0};
    /* O_NONBLOCK: opening a pipe must not wait for a writer */
    const int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return fail_errno("cannot open it");
    return map_fd(fd, false, out);
}

/* The folder that holds path, opened. */
static int open_folder_of(const char *path)
{
    char        folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t      n = slash ? (size_t)(slash - path) : 0;
    if (slash == path)
        n = 1;
    if (n >= sizeof folder) {
        errno = ENAMETOOLONG;
        return -1;
    }
    memcpy(folder, n ? path : ".", n ? n : 1);
    folder[n ? n : 1] = 0;
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* The next component of a relative path; false at its end. "." and double slashes are skipped. */
static bool next_component(const char **at, char name[NAME_MAX + 1], status *st)
{
    for (;;) {
        *at += strspn(*at, "/");
        const size_t n = strcspn(*at, "/");
        if (n == 0)
            return false;
        if (n > NAME_MAX) {
            *st = fail(SEPCL_BAD_FILE, "a part of the path is longer than %d bytes", NAME_MAX);
            return false;
        }
        memcpy(name, *at, n);
        name[n] = 0;
        *at += n;
        if (strcmp(name, ".") != 0)
            return true;
    }
}

/* Walks the folders of location one by one, so that no step can follow a link; *last gets the file's own name. */
static status open_parent(int *dir, const char *location, char last[NAME_MAX + 1])
{
    status      st = SEPCL_OK;
    const char *at = location;
    char        next[NAME_MAX + 1];
    if (!next_component(&at, last, &st))
        return st != SEPCL_OK ? st : fail(SEPCL_BAD_FILE, "the path is empty");
    for (int depth = 0;; depth++) {
        if (strcmp(last, "..") == 0)
            return fail(SEPCL_BAD_FILE, "the path has '..', but external data must lie in the model's folder");
        if (!next_component(&at, next, &st))
            return st;
        if (depth >= MAX_FOLDERS)
            return fail(SEPCL_BAD_FILE, "the path has more than %d folders", MAX_FOLDERS);
        const int inner = openat(*dir, last, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (inner < 0)
            return fail_errno("cannot open a folder of the path (symbolic links are not followed)");
        close(*dir);
        *dir = inner;
        memcpy(last, next, sizeof next);
    }
}

status file_map_open_beside(const char *path, const char *location, file_map *out)
{
    char name[NAME_MAX + 1];
    *out = (file_map){0};
    if (location[0] == '/')
        return fail(SEPCL_BAD_FILE, "the path is absolute, but external data must lie in the model's folder");
    int dir = open_folder_of(path);
    if (dir < 0)
        return fail_errno("cannot open the model's folder");
    status st = open_parent(&dir, location, name);
    if (st == SEPCL_OK) {
        const int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        st = fd < 0 ? fail_errno(errno == ELOOP ? "symbolic links are not followed" : "cannot open it")
                    : map_fd(fd, true, out);
    }
    close(dir);
    return st;
}

void file_map_close(file_map *m)
{
    if (m->bytes)
        munmap((void *)m->bytes, m->size);
    *m = (file_map){0};
}

void file_map_forget(const void *bytes, size_t size)
{
    const long page = sysconf(_SC_PAGESIZE);
    if (page <= 0)
        return;
    const uintptr_t p = (uintptr_t)page, from = ((uintptr_t)bytes + p - 1) / p * p,
                    to = ((uintptr_t)bytes + size) / p * p;
    /* of a private mapping that is never written only clean pages go; it is a hint, so its result does not matter */
    if (to > from)
        (void)madvise((void *)from, to - from, MADV_DONTNEED);
}
