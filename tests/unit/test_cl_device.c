/* SPDX-License-Identifier: Apache-2.0 */
/* Devices: which one a selector means, what a plan is told of one. The first half needs no driver. */
#include "scratch.h"

#include <pthread.h>

#include "cl/internal.h"

#define DEVICE(pd, nm, pf, ty, ok)                                                                                     \
    {                                                                                                                  \
        .selector = pd, .name = nm, .platform = pf, .type = ty, .available = ok                                        \
    }

static const sepcl_device_info some[] = {
    DEVICE("0:0", "pthread-x86", "Portable Computing Language", SEPCL_DEVICE_CPU, true),
    DEVICE("1:0", "Radeon Broken", "AMD APP", SEPCL_DEVICE_GPU, false),
    DEVICE("1:1", "Radeon Fine", "AMD APP", SEPCL_DEVICE_GPU, true),
    DEVICE("2:0", "FPGA board", "Boards", SEPCL_DEVICE_ACCELERATOR, true),
    DEVICE("10:3", "Oddity", "Others", SEPCL_DEVICE_OTHER, false),
};
#define SOME (int)(sizeof some / sizeof *some)

static void means(const char *selector, int want)
{
    int got;
    assert_ok(device_select(some, SOME, selector, &got));
    if (got != want)
        test_fail("%s means %d, not %d\n", selector, got, want);
}

static void selectors(void **state)
{
    (void)state;
    means("any", 2);
    means("gpu", 2);
    means("GPU", 2);
    means("cpu", 0);
    means("accelerator", 3);
    means("0:0", 0);
    means("1:1", 2);
    means("01:01", 2);
    means("radeon", 2); /* the one that works */
    means("fPGa", 3);
    means("portable", 0); /* a platform's name */
    means("amd app", 2);
    means("o", 2); /* in a device's name before 0:0's platform */
}

static void selectors_that_mean_nothing(void **state)
{
    int got;
    (void)state;
    assert_fails(SEPCL_DEVICE_ERROR, "1:1 (Radeon Fine)", device_select(some, SOME, "1:2", &got));
    assert_int_equal(got, -1);
    assert_fails(SEPCL_DEVICE_ERROR, "\"geforce\"", device_select(some, SOME, "geforce", &got));
    assert_fails(SEPCL_DEVICE_ERROR, "1:0 (Radeon Broken) cannot be used", device_select(some, SOME, "1:0", &got));
    assert_fails(SEPCL_DEVICE_ERROR, "10:3 (Oddity) cannot be used", device_select(some, SOME, "oddity", &got));
    assert_fails(SEPCL_DEVICE_ERROR, "no usable device", device_select(some, 1, "gpu", &got));
    assert_fails(SEPCL_DEVICE_ERROR, "no usable device", device_select(some + 4, 1, "any", &got));
    assert_fails(SEPCL_DEVICE_ERROR, "no OpenCL driver", device_select(some, 0, "any", &got));
}

static void long_lists_fit(void **state)
{
    static sepcl_device_info many[200];
    static char              name[300];
    int                      got;
    (void)state;
    memset(name, 'x', sizeof name - 1);
    for (int i = 0; i < 200; i++)
        many[i] = (sepcl_device_info){.selector = "7:7", .name = name, .platform = name, .type = SEPCL_DEVICE_CPU};
    assert_fails(SEPCL_DEVICE_ERROR, "7:7 (xxx", device_select(many, 200, "gpu", &got));
}

/* ---------------------------------------------------------------- caps */

static void caps_of_gpus(void **state)
{
    sepcl_device_info info = {.name = "Tesla T4",
                              .vendor = "NVIDIA Corporation",
                              .type = SEPCL_DEVICE_GPU,
                              .driver_version = "1",
                              .compute_units = 40,
                              .clock_mhz = 1590,
                              .align_bytes = 512,
                              .max_work_group = 1024,
                              .local_bytes = 49152,
                              .local_is_real = true};
    caps              c;
    (void)state;
    caps_from_info(&info, 0, &c);
    assert_int_equal(c.preferred_multiple, 32);
    assert_int_equal(c.simd_width, 1);
    assert_int_equal(c.vector_registers, 0);
    assert_int_equal(c.align_bytes, 512);
    assert_int_equal(c.max_work_item[2], 1);
    assert_in_range((int)c.fma_gflops, 8000, 17000);
    assert_false(c.speed_measured);
    info.vendor = "Advanced Micro Devices, Inc.";
    caps_from_info(&info, 0, &c);
    assert_int_equal(c.preferred_multiple, 64);
    caps_from_info(&info, 32, &c); /* the driver knows better */
    assert_int_equal(c.preferred_multiple, 32);
}

