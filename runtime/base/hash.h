/* SPDX-License-Identifier: Apache-2.0 */
/* A 128-bit hash: names of cache entries and checksums. SipHash-2-4 with 128-bit output and a key of zeros. */
#ifndef SEPCL_BASE_HASH_H
#define SEPCL_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hash128 {
    uint8_t byte[16];
} hash128;

/* A hash in the making. */
typedef struct hasher {
    uint64_t v[4];
    uint64_t tail;   /* bytes that do not fill a word yet */
    uint64_t length; /* bytes so far */
} hasher;

void hash_begin(hasher *h);
void hash_bytes(hasher *h, const void *data, size_t size);
/* The text and its end, so that "ab", "c" and "a", "bc" differ. NULL counts as "". */
void    hash_text(hasher *h, const char *text);
hash128 hash_end(hasher *h);

hash128 hash_of(const void *data, size_t size);
bool    hash_equal(const hash128 *a, const hash128 *b);

/* 32 lower-case digits into buffer; returns buffer. */
#define HASH_TEXT 33
const char *hash_hex(const hash128 *h, char buffer[HASH_TEXT]);

/* The same with a key, for comparison with the published vectors. */
void hash_begin_keyed(hasher *h, const uint8_t key[16]);

#endif
