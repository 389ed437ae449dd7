/* SPDX-License-Identifier: Apache-2.0 */
/* The planner without a device: forms, work-groups, offsets, preferences. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#undef fail /* cmocka's; ours has the same name */

#include "ops/fused.h"
#include "pass/pass.h"
#include "plan/plan.h"

static caps cpu(void)
{
    return (caps){.type = SEPCL_DEVICE_CPU, .compute_units = 2, .max_work_group = 4096, .max_work_item = {4096, 4096, 4096},
                  .local_bytes = 1 << 20, .align_bytes = 128, .simd_width = 8, .vector_registers = 16,
                  .preferred_multiple = 1, .fma_gflops = 200, .bandwidth_gbs = 40};
}

static caps gpu(void)
{
    return (caps){.type = SEPCL_DEVICE_GPU, .compute_units = 40, .max_work_group = 256, .max_work_item = {256, 256, 64},
                  .local_bytes = 48 << 10, .local_is_real = true, .align_bytes = 512, .simd_width = 1,
                  .preferred_multiple = 32};
}

static value_id add_conv(graph *g, value_id x, int64_t out, int kh, int kw, bool depthwise, value_id residual)
{
    const int64_t  in = g->values[x].shape.dim[3], ci = depthwise ? 1 : in;
    const shape    w = SHAPE(out, ci, kh, kw);
    const attrs    a = {.conv = {.kernel = {kh, kw}, .stride = {1, 1}, .dilation = {1, 1},
                                 .pad = {kh / 2, kw / 2, kh / 2, kw / 2}, .group = depthwise ? (int)in : 1,
                                 .out_channels = (int)out, .w = {ci * kh * kw, (int64_t)kh * kw, kw, 1}}};
    const value_id slots[CONV_INPUTS] = {x, test_const(g, "w", &w), -1, -1, residual};
    const value_id y = graph_op(g, OP_CONV, "conv", &a, slots, CONV_INPUTS);
    assert_true(y >= 0);
    return y;
}

static graph *new_graph(value_id *x, int64_t h, int64_t w, int64_t c)
{
    graph      *g;
    const shape s = SHAPE(1, h, w, c);
    assert_int_equal(graph_create("test", &g), SEPCL_OK);
    *x = graph_input(g, "x", DT_F32, &s);
    return g;
}

static void finish(graph *g, value_id y, const caps *c)
{
    assert_int_equal(graph_output(g, y), SEPCL_OK);
    assert_int_equal(passes_run(g, &(pass_options){0}), SEPCL_OK);
    assert_int_equal(plan_forms(g, c, NULL), SEPCL_OK);
}

/* ------------------------------------------------------------------ forms */

static void separable_is_fused_on_a_cpu(void **state)
{
    (void)state;
    value_id   x;
    const caps c = cpu();
    graph     *g = new_graph(&x, 28, 28, 64);
    finish(g, add_conv(g, add_conv(g, x, 64, 3, 3, true, -1), 128, 1, 1, false, -1), &c);
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->nodes[0]->op, OP_SEPARABLE);
    assert_int_equal(g->nodes[0]->n_sub, 2);
    graph_destroy(g);
}

static void inverted_residual_is_fused_on_a_cpu(void **state)
{
    (void)state;
    value_id   x;
    const caps c = cpu();
    graph     *g = new_graph(&x, 56, 56, 24);
    value_id   wide = add_conv(g, add_conv(g, x, 144, 1, 1, false, -1), 144, 3, 3, true, -1);
    finish(g, add_conv(g, wide, 24, 1, 1, false, x), &c);
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->nodes[0]->op, OP_INVERTED);
    assert_int_equal(g->nodes[0]->in[FUSED_RES], x);
    graph_destroy(g);
}

static void spatial_pair_is_fused(void **state)
{
    (void)state;
    value_id   x;
    const caps c = cpu();
    graph     *g = new_graph(&x, 28, 28, 64);
    finish(g, add_conv(g, add_conv(g, x, 64, 5, 1, false, -1), 64, 1, 5, false, -1), &c);
    assert_int_equal(g->n_nodes, 1);
    assert_int_equal(g->nodes[0]->op, OP_SPATIAL_PAIR);
    graph_destroy(g);
}

static void a_value_with_two_readers_is_kept(void **state)
{
    (void)state;
    value_id   x;
    const caps c = cpu();
    graph     *g = new_graph(&x, 28, 28, 64);
    value_id   mid = add_conv(g, x, 64, 3, 3, true, -1), y = add_conv(g, mid, 128, 1, 1, false, -1);
    assert_int_equal(graph_output(g, mid), SEPCL_OK);
    finish(g, y, &c);
    assert_int_equal(g->n_nodes, 2);
    graph_destroy(g);
}

static void nothing_is_fused_beyond_the_local_memory(void **state)
{
    (void)state;
    value_id x;
    caps     c = cpu();
    c.local_bytes = 256;
    graph *g = new_graph(&x, 28, 28, 64);
    finish(g, add_conv(g, add_conv(g, x, 64, 3, 3, true, -1), 128, 1, 1, false, -1), &c);
    assert_int_equal(g->n_nodes, 2);
    graph_destroy(g);
}

