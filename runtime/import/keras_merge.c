/* SPDX-License-Identifier: Apache-2.0 */
/* Layers of several tensors, and functions of tensors. */
#include <ctype.h>
#include <string.h>

#include "import/keras_build.h"

/* ---------------------------------------------------------------- layers */

/* Tensor i with extents of 1 behind the batch, up to a rank. */
static status widen(keras_build *b, int i, int rank, operand **out)
{
    operand *x;
    shape    s = {.rank = rank};
    TRY(keras_in(b, i, &x));
    const int missing = rank - x->shape.rank;
    for (int k = 0; k < rank; k++)
        s.dim[k] = k == 0 ? x->shape.dim[0] : k <= missing ? 1 : x->shape.dim[k - missing];
    return missing > 0 && x->shape.rank > 0 ? emit_reshape(&b->common, x, &s, out) : (*out = x, SEPCL_OK);
}

static status merge(keras_build *b, binary_kind kind, operand **out)
{
    operand *y;
    int      rank = 0;
    for (int i = 0; i < b->n_in; i++) {
        TRY(keras_in(b, i, &y));
        rank = y->shape.rank > rank ? y->shape.rank : rank;
    }
    if (b->n_in < 1 || (kind == BINARY_SUB && b->n_in != 2))
        return fail(SEPCL_BAD_FILE, "the layer merges %d tensors", b->n_in);
    TRY(widen(b, 0, rank, out));
    for (int i = 1; i < b->n_in; i++) {
        TRY(widen(b, i, rank, &y));
        TRY(emit_binary(&b->common, kind, *out, y, out));
    }
    return SEPCL_OK;
}

status keras_op_merge(keras_build *b, int kind)
{
    operand *y;
    TRY(merge(b, (binary_kind)kind, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

status keras_op_average(keras_build *b, int arg)
{
    operand *y;
    (void)arg;
    TRY(merge(b, BINARY_ADD, &y));
    TRY(emit_unary(&b->common, y, (act){ACT_AFFINE, (float)(1.0 / b->n_in), 0}, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

status keras_op_concatenate(keras_build *b, int arg)
{
    operand *y;
    int      axis;
    (void)arg;
    for (int i = 0; i < b->n_in; i++)
        TRY(keras_in(b, i, &y));
    TRY(keras_in(b, 0, &y));
    TRY(cfg_axis(b, "axis", -1, y->shape.rank, &axis));
    TRY(emit_concat(&b->common, b->in, b->n_in, axis, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- functions */

/* Argument i of a function, which has that many: a tensor, or a number as a constant. */
static status value_of(keras_build *b, int i, operand **out)
{
    double v;
    void  *data;
    *out = b->in[i];
    if (*out)
        return SEPCL_OK;
    if (!keras_number(b->call->args[i].value, &v))
        return fail(SEPCL_UNSUPPORTED, "an argument that is neither a tensor nor a number is not supported");
    TRY(fold_new(&b->common, DT_F32, &(shape){0, {0}}, FOLD_SMALL, out, &data));
    *(float *)data = (float)v;
    return SEPCL_OK;
}

static status two_arguments(keras_build *b)
{
    return b->n_in == 2 ? SEPCL_OK : fail(SEPCL_UNSUPPORTED, "%d arguments instead of 2 are not supported", b->n_in);
}

status keras_op_binary(keras_build *b, int kind)
{
    operand *x, *y;
    TRY(two_arguments(b));
    TRY(value_of(b, 0, &x));
    TRY(value_of(b, 1, &y));
    TRY(emit_binary(&b->common, (binary_kind)kind, x, y, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

static status only_argument(keras_build *b, operand **x)
{
    if (b->n_in != 1)
        return fail(SEPCL_UNSUPPORTED, "%d arguments instead of one are not supported", b->n_in);
    return keras_in(b, 0, x);
}

status keras_op_unary(keras_build *b, int kind)
{
    operand *x, *y;
    TRY(only_argument(b, &x));
    TRY(emit_unary(&b->common, x, (act){(act_kind)kind, 0, 0}, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* An activation called by its name. */
static status named_function(keras_build *b, const char *name)
{
    operand      *x, *y;
    const json_t *before = b->config;
    TRY(only_argument(b, &x));
    json_t *config = json_pack("{s:s}", "activation", name);
    if (!config)
        return fail_memory(strlen(name), "a function's name");
    b->config = config;
    const status st = keras_activate(b, "activation", x, &y);
    b->config = before;
    json_decref(config);
    TRY(st);
    keras_out(b, y);
    return SEPCL_OK;
}

/* Operations of Keras 3 are called "HardSilu", the activation "hard_silu". */
status keras_op_function(keras_build *b, int arg)
{
    char        name[64];
    size_t      n = 0;
    const char *from = b->l->class_name;
    (void)arg;
    for (size_t i = 0; from[i] && n + 2 < sizeof name; i++) {
        if (i && isupper((unsigned char)from[i]))
            name[n++] = '_';
        name[n++] = (char)tolower((unsigned char)from[i]);
    }
    name[n] = 0;
    return named_function(b, name);
}

/* Functions of TensorFlow, as Keras 2 kept them. */
status keras_op_tensorflow_function(keras_build *b, int arg)
{
    static const struct {
        const char *name;
        binary_kind kind;
    } two[] = {
        {"__operators__.add", BINARY_ADD}, {"math.add", BINARY_ADD},     {"math.subtract", BINARY_SUB},
        {"math.multiply", BINARY_MUL},     {"math.divide", BINARY_DIV},  {"math.truediv", BINARY_DIV},
        {"math.maximum", BINARY_MAX},      {"math.minimum", BINARY_MIN}, {"math.pow", BINARY_POW},
    };
    static const struct {
        const char *name, *activation;
    } one[] = {
        {"nn.relu", "relu"},         {"nn.relu6", "relu6"},     {"nn.elu", "elu"},
        {"nn.selu", "selu"},         {"nn.silu", "silu"},       {"nn.swish", "silu"},
        {"nn.softplus", "softplus"}, {"math.tanh", "tanh"},     {"nn.tanh", "tanh"},
        {"math.sigmoid", "sigmoid"}, {"nn.sigmoid", "sigmoid"}, {"nn.softsign", "softsign"},
        {"math.exp", "exponential"}, {"nn.softmax", "softmax"},
    };
    const char *name = cfg_text(b, "function", "");
    (void)arg;
    for (size_t i = 0; i < sizeof two / sizeof two[0]; i++)
        if (strcmp(two[i].name, name) == 0)
            return keras_op_binary(b, two[i].kind);
    for (size_t i = 0; i < sizeof one / sizeof one[0]; i++)
        if (strcmp(one[i].name, name) == 0)
            return named_function(b, one[i].activation);
    return fail(SEPCL_UNSUPPORTED, "function 'tf.%s' is not supported", name);
}
