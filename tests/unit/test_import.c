/* SPDX-License-Identifier: Apache-2.0 */
/* Files that are cut off, malformed, contradictory or too much, and how tensors are stored. */
#include <math.h>

#include "import/onnx.h"
#include "import/onnx_wire.h"
#include "import_test.h"

/* A small network with most parts of the format in it. */
static pb small_net(void)
{
    net m = {0};
    INPUT(&m, "x", -1, 3, 8, 8);
    WEIGHT(&m, "w", 0.1f, 4, 3, 3, 3);
    WEIGHT(&m, "b", 1, 4);
    INTS(&m, "shape", 0, -1);
    NODE_WITH(&m, "Conv", "c", "x,w,b", "v", ATTR_IS("pads", 1, 1, 1, 1), attr_s("auto_pad", "NOTSET"),
              attr_i("group", 1));
    NODE_WITH(&m, "Clip", "r", "v", "v2", attr_f("min", 0));
    NODE_WITH(&m, "Constant", "k", NULL, "two", attr_t("value", tensor_ramp("", 2, 1, &(int64_t){1})));
    NODE(&m, "Mul", "mul", "v2,two", "v3");
    NODE(&m, "Reshape", "flat", "v3,shape", "y");
    net_output(&m, "y");
    return net_finish(&m, 10);
}

static status try_bytes(const uint8_t *p, size_t n)
{
    return model_try_copy(&(model_bytes){p, n, "test.onnx", 2, 2});
}

static void whole(void **state)
{
    pb file = small_net();
    (void)state;
    assert_ok(try_bytes(file.p, file.n));
    free(file.p);
}

static void cut_anywhere(void **state)
{
    pb file = small_net();
    (void)state;
    for (size_t n = 0; n < file.n; n++) {
        const status st = try_bytes(file.p, n);
        if (st != SEPCL_BAD_FILE)
            test_fail("cut at %zu of %zu: %d, %s\n", n, file.n, st, error_sentence());
    }
    free(file.p);
}

/* Every byte replaced by others: any answer but a crash, and with a sentence. */
static void changed_anywhere(void **state)
{
    static const uint8_t masks[] = {1, 2, 4, 8, 16, 32, 64, 128, 255};
    pb                   file = small_net();
    (void)state;
    for (size_t i = 0; i < file.n; i++)
        for (size_t k = 0; k < sizeof masks; k++) {
            const uint8_t was = file.p[i];
            file.p[i] ^= masks[k];
            const status st = try_bytes(file.p, file.n);
            assert_true(st == SEPCL_OK || st == SEPCL_BAD_FILE || st == SEPCL_UNSUPPORTED);
            assert_true(st == SEPCL_OK || strncmp(error_sentence(), "test.onnx: ", 11) == 0);
            file.p[i] = was;
        }
    free(file.p);
}

