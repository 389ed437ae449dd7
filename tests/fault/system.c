/* SPDX-License-Identifier: Apache-2.0 */
/* The wrapped calls. __real_NAME is the linker's name for the call itself. */
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/status.h"
#include "ways.h"

static const char *const names[] = {
#define SYS(name) #name,
#include "system.inc"
#undef SYS
    "?", "memory"};

static atomic_long counts[SYS_CALLS + 2], failed, live_blocks, live_bytes, most_bytes, clock_shift;
static atomic_int  armed = SYS_CALLS; /* none */
static long        at;
static int         error_number;
static bool        stay;
static ways            memory_ways;
static pthread_mutex_t ways_lock = PTHREAD_MUTEX_INITIALIZER;

/* ---------------------------------------------------------------- steering */

static void start_anew(void)
{
    for (int i = 0; i < SYS_CALLS + 2; i++)
        counts[i] = 0;
    failed = 0;
    armed = SYS_CALLS;
}

void sys_arm(sys_call what, long n, int error, bool stuck)
{
    start_anew();
    at = n;
    error_number = error;
    stay = stuck;
    armed = (int)what;
}

void sys_clear(void)
{
    start_anew();
    clock_shift = 0;
}

void sys_note_ways(int depth)
{
    ways_turn(&memory_ways, depth);
}

long sys_new_ways(const long **numbers)
{
    *numbers = memory_ways.fresh;
    return memory_ways.n;
}

long sys_count(sys_call what)
{
    return counts[what];
}

long sys_failed(void)
{
    return failed;
}

const char *sys_name(sys_call what)
{
    return names[what];
}

long sys_live_blocks(void)
{
    return live_blocks;
}

long sys_live_bytes(void)
{
    return live_bytes;
}

void sys_mark_most(void)
{
    most_bytes = (long)live_bytes;
}

long sys_most_bytes(void)
{
    return most_bytes;
}

DIR *__real_opendir(const char *path);

int sys_open_files(void)
{
    DIR *d = __real_opendir("/proc/self/fd");
    int  n = 0;
    while (d && readdir(d))
        n++;
    if (d)
        closedir(d);
    return n;
}

void sys_shift_clock(long seconds)
{
    clock_shift = seconds;
}

static bool is_memory(sys_call c)
{
    return c <= SYS_arena_grow;
}

/* Counts a call; true, with errno set, when it is to fail. */
static bool fails(sys_call c)
{
    const sys_call what = (sys_call)armed;
    const long     one = ++counts[c];
    const long     all = is_memory(c) ? ++counts[SYS_MEMORY] : 0;
    if (memory_ways.depth && is_memory(c)) {
        pthread_mutex_lock(&ways_lock);
        ways_note(&memory_ways, all);
        pthread_mutex_unlock(&ways_lock);
    }
    const long     n = what == SYS_MEMORY && is_memory(c) ? all : what == c ? one : 0;
    if (n == 0 || n < at || (n > at && !stay))
        return false;
    failed++;
    errno = error_number;
    return true;
}

/* ---------------------------------------------------------------- memory */

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
int   __real_posix_memalign(void **to, size_t align, size_t n);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
void  __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
int   __wrap_posix_memalign(void **to, size_t align, size_t n);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
void  __wrap_free(void *p);

static void note_most(long bytes)
{
    long most = most_bytes;
    while (bytes > most && !atomic_compare_exchange_weak(&most_bytes, &most, bytes))
        ;
}

static void *counted(void *p)
{
    if (p) {
        live_blocks++;
        note_most(live_bytes += (long)malloc_usable_size(p));
    }
    return p;
}

void *sys_allocate(size_t n)
{
    return counted(__real_malloc(n));
}

