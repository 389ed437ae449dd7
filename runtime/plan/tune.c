/* SPDX-License-Identifier: Apache-2.0 */
/* The tuning database: entries sorted in memory, lines in a file. */
#include "plan/tune.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/file.h"
#include "base/hash.h"

#define FILE_LIMIT ((size_t)16 << 20)
#define LINE_LIMIT 8192
#define MOST_ENTRIES 20000
#define MOST_NS ((int64_t)3600 * 1000000000)

typedef struct record {
    tune_entry e;
    bool       fresh; /* set in this process */
} record;

struct tune_db {
    arena   memory;
    char    device[TUNE_DEVICE];
    char   *facts; /* of the device, for a person who reads the file */
    char   *folder, *path;
    record *records;
    int     n, cap;
};

/* ------------------------------------------------------------------ entries */

static int compare(tune_kind kind, const char *key, const tune_entry *e)
{
    return kind != e->kind ? (kind < e->kind ? -1 : 1) : strcmp(key, e->key);
}

/* Where an entry is, or would be put. */
static int position(const tune_db *db, tune_kind kind, const char *key, bool *found)
{
    int low = 0, high = db->n;
    while (low < high) {
        const int middle = low + (high - low) / 2;
        const int order = compare(kind, key, &db->records[middle].e);
        if (order == 0) {
            *found = true;
            return middle;
        }
        if (order < 0)
            high = middle;
        else
            low = middle + 1;
    }
    *found = false;
    return low;
}

int tune_count(const tune_db *db)
{
    return db ? db->n : 0;
}

int tune_count_kind(const tune_db *db, tune_kind kind)
{
    int n = 0;
    for (int i = 0; i < tune_count(db); i++)
        n += db->records[i].e.kind == kind;
    return n;
}

const tune_entry *tune_get(const tune_db *db, int i)
{
    return &db->records[i].e;
}

const tune_entry *tune_find(const tune_db *db, tune_kind kind, const char *key)
{
    bool found = false;
    if (!db || !db->n)
        return NULL;
    const int at = position(db, kind, key, &found);
    return found ? &db->records[at].e : NULL;
}

void tune_forget(tune_db *db, tune_kind kind, const char *key)
{
    bool      found = false;
    const int at = tune_count(db) ? position(db, kind, key, &found) : 0;
    if (!found)
        return;
    db->n--;
    memmove(db->records + at, db->records + at + 1, (size_t)(db->n - at) * sizeof *db->records);
}

static status put(tune_db *db, const tune_entry *e, bool fresh)
{
    bool       found;
    int        at = position(db, e->kind, e->key, &found);
    tune_entry copy = *e;
    copy.choice = arena_strdup(&db->memory, e->choice);
    copy.losers = arena_strdup(&db->memory, e->losers ? e->losers : "");
    copy.key = found ? db->records[at].e.key : arena_strdup(&db->memory, e->key);
    if (!copy.key || !copy.choice || !copy.losers)
        return SEPCL_OUT_OF_MEMORY;
    if (!found) {
        record *grown = arena_grow(&db->memory, db->records, &db->cap, db->n + 1, sizeof *grown);
        if (!grown)
            return SEPCL_OUT_OF_MEMORY;
        db->records = grown;
        memmove(grown + at + 1, grown + at, (size_t)(db->n - at) * sizeof *grown);
        db->n++;
    }
    db->records[at] = (record){copy, fresh};
    return SEPCL_OK;
}

/* Text that a line can hold: printable ASCII without the separator. */
static bool is_plain(const char *s, size_t most)
{
    size_t n = 0;
    for (; s[n]; n++)
        if (n + 1 >= most || s[n] < 0x20 || s[n] > 0x7e || s[n] == '|')
            return false;
    return true;
}

