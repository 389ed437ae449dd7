/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Failures of memory, files and threads, for calls that sepcl's own code makes: a test program that links sepcl's objects
 * with the linker's --wrap for each name of system.inc gets here first. Drivers and the C library do not.
 */
#ifndef SEPCL_TESTS_FAULT_SYSTEM_H
#define SEPCL_TESTS_FAULT_SYSTEM_H

#include <stdbool.h>
#include <stddef.h>

typedef enum sys_call {
#define SYS(name) SYS_##name,
#include "system.inc"
#undef SYS
    SYS_CALLS,
    SYS_MEMORY /* all that allocate */
} sys_call;

#define SYS_SHORT (-1) /* instead of an errno: read and write transfer half of what was asked */

/* Fails the n-th such call from now, and if stuck those after it too. Counts anew. */
void sys_arm(sys_call what, long n, int error, bool stuck);
void sys_clear(void);
/* Calls since then; and failures. */
long        sys_count(sys_call what);
long        sys_failed(void);
const char *sys_name(sys_call what);

/* malloc that is counted, but never failed: for libraries that do not say when memory is out. */
void *sys_allocate(size_t n);
/* Notes which allocations are made on a way through the code that none before in this process was (ways.h), by so many
   frames of the stack, of which three or so are those of system.c; 0 turns it off. Then: how many these were, and their
   numbers since sys_clear. */
void sys_note_ways(int depth);
long sys_new_ways(const long **numbers);

/* What is allocated and not freed. */
long sys_live_blocks(void);
long sys_live_bytes(void);
/* The most live bytes at a time since the mark. */
void sys_mark_most(void);
long sys_most_bytes(void);
/* Descriptors that this process has open. */
int sys_open_files(void);

/* Seconds that time() is put forward, or back when negative. */
void sys_shift_clock(long seconds);

#endif
