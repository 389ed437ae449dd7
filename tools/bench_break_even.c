/* SPDX-License-Identifier: Apache-2.0 */
#include "bench_break_even.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "common/json.h"
#include "common/output.h"
#include "common/progress.h"
#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"

#define WIDTH 100
#define SEED_HEIGHT 12
#define SEED_WIDTH 12
#define SEED_CHANNELS 3
#define SEED_KERNEL 5
#define DEFAULT_KERNEL 3 /* of shapes that are given without */

/* ---------------------------------------------------------------- forms */

const sepcl_form_cost *break_even_cost(const sepcl_break_even_point *p, int form)
{
    const sepcl_form_cost *const costs[] = {&p->dense, &p->separable, &p->spatial};
    return costs[form];
}

bool break_even_has(const break_even_shape *s, int form)
{
    return s->n > 0 && break_even_cost(&s->points[0], form)->seconds > 0;
}

char *break_even_name(const break_even_shape *s, int form)
{
    if (form == BREAK_EVEN_DENSE)
        return text_format("dense %dx%d", s->kernel[0], s->kernel[1]);
    if (form == BREAK_EVEN_SEPARABLE)
        return text_format("depthwise-separable");
    return text_format("%dx1, then 1x%d", s->kernel[0], s->kernel[1]);
}

/* ---------------------------------------------------------------- spans */

/* Multiplications of the forms with N outputs are d N, s0 + s1 N, and t1 N + t2 N^2: two points tell them. */
break_even_spans break_even_computed(const break_even_shape *s, int form)
{
    break_even_spans out = {{0}, {INFINITY}, 0};
    if (s->n < 2)
        return out;
    const double d = (double)s->points[0].dense.multiplications;
    const double one = (double)break_even_cost(&s->points[0], form)->multiplications;
    const double two = (double)break_even_cost(&s->points[1], form)->multiplications;
    if (form == BREAK_EVEN_SEPARABLE) {
        const double slope = two - one;
        out.from[0] = (one - slope) / (d - slope);
        out.n = d > slope;
    } else {
        const double square = (two - 2 * one) / 2;
        out.to[0] = (d - (one - square)) / square;
        out.n = square > 0 && out.to[0] > 0;
    }
    return out;
}

/* Times of the dense form over the form's, as a logarithm: above 0 the form is faster. */
static double lead(const break_even_shape *s, int form, int i)
{
    return log(s->points[i].dense.seconds / break_even_cost(&s->points[i], form)->seconds);
}

break_even_spans break_even_measured(const break_even_shape *s, int form)
{
    break_even_spans out = {.n = 0};
    bool             inside = s->n > 0 && lead(s, form, 0) > 0;
    if (inside)
        out.from[0] = 0;
    for (int i = 1; i < s->n && out.n < BREAK_EVEN_SPANS; i++) {
        const double before = lead(s, form, i - 1), now = lead(s, form, i);
        if ((now > 0) == inside)
            continue;
        const double at = s->points[i - 1].outputs *
                          pow(s->points[i].outputs / (double)s->points[i - 1].outputs, before / (before - now));
        if (inside)
            out.to[out.n++] = at;
        else
            out.from[out.n] = at;
        inside = !inside;
    }
    if (inside && out.n < BREAK_EVEN_SPANS)
        out.to[out.n++] = INFINITY;
    return out;
}

char *break_even_words(const break_even_spans *s)
{
    char *all = text_format("%s", s->n ? "" : "never");
    for (int i = 0; i < s->n; i++) {
        char *one, *joined;
        if (s->from[i] <= 1 && isinf(s->to[i]))
            one = text_format("always");
        else if (isinf(s->to[i]))
            one = text_format("from %.3g on", s->from[i]);
        else if (s->from[i] <= 1)
            one = text_format("up to %.3g", s->to[i]);
        else
            one = text_format("from %.3g to %.3g", s->from[i], s->to[i]);
        joined = text_format("%s%s%s", all, i ? ", " : "", one);
        free(one);
        free(all);
        all = joined;
    }
    return all;
}

/* ---------------------------------------------------------------- the command line */

/* "112x112x32" or "3x3": n numbers. */
static bool parse_numbers(const char *text, int n, int *out)
{
    for (int i = 0; i < n; i++) {
        char      *end;
        const long v = *text >= '0' && *text <= '9' ? strtol(text, &end, 10) : 0;
        if (v < 1 || v > 16384 || *end != (i + 1 < n ? 'x' : 0))
            return false;
        out[i] = (int)v;
        text = end + 1;
    }
    return true;
}

