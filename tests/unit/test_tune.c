/* SPDX-License-Identifier: Apache-2.0 */
/* The tuning database: what it reads and writes, what it leaves out, and what planning makes of it. */
#include "scratch.h"

#include "ops/fused.h"
#include "pass/pass.h"
#include "plan/plan.h"

static caps device(void)
{
    return (caps){.type = SEPCL_DEVICE_CPU, .compute_units = 2, .max_work_group = 4096, .max_work_item = {4096, 4096, 4096},
                  .local_bytes = 1 << 20, .align_bytes = 128, .simd_width = 8, .vector_registers = 16,
                  .preferred_multiple = 1, .name = "a device", .driver = "7.1"};
}

static tune_entry entry(tune_kind kind, const char *key, const char *choice, int64_t ns)
{
    return (tune_entry){.kind = kind, .key = key, .choice = choice, .ns = ns, .error = 3e-7, .losers = ""};
}

static char *path_in(const char *folder)
{
    char       name[TUNE_DEVICE + 4], digits[TUNE_DEVICE];
    const caps c = device();
    snprintf(name, sizeof name, "%s.txt", tune_device(&c, digits));
    return file_join(folder, name);
}

static void write_text(const char *folder, const void *text, size_t size)
{
    char *path = path_in(folder);
    assert_ok(file_write(path, text, size, 0600));
    free(path);
}

static tune_db *open_in(const char *folder)
{
    const caps c = device();
    tune_db   *db;
    assert_ok(tune_open(folder, &c, &db));
    return db;
}

/* ------------------------------------------------------------------ entries and file */

static void entries_are_found(void **state)
{
    (void)state;
    tune_db   *db = open_in(NULL);
    char       key[32];
    tune_entry e;
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key %d", i * 37 % 200);
        e = entry(i % 2 ? TUNE_FORM : TUNE_ROW, key, "gemm/gemm MR=6 V=8 NB=2", i + 1);
        assert_ok(tune_set(db, &e));
    }
    assert_int_equal(tune_count(db), 200);
    for (int i = 0; i < 200; i++) {
        snprintf(key, sizeof key, "key %d", i * 37 % 200);
        assert_int_equal(tune_find(db, i % 2 ? TUNE_FORM : TUNE_ROW, key)->ns, i + 1);
        assert_null(tune_find(db, i % 2 ? TUNE_ROW : TUNE_FORM, key));
    }
    e = entry(TUNE_ROW, "key 0", "conv/conv MR=1 V=4 NB=1", 77);
    assert_ok(tune_set(db, &e)); /* replaced, not added */
    assert_int_equal(tune_count(db), 200);
    assert_int_equal(tune_find(db, TUNE_ROW, "key 0")->ns, 77);
    for (int i = 1; i < 200; i++)
        if (tune_get(db, i - 1)->kind == tune_get(db, i)->kind)
            assert_true(strcmp(tune_get(db, i - 1)->key, tune_get(db, i)->key) < 0);
    assert_ok(tune_save(db)); /* nowhere, without a folder */
    tune_close(db);
    assert_null(tune_find(NULL, TUNE_ROW, "key 0"));
    tune_close(NULL);
}

static void what_is_written_is_read(void **state)
{
    (void)state;
    const char *folder = scratch_folder();
    tune_db    *db = open_in(folder);
    tune_entry  e = entry(TUNE_ROW, "conv 1x2x2x4 const > 1x2x2x8 k1x1", "gemm/gemm MR=6 V=8 NB=2", 123456);
    e.losers = "gemm/gemm MR=4 V=8 NB=2: 200000; conv/conv MR=6 V=8 NB=2: 345678";
    assert_ok(tune_set(db, &e));
    e = entry(TUNE_FORM, "conv a + conv b", "separable", 99);
    e.error = 0;
    assert_ok(tune_set(db, &e));
    assert_ok(tune_save(db));
    tune_close(db);
    assert_int_equal(scratch_count(folder), 1);
    db = open_in(folder);
    assert_int_equal(tune_count(db), 2);
    const tune_entry *got = tune_find(db, TUNE_ROW, "conv 1x2x2x4 const > 1x2x2x8 k1x1");
    assert_non_null(got);
    assert_string_equal(got->choice, "gemm/gemm MR=6 V=8 NB=2");
    assert_string_equal(got->losers, "gemm/gemm MR=4 V=8 NB=2: 200000; conv/conv MR=6 V=8 NB=2: 345678");
    assert_int_equal(got->ns, 123456);
    assert_true(got->error > 2.9e-7 && got->error < 3.1e-7);
    got = tune_find(db, TUNE_FORM, "conv a + conv b");
    assert_string_equal(got->choice, "separable");
    assert_true(got->error == 0);
    tune_close(db);
    scratch_remove(folder);
}

