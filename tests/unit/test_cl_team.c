/* SPDX-License-Identifier: Apache-2.0 */
/* A team of lanes with more kernels than the driver keeps loaded: PoCL 3.1 ends the process when two lanes load one
   kernel again at the same time for grids of different widths. */
#include "scratch.h"

#include "base/strbuf.h"
#include "cl/internal.h"

#define KERNELS 150 /* PoCL keeps 128 */
#define MOST_ITEMS 9

static clx        *x;
static char       *folder;
static clx_build   text_of_all = {.file = "many", .options = ""};
static clx_kernel *kernels[KERNELS];
static clx_buffer *out;

static void write_kernels(void)
{
    char  *path = file_join(folder, "many.cl");
    char   text[KERNELS * 128 + 400];
    strbuf t = strbuf_on(text, sizeof text);
    for (int i = 0; i < KERNELS; i++)
        strbuf_put(&t, "__kernel void k%d(__global int *out) { out[%d + get_global_id(0)] += 1; }\n", i, i);
    strbuf_put(&t, "__kernel void cells(__global int *out, const int nx, const int ny)\n"
                   "{ out[get_global_id(0) + nx * (get_global_id(1) + ny * (get_global_id(2) - LANE_BASE))] += 1; }\n");
    assert_false(t.cut);
    assert_ok(file_write(path, text, t.length, 0600));
    free(path);
    path = file_join(folder, "common.cl");
    static const char lanes[] = "#ifndef LANE_BASE\n#define LANE_BASE 0\n#endif\n";
    assert_ok(file_write(path, lanes, sizeof lanes - 1, 0600));
    free(path);
}

static int set_up(void **state)
{
    int       device;
    const int zeros[KERNELS + MOST_ITEMS] = {0};
    (void)state;
    folder = strdup(scratch_folder());
    setenv("SEPCL_KERNEL_DIR", folder, 1);
    write_kernels();
    assert_ok(devices_find(NULL, &device));
    assert_ok(clx_open(&(clx_desc){.device = device}, &x));
    assert_ok(clx_build_all(x, &text_of_all, 1, NULL, false));
    assert_ok(clx_buffer_create(x, sizeof zeros, &out));
    assert_ok(clx_write(x, out, 0, sizeof zeros, zeros));
    for (int i = 0; i < KERNELS; i++) {
        char name[16];
        snprintf(name, sizeof name, "k%d", i);
        assert_ok(clx_kernel_create(x, text_of_all.program, name, &kernels[i]));
        assert_ok(clx_arg_buffer(x, kernels[i], 0, out));
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    for (int i = 0; i < KERNELS; i++)
        clx_kernel_destroy(kernels[i]);
    clx_buffer_destroy(out);
    clx_program_destroy(text_of_all.program);
    clx_close(x);
    unsetenv("SEPCL_KERNEL_DIR");
    scratch_remove(folder);
    free(folder);
    return 0;
}

static int expected[KERNELS + MOST_ITEMS];

static void enqueue(int kernel, size_t items)
{
    const size_t local = 1;
    assert_ok(clx_enqueue(x, kernels[kernel], 1, &items, &local, NULL));
    for (size_t i = 0; i < items; i++)
        expected[(size_t)kernel + i]++;
}

static void check(void)
{
    int found[KERNELS + MOST_ITEMS];
    assert_ok(clx_read(x, out, 0, sizeof found, found));
    assert_memory_equal(found, expected, sizeof found);
}

static void kernels_come_back(void **state)
{
    (void)state;
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < KERNELS; i++) {
            enqueue(i, 5); /* odd, so that two lanes' parts differ */
            if (round % 2)
                assert_ok(clx_finish(x));
        }
    for (int i = 0; i < 1000; i++) { /* these stay loaded */
        enqueue(i % 20, 5);
        if (i % 7 == 0)
            assert_ok(clx_finish(x));
    }
    check();
}

static void widths_change(void **state)
{
    unsigned random = 1;
    (void)state;
    for (int i = 0; i < 4000; i++) {
        random = random * 1664525 + 1013904223;
        enqueue((int)(random >> 16) % (i < 2000 ? KERNELS : 40), 1 + (random >> 8) % MOST_ITEMS);
        if (random >> 28 == 0)
            assert_ok(clx_finish(x));
    }
    check();
}

/* Each group of a grid is run once, however it is dealt out. */
static void all_of_a_grid_runs_once(void **state)
{
    enum { MOST = 6 };
    int         found[MOST * MOST * MOST];
    clx_kernel *cells;
    clx_buffer *counts;
    (void)state;
    assert_ok(clx_kernel_create(x, text_of_all.program, "cells", &cells));
    assert_ok(clx_buffer_create(x, sizeof found, &counts));
    assert_ok(clx_arg_buffer(x, cells, 0, counts));
    for (int shape = 0; shape < MOST * MOST * MOST; shape++) {
        const size_t grid[3] = {1 + (size_t)(shape % MOST), 1 + (size_t)(shape / MOST % MOST),
                                1 + (size_t)(shape / (MOST * MOST))};
        const size_t n = grid[0] * grid[1] * grid[2], local[3] = {1, 1, 1};
        memset(found, 0, sizeof found);
        assert_ok(clx_write(x, counts, 0, sizeof found, found));
        assert_ok(clx_arg_i32(cells, 1, (int)grid[0]));
        assert_ok(clx_arg_i32(cells, 2, (int)grid[1]));
        assert_ok(clx_enqueue(x, cells, 3, grid, local, NULL));
        assert_ok(clx_read(x, counts, 0, sizeof found, found));
        for (size_t i = 0; i < sizeof found / sizeof *found; i++)
            if (found[i] != (i < n))
                test_fail("%zux%zux%zu: cell %zu was run %d times\n", grid[0], grid[1], grid[2], i, found[i]);
    }
    clx_buffer_destroy(counts);
    clx_kernel_destroy(cells);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(kernels_come_back), cmocka_unit_test(widths_change),
                                       cmocka_unit_test(all_of_a_grid_runs_once)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
