/* SPDX-License-Identifier: Apache-2.0 */
/* What separates: ranks that were planted are found, factors amount to the weights, and no error is above its bound. */
#include "scratch.h"

#include <math.h>

#include "ir/op.h"
#include "separate/bound.h"
#include "separate/rewrite.h"
#include "separate/spectrum.h"

/* ------------------------------------------------------------------ random cases */

static uint32_t state = 88172645u;

static uint32_t dice(void)
{
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return state;
}

static int between(int low, int high)
{
    return low + (int)(dice() % (uint32_t)(high - low + 1));
}

/* About normal. */
static double number(void)
{
    double sum = 0;
    for (int i = 0; i < 4; i++)
        sum += (double)dice() / 2147483648.0 - 1;
    return sum;
}

static conv_part make_conv(int group, int ci, int co, int kh, int kw)
{
    conv_part c = {.a = {.kernel = {kh, kw}, .stride = {1, 1}, .dilation = {1, 1}, .group = group,
                         .out_channels = group * co}, .ci = ci};
    assert_ok(conv_part_alloc(&c));
    return c;
}

/* Any window and any weights, some of which are of low rank but for a little. */
static conv_part random_conv(void)
{
    const int group = between(0, 2) ? 1 : between(2, 4);
    conv_part c = make_conv(group, between(1, 5), between(1, 5), between(1, 5), between(1, 5));
    for (int i = 0; i < 2; i++) {
        c.a.stride[i] = between(1, 4);
        c.a.dilation[i] = between(1, 3);
        c.a.pad[i] = between(0, 3);
        c.a.pad[i + 2] = between(0, 3);
    }
    const double noise = pow(10, -between(0, 8));
    for (int64_t i = 0; i < conv_part_count(&c); i++)
        c.w[i] = (float)(noise * number());
    const bool low = between(0, 1);
    for (int64_t o = 0; low && o < c.a.out_channels; o++) {
        const double f = number();
        for (int64_t t = 0; t < conv_part_taps(&c); t++)
            c.w[o * conv_part_taps(&c) + t] += (float)(f * cos((double)(t * t)));
    }
    return c;
}

static double *random_input(nhwc in)
{
    const int64_t n = in.n * in.h * in.w * in.c;
    double       *x = calloc((size_t)n + 1, sizeof *x);
    assert_non_null(x);
    for (int64_t i = 0; i < n; i++)
        x[i] = number() + 0.5; /* as activations are: not around 0 */
    return x;
}

/* ------------------------------------------------------------------ a convolution in doubles */

static double *convolve(const conv_part *c, const double *x, nhwc in)
{
    const nhwc    out = conv_part_out(c, in);
    const int64_t co = conv_part_co(c), kh = c->a.kernel[0], kw = c->a.kernel[1];
    double       *y = calloc((size_t)(out.n * out.h * out.w * out.c) + 1, sizeof *y), *to = y;
    assert_non_null(y);
    for (int64_t p = 0; p < out.n * out.h * out.w; p++)
        for (int64_t o = 0; o < out.c; o++, to++)
            for (int64_t t = 0; t < c->ci * kh * kw; t++) {
                const int64_t i = t / (kh * kw), ky = t / kw % kh, kx = t % kw;
                const int64_t iy = p / out.w % out.h * c->a.stride[0] - c->a.pad[0] + ky * c->a.dilation[0];
                const int64_t ix = p % out.w * c->a.stride[1] - c->a.pad[1] + kx * c->a.dilation[1];
                if (iy >= 0 && iy < in.h && ix >= 0 && ix < in.w)
                    *to += (double)c->w[o * c->ci * kh * kw + t] *
                           x[((p / (out.h * out.w) * in.h + iy) * in.w + ix) * in.c + o / co * c->ci + i];
            }
    return y;
}

static double norm(const double *v, int64_t n)
{
    double sum = 0;
    for (int64_t i = 0; i < n; i++)
        sum += v[i] * v[i];
    return sqrt(sum);
}

/* ------------------------------------------------------------------ the bound */

static void free_parts(conv_part parts[2])
{
    conv_part_free(&parts[0]);
    conv_part_free(&parts[1]);
}

