/* SPDX-License-Identifier: Apache-2.0 */
#include "base/arena.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "base/status.h"

#define ALIGN 64
#define BLOCK ((size_t)64 * 1024)
#define TEXT ((size_t)1024)

struct arena_block {
    arena_block *next;
    size_t       size, used; /* of the bytes behind this header */
};

static size_t header_size(void)
{
    return (sizeof(arena_block) + ALIGN - 1) / ALIGN * ALIGN;
}

/* A block of memory from the system, within the budget. */
static arena_block *new_block(arena *a, size_t room)
{
    size_t total;
    if (!size_add(room, header_size(), &total))
        return NULL;
    if (a->budget && total > a->budget->left) {
        a->budget->over = true;
        return NULL;
    }
    arena_block *b = aligned_alloc(ALIGN, total);
    if (!b)
        return NULL;
    if (a->budget)
        a->budget->left -= total;
    *b = (arena_block){.size = room};
    return b;
}

void *arena_alloc(arena *a, size_t size)
{
    size_t need;
    if (!size_add(size ? size : 1, ALIGN - 1, &need))
        goto fail;
    need = need / ALIGN * ALIGN;
    arena_block *b = a->blocks;
    if (!b || b->size - b->used < need) {
        b = new_block(a, need > BLOCK ? need : BLOCK);
        if (!b)
            goto fail;
        /* a block made for one large piece goes behind the current one, whose rest stays usable */
        if (a->blocks && need > BLOCK) {
            b->next = a->blocks->next;
            a->blocks->next = b;
        } else {
            b->next = a->blocks;
            a->blocks = b;
        }
    }
    void *p = (char *)b + header_size() + b->used;
    b->used += need;
    a->bytes += need;
    return memset(p, 0, need);
fail:
    fail_memory(size, "a host arena");
    return NULL;
}

void *arena_array(arena *a, size_t count, size_t size)
{
    size_t bytes;
    if (!size_mul(count, size, &bytes)) {
        fail(SEPCL_OUT_OF_MEMORY, "out of memory: %zu elements of %zu bytes", count, size);
        return NULL;
    }
    return arena_alloc(a, bytes);
}

/* Room for a string; short ones share a piece of TEXT bytes. */
static char *text_room(arena *a, size_t bytes)
{
    if (bytes > TEXT / 4)
        return arena_alloc(a, bytes);
    if (bytes > a->text_left) {
        a->text = arena_alloc(a, TEXT);
        a->text_left = a->text ? TEXT : 0;
    }
    char *p = a->text;
    if (!p)
        return NULL;
    a->text += bytes;
    a->text_left -= bytes;
    return p;
}

char *arena_strndup(arena *a, const char *text, size_t length)
{
    size_t bytes;
    if (!size_add(length, 1, &bytes))
        return NULL;
    char *p = text_room(a, bytes);
    if (p)
        memcpy(p, text, length);
    return p;
}

char *arena_strdup(arena *a, const char *text)
{
    return arena_strndup(a, text, strlen(text));
}

char *arena_printf(arena *a, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const int n = vsnprintf(NULL, 0, format, list);
    va_end(list);
    char *p = n < 0 ? NULL : text_room(a, (size_t)n + 1);
    if (!p)
        return NULL;
    va_start(list, format);
    vsnprintf(p, (size_t)n + 1, format, list);
    va_end(list);
    return p;
}

void arena_free(arena *a)
{
    while (a->blocks) {
        arena_block *next = a->blocks->next;
        if (a->budget)
            a->budget->left += a->blocks->size + header_size();
        free(a->blocks);
        a->blocks = next;
    }
    a->bytes = 0;
    a->text = NULL;
    a->text_left = 0;
}

void *arena_grow(arena *a, void *array, int *capacity, int need, size_t size)
{
    if (need <= *capacity)
        return array;
    int cap = *capacity ? *capacity : 8;
    while (cap < need) {
        if (cap > INT32_MAX / 2) {
            fail(SEPCL_OUT_OF_MEMORY, "a list of %d entries is too long", need);
            return NULL;
        }
        cap *= 2;
    }
    void *p = arena_array(a, (size_t)cap, size);
    if (!p)
        return NULL;
    if (array)
        memcpy(p, array, (size_t)*capacity * size);
    *capacity = cap;
    return p;
}
