/* SPDX-License-Identifier: Apache-2.0 */
#include "base/tensor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/size.h"

static const struct {
    const char *name;
    size_t      size;
} types[] = {
    [DT_NONE] = {"none", 0},  [DT_F32] = {"float32", 4}, [DT_F16] = {"float16", 2},
    [DT_F64] = {"float64", 8}, [DT_I64] = {"int64", 8},   [DT_I32] = {"int32", 4},
    [DT_I8] = {"int8", 1},    [DT_U8] = {"uint8", 1},    [DT_BOOL] = {"bool", 1},
};

size_t dtype_size(dtype t)
{
    return types[t].size;
}

const char *dtype_name(dtype t)
{
    return types[t].name;
}

shape shape_make(int rank, const int64_t *dims)
{
    shape s = {.rank = rank};
    for (int i = 0; i < rank && i < MAX_RANK; i++)
        s.dim[i] = dims[i];
    return s;
}

int64_t shape_count(const shape *s)
{
    int64_t n = 1;
    for (int i = 0; i < s->rank; i++)
        if (s->dim[i] < 0 || !i64_mul(n, s->dim[i], &n) || n > INT32_MAX)
            return -1;
    return n;
}

bool shape_equal(const shape *a, const shape *b)
{
    return a->rank == b->rank && memcmp(a->dim, b->dim, (size_t)a->rank * sizeof a->dim[0]) == 0;
}

int64_t shape_product(const shape *s, int from, int to)
{
    int64_t n = 1;
    for (int i = from; i < to; i++)
        n *= s->dim[i];
    return n;
}

const char *shape_text(const shape *s, char buffer[SHAPE_TEXT])
{
    size_t at = 0;
    buffer[0] = 0;
    if (s->rank == 0)
        snprintf(buffer, SHAPE_TEXT, "scalar");
    for (int i = 0; i < s->rank && at < SHAPE_TEXT; i++)
        at += (size_t)snprintf(buffer + at, SHAPE_TEXT - at, i ? "x%lld" : "%lld", (long long)s->dim[i]);
    return buffer;
}

void shape_strides(const shape *s, int64_t stride[MAX_RANK])
{
    int64_t n = 1;
    for (int i = s->rank - 1; i >= 0; i--) {
        stride[i] = n;
        n *= s->dim[i];
    }
}

bool shape_broadcast(const shape *a, const shape *b, shape *out)
{
    const int rank = a->rank > b->rank ? a->rank : b->rank;
    shape     r = {.rank = rank};
    for (int i = 0; i < rank; i++) {
        const int     ia = i - (rank - a->rank), ib = i - (rank - b->rank);
        const int64_t da = ia < 0 ? 1 : a->dim[ia], db = ib < 0 ? 1 : b->dim[ib];
        if (da != db && da != 1 && db != 1)
            return false;
        r.dim[i] = da == 1 ? db : da;
    }
    *out = r;
    return true;
}

nhwc shape_nhwc(const shape *s)
{
    switch (s->rank) {
    case 0:
        return (nhwc){1, 1, 1, 1};
    case 2:
        return (nhwc){s->dim[0], 1, 1, s->dim[1]};
    case 3:
        return (nhwc){s->dim[0], 1, s->dim[1], s->dim[2]};
    case 4:
        return (nhwc){s->dim[0], s->dim[1], s->dim[2], s->dim[3]};
    default:
        return (nhwc){1, 1, shape_product(s, 0, s->rank - 1), s->dim[s->rank - 1]};
    }
}

float half_to_float(uint16_t h)
{
    const uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, mantissa = h & 1023u;
    uint32_t       bits;
    if (exponent == 31) {
        bits = sign | 0x7f800000u | mantissa << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | mantissa << 13;
    } else { /* zero or subnormal: mantissa * 2^-24 is exact */
        const float f = ldexpf((float)mantissa, -24);
        return sign ? -f : f;
    }
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

uint16_t float_to_half(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u;
    const uint32_t rest = bits & 0x7fffffffu;
    if (rest > 0x7f800000u) /* NaN keeps its top bits, and stays one */
        return (uint16_t)(sign | 0x7e00u | (rest >> 13 & 0x1ffu));
    if (rest >= 0x477ff000u) /* 65520 and more */
        return (uint16_t)(sign | 0x7c00u);
    if (rest < 0x38800000u) { /* below the smallest normal: round to a multiple of 2^-24 */
        float magnitude;
        memcpy(&magnitude, &rest, sizeof magnitude);
        return (uint16_t)(sign | (uint32_t)rintf(ldexpf(magnitude, 24)));
    }
    const uint32_t rounded = rest + 0xfffu + (rest >> 13 & 1u);
    return (uint16_t)(sign | ((rounded >> 13) - (112u << 10)));
}

float data_float(dtype t, const void *data, int64_t i)
{
    switch (t) {
    case DT_F16:
        return half_to_float(((const uint16_t *)data)[i]);
    case DT_F32:
        return ((const float *)data)[i];
    case DT_F64:
        return (float)((const double *)data)[i];
    default:
        return (float)data_int(t, data, i);
    }
}

int64_t data_int(dtype t, const void *data, int64_t i)
{
    double d;
    switch (t) {
    case DT_I64:
        return ((const int64_t *)data)[i];
    case DT_I32:
        return ((const int32_t *)data)[i];
    case DT_I8:
        return ((const int8_t *)data)[i];
    case DT_U8:
    case DT_BOOL:
        return ((const uint8_t *)data)[i];
    case DT_F64:
        d = ((const double *)data)[i];
        break;
    case DT_F32:
    case DT_F16:
        d = data_float(t, data, i);
        break;
    default:
        return 0;
    }
    return d >= 9.2e18 ? INT64_MAX : d <= -9.2e18 ? INT64_MIN : d != d ? 0 : (int64_t)d;
}
