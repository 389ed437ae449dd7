/* SPDX-License-Identifier: Apache-2.0 */
/* TFLite files: what becomes of their operators, what is refused, and files that are cut off, malformed or too much. */
#include "bounds.h"
#include "model_bytes.h"

#include "import/flat.h"
#include "import/tflite_model.h"
#include "ir/op.h"
#include "tflite_writer.h"

/* ---------------------------------------------------------------- building */

typedef struct built {
    fw          file;
    model_file *model;
    graph      *g;
} built;

static void built_free(built *b)
{
    graph_destroy(b->g);
    model_file_close(b->model);
    free(b->file.p);
    *b = (built){0};
}

/* Free dimensions become 2. Takes the file. */
static status build_file(fw file, built *b)
{
    *b = (built){.file = file};
    return model_starve_and_build(&(model_bytes){file.p, file.n, "test.tflite", 2, 2}, &b->model, &b->g);
}

static void check_refused(const tfl *m, status want, const char *text)
{
    built        b;
    const status st = build_file(tfl_finish(m), &b);
    if (st != want || !strstr(error_sentence(), text) || strncmp(error_sentence(), "test.tflite: ", 13) != 0)
        test_fail("status %d (want %d), '%s' (want '%s')\n", st, want, error_sentence(), text);
    built_free(&b);
}

static int count_nodes(const graph *g, op_kind op)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++)
        n += g->nodes[i]->op == op;
    return n;
}

static const node *find_node(const graph *g, op_kind op)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == op)
            return g->nodes[i];
    test_fail("no node of op %d\n", (int)op);
    return NULL;
}

/* ---------------------------------------------------------------- a small network */

enum { CONV = TFLITE_CONV_2D, RELU = TFLITE_RELU, ADD = TFLITE_ADD };

static const float    weights[4 * 3 * 3 * 2] = {0.5f, 1, -1}, bias[4] = {1, 2, 3, 4};
static const uint16_t half[4] = {0x3c00, 0x4000, 0x4200, 0x4400};
static const int32_t  flat_shape[2] = {1, 36}, swap[4] = {0, 3, 1, 2}, back[4] = {0, 2, 3, 1};

/* y = reshape(relu(conv(x)) + half), with most parts of the format in it. */
static tfl small_net(void)
{
    tfl       m = {0};
    const int x = tfl_add(&m, (tfl_tensor){.name = "x", .rank = 4, .dim = {1, 5, 6, 2}, .free = {-1, 5, 6, 2}});
    const int w = TFL_CONST(&m, "w", T_FLOAT32, weights, 4, 4, 3, 3, 2);
    const int b = TFL_CONST(&m, "b", T_FLOAT32, bias, 1, 4);
    const int h = TFL_CONST(&m, "h", T_FLOAT16, half, 1, 4);
    const int s = TFL_CONST(&m, "s", T_INT32, flat_shape, 1, 2);
    const int c = TFL_VALUE(&m, "c", 4, 1, 3, 3, 4), f = TFL_VALUE(&m, "f", 1, 4),
              a = TFL_VALUE(&m, "a", 4, 1, 3, 3, 4);
    const int y = TFL_VALUE(&m, "y", 2, 1, 36);
    TFL_OP(&m, .code = CONV, .n_in = 3, .in = {x, w, b}, .n_out = 1, .out = {c}, .options_type = 1, .n_options = 6,
           .options = {0, 2, 2, 1, 1, 1});
    TFL_OP(&m, .code = TFLITE_DEQUANTIZE, .n_in = 1, .in = {h}, .n_out = 1, .out = {f});
    TFL_OP(&m, .code = ADD, .n_in = 2, .in = {c, f}, .n_out = 1, .out = {a}, .options_type = 11, .n_options = 1,
           .options = {3});
    TFL_OP(&m, .code = TFLITE_RESHAPE, .n_in = 2, .in = {a, s}, .n_out = 1, .out = {y});
    tfl_ends(&m, x, y);
    return m;
}

