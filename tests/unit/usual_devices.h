/* SPDX-License-Identifier: Apache-2.0 */
/* Devices of which there are only the facts, for tests that plan and run nothing: initialisers of caps. */
#ifndef SEPCL_TEST_USUAL_DEVICES_H
#define SEPCL_TEST_USUAL_DEVICES_H

#include "base/caps.h"

#define USUAL_CPU                              \
    {.type = SEPCL_DEVICE_CPU,            \
     .compute_units = 8,                  \
     .max_work_group = 4096,              \
     .max_work_item = {4096, 4096, 4096}, \
     .local_bytes = 262144,               \
     .global_bytes = 1LL << 33,           \
     .max_alloc_bytes = 1LL << 31,        \
     .constant_bytes = 65536,             \
     .align_bytes = 128,                  \
     .simd_width = 8,                     \
     .vector_registers = 16,              \
     .preferred_multiple = 1,             \
     .fma_gflops = 100,                   \
     .bandwidth_gbs = 30,                 \
     .launch_us = 5}

#define USUAL_GPU                          \
    {.type = SEPCL_DEVICE_GPU,        \
     .compute_units = 24,             \
     .max_work_group = 256,           \
     .max_work_item = {256, 256, 64}, \
     .local_bytes = 32768,            \
     .local_is_real = true,           \
     .global_bytes = 1LL << 33,       \
     .max_alloc_bytes = 1LL << 31,    \
     .constant_bytes = 65536,         \
     .align_bytes = 128,              \
     .simd_width = 1,                 \
     .preferred_multiple = 32,        \
     .fp16 = true,                    \
     .fma_gflops = 3000,              \
     .bandwidth_gbs = 300,            \
     .launch_us = 5}

#endif
