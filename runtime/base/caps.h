/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan needs to know of a device. Plain data, so that planning can be tested without one. */
#ifndef SEPCL_BASE_CAPS_H
#define SEPCL_BASE_CAPS_H

#include <stdbool.h>
#include <stdint.h>

#include "sepcl/sepcl.h"

typedef struct caps {
    sepcl_device_type type;
    int      compute_units;
    int64_t  max_work_group;
    int64_t  max_work_item[3];
    int64_t  local_bytes;
    bool     local_is_real;
    int64_t  global_bytes, max_alloc_bytes, constant_bytes;
    int      align_bytes;       /* of sub-buffers */
    int      simd_width;        /* floats in a native vector; 1 when the compiler vectorises across work-items */
    int      vector_registers;  /* architectural vector registers of a CPU; 0 elsewhere */
    int      vector_passes;     /* 2: the units are half as wide as a native vector, and half a vector takes half the time */
    int      preferred_multiple; /* work-items that run in lock step (warp, wavefront); 1 on a CPU */
    bool     fp16, subgroups, integer_dot, command_buffer, unified_memory;
    /* speed: measured, or a guess from the facts above (speed_measured says which) */
    bool     speed_measured;
    double   fma_gflops, bandwidth_gbs, launch_us;
    char     name[128], driver[128];
} caps;

static inline bool caps_is_cpu(const caps *c)
{
    return c->type == SEPCL_DEVICE_CPU;
}

#endif
