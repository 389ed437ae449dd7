/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of separating. */
#include "api.h"
#include "separate/break_even.h"
#include "separate/separation.h"

bool sepcl_can_separate(void)
{
    return svd_available();
}

const char *sepcl_form_name(sepcl_form form)
{
    static const char *const names[] = {"as it is", "spatial", "depthwise", "low rank", "folded"};
    return (unsigned)form < sizeof names / sizeof *names ? names[form] : "unknown form";
}

static status open_parts(const sepcl_model *m, const sepcl_separate_desc *d, separate_args *a)
{
    exec_env_desc e = {.cache_dir = d->cache_dir, .no_cache = d->no_cache};
    TRY(api_graph(m, d->shapes, d->n_shapes, &a->read));
    TRY(devices_find(d->device, &e.cl.device));
    TRY(exec_env_create(&e, &a->env));
    return api_tuning(exec_env_caps(a->env), d->cache_dir, d->no_cache, &a->tuning);
}

static status describe_layers(separation *s)
{
    for (int i = 0; i < s->n_sites; i++)
        if (!(s->sites[i].detail = api_conv_detail(s->read, s->read->nodes[s->sites[i].read])))
            return SEPCL_OUT_OF_MEMORY;
    return SEPCL_OK;
}

sepcl_status sepcl_separate(const sepcl_model *model, const sepcl_separate_desc *desc, sepcl_separate_fn fn, void *user,
                            sepcl_separation **separation_out)
{
    static const sepcl_separate_desc defaults = {0};
    *separation_out = NULL;
    if (!model)
        return fail(SEPCL_INVALID, "sepcl_separate: model is NULL");
    separate_args a = {.file = model->file, .desc = desc ? desc : &defaults, .fn = fn, .user = user};
    status        st = open_parts(model, a.desc, &a);
    if (st != SEPCL_OK) {
        graph_destroy(a.read);
        exec_env_destroy(a.env);
    } else {
        st = separation_create(&a, separation_out);
        if (st == SEPCL_OK)
            st = describe_layers(*separation_out);
        if (st != SEPCL_OK) {
            separation_destroy(*separation_out);
            *separation_out = NULL;
        }
    }
    return st == SEPCL_OK ? st : fail_in(st, "%s", model_file_name(model->file));
}

void sepcl_separation_destroy(sepcl_separation *s)
{
    separation_destroy(s);
}

int sepcl_separation_layer_count(const sepcl_separation *s)
{
    return s ? s->n_sites : 0;
}

static status find_site(const sepcl_separation *s, int index, const site **out)
{
    *out = NULL;
    if (index < 0 || index >= sepcl_separation_layer_count(s))
        return fail(SEPCL_INVALID, "layer %d: the model has %d convolutions", index, sepcl_separation_layer_count(s));
    *out = &s->sites[index];
    return SEPCL_OK;
}

sepcl_status sepcl_separation_layer(const sepcl_separation *s, int index, sepcl_separated_layer *out)
{
    const site *t = NULL;
    *out = (sepcl_separated_layer){0};
    TRY(find_site(s, index, &t));
    const node_view v = {s->read, s->read->nodes[t->read]};
    *out = (sepcl_separated_layer){.name = t->name,
                                   .op = api_conv_name(&v),
                                   .detail = t->detail,
                                   .output = api_shape(&nv_out(&v, 0)->shape),
                                   .multiplications = t->multiplications,
                                   .bytes = t->bytes,
                                   .n_spectra = t->n_spectra,
                                   .n_forms = t->n_list,
                                   .chosen = t->chosen,
                                   .absorbed = t->absorbed,
                                   .why = t->why};
    for (int i = 0; i < t->n_spectra; i++)
        out->spectra[i] =
            (sepcl_spectrum){t->spectra[i].form, t->spectra[i].values, t->spectra[i].n, t->spectra[i].rank};
    return SEPCL_OK;
}

sepcl_status sepcl_separation_form(const sepcl_separation *s, int layer, int index, sepcl_form_info *out)
{
    const site *t = NULL;
    *out = (sepcl_form_info){0};
    TRY(find_site(s, layer, &t));
    if (index < 0 || index >= t->n_list)
        return fail(SEPCL_INVALID, "form %d: layer '%s' has %d", index, t->name, t->n_list);
    const offer *c = &t->list[index];
    *out = (sepcl_form_info){.form = c->r.form,
                             .rank = c->r.rank,
                             .exact = offer_is_exact(c),
                             .weight_error = c->weight_error,
                             .gain = c->gain,
                             .bound = c->e.bound,
                             .error = c->e.measured,
                             .multiplications = c->multiplications,
                             .bytes = c->bytes,
                             .seconds = c->seconds,
                             .as_is_seconds = c->as_is,
                             .note = c->note};
    return SEPCL_OK;
}

