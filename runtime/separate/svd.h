/* SPDX-License-Identifier: Apache-2.0 */
/* Singular values and vectors, by LAPACK. Matrices are of doubles, column after column. */
#ifndef SEPCL_SEPARATE_SVD_H
#define SEPCL_SEPARATE_SVD_H

#include "base/status.h"

/* a = u diag(s) v', with n = min(rows, cols) columns each. */
typedef struct svd {
    int     rows, cols, n;
    double *s; /* n, largest first */
    double *u; /* rows x n */
    double *v; /* cols x n; column r belongs to s[r] */
} svd;

/* Was the library built with LAPACK? */
bool svd_available(void);
/* Both destroy a, whose numbers must be finite. */
status svd_make(double *a, int64_t rows, int64_t cols, svd *out);
status svd_values(double *a, int64_t rows, int64_t cols, double *s);
void   svd_free(svd *d);

#endif
