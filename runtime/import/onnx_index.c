/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ops that pick or replace elements by constant indices. All become one gather of whole runs: positions are worked out
 * here, and what is replaced is picked from the data with the new elements behind it.
 */
#include <math.h>

#include "base/size.h"
#include "import/onnx_build.h"

static status need_indices(const operand *x)
{
    if (!x->is_const || operand_is_float(x))
        return fail(SEPCL_UNSUPPORTED, "the indices '%s' have to be integer constants", x->name);
    return SEPCL_OK;
}

static status wrap(int64_t index, int64_t extent, int64_t *out)
{
    if (index < -extent || index >= extent)
        return fail(SEPCL_BAD_FILE, "index %lld is outside an axis of %lld", (long long)index, (long long)extent);
    *out = index < 0 ? index + extent : index;
    return SEPCL_OK;
}

/* x seen as `rows` runs of elements: [rows, the rest]. */
static status as_rows(onnx_build *b, operand *x, int64_t rows, operand **out)
{
    const int64_t count = operand_count(x);
    return emit_reshape(b, x, &(shape){2, {rows, rows ? count / rows : 0}}, out);
}

/* Rows picked by a list, as a tensor of shape s. */
static status pick(onnx_build *b, operand *rows, operand *list, const shape *s, operand **out)
{
    if (shape_count(s) == 0)
        return fail(SEPCL_UNSUPPORTED, "the result has no elements");
    TRY(emit_gather(b, rows, 0, list, &rows));
    return emit_reshape(b, rows, s, out);
}

/* ---------------------------------------------------------------- elements */

/* Where in data each entry of the indices points, in elements; indices may be smaller than data on other axes. */
static status element_places(const operand *data, const operand *indices, int axis, int64_t *out)
{
    const int64_t n = operand_count(indices);
    int64_t       stride[MAX_RANK], at[MAX_RANK] = {0};
    shape_strides(&data->shape, stride);
    for (int64_t i = 0; i < n; i++) {
        int64_t place, picked = 0;
        TRY(wrap(data_int(indices->type, indices->data, i), data->shape.dim[axis], &picked));
        place = picked * stride[axis];
        for (int k = 0; k < data->shape.rank; k++)
            place += k == axis ? 0 : at[k] * stride[k];
        out[i] = place;
        for (int k = data->shape.rank - 1; k >= 0 && ++at[k] == indices->shape.dim[k]; k--)
            at[k] = 0;
    }
    return SEPCL_OK;
}

static status check_elements(const operand *data, const operand *indices, int axis)
{
    bool fits = data->shape.rank == indices->shape.rank;
    char one[SHAPE_TEXT], other[SHAPE_TEXT];
    for (int k = 0; fits && k < data->shape.rank; k++)
        fits = k == axis || indices->shape.dim[k] <= data->shape.dim[k];
    return fits ? SEPCL_OK
                : fail(SEPCL_BAD_FILE, "indices of shape %s do not suit data of shape %s",
                       shape_text(&indices->shape, one), shape_text(&data->shape, other));
}

