/* SPDX-License-Identifier: Apache-2.0 */
/* Models in Keras files that ask for what layers, functions and models in models refuse, and the words in which they
 * do. */
#include "keras_text.h"

typedef struct row {
    status      want;
    const char *text, *config;
} row;

#define BAD SEPCL_BAD_FILE
#define NOT SEPCL_UNSUPPORTED

#define PLANE(...) CHAIN(INPUT "," __VA_ARGS__)
#define ROW(...) CHAIN(VECTOR "," __VA_ARGS__)
#define DOT LAYER("InputLayer", "x", "\"batch_input_shape\":[]")
#define LINE LAYER("InputLayer", "x", "\"batch_input_shape\":[null,8,3]")

static const row layers[] = {
    {BAD, "the last axis cannot be halved", PLANE(LAYER("Activation", "a", "\"activation\":\"glu\""))},
    {BAD, "the last axis cannot be halved", CHAIN(DOT "," LAYER("Activation", "a", "\"activation\":\"glu\""))},
    {BAD, "softmax of a scalar", CHAIN(DOT "," LAYER("Activation", "a", "\"activation\":\"softmax\""))},
    {BAD, "softmax of a scalar", CHAIN(DOT "," LAYER("Activation", "a", "\"activation\":\"log_softmax\""))},
    {NOT, "the activation is not Keras's own (it is 'mine>swoosh')",
     PLANE(LAYER(
         "Activation", "a",
         "\"activation\":{\"class_name\":\"function\",\"config\":\"swoosh\",\"registered_name\":\"mine>swoosh\"}"))},
    {NOT, "weights of low rank (LoRA) are not supported", ROW(LAYER("Dense", "d", "\"units\":2,\"lora_rank\":4"))},
    {NOT, "quantised models are not supported", ROW(LAYER("Dense", "d", "\"quantization_mode\":\"int8\""))},
    {NOT, "input 'x' is sparse or ragged",
     CHAIN(LAYER("InputLayer", "x", "\"batch_input_shape\":[null,4],\"sparse\":true") "," LAYER("ReLU", "r",
                                                                                                NO_SETTINGS))},
    {NOT, "input 'x' is sparse or ragged",
     CHAIN(LAYER("InputLayer", "x", "\"batch_input_shape\":[null,4],\"ragged\":true") "," LAYER("ReLU", "r",
                                                                                                NO_SETTINGS))},
    {BAD, "layer 'r' (ReLU) has no settings", CHAIN(INPUT ",{\"class_name\":\"ReLU\",\"name\":\"r\",\"config\":7}")},
    {NOT, "rms_scaling is not supported",
     ROW(LAYER("LayerNormalization", "n", "\"scale\":false,\"center\":false,\"rms_scaling\":true"))},
    {BAD, "setting 'scale' is neither a number nor 4 numbers", ROW(LAYER("Rescaling", "s", "\"scale\":[1,2]"))},
    {BAD, "setting 'offset' is neither a number nor 4 numbers",
     ROW(LAYER("Rescaling", "s", "\"scale\":[1,2,3,4],\"offset\":[\"one\"]"))},
    {BAD, "setting 'mean' is neither a number nor 4 numbers",
     ROW(LAYER("Normalization", "n", "\"mean\":[1,2,3,4,5],\"variance\":1"))},
    {BAD, "setting 'variance' is neither a number nor 4 numbers",
     ROW(LAYER("Normalization", "n", "\"mean\":[1,2,3,4],\"variance\":{}"))},
    {BAD, "axis 2 is outside a tensor of 2 dimensions",
     ROW(LAYER("Normalization", "n", "\"axis\":2,\"mean\":1,\"variance\":1"))},
    {BAD, "the input is a scalar", CHAIN(DOT "," LAYER("Flatten", "f", NO_SETTINGS))},
    {BAD, "setting 'target_shape' is missing or has more than 7 extents", ROW(LAYER("Reshape", "r", NO_SETTINGS))},
    {BAD, "setting 'target_shape'", ROW(LAYER("Reshape", "r", "\"target_shape\":[1,1,1,1,1,1,1,4]"))},
    {BAD, "setting 'n' is 0", ROW(LAYER("RepeatVector", "r", NO_SETTINGS))},
    {BAD, "setting 'n' is 99999999999", ROW(LAYER("RepeatVector", "r", "\"n\":99999999999"))},
    {BAD, "must have 2 dimensions", PLANE(LAYER("RepeatVector", "r", "\"n\":2"))},
    {BAD, "setting 'dims' is no order of 3 axes", PLANE(LAYER("Permute", "p", "\"dims\":[1,2]"))},
    {BAD, "setting 'dims' is no order of 3 axes", PLANE(LAYER("Permute", "p", "\"dims\":[0,1,2]"))},
    {BAD, "setting 'dims' is no order of 3 axes", PLANE(LAYER("Permute", "p", "\"dims\":[1,2,4]"))},
    {BAD, "setting 'strides' is no list of whole numbers", PLANE(LAYER("MaxPooling2D", "p", "\"strides\":[1,2,3]"))},
    {BAD, "setting 'strides' has 2 entries for 1 axes",
     CHAIN(LINE "," LAYER("MaxPooling1D", "p", "\"strides\":[1,2]"))},
    {BAD, "setting 'axis' is an empty list", PLANE(LAYER("Softmax", "s", "\"axis\":[]"))},
    {BAD, "axis 9 is outside", ROW(LAYER("LayerNormalization", "n", "\"scale\":false,\"center\":false,\"axis\":9"))},
    {BAD, "setting 'padding' is no margins", PLANE(LAYER("ZeroPadding2D", "z", "\"padding\":[[1,2],[3,\"four\"]]"))},
    {BAD, "setting 'padding' is no margins", CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":\"wide\""))},
    {BAD, "setting 'size' has the entry 0", PLANE(LAYER("UpSampling2D", "u", "\"size\":[0,2]"))},
    {BAD, "setting 'n' is no whole number", ROW(LAYER("RepeatVector", "r", "\"n\":2.5"))},
    {BAD, "setting 'n' is no whole number", ROW(LAYER("RepeatVector", "r", "\"n\":\"two\""))},
    {SEPCL_OK, NULL, ROW(LAYER("RepeatVector", "r", "\"n\":2.0"))},
    {SEPCL_OK, NULL, ROW(LAYER("RepeatVector", "r", "\"n\":{\"type\":\"ndarray\",\"value\":3}"))},
    {BAD, "setting 'rms_scaling' is neither true nor false",
     ROW(LAYER("LayerNormalization", "n", "\"scale\":false,\"center\":false,\"rms_scaling\":1"))},
    {BAD, "setting 'interpolation' is no text", PLANE(LAYER("UpSampling2D", "u", "\"interpolation\":7"))},
    {BAD, "setting 'dims' is no list of whole numbers", PLANE(LAYER("Permute", "p", "\"dims\":\"swap\""))},
    {BAD, "setting 'dims' is no list of whole numbers", PLANE(LAYER("Permute", "p", "\"dims\":[1,2.5,3]"))},
    {BAD, "the shape of 'x' is no list of at most 8 extents",
     CHAIN(LAYER("InputLayer", "x", "\"batch_shape\":7") "," LAYER("ReLU", "r", NO_SETTINGS))},
    {NOT, "the shape of 'x' is no list of at most 8 extents",
     CHAIN(LAYER("InputLayer", "x", "\"batch_shape\":[1,1,1,1,1,1,1,1,1]") "," LAYER("ReLU", "r", NO_SETTINGS))},
    {BAD, "extent 1 of 'x' is no number from 1",
     CHAIN(LAYER("InputLayer", "x", "\"batch_shape\":[null,99999999999]") "," LAYER("ReLU", "r", NO_SETTINGS))},
    {SEPCL_OK, NULL,
     CHAIN(LAYER("InputLayer", "x", "\"batch_shape\":[null,4],\"dtype\":\"bfloat16\"") "," LAYER("ReLU", "r",
                                                                                                 NO_SETTINGS))},
    {BAD, "a negative slope", PLANE(LAYER("ReLU", "r", "\"threshold\":-1.0"))},
    {BAD, "a negative slope", PLANE(LAYER("ReLU", "r", "\"max_value\":-1.0"))},
    {NOT, "data_format 'sideways' is not supported", PLANE(LAYER("Flatten", "f", "\"data_format\":\"sideways\""))},
};

