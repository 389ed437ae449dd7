/* SPDX-License-Identifier: Apache-2.0 */
#include "random.h"

/* SplitMix64: a fixed sequence for a seed. */
static uint64_t next(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

void random_fill(float *data, size_t count, uint64_t *state)
{
    for (size_t i = 0; i < count; i++)
        data[i] = (float)(next(state) >> 40) / 8388608.0f - 1.0f; /* 24 bits: -1 to 1 - 2^-23 */
}
