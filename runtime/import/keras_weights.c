/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which arrays of the file are a layer's weights.
 *
 * A layer's type says what weights it has, as words in the file's order: "kernel bias?use_bias -moving_mean". A minus:
 * not trained. A question mark: only if this setting is true (it is by default); with an exclamation mark before the
 * setting: only if it is not there.
 *
 * .h5: model_weights/<layer> has the attribute weight_names, in that order. A model that is a layer has the weights of
 * all its layers in one group, those that are trained first.
 * .keras: layers/<class in snake case>[_<how many of this class came before>]/vars/<number>, and the same inside the
 * group of a model that is a layer.
 */
#include <ctype.h>
#include <string.h>

#include "base/size.h"
#include "import/keras_model.h"

/* Comparisons of names for the weights of models in models. */
#define MOST_COMPARISONS ((int64_t)20000000)

/* ---------------------------------------------------------------- what a layer has */

static bool has_weight(const keras_layer *l, const char *condition, size_t length)
{
    char key[32];
    if (length == 0)
        return true;
    const bool absent = *condition == '!';
    snprintf(key, sizeof key, "%.*s", (int)length - absent, condition + absent);
    return absent ? keras_get(l->config, key) == NULL : keras_get_bool(l->config, key, true);
}

static status list_weights(keras_file *f, keras_layer *l)
{
    size_t words = l->type && l->type->weights[0] ? 1 : 0;
    for (const char *at = words ? l->type->weights : ""; *at; at++)
        words += *at == ' ';
    l->weights = arena_array(&f->memory, words, sizeof *l->weights);
    if (!l->weights)
        return SEPCL_OUT_OF_MEMORY;
    for (const char *at = l->type ? l->type->weights : ""; *at;) {
        const size_t word = strcspn(at, " "), role = strcspn(at, " ?"), minus = *at == '-';
        const size_t condition = word > role ? word - role - 1 : 0;
        if (has_weight(l, at + role + 1, condition)) {
            keras_weight *w = &l->weights[l->n_weights++];
            w->trainable = !minus && l->trainable;
            w->role = arena_strndup(&f->memory, at + minus, role - minus);
            if (!w->role)
                return SEPCL_OUT_OF_MEMORY;
        }
        at += word;
        at += strspn(at, " ");
    }
    return SEPCL_OK;
}

static status list_all(keras_file *f, keras_model *m)
{
    for (int i = 0; i < m->n_layers; i++)
        TRY(m->layers[i].model ? list_all(f, m->layers[i].model) : list_weights(f, &m->layers[i]));
    return SEPCL_OK;
}

static bool model_has_weights(const keras_model *m)
{
    for (int i = 0; i < m->n_layers; i++)
        if (m->layers[i].model ? model_has_weights(m->layers[i].model) : m->layers[i].n_weights > 0)
            return true;
    return false;
}

/* ---------------------------------------------------------------- one array */

static status convert(keras_file *f, const h5_array *a, int64_t count, keras_weight *w)
{
    const bool   halves = a->type.type == DT_F64;
    const size_t size = halves ? sizeof(float) : a->type.size, bytes = (size_t)count * size;
    TRY(keras_take(f, bytes, "the weights"));
    float *to = arena_alloc(&f->memory, bytes);
    if (!to)
        return SEPCL_OUT_OF_MEMORY;
    if (!halves && bytes)
        memcpy(to, a->data, bytes);
    for (int64_t i = 0; halves && i < count; i++) {
        double v;
        memcpy(&v, (const uint8_t *)a->data + 8 * i, sizeof v);
        to[i] = (float)v;
    }
    w->data = to;
    w->type = halves ? DT_F32 : a->type.type;
    return SEPCL_OK;
}

