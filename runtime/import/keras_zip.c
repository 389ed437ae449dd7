/* SPDX-License-Identifier: Apache-2.0 */
/* Source: "APPNOTE.TXT - .ZIP File Format Specification", PKWARE. */
#include "import/keras_zip.h"

#include <string.h>
#include <zlib.h>

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "ZIP keeps its numbers little-endian");

enum { END_SIZE = 22, LOCATOR_SIZE = 20, END64_SIZE = 56, ENTRY_SIZE = 46, LOCAL_SIZE = 30 };
enum { STORED = 0, DEFLATED = 8, FLAG_ENCRYPTED = 1 };

static const uint8_t magic_local[4] = {'P', 'K', 3, 4}, magic_entry[4] = {'P', 'K', 1, 2},
                     magic_end[4] = {'P', 'K', 5, 6}, magic_end64[4] = {'P', 'K', 6, 6},
                     magic_locator[4] = {'P', 'K', 6, 7};

/* Where the entries are. */
typedef struct directory {
    uint64_t at, size, entries;
} directory;

static uint64_t number(const uint8_t *p, int size)
{
    uint64_t v = 0;
    memcpy(&v, p, (size_t)size);
    return v;
}

static bool is(const uint8_t *p, const uint8_t magic[4])
{
    return memcmp(p, magic, 4) == 0;
}

bool zip_sniff(const uint8_t *bytes, size_t size)
{
    return size >= 4 && (is(bytes, magic_local) || is(bytes, magic_end));
}

/* The record at the end: behind it is a comment of at most 65535 bytes. */
static const uint8_t *find_end(const uint8_t *bytes, size_t size)
{
    for (size_t back = END_SIZE; back <= size && back <= END_SIZE + 65535; back++)
        if (is(bytes + size - back, magic_end) && number(bytes + size - back + 20, 2) <= back - END_SIZE)
            return bytes + size - back;
    return NULL;
}

/* Archives of more than 4 GB have a wider record, found through one in front of the end. */
static bool read_wide(const uint8_t *bytes, const uint8_t *end, directory *d)
{
    if (end - bytes < LOCATOR_SIZE || !is(end - LOCATOR_SIZE, magic_locator))
        return true; /* the numbers happen to have all bits set */
    const uint64_t at = number(end - LOCATOR_SIZE + 8, 8), size = (uint64_t)(end - bytes);
    if (size < END64_SIZE || at > size - END64_SIZE || !is(bytes + at, magic_end64))
        return false;
    *d = (directory){
        .entries = number(bytes + at + 32, 8), .size = number(bytes + at + 40, 8), .at = number(bytes + at + 48, 8)};
    return true;
}

static status find_directory(const uint8_t *bytes, size_t size, directory *d)
{
    const uint8_t *end = find_end(bytes, size);
    if (!end)
        return fail(SEPCL_BAD_FILE, "ZIP: the archive has no end record; it may have been cut off");
    *d = (directory){.entries = number(end + 10, 2), .size = number(end + 12, 4), .at = number(end + 16, 4)};
    const bool     wide = d->entries == UINT16_MAX || d->size == UINT32_MAX || d->at == UINT32_MAX;
    const uint64_t room = (uint64_t)(end - bytes);
    if ((wide && !read_wide(bytes, end, d)) || d->at > room || d->size > room - d->at)
        return fail(SEPCL_BAD_FILE, "ZIP: the list of members reaches beyond the archive");
    return SEPCL_OK;
}

/* The wide numbers of an entry, for those of its own that have all bits set, in this order. */
static bool widen(const uint8_t *extra, size_t length, uint64_t *const fields[3])
{
    while (length >= 4) {
        const size_t kind = (size_t)number(extra, 2), size = (size_t)number(extra + 2, 2);
        if (size > length - 4)
            return false;
        const uint8_t *p = extra + 4, *end = p + size;
        for (int i = 0; kind == 1 && i < 3; i++)
            if (*fields[i] == UINT32_MAX) {
                if (end - p < 8)
                    return false;
                *fields[i] = number(p, 8);
                p += 8;
            }
        extra = end;
        length -= 4 + size;
    }
    return true;
}

/* Where the member's bytes begin: behind a header of its own. An archive with an entry is longer than that. */
static status locate(const uint8_t *bytes, size_t size, uint64_t header, const char *name, zip_member *m)
{
    if (header > size - LOCAL_SIZE || !is(bytes + header, magic_local))
        return fail(SEPCL_BAD_FILE, "ZIP: '%s' has no header where it should be", name);
    const uint64_t at = header + LOCAL_SIZE + number(bytes + header + 26, 2) + number(bytes + header + 28, 2);
    if (at > size || m->packed_size > size - at)
        return fail(SEPCL_BAD_FILE, "ZIP: '%s' with %zu bytes reaches beyond the archive", name, m->packed_size);
    m->data = bytes + at;
    return SEPCL_OK;
}

