/* SPDX-License-Identifier: Apache-2.0 */
/* The skeleton of an HDF5 file: superblock, object headers, groups. */
#include "import/keras_h5.h"

#include <string.h>

#include "base/size.h"

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "HDF5 keeps its numbers little-endian");

/* Structures that may be looked at: enough for the largest networks, few enough for a hostile file to end soon. */
#define MOST_STEPS ((int64_t)10000000)
/* Pieces of an object's header, levels of a tree of group entries, length of a name in a path. */
#define MOST_PIECES 256
#define MOST_LEVELS 16
#define MOST_NAME 1024

static const uint8_t signature[8] = {0x89, 'H', 'D', 'F', '\r', '\n', 0x1a, '\n'};

/* ---------------------------------------------------------------- bytes */

const uint8_t *h5_skip(h5_cursor *c, uint64_t n)
{
    if (n > (uint64_t)(c->end - c->at)) {
        c->cut = true;
        c->at = c->end;
        return NULL;
    }
    const uint8_t *p = c->at;
    c->at += n;
    return p;
}

uint64_t h5_number(h5_cursor *c, int size)
{
    const uint8_t *p = h5_skip(c, (uint64_t)size);
    uint64_t       v = 0;
    if (p)
        memcpy(&v, p, (size_t)size);
    return v;
}

status h5_cut(const h5_cursor *c, const char *what)
{
    return c->cut ? fail(SEPCL_BAD_FILE, "HDF5: the file ends inside %s", what) : SEPCL_OK;
}

status h5_step(h5_file *f, int64_t steps)
{
    f->steps -= steps;
    return f->steps >= 0 ? SEPCL_OK
                         : fail(SEPCL_BAD_FILE, "HDF5: more than %lld structures, or structures that hold each other",
                                (long long)MOST_STEPS);
}

status h5_at(h5_file *f, uint64_t address, uint64_t least, const char *what, h5_cursor *out)
{
    TRY(h5_step(f, 1));
    if (address > f->size || least > f->size - address)
        return fail(SEPCL_BAD_FILE, "HDF5: %s at %llu with %llu bytes reaches beyond the file's %zu", what,
                    (unsigned long long)address, (unsigned long long)least, f->size);
    *out = (h5_cursor){.at = f->bytes + address, .end = f->bytes + f->size};
    return SEPCL_OK;
}

bool h5_no_address(const h5_file *f, uint64_t address)
{
    return address == UINT64_MAX >> (64 - 8 * f->offset_size);
}

/* ---------------------------------------------------------------- superblock */

/* It is at 0, or behind a block of the user's at a power of two from 512 on. */
bool h5_sniff(const uint8_t *bytes, size_t size, size_t *offset)
{
    for (size_t at = 0; at < size && size - at >= sizeof signature && at <= (size_t)1 << 20; at = at ? 2 * at : 512)
        if (memcmp(bytes + at, signature, sizeof signature) == 0) {
            *offset = at;
            return true;
        }
    return false;
}

static bool known_size(int n)
{
    return n == 2 || n == 4 || n == 8;
}

static status check_sizes(const h5_file *f)
{
    if (known_size(f->offset_size) && known_size(f->length_size))
        return SEPCL_OK;
    return fail(SEPCL_BAD_FILE, "HDF5: addresses of %d and lengths of %d bytes; 2, 4 and 8 are known", f->offset_size,
                f->length_size);
}

/* Versions 0 and 1. */
static status old_superblock(h5_file *f, int version, h5_cursor *c, uint64_t *end)
{
    h5_skip(c, 4); /* versions of parts */
    f->offset_size = (int)h5_number(c, 1);
    f->length_size = (int)h5_number(c, 1);
    TRY(h5_cut(c, "the superblock"));
    TRY(check_sizes(f));
    h5_skip(c, version == 0 ? 9 : 13); /* sizes of tree nodes, flags */
    h5_skip(c, 2 * (uint64_t)f->offset_size); /* base address, free space */
    *end = h5_number(c, f->offset_size);
    h5_skip(c, 2 * (uint64_t)f->offset_size); /* driver; name of the root */
    f->root = h5_number(c, f->offset_size);
    return h5_cut(c, "the superblock");
}

/* Versions 2 and 3. */
static status new_superblock(h5_file *f, h5_cursor *c, uint64_t *end)
{
    f->offset_size = (int)h5_number(c, 1);
    f->length_size = (int)h5_number(c, 1);
    TRY(h5_cut(c, "the superblock"));
    TRY(check_sizes(f));
    h5_skip(c, 1 + 2 * (uint64_t)f->offset_size); /* flags, base address, extension */
    *end = h5_number(c, f->offset_size);
    f->root = h5_number(c, f->offset_size);
    return h5_cut(c, "the superblock");
}

