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

/* most: those that are made on a way through the code that none before was, by so many frames of the stack */
#define STARVE_NEW(frames) (-(long)(frames))
#define STARVE_FRAMES 10

/* What a step does, as it ends, without failures. */
typedef struct starving {
    const char *subject, *name;
    status (*step)(const void *);
    const void *given;
    status      want;
    char        usual[1024];
    long        blocks;
    int         files;
} starving;

static inline void starve_one(const starving *s, long n)
{
    sys_arm(SYS_MEMORY, n, ENOMEM, false);
    const status st = s->step(s->given);
    starve_failures += sys_failed() > 0;
    sys_clear();
    if (st == SEPCL_OUT_OF_MEMORY ? !strstr(error_sentence(), "memory")
                                  : st != s->want || (st != SEPCL_OK && strcmp(error_sentence(), s->usual) != 0))
        starve_wrong(s->subject, s->name, n, "status %d, '%s'; without it %d, '%s'", (int)st, error_sentence(),
                     (int)s->want, s->usual);
    if (sys_live_blocks() != s->blocks || sys_open_files() != s->files)
        starve_wrong(s->subject, s->name, n, "%ld blocks and %d files are left", sys_live_blocks() - s->blocks,
                     sys_open_files() - s->files);
    starve_named += st == SEPCL_OUT_OF_MEMORY;
    starve_finished += st != SEPCL_OUT_OF_MEMORY;
}

/* most: no more failures than that, evenly spread; 0: all. phase: which of them. Its status without failures. */
static inline status starve(const char *subject, const char *name, status (*step)(const void *), const void *given,
                            long most, long phase)
{
    starving    s = {subject, name, step, given, SEPCL_OK, "", sys_live_blocks(), sys_open_files()};
    const long *fresh;
    sys_clear();
    sys_note_ways(most < 0 ? (int)-most : 0);
    s.want = step(given);
    sys_note_ways(0);
    const long n_calls = sys_count(SYS_MEMORY), stride = most > 0 && n_calls > most ? (n_calls + most - 1) / most : 1;
    if (s.want != SEPCL_OK)
        snprintf(s.usual, sizeof s.usual, "%s", error_sentence());
    const long n_new = sys_new_ways(&fresh);
    for (long i = 0; most < 0 && i < n_new; i++)
        starve_one(&s, fresh[i]);
    for (long n = 1 + phase % stride; most >= 0 && n <= n_calls; n += stride)
        starve_one(&s, n);
    return s.want;
}

#endif
