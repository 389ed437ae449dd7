/* SPDX-License-Identifier: Apache-2.0 */
/* Parts of sepcl-bench. */
#ifndef SEPCL_TOOLS_BENCH_H
#define SEPCL_TOOLS_BENCH_H

#include <stdio.h>

#include "common/json.h"
#include "common/options.h"
#include "sepcl/sepcl.h"

/* What the command line says. */
typedef struct bench_settings {
    int64_t     repeat, batch;
    bool        batch_given, layers, no_fusion;
    bool        break_even;
    int64_t     most; /* output channels */
    option_list kernels;
    const char *json, *html, *svg; /* "/dev/stdout" for "-" */
} bench_settings;
extern bench_settings bench_set;

/* What bounds a step from below. */
typedef enum bench_bound { BOUND_NONE, BOUND_COMPUTE, BOUND_CACHE, BOUND_MEMORY } bench_bound;
extern const char *const bench_bounds[]; /* their names */

/* A form or kernel that competed for a step. */
typedef struct bench_way {
    char  *name; /* cleaned */
    bool   is_form, chosen;
    double seconds;   /* as sepcl-tune measured it; 0: it did not */
    double predicted; /* 0: nothing is */
} bench_way;

/* A step of the plan. Texts are cleaned. */
typedef struct bench_step {
    char       *name, *op, *kernel, *why;
    sepcl_shape output;
    int         launches;
    uint64_t    multiplications, additions, bytes;
    double      seconds; /* in kernels, median; 0: the device gave no times */
    double      floor;   /* seconds that the device's measured speed allows at best */
    bench_bound bound;
    double      lost; /* seconds over the floor, not negative; 0 when there are no times */
    bench_way  *ways;
    int         n_ways;
} bench_step;

/* Seconds of a part of each run, sorted when all are done. */
typedef enum bench_part { PART_ALL, PART_WRITE, PART_RUN, PART_READ, PARTS } bench_part;

typedef struct bench_model {
    const char        *file;
    sepcl_model       *model;
    sepcl_session     *session; /* the one that is being measured */
    sepcl_input_shape *shapes;  /* of the inputs that --shape and --batch fix */
    int                n_shapes;
    float            **inputs, **outputs;
    size_t            *input_counts, *output_counts;
    int                n_inputs, n_outputs;
    int64_t            batch;
    double             load_s, session_s;
    double            *seconds[PARTS];
    int                n_runs;
    /* of the profiled session, when there was one */
    bench_step        *steps;
    int                n_steps;
    double            *rows; /* of bench_steps.c: times of each step, then of the whole, one a run */
    int                n_profiled;
    int               *by_lost;  /* indices of steps, most lost time first */
    double             wall_s;   /* of a profiled run, median */
    double             kernel_s; /* its time in kernels; 0: the device gave no times */
    double             idle_s;   /* the rest */
    double             floor_s;  /* sum over the steps */
} bench_model;

typedef struct bench {
    sepcl_device_info  device;
    int                device_index;
    sepcl_device_speed speed;         /* with steps: the best of several measurements */
    double             least_gflops;  /* of the worst of them */
    bench_model       *models;
    int                n_models;
} bench;

/* Are steps asked for? */
bool bench_wants_steps(void);

/* bench_time.c: sessions and clocks. */
sepcl_status bench_load(bench_model *m);
sepcl_status bench_time(bench *b);
/* Quantile of a part, in seconds. */
double bench_quantile(const bench_model *m, bench_part part, double q);
void   bench_release(bench_model *m);

/* Makes a session, which records the times of steps when profile is set. */
sepcl_status bench_start(const bench *b, bench_model *m, bool profile);
void         bench_stop(bench_model *m);
sepcl_status bench_write(bench_model *m);

/* bench_steps.c: where the time goes. */
sepcl_status bench_time_steps(bench *b);
/* Did the device's speed change while it was measured, so that times and floors belong to different speeds? */
bool bench_unsteady(const bench *b);
/* How fast a step was, in operations a second. An operation is half a multiply-add, so that a step of additions alone
   is not said to reach the peak at half its instructions. */
double bench_operations(const bench_step *s);
/* 0 ... 1, a little more when the device was measured in a worse moment; 0 when there are no times. */
double bench_efficiency(const bench_step *s);

/* bench_ways.c: what competed for each step. */
sepcl_status bench_find_ways(const bench_model *m, int step, bench_step *s);
void         bench_free_ways(bench_step *s);
void         bench_put_ways(json_t *j, const bench_step *s);
void         bench_write_ways(FILE *out, const bench_model *m);
extern const char bench_ways_style[];

/* bench_report.c */
void  bench_print(const bench *b);
char *bench_json(const bench *b);

/* bench_page.c: a page without references to anything outside. Text to be freed. */
char *bench_page(const bench *b);
/* bench_roofline.c: one picture. Steps that multiply and add nothing, or have no time, have no place in it. colours: the
   number of each step's. */
bool bench_has_place(const bench_step *s);
typedef struct bench_canvas {
    int         width, height, left, bottom; /* left and bottom: room for the numbers of the axes */
    const char *class;
} bench_canvas;
void bench_roofline(FILE *out, const bench *b, const bench_model *m, const int *colours, const bench_canvas *canvas);

#endif
