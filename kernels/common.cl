/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What every kernel file shares: the storage type, loads and stores by width, activations, the epilogue.
 * The runtime puts this text in front of a kernel file; a kernel file also includes it itself, so that it compiles
 * alone (clang -I kernels). OpenCL C 1.2, no extension needed.
 *
 * Options (each has a default, so that a file reads and compiles without any):
 *   STORE_F16  0 | 1   values in memory are float or half; arithmetic is always float
 *   ACT, ACT2  act_name  activation before and after the residual: a macro below (a bare name would be expanded
 *                        first where the driver has a macro of that name)
 *   RES        0 | 1   a residual is added
 */
#ifndef SEPCL_COMMON
#define SEPCL_COMMON

#ifndef STORE_F16
#define STORE_F16 0
#endif
#ifndef ACT
#define ACT act_none
#endif
#ifndef ACT2
#define ACT2 act_none
#endif
#ifndef RES
#define RES 0
#endif

#define CAT_(a, b) a##b
#define CAT(a, b) CAT_(a, b)

/* FLOATN(8) is float8, FLOATN(1) float. */
#define float1 float
#define int1 int
#define FLOATN(n) CAT(float, n)

/* Unrolls the loop that follows; its trip count must be a constant. */
#if __OPENCL_C_VERSION__ >= 200
#define UNROLL __attribute__((opencl_unroll_hint))
#else
#define UNROLL _Pragma("unroll")
#endif

/* PoCL makes three functions of a kernel, each with all that is inlined, which takes three times as long. A big part of a
   kernel, without barriers and work-item functions, is a function of its own there (builtins.cl). */
#ifndef BIG_PART
#define BIG_PART
#endif

/* ---------------------------------------------------------------- loads and stores
   LDn(p, i) reads elements i ... i+n-1 of p as floats; STn(v, p, i) writes. i needs no alignment.
   The F versions are for buffers that hold float whatever STORE_F16 is; H versions for half. */
#define LDF1(p, i) ((p)[i])
#define STF1(v, p, i) ((p)[i] = (v))
#ifdef POCL_DEVICE_ADDRESS_BITS
/* PoCL 3.1 builds vload16 and vstore16 out of pairs, which LLVM does not always join again: here one access, aligned
   as an element is. */
