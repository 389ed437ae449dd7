/* SPDX-License-Identifier: Apache-2.0 */
#include "base/status.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define SENTENCE 1024

/* A thread's own, so that concurrent sessions do not overwrite each other's reason. */
static _Thread_local char   sentence[SENTENCE];
static _Thread_local status last_code;
static _Thread_local bool   was_memory;

static sepcl_log_fn    log_fn;
static void           *log_user;
static sepcl_log_level log_level;

status fail(status code, const char *format, ...)
{
    va_list list;
    char    text[SENTENCE]; /* arguments may point into the old sentence */
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    memcpy(sentence, text, sizeof text);
    last_code = code;
    was_memory |= code == SEPCL_OUT_OF_MEMORY;
    return code;
}

status fail_in(status code, const char *format, ...)
{
    va_list list;
    char    text[SENTENCE];
    va_start(list, format);
    int n = vsnprintf(text, sizeof text, format, list);
    va_end(list);
    if (n >= 0 && n < SENTENCE)
        snprintf(text + n, sizeof text - (size_t)n, "%s%s", n ? ": " : "", sentence);
    memcpy(sentence, text, sizeof text);
    last_code = code;
    return code;
}

status fail_memory(size_t bytes, const char *what)
{
    return fail(SEPCL_OUT_OF_MEMORY, "out of memory: %zu bytes for %s", bytes, what);
}

const char *error_sentence(void)
{
    return sentence;
}

status error_code(void)
{
    return last_code;
}

void error_clear(void)
{
    sentence[0] = 0;
    was_memory = false;
}

bool error_memory(void)
{
    return was_memory;
}

void log_set(sepcl_log_fn fn, void *user, sepcl_log_level level)
{
    log_fn = fn;
    log_user = user;
    log_level = fn ? level : SEPCL_LOG_OFF;
}

bool log_wants(sepcl_log_level level)
{
    return log_fn && level <= log_level;
}

void log_line(sepcl_log_level level, const char *format, ...)
{
    if (!log_wants(level))
        return;
    char    text[SENTENCE];
    va_list list;
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    log_fn(log_user, level, text);
}
