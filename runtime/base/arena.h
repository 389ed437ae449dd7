/* SPDX-License-Identifier: Apache-2.0 */
/* Host memory that is given back all at once. Everything a graph or plan points to lives in its arena. */
#ifndef SEPCL_BASE_ARENA_H
#define SEPCL_BASE_ARENA_H

#include <stdbool.h>
#include <stddef.h>

/* What one or more arenas may take from the system together. */
typedef struct arena_budget {
    size_t left;
    bool   over; /* more was asked for */
} arena_budget;

typedef struct arena_block arena_block;
typedef struct arena {
    arena_block  *blocks;
    arena_budget *budget; /* NULL: as much as there is. It outlives the arena, or is taken away before it ends. */
    size_t        bytes;  /* handed out so far */
    char         *text;   /* where the next short string goes */
    size_t        text_left;
} arena;

/* Zeroed, aligned to 64 bytes; NULL when memory is out (the error sentence is set). size 0 gives a valid pointer. */
void *arena_alloc(arena *a, size_t size);
/* count x size, NULL also when the product overflows. */
void *arena_array(arena *a, size_t count, size_t size);
/* Strings stand close to each other. */
char *arena_strdup(arena *a, const char *text);
char *arena_strndup(arena *a, const char *text, size_t length);
char *arena_printf(arena *a, const char *format, ...) __attribute__((format(printf, 2, 3)));
void  arena_free(arena *a);

/* Grows an array that lives in an arena (the old one stays behind until the arena goes).
   Returns the array with room for at least need elements, NULL when memory is out. */
void *arena_grow(arena *a, void *array, int *capacity, int need, size_t size);

#endif
