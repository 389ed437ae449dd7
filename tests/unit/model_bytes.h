/* SPDX-License-Identifier: Apache-2.0 */
/* Builds models from bytes in memory, and once more for each allocation on the way, which then fails. A test that
   includes this is linked with tests/fault/system.c; tests/CMakeLists.txt sees to it. */
#ifndef SEPCL_TEST_MODEL_BYTES_H
#define SEPCL_TEST_MODEL_BYTES_H

#include "scratch.h"

#include "../fault/starve.h"
#include "import/import.h"
#include "ir/op.h"

#define MODEL_INPUTS 64

/* Allocations of a model that are failed, evenly spread where it makes more; fewer where building takes long. */
#define MODEL_FAILURES 60
static long model_failures = MODEL_FAILURES;

typedef struct model_bytes {
    const void *p; /* has to stay while what is made of it is used */
    size_t      n;
    const char *name;
    int64_t     first, rest; /* what free extents become: the first of an input, and the others */
} model_bytes;

/* Both are to be freed, whatever the status. */
static inline status model_build(const model_bytes *m, model_file **f, graph **g)
{
    shape inputs[MODEL_INPUTS];
    *f = NULL;
    *g = NULL;
    TRY(model_file_open_memory(m->p, m->n, m->name, f));
    assert_true(model_file_inputs(*f) <= MODEL_INPUTS);
    for (int i = 0; i < model_file_inputs(*f); i++) {
        inputs[i] = model_file_input(*f, i)->shape;
        for (int k = 0; k < inputs[i].rank; k++)
            if (inputs[i].dim[k] < 0)
                inputs[i].dim[k] = k ? m->rest : m->first;
    }
    return model_file_build(*f, inputs, g);
}

static inline status model_try(const void *given)
{
    model_file  *f;
    graph       *g;
    const status st = model_build(given, &f, &g);
    graph_destroy(g);
    model_file_close(f);
    return st;
}

/* The bytes in memory of their exact size, so that a sanitizer sees a read beyond them; they stay as they are. */
static inline status model_try_copy(const model_bytes *m)
{
    uint8_t *copy = malloc(m->n ? m->n : 1);
    assert_non_null(copy);
    memcpy(copy, m->p, m->n);
    const status st = model_try(&(model_bytes){copy, m->n, m->name, m->first, m->rest});
    if (m->n && memcmp(copy, m->p, m->n) != 0)
        test_fail("%s: the caller's memory was changed\n", m->name);
    free(copy);
    return st;
}

/* Short of memory, it is built, or memory is said to be out, and nothing is left over. */
static inline void model_starve(const model_bytes *m)
{
    static long phase;
    starve(m->name, "building", model_try, m, model_failures, phase++);
    if (starve_wrongs)
        test_fail("the model above\n");
}

/* What a test builds its models by: with each allocation failed, then well. */
static inline status model_starve_and_build(const model_bytes *m, model_file **f, graph **g)
{
    model_starve(m);
    return model_build(m, f, g);
}

/* One line a node: op, shapes of what it reads (constants in brackets), shape of what it makes. */
static inline const char *graph_lines(const graph *g)
{
    static char text[8192];
    size_t      at = 0;
    text[0] = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        const node *n = g->nodes[i];
        char        s[SHAPE_TEXT];
        at += (size_t)snprintf(text + at, sizeof text - at, "%s", op_name(n->op));
        for (int k = 0; k < n->n_in; k++) {
            const value *v = n->in[k] < 0 ? NULL : &g->values[n->in[k]];
            at += (size_t)snprintf(text + at, sizeof text - at,
                                   !v        ? " -"
                                   : v->data ? " [%s]"
                                             : " %s",
                                   v ? shape_text(&v->shape, s) : "");
        }
        at += (size_t)snprintf(text + at, sizeof text - at, " > %s\n", shape_text(&g->values[n->out[0]].shape, s));
        assert_true(at < sizeof text);
    }
    return text;
}

#endif
