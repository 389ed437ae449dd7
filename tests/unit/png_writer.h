/* SPDX-License-Identifier: Apache-2.0 */
/* PNG files of any kind for tests, written without a library so that they may also be wrong. */
#ifndef SEPCL_TESTS_PNG_WRITER_H
#define SEPCL_TESTS_PNG_WRITER_H

#include <stdint.h>
#include <string.h>

enum { PNG_GRAY = 0, PNG_RGB = 2, PNG_PALETTE = 3, PNG_GRAY_ALPHA = 4, PNG_RGBA = 6 };

typedef struct png_file {
    uint8_t bytes[8192];
    size_t  size;
} png_file;

static inline void png_put32(uint8_t *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (uint8_t)(v >> (24 - 8 * i));
}

static inline uint32_t png_crc(const uint8_t *bytes, size_t size)
{
    uint32_t crc = 0xffffffffu;
    for (size_t i = 0; i < size; i++) {
        crc ^= bytes[i];
        for (int k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    return ~crc;
}

static inline void png_chunk(png_file *f, const char type[5], const void *data, size_t size)
{
    uint8_t *at = f->bytes + f->size;
    png_put32(at, (uint32_t)size);
    memcpy(at + 4, type, 4);
    if (size)
        memcpy(at + 8, data, size);
    png_put32(at + 8 + size, png_crc(at + 4, size + 4));
    f->size += size + 12;
}

static inline void png_begin(png_file *f, uint32_t width, uint32_t height, int bits, int type)
{
    uint8_t header[13] = {[8] = (uint8_t)bits, [9] = (uint8_t)type};
    png_put32(header, width);
    png_put32(header + 4, height);
    memcpy(f->bytes, "\x89PNG\r\n\x1a\n", 8);
    f->size = 8;
    png_chunk(f, "IHDR", header, sizeof(header));
}

/* Rows of row_bytes each without their filter bytes, in one stored (uncompressed) block of zlib. */
static inline void png_pixels(png_file *f, const uint8_t *rows, int height, size_t row_bytes)
{
    uint8_t  data[6000] = {0x78, 0x01, 1};
    uint8_t *at = data + 7;
    uint32_t a = 1, b = 0;
    for (int y = 0; y < height; y++) {
        *at++ = 0;
        memcpy(at, rows + (size_t)y * row_bytes, row_bytes);
        at += row_bytes;
    }
    const size_t size = (size_t)(at - data) - 7;
    data[3] = (uint8_t)size;
    data[4] = (uint8_t)(size >> 8);
    data[5] = (uint8_t)~data[3];
    data[6] = (uint8_t)~data[4];
    for (size_t i = 0; i < size; i++) {
        a = (a + data[7 + i]) % 65521;
        b = (b + a) % 65521;
    }
    png_put32(at, b << 16 | a);
    png_chunk(f, "IDAT", data, size + 11);
}

static inline void png_end(png_file *f)
{
    png_chunk(f, "IEND", NULL, 0);
}

#endif
