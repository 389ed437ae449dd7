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

/* A model of two inputs. */
#define INNER(name)                                                                                                    \
    "{\"class_name\":\"Functional\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\",\"layers\":["              \
    "{\"class_name\":\"InputLayer\",\"name\":\"a\",\"config\":{\"name\":\"a\",\"batch_input_shape\":[null,8,8,3]},"    \
    "\"inbound_nodes\":[]},"                                                                                           \
    "{\"class_name\":\"InputLayer\",\"name\":\"b\",\"config\":{\"name\":\"b\",\"batch_input_shape\":[null,8,8,3]},"    \
    "\"inbound_nodes\":[]},"                                                                                           \
    "{\"class_name\":\"Add\",\"name\":\"s\",\"config\":{\"name\":\"s\",\"trainable\":true},"                           \
    "\"inbound_nodes\":[[[\"a\",0,0,{}],[\"b\",0,0,{}]]]}],"                                                           \
    "\"input_layers\":[[\"a\",0,0],[\"b\",0,0]],\"output_layers\":[[\"s\",0,0]]}"

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
    /* settings at and beyond their ends */
    {BAD, "setting 'n' is no whole number", ROW(LAYER("RepeatVector", "r", "\"n\":1e300"))},
    {BAD, "setting 'n' is no whole number", ROW(LAYER("RepeatVector", "r", "\"n\":-1e300"))},
    {SEPCL_OK, NULL, CHAIN(LINE "," LAYER("ZeroPadding1D", "z", NO_SETTINGS))},
    {SEPCL_OK, NULL, CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":[0,3]"))},
    {BAD, "setting 'padding' is no margins", CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":[1,\"x\"]"))},
    {BAD, "setting 'padding' is no margins", CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":[\"x\",1]"))},
    {BAD, "setting 'padding' is no margins", CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":[-1,0]"))},
    {BAD, "setting 'padding' is no margins", CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":[0,-1]"))},
    {BAD, "setting 'padding' is no margins",
     CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":[99999999999,0]"))},
    {BAD, "setting 'padding' is no margins",
     CHAIN(LINE "," LAYER("ZeroPadding1D", "z", "\"padding\":[0,99999999999]"))},
    {SEPCL_OK, NULL, PLANE(LAYER("ZeroPadding2D", "z", "\"padding\":[1,2,1,0]"))}, /* as Keras 1 has them */
    {BAD, "setting 'padding' is no margins", PLANE(LAYER("ZeroPadding2D", "z", "\"padding\":[1,2,\"x\",0]"))},
    {SEPCL_OK, NULL, PLANE(LAYER("Flatten", "f", "\"data_format\":\"channels_first\""))},
    {SEPCL_OK, NULL, ROW(LAYER("Flatten", "f", "\"data_format\":\"channels_first\""))},
    {BAD, "setting 'target_shape' is missing", CHAIN(DOT "," LAYER("Reshape", "r", "\"target_shape\":[1]"))},
    {BAD, "setting 'target_shape' has the entry -1", ROW(LAYER("Reshape", "r", "\"target_shape\":[-1,-1]"))},
    {BAD, "setting 'target_shape' has the entry 0", ROW(LAYER("Reshape", "r", "\"target_shape\":[4,0]"))},
    {BAD, "setting 'target_shape' has the entry 3000000000",
     ROW(LAYER("Reshape", "r", "\"target_shape\":[3000000000]"))},
    {BAD, "setting 'target_shape' has the entry 9223372036854775807",
     ROW(LAYER("Reshape", "r", "\"target_shape\":[2,9223372036854775807]"))},
    {NOT, "axes other than the last ones",
     PLANE(LAYER("LayerNormalization", "n", "\"scale\":false,\"center\":false,\"axis\":[]"))},
    {NOT, "axes other than the last ones",
     PLANE(LAYER("LayerNormalization", "n", "\"scale\":false,\"center\":false,\"axis\":[1,3]"))},
    {SEPCL_OK, NULL, PLANE(LAYER("LayerNormalization", "n", "\"scale\":false,\"center\":false,\"axis\":[1,2,3]"))},
    {SEPCL_OK, NULL, ROW(LAYER("Rescaling", "s", "\"scale\":[1,2,3,4]"))},
    {SEPCL_OK, NULL, ROW(LAYER("Rescaling", "s", "\"offset\":[1,2,3,4]"))},
    {SEPCL_OK, NULL, ROW(LAYER("Rescaling", "s", "\"scale\":[2],\"offset\":[[1],[2],[3,4]]"))},
    {SEPCL_OK, NULL, CHAIN(DOT "," LAYER("Rescaling", "s", "\"scale\":[2]"))},
    {BAD, "setting 'scale' is neither a number nor 4 numbers",
     ROW(LAYER("Rescaling", "s", "\"scale\":[[[[[[[[[[[[1]]]]]]]]]]]]"))},
    {BAD, "setting 'scale' is neither a number nor 4 numbers", ROW(LAYER("Rescaling", "s", "\"scale\":[]"))},
    {SEPCL_OK, NULL, ROW(LAYER("Normalization", "n", "\"axis\":null,\"mean\":1,\"variance\":2"))},
    {SEPCL_OK, NULL, ROW(LAYER("Normalization", "n", "\"mean\":1,\"variance\":2,\"invert\":true"))},
    /* activations as objects */
    {SEPCL_OK, NULL, PLANE(LAYER("Activation", "a", "\"activation\":\"hard_sigmoid\""))},
    {SEPCL_OK, NULL,
     PLANE(LAYER("Activation", "a",
                 "\"activation\":{\"class_name\":\"function\",\"config\":\"relu\",\"registered_name\":\"relu\"}"))},
    {SEPCL_OK, NULL,
     PLANE(LAYER("Activation", "a",
                 "\"activation\":{\"class_name\":\"LeakyReLU\",\"config\":{\"negative_slope\":0.5}}"))},
    {NOT, "an activation of class 'Nothing' is not supported",
     PLANE(LAYER("Activation", "a", "\"activation\":{\"class_name\":\"Nothing\",\"config\":{}}"))},
    {NOT, "an activation of class 'ReLU' is not supported",
     PLANE(LAYER("Activation", "a", "\"activation\":{\"class_name\":\"ReLU\",\"config\":7}"))},
    /* what a layer is */
    {NOT, "quantised models are not supported",
     ROW(LAYER("ReLU", "r", "\"dtype\":{\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"int8\"}}"))},
    {SEPCL_OK, NULL,
     ROW(LAYER("ReLU", "r", "\"dtype\":{\"class_name\":\"DTypePolicy\",\"config\":{\"name\":\"float32\"}}"))},
    {SEPCL_OK, NULL,
     CHAIN(VECTOR ",{\"class_name\":\"HardSilu\",\"module\":\"keras.ops\",\"config\":{\"name\":\"r\"}}")},
    {SEPCL_OK, NULL,
     CHAIN(VECTOR ",{\"class_name\":\"Exp\",\"module\":\"keras.src.ops.numpy\",\"config\":{\"name\":\"r\"}}")},
    {NOT, "layer 'r' (Exp): the layer is not supported",
     CHAIN(VECTOR ",{\"class_name\":\"Exp\",\"config\":{\"name\":\"r\",\"dtype\":\"float32\"}}")},
    {NOT, "layer 'r' (Exp): the layer is not supported",
     CHAIN(VECTOR ",{\"class_name\":\"Exp\",\"config\":{\"name\":\"r\",\"trainable\":true}}")},
    {NOT, "(it is of 'kerasque')",
     CHAIN(VECTOR ",{\"class_name\":\"ReLU\",\"module\":\"kerasque\",\"config\":{\"name\":\"r\"}}")},
    {BAD, "model 'model' has no settings", "{\"class_name\":\"Functional\",\"config\":[" INPUT "]}"},
    {SEPCL_OK, NULL, "{\"class_name\":\"Sequential\",\"config\":[" INPUT "," LAYER("ReLU", "r", NO_SETTINGS) "]}"},
    {SEPCL_OK, NULL,
     "{\"class_name\":\"Sequential\",\"config\":{\"name\":\"m\",\"trainable\":false,\"layers\":[" INPUT
     "," LAYER("ReLU", "r", NO_SETTINGS) "]}}"},
    {SEPCL_OK, NULL, CHAIN(CHAIN(INPUT "," LAYER("ReLU", "r", NO_SETTINGS)) "," LAYER("ReLU", "q", NO_SETTINGS))},
    {SEPCL_OK, NULL,
     CHAIN(INPUT ",{\"class_name\":\"Sequential\",\"config\":[" LAYER("ReLU", "r",
                                                                      "\"batch_input_shape\":[null,8,8,3]") "]}")},
    {BAD, "sequential model 'm' has no input shape: it was saved before it was built",
     CHAIN(INNER("two") "}," LAYER("ReLU", "q", NO_SETTINGS))},
    /* words of Keras 1 */
    {SEPCL_OK, NULL, PLANE(LAYER("MaxPooling2D", "p", "\"border_mode\":\"full\",\"padding\":\"valid\""))},
    {NOT, "padding 'full' is not supported", PLANE(LAYER("MaxPooling2D", "p", "\"border_mode\":\"full\""))},
    {SEPCL_OK, NULL, PLANE(LAYER("Flatten", "f", "\"dim_ordering\":\"th\""))},
    {SEPCL_OK, NULL, PLANE(LAYER("Flatten", "f", "\"dim_ordering\":\"tf\""))},
    {SEPCL_OK, NULL, PLANE(LAYER("Flatten", "f", "\"dim_ordering\":\"default\""))},
    {SEPCL_OK, NULL, PLANE(LAYER("ReLU", "r", "\"nb_row\":3"))},
    {SEPCL_OK, NULL, PLANE(LAYER("ReLU", "r", "\"nb_row\":3,\"nb_col\":3"))},
    {SEPCL_OK, NULL, PLANE(LAYER("ReLU", "r", "\"nb_row\":3,\"nb_col\":3,\"kernel_size\":[3,3]"))},
    {SEPCL_OK, NULL, PLANE(LAYER("Merge", "g", "\"mode\":\"sum\",\"trainable\":true"))},
    {NOT, "a Lambda is a program in Python", PLANE(LAYER("Merge", "g", "\"mode\":\"f\",\"mode_type\":\"lambda\""))},
    {NOT, "layer 'g' (Merge): the layer is not supported", PLANE(LAYER("Merge", "g", "\"mode\":\"cos\""))},
    {BAD, "layer 'c' (Convolution2D) has no settings",
     CHAIN(INPUT ",{\"class_name\":\"Convolution2D\",\"name\":\"c\",\"config\":7}")},
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
#define TENSOR(layer) "{\"class_name\":\"__keras_tensor__\",\"config\":{\"keras_history\":[\"" layer "\",0,0]}}"

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
    {BAD, "an input is not written as layer, call and output", CALLED("ReLU", NO_SETTINGS, "[[[\"x\",0.5,0,{}]]]")},
    {BAD, "an input is not written as layer, call and output",
     CALLED("ReLU", NO_SETTINGS, "[[[\"x\",0,\"first\",{}]]]")},
    {BAD, "output 0 of call 5 is used", CALLED("ReLU", NO_SETTINGS, "[[[\"x\",5,0,{}]]]")},
    {BAD, "there is no layer 'nobody'",
     CALLED("ReLU", NO_SETTINGS,
            "[{\"args\":[{\"class_name\":\"__keras_tensor__\",\"config\":{\"keras_history\":[\"nobody\",0,0]}}]}]")},
    {BAD, "there is no layer 'nobody'",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":[\"nobody\",0,0]}]]")},
    {BAD, "there is no layer 'nobody'",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":[[\"x\",0,0],[\"nobody\",0,0]]}]]")},
    {SEPCL_OK, NULL, CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":[\"x\",0,0]}]]")},
    {SEPCL_OK, NULL, CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":[[\"x\",0,0]]}]]")},
    {SEPCL_OK, NULL,
     CALLED("ReLU", NO_SETTINGS, "[[[\"x\",0,0,{\"mask\":[1],\"training\":true,\"name\":\"n\",\"other\":null}]]]")},
    {NOT, "an argument that is neither a tensor nor a number is not supported",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":{\"class_name\":\"Other\"}}]]")},
    {NOT, "an argument that is neither a tensor nor a number is not supported",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{\"y\":[[[[[[[[[[[[\"x\",0,0]]]]]]]]]]]]}]]")},
    {NOT, "an argument that is neither a tensor nor a number is not supported",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"_CONSTANT_VALUE\",-1,\"text\",{\"y\":[\"x\",0,0]}]]")},
    {NOT, "2 arguments instead of one are not supported",
     CALLED("TFOpLambda", "\"function\":\"nn.relu\"", "[[\"x\",0,0,{\"y\":1}]]")},
    {NOT, "1 arguments instead of 2 are not supported",
     CALLED("TFOpLambda", "\"function\":\"math.add\"", "[[\"x\",0,0,{}]]")},
    {BAD, "the layer is called on 1 tensors, but needs more",
     CALLED("TFOpLambda", "\"function\":\"nn.relu\"", "[[\"_CONSTANT_VALUE\",-1,2,{}]]")},
    {BAD, "the layer is called on 2 tensors, but needs more",
     CALLED("Add", NO_SETTINGS, "[[[\"x\",0,0,{}],[\"_CONSTANT_VALUE\",-1,3,{}]]]")},
    {BAD, "the layer is called on 2 tensors, but needs more",
     CALLED("Concatenate", NO_SETTINGS, "[[[\"x\",0,0,{}],[\"_CONSTANT_VALUE\",-1,3,{}]]]")},
    {BAD, "axis 9 is outside", CALLED("Concatenate", "\"axis\":9", "[[[\"x\",0,0,{}],[\"x\",0,0,{}]]]")},
    {BAD, "the layer merges 1 tensors", CALLED("Subtract", NO_SETTINGS, "[[[\"x\",0,0,{}]]]")},
    {SEPCL_OK, NULL, CALLED("Add", NO_SETTINGS, "[[[\"x\",0,0,{}]]]")},
    {BAD, "model 'm' has 0 inputs and 1 outputs",
     "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" START
     "],\"input_layers\":[],\"output_layers\":[[\"x\",0,0]]}}"},
    {BAD, "there is no layer 'nobody'", NET("{\"one\":[\"nobody\",0,0]}", START)},
    {SEPCL_OK, NULL, NET("{\"one\":[\"l\",0,0],\"two\":[\"x\",0,0]}", START "," ON("ReLU", "l", "x", ""))},
    {BAD, "there is no layer 'nobody'", NET("[[\"x\",0,0],[\"nobody\",0,0]]", START)},
    {BAD, "there is no layer 'nobody'",
     "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[" START
     "],\"input_layers\":[[\"nobody\",0,0]],\"output_layers\":[[\"x\",0,0]]}}"},
    {SEPCL_OK, NULL, /* listed against their order */
     NET("[\"b\",0,0]", ON("ReLU", "b", "a", "") "," ON("ReLU", "a", "x", "") "," START)},
    {BAD, "output 0 of call -1 is used", /* Keras 3 counts a model's calls from 1 where it lists outputs */
     NET("[\"two\",0,0]",
         START "," INNER("two") ",\"inbound_nodes\":[{\"args\":[[" TENSOR("x") "," TENSOR("x") "]]}]}")},
    {SEPCL_OK, NULL,
     NET("[\"two\",1,0]",
         START "," INNER("two") ",\"inbound_nodes\":[{\"args\":[[" TENSOR("x") "," TENSOR("x") "]]}]}")},
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
    static const char renorm[] = PLANE(LAYER("BatchNormalization", "c", "\"renorm\":true"));
    static const char batches[] = PLANE(LAYER("BatchNormalization", "c", "\"virtual_batch_size\":4"));
    static const char rows_norm[] = PLANE(LAYER("BatchNormalization", "c", "\"axis\":1"));
    static const char no_axis[] = PLANE(LAYER("BatchNormalization", "c", "\"axis\":4"));
    static const char layer_norm[] = PLANE(LAYER("LayerNormalization", "c", NO_SETTINGS));
    static const char dense[] = ROW(LAYER("Dense", "c", NO_SETTINGS));
    static const char dot[] = CHAIN(DOT "," LAYER("Dense", "c", NO_SETTINGS));
    static const char no_group[] = PLANE(LAYER("Conv2D", "c", "\"use_bias\":false,\"groups\":0"));
    static const char groups[] = PLANE(LAYER("Conv2D", "c", "\"use_bias\":false,\"groups\":9999999999"));
    static const char wide_plane[] = PLANE(LAYER("Conv2D", "c", "\"use_bias\":false,\"padding\":\"wide\""));
    static const char wide_depth[] = PLANE(LAYER("DepthwiseConv2D", "c", "\"use_bias\":false,\"padding\":\"causal\""));
    static const char narrow[] = CHAIN(LAYER("InputLayer", "x", "\"batch_input_shape\":[null,1,1,3]") "," LAYER(
        "Conv2DTranspose", "c", "\"use_bias\":false,\"padding\":\"same\",\"output_padding\":[0,0]"));
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
        {NOT, "statistics of the sample, renormalisation", renorm, {"c", 4, {{1, {3}}, {1, {3}}, {1, {3}}, {1, {3}}}}},
        {NOT, "statistics of the sample, renormalisation", batches, {"c", 4, {{1, {3}}, {1, {3}}, {1, {3}}, {1, {3}}}}},
        {SEPCL_OK, NULL, rows_norm, {"c", 4, {{1, {8}}, {1, {8}}, {1, {8}}, {1, {8}}}}},
        {BAD, "axis 4 is outside", no_axis, {"c", 4, {{1, {8}}, {1, {8}}, {1, {8}}, {1, {8}}}}},
        {BAD,
         "weight 'moving_mean' has shape 3, but 8 elements",
         rows_norm,
         {"c", 4, {{1, {8}}, {1, {8}}, {1, {3}}, {1, {8}}}}},
        {SEPCL_OK, NULL, dense, {"c", 2, {{2, {4, 2}}, {1, {2}}}}},
        {BAD, "a kernel of shape 4x2x1 does not suit", dense, {"c", 2, {{3, {4, 2, 1}}, {1, {2}}}}},
        {BAD, "one element for each of 2 units", dense, {"c", 2, {{2, {4, 2}}, {1, {3}}}}},
        {BAD, "does not suit an input of shape scalar", dot, {"c", 2, {{2, {4, 2}}, {1, {2}}}}},
        {BAD, "0 groups for 6 filters", no_group, {"c", 1, {{4, {3, 3, 3, 6}}}}},
        {BAD, "9999999999 groups for 6 filters", groups, {"c", 1, {{4, {3, 3, 3, 6}}}}},
        {NOT, "padding 'wide' is not supported", wide_plane, {"c", 1, {{4, {3, 3, 3, 6}}}}},
        {BAD, "causal padding of 2 on 2 axes", wide_depth, {"c", 1, {{4, {3, 3, 3, 2}}}}},
        {BAD,
         "setting 'kernel_size' has 0, but the kernel has shape 70000x1x3x2",
         depth,
         {"c", 1, {{4, {70000, 1, 3, 2}}}}},
        {BAD, "the output has an extent of 0", narrow, {"c", 1, {{4, {2, 2, 5, 3}}}}},
        {BAD, "weight 'gamma' has shape 2, but 3 elements", layer_norm, {"c", 2, {{1, {2}}, {1, {3}}}}},
        {SEPCL_OK, NULL, layer_norm, {"c", 2, {{1, {3}}, {1, {3}}}}},
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

