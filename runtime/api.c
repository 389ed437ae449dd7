/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of models and sessions: check the arguments, then one call down. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api.h"
#include "base/size.h"

const char *sepcl_version(void)
{
#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)
    return TEXT(SEPCL_VERSION_MAJOR) "." TEXT(SEPCL_VERSION_MINOR) "." TEXT(SEPCL_VERSION_PATCH);
}

const char *sepcl_status_name(sepcl_status st)
{
    static const char *const names[] = {"ok",          "wrong answer", "invalid argument", "bad file",
                                        "unsupported", "device error", "out of memory"};
    return (unsigned)st < sizeof names / sizeof *names ? names[st] : "unknown status";
}

const char *sepcl_last_error(void)
{
    return error_sentence();
}

void sepcl_set_log(sepcl_log_fn fn, void *user, sepcl_log_level level)
{
    log_set(fn, user, level);
}

/* ------------------------------------------------------------------ model */

static sepcl_shape public_shape(const shape *s)
{
    sepcl_shape out = {.rank = s->rank};
    for (int i = 0; i < s->rank; i++)
        out.dims[i] = s->dim[i];
    return out;
}

sepcl_shape api_shape(const shape *s)
{
    return public_shape(s);
}

/* An input's shape as the file gives it; a free first dimension is a batch of 1. false: others are free. */
static bool default_shape(const file_tensor *t, shape *out)
{
    bool fixed = true;
    *out = t->shape;
    for (int i = 0; i < out->rank; i++) {
        if (out->dim[i] < 0 && i == 0)
            out->dim[0] = 1;
        fixed &= out->dim[i] >= 0;
    }
    return fixed;
}

/* A model whose shapes are known is built at once, so that whatever it needs and sepcl lacks is told at load; unless it
   computes so much of itself that this is left to a session. */
static status try_build(sepcl_model *m)
{
    const int n = model_file_inputs(m->file);
    bool      fixed = true;
    m->shapes = calloc((size_t)n + 1, sizeof *m->shapes);
    if (!m->shapes)
        return fail_memory((size_t)n * sizeof *m->shapes, "a model's inputs");
    for (int i = 0; i < n; i++)
        fixed &= default_shape(model_file_input(m->file, i), &m->shapes[i]);
    return fixed ? model_file_try_build(m->file, m->shapes, &m->graph) : SEPCL_OK;
}

static status finish_load(model_file *f, sepcl_model **out)
{
    sepcl_model *m = calloc(1, sizeof *m);
    if (!m) {
        model_file_close(f);
        return fail_memory(sizeof *m, "a model");
    }
    m->file = f;
    const status st = try_build(m);
    if (st != SEPCL_OK) {
        sepcl_model_destroy(m);
        return st;
    }
    *out = m;
    return SEPCL_OK;
}

sepcl_status sepcl_model_load(const char *path, const sepcl_model_desc *desc, sepcl_model **model_out)
{
    *model_out = NULL;
    if (!path)
        return fail(SEPCL_INVALID, "sepcl_model_load: path is NULL");
    model_file *f;
    TRY(model_file_open(path, desc && desc->name ? desc->name : path, &f));
    return finish_load(f, model_out);
}

sepcl_status sepcl_model_load_memory(const void *bytes, size_t size, const sepcl_model_desc *desc,
                                     sepcl_model **model_out)
{
    *model_out = NULL;
    if (!bytes)
        return fail(SEPCL_INVALID, "sepcl_model_load_memory: bytes is NULL");
    model_file *f;
    TRY(model_file_open_memory(bytes, size, desc && desc->name ? desc->name : "model", &f));
    return finish_load(f, model_out);
}

void sepcl_model_destroy(sepcl_model *m)
{
    if (!m)
        return;
    graph_destroy(m->graph);
    model_file_close(m->file);
    free(m->shapes);
    free(m);
}

int sepcl_model_input_count(const sepcl_model *m)
{
    return m ? model_file_inputs(m->file) : 0;
}

