/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which convolutions separate, and into what: their weights as matrices, singular values, and factors.
 *
 * Weights W[o][i][y][x] of a convolution can be written as sums of products in two ways (o: output channel, i: input
 * channel of the group, y and x: row and column of the kernel):
 *
 *  - UNFOLD_SPATIAL: as a matrix with rows (i, y) and columns (x, o). Of rank R it is a sum of R products
 *    a_r(i, y) b_r(x, o): a k x 1 convolution to R channels, then a 1 x k one. With a 1 x 1 kernel, where rows are i
 * and columns o, that is a pointwise convolution as two. One matrix a group: a depthwise k x k convolution of rank 1 is
 * a depthwise k x 1 and a depthwise 1 x k one.
 *  - UNFOLD_DEPTHWISE: for each input channel as a matrix with rows o and columns (y, x). Where none has a rank above M
 *    the convolution is a depthwise one with M filters a channel, then a pointwise one.
 *
 * By the theorem of Eckart, Young and Mirsky the first R singular triplets are the closest that R products can come in
 * the Frobenius norm, at a distance of the root of the sum of the other values' squares. Where there are several
 * matrices they share R; the value number r of a spectrum is the root of the sum of squares of their values number r.
 */
#ifndef SEPCL_SEPARATE_SPECTRUM_H
#define SEPCL_SEPARATE_SPECTRUM_H

#include "ops/conv.h"
#include "ops/conv_part.h"
#include "separate/svd.h"

/* Weights this near, relative to their Frobenius norm, are the same but for rounding: that of float32 is some 3e-8. */
#define SPECTRUM_EXACT 1e-6

typedef enum unfolding { UNFOLD_SPATIAL, UNFOLD_DEPTHWISE } unfolding;

typedef struct spectrum {
    unfolding kind;
    int64_t   rows, cols, count; /* of a matrix; how many */
    svd      *each;              /* count of them; NULL when only values were asked for */
    double   *s;                 /* n, largest first */
    int       n;
    double    norm; /* Frobenius norm of the weights */
    int       rank; /* the smallest that is exact; 0: all weights are 0 */
} spectrum;

/* Whether there is something to separate: neither the kernel nor the channels are 1 already. */
bool spectrum_applies(const conv_part *c, unfolding kind);
/* Are all weights numbers? */
bool weights_are_finite(const conv_part *c);

status spectrum_make(const conv_part *c, unfolding kind, bool vectors, spectrum *out);
void   spectrum_free(spectrum *s);
/* Relative Frobenius norm of what a rank leaves out. */
double spectrum_tail(const spectrum *s, int rank);

/* The windows of the two convolutions that a rank leads to, without weights. */
void separated_windows(const conv_part *c, unfolding kind, int rank, conv_part parts[2]);
/* The same with weights, rounded to what a file stores (float32 or half). parts are empty on failure. */
status spectrum_factor(const spectrum *s, const conv_part *c, int rank, dtype stored, conv_part parts[2]);

/* Is the convolution exact at some rank from 1 to most? Without a whole decomposition where a part of the matrix tells
   that it is not. 0: no. */
status spectrum_exact_rank(const conv_part *c, unfolding kind, int most, int *rank_out);
sepcl_form unfolding_form(const conv_part *c, unfolding kind);
/* The largest rank whose multiplications stay below a share of the convolution's; 0: none. Of a depthwise one only rank 1
   counts, as both convolutions are to be depthwise again. */
int separated_rank(const conv_part *c, unfolding kind, nhwc in, double share);
/* The exact form with the fewest multiplications, if these are fewer than the convolution's own. */
status spectrum_exact_form(const conv_part *c, nhwc in, sepcl_exact_form *out);
/* Multiplications and bytes of both convolutions at a rank. */
void separated_cost(const conv_part *c, unfolding kind, int rank, nhwc in, uint64_t *multiplications, uint64_t *bytes);

#endif
