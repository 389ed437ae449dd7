/* SPDX-License-Identifier: Apache-2.0 */
/* The rows of kernels/winograd.cl: dense 3x3 convolution with stride 1 in fewer multiply-adds. CPUs only. */
#include "base/size.h"
#include "ops/conv_kernels.h"

enum { TM = 3 }; /* behind those of TILE_PARAMS */

/* Local memory of an item: what leaves room for the weights in a second-level cache of 1 MB. */
#define BUDGET ((int64_t)768 * 1024)

/* How an item is cut out of the tiles and the blocks of output channels. */
typedef struct cut {
    int64_t strip, per;         /* tiles, a multiple of MR; blocks */
    int64_t tv_pitch, tm_pitch; /* floats of a position */
    double  cycles;             /* of the slowest core, times the number of cores; 0: nothing fits */
} cut;

typedef struct job {
    conv_geometry g;
    const caps   *c;
    const int    *p;
    int64_t       positions, nr, blocks, tiles_y, tiles_x, tiles;
} job;

static job job_of(const node_view *v, const caps *c, const int *p)
{
    job           j = {.g = conv_geometry_of(v), .c = c, .p = p};
    const int64_t m = p[TM];
    j.positions = (m + 2) * (m + 2);
    j.nr = (int64_t)p[TILE_V] * p[TILE_NB];
    j.blocks = div_up(j.g.co, j.nr);
    j.tiles_y = div_up(j.g.out.h, m);
    j.tiles_x = div_up(j.g.out.w, m);
    j.tiles = j.g.out.n * j.tiles_y * j.tiles_x;
    return j;
}

static int64_t native_vectors(const job *j, int64_t channels)
{
    return div_up(channels, j->p[TILE_V]) * div_up(j->p[TILE_V], i64_max(1, j->c->simd_width));
}

/* Cycles of an item. Measured: a vector of input takes 4 to be transformed, one of sums 3.5, and a byte of weights from
   the third-level cache 0.009 beside the product. */
static double item_cycles(const job *j, int64_t tiles, int64_t blocks)
{
    const double  positions = (double)j->positions;
    const int64_t rows = round_up(tiles, j->p[TILE_MR]);
    const double  in = 4.0 * positions * (double)(tiles * native_vectors(j, j->g.ci));
    const double  back = 3.5 * positions * (double)(tiles * native_vectors(j, j->nr));
    const double  product = positions * tile_cost_joined(j->c, j->p, rows, j->g.ci, j->nr);
    const double  weights = 0.009 * 4.0 * positions * (double)(j->g.ci * j->nr);
    return in + (double)blocks * (product + back + weights);
}

static double cut_cycles(const job *j, const cut *k)
{
    const int64_t cores = i64_max(1, j->c->compute_units);
    const int64_t strips = div_up(j->tiles, k->strip), groups = div_up(j->blocks, k->per), items = strips * groups;
    const int64_t rest = j->tiles - (strips - 1) * k->strip;
    const double  longest = item_cycles(j, k->strip, k->per), last = item_cycles(j, rest, k->per);
    const double  mean = ((double)(strips - 1) * longest + last) / (double)strips;
    const double  slowest = (double)(div_up(items, cores) - 1) * mean + longest;
    /* The weights come from memory once in a run. Strips side by side want them at the same time, which delays both. */
    const double bytes = 4.0 * (double)(j->blocks * j->positions * j->g.ci * j->nr) * (strips > 1 ? 1.3 : 1);
    const double work = slowest * (double)cores;
    if (!(j->c->bandwidth_gbs > 0))
        return work;
    const double cycles_per_ns = j->c->fma_gflops / (4.0 * (double)i64_max(1, j->c->simd_width));
    const double memory = bytes / j->c->bandwidth_gbs * cycles_per_ns;
    return work > memory ? work + 0.1 * memory : memory + 0.1 * work;
}

static cut best_cut(const job *j)
{
    const int64_t mr = j->p[TILE_MR], v = j->p[TILE_V], cv = div_up(j->g.ci, v);
    const int64_t budget = i64_min(j->c->local_bytes, BUDGET),
                  most = i64_min(j->blocks, 2 * (int64_t)j->c->compute_units);
    cut best = {0};
    for (int64_t strips = 1, before = 0; strips <= j->tiles; strips++) {
        cut k = {.strip = round_up(div_up(j->tiles, strips), mr)};
        if (k.strip == before)
            continue;
        before = k.strip;
        k.tv_pitch = cv * k.strip * v + v;
        k.tm_pitch = k.strip * j->nr + v;
        if (4 * j->positions * (k.tv_pitch + k.tm_pitch) <= budget)
            for (int64_t groups = 1; groups <= most; groups++) {
                k.per = div_up(j->blocks, groups);
                k.cycles = cut_cycles(j, &k);
                if (!best.cycles || k.cycles < 0.99 * best.cycles)
                    best = k;
            }
        if (k.strip == mr)
            break;
    }
    return best;
}

/* Sums of 2048 channels are within 8e-6 of the largest output with TM = 4, a limit that grows with their root. */
#define MOST_CHANNELS 2048