static bool is_sound(const tune_entry *e)
{
    return e->key[0] && e->choice[0] && is_plain(e->key, TUNE_KEY) && is_plain(e->choice, TUNE_CHOICE) &&
           is_plain(e->losers, LINE_LIMIT / 2) && (e->ns > 0 || (e->ns == 0 && e->kind == TUNE_BAN)) &&
           e->ns <= MOST_NS && e->error >= 0 && isfinite(e->error);
}

status tune_set(tune_db *db, const tune_entry *e)
{
    tune_entry copy = *e;
    copy.losers = e->losers ? e->losers : "";
    if (!is_sound(&copy))
        return fail(SEPCL_INVALID, "a tuning entry for '%.200s' is not one that a line can hold", e->key);
    bool found;
    position(db, e->kind, e->key, &found);
    if (!found && db->n >= MOST_ENTRIES)
        return fail(SEPCL_INVALID, "the tuning of a device is limited to %d entries", MOST_ENTRIES);
    return put(db, &copy, true);
}

/* ------------------------------------------------------------------ lines */

static char *trim(char *s)
{
    while (*s == ' ' || *s == '\t')
        s++;
    size_t n = strlen(s);
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t' || s[n - 1] == '\r'))
        s[--n] = 0;
    return s;
}

/* Cuts a line into its fields; the number of them, or -1 when there are more than most. */
static int split(char *line, char **fields, int most)
{
    int n = 0;
    for (char *at = line; at; n++) {
        char *bar = strchr(at, '|');
        if (n == most)
            return -1;
        if (bar)
            *bar = 0;
        fields[n] = trim(at);
        at = bar ? bar + 1 : NULL;
    }
    return n;
}

static bool parse_ns(const char *text, int64_t *out)
{
    char *end;
    if (*text < '0' || *text > '9')
        return false;
    errno = 0;
    *out = strtoll(text, &end, 10);
    return !*end && !errno;
}

/* "3e-07": a whole number and a power of ten, so that no locale's decimal point comes into it. */
static bool parse_error(const char *text, double *out)
{
    char *end;
    if (strspn(text, "0123456789e+-") != strlen(text) || *text < '0' || *text > '9')
        return false;
    *out = strtod(text, &end);
    return !*end;
}

static const char *const kind_names[] = {"op", "form", "ban"};

static bool kind_of(const char *text, tune_kind *out)
{
    for (int k = 0; k <= TUNE_BAN; k++)
        if (!strcmp(text, kind_names[k])) {
            *out = (tune_kind)k;
            return true;
        }
    return false;
}

/* The fields of a line as an entry. NULL, or what is wrong with it. */
static const char *parse_line(char *line, const char *device, tune_entry *e)
{
    char     *f[7];
    const int n = split(line, f, 7);
    if (n != 6 && n != 7)
        return "it has not 6 or 7 fields";
    if (strcmp(f[0], device) != 0)
        return "it is for another device or driver";
    *e = (tune_entry){.key = f[2], .choice = f[3], .losers = n == 7 ? f[6] : ""};
    if (!kind_of(f[1], &e->kind))
        return "it is neither for an op nor for a form, and no ban";
    if (!parse_ns(f[4], &e->ns) || !parse_error(f[5], &e->error))
        return "its time or error is no number";
    return is_sound(e) ? NULL : "a field is empty, too long, out of range or no plain text";
}

static status take_line(tune_db *db, char *line, size_t length, int number, int *skipped)
{
    tune_entry  e;
    const char *fault = NULL;
    if (strlen(line) != length || length > LINE_LIMIT)
        fault = "it is too long or no text";
    else if (*trim(line) == 0 || *trim(line) == '#')
        return SEPCL_OK;
    else
        fault = parse_line(line, db->device, &e);
    if (!fault) {
        bool      found;
        const int at = position(db, e.kind, e.key, &found);
        if (found && db->records[at].fresh)
            return SEPCL_OK; /* what was measured here is newer */
        if (!found && db->n >= MOST_ENTRIES)
            fault = "there are too many";
        else
            return put(db, &e, false);
    }
    if ((*skipped)++ < 3)
        log_info("tuning: line %d of %s is left out: %s", number, db->path, fault);
    return SEPCL_OK;
}

