/* SPDX-License-Identifier: Apache-2.0 */
/* Keras files: what is refused and why, files that are cut off, changed or hostile. That answers are right is held
   against Keras itself by the golden tests. */
#include <jansson.h>

#include "bounds.h"

#include "import/keras.h"
#include "keras_text.h"

static void refused_layers(void **state)
{
    static const struct {
        status      want;
        const char *text, *config;
    } rows[] = {
        {SEPCL_UNSUPPORTED, "layer 'l' (Lambda): a Lambda is a program in Python",
         CHAIN(INPUT "," LAYER("Lambda", "l", NO_SETTINGS))},
        {SEPCL_UNSUPPORTED, "layer 'l' (LSTM): recurrent layers are not supported",
         CHAIN(INPUT "," LAYER("LSTM", "l", NO_SETTINGS))},
        {SEPCL_UNSUPPORTED, "layer 'e' (Embedding): the layer is not supported",
         CHAIN(INPUT "," LAYER("Embedding", "e", NO_SETTINGS))},
        {SEPCL_UNSUPPORTED, "layer 'c' (Conv3D): the layer is not supported",
         CHAIN(INPUT "," LAYER("Conv3D", "c", NO_SETTINGS))},
        {SEPCL_UNSUPPORTED, "activation 'sparsemax' is not supported",
         CHAIN(INPUT "," LAYER("Activation", "a", "\"activation\":\"sparsemax\""))},
        {SEPCL_UNSUPPORTED, "node 'a' (Activation): activation 'mine' is not supported",
         CHAIN(INPUT "," LAYER("Activation", "a", "\"activation\":\"mine\""))},
        {SEPCL_BAD_FILE, "setting 'activation' is missing", CHAIN(INPUT "," LAYER("Activation", "a", NO_SETTINGS))},
        {SEPCL_BAD_FILE, "setting 'activation' is no activation",
         CHAIN(INPUT "," LAYER("Activation", "a", "\"activation\":7"))},
        {SEPCL_UNSUPPORTED, "an activation of class 'PReLU'",
         CHAIN(INPUT "," LAYER("Activation", "a", "\"activation\":{\"class_name\":\"PReLU\",\"config\":{}}"))},
        {SEPCL_UNSUPPORTED, "softmax over several axes", CHAIN(INPUT "," LAYER("Softmax", "s", "\"axis\":[1,2]"))},
        {SEPCL_UNSUPPORTED, "axes other than the last ones",
         CHAIN(INPUT "," LAYER("LayerNormalization", "n", "\"axis\":1,\"scale\":false,\"center\":false"))},
        {SEPCL_UNSUPPORTED, "interpolation 'bicubic' is not supported",
         CHAIN(INPUT "," LAYER("UpSampling2D", "u", "\"interpolation\":\"bicubic\""))},
        {SEPCL_UNSUPPORTED, "function 'tf.reverse' is not supported",
         CHAIN(INPUT "," LAYER("TFOpLambda", "f", "\"function\":\"reverse\""))},
        {SEPCL_UNSUPPORTED, "quantised models are not supported",
         CHAIN(INPUT "," LAYER(
             "ReLU", "r",
             "\"dtype\":{\"class_name\":\"QuantizedDTypePolicy\",\"config\":{\"name\":\"int8_from_float32\"}}"))},
        {SEPCL_UNSUPPORTED, "input 'x' is a tensor of type uint8",
         CHAIN(LAYER("InputLayer", "x", "\"batch_input_shape\":[null,4],\"dtype\":\"uint8\"") "," LAYER("ReLU", "r",
                                                                                                        NO_SETTINGS))},
        {SEPCL_UNSUPPORTED, "layer 'r' (ReLU): the layer is not Keras's own (it is of 'mine.layers')",
         CHAIN(INPUT ",{\"class_name\":\"ReLU\",\"module\":\"mine.layers\",\"config\":{\"name\":\"r\"}}")},
        {SEPCL_UNSUPPORTED, "(it is of 'mine>ReLU')",
         CHAIN(INPUT ",{\"class_name\":\"ReLU\",\"module\":\"keras\",\"registered_name\":\"mine>ReLU\",\"config\":{"
                     "\"name\":\"r\"}}")},
        {SEPCL_BAD_FILE, "a negative slope", CHAIN(INPUT "," LAYER("ReLU", "r", "\"negative_slope\":-1.0"))},
        {SEPCL_BAD_FILE, "setting 'max_value' is no number",
         CHAIN(INPUT "," LAYER("ReLU", "r", "\"max_value\":\"six\""))},
        {SEPCL_BAD_FILE, "must have 4 dimensions", CHAIN(VECTOR "," LAYER("MaxPooling2D", "p", NO_SETTINGS))},
        {SEPCL_BAD_FILE, "setting 'pool_size' has the entry 0",
         CHAIN(INPUT "," LAYER("MaxPooling2D", "p", "\"pool_size\":[2,0]"))},
        {SEPCL_UNSUPPORTED, "setting 'pool_size' has the entry 100000",
         CHAIN(INPUT "," LAYER("MaxPooling2D", "p", "\"pool_size\":100000"))},
        {SEPCL_UNSUPPORTED, "does not fit the padded input",
         CHAIN(INPUT "," LAYER("MaxPooling2D", "p", "\"pool_size\":9"))},
        {SEPCL_UNSUPPORTED, "padding 'full' is not supported",
         CHAIN(INPUT "," LAYER("MaxPooling2D", "p", "\"padding\":\"full\""))},
        {SEPCL_BAD_FILE, "do not fill the shape", CHAIN(INPUT "," LAYER("Reshape", "r", "\"target_shape\":[5,-1]"))},
        {SEPCL_BAD_FILE, "has the entry -2", CHAIN(INPUT "," LAYER("Reshape", "r", "\"target_shape\":[-2]"))},
        {SEPCL_BAD_FILE, "is no order of 3 axes", CHAIN(INPUT "," LAYER("Permute", "p", "\"dims\":[1,1,2]"))},
        {SEPCL_BAD_FILE, "leave nothing", CHAIN(INPUT "," LAYER("Cropping2D", "c", "\"cropping\":4"))},
        {SEPCL_BAD_FILE, "setting 'padding' is no margins",
         CHAIN(INPUT "," LAYER("ZeroPadding2D", "z", "\"padding\":[-1,2]"))},
        {SEPCL_BAD_FILE, "axis 4 is outside", CHAIN(INPUT "," LAYER("Softmax", "s", "\"axis\":4"))},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        check(kw_h5(rows[i].config, "2.15.0", NULL, 0, false), rows[i].want, rows[i].text);
        check(kw_keras(rows[i].config, NULL, 0), rows[i].want, rows[i].text);
    }
}

