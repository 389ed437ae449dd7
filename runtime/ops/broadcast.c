/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/broadcast.h"

/* Strides of a dense tensor aligned to the output's dimensions, 0 where it is repeated. */
static void aligned_strides(const shape *s, const shape *out, int64_t stride[MAX_RANK])
{
    int64_t dense[MAX_RANK];
    shape_strides(s, dense);
    for (int i = 0; i < out->rank; i++) {
        const int k = i - (out->rank - s->rank);
        stride[i] = k < 0 || s->dim[k] == 1 ? 0 : dense[k];
    }
}

void broadcast_collapse(const shape *a, const shape *b, const shape *out, broadcast *r)
{
    int64_t sa[MAX_RANK], sb[MAX_RANK];
    aligned_strides(a, out, sa);
    aligned_strides(b, out, sb);
    *r = (broadcast){0};
    for (int i = 0; i < out->rank; i++) {
        const int64_t d = out->dim[i];
        const int     last = r->rank - 1;
        if (d == 1)
            continue;
        if (last >= 0 && r->a[last] == sa[i] * d && r->b[last] == sb[i] * d) {
            r->dim[last] *= d;
            r->a[last] = sa[i];
            r->b[last] = sb[i];
            continue;
        }
        r->dim[r->rank] = d;
        r->a[r->rank] = sa[i];
        r->b[r->rank++] = sb[i];
    }
    if (r->rank == 0) {
        r->rank = 1;
        r->dim[0] = r->a[0] = r->b[0] = 1;
    }
}