sepcl_status sepcl_separation_cost(const sepcl_separation *s, int layer, int spectrum, int rank,
                                   uint64_t *multiplications_out, uint64_t *bytes_out)
{
    const site *t = NULL;
    *multiplications_out = *bytes_out = 0;
    TRY(find_site(s, layer, &t));
    if (spectrum < 0 || spectrum >= t->n_spectra || rank < 1 || rank > t->spectra[spectrum].n)
        return fail(SEPCL_INVALID, "layer '%s' has no rank %d of spectrum %d", t->name, rank, spectrum);
    separated_cost(&t->window, t->spectra[spectrum].kind, rank, t->in, multiplications_out, bytes_out);
    return SEPCL_OK;
}

sepcl_status sepcl_separation_total(const sepcl_separation *s, sepcl_separation_totals *out)
{
    *out = (sepcl_separation_totals){0};
    if (!s)
        return fail(SEPCL_INVALID, "sepcl_separation_total: separation is NULL");
    *out = (sepcl_separation_totals){.device = s->bench.c->name,
                                     .seconds = {s->seconds[0], s->seconds[1]},
                                     .error = s->error.largest,
                                     .samples = s->samples.n,
                                     .random_samples = s->random != NULL,
                                     .rows = s->error.rows,
                                     .changed = s->error.changed,
                                     .layers = s->n_sites,
                                     .target_met = s->target_met};
    for (int i = 0; i < s->n_sites; i++) {
        const site *t = &s->sites[i];
        out->multiplications[0] += t->multiplications;
        if (t->chosen >= 0)
            out->multiplications[1] += t->list[t->chosen].multiplications;
        else if (!t->absorbed)
            out->multiplications[1] += t->multiplications;
        out->rewritten += t->chosen >= 0 || t->absorbed;
    }
    return SEPCL_OK;
}

sepcl_status sepcl_separation_file(const sepcl_separation *s, const void **bytes_out, size_t *size_out)
{
    *bytes_out = NULL;
    *size_out = 0;
    if (!s)
        return fail(SEPCL_INVALID, "sepcl_separation_file: separation is NULL");
    if (!s->bytes)
        return fail(s->no_file, "%s", s->no_file_text);
    *bytes_out = s->bytes;
    *size_out = s->size;
    return SEPCL_OK;
}

/* ------------------------------------------------------------------ break-even */

static status check_break_even(const sepcl_break_even_desc *d)
{
    const int v[] = {d->height, d->width, d->channels, d->kernel[0], d->kernel[1], d->most};
    for (size_t i = 0; i < sizeof v / sizeof *v; i++)
        if (v[i] < 1 || v[i] > BREAK_EVEN_MOST)
            return fail(SEPCL_INVALID, "sepcl_break_even: %d is not in 1 ... %d", v[i], BREAK_EVEN_MOST);
    if (d->kernel[0] > d->height || d->kernel[1] > d->width)
        return fail(SEPCL_INVALID, "a kernel of %dx%d does not fit into an input of %dx%d", d->kernel[0], d->kernel[1],
                    d->height, d->width);
    if (d->precision != SEPCL_F32 && d->precision != SEPCL_F16)
        return fail(SEPCL_INVALID, "precision %d is unknown", (int)d->precision);
    return SEPCL_OK;
}

static int or_default(int v, int otherwise)
{
    return v ? v : otherwise;
}

sepcl_status sepcl_break_even(const sepcl_break_even_desc *desc, sepcl_break_even_fn fn, void *user)
{
    static const sepcl_break_even_desc none = {0};
    sepcl_break_even_desc              d = desc ? *desc : none;
    exec_env_desc                      e = {.cache_dir = d.cache_dir, .no_cache = d.no_cache};
    exec_env                          *env;
    tune_db                           *tuning = NULL;
    d.height = or_default(d.height, 12);
    d.width = or_default(d.width, 12);
    d.channels = or_default(d.channels, 3);
    d.kernel[0] = or_default(d.kernel[0], 5);
    d.kernel[1] = or_default(d.kernel[1], 5);
    d.most = or_default(d.most, 256);
    if (!fn)
        return fail(SEPCL_INVALID, "sepcl_break_even: fn is NULL");
    TRY(check_break_even(&d));
    TRY(devices_find(d.device, &e.cl.device));
    TRY(exec_env_create(&e, &env));
    status st = api_tuning(exec_env_caps(env), d.cache_dir, d.no_cache, &tuning);
    if (st == SEPCL_OK)
        st = break_even(&(bench_env){env, exec_env_caps(env), tuning}, &d, fn, user);
    tune_close(tuning);
    exec_env_destroy(env);
    return st;
}
