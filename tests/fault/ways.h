/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which of many calls are worth failing: a call that is made by the same function as one before, which was called by
 * the same ones, does what that did. Calls are told apart by the return addresses on the stack.
 */
#ifndef SEPCL_TESTS_FAULT_WAYS_H
#define SEPCL_TESTS_FAULT_WAYS_H

#include <execinfo.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#define WAYS 65536 /* a power of two, above what a process has */
#define WAYS_DEEP 16

/* Of a process: the ways that were met, and the numbers of the calls that came by a new one since this was
   turned on. */
typedef struct ways {
    uint64_t seen[WAYS];
    long     fresh[WAYS];
    long     n;
    int      depth; /* frames of the stack that count; 0: nothing is noted */
} ways;

/* The n-th call is made now. */
static inline void ways_note(ways *w, long n)
{
    void    *frames[WAYS_DEEP];
    uint64_t hash = 1469598103934665603u;
    if (!w->depth)
        return;
    const int found = backtrace(frames, w->depth < WAYS_DEEP ? w->depth : WAYS_DEEP);
    for (int i = 0; i < found; i++)
        hash = (hash ^ (uint64_t)(uintptr_t)frames[i]) * 1099511628211u;
    hash ^= hash >> 29;
    for (uint64_t i = 0; i < WAYS; i++) {
        uint64_t *at = &w->seen[(hash + i) % WAYS];
        if (*at == hash)
            return;
        if (*at == 0) {
            *at = hash;
            w->fresh[w->n++] = n;
            return;
        }
    }
    fprintf(stderr, "more than %d ways to a call\n", WAYS);
    abort();
}

/* From now on new ways are noted by so many frames, of which some are the test's own; 0: no more. */
static inline void ways_turn(ways *w, int depth)
{
    w->depth = depth;
    w->n = depth ? 0 : w->n;
}

#endif
