/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"

#include <stdarg.h>
#include <stdio.h>

strbuf strbuf_on(char *buffer, size_t size)
{
    buffer[0] = 0;
    return (strbuf){.at = buffer, .room = size};
}

void strbuf_put(strbuf *t, const char *format, ...)
{
    va_list args;
    if (t->cut)
        return;
    va_start(args, format);
    const int n = vsnprintf(t->at + t->length, t->room - t->length, format, args);
    va_end(args);
    if (n < 0 || (size_t)n >= t->room - t->length) {
        t->cut = true;
        t->at[t->length] = 0;
        return;
    }
    t->length += (size_t)n;
}
