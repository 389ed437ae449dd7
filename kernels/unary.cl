/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unary: out[i] = epilogue(F(in[i])). Item g does elements g*chunk ... g*chunk+chunk-1 of n.
 * V (1, 4, 8, 16): floats a step. F: macro of the function (act_relu, ...; ir/acts.inc), with parameters f_a and f_b.
 */
#ifndef SEPCL_COMMON
#include "common.cl"
#endif
#ifndef V
#define V 4
#endif
#ifndef F
#define F act_none
#endif

__kernel void unary(__global const value_t *in, __global value_t *out, const int n, const int chunk,
                    const float f_a, const float f_b, EPILOGUE_ARGS)
{
    int       i = (int)get_global_id(0) * chunk;
    const int end = min(n, i + chunk);
    for (; i + V <= end; i += V) {
        FLOATN(V) y = LDN(V, in, i);
        y = F(FLOATN(V), y, f_a, f_b);
        EPILOGUE(V, y, i);
        STN(V, y, out, i);
    }
    for (; i < end; i++) {
        float y = LD1(in, i);
        y = F(float, y, f_a, f_b);
        EPILOGUE(1, y, i);
        ST1(y, out, i);
    }
}
