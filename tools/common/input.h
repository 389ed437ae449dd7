/* SPDX-License-Identifier: Apache-2.0 */
/* Files and pipes read whole, up to a limit. */
#ifndef SEPCL_TOOLS_INPUT_H
#define SEPCL_TOOLS_INPUT_H

#include <stddef.h>
#include <stdint.h>

#include "sepcl/sepcl.h"

typedef struct input_file {
    uint8_t *bytes; /* one zero byte follows them */
    size_t   size;
} input_file;

/* SEPCL_BAD_FILE when it is missing, a folder, unreadable or larger than limit. */
sepcl_status input_read(const char *path, size_t limit, input_file *out);
void         input_free(input_file *f);

#endif
