/* SPDX-License-Identifier: Apache-2.0 */
/* Checked size arithmetic. Every product or sum of sizes that a file can influence goes through here. */
#ifndef SEPCL_BASE_SIZE_H
#define SEPCL_BASE_SIZE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

static inline bool size_mul(size_t a, size_t b, size_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool size_add(size_t a, size_t b, size_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
static inline bool i64_mul(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_mul_overflow(a, b, out);
}
static inline bool i64_add(int64_t a, int64_t b, int64_t *out)
{
    return !__builtin_add_overflow(a, b, out);
}
/* a / b rounded up, for a >= 0 and b > 0. */
static inline int64_t div_up(int64_t a, int64_t b)
{
    return a / b + (a % b != 0);
}
/* a rounded up to a multiple of b, for a >= 0, b > 0 and a + b within int64. */
static inline int64_t round_up(int64_t a, int64_t b)
{
    return div_up(a, b) * b;
}
static inline int64_t i64_min(int64_t a, int64_t b)
{
    return a < b ? a : b;
}
static inline int64_t i64_max(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

#endif