bool winograd_fits(const node_view *v, const caps *c, const int *p)
{
    const conv_geometry g = conv_geometry_of(v);
    const attr_conv    *a = g.a;
    if (!caps_is_cpu(c) || a->kernel[0] != 3 || a->kernel[1] != 3 || a->stride[0] != 1 || a->stride[1] != 1 ||
        a->dilation[0] != 1 || a->dilation[1] != 1 || a->group != 1)
        return false;
    if (!tile_fits(c, p) || !tile_busy(c, p) || g.ci < p[TILE_V])
        return false;
    if (p[TM] == 4 && g.ci > MOST_CHANNELS)
        return false;
    const job j = job_of(v, c, p);
    return best_cut(&j).cycles > 0;
}

double winograd_cost(const node_view *v, const caps *c, const int *p)
{
    const job j = job_of(v, c, p);
    return best_cut(&j).cycles;
}

/* G in double: the rows interpolate at 0, +-p, +-q and infinity, or at 0, +-1 and infinity. */
static void weight_matrix(int tm, double g[6][3])
{
    const double p = tm == 4 ? 0.75 : 1, q = 1.5, pp = p * p, qq = tm == 4 ? q * q : 0;
    const double ps = tm == 4 ? 0.5 / (pp * (pp - qq)) : 0.5, qs = 0.5 / (q * q * (q * q - pp));
    double       rows[6][3] = {{1, 0, 0}, {ps, ps * p, ps * pp}, {ps, -ps * p, ps * pp}, {0, 0, 1}};
    if (tm == 4) {
        const double more[3][3] = {{qs, qs * q, qs * qq}, {qs, -qs * q, qs * qq}, {0, 0, 1}};
        rows[0][0] = 1 / (pp * qq);
        memcpy(rows[3], more, sizeof more);
    }
    memcpy(g, rows, sizeof rows);
}

/* Output channels transformed side by side; they divide every vector. */
#define LANES 4

/* u[positions] = G w G' for input channel i and LANES output channels from o. */
static void transform_weights(const weight_view *w, int64_t out_channels, int64_t o, int64_t i, int n, double g[6][3],
                              double (*u)[LANES])
{
    double taps[9][LANES] = {{0}}, half[6 * 3][LANES];
    for (int l = 0; l < LANES && o + l < out_channels; l++)
        for (int t = 0; t < 9; t++)
            taps[t][l] = (double)weight_at(w, o + l, i, t / 3, t % 3);
    for (int r = 0; r < n; r++)
        for (int x = 0; x < 3; x++)
            for (int l = 0; l < LANES; l++)
                half[r * 3 + x][l] = g[r][0] * taps[x][l] + g[r][1] * taps[3 + x][l] + g[r][2] * taps[6 + x][l];
    for (int r = 0; r < n; r++)
        for (int s = 0; s < n; s++)
            for (int l = 0; l < LANES; l++)
                u[r * n + s][l] =
                    g[s][0] * half[r * 3][l] + g[s][1] * half[r * 3 + 1][l] + g[s][2] * half[r * 3 + 2][l];
}

static void fill_weights(const node_view *v, const int *p, void *dst)
{
    const conv_geometry g = conv_geometry_of(v);
    const weight_view   w = weights_of(v, &g.a->w);
    const int64_t       nr = (int64_t)p[TILE_V] * p[TILE_NB], blocks = div_up(g.co, nr);
    const int           n = p[TM] + 2;
    double              matrix[6][3], u[36][LANES];
    weight_matrix(p[TM], matrix);
    for (int64_t b = 0; b < blocks; b++)
        for (int64_t i = 0; i < g.ci; i++)
            for (int64_t j = 0; j < nr; j += LANES) {
                transform_weights(&w, g.co, b * nr + j, i, n, matrix, u);
                for (int64_t k = 0; k < (int64_t)n * n; k++)
                    for (int l = 0; l < LANES; l++)
                        ((float *)dst)[((b * n * n + k) * g.ci + i) * nr + j + l] = (float)u[k][l];
            }
}

static void fill_zeros(const node_view *v, const int *p, void *dst)
{
    memset(dst, 0, (size_t)((p[TM] + 2) * conv_geometry_of(v).ci) * sizeof(float));
}

void winograd_launch(const node_view *v, const caps *c, const int *p, launch_list *out)
{
    const job     j = job_of(v, c, p);
    const cut     k = best_cut(&j);
    const int64_t ci = j.g.ci;
    const int     w = launch_pack(out, DT_F32, (size_t)(j.blocks * j.positions * ci * j.nr), true, fill_weights);
    const int     b = launch_pack(out, DT_F32, (size_t)(j.blocks * j.nr), false, gemm_fill_bias);
    const int     z = launch_pack(out, DT_F32, (size_t)((p[TM] + 2) * ci), true, fill_zeros);
    launch       *l = launch_add(out, 2, div_up(j.tiles, k.strip), div_up(j.blocks, k.per), 1);
    arg_in(l, CONV_X);
    arg_packed(l, w);
    arg_packed(l, b);
    arg_packed(l, z);
    arg_out(l, 0);
    arg_local(l, (size_t)(4 * j.positions * k.tv_pitch));
    arg_local(l, (size_t)(4 * j.positions * k.tm_pitch));
    const int64_t numbers[] = {j.tiles, k.strip,   k.per,     j.g.in.h,      j.g.in.w,      j.g.out.h,  j.g.out.w, ci,
                               j.g.co,  j.tiles_y, j.tiles_x, j.g.a->pad[0], j.g.a->pad[1], k.tv_pitch, k.tm_pitch};
    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        arg_i32(l, numbers[i]);
    launch_epilogue(l, v, CONV_RES);
}
