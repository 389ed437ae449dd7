/* SPDX-License-Identifier: Apache-2.0 */
/* Children of a test: what can be tried but once in a process, as the list of devices is made once. */
#ifndef SEPCL_TESTS_FAULT_CHILD_H
#define SEPCL_TESTS_FAULT_CHILD_H

#include "../unit/scratch.h"

#include <sys/mman.h>
#include <sys/wait.h>

#ifdef SEPCL_COVERAGE
void __gcov_dump(void);
#endif

/* Ends a child: without what the test's own end would do, but with what gcov has counted. */
_Noreturn static inline void child_ends(int code)
{
#ifdef SEPCL_COVERAGE
    __gcov_dump();
#endif
    _exit(code);
}

/* The exit code of a child; the test fails when it is 1 or a signal ended it. what: for the message. */
static inline int child_code(pid_t child, const char *what)
{
    int outcome;
    assert_int_equal(waitpid(child, &outcome, 0), child);
    if (!WIFEXITED(outcome) || WEXITSTATUS(outcome) == 1)
        test_fail("%.200s: the process ended with %#x\n", what, (unsigned)outcome);
    return WEXITSTATUS(outcome);
}

#define CHILD_NUMBERS 8192
/* Numbers that a child finds out, in memory that it shares. */
typedef struct child_numbers {
    long n, at[CHILD_NUMBERS];
} child_numbers;

/* find fills the numbers, in a child. */
static inline child_numbers *child_finds(void (*find)(child_numbers *to))
{
    child_numbers *to = mmap(NULL, sizeof *to, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(to != MAP_FAILED);
    const pid_t child = fork();
    if (child == 0) {
        find(to);
        child_ends(0);
    }
    assert_int_equal(child_code(child, "looking for calls"), 0);
    assert_true(to->n > 0);
    return to;
}

static inline void child_take(child_numbers *to, long number)
{
    if (to->n < CHILD_NUMBERS)
        to->at[to->n++] = number;
}

static inline void child_forget(child_numbers *numbers)
{
    (void)munmap(numbers, sizeof *numbers);
}

#endif
