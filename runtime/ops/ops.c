/* SPDX-License-Identifier: Apache-2.0 */
/* The table behind op_get. */
#include "ir/op.h"

#define OP(NAME, name) extern const op_def op_##name;
#include "ir/ops.inc"
#undef OP

static const op_def *const ops[OP_COUNT] = {
#define OP(NAME, name) [OP_##NAME] = &op_##name,
#include "ir/ops.inc"
#undef OP
};

const op_def *op_get(op_kind op)
{
    return ops[op];
}

const char *op_name(op_kind op)
{
    return op > OP_NONE && op < OP_COUNT ? ops[op]->name : "none";
}