static void not_a_model(void **state)
{
    (void)state;
    static const char *const texts[] = {"", "\n", "GIF89a", "%PDF-1.4", "\x89PNG\r\n\x1a\n"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        assert_int_equal(try_bytes((const uint8_t *)texts[i], strlen(texts[i])), SEPCL_BAD_FILE);
    assert_int_equal(try_bytes((const uint8_t *)texts[2], strlen(texts[2])), SEPCL_BAD_FILE);
    assert_non_null(strstr(error_sentence(), "not a model of a known format"));
}

/* ---------------------------------------------------------------- the wire */

static void wire_limits(void **state)
{
    wire_field f;
    (void)state;
    /* a varint of eleven bytes; a length beyond the end; a field number of 0; an end of a group without a start */
    static const uint8_t long_varint[] = {8, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 1};
    static const uint8_t long_bytes[] = {10, 5, 1, 2, 3};
    static const uint8_t huge_bytes[] = {10, 255, 255, 255, 255, 255, 255, 255, 255, 127};
    static const uint8_t field_zero[] = {0, 0};
    static const uint8_t group_end[] = {12};
    static const uint8_t wrong_end[] = {11, 20};
    static const struct {
        const uint8_t *p;
        size_t         n;
    } rows[] = {{long_varint, sizeof long_varint}, {long_bytes, sizeof long_bytes}, {huge_bytes, sizeof huge_bytes},
                {field_zero, sizeof field_zero},   {group_end, sizeof group_end},   {wrong_end, sizeof wrong_end}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        wire w = wire_open((wire_bytes){rows[i].p, rows[i].n});
        assert_false(wire_next(&w, &f));
        assert_true(w.bad);
        assert_false(wire_whole((wire_bytes){rows[i].p, rows[i].n}));
    }
    static const uint8_t good[] = {8, 150, 1, 21, 1, 2, 3, 4, 11, 8, 1, 12, 26, 2, 'a', 'b'};
    wire                 w = wire_open((wire_bytes){good, sizeof good});
    assert_true(wire_next(&w, &f) && f.number == 1 && f.value == 150);
    assert_true(wire_next(&w, &f) && f.number == 2 && f.type == WIRE_32 && f.value == 0x04030201);
    assert_true(wire_next(&w, &f) && f.type == WIRE_GROUP);
    assert_true(wire_next(&w, &f) && wire_equal(f.bytes, "ab"));
    assert_false(wire_next(&w, &f) || w.bad);
}

static void group_bomb(void **state)
{
    uint8_t bytes[2 * 100000];
    (void)state;
    for (int depth = 1; depth <= 100000; depth *= 10) {
        memset(bytes, 11, (size_t)depth);
        memset(bytes + depth, 12, (size_t)depth);
        assert_int_equal(wire_whole((wire_bytes){bytes, (size_t)(2 * depth)}), depth <= WIRE_DEPTH);
    }
}

/* Three thousand graphs inside each other, as branches of If: refused by name, without looking into them. */
static void graph_bomb(void **state)
{
    pb inner = {0};
    (void)state;
    for (int i = 0; i < 3000; i++) {
        pb attr = attr_begin("then_branch", 5), choice, graph_bytes = {0};
        pb_message(&attr, 6, inner);
        choice = node_begin("If", "deep", "x", "y");
        pb_message(&choice, 5, attr);
        pb_message(&graph_bytes, 1, choice);
        inner = graph_bytes;
    }
    net m = {inner};
    INPUT(&m, "x", 1);
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "node 'deep' (If): control flow");
}

/* ---------------------------------------------------------------- names and order */

static void names_and_order(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 3);
    NODE(&m, "Relu", "a", "later", "y");
    NODE(&m, "Relu", "b", "x", "later");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "node 'a' (Relu) reads 'later', which nothing before it makes");
    INPUT(&m, "x", 1, 3);
    NODE(&m, "Relu", "a", "y", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "reads 'y'");
    INPUT(&m, "x", 1, 3);
    NODE(&m, "Relu", "a", "x", "y");
    NODE(&m, "Abs", "b", "x", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "are called 'y'");
    INPUT(&m, "x", 1, 3);
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "output 'y' is made by no node");
    INPUT(&m, "x", 1, 3);
    NODE(&m, "Relu", "a", "x", "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "no outputs");
    INPUT(&m, "x", 1, 3);
    NODE(&m, "Add", "a", "x,", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "node 'a' (Add): input 1 is missing");
    INPUT(&m, "x", 1, 3);
    pb n = node_begin("Relu", "a", "x", NULL);
    pb_bytes(&n, 2, "y\0z", 3);
    pb_message(&m.graph, 1, n);
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "0 byte");
}