/* Two processes tune at the same time: both files' entries are there in the end, and the newer of the same key. */
static void writers_merge(void **state)
{
    (void)state;
    const char *folder = scratch_folder();
    tune_db    *first = open_in(folder), *second = open_in(folder);
    tune_entry  e = entry(TUNE_ROW, "only the first", "a/a", 1);
    assert_ok(tune_set(first, &e));
    e = entry(TUNE_ROW, "both", "a/a", 2);
    assert_ok(tune_set(first, &e));
    assert_ok(tune_save(first));
    e = entry(TUNE_ROW, "only the second", "b/b", 3);
    assert_ok(tune_set(second, &e));
    e = entry(TUNE_ROW, "both", "b/b", 4);
    assert_ok(tune_set(second, &e));
    assert_ok(tune_save(second));
    assert_int_equal(tune_count(second), 3);
    tune_close(second);
    tune_close(first);
    tune_db *db = open_in(folder);
    assert_int_equal(tune_count(db), 3);
    assert_int_equal(tune_find(db, TUNE_ROW, "only the first")->ns, 1);
    assert_int_equal(tune_find(db, TUNE_ROW, "both")->ns, 4);
    tune_close(db);
    scratch_remove(folder);
}

/* A lock that somebody keeps delays a writer and does not stop it. */
static void a_lock_that_stays_is_passed(void **state)
{
    (void)state;
    const char *folder = scratch_folder();
    const int   lock = file_lock(folder), other = file_lock(folder);
    assert_true(lock >= 0);
    assert_int_equal(other, -1);
    tune_db   *db = open_in(folder);
    tune_entry e = entry(TUNE_ROW, "key", "a/a", 1);
    assert_ok(tune_set(db, &e));
    assert_ok(tune_save(db));
    tune_close(db);
    file_unlock(lock);
    file_unlock(-1);
    assert_int_equal(scratch_count(folder), 1);
    scratch_remove(folder);
}

/* ------------------------------------------------------------------ lines that are not to be trusted */

static void a_person_may_edit(void **state)
{
    (void)state;
    char        digits[TUNE_DEVICE], text[512];
    const caps  c = device();
    const char *folder = scratch_folder();
    tune_device(&c, digits);
    snprintf(text, sizeof text, "# a comment\n\n   \n  %s|op|key 1|a/a V=4|12|1e-07\r\n%s |\tform| key 2 |apart |  13|0e+00 | x: 1\n%s | op | key 1 | b/b | 14 | 2e-07",
             digits, digits, digits);
    write_text(folder, text, strlen(text));
    log_keep();
    tune_db *db = open_in(folder);
    log_set(NULL, NULL, SEPCL_LOG_OFF);
    assert_string_equal(scratch_log, "");
    assert_int_equal(tune_count(db), 2);
    assert_string_equal(tune_find(db, TUNE_ROW, "key 1")->choice, "b/b"); /* the last one counts */
    assert_string_equal(tune_find(db, TUNE_FORM, "key 2")->losers, "x: 1");
    tune_close(db);
    scratch_remove(folder);
}

