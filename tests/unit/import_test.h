/* SPDX-License-Identifier: Apache-2.0 */
/* Opens and builds models that were written into memory, and describes the graph that came of them. */
#ifndef SEPCL_TEST_IMPORT_TEST_H
#define SEPCL_TEST_IMPORT_TEST_H

#include "model_bytes.h"

#include "onnx_writer.h"

typedef struct built {
    pb          file;
    model_file *model;
    graph      *g;
} built;

static inline void built_free(built *b)
{
    graph_destroy(b->g);
    model_file_close(b->model);
    free(b->file.p);
    *b = (built){0};
}

/* Free dimensions become `free_dim`. Takes the file. */
static inline status build_file(pb file, int64_t free_dim, built *b)
{
    *b = (built){.file = file};
    return model_starve_and_build(&(model_bytes){file.p, file.n, "test.onnx", free_dim, free_dim}, &b->model, &b->g);
}

/* The model must build into exactly these nodes. */
static inline void check_lines(net *m, int64_t opset, const char *want)
{
    built  b;
    status st = build_file(net_finish(m, opset), 1, &b);
    if (st != SEPCL_OK)
        test_fail("%s\n", error_sentence());
    assert_string_equal(graph_lines(b.g), want);
    built_free(&b);
}

/* The model must be refused with this status and a sentence that has this text. */
static inline void check_refused(net *m, int64_t opset, status want, const char *text)
{
    built        b;
    const status st = build_file(net_finish(m, opset), 1, &b);
    if (st != want || !strstr(error_sentence(), text) || strncmp(error_sentence(), "test.onnx: ", 11) != 0)
        test_fail("status %d (want %d), '%s' (want '%s')\n", st, want, error_sentence(), text);
    built_free(&b);
}

static inline void assert_output(const graph *g, int i, const char *want)
{
    char text[SHAPE_TEXT];
    assert_true(i < g->n_outputs);
    assert_string_equal(shape_text(&g->values[g->outputs[i]].shape, text), want);
}

/* The only node of an op. */
static inline const node *find_node(const graph *g, op_kind op)
{
    const node *found = NULL;
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == op) {
            assert_null(found);
            found = g->nodes[i];
        }
    assert_non_null(found);
    return found;
}

static inline int count_nodes(const graph *g, op_kind op)
{
    int n = 0;
    for (int i = 0; i < g->n_nodes; i++)
        n += g->nodes[i]->op == op;
    return n;
}

/* Builds the model and gives the only node of an op; free with built_free. */
static inline const node *build_one(net *m, int64_t opset, op_kind op, built *b)
{
    const status st = build_file(net_finish(m, opset), 1, b);
    if (st != SEPCL_OK)
        test_fail("%s\n", error_sentence());
    return find_node(b->g, op);
}

#endif
