/* SPDX-License-Identifier: Apache-2.0 */
/* Where the weights of models in models are, and in which order. */
#include "keras_text.h"

#define BAD SEPCL_BAD_FILE

/* A model of a batch norm and a dense layer, which is a layer. */
#define NORM_AND_DENSE(name, settings)                                                                                 \
    "{\"class_name\":\"Sequential\",\"name\":\"" name "\",\"config\":{\"name\":\"" name "\"," settings                 \
    "\"layers\":[" LAYER("InputLayer", "i", "\"batch_input_shape\":[null,4]") "," LAYER(                               \
        "BatchNormalization", "b", NO_SETTINGS) "," LAYER("Dense", "d", "\"units\":2") "]}"
#define OUTER(settings) CHAIN(VECTOR "," NORM_AND_DENSE("in", settings) "}")

/* In the layers' order a batch norm's gamma, beta, moving mean and variance, a dense layer's kernel and bias; in the
   file's those that are trained first. */
static void of_inner_models(void **state)
{
    static const char        config[] = OUTER("");
    static const char *const named[] = {"b/gamma:0",           "b/beta:0",   "b/moving_mean:0",
                                        "b/moving_variance:0", "d/kernel:0", "d/bias:0"};
    static const char *const marked[] = {"b/my_gamma:0",         "b/my_beta:0", "b/my_moving_mean",
                                         "b/my_moving_variance", "d/kernel",    "d/bias"};
    static const char *const others[] = {"a", "b", "c", "d", "e", "f"};
    static const char *const near[] = {"b/gammas", "b/xbeta", "bb/moving_mean", "x/moving_variance", "d/k", "d/bias:0"};
    static const kw_weights  in_order = {"in", 6, {{1, {4}}, {1, {4}}, {1, {4}}, {1, {4}}, {2, {4, 2}}, {1, {2}}}};
    static const kw_weights  trained_first = {"in", 6, {{1, {4}}, {1, {4}}, {2, {4, 2}}, {1, {2}}, {1, {4}}, {1, {4}}}};
    static const kw_weights  few = {"in", 5, {{1, {4}}, {1, {4}}, {2, {4, 2}}, {1, {2}}, {1, {4}}}};
    static const kw_weights  elsewhere = {"out", 6, {{1, {4}}, {1, {4}}, {2, {4, 2}}, {1, {2}}, {1, {4}}, {1, {4}}}};
    static const struct {
        status            want;
        const char       *text;
        const kw_weights *weights;
        struct kw_way     way;
    } rows[] = {
        {SEPCL_OK, NULL, &in_order, {named, 0, NULL}},
        {SEPCL_OK, NULL, &in_order, {named, 2, NULL}},
        {SEPCL_OK, NULL, &in_order, {marked, 3, NULL}},
        /* names that say nothing: trained ones come first */
        {SEPCL_OK, NULL, &trained_first, {others, 0, NULL}},
        {SEPCL_OK, NULL, &trained_first, {near, 0, NULL}},
        {BAD, "weight 'moving_mean' has shape 4x2, but 4 elements are needed", &in_order, {others, 0, NULL}},
        {BAD, "model 'in' needs 6 weights, but the file has 5", &few, {others, 0, NULL}},
        {BAD, "layer 'b' (BatchNormalization): the file has no weights of it", &elsewhere, {others, 0, NULL}},
    };
    int wrong = 0;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        kw_way = rows[i].way;
        wrong += !answers(kw_h5(config, "2.15.0", rows[i].weights, 1, false), rows[i].want, rows[i].text);
    }
    kw_way = (struct kw_way){0};
    assert_int_equal(wrong, 0);
}

/* Of a model that is not trained, all weights stand in the order of its layers. */
static void of_frozen_models(void **state)
{
    static const char        config[] = OUTER("\"trainable\":false,");
    static const char *const others[] = {"a", "b", "c", "d", "e", "f"};
    static const kw_weights  w = {"in", 6, {{1, {4}}, {1, {4}}, {1, {4}}, {1, {4}}, {2, {4, 2}}, {1, {2}}}};
    (void)state;
    kw_way.names = others;
    check(kw_h5(config, "2.15.0", &w, 1, false), SEPCL_OK, NULL);
    kw_way = (struct kw_way){0};
}

/* As Keras 1 wrote them: the layers of models in models beside those of the outermost. */
static void without_groups_of_their_own(void **state)
{
    static const char       config[] = OUTER("");
    static const kw_weights both[] = {{"b", 4, {{1, {4}}, {1, {4}}, {1, {4}}, {1, {4}}}},
                                      {"d", 2, {{2, {4, 2}}, {1, {2}}}}};
    (void)state;
    check(kw_h5(config, "1.2.2", both, 2, false), SEPCL_OK, NULL);
    check(kw_h5(config, "1.2.2", both, 1, false), BAD, "layer 'd' (Dense): the file has no weights of it");
}

static void names_in_parts(void **state)
{
    static const char       config[] = CHAIN(VECTOR "," LAYER("Dense", "d", "\"units\":2"));
    static const kw_weights two = {"d", 2, {{2, {4, 2}}, {1, {2}}}};
    static const kw_weights three = {"d", 3, {{2, {4, 2}}, {1, {2}}, {1, {2}}}};
    (void)state;
    kw_way.parts = 2;
    check(kw_h5(config, "2.15.0", &two, 1, false), SEPCL_OK, NULL);
    check(kw_h5(config, "2.15.0", &three, 1, false), BAD, "layer 'd' (Dense) needs 2 weights, but the file has 3");
    kw_way.parts = 0;
}

static void in_archives(void **state)
{
#define DENSE_IN                                                                                                       \
    "{\"class_name\":\"Sequential\",\"name\":\"in\",\"config\":{\"name\":\"in\",\"layers\":[" LAYER(                   \
        "InputLayer", "i", "\"batch_input_shape\":[null,4]") "," LAYER("Dense", "d", "\"units\":2") "]}}"
    static const char config[] = CHAIN(VECTOR "," DENSE_IN);
    kw_weights        w = {"sequential", 2, {{2, {4, 2}}, {1, {2}}}};
    (void)state;
    kw_way.inner = "layers/dense/vars";
    check(kw_keras(config, &w, 1), SEPCL_OK, NULL);
    kw_way.inner = "_layer_checkpoint_dependencies/dense/vars"; /* as some versions called it */
    check(kw_keras(config, &w, 1), SEPCL_OK, NULL);
    kw_way.inner = "others/dense/vars";
    check(kw_keras(config, &w, 1), BAD, "the file has no weights of model 'in'");
    kw_way.inner = "layers/dense/others";
    check(kw_keras(config, &w, 1), BAD, "layer 'd' (Dense): the file has no weights in 'dense/vars'");
    kw_way.inner = "layers/dense/vars";
    w.path = "functional";
    check(kw_keras(config, &w, 1), BAD, "the file has no weights of model 'in' in 'sequential'");
    kw_way.inner = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_inner_models),
        cmocka_unit_test(of_frozen_models),
        cmocka_unit_test(without_groups_of_their_own),
        cmocka_unit_test(names_in_parts),
        cmocka_unit_test(in_archives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