static void opsets(void **state)
{
    static const struct {
        int64_t     opset;
        status      want;
        const char *text;
    } rows[] = {
        {6, SEPCL_UNSUPPORTED, "the model has opset 6; 7 to"},
        {99, SEPCL_UNSUPPORTED, "the model has opset 99"},
        {0, SEPCL_BAD_FILE, "does not say its opset"},
        {-1, SEPCL_UNSUPPORTED, "the model has opset -1"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net m = {0};
        INPUT(&m, "x", 1, 3);
        NODE(&m, "Relu", "a", "x", "y");
        net_output(&m, "y");
        check_refused(&m, rows[i].opset, rows[i].want, rows[i].text);
    }
}

/* Parts of a file that are rare: other domains, two graphs, ports of other kinds, outputs of one name, nodes without
 * any. */
static void rare_parts(void **state)
{
    net m = {0};
    pb  import = {0}, other = {0}, kind = {0}, port = {0}, file;
    (void)state;
    for (int twice = 0; twice < 2; twice++) {
        INPUT(&m, "x", 1, 3);
        pb n = node_begin("Relu", "a", "x", "y");
        pb_text(&n, 7, "ai.onnx"); /* the standard's domain by its name */
        pb_message(&m.graph, 1, n);
        net_output(&m, "y");
        file = net_finish(&m, 0);
        import = other = (pb){0};
        pb_text(&import, 1, "ai.onnx");
        pb_int(&import, 2, 13);
        pb_message(&file, 8, import);
        pb_text(&other, 1, "com.example");
        pb_int(&other, 2, 1);
        pb_message(&file, 8, other);
        if (twice)
            pb_message(&file, 7, (pb){0});
        built        b;
        const status st = build_file(file, 1, &b);
        if (twice ? st != SEPCL_BAD_FILE || !strstr(error_sentence(), "the file has two graphs") : st != SEPCL_OK)
            test_fail("%d, %s\n", st, error_sentence());
        built_free(&b);
    }
    INPUT(&m, "x", 1, 3);
    pb_text(&port, 1, "s");
    pb_message(&kind, 4, (pb){0}); /* a sequence */
    pb_message(&port, 2, kind);
    pb_message(&m.graph, 11, port);
    NODE(&m, "Relu", "a", "x", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "'s' is a sequence, a map, an optional or a sparse tensor");
    INPUT(&m, "x", 1, 3);
    NODE(&m, "Relu", "a", "x", "y");
    net_output(&m, "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_BAD_FILE, "two outputs are called 'y'");
    INPUT(&m, "x", 1, 3);
    NODE(&m, "Relu", "a", "x", "y,z");
    NODE(&m, "Add", "b", "y,z", "v");
    net_output(&m, "v");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "output 1, 'z', is used, but only 1 of the op's outputs are supported");
    INPUT(&m, "x", 1, 3);
    NODE(&m, "LayerNormalization", "a", "x,w", ",mean"); /* the outputs that are there */
    WEIGHT(&m, "w", 1, 3);
    net_output(&m, "mean");
    check_lines(&m, 17, "reduce 1x3 > 1x1\n");
}

/* ---------------------------------------------------------------- inputs */

static void inputs(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", -1, 3, 0, 5); /* 0 is written for what is free */
    INPUT(&m, "w", 3, 1, 1);     /* listed as an input, as early files do, but an initializer */
    WEIGHT(&m, "w", 1, 3, 1, 1);
    net_port(&m, 11, "unused", 7, 1, &(int64_t){4});
    NODE(&m, "Mul", "a", "x,w", "y");
    net_output(&m, "y");
    built b;
    assert_ok(build_file(net_finish(&m, 13), 2, &b));
    assert_int_equal(model_file_inputs(b.model), 2);
    const file_tensor *x = model_file_input(b.model, 0);
    assert_string_equal(x->name, "x");
    assert_int_equal(x->type, DT_F32);
    assert_int_equal(x->shape.dim[0], -1);
    assert_string_equal(x->dim_names[0], "n");
    assert_int_equal(x->shape.dim[2], -1);
    assert_null(x->dim_names[2]);
    assert_string_equal(model_file_input(b.model, 1)->name, "unused");
    assert_output(b.g, 0, "2x3x2x5");
    /* shapes that do not agree with the file */
    graph *g;
    shape  given[2] = {{4, {2, 4, 2, 5}}, {1, {4}}};
    assert_fails(SEPCL_INVALID, "input 'x' has shape -1x3x-1x5 in the file (-1: free), but 2x4x2x5 was given",
                 model_file_build(b.model, given, &g));
    given[0] = (shape){3, {2, 3, 2}};
    assert_fails(SEPCL_INVALID, "was given", model_file_build(b.model, given, &g));
    given[0] = (shape){4, {2, 3, 0, 5}};
    assert_fails(SEPCL_INVALID, "was given", model_file_build(b.model, given, &g));
    given[0] = (shape){4, {1 << 20, 3, 1 << 20, 5}};
    assert_fails(SEPCL_UNSUPPORTED, "above the limit", model_file_build(b.model, given, &g));
    built_free(&b);
}

static void inputs_refused(void **state)
{
    net m = {0};
    (void)state;
    net_port(&m, 11, "x", 7, 1, &(int64_t){4});
    WEIGHT(&m, "w", 1, 4);
    NODE(&m, "Add", "a", "x,w", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "input 'x' is a tensor of type int64");
    net_port(&m, 11, "x", 1, -1, NULL);
    NODE(&m, "Relu", "a", "x", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "input 'x' has no shape");
    INPUT(&m, "x", 1, 1, 1, 1, 1, 1, 1, 1, 1);
    NODE(&m, "Relu", "a", "x", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "'x' has more than 8 dimensions");
    pb sequence = {0}, kind = {0}, port = {0};
    pb_int(&sequence, 1, 1);
    pb_message(&kind, 4, sequence);
    pb_text(&port, 1, "x");
    pb_message(&port, 2, kind);
    pb_message(&m.graph, 11, port);
    NODE(&m, "Relu", "a", "x", "y");
    net_output(&m, "y");
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "'x' is a sequence");
    INPUT(&m, "x", 1);
    NODE(&m, "Relu", "a", "x", "y");
    net_output(&m, "y");
    pb_message(&m.graph, 15, (pb){0});
    check_refused(&m, 13, SEPCL_UNSUPPORTED, "sparse initializers");
}

