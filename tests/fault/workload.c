/* SPDX-License-Identifier: Apache-2.0 */
#include "workload.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../unit/onnx_writer.h"
#include "../unit/scratch.h"

static char  folder[512], model_path[600];
static float input[WORK_IN], answer[WORK_OUT];
static bool  known;

/* ---------------------------------------------------------------- the network */

/* Numbers from -scale to scale that look like nothing in particular. */
static void dice_weight(net *m, const char *name, float scale, int rank, const int64_t *dims)
{
    const int64_t n = dims_count(rank, dims);
    float        *v = malloc((size_t)n * sizeof *v);
    pb            t = tensor_begin(name, 1, rank, dims);
    assert_non_null(v);
    for (int64_t i = 0; i < n; i++)
        v[i] = scale * ((float)((uint64_t)(i + 7) * 2654435761u % 2001) / 1000 - 1);
    pb_bytes(&t, 9, v, (size_t)n * sizeof *v);
    free(v);
    net_tensor(m, t);
}
#define DICE(m, name, scale, ...)                                                                                      \
    dice_weight(m, name, scale, (int)(sizeof((int64_t[]){__VA_ARGS__}) / sizeof(int64_t)), (int64_t[]){__VA_ARGS__})

/* A stem, an inverted residual, pooling, a dense layer, softmax. */
static pb network(void)
{
    net m = {0};
    INPUT(&m, "x", 1, 3, 12, 12);
    DICE(&m, "stem.w", 0.5f, 8, 3, 3, 3);
    NODE_WITH(&m, "Conv", "stem", "x,stem.w", "a", ATTR_IS("pads", 1, 1, 1, 1), ATTR_IS("strides", 2, 2));
    NODE(&m, "Relu", "stem.relu", "a", "b");
    DICE(&m, "expand.w", 0.5f, 16, 8, 1, 1);
    NODE(&m, "Conv", "expand", "b,expand.w", "c");
    NODE(&m, "Relu", "expand.relu", "c", "d");
    DICE(&m, "depthwise.w", 0.5f, 16, 1, 3, 3);
    NODE_WITH(&m, "Conv", "depthwise", "d,depthwise.w", "e", ATTR_IS("pads", 1, 1, 1, 1), attr_i("group", 16));
    NODE(&m, "Relu", "depthwise.relu", "e", "f");
    DICE(&m, "project.w", 0.5f, 8, 16, 1, 1);
    NODE(&m, "Conv", "project", "f,project.w", "g");
    NODE(&m, "Add", "sum", "g,b", "h");
    NODE(&m, "GlobalAveragePool", "pool", "h", "i");
    NODE(&m, "Flatten", "flat", "i", "j");
    DICE(&m, "dense.w", 0.7f, 8, WORK_OUT);
    NODE(&m, "Gemm", "dense", "j,dense.w", "k");
    NODE(&m, "Softmax", "softmax", "k", "y");
    net_output(&m, "y");
    return net_finish(&m, 13);
}

static bool all, few;
static int  devices;

static void take_arguments(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        all |= strcmp(argv[i], "--all") == 0;
        few |= strcmp(argv[i], "--few") == 0;
        if (strcmp(argv[i], "--devices") == 0 && i + 1 < argc)
            devices = atoi(argv[++i]);
        else if (strcmp(argv[i], "--only") == 0 && i + 1 < argc)
            cmocka_set_test_filter(argv[++i]);
    }
}

bool work_all(void)
{
    return all;
}

bool work_few(void)
{
    return few;
}

int work_devices(void)
{
    return devices;
}

void work_begin(int argc, char **argv)
{
    if (setenv("OPENCL_LAYERS", FAULT_LAYER, 1) != 0)
        test_fail("setenv failed\n");
    snprintf(folder, sizeof folder, "%s", scratch_folder());
    snprintf(model_path, sizeof model_path, "%s/small.onnx", folder);
    pb file = network();
    assert_ok(file_write(model_path, file.p, file.n, 0600));
    free(file.p);
    for (int i = 0; i < WORK_IN; i++)
        input[i] = (float)((i * 37) % 29) / 14 - 1;
    take_arguments(argc, argv);
}