status h5_open(const uint8_t *bytes, size_t size, size_t unpack, h5_file *f)
{
    size_t offset;
    *f = (h5_file){.steps = MOST_STEPS, .unpack = unpack};
    if (!h5_sniff(bytes, size, &offset))
        return fail(SEPCL_BAD_FILE, "not an HDF5 file");
    f->bytes = bytes + offset;
    f->size = size - offset;
    h5_cursor c = {.at = f->bytes + sizeof signature, .end = f->bytes + f->size};
    uint64_t  end = 0;
    const int version = (int)h5_number(&c, 1);
    TRY(h5_cut(&c, "the superblock"));
    if (version > 3)
        return fail(SEPCL_BAD_FILE, "HDF5: superblock version %d is unknown", version);
    TRY(version < 2 ? old_superblock(f, version, &c, &end) : new_superblock(f, &c, &end));
    /* the end counts from the file's begin in some writers and from the superblock in others */
    if (end > size)
        return fail(SEPCL_BAD_FILE, "HDF5: the file ends after %zu of %llu bytes", size, (unsigned long long)end);
    if (f->root >= end)
        return fail(SEPCL_BAD_FILE, "HDF5: the root at %llu lies beyond the end at %llu", (unsigned long long)f->root,
                    (unsigned long long)end);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- object headers */

/* Pieces of a header that are still to be read. */
typedef struct pieces {
    h5_cursor at[MOST_PIECES];
    int       n, next;
} pieces;

typedef struct header {
    int version, flags; /* flags: of version 2 */
    int left;           /* messages, version 1 */
} header;

static status add_piece(h5_file *f, const header *h, pieces *p, h5_cursor body)
{
    const uint64_t address = h5_number(&body, f->offset_size);
    const uint64_t length = h5_number(&body, f->length_size);
    h5_cursor      c;
    TRY(h5_cut(&body, "a link to a part of a header"));
    TRY(h5_at(f, address, length, "part of a header", &c));
    c.end = c.at + length;
    if (p->n == MOST_PIECES)
        return fail(SEPCL_BAD_FILE, "HDF5: a header in more than %d parts", MOST_PIECES);
    if (h->version == 2) {
        const uint8_t *magic = h5_skip(&c, 4);
        if (!magic || memcmp(magic, "OCHK", 4) != 0 || c.end - c.at < 4)
            return fail(SEPCL_BAD_FILE, "HDF5: part of a header without its signature");
        c.end -= 4; /* checksum */
    }
    p->at[p->n++] = c;
    return SEPCL_OK;
}

/* Type, size and flags of the next message; false at the end of a piece. */
static bool next_message(const header *h, h5_cursor *c, h5_message *m)
{
    const int prefix = h->version == 1 ? 8 : h->flags & 4 ? 6 : 4;
    if (c->end - c->at < prefix)
        return false;
    m->type = (int)h5_number(c, h->version == 1 ? 2 : 1);
    const uint64_t size = h5_number(c, 2);
    m->flags = (int)h5_number(c, 1);
    h5_skip(c, (uint64_t)(h->version == 1 ? 3 : prefix - 4));
    m->body = (h5_cursor){.at = c->at};
    if (h5_skip(c, size))
        m->body.end = c->at;
    return true;
}

static status visit_piece(h5_file *f, header *h, pieces *p, h5_visit visit, void *user, bool *stop)
{
    h5_cursor  c = p->at[p->next++];
    h5_message m;
    while (!*stop && (h->version == 2 || h->left > 0) && next_message(h, &c, &m)) {
        TRY(h5_cut(&c, "a message of a header"));
        TRY(h5_step(f, 1));
        h->left--;
        if (m.type == H5_CONTINUATION)
            TRY(add_piece(f, h, p, m.body));
        else
            TRY(visit(f, &m, user, stop));
    }
    return SEPCL_OK;
}

static status old_header(h5_file *f, uint64_t object, header *h, h5_cursor *out)
{
    h5_cursor c;
    TRY(h5_at(f, object, 16, "an object's header", &c));
    h->version = (int)h5_number(&c, 1);
    h5_skip(&c, 1);
    h->left = (int)h5_number(&c, 2);
    h5_skip(&c, 4);
    const uint64_t size = h5_number(&c, 4);
    h5_skip(&c, 4);
    if (h->version != 1)
        return fail(SEPCL_BAD_FILE, "HDF5: an object's header of version %d at %llu", h->version,
                    (unsigned long long)object);
    *out = c;
    h5_skip(&c, size);
    TRY(h5_cut(&c, "an object's header"));
    out->end = c.at;
    return SEPCL_OK;
}

static status new_header(h5_file *f, uint64_t object, header *h, h5_cursor *out)
{
    h5_cursor c;
    TRY(h5_at(f, object, 8, "an object's header", &c));
    h5_skip(&c, 4);
    h->version = (int)h5_number(&c, 1);
    h->flags = (int)h5_number(&c, 1);
    if (h->version != 2)
        return fail(SEPCL_BAD_FILE, "HDF5: an object's header of version %d at %llu", h->version,
                    (unsigned long long)object);
    h5_skip(&c, (h->flags & 0x20 ? 16 : 0) + (h->flags & 0x10 ? 4 : 0)); /* times, limits */
    const uint64_t size = h5_number(&c, 1 << (h->flags & 3));
    *out = c;
    h5_skip(&c, size);
    TRY(h5_cut(&c, "an object's header"));
    out->end = c.at;
    return SEPCL_OK;
}

status h5_messages(h5_file *f, uint64_t object, h5_visit visit, void *user)
{
    header    h = {0};
    h5_cursor c;
    bool      stop = false;
    pieces    p;
    p.n = 1;
    p.next = 0;
    TRY(h5_at(f, object, 4, "an object's header", &c));
    TRY(memcmp(c.at, "OHDR", 4) == 0 ? new_header(f, object, &h, &p.at[0]) : old_header(f, object, &h, &p.at[0]));
    while (!stop && p.next < p.n)
        TRY(visit_piece(f, &h, &p, visit, user, &stop));
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- groups */

/* A name that is looked for in a group, and what was found. */
typedef struct search {
    char      name[MOST_NAME];
    size_t    length;
    bool      found, dense, grouped;
    uint64_t  object;
    uint64_t  tree, heap; /* of a symbol table */
    h5_cursor names;      /* the heap's texts */
} search;

static status link_target(h5_file *f, search *s, int type, h5_cursor *c)
{
    if (type != 0)
        return fail(SEPCL_UNSUPPORTED, "HDF5: '%s' is a link of another kind than a hard link", s->name);
    s->object = h5_number(c, f->offset_size);
    s->found = true;
    return h5_cut(c, "a link");
}

/* A link message: a group of the newer kind has one for each entry. */
static status visit_link(h5_file *f, h5_cursor c, search *s, bool *stop)
{
    const int version = (int)h5_number(&c, 1), flags = (int)h5_number(&c, 1);
    const int type = flags & 8 ? (int)h5_number(&c, 1) : 0;
    h5_skip(&c, (flags & 4 ? 8 : 0) + (flags & 0x10 ? 1 : 0)); /* order, characters */
    const uint64_t length = h5_number(&c, 1 << (flags & 3));
    const uint8_t *name = h5_skip(&c, length);
    TRY(h5_cut(&c, "a link"));
    if (version != 1)
        return fail(SEPCL_BAD_FILE, "HDF5: a link of version %d", version);
    if (length != s->length || memcmp(name, s->name, s->length) != 0)
        return SEPCL_OK;
    *stop = true;
    return link_target(f, s, type, &c);
}

static status visit_group(h5_file *f, const h5_message *m, void *user, bool *stop)
{
    search   *s = user;
    h5_cursor c = m->body;
    switch (m->type) {
    case H5_SYMBOLS:
        s->tree = h5_number(&c, f->offset_size);
        s->heap = h5_number(&c, f->offset_size);
        s->grouped = true;
        return h5_cut(&c, "a group");
    case H5_LINKS: {
        h5_skip(&c, 1);
        const int flags = (int)h5_number(&c, 1);
        h5_skip(&c, flags & 1 ? 8 : 0);
        s->dense = !h5_no_address(f, h5_number(&c, f->offset_size));
        return h5_cut(&c, "a group");
    }
    case H5_LINK:
        return visit_link(f, c, s, stop);
    default:
        return SEPCL_OK;
    }
}

/* The text at a place of the group's heap; it has to end inside. */
static status heap_name(const search *s, uint64_t at, const char **out)
{
    h5_cursor c = s->names;
    if (!h5_skip(&c, at) || !memchr(c.at, 0, (size_t)i64_min(c.end - c.at, MOST_NAME)))
        return fail(SEPCL_BAD_FILE, "HDF5: the name of a group's entry lies outside the group's names or is too long");
    *out = (const char *)c.at;
    return SEPCL_OK;
}

static status open_heap(h5_file *f, search *s)
{
    h5_cursor c;
    TRY(h5_at(f, s->heap, 4, "the names of a group", &c));
    if (memcmp(h5_skip(&c, 4), "HEAP", 4) != 0)
        return fail(SEPCL_BAD_FILE, "HDF5: no signature where the names of a group should be");
    h5_skip(&c, 4);
    const uint64_t size = h5_number(&c, f->length_size);
    h5_skip(&c, (uint64_t)f->length_size);
    const uint64_t address = h5_number(&c, f->offset_size);
    TRY(h5_cut(&c, "the names of a group"));
    TRY(h5_at(f, address, size, "the names of a group", &s->names));
    s->names.end = s->names.at + size;
    return SEPCL_OK;
}

/* A leaf: entries in the order of their names. */
static status search_entries(h5_file *f, search *s, uint64_t address)
{
    h5_cursor c;
    TRY(h5_at(f, address, 8, "entries of a group", &c));
    if (memcmp(h5_skip(&c, 4), "SNOD", 4) != 0)
        return fail(SEPCL_BAD_FILE, "HDF5: no signature where entries of a group should be");
    h5_skip(&c, 2);
    const int n = (int)h5_number(&c, 2);
    for (int i = 0; i < n; i++) {
        const char    *name;
        const uint64_t at = h5_number(&c, f->offset_size), object = h5_number(&c, f->offset_size);
        const uint64_t kind = h5_number(&c, 4);
        h5_skip(&c, 20);
        TRY(h5_cut(&c, "entries of a group"));
        TRY(h5_step(f, 1));
        TRY(heap_name(s, at, &name));
        if (strcmp(name, s->name) != 0)
            continue;
        if (kind == 2)
            return fail(SEPCL_UNSUPPORTED, "HDF5: '%s' is a link of another kind than a hard link", s->name);
        s->object = object;
        s->found = true;
        break;
    }
    return SEPCL_OK;
}

/* One node of the tree: the child whose names reach from beyond one key up to the next. */
static status search_node(h5_file *f, search *s, uint64_t *address, int *level, bool *more)
{
    h5_cursor c;
    TRY(h5_at(f, *address, 8, "the index of a group", &c));
    if (memcmp(h5_skip(&c, 4), "TREE", 4) != 0 || h5_number(&c, 1) != 0)
        return fail(SEPCL_BAD_FILE, "HDF5: no signature where the index of a group should be");
    const int own = (int)h5_number(&c, 1), n = (int)h5_number(&c, 2);
    if (own > MOST_LEVELS || (*level >= 0 && own != *level - 1))
        return fail(SEPCL_BAD_FILE, "HDF5: level %d in the index of a group is out of order", own);
    *level = own;
    *more = false;
    h5_skip(&c, 2 * (uint64_t)f->offset_size + (uint64_t)f->length_size); /* neighbours, first key */
    for (int i = 0; i < n; i++) {
        const uint64_t child = h5_number(&c, f->offset_size), key = h5_number(&c, f->length_size);
        const char    *last;
        TRY(h5_cut(&c, "the index of a group"));
        TRY(h5_step(f, 1));
        TRY(heap_name(s, key, &last));
        if (strcmp(s->name, last) > 0)
            continue;
        *address = child;
        *more = true;
        break;
    }
    return SEPCL_OK;
}

static status search_tree(h5_file *f, search *s)
{
    uint64_t address = s->tree;
    int      level = -1;
    bool     more = true;
    TRY(open_heap(f, s));
    while (more && level != 0)
        TRY(search_node(f, s, &address, &level, &more));
    return more ? search_entries(f, s, address) : SEPCL_OK;
}

static status find_entry(h5_file *f, uint64_t group, search *s)
{
    s->found = s->dense = s->grouped = false;
    TRY(h5_messages(f, group, visit_group, s));
    if (!s->found && s->dense)
        return fail(SEPCL_UNSUPPORTED,
                    "HDF5: the entries of a group are in dense storage (a file written with libver='latest')");
    return s->grouped && !s->found ? search_tree(f, s) : SEPCL_OK;
}

status h5_find(h5_file *f, uint64_t group, const char *path, uint64_t *object, bool *found)
{
    search s = {.object = group};
    *found = false;
    for (const char *at = path + strspn(path, "/"); *at; at += strspn(at, "/")) {
        s.length = strcspn(at, "/");
        if (s.length >= sizeof s.name)
            return fail(SEPCL_BAD_FILE, "HDF5: a name of more than %zu bytes", sizeof s.name - 1);
        memcpy(s.name, at, s.length);
        s.name[s.length] = 0;
        at += s.length;
        TRY(find_entry(f, s.object, &s));
        if (!s.found)
            return SEPCL_OK;
    }
    *object = s.object;
    *found = true;
    return SEPCL_OK;
}
