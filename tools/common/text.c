/* SPDX-License-Identifier: Apache-2.0 */
#include "text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *need(void *p)
{
    if (!p) {
        fputs("out of memory\n", stderr);
        exit(SEPCL_OUT_OF_MEMORY);
    }
    return p;
}

const char *text_count(uint64_t n, char buffer[TEXT_SMALL])
{
    char      digits[24];
    const int count = snprintf(digits, sizeof(digits), "%" PRIu64, n);
    char     *to = buffer;
    for (int i = 0; i < count; i++) {
        if (i > 0 && (count - i) % 3 == 0)
            *to++ = ',';
        *to++ = digits[i];
    }
    *to = 0;
    return buffer;
}

const char *text_short(uint64_t n, char buffer[TEXT_SMALL])
{
    static const char units[] = "kMGTPE";
    if (n < 100000)
        return text_count(n, buffer);
    double value = (double)n / 1000;
    int    unit = 0;
    while (value >= 999.95 && units[unit + 1]) {
        value /= 1000;
        unit++;
    }
    snprintf(buffer, TEXT_SMALL, "%.*f%c", value < 9.9995 ? 3 : value < 99.995 ? 2 : 1, value, units[unit]);
    return buffer;
}

const char *text_bytes(uint64_t n, char buffer[TEXT_SMALL])
{
    static const char *const units[] = {"KiB", "MiB", "GiB", "TiB"};
    if (n < 1024) {
        snprintf(buffer, TEXT_SMALL, "%" PRIu64 " bytes", n);
        return buffer;
    }
    double value = (double)n / 1024;
    int    unit = 0;
    while (value >= 1024 && unit < 3) {
        value /= 1024;
        unit++;
    }
    const int whole = value == (double)(uint64_t)value;
    snprintf(buffer, TEXT_SMALL, "%.*f %s", whole ? 0 : value < 10 ? 2 : 1, value, units[unit]);
    return buffer;
}

const char *text_shape(const sepcl_shape *s, char buffer[TEXT_SMALL])
{
    int at = snprintf(buffer, TEXT_SMALL, "%s", s->rank == 0 ? "scalar" : "");
    for (int i = 0; i < s->rank && i < SEPCL_MAX_RANK && at < TEXT_SMALL; i++) {
        const char *x = i ? "x" : "";
        if (s->dims[i] < 0)
            at += snprintf(buffer + at, (size_t)(TEXT_SMALL - at), "%s?", x);
        else
            at += snprintf(buffer + at, (size_t)(TEXT_SMALL - at), "%s%" PRId64, x, s->dims[i]);
    }
    return buffer;
}

int text_char(const char *s, uint32_t *code_out)
{
    const unsigned char *u = (const unsigned char *)s;
    uint32_t             code = u[0];
    int                  n = 1;
    if (code >= 0xc2 && code < 0xf5) {
        n = code >= 0xf0 ? 4 : code >= 0xe0 ? 3 : 2;
        code &= 0x7fu >> n;
        for (int i = 1; i < n; i++) {
            if ((u[i] & 0xc0) != 0x80) /* also stops at the end */
                goto invalid;
            code = code << 6 | (u[i] & 0x3f);
        }
        static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
        if (code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
            goto invalid;
    } else if (code >= 0x80) {
        goto invalid;
    }
    if (code_out)
        *code_out = code;
    return code ? n : 0;
invalid:
    if (code_out)
        *code_out = 0xfffd;
    return 1;
}

/* Columns of one character: 0 for combining marks, 2 for East Asian wide characters and pictographs. */
static int columns_of(uint32_t c)
{
    static const uint32_t wide[][2] = {{0x1100, 0x115f}, {0x2e80, 0xa4cf},   {0xac00, 0xd7a3},
                                       {0xf900, 0xfaff}, {0xfe30, 0xfe6f},   {0xff00, 0xff60},
                                       {0xffe0, 0xffe6}, {0x1f300, 0x1faff}, {0x20000, 0x3fffd}};
    if ((c >= 0x300 && c < 0x370) || (c >= 0x200b && c < 0x2010) || c == 0xfeff)
        return 0;
    for (size_t i = 0; i < sizeof(wide) / sizeof(wide[0]); i++)
        if (c >= wide[i][0] && c <= wide[i][1])
            return 2;
    return 1;
}

int text_width(const char *s)
{
    int      width = 0;
    uint32_t code;
    for (int n; (n = text_char(s, &code)) > 0; s += n)
        width += columns_of(code);
    return width;
}

/* Control characters, and those that reorder what stands around them. */
static bool is_control(uint32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200e && c <= 0x200f) || (c >= 0x2028 && c <= 0x202e) ||
           (c >= 0x2066 && c <= 0x2069);
}

char *text_clean(const char *s)
{
    char    *copy = need(malloc(3 * strlen(s) + 1)), *to = copy;
    uint32_t code;
    for (int n; (n = text_char(s, &code)) > 0; s += n) {
        if (is_control(code) || (code == 0xfffd && n == 1)) {
            memcpy(to, "\xef\xbf\xbd", 3);
            to += 3;
        } else {
            memcpy(to, s, (size_t)n);
            to += n;
        }
    }
    *to = 0;
    return copy;
}

char *text_fit(const char *s, int width)
{
    const int have = text_width(s);
    if (have <= width)
        return need(strdup(s));
    if (width < 1)
        return need(strdup(""));
    const int head = width / 2, tail = width - 1 - head;
    int       used = 0;
    size_t    cut = 0;
    uint32_t  code;
    for (int n; (n = text_char(s + cut, &code)) > 0 && used + columns_of(code) <= head; cut += (size_t)n)
        used += columns_of(code);
    const char *rest = s + cut;
    int         left = have - used;
    for (int n; left > tail && (n = text_char(rest, &code)) > 0; rest += n)
        left -= columns_of(code);
    return text_format("%.*s\u2026%s", (int)cut, s, rest);
}

char *text_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char     *out = NULL;
    const int n = vasprintf(&out, format, args);
    va_end(args);
    return need(n < 0 ? NULL : out);
}

int text_distance(const char *a, const char *b)
{
    enum { LONGEST = 63 };
    const size_t m = strlen(a), n = strlen(b);
    if (m > LONGEST || n > LONGEST)
        return (int)(m > n ? m : n) > 9999 ? 9999 : (int)(m > n ? m : n);
    int row[3][LONGEST + 1]; /* of the two characters before, of the one before, of this one */
    for (size_t j = 0; j <= n; j++)
        row[1][j] = (int)j;
    for (size_t i = 1; i <= m; i++) {
        row[2][0] = (int)i;
        for (size_t j = 1; j <= n; j++) {
            int best = row[1][j - 1] + (a[i - 1] != b[j - 1]);
            if (row[1][j] + 1 < best)
                best = row[1][j] + 1;
            if (row[2][j - 1] + 1 < best)
                best = row[2][j - 1] + 1;
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && row[0][j - 2] + 1 < best)
                best = row[0][j - 2] + 1;
            row[2][j] = best;
        }
        memcpy(row[0], row[1], sizeof(row[0]));
        memcpy(row[1], row[2], sizeof(row[1]));
    }
    return row[1][n];
}
