/* SPDX-License-Identifier: Apache-2.0 */
/* Measuring rewritings on a device: a layer with those that may be fused with it, and whole networks. */
#ifndef SEPCL_SEPARATE_MEASURE_H
#define SEPCL_SEPARATE_MEASURE_H

#include "exec/trial.h"
#include "separate/rewrite.h"

/* What all measurements share. */
typedef struct bench_env {
    exec_env      *env;
    const caps    *c;
    const tune_db *tuning; /* NULL: the cost model alone */
} bench_env;

/* Inputs of a network: n times as many arrays as it has inputs, in the file's layout. */
typedef struct samples {
    const float *const *data;
    int                 n;
} samples;

/* A graph as a session would run it: forms and kernels by the plan. g is taken over, also on failure. */
status network_open(const bench_env *b, graph *g, trial **out);
/* Writes random numbers from -1 to 1 to all inputs. */
status network_fill(trial *t);
status network_write(trial *t, const samples *s, int sample);
/* Cycles that the plan predicts. */
double network_predicted(const trial *t);

/* ------------------------------------------------------------------ a layer and its neighbours */

typedef struct cut {
    subject *s;
    int      at; /* of the layer's (last) convolution in it */
} cut;

/* g: after the passes, nothing fused into forms. at: the layer's (last) convolution, n_old of them in a row. Neighbours
   that some form may run together with it come along. */
status cut_create(const graph *g, int at, int n_old, cut *out);
void   cut_destroy(cut *c);
/* r NULL: as it is. Inputs are filled, the same for all of a cut. */
status cut_open(const bench_env *b, const cut *c, const rewriting *r, trial **out);
/* Runs both and compares outputs: largest difference over largest magnitude. */
status trials_differ(trial *a, trial *b, double *difference);

/* ------------------------------------------------------------------ answers of whole networks */

/* Outputs of all samples. */
typedef struct answers {
    float  **data;  /* sample by sample, output by output */
    int64_t *count; /* elements of an output */
    int      n_samples, n_outputs;
} answers;

status answers_of(trial *t, const samples *s, answers *out);
void   answers_free(answers *a);

typedef struct answer_error {
    double largest; /* of all: largest difference over largest magnitude of an output */
    int    rows;    /* of outputs with one score a class; 0: there are none */
    int    changed; /* rows whose largest score is another one */
} answer_error;
answer_error answers_compare(const answers *got, const answers *want, const graph *g);

#endif
