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

/* ---------------------------------------------------------------- errors */

static void errors_have_names(void **state)
{
    (void)state;
    assert_string_equal(cl_error_name(CL_OUT_OF_RESOURCES), "CL_OUT_OF_RESOURCES");
    assert_string_equal(cl_error_name(CL_MAX_SIZE_RESTRICTION_EXCEEDED), "CL_MAX_SIZE_RESTRICTION_EXCEEDED");
    assert_string_equal(cl_error_name(-1001), "CL_PLATFORM_NOT_FOUND_KHR");
    assert_string_equal(cl_error_name(-9999), "OpenCL error -9999");
    assert_fails(SEPCL_OUT_OF_MEMORY, "x 1: CL_OUT_OF_HOST_MEMORY", cl_fail(CL_OUT_OF_HOST_MEMORY, "x %d", 1));
    assert_fails(SEPCL_OUT_OF_MEMORY, "x", cl_fail(CL_MEM_OBJECT_ALLOCATION_FAILURE, "x"));
    assert_fails(SEPCL_DEVICE_ERROR, "CL_OUT_OF_RESOURCES (", cl_fail(CL_OUT_OF_RESOURCES, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(selectors),        cmocka_unit_test(selectors_that_mean_nothing),
        cmocka_unit_test(long_lists_fit),   cmocka_unit_test(caps_of_gpus),
        cmocka_unit_test(caps_of_nonsense), cmocka_unit_test(enumeration),
        cmocka_unit_test(indices_outside),  cmocka_unit_test(selector_from_the_environment),
        cmocka_unit_test(measuring),        cmocka_unit_test(errors_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
