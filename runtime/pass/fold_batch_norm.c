/* SPDX-License-Identifier: Apache-2.0 */
/*
 * conv (or dense) -> batch_norm becomes conv with a factor and a bias an output channel:
 * gamma * (W*x + b - mean) / sqrt(var + eps) + beta = (s W)*x + (b - mean) s + beta,  s = gamma / sqrt(var + eps).
 * The weights themselves are not copied: the factor is applied when they are packed for the device (CONV_SCALE).
 */
#include <math.h>

#include "ir/op.h"
#include "pass/pass.h"

enum { BN_X, BN_GAMMA, BN_BETA, BN_MEAN, BN_VAR };

static double element(const graph *g, value_id v, int64_t i, double absent)
{
    return v < 0 ? absent : data_float(g->values[v].type, g->values[v].data, i);
}

static bool foldable(const graph *g, const node *conv, const node *bn)
{
    if (conv->op != OP_CONV && conv->op != OP_CONV_TRANSPOSE && conv->op != OP_DENSE)
        return false;
    if (conv->epi.act.kind != ACT_NONE || conv->epi.act2.kind != ACT_NONE)
        return false;
    if (CONV_RES < conv->n_in && conv->in[CONV_RES] >= 0)
        return false;
    for (int k = CONV_B; k <= CONV_SCALE && k < conv->n_in; k++)
        if (conv->in[k] >= 0 && !g->values[conv->in[k]].data)
            return false;
    for (int k = BN_GAMMA; k <= BN_VAR; k++)
        if (!g->values[bn->in[k]].data)
            return false;
    return true;
}

static status fold(graph *g, node *conv, node *bn)
{
    const value_id out = conv->out[0];
    const shape   *s = &g->values[out].shape;
    const shape    channels = SHAPE(s->dim[s->rank - 1]);
    const value_id scale = graph_const(g, bn->name, DT_F32, &channels, NULL, true);
    const value_id bias = scale < 0 ? -1 : graph_const(g, bn->name, DT_F32, &channels, NULL, true);
    value_id      *in = arena_array(&g->memory, CONV_INPUTS, sizeof *in);
    if (bias < 0 || !in)
        return SEPCL_OUT_OF_MEMORY;
    for (int k = 0; k < CONV_INPUTS; k++)
        in[k] = k < conv->n_in ? conv->in[k] : -1;
    for (int64_t c = 0; c < channels.dim[0]; c++) {
        const double f = element(g, bn->in[BN_GAMMA], c, 1) /
                         sqrt(element(g, bn->in[BN_VAR], c, 1) + (double)bn->a.norm.epsilon);
        graph_const_data(g, scale)[c] = (float)(f * element(g, in[CONV_SCALE], c, 1));
        graph_const_data(g, bias)[c] = (float)((element(g, in[CONV_B], c, 0) - element(g, bn->in[BN_MEAN], c, 0)) * f +
                                               element(g, bn->in[BN_BETA], c, 0));
    }
    in[CONV_SCALE] = scale;
    in[CONV_B] = bias;
    conv->in = in;
    conv->n_in = CONV_INPUTS;
    /* the conv now makes what the batch norm made */
    conv->out[0] = bn->out[0];
    g->values[conv->out[0]].producer = g->values[out].producer;
    g->values[out].producer = -1;
    conv->epi = bn->epi;
    bn->dead = true;
    bn->n_out = 0;
    return SEPCL_OK;
}

status pass_fold_batch_norm(graph *g, const pass_options *o)
{
    (void)o;
    for (int i = 0; i < g->n_nodes; i++) {
        node *conv = g->nodes[i];
        if (conv->dead || conv->n_out != 1)
            continue;
        node *bn = graph_single_user(g, conv->out[0], NULL);
        if (bn && bn->op == OP_BATCH_NORM && bn->in[BN_X] == conv->out[0] && foldable(g, conv, bn))
            TRY(fold(g, conv, bn));
    }
    return SEPCL_OK;
}