/* What a patch says of the places that it was taken at, too. */
static void check_patches(const conv_part *c, const double *e, double patch, const double *x, nhwc in)
{
    patches  p;
    uint32_t seed = dice();
    float   *f = calloc((size_t)(in.n * in.h * in.w * in.c) + 1, sizeof *f);
    assert_non_null(f);
    for (int64_t i = 0; i < in.n * in.h * in.w * in.c; i++)
        f[i] = (float)x[i];
    assert_ok(patches_create(c, &p));
    patches_add(&p, c, f, in, between(1, 20), &seed);
    const layer_error le = measure_patches(&p, c, e, patch);
    assert_true(le.measured <= le.bound * (1 + 1e-9));
    patches_free(&p);
    free(f);
}

/* Both convolutions in a row, on an input, against the one: the difference is below the bound and is what the residual
   weights say. Returns how near the bound it came. */
static double check_error(const conv_part *c, const conv_part parts[2], nhwc in)
{
    double *x = random_input(in), *want = convolve(c, x, in), *mid = convolve(&parts[0], x, in);
    double *got = convolve(&parts[1], mid, conv_part_out(&parts[0], in)), *e = residual_of(c, parts, 2);
    double  bound, patch;
    assert_non_null(e);
    assert_ok(operator_bound(c, e, &bound));
    assert_ok(patch_norm(c, e, &patch));
    const nhwc    out = conv_part_out(c, in);
    const int64_t n = out.n * out.h * out.w * out.c, m = in.n * in.h * in.w * in.c;
    const double  whole = norm(want, n);
    for (int64_t i = 0; i < n; i++)
        got[i] -= want[i];
    const double error = norm(got, n), limit = bound * norm(x, m);
    assert_true(error <= limit * (1 + 1e-9) + 1e-12 * whole); /* sums of doubles are rounded, too */
    check_patches(c, e, patch, x, in);
    free(x);
    free(want);
    free(mid);
    free(got);
    free(e);
    return limit > 0 ? error / limit : 0;
}

/* A case of one of the unfoldings at a random rank. false: the window does not fit or there is nothing to separate. */
static bool one_case(unfolding kind, double *nearest)
{
    conv_part  c = random_conv(), parts[2];
    spectrum   s;
    const nhwc in = {between(1, 2), between(4, 12), between(4, 12), c.ci * c.a.group}, out = conv_part_out(&c, in);
    const bool fits = out.h > 0 && out.w > 0 && spectrum_applies(&c, kind);
    if (fits) {
        assert_ok(spectrum_make(&c, kind, true, &s));
        const int rank = between(1, s.n);
        assert_ok(spectrum_factor(&s, &c, rank, between(0, 3) ? DT_F32 : DT_F16, parts));
        *nearest = fmax(*nearest, check_error(&c, parts, in));
        free_parts(parts);
        spectrum_free(&s);
    }
    conv_part_free(&c);
    return fits;
}

static void no_error_is_above_its_bound(void **unused)
{
    (void)unused;
    double nearest = 0;
    int    cases = 0;
    for (int i = 0; cases < 1000; i++) {
        cases += one_case(i % 2 ? UNFOLD_DEPTHWISE : UNFOLD_SPATIAL, &nearest);
        assert_true(i < 20000);
    }
    assert_true(nearest > 0.3); /* a bound that is never near says little */
}

/* Frobenius norm of what is left out, in float32 factors. */
static void factors_leave_out_what_the_spectrum_says(void **unused)
{
    (void)unused;
    for (int i = 0; i < 200; i++) {
        conv_part       c = random_conv(), parts[2];
        spectrum        s;
        const unfolding kind = i % 2 ? UNFOLD_DEPTHWISE : UNFOLD_SPATIAL;
        if (spectrum_applies(&c, kind)) {
            assert_ok(spectrum_make(&c, kind, true, &s));
            const int rank = between(1, s.n);
            assert_ok(spectrum_factor(&s, &c, rank, DT_F32, parts));
            double *e = residual_of(&c, parts, 2);
            assert_non_null(e);
            const double got = relative_frobenius(&c, e), want = spectrum_tail(&s, rank);
            assert_true(fabs(got - want) <= 3e-7);
            assert_true(spectrum_tail(&s, s.n) == 0);
            free(e);
            free_parts(parts);
            spectrum_free(&s);
        }
        conv_part_free(&c);
    }
}

