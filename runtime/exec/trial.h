/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Measuring: a few nodes cut out of a graph, run in some form with some kernels, compared with the reference and timed by
 * the host's clock. A trial whose answer is wrong does not come to be, so it cannot be timed.
 */
#ifndef SEPCL_EXEC_TRIAL_H
#define SEPCL_EXEC_TRIAL_H

#include "exec/exec.h"

/* The nodes, as a graph of their own: values that come from elsewhere are inputs, with numbers from -1 to 1. */
typedef struct subject subject;

/* Nodes of g in order; the values that only they read between them stay inside. Constants are g's, which has to outlive
   the subject. */
status       subject_create(const graph *g, node *const *nodes, int n, subject **out);
void         subject_destroy(subject *s);
const graph *subject_graph(const subject *s);
/* How far the last trial was from the reference, also one that did not come to be; infinite when it wrote elsewhere. */
double       subject_error(const subject *s);

typedef struct trial trial;

/* variant: a clone of the subject's graph, whose nodes may have been fused; p: a plan of it. Both are taken over, also on
   failure. Builds, runs once, and compares: SEPCL_MISMATCH when an output differs by more than tolerance (largest
   difference over largest magnitude) or something was written beside it. */
status trial_create(exec_env *e, subject *s, graph *variant, plan *p, double tolerance, trial **out);
/* The same without a reference: for a caller that compares answers itself. Its inputs are to be written. */
status   trial_open(exec_env *e, graph *variant, plan *p, trial **out);
exec_cl *trial_exec(trial *t);
const graph *trial_graph(const trial *t);
const plan  *trial_plan(const trial *t);
void   trial_destroy(trial *t);
double trial_error(const trial *t);

/* Times a, and b in turns with it when b is not NULL: the medians, in seconds of one run. 0: the times made no sense
   (below `least`). More samples are taken while many are disturbed; b is given up early when it is far slower. */
status trial_race(trial *a, trial *b, double least, double *a_seconds, double *b_seconds);

/* Times some in turns: the medians. */
#define TRIAL_RACERS 4
status trial_race_all(trial *const *t, int n, double *seconds);

/* The median of samples that make sense (numbers above 0 and not below least) and were not disturbed (not far above the
   fastest of them); 0 when fewer than half make sense. Changes their order. */
double trial_median(double *samples, int n, double least);

#endif
