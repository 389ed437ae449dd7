/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every number of a small file that says how much there is, or how large something is, set to 0, to -1 and to huge
 * values; and files that are small for what they ask. Each ends with a status and a sentence, and has taken no more
 * memory than twice its size and 16 MB, and less than a second.
 */
#include "bounds.h"
#include "import/onnx_model.h"
#include "onnx_writer.h"
#include "sepcl/sepcl.h"

/* Loads the bytes, in memory of their exact size, and checks what was promised. Nothing is left behind. */
static sepcl_status load(const uint8_t *p, size_t n, const char *what)
{
    uint8_t         *bytes = malloc(n ? n : 1);
    sepcl_model     *model;
    sepcl_model_desc d = {.name = "test.onnx"};
    assert_non_null(bytes);
    memcpy(bytes, p, n);
    const bounds       limits = bounds_open();
    const sepcl_status st = sepcl_model_load_memory(bytes, n, &d, &model);
    sepcl_model_destroy(model);
    bounds_check(&limits, n, what, 0);
    free(bytes);
    if (st != SEPCL_OK && strncmp(sepcl_last_error(), "test.onnx: ", 11) != 0)
        test_fail("%s: status %d with the sentence '%s'\n", what, st, sepcl_last_error());
    if (st != SEPCL_OK && st != SEPCL_BAD_FILE && st != SEPCL_UNSUPPORTED)
        test_fail("%s: status %d: %s\n", what, st, sepcl_last_error());
    return st;
}

/* ---------------------------------------------------------------- a file with all kinds of sizes in it */

static pb rich_net(void)
{
    net m = {0};
    INPUT(&m, "x", 1, 3, 8, 8);
    net_output(&m, "y");
    WEIGHT(&m, "w", 0.1f, 4, 3, 3, 3);
    WEIGHT(&m, "b", 1, 4);
    INTS(&m, "pads", 0, 0, 1, 0, 0, 0, 0, 1);
    INTS(&m, "sizes", 1, 4, 6, 6);
    INTS(&m, "shape", 4, 36);
    INTS(&m, "few", 2, 3);
    INTS(&m, "repeats", 1, 2);
    INTS(&m, "starts", 0);
    INTS(&m, "ends", 5);
    INTS(&m, "axes", 1);
    NODE_WITH(&m, "Conv", "c", "x,w,b", "c", ATTR_IS("pads", 1, 1, 1, 1), ATTR_IS("kernel_shape", 3, 3),
              ATTR_IS("strides", 1, 1), ATTR_IS("dilations", 1, 1), attr_i("group", 1));
    NODE(&m, "Pad", "pad", "c,pads", "p");
    NODE_WITH(&m, "MaxPool", "pool", "p", "q", ATTR_IS("kernel_shape", 2, 2), ATTR_IS("strides", 2, 2));
    NODE_WITH(&m, "Resize", "size", "q,,,sizes", "r", attr_s("mode", "cubic"));
    NODE(&m, "Reshape", "flat", "r,shape", "f");
    NODE(&m, "Tile", "tile", "f,repeats", "t");
    NODE(&m, "Slice", "cut", "t,starts,ends,axes", "s");
    NODE_WITH(&m, "ConstantOfShape", "fill", "few", "k", attr_t("value", tensor_ramp("", 1, 1, &(int64_t){1})));
    NODE(&m, "ReduceSum", "sum", "k", "k1");
    NODE(&m, "Add", "add", "s,k1", "y");
    return net_finish(&m, 13);
}

/* Which fields of which messages hold messages. */
typedef enum message {
    OTHER,
    MODEL,
    OPSET,
    GRAPH,
    NODE_,
    ATTRIBUTE,
    TENSOR,
    PORT,
    TYPE,
    TENSOR_TYPE,
    SHAPE_,
    DIM
} message;

static message inside(message m, uint32_t field)
{
    static const struct {
        message  outer;
        uint32_t field;
        message  inner;
    } rows[] = {{MODEL, 7, GRAPH}, {MODEL, 8, OPSET},      {GRAPH, 1, NODE_},        {GRAPH, 5, TENSOR},
                {GRAPH, 11, PORT}, {GRAPH, 12, PORT},      {NODE_, 5, ATTRIBUTE},    {ATTRIBUTE, 5, TENSOR},
                {PORT, 2, TYPE},   {TYPE, 1, TENSOR_TYPE}, {TENSOR_TYPE, 2, SHAPE_}, {SHAPE_, 1, DIM}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].outer == m && rows[i].field == field)
            return rows[i].inner;
    return OTHER;
}