static void refused_layers(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof layers / sizeof layers[0]; i++) {
        wrong += !answers(kw_h5(layers[i].config, "2.15.0", NULL, 0, false), layers[i].want, layers[i].text);
        wrong += !answers(kw_keras(layers[i].config, NULL, 0), layers[i].want, layers[i].text);
    }
    assert_int_equal(wrong, 0);
}

/* ---------------------------------------------------------------- how layers are called */

/* A layer with these inbound nodes, in a model of it and an input. */
#define CALLED(class_name, settings, inbound)                                                                          \
    NET("[\"l\",0,0]", START ",{\"class_name\":\"" class_name "\",\"name\":\"l\",\"config\":{\"name\":\"l\"," settings \
                             "},\"inbound_nodes\":" inbound "}")
#define INNER(name)                                                                                                    \
    "{\"class_name\":\"Functional\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\",\"layers\":["              \
    "{\"class_name\":\"InputLayer\",\"name\":\"a\",\"config\":{\"name\":\"a\",\"batch_input_shape\":[null,8,8,3]},"    \
    "\"inbound_nodes\":[]},"                                                                                           \
    "{\"class_name\":\"InputLayer\",\"name\":\"b\",\"config\":{\"name\":\"b\",\"batch_input_shape\":[null,8,8,3]},"    \
    "\"inbound_nodes\":[]},"                                                                                           \
    "{\"class_name\":\"Add\",\"name\":\"s\",\"config\":{\"name\":\"s\",\"trainable\":true},"                           \
    "\"inbound_nodes\":[[[\"a\",0,0,{}],[\"b\",0,0,{}]]]}],"                                                           \
    "\"input_layers\":[[\"a\",0,0],[\"b\",0,0]],\"output_layers\":[[\"s\",0,0]]}"