static status take_file(tune_db *db, char *text, size_t size)
{
    int skipped = 0, number = 0;
    for (char *at = text; at < text + size;) {
        char *end = memchr(at, '\n', (size_t)(text + size - at));
        end = end ? end : text + size;
        *end = 0;
        TRY(take_line(db, at, (size_t)(end - at), ++number, &skipped));
        at = end + 1;
    }
    if (skipped > 3)
        log_info("tuning: %d lines of %s are left out", skipped, db->path);
    return SEPCL_OK;
}

static status read_file(tune_db *db)
{
    void  *text;
    size_t size;
    if (access(db->path, F_OK) != 0 && errno == ENOENT)
        return SEPCL_OK;
    if (file_read(db->path, FILE_LIMIT, &text, &size) != SEPCL_OK) {
        log_info("tuning: %s", error_sentence());
        return SEPCL_OK;
    }
    const status st = take_file(db, text, size);
    free(text);
    return st;
}

/* ------------------------------------------------------------------ life */

const char *tune_device(const caps *c, char buffer[TUNE_DEVICE])
{
    char   hex[HASH_TEXT], units[16];
    hasher h;
    strbuf t = strbuf_on(units, sizeof units);
    strbuf_put(&t, "%d", c->compute_units);
    hash_begin(&h);
    hash_text(&h, c->name);
    hash_text(&h, c->driver);
    hash_text(&h, units);
    const hash128 sum = hash_end(&h);
    memcpy(buffer, hash_hex(&sum, hex), TUNE_DEVICE - 1);
    buffer[TUNE_DEVICE - 1] = 0;
    return buffer;
}

static status fill(tune_db *db, const char *folder, const caps *c)
{
    char   name[TUNE_DEVICE + 4];
    strbuf t = strbuf_on(name, sizeof name);
    tune_device(c, db->device);
    strbuf_put(&t, "%s.txt", db->device);
    db->facts = arena_printf(&db->memory, "%s, driver %s, %d compute units", c->name, c->driver, c->compute_units);
    if (!db->facts)
        return SEPCL_OUT_OF_MEMORY;
    for (char *p = db->facts; *p; p++)
        *p = *p < 0x20 || *p > 0x7e ? '?' : *p;
    if (!folder)
        return SEPCL_OK;
    db->folder = arena_strdup(&db->memory, folder);
    db->path = file_join(folder, name);
    if (!db->folder || !db->path)
        return SEPCL_OUT_OF_MEMORY;
    return read_file(db);
}

status tune_open(const char *folder, const caps *c, tune_db **out)
{
    *out = NULL;
    tune_db *db = calloc(1, sizeof *db);
    if (!db)
        return fail_memory(sizeof *db, "the tuning database");
    const status st = fill(db, folder, c);
    if (st != SEPCL_OK) {
        tune_close(db);
        return st;
    }
    *out = db;
    return SEPCL_OK;
}

void tune_close(tune_db *db)
{
    if (!db)
        return;
    arena_free(&db->memory);
    free(db->path);
    free(db);
}

/* ------------------------------------------------------------------ writing */

static const char *const head =
    "# What sepcl-tune measured to be fastest. One entry a line, fields between bars:\n"
    "# device | op or form | layer or layers | kernel and parameters, or form | ns | error | what lost: ns; ...\n"
    "# device | ban | kernel that is wrong on this device and not used | its source | 0 | error | reason\n"
    "# A line may be changed or removed; it is checked before it is used. Comments are not kept.\n";

static void put_entry(strbuf *t, const tune_db *db, const tune_entry *e)
{
    strbuf_put(t, "%s | %s | %s | %s | %lld | %.0e", db->device, kind_names[e->kind], e->key, e->choice,
               (long long)e->ns, e->error);
    strbuf_put(t, "%s%s\n", e->losers[0] ? " | " : "", e->losers);
}

