/* SPDX-License-Identifier: Apache-2.0 */
/* Figures for the table in tests/README.md: a line in a file of SEPCL_FIGURES (a folder), where that is set. */
#ifndef SEPCL_TESTS_FAULT_FIGURES_H
#define SEPCL_TESTS_FAULT_FIGURES_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* "FIGURE | ASKED | REACHED", printed too. A test's figures follow each other; its file is begun anew by the first one of a
   process. */
__attribute__((format(printf, 3, 4))) static inline void figure(const char *test, const char *asked, const char *format,
                                                                ...)
{
    static char begun[32];
    const char *folder = getenv("SEPCL_FIGURES");
    char        line[512], path[600];
    va_list     list;
    va_start(list, format);
    vsnprintf(line, sizeof line, format, list);
    va_end(list);
    printf("figure: %s (asked: %s)\n", line, asked);
    if (!folder || !*folder)
        return;
    snprintf(path, sizeof path, "%s/%s.txt", folder, test);
    FILE *f = fopen(path, strcmp(begun, test) == 0 ? "a" : "w");
    if (!f)
        return;
    snprintf(begun, sizeof begun, "%s", test);
    char *bar = strstr(line, " | ");
    if (bar)
        fprintf(f, "%.*s | %s | %s\n", (int)(bar - line), line, asked, bar + 3);
    fclose(f);
}

#endif
