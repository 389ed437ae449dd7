/* SPDX-License-Identifier: Apache-2.0 */
/* sepcl-batch: a model over many pictures or a stack of arrays. */
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "batch.h"
#include "common/json.h"
#include "common/output.h"
#include "common/recipe.h"
#include "common/tool.h"

#define MOST_DECODERS 16
#define MOST_OUTPUTS 64
/* Largest batch: rows of a run are sent in one message each, but lie in memory together. */
#define MOST_BATCH 65536

batch_settings batch_set;

static const option_def options[] = {
    {.name = "output",
     .letter = 'o',
     .arg = "[NAME=]FILE",
     .group = "Output",
     .kind = OPTION_LIST,
     .value = &batch_set.outputs,
     .help =
         "write an output as .npy with a row for each item, in the order of the input; the name may be left out: the "
         "first such file is for the first output without one"},
    {.name = "resume",
     .group = "Output",
     .kind = OPTION_FLAG,
     .value = &batch_set.resume,
     .help = "go on with a run that was killed; begins anew where there is none"},
    {.name = "recursive",
     .letter = 'r',
     .group = "Input",
     .kind = OPTION_FLAG,
     .value = &batch_set.recursive,
     .help = "also take the pictures of the folders within a folder"},
    {.name = "batch",
     .letter = 'b',
     .arg = "N",
     .group = "Input",
     .kind = OPTION_INT,
     .value = &batch_set.batch,
     .given = &batch_set.batch_given,
     .min = 1,
     .max = MOST_BATCH,
     .help = "items for each run of the network, whose first dimension has to be free [what the file says, else 1]"},
    {.name = "decoders",
     .letter = 'j',
     .arg = "N",
     .group = "Input",
     .kind = OPTION_INT,
     .value = &batch_set.decoders,
     .min = 1,
     .max = 1024,
     .help = "threads that read pictures [as many as cores, at most 16]"},
    RECIPE_OPTIONS,
    TOOL_OPTION_SHAPE,
    TOOL_OPTIONS_DEVICE,
    {.name = "sessions",
     .arg = "N",
     .group = "Device",
     .kind = OPTION_INT,
     .value = &batch_set.sessions,
     .min = 1,
     .max = 64,
     .help = "sessions on each device; with two, one's data moves while the other computes [1 on a CPU, else 2]"},
    TOOL_OPTION_PRECISION,
    TOOL_OPTION_JSON,
    TOOL_OPTIONS_GENERAL,
    {0},
};

static const program batch_program = {
    .name = "sepcl-batch",
    .usage = "MODEL INPUT... -o FILE.npy",
    .purpose =
        "Runs a model on many pictures or arrays, reading, computing and writing at the same time. An INPUT is a "
        "folder of PNG and JPEG pictures, a picture, a text with a picture's name on each line (- is standard input), "
        "or a .npy stack whose rows are items.",
    .details =
        "Row i of each output belongs to item i of the input. A picture that cannot be read is named on standard error "
        "and "
        "skipped: its row holds NaN. While the work goes on, the rows are in FILE.part, and FILE.journal says which "
        "are there; "
        "a run that was killed goes on by --resume. --device all, or several separated by commas, shares the work "
        "among "
        "devices.\n"
        "Under mpirun or srun every process takes items from one queue, and rank 0 writes. All of them need to see the "
        "model and the pictures. Processes of one machine share its devices and its cores among them, each with a PoCL "
        "cache "
        "of its own.\n"
        "\n"
        "Examples\n"
        "  sepcl-batch model.onnx pictures/ -o scores.npy\n"
        "  sepcl-batch model.onnx frames.npy -b 8 -d all -o y.npy --resume\n"
        "  find / -name '*.jpg' | sepcl-batch model.onnx - -o scores.npy\n"
        "  mpirun -n 4 sepcl-batch model.onnx pictures/ -o scores.npy",
    .options = options,
    .min_args = 2,
    .max_args = -1,
    .missing = "a model file and an input are needed",
};

/* ---------------------------------------------------------------- the input */