static sepcl_status take_shape(break_even_shape *s, const char *shape, const char *kernel)
{
    int v[3];
    if (!parse_numbers(shape, 3, v))
        return tool_fail(SEPCL_INVALID,
                         "--break-even takes --shape HEIGHTxWIDTHxCHANNELS, each from 1 to 16384, not '%s'", shape);
    s->height = v[0];
    s->width = v[1];
    s->channels = v[2];
    s->kernel[0] = s->kernel[1] = DEFAULT_KERNEL;
    if (kernel && !parse_numbers(kernel, 2, s->kernel))
        return tool_fail(SEPCL_INVALID, "--kernel takes HEIGHTxWIDTH, each from 1 to 16384, not '%s'", kernel);
    if (s->kernel[0] > s->height || s->kernel[1] > s->width)
        return tool_fail(SEPCL_INVALID, "a kernel of %dx%d does not fit into %dx%d", s->kernel[0], s->kernel[1],
                         s->height, s->width);
    return SEPCL_OK;
}

/* Kernels go to shapes in order; the last one to all that are left. */
static sepcl_status take_shapes(break_even *b)
{
    const option_list *shapes = &tool.shapes, *kernels = &bench_set.kernels;
    b->n = 1 + shapes->count;
    b->shapes = need(calloc((size_t)b->n, sizeof(*b->shapes)));
    b->shapes[0] = (break_even_shape){SEED_HEIGHT, SEED_WIDTH, SEED_CHANNELS, {SEED_KERNEL, SEED_KERNEL}, NULL, 0};
    for (int i = 0; i < shapes->count; i++) {
        const int   k = i < kernels->count ? i : kernels->count - 1;
        const char *kernel = k >= 0 ? kernels->items[k] : NULL;
        TRY(take_shape(&b->shapes[1 + i], shapes->items[i], kernel));
    }
    if (kernels->count > shapes->count)
        return tool_fail(SEPCL_INVALID, "--kernel '%s' has no --shape to go with", kernels->items[shapes->count]);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- measuring */

typedef struct collector {
    break_even_shape *shape;
    long              done;
} collector;

static bool on_point(void *user, const sepcl_break_even_point *p)
{
    collector        *c = user;
    break_even_shape *s = c->shape;
    char             *detail = text_format("%dx%dx%d, %d outputs", s->height, s->width, s->channels, p->outputs);
    s->points = need(realloc(s->points, (size_t)(s->n + 1) * sizeof(*s->points)));
    s->points[s->n++] = *p;
    progress_step(++c->done, detail);
    free(detail);
    return true;
}

static int points_of(int64_t most)
{
    int n = 0;
    while (((int64_t)1 << n) <= most)
        n++;
    return n;
}

static sepcl_status measure(break_even *b)
{
    collector    c = {NULL, 0};
    sepcl_status st = SEPCL_OK;
    progress_begin("break-even", (long)b->n * points_of(bench_set.most));
    for (int i = 0; i < b->n && st == SEPCL_OK; i++) {
        break_even_shape           *s = &b->shapes[i];
        const sepcl_break_even_desc desc = {.device = b->device.selector,
                                            .cache_dir = tool.cache_dir,
                                            .no_cache = tool.no_cache,
                                            .precision = (sepcl_precision)tool.precision,
                                            .height = s->height,
                                            .width = s->width,
                                            .channels = s->channels,
                                            .kernel = {s->kernel[0], s->kernel[1]},
                                            .most = (int)bench_set.most};
        c.shape = s;
        st = tool_library(sepcl_break_even(&desc, on_point, &c));
    }
    progress_end();
    return st;
}

/* ---------------------------------------------------------------- text */

static void paragraph(char *text)
{
    char *clean = text_clean(text);
    options_paragraph(clean, stdout, 0, tool_width(isatty(STDOUT_FILENO) ? WIDTH : INT_MAX));
    free(clean);
    free(text);
}

static void print_points(const break_even_shape *s)
{
    const column columns[] = {{"N", true, 0},          {"Dense us", true, 0}, {"Separable us", true, 0},
                              {"Spatial us", true, 0}, {"Mult #", true, 0},   {"separable", true, 0},
                              {"spatial", true, 0}};
    table       *t = table_new(columns, 7);
    for (int i = 0; i < s->n; i++) {
        char text[TEXT_SMALL];
        table_cell(t, "%d", s->points[i].outputs);
        for (int f = 0; f < BREAK_EVEN_FORMS; f++)
            table_cell(t, break_even_has(s, f) ? "%.2f" : "-", 1e6 * break_even_cost(&s->points[i], f)->seconds);
        for (int f = 0; f < BREAK_EVEN_FORMS; f++)
            table_cell(t, "%s",
                       break_even_has(s, f) ? text_count(break_even_cost(&s->points[i], f)->multiplications, text)
                                            : "-");
    }
    table_print(t, stdout, TABLE_PLAIN, tool_width(WIDTH));
    table_free(t);
}

static void print_shape(const break_even_shape *s)
{
    printf("\n");
    paragraph(text_format("%dx%dx%d, kernel %dx%d", s->height, s->width, s->channels, s->kernel[0], s->kernel[1]));
    printf("\n");
    print_points(s);
    printf("\n");
    for (int f = BREAK_EVEN_SEPARABLE; f < BREAK_EVEN_FORMS; f++) {
        if (!break_even_has(s, f))
            continue;
        const break_even_spans computed = break_even_computed(s, f), measured = break_even_measured(s, f);
        char *name = break_even_name(s, f), *fewer = break_even_words(&computed), *faster = break_even_words(&measured);
        paragraph(text_format("%s: fewer multiplications than dense %s, faster %s.", name, fewer, faster));
        free(name);
        free(fewer);
        free(faster);
    }
}

static void print_all(const break_even *b)
{
    paragraph(text_format("Break-even on %s (%s), %s: N output channels, no padding, stride 1", b->device.name,
                          b->device.selector, tool_precisions[tool.precision]));
    for (int i = 0; i < b->n; i++)
        print_shape(&b->shapes[i]);
}

/* ---------------------------------------------------------------- JSON */

static json_t *cost_json(const sepcl_form_cost *c)
{
    json_t *o = need(json_object());
    json_put(o, "multiplications", json_count(c->multiplications));
    json_put(o, "us", json_number(1e6 * c->seconds));
    return o;
}

/* [[from, to], ...]; null: as far as there are numbers. */
static json_t *spans_json(const break_even_spans *s)
{
    json_t *list = need(json_array());
    for (int i = 0; i < s->n; i++) {
        json_t *pair = need(json_array());
        json_add(pair, s->from[i] > 0 ? json_number(s->from[i]) : json_null());
        json_add(pair, json_number(s->to[i]));
        json_add(list, pair);
    }
    return list;
}

static json_t *crossing_json(const break_even_shape *s, int form)
{
    const break_even_spans computed = break_even_computed(s, form), measured = break_even_measured(s, form);
    json_t                *o = need(json_object());
    json_put(o, "fewer_multiplications", spans_json(&computed));
    json_put(o, "faster", spans_json(&measured));
    return o;
}

static json_t *shape_json(const break_even_shape *s)
{
    static const char *const names[] = {"dense", "separable", "spatial"};
    json_t                  *o = need(json_object()), *kernel = need(json_array()), *points = need(json_array());
    for (int i = 0; i < 2; i++)
        json_add(kernel, json_integer(s->kernel[i]));
    for (int i = 0; i < s->n; i++) {
        json_t *p = need(json_object());
        json_put(p, "outputs", json_integer(s->points[i].outputs));
        for (int f = 0; f < BREAK_EVEN_FORMS; f++)
            json_put(p, names[f], break_even_has(s, f) ? cost_json(break_even_cost(&s->points[i], f)) : json_null());
        json_add(points, p);
    }
    json_put(o, "height", json_integer(s->height));
    json_put(o, "width", json_integer(s->width));
    json_put(o, "channels", json_integer(s->channels));
    json_put(o, "kernel", kernel);
    json_put(o, "points", points);
    for (int f = BREAK_EVEN_SEPARABLE; f < BREAK_EVEN_FORMS; f++)
        json_put(o, names[f], break_even_has(s, f) ? crossing_json(s, f) : json_null());
    return o;
}

static char *make_json(const break_even *b)
{
    json_t *o = need(json_object()), *device = need(json_object()), *shapes = need(json_array());
    json_put(device, "selector", json_text(b->device.selector));
    json_put(device, "name", json_text(b->device.name));
    json_put(device, "driver", json_text(b->device.driver_version));
    for (int i = 0; i < b->n; i++)
        json_add(shapes, shape_json(&b->shapes[i]));
    json_put(o, "version", json_text(sepcl_version()));
    json_put(o, "device", device);
    json_put(o, "precision", json_text(tool_precisions[tool.precision]));
    json_put(o, "break_even", shapes);
    return json_dump(o, true);
}

/* ---------------------------------------------------------------- all of it */

static bool to_stdout(const char *file)
{
    return file && !strcmp(file, "/dev/stdout");
}

/* All files, or none. */
static sepcl_status write_files(const break_even *b)
{
    char *texts[] = {bench_set.json ? make_json(b) : NULL, bench_set.html ? break_even_page(b) : NULL,
                     bench_set.svg ? break_even_picture(b) : NULL};
    const char  *files[] = {bench_set.json, bench_set.html, bench_set.svg};
    sepcl_status st = SEPCL_OK;
    for (int i = 0; i < 3 && st == SEPCL_OK; i++)
        if (texts[i])
            st = output_add(files[i], &(output_part){texts[i], strlen(texts[i])}, 1);
    if (st == SEPCL_OK)
        st = output_commit();
    output_abandon();
    for (int i = 0; i < 3; i++)
        free(texts[i]);
    return st;
}

static sepcl_status run(break_even *b)
{
    int index;
    TRY(take_shapes(b));
    TRY_LIB(sepcl_device_find(tool.device, &index));
    TRY_LIB(sepcl_device_get(index, &b->device));
    TRY(measure(b));
    if (!tool.quiet && !to_stdout(bench_set.json) && !to_stdout(bench_set.html) && !to_stdout(bench_set.svg))
        print_all(b);
    return write_files(b);
}

sepcl_status break_even_run(void)
{
    break_even         b = {.n = 0};
    const sepcl_status st = run(&b);
    for (int i = 0; i < b.n; i++)
        free(b.shapes[i].points);
    free(b.shapes);
    return st;
}
