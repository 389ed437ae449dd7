/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an op is: its checks, shapes, costs, reference, test cases and kernel rows, in one table entry.
 * ops/<name>.c defines `const op_def op_<name>`; ir/ops.inc registers it.
 */
#ifndef SEPCL_IR_OP_H
#define SEPCL_IR_OP_H

#include "base/caps.h"
#include "base/strbuf.h"
#include "ir/graph.h"

/* A node in its graph. */
typedef struct node_view {
    const graph *g;
    const node  *n;
} node_view;

static inline bool nv_has(const node_view *v, int i)
{
    return i < v->n->n_in && v->n->in[i] >= 0;
}
/* Input i's value; NULL when absent. */
static inline const value *nv_in(const node_view *v, int i)
{
    return nv_has(v, i) ? &v->g->values[v->n->in[i]] : NULL;
}
static inline const value *nv_out(const node_view *v, int i)
{
    return &v->g->values[v->n->out[i]];
}
/* The k-th node that a fused node stands for. */
static inline node_view nv_sub(const node_view *v, int k)
{
    return (node_view){v->g, v->n->sub[k]};
}

/* How input i is stored on the device: a constant is stored as the node's output is. */
static inline dtype nv_stored(const node_view *v, int i)
{
    const value *in = nv_in(v, i);
    return in->data ? nv_out(v, 0)->type : in->type;
}

/* ------------------------------------------------------------------ costs */

typedef struct op_count {
    uint64_t multiplications, additions;
    uint64_t parameters;  /* elements of constant inputs as the layer's user counts them */
    uint64_t bytes;       /* read and written once each, in float32 */
} op_count;

/* ------------------------------------------------------------------ kernel rows */

#define PARAM_MAX 8
#define PARAM_VALUES 12

/* A -D of a kernel file and its legal values (zero-terminated; so 0 is not a legal value). */
typedef struct param {
    const char *name;
    int         values[PARAM_VALUES];
} param;

typedef enum arg_kind {
    ARG_IN,      /* buffer of node input `index` (a constant input is uploaded as it is, converted to the storage type) */
    ARG_OUT,     /* buffer of node output `index` */
    ARG_PACKED,  /* packed constant `index` of the launch list */
    ARG_SCRATCH, /* scratch buffer `index` of the launch list, alive during this step only */
    ARG_I32,
    ARG_F32,
    ARG_LOCAL    /* `bytes` of local memory */
} arg_kind;

typedef struct arg {
    arg_kind kind;
    int      index;
    int32_t  i;
    float    f;
    size_t   bytes;
} arg;

typedef struct define {
    const char *name; /* static strings */
    const char *text; /* NULL: value */
    int         value;
} define;

#define LAUNCH_ARGS 40
#define LAUNCH_DEFINES 16

/* One kernel launch: program (file + defines + the row's parameters), geometry and arguments in order. */
typedef struct launch {
    const char *file;   /* NULL: the row's */
    const char *entry;  /* NULL: the row's */
    int         dims;
    size_t      global[3]; /* exact extent; when the plan pads it to work-group multiples the kernel's own bounds check holds */
    size_t      local[3];  /* 0: the plan chooses for the device (1 on a CPU) */
    arg         args[LAUNCH_ARGS];
    int         n_args;
    define      defines[LAUNCH_DEFINES];
    int         n_defines;
} launch;

/* A constant in the layout that a kernel wants, made once when a session is created. fill writes count elements of
   type (F32 or I32) to dst; F32 is converted to half afterwards when half_ok and the plan stores half.
   Two packs with the same fill, source node and parameters are made once. */
typedef struct packed {
    dtype  type;
    size_t count;
    bool   half_ok;
    void (*fill)(const node_view *v, const int *p, void *dst);
} packed;

typedef struct launch_list launch_list;

/* launch_add never returns NULL: when memory is out the list remembers it and a dummy is returned. */
launch *launch_add(launch_list *l, int dims, int64_t gx, int64_t gy, int64_t gz);
/* Return the index for ARG_PACKED and ARG_SCRATCH. */
int  launch_pack(launch_list *l, dtype type, size_t count, bool half_ok, void (*fill)(const node_view *, const int *, void *));
int  launch_scratch(launch_list *l, size_t bytes);
void launch_local(launch *k, size_t lx, size_t ly, size_t lz);
void launch_define(launch *k, const char *name, int value);
void launch_define_text(launch *k, const char *name, const char *text);
/* Arguments, in the kernel's order. */
void arg_in(launch *k, int input);
void arg_out(launch *k, int output);
void arg_packed(launch *k, int pack);
void arg_scratch(launch *k, int scratch);
void arg_i32(launch *k, int64_t value);
void arg_f32(launch *k, double value);
void arg_local(launch *k, size_t bytes);
/* The epilogue: defines ACT, ACT2, RES and adds the arguments act_a, act_b, act2_a, act2_b (float) and, last, the
   residual buffer (input slot `residual`; when absent, the output's own buffer, which the kernel does not read).
   kernels/common.cl: EPILOGUE_ARGS in a signature and EPILOGUE() in a body match it. */
