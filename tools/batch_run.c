/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-batch: the main thread, which deals out items and hands rows on. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "common/progress.h"
#include "common/tool.h"

/* How long to wait for a slot before looking for messages and signals. */
#define MESSAGE_MILLISECONDS 1
#define SIGNAL_MILLISECONDS 100
/* Most items that a rank asks for at once. */
#define MOST_WANTED 4096

static volatile sig_atomic_t signal_number;

static void on_signal(int number)
{
    signal_number = number;
}

/* The second signal ends the program at once; the journal bears that. */
void batch_catch_signals(void)
{
    static const int numbers[] = {SIGINT, SIGTERM, SIGHUP};
    for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
        struct sigaction old, action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND};
        if (sigaction(numbers[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
            sigaction(numbers[i], &action, NULL);
    }
}

void batch_raise_signal(void)
{
    if (!signal_number)
        return;
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

/* ---------------------------------------------------------------- the state of the loop */

typedef struct loop {
    batch        *b;
    int64_t       next;    /* rank 0: of the items, the first that may still have to be done */
    int64_t      *backlog; /* other ranks: items received, not yet given to a slot */
    int           n_backlog, at;
    bool          asked, no_more;
    int           under_way; /* slots that are not free */
    int           told;      /* rank 0: ranks that know that there is no more */
    double        begun, last_report;
    const float **rows; /* of one item, by output */
} loop;

static const batch_journal *journal(const loop *l)
{
    return &l->b->journal;
}

/* ---------------------------------------------------------------- rank 0: dealing out */

/* The next items that are not done; 0: none are left. */
static int deal(loop *l, int64_t *items, int most)
{
    int n = 0;
    for (; n < most && l->next < journal(l)->n_items; l->next++)
        if (journal(l)->records[l->next].mark == MARK_TODO)
            items[n++] = l->next;
    return n;
}

static void answer_wants(loop *l)
{
    int rank, n;
    while (ranks_wanted(&rank, &n)) {
        int64_t   items[MOST_WANTED];
        const int given = deal(l, items, n < MOST_WANTED ? n : MOST_WANTED);
        ranks_give(rank, items, given);
        l->told += given == 0;
    }
}

/* ---------------------------------------------------------------- rank 0: storing */

static void report_bad(const loop *l, int64_t item, const char *why)
{
    char *name = batch_item_name(&l->b->list, item);
    if (strstr(why, name))
        tool_warn("skipped: %s", why);
    else
        tool_warn("skipped: %s: %s", name, why);
    free(name);
}

static sepcl_status store(loop *l, int64_t item, const char *why, const float **rows)
{
    if (why)
        report_bad(l, item, why);
    return batch_journal_put(&l->b->journal, item, why ? NULL : rows);
}

static sepcl_status store_message(loop *l, const char *message)
{
    ranks_row   row;
    const char *bytes = message + sizeof(row);
    size_t      want = 0;
    memcpy(&row, message, sizeof(row));
    for (int i = 0; i < l->b->n_outputs; i++)
        want += l->b->outputs[i].row_bytes;
    if (!row.bad && row.bytes != want)
        return tool_fail(SEPCL_INVALID,
                         "a rank sent a row of %llu bytes instead of %zu: are all ranks the same version?",
                         (unsigned long long)row.bytes, want);
    for (int i = 0; !row.bad && i < l->b->n_outputs; i++) {
        l->rows[i] = (const float *)(const void *)bytes; /* at a multiple of 8 from malloc's */
        bytes += l->b->outputs[i].row_bytes;
    }
    return store(l, row.item, row.bad ? bytes : NULL, l->rows);
}

static sepcl_status store_messages(loop *l)
{
    sepcl_status st = SEPCL_OK;
    for (char *message; st == SEPCL_OK && (message = ranks_receive());) {
        st = store_message(l, message);
        free(message);
    }
    return st;
}

/* ---------------------------------------------------------------- every rank: slots */

static int take_backlog(loop *l, int64_t *items, int most)
{
    int n = 0;
    while (n < most && l->at < l->n_backlog)
        items[n++] = l->backlog[l->at++];
    return n;
}

/* Gives free slots something to do. */
static void fill_slots(loop *l)
{
    batch *b = l->b;
    while (!l->no_more || l->at < l->n_backlog) {
        if (ranks.rank > 0 && l->at == l->n_backlog)
            return;
        batch_slot *s = batch_take(&b->free, 0);
        if (!s)
            return;
        s->n = ranks.rank > 0 ? take_backlog(l, s->items, b->per_run) : deal(l, s->items, b->per_run);
        if (s->n == 0) {
            l->no_more = true;
            batch_pass(&b->free, s);
            return;
        }
        l->under_way++;
        batch_pass(&b->filling, s);
    }
}

/* Other ranks ask for more before their slots are empty. */
static void ask_for_work(loop *l)
{
    const int wanted = l->b->n_slots * l->b->per_run, most = wanted < MOST_WANTED ? wanted : MOST_WANTED;
    int       n;
    if (l->asked && ranks_work(l->backlog, MOST_WANTED, &n)) {
        l->asked = false;
        l->at = 0;
        l->n_backlog = n;
        l->no_more = n == 0;
    }
    if (!l->asked && !l->no_more && l->at == l->n_backlog) {
        ranks_want(most);
        l->asked = true;
    }
}

/* To rank 0: the rows of all outputs one after the other, or why there are none. */
static void send(const loop *l, const batch_slot *s, int k)
{
    ranks_row row = {.item = s->items[k], .bad = s->why[k] != NULL};
    if (row.bad) {
        row.bytes = strlen(s->why[k]);
        ranks_send(&row, s->why[k]);
        return;
    }
    for (int i = 0; i < l->b->n_outputs; i++)
        row.bytes += l->b->outputs[i].row_bytes;
    char *bytes = need(malloc(row.bytes)), *at = bytes;
    for (int i = 0; i < l->b->n_outputs; i++) {
        memcpy(at, l->rows[i], l->b->outputs[i].row_bytes);
        at += l->b->outputs[i].row_bytes;
    }
    ranks_send(&row, bytes);
    free(bytes);
}

static sepcl_status hand_on(loop *l, batch_slot *s, int k)
{
    for (int i = 0; i < l->b->n_outputs; i++)
        l->rows[i] = s->outputs[i] + (size_t)k * (l->b->outputs[i].row_bytes / sizeof(float));
    if (ranks.rank == 0)
        return store(l, s->items[k], s->why[k], l->rows);
    send(l, s, k);
    return SEPCL_OK;
}

static sepcl_status empty_slot(loop *l, batch_slot *s)
{
    sepcl_status st = SEPCL_OK;
    for (int k = 0; k < s->n; k++) {
        if (st == SEPCL_OK)
            st = hand_on(l, s, k);
        free(s->why[k]);
        s->why[k] = NULL;
    }
    l->under_way--;
    batch_pass(&l->b->free, s);
    return st;
}

/* ---------------------------------------------------------------- progress */

static void show(loop *l)
{
    const batch_journal *j = journal(l);
    const int64_t        now_done = j->done + j->bad, fresh = now_done - j->found;
    const double         seconds = tool_seconds() - l->begun, rate = seconds > 0 ? (double)fresh / seconds : 0;
    char                 detail[160], bad[48] = "";
    if (ranks.rank > 0 || tool_seconds() - l->last_report < 0.05)
        return;
    l->last_report = tool_seconds();
    if (j->bad)
        snprintf(bad, sizeof(bad), ", %lld skipped", (long long)j->bad);
    if (fresh > 0)
        snprintf(detail, sizeof(detail), "%lld of %lld, %.*f/s, %.0f s left%s", (long long)now_done,
                 (long long)j->n_items, rate < 10 ? 1 : 0, rate, (double)(j->n_items - now_done) / rate, bad);
    else
        snprintf(detail, sizeof(detail), "%lld of %lld", (long long)now_done, (long long)j->n_items);
    progress_step((long)now_done, detail);
}

/* ---------------------------------------------------------------- the loop */

static bool finished(const loop *l)
{
    if (ranks.rank > 0)
        return l->no_more && l->at == l->n_backlog && l->under_way == 0;
    return journal(l)->done + journal(l)->bad == journal(l)->n_items;
}

static sepcl_status failure(batch *b)
{
    pthread_mutex_lock(&b->failed_mutex);
    const sepcl_status st = b->failed;
    pthread_mutex_unlock(&b->failed_mutex);
    return st == SEPCL_OK ? st : tool_fail(st, "%s", b->sentence);
}

static sepcl_status turn(loop *l)
{
    const int milliseconds = ranks.size > 1 ? MESSAGE_MILLISECONDS : SIGNAL_MILLISECONDS;
    if (ranks.rank > 0)
        ask_for_work(l);
    fill_slots(l);
    batch_slot *s = batch_take(&l->b->done, milliseconds);
    TRY(failure(l->b));
    for (; s; s = batch_take(&l->b->done, 0))
        TRY(empty_slot(l, s));
    if (ranks.rank == 0) {
        answer_wants(l);
        TRY(store_messages(l));
    }
    show(l);
    return SEPCL_OK;
}

static sepcl_status run(loop *l)
{
    while (!finished(l)) {
        if (signal_number)
            return tool_fail(SEPCL_INVALID, "interrupted with %lld of %lld items done; go on by --resume",
                             (long long)(journal(l)->done + journal(l)->bad), (long long)journal(l)->n_items);
        TRY(turn(l));
    }
    while (ranks.rank == 0 && l->told < ranks.size - 1) {
        answer_wants(l);
        (void)batch_take(&l->b->done, MESSAGE_MILLISECONDS); /* nothing is on its way: a pause */
    }
    return SEPCL_OK;
}

sepcl_status batch_run(batch *b)
{
    loop l = {.b = b, .begun = tool_seconds(), .rows = need(calloc((size_t)b->n_outputs, sizeof(*l.rows)))};
    l.backlog = need(calloc(MOST_WANTED, sizeof(*l.backlog)));
    if (ranks.rank == 0)
        progress_begin("batch", (long)journal(&l)->n_items);
    const sepcl_status st = run(&l);
    progress_end();
    free(l.rows);
    free(l.backlog);
    return st;
}