#define ACCESS(type, n, space)                                                  \
    type##n __attribute__((overloadable)) load##n(const space type *p)          \
    {                                                                           \
        return *(const space any_##type##n *)p;                                 \
    }                                                                           \
    void __attribute__((overloadable)) store##n(const type##n v, space type *p) \
    {                                                                           \
        *(space any_##type##n *)p = v;                                          \
    }
#define ACCESSES(n)                                                    \
    typedef float##n any_float##n __attribute__((aligned(4)));         \
    typedef ushort##n any_ushort##n __attribute__((aligned(2)));       \
    ACCESS(float, n, __global)                                         \
    ACCESS(float, n, __local)                                          \
    ACCESS(float, n, __private)                                        \
    ACCESS(ushort, n, __global)
ACCESSES(2)
ACCESSES(4)
ACCESSES(8)
ACCESSES(16)
#define LDF2(p, i) load2((p) + (i))
#define LDF4(p, i) load4((p) + (i))
#define LDF8(p, i) load8((p) + (i))
#define LDF16(p, i) load16((p) + (i))
#define STF2(v, p, i) store2(v, (p) + (i))
#define STF4(v, p, i) store4(v, (p) + (i))
#define STF8(v, p, i) store8(v, (p) + (i))
#define STF16(v, p, i) store16(v, (p) + (i))
#else
#define LDF2(p, i) vload2(0, (p) + (i))
#define LDF4(p, i) vload4(0, (p) + (i))
#define LDF8(p, i) vload8(0, (p) + (i))
#define LDF16(p, i) vload16(0, (p) + (i))
#define STF2(v, p, i) vstore2(v, 0, (p) + (i))
#define STF4(v, p, i) vstore4(v, 0, (p) + (i))
#define STF8(v, p, i) vstore8(v, 0, (p) + (i))
#define STF16(v, p, i) vstore16(v, 0, (p) + (i))
#endif
#define LDH1(p, i) vload_half(i, p)
#define LDH2(p, i) vload_half2(0, (p) + (i))
#define LDH4(p, i) vload_half4(0, (p) + (i))
#define LDH8(p, i) load_half8((__global const ushort *)(p) + (i))
#define LDH16(p, i) load_half16((__global const ushort *)(p) + (i))
#define STH1(v, p, i) vstore_half(v, i, p)
#define STH2(v, p, i) vstore_half2(v, 0, (p) + (i))
#define STH4(v, p, i) vstore_half4(v, 0, (p) + (i))
#define STH8(v, p, i) store_half8(v, (__global ushort *)(p) + (i))
#define STH16(v, p, i) store_half16(v, (__global ushort *)(p) + (i))

/* PoCL 3.1 makes aligned 16-byte accesses of vload_half8 and vstore_half8, which fault at odd addresses: the bits go
   through a private vector. */
float8 load_half8(__global const ushort *p)
{
    const ushort8 bits = LDF8(p, 0);
    return vload_half8(0, (const half *)&bits);
}
float16 load_half16(__global const ushort *p)
{
    return (float16)(load_half8(p), load_half8(p + 8));
}
void store_half8(const float8 v, __global ushort *p)
{
    ushort8 bits;
    vstore_half8(v, 0, (half *)&bits);
    STF8(bits, p, 0);
}
void store_half16(const float16 v, __global ushort *p)
{
    store_half8(v.lo, p);
    store_half8(v.hi, p + 8);
}

#if STORE_F16
typedef half value_t;
#define LD_KIND LDH
#define ST_KIND STH
#else
typedef float value_t;
#define LD_KIND LDF
#define ST_KIND STF
#endif
/* LDN(8, p, i), STN(8, v, p, i): width may be a macro. */
#define LDN(n, p, i) CAT(LD_KIND, n)(p, i)
#define STN(n, v, p, i) CAT(ST_KIND, n)(v, p, i)
#define LDF(n, p, i) CAT(LDF, n)(p, i)
#define STF(n, v, p, i) CAT(STF, n)(v, p, i)
#define LD1(p, i) LDN(1, p, i)
#define LD4(p, i) LDN(4, p, i)
#define LD8(p, i) LDN(8, p, i)
#define LD16(p, i) LDN(16, p, i)
#define ST1(v, p, i) STN(1, v, p, i)
#define ST4(v, p, i) STN(4, v, p, i)
#define ST8(v, p, i) STN(8, v, p, i)
#define ST16(v, p, i) STN(16, v, p, i)

/* Launches may be parts of larger ones, which begin at an offset; of the third dimension always at LANE_BASE work-groups,
   so that some offset is there. So kernels ask neither for get_group_id, which does not count the groups before the
   offset, nor for get_global_id(2). */
#ifndef LANE_BASE
#define LANE_BASE 0
#endif
#define GROUP_ID(d) (get_global_id(d) / get_local_size(d)) /* d 0 or 1 */
#define ITEM2 ((int)(get_global_id(2) - LANE_BASE * get_local_size(2)))
#define GROUP2 ((int)(get_global_id(2) / get_local_size(2)) - LANE_BASE)

/* Elements that are loaded when live is 1 and zero when it is 0, without a branch and whatever stands there. */
#define as_int1 as_int
#define as_float1 as_float
#define OR_ZERO(n, v, live) CAT(as_float, n)(CAT(as_int, n)(v) & (CAT(int, n))(-(live)))

/* PREFETCH(n, p): elements p ... p+n-1 of constants that are read in order and once are being read, and those some way
   ahead will be soon. Processors follow such a stream by themselves, but not far enough ahead of memory's latency. */
#if defined(POCL_DEVICE_ADDRESS_BITS) && defined(__has_builtin)
#if __has_builtin(__builtin_prefetch)
#define AHEAD (16384 / (int)sizeof(value_t))
#define PREFETCH(n, p)                                                                                  \
    do {                                                                                                \
        UNROLL                                                                                          \
        for (int pf_i = 0; pf_i < (n); pf_i += 64 / (int)sizeof(value_t))                               \
            __builtin_prefetch((__private const void *)(size_t)((p) + AHEAD + pf_i), 0, 3);             \
    } while (0)
#endif
#endif
#ifndef PREFETCH
#define PREFETCH(n, p)
#endif

/* ---------------------------------------------------------------- activations
   act_<name>(T, x, a, b) for T float or floatN. Comparisons are written so that NaN stays NaN. */
#define CLAMP01(T, x) ((x) < (T)(0.0f) ? (T)(0.0f) : (x) > (T)(1.0f) ? (T)(1.0f) : (x))
#define SOFTPLUS(T, x) ((x) > (T)(20.0f) ? (x) : log1p(exp(x)))
#define act_none(T, x, a, b) (x)
#define act_clamp(T, x, a, b) ((x) < (T)(a) ? (T)(a) : (x) > (T)(b) ? (T)(b) : (x))
#define act_leaky_relu(T, x, a, b) ((x) < (T)(0.0f) ? (x) * (T)(a) : (x))
#define act_sigmoid(T, x, a, b) ((T)(1.0f) / ((T)(1.0f) + exp(-(x))))
#define act_hard_sigmoid(T, x, a, b) CLAMP01(T, (x) * (T)(a) + (T)(b))
#define act_hard_swish(T, x, a, b) ((x) * CLAMP01(T, (x) * (T)(a) + (T)(b)))
#define act_tanh(T, x, a, b) tanh(x)
#define act_elu(T, x, a, b) ((x) < (T)(0.0f) ? (T)(a) * expm1(x) : (x))
#define act_selu(T, x, a, b) ((T)(b) * ((x) > (T)(0.0f) ? (x) : (T)(a) * expm1(x)))
#define act_celu(T, x, a, b) ((x) < (T)(0.0f) ? (T)(a) * expm1((x) / (T)(a)) : (x))
#define act_swish(T, x, a, b) ((x) / ((T)(1.0f) + exp((x) * (T)(-(a)))))
#define act_mish(T, x, a, b) ((x) * tanh(SOFTPLUS(T, x)))
#define act_softplus(T, x, a, b) SOFTPLUS(T, x)
#define act_softsign(T, x, a, b) ((x) / ((T)(1.0f) + fabs(x)))
#define act_gelu(T, x, a, b) ((T)(0.5f) * (x) * ((T)(1.0f) + erf((x) * (T)(0.70710678f))))
#define act_gelu_tanh(T, x, a, b) \
    ((T)(0.5f) * (x) * ((T)(1.0f) + tanh((T)(0.79788456f) * ((x) + (T)(0.044715f) * (x) * (x) * (x)))))
#define act_thresholded_relu(T, x, a, b) ((x) <= (T)(a) ? (T)(0.0f) : (x))
#define act_shrink(T, x, a, b) \
    ((x) < (T)(-(a)) ? (x) + (T)(b) : (x) > (T)(a) ? (x) - (T)(b) : (x) == (x) ? (T)(0.0f) : (x))
#define act_exp(T, x, a, b) exp(x)
#define act_log(T, x, a, b) log(x)
#define act_sqrt(T, x, a, b) sqrt(x)
#define act_reciprocal(T, x, a, b) ((T)(1.0f) / (x))
#define act_erf(T, x, a, b) erf(x)
#define act_abs(T, x, a, b) fabs(x)
#define act_neg(T, x, a, b) (-(x))
#define act_sign(T, x, a, b) ((x) > (T)(0.0f) ? (T)(1.0f) : (x) < (T)(0.0f) ? (T)(-1.0f) : (x))
#define act_floor(T, x, a, b) floor(x)
#define act_ceil(T, x, a, b) ceil(x)
#define act_round(T, x, a, b) rint(x)
#define act_sin(T, x, a, b) sin(x)
#define act_cos(T, x, a, b) cos(x)
#define act_affine(T, x, a, b) ((x) * (T)(a) + (T)(b))

/* Several names stand twice: first-stage and second-stage activation have their own parameters. */
#define APPLY_ACT(T, x) ACT(T, x, act_a, act_b)
#define APPLY_ACT2(T, x) ACT2(T, x, act2_a, act2_b)

/* SUMN(8, v) is the sum of a float8's elements. dot(), because oclgrind trips over what LLVM makes of v.x + v.y. */
#define SUM1(v) (v)
#define SUM2(v) dot(v, (float2)(1.0f))
#define SUM4(v) dot(v, (float4)(1.0f))
#define SUM8(v) SUM4((v).lo + (v).hi)
#define SUM16(v) SUM8((v).lo + (v).hi)
#define SUMN(n, v) CAT(SUM, n)(v)

/* ---------------------------------------------------------------- sweeps
   Runs STEP(n) over columns c ... end-1, c moving along: as many steps of V as fit, then one of 8, one of 4, and single
   ones, so that 24 channels are 16 + 8. STEP is a macro that reads c; V and c are the caller's. */
#define SWEEP(STEP, c, end)                 \
    do {                                    \
        for (; c + V <= (end); c += V)      \
            STEP(V);                        \
        if (V > 8 && c + 8 <= (end)) {      \
            STEP(8);                        \
            c += 8;                         \
        }                                   \
        if (V > 4 && c + 4 <= (end)) {      \
            STEP(4);                        \
            c += 4;                         \
        }                                   \
        for (; c < (end); c++)              \
            STEP(1);                        \
    } while (0)

/* ---------------------------------------------------------------- epilogue
   y = act2(act(y) + residual). EPILOGUE_ARGS ends a kernel's signature (after a comma); EPILOGUE(n, y, at) changes the
   floatN variable y, whose elements will be stored at `at` ... `at`+n-1 of the output. */
#define EPILOGUE_ARGS                                                                        \
    const float act_a, const float act_b, const float act2_a, const float act2_b, __global const value_t *res
#if RES
#define EPILOGUE(n, y, at)                              \
    do {                                                \
        y = APPLY_ACT(FLOATN(n), y);                    \
        y = y + LDN(n, res, at);                        \
        y = APPLY_ACT2(FLOATN(n), y);                   \
    } while (0)
#else
#define EPILOGUE(n, y, at)                              \
    do {                                                \
        y = APPLY_ACT(FLOATN(n), y);                    \
        y = APPLY_ACT2(FLOATN(n), y);                   \
    } while (0)
#endif

/* For kernels whose sums stand in acc[MR][NB], NB vectors of V columns: epilogue and store of the rows m < rows, to
   element base + m*pitch + c + (0 ... NB*V-1) of out. What lies beyond `columns` columns or `rows` rows is left out; such a
   tile goes through private memory and loops, since code for each of its vectors would be most of what is compiled. */
#define STORE_TILE(rows, base, pitch, c, columns)                                              \
    if ((rows) >= MR && (c) + NB * V <= (columns)) {                                           \
        UNROLL                                                                                 \
        for (int st_m = 0; st_m < MR; st_m++) {                                                \
            UNROLL                                                                             \
            for (int st_b = 0; st_b < NB; st_b++) {                                            \
                EPILOGUE(V, acc[st_m][st_b], (base) + st_m * (pitch) + (c) + st_b * V);        \
                STN(V, acc[st_m][st_b], out, (base) + st_m * (pitch) + (c) + st_b * V);        \
            }                                                                                  \
        }                                                                                      \
    } else {                                                                                   \
        float st_part[MR * NB * V];                                                            \
        UNROLL                                                                                 \
        for (int st_m = 0; st_m < MR; st_m++) {                                                \
            UNROLL                                                                             \
            for (int st_b = 0; st_b < NB; st_b++)                                              \
                CAT(STP, V)(acc[st_m][st_b], st_part + (st_m * NB + st_b) * V);                \
        }                                                                                      \
        for (int st_m = 0; st_m < min((int)(rows), MR); st_m++) {                              \
            int st_i = 0;                                                                      \
            for (; st_i + V <= min((columns) - (c), NB * V); st_i += V) {                      \
                FLOATN(V) st_v = LDF(V, st_part, st_m * NB * V + st_i);                        \
                EPILOGUE(V, st_v, (base) + st_m * (pitch) + (c) + st_i);                       \
                STN(V, st_v, out, (base) + st_m * (pitch) + (c) + st_i);                       \
            }                                                                                  \
            for (; st_i < min((columns) - (c), NB * V); st_i++) {                              \
                float st_one = st_part[st_m * NB * V + st_i];                                  \
                EPILOGUE(1, st_one, (base) + st_m * (pitch) + (c) + st_i);                     \
                ST1(st_one, out, (base) + st_m * (pitch) + (c) + st_i);                        \
            }                                                                                  \
        }                                                                                      \
    }
/* To private memory. */
#define STP1(v, p) ((p)[0] = (v))
#define STP4(v, p) vstore4(v, 0, p)
#define STP8(v, p) vstore8(v, 0, p)
#define STP16(v, p) vstore16(v, 0, p)

#endif
