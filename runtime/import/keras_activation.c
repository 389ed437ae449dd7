/* SPDX-License-Identifier: Apache-2.0 */
/* Activations: as layers, as arguments of other layers, as functions of tensors. */
#include <math.h>
#include <string.h>

#include "import/keras_build.h"

/* Those that are one function of the graph, by the names that Keras has for them. */
static const struct {
    const char *name;
    act         f;
} simple[] = {
    {"linear", {ACT_NONE, 0, 0}},
    {"relu", {ACT_CLAMP, 0, INFINITY}},
    {"relu6", {ACT_CLAMP, 0, 6}},
    {"leaky_relu", {ACT_LEAKY, 0.2f, 0}},
    {"elu", {ACT_ELU, 1, 0}},
    {"selu", {ACT_SELU, 1.6732632423543772f, 1.0507009873554805f}},
    {"celu", {ACT_CELU, 1, 0}},
    {"softplus", {ACT_SOFTPLUS, 0, 0}},
    {"softsign", {ACT_SOFTSIGN, 0, 0}},
    {"soft_shrink", {ACT_SHRINK, 0.5f, 0.5f}},
    {"hard_shrink", {ACT_SHRINK, 0.5f, 0}},
    {"silu", {ACT_SWISH, 1, 0}},
    {"swish", {ACT_SWISH, 1, 0}},
    {"gelu", {ACT_GELU, 0, 0}},
    {"tanh", {ACT_TANH, 0, 0}},
    {"sigmoid", {ACT_SIGMOID, 0, 0}},
    {"sparse_sigmoid", {ACT_HARD_SIGMOID, 0.5f, 0.5f}},
    {"exponential", {ACT_EXP, 0, 0}},
    {"hard_silu", {ACT_HARD_SWISH, 1 / 6.0f, 0.5f}},
    {"hard_swish", {ACT_HARD_SWISH, 1 / 6.0f, 0.5f}},
    {"hard_tanh", {ACT_CLAMP, -1, 1}},
    {"mish", {ACT_MISH, 0, 0}},
};

static status unary(keras_build *b, operand *x, act_kind kind, double p, double q, operand **out)
{
    return emit_unary(&b->common, x, (act){kind, (float)p, (float)q}, out);
}

static status binary(keras_build *b, binary_kind kind, operand *x, operand *y, operand **out)
{
    return emit_binary(&b->common, kind, x, y, out);
}

/* ---------------------------------------------------------------- those that are several */

/* -softplus(-x) */
static status log_sigmoid(keras_build *b, operand *x, operand **out)
{
    operand *y;
    TRY(unary(b, x, ACT_NEG, 0, 0, &y));
    TRY(unary(b, y, ACT_SOFTPLUS, 0, 0, &y));
    return unary(b, y, ACT_NEG, 0, 0, out);
}

static status tanh_shrink(keras_build *b, operand *x, operand **out)
{
    operand *y;
    TRY(unary(b, x, ACT_TANH, 0, 0, &y));
    return binary(b, BINARY_SUB, x, y, out);
}

/* (x + sqrt(x^2 + 4)) / 2 */
static status square_plus(keras_build *b, operand *x, operand **out)
{
    operand *y;
    TRY(binary(b, BINARY_MUL, x, x, &y));
    TRY(unary(b, y, ACT_AFFINE, 1, 4, &y));
    TRY(unary(b, y, ACT_SQRT, 0, 0, &y));
    TRY(binary(b, BINARY_ADD, x, y, &y));
    return unary(b, y, ACT_AFFINE, 0.5, 0, out);
}

/* 0 below -1, x above 1, (x + 1)^2 / 4 between: the square of a clamped half, and what is above 1. */
static status sparse_plus(keras_build *b, operand *x, operand **out)
{
    operand *y, *above;
    TRY(unary(b, x, ACT_HARD_SIGMOID, 0.5, 0.5, &y));
    TRY(binary(b, BINARY_MUL, y, y, &y));
    TRY(unary(b, x, ACT_AFFINE, 1, -1, &above));
    TRY(unary(b, above, ACT_CLAMP, 0, INFINITY, &above));
    return binary(b, BINARY_ADD, y, above, out);
}

