/* SPDX-License-Identifier: Apache-2.0 */
/* The list that kernel rows fill; for the planner. */
#ifndef SEPCL_IR_LAUNCH_H
#define SEPCL_IR_LAUNCH_H

#include "ir/op.h"

struct launch_list {
    arena  *memory;    /* where it grows */
    launch *launches;
    int     n_launches, cap_launches;
    packed *packs;
    int     n_packs, cap_packs;
    size_t *scratch;
    int     n_scratch, cap_scratch;
    bool    failed;    /* memory was out */
    launch  dummy;
};

#endif