void *__wrap_malloc(size_t n)
{
    return fails(SYS_malloc) ? NULL : counted(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(SYS_calloc) ? NULL : counted(__real_calloc(n, size));
}

void *__wrap_realloc(void *p, size_t n)
{
    if (fails(SYS_realloc))
        return NULL;
    const long before = p ? (long)malloc_usable_size(p) : 0;
    void      *moved = __real_realloc(p, n);
    if (moved) {
        const long now = (long)malloc_usable_size(moved);
        note_most(live_bytes + now - (moved == p ? before : 0)); /* elsewhere: both may have been there at once */
        live_blocks += p == NULL;
        live_bytes += now - before;
    }
    return moved;
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return fails(SYS_aligned_alloc) ? NULL : counted(__real_aligned_alloc(align, n));
}

int __wrap_posix_memalign(void **to, size_t align, size_t n)
{
    if (fails(SYS_posix_memalign))
        return error_number;
    const int e = __real_posix_memalign(to, align, n);
    if (e == 0)
        (void)counted(*to);
    return e;
}

char *__wrap_strdup(const char *s)
{
    return fails(SYS_strdup) ? NULL : counted(__real_strdup(s));
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails(SYS_strndup) ? NULL : counted(__real_strndup(s, n));
}

void __wrap_free(void *p)
{
    if (p) {
        live_blocks--;
        live_bytes -= (long)malloc_usable_size(p);
    }
    __real_free(p);
}

/* ---------------------------------------------------------------- arenas: a block holds thousands of pieces, so that a
   failing malloc alone would meet few of the places where an arena can be out */

void *__real_arena_alloc(arena *a, size_t size);
void *__real_arena_array(arena *a, size_t count, size_t size);
char *__real_arena_strdup(arena *a, const char *text);
char *__real_arena_strndup(arena *a, const char *text, size_t length);
void *__real_arena_grow(arena *a, void *array, int *capacity, int need, size_t size);
void *__wrap_arena_alloc(arena *a, size_t size);
void *__wrap_arena_array(arena *a, size_t count, size_t size);
char *__wrap_arena_strdup(arena *a, const char *text);
char *__wrap_arena_strndup(arena *a, const char *text, size_t length);
char *__wrap_arena_printf(arena *a, const char *format, ...);
void *__wrap_arena_grow(arena *a, void *array, int *capacity, int need, size_t size);

/* As arena.c does when it gets no block. */
static bool arena_fails(sys_call c)
{
    if (!fails(c))
        return false;
    fail_memory(0, "a host arena");
    return true;
}

void *__wrap_arena_alloc(arena *a, size_t size)
{
    return arena_fails(SYS_arena_alloc) ? NULL : __real_arena_alloc(a, size);
}

void *__wrap_arena_array(arena *a, size_t count, size_t size)
{
    return arena_fails(SYS_arena_array) ? NULL : __real_arena_array(a, count, size);
}

char *__wrap_arena_strdup(arena *a, const char *text)
{
    return arena_fails(SYS_arena_strdup) ? NULL : __real_arena_strdup(a, text);
}

char *__wrap_arena_strndup(arena *a, const char *text, size_t length)
{
    return arena_fails(SYS_arena_strndup) ? NULL : __real_arena_strndup(a, text, length);
}

char *__wrap_arena_printf(arena *a, const char *format, ...)
{
    va_list list;
    if (arena_fails(SYS_arena_printf))
        return NULL;
    va_start(list, format);
    const int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *p = n < 0 ? NULL : __real_arena_alloc(a, (size_t)n + 1);
    va_start(list, format);
    if (p)
        vsnprintf(p, (size_t)n + 1, format, list);
    va_end(list);
    return p;
}

void *__wrap_arena_grow(arena *a, void *array, int *capacity, int need, size_t size)
{
    return need > *capacity && arena_fails(SYS_arena_grow) ? NULL : __real_arena_grow(a, array, capacity, need, size);
}

/* ---------------------------------------------------------------- files */

int     __real_open(const char *path, int flags, ...);
int     __real_openat(int folder, const char *path, int flags, ...);
int     __real_close(int fd);
ssize_t __real_read(int fd, void *to, size_t n);
ssize_t __real_write(int fd, const void *from, size_t n);
int     __real_rename(const char *from, const char *to);
int     __real_fsync(int fd);
void   *__real_mmap(void *p, size_t n, int protection, int flags, int fd, off_t offset);
int     __real_fstat(int fd, struct stat *st);
int     __real_stat(const char *path, struct stat *st);
int     __real_access(const char *path, int mode);
int     __real_mkdir(const char *path, mode_t mode);
int     __real_unlink(const char *path);
int     __real_flock(int fd, int what);
int     __real_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
time_t  __real_time(time_t *to);
int     __wrap_open(const char *path, int flags, ...);
int     __wrap_openat(int folder, const char *path, int flags, ...);
int     __wrap_close(int fd);
ssize_t __wrap_read(int fd, void *to, size_t n);
ssize_t __wrap_write(int fd, const void *from, size_t n);
int     __wrap_rename(const char *from, const char *to);
int     __wrap_fsync(int fd);
void   *__wrap_mmap(void *p, size_t n, int protection, int flags, int fd, off_t offset);
int     __wrap_fstat(int fd, struct stat *st);
int     __wrap_stat(const char *path, struct stat *st);
int     __wrap_access(const char *path, int mode);
int     __wrap_mkdir(const char *path, mode_t mode);
DIR    *__wrap_opendir(const char *path);
int     __wrap_unlink(const char *path);
int     __wrap_flock(int fd, int what);
int     __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg);
time_t  __wrap_time(time_t *to);

