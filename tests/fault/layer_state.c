/* SPDX-License-Identifier: Apache-2.0 */
/* What the layer remembers: calls, failures to give, objects that are alive. */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layer_state.h"
#include "ways.h"

#define CODES 2
#define TRACE 65536  /* calls whose kind is kept */
#define OBJECTS 65536 /* a power of two, well above what is alive at once */

static const char *const call_names[] = {
#define CALL(name, ...) #name,
#include "calls.inc"
#undef CALL
    "an unknown call"};

static const cl_int codes[FAULT_CALLS][CODES] = {
#define CALL(name, ...) {__VA_ARGS__},
#include "calls.inc"
#undef CALL
};

/* "CL_A, CL_B" */
static const char *const code_names[FAULT_CALLS] = {
#define CALL(name, ...) #__VA_ARGS__,
#include "calls.inc"
#undef CALL
};

typedef struct object {
    const void  *handle; /* NULL: free */
    fault_object kind;
    long         refs;
    char        *text;
} object;

static struct {
    pthread_mutex_t lock;
    /* failures */
    long       at, calls, same, failed;
    int        code, only; /* only: calls of this function; FAULT_CALLS: any */
    fault_mode mode;
    bool       armed, gave[FAULT_CALLS][CODES];
    fault_call stuck;
    uint8_t    trace[TRACE];
    ways       ways;
    /* objects */
    object objects[OBJECTS];
    long   live[FAULT_OBJECTS], made[FAULT_OBJECTS], bad;
    long   lied;
} s = {.lock = PTHREAD_MUTEX_INITIALIZER, .only = FAULT_CALLS};

/* ---------------------------------------------------------------- failures */

static bool is_due(fault_call c, long n)
{
    if (!s.armed || n < s.at || (s.only != FAULT_CALLS && s.mode != FAULT_GONE && (int)c != s.only))
        return false;
    if (n == s.at)
        s.stuck = c;
    return n == s.at || s.mode == FAULT_GONE || (s.mode == FAULT_STUCK && c == s.stuck);
}

cl_int layer_enter(fault_call c)
{
    cl_int e = CL_SUCCESS;
    pthread_mutex_lock(&s.lock);
    if (s.calls < TRACE)
        s.trace[s.calls] = (uint8_t)c;
    s.calls++;
    ways_note(&s.ways, s.calls);
    s.same += s.only == FAULT_CALLS || (int)c == s.only;
    if (is_due(c, s.only == FAULT_CALLS ? s.calls : s.same)) {
        e = codes[c][s.code];
        s.gave[c][s.code] = true;
        s.failed++;
    }
    pthread_mutex_unlock(&s.lock);
    return e;
}

static void start_anew(void)
{
    s.calls = s.same = s.failed = s.lied = 0;
    s.armed = false;
    s.only = FAULT_CALLS;
    memset(s.gave, 0, sizeof s.gave);
}

void fault_arm(long n, int code, fault_mode mode)
{
    pthread_mutex_lock(&s.lock);
    start_anew();
    s.at = n;
    s.code = code != 0;
    s.mode = mode;
    s.armed = true;
    pthread_mutex_unlock(&s.lock);
}

void fault_clear(void)
{
    pthread_mutex_lock(&s.lock);
    start_anew();
    pthread_mutex_unlock(&s.lock);
    layer_clear_lies();
}

void fault_note_ways(int depth)
{
    pthread_mutex_lock(&s.lock);
    ways_turn(&s.ways, depth);
    pthread_mutex_unlock(&s.lock);
}

long fault_new_ways(const long **numbers)
{
    *numbers = s.ways.fresh;
    return s.ways.n;
}

long fault_calls(void)
{
    pthread_mutex_lock(&s.lock);
    const long n = s.calls;
    pthread_mutex_unlock(&s.lock);
    return n;
}

fault_call fault_nth(long n)
{
    return n >= 1 && n <= TRACE && n <= fault_calls() ? (fault_call)s.trace[n - 1] : FAULT_CALLS;
}

long fault_failed(void)
{
    pthread_mutex_lock(&s.lock);
    const long n = s.failed;
    pthread_mutex_unlock(&s.lock);
    return n;
}

const char *fault_call_name(fault_call c)
{
    return call_names[c <= FAULT_CALLS ? c : FAULT_CALLS];
}

/* The k-th name of "CL_A, CL_B". */
static bool is_named(const char *list, int k, const char *name)
{
    for (; k > 0 && *list; k--)
        list += strcspn(list, ",") + 1;
    list += strspn(list, " ");
    const size_t n = strcspn(list, ",");
    return strlen(name) == n && strncmp(list, name, n) == 0;
}

bool fault_gave(const char *error_name)
{
    bool found = false;
    pthread_mutex_lock(&s.lock);
    for (int c = 0; c < FAULT_CALLS; c++)
        for (int k = 0; k < CODES; k++)
            found |= s.gave[c][k] && is_named(code_names[c], k, error_name);
    pthread_mutex_unlock(&s.lock);
    return found;
}

/* ---------------------------------------------------------------- objects */

/* The entry of a handle, or the free one where it would be. The lock is held. */
static object *entry_of(const void *handle)
{
    uintptr_t h = (uintptr_t)handle;
    h ^= h >> 17;
    h *= (uintptr_t)0x9e3779b97f4a7c15u;
    h >>= 20;
    for (size_t i = 0; i < OBJECTS; i++) {
        object *o = &s.objects[(h + i) % OBJECTS];
        if (!o->handle || o->handle == handle)
            return o;
    }
    fprintf(stderr, "fault layer: more than %d objects\n", OBJECTS);
    abort();
}