typedef enum number_kind { NUMBER, LENGTH, EXTENT, ENTRY } number_kind;

/* Copies a file number by number, and writes the `target`-th as `with`. Lengths around it are those of what is there.
 */
typedef struct rewriting {
    int         at, target;
    uint64_t    with;
    number_kind kind; /* of the target: an attribute and the like, a length, a tensor's extent, an element of int64s */
    uint64_t    was;
} rewriting;

static uint64_t number(rewriting *r, uint64_t v, number_kind kind)
{
    if (r->at++ != r->target)
        return v;
    r->kind = kind;
    r->was = v;
    return r->with;
}

static void rewrite(pb *out, wire_bytes in, message m, rewriting *r);

static pb content(const wire_field *f, message m, rewriting *r)
{
    const message inner = inside(m, f->number);
    pb            b = {0};
    if (inner != OTHER)
        rewrite(&b, f->bytes, inner, r);
    else if (m == TENSOR && f->number == 9 && f->bytes.n % 8 == 0)
        for (size_t i = 0; i < f->bytes.n; i += 8) {
            uint64_t v;
            memcpy(&v, f->bytes.p + i, 8);
            v = number(r, v, ENTRY);
            pb_raw(&b, &v, 8);
        }
    else
        pb_raw(&b, f->bytes.p, f->bytes.n);
    return b;
}

static void rewrite(pb *out, wire_bytes in, message m, rewriting *r)
{
    wire       w = wire_open(in);
    wire_field f;
    while (wire_next(&w, &f)) {
        pb_varint(out, (uint64_t)f.number << 3 | f.type);
        if (f.type == WIRE_VARINT) {
            pb_varint(out, number(r, f.value, m == TENSOR && f.number == 1 ? EXTENT : NUMBER));
        } else if (f.type == WIRE_LENGTH) {
            pb b = content(&f, m, r);
            pb_varint(out, number(r, b.n, LENGTH));
            pb_raw(out, b.p, b.n);
            free(b.p);
        } else {
            pb_raw(out, f.bytes.p, f.bytes.n);
        }
    }
    assert_false(w.bad);
}

/* What must come of a file with one number changed; UNSUPPORTED goes where the file does not contradict itself. */
static void check_changed(sepcl_status st, const rewriting *r, size_t n, const char *what)
{
    const bool beyond = r->kind == LENGTH && r->with > n;
    if (r->with == r->was)
        assert_int_equal(st, SEPCL_OK);
    else if ((beyond || r->kind == EXTENT) && st != SEPCL_BAD_FILE)
        test_fail("%s: status %d instead of a bad file: %s\n", what, st, sepcl_last_error());
}

static void sizes_changed(void **state)
{
    static const uint64_t values[] = {0, UINT64_MAX, INT32_MAX, (uint64_t)1 << 31, (uint64_t)1 << 62, 1 << 20, 1000};
    pb                    file = rich_net();
    int                   refused = 0;
    (void)state;
    rewriting whole = {.target = -1};
    pb        same = {0};
    rewrite(&same, (wire_bytes){file.p, file.n}, MODEL, &whole);
    assert_int_equal(same.n, file.n);
    assert_memory_equal(same.p, file.p, file.n);
    assert_int_equal(load(same.p, same.n, "unchanged"), SEPCL_OK);
    assert_true(whole.at > 200);
    for (int target = 0; target < whole.at; target++)
        for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
            rewriting r = {.target = target, .with = values[k]};
            pb        changed = {0};
            char      what[96];
            rewrite(&changed, (wire_bytes){file.p, file.n}, MODEL, &r);
            snprintf(what, sizeof what, "number %d, kind %d, %llu instead of %llu", target, (int)r.kind,
                     (unsigned long long)r.with, (unsigned long long)r.was);
            const sepcl_status st = load(changed.p, changed.n, what);
            check_changed(st, &r, changed.n, what);
            refused += st != SEPCL_OK;
            free(changed.p);
        }
    assert_true(refused > whole.at * 4);
    free(same.p);
    free(file.p);
}

