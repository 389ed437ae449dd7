/* SPDX-License-Identifier: Apache-2.0 */
/* What the register-tiled products have in common: which tiles a device can hold, what they cost, their launch. */
#include "base/size.h"
#include "ops/conv.h"

/* Native vectors that a vector of V floats takes. */
static int native(const caps *c, int v)
{
    return (int)div_up(v, c->simd_width > 0 ? c->simd_width : 1);
}

bool tile_generic(const int *p)
{
    return p[TILE_V] <= 4 && p[TILE_NB] == 1 && p[TILE_MR] <= 4;
}

static bool registers_hold(const caps *c, const int *p)
{
    const int weights = p[TILE_NB] * native(c, p[TILE_V]);
    /* the broadcast input takes one more; spilling halves the speed */
    return p[TILE_MR] * weights + weights + 1 <= (c->vector_registers > 0 ? c->vector_registers : 16);
}

bool tile_of_halves(const caps *c, const int *p)
{
    return caps_is_cpu(c) && 2 * p[TILE_V] == c->simd_width && p[TILE_NB] % 2 && registers_hold(c, p);
}

bool tile_fits(const caps *c, const int *p)
{
    const int v = p[TILE_V], nb = p[TILE_NB], mr = p[TILE_MR];
    if (tile_generic(p))
        return true;
    if (!caps_is_cpu(c)) /* a GPU item has a few hundred registers; beyond 64 sums too few items run at once */
        return v <= 8 && mr * nb * v <= 64;
    if (v < c->simd_width || (c->simd_width > 1 && v > 2 * c->simd_width))
        return false;
    return registers_hold(c, p);
}

bool tile_busy(const caps *c, const int *p)
{
    const int sums = p[TILE_MR] * p[TILE_NB];
    return p[TILE_V] >= c->simd_width && sums >= 8 && 8 * sums >= 3 * c->vector_registers;
}

static double cpu_cycles(const caps *c, const int *p, double pointers, int64_t m, int64_t k, int64_t n)
{
    const int    v = p[TILE_V], nb = p[TILE_NB], mr = p[TILE_MR];
    const double tiles = (double)div_up(m, mr) * (double)div_up(n, (int64_t)nb * v);
    const bool   split = c->vector_passes == 2; /* see caps.h; loads are as fast */
    const double w = nb * native(c, v) * (split && 2 * v == c->simd_width ? 0.5 : 1), sums = mr * w;
    double       cycles = sums / 2; /* two multiply-adds a cycle */
    /* two loads a cycle at best; as measured, three in two; weights twice: fetched ahead */
    const double loads = 0.65 * (2 * w + (split ? 0.5 : 1) * mr);
    cycles = (loads > cycles ? loads : cycles) + pointers;
    cycles = cycles < 5 ? 5 : cycles; /* a sum is ready four cycles later, if nothing else delays it */
    const double fill = 30 + sums;    /* start, epilogue and store of a tile */
    return tiles * ((double)k * cycles + fill);
}

double tile_cost(const caps *c, const int *p, int64_t m, int64_t k, int64_t n)
{
    const int v = p[TILE_V], nb = p[TILE_NB], mr = p[TILE_MR];
    if (!caps_is_cpu(c)) {
        /* loads an item needs for its multiply-adds; too few items leave the device idle */
        const int64_t tiles_m = div_up(m, mr), tiles_n = div_up(n, (int64_t)nb * v);
        const double  items = (double)tiles_m * (double)tiles_n, wanted = 64.0 * 4 * c->compute_units;
        const double  per_k = mr * nb * v + 4.0 * (mr + nb * v / 4.0);
        return (double)k * per_k * (items > wanted ? items : wanted);
    }
    const double pointers = mr > 10 ? 0.05 * (mr - 10) : 0; /* those beyond the general registers come from the stack */
    return cpu_cycles(c, p, pointers, m, k, n);
}

double tile_cost_joined(const caps *c, const int *p, int64_t m, int64_t k, int64_t n)
{
    return cpu_cycles(c, p, 0, m, k, n);
}

void gemm_fill_weights(const node_view *v, const int *p, void *dst)
{
    const int64_t     nr = (int64_t)p[TILE_V] * p[TILE_NB];
    const bool        dense = v->n->op == OP_DENSE;
    const int64_t     n = dense ? v->n->a.dense.out_features : v->n->a.conv.out_channels;
    const shape      *in = &nv_in(v, CONV_X)->shape;
    const int64_t     k = in->dim[in->rank - 1];
    const weight_view w = weights_of(v, dense ? &v->n->a.dense.w : &v->n->a.conv.w);
    float            *to = dst;
    for (int64_t b = 0; b < div_up(n, nr); b++)
        for (int64_t i = 0; i < k; i++)
            for (int64_t j = 0; j < nr; j++, to++)
                *to = b * nr + j < n ? weight_at(&w, b * nr + j, i, 0, 0) : 0;
}

