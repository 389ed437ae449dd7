/* SPDX-License-Identifier: Apache-2.0 */
/* Text that grows in a buffer of the caller's. */
#ifndef SEPCL_BASE_STRBUF_H
#define SEPCL_BASE_STRBUF_H

#include <stdbool.h>
#include <stddef.h>

typedef struct strbuf {
    char  *at; /* always ended by a 0 byte */
    size_t length, room;
    bool   cut; /* something did not fit; what is there is not to be used as a key then */
} strbuf;

/* size > 0 */
strbuf strbuf_on(char *buffer, size_t size);
void strbuf_put(strbuf *t, const char *format, ...) __attribute__((format(printf, 2, 3)));

#endif
