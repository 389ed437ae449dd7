/* SPDX-License-Identifier: Apache-2.0 */
/* Graph to graph: each pass keeps what the graph computes and leaves it valid (graph_check). */
#ifndef SEPCL_PASS_PASS_H
#define SEPCL_PASS_PASS_H

#include "ir/graph.h"

typedef struct pass_options {
    bool no_fusion; /* one node a layer: only folding that removes a layer's arithmetic stays */
    bool f16;       /* store values as half between the graph's inputs and outputs */
} pass_options;

typedef struct pass {
    const char *name;
    status (*run)(graph *g, const pass_options *o);
    bool fusion; /* left out by no_fusion */
} pass;

/* All passes in order, each followed by graph_check; dumped at log level debug. */
status passes_run(graph *g, const pass_options *o);

/* One a file. */
status pass_recognise(graph *g, const pass_options *o);     /* activations written as several nodes */
status pass_fold_batch_norm(graph *g, const pass_options *o);
status pass_fold_pad(graph *g, const pass_options *o);      /* explicit padding into the convolutions that read it */
status pass_fuse_epilogue(graph *g, const pass_options *o); /* activation and residual into the node before */
status pass_drop_dead(graph *g, const pass_options *o);
status pass_outputs(graph *g, const pass_options *o);       /* outputs that need memory of their own get a copy */
status pass_half(graph *g, const pass_options *o);          /* storage types, and casts at the edges */

#endif