/* The first half of the last axis, times the sigmoid of the second. */
static status gated(keras_build *b, operand *x, operand **out)
{
    const int     last = x->shape.rank - 1;
    const int64_t half = last >= 0 ? x->shape.dim[last] / 2 : 0;
    operand      *part[2];
    if (last < 0 || half < 1 || x->shape.dim[last] % 2)
        return fail(SEPCL_BAD_FILE, "the last axis cannot be halved, as activation 'glu' does");
    for (int p = 0; p < 2; p++) {
        attr_slice a = {{0}, {0}, {0}};
        for (int i = 0; i < x->shape.rank; i++) {
            a.start[i] = i == last ? p * half : 0;
            a.step[i] = 1;
            a.size[i] = i == last ? half : x->shape.dim[i];
        }
        TRY(emit_slice(&b->common, x, &a, &part[p]));
    }
    TRY(unary(b, part[1], ACT_SIGMOID, 0, 0, &part[1]));
    return binary(b, BINARY_MUL, part[0], part[1], out);
}

static status last_softmax(keras_build *b, operand *x, operand **out)
{
    if (x->shape.rank < 1)
        return fail(SEPCL_BAD_FILE, "softmax of a scalar");
    return emit_softmax(&b->common, x, x->shape.rank - 1, false, out);
}

static status last_log_softmax(keras_build *b, operand *x, operand **out)
{
    if (x->shape.rank < 1)
        return fail(SEPCL_BAD_FILE, "softmax of a scalar");
    return emit_softmax(&b->common, x, x->shape.rank - 1, true, out);
}

/* Keras 3 has another slope than the versions before it. */
static status hard_sigmoid(keras_build *b, operand *x, operand **out)
{
    return unary(b, x, ACT_HARD_SIGMOID, b->f->version >= 3 ? 1 / 6.0 : 0.2, 0.5, out);
}

static const struct {
    const char *name;
    status (*emit)(keras_build *b, operand *x, operand **out);
} composed[] = {
    {"softmax", last_softmax},      {"log_softmax", last_log_softmax},
    {"hard_sigmoid", hard_sigmoid}, {"log_sigmoid", log_sigmoid},
    {"tanh_shrink", tanh_shrink},   {"squareplus", square_plus},
    {"sparse_plus", sparse_plus},   {"glu", gated},
};

static status by_name(keras_build *b, const char *name, operand *x, operand **out)
{
    for (size_t i = 0; i < sizeof simple / sizeof simple[0]; i++)
        if (strcmp(simple[i].name, name) == 0)
            return emit_unary(&b->common, x, simple[i].f, out);
    for (size_t i = 0; i < sizeof composed / sizeof composed[0]; i++)
        if (strcmp(composed[i].name, name) == 0)
            return composed[i].emit(b, x, out);
    return fail(SEPCL_UNSUPPORTED, "activation '%s' is not supported", name);
}

/* An activation that is a layer, such as a leaky ReLU with its slope. */
static status by_layer(keras_build *b, const char *class_name, const json_t *config, operand *x, operand **out)
{
    const keras_type *type = keras_layer_type(class_name);
    const json_t     *before = b->config;
    operand         **in = b->in, *only = x, *result = b->out;
    const int         n_in = b->n_in;
    if (!type || type->weights[0] || !keras_is(config, JSON_OBJECT))
        return fail(SEPCL_UNSUPPORTED, "an activation of class '%s' is not supported", class_name);
    b->config = config;
    b->in = &only;
    b->n_in = 1;
    const status st = type->build(b, type->arg);
    *out = b->out;
    b->config = before;
    b->in = in;
    b->n_in = n_in;
    b->out = result;
    return st;
}

status keras_activate(keras_build *b, const char *key, operand *x, operand **out)
{
    const json_t *v = keras_get(b->config, key);
    const char   *class_name = keras_get_text(v, "class_name", NULL);
    *out = x;
    if (!v)
        return SEPCL_OK;
    if (keras_is(v, JSON_STRING))
        return by_name(b, json_string_value(v), x, out);
    if (!class_name)
        return fail(SEPCL_BAD_FILE, "setting '%s' is no activation", key);
    if (strchr(keras_get_text(v, "registered_name", ""), '>'))
        return fail(SEPCL_UNSUPPORTED, "the activation is not Keras's own (it is '%s')",
                    keras_get_text(v, "registered_name", ""));
    if (strcmp(class_name, "function") == 0)
        return by_name(b, keras_get_text(v, "config", ""), x, out);
    return by_layer(b, class_name, json_object_get(v, "config"), x, out);
}

