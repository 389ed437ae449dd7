/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Compiled programs on disk, one file an entry, named by the key's 32 hexadecimal digits. An entry is a header and the
 * driver's binary as it is. A binary runs as code of this process, so the folder has to be ours and closed to others,
 * and a file counts only when every field of its header is as expected and the checksum holds. Losing an entry costs a
 * compilation, so nothing here is an error to a caller.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/file.h"
#include "base/size.h"
#include "cl/internal.h"

#define ENTRY_LIMIT ((size_t)256 << 20)
#define DAY 86400

/* Written as it lies in memory: another byte order shows in `order`. */
typedef struct entry_header {
    char     magic[8];
    uint32_t version, order;
    uint64_t length;
    hash128  key, checksum; /* checksum: of key and binary, so that neither goes with another one */
} entry_header;

static const char entry_magic[8] = {'s', 'e', 'p', 'c', 'l', 'b', 'i', 'n'};
#define ENTRY_VERSION 2
#define ENTRY_ORDER 0x01020304u

/* ---------------------------------------------------------------- the folder */

/* Where the cache is meant to be, in malloc'd text; NULL when nowhere (the reason is logged). */
static char *cache_base(const char *dir)
{
    const char *chosen = dir && *dir ? dir : secure_getenv("SEPCL_CACHE_DIR");
    if (chosen && *chosen) {
        if (strcmp(chosen, "off") == 0) {
            log_info("cache: switched off");
            return NULL;
        }
        char *copy = strdup(chosen);
        if (!copy)
            fail_memory(strlen(chosen), "a path");
        return copy;
    }
    const char *xdg = secure_getenv("XDG_CACHE_HOME");
    if (xdg && xdg[0] == '/') /* the XDG standard says to ignore a relative one */
        return file_join(xdg, "sepcl");
    const char *home = secure_getenv("HOME");
    if (home && home[0] == '/')
        return file_join(home, ".cache/sepcl");
    log_info("cache: none, as none of SEPCL_CACHE_DIR, XDG_CACHE_HOME and HOME is set");
    return NULL;
}

/* Is path a folder of this user that nobody else can write to? */
static bool folder_is_ours(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0 || !S_ISDIR(st.st_mode))
        log_info("cache: %s is not used: it is no folder", path);
    else if (st.st_uid != geteuid())
        log_info("cache: %s is not used: it belongs to user %ju, not to %ju", path, (uintmax_t)st.st_uid,
                 (uintmax_t)geteuid());
    else if (st.st_mode & (S_IWGRP | S_IWOTH))
        log_info("cache: %s is not used: others may write to it (mode %04o)", path, (unsigned)st.st_mode & 07777u);
    else if (access(path, R_OK | W_OK | X_OK) != 0)
        log_info("cache: %s is not used: it cannot be written to", path);
    else
        return true;
    return false;
}

char *cache_folder(const char *dir, const char *kind)
{
    char *base = cache_base(dir);
    char *folder = base ? file_join(base, kind) : NULL;
    bool  ok = false;
    if (folder) {
        if (file_make_folder(folder, 0700) != SEPCL_OK)
            log_info("cache: none: %s", error_sentence());
        else
            ok = folder_is_ours(base) && folder_is_ours(folder);
    }
    free(base);
    if (ok)
        return folder;
    free(folder);
    return NULL;
}

/* ---------------------------------------------------------------- entries */

static char *entry_path(const char *folder, const hash128 *key)
{
    char hex[HASH_TEXT], name[HASH_TEXT + 4];
    snprintf(name, sizeof name, "%s.bin", hash_hex(key, hex));
    return file_join(folder, name);
}

static hash128 checksum_of(const hash128 *key, const void *data, size_t size)
{
    hasher h;
    hash_begin(&h);
    hash_bytes(&h, key->byte, sizeof key->byte);
    hash_bytes(&h, data, size);
    return hash_end(&h);
}

/* Says what is wrong with an entry, NULL when nothing is. */
static const char *entry_fault(const entry_header *h, const uint8_t *file, size_t size, const hash128 *key)
{
    if (size < sizeof *h)
        return "it is shorter than its header";
    if (memcmp(h->magic, entry_magic, sizeof h->magic) != 0)
        return "it is no program of sepcl's";
    if (h->version != ENTRY_VERSION || h->order != ENTRY_ORDER)
        return "it is of another version or byte order";
    if (h->length != size - sizeof *h)
        return "its length is not what its header says";
    if (!hash_equal(&h->key, key))
        return "it holds another program";
    const hash128 sum = checksum_of(key, file + sizeof *h, size - sizeof *h);
    return hash_equal(&sum, &h->checksum) ? NULL : "its checksum is wrong";
}

/* The modification time is the time of last use, for cache_trim; once a day is enough. */
static void mark_used(const char *path)
{
    struct stat st;
    if (stat(path, &st) == 0 && time(NULL) - st.st_mtime > DAY)
        (void)utimensat(AT_FDCWD, path, NULL, 0);
}