void gemm_fill_bias(const node_view *v, const int *p, void *dst)
{
    const int64_t nr = (int64_t)p[TILE_V] * p[TILE_NB];
    const int64_t n = v->n->op == OP_DENSE ? v->n->a.dense.out_features : v->n->a.conv.out_channels;
    for (int64_t i = 0; i < round_up(n, nr); i++)
        ((float *)dst)[i] = i < n ? bias_at(v, i) : 0;
}

/* Tiles after which the last of `cores` is done, when a core that is free takes the next item: blocks x chunks items of
   `tiles` tiles each, of which the last chunk's have `rest`. */
static int64_t last_done(int64_t cores, int64_t blocks, int64_t chunks, int64_t tiles, int64_t rest)
{
    const int64_t full = blocks * (chunks - 1), begin = full / cores * tiles, late = full % cores;
    int64_t       end = i64_max(begin + (late ? tiles : 0), div_up(full * tiles + blocks * rest, cores));
    while ((cores - late) * ((end - begin) / rest) + late * ((end - begin - tiles) / rest) < blocks)
        end++;
    return end;
}

/* Cycles of a CPU for all items of so many tiles: those of the core that is done last, handing out, and fetching the
   weights once a chunk. */
static double chunk_cycles(const caps *c, const int *p, const gemm_size *s, int64_t blocks, int64_t tiles)
{
    const double  tile = (double)s->k * p[TILE_MR] * p[TILE_NB] * native(c, p[TILE_V]) / 2, bytes_a_cycle = 24;
    const int64_t all = div_up(s->m, p[TILE_MR]), chunks = div_up(all, tiles), rest = all - (chunks - 1) * tiles;
    const int64_t cores = i64_max(1, c->compute_units);
    const double  each = 300 + 4.0 * (double)(s->k * p[TILE_NB] * p[TILE_V]) / bytes_a_cycle;
    return (double)last_done(cores, blocks, chunks, tiles, rest) * tile +
           (double)(blocks * chunks) / (double)cores * each;
}

/* Rows that an item takes: on a CPU as many as keep the cores equally busy. */
static int64_t chunk_rows(const caps *c, const int *p, const gemm_size *s, int64_t blocks)
{
    const int64_t mr = p[TILE_MR], all = div_up(s->m, mr);
    if (!caps_is_cpu(c))
        return mr;
    const int64_t least = i64_max(1, div_up(8 * (int64_t)c->compute_units, blocks));
    int64_t       best = div_up(all, least);
    for (int64_t chunks = least + 1, tiles; chunks <= least + 8 && chunks <= all; chunks++)
        if ((tiles = div_up(all, chunks)) < best &&
            chunk_cycles(c, p, s, blocks, tiles) < chunk_cycles(c, p, s, blocks, best))
            best = tiles;
    return best * mr;
}

void gemm_launch(const node_view *v, const caps *c, const int *p, const gemm_size *s, const conv_geometry *strided,
                 launch_list *out)
{
    const int64_t nr = (int64_t)p[TILE_V] * p[TILE_NB], blocks = div_up(s->n, nr), chunk = chunk_rows(c, p, s, blocks);
    const int     w = launch_pack(out, DT_F32, (size_t)(blocks * nr * s->k), true, gemm_fill_weights);
    const int     b = launch_pack(out, DT_F32, (size_t)(blocks * nr), false, gemm_fill_bias);
    launch       *k = launch_add(out, 2, blocks, div_up(s->m, chunk), 1);
    k->file = "gemm";
    k->entry = strided ? "gemm_strided" : "gemm";
    arg_in(k, CONV_X);
    arg_packed(k, w);
    arg_packed(k, b);
    arg_out(k, 0);
    arg_i32(k, s->m);
    arg_i32(k, s->k);
    arg_i32(k, s->n);
    arg_i32(k, chunk);
    if (strided) {
        launch_define(k, "STRIDED", 1);
        const int64_t numbers[] = {strided->in.h,  strided->in.w,        strided->out.h,
                                   strided->out.w, strided->a->stride[0], strided->a->stride[1]};
        for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
            arg_i32(k, numbers[i]);
    }
    launch_epilogue(k, v, CONV_RES);
}