static void odd_lines_are_left_out(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "nonsense",
        "%s | op | key | a/a | 12",                            /* too few fields */
        "%s | op | key | a/a | 12 | 1e-07 | x | y",            /* too many */
        "0123456789abcdef | op | key | a/a | 12 | 1e-07",      /* another device */
        "%s | ops | key | a/a | 12 | 1e-07",
        "%s | op | | a/a | 12 | 1e-07",
        "%s | op | key | | 12 | 1e-07",
        "%s | op | key | a/a | 0 | 1e-07",
        "%s | op | key | a/a | -5 | 1e-07",
        "%s | op | key | a/a | 99999999999999999999 | 1e-07",
        "%s | op | key | a/a | 9000000000000000000 | 1e-07",
        "%s | op | key | a/a | 12x | 1e-07",
        "%s | op | key | a/a | 12.5 | 1e-07",
        "%s | op | key | a/a | 12 | -1e-07",
        "%s | op | key | a/a | 12 | nan",
        "%s | op | key | a/a | 12 | inf",
        "%s | op | key | a/a | 12 | 1e999",
        "%s | op | key | a/a | 12 | 0x1p3",
        "%s | op | k\xc3\xa4y | a/a | 12 | 1e-07",
        "%s | op | k\033[2Jy | a/a | 12 | 1e-07",
    };
    char        digits[TUNE_DEVICE], line[512];
    const caps  c = device();
    const char *folder = scratch_folder();
    tune_device(&c, digits);
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        const int n = snprintf(line, sizeof line, lines[i], digits);
        const int end = snprintf(line + n, sizeof line - (size_t)n, "\n%s | op | good | a/a | 1 | 1e-07\n", digits);
        write_text(folder, line, (size_t)(n + end));
        log_keep();
        tune_db *db = open_in(folder);
        log_set(NULL, NULL, SEPCL_LOG_OFF);
        if (tune_count(db) != 1 || !tune_find(db, TUNE_ROW, "good") || !strstr(scratch_log, "line 1 of"))
            test_fail("line \"%s\": %d entries, log %s\n", lines[i], tune_count(db), scratch_log);
        tune_close(db);
    }
    scratch_remove(folder);
}

static void odd_files_are_left_out(void **state)
{
    (void)state;
    const char *folder = scratch_folder();
    char       *noise = malloc(100000);
    uint32_t    x = 1;
    for (int i = 0; i < 100000; i++) {
        x = x * 1664525 + 1013904223;
        noise[i] = (char)(x >> 24);
    }
    for (size_t size = 0; size <= 100000; size = size ? size * 10 : 1) {
        write_text(folder, noise, size);
        tune_close(open_in(folder));
    }
    memset(noise, '|', 100000); /* one line */
    write_text(folder, noise, 100000);
    tune_db *db = open_in(folder);
    assert_int_equal(tune_count(db), 0);
    tune_close(db);
    free(noise);
    char *path = path_in(folder);
    assert_int_equal(unlink(path), 0);
    assert_ok(file_make_folder(path, 0700)); /* a folder where the file belongs */
    log_keep();
    db = open_in(folder);
    log_set(NULL, NULL, SEPCL_LOG_OFF);
    assert_int_equal(tune_count(db), 0);
    assert_non_null(strstr(scratch_log, "not a regular file"));
    tune_close(db);
    free(path);
    scratch_remove(folder);
}

static void entries_that_no_line_holds_are_refused(void **state)
{
    (void)state;
    tune_db   *db = open_in(NULL);
    char       longest[TUNE_KEY + 1];
    tune_entry e = entry(TUNE_ROW, "a | b", "a/a", 1);
    assert_fails(SEPCL_INVALID, "a | b", tune_set(db, &e));
    e = entry(TUNE_ROW, "two\nlines", "a/a", 1);
    assert_int_equal(tune_set(db, &e), SEPCL_INVALID);
    e = entry(TUNE_ROW, "", "a/a", 1);
    assert_int_equal(tune_set(db, &e), SEPCL_INVALID);
    e = entry(TUNE_ROW, "key", "a/a", 0);
    assert_int_equal(tune_set(db, &e), SEPCL_INVALID);
    memset(longest, 'x', sizeof longest);
    longest[TUNE_KEY] = 0;
    e = entry(TUNE_ROW, longest, "a/a", 1);
    assert_int_equal(tune_set(db, &e), SEPCL_INVALID);
    assert_int_equal(tune_count(db), 0);
    tune_close(db);
}

/* ------------------------------------------------------------------ what planning makes of it */

static value_id add_conv(graph *g, value_id x, int64_t out, int k, bool depthwise)
{
    const int64_t  in = g->values[x].shape.dim[3], ci = depthwise ? 1 : in;
    const shape    w = SHAPE(out, ci, k, k);
    const attrs    a = {.conv = {.kernel = {k, k}, .stride = {1, 1}, .dilation = {1, 1},
                                 .pad = {k / 2, k / 2, k / 2, k / 2}, .group = depthwise ? (int)in : 1,
                                 .out_channels = (int)out, .w = {ci * k * k, (int64_t)k * k, k, 1}}};
    const value_id slots[] = {x, test_const(g, "w", &w)};
    const value_id y = graph_op(g, OP_CONV, "conv", &a, slots, 2);
    assert_true(y >= 0);
    return y;
}