/* The count of outputs that an input element has a part in, by trying all. */
static void most_patches_is_the_most(void **unused)
{
    (void)unused;
    for (int i = 0; i < 500; i++) {
        attr_conv a = {.kernel = {between(1, 7), 1}, .stride = {between(1, 6), 1}, .dilation = {between(1, 6), 1}};
        int       count[200] = {0}, most = 0;
        for (int out = 0; out * a.stride[0] + (a.kernel[0] - 1) * a.dilation[0] < 200; out++)
            for (int t = 0; t < a.kernel[0]; t++)
                count[out * a.stride[0] + t * a.dilation[0]]++;
        for (int k = 0; k < 200; k++)
            most = count[k] > most ? count[k] : most;
        assert_int_equal(most_patches(&a), most);
    }
}

/* ------------------------------------------------------------------ planted ranks */

/* Weights that are a sum of products, rounded to float32. */
static conv_part plant(unfolding kind, int rank, int group, int ci, int co, int kh, int kw)
{
    conv_part c = make_conv(group, ci, co, kh, kw);
    for (int g = 0; g < group; g++) {
        double a[64][64], b[64][64]; /* of each product: rows, and columns */
        for (int r = 0; r < rank * (kind == UNFOLD_SPATIAL ? 1 : ci); r++)
            for (int k = 0; k < 64; k++) {
                a[r][k] = number();
                b[r][k] = number();
            }
        for (int o = 0; o < co; o++)
            for (int i = 0; i < ci; i++)
                for (int t = 0; t < kh * kw; t++) {
                    double sum = 0;
                    for (int r = 0; r < rank; r++)
                        sum += kind == UNFOLD_SPATIAL ? a[r][i * kh + t / kw] * b[r][t % kw * co + o]
                                                      : a[i * rank + r][o] * b[i * rank + r][t];
                    c.w[((g * co + o) * ci + i) * kh * kw + t] = (float)sum;
                }
    }
    return c;
}

static void assert_rank(conv_part c, unfolding kind, int rank)
{
    spectrum s;
    int      found;
    assert_ok(spectrum_make(&c, kind, false, &s));
    assert_int_equal(s.rank, rank);
    for (int most = 1; most <= s.n; most++) { /* the shorter way to the same answer */
        assert_ok(spectrum_exact_rank(&c, kind, most, &found));
        assert_int_equal(found, rank <= most ? rank : 0);
    }
    spectrum_free(&s);
    conv_part_free(&c);
}

static void planted_ranks_are_found(void **unused)
{
    (void)unused;
    for (int rank = 1; rank <= 8; rank++) {
        assert_rank(plant(UNFOLD_SPATIAL, rank, 1, 6, 10, 5, 5), UNFOLD_SPATIAL, rank);
        assert_rank(plant(UNFOLD_SPATIAL, rank, 3, 6, 9, 5, 3), UNFOLD_SPATIAL, rank);
        assert_rank(plant(UNFOLD_DEPTHWISE, rank, 1, 4, 20, 3, 3), UNFOLD_DEPTHWISE, rank);
        assert_rank(plant(UNFOLD_DEPTHWISE, rank, 2, 3, 16, 5, 5), UNFOLD_DEPTHWISE, rank);
        assert_rank(plant(UNFOLD_SPATIAL, rank, 1, 16, 24, 1, 1), UNFOLD_SPATIAL, rank); /* pointwise */
    }
    assert_rank(plant(UNFOLD_SPATIAL, 1, 16, 1, 1, 5, 5), UNFOLD_SPATIAL, 1); /* depthwise */
    assert_rank(plant(UNFOLD_SPATIAL, 5, 1, 1, 1, 5, 5), UNFOLD_SPATIAL, 5);  /* one channel, of full rank */
    assert_rank(plant(UNFOLD_SPATIAL, 30, 1, 6, 10, 5, 5), UNFOLD_SPATIAL, 30);
}

