/* SPDX-License-Identifier: Apache-2.0 */
/* A progress bar on standard error, when that is a terminal and -q was not given. One at a time. */
#ifndef SEPCL_TOOLS_PROGRESS_H
#define SEPCL_TOOLS_PROGRESS_H

/* total 0: how much there is to do is not known, and a count is shown. */
void progress_begin(const char *what, long total);
/* detail: what is being done, may be NULL. */
void progress_step(long done, const char *detail);
void progress_end(void);
/* Clears the line before something else is printed; the next step draws it anew. */
void progress_hide(void);

#endif
