/* SPDX-License-Identifier: Apache-2.0 */
#include "separate/break_even.h"

#include "pass/pass.h"

enum { DENSE, SEPARABLE, SPATIAL, FORMS };

/* ------------------------------------------------------------------ graphs */

static value_id add_conv(graph *g, value_id x, int kh, int kw, int outputs, bool depthwise)
{
    const int64_t  in = g->values[x].shape.dim[3], ci = depthwise ? 1 : in;
    const shape    w = SHAPE(outputs, ci, kh, kw);
    const attrs    a = {.conv = {.kernel = {kh, kw},
                                 .stride = {1, 1},
                                 .dilation = {1, 1},
                                 .group = depthwise ? (int)in : 1,
                                 .out_channels = outputs,
                                 .w = {ci * kh * kw, (int64_t)kh * kw, kw, 1}}};
    const value_id slots[] = {x, shape_count(&w) < 0 ? -1 : test_const(g, "weights", &w)};
    return slots[1] < 0 ? -1 : graph_op(g, OP_CONV, "conv", &a, slots, 2);
}

static value_id add_form(graph *g, const sepcl_break_even_desc *d, int form, int n, value_id x)
{
    const int kh = d->kernel[0], kw = d->kernel[1];
    if (form == DENSE)
        return add_conv(g, x, kh, kw, n, false);
    x = form == SEPARABLE ? add_conv(g, x, kh, kw, d->channels, d->channels > 1) : add_conv(g, x, kh, 1, n, false);
    if (x < 0)
        return -1;
    return form == SEPARABLE ? add_conv(g, x, 1, 1, n, false) : add_conv(g, x, 1, kw, n, false);
}

static status build(const sepcl_break_even_desc *d, int form, int n, graph **out)
{
    const shape s = SHAPE(1, d->height, d->width, d->channels);
    if (shape_count(&s) < 0)
        return fail(SEPCL_UNSUPPORTED, "an input of %dx%dx%d is above the limit of 2147483647 elements", d->height,
                    d->width, d->channels);
    TRY(graph_create("break-even", out));
    const value_id x = graph_input(*out, "x", DT_F32, &s), y = x < 0 ? -1 : add_form(*out, d, form, n, x);
    status         st = y < 0 ? error_code() : graph_output(*out, y);
    if (st == SEPCL_OK)
        st = passes_run(*out, &(pass_options){.f16 = d->precision == SEPCL_F16});
    if (st != SEPCL_OK) {
        graph_destroy(*out);
        *out = NULL;
        return fail_in(st, "%d outputs", n);
    }
    return SEPCL_OK;
}

static uint64_t multiplications_of(const graph *g)
{
    uint64_t sum = 0;
    for (int i = 0; i < g->n_nodes; i++) {
        op_count c = {0};
        if (g->nodes[i]->op == OP_CONV)
            op_get(OP_CONV)->count(&(node_view){g, g->nodes[i]}, &c);
        sum += c.multiplications;
    }
    return sum;
}

/* ------------------------------------------------------------------ points */

static status open_form(const bench_env *b, const sepcl_break_even_desc *d, int form, int n, sepcl_form_cost *cost,
                        trial **out)
{
    graph *g;
    TRY(build(d, form, n, &g));
    cost->multiplications = multiplications_of(g);
    TRY(network_open(b, g, out));
    return network_fill(*out);
}

static status measure_point(const bench_env *b, const sepcl_break_even_desc *d, int n, sepcl_break_even_point *p)
{
    sepcl_form_cost *const costs[] = {&p->dense, &p->separable, &p->spatial};
    const int              forms = d->kernel[0] > 1 && d->kernel[1] > 1 ? FORMS : SPATIAL;
    trial                 *t[FORMS] = {NULL};
    double                 seconds[FORMS] = {0};
    status                 st = SEPCL_OK;
    *p = (sepcl_break_even_point){.outputs = n};
    for (int i = 0; i < forms && st == SEPCL_OK; i++)
        st = open_form(b, d, i, n, costs[i], &t[i]);
    if (st == SEPCL_OK)
        st = trial_race_all(t, forms, seconds);
    for (int i = 0; i < forms; i++) {
        costs[i]->seconds = seconds[i];
        trial_destroy(t[i]);
    }
    return st;
}

status break_even(const bench_env *b, const sepcl_break_even_desc *d, sepcl_break_even_fn fn, void *user)
{
    for (int n = 1; n <= d->most; n *= 2) {
        sepcl_break_even_point p;
        TRY(measure_point(b, d, n, &p));
        if (!fn(user, &p))
            break;
    }
    return SEPCL_OK;
}