/* ---------------------------------------------------------------- layers that are called on nothing */

static void called_on_nothing(void **state)
{
    static const struct {
        const char *class_name;
        kw_weights  weights;
    } rows[] = {
        {"Dense", {"l", 2, {{2, {3, 2}}, {1, {2}}}}},
        {"Conv1D", {"l", 2, {{3, {3, 3, 2}}, {1, {2}}}}},
        {"Conv2D", {"l", 2, {{4, {3, 3, 3, 2}}, {1, {2}}}}},
        {"DepthwiseConv2D", {"l", 2, {{4, {3, 3, 3, 2}}, {1, {6}}}}},
        {"SeparableConv2D", {"l", 3, {{4, {3, 3, 3, 1}}, {4, {1, 1, 3, 2}}, {1, {2}}}}},
        {"Conv2DTranspose", {"l", 2, {{4, {3, 3, 2, 3}}, {1, {2}}}}},
        {"BatchNormalization", {"l", 4, {{1, {3}}, {1, {3}}, {1, {3}}, {1, {3}}}}},
        {"LayerNormalization", {"l", 2, {{1, {3}}, {1, {3}}}}},
        {"Normalization", {"l", 3, {{1, {3}}, {1, {3}}, {0, {0}}}}},
        {"PReLU", {"l", 1, {{1, {3}}}}},
        {"Rescaling", {0}},
        {"Activation", {0}},
        {"ReLU", {0}},
        {"LeakyReLU", {0}},
        {"ELU", {0}},
        {"ThresholdedReLU", {0}},
        {"Softmax", {0}},
        {"MaxPooling1D", {0}},
        {"AveragePooling2D", {0}},
        {"GlobalMaxPooling1D", {0}},
        {"GlobalAveragePooling2D", {0}},
        {"Concatenate", {0}},
        {"Flatten", {0}},
        {"Reshape", {0}},
        {"Permute", {0}},
        {"RepeatVector", {0}},
        {"ZeroPadding1D", {0}},
        {"Cropping2D", {0}},
        {"UpSampling2D", {0}},
        {"Dropout", {0}},
    };
    int  wrong = 0;
    char config[1024];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(config, sizeof config,
                 NET("[\"l\",0,0]", START ",{\"class_name\":\"%s\",\"name\":\"l\",\"config\":{\"name\":\"l\","
                                          "\"trainable\":true},\"inbound_nodes\":[[]]}"),
                 rows[i].class_name);
        if (!answers(kw_h5(config, "2.15.0", &rows[i].weights, rows[i].weights.path ? 1 : 0, false), BAD,
                     "the layer is called on 0 tensors, but needs more")) {
            print_error("%s\n", rows[i].class_name);
            wrong++;
        }
    }
    assert_int_equal(wrong, 0);
}

