/* SPDX-License-Identifier: Apache-2.0 */
/* The functions of acts.inc in double precision: what every kernel is compared with. */
#include <math.h>

#include "ir/op.h"

static double clamp01(double x)
{
    return x < 0 ? 0 : x > 1 ? 1 : x;
}

static double softplus(double x)
{
    return x > 30 ? x : log1p(exp(x));
}

#define ACT(NAME, name, formula)               \
    static double f_##name(double x, double a, double b) \
    {                                          \
        (void)a, (void)b;                      \
        return formula;                        \
    }
#include "ir/acts.inc"
#undef ACT

static const struct {
    const char *name, *macro;
    double (*f)(double x, double a, double b);
} functions[ACT_COUNT] = {
#define ACT(NAME, name, formula) [ACT_##NAME] = {#name, "act_" #name, f_##name},
#include "ir/acts.inc"
#undef ACT
};

double act_apply(const act *f, double x)
{
    return functions[f->kind].f(x, f->a, f->b);
}

const char *act_name(act_kind k)
{
    return (unsigned)k < ACT_COUNT ? functions[k].name : "?";
}

const char *act_macro(act_kind k)
{
    return (unsigned)k < ACT_COUNT ? functions[k].macro : "?";
}
