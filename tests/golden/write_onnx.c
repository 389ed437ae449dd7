/* SPDX-License-Identifier: Apache-2.0 */
/* write_onnx MODEL OUT [INPUT=1x3x224x224 ...]: a model file of any format as ONNX, for written.py. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "import/import.h"

/* Free dimensions are those of an argument, else 1. */
static shape shape_of(const file_tensor *t, int argc, char **argv)
{
    shape s = t->shape;
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = s.dim[i] < 0 ? 1 : s.dim[i];
    for (int k = 3; k < argc; k++) {
        const char *equals = strrchr(argv[k], '=');
        if (!equals || strncmp(argv[k], t->name, (size_t)(equals - argv[k])) != 0 || t->name[equals - argv[k]])
            continue;
        char *at = (char *)equals + 1;
        for (int i = 0; i < s.rank; i++, at += *at == 'x')
            s.dim[i] = strtoll(at, &at, 10);
    }
    return s;
}

static status write(int argc, char **argv)
{
    model_file *f;
    graph      *g = NULL;
    shape       shapes[16];
    uint8_t    *bytes = NULL;
    size_t      size = 0;
    TRY(model_file_open(argv[1], argv[1], &f));
    for (int i = 0; i < model_file_inputs(f) && i < 16; i++)
        shapes[i] = shape_of(model_file_input(f, i), argc, argv);
    status st = model_file_build(f, shapes, &g);
    if (st == SEPCL_OK)
        st = model_file_write(f, g, &bytes, &size);
    FILE *out = st == SEPCL_OK ? fopen(argv[2], "wb") : NULL;
    if (st == SEPCL_OK && (!out || fwrite(bytes, 1, size, out) != size || fclose(out) != 0))
        st = fail(SEPCL_BAD_FILE, "%s: cannot be written", argv[2]);
    free(bytes);
    graph_destroy(g);
    model_file_close(f);
    return st;
}

int main(int argc, char **argv)
{
    if (argc < 3)
        return SEPCL_INVALID;
    const status st = write(argc, argv);
    if (st != SEPCL_OK)
        fprintf(stderr, "%s\n", error_sentence());
    return (int)st;
}
