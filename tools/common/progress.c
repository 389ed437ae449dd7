/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "text.h"
#include "tool.h"

#define BAR_COLUMNS 24
#define REDRAW_SECONDS 0.05

static struct {
    const char *what; /* NULL: none */
    long        total;
    bool        shown;
    double      last, begun;
} bar;

void progress_begin(const char *what, long total)
{
    progress_end();
    if (tool.quiet || !isatty(STDERR_FILENO))
        return;
    bar.what = what;
    bar.total = total;
    bar.last = 0;
    bar.begun = tool_seconds();
    progress_step(0, NULL);
}

static int columns(void)
{
    struct winsize size;
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0 ? size.ws_col : 80;
}

/* "self-test  [######------]  52%  17 s  conv gemm 6x32", cut to the terminal. */
static void draw(long done, const char *detail)
{
    char     *line;
    const int elapsed = (int)(tool_seconds() - bar.begun);
    char      blocks[3 * BAR_COLUMNS + 1] = "";
    if (bar.total > 0) {
        const int full = (int)(BAR_COLUMNS * (double)(done > bar.total ? bar.total : done) / (double)bar.total);
        for (int i = 0, at = 0; i < BAR_COLUMNS; i++)
            at += snprintf(blocks + at, sizeof(blocks) - (size_t)at, "%s", i < full ? "█" : "░");
        line = text_format("%s %s %3d%%  %d s  %s", bar.what, blocks, (int)(100.0 * (double)done / (double)bar.total),
                           elapsed, detail ? detail : "");
    } else {
        line = text_format("%s  %ld done  %d s  %s", bar.what, done, elapsed, detail ? detail : "");
    }
    char *clean = text_clean(line), *cut = text_fit(clean, columns() - 1);
    fprintf(stderr, "\r%s\033[K", cut);
    free(cut);
    free(clean);
    free(line);
}

void progress_step(long done, const char *detail)
{
    if (!bar.what)
        return;
    const double now = tool_seconds();
    if (bar.shown && now - bar.last < REDRAW_SECONDS)
        return;
    flockfile(stderr);
    draw(done, detail);
    fflush(stderr);
    bar.last = now;
    bar.shown = true;
    funlockfile(stderr);
}

void progress_hide(void)
{
    if (bar.what && bar.shown) {
        fputs("\r\033[K", stderr);
        bar.shown = false;
    }
}

void progress_end(void)
{
    flockfile(stderr);
    progress_hide();
    bar.what = NULL;
    fflush(stderr);
    funlockfile(stderr);
}
