/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-run --check: every layer against the reference executor. */
#include <math.h>
#include <stdlib.h>

#include "common/progress.h"
#include "common/table.h"
#include "common/text.h"
#include "common/tool.h"
#include "run.h"

typedef struct check {
    table  *rows;
    json_t *layers;
    int     steps, layers_checked, wrong;
    double  worst;
} check;

static json_t *layer_json(const sepcl_check_result *c, bool wrong)
{
    json_t *o = need(json_object());
    json_put(o, "step", json_integer(c->step));
    json_put(o, "name", json_text(c->name));
    json_put(o, "op", json_text(c->op));
    json_put(o, "error", json_number(c->error));
    json_put(o, "tolerance", json_number(c->tolerance));
    json_put(o, "ok", json_boolean(!wrong));
    if (wrong) {
        json_put(o, "where", json_integer(c->where));
        json_put(o, "got", json_number(c->got));
        json_put(o, "want", json_number(c->want));
    }
    return o;
}

static bool on_layer(void *user, const sepcl_check_result *c)
{
    check     *k = user;
    const bool wrong = !(c->error <= c->tolerance); /* NaN is wrong */
    table_cell(k->rows, "%d", c->step);
    table_cell(k->rows, "%s", c->name);
    table_cell(k->rows, "%s", c->op);
    table_cell(k->rows, "%.2g", c->error);
    table_cell(k->rows, "%s", wrong ? "WRONG" : "ok");
    if (wrong)
        table_span(k->rows, "at element %lld: %.7g, reference %.7g", (long long)c->where, c->got, c->want);
    json_add(k->layers, layer_json(c, wrong));
    k->layers_checked++;
    k->wrong += wrong;
    if (!(c->error <= k->worst))
        k->worst = c->error;
    progress_step(c->step + 1, c->name);
    return true;
}

static void print_result(const check *k, sepcl_status st)
{
    table_print(k->rows, stdout, TABLE_PLAIN, tool_width(100));
    if (st == SEPCL_OK)
        printf("All %d layers agree with the reference; the largest error is %.2g.\n\n", k->layers_checked, k->worst);
    else
        printf("%d of %d layers differ from the reference.\n", k->wrong, k->layers_checked);
}

sepcl_status run_check(run *r)
{
    static const column columns[] = {
        {"Step", true, 0}, {"Layer", false, 20}, {"Op", false, 0}, {"Error", true, 0}, {"", false, 0},
    };
    check        k = {.rows = table_new(columns, 5), .layers = need(json_array())};
    const double begin = tool_seconds();
    progress_begin("check", sepcl_session_step_count(r->session));
    const sepcl_status st = tool_library(sepcl_session_check(r->session, run_set.tolerance, on_layer, &k));
    progress_end();
    run_span_end(r, "check", begin);
    if ((st == SEPCL_OK || st == SEPCL_MISMATCH) && !tool.quiet && !tool.json)
        print_result(&k, st);
    r->check = need(json_object());
    json_put(r->check, "ok", json_boolean(st == SEPCL_OK));
    json_put(r->check, "worst", json_number(k.worst));
    json_put(r->check, "layers", k.layers);
    table_free(k.rows);
    return st;
}
