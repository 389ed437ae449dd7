/* SPDX-License-Identifier: Apache-2.0 */
/* The inputs from which fuzzing begins, with all that ever crashed, as model files: each is read or refused,
   loaded within bounds, and so it is with each allocation failed. What fuzzing has found stays found, without its
   compiler. */
#include "bounds.h"
#include "model_bytes.h"

typedef struct file {
    uint8_t *p;
    size_t   n;
} file;

static file read_file(const char *path)
{
    FILE *f = fopen(path, "rb");
    file  b = {malloc(1 << 17), 0};
    if (!f || !b.p)
        test_fail("cannot read %s\n", path);
    b.n = fread(b.p, 1, 1 << 17, f);
    assert_true(b.n < 1 << 17);
    fclose(f);
    return b;
}

static void try_one(const char *target, const char *name, const char *path)
{
    file        b = read_file(path);
    const char *as = strcmp(target, "fuzz_onnx") == 0    ? "test.onnx"
                     : strcmp(target, "fuzz_keras") == 0 ? "test.h5"
                                                         : "test.tflite";
    if (strcmp(target, "fuzz_tflite") == 0 && b.n >= 8)
        memcpy(b.p + 4, "TFL3", 4); /* as the target does */
    const int64_t     extent = 1 + (int64_t)(b.n % 9);
    const model_bytes m = {b.p, b.n, as, extent, extent};
    const bounds      limits = bounds_open();
    model_file       *f;
    (void)model_file_open_memory(m.p, m.n, m.name, &f);
    model_file_close(f);
    bounds_check(&limits, b.n, path, 0);
    const status st = model_try_copy(&m);
    if (st != SEPCL_OK && st != SEPCL_BAD_FILE && st != SEPCL_UNSUPPORTED)
        test_fail("%s/%s: status %d, '%s'\n", target, name, st, error_sentence());
    if (st != SEPCL_OK && strncmp(error_sentence(), as, strlen(as)) != 0)
        test_fail("%s/%s: '%s'\n", target, name, error_sentence());
    model_starve(&m);
    free(b.p);
}

static void try_all(const char *target, int least)
{
    char           folder[600], path[1200];
    struct dirent *e;
    int            n = 0;
    snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s", TEST_SOURCE_ROOT, target);
    DIR *d = opendir(folder);
    if (!d)
        test_fail("no folder %s\n", folder);
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", folder, e->d_name);
        try_one(target, e->d_name, path);
        n++;
    }
    closedir(d);
    if (n < least)
        test_fail("%s: only %d files\n", folder, n);
}

static void of_onnx(void **state)
{
    (void)state;
    try_all("fuzz_onnx", 100);
}

static void of_tflite(void **state)
{
    (void)state;
    try_all("fuzz_tflite", 20);
}

static void of_keras(void **state)
{
    (void)state;
    try_all("fuzz_keras", 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_onnx),
        cmocka_unit_test(of_tflite),
        cmocka_unit_test(of_keras),
    };
    model_failures = 8;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