static void exact_factors_are_exact(void **unused)
{
    (void)unused;
    conv_part c = plant(UNFOLD_SPATIAL, 4, 1, 6, 10, 5, 5), parts[2];
    spectrum  s;
    assert_ok(spectrum_make(&c, UNFOLD_SPATIAL, true, &s));
    assert_ok(spectrum_factor(&s, &c, s.rank, DT_F32, parts));
    double *e = residual_of(&c, parts, 2);
    assert_non_null(e);
    assert_true(relative_frobenius(&c, e) < 2e-7);
    assert_int_equal(parts[0].a.out_channels, 4);
    assert_int_equal(parts[0].a.kernel[0] * 10 + parts[0].a.kernel[1], 51);
    assert_int_equal(parts[1].a.kernel[0] * 10 + parts[1].a.kernel[1], 15);
    free(e);
    free_parts(parts);
    assert_int_equal(spectrum_factor(&s, &c, 0, DT_F32, parts), SEPCL_INVALID);
    assert_int_equal(spectrum_factor(&s, &c, s.n + 1, DT_F32, parts), SEPCL_INVALID);
    spectrum_free(&s);
    conv_part_free(&c);
}

/* The seed: 1,440 + 320 multiplications instead of 4,800 (one filter of rank 1 over three channels). */
static void costs_are_those_of_the_seed(void **unused)
{
    (void)unused;
    const nhwc       in = {1, 12, 12, 3};
    uint64_t         multiplications, bytes;
    sepcl_exact_form f;
    conv_part        c = plant(UNFOLD_SPATIAL, 1, 1, 3, 1, 5, 5);
    conv_part_cost(&c, in, &multiplications, &bytes);
    assert_int_equal(multiplications, 4800);
    separated_cost(&c, UNFOLD_SPATIAL, 1, in, &multiplications, &bytes);
    assert_int_equal(multiplications, 1760);
    assert_int_equal(bytes, 4 * (15 + 432 + 96 + 5 + 96 + 64));
    assert_ok(spectrum_exact_form(&c, in, &f));
    assert_int_equal(f.form, SEPCL_FORM_SPATIAL);
    assert_int_equal(f.rank, 1);
    assert_int_equal(f.multiplications, 1760);
    conv_part_free(&c);
}

/* ------------------------------------------------------------------ degenerate weights */

static void degenerate_weights_are_no_exact_forms(void **unused)
{
    (void)unused;
    const nhwc       in = {1, 8, 8, 4};
    sepcl_exact_form f;
    spectrum         s;
    conv_part        c = make_conv(1, 4, 6, 3, 3);
    assert_true(weights_are_finite(&c));
    assert_ok(spectrum_make(&c, UNFOLD_SPATIAL, true, &s)); /* zeros */
    assert_int_equal(s.rank, 0);
    assert_true(spectrum_tail(&s, 1) == 0);
    spectrum_free(&s);
    assert_ok(spectrum_exact_form(&c, in, &f));
    assert_int_equal(f.form, SEPCL_FORM_AS_IT_IS);
    c.w[7] = NAN;
    assert_false(weights_are_finite(&c));
    c.w[7] = INFINITY;
    assert_false(weights_are_finite(&c));
    conv_part_free(&c);
    c = make_conv(1, 1, 6, 1, 1); /* one channel, 1 x 1 */
    assert_false(spectrum_applies(&c, UNFOLD_SPATIAL));
    assert_false(spectrum_applies(&c, UNFOLD_DEPTHWISE));
    conv_part_free(&c);
    c = make_conv(4, 1, 1, 1, 5); /* depthwise, one row */
    assert_false(spectrum_applies(&c, UNFOLD_SPATIAL));
    assert_false(spectrum_applies(&c, UNFOLD_DEPTHWISE));
    conv_part_free(&c);
}

/* ------------------------------------------------------------------ rewriting a graph */

static value_id add_node(graph *g, value_id x, const conv_part *c, bool bias)
{
    const shape    w = SHAPE(c->a.out_channels, c->ci, c->a.kernel[0], c->a.kernel[1]), b = SHAPE(c->a.out_channels);
    const attrs    a = {.conv = c->a};
    const value_id in[] = {x, graph_const(g, "w", DT_F32, &w, c->w, true), bias ? test_const(g, "b", &b) : -1};
    const value_id y = graph_op(g, OP_CONV, "conv", &a, in, 3);
    assert_true(y >= 0);
    return y;
}

