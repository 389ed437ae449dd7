/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of sepcl-run. */
#ifndef SEPCL_TOOLS_RUN_H
#define SEPCL_TOOLS_RUN_H

#include "common/feed.h"
#include "common/input.h"
#include "common/json.h"
#include "common/options.h"
#include "sepcl/sepcl.h"

/* What the command line says. */
typedef struct run_settings {
    option_list    outputs;
    int64_t        top;
    bool           top_given;
    const char    *labels;
    bool           random;
    int64_t        seed;
    bool           check;
    double         tolerance;
    const char    *profile;
    int64_t        repeat;
    bool           no_fusion;
} run_settings;
extern run_settings run_set;

typedef struct run_output {
    const char *name;
    const char *file; /* NULL: not written */
    sepcl_shape shape;
    float      *data;
    size_t      count;
} run_output;

/* A span of host time, in seconds since the program's start. */
typedef struct run_span {
    const char *name;
    double      begin, end;
} run_span;

typedef struct run_step_times {
    uint64_t queued, start, end;
} run_step_times;

typedef struct run {
    const char       *file;
    sepcl_device_info device;
    sepcl_model      *model;
    sepcl_session    *session;
    feed             *inputs;
    run_output       *outputs;
    int               n_inputs, n_outputs;
    bool              to_stdout; /* an output goes to standard output, so nothing else does */
    double            begun; /* clock at the program's start */
    double            load_s, plan_s;
    double           *seconds; /* of each timed run, sorted afterwards */
    int               n_runs;
    run_span         *spans; /* for the trace */
    int               n_spans, cap_spans;
    run_step_times   *times;    /* of a profiled session: run x step */
    double           *enqueued; /* host time of each of these runs */
    int               n_profiled;
    char            **labels;
    int               n_labels;
    json_t           *check; /* result of --check for --json */
} run;

/* Remembers a span that began at `begin` (tool_seconds) and ends now. */
void run_span_end(run *r, const char *name, double begin);

/* run_inputs.c: names to files, files to tensors. */
sepcl_status run_assign_inputs(run *r, const char *const *args, int n);
sepcl_status run_assign_outputs(run *r);
sepcl_status run_read_inputs(run *r);
/* After the session was made: random values where no file was given. */
sepcl_status run_fill_inputs(run *r);

/* run_report.c */
sepcl_status run_read_labels(run *r);
void         run_print_steps(const run *r);
void         run_report(const run *r);
void         run_report_json(const run *r);

/* run_check.c: compares with the reference and prints the table. */
sepcl_status run_check(run *r);

/* run_trace.c: a file that Perfetto and chrome://tracing open. Text to be freed. */
char *run_trace(const run *r);

#endif