int sepcl_model_output_count(const sepcl_model *m)
{
    return m ? model_file_outputs(m->file) : 0;
}

const char *sepcl_model_input_name(const sepcl_model *m, int i)
{
    return m && i >= 0 && i < model_file_inputs(m->file) ? model_file_input(m->file, i)->name : NULL;
}

const char *sepcl_model_output_name(const sepcl_model *m, int i)
{
    return m && i >= 0 && i < model_file_outputs(m->file) ? model_file_output(m->file, i)->name : NULL;
}

sepcl_status sepcl_model_input_shape(const sepcl_model *m, int i, sepcl_shape *out)
{
    *out = (sepcl_shape){0};
    if (!sepcl_model_input_name(m, i))
        return fail(SEPCL_INVALID, "input %d: the model has %d", i, sepcl_model_input_count(m));
    *out = public_shape(&model_file_input(m->file, i)->shape);
    return SEPCL_OK;
}

static status find(const sepcl_model *m, const char *what, const char *name, int n,
                   const char *(*name_of)(const sepcl_model *, int), int *out)
{
    char   list[512] = "";
    size_t at = 0;
    *out = 0;
    if (!m || !name)
        return fail(SEPCL_INVALID, "%s: model or name is NULL", what);
    for (int i = 0; i < n; i++) {
        if (!strcmp(name_of(m, i), name)) {
            *out = i;
            return SEPCL_OK;
        }
        if (at < sizeof list)
            at += (size_t)snprintf(list + at, sizeof list - at, "%s'%s'", i ? ", " : "", name_of(m, i));
    }
    return fail(SEPCL_INVALID, "%s has no %s '%s'; there is %s", model_file_name(m->file), what, name, list);
}

sepcl_status sepcl_model_find_input(const sepcl_model *m, const char *name, int *index_out)
{
    return find(m, "input", name, sepcl_model_input_count(m), sepcl_model_input_name, index_out);
}

sepcl_status sepcl_model_find_output(const sepcl_model *m, const char *name, int *index_out)
{
    return find(m, "output", name, sepcl_model_output_count(m), sepcl_model_output_name, index_out);
}

/* ------------------------------------------------------------------ shapes of a session */

static status apply_shape(const sepcl_model *m, const sepcl_input_shape *s, shape *shapes)
{
    int  i;
    char declared[SHAPE_TEXT], asked[SHAPE_TEXT];
    TRY(sepcl_model_find_input(m, s->name, &i));
    const file_tensor *t = model_file_input(m->file, i);
    if (s->shape.rank < 0 || s->shape.rank > MAX_RANK)
        return fail(SEPCL_INVALID, "input '%s': rank %d is above the limit of %d", t->name, s->shape.rank, MAX_RANK);
    const shape want = shape_make(s->shape.rank, s->shape.dims);
    bool        fits = want.rank == t->shape.rank;
    for (int k = 0; fits && k < want.rank; k++)
        fits = want.dim[k] > 0 && (t->shape.dim[k] < 0 || t->shape.dim[k] == want.dim[k]);
    if (!fits)
        return fail(SEPCL_INVALID, "input '%s': shape %s does not fit the file's %s (-1 is free)", t->name,
                    shape_text(&want, asked), shape_text(&t->shape, declared));
    shapes[i] = want;
    return SEPCL_OK;
}

status api_graph(const sepcl_model *m, const sepcl_input_shape *given, int n_given, graph **out)
{
    const int n = model_file_inputs(m->file);
    status    st = SEPCL_OK;
    bool      same = m->graph != NULL;
    shape    *shapes = calloc((size_t)n + 1, sizeof *shapes);
    *out = NULL;
    if (!shapes)
        return fail_memory((size_t)n * sizeof *shapes, "a model's inputs");
    for (int i = 0; i < n; i++)
        shapes[i] = m->shapes[i];
    for (int i = 0; i < n_given && st == SEPCL_OK; i++)
        st = apply_shape(m, &given[i], shapes);
    for (int i = 0; i < n && st == SEPCL_OK; i++) {
        const file_tensor *t = model_file_input(m->file, i);
        same = same && shape_equal(&shapes[i], &m->shapes[i]);
        for (int k = 0; k < shapes[i].rank && st == SEPCL_OK; k++)
            if (shapes[i].dim[k] < 0)
                st = fail(SEPCL_INVALID, "%s: dimension %d (%s) of input '%s' is free: give its shape",
                          model_file_name(m->file), k, t->dim_names[k] ? t->dim_names[k] : "unnamed", t->name);
    }
    if (st == SEPCL_OK)
        st = same ? graph_clone(m->graph, out) : model_file_build(m->file, shapes, out);
    free(shapes);
    return st;
}

