/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Constants computed while the graph is built. Integers are computed as int64 and floats in double; results are of
 * the operands' integer type, bool or float32. What a build may compute is limited, so that a small file cannot ask for
 * hours or all memory.
 */
#include <math.h>
#include <string.h>

#include "base/size.h"
#include "import/build.h"
#include "ir/op.h"

/* Of elements computed and of bytes kept: a network of ten bytes a layer may well have large weights that it computes,
   and a large file large constants to rearrange, so it gets more. */
#define WORK_LIMIT ((int64_t)1 << 27)
#define BYTES_LIMIT ((int64_t)1 << 30)
/* Elements that are moved cost this much less than those that are computed. */
#define MOVED 4

static int64_t allowance(const import_build *b, int64_t limit)
{
    return limit + 4 * i64_min(b->file_bytes, INT64_MAX / 8);
}

status fold_charge(import_build *b, int64_t elements)
{
    const int64_t limit = allowance(b, WORK_LIMIT);
    b->work += elements;
    if (b->work <= limit)
        return SEPCL_OK;
    return fail(SEPCL_UNSUPPORTED, "folding constants would compute more than %lld elements", (long long)limit);
}

static status charge_bytes(import_build *b, int64_t bytes)
{
    const int64_t limit = allowance(b, BYTES_LIMIT);
    b->folded_bytes += bytes;
    if (b->folded_bytes <= limit)
        return SEPCL_OK;
    return fail(SEPCL_UNSUPPORTED, "folding constants would take more than %lld bytes", (long long)limit);
}

status fold_new(import_build *b, dtype type, const shape *s, int64_t limit, operand **out, void **data)
{
    const int64_t n = shape_count(s);
    char          text[SHAPE_TEXT];
    *out = NULL;
    *data = NULL;
    if (n < 0 || n > limit)
        return fail(SEPCL_UNSUPPORTED, "a constant of shape %s would be computed; the limit is %lld elements",
                    shape_text(s, text), (long long)limit);
    TRY(fold_charge(b, limit == FOLD_LARGE ? n / MOVED : n));
    TRY(charge_bytes(b, n * (int64_t)dtype_size(type)));
    operand *x = operand_new(b);
    *data = arena_array(&b->g->memory, (size_t)n, dtype_size(type));
    if (!x || !*data)
        return SEPCL_OUT_OF_MEMORY;
    *x = (operand){.shape = *s, .type = type, .is_const = true, .data = *data};
    *out = x;
    return SEPCL_OK;
}

