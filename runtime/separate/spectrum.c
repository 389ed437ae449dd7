/* SPDX-License-Identifier: Apache-2.0 */
#include "separate/spectrum.h"

#include <math.h>
#include <stdlib.h>

#include "base/size.h"

/* ------------------------------------------------------------------ matrices */

bool spectrum_applies(const conv_part *c, unfolding kind)
{
    const int kh = c->a.kernel[0], kw = c->a.kernel[1];
    if (kind == UNFOLD_DEPTHWISE)
        return kh * kw > 1 && conv_part_co(c) > 1 && (c->ci > 1 || c->a.group == 1);
    return (kh > 1 && kw > 1) || (kh == 1 && kw == 1 && c->ci > 1 && conv_part_co(c) > 1);
}

bool weights_are_finite(const conv_part *c)
{
    for (int64_t i = 0; i < conv_part_count(c); i++)
        if (!isfinite(c->w[i]))
            return false;
    return true;
}

static void unfolding_size(const conv_part *c, spectrum *s)
{
    const int64_t kh = c->a.kernel[0], kw = c->a.kernel[1];
    const bool    spatial = s->kind == UNFOLD_SPATIAL;
    s->rows = spatial ? c->ci * kh : conv_part_co(c);
    s->cols = spatial ? kw * conv_part_co(c) : kh * kw;
    s->count = spatial ? c->a.group : c->ci * c->a.group;
    s->n = (int)i64_min(s->rows, s->cols);
}

/* Element (row, col) of matrix `which`, as the index of a weight. */
static int64_t weight_index(const conv_part *c, const spectrum *s, int64_t which, int64_t row, int64_t col)
{
    const int64_t kh = c->a.kernel[0], kw = c->a.kernel[1], co = conv_part_co(c);
    if (s->kind == UNFOLD_SPATIAL) {
        const int64_t i = row / kh, y = row - i * kh, x = col / co, o = col - x * co;
        return (((which * co + o) * c->ci + i) * kh + y) * kw + x;
    }
    const int64_t g = which / c->ci, i = which - g * c->ci;
    return ((g * co + row) * c->ci + i) * kh * kw + col;
}

static void unfold(const conv_part *c, const spectrum *s, int64_t which, double *a)
{
    for (int64_t col = 0; col < s->cols; col++)
        for (int64_t row = 0; row < s->rows; row++)
            *a++ = c->w[weight_index(c, s, which, row, col)];
}

/* ------------------------------------------------------------------ values and vectors */

static double frobenius(const conv_part *c)
{
    double sum = 0;
    for (int64_t i = 0; i < conv_part_count(c); i++)
        sum += (double)c->w[i] * (double)c->w[i];
    return sqrt(sum);
}

double spectrum_tail(const spectrum *s, int rank)
{
    double sum = 0;
    for (int r = s->n - 1; r >= rank; r--)
        sum += s->s[r] * s->s[r];
    return s->norm > 0 ? sqrt(sum) / s->norm : 0;
}

static int exact_rank(const spectrum *s)
{
    int    rank = s->n;
    double beyond = 0;
    if (!(s->norm > 0))
        return 0;
    while (rank > 1) {
        beyond += s->s[rank - 1] * s->s[rank - 1];
        if (sqrt(beyond) > SPECTRUM_EXACT * s->norm)
            break;
        rank--;
    }
    return rank;
}

static status decompose_all(const conv_part *c, bool vectors, spectrum *s, double *a, double *values)
{
    for (int64_t k = 0; k < s->count; k++) {
        unfold(c, s, k, a);
        if (vectors)
            TRY(svd_make(a, s->rows, s->cols, &s->each[k]));
        else
            TRY(svd_values(a, s->rows, s->cols, values));
        const double *one = vectors ? s->each[k].s : values;
        for (int r = 0; r < s->n; r++)
            s->s[r] += one[r] * one[r];
    }
    for (int r = 0; r < s->n; r++)
        s->s[r] = sqrt(s->s[r]);
    return SEPCL_OK;
}

status spectrum_make(const conv_part *c, unfolding kind, bool vectors, spectrum *out)
{
    *out = (spectrum){.kind = kind, .norm = frobenius(c)};
    unfolding_size(c, out);
    double *a = calloc((size_t)(out->rows * out->cols) + 1, sizeof *a); /* no more elements than weights */
    double *values = calloc((size_t)out->n + 1, sizeof *values);
    out->s = calloc((size_t)out->n + 1, sizeof *out->s);
    out->each = vectors ? calloc((size_t)out->count, sizeof *out->each) : NULL;
    status st = SEPCL_OK;
    if (!a || !values || !out->s || (vectors && !out->each))
        st = fail_memory((size_t)(out->rows * out->cols) * sizeof *a, "the singular values of a layer");
    if (st == SEPCL_OK)
        st = decompose_all(c, vectors, out, a, values);
    free(a);
    free(values);
    if (st != SEPCL_OK) {
        spectrum_free(out);
        return st;
    }
    out->rank = exact_rank(out);
    return SEPCL_OK;
}

