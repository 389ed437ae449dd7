/* SPDX-License-Identifier: Apache-2.0 */
/* Writes Keras files into memory: HDF5 with groups of the newer kind, and ZIP archives of stored members. */
#ifndef SEPCL_TEST_KERAS_WRITER_H
#define SEPCL_TEST_KERAS_WRITER_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct kw {
    uint8_t *p;
    size_t   n, cap;
} kw;

static inline size_t kw_raw(kw *w, const void *data, size_t n)
{
    const size_t at = w->n;
    if (w->n + n > w->cap) {
        w->cap = 2 * (w->n + n);
        w->p = realloc(w->p, w->cap);
        assert_non_null(w->p);
    }
    if (data)
        memcpy(w->p + at, data, n);
    else
        memset(w->p + at, 0, n);
    w->n += n;
    return at;
}

static inline size_t kw_number(kw *w, uint64_t v, size_t bytes)
{
    return kw_raw(w, &v, bytes);
}

static inline void kw_set(kw *w, size_t at, uint64_t v, size_t bytes)
{
    assert_true(at + bytes <= w->n);
    memcpy(w->p + at, &v, bytes);
}

/* ---------------------------------------------------------------- HDF5 objects; each function gives an address */

/* An object's header, version 2: messages come between begin and end. */
typedef struct kw_object {
    size_t at, size;
} kw_object;

static inline kw_object kw_begin(kw *w)
{
    const size_t at = kw_raw(w, "OHDR", 4);
    kw_number(w, 2, 1);
    kw_number(w, 2, 1); /* flags: a size of 4 bytes */
    return (kw_object){at, kw_number(w, 0, 4)};
}

static inline size_t kw_end(kw *w, const kw_object *o)
{
    kw_set(w, o->size, w->n - o->size - 4, 4);
    kw_number(w, 0, 4); /* the checksum is not looked at */
    return o->at;
}

/* Gives where the size stands, for kw_close. */
static inline size_t kw_message(kw *w, int type)
{
    kw_number(w, (uint64_t)type, 1);
    const size_t size = kw_number(w, 0, 2);
    kw_number(w, 0, 1);
    return size;
}

static inline void kw_close(kw *w, size_t size)
{
    assert_true(w->n - size - 3 < 65536);
    kw_set(w, size, w->n - size - 3, 2);
}

static inline void kw_space(kw *w, int rank, const int64_t *dims)
{
    kw_number(w, 2, 1);
    kw_number(w, (uint64_t)rank, 1);
    kw_number(w, 0, 1);
    kw_number(w, rank ? 1 : 0, 1);
    for (int i = 0; i < rank; i++)
        kw_number(w, (uint64_t)dims[i], 8);
}

static inline void kw_text_type(kw *w, size_t size)
{
    kw_number(w, 0x13, 1);
    kw_number(w, 0, 3);
    kw_number(w, size, 4);
}

static inline void kw_float_type(kw *w)
{
    static const uint8_t rest[] = {0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0};
    kw_number(w, 0x11, 1);
    kw_number(w, 0x1f20, 3);
    kw_number(w, 4, 4);
    kw_raw(w, rest, sizeof rest);
}

/* An attribute of n texts of the same room; n 0: one text. */
static inline void kw_texts(kw *w, const char *name, const char *const *texts, int n)
{
    size_t       room = 1;
    const size_t m = kw_message(w, 0x0c);
    for (int i = 0; i < (n ? n : 1); i++)
        room = strlen(texts[i]) > room ? strlen(texts[i]) : room;
    kw_number(w, 3, 1);
    kw_number(w, 0, 1);
    kw_number(w, strlen(name) + 1, 2);
    kw_number(w, 8, 2);
    kw_number(w, n ? 12 : 4, 2);
    kw_number(w, 0, 1);
    kw_raw(w, name, strlen(name) + 1);
    kw_text_type(w, room);
    kw_space(w, n ? 1 : 0, &(int64_t){n});
    for (int i = 0; i < (n ? n : 1); i++) {
        const size_t at = kw_raw(w, NULL, room);
        memcpy(w->p + at, texts[i], strlen(texts[i]));
    }
    kw_close(w, m);
}

