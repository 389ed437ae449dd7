/* SPDX-License-Identifier: Apache-2.0 */
/* From a device's answers to what a plan needs: vector registers, lock-step width, guesses of speed. */
#include <stdio.h>
#include <string.h>
#include <strings.h>
#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>
#endif

#include "base/size.h"
#include "cl/internal.h"

static int64_t to_i64(uint64_t v)
{
    return v > INT64_MAX ? INT64_MAX : (int64_t)v;
}

#if defined(__x86_64__) || defined(__i386__)
/* AMD's family 25 with AVX-512 is Zen 4, which sends a 512-bit vector through a unit of 256 bits twice. */
static bool splits_vectors(void)
{
    unsigned eax, ebx, ecx, edx;
    if (!__get_cpuid(0, &eax, &ebx, &ecx, &edx) || ebx != signature_AMD_ebx || !__get_cpuid(1, &eax, &ebx, &ecx, &edx))
        return false;
    const unsigned family = (eax >> 8 & 15) + (eax >> 20 & 255);
    return family == 25 && __builtin_cpu_supports("avx512f");
}
#endif

/* Drivers name the widest vector type or the width that their vectoriser likes; the processor itself is asked where
   that is possible, since kernels with explicit vectors get the registers that there are. */
static void cpu_vectors(const sepcl_device_info *info, caps *out)
{
    const int reported = (int)i64_min(info->native_vector_width_f32, 16);
    out->simd_width = reported >= 4 ? reported : 4;
    out->vector_registers = 16;
    out->vector_passes = 1;
#if defined(__x86_64__) || defined(__i386__)
    __builtin_cpu_init();
    if (__builtin_cpu_supports("avx512f")) {
        out->simd_width = 16;
        out->vector_registers = 32;
        out->vector_passes = splits_vectors() ? 2 : 1;
    } else if (__builtin_cpu_supports("avx2")) {
        out->simd_width = 8;
    }
#elif defined(__aarch64__)
    out->simd_width = 4;
    out->vector_registers = 32;
#endif
}

static bool vendor_is(const sepcl_device_info *info, const char *word)
{
    return strcasestr(info->vendor, word) || strcasestr(info->name, word);
}

static int gpu_lockstep(const sepcl_device_info *info, int told)
{
    if (told > 1) /* 1 is what a simulator says */
        return told;
    if (vendor_is(info, "nvidia"))
        return 32;
    if (vendor_is(info, "advanced micro devices") || vendor_is(info, "amd"))
        return 64;
    return vendor_is(info, "intel") ? 16 : 32;
}

/* float32 multiply-adds a compute unit starts in a cycle */
static double gpu_lanes(const sepcl_device_info *info)
{
    if (vendor_is(info, "nvidia"))
        return 128;
    if (vendor_is(info, "advanced micro devices") || vendor_is(info, "amd"))
        return 64;
    return vendor_is(info, "intel") ? 8 : 32;
}

/* Orders of magnitude, so that a plan without a measurement is no nonsense. Most processors have two multiply-add
   units; discrete GPUs read a byte for every 15 to 30 operations of their peak, and integrated ones share the host's
   memory. */
static void guess_speed(const sepcl_device_info *info, caps *out)
{
    const bool   cpu = info->type == SEPCL_DEVICE_CPU;
    const double ghz = info->clock_mhz >= 100 ? info->clock_mhz / 1e3 : cpu ? 3.0 : 1.0;
    const double lanes = cpu ? 2.0 * out->simd_width : gpu_lanes(info);
    out->fma_gflops = out->compute_units * ghz * lanes * 2;
    if (cpu) {
        out->bandwidth_gbs = 20.0 * out->compute_units < 80 ? 20.0 * out->compute_units : 80;
        out->launch_us = 4;
    } else {
        const double share = out->fma_gflops / 20;
        out->bandwidth_gbs = info->unified_memory ? 40 : share < 50 ? 50 : share > 3000 ? 3000 : share;
        out->launch_us = 6;
    }
}

void caps_from_info(const sepcl_device_info *info, int lockstep, caps *out)
{
    memset(out, 0, sizeof *out);
    out->type = info->type;
    out->compute_units = info->compute_units > 0 ? (int)i64_min(info->compute_units, 1 << 20) : 1;
    out->max_work_group = i64_max(1, to_i64(info->max_work_group));
    for (int i = 0; i < 3; i++)
        out->max_work_item[i] = i64_max(1, to_i64(info->max_work_item[i]));
    out->local_bytes = to_i64(info->local_bytes);
    out->local_is_real = info->local_is_real;
    out->global_bytes = to_i64(info->global_bytes);
    out->max_alloc_bytes = to_i64(info->max_alloc_bytes);
    out->constant_bytes = to_i64(info->constant_bytes);
    /* a power of two by the standard; never less than the widest vector needs */
    const uint32_t a = info->align_bytes;
    const bool     sane = a <= 1 << 20 && (a & (a - 1)) == 0;
    out->align_bytes = !sane ? 4096 : a < 128 ? 128 : (int)a;
    out->fp16 = info->fp16;
    out->subgroups = info->subgroups;
    out->integer_dot = info->integer_dot;
    out->command_buffer = info->command_buffer;
    out->unified_memory = info->unified_memory;
    if (info->type == SEPCL_DEVICE_CPU) {
        cpu_vectors(info, out);
        out->preferred_multiple = 1;
    } else {
        out->simd_width = 1;
        out->preferred_multiple = gpu_lockstep(info, lockstep);
    }
    guess_speed(info, out);
    snprintf(out->name, sizeof out->name, "%s", info->name);
    snprintf(out->driver, sizeof out->driver, "%s", info->driver_version);
}
