/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sepcl-batch: several processes by MPI. All calls come from the main thread, and nothing waits inside MPI for long, as
 * MPI libraries wait by spinning and the cores have better to do: messages are looked for between other things.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "batch.h"
#include "common/tool.h"
#ifdef SEPCL_MPI
#include <mpi.h>
#endif

batch_ranks ranks = {.size = 1, .local_size = 1};

/* ---------------------------------------------------------------- before MPI: what launchers put into the environment
 */

/* The first of these variables that holds a number; -1: none does. */
static int from_environment(const char *const *names)
{
    for (; *names; names++) {
        const char *text = getenv(*names);
        if (text && *text >= '0' && *text <= '9')
            return atoi(text);
    }
    return -1;
}

static int launched(void)
{
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "SLURM_STEP_NUM_TASKS", NULL};
    return from_environment(sizes);
}

/* PoCL's cache does not bear several processes that compile the same kernels, so each rank of a machine has a folder.
 */
static void own_pocl_cache(int local_rank)
{
    const char *cache = getenv("POCL_CACHE_DIR"), *xdg = getenv("XDG_CACHE_HOME"), *home = getenv("HOME");
    char       *folder = cache         ? text_format("%s/rank%d", cache, local_rank)
                         : xdg && *xdg ? text_format("%s/pocl-rank%d", xdg, local_rank)
                                       : text_format("%s/.cache/pocl-rank%d", home ? home : "/tmp", local_rank);
    setenv("POCL_CACHE_DIR", folder, 1);
    free(folder);
}

void ranks_prepare(void)
{
    static const char *const local_ranks[] = {"OMPI_COMM_WORLD_LOCAL_RANK", "MPI_LOCALRANKID", "SLURM_LOCALID", NULL};
    static const char *const local_sizes[] = {"OMPI_COMM_WORLD_LOCAL_SIZE", "MPI_LOCALNRANKS", "SLURM_NTASKS_PER_NODE",
                                              NULL};
    if (launched() < 2)
        return;
    const int rank = from_environment(local_ranks), size = from_environment(local_sizes);
    ranks.local_rank = rank > 0 ? rank : 0;
    ranks.local_size = size > 0 ? size : 1;
    if (ranks.local_size < 2)
        return;
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    char       threads[32];
    snprintf(threads, sizeof(threads), "%ld", cores > ranks.local_size ? cores / ranks.local_size : 1);
    setenv("POCL_MAX_PTHREAD_COUNT", threads, 0);
    setenv("POCL_AFFINITY", "0", 0); /* it would pin all of them to the same cores */
    own_pocl_cache(ranks.local_rank);
}

#ifdef SEPCL_MPI

enum { TAG_WANT = 1, TAG_WORK, TAG_ROW };

/* Largest message: counts are int. */
#define MESSAGE_BYTES ((size_t)1 << 30)

/* MPI ends the program by itself on its own errors, which is its default and right here: a lost rank is a lost job. */
sepcl_status ranks_begin(int *argc, char ***argv)
{
    int provided;
    if (launched() < 1)
        return SEPCL_OK;
    MPI_Init_thread(argc, argv, MPI_THREAD_FUNNELED, &provided);
    MPI_Comm_rank(MPI_COMM_WORLD, &ranks.rank);
    MPI_Comm_size(MPI_COMM_WORLD, &ranks.size);
    return provided >= MPI_THREAD_FUNNELED ? SEPCL_OK
                                           : tool_fail(SEPCL_UNSUPPORTED, "this MPI library does not bear threads");
}

static bool active(void)
{
    int begun = 0, ended = 0;
    MPI_Initialized(&begun);
    MPI_Finalized(&ended);
    return begun && !ended;
}

void ranks_end(void)
{
    if (active())
        MPI_Finalize();
}

void ranks_abort(int code)
{
    if (active() && ranks.size > 1)
        MPI_Abort(MPI_COMM_WORLD, code);
}