static status write_file(const tune_db *db)
{
    size_t room = strlen(head) + strlen(db->facts) + 64;
    for (int i = 0; i < db->n; i++) {
        const tune_entry *e = &db->records[i].e;
        room += strlen(e->key) + strlen(e->choice) + strlen(e->losers) + 96;
    }
    char *bytes = malloc(room);
    if (!bytes)
        return fail_memory(room, "the tuning file");
    strbuf t = strbuf_on(bytes, room);
    strbuf_put(&t, "%s# %s: %s\n", head, db->device, db->facts);
    for (int i = 0; i < db->n; i++)
        put_entry(&t, db, &db->records[i].e);
    const status st = t.cut ? fail(SEPCL_INVALID, "%s: the entries are larger than counted", db->path)
                            : file_write(db->path, bytes, t.length, 0600);
    free(bytes);
    return st;
}

status tune_save(tune_db *db)
{
    if (!db->path)
        return SEPCL_OK;
    const int lock = file_lock(db->folder);
    status    st = read_file(db);
    if (st == SEPCL_OK)
        st = write_file(db);
    file_unlock(lock);
    return st;
}

/* ------------------------------------------------------------------ rows as text */

/* How many rows of the op before this one have its file and entry. */
static int twins_before(const op_def *op, const kernel_def *row)
{
    int n = 0;
    for (const kernel_def *k = op->kernels; k < row; k++)
        n += !strcmp(k->file, row->file) && !strcmp(k->entry, row->entry);
    return n;
}

bool row_text(const op_def *op, const kernel_def *row, const int *p, char buffer[TUNE_CHOICE])
{
    strbuf    t = strbuf_on(buffer, TUNE_CHOICE);
    const int twins = twins_before(op, row);
    strbuf_put(&t, "%s/%s", row->file, row->entry);
    if (twins)
        strbuf_put(&t, "#%d", twins + 1);
    for (int i = 0; p && i < kernel_params(row); i++)
        strbuf_put(&t, " %s=%d", row->params[i].name, p[i]);
    return !t.cut;
}

static bool is_legal(const param *k, int value)
{
    for (int i = 0; i < PARAM_VALUES && k->values[i]; i++)
        if (k->values[i] == value)
            return true;
    return false;
}

/* Reads the row's parameters in order and writes them again: the same text, and legal values, or false. */
static bool parameters_of(const kernel_def *row, const char *at, int p[PARAM_MAX])
{
    memset(p, 0, PARAM_MAX * sizeof *p);
    for (int i = 0; i < kernel_params(row); i++) {
        const param *k = &row->params[i];
        const size_t length = strlen(k->name);
        char        *end;
        at += strspn(at, " ");
        if (strncmp(at, k->name, length) != 0 || at[length] != '=')
            return false;
        errno = 0;
        const long value = strtol(at + length + 1, &end, 10);
        if (errno || end == at + length + 1 || value != (int)value || !is_legal(k, (int)value))
            return false;
        p[i] = (int)value;
        at = end;
    }
    return !at[strspn(at, " ")];
}

bool row_of_text(const op_def *op, const char *choice, const kernel_def **row, int p[PARAM_MAX])
{
    const size_t length = strcspn(choice, " ");
    for (const kernel_def *k = op->kernels; k && k->file; k++) {
        char      name[TUNE_CHOICE];
        strbuf    t = strbuf_on(name, sizeof name);
        const int twins = twins_before(op, k);
        strbuf_put(&t, "%s/%s", k->file, k->entry);
        if (twins)
            strbuf_put(&t, "#%d", twins + 1);
        if (t.cut || strlen(name) != length || strncmp(name, choice, length) != 0)
            continue;
        *row = k;
        return parameters_of(k, choice + length, p);
    }
    return false;
}

/* ------------------------------------------------------------------ bans */