/* Guesses of what makers do not tell: lock step, multiply-adds, memory. */
static void caps_by_maker(void **state)
{
    static const struct {
        const char       *vendor, *name;
        sepcl_device_type type;
        uint32_t          units, mhz;
        bool              unified;
        int               told, multiple, align_bytes;
        double            gflops, gbs;
    } rows[] = {
        {"NVIDIA Corporation", "GTX", SEPCL_DEVICE_GPU, 10, 1000, false, 0, 32, 512, 2560, 128},
        {"Advanced Micro Devices, Inc.", "gfx", SEPCL_DEVICE_GPU, 10, 1000, false, 0, 64, 512, 1280, 64},
        {"AMD", "gfx", SEPCL_DEVICE_GPU, 10, 1000, false, 1, 64, 512, 1280, 64}, /* 1: a simulator */
        {"Mesa", "AMD Radeon", SEPCL_DEVICE_GPU, 1, 1000, false, 0, 64, 512, 128, 50},
        {"Intel(R) Corporation", "Iris", SEPCL_DEVICE_GPU, 96, 1000, true, 0, 16, 512, 1536, 40},
        {"Mesa", "Intel(R) Graphics", SEPCL_DEVICE_GPU, 96, 1000, true, 8, 8, 512, 1536, 40},
        {"Other", "Thing", SEPCL_DEVICE_ACCELERATOR, 4, 0, false, 0, 32, 128, 256, 50},
        {"NVIDIA", "Large", SEPCL_DEVICE_GPU, 400, 2000, false, 0, 32, 512, 204800, 3000},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const sepcl_device_info info = {.name = rows[i].name,
                                        .vendor = rows[i].vendor,
                                        .driver_version = "",
                                        .type = rows[i].type,
                                        .compute_units = rows[i].units,
                                        .clock_mhz = rows[i].mhz,
                                        .unified_memory = rows[i].unified,
                                        .align_bytes = (uint32_t)rows[i].align_bytes};
        caps                    c;
        caps_from_info(&info, rows[i].told, &c);
        assert_int_equal(c.preferred_multiple, rows[i].multiple);
        assert_int_equal(c.align_bytes, rows[i].align_bytes);
        if (c.fma_gflops != rows[i].gflops || c.bandwidth_gbs != rows[i].gbs)
            test_fail("%s %s: %g GFLOP/s, %g GB/s\n", rows[i].vendor, rows[i].name, c.fma_gflops, c.bandwidth_gbs);
    }
}

/* Two multiply-adds of a vector a cycle and core; the memory of a few cores. */
static void caps_of_cpus(void **state)
{
    caps one, many;
    (void)state;
    caps_from_info(&(sepcl_device_info){.name = "", .vendor = "", .driver_version = "", .type = SEPCL_DEVICE_CPU}, 0,
                   &one);
    caps_from_info(&(sepcl_device_info){.name = "",
                                        .vendor = "",
                                        .driver_version = "",
                                        .type = SEPCL_DEVICE_CPU,
                                        .compute_units = 64,
                                        .clock_mhz = 3000,
                                        .native_vector_width_f32 = 64},
                   0, &many);
    assert_int_equal(one.compute_units, 1);
    assert_int_equal(one.preferred_multiple, 1);
    assert_true(one.bandwidth_gbs == 20 && many.bandwidth_gbs == 80);
    assert_true(many.fma_gflops == 64 * one.fma_gflops * many.simd_width / one.simd_width);
    assert_int_equal(one.align_bytes, 128);
}

static void caps_of_nonsense(void **state)
{
    const sepcl_device_info info = {.name = "",
                                    .vendor = "",
                                    .driver_version = "",
                                    .type = SEPCL_DEVICE_CPU,
                                    .compute_units = UINT32_MAX,
                                    .max_work_group = UINT64_MAX,
                                    .align_bytes = 3,
                                    .global_bytes = UINT64_MAX};
    caps                    c;
    (void)state;
    caps_from_info(&info, 0, &c);
    assert_true(c.compute_units > 0 && c.max_work_group > 0 && c.global_bytes > 0);
    assert_int_equal(c.align_bytes, 4096);
    assert_true(c.simd_width >= 4 && c.vector_registers >= 16);
    assert_true(c.fma_gflops > 0 && c.bandwidth_gbs > 0 && c.launch_us > 0);
}

