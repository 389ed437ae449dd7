/* SPDX-License-Identifier: Apache-2.0 */
/* The text of kernel files, and what compilers say of it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/file.h"
#include "base/size.h"
#include "cl/internal.h"

#define SOURCE_LIMIT ((size_t)4 << 20)

static bool is_kernel_name(const char *file)
{
    const size_t n = file ? strspn(file, "abcdefghijklmnopqrstuvwxyz0123456789_") : 0;
    return n > 0 && n < 64 && file[n] == 0;
}

static status text_from_folder(const char *folder, const char *file, char **out)
{
    char   name[80];
    void  *data = NULL;
    size_t size;
    snprintf(name, sizeof name, "%s.cl", file);
    char *path = file_join(folder, name);
    if (!path)
        return SEPCL_OUT_OF_MEMORY;
    status s = file_read(path, SOURCE_LIMIT, &data, &size);
    if (s != SEPCL_OK) {
        s = fail_in(s, "SEPCL_KERNEL_DIR");
    } else if (strlen(data) != size) {
        s = fail(SEPCL_BAD_FILE, "SEPCL_KERNEL_DIR: %s: a 0 byte at %zu", path, strlen(data));
        free(data);
        data = NULL;
    }
    *out = data;
    free(path);
    return s;
}

static status text_embedded(const char *file, char **out)
{
    for (const struct kernel_text *k = kernel_texts; k->name; k++) {
        if (strcmp(k->name, file) != 0)
            continue;
        *out = malloc(k->size + 1);
        if (!*out)
            return fail_memory(k->size + 1, "a kernel's text");
        memcpy(*out, k->bytes, k->size);
        (*out)[k->size] = 0;
        return SEPCL_OK;
    }
    return fail(SEPCL_DEVICE_ERROR, "kernel %s.cl is not part of this library", file);
}

static status text_of(const char *file, char **out)
{
    const char *folder = secure_getenv("SEPCL_KERNEL_DIR");
    *out = NULL;
    return folder && *folder ? text_from_folder(folder, file, out) : text_embedded(file, out);
}

/* Two texts that end their lines and a file's own as one; #line, so that a compiler's messages count the file's own
 * lines. */
static status join_texts(const char *first, const char *second, const char *file, const char *own, char **out)
{
    size_t room;
    if (!size_add(strlen(first), strlen(second), &room) || !size_add(room, strlen(own), &room) ||
        !size_add(room, 128, &room) || !(*out = malloc(room)))
        return fail_memory(room, "a kernel's text");
    snprintf(*out, room, "%s%s\n#line 1 \"%s.cl\"\n%s", first, second, file, own);
    return SEPCL_OK;
}

static status source_of(const char *file, bool builtins, char **out)
{
    char *first = NULL, *common = NULL, *own = NULL;
    *out = NULL;
    if (!is_kernel_name(file))
        return fail(SEPCL_INVALID, "kernel file name \"%.80s\": must be of a-z, 0-9 and _", file ? file : "");
    status s = text_of(file, &own);
    if (s == SEPCL_OK && strcmp(file, "common") == 0) {
        *out = own;
        return s;
    }
    if (s == SEPCL_OK)
        s = text_of("common", &common);
    if (s == SEPCL_OK && builtins)
        s = text_embedded("builtins", &first);
    if (s == SEPCL_OK)
        s = join_texts(first ? first : "", common, file, own, out);
    free(first);
    free(common);
    free(own);
    return s;
}

status kernel_source(const char *file, char **out)
{
    return source_of(file, false, out);
}

status kernel_source_with_builtins(const char *file, char **out)
{
    return source_of(file, true, out);
}

/* ---------------------------------------------------------------- build logs */

/* Appends a line to buffer, " | " between lines. */
static void add_line(char *buffer, size_t room, const char *line, size_t n)
{
    const size_t at = strlen(buffer);
    while (n > 0 && (*line == ' ' || *line == '\t')) {
        line++;
        n--;
    }
    if (n > 0 && at + 1 < room)
        snprintf(buffer + at, room - at, "%s%.*s", at ? " | " : "", (int)i64_min((int64_t)n, 400), line);
}

/* Adds the first lines that speak of an error, or just the first ones. */
static void add_lines(const char *log, bool errors_only, char *buffer, size_t room)
{
    int count = 0;
    for (const char *line = log; *line && count < 3;) {
        const size_t n = strcspn(line, "\r\n");
        char        *copy = strndup(line, n);
        const bool   error = copy && (strcasestr(copy, "error") || strcasestr(copy, "undefined"));
        free(copy);
        if (n > 0 && (error || !errors_only)) {
            add_line(buffer, room, line, n);
            count++;
        }
        line += n + (line[n] != 0);
    }
}

const char *log_gist(const char *log, char *buffer, size_t room)
{
    buffer[0] = 0;
    add_lines(log, true, buffer, room);
    if (!buffer[0])
        add_lines(log, false, buffer, room);
    for (char *p = buffer; *p; p++) {
        if ((unsigned char)*p < ' ') /* a driver's log may hold anything */
            *p = ' ';
    }
    return buffer;
}