/* "conv f32 gemm/gemm MR=6 V=8"; without parameters for all of them. */
static bool ban_key(const op_def *op, bool half, const kernel_def *row, const int *p, char key[TUNE_KEY])
{
    char   text[TUNE_CHOICE];
    strbuf t = strbuf_on(key, TUNE_KEY);
    if (!row_text(op, row, p, text))
        return false;
    strbuf_put(&t, "%s %s %s", op->name, half ? "f16" : "f32", text);
    return !t.cut;
}

status tune_ban(tune_db *db, const tune_ban_desc *d)
{
    char   key[TUNE_KEY], reason[512];
    strbuf t = strbuf_on(reason, sizeof reason);
    strbuf_put(&t, "%s", d->reason ? d->reason : "");
    for (char *s = reason; *s; s++)
        *s = *s < 0x20 || *s > 0x7e || *s == '|' ? '?' : *s;
    if (!ban_key(d->op, d->half, d->row, d->p, key))
        return fail(SEPCL_INVALID, "the name of a kernel of %s is too long to be banned", d->op->name);
    const double error = d->error >= 0 && d->error < 9e99 ? d->error : 9e99; /* also of no number at all */
    return tune_set(db, &(tune_entry){TUNE_BAN, key, d->source, 0, error, reason});
}

bool tune_banned(const tune_db *db, const node_view *v, const kernel_def *row, const int *p)
{
    char         key[TUNE_KEY];
    const op_def *op = op_get(v->n->op);
    const bool   half = v->g->values[v->n->out[0]].type == DT_F16;
    if (!tune_count(db) || db->records[db->n - 1].e.kind != TUNE_BAN) /* bans stand last */
        return false;
    return (ban_key(op, half, row, p, key) && tune_find(db, TUNE_BAN, key)) ||
           (ban_key(op, half, row, NULL, key) && tune_find(db, TUNE_BAN, key));
}

bool tune_ban_row(const char *key, const op_def **op, const kernel_def **row)
{
    const size_t name = strcspn(key, " ");
    for (int k = 1; k < OP_COUNT; k++) {
        int p[PARAM_MAX];
        *op = op_get((op_kind)k);
        if (strlen((*op)->name) != name || strncmp((*op)->name, key, name) != 0)
            continue;
        if (strncmp(key + name, " f32 ", 5) != 0 && strncmp(key + name, " f16 ", 5) != 0)
            return false;
        *row = NULL;
        (void)row_of_text(*op, key + name + 5, row, p); /* finds the row even where parameters are missing */
        return *row != NULL;
    }
    return false;
}

/* ------------------------------------------------------------------ what planning asks */

const tune_entry *tune_row(const tune_db *db, const node_view *v, const caps *c, const kernel_def **row,
                           int p[PARAM_MAX])
{
    char   key[TUNE_KEY];
    strbuf t = strbuf_on(key, sizeof key);
    if (!tune_count(db))
        return NULL;
    node_key(v, &t);
    const tune_entry *e = t.cut ? NULL : tune_find(db, TUNE_ROW, key);
    if (!e)
        return NULL;
    if (row_of_text(op_get(v->n->op), e->choice, row, p) && (*row)->fits(v, c, p)) {
        if (!tune_banned(db, v, *row, p))
            return e;
        log_info("tuning: '%s' (%s): the entry's \"%s\" is banned; it is not used", v->n->name, op_name(v->n->op),
                 e->choice);
        return NULL;
    }
    log_info("tuning: '%s' (%s): the entry's \"%s\" is no kernel that fits; it is not used", v->n->name,
             op_name(v->n->op), e->choice);
    return NULL;
}

const tune_entry *tune_form(const tune_db *db, const graph *g, node *const *nodes, int n)
{
    char   key[TUNE_KEY];
    strbuf t = strbuf_on(key, sizeof key);
    if (!tune_count(db))
        return NULL;
    chain_key(g, nodes, n, &t);
    return t.cut ? NULL : tune_find(db, TUNE_FORM, key);
}