static inline void kw_link(kw *w, const char *name, size_t object)
{
    const size_t m = kw_message(w, 0x06);
    kw_number(w, 1, 1);
    kw_number(w, 0, 1);
    kw_number(w, strlen(name), 1);
    kw_raw(w, name, strlen(name));
    kw_number(w, object, 8);
    kw_close(w, m);
}

/* Float32 numbers, counting up in steps that keep sums small. */
static inline size_t kw_array(kw *w, int rank, const int64_t *dims)
{
    int64_t n = 1;
    for (int i = 0; i < rank; i++)
        n *= dims[i];
    while (w->n % 8)
        kw_number(w, 0, 1);
    const size_t data = kw_raw(w, NULL, 4 * (size_t)n);
    for (int64_t i = 0; i < n; i++) {
        const float v = (float)(i % 7) * 0.125f + 0.25f;
        memcpy(w->p + data + 4 * (size_t)i, &v, sizeof v);
    }
    const kw_object o = kw_begin(w);
    size_t          m = kw_message(w, 0x01);
    kw_space(w, rank, dims);
    kw_close(w, m);
    m = kw_message(w, 0x03);
    kw_float_type(w);
    kw_close(w, m);
    m = kw_message(w, 0x08);
    kw_number(w, 3, 1);
    kw_number(w, 1, 1);
    kw_number(w, data, 8);
    kw_number(w, 4 * (uint64_t)n, 8);
    kw_close(w, m);
    return kw_end(w, &o);
}

/* Superblock, version 2; the root is filled in by kw_finish. */
static inline void kw_open(kw *w)
{
    kw_raw(w, "\x89HDF\r\n\x1a\n", 8);
    kw_number(w, 2, 1);
    kw_number(w, 8, 1);
    kw_number(w, 8, 1);
    kw_number(w, 0, 1);
    kw_number(w, 0, 8);
    kw_number(w, UINT64_MAX, 8);
    kw_raw(w, NULL, 20); /* end, root, checksum */
}

static inline void kw_finish(kw *w, size_t root)
{
    kw_set(w, 28, w->n, 8);
    kw_set(w, 36, root, 8);
}

/* ---------------------------------------------------------------- whole files */

/* The weights of a layer: arrays of these shapes. path: "d" in an .h5, "dense" in a .keras. */
typedef struct kw_weights {
    const char *path;
    int         n;
    struct {
        int     rank;
        int64_t dims[5];
    } arrays[6];
} kw_weights;

/* How the weights of the files that follow are called and where they are. */
static struct kw_way {
    const char *const *names; /* NULL: "0", "1", ...; what stands before a '/' is a group of its own */
    int                parts; /* above 0: the names stand in so many attributes, weight_names0 and so on */
    const char        *inner; /* in an archive: the groups from the outermost on; NULL: "vars" */
} kw_way;

static inline bool kw_same_group(const char *a, const char *b)
{
    const size_t n = strcspn(a, "/");
    return a[n] && strncmp(a, b, n + 1) == 0;
}

/* Names of the form group/name: the groups, each written at the first of its names; those stand one after the other. */
static inline void kw_groups(kw *w, const char *const *names, const size_t *arrays, int n, size_t *groups)
{
    for (int i = 0; i < n; i++) {
        groups[i] = 0;
        if (!strchr(names[i], '/') || (i && kw_same_group(names[i - 1], names[i])))
            continue;
        const kw_object o = kw_begin(w);
        for (int k = i; k < n && kw_same_group(names[i], names[k]); k++)
            kw_link(w, strchr(names[k], '/') + 1, arrays[k]);
        groups[i] = kw_end(w, &o);
    }
}

/* An object alone in a group, that in another one, and so on; path: their names from the outermost on. */
static inline size_t kw_wrap(kw *w, const char *path, size_t object)
{
    char text[64];
    snprintf(text, sizeof text, "%s", path);
    for (char *last = text; last; *last = 0) {
        last = strrchr(text, '/');
        const kw_object o = kw_begin(w);
        kw_link(w, last ? last + 1 : text, object);
        object = kw_end(w, &o);
        if (!last)
            break;
    }
    return object;
}

static inline void kw_names(kw *w, const char *const *names, int n, int parts)
{
    char key[32];
    if (parts < 1)
        kw_texts(w, "weight_names", names, n);
    for (int i = 0; i < parts; i++) {
        snprintf(key, sizeof key, "weight_names%d", i);
        kw_texts(w, key, names + i * n / parts, (i + 1) * n / parts - i * n / parts);
    }
}

