/* SPDX-License-Identifier: Apache-2.0 */
/* The same convolution dense, depthwise-separable, and k x 1 then 1 x k, timed over numbers of output channels. */
#ifndef SEPCL_SEPARATE_BREAK_EVEN_H
#define SEPCL_SEPARATE_BREAK_EVEN_H

#include "separate/measure.h"

/* Largest extent, so that every product of four of them stays far inside an int64. */
#define BREAK_EVEN_MOST 16384

/* Every field of d is set. */
status break_even(const bench_env *b, const sepcl_break_even_desc *d, sepcl_break_even_fn fn, void *user);

#endif