static mode_t mode_of(int flags, va_list list)
{
    return flags & O_CREAT ? va_arg(list, mode_t) : 0;
}

int __wrap_open(const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    const mode_t mode = mode_of(flags, list);
    va_end(list);
    return fails(SYS_open) ? -1 : __real_open(path, flags, mode);
}

int __wrap_openat(int folder, const char *path, int flags, ...)
{
    va_list list;
    va_start(list, flags);
    const mode_t mode = mode_of(flags, list);
    va_end(list);
    return fails(SYS_openat) ? -1 : __real_openat(folder, path, flags, mode);
}

/* The descriptor is gone even when closing reports a failure. */
int __wrap_close(int fd)
{
    const bool bad = fails(SYS_close);
    const int  code = errno, r = __real_close(fd);
    errno = bad ? code : errno;
    return bad ? -1 : r;
}

ssize_t __wrap_read(int fd, void *to, size_t n)
{
    if (!fails(SYS_read))
        return __real_read(fd, to, n);
    return error_number == SYS_SHORT ? __real_read(fd, to, (n + 1) / 2) : -1;
}

ssize_t __wrap_write(int fd, const void *from, size_t n)
{
    if (!fails(SYS_write))
        return __real_write(fd, from, n);
    return error_number == SYS_SHORT ? __real_write(fd, from, (n + 1) / 2) : -1;
}

int __wrap_rename(const char *from, const char *to)
{
    return fails(SYS_rename) ? -1 : __real_rename(from, to);
}

int __wrap_fsync(int fd)
{
    return fails(SYS_fsync) ? -1 : __real_fsync(fd);
}

void *__wrap_mmap(void *p, size_t n, int protection, int flags, int fd, off_t offset)
{
    return fails(SYS_mmap) ? MAP_FAILED : __real_mmap(p, n, protection, flags, fd, offset);
}

int __wrap_fstat(int fd, struct stat *st)
{
    return fails(SYS_fstat) ? -1 : __real_fstat(fd, st);
}

int __wrap_stat(const char *path, struct stat *st)
{
    return fails(SYS_stat) ? -1 : __real_stat(path, st);
}

int __wrap_access(const char *path, int mode)
{
    return fails(SYS_access) ? -1 : __real_access(path, mode);
}

int __wrap_mkdir(const char *path, mode_t mode)
{
    return fails(SYS_mkdir) ? -1 : __real_mkdir(path, mode);
}

DIR *__wrap_opendir(const char *path)
{
    return fails(SYS_opendir) ? NULL : __real_opendir(path);
}

int __wrap_unlink(const char *path)
{
    return fails(SYS_unlink) ? -1 : __real_unlink(path);
}

int __wrap_flock(int fd, int what)
{
    return fails(SYS_flock) ? -1 : __real_flock(fd, what);
}

/* ---------------------------------------------------------------- threads and the clock */

int __wrap_pthread_create(pthread_t *t, const pthread_attr_t *attr, void *(*fn)(void *), void *arg)
{
    return fails(SYS_pthread_create) ? error_number : __real_pthread_create(t, attr, fn, arg);
}

time_t __wrap_time(time_t *to)
{
    const time_t t = __real_time(NULL) + clock_shift;
    if (to)
        *to = t;
    return t;
}
