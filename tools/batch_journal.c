/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sepcl-batch: output files that fill row by row, and the journal that says which rows are there.
 *
 * The rows of FILE are in FILE.part until all are there. The journal of all outputs is the first one's FILE.journal: a
 * header, then a record for each item, written after the item's rows. A record holds a checksum of the rows, so that
 * after a crash of the machine, where the system may have kept the record and lost the rows, such rows are computed
 * again.
 */
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "common/npy.h"
#include "common/tool.h"

typedef struct journal_header {
    char     magic[8];
    uint64_t identity;
    int64_t  n_items;
    int64_t  reserved;
} journal_header;

static const char journal_magic[8] = {'s', 'e', 'p', 'c', 'l', 'j', '0', '1'};

/* ---------------------------------------------------------------- bytes */

static bool write_at(int fd, const void *bytes, size_t size, uint64_t at)
{
    while (size > 0) {
        const ssize_t n = pwrite(fd, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = (const char *)bytes + n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return true;
}

static bool read_at(int fd, void *bytes, size_t size, uint64_t at)
{
    while (size > 0) {
        const ssize_t n = pread(fd, bytes, size, (off_t)at);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return false;
        bytes = (char *)bytes + n;
        size -= (size_t)n;
        at += (uint64_t)n;
    }
    return true;
}

static sepcl_status cannot(const char *what, const char *file)
{
    return tool_fail(SEPCL_BAD_FILE, "cannot %s %s: %s", what, file, strerror(errno));
}

static uint32_t fold(uint64_t hash)
{
    return (uint32_t)(hash ^ hash >> 32);
}

static uint64_t record_at(int64_t item)
{
    return sizeof(journal_header) + (uint64_t)item * sizeof(batch_record);
}

static uint64_t row_at(const batch_output *o, int64_t item)
{
    return o->begin + (uint64_t)item * o->row_bytes;
}

/* ---------------------------------------------------------------- output files */

static bool exists(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0;
}

/* Header and room: what the disk cannot hold is told at once, where the file system can tell. */
static sepcl_status make_part(batch_output *o, int64_t n_items)
{
    char        header[NPY_HEADER];
    sepcl_shape shape = {.rank = o->row.rank + 1, .dims = {n_items}};
    uint64_t    rows;
    memcpy(shape.dims + 1, o->row.dims, (size_t)o->row.rank * sizeof(int64_t));
    o->begin = npy_header(&shape, header);
    if (__builtin_mul_overflow((uint64_t)n_items, (uint64_t)o->row_bytes, &rows) || rows > (uint64_t)INT64_MAX / 2)
        return tool_fail(SEPCL_INVALID, "%s would have %lld rows of %zu bytes, which is over the limit of a file",
                         o->file, (long long)n_items, o->row_bytes);
    o->fd = open(o->part, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (o->fd < 0)
        return cannot("write", o->part);
    const int error = posix_fallocate(o->fd, 0, (off_t)(o->begin + rows));
    if (error == ENOSPC || error == EFBIG)
        return tool_fail(SEPCL_BAD_FILE, "cannot write %s: %s (%llu bytes are needed)", o->part, strerror(error),
                         (unsigned long long)(o->begin + rows));
    if (!write_at(o->fd, header, o->begin, 0) || ftruncate(o->fd, (off_t)(o->begin + rows)) != 0)
        return cannot("write", o->part);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- going on with what is there */

/* Are the rows of a done item those that the record was written for? */
static bool rows_are_there(const batch_journal *j, int64_t item, char *row)
{
    uint64_t hash = BATCH_HASH_START;
    for (int i = 0; i < j->n_outputs; i++) {
        const batch_output *o = &j->outputs[i];
        if (!read_at(o->fd, row, o->row_bytes, row_at(o, item)))
            return false;
        hash = batch_hash(hash, row, o->row_bytes);
    }
    return fold(hash) == j->records[item].check;
}

static size_t longest_row(const batch_journal *j)
{
    size_t most = 0;
    for (int i = 0; i < j->n_outputs; i++)
        most = j->outputs[i].row_bytes > most ? j->outputs[i].row_bytes : most;
    return most;
}

/* A bad item is tried again: its file may have been mended. */
static sepcl_status read_records(batch_journal *j)
{
    char   *row = need(malloc(longest_row(j)));
    int64_t lost = 0;
    if (!read_at(j->fd, j->records, (size_t)j->n_items * sizeof(*j->records), record_at(0)))
        memset(j->records, 0, (size_t)j->n_items * sizeof(*j->records));
    for (int64_t i = 0; i < j->n_items; i++) {
        const bool done = j->records[i].mark == MARK_DONE && rows_are_there(j, i, row);
        lost += j->records[i].mark == MARK_DONE && !done;
        if (!done)
            j->records[i] = (batch_record){0};
        j->done += done;
    }
    free(row);
    j->found = j->done;
    if (lost > 0)
        tool_warn("%lld rows of the earlier run are damaged and are computed again", (long long)lost);
    return SEPCL_OK;
}

static sepcl_status check_header(const batch_journal *j, const journal_header *h, uint64_t identity)
{
    if (memcmp(h->magic, journal_magic, sizeof(h->magic)) != 0)
        return tool_fail(SEPCL_BAD_FILE, "%s is no journal of sepcl-batch", j->file);
    if (h->identity != identity || h->n_items != j->n_items)
        return tool_fail(
            SEPCL_INVALID,
            "%s belongs to a run with another model, other inputs or other options (%lld items, now %lld); "
            "remove it to begin anew",
            j->file, (long long)h->n_items, (long long)j->n_items);
    return SEPCL_OK;
}

/* A run that was killed while its files got their names has some of them already. */
static void take_back(const batch_journal *j)
{
    for (int i = 0; i < j->n_outputs; i++)
        if (!exists(j->outputs[i].part) && exists(j->outputs[i].file))
            (void)rename(j->outputs[i].file, j->outputs[i].part);
}

static sepcl_status go_on(batch_journal *j, uint64_t identity)
{
    journal_header h;
    if (!read_at(j->fd, &h, sizeof(h), 0))
        return tool_fail(SEPCL_BAD_FILE, "%s is no journal of sepcl-batch", j->file);
    TRY(check_header(j, &h, identity));
    take_back(j);
    for (int i = 0; i < j->n_outputs; i++)
        TRY(make_part(&j->outputs[i], j->n_items));
    return read_records(j);
}

static sepcl_status begin(batch_journal *j, uint64_t identity)
{
    journal_header h = {.identity = identity, .n_items = j->n_items};
    memcpy(h.magic, journal_magic, sizeof(h.magic));
    for (int i = 0; i < j->n_outputs; i++) {
        unlink(j->outputs[i].part);
        TRY(make_part(&j->outputs[i], j->n_items));
    }
    if (ftruncate(j->fd, (off_t)record_at(j->n_items)) != 0 || !write_at(j->fd, &h, sizeof(h), 0))
        return cannot("write", j->file);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- all */

static sepcl_status open_file(batch_journal *j, bool *is_new)
{
    struct stat s;
    j->fd = open(j->file, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (j->fd < 0 || fstat(j->fd, &s) != 0)
        return cannot("write", j->file);
    if (flock(j->fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return tool_fail(SEPCL_INVALID, "%s is being written by another sepcl-batch", j->outputs[0].file);
    *is_new = s.st_size == 0;
    if (!*is_new && !batch_set.resume)
        return tool_fail(SEPCL_INVALID, "%s is of a run that did not end: go on with it by --resume, or remove it",
                         j->file);
    return SEPCL_OK;
}

sepcl_status batch_journal_open(batch_journal *j, batch_output *outputs, int n_outputs, int64_t n_items,
                                uint64_t identity)
{
    bool is_new;
    *j = (batch_journal){.fd = -1, .outputs = outputs, .n_outputs = n_outputs, .n_items = n_items};
    j->file = text_format("%s.journal", outputs[0].file);
    for (int i = 0; i < n_outputs; i++)
        outputs[i].part = text_format("%s.part", outputs[i].file);
    j->records = calloc((size_t)n_items, sizeof(*j->records));
    j->nan_row = malloc(longest_row(j));
    if (!j->records || !j->nan_row)
        return tool_fail(SEPCL_OUT_OF_MEMORY, "no memory for %lld items", (long long)n_items);
    for (size_t i = 0; i < longest_row(j) / sizeof(float); i++)
        j->nan_row[i] = NAN;
    TRY(open_file(j, &is_new));
    return is_new ? begin(j, identity) : go_on(j, identity);
}

sepcl_status batch_journal_put(batch_journal *j, int64_t item, const float *const *rows)
{
    uint64_t hash = BATCH_HASH_START;
    if (item < 0 || item >= j->n_items || j->records[item].mark != MARK_TODO)
        return tool_fail(SEPCL_INVALID, "row %lld was computed twice", (long long)item);
    for (int i = 0; i < j->n_outputs; i++) {
        const batch_output *o = &j->outputs[i];
        const float        *row = rows ? rows[i] : j->nan_row;
        if (!write_at(o->fd, row, o->row_bytes, row_at(o, item)))
            return cannot("write", o->part);
        hash = batch_hash(hash, row, o->row_bytes);
    }
    j->records[item] = (batch_record){rows ? MARK_DONE : MARK_BAD, fold(hash)};
    if (!write_at(j->fd, &j->records[item], sizeof(batch_record), record_at(item)))
        return cannot("write", j->file);
    j->done += rows != NULL;
    j->bad += rows == NULL;
    return SEPCL_OK;
}

sepcl_status batch_journal_finish(batch_journal *j)
{
    for (int i = 0; i < j->n_outputs; i++)
        if (rename(j->outputs[i].part, j->outputs[i].file) != 0)
            return cannot("write", j->outputs[i].file);
    if (unlink(j->file) != 0)
        return cannot("remove", j->file);
    return SEPCL_OK;
}

void batch_journal_close(batch_journal *j)
{
    for (int i = 0; i < j->n_outputs; i++) {
        if (j->outputs[i].fd > 0)
            close(j->outputs[i].fd);
        free(j->outputs[i].part);
    }
    if (j->file && j->fd >= 0)
        close(j->fd);
    free(j->file);
    free(j->records);
    free(j->nan_row);
    *j = (batch_journal){0};
}
