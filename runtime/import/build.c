/* SPDX-License-Identifier: Apache-2.0 */
#include "import/build.h"

#include <string.h>

/* ---------------------------------------------------------------- sources */

status import_input(import_build *b, const char *name, const shape *s, operand **out)
{
    const value_id id = graph_input(b->g, name, DT_F32, s);
    operand       *x = operand_new(b);
    *out = x;
    if (id < 0 || !x)
        return SEPCL_OUT_OF_MEMORY;
    *x = (operand){.name = name, .shape = *s, .type = DT_F32, .n_forms = 1};
    x->forms[0] = (form){id, layout_plain(s->rank)};
    return SEPCL_OK;
}

status import_constant(import_build *b, const char *name, dtype type, const shape *s, const void *data, operand **out)
{
    operand *x = operand_new(b);
    *out = x;
    if (!x)
        return SEPCL_OUT_OF_MEMORY;
    *x = (operand){.name = name, .shape = *s, .type = type, .is_const = true, .data = data};
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- layers */

void import_begin(import_build *b, const char *node, bool leaves)
{
    b->node = node;
    b->leaves = leaves;
    b->bad = SEPCL_OK;
    b->placed = false;
}

void import_bad(import_build *b, status st)
{
    if (b->bad != SEPCL_OK)
        return;
    b->bad = st;
    strncpy(b->bad_text, error_sentence(), sizeof b->bad_text - 1);
}

status import_end(import_build *b, status st, const char *op)
{
    if (b->bad != SEPCL_OK) {
        st = fail(b->bad, "%s", b->bad_text);
        b->placed = false;
    }
    if (st == SEPCL_OK || b->placed || st == SEPCL_OUT_OF_MEMORY)
        return st;
    return fail_in(st, "node '%s' (%s)", b->node, op);
}

void import_name(import_build *b, operand *x, const char *name)
{
    if (x->name)
        return;
    x->name = name;
    if (x->fresh)
        b->g->values[x->forms[0].id].name = name;
}

status import_axis(int64_t axis, int rank, int *out)
{
    if (axis < -rank || axis >= rank)
        return fail(SEPCL_BAD_FILE, "axis %lld is outside a tensor of %d dimensions", (long long)axis, rank);
    *out = (int)(axis < 0 ? axis + rank : axis);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- outputs */

/* Views, constants and inputs may be outputs here; a pass gives them memory of their own. */
status import_output(import_build *b, operand *x, const char *name)
{
    value_id id;
    if (!operand_is_float(x))
        return fail(SEPCL_UNSUPPORTED, "output '%s' is a tensor of type %s; outputs are float32", name,
                    dtype_name(x->type));
    TRY(operand_plain(b, x, &id));
    if (b->g->values[id].producer >= 0)
        b->g->values[id].name = name;
    return graph_output(b->g, id);
}

status import_finish(import_build *b)
{
    graph *g = b->g;
    bool  *used = arena_array(&b->memory, (size_t)g->n_values, sizeof *used);
    if (!used)
        return SEPCL_OUT_OF_MEMORY;
    for (int i = 0; i < g->n_outputs; i++)
        used[g->outputs[i]] = true;
    for (int i = g->n_nodes - 1; i >= 0; i--) {
        node *n = g->nodes[i];
        n->dead = true;
        for (int k = 0; k < n->n_out; k++)
            n->dead &= !used[n->out[k]];
        for (int k = 0; !n->dead && k < n->n_in; k++)
            if (n->in[k] >= 0)
                used[n->in[k]] = true;
    }
    graph_compact(g);
    return SEPCL_OK;
}

void import_done(import_build *b)
{
    arena_free(&b->memory);
}
