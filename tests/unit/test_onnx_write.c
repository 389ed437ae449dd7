/* SPDX-License-Identifier: Apache-2.0 */
/* Graphs of one node as ONNX files: what is not written and why, and what comes back when the rest is read again. That
   the numbers stay the same is held by golden.written. */
#include <math.h>

#include "import_test.h"

#include "graph_text.h"
#include "import/onnx_write.h"

/* Shapes of inputs; "c2x3": a constant, "i2x3": constant whole numbers. */
typedef struct row {
    op_kind     op;
    attrs       a;
    const char *in[6];
    const char *words; /* refused: what the sentence says; else the graph that comes back */
    epilogue    epi;
} row;

static graph *graph_of(const row *r)
{
    graph   *g;
    value_id in[6];
    int      n = 0;
    assert_ok(graph_create("one", &g));
    for (; n < 6 && r->in[n]; n++)
        in[n] = strcmp(r->in[n], "-") ? add_input(g, r->in[n]) : -1;
    const value_id y = graph_op(g, r->op, "n", &r->a, in, n);
    if (y < 0)
        test_fail("%s\n", error_sentence());
    g->nodes[0]->epi = r->epi;
    assert_ok(graph_output(g, y));
    return g;
}

static status write_graph(const graph *g, uint8_t **bytes, size_t *size)
{
    static const char *const inputs[] = {"a", "b", "c", "d", "e", "f"}, *const outputs[] = {"y"};
    return onnx_write_graph(g, &(onnx_ports){inputs, outputs}, bytes, size);
}

#define WINDOW(k) .kernel = {k, k}, .stride = {1, 1}, .dilation = {1, 1}
#define SIZED(h, w) .size = {h, w}, .scale = {(h) / 4.0, (w) / 4.0}
#define CHANGED "it has been changed by a pass"

static const row refused[] = {
    {OP_CONV, {.conv = {WINDOW(1), .group = 1, .out_channels = 2}}, {"1x4x4x3", "c6", "-", "c2"}, .words = CHANGED},
    {OP_CONV,
     {.conv = {WINDOW(1), .group = 1, .out_channels = 2}},
     {"1x4x4x3", "c6", "-", "-", "1x4x4x2"},
     .words = CHANGED},
    {OP_MATMUL, {.norm = {0, 0}}, {"2x3", "3x4", "2x4"}, .words = CHANGED},
    {OP_UNARY, {.unary = {{ACT_EXP, 0, 0}}}, {"2"}, .words = CHANGED, .epi = {.act = {ACT_CLAMP, 0, 6}}},
    {OP_UNARY, {.unary = {{ACT_EXP, 0, 0}}}, {"2"}, .words = CHANGED, .epi = {.act2 = {ACT_CLAMP, 0, 6}}},
    {OP_POOL,
     {.pool = {POOL_AVERAGE, .kernel = {2, 2}, .stride = {1, 1}, .dilation = {2, 1}}},
     {"1x4x4x1"},
     .words = "opset 17 has no dilations for it"},
    {OP_POOL,
     {.pool = {POOL_AVERAGE, .kernel = {2, 2}, .stride = {3, 3}, .dilation = {1, 1}, .ceil_mode = true,
               .count_include_pad = true}},
     {"1x4x4x1"},
     .words = "an average over ceil_mode's last window is not told alike everywhere"},
    {OP_BINARY, {.binary = {BINARY_PRELU}}, {"2x1", "2x3"}, .words = "ONNX broadcasts its slopes only"},
    {OP_INSTANCE_NORM, {.norm = {1e-5f, 0}}, {"2x4x3", "c3", "c3"}, .words = "it is of 3 dimensions; 4 are written"},
    {OP_LRN, {.lrn = {3, 1, 1, 1}}, {"2x3"}, .words = "it is of 2 dimensions; 4 are written"},
    {OP_PAD, {.pad = {.mode = PAD_WRAP, .before = {1}}}, {"4"}, .words = "opset 17 has no padding by wrapping"},
    {OP_RESIZE,
     {.resize = {.coordinates = RESIZE_HALF_PIXEL_SYMMETRIC, SIZED(2, 2)}},
     {"1x4x4x1"},
     .words = "opset 17 has no such coordinates for it"},
    {OP_RESIZE,
     {.resize = {.size = {3, 3}, .scale = {0.5, 0.5}}},
     {"1x4x4x1"},
     .words = "opset 17 does not let it keep the aspect"},
    {OP_WHERE, {.norm = {0, 0}}, {"2", "2", "2"}, .words = "it is not written"},
    {OP_GRID_SAMPLE,
     {.grid_sample = {SAMPLE_LINEAR, SAMPLE_ZEROS, false}},
     {"1x4x4x2", "1x2x2x2"},
     .words = "it is not written"},
};