/* ------------------------------------------------------------------ rows */

static void pointwise_takes_the_plain_product(void **state)
{
    (void)state;
    value_id   x;
    const caps devices[] = {cpu(), gpu()};
    for (int i = 0; i < 2; i++) {
        plan  *p;
        graph *g = new_graph(&x, 28, 28, 64);
        finish(g, add_conv(g, add_conv(g, x, 64, 3, 3, false, -1), 128, 1, 1, false, -1), &devices[i]);
        assert_int_equal(plan_create(g, &devices[i], NULL, &p), SEPCL_OK);
        assert_int_equal(p->n_steps, 2);
        assert_string_equal(p->steps[1].row->entry, "gemm");
        plan_destroy(p);
        graph_destroy(g);
    }
}

/* The row of a 3x3 convolution, and its last parameter. */
static const kernel_def *row_of_3x3(const caps *c, int64_t size, int64_t in, int64_t out, int stride, int *last)
{
    value_id x;
    plan    *p;
    graph   *g = new_graph(&x, size, size, in);
    value_id y = add_conv(g, x, out, 3, 3, false, -1);
    for (int i = 0; i < 2; i++)
        g->nodes[0]->a.conv.stride[i] = stride;
    g->values[y].shape = SHAPE(1, (size - 1) / stride + 1, (size - 1) / stride + 1, out);
    finish(g, y, c);
    assert_int_equal(plan_create(g, c, NULL, &p), SEPCL_OK);
    const kernel_def *row = p->steps[0].row;
    *last = p->steps[0].p[kernel_params(row) - 1];
    plan_destroy(p);
    graph_destroy(g);
    return row;
}

static void a_3x3_is_filtered_minimally_where_that_pays(void **state)
{
    (void)state;
    int        tile;
    const caps narrow = cpu(), other = gpu();
    caps       wide = cpu();
    wide.simd_width = 16;
    wide.vector_registers = 32;
    wide.fma_gflops = 500;
    const caps *cpus[] = {&narrow, &wide};
    for (int i = 0; i < 2; i++) {
        assert_string_equal(row_of_3x3(cpus[i], 56, 64, 64, 1, &tile)->entry, "winograd");
        assert_int_equal(tile, 4);
        assert_string_equal(row_of_3x3(cpus[i], 14, 256, 256, 1, &tile)->entry, "winograd");
        /* large tiles of few pixels would mean to read four times the weights for nothing */
        assert_string_equal(row_of_3x3(cpus[i], 7, 512, 512, 1, &tile)->entry, "winograd");
        assert_int_equal(tile, 2);
        assert_string_equal(row_of_3x3(cpus[i], 1, 512, 512, 1, &tile)->entry, "conv");
        assert_string_equal(row_of_3x3(cpus[i], 56, 64, 128, 2, &tile)->entry, "conv");
        assert_string_equal(row_of_3x3(cpus[i], 224, 3, 32, 2, &tile)->entry, "stem");
        assert_string_equal(row_of_3x3(cpus[i], 224, 3, 32, 1, &tile)->entry, "stem");
    }
    assert_string_equal(row_of_3x3(&other, 56, 64, 64, 1, &tile)->file, "conv");
    assert_string_equal(row_of_3x3(&other, 224, 3, 32, 2, &tile)->file, "conv");
}

/* The first step's row for a block of 56 x 56 pixels, 24 channels, and its tile. */
static const kernel_def *row_of_block(const caps *c, int p[PARAM_MAX])
{
    value_id x;
    plan    *made;
    graph   *g = new_graph(&x, 56, 56, 24);
    value_id wide = add_conv(g, add_conv(g, x, 144, 1, 1, false, -1), 144, 3, 3, true, -1);
    finish(g, add_conv(g, wide, 24, 1, 1, false, x), c);
    assert_int_equal(plan_create(g, c, NULL, &made), SEPCL_OK);
    const kernel_def *row = made->steps[0].row;
    memcpy(p, made->steps[0].p, PARAM_MAX * sizeof *p);
    plan_destroy(made);
    graph_destroy(g);
    return row;
}

static void a_narrow_projection_takes_halves_of_vectors_that_are_split(void **state)
{
    int  p[PARAM_MAX];
    caps c = cpu();
    (void)state;
    c.simd_width = 16;
    c.vector_registers = 32;
    for (int passes = 1; passes <= 2; passes++) {
        c.vector_passes = passes;
        assert_string_equal(row_of_block(&c, p)->entry, "inverted");
        assert_int_equal(p[TILE_V], passes == 2 ? 8 : 16);
        assert_int_equal(p[TILE_V] * p[TILE_NB + 1], 16); /* the expansion's */
    }
}

static void narrow_depthwise_rows_are_written_out(void **state)
{
    value_id   x;
    plan      *p;
    const caps c = cpu();
    (void)state;
    for (int size = 7; size <= 70; size += 63) {
        graph *g = new_graph(&x, size, size, 960);
        finish(g, add_conv(g, x, 960, 3, 3, true, -1), &c);
        assert_int_equal(plan_create(g, &c, NULL, &p), SEPCL_OK);
        assert_string_equal(p->steps[0].row->entry, size == 7 ? "depthwise_narrow" : "depthwise");
        plan_destroy(p);
        graph_destroy(g);
    }
}