/* Rank 0 reads folders and lists, so that all ranks number the items alike. */
static sepcl_status share_list(batch *b, const options_result *args)
{
    char  *bytes = NULL;
    size_t size = 0;
    if (ranks.rank == 0) {
        TRY(batch_list_read(args->args + 1, args->count - 1, &b->list));
        bytes = ranks.size > 1 ? batch_list_pack(&b->list, &size) : NULL;
    }
    sepcl_status st = ranks_share(&bytes, &size);
    if (ranks.rank > 0 && st == SEPCL_OK)
        st = batch_list_unpack(bytes, size, &b->list);
    free(bytes);
    return st;
}

static sepcl_status fix_batch(batch *b, const char *name)
{
    const int64_t first = b->shape.rank > 0 ? b->shape.dims[0] : 1;
    if (batch_set.batch_given && first >= 0 && first != batch_set.batch)
        return tool_fail(SEPCL_INVALID, "--batch %lld: the first dimension of input '%s' of %s is %lld",
                         (long long)batch_set.batch, name, b->file, (long long)first);
    if (first < 0)
        b->shape.dims[0] = batch_set.batch_given ? batch_set.batch : 1;
    return tool_check_shape(b->file, name, &b->shape);
}

/* Does a stack's row have the shape of an item, from dimension `from` of the input on? */
static bool row_fits(const batch *b, const npy_view *v, int from)
{
    if (v->shape.rank - 1 != b->shape.rank - from)
        return false;
    for (int i = from; i < b->shape.rank; i++)
        if (v->shape.dims[1 + i - from] != b->shape.dims[i])
            return false;
    return true;
}

/* An item is a row of the input's first dimension, the batch; or all of the input where there is no batch, which is
   when the input has three dimensions or fewer and holds a picture, or a stack's rows are as large as the whole. */
static sepcl_status fix_items(batch *b, const char *name)
{
    picture_layout      layout = {.batch = 0};
    const batch_source *stack = NULL;
    for (int64_t i = 0; i < b->list.n_sources; i++) {
        if (b->list.sources[i].is_stack)
            stack = &b->list.sources[i];
        else if (!b->target.width) {
            TRY(picture_find_layout(&b->shape, name, &layout));
            const int64_t *d = b->shape.dims;
            const int      channels = layout.channel >= 0 ? (int)d[layout.channel] : 1;
            b->target = (picture_target){.width = (int)d[layout.column],
                                         .height = (int)d[layout.row],
                                         .channels = channels,
                                         .planar = layout.channel >= 0 && layout.channel < layout.row};
            TRY(picture_check_recipe(&b->recipe, channels, name));
        }
    }
    b->batched = stack ? !row_fits(b, &stack->view, 0) : layout.batch >= 0;
    if (b->target.width && (layout.batch >= 0) != b->batched)
        return tool_fail(SEPCL_INVALID, "%s has whole inputs as rows, which does not go together with pictures",
                         stack->name);
    for (int64_t i = 0; i < b->list.n_sources; i++)
        if (b->list.sources[i].is_stack && !row_fits(b, &b->list.sources[i].view, b->batched)) {
            char have[TEXT_SMALL], want[TEXT_SMALL];
            return tool_fail(SEPCL_INVALID, "%s has shape %s, but a stack for input '%s' has rows of its shape %s%s",
                             b->list.sources[i].name, text_shape(&b->list.sources[i].view.shape, have), name,
                             text_shape(&b->shape, want), b->batched ? " without the first dimension" : "");
        }
    return SEPCL_OK;
}

