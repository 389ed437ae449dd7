/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the tuner. */
#ifndef SEPCL_API_TUNE_H
#define SEPCL_API_TUNE_H

#include "api.h"
#include "exec/trial.h"

#define TUNE_CANDIDATES 10

/* One way to run a piece, and what came of it. */
typedef struct attempt {
    candidate c;
    double    seconds; /* median of one run; 0: it was not timed */
    double    error;
} attempt;

/* Work that one launch or a few do: a node as it is, or several as one fused node. Layers that are the same share it.
 */
typedef struct piece {
    char     *key;
    op_kind   op; /* of the fused node; OP_NONE: a node as it is */
    node     *nodes[FORM_PARTS];
    int       n, layers;
    double    floor;   /* seconds that the device's peak and bandwidth allow for one run */
    double    seconds; /* of the fastest way so far; 0: nothing is known */
    double    error;
    subject  *s;
    attempt   tried[TUNE_CANDIDATES];
    candidate list[TUNE_CANDIDATES];
    int       n_list, n_tried, wrong;
    int       best; /* of tried; -1: none */
    bool      kept; /* it has an entry from before */
    bool      wanted, failed, recorded, used;
} piece;

/* Nodes in a row, and the ways to split them into pieces. */
typedef struct window {
    char      *key;
    int        index[FORM_PARTS], n, layers;
    form_split splits[FORM_SPLITS];
    int        pieces[FORM_SPLITS][FORM_PARTS]; /* indices into tuner.pieces */
    int        n_splits, own;                   /* own: what is taken without tuning */
    int        winner;                          /* as its entry says; -1: not decided yet */
    bool       live;                            /* planning can come to it */
} window;

typedef struct tuner {
    const sepcl_tune_desc *d;
    sepcl_tune_fn          fn;
    void                  *user;
    exec_env              *env;
    const caps            *c;
    graph                 *g; /* after the passes, nothing fused */
    tune_db               *db;
    arena                  memory;
    piece                 *pieces;
    window                *windows;
    int                   *window_of; /* by node: the window that begins there, -1 */
    int                    n_pieces, cap_pieces, n_windows, cap_windows;
    double                 begun, budget, saved, done;
    bool                   stop;
    int                    failed_in_a_row;
    int                    lost; /* times that the device's context was, and was made anew */
} tuner;

/* api_tune_work.c: what there is to measure. */
status tuner_collect(tuner *t);
/* After the survey, and again when windows have been decided: which windows planning can come to, and which pieces are
   in one of their better splits. */
void   tuner_mark_wanted(tuner *t);
void   split_text(const tuner *t, const window *w, int split, char text[TUNE_CHOICE]);
double split_seconds(const tuner *t, const window *w, int split); /* measured; 0: a piece is not */

/* api_tune_piece.c: measuring one piece or one split. */
/* Tries candidates until there are `most` of them or the clock passes `deadline`, and at least until one is right. */
status piece_measure(tuner *t, piece *p, int most, double deadline);
void   piece_forget(piece *p);
status piece_record(tuner *t, piece *p);
/* Whether split b of a window is faster than split a when both run as a whole. */
status window_race(tuner *t, const window *w, int a, int b, double seconds[2], double *error);

/* api_tune.c */
double tuner_seconds(const tuner *t);
/* Whether a failure with st took the device's context with it; the sentence is kept. */
bool tuner_lost(tuner *t, status st);
/* Opens the device anew; no trial may be left. */
status tuner_reopen(tuner *t);
/* Tells the caller what comes next; sets t->stop. */
void tuner_say(tuner *t, const char *name, const char *trying);

#endif