static const row calls[] = {
    {BAD, "call -1 and output 0 of layer 'x' cannot be", CALLED("ReLU", NO_SETTINGS, "[[[\"x\",-1,0,{}]]]")},
    {BAD, "call 0 and output 9999999999 of layer 'x' cannot be",
     CALLED("ReLU", NO_SETTINGS, "[[[\"x\",0,9999999999,{}]]]")},
    {BAD, "an input is not written as layer, call and output", CALLED("ReLU", NO_SETTINGS, "[[[\"x\",0]]]")},
    {BAD, "an input is not written as layer, call and output", CALLED("ReLU", NO_SETTINGS, "[[[7,0,0]]]")},
    {NOT, "its inputs are in a form that is not supported", CALLED("ReLU", NO_SETTINGS, "[7]")},
    {BAD, "a tensor does not say where it comes from",
     CALLED("ReLU", NO_SETTINGS, "[{\"args\":[{\"class_name\":\"__keras_tensor__\",\"config\":{}}],\"kwargs\":{}}]")},
    {BAD, "the layer is called on 0 tensors, but needs more", CALLED("ReLU", NO_SETTINGS, "[[]]")},
    {NOT, "the model's 'one' is no single tensor", NET("{\"one\":[[\"l\",0,0]]}", START "," ON("ReLU", "l", "x", ""))},
    {BAD, "input 'l' of model 'm' is no input layer",
     "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" START
     "," ON("ReLU", "l", "x", "") "],"
                                  "\"input_layers\":[[\"l\",0,0]],\"output_layers\":[[\"l\",0,0]]}}"},
    {BAD, "sequential model 'm' has an input in the middle",
     CHAIN(INPUT
           "," LAYER("ReLU", "r", NO_SETTINGS) "," LAYER("InputLayer", "y", "\"batch_input_shape\":[null,8,8,3]"))},
    {BAD, "layer 'two' of sequential model 'm' has 2 inputs and 1 outputs", CHAIN(INPUT "," INNER("two") "}")},
    {BAD, "model 'two' has 2 inputs, but is called on 1 tensors",
     NET("[\"two\",0,0]", START "," INNER("two") ",\"inbound_nodes\":[[[\"x\",0,0,{}]]]}")},
    {NOT, "model 'two' is called on something that is no tensor",
     NET("[\"two\",0,0]",
         START "," INNER("two") ",\"inbound_nodes\":[[[\"x\",0,0,{}],[\"_CONSTANT_VALUE\",-1,3,{}]]]}")},
    {SEPCL_OK, NULL,
     NET("[\"two\",0,0]", START "," INNER("two") ",\"inbound_nodes\":[[[\"x\",0,0,{}],[\"x\",0,0,{}]]]}")},
    {NOT, "3 arguments instead of 2 are not supported",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":1,\"z\":2}]]")},
    {NOT, "an argument that is neither a tensor nor a number is not supported",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":\"text\"}]]")},
    {NOT, "2 arguments instead of one are not supported",
     CALLED("TFOpLambda", "\"function\":\"math.exp\"", "[[\"x\",0,0,{\"y\":1}]]")},
    {SEPCL_OK, NULL, CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":1.5}]]")},
};

