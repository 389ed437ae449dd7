/* SPDX-License-Identifier: Apache-2.0 */
#include "soak_nets.h"

#include <math.h>
#include <stdio.h>

#include "../unit/onnx_writer.h"

/* A network being written: its last value is "v<n>", of `channels` channels. */
typedef struct writer {
    net m;
    int n, channels, layers;
} writer;

static const char *value(const writer *w)
{
    static char names[4][16]; /* as many as one expression uses */
    static int  turn;
    char       *name = names[turn++ % 4];
    snprintf(name, sizeof names[0], "v%d", w->n);
    return name;
}

/* A constant of numbers that look like nothing in particular, whose sums of fan_in products stay of the inputs' size. */
static void weights(writer *w, const char *name, int64_t fan_in, int rank, const int64_t *dims)
{
    const int64_t n = dims_count(rank, dims);
    const float   scale = 1.7f / sqrtf((float)fan_in);
    float        *v = malloc((size_t)n * sizeof *v);
    pb            t = tensor_begin(name, 1, rank, dims);
    if (!v)
        abort();
    for (int64_t i = 0; i < n; i++)
        v[i] = scale * ((float)((uint64_t)(i + 7 + 31 * w->layers) * 2654435761u % 2001) / 1000 - 1);
    pb_bytes(&t, 9, v, (size_t)n * sizeof *v);
    free(v);
    net_tensor(&w->m, t);
}

typedef struct conv {
    int kh, kw, out, stride; /* out 0: depthwise */
} conv;

static void add_conv(writer *w, conv c)
{
    char          name[32], weight[32], in[64];
    const int     out = c.out ? c.out : w->channels, group = c.out ? 1 : w->channels;
    const int64_t fan_in = (int64_t)(w->channels / group) * c.kh * c.kw;
    snprintf(name, sizeof name, "conv%d", ++w->layers);
    snprintf(weight, sizeof weight, "w%d", w->layers);
    snprintf(in, sizeof in, "%s,%s", value(w), weight);
    weights(w, weight, fan_in, 4, (int64_t[]){out, w->channels / group, c.kh, c.kw});
    w->n++;
    NODE_WITH(&w->m, "Conv", name, in, value(w), ATTR_IS("pads", c.kh / 2, c.kw / 2, c.kh / 2, c.kw / 2),
              ATTR_IS("strides", c.stride, c.stride), attr_i("group", group));
    w->channels = out;
}

static void add(writer *w, const char *op)
{
    char name[32], in[16];
    snprintf(name, sizeof name, "%s%d", op, ++w->layers);
    snprintf(in, sizeof in, "%s", value(w));
    w->n++;
    NODE(&w->m, op, name, in, value(w));
}

/* With the value number `other`. */
static void join(writer *w, const char *op, int other)
{
    char name[32], in[40];
    snprintf(name, sizeof name, "%s%d", op, ++w->layers);
    snprintf(in, sizeof in, "%s,v%d", value(w), other);
    w->n++;
    if (strcmp(op, "Concat") == 0)
        NODE_WITH(&w->m, op, name, in, value(w), attr_i("axis", 1));
    else
        NODE(&w->m, op, name, in, value(w));
}

static writer begin(int channels, int height, int width)
{
    writer w = {.channels = channels};
    INPUT(&w.m, "v0", -1, channels, height, width);
    return w;
}

static size_t finish(writer *w, unsigned char **file)
{
    net_output(&w->m, value(w));
    const pb all = net_finish(&w->m, 14);
    *file = all.p;
    return all.n;
}

static void classify(writer *w, int classes)
{
    char in[32];
    add(w, "GlobalAveragePool");
    add(w, "Flatten");
    weights(w, "dense", w->channels, 2, (int64_t[]){w->channels, classes});
    snprintf(in, sizeof in, "%s,dense", value(w));
    w->n++;
    NODE(&w->m, "Gemm", "dense", in, value(w));
    add(w, "Softmax");
}

static size_t depthwise_separable(unsigned char **file)
{
    writer w = begin(3, 48, 40);
    add_conv(&w, (conv){3, 3, 16, 2});
    add(&w, "Relu");
    for (int i = 0; i < 4; i++) {
        add_conv(&w, (conv){3, 3, 0, 1 + i % 2});
        add(&w, "Relu");
        add_conv(&w, (conv){1, 1, 24 + 8 * i, 1});
        add(&w, "Relu");
    }
    classify(&w, 20);
    return finish(&w, file);
}

static size_t inverted_residuals(unsigned char **file)
{
    writer w = begin(3, 33, 47);
    add_conv(&w, (conv){3, 3, 12, 2});
    add(&w, "HardSwish");
    for (int i = 0; i < 3; i++) {
        const int from = w.n;
        add_conv(&w, (conv){1, 1, 48, 1});
        add(&w, "Relu");
        add_conv(&w, (conv){5, 5, 0, 1});
        add(&w, "Relu");
        add_conv(&w, (conv){1, 1, 12, 1});
        join(&w, "Add", from);
    }
    classify(&w, 7);
    return finish(&w, file);
}

static size_t spatially_separable(unsigned char **file)
{
    writer w = begin(4, 40, 40);
    for (int i = 0; i < 3; i++) {
        add_conv(&w, (conv){7, 1, 12 + 4 * i, 1});
        add_conv(&w, (conv){1, 7, 16 + 4 * i, 2});
        add(&w, "LeakyRelu");
    }
    add(&w, "Sigmoid");
    return finish(&w, file);
}

static size_t branches(unsigned char **file)
{
    writer    w = begin(3, 30, 30);
    add_conv(&w, (conv){3, 3, 16, 1});
    add(&w, "Relu");
    const int from = w.n;
    add_conv(&w, (conv){3, 3, 16, 1});
    add(&w, "Tanh");
    join(&w, "Mul", from);
    join(&w, "Concat", from);
    w.channels *= 2;
    add_conv(&w, (conv){3, 3, 8, 2});
    return finish(&w, file);
}

const soak_net soak_nets[] = {{"depthwise-separable", depthwise_separable},
                              {"inverted residuals", inverted_residuals},
                              {"spatially separable", spatially_separable},
                              {"branches", branches},
                              {0}};
