/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Counts the memory that sepcl's own code takes from the C library: a test that includes this is linked with
 * --wrap=malloc and its kin (tests/CMakeLists.txt sees to it), so calls from the library's objects arrive here.
 * heap_peak is the most that was taken at a time since heap_mark.
 */
#ifndef SEPCL_TEST_HEAP_COUNT_H
#define SEPCL_TEST_HEAP_COUNT_H

#include <malloc.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *__real_malloc(size_t n);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t n);
void *__real_aligned_alloc(size_t align, size_t n);
char *__real_strdup(const char *text);
void  __real_free(void *p);
void *__wrap_malloc(size_t n);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *p, size_t n);
void *__wrap_aligned_alloc(size_t align, size_t n);
char *__wrap_strdup(const char *text);
void  __wrap_free(void *p);

/* Pieces that are out; what the C library itself has allocated is not among them. */
#define HEAP_SLOTS ((size_t)1 << 16)
static struct {
    void  *p;
    size_t n;
} heap_table[HEAP_SLOTS];
static size_t heap_pieces, heap_now, heap_most, heap_before;

static size_t heap_slot(const void *p)
{
    size_t at = ((uintptr_t)p >> 4) * 2654435761u % HEAP_SLOTS;
    while (heap_table[at].p && heap_table[at].p != p)
        at = (at + 1) % HEAP_SLOTS;
    return at;
}

static void *heap_add(void *p)
{
    if (!p)
        return p;
    if (++heap_pieces > HEAP_SLOTS / 2) {
        fprintf(stderr, "heap_count.h: more pieces than it can follow\n");
        abort();
    }
    const size_t at = heap_slot(p);
    heap_table[at].p = p;
    heap_table[at].n = malloc_usable_size(p);
    heap_now += heap_table[at].n;
    heap_most = heap_now > heap_most ? heap_now : heap_most;
    return p;
}

static void heap_drop(void *p)
{
    size_t at = heap_slot(p);
    if (!p || !heap_table[at].p)
        return;
    heap_now -= heap_table[at].n;
    heap_pieces--;
    heap_table[at].p = NULL;
    /* those behind it may have been meant for its place */
    for (at = (at + 1) % HEAP_SLOTS; heap_table[at].p; at = (at + 1) % HEAP_SLOTS) {
        void        *q = heap_table[at].p;
        const size_t n = heap_table[at].n;
        heap_table[at].p = NULL;
        const size_t to = heap_slot(q);
        heap_table[to].p = q;
        heap_table[to].n = n;
    }
}

void *__wrap_malloc(size_t n)
{
    return heap_add(__real_malloc(n));
}

void *__wrap_calloc(size_t n, size_t size)
{
    return heap_add(__real_calloc(n, size));
}

void *__wrap_aligned_alloc(size_t align, size_t n)
{
    return heap_add(__real_aligned_alloc(align, n));
}

char *__wrap_strdup(const char *text)
{
    return heap_add(__real_strdup(text));
}

void *__wrap_realloc(void *p, size_t n)
{
    const size_t at = heap_slot(p);
    const bool   known = p && heap_table[at].p;
    void        *q = __real_realloc(p, n);
    if (q && known) { /* both pieces may have been there at once */
        heap_add(q == p ? NULL : q);
        if (q == p) {
            heap_now += malloc_usable_size(q) - heap_table[at].n;
            heap_table[at].n = malloc_usable_size(q);
            heap_most = heap_now > heap_most ? heap_now : heap_most;
        } else {
            heap_drop(p);
        }
    } else if (q && !p) {
        heap_add(q);
    }
    return q;
}

void __wrap_free(void *p)
{
    heap_drop(p);
    __real_free(p);
}

static inline void heap_mark(void)
{
    heap_before = heap_most = heap_now;
}

static inline size_t heap_peak(void)
{
    return heap_most - heap_before;
}

#endif