static void functions_and_training(void **state)
{
    static const int fields[] = {20, 25};
    (void)state;
    for (int i = 0; i < 2; i++) {
        pb file = small_net();
        pb_message(&file, fields[i], (pb){0});
        assert_int_equal(try_bytes(file.p, file.n), SEPCL_UNSUPPORTED);
        assert_non_null(strstr(error_sentence(), i ? "local functions" : "training information"));
        free(file.p);
    }
}

/* ---------------------------------------------------------------- tensors */

/* x + t for a tensor t of four elements; the result is the constant as the graph has it. */
static status add_tensor(pb tensor, float out[4])
{
    net   m = {0};
    built b;
    INPUT(&m, "x", 4);
    net_tensor(&m, tensor);
    NODE(&m, "Add", "a", "x,t", "y");
    net_output(&m, "y");
    const status st = build_file(net_finish(&m, 13), 1, &b);
    if (st == SEPCL_OK) {
        const value *v = &b.g->values[find_node(b.g, OP_BINARY)->in[1]];
        assert_int_equal(shape_count(&v->shape), 4);
        assert_true((uintptr_t)v->data % dtype_size(v->type) == 0);
        for (int i = 0; i < 4; i++)
            out[i] = data_float(v->type, v->data, i);
    }
    built_free(&b);
    return st;
}

static void check_floats(pb tensor, float a, float b, float c, float d)
{
    float v[4] = {0};
    assert_ok(add_tensor(tensor, v));
    assert_true(v[0] == a && v[1] == b && v[2] == c && v[3] == d);
}