/* Depthwise, then pointwise. */
static graph *separable_graph(void)
{
    graph      *g;
    const shape s = SHAPE(1, 28, 28, 64);
    assert_ok(graph_create("test", &g));
    const value_id x = graph_input(g, "x", DT_F32, &s);
    assert_ok(graph_output(g, add_conv(g, add_conv(g, x, 64, 3, true), 128, 1, false)));
    return g;
}

static void key_of(const graph *g, int i, char key[TUNE_KEY])
{
    strbuf t = strbuf_on(key, TUNE_KEY);
    node_key(&(node_view){g, g->nodes[i]}, &t);
    assert_false(t.cut);
}

static void keys_tell_layers_apart(void **state)
{
    (void)state;
    char   first[TUNE_KEY], second[TUNE_KEY];
    graph *g = separable_graph();
    key_of(g, 0, first);
    assert_string_equal(first, "conv 1x28x28x64 const > 1x28x28x64 k3x3 s1x1 d1x1 p1,1,1,1 g64");
    key_of(g, 1, second);
    assert_string_equal(second, "conv 1x28x28x64 const > 1x28x28x128 k1x1 s1x1 d1x1 p0,0,0,0 g1");
    g->nodes[1]->epi.act = (act){ACT_CLAMP, 0, 6};
    key_of(g, 1, first);
    assert_string_not_equal(first, second);
    g->nodes[1]->epi.act = (act){ACT_CLAMP, 0, 1e9f}; /* other bounds, same speed */
    key_of(g, 1, second);
    assert_string_equal(first, second);
    g->values[g->nodes[1]->out[0]].type = DT_F16;
    key_of(g, 1, second);
    assert_string_not_equal(first, second);
    graph_destroy(g);
}

/* Every row of every op comes back from its text with its parameters, and only with legal ones. */
static void rows_come_back_from_their_text(void **state)
{
    (void)state;
    int rows = 0;
    for (int k = 1; k < OP_COUNT; k++) {
        const op_def *op = op_get((op_kind)k);
        for (const kernel_def *row = op->kernels; row && row->file; row++, rows++) {
            const kernel_def *found;
            int               p[PARAM_MAX] = {0}, got[PARAM_MAX];
            char              text[TUNE_CHOICE], more[TUNE_CHOICE + 16];
            for (int i = 0; i < kernel_params(row); i++)
                for (int j = 0; j < PARAM_VALUES && row->params[i].values[j]; j++)
                    p[i] = row->params[i].values[j];
            assert_true(row_text(op, row, p, text));
            assert_true(row_of_text(op, text, &found, got));
            assert_ptr_equal(found, row);
            assert_memory_equal(p, got, sizeof p);
            snprintf(more, sizeof more, "%s MR=1", text);
            assert_false(row_of_text(op, more, &found, got));
        }
    }
    assert_true(rows > 30);
}

static void entries_decide_rows(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "gemm/gemm",                    /* parameters are missing */
        "gemm/gemm MR=3 V=8 NB=2",      /* no legal value */
        "gemm/gemm MR=12 V=16 NB=4",    /* legal, but too large for this device */
        "gemm/gemm MR=6 V=8 NB=2 X=1",
        "gemm/gemm V=8 MR=6 NB=2",      /* another order */
        "gemm/gemm MR=99999999999999999999 V=8 NB=2",
        "gemm/gemm MR= V=8 NB=2",
        "depthwise/depthwise V=8 MR=4", /* a row of the op, for other nodes */
        "nothing/nothing V=4",
        "gemm",
    };
    char       key[TUNE_KEY];
    plan      *plain, *p;
    const caps c = device();
    graph     *g = separable_graph();
    tune_db   *db = open_in(NULL);
    key_of(g, 1, key);
    assert_ok(plan_create(g, &c, NULL, &plain));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        tune_entry e = entry(TUNE_ROW, key, wrong[i], 1000);
        assert_ok(tune_set(db, &e));
        log_keep();
        assert_ok(plan_create(g, &c, &(plan_options){.tuning = db}, &p));
        log_set(NULL, NULL, SEPCL_LOG_OFF);
        assert_non_null(strstr(scratch_log, "it is not used"));
        assert_string_equal(p->steps[1].kernel, plain->steps[1].kernel);
        assert_false(p->steps[1].tuned);
        plan_destroy(p);
    }
    tune_entry e = entry(TUNE_ROW, key, "gemm/gemm MR=1 V=8 NB=1", 1000); /* fits, and nobody would predict it */
    assert_string_not_equal(plain->steps[1].kernel, e.choice);
    assert_ok(tune_set(db, &e));
    assert_ok(plan_create(g, &c, &(plan_options){.tuning = db}, &p));
    assert_string_equal(p->steps[1].kernel, "gemm/gemm MR=1 V=8 NB=1");
    assert_non_null(strstr(p->steps[1].why, "tuned"));
    assert_true(p->steps[1].tuned);
    assert_false(p->steps[0].tuned);
    plan_destroy(p);
    plan_destroy(plain);
    tune_close(db);
    graph_destroy(g);
}

