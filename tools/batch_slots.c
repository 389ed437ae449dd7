/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-batch: slots, the threads that decode into them, and the threads that run the network on them. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "batch.h"
#include "common/input.h"
#include "common/progress.h"
#include "common/tool.h"

/* ---------------------------------------------------------------- channels */

static void channel_make(batch_channel *c, int room)
{
    pthread_mutex_init(&c->mutex, NULL);
    pthread_cond_init(&c->wake, NULL);
    c->slots = need(calloc((size_t)room, sizeof(*c->slots)));
    c->room = room;
}

static void channel_free(batch_channel *c)
{
    if (!c->slots)
        return;
    free(c->slots);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->mutex);
    *c = (batch_channel){0};
}

static void channel_close(batch_channel *c)
{
    if (!c->slots)
        return;
    pthread_mutex_lock(&c->mutex);
    c->closed = true;
    pthread_cond_broadcast(&c->wake);
    pthread_mutex_unlock(&c->mutex);
}

/* A channel has room for every slot there is. */
void batch_pass(batch_channel *c, batch_slot *s)
{
    pthread_mutex_lock(&c->mutex);
    c->slots[(c->at + c->n++) % c->room] = s;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->mutex);
}

static struct timespec after(int milliseconds)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += (long)(milliseconds % 1000) * 1000000;
    t.tv_sec += milliseconds / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

batch_slot *batch_take(batch_channel *c, int milliseconds)
{
    const struct timespec until = after(milliseconds < 0 ? 0 : milliseconds);
    batch_slot           *s = NULL;
    int                   timed_out = 0;
    pthread_mutex_lock(&c->mutex);
    while (c->n == 0 && !c->closed && !timed_out)
        timed_out = milliseconds < 0 ? pthread_cond_wait(&c->wake, &c->mutex)
                                     : pthread_cond_timedwait(&c->wake, &c->mutex, &until);
    if (c->n > 0) {
        s = c->slots[c->at];
        c->at = (c->at + 1) % c->room;
        c->n--;
    }
    pthread_mutex_unlock(&c->mutex);
    return s;
}

/* ---------------------------------------------------------------- decoding */

static sepcl_status decode_picture(const batch *b, const char *name, float *out)
{
    input_file bytes;
    picture    p;
    TRY(input_read(name, PICTURE_BYTES, &bytes));
    sepcl_status st = picture_parse(bytes.bytes, bytes.size, name, &p);
    input_free(&bytes);
    TRY(st);
    st = picture_to_floats(&p, &b->recipe, &b->target, out);
    picture_free(&p);
    return st;
}

static sepcl_status decode(const batch *b, int64_t item, float *out)
{
    int64_t             row;
    const batch_source *s = batch_list_find(&b->list, item, &row);
    if (!s->is_stack)
        return decode_picture(b, s->name, out);
    npy_elements(&s->view, (size_t)row * b->item_floats, b->item_floats, out);
    return SEPCL_OK;
}

/* The first failure stops the work: what is on its way is not finished, and the journal knows what is done. */
static void fail_all(batch *b, sepcl_status st)
{
    pthread_mutex_lock(&b->failed_mutex);
    if (b->failed == SEPCL_OK) {
        snprintf(b->sentence, sizeof(b->sentence), "%s", tool_sentence());
        b->failed = st;
    }
    pthread_mutex_unlock(&b->failed_mutex);
    channel_close(&b->done);
}

/* What is wrong with one picture is that item's affair; without memory nothing goes on. */
static void *decode_all(void *argument)
{
    const batch_worker *w = argument;
    batch              *b = w->batch;
    for (batch_slot *s; (s = batch_take(&b->filling, -1));) {
        for (int i = 0; i < s->n; i++) {
            const sepcl_status st = decode(b, s->items[i], s->input + (size_t)i * b->item_floats);
            if (st == SEPCL_OUT_OF_MEMORY)
                fail_all(b, st);
            s->why[i] = st == SEPCL_OK ? NULL : text_format("%s", tool_sentence());
        }
        batch_pass(&b->ready, s);
    }
    return NULL;
}

/* ---------------------------------------------------------------- running */

static bool all_bad(const batch_slot *s)
{
    for (int i = 0; i < s->n; i++)
        if (!s->why[i])
            return false;
    return true;
}

static sepcl_status run(const batch *b, sepcl_session *session, batch_slot *s)
{
    const size_t bytes = (size_t)b->per_run * b->item_floats * sizeof(float);
    if (all_bad(s))
        return SEPCL_OK;
    TRY_LIB(sepcl_session_bind(session, 0, s->input, bytes));
    TRY_LIB(sepcl_session_run(session));
    for (int i = 0; i < b->n_outputs; i++)
        TRY_LIB(sepcl_session_read(session, b->outputs[i].index, s->outputs[i],
                                   (size_t)b->per_run * b->outputs[i].row_bytes));
    return SEPCL_OK;
}