static sepcl_status look_at_input(batch *b)
{
    if (sepcl_model_input_count(b->model) != 1)
        return tool_fail(SEPCL_INVALID, "%s has %d inputs; only models with one can be run on a batch", b->file,
                         sepcl_model_input_count(b->model));
    const char        *name = sepcl_model_input_name(b->model, 0);
    sepcl_input_shape *shapes;
    TRY(tool_shapes(b->model, &shapes));
    b->shape = shapes[0].shape;
    free(shapes);
    if (b->shape.rank == 0)
        TRY_LIB(sepcl_model_input_shape(b->model, 0, &b->shape));
    TRY(fix_batch(b, name));
    TRY(fix_items(b, name));
    const size_t all = tool_elements(&b->shape);
    b->per_run = b->batched && b->shape.rank > 0 ? (int)b->shape.dims[0] : 1;
    if (all == 0 || b->per_run < 1 || b->per_run > MOST_BATCH)
        return tool_fail(SEPCL_INVALID, "input '%s' of %s is empty or too large", name, b->file);
    b->item_floats = all / (size_t)b->per_run;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- outputs */

static sepcl_status set_output(batch *b, int index, const char *file)
{
    for (int i = 0; i < b->n_outputs; i++)
        if (b->outputs[i].index == index || !strcmp(b->outputs[i].file, file))
            return tool_fail(SEPCL_INVALID, "output '%s' goes to %s, and %s does too", b->outputs[i].name,
                             b->outputs[i].file,
                             b->outputs[i].index == index ? file : sepcl_model_output_name(b->model, index));
    b->outputs[b->n_outputs++] =
        (batch_output){.index = index, .name = sepcl_model_output_name(b->model, index), .file = file};
    return *file ? output_check(file) : tool_fail(SEPCL_INVALID, "an output has an empty file name");
}

static bool is_taken(const batch *b, int index)
{
    for (int i = 0; i < b->n_outputs; i++)
        if (b->outputs[i].index == index)
            return true;
    return false;
}

/* The output that a text names; -1: none, and all of it is a file. */
static sepcl_status named_output(const batch *b, const char *text, const char **file, int *index)
{
    const char *equals = strrchr(text, '=');
    *file = equals ? equals + 1 : text;
    *index = -1;
    if (!equals)
        return SEPCL_OK;
    char              *name = text_format("%.*s", (int)(equals - text), text);
    const sepcl_status st = tool_library(sepcl_model_find_output(b->model, name, index));
    free(name);
    return st;
}

static sepcl_status assign_outputs(batch *b)
{
    const int n = sepcl_model_output_count(b->model);
    if (batch_set.outputs.count == 0)
        return tool_fail(SEPCL_INVALID, "-o FILE.npy is needed; see 'sepcl-batch --help'");
    if (batch_set.outputs.count > n || n > MOST_OUTPUTS)
        return tool_fail(SEPCL_INVALID, "%d output files are given, but %s has %d outputs (%d is the limit)",
                         batch_set.outputs.count, b->file, n, MOST_OUTPUTS);
    b->outputs = need(calloc((size_t)n, sizeof(*b->outputs)));
    for (int pass = 0; pass < 2; pass++)
        for (int i = 0; i < batch_set.outputs.count; i++) {
            const char *file;
            int         index;
            TRY(named_output(b, batch_set.outputs.items[i], &file, &index));
            if ((index < 0) != (pass == 1))
                continue;
            for (int k = 0; index < 0; k++)
                index = is_taken(b, k) ? -1 : k;
            TRY(set_output(b, index, file));
        }
    return SEPCL_OK;
}

static sepcl_status shape_outputs(batch *b)
{
    for (int i = 0; i < b->n_outputs; i++) {
        batch_output *o = &b->outputs[i];
        sepcl_shape   shape;
        char          text[TEXT_SMALL];
        TRY_LIB(sepcl_session_output_shape(b->workers[0].session, o->index, &shape));
        const bool   split = shape.rank > 0 && shape.dims[0] == b->per_run;
        const size_t all = tool_elements(&shape);
        if ((b->per_run > 1 && !split) || all == 0)
            return tool_fail(SEPCL_INVALID, "output '%s' of shape %s has no row for each of the %d items of a run",
                             o->name, text_shape(&shape, text), b->per_run);
        o->row.rank = shape.rank - split;
        memcpy(o->row.dims, shape.dims + split, (size_t)o->row.rank * sizeof(int64_t));
        if (o->row.rank == SEPCL_MAX_RANK)
            return tool_fail(SEPCL_UNSUPPORTED, "output '%s' has %d dimensions, and the stack would have one more",
                             o->name, SEPCL_MAX_RANK);
        o->row_bytes = all / (size_t)b->per_run * sizeof(float);
    }
    return SEPCL_OK;
}

/* Of all that decides what the rows hold. */
static uint64_t identity(const batch *b)
{
    struct stat s;
    uint64_t    hash = batch_hash(b->list.identity, b->file, strlen(b->file) + 1);
    if (stat(b->file, &s) == 0) {
        const int64_t facts[] = {s.st_size, s.st_mtim.tv_sec, s.st_mtim.tv_nsec};
        hash = batch_hash(hash, facts, sizeof(facts));
    }
    const int64_t numbers[] = {tool.precision,   b->recipe.channels, b->recipe.resize,
                               b->recipe.n_mean, b->recipe.n_scale,  b->shape.rank};
    hash = batch_hash(hash, numbers, sizeof(numbers));
    hash = batch_hash(hash, b->recipe.mean, sizeof(b->recipe.mean));
    hash = batch_hash(hash, b->recipe.scale, sizeof(b->recipe.scale));
    hash = batch_hash(hash, b->shape.dims + b->batched, (SEPCL_MAX_RANK - 1) * sizeof(int64_t));
    for (int i = 0; i < b->n_outputs; i++)
        hash = batch_hash(hash, b->outputs[i].name, strlen(b->outputs[i].name) + 1);
    return hash;
}

/* ---------------------------------------------------------------- devices */

static void add_device(batch *b, const char *selector)
{
    b->devices = need(realloc(b->devices, (size_t)(b->n_devices + 1) * sizeof(*b->devices)));
    b->devices[b->n_devices++] = need(strdup(selector));
}

static sepcl_status add_all_devices(batch *b)
{
    int count;
    TRY_LIB(sepcl_device_count(&count));
    for (int i = 0; i < count; i++) {
        sepcl_device_info info;
        TRY_LIB(sepcl_device_get(i, &info));
        if (info.available)
            add_device(b, info.selector);
    }
    return b->n_devices ? SEPCL_OK : tool_fail(SEPCL_DEVICE_ERROR, "there is no usable OpenCL device");
}

/* "gpu", "0:0,1:0", "all". Ranks that share a machine share its devices: with more devices than ranks each has some. */
static sepcl_status find_devices(batch *b)
{
    char        *text = need(strdup(tool.device ? tool.device : "")), *rest = text;
    sepcl_status st = SEPCL_OK;
    if (tool.device && !strcmp(tool.device, "all"))
        st = add_all_devices(b);
    else
        do {
            sepcl_device_info info;
            char             *comma = strchr(rest, ',');
            int               index;
            if (comma)
                *comma = 0;
            st = tool_library(sepcl_device_find(*rest ? rest : NULL, &index));
            if (st == SEPCL_OK)
                st = tool_library(sepcl_device_get(index, &info));
            if (st == SEPCL_OK)
                add_device(b, info.selector);
            rest = comma ? comma + 1 : NULL;
        } while (rest && st == SEPCL_OK);
    free(text);
    TRY(st);
    for (int i = b->n_devices - 1; ranks.local_size > 1 && i >= 0; i--)
        if (b->n_devices > 1 && i % ranks.local_size != ranks.local_rank % b->n_devices) {
            free(b->devices[i]);
            memmove(b->devices + i, b->devices + i + 1, (size_t)(b->n_devices-- - i - 1) * sizeof(*b->devices));
        }
    return SEPCL_OK;
}

/* A CPU runs one network at a time, so that a second session only takes cores from the decoders. */
static sepcl_status set_threads(const batch *b)
{
    const long cores = sysconf(_SC_NPROCESSORS_ONLN) / ranks.local_size;
    if (!batch_set.decoders)
        batch_set.decoders = cores < 1 ? 1 : cores > MOST_DECODERS ? MOST_DECODERS : cores;
    for (int i = 0; i < b->n_devices && !batch_set.sessions; i++) {
        sepcl_device_info info;
        int               index;
        TRY_LIB(sepcl_device_find(b->devices[i], &index));
        TRY_LIB(sepcl_device_get(index, &info));
        if (info.type != SEPCL_DEVICE_CPU)
            batch_set.sessions = 2;
    }
    if (!batch_set.sessions)
        batch_set.sessions = 1;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- the end */

static void print_text(const batch *b, double seconds)
{
    const batch_journal *j = &b->journal;
    const int64_t        fresh = j->done + j->bad - j->found;
    printf("%lld items in %.1f s, %.1f a second", (long long)fresh, seconds, seconds > 0 ? (double)fresh / seconds : 0);
    if (j->found)
        printf("; %lld were done before", (long long)j->found);
    if (j->bad)
        printf("; %lld could not be read and were skipped", (long long)j->bad);
    printf("\n");
    for (int i = 0; i < b->n_outputs; i++)
        printf("%s: %lld rows of output '%s'\n", b->outputs[i].file, (long long)j->n_items, b->outputs[i].name);
}

static void print_json(const batch *b, double seconds)
{
    const batch_journal *j = &b->journal;
    json_t              *o = need(json_object()), *outputs = need(json_array()), *devices = need(json_array());
    for (int i = 0; i < b->n_outputs; i++) {
        json_t *item = need(json_object());
        json_put(item, "name", json_text(b->outputs[i].name));
        json_put(item, "file", json_text(b->outputs[i].file));
        json_put(item, "row", json_shape(&b->outputs[i].row));
        json_add(outputs, item);
    }
    for (int i = 0; i < b->n_devices; i++)
        json_add(devices, json_text(b->devices[i]));
    json_put(o, "model", json_text(b->file));
    json_put(o, "items", json_integer(j->n_items));
    json_put(o, "done_before", json_integer(j->found));
    json_put(o, "skipped", json_integer(j->bad));
    json_put(o, "seconds", json_number(seconds));
    json_put(o, "per_second", json_number(seconds > 0 ? (double)(j->done + j->bad - j->found) / seconds : 0));
    json_put(o, "ranks", json_integer(ranks.size));
    json_put(o, "devices", devices);
    json_put(o, "outputs", outputs);
    json_print(o);
}

/* ---------------------------------------------------------------- the program */

static sepcl_status prepare(batch *b, const options_result *args)
{
    b->file = args->args[0];
    TRY(recipe_check());
    b->recipe = recipe_make();
    TRY_LIB(sepcl_model_load(b->file, NULL, &b->model));
    TRY(assign_outputs(b));
    TRY(share_list(b, args));
    TRY(look_at_input(b));
    TRY(find_devices(b));
    TRY(set_threads(b));
    TRY(batch_sessions_begin(b));
    TRY(shape_outputs(b));
    if (ranks.rank == 0)
        TRY(batch_journal_open(&b->journal, b->outputs, b->n_outputs, b->list.n_items, identity(b)));
    return batch_slots_begin(b);
}

static sepcl_status run(batch *b, const options_result *args)
{
    TRY(prepare(b, args));
    const double begin = tool_seconds();
    TRY(batch_run(b));
    const double seconds = tool_seconds() - begin;
    if (ranks.rank > 0)
        return SEPCL_OK;
    TRY(batch_journal_finish(&b->journal));
    if (tool.json)
        print_json(b, seconds);
    else if (!tool.quiet)
        print_text(b, seconds);
    return b->journal.done > 0
               ? SEPCL_OK
               : tool_fail(SEPCL_BAD_FILE, "none of the %lld items could be read", (long long)b->list.n_items);
}

static void release(batch *b)
{
    batch_slots_end(b);
    batch_journal_close(&b->journal);
    for (int i = 0; i < b->n_devices; i++)
        free(b->devices[i]);
    free(b->devices);
    free(b->outputs);
    batch_list_free(&b->list);
    sepcl_model_destroy(b->model);
}

int main(int argc, char **argv)
{
    static batch   b;
    options_result args;
    sepcl_status   st;
    ranks_prepare();
    if (!tool_begin(&batch_program, argc, argv, &args, &st))
        return tool_end(st);
    batch_catch_signals();
    st = ranks_begin(&argc, &argv);
    if (st == SEPCL_OK)
        st = run(&b, &args);
    release(&b);
    const int code = tool_end(st);
    if (st != SEPCL_OK)
        ranks_abort(code);
    ranks_end();
    batch_raise_signal();
    return code;
}