void launch_epilogue(launch *k, const node_view *v, int residual);
/* For elementwise kernels: how many elements one work-item takes (a multiple of vec), so that a CPU gets a few
   work-groups a core and a GPU one vector an item. */
int64_t elements_per_item(const caps *c, int64_t count, int vec);

typedef struct kernel_def {
    const char *file, *entry; /* kernels/<file>.cl */
    const char *what;         /* a few words for -v and sepcl-info: "register-tiled GEMM" */
    param       params[PARAM_MAX];
    /* May this row run this node with these parameter values on this device? p has one value a param. */
    bool (*fits)(const node_view *v, const caps *c, const int *p);
    /* Fills the launches. Must not look at the device beyond c. */
    void (*launch)(const node_view *v, const caps *c, const int *p, launch_list *out);
    /* Predicted seconds (any unit, comparable within the op); NULL: the first parameter values that fit are taken. */
    double (*cost)(const node_view *v, const caps *c, const int *p);
} kernel_def;

/* Number of parameters of a row. */
int kernel_params(const kernel_def *k);

/* ------------------------------------------------------------------ the op table */

enum {
    OP_VIEW = 1,          /* output 0 is input 0's elements in the same order: no kernel runs */
    OP_EPI_ACT = 2,       /* an activation may be fused into it */
    OP_EPI_RESIDUAL = 4,  /* a residual may be fused: its slot is residual_slot */
    OP_ELEMENTWISE = 8,   /* output may share the memory of an input of the same shape */
    OP_FUSED = 16         /* made by the planner only, from sub nodes */
};

typedef struct op_def {
    const char *name;
    int         min_in, max_in, n_out; /* max_in, n_out -1: any */
    uint32_t    flags;
    int         residual_slot;
    /* Attributes and inputs, in words a user understands (node and op are put in front by the caller). NULL: none. */
    status (*check)(const node_view *v);
    /* Output shapes (out[n_out]) from input shapes and attributes. */
    status (*infer)(const node_view *v, shape *out);
    void (*count)(const node_view *v, op_count *out);
    /* Scalar reference with double accumulators, without the epilogue. in[] are float32, dense, NHWC; constants too (a
       weight is expanded in its own layout). in[i] is NULL for an absent input. Integer constants (gather) are read from
       the value itself. NULL for OP_FUSED and OP_VIEW. */
    status (*ref)(const node_view *v, const float *const *in, float *const *out);
    /* Builds the i-th test case into an empty graph: inputs, one node of this op, outputs. false: no more cases (cases
       without kernels of their own, such as views, have one at least). Random data by test_random below. */
    bool (*gen)(int i, graph *g);
    const kernel_def *kernels; /* best first, ended by file == NULL; the last one fits everything */
    /* Tolerance of the comparison with the reference, largest difference over largest magnitude; 0: 1e-5. */
    double tolerance;
} op_def;

const op_def *op_get(op_kind op);
const char   *op_name(op_kind op);

/* What of a node, or of nodes in a row, decides how fast it runs, as text of printable ASCII (key.c): equal for equal
   layers of any models. */
void node_key(const node_view *v, strbuf *t);
void chain_key(const graph *g, node *const *nodes, int n, strbuf *t);

/* Epilogue in double, for the reference. */
double act_apply(const act *f, double x);
const char *act_name(act_kind k);
const char *act_macro(act_kind k); /* its macro in kernels/common.cl */

/* For gen: a constant or input value named so that the runner fills inputs with reproducible numbers in [-1, 1]. */
value_id test_input(graph *g, const char *name, const shape *s);
value_id test_const(graph *g, const char *name, const shape *s); /* filled here, same numbers every time */
void     test_fill(float *data, int64_t n, uint32_t seed);

/* Shorthand of infer and check messages. */
#define NEED(condition, ...)                          \
    do {                                              \
        if (!(condition))                             \
            return fail(SEPCL_UNSUPPORTED, __VA_ARGS__); \
    } while (0)

/* The output extent of a window sliding over `in` elements, padded: the one place of this formula.
   ceil_mode as in attr_pool. -1 when the window does not fit. */
int64_t window_extent(int64_t in, int kernel, int stride, int dilation, int pad_begin, int pad_end, bool ceil_mode);

#endif
