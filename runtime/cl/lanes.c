/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PoCL can offer one CPU under several names: as a device with a pool of threads, and as one that runs kernels in the
 * thread that enqueues them ("basic", from version 4 on "cpu-minimal"). Its environment says which, read when it is
 * first asked for devices. With the second, a team of threads of our own (team.h) shares the work of each launch.
 *
 * SEPCL_LANES=0 leaves PoCL as it is. So does a POCL_DEVICES that the user has set.
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/size.h"
#include "cl/internal.h"

/* Cores that this process may use, bounded as PoCL's own pool is. */
static int lane_count(void)
{
    static const char *const limits[] = {"POCL_MAX_PTHREAD_COUNT", "POCL_CPU_MAX_CU_COUNT", "SEPCL_LANES"};
    cpu_set_t                cores;
    int                      n = sched_getaffinity(0, sizeof cores, &cores) == 0 ? CPU_COUNT(&cores) : 1;
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        const char *text = getenv(limits[i]);
        const long  limit = text ? strtol(text, NULL, 10) : 0;
        if (limit > 0 && limit < n)
            n = (int)limit;
    }
    return n < MAX_LANES ? n : MAX_LANES;
}

/* 0 when it is not PoCL. */
static int pocl_major(cl_platform_id platform)
{
    char  name[64] = "", version[256] = "";
    int   major = 0;
    char *at;
    if (clGetPlatformInfo(platform, CL_PLATFORM_NAME, sizeof name - 1, name, NULL) != CL_SUCCESS ||
        strcmp(name, "Portable Computing Language") != 0 ||
        clGetPlatformInfo(platform, CL_PLATFORM_VERSION, sizeof version - 1, version, NULL) != CL_SUCCESS)
        return 0;
    at = strstr(version, "PoCL ");
    if (!at)
        at = strstr(version, "pocl ");
    return at && sscanf(at + 5, "%d", &major) == 1 ? major : 0;
}

int lanes_ask(cl_platform_id platform)
{
    const char *wish = getenv("SEPCL_LANES");
    const int   major = pocl_major(platform);
    cl_uint     count;
    if (major == 0 || (wish && strcmp(wish, "0") == 0))
        return 0;
    if (getenv("POCL_DEVICES")) {
        log_info("POCL_DEVICES is set: the CPU is used as it says");
        return 0;
    }
    if (setenv("POCL_DEVICES", major < 4 ? "pthread basic" : "cpu cpu-minimal", 0) != 0)
        return 0;
    /* PoCL reads it now, once; programs started by this one shall not find it */
    (void)clGetDeviceIDs(platform, CL_DEVICE_TYPE_ALL, 0, NULL, &count);
    (void)unsetenv("POCL_DEVICES");
    return lane_count();
}

bool lanes_is(cl_device_id device)
{
    char name[256] = "";
    return clGetDeviceInfo(device, CL_DEVICE_NAME, sizeof name - 1, name, NULL) == CL_SUCCESS &&
           (strncmp(name, "basic", 5) == 0 || strncmp(name, "cpu-minimal", 11) == 0);
}
