/* SPDX-License-Identifier: Apache-2.0 */
/* Ops that change or tell shapes, and constants. */
#include <math.h>
#include <string.h>

#include "base/size.h"
#include "import/onnx_build.h"

status onnx_op_identity(onnx_build *b, int arg)
{
    (void)arg;
    onnx_out(b, 0, onnx_in(b, 0));
    return SEPCL_OK;
}

status onnx_op_dropout(onnx_build *b, int arg)
{
    const operand *training = onnx_in(b, 2);
    (void)arg;
    if (onnx_of(b)->m->opset >= 12 && training &&
        (!training->is_const || operand_count(training) != 1 || data_int(training->type, training->data, 0)))
        return fail(SEPCL_UNSUPPORTED, "training mode is not supported");
    onnx_out(b, 0, onnx_in(b, 0));
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- reshapes */

/* One extent from a list in which -1 takes what the others leave. */
static status take_rest(const operand *x, shape *s, int rest)
{
    const int64_t count = operand_count(x);
    int64_t       others = 1;
    for (int i = 0; i < s->rank; i++)
        if (i != rest && !i64_mul(others, s->dim[i], &others))
            return fail(SEPCL_BAD_FILE, "the shape has too many elements");
    if (others == 0 || count % others)
        return fail(SEPCL_BAD_FILE, "%lld elements do not divide by the %lld of the given dimensions", (long long)count,
                    (long long)others);
    s->dim[rest] = count / others;
    return SEPCL_OK;
}

status onnx_op_reshape(onnx_build *b, int arg)
{
    operand   *x = onnx_in(b, 0), *y;
    int64_t    dim[MAX_RANK];
    int        rest = -1;
    const bool zero_is_zero = attr_int(b, "allowzero", 0) != 0;
    const int  n = param_ints(b, 1, dim, MAX_RANK);
    (void)arg;
    if (n < 0)
        return b->bad;
    shape s = {.rank = n};
    for (int i = 0; i < n; i++) {
        if (dim[i] < -1 || (dim[i] == -1 && rest >= 0))
            return fail(SEPCL_BAD_FILE, "the shape has %s", dim[i] == -1 ? "two entries of -1" : "an entry below -1");
        if (dim[i] == -1)
            rest = i;
        s.dim[i] = dim[i];
        if (dim[i] == 0 && !zero_is_zero) {
            if (i >= x->shape.rank)
                return fail(SEPCL_BAD_FILE, "entry %d of the shape copies a dimension that the input lacks", i);
            s.dim[i] = x->shape.dim[i];
        }
    }
    if (rest >= 0)
        TRY(take_rest(x, &s, rest));
    TRY(emit_reshape(b, x, &s, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_flatten(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *y;
    int64_t  axis = attr_int(b, "axis", 1);
    (void)arg;
    if (axis < -x->shape.rank || axis > x->shape.rank)
        return fail(SEPCL_BAD_FILE, "axis %lld is outside a tensor of %d dimensions", (long long)axis, x->shape.rank);
    axis += axis < 0 ? x->shape.rank : 0;
    const shape s = {2, {shape_product(&x->shape, 0, (int)axis), shape_product(&x->shape, (int)axis, x->shape.rank)}};
    TRY(emit_reshape(b, x, &s, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* The axes of Squeeze and Unsqueeze as bits; *n is -1 when there are none. */
static status read_axes(onnx_build *b, int rank, uint32_t *bits, int *n)
{
    int64_t axes[MAX_RANK];
    *bits = 0;
    *n = ints_of(b, "axes", 1, 13, axes, MAX_RANK);
    if (b->bad != SEPCL_OK)
        return b->bad;
    for (int i = 0; i < *n; i++) {
        int axis;
        TRY(import_axis(axes[i], rank, &axis));
        if (*bits >> axis & 1)
            return fail(SEPCL_BAD_FILE, "axis %d is given twice", axis);
        *bits |= 1u << axis;
    }
    return SEPCL_OK;
}

status onnx_op_squeeze(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *y;
    uint32_t bits;
    int      n;
    shape    s = {.rank = 0};
    (void)arg;
    TRY(read_axes(b, x->shape.rank, &bits, &n));
    for (int i = 0; i < x->shape.rank; i++) {
        const bool drop = n < 0 ? x->shape.dim[i] == 1 : bits >> i & 1;
        if (drop && x->shape.dim[i] != 1)
            return fail(SEPCL_BAD_FILE, "axis %d has extent %lld, and only 1 can be squeezed", i,
                        (long long)x->shape.dim[i]);
        if (!drop)
            s.dim[s.rank++] = x->shape.dim[i];
    }
    TRY(emit_reshape(b, x, &s, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_unsqueeze(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *y;
    int64_t  axes[MAX_RANK];
    uint32_t bits;
    int      n = ints_of(b, "axes", 1, 13, axes, MAX_RANK), from = 0;
    (void)arg;
    if (n < 0)
        return b->bad != SEPCL_OK ? b->bad : fail(SEPCL_BAD_FILE, "the axes are missing");
    if (x->shape.rank + n > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "the result has more than %d dimensions", MAX_RANK);
    shape s = {.rank = x->shape.rank + n};
    TRY(read_axes(b, s.rank, &bits, &n));
    for (int i = 0; i < s.rank; i++)
        s.dim[i] = bits >> i & 1 ? 1 : x->shape.dim[from++];
    TRY(emit_reshape(b, x, &s, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- shapes as numbers */

status onnx_op_shape(onnx_build *b, int arg)
{
    const operand *x = onnx_in(b, 0);
    const int      rank = x->shape.rank;
    int64_t        start = attr_int(b, "start", 0), end = attr_int(b, "end", rank);
    operand       *y;
    (void)arg;
    start = i64_min(i64_max(start < 0 ? start + rank : start, 0), rank);
    end = i64_min(i64_max(end < 0 ? end + rank : end, start), rank);
    TRY(fold_ints(b, x->shape.dim + start, (int)(end - start), &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_size(onnx_build *b, int arg)
{
    const int64_t n = operand_count(onnx_in(b, 0));
    operand      *y;
    (void)arg;
    TRY(fold_ints(b, &n, 1, &y));
    TRY(emit_reshape(b, y, &(shape){0}, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- constants */

static status constant_list(onnx_build *b, const char *name, bool floats, bool scalar)
{
    /* a list has at least a byte an entry, so the node's bytes bound it */
    const size_t most = onnx_of(b)->n->message.n < (size_t)FOLD_SMALL ? onnx_of(b)->n->message.n : (size_t)FOLD_SMALL;
    operand     *y;
    void        *room = arena_array(&b->memory, most, sizeof(int64_t)), *to;
    int          n = 1;
    if (!room)
        return SEPCL_OUT_OF_MEMORY;
    if (scalar && floats)
        *(float *)room = attr_float(b, name, 0);
    else if (scalar)
        *(int64_t *)room = attr_int(b, name, 0);
    else
        n = floats ? attr_floats(b, name, room, (int)most) : attr_ints(b, name, room, (int)most);
    const shape s = scalar ? (shape){.rank = 0} : (shape){1, {n}};
    TRY(fold_new(b, floats ? DT_F32 : DT_I64, &s, FOLD_SMALL, &y, &to));
    memcpy(to, room, (size_t)n * dtype_size(y->type));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

static operand *tensor_operand(onnx_build *b, const onnx_tensor *t)
{
    operand *x = operand_new(b);
    if (x)
        *x = (operand){.shape = t->shape, .type = t->type, .is_const = true, .data = t->data};
    return x;
}

status onnx_op_constant(onnx_build *b, int arg)
{
    (void)arg;
    if (onnx_of(b)->n->value) {
        operand *x = tensor_operand(b, onnx_of(b)->n->value);
        if (!x)
            return SEPCL_OUT_OF_MEMORY;
        onnx_out(b, 0, x);
        return SEPCL_OK;
    }
    if (attr_has(b, "value_float"))
        return constant_list(b, "value_float", true, true);
    if (attr_has(b, "value_int"))
        return constant_list(b, "value_int", false, true);
    if (attr_has(b, "value_floats"))
        return constant_list(b, "value_floats", true, false);
    if (attr_has(b, "value_ints"))
        return constant_list(b, "value_ints", false, false);
    if (attr_has(b, "sparse_value") || attr_has(b, "value_string") || attr_has(b, "value_strings"))
        return fail(SEPCL_UNSUPPORTED, "sparse tensors and strings are not supported");
    return fail(SEPCL_BAD_FILE, "the node has no value");
}

status onnx_op_constant_of_shape(onnx_build *b, int arg)
{
    const onnx_tensor *t = onnx_of(b)->n->value;
    int64_t            dim[MAX_RANK];
    operand           *one, *y;
    const int          n = param_ints(b, 0, dim, MAX_RANK);
    (void)arg;
    if (n < 0)
        return b->bad;
    shape s = {.rank = n};
    for (int i = 0; i < n; i++) {
        if (dim[i] < 0)
            return fail(SEPCL_BAD_FILE, "entry %d of the shape is %lld", i, (long long)dim[i]);
        s.dim[i] = dim[i];
    }
    if (t && t->count != 1)
        return fail(SEPCL_BAD_FILE, "attribute 'value' has %lld elements, and should have one", (long long)t->count);
    if (t) {
        one = tensor_operand(b, t);
    } else {
        void *zero;
        TRY(fold_new(b, DT_F32, &(shape){0}, 1, &one, &zero));
    }
    if (!one)
        return SEPCL_OUT_OF_MEMORY;
    one->shape = (shape){.rank = 0};
    TRY(fold_strided(b, one, &(strided){.rank = 1, .dim = {shape_count(&s)}}, &s, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_range(onnx_build *b, int arg)
{
    double   v[3];
    operand *y;
    void    *to;
    bool     floats = operand_is_float(onnx_in(b, 0));
    (void)arg;
    for (int i = 0; i < 3; i++) {
        const operand *x = onnx_in(b, i);
        if (!x->is_const)
            return fail(SEPCL_UNSUPPORTED, "it is supported on constants only, but '%s' depends on the model's inputs",
                        x->name);
        if (operand_count(x) != 1 || operand_is_float(x) != floats)
            return fail(SEPCL_BAD_FILE, "start, limit and delta should be three numbers of one type");
        v[i] = floats ? data_float(x->type, x->data, 0) : (double)data_int(x->type, x->data, 0);
    }
    const double n = v[2] != 0 ? ceil((v[1] - v[0]) / v[2]) : NAN;
    if (!(n < (double)FOLD_LARGE))
        return fail(v[2] == 0 ? SEPCL_BAD_FILE : SEPCL_UNSUPPORTED, "a range from %g to %g in steps of %g", v[0], v[1],
                    v[2]);
    const shape s = {1, {n > 0 ? (int64_t)n : 0}};
    TRY(fold_new(b, floats ? DT_F32 : DT_I64, &s, FOLD_LARGE, &y, &to));
    for (int64_t i = 0; i < s.dim[0]; i++) {
        if (floats)
            ((float *)to)[i] = (float)(v[0] + (double)i * v[2]);
        else
            ((int64_t *)to)[i] = (int64_t)v[0] + i * (int64_t)v[2];
    }
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

status onnx_op_non_zero(onnx_build *b, int arg)
{
    const operand *x = onnx_in(b, 0);
    int64_t        n = 0, stride[MAX_RANK], at = 0;
    operand       *y;
    void          *to;
    (void)arg;
    if (!x->is_const)
        return fail(SEPCL_UNSUPPORTED, "it is supported on constants only, but '%s' depends on the model's inputs",
                    x->name);
    const int64_t count = operand_count(x);
    TRY(fold_charge(b, count));
    for (int64_t i = 0; i < count; i++)
        n += operand_is_float(x) ? data_float(x->type, x->data, i) != 0 : data_int(x->type, x->data, i) != 0;
    TRY(fold_new(b, DT_I64, &(shape){2, {x->shape.rank, n}}, FOLD_SMALL, &y, &to));
    shape_strides(&x->shape, stride);
    for (int64_t i = 0; i < count; i++) {
        if (operand_is_float(x) ? data_float(x->type, x->data, i) == 0 : data_int(x->type, x->data, i) == 0)
            continue;
        for (int k = 0; k < x->shape.rank; k++)
            ((int64_t *)to)[k * n + at] = i / stride[k] % x->shape.dim[k];
        at++;
    }
    onnx_out(b, 0, y);
    return SEPCL_OK;
}
