/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the public functions. */
#ifndef SEPCL_API_H
#define SEPCL_API_H

#include "exec/exec.h"
#include "import/import.h"

struct sepcl_model {
    model_file *file;
    shape      *shapes; /* of the inputs, a free first dimension being 1; other free ones -1 */
    graph      *graph;  /* built with these shapes; NULL when some are free */
};

/* The graph for given input shapes, as read (no passes); the caller destroys it before the model. */
status api_graph(const sepcl_model *m, const sepcl_input_shape *given, int n_given, graph **out);
sepcl_shape api_shape(const shape *s);

/* What the summary calls a convolution: "DepthwiseConv2D"; "5x5 s1 valid" in the graph's memory, NULL when that is out. */
const char *api_conv_name(const node_view *v);
const char *api_conv_detail(graph *g, const node *n);

/* The tuning database of a device in the cache folder; NULL where there is no folder. */
status api_tuning(const caps *c, const char *cache_dir, bool no_cache, tune_db **out);

/* api_self_test.c */
status self_test(const sepcl_self_test_desc *d, sepcl_self_test_fn fn, void *user);

#endif