status onnx_op_gather_elements(onnx_build *b, int arg)
{
    operand *x = onnx_in(b, 0), *indices = onnx_in(b, 1), *list, *y;
    void    *to;
    int      axis;
    (void)arg;
    TRY(need_indices(indices));
    TRY(import_axis(attr_int(b, "axis", 0), x->shape.rank, &axis));
    TRY(check_elements(x, indices, axis));
    TRY(fold_new(b, DT_I64, &(shape){1, {operand_count(indices)}}, FOLD_SMALL, &list, &to));
    TRY(element_places(x, indices, axis, to));
    TRY(as_rows(b, x, operand_count(x), &y));
    TRY(pick(b, y, list, &indices->shape, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- runs that index tuples point at */

/* The number of runs in data that a tuple of `depth` indices tells apart, after `batch` axes of its own. */
static status tuple_places(const operand *data, const operand *indices, int batch, int64_t *out)
{
    const int     rank = indices->shape.rank;
    const int64_t depth = indices->shape.dim[rank - 1], tuples = shape_product(&indices->shape, 0, rank - 1);
    const int64_t batches = shape_product(&data->shape, 0, batch), each = batches ? tuples / batches : 0;
    for (int64_t i = 0; i < tuples; i++) {
        int64_t place = each ? i / each : 0, picked = 0;
        for (int64_t k = 0; k < depth; k++) {
            const int64_t extent = data->shape.dim[batch + k];
            TRY(wrap(data_int(indices->type, indices->data, i * depth + k), extent, &picked));
            place = place * extent + picked;
        }
        out[i] = place;
    }
    return SEPCL_OK;
}

static status check_tuples(const operand *data, const operand *indices, int64_t batch)
{
    const int rank = indices->shape.rank;
    bool      fits = rank >= 1 && batch >= 0 && batch < rank && batch < data->shape.rank &&
                indices->shape.dim[rank - 1] >= 1 && indices->shape.dim[rank - 1] <= data->shape.rank - batch;
    char one[SHAPE_TEXT], other[SHAPE_TEXT];
    for (int k = 0; fits && k < batch; k++)
        fits = indices->shape.dim[k] == data->shape.dim[k];
    return fits ? SEPCL_OK
                : fail(SEPCL_BAD_FILE, "index tuples of shape %s do not suit data of shape %s",
                       shape_text(&indices->shape, one), shape_text(&data->shape, other));
}

/* The indices' shape without the tuples, then what is left of the data's axes. */
static status tuple_shape(const operand *data, const operand *indices, int batch, shape *s)
{
    const int rank = indices->shape.rank, first = batch + (int)indices->shape.dim[rank - 1];
    *s = (shape){.rank = rank - 1 + data->shape.rank - first};
    if (s->rank > MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "the result has more than %d dimensions", MAX_RANK);
    for (int i = 0; i < s->rank; i++)
        s->dim[i] = i < rank - 1 ? indices->shape.dim[i] : data->shape.dim[first + i - (rank - 1)];
    return SEPCL_OK;
}

status onnx_op_gather_nd(onnx_build *b, int arg)
{
    operand      *x = onnx_in(b, 0), *indices = onnx_in(b, 1), *list, *y;
    const int64_t batch = attr_int(b, "batch_dims", 0);
    shape         s;
    void         *to;
    (void)arg;
    TRY(need_indices(indices));
    TRY(check_tuples(x, indices, batch));
    TRY(tuple_shape(x, indices, (int)batch, &s));
    const int     rank = indices->shape.rank, first = (int)batch + (int)indices->shape.dim[rank - 1];
    const int64_t tuples = shape_product(&indices->shape, 0, rank - 1);
    TRY(fold_new(b, DT_I64, &(shape){1, {tuples}}, FOLD_SMALL, &list, &to));
    TRY(tuple_places(x, indices, (int)batch, to));
    TRY(as_rows(b, x, shape_product(&x->shape, 0, first), &y));
    TRY(pick(b, y, list, &s, &y));
    onnx_out(b, 0, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- replacing and combining */

/* How often a place may be named when what is there is combined. */
#define MOST_ROUNDS 256

typedef struct scattering {
    operand *data, *updates;
    int64_t *places;  /* of each run of updates, among the runs of data */
    int64_t  n, rows; /* runs of updates and of data */
    int      reduction;
} scattering;

enum { REPLACE, ADD, MULTIPLY, LARGER, SMALLER };

static status read_scattering(onnx_build *b, scattering *s)
{
    static const char *const reductions[] = {"none", "add", "mul", "max", "min", NULL};
    s->data = onnx_in(b, 0);
    s->updates = onnx_in(b, 2);
    s->reduction = attr_choice(b, "reduction", reductions, REPLACE);
    if (b->bad != SEPCL_OK)
        return b->bad;
    if (operand_is_float(s->data) != operand_is_float(s->updates))
        return fail(SEPCL_BAD_FILE, "the operands are of types %s and %s", dtype_name(s->data->type),
                    dtype_name(s->updates->type));
    return need_indices(onnx_in(b, 1));
}

static status new_list(onnx_build *b, int64_t n, operand **out, int64_t **entries)
{
    void *to;
    TRY(fold_new(b, DT_I64, &(shape){1, {n}}, FOLD_SMALL, out, &to));
    *entries = to;
    return SEPCL_OK;
}

/* Rows of `first` and, behind them, of the updates, picked by the list and shaped as the data. */
static status pick_of_both(onnx_build *b, const scattering *s, operand *first, operand *list, operand **out)
{
    operand *both[2] = {first, NULL}, *joined;
    TRY(as_rows(b, s->updates, s->n, &both[1]));
    TRY(emit_concat(b, both, 2, 0, &joined));
    return pick(b, joined, list, &s->data->shape, out);
}

/* Of several updates for one place the last stays. */
static status replace_rows(onnx_build *b, const scattering *s, operand **out)
{
    operand *list, *data;
    int64_t *from;
    TRY(new_list(b, s->rows, &list, &from));
    for (int64_t i = 0; i < s->rows; i++)
        from[i] = i;
    for (int64_t i = 0; i < s->n; i++)
        from[s->places[i]] = s->rows + i;
    TRY(as_rows(b, s->data, s->rows, &data));
    return pick_of_both(b, s, data, list, out);
}

/* One row of the number that changes nothing. */
static status neutral_row(onnx_build *b, const scattering *s, operand **out)
{
    static const float number[] = {[ADD] = 0, [MULTIPLY] = 1, [LARGER] = -INFINITY, [SMALLER] = INFINITY};
    const int64_t      length = operand_count(s->data) / s->rows;
    void              *to;
    TRY(fold_new(b, DT_F32, &(shape){2, {1, length}}, FOLD_SMALL, out, &to));
    for (int64_t i = 0; i < length; i++)
        ((float *)to)[i] = number[s->reduction];
    return SEPCL_OK;
}

/* Combines the data with one update for each place that still has one, the first of them; those are marked as done by a
   place of -1. */
static status combine_round(onnx_build *b, scattering *s, operand *neutral, bool *left)
{
    static const binary_kind kind[] = {
        [ADD] = BINARY_ADD, [MULTIPLY] = BINARY_MUL, [LARGER] = BINARY_MAX, [SMALLER] = BINARY_MIN};
    operand *list, *y;
    int64_t *from;
    *left = false;
    TRY(new_list(b, s->rows, &list, &from)); /* all 0: the neutral row */
    for (int64_t i = 0; i < s->n; i++) {
        if (s->places[i] < 0)
            continue;
        if (from[s->places[i]]) {
            *left = true;
            continue;
        }
        from[s->places[i]] = 1 + i;
        s->places[i] = -1;
    }
    TRY(pick_of_both(b, s, neutral, list, &y));
    return emit_binary(b, kind[s->reduction], s->data, y, &s->data);
}

static status scatter(onnx_build *b, scattering *s)
{
    operand *neutral;
    bool     left = s->n > 0;
    if (left && s->reduction == REPLACE) {
        TRY(replace_rows(b, s, &s->data));
        left = false;
    }
    if (left && !operand_is_float(s->data))
        return fail(SEPCL_UNSUPPORTED, "reductions of integers are not supported");
    if (left)
        TRY(neutral_row(b, s, &neutral));
    for (int round = 0; left; round++) {
        if (round == MOST_ROUNDS)
            return fail(SEPCL_UNSUPPORTED, "a place is named more than %d times", MOST_ROUNDS);
        TRY(combine_round(b, s, neutral, &left));
    }
    onnx_out(b, 0, s->data);
    return SEPCL_OK;
}

static status new_places(onnx_build *b, scattering *s)
{
    s->places = arena_array(&b->memory, (size_t)s->n + 1, sizeof *s->places);
    return s->places ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

status onnx_op_scatter_elements(onnx_build *b, int arg)
{
    const operand *indices = onnx_in(b, 1);
    scattering     s = {0};
    int            axis;
    (void)arg;
    TRY(read_scattering(b, &s));
    TRY(import_axis(attr_int(b, "axis", 0), s.data->shape.rank, &axis));
    TRY(check_elements(s.data, indices, axis));
    if (!shape_equal(&indices->shape, &s.updates->shape))
        return fail(SEPCL_BAD_FILE, "the updates '%s' do not have the indices' shape", s.updates->name);
    s.n = operand_count(indices);
    s.rows = operand_count(s.data);
    TRY(new_places(b, &s));
    TRY(element_places(s.data, indices, axis, s.places));
    return scatter(b, &s);
}

status onnx_op_scatter_nd(onnx_build *b, int arg)
{
    const operand *indices = onnx_in(b, 1);
    const int      rank = indices->shape.rank;
    scattering     s = {0};
    shape          want;
    (void)arg;
    TRY(read_scattering(b, &s));
    TRY(check_tuples(s.data, indices, 0));
    TRY(tuple_shape(s.data, indices, 0, &want));
    if (!shape_equal(&want, &s.updates->shape))
        return fail(SEPCL_BAD_FILE, "the updates '%s' do not have the shape that indices and data ask for",
                    s.updates->name);
    s.n = shape_product(&indices->shape, 0, rank - 1);
    s.rows = shape_product(&s.data->shape, 0, (int)indices->shape.dim[rank - 1]);
    TRY(new_places(b, &s));
    TRY(tuple_places(s.data, indices, 0, s.places));
    return scatter(b, &s);
}
