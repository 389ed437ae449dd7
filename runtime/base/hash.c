/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SipHash-2-4 with 128-bit output, after J.-P. Aumasson and D. J. Bernstein, "SipHash: a fast short-input PRF" (2012),
 * and the 128-bit variant of the authors' reference. Four 64-bit words of state take the input eight little-endian
 * bytes at a time, two rounds a word; the last word holds the rest and the length's low byte; four rounds give each
 * half of the result. Words are put together from bytes, so the hash is the same on every machine.
 */
#include "base/hash.h"

#include <string.h>

static uint64_t rotate(uint64_t x, int n)
{
    return x << n | x >> (64 - n);
}

static void rounds(uint64_t v[4], int n)
{
    while (n-- > 0) {
        v[0] += v[1];
        v[2] += v[3];
        v[1] = rotate(v[1], 13) ^ v[0];
        v[3] = rotate(v[3], 16) ^ v[2];
        v[0] = rotate(v[0], 32);
        v[2] += v[1];
        v[0] += v[3];
        v[1] = rotate(v[1], 17) ^ v[2];
        v[3] = rotate(v[3], 21) ^ v[0];
        v[2] = rotate(v[2], 32);
    }
}

static void take_word(hasher *h, uint64_t word)
{
    h->v[3] ^= word;
    rounds(h->v, 2);
    h->v[0] ^= word;
}

static uint64_t load_le(const uint8_t *p, size_t n)
{
    uint64_t word = 0;
    for (size_t i = 0; i < n; i++)
        word |= (uint64_t)p[i] << (8 * i);
    return word;
}

static void store_le(uint8_t *p, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        p[i] = (uint8_t)(word >> (8 * i));
}

void hash_begin_keyed(hasher *h, const uint8_t key[16])
{
    const uint64_t k0 = load_le(key, 8), k1 = load_le(key + 8, 8);
    h->v[0] = k0 ^ 0x736f6d6570736575u;
    h->v[1] = k1 ^ 0x646f72616e646f6du ^ 0xee;
    h->v[2] = k0 ^ 0x6c7967656e657261u;
    h->v[3] = k1 ^ 0x7465646279746573u;
    h->tail = 0;
    h->length = 0;
}

void hash_begin(hasher *h)
{
    static const uint8_t zeros[16];
    hash_begin_keyed(h, zeros);
}

void hash_bytes(hasher *h, const void *data, size_t size)
{
    const uint8_t *p = data;
    for (; size > 0 && h->length % 8 != 0; size--, p++) { /* fill the word that was begun */
        h->tail |= (uint64_t)*p << (8 * (h->length % 8));
        if (++h->length % 8 == 0) {
            take_word(h, h->tail);
            h->tail = 0;
        }
    }
    for (; size >= 8; size -= 8, p += 8, h->length += 8)
        take_word(h, load_le(p, 8));
    if (size > 0)
        h->tail |= load_le(p, size) << (8 * (h->length % 8));
    h->length += size;
}

void hash_text(hasher *h, const char *text)
{
    text = text ? text : "";
    hash_bytes(h, text, strlen(text) + 1);
}

hash128 hash_end(hasher *h)
{
    hash128 out;
    take_word(h, h->tail | h->length << 56);
    h->v[2] ^= 0xee;
    rounds(h->v, 4);
    store_le(out.byte, h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3]);
    h->v[1] ^= 0xdd;
    rounds(h->v, 4);
    store_le(out.byte + 8, h->v[0] ^ h->v[1] ^ h->v[2] ^ h->v[3]);
    return out;
}

hash128 hash_of(const void *data, size_t size)
{
    hasher h;
    hash_begin(&h);
    hash_bytes(&h, data, size);
    return hash_end(&h);
}

bool hash_equal(const hash128 *a, const hash128 *b)
{
    return memcmp(a->byte, b->byte, sizeof a->byte) == 0;
}

const char *hash_hex(const hash128 *h, char buffer[HASH_TEXT])
{
    static const char digits[] = "0123456789abcdef";
    for (int i = 0; i < 16; i++) {
        buffer[2 * i] = digits[h->byte[i] >> 4];
        buffer[2 * i + 1] = digits[h->byte[i] & 15];
    }
    buffer[32] = 0;
    return buffer;
}