static op_kind first_op(const tune_db *db)
{
    const caps c = device();
    graph     *g = separable_graph();
    assert_ok(plan_forms(g, &c, &(plan_options){.tuning = db}));
    const op_kind op = g->nodes[0]->op;
    graph_destroy(g);
    return op;
}

static void entries_decide_forms(void **state)
{
    (void)state;
    char     key[TUNE_KEY];
    strbuf   t = strbuf_on(key, sizeof key);
    graph   *g = separable_graph();
    tune_db *db = open_in(NULL);
    chain_key(g, g->nodes, 2, &t);
    const op_kind untuned = first_op(NULL);
    tune_entry    e = entry(TUNE_FORM, key, "conv, conv", 1000);
    assert_ok(tune_set(db, &e));
    assert_int_equal(first_op(db), OP_CONV);
    e.choice = "separable";
    assert_ok(tune_set(db, &e));
    assert_int_equal(first_op(db), OP_SEPARABLE);
    assert_true(untuned == OP_CONV || untuned == OP_SEPARABLE);
    e.choice = "inverted"; /* no form of these two */
    assert_ok(tune_set(db, &e));
    assert_int_equal(first_op(db), untuned);
    e.choice = "separable";
    assert_ok(tune_set(db, &e));
    caps c = device();
    c.local_bytes = 128; /* an entry for a form that no row runs here */
    assert_ok(plan_forms(g, &c, &(plan_options){.tuning = db}));
    assert_int_equal(g->n_nodes, 2);
    tune_close(db);
    graph_destroy(g);
}

static void candidates_are_legal_few_and_different(void **state)
{
    (void)state;
    candidate  list[10];
    int        n;
    const caps c = device();
    graph     *g = separable_graph();
    for (int i = 0; i < 2; i++) {
        const node_view v = {g, g->nodes[i]};
        plan_step       s = {0};
        arena           memory = {0};
        assert_ok(plan_candidates(&v, &c, NULL, list, 10, &n));
        assert_ok(plan_select(&v, &c, NULL, NULL, 0, &s, &memory));
        assert_true(n >= 3 && n <= 10);
        assert_ptr_equal(list[0].row, s.row); /* what is taken without tuning stands first */
        assert_memory_equal(list[0].p, s.p, sizeof s.p);
        for (int k = 0; k < n; k++) {
            assert_ptr_equal(list[k].row, &op_get(OP_CONV)->kernels[list[k].index]);
            assert_true(list[k].row->fits(&v, &c, list[k].p));
            assert_true(list[k].cost <= CANDIDATES_WITHIN * list[0].cost * 1.06);
            for (int j = 0; j < k; j++)
                assert_true(list[j].row != list[k].row || memcmp(list[j].p, list[k].p, sizeof list[k].p));
        }
        assert_ok(plan_candidates(&v, &c, NULL, list, 1, &n));
        assert_int_equal(n, 1);
        arena_free(&memory);
    }
    graph_destroy(g);
}

/* ------------------------------------------------------------------ what competed */

/* The plan of separable_graph() and what competed for its steps; the graphs are the caller's. */
static plan *plan_with_ways(const tune_db *db, graph *g, graph *unfused, plan_ways **ways)
{
    const caps         c = device();
    const plan_options o = {.tuning = db, .quiet = true};
    plan              *p;
    assert_ok(plan_forms(g, &c, &o));
    assert_ok(plan_create(g, &c, &o, &p));
    assert_ok(plan_ways_create(p, unfused, &o, ways));
    return p;
}

static const plan_way *way_of(const plan_way_list *list, const char *name)
{
    for (int i = 0; i < list->n; i++)
        if (!strcmp(list->ways[i].name, name))
            return &list->ways[i];
    return NULL;
}

