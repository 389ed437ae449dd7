/* SPDX-License-Identifier: Apache-2.0 */
/* Convolutions of a graph replaced by others that compute the same, or nearly. */
#ifndef SEPCL_SEPARATE_REWRITE_H
#define SEPCL_SEPARATE_REWRITE_H

#include "ops/conv.h"
#include "ops/conv_part.h"

typedef struct rewriting {
    sepcl_form form;
    int        rank;
    int        n_old; /* convolutions in a row that go: 1, or 2 for SEPCL_FORM_FOLDED */
    conv_part  parts[2];
    int        n_parts;
    float     *bias; /* of the last part, malloc'd; NULL: the last old one's */
} rewriting;

void rewriting_free(rewriting *r);

/* A word for each part of a form, for names: "column", "row". */
const char *const *form_roles(sepcl_form form);

/* Replaces node `at` (of two: the last) and drops what went. Weights are borrowed: r has to outlive the graph.
   Epilogue, bias, folded scale and residual go with the last part. *first_out: where the first new node is; may be
   NULL. */
status rewrite_apply(graph *g, int at, const rewriting *r, int *first_out);

/* ------------------------------------------------------------------ folding */

/* The convolution that node `second` and the one before it are as one: that one is depthwise and this one pointwise, or
   they are k x 1 and 1 x k, with nothing between them. false: there is no such form; *why then says so when they came
   near, and is NULL when there is nothing to fold. */
bool fold_applies(const graph *g, int second, int *first_out, const char **why);
/* Its window, without weights. */
conv_part fold_window(const graph *g, int first, int second);
/* Fills form, parts and bias. stored: as in spectrum_factor. *joint_out: the same weights before rounding, malloc'd. */
status fold_make(const graph *g, int first, int second, dtype stored, rewriting *out, double **joint_out);

#endif
