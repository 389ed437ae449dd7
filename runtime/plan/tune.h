/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tuning database: what was measured to be fastest on a device. A text file a device, one line an entry, made to be
 * read and edited:
 *
 *     DEVICE | op | KEY | ROW PARAMETERS | NANOSECONDS | ERROR | LOSER: NANOSECONDS; ...
 *     DEVICE | form | KEY + KEY + ... | OP, OP | NANOSECONDS | ERROR | ...
 *     DEVICE | ban | OP f32 ROW PARAMETERS | SOURCE | 0 | ERROR | REASON
 *
 * DEVICE is a hash of name, driver and compute units; KEY is node_key's or chain_key's; a form's OPs are
 * those that run the nodes, fused or one by one. An entry is a hint: whoever
 * uses one checks that the row exists, that the parameters are legal and that they fit. A ban is a variant of a kernel
 * that gave wrong answers on this device with this driver; it holds for one text of the kernel, of which SOURCE is a hash.
 * Losing the file costs nothing but speed, and a ban, which is found again by who looks.
 */
#ifndef SEPCL_PLAN_TUNE_H
#define SEPCL_PLAN_TUNE_H

#include "ir/op.h"

#define TUNE_KEY 1536   /* bytes of a key's text, with its end */
#define TUNE_CHOICE 160 /* of a row with its parameters, or a form */

typedef enum tune_kind { TUNE_ROW, TUNE_FORM, TUNE_BAN } tune_kind;

typedef struct tune_entry {
    tune_kind   kind;
    const char *key, *choice;
    int64_t     ns;     /* median of one run; 0 for a ban */
    double      error;  /* against the reference: largest difference over largest magnitude */
    const char *losers; /* "choice: ns; choice: ns", may be ""; of a ban the reason */
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
int    tune_count_kind(const tune_db *db, tune_kind kind);
/* Takes a copy; an entry of the same kind and key is replaced. */
status tune_set(tune_db *db, const tune_entry *e);
/* Forgets an entry in memory; in the file it stays. */
void   tune_forget(tune_db *db, tune_kind kind, const char *key);
/* Writes the file anew: what tune_set was given since tune_open, and for the rest what another process may have written
   meanwhile. */
status tune_save(tune_db *db);

/* The 16 digits that stand for a device, and that with a folder the file is named by. */
#define TUNE_DEVICE 17
const char *tune_device(const caps *c, char buffer[TUNE_DEVICE]);

/* A row of an op with parameters as text: "gemm/gemm MR=6 V=8 NB=2"; where several rows of an op have the same file and
   entry, "#2" marks the second. Without parameters when p is NULL. False when it is longer than a choice may be. */
bool row_text(const op_def *op, const kernel_def *row, const int *p, char text[TUNE_CHOICE]);
/* The other way: the row of that text with legal parameter values. False when there is none such. */
bool row_of_text(const op_def *op, const char *text, const kernel_def **row, int p[PARAM_MAX]);

/* Bans a row of an op with these parameters, or with any (p NULL), where the op's output is stored as half or not. */
typedef struct tune_ban_desc {
    const op_def     *op;
    const kernel_def *row;
    const int        *p;
    bool              half;
    const char       *source, *reason;
    double            error;
} tune_ban_desc;
status tune_ban(tune_db *db, const tune_ban_desc *d);
bool   tune_banned(const tune_db *db, const node_view *v, const kernel_def *row, const int *p);
/* The op and row of a ban's key; false when there is none such. */
bool   tune_ban_row(const char *key, const op_def **op, const kernel_def **row);

/* The row and parameters that the database has for a node, when they are legal and fit; else NULL. */
const tune_entry *tune_row(const tune_db *db, const node_view *v, const caps *c, const kernel_def **row,
                           int p[PARAM_MAX]);
/* The entry for nodes in a row, NULL when there is none. Its choice names the ops that run them: "conv, separable". */
const tune_entry *tune_form(const tune_db *db, const graph *g, node *const *nodes, int n);

#endif
