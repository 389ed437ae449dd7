/* SPDX-License-Identifier: Apache-2.0 */
/* What must be as before after each failure: OpenCL objects, memory, descriptors. */
#ifndef SEPCL_TESTS_FAULT_LEVEL_H
#define SEPCL_TESTS_FAULT_LEVEL_H

#include "../unit/scratch.h"
#include "layer.h"
#include "system.h"
#include "workload.h"

typedef struct tally {
    long cases, right, named;
} tally;

typedef struct level {
    long blocks, bytes, objects[FAULT_OBJECTS];
    int  files;
} level;

static inline level level_now(void)
{
    level l = {.blocks = sys_live_blocks(), .bytes = sys_live_bytes(), .files = sys_open_files()};
    for (int o = 0; o < FAULT_OBJECTS; o++)
        l.objects[o] = fault_live((fault_object)o);
    return l;
}

/* what: the failure, for a message. */
static inline void level_check(const level *before, const char *what)
{
    const level now = level_now();
    for (int o = 0; o < FAULT_OBJECTS; o++)
        if (now.objects[o] != before->objects[o])
            test_fail("%s: %ld references to a %s are left\n", what, now.objects[o] - before->objects[o],
                      fault_object_name((fault_object)o));
    if (fault_bad_releases())
        test_fail("%s: something was released that was not held\n", what);
    if (now.blocks != before->blocks || now.bytes != before->bytes)
        test_fail("%s: %ld blocks of %ld bytes are left\n", what, now.blocks - before->blocks, now.bytes - before->bytes);
    if (now.files != before->files)
        test_fail("%s: %d files are open, %d before\n", what, now.files, before->files);
}

/* Does the sentence have the name of an error that the layer gave? */
static inline bool level_names_error(const char *sentence)
{
    for (const char *at = sentence; (at = strstr(at, "CL_")); at += 3) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", (int)strspn(at, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), at);
        if (fault_gave(name))
            return true;
    }
    return false;
}

/* Runs the work until nothing is made that stays, and takes the level. */
static inline level level_warm(work *w)
{
    for (int i = 0; i < 3; i++) {
        fault_clear();
        sys_clear();
        work_do(w);
        if (w->status != SEPCL_OK || !w->right)
            test_fail("without failures: %s: %s\n", w->failed_at ? w->failed_at : "wrong answer", w->error);
    }
    return level_now();
}

/* A folder in scratch that is not there yet. */
static inline void empty_folder(const char *name, char *path, size_t room)
{
    char command[700];
    snprintf(path, room, "%s/%s", work_scratch(), name);
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
}

#endif