/* Without spinning: others may wait for long while rank 0 reads a folder. */
static void share(void *bytes, int n)
{
    MPI_Request request;
    int         done = 0;
    MPI_Ibcast(bytes, n, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    for (MPI_Test(&request, &done, MPI_STATUS_IGNORE); !done; MPI_Test(&request, &done, MPI_STATUS_IGNORE))
        usleep(1000);
}

sepcl_status ranks_share(char **bytes, size_t *size)
{
    uint64_t n = *size;
    if (ranks.size < 2)
        return SEPCL_OK;
    share(&n, sizeof(n));
    *size = n;
    if (ranks.rank > 0)
        *bytes = need(malloc((size_t)n + 1));
    for (size_t at = 0; at < n; at += MESSAGE_BYTES)
        share(*bytes + at, (int)(n - at < MESSAGE_BYTES ? n - at : MESSAGE_BYTES));
    return SEPCL_OK;
}

/* Length of a message that waits; -1: none does. */
static int waiting(int from, int tag, int *from_out)
{
    MPI_Status status;
    int        here = 0, n = 0;
    MPI_Iprobe(from, tag, MPI_COMM_WORLD, &here, &status);
    if (!here)
        return -1;
    MPI_Get_count(&status, MPI_BYTE, &n);
    *from_out = status.MPI_SOURCE;
    return n;
}

void ranks_want(int n)
{
    MPI_Send(&n, sizeof(n), MPI_BYTE, 0, TAG_WANT, MPI_COMM_WORLD);
}

bool ranks_work(int64_t *items, int most, int *n_out)
{
    int       from;
    const int bytes = waiting(0, TAG_WORK, &from);
    if (bytes < 0)
        return false;
    MPI_Recv(items, (int)((size_t)most * sizeof(*items)), MPI_BYTE, 0, TAG_WORK, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    *n_out = (int)((size_t)bytes / sizeof(*items));
    return true;
}

void ranks_send(const ranks_row *row, const void *bytes)
{
    char *message = need(malloc(sizeof(*row) + row->bytes));
    memcpy(message, row, sizeof(*row));
    memcpy(message + sizeof(*row), bytes, row->bytes);
    MPI_Send(message, (int)(sizeof(*row) + row->bytes), MPI_BYTE, 0, TAG_ROW, MPI_COMM_WORLD);
    free(message);
}

bool ranks_wanted(int *rank_out, int *n_out)
{
    if (ranks.size < 2 || waiting(MPI_ANY_SOURCE, TAG_WANT, rank_out) < 0)
        return false;
    MPI_Recv(n_out, sizeof(*n_out), MPI_BYTE, *rank_out, TAG_WANT, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    return true;
}

void ranks_give(int rank, const int64_t *items, int n)
{
    MPI_Send(items, (int)((size_t)n * sizeof(*items)), MPI_BYTE, rank, TAG_WORK, MPI_COMM_WORLD);
}

char *ranks_receive(void)
{
    int       from;
    const int bytes = ranks.size > 1 ? waiting(MPI_ANY_SOURCE, TAG_ROW, &from) : -1;
    if (bytes < (int)sizeof(ranks_row))
        return NULL;
    char *message = need(malloc((size_t)bytes + 1));
    MPI_Recv(message, bytes, MPI_BYTE, from, TAG_ROW, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    message[bytes] = 0; /* a reason is a text */
    return message;
}

#else

sepcl_status ranks_begin(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    return launched() < 2 ? SEPCL_OK
                          : tool_fail(SEPCL_UNSUPPORTED,
                                      "this build of sepcl-batch knows no MPI, so each of the %d processes "
                                      "would do all the work; build with SEPCL_MPI=ON",
                                      launched());
}

/* With one process there is nobody to talk to. */
void ranks_end(void)
{
}

void ranks_abort(int code)
{
    (void)code;
}

sepcl_status ranks_share(char **bytes, size_t *size)
{
    (void)bytes;
    (void)size;
    return SEPCL_OK;
}

void ranks_want(int n)
{
    (void)n;
}

bool ranks_work(int64_t *items, int most, int *n_out)
{
    (void)items;
    (void)most;
    *n_out = 0;
    return true;
}

void ranks_send(const ranks_row *row, const void *bytes)
{
    (void)row;
    (void)bytes;
}

bool ranks_wanted(int *rank_out, int *n_out)
{
    (void)rank_out;
    (void)n_out;
    return false;
}

void ranks_give(int rank, const int64_t *items, int n)
{
    (void)rank;
    (void)items;
    (void)n;
}

char *ranks_receive(void)
{
    return NULL;
}

#endif