static void rewriting_keeps_what_is_around(void **unused)
{
    (void)unused;
    graph      *g;
    const shape s = SHAPE(1, 9, 9, 6);
    conv_part   c = plant(UNFOLD_SPATIAL, 2, 1, 6, 6, 3, 3);
    spectrum    sp;
    rewriting   r = {.form = SEPCL_FORM_SPATIAL, .rank = 2, .n_old = 1, .n_parts = 2};
    int         first;
    c.a.pad[0] = c.a.pad[1] = c.a.pad[2] = c.a.pad[3] = 1;
    assert_ok(graph_create("test", &g));
    const value_id x = graph_input(g, "x", DT_F32, &s), y = add_node(g, add_node(g, x, &c, true), &c, true);
    g->nodes[0]->epi.act = (act){ACT_CLAMP, 0, 6};
    assert_ok(graph_output(g, y));
    assert_ok(spectrum_make(&c, UNFOLD_SPATIAL, true, &sp));
    assert_ok(spectrum_factor(&sp, &c, 2, DT_F32, r.parts));
    assert_ok(rewrite_apply(g, 0, &r, &first));
    assert_int_equal(g->n_nodes, 3);
    assert_int_equal(first, 0);
    assert_int_equal(g->nodes[0]->epi.act.kind, ACT_NONE);
    assert_int_equal(g->nodes[1]->epi.act.kind, ACT_CLAMP);
    assert_int_equal(g->nodes[0]->in[CONV_B], -1);
    assert_true(g->nodes[1]->in[CONV_B] >= 0);
    assert_ok(rewrite_apply(g, 2, &r, &first)); /* the output of the graph */
    assert_int_equal(g->n_nodes, 4);
    assert_true(g->values[g->outputs[0]].is_output);
    assert_int_equal(g->outputs[0], g->nodes[3]->out[0]);
    graph_destroy(g);
    rewriting_free(&r);
    spectrum_free(&sp);
    conv_part_free(&c);
}

/* A pair folds, and computes the same; or a reason is given. */
static void check_fold(const conv_part *a, const conv_part *b, bool bias, bool folds)
{
    graph      *g;
    const shape s = SHAPE(1, 9, 9, a->ci * a->a.group);
    int         first = -1;
    const char *why;
    rewriting   r;
    double     *joint;
    assert_ok(graph_create("test", &g));
    const value_id x = graph_input(g, "x", DT_F32, &s);
    assert_ok(graph_output(g, add_node(g, add_node(g, x, a, bias), b, bias)));
    assert_int_equal(fold_applies(g, 1, &first, &why), folds);
    assert_true(folds || why);
    if (folds) {
        assert_ok(fold_make(g, first, 1, DT_F32, &r, &joint));
        const nhwc in = {1, 9, 9, a->ci * a->a.group};
        double    *v = random_input(in), *want = convolve(a, v, in);
        double    *both = convolve(b, want, conv_part_out(a, in)), *got = convolve(&r.parts[0], v, in);
        const nhwc out = conv_part_out(&r.parts[0], in);
        const int64_t n = out.n * out.h * out.w * out.c;
        assert_int_equal(r.bias != NULL, bias);
        for (int64_t i = 0; i < n; i++)
            got[i] -= both[i];
        assert_true(norm(got, n) <= 1e-6 * norm(both, n));
        free(v);
        free(want);
        free(both);
        free(got);
        free(joint);
        rewriting_free(&r);
    }
    graph_destroy(g);
}

static void pairs_fold(void **unused)
{
    (void)unused;
    conv_part dw = plant(UNFOLD_SPATIAL, 3, 4, 1, 2, 3, 3), pw = plant(UNFOLD_SPATIAL, 5, 1, 8, 5, 1, 1);
    conv_part column = plant(UNFOLD_DEPTHWISE, 1, 1, 4, 3, 3, 1), row = plant(UNFOLD_DEPTHWISE, 1, 1, 3, 5, 1, 3);
    dw.a.pad[0] = dw.a.pad[1] = 1;
    dw.a.stride[0] = 2;
    check_fold(&dw, &pw, true, true);
    check_fold(&dw, &pw, false, true);
    check_fold(&column, &row, true, true);
    column.a.dilation[0] = 2;
    row.a.pad[1] = row.a.pad[3] = 1;
    row.a.stride[1] = 2;
    check_fold(&column, &row, false, true);
    check_fold(&column, &row, true, false); /* the border would lack the first one's bias */
    pw.a.stride[0] = 2;
    check_fold(&dw, &pw, false, false);
    conv_part_free(&dw);
    conv_part_free(&pw);
    conv_part_free(&column);
    conv_part_free(&row);
}

