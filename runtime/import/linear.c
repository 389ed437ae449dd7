/* SPDX-License-Identifier: Apache-2.0 */
/* Matrix products. A constant right side makes a dense layer, read in the layout that the file has. */
#include "import/build.h"

/* A constant of n equal numbers. */
static status filled(import_build *b, int64_t n, float v, operand **out)
{
    void *to;
    TRY(fold_new(b, DT_F32, &(shape){1, {n}}, FOLD_LARGE, out, &to));
    for (int64_t i = 0; i < n; i++)
        ((float *)to)[i] = v;
    return SEPCL_OK;
}

status emit_dense(import_build *b, operand *x, operand *w, const attr_dense *d, float alpha, operand *bias,
                  operand **out)
{
    value_id     in[CONV_SCALE + 1] = {-1, -1, -1, -1};
    const layout l = layout_plain(x->shape.rank);
    operand     *scale;
    char         text[SHAPE_TEXT];
    if (x->shape.dim[x->shape.rank - 1] != d->in_features)
        return fail(SEPCL_BAD_FILE, "an input of shape %s does not end in the weights' %lld features",
                    shape_text(&x->shape, text), (long long)d->in_features);
    TRY(operand_plain(b, x, &in[CONV_X]));
    TRY(operand_plain(b, w, &in[CONV_W]));
    if (bias)
        TRY(operand_plain(b, bias, &in[CONV_B]));
    if (alpha != 1) {
        TRY(filled(b, d->out_features, alpha, &scale));
        TRY(operand_plain(b, scale, &in[CONV_SCALE]));
    }
    const int n = alpha != 1 ? 4 : bias ? 3 : 2;
    return operand_node(b, OP_DENSE, &(attrs){.dense = *d}, in, n, &l, x->shape.rank, out);
}

/* ---------------------------------------------------------------- matrix products */

/* A matrix behind leading dimensions of 1, or a vector. */
static bool is_matrix(const operand *w, int x_rank)
{
    const int r = w->shape.rank;
    return w->is_const && r >= 1 && (r <= 2 || (r <= x_rank && shape_product(&w->shape, 0, r - 2) == 1));
}

static status dense_matmul(import_build *b, operand *x, operand *w, bool swap, operand *bias, operand **out)
{
    const int      r = w->shape.rank, rank = x->shape.rank;
    const int64_t *d = w->shape.dim, rows = r == 1 ? d[0] : d[r - 2], columns = r == 1 ? 1 : d[r - 1];
    attr_dense     a = {.in_features = rows, .out_features = columns, .w = {.o = 1, .i = columns}};
    if (swap)
        a = (attr_dense){.in_features = columns, .out_features = rows, .w = {.o = columns, .i = 1}};
    TRY(emit_rank(b, x, 2, &x));
    TRY(emit_dense(b, x, w, &a, 1, bias, out));
    /* a vector on either side leaves no axis behind */
    shape s = (*out)->shape;
    if (r == 1)
        s.rank--;
    if (rank == 1) {
        s.dim[0] = s.dim[1];
        s.rank--;
    }
    return emit_reshape(b, *out, &s, out);
}

static status swap_last(import_build *b, operand *x, operand **out)
{
    int       perm[MAX_RANK];
    const int rank = x->shape.rank;
    for (int i = 0; i < rank; i++)
        perm[i] = i;
    perm[rank - 1] = rank - 2;
    perm[rank - 2] = rank - 1;
    return emit_transpose(b, x, perm, out);
}

static status product(import_build *b, operand *x, operand *w, operand **out)
{
    value_id in[2];
    TRY(operand_plain(b, x, &in[0]));
    TRY(operand_plain(b, w, &in[1]));
    const int    vectors = (x->shape.rank == 1) + (w->shape.rank == 1);
    const int    rank = x->shape.rank > w->shape.rank ? x->shape.rank : w->shape.rank;
    const layout l = layout_plain(vectors == 2 ? 0 : rank - vectors);
    return operand_node(b, OP_MATMUL, NULL, in, 2, &l, l.rank, out);
}

status emit_matmul(import_build *b, operand *x, operand *w, bool swap, operand *bias, operand **out)
{
    const bool fused = bias && bias->is_const && is_matrix(w, x->shape.rank);
    if (is_matrix(w, x->shape.rank)) {
        TRY(dense_matmul(b, x, w, swap, fused ? bias : NULL, out));
    } else {
        if (swap)
            TRY(swap_last(b, w, &w));
        TRY(product(b, x, w, out));
    }
    return bias && !fused ? emit_binary(b, BINARY_ADD, *out, bias, out) : SEPCL_OK;
}