/* ---------------------------------------------------------------- models that are too much */

typedef struct text {
    char  *p;
    size_t n;
} text;

static void add(text *t, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    t->n += (size_t)vsnprintf(t->p + t->n, 256, format, list);
    va_end(list);
}

/* A model of n layers in a row, listed from the last to the first, with so many outputs. */
static text long_model(int n, int outputs)
{
    text t = {malloc((size_t)n * 200 + (size_t)outputs * 20 + 1024), 0};
    assert_non_null(t.p);
    add(&t, "{\"class_name\":\"Functional\",\"config\":{\"name\":\"m\",\"layers\":[");
    for (int i = n; i > 0; i--)
        add(&t, "{\"class_name\":\"ReLU\",\"name\":\"%d\",\"config\":{},\"inbound_nodes\":[[[\"%d\",0,0]]]},", i,
            i - 1);
    add(&t,
        "{\"class_name\":\"InputLayer\",\"name\":\"0\",\"config\":{\"batch_shape\":[null,4]},\"inbound_nodes\":[]}]");
    add(&t, ",\"input_layers\":[[\"0\",0,0]],\"output_layers\":[");
    for (int i = 0; i < outputs; i++)
        add(&t, "%s[\"%d\",0,0]", i ? "," : "", n);
    add(&t, "]}}");
    return t;
}

