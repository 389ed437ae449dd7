/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-tune: end-to-end times of two sessions, and Ctrl-C. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "common/stats.h"
#include "common/text.h"
#include "common/tool.h"
#include "tune.h"

#define SECONDS 1.5 /* of measuring a session, about */
#define LEAST_RUNS 5
#define MOST_RUNS 500

/* ---------------------------------------------------------------- Ctrl-C */

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
    (void)number;
    interrupted = 1;
}

void tune_catch_interrupt(void)
{
    struct sigaction old, action = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND | SA_RESTART};
    sigemptyset(&action.sa_mask);
    if (sigaction(SIGINT, NULL, &old) == 0 && old.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

bool tune_interrupted(void)
{
    return interrupted;
}

/* ---------------------------------------------------------------- runs */

typedef struct buffers {
    float **in, **out;
    size_t *in_bytes, *out_bytes;
    int     n_in, n_out;
} buffers;

static size_t bytes_of(const sepcl_shape *s)
{
    size_t bytes = sizeof(float);
    for (int i = 0; i < s->rank; i++)
        bytes *= (size_t)s->dims[i]; /* the session has a buffer of that size, so it fits */
    return bytes;
}

static sepcl_status make_buffer(const sepcl_shape *s, float **data, size_t *bytes)
{
    *bytes = bytes_of(s);
    *data = calloc(1, *bytes + 1);
    return *data ? SEPCL_OK : tool_fail(SEPCL_OUT_OF_MEMORY, "no memory for a tensor of %zu bytes", *bytes);
}

static void fill(float *data, size_t count)
{
    uint32_t x = 2463534242u;
    for (size_t i = 0; i < count; i++) {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        data[i] = (float)(x >> 8) / 8388608.0f - 1.0f;
    }
}

static sepcl_status make_buffers(const tune_model *m, buffers *b)
{
    sepcl_shape s;
    b->n_in = sepcl_model_input_count(m->model);
    b->n_out = sepcl_model_output_count(m->model);
    b->in = need(calloc((size_t)b->n_in + 1, sizeof(*b->in)));
    b->out = need(calloc((size_t)b->n_out + 1, sizeof(*b->out)));
    b->in_bytes = need(calloc((size_t)b->n_in + 1, sizeof(*b->in_bytes)));
    b->out_bytes = need(calloc((size_t)b->n_out + 1, sizeof(*b->out_bytes)));
    for (int i = 0; i < b->n_in; i++) {
        TRY_LIB(sepcl_session_input_shape(m->before, i, &s));
        TRY(make_buffer(&s, &b->in[i], &b->in_bytes[i]));
        fill(b->in[i], b->in_bytes[i] / sizeof(float));
    }
    for (int i = 0; i < b->n_out; i++) {
        TRY_LIB(sepcl_session_output_shape(m->before, i, &s));
        TRY(make_buffer(&s, &b->out[i], &b->out_bytes[i]));
    }
    return SEPCL_OK;
}

static void free_buffers(buffers *b)
{
    for (int i = 0; b->in && i < b->n_in; i++)
        free(b->in[i]);
    for (int i = 0; b->out && i < b->n_out; i++)
        free(b->out[i]);
    free(b->in);
    free(b->out);
    free(b->in_bytes);
    free(b->out_bytes);
}

static sepcl_status run_once(sepcl_session *s, const buffers *b, double *seconds)
{
    const double begin = tool_seconds();
    for (int i = 0; i < b->n_in; i++)
        TRY_LIB(sepcl_session_write(s, i, b->in[i], b->in_bytes[i]));
    TRY_LIB(sepcl_session_run(s));
    for (int i = 0; i < b->n_out; i++)
        TRY_LIB(sepcl_session_read(s, i, b->out[i], b->out_bytes[i]));
    *seconds = tool_seconds() - begin;
    return SEPCL_OK;
}

static sepcl_status run_all(tune_model *m, const buffers *b)
{
    double before[MOST_RUNS], after[MOST_RUNS], unused;
    int    n = 0;
    TRY(run_once(m->before, b, &unused));
    if (m->after)
        TRY(run_once(m->after, b, &unused));
    const double begin = tool_seconds(), enough = m->after ? 2 * SECONDS : SECONDS;
    while (n < MOST_RUNS && (n < LEAST_RUNS || tool_seconds() - begin < enough)) {
        TRY(run_once(m->before, b, &before[n]));
        if (m->after)
            TRY(run_once(m->after, b, &after[n]));
        n++;
    }
    stats_sort(before, n);
    m->before_s = stats_quantile(before, n, 0.5);
    if (m->after) {
        stats_sort(after, n);
        m->after_s = stats_quantile(after, n, 0.5);
    }
    return SEPCL_OK;
}

sepcl_status tune_measure(tune_model *m)
{
    buffers      b = {0};
    sepcl_status st = make_buffers(m, &b);
    if (st == SEPCL_OK)
        st = run_all(m, &b);
    free_buffers(&b);
    return st;
}
