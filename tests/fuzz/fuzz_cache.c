/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as an entry of the program cache: the first says which fields of the header are put right, the rest is the
 * file. What is loaded is what a right header vouches for, byte by byte, and nothing else is.
 */
#include "base/file.h"
#include "cl/internal.h"
#include "scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

/* As cache.c lays it out. */
typedef struct header {
    char     magic[8];
    uint32_t version, order;
    uint64_t length;
    hash128  key, checksum;
} header;

enum { MAGIC = 1, VERSION = 2, ORDER = 4, LENGTH = 8, KEY = 16, CHECKSUM = 32 };

static header right_header(const uint8_t *payload, size_t size, const hash128 *key)
{
    header h = {.version = 2, .order = 0x01020304u, .length = size, .key = *key};
    memcpy(h.magic, "sepclbin", sizeof h.magic);
    hasher sum; /* of key and binary */
    hash_begin(&sum);
    hash_bytes(&sum, key, sizeof *key);
    hash_bytes(&sum, payload, size);
    h.checksum = hash_end(&sum);
    return h;
}

static void put_right(uint8_t *file, const header *right, int fields)
{
    header h;
    memcpy(&h, file, sizeof h);
    if (fields & MAGIC)
        memcpy(h.magic, right->magic, sizeof h.magic);
    h.version = fields & VERSION ? right->version : h.version;
    h.order = fields & ORDER ? right->order : h.order;
    h.length = fields & LENGTH ? right->length : h.length;
    h.key = fields & KEY ? right->key : h.key;
    h.checksum = fields & CHECKSUM ? right->checksum : h.checksum;
    memcpy(file, &h, sizeof h);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    const hash128 key = hash_of("key", 3);
    char          hex[HASH_TEXT], path[160];
    if (size == 0)
        return 0;
    uint8_t     *file = malloc(size);
    const size_t n = size - 1, body = n >= sizeof(header) ? n - sizeof(header) : 0;
    if (!file)
        return 0;
    memcpy(file, bytes + 1, n);
    const header right = right_header(file + sizeof(header) * (n >= sizeof(header)), body, &key);
    if (n >= sizeof(header))
        put_right(file, &right, bytes[0]);
    const bool sound = n >= sizeof(header) && memcmp(file, &right, sizeof right) == 0;
    snprintf(path, sizeof path, "%s/%s.bin", scratch_folder(), hash_hex(&key, hex));
    scratch_write(path, file, n);
    void      *data;
    size_t     bytes_read;
    const bool loaded = cache_load(scratch_folder(), &key, &data, &bytes_read);
    if (loaded != sound || (loaded && (bytes_read != body || memcmp(data, file + sizeof(header), body) != 0)))
        abort();
    free(data);
    cache_trim(scratch_folder(), size % 3 ? UINT64_MAX : 0);
    if (sound && (access(path, F_OK) == 0) != (size % 3 != 0 || n == 0))
        abort();
    free(file);
    return 0;
}