static void refused_calls(void **state)
{
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof calls / sizeof calls[0]; i++)
        wrong += !answers(kw_h5(calls[i].config, "2.15.0", NULL, 0, false), calls[i].want, calls[i].text);
    assert_int_equal(wrong, 0);
}

/* ---------------------------------------------------------------- weights of windows */

static void refused_windows(void **state)
{
    static const char depth[] = PLANE(LAYER("DepthwiseConv2D", "c", "\"use_bias\":false"));
    static const char both[] = PLANE(LAYER("SeparableConv2D", "c", "\"use_bias\":false"));
    static const char back[] = PLANE(LAYER("Conv2DTranspose", "c", "\"use_bias\":false,\"output_padding\":[0,0]"));
    static const char line[] = CHAIN(LINE "," LAYER("Conv1D", "c", "\"use_bias\":false,\"padding\":\"causal\""));
    static const char wide[] =
        CHAIN(LINE "," LAYER("Conv1D", "c", "\"use_bias\":false,\"padding\":\"causal\",\"dilation_rate\":60000"));
    static const char plane[] = PLANE(LAYER("Conv2D", "c", "\"use_bias\":false,\"padding\":\"causal\""));
    static const char slopes[] = PLANE(LAYER("PReLU", "c", "\"shared_axes\":[1,2]"));
    static const struct {
        status      want;
        const char *text, *config;
        kw_weights  weights;
    } rows[] = {
        {SEPCL_OK, NULL, depth, {"c", 1, {{4, {3, 3, 3, 2}}}}},
        {BAD, "does not suit an input of 3 channels", depth, {"c", 1, {{4, {3, 3, 2, 2}}}}},
        {BAD, "has no elements", depth, {"c", 1, {{4, {3, 3, 3, 0}}}}},
        {SEPCL_OK, NULL, both, {"c", 2, {{4, {3, 3, 3, 2}}, {4, {1, 1, 6, 5}}}}},
        {BAD, "the pointwise kernel has no extents of 1", both, {"c", 2, {{4, {3, 3, 3, 2}}, {4, {1, 2, 6, 5}}}}},
        {BAD, "the pointwise kernel has no extents of 1", both, {"c", 2, {{4, {3, 3, 3, 2}}, {3, {1, 6, 5}}}}},
        {BAD, "does not suit an input of 6 channels", both, {"c", 2, {{4, {3, 3, 3, 2}}, {4, {1, 1, 5, 5}}}}},
        {SEPCL_OK, NULL, back, {"c", 1, {{4, {3, 3, 5, 3}}}}},
        {BAD, "does not suit an input of 3 channels", back, {"c", 1, {{4, {3, 3, 5, 4}}}}},
        {SEPCL_OK, NULL, line, {"c", 1, {{3, {3, 3, 5}}}}},
        {BAD, "a kernel of shape 3x3x3x5 for 1 axes", line, {"c", 1, {{4, {3, 3, 3, 5}}}}},
        {SEPCL_OK, NULL, line, {"c", 1, {{4, {3, 1, 3, 5}}}}}, /* as Keras 1 wrote it */
        {NOT, "causal padding of 240000 on 1 axes", wide, {"c", 1, {{3, {5, 3, 5}}}}},
        {BAD, "causal padding of 2 on 2 axes", plane, {"c", 1, {{4, {3, 3, 3, 5}}}}},
        {SEPCL_OK, NULL, slopes, {"c", 1, {{3, {1, 1, 3}}}}},
        {BAD, "the slopes do not suit the input", slopes, {"c", 1, {{3, {1, 1, 2}}}}},
        {BAD, "the slopes do not suit the input", slopes, {"c", 1, {{5, {2, 1, 1, 1, 3}}}}},
    };
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        wrong += !answers(kw_h5(rows[i].config, "2.15.0", &rows[i].weights, 1, false), rows[i].want, rows[i].text);
    assert_int_equal(wrong, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_layers),
        cmocka_unit_test(refused_calls),
        cmocka_unit_test(refused_windows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
