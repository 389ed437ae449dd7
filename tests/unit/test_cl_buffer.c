/* SPDX-License-Identifier: Apache-2.0 */
/* Contexts, own and borrowed, and buffers on the default device. */
#include "scratch.h"

#include "cl/internal.h"

static clx *x;

static int open_default(void **state)
{
    int i;
    (void)state;
    assert_ok(devices_find(NULL, &i));
    assert_ok(clx_open(&(clx_desc){.device = i}, &x));
    return 0;
}

static int close_it(void **state)
{
    (void)state;
    clx_close(x);
    x = NULL;
    return 0;
}

/* ---------------------------------------------------------------- buffers */

static void write_read(void **state)
{
    char        got[100];
    clx_buffer *b;
    (void)state;
    assert_ok(clx_buffer_create(x, 100, &b));
    assert_ok(clx_write(x, b, 0, 100,
                        "0123456789012345678901234567890123456789012345678901234567890123456789"
                        "01234567890123456789012345678"));
    assert_ok(clx_write(x, b, 10, 3, "abc"));
    assert_ok(clx_write(x, b, 50, 0, NULL));
    assert_ok(clx_read(x, b, 9, 5, got));
    assert_memory_equal(got, "9abc3", 5);
    assert_fails(SEPCL_INVALID, "a write of 2 bytes at 99: the buffer has 100", clx_write(x, b, 99, 2, "xy"));
    assert_fails(SEPCL_INVALID, "the buffer has 100", clx_read(x, b, SIZE_MAX, 2, got));
    assert_fails(SEPCL_INVALID, "the buffer has 100", clx_read(x, b, 2, SIZE_MAX, got));
    clx_buffer_destroy(b);
}

static void map_unmap(void **state)
{
    clx_buffer *b;
    void       *p;
    float       got;
    (void)state;
    assert_ok(clx_buffer_create(x, 4096, &b));
    assert_ok(clx_map(x, b, 0, 4096, true, &p));
    for (int i = 0; i < 1024; i++)
        ((float *)p)[i] = (float)i;
    assert_ok(clx_unmap(x, b, p));
    assert_ok(clx_read(x, b, 4 * 777, 4, &got));
    assert_true(got == 777.0f);
    assert_ok(clx_map(x, b, 4 * 512, 8, false, &p));
    assert_true(((float *)p)[1] == 513.0f);
    assert_ok(clx_unmap(x, b, p));
    assert_fails(SEPCL_INVALID, "a mapping", clx_map(x, b, 4000, 97, false, &p));
    assert_null(p);
    assert_fails(SEPCL_INVALID, "0 bytes", clx_map(x, b, 0, 0, false, &p));
    clx_buffer_destroy(b);
}

static void sizes_that_cannot_be(void **state)
{
    clx_buffer *b;
    (void)state;
    assert_fails(SEPCL_INVALID, "0 bytes", clx_buffer_create(x, 0, &b));
    assert_null(b);
    assert_fails(SEPCL_OUT_OF_MEMORY, "allocates at most", clx_buffer_create(x, SIZE_MAX / 2, &b));
    assert_null(b);
}

static void parts(void **state)
{
    const size_t a = (size_t)clx_caps(x)->align_bytes;
    clx_buffer  *whole, *half, *quarter, *none;
    char         c;
    (void)state;
    assert_ok(clx_buffer_create(x, 8 * a, &whole));
    assert_ok(clx_write(x, whole, 7 * a, 1, "q"));
    assert_ok(clx_buffer_sub(x, whole, 4 * a, 4 * a, &half));
    assert_ok(clx_buffer_sub(x, half, 2 * a, 2 * a, &quarter)); /* a part of a part */
    assert_ok(clx_read(x, quarter, a, 1, &c));
    assert_int_equal(c, 'q');
    assert_fails(SEPCL_INVALID, "multiple of", clx_buffer_sub(x, whole, a / 2, a, &none));
    assert_null(none);
    assert_fails(SEPCL_INVALID, "the buffer has", clx_buffer_sub(x, half, 3 * a, 2 * a, &none));
    assert_fails(SEPCL_INVALID, "not be empty", clx_buffer_sub(x, half, a, 0, &none));
    clx_buffer_destroy(whole); /* before its parts */
    clx_buffer_destroy(half);
    assert_ok(clx_write(x, quarter, a, 1, "z"));
    assert_ok(clx_read(x, quarter, a, 1, &c));
    assert_int_equal(c, 'z');
    clx_buffer_destroy(quarter);
    clx_buffer_destroy(NULL);
}

/* ---------------------------------------------------------------- borrowed objects */

static void make_foreign(cl_command_queue_properties properties, cl_context *context, cl_command_queue *queue)
{
    const device_record *r;
    cl_int               e;
    int                  i;
    assert_ok(devices_find(NULL, &i));
    assert_ok(devices_record(i, &r));
    *context = clCreateContext(NULL, 1, &r->device, NULL, NULL, &e);
    assert_int_equal(e, CL_SUCCESS);
    *queue = clCreateCommandQueue(*context, r->device, properties, &e);
    assert_int_equal(e, CL_SUCCESS);
}

static cl_uint references(cl_context context)
{
    cl_uint n = 0;
    assert_int_equal(clGetContextInfo(context, CL_CONTEXT_REFERENCE_COUNT, sizeof n, &n, NULL), CL_SUCCESS);
    return n;
}

