/* SPDX-License-Identifier: Apache-2.0 */
#include "ops/conv_part.h"

#include <stdlib.h>

#include "base/size.h"
#include "ops/conv.h"

void conv_part_set_strides(conv_part *c)
{
    const int64_t kh = c->a.kernel[0], kw = c->a.kernel[1];
    c->a.w = (weight_strides){.o = c->ci * kh * kw, .i = kh * kw, .h = kw, .w = 1};
}

status conv_part_alloc(conv_part *c)
{
    size_t n = 0;
    conv_part_set_strides(c);
    if (size_mul((size_t)c->a.out_channels, (size_t)conv_part_taps(c), &n))
        c->w = calloc(n ? n : 1, sizeof *c->w);
    return c->w ? SEPCL_OK : fail_memory(n * sizeof *c->w, "the weights of a convolution");
}

status conv_part_of(const node_view *v, conv_part *out)
{
    const conv_geometry g = conv_geometry_of(v);
    weight_view         w = weights_of(v, &g.a->w);
    w.scale = NULL;
    *out = (conv_part){.a = *g.a, .ci = g.ci};
    TRY(conv_part_alloc(out));
    float *to = out->w;
    for (int64_t o = 0; o < out->a.out_channels; o++)
        for (int64_t i = 0; i < out->ci; i++)
            for (int64_t y = 0; y < out->a.kernel[0]; y++)
                for (int64_t x = 0; x < out->a.kernel[1]; x++)
                    *to++ = weight_at(&w, o, i, y, x);
    return SEPCL_OK;
}

void conv_part_free(conv_part *c)
{
    free(c->w);
    c->w = NULL;
}

nhwc conv_part_out(const conv_part *c, nhwc in)
{
    const attr_conv *a = &c->a;
    return (nhwc){in.n, window_extent(in.h, a->kernel[0], a->stride[0], a->dilation[0], a->pad[0], a->pad[2], false),
                  window_extent(in.w, a->kernel[1], a->stride[1], a->dilation[1], a->pad[1], a->pad[3], false),
                  a->out_channels};
}

void conv_part_cost(const conv_part *c, nhwc in, uint64_t *multiplications, uint64_t *bytes)
{
    const nhwc     out = conv_part_out(c, in);
    const uint64_t pixels = (uint64_t)(out.n * i64_max(out.h, 0) * i64_max(out.w, 0));
    const uint64_t weights = (uint64_t)conv_part_count(c);
    *multiplications = pixels * weights;
    *bytes = 4 * (weights + pixels * (uint64_t)out.c + (uint64_t)(in.n * in.h * in.w * in.c));
}
