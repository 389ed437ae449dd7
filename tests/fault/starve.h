/* SPDX-License-Identifier: Apache-2.0 */
/* Runs a step once for each allocation of its that fails: it ends as it does otherwise, or says that memory is out, and
   nothing is left over. For programs that link system.c. */
#ifndef SEPCL_TESTS_FAULT_STARVE_H
#define SEPCL_TESTS_FAULT_STARVE_H

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/status.h"
#include "system.h"

/* What was tried, said that memory is out, ended as it does otherwise, and did neither. */
static long starve_failures, starve_named, starve_finished, starve_wrongs;

static inline void starve_wrong(const char *subject, const char *step, long n, const char *format, ...)
{
    va_list list;
    fprintf(stderr, "%s: %s, allocation %ld fails: ", subject, step, n);
    va_start(list, format);
    vfprintf(stderr, format, list);
    va_end(list);
    fputc('\n', stderr);
    starve_wrongs++;
}

/* most: no more failures than that, evenly spread; 0: all. phase: which of them. Its status without failures. */
static inline status starve(const char *subject, const char *name, status (*step)(const void *), const void *given,
                            long most, long phase)
{
    char       usual[1024] = "";
    const long blocks = sys_live_blocks();
    const int  files = sys_open_files();
    sys_clear();
    const status want = step(given);
    const long   n_calls = sys_count(SYS_MEMORY), stride = most && n_calls > most ? (n_calls + most - 1) / most : 1;
    if (want != SEPCL_OK)
        snprintf(usual, sizeof usual, "%s", error_sentence());
    for (long n = 1 + phase % stride; n <= n_calls; n += stride) {
        sys_arm(SYS_MEMORY, n, ENOMEM, false);
        const status st = step(given);
        starve_failures += sys_failed() > 0;
        sys_clear();
        if (st == SEPCL_OUT_OF_MEMORY ? !strstr(error_sentence(), "memory")
                                      : st != want || (st != SEPCL_OK && strcmp(error_sentence(), usual) != 0))
            starve_wrong(subject, name, n, "status %d, '%s'; without it %d, '%s'", (int)st, error_sentence(), (int)want,
                         usual);
        if (sys_live_blocks() != blocks || sys_open_files() != files)
            starve_wrong(subject, name, n, "%ld blocks and %d files are left", sys_live_blocks() - blocks,
                         sys_open_files() - files);
        starve_named += st == SEPCL_OUT_OF_MEMORY;
        starve_finished += st != SEPCL_OUT_OF_MEMORY;
    }
    return want;
}

#endif
