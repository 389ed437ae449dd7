/* SPDX-License-Identifier: Apache-2.0 */
/* A folder of this process's own, in memory where the system has such a place, for targets that read files. */
#ifndef SEPCL_FUZZ_SCRATCH_FILE_H
#define SEPCL_FUZZ_SCRATCH_FILE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char scratch_path[64];

static void scratch_remove(void)
{
    char command[96];
    snprintf(command, sizeof command, "rm -rf '%s'", scratch_path);
    if (system(command) != 0)
        fprintf(stderr, "%s stays\n", scratch_path);
}

static inline const char *scratch_folder(void)
{
    if (scratch_path[0])
        return scratch_path;
    snprintf(scratch_path, sizeof scratch_path, "%s/sepcl-fuzz-XXXXXX", access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    if (!mkdtemp(scratch_path))
        abort();
    atexit(scratch_remove);
    return scratch_path;
}

static inline void scratch_write(const char *path, const void *bytes, size_t size)
{
    FILE *f = fopen(path, "wb");
    if (!f || fwrite(bytes, 1, size, f) != size || fclose(f) != 0)
        abort();
}

#endif