static void float_storage(void **state)
{
    static const float    f[] = {1, -2, 0.5f, 1e30f};
    static const double   d[] = {1, -2, 0.5, 1e300};
    static const uint16_t half[] = {0x3c00, 0xc000, 0x3800, 0x7c00}, bfloat[] = {0x3f80, 0xc000, 0x3f00, 0x7f80};
    const int64_t         four = 4;
    (void)state;
    /* raw, at every alignment: the name's length moves the data */
    for (int shift = 0; shift < 9; shift++) {
        pb t = tensor_begin("t", 1, 1, &four);
        pb_bytes(&t, 12, "123456789", (size_t)shift);
        pb_bytes(&t, 9, f, sizeof f);
        check_floats(t, 1, -2, 0.5f, 1e30f);
    }
    pb t = tensor_begin("t", 1, 1, &four); /* packed, in two pieces */
    pb_bytes(&t, 4, f, 12);
    pb_bytes(&t, 4, f + 3, 4);
    check_floats(t, 1, -2, 0.5f, 1e30f);
    t = tensor_begin("t", 1, 1, &four); /* not packed */
    for (int i = 0; i < 4; i++)
        pb_float(&t, 4, f[i]);
    check_floats(t, 1, -2, 0.5f, 1e30f);
    t = tensor_begin("t", 11, 1, &four);
    pb_bytes(&t, 9, d, sizeof d);
    check_floats(t, 1, -2, 0.5f, INFINITY);
    t = tensor_begin("t", 11, 1, &four);
    pb_bytes(&t, 10, d, sizeof d);
    check_floats(t, 1, -2, 0.5f, INFINITY);
    t = tensor_begin("t", 10, 1, &four);
    pb_bytes(&t, 9, half, sizeof half);
    check_floats(t, 1, -2, 0.5f, INFINITY);
    t = tensor_begin("t", 10, 1, &four); /* halves as integers */
    for (int i = 0; i < 4; i++)
        pb_int(&t, 5, half[i]);
    check_floats(t, 1, -2, 0.5f, INFINITY);
    t = tensor_begin("t", 16, 1, &four);
    pb_bytes(&t, 9, bfloat, sizeof bfloat);
    check_floats(t, 1, -2, 0.5f, INFINITY);
}

/* Half weights stay half; the file's bytes are used where they are aligned. */
static void weights_are_borrowed(void **state)
{
    static const uint16_t half[8] = {0x3c00};
    const int64_t         dims[] = {2, 4, 1, 1};
    (void)state;
    net m = {0};
    INPUT(&m, "x", 1, 4, 2, 2);
    pb t = tensor_begin("w", 10, 4, dims);
    pb_bytes(&t, 9, half, sizeof half);
    net_tensor(&m, t);
    WEIGHT(&m, "b", 1, 2);
    NODE(&m, "Conv", "c", "x,w,b", "y");
    net_output(&m, "y");
    built          b;
    const node    *n = build_one(&m, 13, OP_CONV, &b);
    const value   *w = &b.g->values[n->in[CONV_W]], *bias = &b.g->values[n->in[CONV_B]];
    const uint8_t *p = w->data, *q = bias->data;
    assert_int_equal(w->type, DT_F16);
    const bool inside = p >= b.file.p && p < b.file.p + b.file.n, inside_b = q >= b.file.p && q < b.file.p + b.file.n;
    /* where the bytes stand in the file decides */
    const uint8_t *raw = memmem(b.file.p, b.file.n, half, sizeof half);
    assert_non_null(raw);
    assert_int_equal(inside, (uintptr_t)raw % 2 == 0);
    const float    ramp[] = {0, 1};
    const uint8_t *raw_b = memmem(b.file.p, b.file.n, ramp, sizeof ramp);
    assert_non_null(raw_b);
    assert_int_equal(inside_b, (uintptr_t)raw_b % 4 == 0);
    built_free(&b);
}

