/* SPDX-License-Identifier: Apache-2.0 */
/* Read-only file mappings. */
#ifndef SEPCL_IMPORT_FILE_MAP_H
#define SEPCL_IMPORT_FILE_MAP_H

#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct file_map {
    const uint8_t *bytes; /* NULL when the file is empty */
    size_t         size;
} file_map;

/* Maps a regular file. Sentences do not name the path: the caller puts it in front. */
status file_map_open(const char *path, file_map *out);

/* Maps a file named by the content of another one, and so not to be trusted: `location` is relative to the folder of
   `path` and must stay below it. Refused: absolute paths, "..", symbolic links anywhere in `location`, hard links
   (a second name may lie outside the folder), anything but a regular file. */
status file_map_open_beside(const char *path, const char *location, file_map *out);

void file_map_close(file_map *m);

/* Tells the system that these bytes of a mapping will not be read soon; they stay readable. */
void file_map_forget(const void *bytes, size_t size);

#endif
