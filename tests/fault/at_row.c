/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Preloaded into sepcl-batch (LD_PRELOAD): a signal when the journal has got its N-th record from this process, so that
 * no test has to guess how fast the program is.
 *
 *     SEPCL_AT_ROW="N SIGNAL"               to the process itself, which goes on when it bears it
 *     SEPCL_AT_ROW="N SIGNAL RANK FOLDER"   to another process of the same MPI job; the writing one then waits for MPI
 * to end it. FOLDER is where the ranks say who they are.
 */
#include <dlfcn.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define RECORD_BYTES 8
#define SEEN __attribute__((visibility("default")))

typedef ssize_t pwrite_fn(int fd, const void *bytes, size_t size, off_t at);

static struct {
    long rows;
    int  number, rank; /* rank -1: this process */
    char folder[3000];
} wish = {.rank = -1};

static void pid_file(int rank, char path[4096])
{
    snprintf(path, 4096, "%s/rank%d", wish.folder, rank);
}

__attribute__((constructor)) static void begin(void)
{
    const char *text = getenv("SEPCL_AT_ROW"), *rank = getenv("OMPI_COMM_WORLD_RANK");
    char        path[4096], whole[4096 + 8];
    if (!text || sscanf(text, "%ld %d %d %2999s", &wish.rows, &wish.number, &wish.rank, wish.folder) < 2 || !rank ||
        wish.rank < 0)
        return;
    pid_file(atoi(rank), path);
    snprintf(whole, sizeof whole, "%s.new", path);
    FILE *f = fopen(whole, "w");
    if (!f || fprintf(f, "%ld\n", (long)getpid()) < 0 || fclose(f) != 0 || rename(whole, path) != 0)
        abort();
}

static long pid_of(int rank)
{
    char path[4096];
    long pid = 0;
    pid_file(rank, path);
    for (FILE *f; !(f = fopen(path, "r")) || fscanf(f, "%ld", &pid) != 1; usleep(1000))
        if (f)
            fclose(f);
    return pid;
}

static void send(void)
{
    if (wish.rank < 0) {
        raise(wish.number);
        return;
    }
    kill((pid_t)pid_of(wish.rank), wish.number);
    for (;;)
        pause();
}

static int is_journal(int fd)
{
    char       link[64], name[4096];
    const char end[] = ".journal";
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    const ssize_t n = readlink(link, name, sizeof name);
    return n >= (ssize_t)strlen(end) && !memcmp(name + n - strlen(end), end, strlen(end));
}

static ssize_t write_and_count(const char *function, int fd, const void *bytes, size_t size, off_t at)
{
    static atomic_long done;
    pwrite_fn         *real;
    *(void **)&real = dlsym(RTLD_NEXT, function);
    const ssize_t n = real(fd, bytes, size, at);
    if (wish.rows > 0 && n == RECORD_BYTES && is_journal(fd) && atomic_fetch_add(&done, 1) + 1 == wish.rows)
        send();
    return n;
}

SEEN ssize_t pwrite(int fd, const void *bytes, size_t size, off_t at)
{
    return write_and_count("pwrite", fd, bytes, size, at);
}

SEEN ssize_t pwrite64(int fd, const void *bytes, size_t size, off_t at)
{
    return write_and_count("pwrite64", fd, bytes, size, at);
}
