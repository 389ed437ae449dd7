/* SPDX-License-Identifier: Apache-2.0 */
/* Files on disk, and weights in other files: only regular ones with one name, below the model's folder, unlinked to. */
#include <fcntl.h>

#include "import/file_map.h"
#include "import_test.h"

static char *folder, *outside;

static char *at(const char *name)
{
    char *path = file_join(folder, name);
    assert_non_null(path);
    return path;
}

static void put(const char *name, const void *data, size_t n)
{
    char *path = at(name);
    assert_ok(file_write(path, data, n, 0666));
    free(path);
}

static void make_folder(const char *name)
{
    char *path = at(name);
    assert_int_equal(mkdir(path, 0777), 0);
    free(path);
}

/* The weights 1, 2, 3, 4 with 8 bytes in front. */
static const float stored[6] = {-1, -1, 1, 2, 3, 4};

static int set_up(void **state)
{
    (void)state;
    outside = strdup(scratch_folder());
    folder = outside ? file_join(outside, "model") : NULL;
    if (!folder || mkdir(folder, 0777) != 0)
        return -1;
    put("weights.bin", stored, sizeof stored);
    make_folder("inner");
    put("inner/weights.bin", stored, sizeof stored);
    put("../secret.bin", stored, sizeof stored);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    scratch_remove(folder);
    scratch_remove(outside);
    free(folder);
    free(outside);
    return 0;
}

/* y = x + t, where t lies in another file. offset and length may be NULL. */
static pb model_with(const char *location, const char *offset, const char *length)
{
    const char *const keys[] = {"location", "offset", "length", "checksum"};
    const char *const values[] = {location, offset, length, offset ? "what nobody looks at" : NULL};
    net               m = {0};
    pb                t = tensor_begin("t", 1, 1, &(int64_t){4});
    for (int i = 0; i < 4; i++) {
        pb entry = {0};
        if (!values[i])
            continue;
        pb_text(&entry, 1, keys[i]);
        pb_text(&entry, 2, values[i]);
        pb_message(&t, 13, entry);
    }
    pb_int(&t, 14, 1);
    INPUT(&m, "x", 4);
    net_tensor(&m, t);
    NODE(&m, "Add", "a", "x,t", "y");
    net_output(&m, "y");
    return net_finish(&m, 13);
}

/* Writes the model into its folder and opens it from there. */
static status open_with(const char *location, const char *offset, const char *length, float out[4])
{
    model_file *f;
    pb          file = model_with(location, offset, length);
    char       *path = at("m.onnx");
    put("m.onnx", file.p, file.n);
    free(file.p);
    status st = model_file_open(path, NULL, &f);
    if (st == SEPCL_OK) {
        graph *g;
        assert_ok(model_file_build(f, &(shape){1, {4}}, &g));
        const value *v = &g->values[find_node(g, OP_BINARY)->in[1]];
        for (int i = 0; out && i < 4; i++)
            out[i] = data_float(v->type, v->data, i);
        graph_destroy(g);
    } else {
        assert_true(strncmp(error_sentence(), path, strlen(path)) == 0);
    }
    model_file_close(f);
    free(path);
    return st;
}

static void good(void **state)
{
    static const char *const names[] = {"weights.bin", "inner/weights.bin", "./inner//./weights.bin"};
    (void)state;
    for (int i = 0; i < 3; i++)
        for (int k = 0; k < 2; k++) {
            float v[4] = {0};
            assert_ok(open_with(names[i], "8", k ? "16" : NULL, v));
            assert_true(v[0] == 1 && v[1] == 2 && v[2] == 3 && v[3] == 4);
        }
}

/* An offset that no float is aligned to: the weights are copied. */
static void unaligned(void **state)
{
    uint8_t bytes[19];
    float   v[4] = {0};
    (void)state;
    memcpy(bytes + 3, stored + 2, 16);
    put("odd.bin", bytes, sizeof bytes);
    assert_ok(open_with("odd.bin", "3", "16", v));
    assert_true(v[0] == 1 && v[3] == 4);
}

