/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-info --self-test: every kernel variant against its reference, one row of the table a kernel. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/progress.h"
#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"
#include "info.h"

/* All variants of one kernel. */
typedef struct kernel_row {
    char  *op, *kernel;
    int    variants, cases, failed;
    double worst, tolerance;
} kernel_row;

typedef struct failure {
    char *text;
} failure;

typedef struct self_test {
    kernel_row *rows;
    int         n_rows, variants;
    failure    *failures;
    int         n_failures;
    json_t     *list;
} self_test;

static kernel_row *row_of(self_test *t, const char *op, const char *kernel)
{
    for (int i = t->n_rows - 1; i >= 0; i--)
        if (!strcmp(t->rows[i].op, op) && !strcmp(t->rows[i].kernel, kernel))
            return &t->rows[i];
    t->rows = need(realloc(t->rows, (size_t)(t->n_rows + 1) * sizeof(*t->rows)));
    kernel_row *row = &t->rows[t->n_rows++];
    *row = (kernel_row){.op = need(strdup(op)), .kernel = need(strdup(kernel))};
    return row;
}

static json_t *result_json(const sepcl_self_test_result *r)
{
    json_t *j = need(json_object());
    json_put(j, "op", json_text(r->op));
    json_put(j, "kernel", json_text(r->kernel));
    json_put(j, "parameters", json_text(r->parameters));
    json_put(j, "cases", json_integer(r->cases));
    json_put(j, "failed", json_integer(r->failed));
    json_put(j, "error", json_number(r->error));
    json_put(j, "tolerance", json_number(r->tolerance));
    json_put(j, "detail", json_text(r->detail));
    json_put(j, "banned", json_boolean(r->banned));
    return j;
}

static bool on_result(void *user, const sepcl_self_test_result *r)
{
    self_test  *t = user;
    const char *kernel = r->kernel ? r->kernel : "", *parameters = r->parameters ? r->parameters : "";
    kernel_row *row = row_of(t, r->op, kernel);
    char       *what = text_format("%s, %s%s%s", r->op, kernel, *parameters ? " " : "", parameters);
    row->variants++;
    row->cases += r->cases;
    row->failed += r->failed;
    row->tolerance = r->tolerance;
    if (!(r->error <= row->worst))
        row->worst = r->error;
    if (r->failed > 0) {
        t->failures = need(realloc(t->failures, (size_t)(t->n_failures + 1) * sizeof(*t->failures)));
        t->failures[t->n_failures++].text =
            text_format("%s: %d of %d cases: %s%s", what, r->failed, r->cases, r->detail ? r->detail : "the result differs",
                        r->banned ? "; not used on this device from now on" : "");
    }
    tool_say("%s: %d cases, %d wrong, error %.2g (limit %.2g)", what, r->cases, r->failed, r->error, r->tolerance);
    json_add(t->list, result_json(r));
    progress_step(++t->variants, what);
    free(what);
    return true;
}

static void print_table(const self_test *t)
{
    static const column columns[] = {{"Op", false, 8},   {"Kernel", false, 16}, {"Variants", true, 0},
                                     {"Cases", true, 0}, {"Wrong", true, 0},    {"Worst error", true, 0},
                                     {"Limit", true, 0}};
    table              *rows = table_new(columns, 7);
    for (int i = 0; i < t->n_rows; i++) {
        const kernel_row *r = &t->rows[i];
        table_cell(rows, "%s", r->op);
        table_cell(rows, "%s", r->kernel);
        table_cell(rows, "%d", r->variants);
        table_cell(rows, "%d", r->cases);
        table_cell(rows, "%d", r->failed);
        table_cell(rows, "%.2g", r->worst);
        table_cell(rows, "%.2g", r->tolerance);
    }
    table_print(rows, stdout, TABLE_PLAIN, tool_width(100));
    table_free(rows);
}

static void print_text(const self_test *t, const sepcl_device_info *d, double seconds)
{
    int   cases = 0, failed = 0;
    char *name = text_clean(d->name);
    printf("Self-test of %s (%s), %s\n\n", name, d->selector, tool_precisions[tool.precision]);
    print_table(t);
    for (int i = 0; i < t->n_rows; i++) {
        cases += t->rows[i].cases;
        failed += t->rows[i].failed;
    }
    printf("\n");
    for (int i = 0; i < t->n_failures; i++) {
        char *text = text_clean(t->failures[i].text);
        printf("WRONG  %s\n", text);
        free(text);
    }
    printf("%d kernels in %d variants, %d cases, %d wrong, in %.1f s.\n", t->n_rows, t->variants, cases, failed,
           seconds);
    free(name);
}

static void print_json(self_test *t, const sepcl_device_info *d, sepcl_status st)
{
    json_t *j = need(json_object()), *device = need(json_object());
    json_put(device, "selector", json_text(d->selector));
    json_put(device, "name", json_text(d->name));
    json_put(device, "driver_version", json_text(d->driver_version));
    json_put(j, "device", device);
    json_put(j, "precision", json_text(tool_precisions[tool.precision]));
    json_put(j, "ok", json_boolean(st == SEPCL_OK));
    json_put(j, "variants", json_incref(t->list));
    json_print(j);
}

sepcl_status info_self_test(int device)
{
    self_test                  t = {.list = need(json_array())};
    const sepcl_self_test_desc desc = {
        .device = device,
        .op = info_set.op,
        .quick = info_set.quick,
        .f16 = tool.precision == SEPCL_F16,
        .cache_dir = tool.cache_dir,
        .no_cache = tool.no_cache,
    };
    sepcl_device_info info;
    sepcl_status      st = tool_library(sepcl_device_get(device, &info));
    const double      begin = tool_seconds();
    if (st == SEPCL_OK) {
        progress_begin("self-test", PROGRESS_COUNT);
        st = tool_library(sepcl_device_self_test(&desc, on_result, &t));
        progress_end();
    }
    if (st == SEPCL_OK || st == SEPCL_MISMATCH) {
        if (tool.json)
            print_json(&t, &info, st);
        else if (!tool.quiet)
            print_text(&t, &info, tool_seconds() - begin);
    }
    for (int i = 0; i < t.n_rows; i++) {
        free(t.rows[i].op);
        free(t.rows[i].kernel);
    }
    for (int i = 0; i < t.n_failures; i++)
        free(t.failures[i].text);
    free(t.rows);
    free(t.failures);
    json_decref(t.list);
    return st;
}