static void *run_all(void *argument)
{
    const batch_worker *w = argument;
    batch              *b = w->batch;
    for (batch_slot *s; (s = batch_take(&b->ready, -1));) {
        const sepcl_status st = run(b, w->session, s);
        if (st != SEPCL_OK) {
            fail_all(b, st);
            return NULL;
        }
        batch_pass(&b->done, s);
    }
    return NULL;
}

/* ---------------------------------------------------------------- begin and end */

static sepcl_status make_slot(const batch *b, batch_slot *s)
{
    const size_t n = (size_t)b->per_run;
    s->items = need(calloc(n, sizeof(*s->items)));
    s->why = need(calloc(n, sizeof(*s->why)));
    s->outputs = need(calloc((size_t)b->n_outputs, sizeof(*s->outputs)));
    s->input = aligned_alloc(128, (n * b->item_floats * sizeof(float) + 127) / 128 * 128);
    bool ok = s->input != NULL;
    for (int i = 0; i < b->n_outputs; i++) {
        s->outputs[i] = malloc(n * b->outputs[i].row_bytes);
        ok = ok && s->outputs[i];
    }
    if (!ok)
        return tool_fail(SEPCL_OUT_OF_MEMORY, "no memory for %d buffers of %zu values", b->n_slots, n * b->item_floats);
    memset(s->input, 0, n * b->item_floats * sizeof(float));
    return SEPCL_OK;
}

static sepcl_status make_slots(batch *b)
{
    b->slots = need(calloc((size_t)b->n_slots, sizeof(*b->slots)));
    channel_make(&b->free, b->n_slots);
    channel_make(&b->filling, b->n_slots);
    channel_make(&b->ready, b->n_slots);
    channel_make(&b->done, b->n_slots);
    for (int i = 0; i < b->n_slots; i++) {
        TRY(make_slot(b, &b->slots[i]));
        batch_pass(&b->free, &b->slots[i]);
    }
    return SEPCL_OK;
}

static sepcl_status make_session(const batch *b, const char *device, sepcl_session **out)
{
    const sepcl_input_shape  shape = {sepcl_model_input_name(b->model, 0), b->shape};
    const sepcl_session_desc desc = {.device = device,
                                     .precision = (sepcl_precision)tool.precision,
                                     .shapes = &shape,
                                     .n_shapes = 1,
                                     .cache_dir = tool.cache_dir,
                                     .no_cache = tool.no_cache};
    return tool_library(sepcl_session_create(b->model, &desc, out));
}

static sepcl_status start(batch *b, int i, void *(*work)(void *))
{
    if (pthread_create(&b->workers[i].thread, NULL, work, &b->workers[i]) != 0)
        return tool_fail(SEPCL_OUT_OF_MEMORY, "cannot start thread %d", i);
    b->n_started++;
    return SEPCL_OK;
}

sepcl_status batch_sessions_begin(batch *b)
{
    b->n_sessions = b->n_devices * (int)batch_set.sessions;
    b->n_workers = b->n_sessions + (int)batch_set.decoders;
    b->workers = need(calloc((size_t)b->n_workers, sizeof(*b->workers)));
    progress_begin("preparing the kernels", PROGRESS_WAIT);
    sepcl_status st = SEPCL_OK;
    for (int i = 0; i < b->n_sessions && st == SEPCL_OK; i++)
        st = make_session(b, b->devices[i % b->n_devices], &b->workers[i].session);
    progress_end();
    return st;
}

sepcl_status batch_slots_begin(batch *b)
{
    pthread_mutex_init(&b->failed_mutex, NULL);
    b->n_slots = 2 * b->n_sessions + (int)batch_set.decoders;
    TRY(make_slots(b));
    for (int i = 0; i < b->n_workers; i++) {
        b->workers[i].batch = b;
        TRY(start(b, i, i < b->n_sessions ? run_all : decode_all));
    }
    return SEPCL_OK;
}

void batch_slots_end(batch *b)
{
    channel_close(&b->filling);
    channel_close(&b->ready);
    for (int i = 0; i < b->n_started; i++)
        pthread_join(b->workers[i].thread, NULL);
    for (int i = 0; i < b->n_workers && b->workers; i++)
        sepcl_session_destroy(b->workers[i].session);
    for (int i = 0; i < b->n_slots && b->slots; i++) {
        batch_slot *s = &b->slots[i];
        for (int k = 0; s->why && k < b->per_run; k++)
            free(s->why[k]);
        for (int k = 0; s->outputs && k < b->n_outputs; k++)
            free(s->outputs[k]);
        free(s->items);
        free(s->why);
        free(s->outputs);
        free(s->input);
    }
    free(b->slots);
    free(b->workers);
    channel_free(&b->free);
    channel_free(&b->filling);
    channel_free(&b->ready);
    channel_free(&b->done);
}
