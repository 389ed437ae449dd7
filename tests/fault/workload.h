/* SPDX-License-Identifier: Apache-2.0 */
/* The work that is done under faults: a small network of the layers that matter, from a file, through the public API. */
#ifndef SEPCL_TESTS_FAULT_WORKLOAD_H
#define SEPCL_TESTS_FAULT_WORKLOAD_H

#include <stdbool.h>

#include "sepcl/sepcl.h"

#define WORK_IN (3 * 12 * 12)
#define WORK_OUT 10

/* Puts the loader's layer in place and writes the network to scratch; before the first OpenCL call of the process. Takes
   the test's arguments: --all, --few, --only PATTERN-OF-TESTS, --devices AT-LEAST. */
void work_begin(int argc, char **argv);
bool work_all(void);
bool work_few(void);
int  work_devices(void);
void work_end(void);

typedef struct work {
    const char *cache_dir; /* NULL: the tests' own */
    bool        no_cache, f16, no_fusion;
    void       *context, *queue; /* borrowed */
    /* results */
    sepcl_status status;
    const char  *failed_at; /* the public function that failed */
    bool         right;     /* all answers were */
    char         error[1024];
    float        out[WORK_OUT];
} work;

/* Load, session, write, run, read, bind, run, read, times of steps, destroy. */
void work_do(work *w);
/* Load and tune, for about this time. */
void work_tune(work *w, double seconds);
/* The network's file; and the answer, from the first call that went well. */
const char  *work_model(void);
const float *work_input(void);
bool         work_is_right(const float *out, double tolerance);
void         work_set_answer(const float *out); /* from another process */
const char  *work_scratch(void); /* a folder of the test's own */

#endif
