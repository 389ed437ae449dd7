/* SPDX-License-Identifier: Apache-2.0 */
/* Passes: what is folded and fused, and what has to stay. */
#include "scratch.h"

#include "ir/op.h"
#include "pass/pass.h"

static graph *new_graph(value_id *x)
{
    graph      *g;
    const shape s = SHAPE(1, 8, 8, 4);
    assert_ok(graph_create("test", &g));
    *x = graph_input(g, "x", DT_F32, &s);
    return g;
}

static value_id add_conv(graph *g, value_id x, int k, int stride, int pad)
{
    const int64_t  in = g->values[x].shape.dim[3];
    const shape    w = SHAPE(4, in, k, k);
    const attrs    a = {.conv = {.kernel = {k, k},
                                 .stride = {stride, stride},
                                 .dilation = {1, 1},
                                 .pad = {pad, pad, pad, pad},
                                 .group = 1,
                                 .out_channels = 4,
                                 .w = {in * k * k, (int64_t)k * k, k, 1}}};
    const value_id y = graph_op(g, OP_CONV, "conv", &a, (value_id[]){x, test_const(g, "w", &w)}, 2);
    assert_true(y >= 0);
    return y;
}

static value_id add_pad(graph *g, value_id x, pad_mode mode, float value, const int64_t before[4],
                        const int64_t after[4])
{
    attrs a = {.pad = {.mode = mode, .value = value}};
    memcpy(a.pad.before, before, 4 * sizeof *before);
    memcpy(a.pad.after, after, 4 * sizeof *after);
    const value_id y = graph_op(g, OP_PAD, "pad", &a, &x, 1);
    assert_true(y >= 0);
    return y;
}

static value_id add_sum(graph *g, value_id a, value_id b)
{
    return graph_op(g, OP_BINARY, "sum", &(attrs){.binary.kind = BINARY_ADD}, (value_id[]){a, b}, 2);
}

static void run(graph *g)
{
    assert_ok(passes_run(g, &(pass_options){0}));
}

static int count(const graph *g, op_kind op)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++)
        n += g->nodes[i]->op == op;
    return n;
}

/* ---------------------------------------------------------------- padding */

static const int64_t none[4], top_left[4] = {0, 1, 2, 0}, bottom_right[4] = {0, 3, 0, 0}, channels[4] = {0, 0, 0, 4};

static void pad_goes_into_convolutions(void **state)
{
    value_id x;
    graph   *g = new_graph(&x), *plain = new_graph(&x);
    (void)state;
    const value_id p = add_pad(g, x, PAD_CONSTANT, 0, top_left, bottom_right);
    assert_ok(graph_output(g, add_conv(g, p, 3, 2, 1)));
    assert_ok(graph_output(g, add_conv(g, p, 5, 1, 0)));
    run(g);
    assert_int_equal(g->n_nodes, 2);
    const int *first = g->nodes[0]->a.conv.pad, *second = g->nodes[1]->a.conv.pad;
    assert_memory_equal(first, ((int[]){2, 3, 4, 1}), 4 * sizeof(int));
    assert_memory_equal(second, ((int[]){1, 2, 3, 0}), 4 * sizeof(int));
    assert_ok(graph_output(plain, add_conv(plain, add_pad(plain, x, PAD_CONSTANT, 0, top_left, none), 3, 1, 0)));
    assert_ok(passes_run(plain, &(pass_options){.no_fusion = true}));
    assert_int_equal(count(plain, OP_PAD), 1);
    graph_destroy(g);
    graph_destroy(plain);
}

static void pad_stays(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        value_id       x;
        graph         *g = new_graph(&x);
        const value_id p = i == 0   ? add_pad(g, x, PAD_CONSTANT, 1, top_left, none) /* not zeros */
                           : i == 1 ? add_pad(g, x, PAD_EDGE, 0, top_left, none)
                           : i == 2 ? add_pad(g, x, PAD_CONSTANT, 0, channels, none)
                                    : add_pad(g, x, PAD_CONSTANT, 0, top_left, none);
        assert_ok(graph_output(g, add_conv(g, p, 3, 1, 0)));
        if (i == 3) /* somebody else reads it */
            assert_ok(graph_output(g, graph_op(g, OP_UNARY, "abs", &(attrs){.unary.f.kind = ACT_ABS}, &p, 1)));
        if (i == 4)
            assert_ok(graph_output(g, p));
        run(g);
        assert_int_equal(count(g, OP_PAD), 1);
        graph_destroy(g);
    }
}

/* ---------------------------------------------------------------- residuals */

/* The shortcut's pool and pad stand behind the convolution; they move before it, and the sum goes into it. */
static void late_shortcut_is_fused(void **state)
{
    value_id x;
    graph   *g = new_graph(&x);
    (void)state;
    const value_id y = add_conv(g, add_conv(g, x, 3, 1, 1), 3, 2, 1);
    const attrs    pool = {.pool = {.kind = POOL_MAX, .kernel = {2, 2}, .stride = {2, 2}, .dilation = {1, 1}}};
    const value_id p = graph_op(g, OP_POOL, "pool", &pool, &x, 1);
    assert_ok(graph_output(g, add_sum(g, y, add_pad(g, p, PAD_CONSTANT, 0, none, none))));
    run(g);
    assert_int_equal(count(g, OP_BINARY), 0);
    const node *last = g->nodes[g->n_nodes - 1];
    assert_int_equal(last->op, OP_CONV);
    assert_true(last->in[CONV_RES] >= 0);
    assert_int_equal(g->nodes[g->values[last->in[CONV_RES]].producer]->op, OP_PAD);
    graph_destroy(g);
}

/* What depends on the convolution itself cannot come before it. */
static void own_shortcut_stays(void **state)
{
    value_id x;
    graph   *g = new_graph(&x);
    (void)state;
    const value_id y = add_conv(g, x, 3, 1, 1);
    const attrs    pool = {.pool = {.kind = POOL_MAX, .kernel = {1, 1}, .stride = {1, 1}, .dilation = {1, 1}}};
    const value_id p = graph_op(g, OP_POOL, "pool", &pool, &y, 1);
    const value_id s = graph_op(g, OP_BINARY, "product", &(attrs){.binary.kind = BINARY_MUL}, (value_id[]){y, p}, 2);
    assert_ok(graph_output(g, add_sum(g, s, p)));
    run(g);
    assert_int_equal(count(g, OP_CONV), 1);
    assert_true(count(g, OP_BINARY) >= 1);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pad_goes_into_convolutions),
        cmocka_unit_test(pad_stays),
        cmocka_unit_test(late_shortcut_is_fused),
        cmocka_unit_test(own_shortcut_stays),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
