/* SPDX-License-Identifier: Apache-2.0 */
/* Manual pages and shell completion out of a program's description. */
#ifndef SEPCL_TOOLS_MANUAL_H
#define SEPCL_TOOLS_MANUAL_H

#include <stdio.h>

#include "tool.h"

/* A page for man(1). */
void manual_print(const program *p, FILE *out);

/* Rules for a shell: "bash", "zsh" or "fish". */
void completion_print(const program *p, const char *shell, FILE *out);

/* May the option be given more than once, so that completion goes on offering it? */
bool option_repeats(const option_def *o);

#endif
