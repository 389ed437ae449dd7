/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Declarations of the built-in functions of OpenCL C 1.2 that kernel files call, for drivers that read the declarations
 * of all of them, 18 thousand lines, before each program: PoCL, where that is 85 of 100 ms. The runtime puts this text in
 * front of common.cl and gives -D_OPENCL_H_, the guard of clang's header, so that the header is empty; where that does
 * not build, it says so and builds with the driver's header. What a kernel file calls for the first time is added here.
 *
 * Types, constants, as_type() and convert_type() come from headers that stay. Attributes are those that clang gives.
 */
#define OVERLOAD __attribute__((overloadable))
#define CONST OVERLOAD __attribute__((const))
#define PURE OVERLOAD __attribute__((pure))
#define BIG_PART __attribute__((noinline)) /* see common.cl */

/* ---------------------------------------------------------------- work-items (6.12.1, 6.12.8) */
CONST size_t get_global_id(uint);
CONST size_t get_local_id(uint);
CONST size_t get_local_size(uint);
OVERLOAD __attribute__((convergent)) void barrier(cl_mem_fence_flags);

/* ---------------------------------------------------------------- float and its vectors (6.12.2, 6.12.4, 6.12.5) */
#define FLOAT_1(T, f) CONST T f(T);
#define FLOAT_2(T, f) CONST T f(T, T);
#define FLOAT_3(T, f) CONST T f(T, T, T);
#define ALL_WIDTHS(DECLARE, f) \
    DECLARE(float, f) DECLARE(float2, f) DECLARE(float4, f) DECLARE(float8, f) DECLARE(float16, f)
ALL_WIDTHS(FLOAT_1, ceil)
ALL_WIDTHS(FLOAT_1, cos)
ALL_WIDTHS(FLOAT_1, erf)
ALL_WIDTHS(FLOAT_1, exp)
ALL_WIDTHS(FLOAT_1, expm1)
ALL_WIDTHS(FLOAT_1, fabs)
ALL_WIDTHS(FLOAT_1, floor)
ALL_WIDTHS(FLOAT_1, log)
ALL_WIDTHS(FLOAT_1, log1p)
ALL_WIDTHS(FLOAT_1, rint)
ALL_WIDTHS(FLOAT_1, sin)
ALL_WIDTHS(FLOAT_1, sqrt)
ALL_WIDTHS(FLOAT_1, tanh)
ALL_WIDTHS(FLOAT_2, copysign)
ALL_WIDTHS(FLOAT_2, fmod)
ALL_WIDTHS(FLOAT_2, max)
ALL_WIDTHS(FLOAT_2, min)
ALL_WIDTHS(FLOAT_2, pow)
ALL_WIDTHS(FLOAT_3, clamp)
ALL_WIDTHS(FLOAT_3, fma)
CONST float dot(float2, float2);
CONST float dot(float4, float4);

/* ---------------------------------------------------------------- integers (6.12.3) */
#define INTEGER(T)       \
    CONST T min(T, T);   \
    CONST T max(T, T);   \
    CONST T clamp(T, T, T);
INTEGER(int)
INTEGER(uint)
INTEGER(long)
INTEGER(ulong)
CONST int convert_int_sat(float);

/* ---------------------------------------------------------------- loads and stores (6.12.7) */
#define FLOATS(n, space)                          \
    PURE float##n vload##n(size_t, const space float *); \
    OVERLOAD void vstore##n(float##n, size_t, space float *);
#define HALVES(n, space)                                   \
    PURE float##n vload_half##n(size_t, const space half *); \
    OVERLOAD void vstore_half##n(float##n, size_t, space half *);
#define ALL_ACCESSES(space)                                                     \
    FLOATS(2, space) FLOATS(4, space) FLOATS(8, space) FLOATS(16, space)        \
    HALVES(, space) HALVES(2, space) HALVES(4, space) HALVES(8, space) HALVES(16, space)
ALL_ACCESSES(__global)
ALL_ACCESSES(__local)
ALL_ACCESSES(__private)