/* ------------------------------------------------------------------ session */

static status open_device(sepcl_session *s, const sepcl_session_desc *d)
{
    exec_env_desc e = {.cl = {.context = d->cl_context, .queue = d->cl_queue, .profile = d->profile},
                       .cache_dir = d->cache_dir,
                       .no_cache = d->no_cache};
    if (!d->cl_queue != !d->cl_context)
        return fail(SEPCL_INVALID, "cl_context and cl_queue go together");
    if (!d->cl_queue)
        TRY(devices_find(d->device, &e.cl.device));
    TRY(exec_env_create(&e, &s->env));
    TRY(api_tuning(exec_env_caps(s->env), d->cache_dir, d->no_cache, &s->tuning));
    /* a folder or not, what does not run has to be kept in mind */
    return s->tuning ? SEPCL_OK : tune_open(NULL, exec_env_caps(s->env), &s->tuning);
}

/* The shapes of all inputs, so that the graph can be built again. */
static status fix_shapes(sepcl_session *s, const sepcl_session_desc *d)
{
    graph *g;
    TRY(api_graph(s->model, d->shapes, d->n_shapes, &g));
    const size_t n = (size_t)g->n_inputs;
    s->n_shapes = g->n_inputs;
    s->shapes = calloc(n + 1, sizeof *s->shapes);
    s->written = calloc(n + 1, sizeof *s->written);
    s->bound = calloc(n + 1, sizeof *s->bound);
    s->data = calloc(n + 1, sizeof *s->data);
    const bool ok = s->shapes && s->written && s->bound && s->data;
    for (int i = 0; ok && i < g->n_inputs; i++)
        s->shapes[i] =
            (sepcl_input_shape){sepcl_model_input_name(s->model, i), public_shape(&g->values[g->inputs[i]].shape)};
    graph_destroy(g);
    return ok ? SEPCL_OK : fail_memory(n, "a session");
}

static status build_session(sepcl_session *s, const sepcl_session_desc *d)
{
    if (d->precision != SEPCL_F32 && d->precision != SEPCL_F16)
        return fail(SEPCL_INVALID, "precision %d is unknown", (int)d->precision);
    s->precision = d->precision;
    s->no_fusion = d->no_fusion;
    s->profile = d->profile;
    s->tolerance = d->precision == SEPCL_F16 ? 1e-2 : 1e-4;
    TRY(fix_shapes(s, d));
    status st = open_device(s, d);
    if (st == SEPCL_OK)
        st = session_settle(s);
    return st == SEPCL_OK ? st : fail_in(st, "%s", model_file_name(s->model->file));
}

sepcl_status sepcl_session_create(const sepcl_model *model, const sepcl_session_desc *desc, sepcl_session **session_out)
{
    static const sepcl_session_desc defaults = {0};
    *session_out = NULL;
    if (!model)
        return fail(SEPCL_INVALID, "sepcl_session_create: model is NULL");
    sepcl_session *s = calloc(1, sizeof *s);
    if (!s)
        return fail_memory(sizeof *s, "a session");
    s->model = model;
    const status st = build_session(s, desc ? desc : &defaults);
    if (st != SEPCL_OK) {
        sepcl_session_destroy(s);
        return st;
    }
    *session_out = s;
    return SEPCL_OK;
}

