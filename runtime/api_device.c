/* SPDX-License-Identifier: Apache-2.0 */
/* The public functions of devices. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api.h"
#include "base/size.h"

sepcl_status sepcl_device_count(int *count_out)
{
    *count_out = 0;
    return devices_count(count_out);
}

static status check_index(int index)
{
    int n;
    TRY(devices_count(&n));
    if (index < 0 || index >= n)
        return fail(SEPCL_INVALID, "device index %d: there are %d devices", index, n);
    return SEPCL_OK;
}

sepcl_status sepcl_device_get(int index, sepcl_device_info *info_out)
{
    *info_out = (sepcl_device_info){0};
    TRY(check_index(index));
    return devices_info(index, info_out);
}

sepcl_status sepcl_device_find(const char *selector, int *index_out)
{
    *index_out = 0;
    return devices_find(selector, index_out);
}

sepcl_status sepcl_device_measure(int index, sepcl_device_speed *speed_out)
{
    *speed_out = (sepcl_device_speed){0};
    TRY(check_index(index));
    return devices_measure(index, speed_out);
}

sepcl_status sepcl_device_self_test(const sepcl_self_test_desc *desc, sepcl_self_test_fn fn, void *user)
{
    static const sepcl_self_test_desc defaults = {0};
    const sepcl_self_test_desc       *d = desc ? desc : &defaults;
    TRY(check_index(d->device));
    return self_test(d, fn, user);
}

/* ------------------------------------------------------------------ choices */

static value_id conv(graph *g, value_id x, int k, int stride, int group, int out, const char *name)
{
    const shape   *s = &g->values[x].shape;
    const int64_t  in = s->dim[3] / group;
    const shape    w = SHAPE(out, in, k, k);
    const value_id wv = graph_const(g, "w", DT_F32, &w, NULL, true);
    const int      pad = k / 2;
    const attrs    a = {.conv = {.kernel = {k, k},
                                 .stride = {stride, stride},
                                 .dilation = {1, 1},
                                 .pad = {pad, pad, pad, pad},
                                 .group = group,
                                 .out_channels = out,
                                 .w = {in * k * k, k * k, k, 1}}};
    return wv < 0 ? -1 : graph_op(g, OP_CONV, name, &a, (value_id[]){x, wv}, 2);
}

static value_id image(graph *g, int64_t h, int64_t w, int64_t c)
{
    const shape s = SHAPE(1, h, w, c);
    return graph_input(g, "x", DT_F32, &s);
}

/* One layer of each kind that networks of separable convolutions are made of. */
static status typical_layers(graph *g)
{
    const shape    vec = SHAPE(1, 1280), wd = SHAPE(1000, 1280);
    const value_id x3 = image(g, 224, 224, 3), x64 = image(g, 56, 56, 64), x128 = image(g, 28, 28, 128);
    const value_id v = graph_input(g, "v", DT_F32, &vec), wv = graph_const(g, "w", DT_F32, &wd, NULL, true);
    const attrs    dense = {.dense = {.in_features = 1280, .out_features = 1000, .w = {1280, 1, 0, 0}}};
    if (x3 < 0 || x64 < 0 || x128 < 0 || v < 0 || wv < 0)
        return SEPCL_OUT_OF_MEMORY;
    const value_id outs[] = {
        conv(g, x3, 3, 2, 1, 32, "stem convolution 3x3 s2, 224x224x3 to 32"),
        conv(g, x64, 1, 1, 1, 128, "pointwise, 56x56x64 to 128"),
        conv(g, x64, 3, 1, 64, 64, "depthwise 3x3, 56x56x64"),
        conv(g, x128, 3, 1, 1, 128, "convolution 3x3, 28x28x128 to 128"),
        conv(g, x128, 5, 2, 128, 128, "depthwise 5x5 s2, 28x28x128"),
        graph_op(g, OP_DENSE, "dense, 1280 to 1000", &dense, (value_id[]){v, wv}, 2),
    };
    for (size_t i = 0; i < sizeof outs / sizeof *outs; i++) {
        if (outs[i] < 0)
            return SEPCL_OUT_OF_MEMORY;
        TRY(graph_output(g, outs[i]));
    }
    return SEPCL_OK;
}

sepcl_status sepcl_device_choice(int index, int line, const char **line_out)
{
    static _Thread_local char text[512];
    caps                      c;
    graph                    *g;
    plan                     *p = NULL;
    *line_out = NULL;
    TRY(check_index(index));
    TRY(devices_caps(index, &c));
    TRY(graph_create("typical layers", &g));
    status st = typical_layers(g);
    if (st == SEPCL_OK)
        st = plan_create(g, &c, NULL, &p);
    if (st == SEPCL_OK && (line < 0 || line >= p->n_steps))
        st = fail(SEPCL_INVALID, "choice %d: there are %d", line, p->n_steps);
    if (st == SEPCL_OK) {
        const plan_step *s = &p->steps[line];
        const launch    *k = &s->launches[0];
        snprintf(text, sizeof text, "%s: %s, %zu work-groups of %zux%zux%zu", s->n->name, s->kernel,
                 k->global[0] / k->local[0] * (k->global[1] / k->local[1]) * (k->global[2] / k->local[2]), k->local[0],
                 k->local[1], k->local[2]);
        *line_out = text;
    }
    plan_destroy(p);
    graph_destroy(g);
    return st;
}

/* ------------------------------------------------------------------ caches */

static status count_tunings(int index, const char *cache_dir, sepcl_cache_info *out)
{
    caps     c;
    tune_db *tuning;
    TRY(devices_caps(index, &c));
    TRY(api_tuning(&c, cache_dir, false, &tuning));
    out->bans = tune_count_kind(tuning, TUNE_BAN);
    out->tunings = tune_count(tuning) - out->bans;
    tune_close(tuning);
    return SEPCL_OK;
}

sepcl_status sepcl_device_ban(int index, const char *cache_dir, int i, const char **line_out)
{
    static _Thread_local char text[2048];
    caps                      c;
    tune_db                  *tuning;
    *line_out = NULL;
    TRY(check_index(index));
    TRY(devices_caps(index, &c));
    TRY(api_tuning(&c, cache_dir, false, &tuning));
    const int n = tune_count_kind(tuning, TUNE_BAN);
    if (i >= 0 && i < n) { /* they stand last */
        const tune_entry *e = tune_get(tuning, tune_count(tuning) - n + i);
        snprintf(text, sizeof text, "%s: %s", e->key, e->losers[0] ? e->losers : "no reason is given");
        *line_out = text;
    }
    tune_close(tuning);
    return *line_out ? SEPCL_OK : fail(SEPCL_INVALID, "ban %d: there are %d", i, n);
}

sepcl_status sepcl_device_cache(int index, const char *cache_dir, sepcl_cache_info *info_out)
{
    static _Thread_local char dir[4096];
    *info_out = (sepcl_cache_info){0};
    TRY(check_index(index));
    char *folder = cache_folder(cache_dir, "programs");
    if (!folder)
        return SEPCL_OK;
    DIR *d = opendir(folder);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d)) {
        struct stat s;
        if (fstatat(dirfd(d), e->d_name, &s, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(s.st_mode)) {
            info_out->programs++;
            info_out->program_bytes += (uint64_t)s.st_size;
        }
    }
    if (d)
        closedir(d);
    snprintf(dir, sizeof dir, "%s", folder);
    free(folder);
    info_out->dir = dir;
    return count_tunings(index, cache_dir, info_out);
}
