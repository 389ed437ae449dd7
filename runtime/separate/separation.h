/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is found out about a model's convolutions, step by step: sites (sites.c: which convolutions there are, and
 * calibrate.c: what comes in there on the samples), offers (offers.c: forms, their errors and times), a choice
 * (choose.c), and the new file (separation.c).
 */
#ifndef SEPCL_SEPARATE_SEPARATION_H
#define SEPCL_SEPARATE_SEPARATION_H

#include "import/import.h"
#include "separate/bound.h"
#include "separate/measure.h"
#include "separate/spectrum.h"

/* What float32 may add in outputs where all forms are exact; more means that something is wrong. */
#define OUTPUT_ROUNDING 1e-4

typedef struct offer {
    rewriting   r;
    double      weight_error, gain;
    layer_error e;
    uint64_t    multiplications, bytes;
    double      seconds, as_is; /* 0: not timed */
    bool        hopeless;       /* not to be chosen, whatever the tolerance */
    const char *note;
} offer;

typedef struct layer_spectrum {
    sepcl_form form;
    unfolding  kind;
    double    *values;
    int        n, rank;
} layer_spectrum;

#define MOST_OFFERS 12
typedef struct site {
    int            read, passed; /* node index in either graph */
    const char    *name, *output_name, *detail;
    conv_part      window; /* without weights */
    nhwc           in, out;
    dtype          stored; /* type of the weights in the file */
    uint64_t       multiplications, bytes;
    const char    *why_not;               /* it cannot be written otherwise; NULL: it can */
    patches        samples, fold_samples; /* of both convolutions as one, when there is `before` */
    conv_part      fold_window;
    layer_spectrum spectra[2];
    offer          list[MOST_OFFERS];
    int            n_spectra, n_list, chosen;
    bool           absorbed;
    int            before; /* site that a folded form takes with it; -1 */
    const char    *why;
} site;

struct sepcl_separation {
    const model_file *file;
    graph            *read, *passed; /* as read; after the passes, nothing fused into forms */
    arena             memory;
    site             *sites;
    int               n_sites;
    exec_env         *env;
    tune_db          *tuning;
    bench_env         bench;
    samples           samples;
    float           **random; /* arrays made here for them */
    trial            *original;
    answers           want;
    double            tolerance, target; /* as asked for; 0: not */
    double            seconds[2];
    answer_error      error;
    bool              target_met;
    uint8_t          *bytes; /* of the new file; NULL: there is none */
    size_t            size;
    status            no_file; /* why, and in words */
    const char       *no_file_text;
    sepcl_separate_fn fn;
    void             *user;
};
typedef struct sepcl_separation separation;

/* Passes the caller where the work stands. SEPCL_INVALID when it wants no more. */
status separation_say(separation *s, double done, const char *phase, const char *name);
/* May forms be taken that are not exact? */
bool separation_approximates(const separation *s);
bool offer_is_exact(const offer *c);
/* A sentence in the separation's memory; "" when memory is out. */
const char *separation_text(separation *s, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* A clone of the graph as read with offer pick[i] at site i, -1: as it is; then the passes. The weights are borrowed
   from the offers. */
status separation_network(const separation *s, const int *pick, trial **out);

/* sites.c */
status sites_find(separation *s);
/* calibrate.c: random samples where none were given; what comes in at each site; the original's answers. */
status samples_prepare(separation *s);
status samples_collect(separation *s);
/* offers.c: spectra, offers, errors, times of one site. */
status site_analyse(separation *s, site *t);
status site_time(separation *s, site *t);
/* choose.c */
status separation_choose(separation *s);

/* All of it. */
typedef struct separate_args {
    const model_file          *file;
    graph                     *read;   /* taken over, also on failure */
    tune_db                   *tuning; /* taken over; may be NULL */
    exec_env                  *env;    /* taken over */
    const sepcl_separate_desc *desc;
    sepcl_separate_fn          fn;
    void                      *user;
} separate_args;
status separation_create(const separate_args *a, separation **out);
void   separation_destroy(separation *s);

#endif
