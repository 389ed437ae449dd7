/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sepcl-run --profile: the Chrome trace event format, which Perfetto reads. One process "sepcl-run" with two threads,
 * the host and the device. The device's clock is laid onto the host's so that the first kernel of a run is queued when
 * the host enqueues the run.
 */
#include <math.h>
#include <stdlib.h>

#include "common/text.h"
#include "common/tool.h"
#include "run.h"

enum { PROCESS = 1, HOST = 1, DEVICE = 2 };

static json_t *event(const char *phase, const char *name, int thread)
{
    json_t *e = need(json_object());
    json_put(e, "ph", json_text(phase));
    json_put(e, "name", json_text(name));
    json_put(e, "pid", json_integer(PROCESS));
    json_put(e, "tid", json_integer(thread));
    return e;
}

static void add_name(json_t *events, const char *kind, int thread, const char *name)
{
    json_t *e = event("M", kind, thread), *args = need(json_object());
    json_put(args, "name", json_text(name));
    json_put(e, "args", args);
    json_add(events, e);
}

/* A span in seconds, kept in whole nanoseconds, so that one that ends where the next begins still does so. */
static json_t *span(const char *name, int thread, double begin, double end)
{
    const double from = round(1e9 * begin), to = round(1e9 * end);
    json_t      *e = event("X", name, thread);
    json_put(e, "ts", json_number(from / 1e3));
    json_put(e, "dur", json_number((to - from) / 1e3));
    return e;
}

static json_t *sizes(const uint64_t v[3])
{
    json_t *a = need(json_array());
    for (int i = 0; i < 3; i++)
        json_add(a, json_count(v[i]));
    return a;
}

static json_t *step_args(const sepcl_step_info *s, const run_step_times *t)
{
    const double seconds = 1e-9 * (double)(t->end - t->start);
    char         shape[TEXT_SMALL];
    json_t      *a = need(json_object());
    json_put(a, "op", json_text(s->op));
    json_put(a, "kernel", json_text(s->kernel));
    json_put(a, "why", json_text(s->why));
    json_put(a, "output", json_text(text_shape(&s->output, shape)));
    json_put(a, "launches", json_integer(s->launches));
    json_put(a, "global", sizes(s->global));
    json_put(a, "local", sizes(s->local));
    json_put(a, "multiplications", json_count(s->multiplications));
    json_put(a, "additions", json_count(s->additions));
    json_put(a, "bytes", json_count(s->bytes));
    json_put(a, "queued_us", json_number(1e-3 * (double)(t->start - t->queued)));
    if (seconds > 0) {
        json_put(a, "gflops", json_number(1e-9 * (double)(s->multiplications + s->additions) / seconds));
        json_put(a, "gb_per_s", json_number(1e-9 * (double)s->bytes / seconds));
    }
    return a;
}

static void add_run(json_t *events, const run *r, int index, int steps)
{
    const run_step_times *times = r->times + (size_t)index * (size_t)steps;
    uint64_t              origin = 0;
    for (int i = 0; i < steps; i++) {
        const run_step_times *t = &times[i];
        sepcl_step_info       s;
        if (t->end == 0 || t->end < t->start || t->start < t->queued ||
            sepcl_session_step(r->session, i, &s) != SEPCL_OK)
            continue; /* the device gave no times that make sense */
        if (origin == 0)
            origin = t->queued;
        const double shift = r->enqueued[index] - 1e-9 * (double)origin;
        json_t      *e = span(s.name, DEVICE, shift + 1e-9 * (double)t->start, shift + 1e-9 * (double)t->end);
        json_put(e, "args", step_args(&s, t));
        json_add(events, e);
    }
}

static bool has_times(const run *r, int steps)
{
    for (int i = 0; i < r->n_profiled * steps; i++)
        if (r->times[i].end > 0)
            return true;
    return false;
}

char *run_trace(const run *r)
{
    const int steps = sepcl_session_step_count(r->session);
    json_t   *trace = need(json_object()), *events = need(json_array()), *other = need(json_object());
    add_name(events, "process_name", HOST, "sepcl-run");
    add_name(events, "thread_name", HOST, "host");
    add_name(events, "thread_name", DEVICE, r->device.name);
    for (int i = 0; i < r->n_spans; i++)
        json_add(events, span(r->spans[i].name, HOST, r->spans[i].begin, r->spans[i].end));
    for (int i = 0; i < r->n_profiled; i++)
        add_run(events, r, i, steps);
    if (!has_times(r, steps))
        tool_warn("%s gives no event times: %s holds the host's track only", r->device.name, run_set.profile);
    json_put(other, "model", json_text(r->file));
    json_put(other, "device", json_text(r->device.name));
    json_put(other, "driver", json_text(r->device.driver_version));
    json_put(other, "version", json_text(sepcl_version()));
    json_put(trace, "traceEvents", events);
    json_put(trace, "displayTimeUnit", json_text("ms"));
    json_put(trace, "otherData", other);
    return json_dump_exact(trace);
}