static void refused_models(void **state)
{
    static const struct {
        status      want;
        const char *text, *config;
    } rows[] = {
        {SEPCL_UNSUPPORTED, "a model of class 'Mine'", "{\"class_name\":\"Mine\",\"config\":{}}"},
        {SEPCL_UNSUPPORTED, "those that are programs in Python are not",
         "{\"class_name\":\"Model\",\"config\":{\"name\":\"m\"}}"},
        {SEPCL_BAD_FILE, "the architecture has no class", "{}"},
        {SEPCL_BAD_FILE, "is no JSON", "{\"class_name\":"},
        {SEPCL_BAD_FILE, "is no JSON", ""},
        {SEPCL_BAD_FILE, "has no settings", "{\"class_name\":\"Sequential\",\"config\":7}"},
        {SEPCL_BAD_FILE, "has no layers", CHAIN("")},
        {SEPCL_BAD_FILE, "it was saved before it was built", CHAIN(LAYER("ReLU", "r", NO_SETTINGS))},
        {SEPCL_BAD_FILE, "a layer without a class", CHAIN(INPUT ",{\"config\":{\"name\":\"r\"}}")},
        {SEPCL_BAD_FILE, "a layer without a name", CHAIN(INPUT ",{\"class_name\":\"ReLU\",\"config\":{}}")},
        {SEPCL_BAD_FILE, "is no object", CHAIN(INPUT ",7")},
        {SEPCL_BAD_FILE, "has no shape",
         CHAIN(LAYER("InputLayer", "x", NO_SETTINGS) "," LAYER("ReLU", "r", NO_SETTINGS))},
        {SEPCL_BAD_FILE, "extent 1 of 'x' is no number",
         CHAIN(LAYER("InputLayer", "x", "\"batch_shape\":[null,0]") "," LAYER("ReLU", "r", NO_SETTINGS))},
        {SEPCL_BAD_FILE, "two layers are called 'r'",
         NET("[\"r\",0,0]", START "," ON("ReLU", "r", "x", "") "," ON("ReLU", "r", "x", ""))},
        {SEPCL_BAD_FILE, "there is no layer 'y'", NET("[\"r\",0,0]", START "," ON("ReLU", "r", "y", ""))},
        {SEPCL_BAD_FILE, "need each other in a circle",
         NET("[\"r\",0,0]", START "," ON("ReLU", "r", "s", "") "," ON("ReLU", "s", "r", ""))},
        {SEPCL_BAD_FILE, "output 0 of call 1 is used", NET("[\"r\",1,0]", START "," ON("ReLU", "r", "x", ""))},
        {SEPCL_BAD_FILE, "output 1 of call 0 is used", NET("[\"r\",0,1]", START "," ON("ReLU", "r", "x", ""))},
        {SEPCL_BAD_FILE, "has 1 inputs and 0 outputs", NET("[]", START "," ON("ReLU", "r", "x", ""))},
        {SEPCL_UNSUPPORTED, "is no single tensor", NET("[[[\"r\",0,0]]]", START "," ON("ReLU", "r", "x", ""))},
        {SEPCL_BAD_FILE, "the layer merges 0 tensors",
         NET("[\"a\",0,0]", START ",{\"class_name\":\"Add\",\"name\":\"a\",\"config\":{\"name\":\"a\",\"trainable\":"
                                  "true},\"inbound_nodes\":[[]]}")},
        {SEPCL_OK, NULL, NET("[[\"r\",0,0],[\"r\",0,0],[\"x\",0,0]]", START "," ON("ReLU", "r", "x", ""))},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(kw_h5(rows[i].config, "2.15.0", NULL, 0, false), rows[i].want, rows[i].text);
}

/* ---------------------------------------------------------------- weights */

static void refused_weights(void **state)
{
    static const char conv[] = CHAIN(INPUT "," LAYER("Conv2D", "c", "\"filters\":4,\"kernel_size\":[3,3]"));
    static const char groups[] = CHAIN(INPUT "," LAYER("Conv2D", "c", "\"groups\":2,\"use_bias\":false"));
    static const char dense[] = CHAIN(VECTOR "," LAYER("Dense", "c", "\"units\":2"));
    static const char sample[] = CHAIN(VECTOR "," LAYER("BatchNormalization", "c", "\"mode\":1"));
    static const char norm[] = CHAIN(VECTOR "," LAYER("BatchNormalization", "c", "\"axis\":-1"));
    static const struct {
        status      want;
        const char *text, *config;
        kw_weights  weights;
    } rows[] = {
        {SEPCL_OK, NULL, conv, {"c", 2, {{4, {3, 3, 3, 4}}, {1, {4}}}}},
        {SEPCL_BAD_FILE, "needs 2 weights, but the file has 1", conv, {"c", 1, {{4, {3, 3, 3, 4}}}}},
        {SEPCL_BAD_FILE, "the file has no weights of it", conv, {"d", 2, {{4, {3, 3, 3, 4}}, {1, {4}}}}},
        {SEPCL_BAD_FILE, "a kernel of shape 3x3x12 for 2 axes", conv, {"c", 2, {{3, {3, 3, 12}}, {1, {4}}}}},
        {SEPCL_BAD_FILE, "setting 'kernel_size' has 3", conv, {"c", 2, {{4, {3, 2, 3, 4}}, {1, {4}}}}},
        {SEPCL_BAD_FILE, "does not suit an input of 3 channels", conv, {"c", 2, {{4, {3, 3, 2, 4}}, {1, {4}}}}},
        {SEPCL_BAD_FILE, "the bias", conv, {"c", 2, {{4, {3, 3, 3, 4}}, {1, {3}}}}},
        {SEPCL_BAD_FILE, "has no elements", conv, {"c", 2, {{4, {3, 3, 3, 0}}, {1, {4}}}}},
        {SEPCL_BAD_FILE, "2 groups for 3 filters", groups, {"c", 1, {{4, {3, 3, 1, 3}}}}},
        {SEPCL_OK, NULL, dense, {"c", 2, {{2, {4, 2}}, {1, {2}}}}},
        {SEPCL_BAD_FILE, "does not suit an input of shape 1x4", dense, {"c", 2, {{2, {5, 2}}, {1, {2}}}}},
        {SEPCL_BAD_FILE, "one element for each of 2 units", dense, {"c", 2, {{2, {4, 2}}, {2, {1, 2}}}}},
        {SEPCL_UNSUPPORTED, "statistics of the sample", sample, {"c", 4, {{1, {4}}, {1, {4}}, {1, {4}}, {1, {4}}}}},
        {SEPCL_BAD_FILE,
         "weight 'moving_mean' has shape 3, but 4 elements are needed",
         norm,
         {"c", 4, {{1, {4}}, {1, {4}}, {1, {3}}, {1, {4}}}}},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(kw_h5(rows[i].config, "2.15.0", &rows[i].weights, 1, false), rows[i].want, rows[i].text);
}

static void weights_of_archives(void **state)
{
    static const char config[] =
        CHAIN(VECTOR "," LAYER("Dense", "a", "\"units\":2") "," LAYER("Dense", "b", "\"units\":3"));
    kw_weights both[] = {{"dense", 2, {{2, {4, 2}}, {1, {2}}}}, {"dense_1", 2, {{2, {2, 3}}, {1, {3}}}}};
    (void)state;
    check(kw_keras(config, both, 2), SEPCL_OK, NULL);
    check(kw_keras(config, both, 1), SEPCL_BAD_FILE, "layer 'b' (Dense): the file has no weights in 'dense_1/vars'");
    both[1].n = 1;
    check(kw_keras(config, both, 2), SEPCL_BAD_FILE, "weight '1': the file does not have it");
    both[1].n = 3;
    check(kw_keras(config, both, 2), SEPCL_UNSUPPORTED, "the file has more than its 2 weights");
}

static void no_model(void **state)
{
    kw_member notes = {"notes.txt", "hello", 5, 0};
    (void)state;
    check(kw_h5(NULL, NULL, NULL, 0, false), SEPCL_BAD_FILE, "it has no attribute 'model_config'");
    check(kw_h5(NULL, NULL, NULL, 0, true), SEPCL_UNSUPPORTED, "the file has weights, but no architecture");
    check(kw_zip(&notes, 1), SEPCL_BAD_FILE, "it has no 'config.json'");
}

/* ---------------------------------------------------------------- what the summary is made of */

static void layers_of_the_file(void **state)
{
    static const char       config[] = CHAIN(VECTOR "," LAYER(
              "Dense", "d", "\"units\":2,\"activation\":\"softmax\"") "," LAYER("Dropout", "o", "\"rate\":0.5"));
    static const kw_weights w = {"d", 2, {{2, {4, 2}}, {1, {2}}}};
    built                   b;
    (void)state;
    kw file = kw_h5(config, "2.15.0", &w, 1, false);
    assert_ok(build(file.p, file.n, &b));
    assert_int_equal(b.g->n_layers, 2);
    assert_string_equal(b.g->layers[0].name, "d");
    assert_int_equal(b.g->layers[0].parameters, 10);
    assert_string_equal(b.g->layers[1].type, "Dropout");
    assert_int_equal(b.g->n_nodes, 2);
    assert_int_equal(b.g->nodes[1]->layer, 1);
    assert_string_equal(model_file_output(b.model, 0)->name, "o");
    built_free(&b);
    free(file.p);
}

static void supported_layers_differ(void **state)
{
    const char *name, *other, *note;
    (void)state;
    for (int n = 0; (name = keras_layer_support(n, &note)); n++)
        for (int i = 0; i < n; i++) {
            other = keras_layer_support(i, NULL);
            assert_string_not_equal(name, other);
        }
    assert_null(keras_layer_support(-1, NULL));
}

/* ---------------------------------------------------------------- broken files */

typedef struct real_file {
    const char *name;
    uint8_t    *p;
    size_t      n;
} real_file;

/* Files that Keras and h5py wrote: groups of both kinds, an archive, packed chunks. */
static const char *const real_files[] = {"tiny.h5", "tiny.keras", "tiny_latest.h5", "tiny_chunked.h5"};
#define N_REAL (sizeof real_files / sizeof real_files[0])

static real_file read_real(const char *name)
{
    char      path[512];
    void     *p;
    real_file f = {.name = name};
    snprintf(path, sizeof path, "%s/keras/%s", TEST_DATA, name);
    assert_ok(file_read(path, (size_t)1 << 20, &p, &f.n));
    f.p = p;
    return f;
}

static status try_bytes(const uint8_t *p, size_t n)
{
    return model_try_copy(&(model_bytes){p, n, "test.h5", 1, 8});
}

/* Refused within bounds, or read. */
static status try_within(const uint8_t *p, size_t n, const char *what, size_t at)
{
    const bounds b = bounds_open();
    const status st = try_bytes(p, n);
    bounds_check(&b, n, what, at);
    if (st != SEPCL_OK && strncmp(error_sentence(), "test.h5: ", 9) != 0)
        test_fail("%s at %zu: %d, '%s'\n", what, at, st, error_sentence());
    return st;
}

static void cut_anywhere(void **state)
{
    (void)state;
    for (size_t i = 0; i < N_REAL; i++) {
        real_file f = read_real(real_files[i]);
        assert_ok(try_bytes(f.p, f.n));
        for (size_t n = 0; n < f.n; n++)
            if (try_within(f.p, n, f.name, n) != SEPCL_BAD_FILE)
                test_fail("%s cut at %zu of %zu: %s\n", f.name, n, f.n, error_sentence());
        free(f.p);
    }
}

/* Is there nothing but zeros around a byte? Old HDF5 files are mostly that. */
static bool in_a_gap(const real_file *f, size_t at)
{
    for (size_t i = at < 8 ? 0 : at - 8; i < f->n && i <= at + 8; i++)
        if (f->p[i])
            return false;
    return true;
}

/* Bytes changed: any answer but a crash, and with a sentence. */
static void changed_anywhere(void **state)
{
    static const uint8_t masks[] = {1, 16, 128, 255};
    (void)state;
    for (size_t i = 0; i < N_REAL; i++) {
        real_file f = read_real(real_files[i]);
        for (size_t at = 0; at < f.n; at++) {
            const uint8_t mask = masks[at % 4];
            if (in_a_gap(&f, at))
                continue;
            f.p[at] ^= mask;
            const status st = try_within(f.p, f.n, f.name, at);
            if (st != SEPCL_OK && st != SEPCL_BAD_FILE && st != SEPCL_UNSUPPORTED)
                test_fail("%s changed at %zu: %d, %s\n", f.name, at, st, error_sentence());
            f.p[at] ^= mask;
        }
        free(f.p);
    }
}

/* A size in a structure that begins with a signature. */
typedef struct size_field {
    const char *signature;
    int         length, offset, bytes;
    bool        used; /* the file cannot be right without it; 0 may still make a smaller file */
} size_field;

static const size_field size_fields[] = {
    {"\x89HDF\r\n\x1a\n", 8, 13, 1, true}, /* bytes of an address, of a length; end of the file, root */
    {"\x89HDF\r\n\x1a\n", 8, 14, 1, true},
    {"\x89HDF\r\n\x1a\n", 8, 40, 8, true},
    {"\x89HDF\r\n\x1a\n", 8, 64, 8, true},
    {"TREE", 4, 6, 2, false},
    {"TREE", 4, 32, 8, false},
    {"TREE", 4, 40, 8, false},
    {"SNOD", 4, 6, 2, false},
    {"SNOD", 4, 16, 8, false},
    {"HEAP", 4, 8, 8, false},
    {"HEAP", 4, 24, 8, false},
    {"GCOL", 4, 8, 8, false},
    {"GCOL", 4, 24, 8, false},
    {"OHDR", 4, 6, 1, false},
    {"PK\1\2", 4, 20, 4, false}, /* sizes and place of a member */
    {"PK\1\2", 4, 24, 4, false},
    {"PK\1\2", 4, 42, 4, false},
    {"PK\5\6", 4, 10, 2, false},
    {"PK\5\6", 4, 12, 4, true},
    {"PK\5\6", 4, 16, 4, true},
};

static void spoil(const real_file *f, const size_field *field, size_t at)
{
    static const uint64_t values[] = {0, UINT64_MAX, UINT64_MAX >> 1, (uint64_t)1 << 62};
    const size_t          place = at + (size_t)field->offset, n = (size_t)field->bytes;
    uint8_t               was[8];
    if (place + n > f->n)
        return;
    memcpy(was, f->p + place, n);
    for (size_t k = 0; k < sizeof values / sizeof values[0]; k++) {
        const uint64_t v = values[k] >> (64 - 8 * n);
        memcpy(f->p + place, &v, n);
        const status st = try_within(f->p, f->n, field->signature, place);
        const bool   same = memcmp(was, f->p + place, n) == 0;
        if (st != SEPCL_BAD_FILE && (st != SEPCL_OK || (field->used && !same)))
            test_fail("%s: %#llx at %zu: %d, %s\n", f->name, (unsigned long long)v, place, st, error_sentence());
    }
    memcpy(f->p + place, was, n);
}

/* Every count, size and address behind a signature replaced by 0, -1 and huge numbers. */
static void sizes_spoilt(void **state)
{
    int found = 0;
    (void)state;
    for (size_t i = 0; i < N_REAL; i++) {
        real_file f = read_real(real_files[i]);
        for (size_t k = 0; k < sizeof size_fields / sizeof size_fields[0]; k++)
            for (size_t at = 0; at + 8 < f.n; at++)
                if (memcmp(f.p + at, size_fields[k].signature, (size_t)size_fields[k].length) == 0 &&
                    !(size_fields[k].signature[0] == '\x89' && f.p[at + 8] > 0)) { /* another superblock */
                    spoil(&f, &size_fields[k], at);
                    found++;
                }
        free(f.p);
    }
    assert_true(found > 300);
}

/* Wherever there may be a number: 0, -1 and huge in eight bytes. */
static void numbers_spoilt(void **state)
{
    static const uint64_t values[] = {0, UINT64_MAX, UINT64_MAX >> 1};
    (void)state;
    for (size_t i = 0; i < N_REAL; i++) {
        real_file f = read_real(real_files[i]);
        for (size_t at = 0; at + 8 <= f.n; at += 4) {
            uint64_t was;
            memcpy(&was, f.p + at, 8);
            memcpy(f.p + at, &values[at / 4 % 3], 8);
            const status st = try_within(f.p, f.n, f.name, at);
            if (st != SEPCL_OK && st != SEPCL_BAD_FILE && st != SEPCL_UNSUPPORTED)
                test_fail("%s changed at %zu: %d, %s\n", f.name, at, st, error_sentence());
            memcpy(f.p + at, &was, 8);
        }
        free(f.p);
    }
}

/* ---------------------------------------------------------------- hostile files */

/* Models in models, each with two calls of the next: few bytes, but twice the work at each depth. */
static char *doubling(int depth, int calls)
{
    char  *text = calloc(1, 200000);
    size_t n = 0;
    assert_non_null(text);
#define PUT(...) n += (size_t)snprintf(text + n, 200000 - n, __VA_ARGS__)
    for (int i = 0; i < depth; i++) {
        PUT("%s\"class_name\":\"Functional\",", i ? "{\"name\":\"m\"," : "{");
        PUT("\"config\":{\"name\":\"m\",\"layers\":[" START ",");
    }
    PUT(ON("ReLU", "m", "x", ""));
    for (int i = 0; i < depth; i++) {
        PUT("],\"input_layers\":[[\"x\",0,0]],\"output_layers\":[[\"m\",%d,0]]}", i ? calls - 1 : 0);
        if (i == depth - 1)
            break;
        PUT(",\"inbound_nodes\":[[[\"x\",0,0,{}]]");
        for (int c = 1; c < calls; c++)
            PUT(",[[\"m\",%d,0,{}]]", c - 1);
        PUT("]}");
    }
    PUT("}");
#undef PUT
    return text;
}

static void models_in_models(void **state)
{
    (void)state;
    for (int depth = 2; depth < 20; depth++) {
        char     *config = doubling(depth, 8);
        kw_member members[] = {{"config.json", config, strlen(config), 0}, {"model.weights.h5", NULL, 0, 0}};
        kw        h5 = kw_h5(NULL, NULL, NULL, 0, true);
        members[1].data = h5.p;
        members[1].n = h5.n;
        kw           w = kw_zip(members, 2);
        const status st = try_within(w.p, w.n, "a model of models", (size_t)depth);
        if (st != (depth < 5 ? SEPCL_OK : SEPCL_UNSUPPORTED))
            test_fail("depth %d: %d, %s\n", depth, st, error_sentence());
        free(w.p);
        free(h5.p);
        free(config);
    }
}

/* JSON of many small values takes far more memory than bytes. */
static void much_json(void **state)
{
    enum { MANY = 4000000 };
    char *config = malloc(2 * MANY + 64);
    (void)state;
    assert_non_null(config);
    size_t n = (size_t)sprintf(config, "{\"class_name\":\"Model\",\"config\":[");
    for (size_t i = 0; i < MANY; i++) {
        config[n++] = '0';
        config[n++] = i + 1 < MANY ? ',' : ']';
    }
    n += (size_t)sprintf(config + n, "}");
    kw_member members[] = {{"config.json", config, n, 0}, {"model.weights.h5", "", 0, 0}};
    kw        w = kw_zip(members, 2);
    assert_int_equal(try_within(w.p, w.n, "much JSON", 0), SEPCL_BAD_FILE);
    assert_non_null(strstr(error_sentence(), "too many for a file of"));
    free(w.p);
    free(config);
}

/* Depth that a recursive reader would die of. */
static void deep_json(void **state)
{
    enum { DEEP = 60000 };
    char *config = malloc(2 * DEEP + 1);
    (void)state;
    assert_non_null(config);
    memset(config, '[', DEEP);
    memset(config + DEEP, ']', DEEP);
    kw_member members[] = {{"config.json", config, 2 * DEEP, 0}, {"model.weights.h5", "", 0, 0}};
    kw        w = kw_zip(members, 2);
    assert_int_equal(try_within(w.p, w.n, "deep JSON", 0), SEPCL_BAD_FILE);
    free(w.p);
    free(config);
}

/* A message of a kind in every object of a file, by changing one that is there; gives how many there were. */
static int change_messages(kw *w, int from, int to)
{
    int n = 0;
    for (size_t at = 0; at + 10 < w->n; at++)
        if (memcmp(w->p + at, "OHDR", 4) == 0) {
            uint32_t size;
            memcpy(&size, w->p + at + 6, 4);
            for (size_t m = at + 10, end = m + size; m + 4 <= end;) {
                uint16_t length;
                memcpy(&length, w->p + m + 1, 2);
                if (w->p[m] == from) {
                    w->p[m] = (uint8_t)to;
                    n++;
                }
                m += 4 + (size_t)length;
            }
        }
    return n;
}

static kw small_dense(void)
{
    static const char       config[] = CHAIN(VECTOR "," LAYER("Dense", "d", "\"units\":2"));
    static const kw_weights w = {"d", 2, {{2, {4, 2}}, {1, {2}}}};
    return kw_h5(config, "2.15.0", &w, 1, false);
}

/* Bytes of the file from a text on. */
static uint8_t *find_bytes(kw *w, const void *text, size_t n)
{
    for (size_t at = 0; at + n <= w->n; at++)
        if (memcmp(w->p + at, text, n) == 0)
            return w->p + at;
    test_fail("not in the file\n");
    return NULL;
}

static void ways_out_of_the_file(void **state)
{
    (void)state;
    kw w = small_dense();
    check(w, SEPCL_OK, NULL);
    w = small_dense(); /* arrays in other files */
    assert_true(change_messages(&w, 0x08, 0x07) == 2);
    check(w, SEPCL_UNSUPPORTED, "an array whose data is in other files");
    w = small_dense(); /* arrays of other files */
    uint8_t *layout = find_bytes(&w, "\x08\x12\0\0\3\1", 6);
    layout[5] = 3;
    check(w, SEPCL_UNSUPPORTED, "a view of other files");
    w = small_dense(); /* a link of a kind, which only libraries follow */
    uint8_t *link = find_bytes(&w, "\1\0\1d", 4);
    link[1] = 8;
    link[2] = 64;
    link[3] = 1;
    link[4] = 'd';
    check(w, SEPCL_UNSUPPORTED, "a link of another kind");
    w = small_dense();
    layout = find_bytes(&w, "\x08\x12\0\0\3\1", 6); /* the place of an array at the end of memory */
    memset(layout + 6, 0xf0, 8);
    check(w, SEPCL_BAD_FILE, "reaches beyond the file");
    w = small_dense();
    assert_true(change_messages(&w, 0x08, 0x0b) == 2);
    check(w, SEPCL_BAD_FILE, "filters");
    w = small_dense(); /* big-endian numbers */
    uint8_t *type = find_bytes(&w, "\x11\x20\x1f\0\4\0\0\0", 8);
    type[1] |= 1;
    check(w, SEPCL_UNSUPPORTED, "is of a type that is not supported");
}

/* A header whose next part is the same header. */
static void headers_in_a_circle(void **state)
{
    (void)state;
    kw w = {0};
    kw_open(&w);
    const size_t part = kw_raw(&w, "OCHK", 4);
    size_t       m = kw_message(&w, 0x10);
    kw_number(&w, part, 8);
    kw_number(&w, 4 + 4 + 16 + 4, 8);
    kw_close(&w, m);
    kw_number(&w, 0, 4);
    const kw_object o = kw_begin(&w);
    m = kw_message(&w, 0x10);
    kw_number(&w, part, 8);
    kw_number(&w, 4 + 4 + 16 + 4, 8);
    kw_close(&w, m);
    kw_finish(&w, kw_end(&w, &o));
    check(w, SEPCL_BAD_FILE, "a header in more than");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_layers),
        cmocka_unit_test(refused_models),
        cmocka_unit_test(refused_weights),
        cmocka_unit_test(weights_of_archives),
        cmocka_unit_test(no_model),
        cmocka_unit_test(layers_of_the_file),
        cmocka_unit_test(supported_layers_differ),
        cmocka_unit_test(cut_anywhere),
        cmocka_unit_test(changed_anywhere),
        cmocka_unit_test(sizes_spoilt),
        cmocka_unit_test(numbers_spoilt),
        cmocka_unit_test(models_in_models),
        cmocka_unit_test(much_json),
        cmocka_unit_test(deep_json),
        cmocka_unit_test(ways_out_of_the_file),
        cmocka_unit_test(headers_in_a_circle),
    };
    json_set_alloc_funcs(sys_allocate, free); /* the trees of jansson, a library of its own, count too */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