static void integer_storage(void **state)
{
    static const struct {
        int    type, field;
        size_t size;
    } rows[] = {{7, 7, 8}, {6, 5, 4}, {3, 5, 1}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        for (int raw = 0; raw < 2; raw++) {
            static const int64_t want[] = {-1, 2, 3};
            pb                   t = tensor_begin("s", rows[i].type, 1, &(int64_t){3});
            uint8_t              bytes[24];
            for (int k = 0; k < 3; k++) {
                memcpy(bytes + (size_t)k * rows[i].size, &want[k], rows[i].size); /* little-endian */
                if (!raw)
                    pb_int(&t, rows[i].field, want[k]);
            }
            if (raw)
                pb_bytes(&t, 9, bytes, 3 * rows[i].size);
            net m = {0};
            INPUT(&m, "x", 4, 6);
            net_tensor(&m, t);
            NODE(&m, "Reshape", "r", "x,s", "y");
            net_output(&m, "y");
            check_lines(&m, 13, "reshape 4x6 > 4x2x3\n");
        }
}

static void tensor_contradictions(void **state)
{
    const int64_t four = 4, negative = -4, huge[] = {1 << 20, 1 << 20}, beyond[] = {INT64_MAX, INT64_MAX, 2};
    float         v[4];
    (void)state;
    pb t = tensor_begin("t", 1, 1, &four);
    pb_bytes(&t, 9, "123456789012345", 15);
    assert_fails(SEPCL_BAD_FILE, "initializer 't': raw data of 15 bytes, but float of shape 4 takes 16",
                 add_tensor(t, v));
    t = tensor_begin("t", 1, 1, &four);
    pb_bytes(&t, 9, "12345678901234567", 17);
    assert_fails(SEPCL_BAD_FILE, "raw data of 17 bytes", add_tensor(t, v));
    t = tensor_begin("t", 1, 1, &four);
    pb_float(&t, 4, 1);
    assert_fails(SEPCL_BAD_FILE, "1 elements of data, but shape 4 has 4", add_tensor(t, v));
    t = tensor_begin("t", 1, 1, &four);
    pb_bytes(&t, 4, "12345", 5);
    assert_fails(SEPCL_BAD_FILE, "tensor data breaks off or is malformed at byte", add_tensor(t, v));
    assert_fails(SEPCL_BAD_FILE, "0 elements of data", add_tensor(tensor_begin("t", 1, 1, &four), v));
    assert_fails(SEPCL_BAD_FILE, "negative dimension, -4", add_tensor(tensor_begin("t", 1, 1, &negative), v));
    assert_fails(SEPCL_BAD_FILE, "more elements than bytes", add_tensor(tensor_begin("t", 1, 2, huge), v));
    assert_fails(SEPCL_BAD_FILE, "more elements than bytes", add_tensor(tensor_begin("t", 1, 3, beyond), v));
    t = tensor_begin("t", 1, 2, huge);
    pb_int(&t, 14, 1); /* in another file, which may be as large */
    assert_fails(SEPCL_UNSUPPORTED, "more than 2147483647 elements", add_tensor(t, v));
    assert_fails(SEPCL_UNSUPPORTED, "elements of type string", add_tensor(tensor_begin("t", 8, 1, &four), v));
    assert_fails(SEPCL_UNSUPPORTED, "elements of type", add_tensor(tensor_begin("t", 77, 1, &four), v));
    assert_fails(SEPCL_UNSUPPORTED, "elements of type", add_tensor(tensor_begin("t", -1, 1, &four), v));
}

/* A tensor that nothing reads may be of any type. */
static void unused_tensors(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 4);
    net_tensor(&m, tensor_begin("text", 8, 1, &(int64_t){4}));
    NODE(&m, "Relu", "r", "x", "y");
    net_output(&m, "y");
    check_lines(&m, 13, "unary 4 > 4\n");
}

/* The list of what is supported: named once each, from an opset that is supported. */
static void support_list(void **state)
{
    int         n = 0, first;
    const char *note, *name, *other;
    (void)state;
    for (; (name = onnx_op_support(n, &first, &note)); n++) {
        assert_true(name[0] && first >= 7 && first <= 28);
        assert_non_null(note);
        for (int i = 0; i < n; i++) {
            other = onnx_op_support(i, NULL, NULL);
            assert_string_not_equal(name, other);
        }
    }
    assert_true(n > 90);
    assert_null(onnx_op_support(-1, NULL, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(not_a_model),
        cmocka_unit_test(wire_limits),
        cmocka_unit_test(group_bomb),
        cmocka_unit_test(graph_bomb),
        cmocka_unit_test(names_and_order),
        cmocka_unit_test(opsets),
        cmocka_unit_test(rare_parts),
        cmocka_unit_test(inputs),
        cmocka_unit_test(inputs_refused),
        cmocka_unit_test(functions_and_training),
        cmocka_unit_test(float_storage),
        cmocka_unit_test(weights_are_borrowed),
        cmocka_unit_test(integer_storage),
        cmocka_unit_test(tensor_contradictions),
        cmocka_unit_test(unused_tensors),
        cmocka_unit_test(support_list),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
