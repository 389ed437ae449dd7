/* SPDX-License-Identifier: Apache-2.0 */
/* The freeze: steps, then homes for every value. */
#include "plan/plan.h"

#include <stdlib.h>
#include <string.h>

#include "base/size.h"

static bool is_view(const node *n)
{
    return (op_get(n->op)->flags & OP_VIEW) != 0;
}

static status make_steps(plan *p, const plan_options *o)
{
    const graph *g = p->g;
    p->steps = arena_array(&p->memory, (size_t)g->n_nodes, sizeof *p->steps);
    if (!p->steps)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < g->n_nodes; i++) {
        if (g->nodes[i]->dead || is_view(g->nodes[i]))
            continue;
        const node_view v = {g, g->nodes[i]};
        TRY(plan_select(&v, &p->caps, o, p->steps, p->n_steps, &p->steps[p->n_steps], &p->memory));
        p->n_steps++;
    }
    return SEPCL_OK;
}

/* Every value's home and size; views take their source's. */
static status give_homes(plan *p)
{
    const graph *g = p->g;
    p->values = arena_array(&p->memory, (size_t)g->n_values, sizeof *p->values);
    if (!p->values)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < g->n_values; i++) {
        const value *v = &g->values[i];
        plan_value  *pv = &p->values[i];
        pv->root = i;
        pv->home = v->data ? HOME_CONST : v->is_input ? HOME_ARENA : HOME_NONE;
        if (!size_mul((size_t)shape_count(&v->shape), dtype_size(v->type), &pv->bytes))
            return fail(SEPCL_OUT_OF_MEMORY, "tensor '%s' is beyond the address space", v->name);
    }
    for (int i = 0; i < g->n_nodes; i++) {
        const node *n = g->nodes[i];
        for (int k = 0; k < n->n_out && !n->dead; k++) {
            plan_value *pv = &p->values[n->out[k]];
            pv->root = is_view(n) ? p->values[n->in[0]].root : n->out[k];
            pv->home = p->values[pv->root].home == HOME_CONST ? HOME_CONST : HOME_ARENA;
        }
    }
    return SEPCL_OK;
}

static void touch(const plan *p, memory_record *records, value_id v, int step)
{
    if (v < 0)
        return;
    memory_record *r = &records[p->values[v].root];
    r->first = step < r->first ? step : r->first;
    r->last = step > r->last ? step : r->last;
}

/* records: one a value, then one a scratch buffer. */
static void collect_lifetimes(const plan *p, memory_record *records)
{
    const graph *g = p->g;
    int          scratch = g->n_values;
    for (int i = 0; i < p->n_steps; i++) {
        const plan_step *s = &p->steps[i];
        for (int k = 0; k < s->n->n_in; k++)
            touch(p, records, s->n->in[k], i);
        for (int k = 0; k < s->n->n_out; k++)
            touch(p, records, s->n->out[k], i);
        for (int k = 0; k < s->n_scratch; k++, scratch++)
            records[scratch] = (memory_record){i, i, s->scratch_bytes[k], 0};
    }
    /* inputs stay as written from run to run; outputs stay until they are read */
    for (int i = 0; i < g->n_inputs; i++) {
        touch(p, records, g->inputs[i], 0);
        touch(p, records, g->inputs[i], p->n_steps);
    }
    for (int i = 0; i < g->n_outputs; i++)
        touch(p, records, g->outputs[i], p->n_steps);
}

static status place_values(plan *p)
{
    const int n_values = p->g->n_values;
    int       n_scratch = 0;
    for (int i = 0; i < p->n_steps; i++)
        n_scratch += p->steps[i].n_scratch;
    const int      n = n_values + n_scratch;
    memory_record *records = calloc((size_t)n + 1, sizeof *records), *packed_records = calloc((size_t)n + 1, sizeof *records);
    int           *which = calloc((size_t)n + 1, sizeof *which);
    status         st = SEPCL_OUT_OF_MEMORY;
    int            used = 0;
    if (!records || !packed_records || !which) {
        fail_memory((size_t)n * sizeof *records, "the memory plan");
        goto done;
    }
    for (int i = 0; i < n_values; i++)
        records[i] = (memory_record){INT32_MAX, -1, 0, 0};
    collect_lifetimes(p, records);
    for (int i = 0; i < n; i++) {
        memory_record r = records[i];
        if (i < n_values) {
            const plan_value *pv = &p->values[i];
            if (pv->home != HOME_ARENA || pv->root != i || r.last < 0)
                continue;
            r.bytes = pv->bytes ? pv->bytes : 1;
        }
        if (!size_add(r.bytes, 2 * p->guard, &r.bytes))
            goto done;
        if (p->guard) { /* no memory is used twice, or one value would be taken for a stray write beside another */
            r.first = 0;
            r.last = p->n_steps;
        }
        packed_records[used] = r;
        which[used++] = i;
    }
    st = memory_plan(packed_records, used, (size_t)p->caps.align_bytes, &p->arena_bytes);
    for (int i = 0; i < used && st == SEPCL_OK; i++)
        records[which[i]].offset = packed_records[i].offset + p->guard;
    for (int i = 0; i < n_values && st == SEPCL_OK; i++)
        p->values[i].offset = records[p->values[i].root].offset;
    for (int i = 0, at = n_values; i < p->n_steps && st == SEPCL_OK; i++)
        for (int k = 0; k < p->steps[i].n_scratch; k++)
            p->steps[i].scratch_offset[k] = records[at++].offset;
done:
    free(records);
    free(packed_records);
    free(which);
    return st;
}

static void say_plan(const plan *p)
{
    for (int i = 0; i < p->n_steps; i++)
        log_info("%s '%s': %s (%s)", op_name(p->steps[i].n->op), p->steps[i].n->name, p->steps[i].kernel,
                 p->steps[i].why);
    log_info("plan: %d steps, %.2f MB of activations", p->n_steps, (double)p->arena_bytes / 1e6);
}

status plan_create(const graph *g, const caps *c, const plan_options *o, plan **out)
{
    *out = NULL;
    plan *p = calloc(1, sizeof *p);
    if (!p)
        return fail_memory(sizeof *p, "a plan");
    p->g = g;
    p->caps = *c;
    if (p->caps.align_bytes < 1)
        p->caps.align_bytes = 128;
    p->guard = o ? (size_t)round_up((int64_t)o->guard, p->caps.align_bytes) : 0;
    status st = make_steps(p, o);
    if (st == SEPCL_OK)
        st = give_homes(p);
    if (st == SEPCL_OK)
        st = place_values(p);
    if (st != SEPCL_OK) {
        plan_destroy(p);
        return st;
    }
    if (!o || !o->quiet)
        say_plan(p);
    *out = p;
    return SEPCL_OK;
}

void plan_destroy(plan *p)
{
    if (!p)
        return;
    arena_free(&p->memory);
    free(p);
}
