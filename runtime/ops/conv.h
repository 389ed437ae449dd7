/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the ops that are convolutions or products with constant weights: conv, dense, and the fused forms. */
#ifndef SEPCL_OPS_CONV_H
#define SEPCL_OPS_CONV_H

#include <string.h>

#include "ir/op.h"

/* Reads a node's weights in any file layout, with the folded factor of the output channel. */
typedef struct weight_view {
    const value    *w, *scale;
    weight_strides  s;
    int64_t         per_group; /* conv_transpose and the like: output channels of a group; 0: o indexes the tensor */
} weight_view;

static inline weight_view weights_of(const node_view *v, const weight_strides *s)
{
    return (weight_view){nv_in(v, CONV_W), nv_in(v, CONV_SCALE), *s, 0};
}

static inline float weight_at(const weight_view *w, int64_t o, int64_t i, int64_t y, int64_t x)
{
    const int64_t at = o * w->s.o + i * w->s.i + y * w->s.h + x * w->s.w;
    const float   f = w->w->type == DT_F32 ? ((const float *)w->w->data)[at] : data_float(w->w->type, w->w->data, at);
    return w->scale ? f * data_float(w->scale->type, w->scale->data, o) : f;
}

static inline float bias_at(const node_view *v, int64_t o)
{
    const value *b = nv_in(v, CONV_B);
    return b ? data_float(b->type, b->data, o) : 0;
}

/* The last element that a weight of these strides reads must be inside the tensor; bias and scale have out_channels. */
status conv_check_constants(const node_view *v, const weight_strides *s, int64_t out_channels, int64_t in_channels,
                            int64_t kh, int64_t kw);

/* Geometry of a conv node. */
typedef struct conv_geometry {
    const attr_conv *a;
    nhwc             in, out;
    int64_t          ci, co; /* of a group */
    bool             depthwise;   /* one input channel a group */
    bool             plain_depthwise; /* and one output channel */
    bool             pointwise;   /* 1x1, stride 1, no padding, one group */
} conv_geometry;
conv_geometry conv_geometry_of(const node_view *v);

extern const kernel_def conv_kernels[];
bool conv_gen(int i, graph *g);

/* ---------------------------------------------------------------- gemm.c: rows of kernels/gemm.cl */
/* m x k times k x n; the weights' element (n, k) is weight_at(.., n, k, 0, 0). */
typedef struct gemm_size {
    int64_t m, k, n;
} gemm_size;
/* The parameters of its register tiles: MR rows, NB vectors of V columns. */
#define TILE_MR_PARAM {"MR", {14, 12, 10, 9, 8, 7, 6, 5, 4, 2, 1}}
#define TILE_V_PARAM {"V", {16, 8, 4, 1}}
#define TILE_NB_PARAM {"NB", {1, 2, 3, 4}}
#define TILE_PARAMS {TILE_MR_PARAM, TILE_V_PARAM, TILE_NB_PARAM}
enum { TILE_MR, TILE_V, TILE_NB };
bool   tile_fits(const caps *c, const int *p);
/* Cycles of m x n outputs with k multiply-adds each, as the tile's loads and multiply-adds allow. */
double tile_cost(const caps *c, const int *p, int64_t m, int64_t k, int64_t n);
/* The same on a CPU where one pointer leads to all rows of a tile. */
double tile_cost_joined(const caps *c, const int *p, int64_t m, int64_t k, int64_t n);
/* Whether a CPU's native vectors are filled and enough sums are in flight: fewer than eight wait for each other, and
   where there are registers for more, they spare loads. */
bool   tile_busy(const caps *c, const int *p);
/* Whether its vectors are halves of native ones, an odd number of them: a device that sends a native vector through its
   units in two passes wastes none on columns that there are not. */
bool   tile_of_halves(const caps *c, const int *p);
bool   tile_generic(const int *p); /* fits any device */
void   gemm_fill_weights(const node_view *v, const int *p, void *dst);
void   gemm_fill_bias(const node_view *v, const int *p, void *dst);
/* strided: the pixels that count, else NULL. */
void   gemm_launch(const node_view *v, const caps *c, const int *p, const gemm_size *s, const conv_geometry *strided,
                   launch_list *out);

#endif
