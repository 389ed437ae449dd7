/* SPDX-License-Identifier: Apache-2.0 */
/* Which device a selector means. */
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cl/internal.h"

/* The devices there are, for an error: "0:0 (name), 1:0 (name)". */
static const char *device_list(const sepcl_device_info *infos, int n, char *buffer, size_t room)
{
    size_t at = 0;
    buffer[0] = 0;
    for (int i = 0; i < n && at < room; i++) {
        const int k = snprintf(buffer + at, room - at, "%s%s (%s)", i ? ", " : "", infos[i].selector, infos[i].name);
        at += k > 0 ? (size_t)k : 0;
    }
    return buffer;
}

/* Is text digits, a colon, digits? */
static bool is_pair(const char *text)
{
    const size_t p = strspn(text, "0123456789");
    if (p == 0 || text[p] != ':')
        return false;
    const size_t d = strspn(text + p + 1, "0123456789");
    return d > 0 && text[p + 1 + d] == 0;
}

static bool same_pair(const char *selector, const char *text)
{
    unsigned long a[2], b[2];
    char         *end;
    a[0] = strtoul(selector, &end, 10);
    a[1] = strtoul(end + 1, NULL, 10);
    b[0] = strtoul(text, &end, 10);
    b[1] = strtoul(end + 1, NULL, 10);
    return a[0] == b[0] && a[1] == b[1];
}

static int first_of_type(const sepcl_device_info *infos, int n, sepcl_device_type type)
{
    for (int i = 0; i < n; i++) {
        if (infos[i].available && infos[i].type == type)
            return i;
    }
    return -1;
}

/* A kind of device; -2 when the text names no kind, -1 when there is no such device. */
static int by_kind(const sepcl_device_info *infos, int n, const char *text)
{
    if (strcasecmp(text, "gpu") == 0)
        return first_of_type(infos, n, SEPCL_DEVICE_GPU);
    if (strcasecmp(text, "cpu") == 0)
        return first_of_type(infos, n, SEPCL_DEVICE_CPU);
    if (strcasecmp(text, "accelerator") == 0)
        return first_of_type(infos, n, SEPCL_DEVICE_ACCELERATOR);
    if (strcasecmp(text, "any") != 0)
        return -2;
    static const sepcl_device_type order[] = {SEPCL_DEVICE_GPU, SEPCL_DEVICE_ACCELERATOR, SEPCL_DEVICE_CPU};
    for (int k = 0; k < 3; k++) {
        const int i = first_of_type(infos, n, order[k]);
        if (i >= 0)
            return i;
    }
    return -1;
}

/* By pair or name. An available device comes before one that is not, a device's name before its platform's. */
static int by_text(const sepcl_device_info *infos, int n, const char *text)
{
    int best = -1, best_rank = INT_MAX;
    for (int i = 0; i < n; i++) {
        int rank;
        if (is_pair(text) && same_pair(infos[i].selector, text))
            rank = 0;
        else if (!is_pair(text) && strcasestr(infos[i].name, text))
            rank = infos[i].available ? 1 : 3;
        else if (!is_pair(text) && strcasestr(infos[i].platform, text))
            rank = infos[i].available ? 2 : 4;
        else
            continue;
        if (rank < best_rank) {
            best = i;
            best_rank = rank;
        }
    }
    return best;
}

status device_select(const sepcl_device_info *infos, int n, const char *selector, int *index_out)
{
    char list[512];
    *index_out = -1;
    if (n == 0)
        return fail(SEPCL_DEVICE_ERROR, "device \"%s\": no OpenCL driver is installed, or none lists a device",
                    selector);
    int i = by_kind(infos, n, selector);
    if (i == -2)
        i = by_text(infos, n, selector);
    if (i < 0)
        return fail(SEPCL_DEVICE_ERROR, "device \"%s\": no usable device is meant by it; there are %s", selector,
                    device_list(infos, n, list, sizeof list));
    if (!infos[i].available)
        return fail(SEPCL_DEVICE_ERROR,
                    "device \"%s\": %s (%s) cannot be used: its driver calls it unavailable or has no compiler of "
                    "OpenCL C 1.2 for it",
                    selector, infos[i].selector, infos[i].name);
    *index_out = i;
    return SEPCL_OK;
}