static void test_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        graph       *g = graph_of(&refused[i]);
        uint8_t     *bytes;
        size_t       size;
        const status st = write_graph(g, &bytes, &size);
        if (st != SEPCL_UNSUPPORTED || bytes || !strstr(error_sentence(), refused[i].words) ||
            !strstr(error_sentence(), "node 'n'"))
            test_fail("%s, row %zu: %d, '%s' (want '%s')\n", op_name(refused[i].op), i, (int)st, error_sentence(),
                      refused[i].words);
        graph_destroy(g);
    }
}

/* Channels second are the file's, so that images get transposes at both ends. */
static const row written[] = {
    {OP_BATCH_NORM,
     {.norm = {1e-5f, 0}},
     {"2x4x3", "c3", "c3", "c3", "c3"},
     .words = "binary 2x4x3 [1x1x3] > 2x4x3\nbinary 2x4x3 [1x1x3] > 2x4x3\n"},
    {OP_BATCH_NORM,
     {.norm = {1e-5f, 0}},
     {"4x3", "c3", "c3", "c3", "c3"},
     .words = "batch_norm 4x3 [3] [3] [3] [3] > 4x3\n"},
    {OP_DENSE,
     {.dense = {3, 2, {.o = 3, .i = 1}}},
     {"4x3", "c6", "c2", "c2", "4x2"},
     .words = "dense 4x3 [3x2] > 4x2\nbinary 4x2 [1x2] > 4x2\nbinary 4x2 [1x2] > 4x2\nbinary 4x2 4x2 > 4x2\n"},
    {OP_LAYER_NORM, {.norm = {1e-5f, 1}}, {"4x3"}, .words = "layer_norm 4x3 [3] > 4x3\n"},
    {OP_LAYER_NORM, {.norm = {1e-5f, 1}}, {"4x3", "c3", "c3"}, .words = "layer_norm 4x3 [3] [3] > 4x3\n"},
    {OP_UNARY, {.unary = {{ACT_SWISH, 2, 0}}}, {"2"}, .words = "binary 2 [1] > 2\nunary 2 > 2\nbinary 2 2 > 2\n"},
    {OP_SLICE, {.slice = {.start = {3}, .size = {2}, .step = {-3}}}, {"4"}, .words = "slice 4 > 2\n"},
    {OP_TRANSPOSE, {.transpose = {{3, 0, 2, 1}}}, {"2x3x4x5"}, .words = "transpose 2x3x4x5 > 5x2x4x3\n"},
    {OP_GATHER, {.gather = {0}}, {"4x2", "i3"}, .words = "gather 4x2 [3] > 3x2\n"},
    {OP_REDUCE, {.reduce = {REDUCE_SUM, 2, false}}, {"4x2"}, .words = "reduce 4x2 > 4\n"},
    {OP_CAST, {.norm = {0, 0}}, {"4x2"}, .words = ""},
};

static void test_written(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof written / sizeof written[0]; i++) {
        graph   *g = graph_of(&written[i]);
        uint8_t *bytes;
        size_t   size;
        built    b;
        assert_ok(write_graph(g, &bytes, &size));
        assert_ok(build_file((pb){bytes, size, size}, 1, &b));
        if (strcmp(graph_lines(b.g), written[i].words) != 0) {
            print_error("%s, row %zu: '%s' instead of '%s'\n", op_name(written[i].op), i, graph_lines(b.g),
                        written[i].words);
            wrong++;
        }
        built_free(&b);
        graph_destroy(g);
    }
    assert_int_equal(wrong, 0);
}

/* Values of one name get names of their own. */
static void test_names(void **state)
{
    graph      *g;
    uint8_t    *bytes;
    size_t      size;
    built       b;
    const shape s = {1, {2}};
    const attrs a = {.unary = {{ACT_EXP, 0, 0}}};
    (void)state;
    assert_ok(graph_create("names", &g));
    value_id v = test_input(g, "y", &s);
    for (int i = 0; i < 20; i++)
        v = graph_op(g, OP_UNARY, "same", &a, &v, 1);
    assert_ok(graph_output(g, v));
    assert_ok(write_graph(g, &bytes, &size));
    assert_ok(build_file((pb){bytes, size, size}, 1, &b));
    assert_int_equal(count_nodes(b.g, OP_UNARY), 20);
    built_free(&b);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_written),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
