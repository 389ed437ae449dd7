/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two contexts run one kernel at once, one of them over a grid that is wider each time, with the driver's own threads: what
 * PoCL 3.1 does not bear without the gate (cl/gate.c). An assertion of it ends the process then.
 */
#include "scratch.h"

#include <pthread.h>
#include <stdatomic.h>

#include "cl/internal.h"

#define LAUNCHES 150
#define LONG_LOOP 2000000 /* a few milliseconds, of one item: the driver's other threads are free */

static const char text[] = "__kernel void wait(__global int *out, const int n)\n"
                           "{\n"
                           "    const int i = (int)get_global_id(0);\n"
                           "    int       sum = i;\n"
                           "    for (int k = 0; i == 0 && k < n; k++)\n"
                           "        sum = sum * 1664525 + (k ^ sum);\n"
                           "    out[i] = n > 1 ? sum : i + 1;\n"
                           "}\n";

typedef struct side {
    clx         *x;
    clx_program *program;
    clx_kernel  *kernel;
    clx_buffer  *out;
} side;

static char       *folder;
static atomic_bool done;
static atomic_long long_launches;

static side open_side(int device, int loop)
{
    side      s = {0};
    clx_build build = {.file = "wait", .options = ""};
    assert_ok(clx_open(&(clx_desc){.device = device}, &s.x));
    assert_ok(clx_build_all(s.x, &build, 1, NULL, true));
    s.program = build.program;
    assert_ok(clx_kernel_create(s.x, s.program, "wait", &s.kernel));
    assert_ok(clx_buffer_create(s.x, (LAUNCHES + 8) * sizeof(int), &s.out));
    assert_ok(clx_arg_buffer(s.x, s.kernel, 0, s.out));
    assert_ok(clx_arg_i32(s.kernel, 1, loop));
    return s;
}

static void close_side(side *s)
{
    clx_kernel_destroy(s->kernel);
    clx_buffer_destroy(s->out);
    clx_program_destroy(s->program);
    clx_close(s->x);
}

static void *run_narrow(void *arg)
{
    const side *s = arg;
    const size_t two = 2, one = 1;
    while (!atomic_load(&done)) {
        if (clx_enqueue(s->x, s->kernel, 1, &two, &one, NULL) != SEPCL_OK || clx_finish(s->x) != SEPCL_OK)
            return arg;
        atomic_fetch_add(&long_launches, 1);
    }
    return NULL;
}

static void wider_grids_beside_a_narrow_one(void **state)
{
    int       device, out[LAUNCHES + 8];
    pthread_t thread;
    void     *failed;
    (void)state;
    assert_ok(devices_find(NULL, &device));
    side narrow = open_side(device, LONG_LOOP), wide = open_side(device, 1);
    assert_int_equal(pthread_create(&thread, NULL, run_narrow, &narrow), 0);
    while (atomic_load(&long_launches) < 2)
        usleep(1000);
    for (int i = 0; i < LAUNCHES; i++) {
        const size_t width = (size_t)i + 3, one = 1;
        assert_ok(clx_enqueue(wide.x, wide.kernel, 1, &width, &one, NULL));
        assert_ok(clx_finish(wide.x));
        assert_ok(clx_read(wide.x, wide.out, 0, width * sizeof(int), out));
        for (int k = 0; k < (int)width; k++)
            assert_int_equal(out[k], k + 1);
        usleep(1000); /* the other one begins again */
    }
    atomic_store(&done, true);
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    close_side(&wide);
    close_side(&narrow);
}

/* Waiting once for all is enough: a launch that is no wider is only enqueued, so that it may wait in the queue. */
static void a_known_launch_does_not_wait(void **state)
{
    const size_t two = 2, one = 1;
    int          device;
    (void)state;
    assert_ok(devices_find(NULL, &device));
    side s = open_side(device, 1);
    assert_false(s.kernel->warm);
    assert_ok(clx_enqueue(s.x, s.kernel, 1, &two, &one, NULL));
    assert_int_equal(s.kernel->warm, s.x->gated);
    assert_ok(clx_enqueue(s.x, s.kernel, 1, &one, &one, NULL));
    if (s.x->gated) {
        assert_int_equal(s.kernel->widest[0], 2);
        assert_int_equal(s.kernel->local[0], 1);
    }
    assert_ok(clx_finish(s.x));
    close_side(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wider_grids_beside_a_narrow_one),
        cmocka_unit_test(a_known_launch_does_not_wait),
    };
    setenv("SEPCL_LANES", "0", 1); /* the driver's own threads */
    folder = strdup(scratch_folder());
    setenv("SEPCL_KERNEL_DIR", folder, 1);
    char *path = file_join(folder, "wait.cl"), *common = file_join(folder, "common.cl");
    assert_ok(file_write(path, text, strlen(text), 0600));
    assert_ok(file_write(common, "", 0, 0600));
    const int failed = cmocka_run_group_tests(tests, NULL, NULL);
    scratch_remove(folder);
    free(path);
    free(common);
    free(folder);
    return failed;
}