void sepcl_session_destroy(sepcl_session *s)
{
    if (!s)
        return;
    exec_cl_destroy(s->exec);
    plan_ways_destroy(s->ways);
    plan_destroy(s->plan);
    exec_env_destroy(s->env);
    graph_destroy(s->graph);
    tune_close(s->tuning);
    for (int i = 0; s->data && s->bound && i < s->n_shapes; i++)
        if (!s->bound[i])
            free((float *)s->data[i]);
    free(s->shapes);
    free(s->written);
    free(s->bound);
    free(s->data);
    free(s);
}

/* Fails when the device was lost and did not come back. */
static status need_device(const sepcl_session *s)
{
    return s->exec ? SEPCL_OK : fail(SEPCL_DEVICE_ERROR, "the session's device was lost: %s", s->lost);
}

/* The value of input or output i; NULL with a sentence. */
static const value *io_value(const sepcl_session *s, int i, bool input, const char *function)
{
    if (!s) {
        fail(SEPCL_INVALID, "%s: session is NULL", function);
        return NULL;
    }
    const int n = input ? s->graph->n_inputs : s->graph->n_outputs;
    if (i < 0 || i >= n) {
        fail(SEPCL_INVALID, "%s: %s %d: the model has %d", function, input ? "input" : "output", i, n);
        return NULL;
    }
    return &s->graph->values[input ? s->graph->inputs[i] : s->graph->outputs[i]];
}

sepcl_status sepcl_session_input_shape(const sepcl_session *s, int i, sepcl_shape *out)
{
    const value *v = io_value(s, i, true, "sepcl_session_input_shape");
    *out = v ? public_shape(&v->shape) : (sepcl_shape){0};
    return v ? SEPCL_OK : SEPCL_INVALID;
}

sepcl_status sepcl_session_output_shape(const sepcl_session *s, int i, sepcl_shape *out)
{
    const value *v = io_value(s, i, false, "sepcl_session_output_shape");
    *out = v ? public_shape(&v->shape) : (sepcl_shape){0};
    return v ? SEPCL_OK : SEPCL_INVALID;
}

static status check_bytes(const value *v, const char *name, const void *data, size_t bytes)
{
    char         text[SHAPE_TEXT];
    const size_t want = (size_t)shape_count(&v->shape) * sizeof(float);
    if (!data && bytes)
        return fail(SEPCL_INVALID, "'%s': data is NULL", name);
    if (bytes != want)
        return fail(SEPCL_INVALID, "'%s': %zu bytes given, but shape %s in float32 has %zu", name, bytes,
                    shape_text(&v->shape, text), want);
    return SEPCL_OK;
}

/* What a run or a transfer ends with: failures name the model. */
static status in_model(const sepcl_session *s, status st)
{
    return st == SEPCL_OK ? st : fail_in(st, "%s", model_file_name(s->model->file));
}

/* A copy of what is written, for the case that the device is lost with it; not where the device works in the host's
   memory, from which it can be read back. */
static status keep_input(sepcl_session *s, int i, const float *data, size_t bytes)
{
    if (caps_is_cpu(exec_env_caps(s->env)) || bytes == 0)
        return SEPCL_OK;
    if (!s->data[i] && !(s->data[i] = malloc(bytes)))
        return fail_memory(bytes, "a copy of an input");
    memcpy((float *)s->data[i], data, bytes);
    return SEPCL_OK;
}

sepcl_status sepcl_session_write(sepcl_session *s, int i, const float *data, size_t bytes)
{
    const value *v = io_value(s, i, true, "sepcl_session_write");
    if (!v)
        return SEPCL_INVALID;
    TRY(check_bytes(v, sepcl_model_input_name(s->model, i), data, bytes));
    TRY(need_device(s));
    if (s->bound[i])
        TRY(sepcl_session_bind(s, i, NULL, 0));
    status st = exec_cl_write(s->exec, i, data);
    if (st != SEPCL_OK && (st = session_recover(s, st)) == SEPCL_OK)
        st = exec_cl_write(s->exec, i, data);
    TRY(in_model(s, st));
    TRY(keep_input(s, i, data, bytes));
    s->written[i] = true;
    return SEPCL_OK;
}

