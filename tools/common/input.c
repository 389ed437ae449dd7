/* SPDX-License-Identifier: Apache-2.0 */
#include "input.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "text.h"
#include "tool.h"

#define FIRST_BYTES 65536u

static sepcl_status too_large(const char *path, size_t limit)
{
    char text[TEXT_SMALL];
    return tool_fail(SEPCL_BAD_FILE, "%s is larger than the limit of %s", path, text_bytes(limit, text));
}

/* Room for one more byte than what is there, so that the end is seen before growing again. */
static sepcl_status grow(const char *path, size_t *capacity, size_t limit, input_file *f)
{
    size_t want = *capacity ? 2 * *capacity : FIRST_BYTES;
    if (want > limit + 2)
        want = limit + 2;
    uint8_t *bytes = realloc(f->bytes, want);
    if (!bytes) {
        char text[TEXT_SMALL];
        return tool_fail(SEPCL_OUT_OF_MEMORY, "%s: no memory for %s", path, text_bytes(want, text));
    }
    f->bytes = bytes;
    *capacity = want;
    return SEPCL_OK;
}

static sepcl_status read_all(int fd, const char *path, size_t limit, size_t capacity, input_file *f)
{
    for (;;) {
        if (f->size + 1 >= capacity) {
            if (f->size > limit)
                return too_large(path, limit);
            TRY(grow(path, &capacity, limit, f));
        }
        const ssize_t n = read(fd, f->bytes + f->size, capacity - 1 - f->size);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return tool_fail(SEPCL_BAD_FILE, "cannot read %s: %s", path, strerror(errno));
        if (n == 0)
            break;
        f->size += (size_t)n;
    }
    if (f->size > limit)
        return too_large(path, limit);
    f->bytes[f->size] = 0;
    return SEPCL_OK;
}

static sepcl_status open_and_read(int fd, const char *path, size_t limit, input_file *f)
{
    struct stat s;
    size_t      capacity = 0;
    if (fstat(fd, &s) != 0)
        return tool_fail(SEPCL_BAD_FILE, "cannot read %s: %s", path, strerror(errno));
    if (S_ISDIR(s.st_mode))
        return tool_fail(SEPCL_BAD_FILE, "cannot read %s: it is a folder", path);
    if (S_ISREG(s.st_mode) && s.st_size > 0) {
        if ((uintmax_t)s.st_size > limit)
            return too_large(path, limit);
        capacity = (size_t)s.st_size + 2;
        f->bytes = malloc(capacity);
        if (!f->bytes) {
            char text[TEXT_SMALL];
            return tool_fail(SEPCL_OUT_OF_MEMORY, "%s: no memory for %s", path, text_bytes(capacity, text));
        }
    }
    return read_all(fd, path, limit, capacity, f);
}

sepcl_status input_read(const char *path, size_t limit, input_file *out)
{
    *out = (input_file){0};
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tool_fail(SEPCL_BAD_FILE, "cannot read %s: %s", path, strerror(errno));
    const sepcl_status st = open_and_read(fd, path, limit, out);
    close(fd);
    if (st != SEPCL_OK)
        input_free(out);
    return st;
}

void input_free(input_file *f)
{
    free(f->bytes);
    *f = (input_file){0};
}
