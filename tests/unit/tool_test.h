/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of the programs' shared code. */
#ifndef SEPCL_TESTS_TOOL_TEST_H
#define SEPCL_TESTS_TOOL_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tool.h"

/* The call succeeds. */
#define assert_done(call)                                                                                              \
    do {                                                                                                               \
        const sepcl_status assert_done_s = (call);                                                                     \
        if (assert_done_s != SEPCL_OK)                                                                                 \
            fail_msg("%s: status %d: %s", #call, (int)assert_done_s, tool_sentence());                                 \
    } while (0)

/* The call fails with this code and a sentence that holds the text. */
#define assert_refused(code, text, call)                                                                               \
    do {                                                                                                               \
        const sepcl_status assert_refused_s = (call);                                                                  \
        if (assert_refused_s != (code) || !strstr(tool_sentence(), (text)))                                            \
            fail_msg("%s: status %d, sentence '%s'; expected status %d, '%s'", #call, (int)assert_refused_s,           \
                     tool_sentence(), (int)(code), (text));                                                            \
    } while (0)

/* Bytes in memory of exactly their size, so that a sanitizer or valgrind sees any read past them. */
static inline uint8_t *exact_copy(const void *bytes, size_t size)
{
    uint8_t *copy = malloc(size ? size : 1);
    assert_non_null(copy);
    memcpy(copy, bytes, size);
    return copy;
}

#endif