static void work_groups_fit_the_device(void **state)
{
    (void)state;
    const caps c = gpu(), host = cpu();
    launch     k = {.dims = 2, .global = {100, 3, 1}};
    plan_work_group(&k, &c);
    assert_true(k.local[0] * k.local[1] * k.local[2] <= 256);
    assert_true(k.global[0] % k.local[0] == 0 && k.global[1] % k.local[1] == 0);
    assert_true(k.global[0] >= 100 && k.global[1] >= 3);
    launch one = {.dims = 1, .global = {100, 1, 1}};
    plan_work_group(&one, &host);
    assert_int_equal(one.local[0], 1);
    assert_int_equal(one.global[0], 100);
}

/* ------------------------------------------------------------------ memory */

static void offsets_never_overlap(void **state)
{
    (void)state;
    srand(7);
    for (int round = 0; round < 200; round++) {
        memory_record r[40];
        size_t        total, live = 0;
        for (int i = 0; i < 40; i++) {
            r[i].first = rand() % 30;
            r[i].last = r[i].first + rand() % 5;
            r[i].bytes = 1 + (size_t)(rand() % 5000);
        }
        assert_int_equal(memory_plan(r, 40, 128, &total), SEPCL_OK);
        for (int i = 0; i < 40; i++) {
            assert_int_equal(r[i].offset % 128, 0);
            assert_true(r[i].offset + r[i].bytes <= total);
            live += r[i].bytes;
            for (int k = 0; k < i; k++)
                if (r[i].first <= r[k].last && r[k].first <= r[i].last)
                    assert_true(r[i].offset + r[i].bytes <= r[k].offset || r[k].offset + r[k].bytes <= r[i].offset);
        }
        assert_true(total < live + 40 * 128); /* something is shared */
    }
}

static void sizes_beyond_the_address_space_are_refused(void **state)
{
    (void)state;
    size_t        total;
    memory_record r[2] = {{0, 1, SIZE_MAX - 5, 0}, {0, 1, 4096, 0}};
    assert_int_equal(memory_plan(r, 2, 128, &total), SEPCL_OUT_OF_MEMORY);
    r[0].bytes = SIZE_MAX / 2 + 1000;
    r[1].bytes = SIZE_MAX / 2;
    assert_int_equal(memory_plan(r, 2, 128, &total), SEPCL_OUT_OF_MEMORY);
}

static void views_share_memory(void **state)
{
    (void)state;
    value_id   x;
    plan      *p;
    const caps c = cpu();
    graph     *g = new_graph(&x, 4, 4, 8);
    value_id   y = add_conv(g, x, 8, 1, 1, false, -1);
    const shape flat = SHAPE(1, 128);
    value_id   v = graph_op(g, OP_RESHAPE, "view", &(attrs){.reshape.shape = flat}, &y, 1);
    finish(g, v, &c);
    assert_int_equal(plan_create(g, &c, NULL, &p), SEPCL_OK);
    assert_int_equal(p->n_steps, 1);
    assert_int_equal(p->values[v].offset, p->values[y].offset);
    plan_destroy(p);
    graph_destroy(g);
}

/* A view of an input may stand before the first node that needs the input as half. */
static void half_storage_keeps_the_order(void **state)
{
    (void)state;
    value_id    x;
    graph      *g = new_graph(&x, 4, 4, 8);
    const shape flat = SHAPE(1, 128);
    const attrs f = {.unary.f = {ACT_TANH, 0, 0}};
    value_id    v = graph_op(g, OP_RESHAPE, "view", &(attrs){.reshape.shape = flat}, &x, 1);
    value_id    a = graph_op(g, OP_UNARY, "a", &f, &x, 1), b = graph_op(g, OP_UNARY, "b", &f, &v, 1);
    assert_int_equal(graph_output(g, a), SEPCL_OK);
    assert_int_equal(graph_output(g, b), SEPCL_OK);
    assert_int_equal(passes_run(g, &(pass_options){.f16 = true}), SEPCL_OK);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(separable_is_fused_on_a_cpu),
        cmocka_unit_test(inverted_residual_is_fused_on_a_cpu),
        cmocka_unit_test(spatial_pair_is_fused),
        cmocka_unit_test(a_value_with_two_readers_is_kept),
        cmocka_unit_test(nothing_is_fused_beyond_the_local_memory),
        cmocka_unit_test(pointwise_takes_the_plain_product),
        cmocka_unit_test(a_3x3_is_filtered_minimally_where_that_pays),
        cmocka_unit_test(a_narrow_projection_takes_halves_of_vectors_that_are_split),
        cmocka_unit_test(narrow_depthwise_rows_are_written_out),
        cmocka_unit_test(work_groups_fit_the_device),
        cmocka_unit_test(offsets_never_overlap),
        cmocka_unit_test(sizes_beyond_the_address_space_are_refused),
        cmocka_unit_test(views_share_memory),
        cmocka_unit_test(half_storage_keeps_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
