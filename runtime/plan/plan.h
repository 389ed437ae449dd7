/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frozen plan: which kernel row runs each node with which parameters and launch, and where every value lives.
 * Made from a graph and a device's caps alone; immutable afterwards.
 */
#ifndef SEPCL_PLAN_PLAN_H
#define SEPCL_PLAN_PLAN_H

#include "ir/launch.h"
#include "plan/tune.h"

typedef struct plan_step {
    const node       *n;
    const kernel_def *row;
    int               p[PARAM_MAX];
    launch           *launches;
    int               n_launches;
    packed           *packs;
    int               n_packs;
    size_t           *scratch_bytes, *scratch_offset;
    int               n_scratch;
    const char       *kernel; /* "conv/gemm MR=6 NR=16" */
    const char       *why;
    op_count          cost;
    double            predicted; /* the row's cost function: cycles of one core on a CPU; 0 when it has none */
    bool              tuned;     /* row and parameters are the tuning database's */
} plan_step;

/* Where a value lives. */
typedef enum home { HOME_NONE, HOME_ARENA, HOME_CONST, HOME_INNER } home;
typedef struct plan_value {
    home     home;
    value_id root;     /* itself, or the value whose memory a view shares */
    size_t   offset;   /* HOME_ARENA, of the root: bytes into the arena */
    size_t   bytes;    /* stored size */
} plan_value;

typedef struct plan {
    arena        memory;
    const graph *g;    /* as given, must outlive the plan */
    caps         caps;
    plan_step   *steps;
    int          n_steps;
    plan_value  *values;
    size_t       arena_bytes, guard;
} plan;

/* Nodes in a row that forms may run, each but the last read by the next one alone. */
#define FORM_PARTS 3
/* Some of them that run as one: a node as it is (OP_NONE), or a form of several. */
typedef struct form_piece {
    op_kind op;
    int     first, parts; /* of the row */
} form_piece;
/* Told where forms compete, before anything is fused there: the row, and what its first nodes are going to be. */
typedef status (*form_watch)(void *user, graph *g, const int *index, int n, const form_piece *first);

typedef struct plan_options {
    size_t  guard;        /* bytes left free on both sides of each value (tests look there for stray writes) */
    op_kind force_op;     /* OP_NONE, or nodes of this op take this row and these parameters */
    int     force_row;
    int     force_p[PARAM_MAX];
    const tune_db *tuning; /* what was measured on this device, read while planning; NULL: the cost model alone */
    const tune_db *bans;   /* variants that are not to be used, for they gave wrong answers here; NULL: none */
    bool    quiet;         /* no lines in the log (the tuner makes hundreds of plans) */
    form_watch watch;      /* of plan_forms; NULL: nobody */
    void   *watcher;       /* its first argument */
} plan_options;

status plan_create(const graph *g, const caps *c, const plan_options *o, plan **out);
void   plan_destroy(plan *p);

/* select.c: the row and parameters for a node, by the tuning database or, where that has none that fit, by predicted
   cost. There, what one of the steps done so far uses is preferred to what is barely better and would need another
   program built. */
status plan_select(const node_view *v, const caps *c, const plan_options *o, const plan_step *done, int n_done,
                   plan_step *s, arena *memory);
/* Calls fn for each legal parameter set of a row that fits; fn returns false to stop. */
void plan_each_parameters(const kernel_def *row, const node_view *v, const caps *c,
                          bool (*fn)(void *user, const int *p), void *user);
/* Work-group size of a launch on a device: fills local where it is 0 and rounds global up to it. */
void plan_work_group(launch *k, const caps *c);

/* candidates.c: what may be worth measuring for a node: the row and parameters that plan_select takes, then the best of
   each row, then whatever is predicted within CANDIDATES_WITHIN of the best, best first. */
typedef struct candidate {
    const kernel_def *row;
    int               index; /* of the row */
    int               p[PARAM_MAX];
    double            cost;  /* predicted; 0 when the row has no cost */
} candidate;
#define CANDIDATES_WITHIN 2.5
status plan_candidates(const node_view *v, const caps *c, const plan_options *o, candidate *out, int most, int *n_out);

/* forms.c: replaces subgraphs by the fused form that the tuning database has as the fastest, or that the cost model
   expects to be faster on this device. */
status plan_forms(graph *g, const caps *c, const plan_options *o);
/* Its first step: the forms that are taken wherever they fit. */
status plan_small_forms(graph *g, const caps *c, const plan_options *o);
/* Puts one node of a form in the place of nodes in a row. The graph is to be compacted afterwards. */
status plan_fuse(graph *g, const int *index, int parts, op_kind op);

/* The nodes in a row from node i on, as plan_forms looks at them. 0 when no forms compete there. */
int plan_chain(const graph *g, int i, int index[FORM_PARTS]);

/* A way to run nodes in a row: pieces. */
typedef struct form_split {
    form_piece pieces[FORM_PARTS];
    int        n;
    double     predicted;
} form_split;
/* Every split for which there are kernels that fit; how many. */
#define FORM_SPLITS 12
int plan_splits(graph *g, const int *index, int n, const caps *c, const plan_options *o, form_split out[FORM_SPLITS]);

/* ways.c: what competed for each step of a plan. */
typedef struct plan_way {
    bool        is_form, chosen;
    const char *name;      /* of a form: the ops that run the nodes, "separable, conv"; else a row with its parameters */
    double      predicted; /* cycles of one core on a CPU; 0: the row has no cost */
    int64_t     ns;        /* measured, in the tuning database; 0: not */
} plan_way;
typedef struct plan_way_list {
    plan_way *ways;
    int       n, cap;
} plan_way_list;
typedef struct plan_ways {
    arena          memory;
    plan_way_list *steps; /* as many as the plan has */
} plan_ways;
/* unfused: the plan's graph as it was before plan_forms, which fuses it here again; NULL when there were no forms. o: as
   the plan was made. */
status plan_ways_create(const plan *p, graph *unfused, const plan_options *o, plan_ways **out);
void   plan_ways_destroy(plan_ways *w);

/* memory.c: records in, offsets out. */
typedef struct memory_record {
    int    first, last;  /* steps in which the piece is alive, both included */
    size_t bytes;
    size_t offset;       /* result */
} memory_record;
status memory_plan(memory_record *records, int n, size_t align, size_t *total_out);

#endif
