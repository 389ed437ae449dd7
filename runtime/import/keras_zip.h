/* SPDX-License-Identifier: Apache-2.0 */
/* The members of a ZIP archive in memory, where they lie, and what zlib packed. */
#ifndef SEPCL_IMPORT_KERAS_ZIP_H
#define SEPCL_IMPORT_KERAS_ZIP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/status.h"

typedef struct zip_member {
    const uint8_t *data; /* in the archive, perhaps packed */
    size_t         packed_size, size;
    uint32_t       crc;
    bool           deflated;
} zip_member;

bool zip_sniff(const uint8_t *bytes, size_t size);
/* The member of this name; *found is false when there is none. */
status zip_find(const uint8_t *bytes, size_t size, const char *name, zip_member *out, bool *found);
/* A deflated member into its m->size bytes at `to`. */
status zip_unpack(const zip_member *m, uint8_t *to);

/* A zlib stream that has to give exactly to_size bytes. */
status zip_inflate_zlib(const uint8_t *from, size_t size, uint8_t *to, size_t to_size);

#endif
