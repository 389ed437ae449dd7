/* SPDX-License-Identifier: Apache-2.0 */
/* What a broken or hostile file may take while it is refused: a second of a processor, and twice its size and 16 MB of
   memory beside its own bytes. A test that includes this is linked with tests/fault/system.c. */
#ifndef SEPCL_TEST_BOUNDS_H
#define SEPCL_TEST_BOUNDS_H

#include <time.h>

#include "scratch.h"

#include "../fault/system.h"

typedef struct bounds {
    clock_t start;
    long    bytes;
} bounds;

static inline bounds bounds_open(void)
{
    sys_mark_most();
    return (bounds){clock(), sys_live_bytes()};
}

/* For what was made of a file of n bytes, and let go again. Large files get a second for each MB beyond the first. */
static inline void bounds_check(const bounds *b, size_t n, const char *what, size_t at)
{
    const double seconds = (double)(clock() - b->start) / CLOCKS_PER_SEC, most = 1 + (double)n / (1 << 20);
    const size_t peak = (size_t)(sys_most_bytes() - b->bytes);
    if (peak > 2 * n + ((size_t)16 << 20))
        test_fail("%s at %zu: %zu bytes of memory for a file of %zu\n", what, at, peak, n);
    if (sys_live_bytes() != b->bytes)
        test_fail("%s at %zu: %ld bytes are left behind\n", what, at, sys_live_bytes() - b->bytes);
    if (seconds > most)
        test_fail("%s at %zu: %.1f seconds for a file of %zu bytes\n", what, at, seconds, n);
}

#endif