static void whole(void **state)
{
    const tfl m = small_net();
    built     b;
    (void)state;
    assert_fails(SEPCL_BAD_FILE, "reshaped", build_file(tfl_finish(&m), &b)); /* two images, and a shape for one */
    built_free(&b);
    tfl one = m;
    one.tensors[0].free[0] = 0;
    assert_ok(build_file(tfl_finish(&one), &b));
    const node *conv = find_node(b.g, OP_CONV);
    assert_string_equal(conv->name, "c");
    assert_int_equal(conv->a.conv.out_channels, 4);
    assert_int_equal(conv->a.conv.pad[0] + conv->a.conv.pad[1], 1);
    assert_int_equal(conv->a.conv.pad[2] + conv->a.conv.pad[3], 2);
    assert_int_equal(count_nodes(b.g, OP_TRANSPOSE), 0);
    assert_int_equal(count_nodes(b.g, OP_CAST), 0);
    /* weights, also those of half, are read where the file has them */
    for (int i = 0; i < b.g->n_values; i++)
        if (b.g->values[i].data)
            assert_in_range((uintptr_t)b.g->values[i].data, (uintptr_t)b.file.p, (uintptr_t)b.file.p + b.file.n);
    assert_string_equal(model_file_input(b.model, 0)->name, "x");
    assert_string_equal(model_file_output(b.model, 0)->name, "y");
    built_free(&b);
}

static void free_batch(void **state)
{
    tfl   m = small_net();
    built b;
    (void)state;
    m.n_ops--; /* without the reshape */
    m.outputs[0] = 7;
    assert_ok(build_file(tfl_finish(&m), &b));
    char text[SHAPE_TEXT];
    assert_string_equal(shape_text(&model_file_input(b.model, 0)->shape, text), "-1x5x6x2");
    assert_string_equal(shape_text(&b.g->values[b.g->outputs[0]].shape, text), "2x3x3x4");
    built_free(&b);
}

/* Memory that begins anywhere: constants are copied where their alignment asks for it. */
static void anywhere_in_memory(void **state)
{
    tfl m = small_net();
    m.tensors[0].free[0] = 0;
    const fw file = tfl_finish(&m);
    uint8_t *room = malloc(file.n + 1);
    (void)state;
    assert_non_null(room);
    memcpy(room + 1, file.p, file.n);
    model_file *f;
    graph      *g;
    assert_ok(model_file_open_memory(room + 1, file.n, "test.tflite", &f));
    assert_ok(model_file_build(f, &(shape){4, {1, 5, 6, 2}}, &g));
    const value *w = &g->values[find_node(g, OP_CONV)->in[CONV_W]];
    assert_int_equal((uintptr_t)w->data % sizeof(float), 0);
    assert_memory_equal(w->data, weights, sizeof weights);
    graph_destroy(g);
    model_file_close(f);
    free(room);
    free(file.p);
}

/* Transposes around layers rename axes; only the input's has to run. */
static void transposes_vanish(void **state)
{
    tfl       m = {0};
    const int x = TFL_VALUE(&m, "x", 4, 1, 2, 5, 6), order = TFL_CONST(&m, "back", T_INT32, back, 1, 4);
    const int w = TFL_CONST(&m, "w", T_FLOAT32, weights, 4, 4, 3, 3, 2), b = TFL_CONST(&m, "b", T_FLOAT32, bias, 1, 4);
    const int away = TFL_CONST(&m, "swap", T_INT32, swap, 1, 4);
    const int t = TFL_VALUE(&m, "t", 4, 0), c = TFL_VALUE(&m, "c", 4, 0), u = TFL_VALUE(&m, "u", 4, 0),
              r = TFL_VALUE(&m, "r", 4, 0);
    const int y = TFL_VALUE(&m, "y", 4, 0);
    built     built;
    (void)state;
    TFL_OP(&m, .code = TFLITE_TRANSPOSE, .n_in = 2, .in = {x, order}, .n_out = 1, .out = {t});
    TFL_OP(&m, .code = CONV, .n_in = 3, .in = {t, w, b}, .n_out = 1, .out = {c}, .options_type = 1, .n_options = 3,
           .options = {0, 1, 1});
    TFL_OP(&m, .code = TFLITE_TRANSPOSE, .n_in = 2, .in = {c, away}, .n_out = 1, .out = {u});
    TFL_OP(&m, .code = TFLITE_LOGISTIC, .n_in = 1, .in = {u}, .n_out = 1, .out = {r});
    TFL_OP(&m, .code = TFLITE_TRANSPOSE, .n_in = 2, .in = {r, order}, .n_out = 1, .out = {y});
    tfl_ends(&m, x, y);
    assert_ok(build_file(tfl_finish(&m), &built));
    assert_int_equal(count_nodes(built.g, OP_TRANSPOSE), 1);
    built_free(&built);
}