/* ---------------------------------------------------------------- what is there */

static void *count_devices(void *arg)
{
    if (devices_count(arg) != SEPCL_OK)
        *(int *)arg = -1;
    return NULL;
}

static void enumeration(void **state)
{
    pthread_t threads[4];
    int       counts[4], n;
    (void)state;
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_devices, &counts[i]), 0);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_ok(devices_count(&n));
    assert_true(n > 0); /* these tests need an OpenCL device */
    for (int i = 0; i < 4; i++)
        assert_int_equal(counts[i], n);
    for (int i = 0; i < n; i++) {
        sepcl_device_info info;
        caps              c;
        int               found;
        assert_ok(devices_info(i, &info));
        assert_ok(devices_caps(i, &c));
        assert_true(*info.name && *info.platform && *info.device_version && *info.driver_version);
        assert_true(info.compute_units > 0 && info.max_work_group > 0 && info.max_work_item[0] > 0);
        assert_true(info.global_bytes > 0 && info.max_alloc_bytes > 0);
        if (!info.available)
            continue;
        assert_ok(devices_find(info.selector, &found));
        assert_int_equal(found, i);
        assert_int_equal(c.type, info.type);
        assert_string_equal(c.driver, info.driver_version);
    }
}

static void indices_outside(void **state)
{
    sepcl_device_info info;
    caps              c;
    int               n;
    (void)state;
    assert_ok(devices_count(&n));
    assert_fails(SEPCL_INVALID, "device index -1", devices_info(-1, &info));
    assert_null(info.name);
    assert_fails(SEPCL_INVALID, "device index", devices_caps(n, &c));
    assert_fails(SEPCL_INVALID, "device index", devices_measure(n, &(sepcl_device_speed){0}));
}

static void selector_from_the_environment(void **state)
{
    int got;
    (void)state;
    char *old = getenv("SEPCL_DEVICE") ? strdup(getenv("SEPCL_DEVICE")) : NULL;
    setenv("SEPCL_DEVICE", "no such device", 1);
    assert_fails(SEPCL_DEVICE_ERROR, "SEPCL_DEVICE: device \"no such device\"", devices_find(NULL, &got));
    assert_fails(SEPCL_DEVICE_ERROR, "SEPCL_DEVICE", devices_find("", &got));
    assert_ok(devices_find("any", &got)); /* what is asked for comes before the environment */
    setenv("SEPCL_DEVICE", "0:0", 1);
    assert_ok(devices_find(NULL, &got));
    assert_int_equal(got, 0);
    unsetenv("SEPCL_DEVICE");
    assert_ok(devices_find(NULL, &got));
    if (old)
        setenv("SEPCL_DEVICE", old, 1);
    free(old);
}

static void measuring(void **state)
{
    sepcl_device_speed v;
    caps               c;
    int                i;
    (void)state;
    assert_ok(devices_find(NULL, &i));
    assert_ok(devices_measure(i, &v));
    assert_true(v.fma_gflops > 0 && v.fma_gflops < 1e6);
    assert_true(v.bandwidth_gbs > 0 && v.bandwidth_gbs < 1e5);
    assert_true(v.cache_gbs >= 0 && v.cache_gbs < 1e6);
    assert_true(v.launch_us > 0 && v.launch_us < 1e6);
    assert_true(v.round_trip_us > 0 && v.round_trip_us < 1e6);
    assert_ok(devices_caps(i, &c));
    assert_true(c.speed_measured);
    assert_true(c.fma_gflops == v.fma_gflops && c.bandwidth_gbs == v.bandwidth_gbs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors),        cmocka_unit_test(selectors_that_mean_nothing),
        cmocka_unit_test(long_lists_fit),   cmocka_unit_test(caps_of_gpus),
        cmocka_unit_test(caps_by_maker),    cmocka_unit_test(caps_of_cpus),
        cmocka_unit_test(caps_of_nonsense), cmocka_unit_test(enumeration),
        cmocka_unit_test(indices_outside),  cmocka_unit_test(selector_from_the_environment),
        cmocka_unit_test(measuring),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