/* A file whose last part is not the graph: where it breaks off, something is always missing. */
static void cut_anywhere(void **state)
{
    pb file = rich_net();
    (void)state;
    for (size_t n = 0; n < file.n; n++) {
        char what[48];
        snprintf(what, sizeof what, "cut off at %zu", n);
        if (load(file.p, n, what) != SEPCL_BAD_FILE)
            test_fail("%s: %s\n", what, sepcl_last_error());
    }
    free(file.p);
}

/* ---------------------------------------------------------------- much from little */

/* A graph of n copies of one field. */
static pb many(int field, pb one, int n)
{
    net m = {0};
    for (int i = 0; i < n; i++)
        pb_bytes(&m.graph, field, one.p ? one.p : (const uint8_t *)"", one.n);
    INPUT(&m, "x", 1, 4);
    net_output(&m, "y");
    NODE(&m, "Relu", "r", "x", "y");
    free(one.p);
    return net_finish(&m, 13);
}

static void refused_in_bounds(pb file, const char *what)
{
    if (load(file.p, file.n, what) == SEPCL_OK)
        test_fail("%s: was read\n", what);
    free(file.p);
}

static void bombs(void **state)
{
    pb names = {0}, lists = {0};
    (void)state;
    refused_in_bounds(many(1, (pb){0}, 1 << 20), "a million empty nodes");
    refused_in_bounds(many(5, (pb){0}, 1 << 20), "a million empty initializers");
    refused_in_bounds(many(11, (pb){0}, 1 << 20), "a million empty inputs");
    for (int i = 0; i < 1 << 20; i++)
        pb_text(&names, 2, "");
    refused_in_bounds(many(1, names, 1), "a node with a million absent outputs");
    for (int i = 0; i < 1 << 19; i++) {
        char name[16];
        snprintf(name, sizeof name, "%x", (unsigned)i);
        pb_text(&lists, 2, name);
    }
    refused_in_bounds(many(1, lists, 1), "a node with half a million outputs");
}

/* Numbers of a byte each in the file that are eight each in memory. */
static void swollen_list(void **state)
{
    const int n = 1 << 23;
    net       m = {0};
    pb        tensor = tensor_begin("t", ONNX_INT64, 1, &(int64_t){n});
    uint8_t  *ones = malloc((size_t)n);
    (void)state;
    assert_non_null(ones);
    memset(ones, 1, (size_t)n);
    pb_bytes(&tensor, 7, ones, (size_t)n);
    free(ones);
    net_tensor(&m, tensor);
    INPUT(&m, "x", 1, 4);
    net_output(&m, "y");
    NODE_WITH(&m, "Cast", "c", "t", "f", attr_i("to", 1));
    NODE(&m, "ReduceSum", "s", "f", "g");
    NODE(&m, "Add", "a", "x,g", "y");
    pb file = net_finish(&m, 13);
    assert_int_equal(load(file.p, file.n, "a list"), SEPCL_UNSUPPORTED);
    assert_non_null(strstr(sepcl_last_error(), "would take more than"));
    free(file.p);
}

/* A network that computes large weights from a few bytes loads in little memory, and is built when it is needed. */
static void weights_from_nothing(void **state)
{
    net m = {0};
    (void)state;
    INPUT(&m, "x", 1, 4096);
    net_output(&m, "y");
    INTS(&m, "s", 4096, 4096);
    NODE(&m, "ConstantOfShape", "c", "s", "w");
    NODE(&m, "MatMul", "m", "x,w", "y");
    pb             file = net_finish(&m, 13);
    sepcl_model   *model;
    sepcl_summary *summary;
    assert_int_equal(load(file.p, file.n, "computed weights"), SEPCL_OK);
    assert_int_equal(sepcl_model_load_memory(file.p, file.n, NULL, &model), SEPCL_OK);
    assert_int_equal(sepcl_summary_create(model, NULL, 0, &summary), SEPCL_OK);
    assert_true(sys_live_bytes() > 64 << 20);
    sepcl_summary_destroy(summary);
    sepcl_model_destroy(model);
    free(file.p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sizes_changed), cmocka_unit_test(cut_anywhere),         cmocka_unit_test(bombs),
        cmocka_unit_test(swollen_list),  cmocka_unit_test(weights_from_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