static status read_weight(keras_file *f, uint64_t object, keras_weight *w)
{
    h5_array a;
    TRY(h5_read_array(&f->h5, object, &f->memory, &a));
    w->shape = a.shape;
    w->type = DT_NONE;
    if (a.type.kind != H5_FLOAT || a.type.type == DT_NONE || a.type.big_endian)
        return SEPCL_OK; /* a layer that computes with it refuses it */
    if (a.type.type == DT_F64 || (uintptr_t)a.data % a.type.size != 0)
        return convert(f, &a, shape_count(&a.shape), w);
    w->type = a.type.type;
    w->data = a.data;
    return SEPCL_OK;
}

static status find_weight(keras_file *f, uint64_t group, const char *name, const keras_layer *l, keras_weight *w)
{
    uint64_t object;
    bool     found;
    TRY(h5_find(&f->h5, group, name, &object, &found));
    const status st = found ? read_weight(f, object, w) : fail(SEPCL_BAD_FILE, "the file does not have it");
    return st == SEPCL_OK ? st : fail_in(st, "layer '%s' (%s): weight '%s'", l->name, l->class_name, name);
}

/* ---------------------------------------------------------------- .keras */

/* "DepthwiseConv2D" to "depthwise_conv2d": a word begins at a capital before small letters, and after a small letter.
 */
static char *snake_case(arena *memory, const char *class_name)
{
    const size_t n = strlen(class_name);
    char        *out = arena_alloc(memory, 2 * n + 1), *to = out;
    for (size_t i = 0; out && i < n; i++) {
        const char c = class_name[i];
        const bool capital = isupper((unsigned char)c), small_next = islower((unsigned char)class_name[i + 1]);
        const bool after_small = i > 0 && islower((unsigned char)class_name[i - 1]);
        if (i > 0 && capital && (small_next || after_small))
            *to++ = '_';
        *to++ = (char)tolower((unsigned char)c);
    }
    return out;
}

/* How many layers of a class a model has had. */
typedef struct class_count {
    char *name;
    int   n;
} class_count;

