/* SPDX-License-Identifier: Apache-2.0 */
/* Status codes, the thread's error sentence, and the log. */
#ifndef SEPCL_BASE_STATUS_H
#define SEPCL_BASE_STATUS_H

#include "sepcl/sepcl.h"

typedef sepcl_status status;

#define SEPCL_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Sets this thread's error sentence and returns code, so that a caller can write `return fail(...)`. */
status fail(status code, const char *format, ...) SEPCL_PRINTF(2, 3);

/* Puts "context: " in front of this thread's error sentence and returns code (file, then layer, then detail). */
status fail_in(status code, const char *format, ...) SEPCL_PRINTF(2, 3);

/* `return fail_memory(bytes, "packed weights of layer x")` */
status fail_memory(size_t bytes, const char *what);

const char *error_sentence(void);
/* The code that belongs to the sentence, for callers of what returns no status. */
status error_code(void);
void error_clear(void);
/* Has memory been out on this thread since error_clear? Later sentences may speak of what followed from it. */
bool error_memory(void);

void log_set(sepcl_log_fn fn, void *user, sepcl_log_level level);
bool log_wants(sepcl_log_level level);
void log_line(sepcl_log_level level, const char *format, ...) SEPCL_PRINTF(2, 3);
#define log_info(...) log_line(SEPCL_LOG_INFO, __VA_ARGS__)
#define log_warn(...) log_line(SEPCL_LOG_WARN, __VA_ARGS__)
#define log_debug(...) log_line(SEPCL_LOG_DEBUG, __VA_ARGS__)

/* Returns from the calling function when an expression of type status is not SEPCL_OK. */
#define TRY(expression)                     \
    do {                                    \
        const status try_st = (expression); \
        if (try_st != SEPCL_OK)             \
            return try_st;                  \
    } while (0)

#endif
