/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Parts of sepcl-batch.
 *
 * Row i of every output belongs to item i of the input, whoever computed it and when. Each process has slots, buffers
 * for one run of the network, that go round: the main thread gives a slot some items, a decoder fills its input, the
 * thread of a session runs the network on it, and the main thread hands its rows on. Rank 0 deals out the items and is
 * the only one that writes, so that the journal, which says what is done, never runs ahead of the rows.
 */
#ifndef SEPCL_TOOLS_BATCH_H
#define SEPCL_TOOLS_BATCH_H

#include <pthread.h>

#include "common/npy.h"
#include "common/options.h"
#include "common/picture.h"
#include "common/text.h"
#include "sepcl/sepcl.h"

/* What the command line says. */
typedef struct batch_settings {
    option_list outputs;
    int64_t     batch, decoders, sessions;
    bool        batch_given, resume, recursive;
} batch_settings;
extern batch_settings batch_set;

/* ---------------------------------------------------------------- batch_list.c: what there is to do */

/* A picture, or a .npy file whose rows are items. */
typedef struct batch_source {
    char    *name;
    bool     is_stack;
    int64_t  first, count; /* items */
    void    *map;          /* of a stack */
    size_t   size;
    npy_view view;
} batch_source;

typedef struct batch_list {
    batch_source *sources;
    int64_t       n_sources, room, n_items;
    uint64_t      identity; /* of names, and of the stacks' sizes and times */
} batch_list;

/* Folders, stacks, pictures and lists of such, in order. */
sepcl_status batch_list_read(const char *const *args, int n, batch_list *out);
void         batch_list_free(batch_list *l);
/* The list as bytes for other processes; the stacks are opened anew there. malloc'd. */
char        *batch_list_pack(const batch_list *l, size_t *size_out);
sepcl_status batch_list_unpack(const char *bytes, size_t size, batch_list *out);

/* The source of an item, which is its row-th. */
const batch_source *batch_list_find(const batch_list *l, int64_t item, int64_t *row_out);
/* "b.png", "a.npy row 3"; malloc'd */
char *batch_item_name(const batch_list *l, int64_t item);

/* FNV-1a over bytes, to go on with. */
#define BATCH_HASH_START 0xcbf29ce484222325u
uint64_t batch_hash(uint64_t hash, const void *bytes, size_t size);

/* ---------------------------------------------------------------- batch_journal.c: rows on disk, and which are there
 */

typedef struct batch_output {
    int         index; /* of the model */
    const char *name, *file;
    char       *part;      /* where the rows are until all are there */
    sepcl_shape row;       /* one item's shape; the file has the number of items before it */
    size_t      row_bytes; /* not 0 */
    size_t      begin;     /* of row 0 in the file */
    int         fd;
} batch_output;

typedef enum batch_mark { MARK_TODO, MARK_DONE, MARK_BAD } batch_mark;

typedef struct batch_record {
    uint32_t mark, check; /* check: of a done row's bytes in all outputs */
} batch_record;

typedef struct batch_journal {
    char         *file;
    int           fd;
    batch_output *outputs;
    int           n_outputs;
    int64_t       n_items;
    batch_record *records;
    int64_t       done, bad, found; /* found: done or bad before this start */
    float        *nan_row;          /* of the longest row */
} batch_journal;

/* Begins anew, or with batch_set.resume goes on where there is something to go on with. identity: of all that decides
   what the rows are. */
sepcl_status batch_journal_open(batch_journal *j, batch_output *outputs, int n_outputs, int64_t n_items,
                                uint64_t identity);
/* Stores one item's rows, one a output; NULL: the item is bad. */
sepcl_status batch_journal_put(batch_journal *j, int64_t item, const float *const *rows);
/* All is there: gives the files their names. */
sepcl_status batch_journal_finish(batch_journal *j);
void         batch_journal_close(batch_journal *j);

/* ---------------------------------------------------------------- batch_ranks.c: several processes */

typedef struct batch_ranks {
    int rank, size;
    int local_rank, local_size; /* on this machine */
} batch_ranks;
extern batch_ranks ranks;

/* Sets what PoCL reads from the environment where ranks share a machine. Before tool_begin. */
void         ranks_prepare(void);
sepcl_status ranks_begin(int *argc, char ***argv);
void         ranks_end(void);
/* Ends all ranks; does not return when there are several. */
void ranks_abort(int code);
/* From rank 0 to all: bytes are malloc'd where they arrive. */
sepcl_status ranks_share(char **bytes, size_t *size);

/* A message about one item, from the rank that did it. The rows, or why it is bad, follow. */
typedef struct ranks_row {
    int64_t  item;
    uint64_t bytes;
    int32_t  bad;
} ranks_row;

/* Ranks from 1 up. */
void ranks_want(int n);
/* Has the answer come? *n_out 0: there is no more. */
bool ranks_work(int64_t *items, int most, int *n_out);
void ranks_send(const ranks_row *row, const void *bytes);
/* Rank 0. */
bool ranks_wanted(int *rank_out, int *n_out);
void ranks_give(int rank, const int64_t *items, int n);
/* A row that came, malloc'd; NULL: none. */
char *ranks_receive(void);

/* ---------------------------------------------------------------- batch_slots.c: decoders, sessions */

typedef struct batch_slot {
    int      n; /* items; at most batch.per_run */
    int64_t *items;
    char   **why; /* of a bad item: what is wrong with it; NULL: it is fine */
    float   *input;
    float  **outputs; /* of batch.outputs */
} batch_slot;

/* Slots on their way from one thread to another. */
typedef struct batch_channel {
    pthread_mutex_t mutex;
    pthread_cond_t  wake;
    batch_slot    **slots;
    int             n, at, room;
    bool            closed;
} batch_channel;

typedef struct batch_worker {
    pthread_t      thread;
    struct batch  *batch;
    sepcl_session *session; /* NULL: a decoder */
} batch_worker;

typedef struct batch {
    const char    *file;
    sepcl_model   *model;
    batch_list     list;
    sepcl_shape    shape; /* of the input for one run */
    int            per_run;
    bool           batched; /* dimension 0 is the batch */
    size_t         item_floats;
    picture_target target;
    picture_recipe recipe;
    batch_output  *outputs;
    int            n_outputs;
    batch_journal  journal;
    char         **devices; /* selectors */
    int            n_devices;
    batch_worker  *workers;
    int            n_workers, n_sessions, n_started;
    batch_slot    *slots;
    int            n_slots;
    batch_channel  free, filling, ready, done;
    /* the first failure of any thread */
    pthread_mutex_t failed_mutex;
    sepcl_status    failed;
    char            sentence[1024];
} batch;

/* Sessions one after the other, so that kernels are compiled once. */
sepcl_status batch_sessions_begin(batch *b);
/* Slots and threads; outputs[] has to be complete. */
sepcl_status batch_slots_begin(batch *b);
void         batch_slots_end(batch *b);
/* NULL when nothing came within the time, or the channel was closed and is empty. */
batch_slot *batch_take(batch_channel *c, int milliseconds);
void        batch_pass(batch_channel *c, batch_slot *s);

/* batch_run.c: the main thread's loop until all is done, or a signal came. */
sepcl_status batch_run(batch *b);
void         batch_catch_signals(void);
/* Ends the program as the signal that came would have, if one came. */
void batch_raise_signal(void);

#endif