/* "conv2d", "conv2d_1", ... */
static status group_name(keras_file *f, class_count **counts, int *n, int *cap, const char *class_name, char **out)
{
    char *snake = snake_case(&f->memory, class_name);
    int   i = 0;
    if (!snake)
        return SEPCL_OUT_OF_MEMORY;
    while (i < *n && strcmp((*counts)[i].name, snake) != 0)
        i++;
    if (i == *n) {
        class_count *grown = arena_grow(&f->memory, *counts, cap, *n + 1, sizeof *grown);
        if (!grown)
            return SEPCL_OUT_OF_MEMORY;
        *counts = grown;
        grown[(*n)++] = (class_count){snake, 0};
    }
    const int before = (*counts)[i].n++;
    *out = before ? arena_printf(&f->memory, "%s_%d", snake, before) : snake;
    return *out ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

/* Some versions note the layer's name beside its weights. */
static status check_name(keras_file *f, uint64_t vars, const char *group, const keras_layer *l)
{
    h5_attribute a;
    bool         found;
    const char  *name;
    TRY(h5_find_attribute(&f->h5, vars, "name", &a, &found));
    if (!found)
        return SEPCL_OK;
    TRY(h5_text(&f->h5, &a, &f->memory, &name));
    return strcmp(name, l->name) == 0
               ? SEPCL_OK
               : fail(SEPCL_BAD_FILE, "layer '%s' (%s): its weights should be in '%s', but those are of '%s'", l->name,
                      l->class_name, group, name);
}

static status bind_vars(keras_file *f, uint64_t container, const char *group, keras_layer *l)
{
    uint64_t vars;
    bool     found;
    char     number[16];
    TRY(h5_find(&f->h5, container, group, &vars, &found));
    if (found)
        TRY(h5_find(&f->h5, vars, "vars", &vars, &found));
    if (!found)
        return fail(SEPCL_BAD_FILE, "layer '%s' (%s): the file has no weights in '%s/vars'", l->name, l->class_name,
                    group);
    TRY(check_name(f, vars, group, l));
    for (int i = 0; i < l->n_weights; i++) {
        snprintf(number, sizeof number, "%d", i);
        TRY(find_weight(f, vars, number, l, &l->weights[i]));
    }
    uint64_t more;
    snprintf(number, sizeof number, "%d", l->n_weights);
    TRY(h5_find(&f->h5, vars, number, &more, &found));
    return found ? fail(SEPCL_UNSUPPORTED, "layer '%s' (%s): the file has more than its %d weights", l->name,
                        l->class_name, l->n_weights)
                 : SEPCL_OK;
}

static status bind_archive(keras_file *f, keras_model *m, uint64_t group)
{
    uint64_t     container;
    bool         found;
    class_count *counts = NULL;
    int          n = 0, cap = 0;
    char        *name;
    TRY(h5_find(&f->h5, group, "layers", &container, &found));
    if (!found)
        TRY(h5_find(&f->h5, group, "_layer_checkpoint_dependencies", &container, &found));
    if (!found)
        return model_has_weights(m) ? fail(SEPCL_BAD_FILE, "the file has no weights of model '%s'", m->name) : SEPCL_OK;
    for (int i = 0; i < m->n_layers; i++) {
        keras_layer *l = &m->layers[i];
        if (l->hidden || l->is_operation)
            continue;
        TRY(group_name(f, &counts, &n, &cap, l->class_name, &name));
        if (l->model && model_has_weights(l->model)) {
            uint64_t inner;
            TRY(h5_find(&f->h5, container, name, &inner, &found));
            if (!found)
                return fail(SEPCL_BAD_FILE, "the file has no weights of model '%s' in '%s'", l->name, name);
            TRY(bind_archive(f, l->model, inner));
        } else if (l->n_weights) {
            TRY(bind_vars(f, container, name, l));
        }
    }
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- .h5 */

/* The arrays of a group in the order that its attribute gives. */
typedef struct weight_list {
    uint64_t     group;
    const char **names;
    int          n;
    int          next; /* where the search goes on */
    int64_t      comparisons;
} weight_list;

/* weight_names, or when that is too long for an attribute weight_names0, weight_names1, ... */
static status list_names(keras_file *f, weight_list *list)
{
    h5_attribute a;
    bool         found;
    char         key[32];
    TRY(h5_find_attribute(&f->h5, list->group, "weight_names", &a, &found));
    if (found)
        return h5_texts(&f->h5, &a, &f->memory, &list->names, &list->n);
    for (int part = 0, cap = 0;; part++) {
        const char **more, **grown;
        int          n;
        snprintf(key, sizeof key, "weight_names%d", part);
        TRY(h5_find_attribute(&f->h5, list->group, key, &a, &found));
        if (!found)
            return SEPCL_OK;
        TRY(h5_texts(&f->h5, &a, &f->memory, &more, &n));
        grown = arena_grow(&f->memory, list->names, &cap, list->n + n, sizeof *grown);
        if (!grown)
            return SEPCL_OUT_OF_MEMORY;
        list->names = grown;
        for (int i = 0; i < n; i++)
            grown[list->n++] = more[i];
    }
}

/* Is this the array of a layer's weight? "model/layer/kernel:0"; older depthwise kernels are "depthwise_kernel". */
static bool is_weight_name(const char *name, const char *layer, const char *role)
{
    const char  *slash = strrchr(name, '/');
    const size_t n = strlen(role), before = slash ? (size_t)(slash - name) : 0, layer_length = strlen(layer);
    if (!slash || before < layer_length || memcmp(slash - layer_length, layer, layer_length) != 0 ||
        (before > layer_length && slash[-(ptrdiff_t)layer_length - 1] != '/'))
        return false;
    const char  *last = slash + 1;
    const size_t length = strcspn(last, ":");
    return length >= n && memcmp(last + length - n, role, n) == 0 && (length == n || last[length - n - 1] == '_');
}

/* Index of the weight's name, -1 when it is not there. */
static int find_name(weight_list *list, const char *layer, const char *role)
{
    for (int i = 0; i < list->n; i++) {
        const int at = (list->next + i) % list->n;
        list->comparisons++;
        if (is_weight_name(list->names[at], layer, role)) {
            list->next = at + 1;
            return at;
        }
    }
    return -1;
}

/* Weights of a model's layers by name; *all is false when one is not found. */
static status bind_by_name(keras_file *f, keras_model *m, weight_list *list, bool *all)
{
    for (int i = 0; *all && i < m->n_layers; i++) {
        keras_layer *l = &m->layers[i];
        if (l->model)
            TRY(bind_by_name(f, l->model, list, all));
        for (int k = 0; *all && k < l->n_weights; k++) {
            const int at = find_name(list, l->name, l->weights[k].role);
            if (list->comparisons > MOST_COMPARISONS)
                return fail(SEPCL_UNSUPPORTED, "model '%s' has too many weights", m->name);
            *all = at >= 0;
            if (*all)
                TRY(find_weight(f, list->group, list->names[at], l, &l->weights[k]));
        }
    }
    return SEPCL_OK;
}

/* The order in which Keras writes: weights that are trained, then the others; of a layer that is not trained all. The
   list has as many as the model. */
static status bind_in_order(keras_file *f, keras_model *m, bool trained, weight_list *list)
{
    for (int i = 0; i < m->n_layers; i++) {
        keras_layer *l = &m->layers[i];
        if (l->model)
            TRY(bind_in_order(f, l->model, trained, list));
        for (int k = 0; k < l->n_weights; k++) {
            if (l->weights[k].trainable != trained)
                continue;
            TRY(find_weight(f, list->group, list->names[list->next++], l, &l->weights[k]));
        }
    }
    return SEPCL_OK;
}

static int count_weights(const keras_model *m)
{
    int n = 0;
    for (int i = 0; i < m->n_layers; i++)
        n += m->layers[i].model ? count_weights(m->layers[i].model) : m->layers[i].n_weights;
    return n;
}

static status bind_inner_model(keras_file *f, keras_model *m, weight_list *list)
{
    bool      all = true;
    const int want = count_weights(m);
    if (list->n != want)
        return fail(SEPCL_BAD_FILE, "model '%s' needs %d weights, but the file has %d", m->name, want, list->n);
    TRY(bind_by_name(f, m, list, &all));
    if (all)
        return SEPCL_OK;
    list->next = 0;
    TRY(bind_in_order(f, m, true, list));
    return bind_in_order(f, m, false, list);
}

static status bind_h5(keras_file *f, keras_model *m, uint64_t container)
{
    for (int i = 0; i < m->n_layers; i++) {
        keras_layer *l = &m->layers[i];
        weight_list  list = {0};
        bool         found;
        if (l->model ? !model_has_weights(l->model) : l->n_weights == 0)
            continue;
        TRY(h5_find(&f->h5, container, l->name, &list.group, &found));
        if (!found && l->model) { /* Keras 1 wrote the layers of sequential models in sequential models */
            TRY(bind_h5(f, l->model, container));
            continue;
        }
        if (!found)
            return fail(SEPCL_BAD_FILE, "layer '%s' (%s): the file has no weights of it", l->name, l->class_name);
        TRY(list_names(f, &list));
        if (l->model) {
            TRY(bind_inner_model(f, l->model, &list));
            continue;
        }
        if (list.n != l->n_weights)
            return fail(SEPCL_BAD_FILE, "layer '%s' (%s) needs %d weights, but the file has %d", l->name, l->class_name,
                        l->n_weights, list.n);
        for (int k = 0; k < l->n_weights; k++)
            TRY(find_weight(f, list.group, list.names[k], l, &l->weights[k]));
    }
    return SEPCL_OK;
}

status keras_bind_weights(keras_file *f)
{
    uint64_t container;
    bool     found;
    TRY(list_all(f, f->model));
    if (f->archive)
        return bind_archive(f, f->model, f->h5.root);
    TRY(h5_find(&f->h5, f->h5.root, "model_weights", &container, &found));
    if (!found)
        return fail(SEPCL_BAD_FILE, "the file has an architecture, but no weights ('model_weights')");
    return bind_h5(f, f->model, container);
}
