/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files in and out. Sentences name the path and the system's reason. */
#ifndef SEPCL_BASE_FILE_H
#define SEPCL_BASE_FILE_H

#include <stddef.h>

#include "base/status.h"

/* Reads a regular file of at most limit bytes into malloc'd memory, with a 0 byte behind it that *size_out does not
   count. size_out may be NULL. */
status file_read(const char *path, size_t limit, void **out, size_t *size_out);

/* Writes a file so that its name holds either what it held before or all of the new bytes: into a temporary file of the
   same folder, synchronised, then renamed. A path that is there and is no regular file (a device, a pipe) is written
   to as it is. mode is what open(2) takes, 0666 for a user's file. */
status file_write(const char *path, const void *data, size_t size, unsigned mode);

/* Makes a folder and the folders above it that are missing. Those made get this mode. A folder that is there is fine.
 */
status file_make_folder(const char *path, unsigned mode);

/* Keeps other processes that ask for the same folder's lock out until file_unlock, or until this process ends. Gives up
   after two seconds (a process may have been stopped), and where the file system has no locks: -1, which file_unlock
   takes. */
int  file_lock(const char *folder);
void file_unlock(int lock);

/* "folder/name" in malloc'd text; NULL when memory is out (the sentence is set). */
char *file_join(const char *folder, const char *name);

#endif
