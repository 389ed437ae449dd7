/* SPDX-License-Identifier: Apache-2.0 */
/* Ops on shapes and types, and constants computed of them. */
#include <math.h>

#include "base/size.h"
#include "import/tflite_build.h"

/* ---------------------------------------------------------------- Reshape and its kin */

/* Fills in the extent that is given as -1. */
static status solve(const operand *x, shape *s)
{
    int64_t known = 1;
    int     open = -1;
    for (int i = 0; i < s->rank; i++) {
        if (s->dim[i] == -1 && open < 0)
            open = i;
        else if (s->dim[i] < 0 || !i64_mul(known, s->dim[i], &known))
            return fail(SEPCL_BAD_FILE, "the new shape has the extent %lld", (long long)s->dim[i]);
    }
    const int64_t n = operand_count(x);
    if (open >= 0 && (known == 0 || n % known))
        return fail(SEPCL_BAD_FILE, "%lld elements do not divide by the known extents of the new shape, %lld",
                    (long long)n, (long long)known);
    if (open >= 0)
        s->dim[open] = n / known;
    return SEPCL_OK;
}

status tflite_op_reshape(tflite_build *b, int arg)
{
    enum { NEW_SHAPE };
    operand *x = tflite_in(b, 0), *y;
    int64_t  dim[MAX_RANK];
    int      n = param_ints_at(b, 1, dim, MAX_RANK);
    (void)arg;
    if (!tflite_in(b, 1)) {
        n = option_ints(b, NEW_SHAPE, dim, MAX_RANK);
        n = n == 1 && dim[0] == 0 ? 0 : n; /* how old files write a scalar */
    }
    if (b->bad != SEPCL_OK)
        return b->bad;
    if (n < 0)
        return fail(SEPCL_BAD_FILE, "the new shape is missing");
    shape s = shape_make(n, dim);
    TRY(solve(x, &s));
    TRY(emit_reshape(b, x, &s, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_squeeze(tflite_build *b, int arg)
{
    enum { AXES };
    operand  *x = tflite_in(b, 0), *y;
    int64_t   axes[MAX_RANK];
    uint32_t  gone = 0;
    shape     s = {.rank = 0};
    const int n = option_ints(b, AXES, axes, MAX_RANK);
    (void)arg;
    if (b->bad != SEPCL_OK)
        return b->bad;
    for (int i = 0; i < n; i++) {
        int axis;
        TRY(import_axis(axes[i], x->shape.rank, &axis));
        if (x->shape.dim[axis] != 1)
            return fail(SEPCL_BAD_FILE, "axis %d has the extent %lld and cannot go", axis,
                        (long long)x->shape.dim[axis]);
        gone |= 1u << axis;
    }
    for (int i = 0; i < x->shape.rank; i++)
        if (n > 0 ? !(gone >> i & 1) : x->shape.dim[i] != 1)
            s.dim[s.rank++] = x->shape.dim[i];
    TRY(emit_reshape(b, x, &s, &y));
    return tflite_out(b, 0, y);
}

status tflite_op_expand_dims(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0), *y;
    int64_t  given;
    int      axis;
    shape    s = {.rank = x->shape.rank + 1};
    (void)arg;
    TRY(param_exactly(b, 1, &given, 1));
    TRY(import_axis(given, s.rank, &axis));
    if (s.rank > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "the result has more than %d dimensions", MAX_RANK);
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = i == axis ? 1 : x->shape.dim[i - (i > axis)];
    TRY(emit_reshape(b, x, &s, &y));
    return tflite_out(b, 0, y);
}

/* ---------------------------------------------------------------- constants */

status tflite_op_shape(tflite_build *b, int arg)
{
    const operand *x = tflite_in(b, 0);
    operand       *y;
    (void)arg;
    TRY(fold_ints(b, x->shape.dim, x->shape.rank, &y));
    return tflite_out(b, 0, y);
}

static status scalar(tflite_build *b, int64_t v, operand **out)
{
    operand *list;
    TRY(fold_ints(b, &v, 1, &list));
    return emit_reshape(b, list, &(shape){.rank = 0}, out);
}

status tflite_op_rank(tflite_build *b, int arg)
{
    operand *y;
    (void)arg;
    TRY(scalar(b, tflite_in(b, 0)->shape.rank, &y));
    return tflite_out(b, 0, y);
}

static status need_constant(const operand *x)
{
    return x->is_const ? SEPCL_OK
                       : fail(SEPCL_UNSUPPORTED,
                              "it is supported on constants only, but '%s' depends on the model's inputs", x->name);
}

status tflite_op_fill(tflite_build *b, int arg)
{
    operand  *v = tflite_in(b, 1), *y;
    int64_t   dim[MAX_RANK];
    const int n = param_ints_at(b, 0, dim, MAX_RANK);
    (void)arg;
    if (b->bad != SEPCL_OK)
        return b->bad;
    TRY(need_constant(v));
    for (int i = 0; i < n; i++)
        if (dim[i] < 0)
            return fail(SEPCL_BAD_FILE, "entry %d of the shape is %lld", i, (long long)dim[i]);
    if (operand_count(v) != 1)
        return fail(SEPCL_BAD_FILE, "the value '%s' has %lld elements", v->name, (long long)operand_count(v));
    TRY(emit_reshape(b, v, &(shape){.rank = 0}, &v));
    const shape s = shape_make(n, dim);
    TRY(emit_expand(b, v, &s, &y));
    return tflite_out(b, 0, y);
}

/* How many numbers from begin to before end; -1 when there is no such row. */
static int64_t row_length(double begin, double end, double step)
{
    const double n = ceil((end - begin) / step);
    return n <= 0 ? 0 : n <= (double)FOLD_SMALL ? (int64_t)n : -1;
}

status tflite_op_range(tflite_build *b, int arg)
{
    operand *p[3], *y;
    void    *to;
    double   v[3];
    (void)arg;
    for (int i = 0; i < 3; i++) {
        p[i] = tflite_in(b, i);
        TRY(need_constant(p[i]));
        if (operand_count(p[i]) != 1 || operand_is_float(p[i]) != operand_is_float(p[0]))
            return fail(SEPCL_BAD_FILE, "begin, end and step are not three numbers of one type");
        v[i] = operand_is_float(p[i]) ? data_float(p[i]->type, p[i]->data, 0)
                                      : (double)data_int(p[i]->type, p[i]->data, 0);
    }
    const int64_t n = row_length(v[0], v[1], v[2]);
    if (n < 0)
        return fail(SEPCL_UNSUPPORTED, "a row from %g to %g by %g has more than %lld numbers", v[0], v[1], v[2],
                    (long long)FOLD_SMALL);
    const bool floats = operand_is_float(p[0]);
    TRY(fold_new(b, floats ? DT_F32 : DT_I64, &(shape){1, {n}}, FOLD_SMALL, &y, &to));
    for (int64_t i = 0; i < n; i++)
        if (floats)
            ((float *)to)[i] = (float)(v[0] + (double)i * v[2]);
        else
            ((int64_t *)to)[i] = (int64_t)v[0] + i * (int64_t)v[2];
    return tflite_out(b, 0, y);
}

/* ---------------------------------------------------------------- types */

status tflite_op_cast(tflite_build *b, int arg)
{
    operand             *x = tflite_in(b, 0), *y = x;
    const tflite_reader *r = tflite_of(b);
    const tflite_tensor *t = &r->m->tensors[r->o->out[0]];
    (void)arg;
    if (t->type == DT_F16 && x->type != DT_F16)
        return fail(SEPCL_UNSUPPORTED, "rounding to FLOAT16 is not supported");
    if (x->is_const && t->type != DT_F32 && t->type != DT_F16)
        TRY(fold_cast(b, x, t->type, &y));
    else if (!operand_is_float(x))
        TRY(fold_cast(b, x, DT_F32, &y));
    return tflite_out(b, 0, y);
}

/* float16 constants stay as they are: the graph reads both. */
status tflite_op_dequantize(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0);
    (void)arg;
    if (!x->is_const || x->type != DT_F16)
        return fail(SEPCL_UNSUPPORTED, "'%s' is not a float16 constant; quantised models are not supported", x->name);
    return tflite_out(b, 0, x);
}

/* Sparse constants became dense when they were read. */
status tflite_op_densify(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0);
    (void)arg;
    TRY(need_constant(x));
    return tflite_out(b, 0, x);
}
