/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "text.h"
#include "tool.h"

#define BAR_COLUMNS 24
#define MOMENT_SECONDS 0.4
#define REDRAW_SECONDS 0.05
#define TICK_NANOSECONDS 250000000

/* The lock of standard error guards it. */
static struct {
    const char *what; /* NULL: none */
    long        total, done;
    bool        shown;
    double      last, begun;
    char        detail[160];
} bar;

/* A thread that redraws while a long step says nothing. */
static struct {
    pthread_t       thread;
    bool            running, stop;
    pthread_mutex_t mutex;
    pthread_cond_t  wake;
} ticker = {.mutex = PTHREAD_MUTEX_INITIALIZER, .wake = PTHREAD_COND_INITIALIZER};

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "check ████░░░░  52%  17 s  layer", cut to the terminal. */
static char *bar_text(int seconds)
{
    char blocks[3 * BAR_COLUMNS + 1] = "";
    if (bar.total == PROGRESS_WAIT)
        return text_format("%s  %d s", bar.what, seconds);
    if (bar.total == PROGRESS_COUNT)
        return text_format("%s  %ld done  %d s  %s", bar.what, bar.done, seconds, bar.detail);
    const double part = (double)(bar.done < bar.total ? bar.done : bar.total) / (double)bar.total;
    for (int i = 0, at = 0; i < BAR_COLUMNS; i++)
        at += snprintf(blocks + at, sizeof(blocks) - (size_t)at, "%s", i < (int)(BAR_COLUMNS * part) ? "█" : "░");
    return text_format("%s %s %3d%%  %d s  %s", bar.what, blocks, (int)(100 * part), seconds, bar.detail);
}

static void draw(void)
{
    const double now = tool_seconds();
    if (!bar.what || now - bar.begun < MOMENT_SECONDS || (bar.shown && now - bar.last < REDRAW_SECONDS))
        return;
    char *line = bar_text((int)(now - bar.begun)), *clean = text_clean(line), *cut = text_fit(clean, columns() - 1);
    fprintf(stderr, "\r%s\033[K", cut);
    fflush(stderr);
    bar.last = now;
    bar.shown = true;
    free(cut);
    free(clean);
    free(line);
}

static void *tick(void *unused)
{
    pthread_mutex_lock(&ticker.mutex);
    while (!ticker.stop) {
        struct timespec until;
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += TICK_NANOSECONDS;
        until.tv_sec += until.tv_nsec / 1000000000;
        until.tv_nsec %= 1000000000;
        pthread_cond_timedwait(&ticker.wake, &ticker.mutex, &until);
        pthread_mutex_unlock(&ticker.mutex);
        flockfile(stderr);
        draw();
        funlockfile(stderr);
        pthread_mutex_lock(&ticker.mutex);
    }
    pthread_mutex_unlock(&ticker.mutex);
    return unused;
}

static void stop_ticker(void)
{
    if (!ticker.running)
        return;
    pthread_mutex_lock(&ticker.mutex);
    ticker.stop = true;
    pthread_cond_signal(&ticker.wake);
    pthread_mutex_unlock(&ticker.mutex);
    pthread_join(ticker.thread, NULL);
    ticker.running = ticker.stop = false;
}

void progress_begin(const char *what, long total)
{
    progress_end();
    if (tool.quiet || !isatty(STDERR_FILENO))
        return;
    flockfile(stderr);
    bar.what = what;
    bar.total = total;
    bar.done = 0;
    bar.detail[0] = 0;
    bar.begun = tool_seconds();
    funlockfile(stderr);
    ticker.running = total <= 0 && pthread_create(&ticker.thread, NULL, tick, NULL) == 0;
}

void progress_step(long done, const char *detail)
{
    flockfile(stderr);
    if (bar.what) {
        bar.done = done;
        snprintf(bar.detail, sizeof(bar.detail), "%s", detail ? detail : "");
        draw();
    }
    funlockfile(stderr);
}

void progress_hide(void)
{
    flockfile(stderr);
    if (bar.what && bar.shown) {
        fputs("\r\033[K", stderr);
        bar.shown = false;
    }
    funlockfile(stderr);
}

void progress_end(void)
{
    stop_ticker();
    flockfile(stderr);
    progress_hide();
    bar.what = NULL;
    fflush(stderr);
    funlockfile(stderr);
}