void spectrum_free(spectrum *s)
{
    for (int64_t k = 0; s->each && k < s->count; k++)
        svd_free(&s->each[k]);
    free(s->each);
    free(s->s);
    *s = (spectrum){0};
}

/* ------------------------------------------------------------------ an early no */

/* A matrix has no smaller singular values than a part of it. So if the part of most + 1 rows and columns alone has more
   than the exact rest beyond rank `most`, nothing up to there is exact. */
static status part_says_no(const conv_part *c, const spectrum *s, int most, double *a, double *values, bool *no)
{
    double  beyond = 0;
    int64_t n = most + 1;
    for (int64_t k = 0; k < s->count && !*no; k++) {
        for (int64_t col = 0; col < n; col++)
            for (int64_t row = 0; row < n; row++) /* spread evenly, so that no plane of zeros fills the part */
                a[col * n + row] = c->w[weight_index(c, s, k, row * s->rows / n, col * s->cols / n)];
        TRY(svd_values(a, n, n, values));
        beyond += values[most] * values[most];
        *no = sqrt(beyond) > 2 * SPECTRUM_EXACT * s->norm; /* twice: rounding */
    }
    return SEPCL_OK;
}

status spectrum_exact_rank(const conv_part *c, unfolding kind, int most, int *rank_out)
{
    spectrum s = {.kind = kind, .norm = frobenius(c)};
    bool     no = false;
    *rank_out = 0;
    unfolding_size(c, &s);
    if (most < 1 || !(s.norm > 0) || !isfinite(s.norm))
        return SEPCL_OK;
    if (most < s.n) {
        const size_t n = (size_t)most + 1;
        double      *a = calloc(n * n, sizeof *a), *values = calloc(n, sizeof *values);
        const status st = a && values ? part_says_no(c, &s, most, a, values, &no)
                                      : fail_memory(n * n * sizeof *a, "the singular values of a layer");
        free(a);
        free(values);
        TRY(st);
    }
    if (no)
        return SEPCL_OK;
    TRY(spectrum_make(c, kind, false, &s));
    *rank_out = s.rank <= most ? s.rank : 0;
    spectrum_free(&s);
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ factors */

void separated_windows(const conv_part *c, unfolding kind, int rank, conv_part parts[2])
{
    parts[0] = parts[1] = *c;
    parts[0].w = parts[1].w = NULL;
    attr_conv *a = &parts[0].a, *b = &parts[1].a;
    if (kind == UNFOLD_SPATIAL) {
        a->kernel[1] = a->stride[1] = a->dilation[1] = 1;
        a->pad[1] = a->pad[3] = 0;
        b->kernel[0] = b->stride[0] = b->dilation[0] = 1;
        b->pad[0] = b->pad[2] = 0;
        a->out_channels = rank * a->group;
        parts[1].ci = rank;
    } else {
        const int channels = (int)c->ci * c->a.group;
        a->group = channels;
        a->out_channels = channels * rank;
        parts[0].ci = 1;
        for (int i = 0; i < 2; i++)
            b->kernel[i] = b->stride[i] = b->dilation[i] = 1;
        memset(b->pad, 0, sizeof b->pad);
        parts[1].ci = c->ci * rank;
    }
    conv_part_set_strides(&parts[0]);
    conv_part_set_strides(&parts[1]);
}

static float rounded(double v, dtype stored)
{
    const float f = (float)v;
    return stored == DT_F16 ? half_to_float(float_to_half(f)) : f;
}

/* Both factors take the root of the singular value, so that neither leaves the range of half. */
static void fill_spatial(const spectrum *s, const conv_part *c, int rank, dtype stored, conv_part parts[2])
{
    const int64_t kh = c->a.kernel[0], kw = c->a.kernel[1], co = conv_part_co(c);
    float        *first = parts[0].w, *second = parts[1].w;
    for (int64_t g = 0; g < s->count; g++) {
        const svd *d = &s->each[g];
        for (int64_t r = 0; r < rank; r++)
            for (int64_t row = 0; row < c->ci * kh; row++) /* in the order i, y */
                *first++ = rounded(sqrt(d->s[r]) * d->u[r * d->rows + row], stored);
        for (int64_t o = 0; o < co; o++)
            for (int64_t r = 0; r < rank; r++)
                for (int64_t x = 0; x < kw; x++)
                    *second++ = rounded(sqrt(d->s[r]) * d->v[r * d->cols + x * co + o], stored);
    }
}

static void fill_depthwise(const spectrum *s, const conv_part *c, int rank, dtype stored, conv_part parts[2])
{
    const int64_t co = conv_part_co(c);
    float        *first = parts[0].w, *second = parts[1].w;
    for (int64_t k = 0; k < s->count; k++) {
        const svd *d = &s->each[k];
        for (int64_t m = 0; m < rank; m++)
            for (int64_t col = 0; col < s->cols; col++)
                *first++ = rounded(sqrt(d->s[m]) * d->v[m * d->cols + col], stored);
    }
    for (int64_t o = 0; o < c->a.out_channels; o++) {
        const int64_t g = o / co;
        for (int64_t i = 0; i < c->ci; i++) {
            const svd *d = &s->each[g * c->ci + i];
            for (int64_t m = 0; m < rank; m++)
                *second++ = rounded(sqrt(d->s[m]) * d->u[m * d->rows + o - g * co], stored);
        }
    }
}

status spectrum_factor(const spectrum *s, const conv_part *c, int rank, dtype stored, conv_part parts[2])
{
    int64_t wide;
    parts[0] = parts[1] = (conv_part){0};
    if (rank < 1 || rank > s->n || !s->each)
        return fail(SEPCL_INVALID, "rank %d is not in 1 ... %d", rank, s->n);
    if (!i64_mul(s->count, rank, &wide) || wide > INT32_MAX)
        return fail(SEPCL_UNSUPPORTED, "rank %d for %lld matrices is above the limits", rank, (long long)s->count);
    separated_windows(c, s->kind, rank, parts);
    status st = conv_part_alloc(&parts[0]);
    if (st == SEPCL_OK)
        st = conv_part_alloc(&parts[1]);
    if (st != SEPCL_OK) {
        conv_part_free(&parts[0]);
        conv_part_free(&parts[1]);
        return st;
    }
    (s->kind == UNFOLD_SPATIAL ? fill_spatial : fill_depthwise)(s, c, rank, stored, parts);
    return SEPCL_OK;
}

sepcl_form unfolding_form(const conv_part *c, unfolding kind)
{
    if (kind == UNFOLD_DEPTHWISE)
        return SEPCL_FORM_DEPTHWISE;
    return c->a.kernel[0] * c->a.kernel[1] > 1 ? SEPCL_FORM_SPATIAL : SEPCL_FORM_LOW_RANK;
}

int separated_rank(const conv_part *c, unfolding kind, nhwc in, double share)
{
    spectrum s = {.kind = kind};
    uint64_t own, one, bytes;
    int      rank = 0;
    unfolding_size(c, &s);
    conv_part_cost(c, in, &own, &bytes);
    const int most = c->ci == 1 && c->a.group > 1 ? 1 : s.n;
    for (; rank < most; rank++) {
        separated_cost(c, kind, rank + 1, in, &one, &bytes);
        if ((double)one >= share * (double)own)
            break;
    }
    return rank;
}

status spectrum_exact_form(const conv_part *c, nhwc in, sepcl_exact_form *out)
{
    *out = (sepcl_exact_form){SEPCL_FORM_AS_IT_IS, 0, 0};
    for (int kind = UNFOLD_SPATIAL; kind <= UNFOLD_DEPTHWISE; kind++) {
        int      rank;
        uint64_t multiplications, bytes;
        if (!spectrum_applies(c, kind))
            continue;
        TRY(spectrum_exact_rank(c, kind, separated_rank(c, kind, in, 1), &rank));
        if (!rank)
            continue;
        separated_cost(c, kind, rank, in, &multiplications, &bytes);
        if (out->form == SEPCL_FORM_AS_IT_IS || multiplications < out->multiplications)
            *out = (sepcl_exact_form){unfolding_form(c, kind), rank, multiplications};
    }
    return SEPCL_OK;
}

void separated_cost(const conv_part *c, unfolding kind, int rank, nhwc in, uint64_t *multiplications, uint64_t *bytes)
{
    conv_part parts[2];
    uint64_t  second[2];
    separated_windows(c, kind, rank, parts);
    conv_part_cost(&parts[0], in, multiplications, bytes);
    conv_part_cost(&parts[1], conv_part_out(&parts[0], in), &second[0], &second[1]);
    *multiplications += second[0];
    *bytes += second[1];
}
