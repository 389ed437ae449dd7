/* SPDX-License-Identifier: Apache-2.0 */
/* ModelProto, GraphProto, NodeProto and ValueInfoProto. Field numbers are those of onnx.proto. */
#include "import/onnx_model.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/size.h"

#define FIELD(n) (1u << (n))

status onnx_malformed(const onnx_model *m, const wire *w, const char *what)
{
    return fail(SEPCL_BAD_FILE, "the %s breaks off or is malformed at byte %zu of the file", what,
                w->at ? (size_t)(w->at - m->file.p) : 0);
}

status onnx_spend(onnx_model *m, int64_t n)
{
    m->items += n;
    if (m->items <= ONNX_MAX_ITEMS)
        return SEPCL_OK;
    return fail(SEPCL_UNSUPPORTED, "the graph has more than %d nodes, tensors and names", ONNX_MAX_ITEMS);
}

status onnx_text(onnx_model *m, wire_bytes b, const char **out)
{
    *out = "";
    if (b.n == 0)
        return SEPCL_OK;
    if (memchr(b.p, 0, b.n))
        return fail(SEPCL_BAD_FILE, "a name has a 0 byte inside, at byte %zu of the file", (size_t)(b.p - m->file.p));
    *out = arena_strndup(&m->memory, (const char *)b.p, b.n);
    return *out ? SEPCL_OK : SEPCL_OUT_OF_MEMORY;
}

/* The next field, which must have the wire type that its number asks for. */
static bool next(wire *w, wire_field *f, uint32_t lengths, uint32_t varints)
{
    if (!wire_next(w, f))
        return false;
    const uint32_t bit = f->number < 32 ? FIELD(f->number) : 0;
    w->bad = (bit & lengths && f->type != WIRE_LENGTH) || (bit & varints && f->type != WIRE_VARINT);
    return !w->bad;
}

/* ---------------------------------------------------------------- names */

static uint64_t name_hash(wire_bytes b)
{
    const hash128 h = hash_of(b.p, b.n);
    uint64_t      v;
    memcpy(&v, h.byte, sizeof v);
    return v;
}

static int find_slot(const onnx_model *m, wire_bytes b)
{
    int at = (int)(name_hash(b) & (uint64_t)(m->n_slots - 1));
    while (m->slots[at] && !wire_equal(b, m->names[m->slots[at] - 1].text))
        at = (at + 1) & (m->n_slots - 1);
    return at;
}

static status grow_slots(onnx_model *m)
{
    const int n = m->n_slots ? 2 * m->n_slots : 256;
    int      *slots = arena_array(&m->memory, (size_t)n, sizeof *slots); /* those before are as large together */
    if (!slots)
        return SEPCL_OUT_OF_MEMORY;
    m->slots = slots;
    m->n_slots = n;
    for (int i = 0; i < m->n_names; i++) {
        const char *text = m->names[i].text;
        m->slots[find_slot(m, (wire_bytes){(const uint8_t *)text, strlen(text)})] = i + 1;
    }
    return SEPCL_OK;
}

/* The index of a name; -1 for the empty one, which stands for an absent value. */
static status intern(onnx_model *m, wire_bytes b, int *out)
{
    *out = -1;
    if (b.n == 0)
        return SEPCL_OK;
    if (2 * (m->n_names + 1) > m->n_slots)
        TRY(grow_slots(m));
    const int at = find_slot(m, b);
    if (m->slots[at]) {
        *out = m->slots[at] - 1;
        return SEPCL_OK;
    }
    TRY(onnx_spend(m, 1));
    const char *text;
    TRY(onnx_text(m, b, &text));
    onnx_name *names = arena_grow(&m->memory, m->names, &m->cap_names, m->n_names + 1, sizeof *names);
    if (!names)
        return SEPCL_OUT_OF_MEMORY;
    m->names = names;
    names[m->n_names] = (onnx_name){.text = text, .from = ONNX_NOWHERE};
    m->slots[at] = ++m->n_names;
    *out = m->n_names - 1;
    return SEPCL_OK;
}