/* The group of a layer's or an inner model's weights. */
static inline size_t kw_arrays(kw *w, const kw_weights *l, bool archive)
{
    static const char *const numbers[] = {"0", "1", "2", "3", "4", "5"};
    const char *const       *names = kw_way.names ? kw_way.names : numbers;
    size_t                   arrays[6], groups[6];
    for (int i = 0; i < l->n; i++)
        arrays[i] = kw_array(w, l->arrays[i].rank, l->arrays[i].dims);
    kw_groups(w, names, arrays, l->n, groups);
    const kw_object o = kw_begin(w);
    if (!archive)
        kw_names(w, names, l->n, kw_way.parts);
    for (int i = 0; i < l->n; i++) {
        char text[64];
        snprintf(text, sizeof text, "%.*s", (int)strcspn(names[i], "/"), names[i]);
        if (groups[i] || !strchr(names[i], '/'))
            kw_link(w, text, groups[i] ? groups[i] : arrays[i]);
    }
    const size_t group = kw_end(w, &o);
    return archive ? kw_wrap(w, kw_way.inner ? kw_way.inner : "vars", group) : group;
}

/* The file of weights; config: NULL, or the architecture, which an .h5 has in it. */
static inline kw kw_h5(const char *config, const char *version, const kw_weights *layers, int n, bool archive)
{
    kw     w = {0};
    size_t groups[16];
    assert_true(n <= 16);
    kw_open(&w);
    for (int i = 0; i < n; i++)
        groups[i] = kw_arrays(&w, &layers[i], archive);
    const kw_object o = kw_begin(&w);
    for (int i = 0; i < n; i++)
        kw_link(&w, layers[i].path, groups[i]);
    const size_t    all = kw_end(&w, &o);
    const kw_object root = kw_begin(&w);
    if (config)
        kw_texts(&w, "model_config", &config, 0);
    if (version)
        kw_texts(&w, "keras_version", &version, 0);
    kw_link(&w, archive ? "layers" : "model_weights", all);
    kw_finish(&w, kw_end(&w, &root));
    return w;
}

typedef struct kw_member {
    const char *name;
    const void *data;
    size_t      n, at;
} kw_member;

static inline kw kw_zip(kw_member *members, int n)
{
    kw w = {0};
    for (int i = 0; i < n; i++) {
        members[i].at = kw_raw(&w, "PK\3\4\24\0\0\0\0\0\0\0\0\0", 14);
        kw_number(&w, 0, 4); /* checksum: only what is packed has to have it */
        kw_number(&w, members[i].n, 4);
        kw_number(&w, members[i].n, 4);
        kw_number(&w, strlen(members[i].name), 2);
        kw_number(&w, 0, 2);
        kw_raw(&w, members[i].name, strlen(members[i].name));
        kw_raw(&w, members[i].data, members[i].n);
    }
    const size_t directory = w.n;
    for (int i = 0; i < n; i++) {
        kw_raw(&w, "PK\1\2\24\0\24\0\0\0\0\0\0\0\0\0", 16);
        kw_number(&w, 0, 4);
        kw_number(&w, members[i].n, 4);
        kw_number(&w, members[i].n, 4);
        kw_number(&w, strlen(members[i].name), 2);
        kw_raw(&w, NULL, 12);
        kw_number(&w, members[i].at, 4);
        kw_raw(&w, members[i].name, strlen(members[i].name));
    }
    const size_t size = w.n - directory;
    kw_raw(&w, "PK\5\6\0\0\0\0", 8);
    kw_number(&w, (uint64_t)n, 2);
    kw_number(&w, (uint64_t)n, 2);
    kw_number(&w, size, 4);
    kw_number(&w, directory, 4);
    kw_number(&w, 0, 2);
    return w;
}

static inline kw kw_keras(const char *config, const kw_weights *layers, int n)
{
    kw        h5 = kw_h5(NULL, NULL, layers, n, true);
    kw_member members[] = {{"metadata.json", "{\"keras_version\": \"3.8.0\"}", 26, 0},
                           {"config.json", config, strlen(config), 0},
                           {"model.weights.h5", h5.p, h5.n, 0}};
    kw        w = kw_zip(members, 3);
    free(h5.p);
    return w;
}

#endif
