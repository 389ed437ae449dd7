/* SPDX-License-Identifier: Apache-2.0 */
#include "separate/svd.h"

#include <stdlib.h>

#include "base/size.h"

#ifdef SEPCL_LAPACK
#include <lapacke.h>

bool svd_available(void)
{
    return true;
}

/* job 'S': vectors to u (rows x n) and vt (n x cols); 'N': none. */
static status decompose(char job, double *a, int64_t rows, int64_t cols, double *s, double *u, double *vt)
{
    if (rows > INT32_MAX || cols > INT32_MAX)
        return fail(SEPCL_UNSUPPORTED, "a matrix of %lld x %lld is above the limits", (long long)rows, (long long)cols);
    const lapack_int m = (lapack_int)rows, n = (lapack_int)cols, k = m < n ? m : n;
    const lapack_int info = LAPACKE_dgesdd(LAPACK_COL_MAJOR, job, m, n, a, m, s, u, m, vt, k);
    if (info == LAPACK_WORK_MEMORY_ERROR || info == LAPACK_TRANSPOSE_MEMORY_ERROR)
        return fail_memory((size_t)rows * (size_t)cols * sizeof *a, "singular values");
    if (info != 0)
        return fail(SEPCL_UNSUPPORTED, "the singular values of a %lld x %lld matrix were not found (LAPACK: %d)",
                    (long long)rows, (long long)cols, (int)info);
    return SEPCL_OK;
}
#else
bool svd_available(void)
{
    return false;
}

static status decompose(char job, double *a, int64_t rows, int64_t cols, double *s, double *u, double *vt)
{
    (void)job, (void)a, (void)rows, (void)cols, (void)s, (void)u, (void)vt;
    return fail(SEPCL_UNSUPPORTED, "this build of sepcl has no LAPACK, which finding out what separates needs");
}
#endif

status svd_values(double *a, int64_t rows, int64_t cols, double *s)
{
    double unused = 0;
    return decompose('N', a, rows, cols, s, &unused, &unused);
}

status svd_make(double *a, int64_t rows, int64_t cols, svd *out)
{
    const int64_t n = i64_min(rows, cols);
    double       *vt = calloc((size_t)(n * cols) + 1, sizeof *vt);
    *out = (svd){.rows = (int)rows, .cols = (int)cols, .n = (int)n};
    out->s = calloc((size_t)n + 1, sizeof *out->s);
    out->u = calloc((size_t)(rows * n) + 1, sizeof *out->u);
    out->v = calloc((size_t)(cols * n) + 1, sizeof *out->v);
    status st = SEPCL_OK;
    if (!vt || !out->s || !out->u || !out->v)
        st = fail_memory((size_t)((rows + 2 * cols) * n) * sizeof *vt, "singular vectors");
    if (st == SEPCL_OK)
        st = decompose('S', a, rows, cols, out->s, out->u, vt);
    for (int64_t r = 0; st == SEPCL_OK && r < n; r++)
        for (int64_t c = 0; c < cols; c++)
            out->v[r * cols + c] = vt[c * n + r];
    free(vt);
    if (st != SEPCL_OK)
        svd_free(out);
    return st;
}

void svd_free(svd *d)
{
    free(d->s);
    free(d->u);
    free(d->v);
    *d = (svd){0};
}