/* Gives a name its one source. */
static status define(onnx_model *m, int name, int from, int index)
{
    onnx_name *n = &m->names[name];
    if (n->from != ONNX_NOWHERE)
        return fail(SEPCL_BAD_FILE, "two nodes, inputs or initializers are called '%s'", n->text);
    n->from = from;
    n->index = index;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- the model */

static status read_opset(onnx_model *m, wire_bytes b)
{
    wire       w = wire_open(b);
    wire_field f;
    wire_bytes domain = {0};
    int64_t    version = 0;
    while (next(&w, &f, FIELD(1), FIELD(2))) {
        if (f.number == 1)
            domain = f.bytes;
        else if (f.number == 2)
            version = (int64_t)f.value;
    }
    if (w.bad)
        return onnx_malformed(m, &w, "opset import");
    if (domain.n == 0 || wire_equal(domain, "ai.onnx"))
        m->opset = version;
    return SEPCL_OK;
}

/* Finds the graph and the opset. */
static status read_top(onnx_model *m, wire_bytes *root)
{
    wire       w = wire_open(m->file);
    wire_field f;
    while (next(&w, &f, FIELD(7) | FIELD(8) | FIELD(20) | FIELD(25), FIELD(1))) {
        if (f.number == 8)
            TRY(read_opset(m, f.bytes));
        if (f.number == 7 && root->p)
            return fail(SEPCL_BAD_FILE, "the file has two graphs");
        if (f.number == 7)
            *root = f.bytes;
        if (f.number == 20)
            return fail(SEPCL_UNSUPPORTED, "the model carries training information, which is not supported");
        if (f.number == 25)
            return fail(SEPCL_UNSUPPORTED,
                        "the model defines local functions, which are not supported; inline them first");
    }
    if (w.bad)
        return onnx_malformed(m, &w, "model");
    if (!root->p)
        return fail(SEPCL_BAD_FILE, "the file has no graph");
    /* none at all is a matter for the first node that needs one: all may be of other domains */
    if (m->opset && (m->opset < ONNX_FIRST_OPSET || m->opset > ONNX_LAST_OPSET))
        return fail(SEPCL_UNSUPPORTED, "the model has opset %lld; %d to %d are supported", (long long)m->opset,
                    ONNX_FIRST_OPSET, ONNX_LAST_OPSET);
    return SEPCL_OK;
}

enum { G_NODE = 1, G_INITIALIZER = 5, G_INPUT = 11, G_OUTPUT = 12, G_SPARSE = 15 };
#define GRAPH_LENGTHS (FIELD(G_NODE) | FIELD(G_INITIALIZER) | FIELD(G_INPUT) | FIELD(G_OUTPUT) | FIELD(G_SPARSE))

/* Counts the graph's lists and makes their arrays. */
static status make_lists(onnx_model *m, wire_bytes root)
{
    wire       w = wire_open(root);
    wire_field f;
    int        n[16] = {0};
    while (next(&w, &f, GRAPH_LENGTHS, 0)) {
        TRY(onnx_spend(m, 1));
        if (f.number < 16)
            n[f.number]++;
    }
    if (w.bad)
        return onnx_malformed(m, &w, "graph");
    if (n[G_SPARSE])
        return fail(SEPCL_UNSUPPORTED, "the graph has sparse initializers, which are not supported");
    m->nodes = arena_array(&m->memory, (size_t)n[G_NODE], sizeof *m->nodes);
    m->tensors = arena_array(&m->memory, (size_t)n[G_INITIALIZER], sizeof *m->tensors);
    m->inputs = arena_array(&m->memory, (size_t)n[G_INPUT], sizeof *m->inputs);
    m->input_names = arena_array(&m->memory, (size_t)n[G_INPUT], sizeof *m->input_names);
    m->outputs = arena_array(&m->memory, (size_t)n[G_OUTPUT], sizeof *m->outputs);
    m->output_names = arena_array(&m->memory, (size_t)n[G_OUTPUT], sizeof *m->output_names);
    if (!m->nodes || !m->tensors || !m->inputs || !m->input_names || !m->outputs || !m->output_names)
        return SEPCL_OUT_OF_MEMORY;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- inputs and outputs */

static status read_dim(onnx_model *m, wire_bytes b, int64_t *dim, const char **name)
{
    wire       w = wire_open(b);
    wire_field f;
    *dim = -1;
    while (next(&w, &f, FIELD(2), FIELD(1))) {
        /* exporters write 0 and -1 for what is not fixed */
        if (f.number == 1)
            *dim = (int64_t)f.value > 0 ? (int64_t)f.value : -1;
        else if (f.number == 2)
            TRY(onnx_text(m, f.bytes, name));
    }
    return w.bad ? onnx_malformed(m, &w, "dimension") : SEPCL_OK;
}

static status read_shape(onnx_model *m, wire_bytes b, file_tensor *t)
{
    wire       w = wire_open(b);
    wire_field f;
    while (next(&w, &f, FIELD(1), 0)) {
        if (f.number != 1)
            continue;
        if (t->shape.rank == MAX_RANK)
            return fail(SEPCL_UNSUPPORTED, "'%s' has more than %d dimensions", t->name, MAX_RANK);
        TRY(read_dim(m, f.bytes, &t->shape.dim[t->shape.rank], &t->dim_names[t->shape.rank]));
        t->shape.rank++;
    }
    return w.bad ? onnx_malformed(m, &w, "shape") : SEPCL_OK;
}

/* TypeProto.Tensor */
static status read_tensor_type(onnx_model *m, wire_bytes b, file_tensor *t, bool *has_shape)
{
    wire       w = wire_open(b);
    wire_field f;
    while (next(&w, &f, FIELD(2), FIELD(1))) {
        if (f.number == 1) {
            t->type = onnx_dtype((int64_t)f.value);
            if (t->type == DT_F16)
                t->type = DT_F32; /* tensors cross the interface as float32 */
        } else if (f.number == 2) {
            t->shape.rank = 0;
            TRY(read_shape(m, f.bytes, t));
            *has_shape = true;
        }
    }
    return w.bad ? onnx_malformed(m, &w, "tensor type") : SEPCL_OK;
}

static status read_type(onnx_model *m, wire_bytes b, file_tensor *t, bool *has_shape)
{
    wire       w = wire_open(b);
    wire_field f;
    while (next(&w, &f, FIELD(1) | FIELD(4) | FIELD(5) | FIELD(8) | FIELD(9), 0)) {
        if (f.number == 1)
            TRY(read_tensor_type(m, f.bytes, t, has_shape));
        else if (f.number != 6)
            return fail(SEPCL_UNSUPPORTED, "'%s' is a sequence, a map, an optional or a sparse tensor", t->name);
    }
    return w.bad ? onnx_malformed(m, &w, "type") : SEPCL_OK;
}

static status read_value_info(onnx_model *m, wire_bytes b, file_tensor *t, int *name, bool *has_shape)
{
    wire       w = wire_open(b);
    wire_field f;
    wire_bytes type = {0}, text = {0};
    *has_shape = false;
    while (next(&w, &f, FIELD(1) | FIELD(2), 0)) {
        if (f.number == 1)
            text = f.bytes;
        else if (f.number == 2)
            type = f.bytes;
    }
    if (w.bad)
        return onnx_malformed(m, &w, "description of an input or output");
    TRY(intern(m, text, name));
    if (*name < 0)
        return fail(SEPCL_BAD_FILE, "an input or output has no name");
    t->name = m->names[*name].text;
    return read_type(m, type, t, has_shape);
}

static status read_input(onnx_model *m, wire_bytes b)
{
    const int    i = m->n_inputs;
    file_tensor *t = &m->inputs[i];
    bool         has_shape;
    *t = (file_tensor){0};
    TRY(read_value_info(m, b, t, &m->input_names[i], &has_shape));
    if (m->names[m->input_names[i]].from == ONNX_INITIALIZER)
        return SEPCL_OK; /* early files list their weights as inputs too */
    if (!has_shape)
        return fail(SEPCL_UNSUPPORTED, "input '%s' has no shape in the file, not even a number of dimensions", t->name);
    m->n_inputs++;
    return define(m, m->input_names[i], ONNX_INPUT, i);
}

static status read_output(onnx_model *m, wire_bytes b)
{
    const int i = m->n_outputs++;
    bool      has_shape;
    TRY(read_value_info(m, b, &m->outputs[i], &m->output_names[i], &has_shape));
    onnx_name *n = &m->names[m->output_names[i]];
    if (n->from == ONNX_NOWHERE)
        return fail(SEPCL_BAD_FILE, "output '%s' is made by no node", n->text);
    if (n->is_output)
        return fail(SEPCL_BAD_FILE, "two outputs are called '%s'", n->text);
    n->is_output = n->needed = true;
    return SEPCL_OK;
}

static status read_initializer(onnx_model *m, wire_bytes b)
{
    const int    i = m->n_tensors++;
    int          name;
    onnx_tensor *t = &m->tensors[i];
    TRY(onnx_tensor_describe(m, b, t));
    TRY(intern(m, (wire_bytes){(const uint8_t *)t->name, strlen(t->name)}, &name));
    if (name < 0)
        return fail(SEPCL_BAD_FILE, "an initializer has no name");
    return define(m, name, ONNX_INITIALIZER, i);
}

/* ---------------------------------------------------------------- nodes */

enum { N_INPUT = 1, N_OUTPUT = 2, N_NAME = 3, N_OP = 4, N_ATTRIBUTE = 5, N_DOMAIN = 7 };
#define NODE_LENGTHS                                                                                                   \
    (FIELD(N_INPUT) | FIELD(N_OUTPUT) | FIELD(N_NAME) | FIELD(N_OP) | FIELD(N_ATTRIBUTE) | FIELD(N_DOMAIN))

/* An attribute must read; a tensor called "value" is described at once. */
static status read_attribute(onnx_model *m, onnx_node *n, wire_bytes b)
{
    wire       w = wire_open(b);
    wire_field f;
    wire_bytes name = {0}, tensor = {0};
    while (next(&w, &f, FIELD(1) | FIELD(5), 0)) {
        if (f.number == 1)
            name = f.bytes;
        else if (f.number == 5)
            tensor = f.bytes;
    }
    if (w.bad)
        return onnx_malformed(m, &w, "attribute");
    if (!tensor.p || n->value || !wire_equal(name, "value"))
        return SEPCL_OK;
    n->value = arena_alloc(&m->memory, sizeof *n->value);
    return n->value ? onnx_tensor_describe(m, tensor, n->value) : SEPCL_OUT_OF_MEMORY;
}

/* First pass over a node: everything but its inputs and outputs, which are counted. */
static status read_node_head(onnx_model *m, onnx_node *n)
{
    wire       w = wire_open(n->message);
    wire_field f;
    n->name = n->op = n->domain = "";
    while (next(&w, &f, NODE_LENGTHS, 0)) {
        TRY(onnx_spend(m, 1));
        if (f.number == N_INPUT)
            n->n_in++;
        else if (f.number == N_OUTPUT)
            n->n_out++;
        else if (f.number == N_NAME)
            TRY(onnx_text(m, f.bytes, &n->name));
        else if (f.number == N_OP)
            TRY(onnx_text(m, f.bytes, &n->op));
        else if (f.number == N_DOMAIN && !wire_equal(f.bytes, "ai.onnx"))
            TRY(onnx_text(m, f.bytes, &n->domain));
        else if (f.number == N_ATTRIBUTE)
            TRY(read_attribute(m, n, f.bytes));
    }
    return w.bad ? onnx_malformed(m, &w, "node") : SEPCL_OK;
}

static status read_node_values(onnx_model *m, onnx_node *n, int index)
{
    wire       w = wire_open(n->message);
    wire_field f;
    int        in = 0, out = 0;
    while (next(&w, &f, NODE_LENGTHS, 0)) {
        if (f.number == N_INPUT) {
            TRY(intern(m, f.bytes, &n->in[in]));
            if (n->in[in] >= 0 && m->names[n->in[in]].from == ONNX_NOWHERE)
                return fail(SEPCL_BAD_FILE, "node '%s' (%s) reads '%s', which nothing before it makes", n->name, n->op,
                            m->names[n->in[in]].text);
            in++;
        } else if (f.number == N_OUTPUT) {
            TRY(intern(m, f.bytes, &n->out[out++]));
        }
    }
    /* only now, so that a node that reads its own output is refused */
    for (int i = 0; i < n->n_out; i++)
        if (n->out[i] >= 0)
            TRY(define(m, n->out[i], index, 0));
    if (!n->name[0] && n->n_out > 0 && n->out[0] >= 0)
        n->name = m->names[n->out[0]].text;
    return SEPCL_OK;
}

static status read_node(onnx_model *m, wire_bytes b)
{
    const int  i = m->n_nodes++;
    onnx_node *n = &m->nodes[i];
    n->message = b;
    TRY(read_node_head(m, n));
    n->in = arena_array(&m->memory, (size_t)n->n_in, sizeof *n->in);
    n->out = arena_array(&m->memory, (size_t)n->n_out, sizeof *n->out);
    if (!n->in || !n->out)
        return SEPCL_OUT_OF_MEMORY;
    return read_node_values(m, n, i);
}

/* Reads every entry of one list of the graph. */
static status read_list(onnx_model *m, wire_bytes root, uint32_t number, status (*read)(onnx_model *, wire_bytes))
{
    wire       w = wire_open(root);
    wire_field f;
    while (wire_next(&w, &f))
        if (f.number == number)
            TRY(read(m, f.bytes));
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- what is needed */

/* Marks what the outputs depend on, so that dead parts of a file neither cost anything nor have to be supported. */
static void mark_needed(onnx_model *m)
{
    for (int i = m->n_nodes - 1; i >= 0; i--) {
        onnx_node *n = &m->nodes[i];
        for (int k = 0; k < n->n_out; k++)
            n->needed |= n->out[k] >= 0 && m->names[n->out[k]].needed;
        for (int k = 0; n->needed && k < n->n_in; k++)
            if (n->in[k] >= 0) {
                m->names[n->in[k]].needed = true;
                m->names[n->in[k]].uses++;
            }
    }
}

static status load_tensors(onnx_model *m)
{
    for (int i = 0; i < m->n_names; i++)
        if (m->names[i].needed && m->names[i].from == ONNX_INITIALIZER) {
            onnx_tensor *t = &m->tensors[m->names[i].index];
            const status st = onnx_tensor_load(m, t);
            if (st != SEPCL_OK)
                return fail_in(st, "initializer '%s'", t->name);
        }
    for (int i = 0; i < m->n_nodes; i++)
        if (m->nodes[i].needed && m->nodes[i].value) {
            const status st = onnx_tensor_load(m, m->nodes[i].value);
            if (st != SEPCL_OK)
                return fail_in(st, "node '%s' (%s): attribute 'value'", m->nodes[i].name, m->nodes[i].op);
        }
    return SEPCL_OK;
}

static status read_graph(onnx_model *m, wire_bytes root)
{
    TRY(make_lists(m, root));
    TRY(read_list(m, root, G_INITIALIZER, read_initializer));
    TRY(read_list(m, root, G_INPUT, read_input));
    TRY(read_list(m, root, G_NODE, read_node));
    TRY(read_list(m, root, G_OUTPUT, read_output));
    if (m->n_outputs == 0)
        return fail(SEPCL_BAD_FILE, "the graph has no outputs");
    mark_needed(m);
    return load_tensors(m);
}

void onnx_model_allow(onnx_model *m, size_t bytes)
{
    size_t sum;
    bytes = size_add(m->limit, bytes, &sum) ? bytes : SIZE_MAX - m->limit;
    m->limit += bytes;
    m->budget.left += bytes;
}

status onnx_model_open(const uint8_t *bytes, size_t size, const char *path, onnx_model **out)
{
    wire_bytes root = {0};
    *out = NULL;
    onnx_model *m = calloc(1, sizeof *m);
    if (!m)
        return fail_memory(sizeof *m, "an ONNX model");
    m->file = (wire_bytes){bytes, size};
    m->path = path;
    m->memory.budget = &m->budget;
    onnx_model_allow(m, IMPORT_MEMORY);
    onnx_model_allow(m, size);
    onnx_model_allow(m, size);
    status st = read_top(m, &root);
    if (st == SEPCL_OK)
        st = read_graph(m, root);
    if (st == SEPCL_OUT_OF_MEMORY && m->budget.over)
        st = fail(SEPCL_UNSUPPORTED, "reading it would take more than %zu bytes of memory", m->limit);
    if (st != SEPCL_OK) {
        onnx_model_close(m);
        return st;
    }
    *out = m;
    return SEPCL_OK;
}

void onnx_model_close(onnx_model *m)
{
    if (!m)
        return;
    for (int i = 0; i < m->n_externals; i++)
        file_map_close(&m->externals[i].map);
    arena_free(&m->memory);
    free(m);
}
