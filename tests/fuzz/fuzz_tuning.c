/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes as a tuning file. To get beyond the first field, "@" at a line's begin stands for the device, and "#3" as a key
 * for that of the third of some real layers. Whatever the file says: entries come out sorted and sound, planning never
 * fails for it and takes nothing illegal from it, and what is saved reads the same again.
 */
#include "pass/pass.h"
#include "plan/plan.h"
#include "scratch_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static const caps device = {.type = SEPCL_DEVICE_CPU, .compute_units = 2, .max_work_group = 4096,
                            .max_work_item = {4096, 4096, 4096}, .local_bytes = 1 << 18, .align_bytes = 128,
                            .simd_width = 8, .vector_registers = 16, .preferred_multiple = 1, .fma_gflops = 100,
                            .bandwidth_gbs = 20, .name = "device", .driver = "1"};

/* ---------------------------------------------------------------- layers that entries may be for */

#define GRAPHS 40
static graph *graphs[GRAPHS];
static int    n_graphs;

static void make_graphs(void)
{
    static const op_kind kinds[] = {OP_CONV, OP_POOL, OP_BINARY, OP_DENSE, OP_REDUCE, OP_SEPARABLE, OP_INVERTED};
    for (size_t k = 0; k < sizeof kinds / sizeof kinds[0]; k++)
        for (int i = 0; i < 5; i++) {
            graph *g;
            if (graph_create("layer", &g) != SEPCL_OK)
                abort();
            if (!op_get(kinds[k])->gen(i, g) || passes_run(g, &(pass_options){0}) != SEPCL_OK || !g->n_nodes) {
                graph_destroy(g);
                continue;
            }
            graphs[n_graphs++] = g;
        }
}

static void key_of(int which, char key[TUNE_KEY])
{
    const graph *g = graphs[which % n_graphs];
    strbuf       t = strbuf_on(key, TUNE_KEY);
    if (which / n_graphs % 2)
        chain_key(g, g->nodes, g->n_nodes < FORM_PARTS ? g->n_nodes : FORM_PARTS, &t);
    else
        node_key(&(node_view){g, g->nodes[g->n_nodes - 1]}, &t);
}

/* ---------------------------------------------------------------- the file */

static char  *text;
static size_t length, room;

static void put(const char *p, size_t n)
{
    if (length + n > room) {
        room = 2 * (length + n);
        text = realloc(text, room);
        if (!text)
            abort();
    }
    memcpy(text + length, p, n);
    length += n;
}

static void make_file(const uint8_t *bytes, size_t size, const char *name)
{
    length = 0;
    for (size_t i = 0; i < size; i++) {
        char key[TUNE_KEY];
        if (bytes[i] == '@' && (i == 0 || bytes[i - 1] == '\n')) {
            put(name, strlen(name));
        } else if (bytes[i] == '#' && i + 1 < size && i > 0) {
            key_of(bytes[++i], key);
            put(key, strlen(key));
        } else {
            put((const char *)&bytes[i], 1);
        }
    }
}

/* ---------------------------------------------------------------- what must hold */

static void check_sorted(const tune_db *db)
{
    for (int i = 0; i < tune_count(db); i++) {
        const tune_entry *e = tune_get(db, i), *before = i ? tune_get(db, i - 1) : NULL;
        if (tune_find(db, e->kind, e->key) != e || e->ns < (e->kind == TUNE_BAN ? 0 : 1) || !(e->error >= 0) || strlen(e->key) >= TUNE_KEY ||
            strlen(e->choice) >= TUNE_CHOICE)
            abort();
        if (before && (before->kind > e->kind || (before->kind == e->kind && strcmp(before->key, e->key) >= 0)))
            abort();
    }
}

static void check_plans(const tune_db *db)
{
    const plan_options o = {.tuning = db, .quiet = true};
    for (int i = 0; i < n_graphs; i++) {
        graph *g;
        plan  *p;
        if (graph_clone(graphs[i], &g) != SEPCL_OK)
            abort();
        if (plan_forms(g, &device, &o) != SEPCL_OK || graph_check(g) != SEPCL_OK || plan_create(g, &device, &o, &p) != SEPCL_OK)
            abort();
        for (int k = 0; k < p->n_steps; k++)
            if (!p->steps[k].row->fits(&(node_view){g, p->steps[k].n}, &device, p->steps[k].p))
                abort();
        plan_destroy(p);
        graph_destroy(g);
    }
}

static void check_saved(tune_db *db, const char *path)
{
    tune_db *again;
    unlink(path); /* or its entries would be read once more */
    if (tune_save(db) != SEPCL_OK || tune_open(scratch_folder(), &device, &again) != SEPCL_OK)
        abort();
    if (tune_count(again) != tune_count(db))
        abort();
    for (int i = 0; i < tune_count(db); i++) {
        const tune_entry *a = tune_get(db, i), *b = tune_get(again, i);
        if (a->kind != b->kind || a->ns != b->ns || strcmp(a->key, b->key) != 0 || strcmp(a->choice, b->choice) != 0)
            abort();
    }
    tune_close(again);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    char     name[TUNE_DEVICE], path[160];
    tune_db *db;
    if (!n_graphs)
        make_graphs();
    tune_device(&device, name);
    snprintf(path, sizeof path, "%s/%s.txt", scratch_folder(), name);
    make_file(bytes, size, name);
    scratch_write(path, text, length);
    if (tune_open(scratch_folder(), &device, &db) != SEPCL_OK)
        abort();
    check_sorted(db);
    if (tune_count(db))
        check_plans(db);
    check_saved(db, path);
    tune_close(db);
    return 0;
}
