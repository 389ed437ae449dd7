/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Output files that appear whole or not at all: each is written to a temporary beside its place, and all are renamed
 * when all are written. Signals that end the program remove the temporaries.
 */
#ifndef SEPCL_TOOLS_OUTPUT_H
#define SEPCL_TOOLS_OUTPUT_H

#include <stddef.h>

#include "sepcl/sepcl.h"

typedef struct output_part {
    const void *bytes;
    size_t      size;
} output_part;

/* Can a file of this name be made? Asked before long work. */
sepcl_status output_check(const char *path);
/* Writes the parts, one after the other, to a temporary for path. A path that is there and no regular file (a pipe,
   /dev/stdout) is written at output_commit. The parts must stay until then. */
sepcl_status output_add(const char *path, const output_part *parts, int n_parts);
/* Puts every file in its place. */
sepcl_status output_commit(void);
/* Forgets what was not committed. */
void output_abandon(void);

void output_handle_signals(void);

#endif