static void outside_the_folder(void **state)
{
    char *absolute = at("weights.bin");
    (void)state;
    assert_fails(SEPCL_BAD_FILE, "'..'", open_with("../secret.bin", "8", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "'..'", open_with("inner/../weights.bin", "8", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "'..'", open_with("inner/../../secret.bin", "8", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "regular file", open_with("inner/.", NULL, NULL, NULL)); /* the folder itself */
    assert_fails(SEPCL_BAD_FILE, "'..'", open_with("..", NULL, NULL, NULL));
    assert_fails(SEPCL_BAD_FILE, "absolute", open_with(absolute, "8", "16", NULL));
    free(absolute);
}

static void links(void **state)
{
    char *to_file = at("link.bin"), *to_folder = at("link"), *hard = at("hard.bin"), *secret = at("../secret.bin");
    (void)state;
    assert_int_equal(symlink("weights.bin", to_file), 0);
    assert_int_equal(symlink("inner", to_folder), 0);
    assert_int_equal(link(secret, hard), 0);
    assert_fails(SEPCL_BAD_FILE, "symbolic links are not followed", open_with("link.bin", "8", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "symbolic links are not followed", open_with("link/weights.bin", "8", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "2 hard links", open_with("hard.bin", "8", "16", NULL));
    unlink(hard);
    free(to_file);
    free(to_folder);
    free(hard);
    free(secret);
}

static void ranges(void **state)
{
    (void)state;
    put("empty.bin", "", 0);
    assert_fails(SEPCL_BAD_FILE, "external data 'weights.bin' has 24 bytes, but 16 from byte 12 on",
                 open_with("weights.bin", "12", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "has 24 bytes", open_with("weights.bin", "25", NULL, NULL));
    assert_fails(SEPCL_BAD_FILE, "has 24 bytes", open_with("weights.bin", "9999999999999999999", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "has 24 bytes", open_with("weights.bin", "8", "9999999999999999999", NULL));
    assert_fails(SEPCL_BAD_FILE, "takes 16", open_with("weights.bin", "8", "12", NULL));  /* short for the shape */
    assert_fails(SEPCL_BAD_FILE, "takes 16", open_with("weights.bin", NULL, NULL, NULL)); /* long for the shape */
    assert_fails(SEPCL_BAD_FILE, "takes 16", open_with("empty.bin", NULL, NULL, NULL));
    assert_fails(SEPCL_BAD_FILE, "the offset is not a number", open_with("weights.bin", "-8", "16", NULL));
    assert_fails(SEPCL_BAD_FILE, "the length is not a number", open_with("weights.bin", "8", "0x10", NULL));
    assert_fails(SEPCL_BAD_FILE, "the offset is not a number",
                 open_with("weights.bin", "99999999999999999999", "16", NULL));
}

static void other_kinds(void **state)
{
    char *fifo = at("pipe");
    (void)state;
    assert_int_equal(mkfifo(fifo, 0666), 0);
    assert_fails(SEPCL_BAD_FILE, "not a regular file", open_with("pipe", NULL, NULL, NULL)); /* and does not wait */
    assert_fails(SEPCL_BAD_FILE, "not a regular file", open_with("inner", NULL, NULL, NULL));
    assert_fails(SEPCL_BAD_FILE, "No such file", open_with("missing.bin", NULL, NULL, NULL));
    assert_fails(SEPCL_BAD_FILE, "without a location", open_with(NULL, NULL, NULL, NULL));
    char deep[2 * 40 + 2];
    for (int i = 0; i < 40; i++)
        memcpy(deep + 2 * i, "a/", 2);
    memcpy(deep + 80, "b", 2);
    assert_fails(SEPCL_BAD_FILE, "cannot open a folder", open_with(deep, NULL, NULL, NULL));
    free(fifo);
}

/* A model in memory has no folder. */
static void in_memory(void **state)
{
    built b;
    (void)state;
    assert_fails(SEPCL_UNSUPPORTED, "a model in memory has no folder",
                 build_file(model_with("weights.bin", "8", "16"), 1, &b));
    built_free(&b);
}

static void model_paths(void **state)
{
    model_file *f;
    char       *fifo = at("pipe2"), *empty = at("empty.onnx"), *text = at("text.onnx"), *missing = at("missing.onnx");
    (void)state;
    assert_int_equal(mkfifo(fifo, 0666), 0);
    put("empty.onnx", "", 0);
    put("text.onnx", "hello, world", 12);
    assert_fails(SEPCL_BAD_FILE, "No such file", model_file_open(missing, NULL, &f));
    assert_null(f);
    assert_fails(SEPCL_BAD_FILE, "not a regular file", model_file_open(folder, NULL, &f));
    assert_fails(SEPCL_BAD_FILE, "not a regular file", model_file_open(fifo, NULL, &f));
    assert_fails(SEPCL_BAD_FILE, "empty", model_file_open(empty, NULL, &f));
    assert_fails(SEPCL_BAD_FILE, "my name: the model breaks off or is malformed", model_file_open(text, "my name", &f));
    free(fifo);
    free(empty);
    free(text);
    free(missing);
}

/* A path without a slash: its folder is the current one. */
static void current_folder(void **state)
{
    model_file *f;
    const int   here = open(".", O_RDONLY | O_DIRECTORY);
    (void)state;
    assert_true(here >= 0);
    assert_ok(open_with("inner/weights.bin", "8", "16", NULL));
    assert_int_equal(chdir(folder), 0);
    const status st = model_file_open("m.onnx", NULL, &f);
    assert_int_equal(fchdir(here), 0);
    close(here);
    assert_int_equal(st, SEPCL_OK);
    model_file_close(f);
}

/* Calls of the system that fail for the model's own file and for the weights' one. */
static void calls_that_fail(void **state)
{
    static const struct {
        sys_call    call;
        long        n;
        int         error;
        status      want;
        const char *words;
    } rows[] = {
        {SYS_open, 1, ENOMEM, SEPCL_OUT_OF_MEMORY, "cannot open it"},
        {SYS_open, 1, EACCES, SEPCL_BAD_FILE, "cannot open it"},
        {SYS_open, 2, EACCES, SEPCL_BAD_FILE, "cannot open the model's folder"},
        {SYS_openat, 1, EIO, SEPCL_BAD_FILE, "cannot open it"},
        {SYS_fstat, 1, EIO, SEPCL_BAD_FILE, "cannot look at it"},
        {SYS_fstat, 2, EIO, SEPCL_BAD_FILE, "cannot look at it"},
        {SYS_mmap, 1, ENOMEM, SEPCL_OUT_OF_MEMORY, "cannot map it"},
        {SYS_mmap, 2, ENODEV, SEPCL_BAD_FILE, "cannot map it"},
    };
    char *path = at("m.onnx");
    pb    file = model_with("weights.bin", "8", "16");
    (void)state;
    put("m.onnx", file.p, file.n);
    free(file.p);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        model_file *f;
        const int   files = sys_open_files();
        sys_arm(rows[i].call, rows[i].n, rows[i].error, false);
        const status st = model_file_open(path, NULL, &f);
        const long   failed = sys_failed();
        sys_clear();
        if (failed != 1 || st != rows[i].want || !strstr(error_sentence(), rows[i].words))
            test_fail("%s %ld: %d, '%s'\n", sys_name(rows[i].call), rows[i].n, st, st ? error_sentence() : "");
        assert_int_equal(sys_open_files(), files);
    }
    free(path);
}

static void odd_paths(void **state)
{
    enum { DEEP = 34 };
    char     long_name[400], deep[2 * DEEP + 16] = "", long_path[5000];
    file_map m;
    (void)state;
    memset(long_name, 'a', 300);
    long_name[300] = 0;
    assert_fails(SEPCL_BAD_FILE, "a part of the path is longer than 255 bytes", open_with(long_name, NULL, NULL, NULL));
    memcpy(long_name, "inner/", 6);
    assert_fails(SEPCL_BAD_FILE, "a part of the path is longer than 255 bytes", open_with(long_name, NULL, NULL, NULL));
    assert_fails(SEPCL_BAD_FILE, "the path is empty", open_with("./.", NULL, NULL, NULL));
    for (int i = 0; i < DEEP; i++) {
        strcat(deep, i ? "/d" : "d");
        make_folder(deep);
    }
    strcat(deep, "/weights.bin");
    assert_fails(SEPCL_BAD_FILE, "the path has more than 32 folders", open_with(deep, NULL, NULL, NULL));
    for (int i = DEEP; i > 0; i--) {
        deep[2 * i - 1] = 0;
        char *path = at(deep);
        assert_int_equal(rmdir(path), 0);
        free(path);
    }
    assert_fails(SEPCL_BAD_FILE, "No such file", file_map_open_beside("/m.onnx", "no such weights", &m));
    memset(long_path, 'a', sizeof long_path);
    memcpy(long_path + sizeof long_path - 3, "/m", 3);
    assert_fails(SEPCL_BAD_FILE, "cannot open the model's folder: File name too long",
                 file_map_open_beside(long_path, "weights", &m));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good),
        cmocka_unit_test(unaligned),
        cmocka_unit_test(outside_the_folder),
        cmocka_unit_test(links),
        cmocka_unit_test(ranges),
        cmocka_unit_test(other_kinds),
        cmocka_unit_test(in_memory),
        cmocka_unit_test(model_paths),
        cmocka_unit_test(current_folder),
        cmocka_unit_test(calls_that_fail),
        cmocka_unit_test(odd_paths),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
