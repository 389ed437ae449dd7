/* SPDX-License-Identifier: Apache-2.0 */
/* STRIDED_SLICE: entries of begin, end and stride speak of one axis each, but for one ellipsis, which stands for all
   the axes that no entry is left for, and for new axes, which stand for none. */
#include "base/size.h"
#include "import/tflite_build.h"

typedef struct entries {
    int      n;
    int64_t  begin[2 * MAX_RANK], end[2 * MAX_RANK], stride[2 * MAX_RANK];
    uint32_t begin_mask, end_mask, ellipsis, new_axis, shrink;
    bool     relative; /* ends are counted from the begins */
} entries;

typedef struct result {
    attr_slice cut;   /* of the input's axes */
    shape      shape; /* with axes that go and come */
} result;

static status read_entries(tflite_build *b, entries *e)
{
    enum { BEGIN_MASK, END_MASK, ELLIPSIS_MASK, NEW_AXIS_MASK, SHRINK_AXIS_MASK, OFFSET };
    e->n = param_ints_at(b, 1, e->begin, 2 * MAX_RANK);
    if (b->bad != SEPCL_OK)
        return b->bad;
    TRY(param_exactly(b, 2, e->end, e->n));
    TRY(param_exactly(b, 3, e->stride, e->n));
    e->begin_mask = (uint32_t)option_int(b, BEGIN_MASK, 0);
    e->end_mask = (uint32_t)option_int(b, END_MASK, 0);
    e->ellipsis = (uint32_t)option_int(b, ELLIPSIS_MASK, 0);
    e->new_axis = (uint32_t)option_int(b, NEW_AXIS_MASK, 0) & ~e->ellipsis;
    e->shrink = (uint32_t)option_int(b, SHRINK_AXIS_MASK, 0) & ~e->new_axis & ~e->ellipsis;
    e->relative = option_byte(b, OFFSET, 0) != 0;
    return SEPCL_OK;
}

static int64_t clamp(int64_t v, int64_t low, int64_t high)
{
    return i64_max(low, i64_min(v, high));
}

/* An index as counted from the front, inside what a walk with this stride may reach. */
static int64_t settle(int64_t v, int64_t extent, int64_t stride)
{
    v = v < 0 ? v + extent : v;
    return stride > 0 ? clamp(v, 0, extent) : clamp(v, -1, extent - 1);
}

/* Entry i for axis k of the input. */
static status one_axis(const entries *e, int i, int64_t extent, int k, attr_slice *cut)
{
    const int64_t stride = e->stride[i];
    if (stride == 0 || stride > INT32_MAX || stride < -INT32_MAX)
        return fail(SEPCL_BAD_FILE, "the stride of axis %d is %lld", k, (long long)stride);
    int64_t begin = settle(e->begin[i], extent, stride);
    if (e->begin_mask >> i & 1)
        begin = stride > 0 ? 0 : extent - 1;
    if (e->shrink >> i & 1) {
        if (begin < 0 || begin >= extent || e->begin[i] < -extent)
            return fail(SEPCL_BAD_FILE, "element %lld is outside axis %d of extent %lld", (long long)e->begin[i], k,
                        (long long)extent);
        cut->start[k] = begin;
        cut->step[k] = cut->size[k] = 1;
        return SEPCL_OK;
    }
    int64_t end = settle(e->end[i], extent, stride);
    if (e->relative) { /* runtimes disagree about what reaches beyond the axis */
        end = begin + clamp(e->end[i], -INT32_MAX, INT32_MAX);
        if (end < (stride > 0 ? 0 : -1) || end > extent)
            return fail(SEPCL_BAD_FILE, "%lld elements from %lld on do not lie in axis %d of extent %lld",
                        (long long)e->end[i], (long long)begin, k, (long long)extent);
    }
    if (e->end_mask >> i & 1)
        end = stride > 0 ? extent : -1;
    const int64_t span = stride > 0 ? end - begin : begin - end;
    cut->start[k] = begin;
    cut->step[k] = stride;
    cut->size[k] = span > 0 ? div_up(span, stride > 0 ? stride : -stride) : 0;
    return SEPCL_OK;
}

static status keep_axis(result *r, int64_t extent)
{
    if (r->shape.rank == MAX_RANK)
        return fail(SEPCL_UNSUPPORTED, "the result has more than %d dimensions", MAX_RANK);
    r->shape.dim[r->shape.rank++] = extent;
    return SEPCL_OK;
}

static status whole_axis(const operand *x, int k, result *r)
{
    r->cut.start[k] = 0;
    r->cut.step[k] = 1;
    r->cut.size[k] = x->shape.dim[k];
    return keep_axis(r, x->shape.dim[k]);
}

/* Axes of the input that an ellipsis stands for. */
static int hidden_axes(const entries *e, int rank)
{
    int named = 0;
    for (int i = 0; i < e->n; i++)
        named += !((e->ellipsis | e->new_axis) >> i & 1);
    return rank - named;
}

static status walk(const entries *e, const operand *x, result *r)
{
    int k = 0, hidden = hidden_axes(e, x->shape.rank);
    if (hidden < 0 || (e->ellipsis & (e->ellipsis - 1)))
        return fail(SEPCL_BAD_FILE, "its %d entries do not suit %d dimensions", e->n, x->shape.rank);
    for (int i = 0; i < e->n; i++) {
        if (e->ellipsis >> i & 1) {
            for (; hidden > 0; hidden--, k++)
                TRY(whole_axis(x, k, r));
        } else if (e->new_axis >> i & 1) {
            TRY(keep_axis(r, 1));
        } else {
            TRY(one_axis(e, i, x->shape.dim[k], k, &r->cut));
            if (!(e->shrink >> i & 1))
                TRY(keep_axis(r, r->cut.size[k]));
            k++;
        }
    }
    for (; k < x->shape.rank; k++) /* axes behind the last entry */
        TRY(whole_axis(x, k, r));
    return SEPCL_OK;
}

status tflite_op_strided_slice(tflite_build *b, int arg)
{
    operand *x = tflite_in(b, 0), *y;
    entries  e;
    result   r = {.shape = {.rank = 0}};
    (void)arg;
    TRY(read_entries(b, &e));
    TRY(walk(&e, x, &r));
    TRY(emit_slice(b, x, &r.cut, &y));
    TRY(emit_reshape(b, y, &r.shape, &y));
    return tflite_out(b, 0, y);
}
