/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-batch: the items of an input. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "common/input.h"
#include "common/tool.h"

#define LIST_BYTES ((size_t)1 << 30)
#define DEEPEST 32

uint64_t batch_hash(uint64_t hash, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ ((const uint8_t *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

static batch_source *add(batch_list *l, const char *name, bool is_stack)
{
    if (l->n_sources == l->room) {
        l->room = l->room ? 2 * l->room : 256;
        l->sources = need(realloc(l->sources, (size_t)l->room * sizeof(*l->sources)));
    }
    batch_source *s = &l->sources[l->n_sources++];
    *s = (batch_source){.name = need(strdup(name)), .is_stack = is_stack, .first = l->n_items, .count = 1};
    l->identity = batch_hash(l->identity, name, strlen(name) + 1);
    l->n_items++;
    return s;
}

/* ---------------------------------------------------------------- stacks */

static sepcl_status map_file(batch_source *s, int fd, uint64_t *identity)
{
    struct stat status;
    if (fstat(fd, &status) != 0)
        return tool_fail(SEPCL_BAD_FILE, "cannot read %s: %s", s->name, strerror(errno));
    if (status.st_size <= 0)
        return tool_fail(SEPCL_BAD_FILE, "%s is empty", s->name);
    s->size = (size_t)status.st_size;
    s->map = mmap(NULL, s->size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (s->map == MAP_FAILED) {
        s->map = NULL;
        return tool_fail(SEPCL_BAD_FILE, "cannot map %s: %s", s->name, strerror(errno));
    }
    const int64_t facts[] = {status.st_size, status.st_mtim.tv_sec, status.st_mtim.tv_nsec};
    *identity = batch_hash(*identity, facts, sizeof(facts));
    return SEPCL_OK;
}

static sepcl_status add_stack(batch_list *l, const char *name)
{
    batch_source *s = add(l, name, true);
    const int     fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tool_fail(SEPCL_BAD_FILE, "cannot read %s: %s", name, strerror(errno));
    const sepcl_status st = map_file(s, fd, &l->identity);
    close(fd);
    TRY(st);
    TRY(npy_look(s->map, s->size, name, &s->view));
    if (s->view.shape.rank < 1)
        return tool_fail(SEPCL_BAD_FILE, "%s is a single number, not a stack", name);
    s->count = s->view.shape.dims[0];
    l->n_items += s->count - 1;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- folders */

static bool has_picture_name(const char *name)
{
    static const char *const endings[] = {".png", ".jpg", ".jpeg"};
    const char              *dot = strrchr(name, '.');
    for (size_t i = 0; dot && i < sizeof(endings) / sizeof(*endings); i++)
        if (!strcasecmp(dot, endings[i]))
            return true;
    return false;
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static bool is_folder(const char *path)
{
    struct stat s;
    return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

/* The pictures of a folder in the order of their names, and with --recursive those of its folders in their places. */
static sepcl_status add_folder(batch_list *l, const char *folder, int depth)
{
    struct dirent **entries;
    const int       n = scandir(folder, &entries, NULL, by_bytes);
    sepcl_status    st = SEPCL_OK;
    if (n < 0)
        return tool_fail(SEPCL_BAD_FILE, "cannot read the folder %s: %s", folder, strerror(errno));
    for (int i = 0; i < n; i++) {
        const char *name = entries[i]->d_name;
        char       *path = text_format("%s%s%s", folder, folder[strlen(folder) - 1] == '/' ? "" : "/", name);
        if (name[0] == '.')
            ;
        else if (has_picture_name(name) && !is_folder(path))
            add(l, path, false);
        else if (batch_set.recursive && st == SEPCL_OK && is_folder(path))
            st = depth < DEEPEST ? add_folder(l, path, depth + 1)
                                 : tool_fail(SEPCL_BAD_FILE, "%s lies more than %d folders deep", path, DEEPEST);
        free(path);
        free(entries[i]);
    }
    free(entries);
    return st;
}

/* ---------------------------------------------------------------- lists, and what an argument is */

static sepcl_status first_bytes(const char *name, uint8_t bytes[16], size_t *n_out)
{
    const int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return tool_fail(SEPCL_BAD_FILE, "cannot read %s: %s", name, strerror(errno));
    const ssize_t n = read(fd, bytes, 16);
    const int     error = errno;
    close(fd);
    *n_out = n > 0 ? (size_t)n : 0;
    return n >= 0 ? SEPCL_OK : tool_fail(SEPCL_BAD_FILE, "cannot read %s: %s", name, strerror(error));
}

/* A line of a list is a picture, whatever it holds: bad ones are found when they are read. */
static sepcl_status add_list(batch_list *l, const char *name)
{
    input_file f;
    TRY(input_read(strcmp(name, "-") ? name : "/dev/stdin", LIST_BYTES, &f));
    const bool text = !memchr(f.bytes, 0, f.size);
    for (char *at = (char *)f.bytes; text && *at;) {
        const size_t length = strcspn(at, "\n");
        const bool   more = at[length] == '\n';
        at[length] = 0;
        if (length > 0 && at[length - 1] == '\r')
            at[length - 1] = 0;
        if (*at)
            add(l, at, false);
        at += length + more;
    }
    input_free(&f);
    return text ? SEPCL_OK
                : tool_fail(SEPCL_BAD_FILE, "%s is neither a folder, a .npy file, a picture nor a list of pictures",
                            name);
}

static sepcl_status add_argument(batch_list *l, const char *name)
{
    uint8_t bytes[16];
    size_t  n = 0;
    if (!strcmp(name, "-"))
        return add_list(l, name);
    if (is_folder(name)) {
        const int64_t before = l->n_items;
        TRY(add_folder(l, name, 0));
        return l->n_items > before ? SEPCL_OK
                                   : tool_fail(SEPCL_BAD_FILE, "%s holds no PNG or JPEG pictures%s", name,
                                               batch_set.recursive ? "" : "; --recursive looks into its folders, too");
    }
    TRY(first_bytes(name, bytes, &n));
    if (npy_is(bytes, n))
        return add_stack(l, name);
    if (picture_kind(bytes, n) || has_picture_name(name)) {
        add(l, name, false);
        return SEPCL_OK;
    }
    return add_list(l, name);
}

sepcl_status batch_list_read(const char *const *args, int n, batch_list *out)
{
    *out = (batch_list){.identity = BATCH_HASH_START};
    for (int i = 0; i < n; i++)
        TRY(add_argument(out, args[i]));
    return out->n_items > 0 ? SEPCL_OK : tool_fail(SEPCL_BAD_FILE, "the input is empty");
}

void batch_list_free(batch_list *l)
{
    for (int64_t i = 0; i < l->n_sources; i++) {
        if (l->sources[i].map)
            munmap(l->sources[i].map, l->sources[i].size);
        free(l->sources[i].name);
    }
    free(l->sources);
    *l = (batch_list){0};
}

/* ---------------------------------------------------------------- for other processes */

char *batch_list_pack(const batch_list *l, size_t *size_out)
{
    size_t size = 0, at = 0;
    for (int64_t i = 0; i < l->n_sources; i++)
        size += strlen(l->sources[i].name) + 2;
    char *bytes = need(malloc(size + 1));
    for (int64_t i = 0; i < l->n_sources; i++) {
        const size_t length = strlen(l->sources[i].name) + 1;
        bytes[at] = l->sources[i].is_stack ? 'S' : 'P';
        memcpy(bytes + at + 1, l->sources[i].name, length);
        at += length + 1;
    }
    *size_out = size;
    return bytes;
}

sepcl_status batch_list_unpack(const char *bytes, size_t size, batch_list *out)
{
    *out = (batch_list){.identity = BATCH_HASH_START};
    for (size_t at = 0; at < size; at += strlen(bytes + at) + 1)
        if (bytes[at] == 'S')
            TRY(add_stack(out, bytes + at + 1));
        else
            add(out, bytes + at + 1, false);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- items */

const batch_source *batch_list_find(const batch_list *l, int64_t item, int64_t *row_out)
{
    int64_t low = 0, high = l->n_sources - 1;
    while (low < high) {
        const int64_t middle = low + (high - low + 1) / 2;
        if (l->sources[middle].first <= item)
            low = middle;
        else
            high = middle - 1;
    }
    *row_out = item - l->sources[low].first;
    return &l->sources[low];
}

char *batch_item_name(const batch_list *l, int64_t item)
{
    int64_t             row;
    const batch_source *s = batch_list_find(l, item, &row);
    return s->is_stack ? text_format("%s row %lld", s->name, (long long)row) : text_format("%s", s->name);
}