void work_end(void)
{
    char command[600];
    snprintf(command, sizeof command, "rm -rf '%s'", folder);
    if (system(command) != 0)
        print_message("%s could not be removed\n", folder);
}

const char *work_model(void)
{
    return model_path;
}

const char *work_scratch(void)
{
    return folder;
}

const float *work_input(void)
{
    return input;
}

/* ---------------------------------------------------------------- answers */

bool work_is_right(const float *out, double tolerance)
{
    double largest = 0;
    for (int i = 0; i < WORK_OUT; i++)
        largest = fmax(largest, fabs(answer[i]));
    for (int i = 0; i < WORK_OUT; i++)
        if (!(fabs(out[i] - answer[i]) <= tolerance * largest))
            return false;
    return known;
}

void work_set_answer(const float *out)
{
    memcpy(answer, out, sizeof answer);
    known = true;
}

static bool ok(work *w, const char *function, sepcl_status st)
{
    if (st == SEPCL_OK)
        return true;
    w->status = st;
    w->failed_at = function;
    snprintf(w->error, sizeof w->error, "%s", sepcl_last_error());
    return false;
}
#define OK(w, call) ok(w, #call, call)

static bool take_answer(work *w, sepcl_session *s)
{
    memset(w->out, 0xff, sizeof w->out);
    if (!OK(w, sepcl_session_read(s, 0, w->out, sizeof w->out)))
        return false;
    if (!known)
        memcpy(answer, w->out, sizeof answer);
    known = true;
    w->right = w->right && work_is_right(w->out, w->f16 ? 2e-2 : 1e-4);
    return true;
}

/* Written, then bound. */
static void run_session(work *w, sepcl_session *s)
{
    sepcl_step_info step;
    if (!OK(w, sepcl_session_write(s, 0, input, sizeof input)) || !OK(w, sepcl_session_run(s)) || !take_answer(w, s))
        return;
    if (!OK(w, sepcl_session_bind(s, 0, input, sizeof input)) || !OK(w, sepcl_session_run(s)) || !take_answer(w, s))
        return;
    for (int i = 0; i < sepcl_session_step_count(s); i++)
        if (!OK(w, sepcl_session_step(s, i, &step)))
            return;
}

static void start(work *w)
{
    w->status = SEPCL_OK;
    w->failed_at = NULL;
    w->right = true;
    w->error[0] = 0;
}

void work_do(work *w)
{
    sepcl_model             *model = NULL;
    sepcl_session           *session = NULL;
    const sepcl_session_desc d = {.device = getenv("SEPCL_TEST_DEVICE"),
                                  .precision = w->f16 ? SEPCL_F16 : SEPCL_F32,
                                  .cache_dir = w->cache_dir,
                                  .no_cache = w->no_cache,
                                  .no_fusion = w->no_fusion,
                                  .profile = true,
                                  .cl_context = w->context,
                                  .cl_queue = w->queue};
    start(w);
    if (OK(w, sepcl_model_load(model_path, NULL, &model)) && OK(w, sepcl_session_create(model, &d, &session)))
        run_session(w, session);
    sepcl_session_destroy(session);
    sepcl_model_destroy(model);
}

void work_tune(work *w, double seconds)
{
    sepcl_model          *model = NULL;
    const sepcl_tune_desc d = {.device = getenv("SEPCL_TEST_DEVICE"),
                               .precision = w->f16 ? SEPCL_F16 : SEPCL_F32,
                               .cache_dir = w->cache_dir,
                               .again = true,
                               .budget = seconds};
    start(w);
    if (OK(w, sepcl_model_load(model_path, NULL, &model)))
        (void)OK(w, sepcl_tune(model, &d, NULL, NULL));
    sepcl_model_destroy(model);
}