sepcl_status sepcl_session_bind(sepcl_session *s, int i, const float *data, size_t bytes)
{
    const value *v = io_value(s, i, true, "sepcl_session_bind");
    if (!v)
        return SEPCL_INVALID;
    if (data)
        TRY(check_bytes(v, sepcl_model_input_name(s->model, i), data, bytes));
    TRY(need_device(s));
    status st = exec_cl_bind(s->exec, i, data);
    if (st != SEPCL_OK && (st = session_recover(s, st)) == SEPCL_OK)
        st = exec_cl_bind(s->exec, i, data);
    if (!s->bound[i])
        free((float *)s->data[i]);
    s->data[i] = st == SEPCL_OK ? data : NULL;
    s->bound[i] = s->written[i] = s->data[i] != NULL;
    return in_model(s, st);
}

sepcl_status sepcl_session_enqueue(sepcl_session *s)
{
    if (!s)
        return fail(SEPCL_INVALID, "sepcl_session_enqueue: session is NULL");
    TRY(need_device(s));
    for (int i = 0; i < s->graph->n_inputs; i++)
        if (!s->written[i])
            return fail(SEPCL_INVALID, "input '%s' has not been written", sepcl_model_input_name(s->model, i));
    status st = exec_cl_enqueue(s->exec);
    s->enqueued = true;
    return st == SEPCL_OK ? st : in_model(s, session_recover(s, st)); /* which runs it again */
}

sepcl_status sepcl_session_wait(sepcl_session *s)
{
    if (!s)
        return fail(SEPCL_INVALID, "sepcl_session_wait: session is NULL");
    TRY(need_device(s));
    const status st = exec_cl_wait(s->exec);
    return st == SEPCL_OK ? st : in_model(s, session_recover(s, st));
}

sepcl_status sepcl_session_run(sepcl_session *s)
{
    TRY(sepcl_session_enqueue(s));
    return sepcl_session_wait(s);
}

sepcl_status sepcl_session_read(sepcl_session *s, int i, float *data, size_t bytes)
{
    const value *v = io_value(s, i, false, "sepcl_session_read");
    if (!v)
        return SEPCL_INVALID;
    TRY(check_bytes(v, sepcl_model_output_name(s->model, i), data, bytes));
    if (!s->enqueued)
        return fail(SEPCL_INVALID, "output '%s' is read before a run", sepcl_model_output_name(s->model, i));
    TRY(need_device(s));
    status st = exec_cl_read(s->exec, i, data);
    if (st != SEPCL_OK && (st = session_recover(s, st)) == SEPCL_OK)
        st = exec_cl_read(s->exec, i, data);
    return in_model(s, st);
}

sepcl_status sepcl_session_memory(const sepcl_session *s, sepcl_memory_info *out)
{
    *out = (sepcl_memory_info){0};
    if (!s)
        return fail(SEPCL_INVALID, "sepcl_session_memory: session is NULL");
    TRY(need_device(s));
    *out = (sepcl_memory_info){s->plan->arena_bytes, exec_cl_weight_bytes(s->exec)};
    return SEPCL_OK;
}

int sepcl_session_step_count(const sepcl_session *s)
{
    return s ? s->plan->n_steps : 0;
}