/* ---------------------------------------------------------------- what is refused */

/* One operator of this kind on x. */
static tfl one_op(int code, int options_type, int n_options, const int64_t *options)
{
    tfl       m = {0};
    const int x = TFL_VALUE(&m, "x", 4, 1, 4, 4, 2), y = TFL_VALUE(&m, "y", 4, 1, 4, 4, 2);
    TFL_OP(&m, .code = code, .n_in = 1, .in = {x}, .n_out = 1, .out = {y}, .options_type = options_type,
           .n_options = n_options);
    for (int i = 0; i < n_options; i++)
        m.ops[0].options[i] = options[i];
    tfl_ends(&m, x, y);
    return m;
}

static void refused_ops(void **state)
{
    static const struct {
        int         code;
        const char *text;
    } rows[] = {
        {TFLITE_QUANTIZE, "node 'y' (QUANTIZE): quantised models are not supported"},
        {TFLITE_FAKE_QUANT, "node 'y' (FAKE_QUANT): quantised models"},
        {TFLITE_WHILE, "node 'y' (WHILE): it runs other subgraphs"},
        {TFLITE_CALL_ONCE, "node 'y' (CALL_ONCE): it runs other subgraphs"},
        {TFLITE_STABLEHLO_COMPOSITE, "(STABLEHLO_COMPOSITE): it runs other subgraphs"},
        {TFLITE_UNIDIRECTIONAL_SEQUENCE_LSTM, "(UNIDIRECTIONAL_SEQUENCE_LSTM): the op is not supported"},
        {5000, "node 'y' (op number 5000): the op is unknown"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const tfl m = one_op(rows[i].code, 0, 0, NULL);
        check_refused(&m, SEPCL_UNSUPPORTED, rows[i].text);
    }
    tfl m = one_op(TFLITE_CUSTOM, 0, 0, NULL);
    m.ops[0].custom = "Convolution2DTransposeBias";
    check_refused(&m, SEPCL_UNSUPPORTED,
                  "node 'y' (custom op 'Convolution2DTransposeBias'): custom ops are not supported");
    /* an operator that no output needs may be anything */
    m = one_op(RELU, 0, 0, NULL);
    const int z = TFL_VALUE(&m, "z", 4, 1, 4, 4, 2);
    TFL_OP(&m, .code = TFLITE_WHILE, .n_in = 1, .in = {0}, .n_out = 1, .out = {z});
    built b;
    assert_ok(build_file(tfl_finish(&m), &b));
    built_free(&b);
    m = one_op(RELU, 0, 0, NULL); /* nor does a subgraph that nothing calls matter */
    m.more_graphs = true;
    assert_ok(build_file(tfl_finish(&m), &b));
    built_free(&b);
}

static void refused_tensors(void **state)
{
    tfl m = one_op(RELU, 0, 0, NULL);
    (void)state;
    m.tensors[1].type = T_INT8;
    m.tensors[1].scaled = true;
    check_refused(&m, SEPCL_UNSUPPORTED,
                  "node 'y' (RELU): tensor 'y' is of type INT8; quantised models are not supported");
    m.tensors[1].scaled = false;
    m.tensors[1].type = T_STRING;
    check_refused(&m, SEPCL_UNSUPPORTED, "tensor 'y' is of type STRING, which is not supported");
    m.tensors[1].type = T_INT32;
    check_refused(&m, SEPCL_UNSUPPORTED, "output 'y' is of type INT32; only FLOAT32 is computed");
    m.tensors[1].type = T_FLOAT32;
    m.tensors[0].type = T_INT32;
    check_refused(&m, SEPCL_UNSUPPORTED, "input 'x' is a tensor of type INT32; inputs have to be FLOAT32");
    m.tensors[0].type = T_FLOAT32;
    m.tensors[1].rank = 9;
    check_refused(&m, SEPCL_UNSUPPORTED, "tensor 'y' has 9 dimensions, above the limit of 8");
    m = one_op(ADD, 11, 1, (int64_t[]){0});
    m.ops[0].in[m.ops[0].n_in++] = tfl_add(&m, (tfl_tensor){.name = "state", .rank = 1, .dim = {2}, .variable = true});
    check_refused(&m, SEPCL_UNSUPPORTED, "tensor 'state' keeps its value from run to run");
    m = one_op(RELU, 0, 0, NULL); /* a constant that no operator reads, given out as it is */
    m.outputs[m.n_outputs++] = TFL_CONST(&m, "k", T_INT8, "\1\2", 1, 3);
    check_refused(&m, SEPCL_UNSUPPORTED, "constant 'k' is of type INT8, which is not supported");
}

static void refused_options(void **state)
{
    static const struct {
        int         code, type, n;
        int64_t     options[6];
        status      want;
        const char *text;
    } rows[] = {
        {TFLITE_MAX_POOL_2D, 5, 6, {0, 1, 1, 2, 2, 4}, SEPCL_UNSUPPORTED, "fused activation number 4"},
        {TFLITE_MAX_POOL_2D, 5, 6, {0, 1, 0, 2, 2, 0}, SEPCL_BAD_FILE, "the vertical stride is 0"},
        {TFLITE_MAX_POOL_2D, 5, 6, {0, 1, 1, 70000, 2, 0}, SEPCL_UNSUPPORTED, "the window's width is 70000"},
        {TFLITE_MAX_POOL_2D, 5, 6, {2, 1, 1, 2, 2, 0}, SEPCL_BAD_FILE, "padding number 2 is unknown"},
        {TFLITE_MAX_POOL_2D, 0, 0, {0}, SEPCL_BAD_FILE, "the window's height is 0"},
        {TFLITE_MAX_POOL_2D, 1, 6, {0, 1, 1, 2, 2, 0}, SEPCL_BAD_FILE, "its options are of kind 1 instead of 5"},
        {TFLITE_DEPTH_TO_SPACE, 94, 1, {3}, SEPCL_BAD_FILE, "2 channels do not divide by blocks of 3x3"},
        {TFLITE_CONCATENATION, 10, 1, {7}, SEPCL_BAD_FILE, "axis 7 is outside a tensor of 4 dimensions"},
        {TFLITE_DEQUANTIZE, 0, 0, {0}, SEPCL_UNSUPPORTED, "'x' is not a float16 constant"},
        {TFLITE_RESHAPE, 0, 0, {0}, SEPCL_BAD_FILE, "the new shape is missing"},
        {ADD, 11, 1, {0}, SEPCL_BAD_FILE, "input 1 is missing"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const tfl m = one_op(rows[i].code, rows[i].type, rows[i].n, rows[i].options);
        check_refused(&m, rows[i].want, rows[i].text);
    }
}

static void refused_models(void **state)
{
    tfl m = one_op(RELU, 0, 0, NULL);
    (void)state;
    m.version = 2;
    check_refused(&m, SEPCL_UNSUPPORTED, "the file has version 2 of the format; 3 is supported");
    m = one_op(RELU, 0, 0, NULL);
    m.signature_graph = 1;
    check_refused(&m, SEPCL_UNSUPPORTED, "the signature 'decode' is in subgraph 1");
    m = one_op(RELU, 0, 0, NULL);
    m.ops[0].in[0] = 1;
    check_refused(&m, SEPCL_BAD_FILE, "operator 0, 'y', reads tensor 'y' before it is made");
    m = one_op(RELU, 0, 0, NULL);
    m.ops[m.n_ops++] = m.ops[0];
    check_refused(&m, SEPCL_BAD_FILE, "operator 1 makes tensor 'y', which has a value already");
    m = one_op(RELU, 0, 0, NULL);
    m.n_outputs = 0;
    check_refused(&m, SEPCL_BAD_FILE, "the model has no output");
    m = one_op(RELU, 0, 0, NULL);
    m.outputs[0] = tfl_add(&m, (tfl_tensor){.name = "nowhere", .rank = 1, .dim = {3}});
    check_refused(&m, SEPCL_BAD_FILE, "output 'nowhere' is made by no operator");
    m = one_op(RELU, 0, 0, NULL);
    m.ops[0].in[0] = 99;
    check_refused(&m, SEPCL_BAD_FILE, "entry 0 of a list names tensor 99, but there are 2");
    m = small_net();
    m.tensors[2].bytes = 12;
    check_refused(&m, SEPCL_BAD_FILE, "constant 'b' of shape 4 and type FLOAT32 has 12 bytes");
    m.tensors[2] = small_net().tensors[2];
    m.tensors[1].dim[3] = 1;
    m.tensors[1].bytes /= 2;
    m.tensors[0].dim[3] = m.tensors[0].free[3] = 3;
    check_refused(&m, SEPCL_BAD_FILE, "node 'c' (CONV_2D): weights of 4 output and 1 input channels");
}

/* ---------------------------------------------------------------- sparse constants */

static const float sparse_values[3] = {1, 2, 3};
static int32_t     order[2], block_map[1], segments[4], indices[3];
static int         n_order, n_blocks, first_size, first_format, indices_type, n_segments, n_levels;

/* Rows of 2 x 4: a dense level, then a sparse one. */
static void write_sparsity(fw *w, size_t from)
{
    const size_t at = FW_TABLE(w, 0, n_blocks ? 0 : FW_NONE, 0);
    fw_to_table(w, from, at);
    fw_vector(w, fw_field(at, 0), order, (size_t)n_order, 4);
    if (n_blocks)
        fw_vector(w, fw_field(at, 1), block_map, (size_t)n_blocks, 4);
    const size_t levels = fw_offsets(w, fw_field(at, 2), (size_t)n_levels);
    fw_to_table(w, levels, FW_TABLE(w, first_format, first_size));
    if (n_levels < 2)
        return;
    const size_t second = FW_TABLE(w, 1, 0, 1, 0, indices_type, 0);
    fw_to_table(w, levels + 4, second);
    const size_t begins = FW_TABLE(w, 0), places = FW_TABLE(w, 0);
    fw_to_table(w, fw_field(second, 3), begins);
    fw_to_table(w, fw_field(second, 5), places);
    fw_vector(w, fw_field(begins, 0), segments, (size_t)n_segments, 4);
    fw_vector(w, fw_field(places, 0), indices, 3, 4);
}

static tfl sparse_net(void)
{
    tfl       m = {0};
    const int x = TFL_VALUE(&m, "x", 2, 2, 4), d = TFL_VALUE(&m, "d", 2, 2, 4), y = TFL_VALUE(&m, "y", 2, 2, 4);
    const int s = tfl_add(&m, (tfl_tensor){.name = "s",
                                           .rank = 2,
                                           .dim = {2, 4},
                                           .data = sparse_values,
                                           .bytes = sizeof sparse_values,
                                           .sparsity = write_sparsity});
    TFL_OP(&m, .code = TFLITE_DENSIFY, .n_in = 1, .in = {s}, .n_out = 1, .out = {d});
    TFL_OP(&m, .code = ADD, .n_in = 2, .in = {x, d}, .n_out = 1, .out = {y});
    tfl_ends(&m, x, y);
    memcpy(order, (int32_t[]){0, 1}, sizeof order);
    memcpy(segments, (int32_t[]){0, 2, 3, 0}, sizeof segments);
    memcpy(indices, (int32_t[]){1, 3, 0}, sizeof indices);
    n_order = 2;
    n_blocks = 0;
    n_levels = first_size = 2;
    first_format = 0;
    n_segments = 3;
    indices_type = 1;
    return m;
}

static void sparse(void **state)
{
    static const float want[8] = {0, 1, 0, 2, 3, 0, 0, 0};
    tfl                m = sparse_net();
    built              b;
    (void)state;
    assert_ok(build_file(tfl_finish(&m), &b));
    assert_memory_equal(b.g->values[find_node(b.g, OP_BINARY)->in[1]].data, want, sizeof want);
    built_free(&b);
    m = sparse_net();
    memcpy(order, (int32_t[]){1, 0}, sizeof order); /* columns first, of which there are 4 */
    check_refused(&m, SEPCL_BAD_FILE, "sparse constant 's': a dimension has another extent");
    m = sparse_net();
    order[1] = 0;
    check_refused(&m, SEPCL_BAD_FILE, "its order of dimensions is no permutation");
    m = sparse_net();
    n_order = 1;
    check_refused(&m, SEPCL_BAD_FILE, "its order of dimensions does not suit its shape");
    m = sparse_net();
    n_blocks = 1;
    check_refused(&m, SEPCL_BAD_FILE, "its order of dimensions does not suit its shape");
    m = sparse_net();
    first_size = 1 << 30;
    check_refused(&m, SEPCL_BAD_FILE, "a dimension has another extent");
    for (int i = 0; i < 5; i++) {
        m = sparse_net();
        if (i == 0)
            indices[2] = 4; /* outside */
        else if (i == 1)
            segments[1] = 4; /* beyond the list */
        else if (i == 2)
            segments[0] = 1; /* leaves one out */
        else if (i == 3)
            segments[2] = 2; /* a value too many */
        else
            indices_type = 0;
        check_refused(&m, SEPCL_BAD_FILE, "its lists of positions and its values do not agree");
    }
    for (int i = 0; i < 2; i++) {
        m = sparse_net();
        order[1] = i ? -1 : 2; /* no axis at all */
        check_refused(&m, SEPCL_BAD_FILE, "its order of dimensions is no permutation");
    }
    for (int i = 0; i < 2; i++) {
        m = sparse_net();
        first_format = i ? -1 : 2;
        check_refused(&m, SEPCL_BAD_FILE, "a dimension is kept in an unknown way");
    }
    for (int i = 0; i < 5; i++) {
        m = sparse_net();
        if (i == 0)
            indices[2] = -1;
        else if (i == 1)
            segments[1] = -1;
        else if (i == 2)
            m.tensors[3].bytes -= 4; /* a value too few */
        else if (i == 3)
            n_segments = 2;
        else
            segments[2] = 4;
        check_refused(&m, SEPCL_BAD_FILE, "its lists of positions and its values do not agree");
    }
    m = sparse_net();
    n_levels = 1;
    check_refused(&m, SEPCL_BAD_FILE, "some of its dimensions are not described");
    m = sparse_net();
    m.tensors[3].type = T_INT32;
    check_refused(&m, SEPCL_UNSUPPORTED, "sparse constant 's' is of type INT32; only floats are supported");
    m = sparse_net();
    m.tensors[3].dim[0] = 0;
    check_refused(&m, SEPCL_BAD_FILE, "sparse constant 's': it has no elements");
    m = sparse_net();
    m.tensors[3].dim[0] = 1 << 20;
    m.tensors[3].dim[1] = 1 << 10;
    first_size = 1 << 20;
    check_refused(&m, SEPCL_UNSUPPORTED, "the limit is");
}

/* Rows of 2 x 4 in blocks of 1 x 2: rows and blocks of two columns dense, then the place in a block. */
static int block_size, block_axis, block_order[4];

static void write_blocks(fw *w, size_t from)
{
    const size_t at = FW_TABLE(w, 0, 0, 0);
    const int    sizes[3] = {2, 4 / (block_size > 0 ? block_size : 1), block_size};
    fw_to_table(w, from, at);
    fw_vector(w, fw_field(at, 0), block_order, (size_t)n_order, 4);
    fw_vector(w, fw_field(at, 1), (int32_t[]){block_axis, block_axis}, (size_t)n_order - 2, 4);
    const size_t levels = fw_offsets(w, fw_field(at, 2), (size_t)n_order);
    for (int i = 0; i < n_order; i++)
        fw_to_table(w, levels + 4 * (size_t)i, FW_TABLE(w, 0, sizes[i < 3 ? i : 2]));
}

static tfl block_net(void)
{
    static const float values[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    tfl                m = sparse_net();
    m.tensors[3].data = values;
    m.tensors[3].bytes = sizeof values;
    m.tensors[3].sparsity = write_blocks;
    memcpy(block_order, (int32_t[]){0, 1, 2, 3}, sizeof block_order);
    n_order = 3;
    block_size = 2;
    block_axis = 1;
    return m;
}

static void sparse_blocks(void **state)
{
    static const float want[8] = {1, 2, 3, 4, 5, 6, 7, 8};
    tfl                m = block_net();
    built              b;
    (void)state;
    assert_ok(build_file(tfl_finish(&m), &b));
    assert_memory_equal(b.g->values[find_node(b.g, OP_BINARY)->in[1]].data, want, sizeof want);
    built_free(&b);
    for (int i = 0; i < 3; i++) {
        m = block_net();
        block_size = (int[]){0, 3, 8}[i];
        check_refused(&m, SEPCL_BAD_FILE, "sparse constant 's': a block does not divide its dimension");
    }
    for (int i = 0; i < 3; i++) {
        m = block_net();
        block_axis = (int[]){-1, 2, 1}[i];
        n_order += i == 2; /* two blocks of one axis */
        check_refused(&m, SEPCL_BAD_FILE, "its blocks are not of different dimensions");
    }
}

/* Data behind all tables, as files of more than 2 GB have them, and outside the file. */
static void far_data(void **state)
{
    built b;
    tfl   m = small_net();
    (void)state;
    m.tensors[0].free[0] = 0;
    m.tensors[1].far = 1;
    assert_ok(build_file(tfl_finish(&m), &b));
    const value *w = &b.g->values[find_node(b.g, OP_CONV)->in[1]];
    assert_memory_equal(w->data, m.tensors[1].data, m.tensors[1].bytes);
    built_free(&b);
    m.tensors[1].far = 2;
    check_refused(&m, SEPCL_BAD_FILE, "from byte 18446744073709551615 on, but the file has");
    m.tensors[1].far = 3;
    check_refused(&m, SEPCL_BAD_FILE, "tensor 'w' is kept in");
    m = small_net();
    m.tensors[1].external = true;
    check_refused(&m, SEPCL_UNSUPPORTED, "tensor 'w' is kept outside the file, which is not supported");
}

/* ---------------------------------------------------------------- broken files */

static status try_bytes(const uint8_t *p, size_t n)
{
    return model_try_copy(&(model_bytes){p, n, "test.tflite", 2, 2});
}

static fw one_image(void)
{
    tfl m = small_net();
    m.tensors[0].free[0] = 0;
    return tfl_finish(&m);
}

static void cut_anywhere(void **state)
{
    const fw file = one_image();
    (void)state;
    assert_ok(try_bytes(file.p, file.n));
    for (size_t n = 0; n < file.n; n++) {
        const bounds b = bounds_open();
        const status st = try_bytes(file.p, n);
        if (st != SEPCL_BAD_FILE)
            test_fail("cut at %zu of %zu: %d, %s\n", n, file.n, st, error_sentence());
        bounds_check(&b, n, "a cut", n);
    }
    free(file.p);
}

/* Every count, offset and table size replaced. -1 and huge lead outside; 0 may make a smaller file that is all right.
 */
static void sizes_spoilt(void **state)
{
    static const uint32_t spoilt[] = {0xffffffffu, 0x7fffffffu, 0x40000000u, 0};
    fw                    file = one_image();
    (void)state;
    assert_true(file.n_sizes > 100);
    for (int i = 0; i < file.n_sizes; i++)
        for (size_t k = 0; k < sizeof spoilt / sizeof spoilt[0]; k++) {
            const size_t at = file.sizes[i] & ~(size_t)1, n = file.sizes[i] & 1 ? 2 : 4;
            uint32_t     was;
            memcpy(&was, file.p + at, n);
            /* halves of the number, so that it is -1, huge or 0 in two bytes too */
            memcpy(file.p + at, n == 2 ? (const uint8_t *)&spoilt[k] + 2 : (const uint8_t *)&spoilt[k], n);
            const bounds b = bounds_open();
            const status st = try_bytes(file.p, file.n);
            if (st != SEPCL_BAD_FILE && !(spoilt[k] == 0 && (st == SEPCL_OK || st == SEPCL_UNSUPPORTED)))
                test_fail("%#x at %zu: %d, %s\n", spoilt[k], at, st, error_sentence());
            bounds_check(&b, file.n, "a spoilt size", at);
            memcpy(file.p + at, &was, n);
        }
    free(file.p);
}

/* Every byte replaced by others: any answer but a crash, and with a sentence. */
static void changed_anywhere(void **state)
{
    static const uint8_t masks[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    fw                   file = one_image();
    (void)state;
    for (size_t i = 0; i < file.n; i++)
        for (size_t k = 0; k < sizeof masks; k++) {
            const uint8_t was = file.p[i];
            file.p[i] ^= masks[k];
            const status st = try_bytes(file.p, file.n);
            assert_true(st == SEPCL_OK || st == SEPCL_BAD_FILE || st == SEPCL_UNSUPPORTED);
            assert_true(st == SEPCL_OK || strncmp(error_sentence(), "test.tflite: ", 13) == 0);
            file.p[i] = was;
        }
    free(file.p);
}

/* A list of offsets that all lead to the same operator, whose own lists are long: the work would be their product. */
static void lists_shared(void **state)
{
    enum { MANY = 60000 };
    tfl m = one_op(TFLITE_ADD_N, 0, 0, NULL);
    fw  w = {0};
    (void)state;
    const size_t root = fw_u32(&w, 0);
    fw_raw(&w, "TFL3", 4);
    const size_t model = FW_TABLE(&w, 3, 0, 0, FW_NONE, 0);
    fw_to_table(&w, root, model);
    tfl_write_codes(&w, fw_field(model, 1), &m);
    tfl_write_buffers(&w, fw_field(model, 4), &m);
    const size_t graphs = fw_offsets(&w, fw_field(model, 2), 1), graph = FW_TABLE(&w, 0, 0, 0, 0);
    fw_to_table(&w, graphs, graph);
    const size_t tensors = fw_offsets(&w, fw_field(graph, 0), 2);
    for (int i = 0; i < 2; i++)
        tfl_write_tensor(&w, tensors + 4 * (size_t)i, &m.tensors[i], 0);
    fw_vector(&w, fw_field(graph, 1), m.inputs, 1, 4);
    fw_vector(&w, fw_field(graph, 2), m.outputs, 1, 4);
    const size_t ops = fw_offsets(&w, fw_field(graph, 3), MANY), op = FW_TABLE(&w, 0, 0, 0);
    for (size_t i = 0; i < MANY; i++)
        fw_set(&w, ops + 4 * i, (uint32_t)(op - (ops + 4 * i)));
    int32_t *list = calloc(MANY, sizeof *list);
    assert_non_null(list);
    fw_vector(&w, fw_field(op, 1), list, MANY, 4);
    fw_vector(&w, fw_field(op, 2), &(int32_t){1}, 1, 4);
    free(list);
    const bounds b = bounds_open();
    assert_int_equal(try_bytes(w.p, w.n), SEPCL_UNSUPPORTED);
    assert_non_null(strstr(error_sentence(), "list entries"));
    bounds_check(&b, w.n, "shared lists", 0);
    free(w.p);
}

static void not_flat(void **state)
{
    static const uint8_t rows[][16] = {
        {0, 0, 0, 0, 'T', 'F', 'L', '3'},                                  /* the root nowhere */
        {255, 255, 255, 255, 'T', 'F', 'L', '3'},                          /* outside */
        {12, 0, 0, 0, 'T', 'F', 'L', '3', 4, 0, 4, 0, 255, 255, 255, 127}, /* a field table before the file */
        {12, 0, 0, 0, 'T', 'F', 'L', '3', 4, 0, 4, 0, 0, 0, 0, 128},       /* behind it */
        {12, 0, 0, 0, 'T', 'F', 'L', '3', 5, 0, 4, 0, 4, 0, 0, 0},         /* of odd size */
        {12, 0, 0, 0, 'T', 'F', 'L', '3', 4, 0, 200, 0, 4, 0, 0, 0},       /* a table beyond the end */
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        flat f = {.p = rows[i], .n = sizeof rows[i]};
        assert_int_equal(flat_root(&f).at, 0);
        assert_true(f.bad);
        assert_int_equal(try_bytes(rows[i], sizeof rows[i]), SEPCL_BAD_FILE);
    }
    const uint8_t good[16] = {12, 0, 0, 0, 'T', 'F', 'L', '3', 4, 0, 4, 0, 4, 0, 0, 0};
    flat          f = {.p = good, .n = sizeof good};
    flat_table    t = flat_root(&f);
    assert_int_equal(t.at, 12);
    assert_int_equal(flat_i32(&t, 0, 7), 7);
    assert_string_equal(flat_text(&t, 3), "");
    assert_false(f.bad);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(free_batch),
        cmocka_unit_test(anywhere_in_memory),
        cmocka_unit_test(transposes_vanish),
        cmocka_unit_test(refused_ops),
        cmocka_unit_test(refused_tensors),
        cmocka_unit_test(refused_options),
        cmocka_unit_test(refused_models),
        cmocka_unit_test(sparse),
        cmocka_unit_test(sparse_blocks),
        cmocka_unit_test(far_data),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(sizes_spoilt),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(lists_shared),
        cmocka_unit_test(not_flat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