/* ---------------------------------------------------------------- layers */

status keras_op_activation(keras_build *b, int arg)
{
    operand *x, *y;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    if (!keras_get(b->config, "activation"))
        return fail(SEPCL_BAD_FILE, "setting 'activation' is missing");
    TRY(keras_activate(b, "activation", x, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

/* x where it is above the threshold, 0 elsewhere; then at most max. */
static status upper_part(keras_build *b, operand *x, double threshold, double most, operand **out)
{
    if (threshold == 0)
        return unary(b, x, ACT_CLAMP, 0, most, out);
    TRY(unary(b, x, ACT_THRESHOLD, threshold, 0, out));
    return isinf(most) ? SEPCL_OK : unary(b, *out, ACT_CLAMP, 0, most, out);
}

status keras_op_relu(keras_build *b, int arg)
{
    operand     *x, *y, *below;
    const double slope = cfg_number(b, "negative_slope", 0), threshold = cfg_number(b, "threshold", 0);
    const double most = cfg_number(b, "max_value", INFINITY);
    (void)arg;
    TRY(keras_in(b, 0, &x));
    if (slope < 0 || threshold < 0 || most < 0)
        return fail(SEPCL_BAD_FILE, "a negative slope, threshold or greatest value: %g, %g, %g", slope, threshold,
                    most);
    if (slope != 0 && threshold == 0 && isinf(most)) {
        TRY(unary(b, x, ACT_LEAKY, slope, 0, &y));
    } else {
        TRY(upper_part(b, x, threshold, most, &y));
        if (slope != 0) { /* minus slope * relu(threshold - x) */
            TRY(unary(b, x, ACT_AFFINE, -1, threshold, &below));
            TRY(unary(b, below, ACT_CLAMP, 0, INFINITY, &below));
            TRY(unary(b, below, ACT_AFFINE, slope, 0, &below));
            TRY(binary(b, BINARY_SUB, y, below, &y));
        }
    }
    keras_out(b, y);
    return SEPCL_OK;
}

static status one_parameter(keras_build *b, act_kind kind, double parameter)
{
    operand *x, *y;
    TRY(keras_in(b, 0, &x));
    TRY(unary(b, x, kind, parameter, 0, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

status keras_op_leaky_relu(keras_build *b, int arg)
{
    (void)arg;
    return one_parameter(b, ACT_LEAKY, cfg_number(b, "negative_slope", cfg_number(b, "alpha", 0.3)));
}

status keras_op_elu(keras_build *b, int arg)
{
    (void)arg;
    return one_parameter(b, ACT_ELU, cfg_number(b, "alpha", 1));
}

status keras_op_thresholded_relu(keras_build *b, int arg)
{
    (void)arg;
    return one_parameter(b, ACT_THRESHOLD, cfg_number(b, "theta", 1));
}

status keras_op_prelu(keras_build *b, int arg)
{
    operand *x, *y, *alpha;
    shape    s;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    TRY(keras_weight_of(b, "alpha", &alpha));
    if (!shape_broadcast(&x->shape, &alpha->shape, &s) || !shape_equal(&s, &x->shape))
        return fail(SEPCL_BAD_FILE, "the slopes do not suit the input");
    TRY(binary(b, BINARY_PRELU, x, alpha, &y));
    keras_out(b, y);
    return SEPCL_OK;
}

status keras_op_softmax(keras_build *b, int arg)
{
    operand *x, *y;
    int      axis;
    (void)arg;
    TRY(keras_in(b, 0, &x));
    if (json_array_size(keras_get(b->config, "axis")) > 1)
        return fail(SEPCL_UNSUPPORTED, "softmax over several axes is not supported");
    TRY(cfg_axis(b, "axis", -1, x->shape.rank, &axis));
    TRY(emit_softmax(&b->common, x, axis, false, &y));
    keras_out(b, y);
    return SEPCL_OK;
}
