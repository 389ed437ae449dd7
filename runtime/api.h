/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of the public functions. */
#ifndef SEPCL_API_H
#define SEPCL_API_H

#include "exec/exec.h"
#include "import/import.h"

struct sepcl_model {
    model_file *file;
    shape      *shapes; /* of the inputs, a free first dimension being 1; other free ones -1 */
    graph      *graph;  /* built with these shapes; NULL when some are free */
};

/* The graph for given input shapes, as read (no passes); the caller destroys it before the model. */
status      api_graph(const sepcl_model *m, const sepcl_input_shape *given, int n_given, graph **out);
sepcl_shape api_shape(const shape *s);

/* What the summary calls a convolution: "DepthwiseConv2D"; "5x5 s1 valid" in the graph's memory, NULL when that is out.
 */
const char *api_conv_name(const node_view *v);
const char *api_conv_detail(graph *g, const node *n);

/* api_ban.c: the tuning database of a device in the cache folder; NULL where there is no folder. Bans of kernels whose
   text has changed since are left out. */
status api_tuning(const caps *c, const char *cache_dir, bool no_cache, tune_db **out);
/* Bans a variant that gave a wrong answer, for as long as its kernel's text stays the same. */
status api_ban(tune_db *db, const tune_ban_desc *d);

/* A session: a model planned for one device. */
struct sepcl_session {
    const sepcl_model *model;
    sepcl_precision    precision;
    bool               no_fusion, profile;
    sepcl_input_shape *shapes; /* of all inputs */
    int                n_shapes;
    tune_db           *tuning; /* with what does not run here, found in this session */
    graph             *graph;
    plan              *plan;
    plan_ways         *ways; /* what competed for its steps; NULL until asked for */
    exec_env          *env;
    exec_cl           *exec;            /* NULL: the device is lost, for the reason in lost */
    bool              *written, *bound; /* by input */
    const float      **data;            /* by input: what is bound; or a copy of what was written, NULL where the device
                                           works in the host's memory and gives it back */
    bool   enqueued;
    bool   reopened; /* the context was lost and made anew */
    double tolerance;
    char   lost[512];
};

/* api_settle.c: the graph as it is before anything is planned; not NULL after a failure of the passes. */
status session_graph(const sepcl_session *s, graph **out);
/* Graph, plan and executor of a session whose model, shapes and environment are set. Where the first plan
   does not run, others are tried: programs built from source, other kernels, a new context. */
status session_settle(sepcl_session *s);
/* After a run or transfer that failed with st: opens the device anew and brings the session to where it was, runs
   included. SEPCL_OK: what failed may be tried again. */
status session_recover(sepcl_session *s, status st);

/* api_self_test.c */
status self_test(const sepcl_self_test_desc *d, sepcl_self_test_fn fn, void *user);
/* For tests, as drivers compile slowly: each parameter set runs on every n-th case, beginning with another one, so that all
   sets and all cases come up, and a case meets each value of each parameter that fits it. 1: each set on all cases. */
extern int self_test_one_in;
/* For tests, too: of a row with several parameters only as many sets as have all their values, and a case meets one of
   them at least. */
extern bool self_test_few_sets;

#endif