/* Forms before rows, cheapest first, one of each chosen. */
static void check_order(const plan_way_list *list, bool forms)
{
    int chosen[2] = {0};
    for (int i = 0; i < list->n; i++) {
        const plan_way *w = &list->ways[i], *before = i ? &list->ways[i - 1] : NULL;
        chosen[w->is_form] += w->chosen;
        if (before && before->is_form == w->is_form && !before->ns && !w->ns)
            assert_true(before->predicted <= w->predicted);
        assert_true(!before || before->is_form >= w->is_form);
    }
    assert_int_equal(chosen[0], 1);
    assert_int_equal(chosen[1], forms);
}

static void ways_are_what_was_weighed(void **state)
{
    (void)state;
    plan_ways *ways;
    graph     *g = separable_graph(), *unfused = separable_graph();
    plan      *p = plan_with_ways(NULL, g, unfused, &ways);
    for (int i = 0; i < p->n_steps; i++) {
        check_order(&ways->steps[i], i == 0);
        assert_true(way_of(&ways->steps[i], p->steps[i].kernel)->chosen);
    }
    assert_true(way_of(&ways->steps[0], p->n_steps == 1 ? "separable" : "conv, conv")->chosen);
    assert_true(ways->steps[0].ways[0].chosen); /* the cheapest */
    assert_non_null(way_of(&ways->steps[0], "separable"));
    assert_non_null(way_of(&ways->steps[0], "conv, conv"));
    plan_ways_destroy(ways);
    plan_ways_destroy(NULL);
    plan_destroy(p);
    graph_destroy(unfused);
    graph_destroy(g);
}

static void ways_have_what_was_measured(void **state)
{
    (void)state;
    char       key[TUNE_KEY];
    strbuf     t = strbuf_on(key, sizeof key);
    plan_ways *ways;
    graph     *g = separable_graph(), *unfused = separable_graph();
    tune_db   *db = open_in(NULL);
    chain_key(g, g->nodes, 2, &t);
    tune_entry e = entry(TUNE_FORM, key, "conv, conv", 3000);
    e.losers = "separable: 4000";
    assert_ok(tune_set(db, &e));
    key_of(g, 1, key);
    e = entry(TUNE_ROW, key, "gemm/gemm MR=1 V=8 NB=1", 1000);
    e.losers = "gemm/gemm MR=4 V=8 NB=2: 2000; nothing/nothing V=4: 5; gemm/gemm MR=3: 7; odd; : 9";
    assert_ok(tune_set(db, &e));
    plan *p = plan_with_ways(db, g, unfused, &ways);
    assert_int_equal(p->n_steps, 2);
    check_order(&ways->steps[0], true);
    check_order(&ways->steps[1], false);
    assert_int_equal(way_of(&ways->steps[0], "separable")->ns, 4000);
    assert_int_equal(way_of(&ways->steps[0], "conv, conv")->ns, 3000);
    assert_true(way_of(&ways->steps[0], "conv, conv")->chosen);
    const plan_way_list *rows = &ways->steps[1];
    assert_string_equal(rows->ways[0].name, "gemm/gemm MR=1 V=8 NB=1");
    assert_true(rows->ways[0].chosen && rows->ways[0].ns == 1000);
    assert_int_equal(rows->ways[1].ns, 2000);
    assert_true(rows->ways[1].predicted > 0);
    assert_null(way_of(rows, "nothing/nothing V=4"));
    for (int i = 2; i < rows->n; i++)
        assert_int_equal(rows->ways[i].ns, 0);
    plan_ways_destroy(ways);
    plan_destroy(p);
    tune_close(db);
    graph_destroy(unfused);
    graph_destroy(g);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(entries_are_found),
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(writers_merge),
        cmocka_unit_test(a_lock_that_stays_is_passed),
        cmocka_unit_test(a_person_may_edit),
        cmocka_unit_test(odd_lines_are_left_out),
        cmocka_unit_test(odd_files_are_left_out),
        cmocka_unit_test(entries_that_no_line_holds_are_refused),
        cmocka_unit_test(keys_tell_layers_apart),
        cmocka_unit_test(rows_come_back_from_their_text),
        cmocka_unit_test(entries_decide_rows),
        cmocka_unit_test(entries_decide_forms),
        cmocka_unit_test(candidates_are_legal_few_and_different),
        cmocka_unit_test(ways_are_what_was_weighed),
        cmocka_unit_test(ways_have_what_was_measured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
