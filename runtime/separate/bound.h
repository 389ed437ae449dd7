/* SPDX-License-Identifier: Apache-2.0 */
/* What replacing a convolution by two others does to its output: a bound that always holds, and what is measured. */
#ifndef SEPCL_SEPARATE_BOUND_H
#define SEPCL_SEPARATE_BOUND_H

#include "ops/conv.h"
#include "ops/conv_part.h"

/* The convolution that two in a row are, as weights of the window `c`: [o][i][y][x] doubles, malloc'd. Along each axis
   one of the kernels has extent 1. NULL when memory is out. */
double *compose(const conv_part *c, const conv_part parts[2]);
/* c's weights less those of the parts (n of them, 1 or 2). */
double *residual_of(const conv_part *c, const conv_part *parts, int n);

/* Frobenius norm over that of c's weights; 0 when both are 0. */
double relative_frobenius(const conv_part *c, const double *e);
/* Largest singular value of e as a linear map from a patch of the input to the output channels at one place. */
status patch_norm(const conv_part *c, const double *e, double *norm_out);
/* How many outputs of a channel an element of the input has a part in, at most. */
int64_t most_patches(const attr_conv *a);
/* Norm of e as a linear map from the whole input to the whole output, both with the Euclidean norm: an upper bound. */
status operator_bound(const conv_part *c, const double *e, double *bound_out);

/* ------------------------------------------------------------------ places of real inputs */

/* Input elements under a convolution's window at some places, padding as zeros: [n][input channels][kh][kw]. */
typedef struct patches {
    float  *x;
    int     n, room;
    int64_t size; /* of one */
} patches;

/* Room for as many places as fit a few megabytes. */
status patches_create(const conv_part *c, patches *out);
void   patches_free(patches *p);
/* Adds up to `most` places of an NHWC input, chosen by *random. */
void patches_add(patches *p, const conv_part *c, const float *x, nhwc in, int most, uint32_t *random);

typedef struct layer_error {
    double measured; /* Euclidean norm of the output's error over that of the output without bias, at the places */
    double bound;    /* of that */
} layer_error;
/* norm: patch_norm of e. Both are 0 where the output is 0. */
layer_error measure_patches(const patches *p, const conv_part *c, const double *e, double norm);

#endif
