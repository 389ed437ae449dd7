/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-info: devices as text and as JSON. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/json.h"
#include "common/text.h"
#include "common/tool.h"
#include "info.h"

#define TITLE_COLUMNS 16
#define WIDTH 100

static const char *const types[] = {"other", "CPU", "GPU", "accelerator"};

static const char *type_name(sepcl_device_type t)
{
    return (unsigned)t < sizeof(types) / sizeof(types[0]) ? types[t] : types[0];
}

/* The yes-or-no facts by their names, for text and JSON alike. */
#define FEATURES(X)                                                                                                    \
    X(fp16, "fp16")                                                                                                    \
    X(fp64, "fp64")                                                                                                    \
    X(subgroups, "sub-groups")                                                                                         \
    X(integer_dot, "integer dot product")                                                                              \
    X(command_buffer, "command buffers")                                                                               \
    X(images, "images")

/* ---------------------------------------------------------------- text */

/* A titled line, wrapped under itself. */
static void line(const char *title, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void line(const char *title, const char *format, ...)
{
    char    text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    char *clean = text_clean(text);
    printf("  %-*s", TITLE_COLUMNS - 2, title);
    options_wrap(clean, stdout, TITLE_COLUMNS, TITLE_COLUMNS, tool_width(WIDTH));
    free(clean);
}

static void print_features(const sepcl_device_info *d)
{
    char yes[256] = "", no[256] = "";
    int  y = 0, n = 0;
#define FEATURE(field, name)                                                                                           \
    if (d->field)                                                                                                      \
        y += snprintf(yes + y, sizeof(yes) - (size_t)y, "%s%s", y ? ", " : "", name);                                  \
    else                                                                                                               \
        n += snprintf(no + n, sizeof(no) - (size_t)n, "%s%s", n ? ", " : "", name);
    FEATURES(FEATURE)
#undef FEATURE
    line("has", "%s", y ? yes : "none of the features below");
    if (n)
        line("has not", "%s", no);
}

static void print_memory(const sepcl_device_info *d)
{
    char a[TEXT_SMALL], b[TEXT_SMALL], c[TEXT_SMALL];
    line("local memory", "%s a work-group, %s", text_bytes(d->local_bytes, a),
         d->local_is_real ? "dedicated" : "a part of global memory");
    line("memory", "%s%s; a buffer up to %s; constants up to %s", text_bytes(d->global_bytes, a),
         d->unified_memory ? ", shared with the host" : "", text_bytes(d->max_alloc_bytes, b),
         text_bytes(d->constant_bytes, c));
    line("cache", "%s, lines of %" PRIu32 " bytes; sub-buffers align to %" PRIu32 " bytes",
         text_bytes(d->cache_bytes, a), d->cache_line_bytes, d->align_bytes);
}

static void print_facts(const sepcl_device_info *d)
{
    line("type", "%s by %s%s", type_name(d->type), d->vendor, d->available ? "" : "; cannot be used");
    line("platform", "%s, %s", d->platform, d->platform_version);
    line("driver", "%s; %s; %s", d->driver_version, d->device_version, d->c_version);
    char clock[32] = "";
    if (d->clock_mhz)
        snprintf(clock, sizeof(clock), " at %" PRIu32 " MHz", d->clock_mhz);
    line("compute", "%" PRIu32 " unit%s%s; float vectors of %" PRIu32 " preferred, %" PRIu32 " native",
         d->compute_units, d->compute_units == 1 ? "" : "s", clock, d->vector_width_f32, d->native_vector_width_f32);
    line("work-group", "up to %" PRIu64 " items, %" PRIu64 " x %" PRIu64 " x %" PRIu64, d->max_work_group,
         d->max_work_item[0], d->max_work_item[1], d->max_work_item[2]);
    print_memory(d);
    print_features(d);
}

/* "layer: what" as two lines. */
static void print_choices(int device)
{
    const char *text;
    for (int i = 0; sepcl_device_choice(device, i, &text) == SEPCL_OK; i++) {
        const char *colon = strstr(text, ": ");
        line(i == 0 ? "would choose" : "", "%.*s", colon ? (int)(colon - text) : (int)strlen(text), text);
        if (colon)
            options_wrap(colon + 2, stdout, 0, TITLE_COLUMNS + 2, tool_width(WIDTH));
    }
}

static void print_cache(const info_device *d)
{
    char size[TEXT_SMALL];
    if (!d->cache.dir)
        line("caches", "off");
    else
        line("caches", "%s: %d program%s, %s; %d tuning entr%s for this device", d->cache.dir, d->cache.programs,
             d->cache.programs == 1 ? "" : "s", text_bytes(d->cache.program_bytes, size), d->cache.tunings,
             d->cache.tunings == 1 ? "y" : "ies");
}

/* Kernels that are not used here any more, for they were wrong. */
static void print_bans(const info_device *d)
{
    const char *text;
    for (int i = 0; i < d->cache.bans && sepcl_device_ban(d->index, tool.cache_dir, i, &text) == SEPCL_OK; i++)
        line(i == 0 ? "banned" : "", "%s", text);
}

void info_print(const info_device *devices, int n)
{
    for (int i = 0; i < n; i++) {
        const info_device *d = &devices[i];
        char              *name = text_clean(d->info.name);
        printf("%s%s  %s%s\n", i ? "\n" : "", d->info.selector, name, d->is_default ? "  (the default)" : "");
        free(name);
        print_facts(&d->info);
        if (info_set.measure)
            line("measured",
                 "%.1f GFLOP/s of multiply-adds, %.1f GB/s, %.1f in the caches, %.1f us a launch in a batch, %.1f us "
                 "alone with a wait",
                 d->speed.fma_gflops, d->speed.bandwidth_gbs, d->speed.cache_gbs, d->speed.launch_us,
                 d->speed.round_trip_us);
        if (d->info.available)
            print_choices(d->index);
        print_cache(d);
        print_bans(d);
    }
}

/* ---------------------------------------------------------------- JSON */

static void put_texts(json_t *j, const sepcl_device_info *d)
{
    json_put(j, "selector", json_text(d->selector));
    json_put(j, "name", json_text(d->name));
    json_put(j, "vendor", json_text(d->vendor));
    json_put(j, "platform", json_text(d->platform));
    json_put(j, "platform_version", json_text(d->platform_version));
    json_put(j, "driver_version", json_text(d->driver_version));
    json_put(j, "device_version", json_text(d->device_version));
    json_put(j, "c_version", json_text(d->c_version));
    json_put(j, "type", json_text(type_name(d->type)));
}

static void put_limits(json_t *j, const sepcl_device_info *d)
{
    json_t *items = need(json_array());
    for (int i = 0; i < 3; i++)
        json_add(items, json_count(d->max_work_item[i]));
    json_put(j, "compute_units", json_count(d->compute_units));
    json_put(j, "clock_mhz", json_count(d->clock_mhz));
    json_put(j, "max_work_group", json_count(d->max_work_group));
    json_put(j, "max_work_item", items);
    json_put(j, "local_bytes", json_count(d->local_bytes));
    json_put(j, "local_is_real", json_boolean(d->local_is_real));
    json_put(j, "global_bytes", json_count(d->global_bytes));
    json_put(j, "max_alloc_bytes", json_count(d->max_alloc_bytes));
    json_put(j, "constant_bytes", json_count(d->constant_bytes));
    json_put(j, "cache_bytes", json_count(d->cache_bytes));
    json_put(j, "cache_line_bytes", json_count(d->cache_line_bytes));
    json_put(j, "align_bytes", json_count(d->align_bytes));
    json_put(j, "vector_width_f32", json_count(d->vector_width_f32));
    json_put(j, "native_vector_width_f32", json_count(d->native_vector_width_f32));
    json_put(j, "vector_width_f16", json_count(d->vector_width_f16));
    json_put(j, "unified_memory", json_boolean(d->unified_memory));
#define FEATURE(field, name) json_put(j, #field, json_boolean(d->field));
    FEATURES(FEATURE)
#undef FEATURE
}

static json_t *speed_json(const sepcl_device_speed *s)
{
    json_t *j = need(json_object());
    json_put(j, "fma_gflops", json_number(s->fma_gflops));
    json_put(j, "bandwidth_gbs", json_number(s->bandwidth_gbs));
    json_put(j, "cache_gbs", json_number(s->cache_gbs));
    json_put(j, "launch_us", json_number(s->launch_us));
    json_put(j, "round_trip_us", json_number(s->round_trip_us));
    return j;
}

static json_t *cache_json(int device, const sepcl_cache_info *c)
{
    const char *text;
    if (!c->dir)
        return json_null();
    json_t *j = need(json_object()), *bans = need(json_array());
    for (int i = 0; i < c->bans && sepcl_device_ban(device, tool.cache_dir, i, &text) == SEPCL_OK; i++)
        json_add(bans, json_text(text));
    json_put(j, "dir", json_text(c->dir));
    json_put(j, "programs", json_integer(c->programs));
    json_put(j, "program_bytes", json_count(c->program_bytes));
    json_put(j, "tunings", json_integer(c->tunings));
    json_put(j, "bans", bans);
    return j;
}

static json_t *device_json(const info_device *d)
{
    json_t     *j = need(json_object()), *choices = need(json_array());
    const char *text;
    put_texts(j, &d->info);
    json_put(j, "available", json_boolean(d->info.available));
    json_put(j, "default", json_boolean(d->is_default));
    put_limits(j, &d->info);
    for (int i = 0; d->info.available && sepcl_device_choice(d->index, i, &text) == SEPCL_OK; i++)
        json_add(choices, json_text(text));
    json_put(j, "choices", choices);
    json_put(j, "cache", cache_json(d->index, &d->cache));
    if (info_set.measure)
        json_put(j, "measured", speed_json(&d->speed));
    return j;
}

void info_print_json(const info_device *devices, int n)
{
    json_t *j = need(json_object()), *list = need(json_array());
    json_put(j, "version", json_text(sepcl_version()));
    for (int i = 0; i < n; i++)
        json_add(list, device_json(&devices[i]));
    json_put(j, "devices", list);
    json_print(j);
}