sepcl_status sepcl_session_step(const sepcl_session *s, int i, sepcl_step_info *out)
{
    *out = (sepcl_step_info){0};
    if (i < 0 || i >= sepcl_session_step_count(s))
        return fail(SEPCL_INVALID, "step %d: the plan has %d", i, sepcl_session_step_count(s));
    TRY(need_device(s));
    const plan_step  *p = &s->plan->steps[i];
    const exec_times *t = exec_cl_times(s->exec, i);
    const bool        half = s->graph->values[p->n->out[0]].type == DT_F16;
    *out = (sepcl_step_info){.name = p->n->name,
                             .op = op_name(p->n->op),
                             .kernel = p->kernel,
                             .why = p->why,
                             .output = public_shape(&s->graph->values[p->n->out[0]].shape),
                             .launches = p->n_launches,
                             .multiplications = p->cost.multiplications,
                             .additions = p->cost.additions,
                             .bytes = half ? p->cost.bytes / 2 : p->cost.bytes,
                             .queued_ns = t->queued,
                             .start_ns = t->start,
                             .end_ns = t->end,
                             .busy_ns = t->busy};
    for (int k = 0; k < 3 && p->n_launches; k++) {
        out->global[k] = p->launches[0].global[k];
        out->local[k] = p->launches[0].local[k];
    }
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ check */

/* Compares the outputs of one step; false in *go_on when the caller wants no more. */
static status check_step(sepcl_session *s, exec_ref *ref, int step, double tolerance, sepcl_check_fn fn, void *user,
                         bool *go_on, status *worst)
{
    const node *n = s->plan->steps[step].n;
    TRY(exec_cl_step(s->exec, step));
    TRY(exec_cl_wait(s->exec));
    TRY(exec_ref_step(ref, step));
    for (int k = 0; k < n->n_out && *go_on; k++) {
        const value  *v = &s->graph->values[n->out[k]];
        const int64_t count = shape_count(&v->shape);
        const float  *want = exec_ref_value(ref, n->out[k]);
        float        *got = malloc((size_t)i64_max(count, 1) * sizeof *got);
        if (!want || !got) {
            free(got);
            return fail_memory((size_t)count * sizeof *got, v->name);
        }
        const status       st = exec_cl_read_value(s->exec, n->out[k], got);
        sepcl_check_result r = {.step = step, .name = n->name, .op = op_name(n->op), .tolerance = tolerance};
        if (st == SEPCL_OK) {
            r.error = compare_floats(got, want, count, &r.where);
            r.got = count ? got[r.where] : 0;
            r.want = count ? want[r.where] : 0;
            if (!(r.error <= tolerance) && *worst == SEPCL_OK)
                *worst = fail(SEPCL_MISMATCH,
                              "layer '%s' (%s) differs by %.3g (limit %.3g) at element %lld: %.7g, reference %.7g",
                              n->name, r.op, r.error, tolerance, (long long)r.where, r.got, r.want);
            *go_on = !fn || fn(user, &r);
        }
        free(got);
        TRY(st);
    }
    return SEPCL_OK;
}

/* The inputs as the device has them. */
static status copy_inputs(sepcl_session *s, exec_ref *ref)
{
    for (int i = 0; i < s->graph->n_inputs; i++) {
        float *data = exec_ref_value(ref, s->graph->inputs[i]);
        if (!data)
            return SEPCL_OUT_OF_MEMORY;
        if (!s->written[i])
            return fail(SEPCL_INVALID, "input '%s' has not been written", sepcl_model_input_name(s->model, i));
        TRY(exec_cl_read_input(s->exec, i, data));
    }
    return SEPCL_OK;
}

sepcl_status sepcl_session_check(sepcl_session *s, double tolerance, sepcl_check_fn fn, void *user)
{
    if (!s)
        return fail(SEPCL_INVALID, "sepcl_session_check: session is NULL");
    TRY(need_device(s));
    exec_ref *ref;
    status    worst = SEPCL_OK;
    char      first[1024];
    bool      go_on = true;
    TRY(exec_ref_create(s->plan, &ref));
    status st = copy_inputs(s, ref);
    first[0] = 0;
    for (int i = 0; st == SEPCL_OK && go_on && i < s->plan->n_steps; i++) {
        st = check_step(s, ref, i, tolerance > 0 ? tolerance : s->tolerance, fn, user, &go_on, &worst);
        if (worst != SEPCL_OK && !first[0])
            snprintf(first, sizeof first, "%s", error_sentence());
    }
    exec_ref_destroy(ref);
    if (st == SEPCL_OK && worst != SEPCL_OK)
        return fail(worst, "%s", first);
    s->enqueued |= st == SEPCL_OK && go_on;
    return st;
}