/* ------------------------------------------------------------------ pairs that do not fold */

/* Two convolutions in a row, and what is to be changed about them. */
typedef struct pair {
    conv_part a, b;
    graph    *g; /* once it is built */
    value_id  between;
} pair;

static pair depthwise_pair(void)
{
    return (pair){.a = make_conv(4, 1, 2, 3, 3), .b = make_conv(1, 8, 5, 1, 1)};
}

static pair spatial_pair(void)
{
    return (pair){.a = make_conv(1, 4, 3, 3, 1), .b = make_conv(1, 3, 5, 1, 3)};
}

static void build_pair(pair *p, bool bias)
{
    const shape s = SHAPE(1, 9, 9, p->a.ci * p->a.a.group);
    assert_ok(graph_create("test", &p->g));
    p->between = add_node(p->g, graph_input(p->g, "x", DT_F32, &s), &p->a, bias);
    assert_ok(graph_output(p->g, add_node(p->g, p->between, &p->b, false)));
}

/* want: the reason, "pair" when they fold, "" when they are no pair at all. */
static void ends_as(pair *p, const char *want)
{
    int         first = -1;
    const char *why = "left from before";
    const bool  folds = fold_applies(p->g, 1, &first, &why);
    assert_true(!folds || (first == 0 && !why));
    if (strcmp(folds ? "pair" : why ? why : "", want))
        test_fail("'%s' instead of '%s'\n", folds ? "pair" : why ? why : "", want);
    graph_destroy(p->g);
    conv_part_free(&p->a);
    conv_part_free(&p->b);
}

#define STRIDED "the second of both strides over what the first made"

static void windows_that_do_not_fold(void **unused)
{
    static const struct {
        bool        spatial, second, pad; /* which one's; pad: else its stride */
        int         at, to;
        const char *want;
    } changes[] = {
        {false, true, true, 0, 1, ""},       {false, true, true, 1, 1, ""},       {false, true, true, 2, 1, ""},
        {false, true, true, 3, 1, ""},       {false, true, false, 0, 2, STRIDED}, {false, true, false, 1, 2, STRIDED},
        {false, false, false, 0, 2, "pair"}, {false, false, true, 2, 2, "pair"},  {true, true, true, 0, 1, ""},
        {true, true, true, 2, 1, ""},        {true, true, true, 1, 1, "pair"},    {true, true, false, 0, 2, STRIDED},
        {true, true, false, 1, 2, "pair"},   {true, false, false, 0, 2, "pair"},  {true, false, false, 1, 2, ""},
        {true, false, true, 0, 1, "pair"},   {true, false, true, 1, 1, ""},       {true, false, true, 3, 1, ""},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        pair       p = changes[i].spatial ? spatial_pair() : depthwise_pair();
        attr_conv *c = changes[i].second ? &p.b.a : &p.a.a;
        *(changes[i].pad ? &c->pad[changes[i].at] : &c->stride[changes[i].at]) = changes[i].to;
        build_pair(&p, false);
        ends_as(&p, changes[i].want);
    }
}

/* Kernels and groups by which two convolutions are a pair or none. */
static void other_convolutions_are_no_pair(void **unused)
{
    static const struct {
        int  g1, ci, co1, kh, kw, g2, kh2, kw2;
        bool folds;
    } cases[] = {
        {4, 1, 2, 3, 3, 1, 1, 1, true},  {4, 1, 2, 3, 3, 2, 1, 1, false}, {4, 1, 2, 3, 3, 1, 3, 1, false},
        {4, 1, 2, 3, 3, 1, 1, 3, false}, {4, 1, 2, 1, 1, 1, 1, 1, false}, {2, 2, 4, 3, 3, 1, 1, 1, false},
        {1, 1, 8, 3, 3, 1, 1, 1, true},  {1, 4, 8, 3, 3, 1, 1, 1, false}, {1, 4, 8, 3, 1, 1, 1, 3, true},
        {2, 4, 4, 3, 1, 1, 1, 3, false}, {1, 4, 8, 3, 1, 2, 1, 3, false}, {1, 4, 8, 1, 3, 1, 1, 3, false},
        {1, 4, 8, 3, 3, 1, 1, 3, false}, {1, 4, 8, 3, 1, 1, 3, 3, false}, {1, 4, 8, 3, 1, 1, 1, 1, false},
        {4, 1, 2, 3, 1, 1, 1, 1, true},
    };
    (void)unused;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int mid = cases[i].g1 * cases[i].co1;
        pair      p = {.a = make_conv(cases[i].g1, cases[i].ci, cases[i].co1, cases[i].kh, cases[i].kw),
                       .b = make_conv(cases[i].g2, mid / cases[i].g2, 6, cases[i].kh2, cases[i].kw2)};
        build_pair(&p, false);
        ends_as(&p, cases[i].folds ? "pair" : "");
    }
}