static void too_much(void **state)
{
    static const struct {
        int         layers, outputs;
        status      want;
        const char *words;
    } rows[] = {
        {300, 1, SEPCL_OK, ""},
        {1, 256, SEPCL_OK, ""},
        {1, 257, NOT, "model 'm' has more than 256 inputs or outputs"},
        {4000, 1, NOT, "the layers of model 'm' are in no usable order"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        text              t = long_model(rows[i].layers, rows[i].outputs);
        const size_t      metadata = 26;
        kw                h5 = kw_h5(NULL, NULL, NULL, 0, true);
        kw_member         members[] = {{"metadata.json", "{\"keras_version\": \"3.8.0\"}", metadata, 0},
                                       {"config.json", t.p, t.n, 0},
                                       {"model.weights.h5", h5.p, h5.n, 0}};
        kw                file = kw_zip(members, 3);
        const model_bytes m = {file.p, file.n, "test.keras", 1, 8};
        const status      st = model_try(&m);
        if (st != rows[i].want || (st != SEPCL_OK && !strstr(error_sentence(), rows[i].words)))
            test_fail("%d layers: status %d, '%s'\n", rows[i].layers, st, st ? error_sentence() : "");
        free(file.p);
        free(h5.p);
        free(t.p);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(refused_layers),    cmocka_unit_test(refused_calls), cmocka_unit_test(refused_windows),
        cmocka_unit_test(called_on_nothing), cmocka_unit_test(too_much),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
