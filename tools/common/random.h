/* SPDX-License-Identifier: Apache-2.0 */
/* Reproducible numbers for inputs that nobody gave. */
#ifndef SEPCL_TOOLS_RANDOM_H
#define SEPCL_TOOLS_RANDOM_H

#include <stddef.h>
#include <stdint.h>

/* Fills data with numbers from -1 to 1, the same for the same *state, which starts as a seed and goes on. */
void random_fill(float *data, size_t count, uint64_t *state);

#endif
