/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An OpenCL layer (OPENCL_LAYERS) that counts, fails and lies. A test links it and steers it by these functions; for a
 * program, SEPCL_FAULT in the environment is what fault_set takes.
 */
#ifndef SEPCL_TESTS_FAULT_LAYER_H
#define SEPCL_TESTS_FAULT_LAYER_H

#include <stdbool.h>

#define FAULT_API __attribute__((visibility("default")))

typedef enum fault_call {
#define CALL(name, ...) CALL_##name,
#include "calls.inc"
#undef CALL
    FAULT_CALLS
} fault_call;

typedef enum fault_mode {
    FAULT_ONCE,  /* one call */
    FAULT_STUCK, /* that call, and from then on each of the same function */
    FAULT_GONE   /* that call and whatever follows: the device is gone */
} fault_mode;

typedef enum fault_object { FAULT_CONTEXT, FAULT_QUEUE, FAULT_BUFFER, FAULT_PROGRAM, FAULT_KERNEL, FAULT_EVENT,
                            FAULT_OBJECTS } fault_object;

/* Fails the n-th call from now (1: the next) with the function's first or second error (code 0 or 1). Counts anew. */
FAULT_API void fault_arm(long n, int code, fault_mode mode);
/* No more failures and lies; counts anew. */
FAULT_API void fault_clear(void);
/* Calls since fault_arm or fault_clear; which one the n-th was (FAULT_CALLS: unknown). */
FAULT_API long       fault_calls(void);
FAULT_API fault_call fault_nth(long n);
/* Notes which calls are made on a way through the code that none before in this process was (ways.h), by so many frames
   of the stack, of which four or so are the layer's and the loader's; 0 turns it off. Then: how many these were, and their
   numbers since fault_arm or fault_clear. */
FAULT_API void fault_note_ways(int depth);
FAULT_API long fault_new_ways(const long **numbers);
/* Calls that were failed, and whether an error of this name was given in one of them. */
FAULT_API long        fault_failed(void);
FAULT_API bool        fault_gave(const char *error_name);
FAULT_API const char *fault_call_name(fault_call c);

/* Objects made and not released yet, all in all; releases of what was not held. */
FAULT_API long        fault_live(fault_object o);
FAULT_API long        fault_made(fault_object o);
FAULT_API long        fault_bad_releases(void);
FAULT_API const char *fault_object_name(fault_object o);

/*
 * Lies, as "key=value;key=value". VARIANT is a text that the kernel's name, a space and the build options have to contain.
 *
 *   n=N code=0|1 mode=once|stuck|gone   as fault_arm; with call=NAME only calls of that function count
 *   garbage=VARIANT   programs built from source whose options contain it compute something else
 *   skip=VARIANT      the kernel is never run
 *   missing=VARIANT   the program builds, but has no such kernel
 *   late=VARIANT      the kernel's launch succeeds, the next wait fails, and from then on all of its context does
 *   late_contexts=N   only in the first N contexts that meet it (default: in all)
 *   times=zero|backwards|same|huge
 *   device.NAME=VALUE device info, see layer_lies.c
 */
FAULT_API void fault_set(const char *lies);
FAULT_API long fault_lied(void); /* times that a lie was told */

#endif
