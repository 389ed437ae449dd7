/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Every op's own test cases, planned with each kernel row and each legal parameter set for CPUs and GPUs of which there
 * are only the facts: some row fits, launches stay within the device, arguments are there, packed constants stay within
 * the room that they asked for, and equal layers have equal keys.
 */
#include "scratch.h"
#include "usual_devices.h"

#include "ir/op.h"
#include "plan/plan.h"

static const caps devices[] = {
    USUAL_CPU,
    {.type = SEPCL_DEVICE_CPU,
     .compute_units = 1,
     .max_work_group = 64,
     .max_work_item = {64, 64, 64},
     .local_bytes = 16384,
     .global_bytes = 1LL << 30,
     .max_alloc_bytes = 1LL << 28,
     .constant_bytes = 65536,
     .align_bytes = 128,
     .simd_width = 4,
     .vector_registers = 32,
     .preferred_multiple = 1,
     .fma_gflops = 10,
     .bandwidth_gbs = 5,
     .launch_us = 5},
    USUAL_GPU,
    {.type = SEPCL_DEVICE_GPU,
     .compute_units = 1,
     .max_work_group = 64,
     .max_work_item = {64, 64, 64},
     .local_bytes = 16384,
     .local_is_real = false,
     .global_bytes = 1LL << 30,
     .max_alloc_bytes = 1LL << 28,
     .constant_bytes = 65536,
     .align_bytes = 128,
     .simd_width = 4,
     .preferred_multiple = 8,
     .unified_memory = true,
     .fma_gflops = 50,
     .bandwidth_gbs = 10,
     .launch_us = 20},
};
#define DEVICES ((int)(sizeof devices / sizeof devices[0]))

typedef struct trial {
    const graph *g;
    const caps  *c;
    op_kind      kind;
    int          row, index; /* of the case */
    long         sets;
} trial;

static void check(const trial *t, bool holds, const char *what)
{
    if (!holds)
        test_fail("%s, case %d, row %d, device %d: %s (%s)\n", op_name(t->kind), t->index, t->row,
                  (int)(t->c - devices), what, error_sentence());
}

static void check_argument(const trial *t, const plan_step *s, const arg *a)
{
    switch (a->kind) {
    case ARG_IN:
        check(t, a->index >= 0 && a->index < s->n->n_in && s->n->in[a->index] >= 0, "an input that is not there");
        break;
    case ARG_OUT:
        check(t, a->index >= 0 && a->index < s->n->n_out, "an output that is not there");
        break;
    case ARG_PACKED:
        check(t, a->index >= 0 && a->index < s->n_packs, "a packed constant that is not there");
        break;
    case ARG_SCRATCH:
        check(t, a->index >= 0 && a->index < s->n_scratch && s->scratch_bytes[a->index] > 0,
              "scratch that is not there");
        break;
    case ARG_LOCAL:
        check(t, a->bytes > 0 && (int64_t)a->bytes <= t->c->local_bytes, "more local memory than there is");
        break;
    default:
        break;
    }
}

static void check_launch(const trial *t, const plan_step *s, const launch *l)
{
    size_t items = 1;
    check(t, l->dims >= 1 && l->dims <= 3, "dimensions of a launch");
    for (int j = 0; j < l->dims; j++) {
        check(t, l->local[j] > 0 && l->global[j] > 0 && l->global[j] % l->local[j] == 0, "a work-group's size");
        check(t, (int64_t)l->local[j] <= t->c->max_work_item[j], "a work-group that is too wide");
        items *= l->local[j];
    }
    check(t, (int64_t)items <= t->c->max_work_group, "a work-group that is too large");
    check(t, l->n_args <= LAUNCH_ARGS && l->n_defines <= LAUNCH_DEFINES, "too many arguments or defines");
    for (int i = 0; i < l->n_args; i++)
        check_argument(t, s, &l->args[i]);
}

#define MARGIN 64

