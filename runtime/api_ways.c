/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions on what competed for each step of a session. */
#include "api.h"

static status find_ways(sepcl_session *s)
{
    const plan_options o = {.tuning = s->tuning, .bans = s->tuning};
    graph             *unfused = NULL;
    status             st = s->no_fusion ? SEPCL_OK : session_graph(s, &unfused);
    if (st == SEPCL_OK)
        st = plan_ways_create(s->plan, unfused, &o, &s->ways);
    graph_destroy(unfused);
    return st == SEPCL_OK ? st : fail_in(st, "%s", model_file_name(s->model->file));
}

static status list_of(sepcl_session *s, int step, const plan_way_list **out)
{
    if (step < 0 || step >= sepcl_session_step_count(s))
        return fail(SEPCL_INVALID, "step %d: the plan has %d", step, sepcl_session_step_count(s));
    if (!s->ways)
        TRY(find_ways(s));
    *out = &s->ways->steps[step];
    return SEPCL_OK;
}

sepcl_status sepcl_session_way_count(sepcl_session *s, int step, int *count_out)
{
    const plan_way_list *list;
    *count_out = 0;
    TRY(list_of(s, step, &list));
    *count_out = list->n;
    return SEPCL_OK;
}

sepcl_status sepcl_session_way(sepcl_session *s, int step, int index, sepcl_way *way_out)
{
    const plan_way_list *list;
    *way_out = (sepcl_way){0};
    TRY(list_of(s, step, &list));
    if (index < 0 || index >= list->n)
        return fail(SEPCL_INVALID, "way %d of step %d: there are %d", index, step, list->n);
    const plan_way *w = &list->ways[index];
    *way_out = (sepcl_way){w->name, w->is_form, w->chosen, (double)w->ns / 1e3, w->predicted};
    return SEPCL_OK;
}