static bool entry_read(const char *path, const hash128 *key, void **data, size_t *size)
{
    uint8_t     *file;
    size_t       bytes;
    entry_header h = {0};
    if (access(path, F_OK) != 0 && errno == ENOENT)
        return false;
    if (file_read(path, ENTRY_LIMIT, (void **)&file, &bytes) != SEPCL_OK) {
        log_info("cache: %s", error_sentence());
        return false;
    }
    memcpy(&h, file, bytes < sizeof h ? bytes : sizeof h);
    const char *fault = entry_fault(&h, file, bytes, key);
    if (fault) {
        log_info("cache: %s is not used: %s", path, fault);
        free(file);
        return false;
    }
    memmove(file, file + sizeof h, bytes - sizeof h);
    *data = file;
    *size = bytes - sizeof h;
    mark_used(path);
    return true;
}

bool cache_load(const char *folder, const hash128 *key, void **data, size_t *size)
{
    char *path = entry_path(folder, key);
    *data = NULL;
    *size = 0;
    const bool ok = path && entry_read(path, key, data, size);
    free(path);
    return ok;
}

status cache_store(const char *folder, const hash128 *key, const void *data, size_t size)
{
    entry_header h = {.version = ENTRY_VERSION, .order = ENTRY_ORDER, .length = size, .key = *key};
    size_t       bytes;
    if (size == 0 || !size_add(size, sizeof h, &bytes) || bytes > ENTRY_LIMIT)
        return fail(SEPCL_INVALID, "a binary of %zu bytes is not stored (limit %zu)", size, ENTRY_LIMIT);
    memcpy(h.magic, entry_magic, sizeof h.magic);
    h.checksum = checksum_of(key, data, size);
    uint8_t *file = malloc(bytes);
    char    *path = entry_path(folder, key);
    status   s = file && path ? SEPCL_OK : fail_memory(bytes, "a cache entry");
    if (s == SEPCL_OK) {
        memcpy(file, &h, sizeof h);
        memcpy(file + sizeof h, data, size);
        s = file_write(path, file, bytes, 0600);
    }
    free(file);
    free(path);
    return s;
}

void cache_drop(const char *folder, const hash128 *key)
{
    char *path = entry_path(folder, key);
    if (path)
        (void)unlink(path);
    free(path);
}

/* ---------------------------------------------------------------- keeping it small */

typedef struct old_entry {
    char     name[HASH_TEXT + 4];
    time_t   used;
    uint64_t bytes;
} old_entry;

static int by_age(const void *a, const void *b)
{
    const time_t x = ((const old_entry *)a)->used, y = ((const old_entry *)b)->used;
    return x < y ? -1 : x > y;
}

/* 32 hexadecimal digits, then end. Nothing else is ever removed. */
static bool is_named(const char *name, const char *end, size_t n)
{
    return strspn(name, "0123456789abcdef") == 32 && strncmp(name + 32, end, n) == 0;
}

static bool is_entry(const char *name)
{
    return is_named(name, ".bin", sizeof ".bin");
}

/* A temporary file that a crash left behind. */
static bool is_left_over(const char *name, const struct stat *st)
{
    return name[0] == '.' && is_named(name + 1, ".bin.", 5) && time(NULL) - st->st_mtime > DAY;
}

static old_entry *list_entries(DIR *d, int *n_out)
{
    old_entry     *list = NULL;
    int            n = 0, room = 0;
    struct dirent *e;
    while ((e = readdir(d))) {
        struct stat st;
        if (fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 || !S_ISREG(st.st_mode))
            continue;
        if (is_left_over(e->d_name, &st))
            (void)unlinkat(dirfd(d), e->d_name, 0);
        if (!is_entry(e->d_name))
            continue;
        if (n == room) {
            room = room ? 2 * room : 256;
            old_entry *more = realloc(list, (size_t)room * sizeof *more);
            if (!more)
                break;
            list = more;
        }
        list[n] = (old_entry){.used = st.st_mtime, .bytes = (uint64_t)st.st_size};
        memcpy(list[n++].name, e->d_name, 37);
    }
    *n_out = n;
    return list;
}

void cache_trim(const char *folder, uint64_t limit)
{
    DIR *d = opendir(folder);
    if (!d)
        return;
    int        n = 0, removed = 0;
    uint64_t   total = 0;
    old_entry *list = list_entries(d, &n);
    for (int i = 0; i < n; i++)
        total += list[i].bytes;
    if (total > limit) {
        qsort(list, (size_t)n, sizeof *list, by_age);
        for (; removed < n && total > limit / 2; removed++) { /* half, so that this is rare */
            (void)unlinkat(dirfd(d), list[removed].name, 0);
            total -= list[removed].bytes;
        }
        log_info("cache: %s: removed the %d entries of %d that were not used for longest", folder, removed, n);
    }
    free(list);
    closedir(d);
}
