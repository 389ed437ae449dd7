/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error, when that is a terminal and -q was not given. One at a time. Nothing is shown of work
   that is done within a moment. */
#ifndef SEPCL_TOOLS_PROGRESS_H
#define SEPCL_TOOLS_PROGRESS_H

enum {
    PROGRESS_COUNT = 0, /* how much there is to do is not known: a count is shown */
    PROGRESS_WAIT = -1  /* one long step: the time is shown */
};

/* total: of steps, or one of the above, with which the time goes on between steps, too. */
void progress_begin(const char *what, long total);
/* detail: what is being done, may be NULL. */
void progress_step(long done, const char *detail);
void progress_end(void);
/* Clears the line before something else is printed; the next step draws it anew. */
void progress_hide(void);

#endif