static status read_entry(const uint8_t *bytes, size_t size, const uint8_t *e, const char *name, zip_member *out)
{
    const size_t    name_size = (size_t)number(e + 28, 2), extra = (size_t)number(e + 30, 2);
    const int       method = (int)number(e + 10, 2);
    uint64_t        plain = number(e + 24, 4), packed = number(e + 20, 4), header = number(e + 42, 4);
    uint64_t *const wide[3] = {&plain, &packed, &header};
    if (!widen(e + ENTRY_SIZE + name_size, extra, wide))
        return fail(SEPCL_BAD_FILE, "ZIP: the entry of '%s' is malformed", name);
    if (number(e + 8, 2) & FLAG_ENCRYPTED)
        return fail(SEPCL_UNSUPPORTED, "ZIP: '%s' is encrypted", name);
    if (method != STORED && method != DEFLATED)
        return fail(SEPCL_UNSUPPORTED, "ZIP: '%s' is packed by method %d; stored and deflated are supported", name,
                    method);
    if (method == STORED && plain != packed)
        return fail(SEPCL_BAD_FILE, "ZIP: '%s' is stored as it is, but in %llu of %llu bytes", name,
                    (unsigned long long)packed, (unsigned long long)plain);
    if (packed > size || plain > SIZE_MAX)
        return fail(SEPCL_BAD_FILE, "ZIP: '%s' with %llu bytes reaches beyond the archive", name,
                    (unsigned long long)packed);
    *out = (zip_member){.packed_size = (size_t)packed,
                        .size = (size_t)plain,
                        .crc = (uint32_t)number(e + 16, 4),
                        .deflated = method == DEFLATED};
    return locate(bytes, size, header, name, out);
}

status zip_find(const uint8_t *bytes, size_t size, const char *name, zip_member *out, bool *found)
{
    directory d = {0};
    *found = false;
    TRY(find_directory(bytes, size, &d));
    const uint8_t *e = bytes + d.at, *end = e + d.size;
    for (uint64_t i = 0; i < d.entries; i++) {
        if (end - e < ENTRY_SIZE || !is(e, magic_entry))
            return fail(SEPCL_BAD_FILE, "ZIP: the list of members ends after %llu of %llu", (unsigned long long)i,
                        (unsigned long long)d.entries);
        const size_t name_size = (size_t)number(e + 28, 2);
        const size_t whole = ENTRY_SIZE + name_size + (size_t)number(e + 30, 2) + (size_t)number(e + 32, 2);
        if (whole > (size_t)(end - e))
            return fail(SEPCL_BAD_FILE, "ZIP: an entry reaches beyond the list of members");
        if (name_size == strlen(name) && memcmp(e + ENTRY_SIZE, name, name_size) == 0) {
            *found = true;
            return read_entry(bytes, size, e, name, out);
        }
        e += whole;
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- zlib */

/* zlib counts in unsigned int: large inputs and outputs go in pieces. */
static status inflate_whole(const uint8_t *from, size_t size, uint8_t *to, size_t to_size, int window)
{
    z_stream z = {0};
    int      result = inflateInit2(&z, window);
    if (result != Z_OK)
        return fail_memory(to_size, "unpacking");
    z.next_in = (Bytef *)from;
    z.next_out = to;
    while (result == Z_OK) {
        const size_t in_left = size - (size_t)(z.next_in - from), out_left = to_size - (size_t)(z.next_out - to);
        z.avail_in = (uInt)(in_left < INT32_MAX ? in_left : INT32_MAX);
        z.avail_out = (uInt)(out_left < INT32_MAX ? out_left : INT32_MAX);
        result = inflate(&z, Z_NO_FLUSH);
    }
    const bool whole = result == Z_STREAM_END && z.next_out == to + to_size;
    inflateEnd(&z);
    return whole ? SEPCL_OK : fail(SEPCL_BAD_FILE, "packed data is damaged or not of the size that it should have");
}

status zip_inflate_zlib(const uint8_t *from, size_t size, uint8_t *to, size_t to_size)
{
    return inflate_whole(from, size, to, to_size, MAX_WBITS);
}

status zip_unpack(const zip_member *m, uint8_t *to)
{
    TRY(inflate_whole(m->data, m->packed_size, to, m->size, -MAX_WBITS));
    if (crc32_z(crc32_z(0, NULL, 0), to, m->size) != m->crc)
        return fail(SEPCL_BAD_FILE, "packed data does not have the checksum that it should have");
    return SEPCL_OK;
}