status fold_ints(import_build *b, const int64_t *v, int n, operand **out)
{
    void *to;
    TRY(fold_new(b, DT_I64, &(shape){1, {n}}, FOLD_SMALL, out, &to));
    if (n)
        memcpy(to, v, (size_t)n * sizeof *v);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- integers */

static int64_t int_as(dtype type, int64_t v)
{
    switch (type) {
    case DT_BOOL:
        return v != 0;
    case DT_U8:
        return (uint8_t)v;
    case DT_I8:
        return (int8_t)(uint8_t)v;
    case DT_I32:
        return (int32_t)(uint32_t)v;
    default:
        return v;
    }
}

/* Integers of one type stay of it, and wrap as it does. */
static dtype int_type(dtype x, dtype y)
{
    return x == y && x != DT_BOOL ? x : DT_I64;
}

static void put_int(dtype type, void *to, int64_t i, int64_t v)
{
    v = int_as(type, v);
    if (type == DT_I64)
        ((int64_t *)to)[i] = v;
    else if (type == DT_I32)
        ((int32_t *)to)[i] = (int32_t)v;
    else
        ((uint8_t *)to)[i] = (uint8_t)v;
}

/* ---------------------------------------------------------------- one operand */

static status unary_int(act_kind kind, int64_t v, int64_t *out)
{
    switch (kind) {
    case ACT_NONE:
        *out = v;
        return SEPCL_OK;
    case ACT_NEG:
        *out = (int64_t)(0 - (uint64_t)v);
        return SEPCL_OK;
    case ACT_ABS:
        *out = v < 0 ? (int64_t)(0 - (uint64_t)v) : v;
        return SEPCL_OK;
    case ACT_SIGN:
        *out = (v > 0) - (v < 0);
        return SEPCL_OK;
    default:
        return fail(SEPCL_UNSUPPORTED, "%s of integers is not supported", act_name(kind));
    }
}

status fold_unary(import_build *b, const operand *x, act f, operand **out)
{
    const int64_t n = operand_count(x);
    void         *to;
    if (operand_is_float(x)) {
        TRY(fold_new(b, DT_F32, &x->shape, FOLD_SMALL, out, &to));
        for (int64_t i = 0; i < n; i++)
            ((float *)to)[i] = (float)act_apply(&f, data_float(x->type, x->data, i));
        return SEPCL_OK;
    }
    const dtype type = int_type(x->type, x->type);
    TRY(fold_new(b, type, &x->shape, FOLD_SMALL, out, &to));
    for (int64_t i = 0; i < n; i++) {
        int64_t v = 0;
        TRY(unary_int(f.kind, data_int(x->type, x->data, i), &v));
        put_int(type, to, i, v);
    }
    return SEPCL_OK;
}

status fold_not(import_build *b, const operand *x, operand **out)
{
    const int64_t n = operand_count(x);
    void         *to;
    TRY(fold_new(b, DT_BOOL, &x->shape, FOLD_SMALL, out, &to));
    for (int64_t i = 0; i < n; i++)
        ((uint8_t *)to)[i] = data_int(x->type, x->data, i) == 0;
    return SEPCL_OK;
}

status fold_cast(import_build *b, const operand *x, dtype type, operand **out)
{
    const int64_t n = operand_count(x);
    const bool    to_float = type == DT_F32 || type == DT_F16;
    void         *to;
    TRY(fold_new(b, to_float ? DT_F32 : type, &x->shape, FOLD_LARGE, out, &to));
    for (int64_t i = 0; i < n; i++) {
        if (to_float)
            ((float *)to)[i] = data_float(x->type, x->data, i);
        else if (type == DT_BOOL)
            ((uint8_t *)to)[i] =
                operand_is_float(x) ? data_float(x->type, x->data, i) != 0 : data_int(x->type, x->data, i) != 0;
        else
            put_int(type, to, i, data_int(x->type, x->data, i));
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- broadcasting */

/* Walks an output shape in order with the matching element of up to three operands. */
typedef struct cursor {
    shape   s;
    int     n;
    int64_t index[MAX_RANK], stride[3][MAX_RANK], at[3];
} cursor;

static void cursor_add(cursor *c, const shape *s)
{
    int64_t   stride[MAX_RANK];
    const int lead = c->s.rank - s->rank;
    shape_strides(s, stride);
    for (int i = 0; i < c->s.rank; i++)
        c->stride[c->n][i] = i < lead || s->dim[i - lead] == 1 ? 0 : stride[i - lead];
    c->n++;
}

static void cursor_next(cursor *c)
{
    for (int i = c->s.rank - 1; i >= 0; i--) {
        for (int k = 0; k < c->n; k++)
            c->at[k] += c->stride[k][i];
        if (++c->index[i] < c->s.dim[i])
            return;
        for (int k = 0; k < c->n; k++)
            c->at[k] -= c->stride[k][i] * c->s.dim[i];
        c->index[i] = 0;
    }
}

static status broadcast(const operand *const *x, int n, cursor *c)
{
    char one[SHAPE_TEXT], other[SHAPE_TEXT];
    *c = (cursor){.s = x[0]->shape};
    for (int i = 1; i < n; i++)
        if (!shape_broadcast(&c->s, &x[i]->shape, &c->s))
            return fail(SEPCL_BAD_FILE, "shapes %s and %s cannot be broadcast to each other", shape_text(&c->s, one),
                        shape_text(&x[i]->shape, other));
    for (int i = 0; i < n; i++)
        cursor_add(c, &x[i]->shape);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- two operands */

static int64_t int_pow(int64_t x, int64_t y)
{
    uint64_t r = 1, base = (uint64_t)x;
    if (y < 0)
        return x == 1 ? 1 : x == -1 ? (y % 2 ? -1 : 1) : 0;
    for (; y; y >>= 1, base *= base)
        if (y & 1)
            r *= base;
    return (int64_t)r;
}

static status int_divide(int kind, int64_t x, int64_t y, int64_t *out)
{
    if (y == 0)
        return fail(SEPCL_BAD_FILE, "a constant is divided by zero");
    if (y == -1) { /* the quotient of the smallest number would not fit */
        *out = kind == BINARY_DIV ? (int64_t)(0 - (uint64_t)x) : 0;
        return SEPCL_OK;
    }
    const int64_t rest = x % y;
    *out = kind == BINARY_DIV ? x / y : kind == BINARY_FMOD || rest == 0 || (rest < 0) == (y < 0) ? rest : rest + y;
    return SEPCL_OK;
}

static status binary_int(int kind, int64_t x, int64_t y, int64_t *out)
{
    const uint64_t ux = (uint64_t)x, uy = (uint64_t)y;
    switch (kind) {
    case BINARY_ADD:
        *out = (int64_t)(ux + uy);
        break;
    case BINARY_SUB:
        *out = (int64_t)(ux - uy);
        break;
    case BINARY_MUL:
        *out = (int64_t)(ux * uy);
        break;
    case BINARY_DIV:
    case BINARY_MOD:
    case BINARY_FMOD:
        return int_divide(kind, x, y, out);
    case BINARY_POW:
        *out = int_pow(x, y);
        break;
    case BINARY_MIN:
        *out = i64_min(x, y);
        break;
    case BINARY_MAX:
        *out = i64_max(x, y);
        break;
    case FOLD_AND:
        *out = x && y;
        break;
    case FOLD_OR:
        *out = x || y;
        break;
    case FOLD_XOR:
        *out = !x != !y;
        break;
    default:
        return fail(SEPCL_UNSUPPORTED, "the op is not supported on integers");
    }
    return SEPCL_OK;
}

/* The remainder with the divisor's sign. */
static double floor_mod(double x, double y)
{
    const double r = fmod(x, y);
    return r == 0 ? copysign(0, y) : (r < 0) != (y < 0) ? r + y : r;
}

static status binary_float(int kind, double x, double y, double *out)
{
    switch (kind) {
    case BINARY_ADD:
        *out = x + y;
        break;
    case BINARY_SUB:
        *out = x - y;
        break;
    case BINARY_MUL:
        *out = x * y;
        break;
    case BINARY_DIV:
        *out = x / y;
        break;
    case BINARY_POW:
        *out = pow(x, y);
        break;
    case BINARY_MIN: /* NaN wins, as everywhere */
        *out = x != x || y != y ? x + y : x < y ? x : y;
        break;
    case BINARY_MAX:
        *out = x != x || y != y ? x + y : x > y ? x : y;
        break;
    case BINARY_PRELU:
        *out = x < 0 ? x * y : x;
        break;
    case BINARY_MOD:
        *out = floor_mod(x, y);
        break;
    case BINARY_FMOD:
        *out = fmod(x, y);
        break;
    default:
        return fail(SEPCL_UNSUPPORTED, "the op is not supported on floats");
    }
    return SEPCL_OK;
}

static bool compares(int kind)
{
    return (kind >= BINARY_EQUAL && kind <= BINARY_LESS_EQUAL) || kind == FOLD_GREATER || kind == FOLD_GREATER_EQUAL;
}

static bool compare(int kind, double x, double y)
{
    switch (kind) {
    case BINARY_EQUAL:
        return x == y;
    case BINARY_LESS:
        return x < y;
    case FOLD_GREATER:
        return x > y;
    case BINARY_LESS_EQUAL:
        return x <= y;
    default:
        return x >= y;
    }
}

static bool compare_int(int kind, int64_t x, int64_t y)
{
    switch (kind) {
    case BINARY_EQUAL:
        return x == y;
    case BINARY_LESS:
        return x < y;
    case FOLD_GREATER:
        return x > y;
    case BINARY_LESS_EQUAL:
        return x <= y;
    default:
        return x >= y;
    }
}

static status binary_element(int kind, const operand *x, const operand *y, const cursor *c, void *to, int64_t i)
{
    const bool floats = operand_is_float(x);
    if (compares(kind)) {
        ((uint8_t *)to)[i] =
            floats ? compare(kind, data_float(x->type, x->data, c->at[0]), data_float(y->type, y->data, c->at[1]))
                   : compare_int(kind, data_int(x->type, x->data, c->at[0]), data_int(y->type, y->data, c->at[1]));
        return SEPCL_OK;
    }
    if (floats) {
        double r = 0;
        TRY(binary_float(kind, data_float(x->type, x->data, c->at[0]), data_float(y->type, y->data, c->at[1]), &r));
        ((float *)to)[i] = (float)r;
        return SEPCL_OK;
    }
    int64_t r = 0;
    TRY(binary_int(kind, data_int(x->type, x->data, c->at[0]), data_int(y->type, y->data, c->at[1]), &r));
    if (kind >= FOLD_AND)
        ((uint8_t *)to)[i] = r != 0;
    else
        put_int(int_type(x->type, y->type), to, i, r);
    return SEPCL_OK;
}

status fold_binary(import_build *b, int kind, const operand *x, const operand *y, operand **out)
{
    cursor c;
    void  *to;
    if (operand_is_float(x) != operand_is_float(y)) /* only powers may mix them */
        return fail(kind == BINARY_POW ? SEPCL_UNSUPPORTED : SEPCL_BAD_FILE, "the operands are of types %s and %s",
                    dtype_name(x->type), dtype_name(y->type));
    TRY(broadcast((const operand *[]){x, y}, 2, &c));
    const dtype type = compares(kind) || kind >= FOLD_AND ? DT_BOOL
                       : operand_is_float(x)              ? DT_F32
                                                          : int_type(x->type, y->type);
    TRY(fold_new(b, type, &c.s, FOLD_SMALL, out, &to));
    const int64_t n = shape_count(&c.s);
    for (int64_t i = 0; i < n; i++, cursor_next(&c))
        TRY(binary_element(kind, x, y, &c, to, i));
    return SEPCL_OK;
}

status fold_where(import_build *b, const operand *test, const operand *x, const operand *y, operand **out)
{
    cursor c;
    void  *to;
    if (operand_is_float(x) != operand_is_float(y) || operand_is_float(test))
        return fail(SEPCL_BAD_FILE, "the operands are of types %s, %s and %s", dtype_name(test->type),
                    dtype_name(x->type), dtype_name(y->type));
    TRY(broadcast((const operand *[]){test, x, y}, 3, &c));
    const bool  truth = x->type == DT_BOOL && y->type == DT_BOOL;
    const dtype type = truth ? DT_BOOL : operand_is_float(x) ? DT_F32 : int_type(x->type, y->type);
    TRY(fold_new(b, type, &c.s, FOLD_SMALL, out, &to));
    const int64_t n = shape_count(&c.s);
    for (int64_t i = 0; i < n; i++, cursor_next(&c)) {
        const bool     yes = data_int(test->type, test->data, c.at[0]) != 0;
        const operand *from = yes ? x : y;
        if (operand_is_float(x))
            ((float *)to)[i] = data_float(from->type, from->data, c.at[yes ? 1 : 2]);
        else
            put_int(type, to, i, data_int(from->type, from->data, c.at[yes ? 1 : 2]));
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- reduction */

static double reduce_step(reduce_kind kind, double sum, double v)
{
    switch (kind) {
    case REDUCE_MAX:
        return v > sum || v != v ? v : sum;
    case REDUCE_MIN:
        return v < sum || v != v ? v : sum;
    case REDUCE_PROD:
        return sum * v;
    case REDUCE_L1:
        return sum + fabs(v);
    case REDUCE_L2:
    case REDUCE_SUM_SQUARE:
        return sum + v * v;
    default:
        return sum + v;
    }
}

static double reduce_start(reduce_kind kind)
{
    return kind == REDUCE_MAX ? -INFINITY : kind == REDUCE_MIN ? INFINITY : kind == REDUCE_PROD ? 1 : 0;
}

/* Integers pass through double: exact up to 2^53, far beyond any shape. */
status fold_reduce(import_build *b, reduce_kind kind, const operand *x, uint32_t axes, bool keepdims, operand **out)
{
    shape   s = {.rank = 0};
    strided outer = {.rank = 0}, inner = {.rank = 0};
    int64_t stride[MAX_RANK], lane = 1;
    shape_strides(&x->shape, stride);
    for (int i = 0; i < x->shape.rank; i++) {
        strided *box = axes >> i & 1 ? &inner : &outer;
        box->dim[box->rank] = x->shape.dim[i];
        box->stride[box->rank++] = stride[i];
        if (box == &outer || keepdims)
            s.dim[s.rank++] = box == &outer ? x->shape.dim[i] : 1;
        lane *= box == &inner ? x->shape.dim[i] : 1;
    }
    void *to;
    TRY(fold_charge(b, operand_count(x)));
    const dtype type = operand_is_float(x) ? DT_F32 : int_type(x->type, x->type);
    TRY(fold_new(b, type, &s, FOLD_SMALL, out, &to));
    const int64_t n = shape_count(&s);
    for (int64_t i = 0; i < n; i++) {
        double  sum = reduce_start(kind);
        int64_t base = 0;
        for (int64_t k = outer.rank - 1, rest = i; k >= 0; rest /= outer.dim[k], k--)
            base += rest % outer.dim[k] * outer.stride[k];
        for (int64_t j = 0; j < lane; j++) {
            int64_t at = base;
            for (int64_t k = inner.rank - 1, rest = j; k >= 0; rest /= inner.dim[k], k--)
                at += rest % inner.dim[k] * inner.stride[k];
            sum = reduce_step(kind, sum,
                              operand_is_float(x) ? data_float(x->type, x->data, at)
                                                  : (double)data_int(x->type, x->data, at));
        }
        sum = kind == REDUCE_L2 ? sqrt(sum) : kind == REDUCE_MEAN ? sum / (double)lane : sum;
        if (operand_is_float(x))
            ((float *)to)[i] = (float)sum;
        else
            put_int(type, to, i, data_int(DT_F64, &sum, 0));
    }
    return SEPCL_OK;
}