/* Empties an entry and moves what stands behind it up, so that searches need no marks. */
static void empty(object *o)
{
    size_t at = (size_t)(o - s.objects);
    free(o->text);
    *o = (object){0};
    for (size_t i = (at + 1) % OBJECTS; s.objects[i].handle; i = (i + 1) % OBJECTS) {
        const object moved = s.objects[i];
        s.objects[i] = (object){0};
        *entry_of(moved.handle) = moved;
    }
}

void layer_made(fault_object kind, const void *handle)
{
    if (!handle)
        return;
    pthread_mutex_lock(&s.lock);
    object *o = entry_of(handle);
    free(o->text);
    *o = (object){.handle = handle, .kind = kind, .refs = 1};
    s.live[kind]++;
    s.made[kind]++;
    pthread_mutex_unlock(&s.lock);
}

void layer_retained(fault_object kind, const void *handle)
{
    pthread_mutex_lock(&s.lock);
    object *o = entry_of(handle);
    if (o->handle && o->kind == kind) {
        o->refs++;
        s.live[kind]++;
    }
    pthread_mutex_unlock(&s.lock);
}

bool layer_released(fault_object kind, const void *handle)
{
    bool last = false;
    pthread_mutex_lock(&s.lock);
    object *o = handle ? entry_of(handle) : NULL;
    if (o && o->handle && o->kind == kind) {
        s.live[kind]--;
        last = --o->refs == 0;
        if (last)
            empty(o);
    } else {
        s.bad++;
    }
    pthread_mutex_unlock(&s.lock);
    return last;
}

void layer_note(const void *handle, const char *text)
{
    pthread_mutex_lock(&s.lock);
    object *o = entry_of(handle);
    if (o->handle) {
        free(o->text);
        o->text = strdup(text);
    }
    pthread_mutex_unlock(&s.lock);
}

const char *layer_noted(const void *handle, char *buffer, size_t room)
{
    pthread_mutex_lock(&s.lock);
    const object *o = entry_of(handle);
    snprintf(buffer, room, "%s", o->handle && o->text ? o->text : "");
    pthread_mutex_unlock(&s.lock);
    return buffer;
}

long fault_live(fault_object o)
{
    pthread_mutex_lock(&s.lock);
    const long n = s.live[o];
    pthread_mutex_unlock(&s.lock);
    return n;
}

long fault_made(fault_object o)
{
    pthread_mutex_lock(&s.lock);
    const long n = s.made[o];
    pthread_mutex_unlock(&s.lock);
    return n;
}

long fault_bad_releases(void)
{
    pthread_mutex_lock(&s.lock);
    const long n = s.bad;
    pthread_mutex_unlock(&s.lock);
    return n;
}

const char *fault_object_name(fault_object o)
{
    static const char *const names[] = {"context", "queue", "buffer", "program", "kernel", "event"};
    return o < FAULT_OBJECTS ? names[o] : "?";
}

/* ---------------------------------------------------------------- lies */

void layer_lied(void)
{
    pthread_mutex_lock(&s.lock);
    s.lied++;
    pthread_mutex_unlock(&s.lock);
}

long fault_lied(void)
{
    pthread_mutex_lock(&s.lock);
    const long n = s.lied;
    pthread_mutex_unlock(&s.lock);
    return n;
}

/* ---------------------------------------------------------------- steering by text */

static fault_mode mode_of(const char *text)
{
    return strcmp(text, "gone") == 0 ? FAULT_GONE : strcmp(text, "stuck") == 0 ? FAULT_STUCK : FAULT_ONCE;
}

static void set_call(const char *name)
{
    s.only = FAULT_CALLS;
    for (int c = 0; c < FAULT_CALLS; c++)
        s.only = strcmp(name, call_names[c]) == 0 ? c : s.only;
}

static bool set_text(const char *key, const char *value)
{
    const struct {
        const char *key;
        char       *to;
        size_t      room;
    } texts[] = {{"garbage", lies.garbage, sizeof lies.garbage}, {"skip", lies.skip, sizeof lies.skip},
                 {"missing", lies.missing, sizeof lies.missing}, {"late", lies.late, sizeof lies.late},
                 {"times", lies.times, sizeof lies.times}};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (strcmp(key, texts[i].key) == 0) {
            snprintf(texts[i].to, texts[i].room, "%s", value);
            return true;
        }
    return false;
}

static void set_one(const char *key, const char *value)
{
    if (set_text(key, value))
        return;
    if (strncmp(key, "device.", 7) == 0) {
        layer_set_device_lie(key + 7, value);
    } else if (strcmp(key, "late_contexts") == 0) {
        lies.late_contexts = atol(value);
    } else if (strcmp(key, "call") == 0) {
        set_call(value);
    } else if (strcmp(key, "code") == 0) {
        s.code = atoi(value) != 0;
    } else if (strcmp(key, "mode") == 0) {
        s.mode = mode_of(value);
    } else if (strcmp(key, "n") == 0) {
        s.at = atol(value);
        s.armed = true;
    } else {
        fprintf(stderr, "fault layer: what is '%s'?\n", key);
        abort();
    }
}

void fault_set(const char *text)
{
    char *copy = strdup(text), *rest = copy;
    for (char *part = copy ? strsep(&rest, ";") : NULL; part; part = strsep(&rest, ";")) {
        char *equals = strchr(part, '=');
        if (!equals)
            continue;
        *equals = 0;
        set_one(part, equals + 1);
    }
    free(copy);
}