static void borrowed(void **state)
{
    cl_context       context;
    cl_command_queue queue;
    clx             *y;
    clx_buffer      *b;
    char             c;
    (void)state;
    make_foreign(0, &context, &queue);
    const cl_uint before = references(context);
    assert_ok(clx_open(&(clx_desc){.device = 12345, .context = context, .queue = queue}, &y));
    assert_string_equal(clx_caps(y)->name, clx_caps(x)->name);
    assert_int_equal(clx_caps(y)->simd_width, clx_caps(x)->simd_width);
    assert_int_equal(hash_equal(&y->identity, &x->identity), x->n_lanes == 0); /* a team's programs are its own */
    assert_ok(clx_buffer_create(y, 10, &b));
    assert_ok(clx_write(y, b, 3, 1, "k"));
    assert_ok(clx_read(y, b, 3, 1, &c));
    assert_int_equal(c, 'k');
    clx_buffer_destroy(b);
    clx_close(y);
    assert_int_equal(references(context), before);        /* what was borrowed is given back as it was */
    assert_ok(clx_open(&(clx_desc){.queue = queue}, &y)); /* the queue knows its context */
    clx_close(y);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
}

static void borrowed_wrongly(void **state)
{
    cl_context       context, other;
    cl_command_queue queue, other_queue;
    clx             *y;
    (void)state;
    make_foreign(0, &context, &queue);
    make_foreign(0, &other, &other_queue);
    assert_fails(SEPCL_INVALID, "without cl_queue", clx_open(&(clx_desc){.context = context}, &y));
    assert_null(y);
    assert_fails(SEPCL_INVALID, "another context", clx_open(&(clx_desc){.context = other, .queue = queue}, &y));
    clReleaseCommandQueue(queue);
    clReleaseCommandQueue(other_queue);
    clReleaseContext(context);
    clReleaseContext(other);
}

static void borrowed_out_of_order(void **state)
{
    cl_context       context;
    cl_command_queue queue, wild;
    clx             *y;
    cl_int           e;
    (void)state;
    make_foreign(0, &context, &queue);
    wild = clCreateCommandQueue(context, x->device, CL_QUEUE_OUT_OF_ORDER_EXEC_MODE_ENABLE, &e);
    if (wild) { /* optional in OpenCL */
        assert_fails(SEPCL_INVALID, "out of order", clx_open(&(clx_desc){.queue = wild}, &y));
        assert_null(y);
        clReleaseCommandQueue(wild);
    }
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
}

static void borrowed_without_profiling(void **state)
{
    cl_context       context;
    cl_command_queue queue;
    clx             *y;
    (void)state;
    make_foreign(0, &context, &queue);
    log_keep();
    assert_ok(clx_open(&(clx_desc){.queue = queue, .profile = true}, &y));
    assert_false(y->profile);
    assert_non_null(strstr(scratch_log, "CL_QUEUE_PROFILING_ENABLE"));
    log_set(NULL, NULL, SEPCL_LOG_OFF);
    clx_close(y);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
}

/* A queue of a part of a device: no device of the list, yet known well enough. */
static void borrowed_sub_device(void **state)
{
    const cl_device_partition_property equally[] = {CL_DEVICE_PARTITION_EQUALLY, 1, 0};
    cl_device_id                       part[64];
    cl_uint                            n = 0;
    cl_int                             e;
    clx                               *y;
    (void)state;
    if (clCreateSubDevices(x->device, equally, 64, part, &n) != CL_SUCCESS || n == 0)
        skip();
    cl_context       context = clCreateContext(NULL, 1, part, NULL, NULL, &e);
    cl_command_queue queue = clCreateCommandQueue(context, part[0], 0, &e);
    assert_int_equal(e, CL_SUCCESS);
    assert_ok(clx_open(&(clx_desc){.queue = queue}, &y));
    assert_int_equal(clx_caps(y)->compute_units, 1);
    assert_int_equal(clx_caps(y)->type, clx_caps(x)->type);
    clx_close(y);
    clReleaseCommandQueue(queue);
    clReleaseContext(context);
    for (cl_uint i = 0; i < n && i < 64; i++)
        clReleaseDevice(part[i]);
}

static void closing_nothing(void **state)
{
    clx *y;
    (void)state;
    clx_close(NULL);
    assert_fails(SEPCL_INVALID, "device index 999", clx_open(&(clx_desc){.device = 999}, &y));
    assert_null(y);
}

/* ---------------------------------------------------------------- times */

static void times_that_make_no_sense(void **state)
{
    uint64_t q = 1, s = 1, e = 1;
    (void)state;
    assert_true(event_times_make_sense(5, 6, 7));
    assert_true(event_times_make_sense(5, 5, 5));
    assert_false(event_times_make_sense(0, 6, 7));
    assert_false(event_times_make_sense(5, 7, 6));
    assert_false(event_times_make_sense(7, 6, 8));
    assert_false(event_times_make_sense(5, 0, 0));
    clx_event_times(x, NULL, &q, &s, &e);
    assert_true(q == 0 && s == 0 && e == 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write_read),
        cmocka_unit_test(map_unmap),
        cmocka_unit_test(sizes_that_cannot_be),
        cmocka_unit_test(parts),
        cmocka_unit_test(borrowed),
        cmocka_unit_test(borrowed_wrongly),
        cmocka_unit_test(borrowed_out_of_order),
        cmocka_unit_test(borrowed_without_profiling),
        cmocka_unit_test(borrowed_sub_device),
        cmocka_unit_test(closing_nothing),
        cmocka_unit_test(times_that_make_no_sense),
    };
    return cmocka_run_group_tests(tests, open_default, close_it);
}