static void what_lies_between_keeps_a_pair_apart(void **unused)
{
    const char *const other = "the first of both is followed by something else";
    (void)unused;
    for (int i = 0; i < 8; i++) {
        pair p = i == 7 ? spatial_pair() : depthwise_pair();
        if (i == 7)
            p.b.a.pad[1] = 1;
        build_pair(&p, i == 7);
        graph       *g = p.g;
        const shape  s = SHAPE(8), image = g->values[p.between].shape;
        value_id     in[CONV_INPUTS] = {g->nodes[0]->in[0], g->nodes[0]->in[1], -1, -1, -1};
        const char  *want;
        g->nodes[0]->in = in;
        g->nodes[0]->n_in = CONV_INPUTS;
        if (i == 0)
            g->nodes[0]->epi.act = (act){ACT_CLAMP, 0, 6};
        else if (i == 1)
            g->nodes[0]->epi.act2 = (act){ACT_ABS, 0, 0};
        else if (i == 2)
            in[CONV_SCALE] = test_const(g, "scale", &s);
        else if (i == 3)
            in[CONV_RES] = test_const(g, "residual", &image);
        else if (i == 4)
            assert_ok(graph_output(g, p.between));
        else if (i > 5)
            in[CONV_B] = test_const(g, "bias", &s);
        want = i < 4    ? other
               : i == 4 ? "others read what lies between"
               : i == 7 ? "the second of both pads what a bias was added to"
                        : "pair";
        ends_as(&p, want);
    }
}

/* In a file of halves the joint weights and bias are halves. */
static void folded_weights_are_stored_as_asked(void **unused)
{
    (void)unused;
    for (int bias = 0; bias < 2; bias++) {
        pair      p = depthwise_pair();
        rewriting r;
        double   *joint;
        for (int64_t i = 0; i < conv_part_count(&p.a); i++)
            p.a.w[i] = (float)number();
        for (int64_t i = 0; i < conv_part_count(&p.b); i++)
            p.b.w[i] = (float)number();
        build_pair(&p, bias);
        assert_ok(fold_make(p.g, 0, 1, DT_F16, &r, &joint));
        for (int64_t i = 0; i < conv_part_count(&r.parts[0]); i++) {
            assert_true(half_to_float(float_to_half(r.parts[0].w[i])) == r.parts[0].w[i]);
            assert_true(fabs(r.parts[0].w[i] - joint[i]) <= 1e-3 * fabs(joint[i]) + 1e-6);
        }
        assert_int_equal(r.bias != NULL, bias);
        for (int i = 0; bias && i < 5; i++)
            assert_true(half_to_float(float_to_half(r.bias[i])) == r.bias[i]);
        free(joint);
        rewriting_free(&r);
        ends_as(&p, "pair");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_error_is_above_its_bound),
        cmocka_unit_test(factors_leave_out_what_the_spectrum_says),
        cmocka_unit_test(most_patches_is_the_most),
        cmocka_unit_test(planted_ranks_are_found),
        cmocka_unit_test(exact_factors_are_exact),
        cmocka_unit_test(costs_are_those_of_the_seed),
        cmocka_unit_test(degenerate_weights_are_no_exact_forms),
        cmocka_unit_test(rewriting_keeps_what_is_around),
        cmocka_unit_test(pairs_fold),
        cmocka_unit_test(windows_that_do_not_fold),
        cmocka_unit_test(other_convolutions_are_no_pair),
        cmocka_unit_test(what_lies_between_keeps_a_pair_apart),
        cmocka_unit_test(folded_weights_are_stored_as_asked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
