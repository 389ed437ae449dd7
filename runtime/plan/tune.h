/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tuning database: what was measured to be fastest on a device. A text file a device, one line an entry, made to be
 * read and edited:
 *
 *     DEVICE | op | KEY | ROW PARAMETERS | NANOSECONDS | ERROR | LOSER: NANOSECONDS; ...
 *     DEVICE | form | KEY + KEY + ... | OP, OP | NANOSECONDS | ERROR | ...
 *
 * DEVICE is a hash of name, driver and compute units; KEY is node_key's or chain_key's; a form's OPs are
 * those that run the nodes, fused or one by one. An entry is a hint: whoever
 * uses one checks that the row exists, that the parameters are legal and that they fit. Losing the file costs nothing
 * but speed.
 */
#ifndef SEPCL_PLAN_TUNE_H
#define SEPCL_PLAN_TUNE_H

#include "ir/op.h"

#define TUNE_KEY 1536   /* bytes of a key's text, with its end */
#define TUNE_CHOICE 160 /* of a row with its parameters, or a form */

typedef enum tune_kind { TUNE_ROW, TUNE_FORM } tune_kind;

typedef struct tune_entry {
    tune_kind   kind;
    const char *key, *choice;
    int64_t     ns;     /* median of one run */
    double      error;  /* against the reference: largest difference over largest magnitude */
    const char *losers; /* "choice: ns; choice: ns", may be "" */
} tune_entry;

typedef struct tune_db tune_db;

/* Reads the device's file in folder, if there is one (folder NULL: in memory only). A file or line that is not as it
   should be is an info line in the log, not a failure: only memory can be out. */
status tune_open(const char *folder, const caps *c, tune_db **out);
void   tune_close(tune_db *db);
int    tune_count(const tune_db *db);
/* Entry i, sorted by kind and key. */
const tune_entry *tune_get(const tune_db *db, int i);
const tune_entry *tune_find(const tune_db *db, tune_kind kind, const char *key);
/* Takes a copy; an entry of the same kind and key is replaced. */
status tune_set(tune_db *db, const tune_entry *e);
/* Writes the file anew: what tune_set was given since tune_open, and for the rest what another process may have written
   meanwhile. */
status tune_save(tune_db *db);

/* The 16 digits that stand for a device, and that with a folder the file is named by. */
#define TUNE_DEVICE 17
const char *tune_device(const caps *c, char buffer[TUNE_DEVICE]);

/* A row of an op with parameters as text: "gemm/gemm MR=6 V=8 NB=2"; where several rows of an op have the same file and
   entry, "#2" marks the second. False when it is longer than a choice may be. */
bool row_text(const op_def *op, const kernel_def *row, const int *p, char text[TUNE_CHOICE]);
/* The other way: the row of that text with legal parameter values. False when there is none such. */
bool row_of_text(const op_def *op, const char *text, const kernel_def **row, int p[PARAM_MAX]);

/* The row and parameters that the database has for a node, when they are legal and fit; else NULL. */
const tune_entry *tune_row(const tune_db *db, const node_view *v, const caps *c, const kernel_def **row,
                           int p[PARAM_MAX]);
/* The entry for nodes in a row, NULL when there is none. Its choice names the ops that run them: "conv, separable". */
const tune_entry *tune_form(const tune_db *db, const graph *g, node *const *nodes, int n);

#endif
