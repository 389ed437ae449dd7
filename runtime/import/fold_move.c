/* SPDX-License-Identifier: Apache-2.0 */
/* Constants whose elements are moved, not computed. The type stays what it was. */
#include <string.h>

#include "base/size.h"
#include "import/build.h"

static void copy_row(uint8_t *to, const uint8_t *from, int64_t n, int64_t stride, size_t size)
{
    if (stride == 1) {
        memcpy(to, from, (size_t)n * size);
        return;
    }
    for (int64_t i = 0; i < n; i++) /* the constant sizes become single moves */
        switch (size) {
        case 1:
            to[i] = from[i * stride];
            break;
        case 2:
            memcpy(to + 2 * i, from + 2 * i * stride, 2);
            break;
        case 4:
            memcpy(to + 4 * i, from + 4 * i * stride, 4);
            break;
        default:
            memcpy(to + 8 * i, from + 8 * i * stride, 8);
        }
}

void strided_copy(void *to, const void *from, const strided *box, size_t size)
{
    const int64_t row = box->rank ? box->dim[box->rank - 1] : 1, step = box->rank ? box->stride[box->rank - 1] : 1;
    int64_t       rows = 1, index[2 * MAX_RANK] = {0}, at = box->offset;
    uint8_t      *out = to;
    for (int i = 0; i < box->rank - 1; i++)
        rows *= box->dim[i];
    if (row == 0)
        return;
    for (int64_t r = 0; r < rows; r++) {
        copy_row(out, (const uint8_t *)from + at * (int64_t)size, row, step, size);
        out += (size_t)row * size;
        for (int i = box->rank - 2; i >= 0; i--) {
            at += box->stride[i];
            if (++index[i] < box->dim[i])
                break;
            at -= box->stride[i] * box->dim[i];
            index[i] = 0;
        }
    }
}

status fold_strided(import_build *b, const operand *x, const strided *box, const shape *s, operand **out)
{
    void *to;
    TRY(fold_new(b, x->type, s, FOLD_LARGE, out, &to));
    if (shape_count(s))
        strided_copy(to, x->data, box, dtype_size(x->type));
    return SEPCL_OK;
}

/* Floats join floats and integers join integers; where the types differ they are widened first. */
static status same_types(import_build *b, operand *const *x, int n, operand **same)
{
    bool equal = true;
    for (int i = 0; i < n; i++) {
        equal &= x[i]->type == x[0]->type;
        if (operand_is_float(x[i]) != operand_is_float(x[0]))
            return fail(SEPCL_BAD_FILE, "the operands are of types %s and %s", dtype_name(x[0]->type),
                        dtype_name(x[i]->type));
    }
    for (int i = 0; i < n; i++) {
        same[i] = x[i];
        if (!equal)
            TRY(fold_cast(b, x[i], operand_is_float(x[0]) ? DT_F32 : DT_I64, &same[i]));
    }
    return SEPCL_OK;
}

status fold_concat(import_build *b, operand *const *x, int n, int axis, const shape *s, operand **out)
{
    operand **same = arena_array(&b->memory, (size_t)n, sizeof(operand *));
    void     *to;
    if (!same)
        return SEPCL_OUT_OF_MEMORY;
    TRY(same_types(b, x, n, same));
    TRY(fold_new(b, same[0]->type, s, FOLD_LARGE, out, &to));
    if (shape_count(s) == 0)
        return SEPCL_OK;
    const int64_t outer = shape_product(s, 0, axis), inner = shape_product(s, axis + 1, s->rank);
    const size_t  size = dtype_size(same[0]->type);
    uint8_t      *at = to;
    for (int64_t o = 0; o < outer; o++)
        for (int i = 0; i < n; i++) {
            const size_t bytes = (size_t)(same[i]->shape.dim[axis] * inner) * size;
            if (bytes)
                memcpy(at, (const uint8_t *)same[i]->data + (size_t)o * bytes, bytes);
            at += bytes;
        }
    return SEPCL_OK;
}

status fold_gather(import_build *b, const operand *x, int axis, const operand *indices, operand **out)
{
    const int64_t  n = operand_count(indices);
    const int64_t *index = indices->data;
    shape          s = x->shape;
    void          *to;
    s.dim[axis] = n;
    TRY(fold_new(b, x->type, &s, FOLD_LARGE, out, &to));
    if (shape_count(&s) == 0)
        return SEPCL_OK;
    const int64_t  outer = shape_product(&s, 0, axis), extent = x->shape.dim[axis];
    const size_t   bytes = (size_t)shape_product(&s, axis + 1, s.rank) * dtype_size(x->type);
    const uint8_t *from = x->data;
    uint8_t       *at = to;
    for (int64_t o = 0; o < outer; o++)
        for (int64_t i = 0; i < n; i++, at += bytes)
            memcpy(at, from + (size_t)(o * extent + index[i]) * bytes, bytes);
    return SEPCL_OK;
}