static void check_pack(const trial *t, const plan_step *s, const packed *k)
{
    const node_view v = {t->g, s->n};
    const size_t    bytes = k->count * dtype_size(k->type);
    unsigned char  *room = malloc(bytes + 2 * MARGIN);
    bool            kept = true;
    assert_non_null(room);
    memset(room, 0xA5, bytes + 2 * MARGIN);
    k->fill(&v, s->p, room + MARGIN);
    for (int i = 0; i < MARGIN; i++)
        kept &= room[i] == 0xA5 && room[MARGIN + bytes + (size_t)i] == 0xA5;
    free(room);
    check(t, kept, "a packed constant is written beyond its room");
}

static bool try_set(void *user, const int *p)
{
    trial       *t = user;
    plan        *made;
    plan_options o = {.quiet = true, .force_op = t->kind, .force_row = t->row};
    memcpy(o.force_p, p, sizeof o.force_p);
    check(t, plan_create(t->g, t->c, &o, &made) == SEPCL_OK, "no plan");
    for (int i = 0; i < made->n_steps; i++) {
        const plan_step *s = &made->steps[i];
        if (s->n->op == t->kind) {
            check(t, s->row == &op_get(t->kind)->kernels[t->row], "another row than was asked for");
            check(t, s->row->fits(&(node_view){t->g, s->n}, t->c, s->p), "a row that does not fit");
        }
        for (int k = 0; k < s->n_launches; k++)
            check_launch(t, s, &s->launches[k]);
        for (int k = 0; k < s->n_packs; k++)
            check_pack(t, s, &s->packs[k]);
    }
    plan_destroy(made);
    t->sets++;
    return true;
}

static const node *node_of(const graph *g, op_kind kind)
{
    for (int i = 0; i < g->n_nodes; i++)
        if (g->nodes[i]->op == kind)
            return g->nodes[i];
    return NULL;
}

/* The key has to be the same for a copy of the graph. */
static void check_key(const trial *t, const node *n)
{
    static char one[8192], two[8192];
    strbuf      of_one = strbuf_on(one, sizeof one), of_two = strbuf_on(two, sizeof two);
    graph      *copy;
    check(t, graph_clone(t->g, &copy) == SEPCL_OK, "no copy");
    node_key(&(node_view){t->g, n}, &of_one);
    node_key(&(node_view){copy, node_of(copy, t->kind)}, &of_two);
    check(t, *one && !of_one.cut && !strcmp(one, two), "the key of a copy differs, or is too long");
    graph_destroy(copy);
}

static void check_case(trial *t, const node *n)
{
    const op_def *op = op_get(t->kind);
    op_count      count = {0};
    const long    before = t->sets;
    check(t, graph_check(t->g) == SEPCL_OK, "the graph is not sound");
    check_key(t, n);
    if (op->count)
        op->count(&(node_view){t->g, n}, &count);
    for (t->row = 0; op->kernels[t->row].file; t->row++)
        plan_each_parameters(&op->kernels[t->row], &(node_view){t->g, n}, t->c, try_set, t);
    t->row = -1;
    check(t, t->sets > before || (op->flags & OP_FUSED), "no row fits");
}

static void test_cases(void **state)
{
    (void)state;
    long sets = 0;
    for (op_kind kind = OP_NONE + 1; kind < OP_COUNT; kind++) {
        const op_def *op = op_get(kind);
        for (int i = 0; op->gen; i++) {
            graph *g;
            assert_ok(graph_create("case", &g));
            const bool more = op->gen(i, g);
            for (int d = 0; more && op->kernels && d < DEVICES; d++) {
                trial       t = {.g = g, .c = &devices[d], .kind = kind, .index = i};
                const node *n = node_of(g, kind);
                check(&t, n != NULL, "the case has no such node");
                check_case(&t, n);
                sets += t.sets;
            }
            graph_destroy(g);
            if (!more)
                break;
        }
    }
    assert_true(sets > 1000);
    print_message("%ld plans\n", sets);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
