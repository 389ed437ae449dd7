/* SPDX-License-Identifier: Apache-2.0 */
/* Between the files of the layer. */
#ifndef SEPCL_TESTS_FAULT_LAYER_STATE_H
#define SEPCL_TESTS_FAULT_LAYER_STATE_H

#include <stddef.h>

#include <CL/cl_layer.h>

#include "layer.h"

/* What to answer instead of the n-th call; CL_SUCCESS: nothing. */
cl_int layer_enter(fault_call c);

void layer_made(fault_object o, const void *handle);
void layer_retained(fault_object o, const void *handle);
bool layer_released(fault_object o, const void *handle); /* true: that was the last reference */

/* Texts that belong to a handle: a program's options, a kernel's name with its program's options. */
void        layer_note(const void *handle, const char *text);
const char *layer_noted(const void *handle, char *buffer, size_t room); /* "" when there is none */

/* ---------------------------------------------------------------- lies */

typedef struct layer_lies {
    char garbage[128], skip[128], missing[128], late[128], times[16];
    long late_contexts;
} layer_lies;
extern layer_lies lies;

void layer_lied(void);
/* True with *e set when this question gets a lie for an answer. */
bool layer_device_lie(cl_device_info what, size_t size, void *value, size_t *size_ret, cl_int *e);
void layer_set_device_lie(const char *name, const char *value);
void layer_clear_lies(void);
cl_ulong layer_false_time(cl_profiling_info what, cl_ulong t);

/* The context of a queue is dead or dying (late=...). */
void   layer_late_launch(const void *context);
cl_int layer_late_wait(const void *context);    /* at a wait: the first one kills */
cl_int layer_late_call(const void *context);    /* at any other call */
const void *layer_context_of(const void *queue);
void   layer_queue_made(const void *queue, const void *context);

#endif
