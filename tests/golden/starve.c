/* SPDX-License-Identifier: Apache-2.0 */
/*
 * starve [--most N|--new] FILE|FOLDER...: all that sepcl does with a model file without a device, once for each allocation
 * that it makes, which then fails: reading, the summary, passes, planning for a CPU and a GPU, the reference of small
 * networks, writing, and replacing a convolution. Then the step ends as it does otherwise, or says that memory is out; and
 * nothing is left over.
 * --most: no more failures than that for a step of a file, evenly spread, and others in each file. --new: each allocation
 * that is made on a way through the code on which none was failed before. Of a folder those
 * model files are taken that are smaller than 512 KiB. Prints a line of counts.
 */
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../fault/starve.h"
#include "../fault/starve_graph.h"
#include "../unit/usual_devices.h"
#include "exec/exec.h"
#include "import/import.h"
#include "pass/pass.h"

#define MOST_INPUTS 16
/* Of a network that is starved: some take seconds to read, as they compute large weights from a few bytes. */
#define MOST_NODES 150
#define MOST_BYTES ((size_t)4 << 20)
#define SMALL 200000u /* multiplications and additions of a network whose reference is run */

typedef struct job {
    const char  *path;
    model_file  *file;
    const graph *g; /* as built, or as planned */
    shape        shapes[MOST_INPUTS];
} job;

void __real_free(void *p);

static long n_files;

/* ---------------------------------------------------------------- the steps */

static status do_load(const void *given)
{
    const job   *j = given;
    sepcl_model *m;
    TRY(sepcl_model_load(j->path, NULL, &m));
    sepcl_model_destroy(m);
    return SEPCL_OK;
}

static status do_build(const void *given)
{
    const job *j = given;
    graph     *g;
    TRY(model_file_build(j->file, j->shapes, &g));
    graph_destroy(g);
    return SEPCL_OK;
}

static status do_summary(const void *given)
{
    const job        *j = given;
    sepcl_model      *m;
    sepcl_summary    *s;
    sepcl_input_shape fixed[MOST_INPUTS];
    TRY(sepcl_model_load(j->path, NULL, &m));
    const int n = sepcl_model_input_count(m);
    for (int i = 0; i < n; i++) {
        fixed[i] = (sepcl_input_shape){sepcl_model_input_name(m, i), {.rank = j->shapes[i].rank}};
        memcpy(fixed[i].shape.dims, j->shapes[i].dim, sizeof j->shapes[i].dim);
    }
    const status st = sepcl_summary_create(m, fixed, n, &s);
    sepcl_summary_destroy(s);
    sepcl_model_destroy(m);
    return st;
}

static status with_passes(const job *j, const pass_options *o)
{
    graph *g;
    TRY(graph_clone(j->g, &g));
    const status st = passes_run(g, o);
    graph_destroy(g);
    return st;
}

static status do_passes(const void *given)
{
    const job *j = given;
    return with_passes(j, &(pass_options){0});
}

static status do_passes_half(const void *given)
{
    const job *j = given;
    return with_passes(j, &(pass_options){.f16 = true});
}

static status do_passes_unfused(const void *given)
{
    const job *j = given;
    return with_passes(j, &(pass_options){.no_fusion = true});
}

static status do_write(const void *given)
{
    const job   *j = given;
    uint8_t     *bytes = NULL;
    size_t       size = 0;
    const status st = model_file_write(j->file, j->g, &bytes, &size);
    free(bytes);
    return st;
}

/* The first convolution in the place of itself, under another name and with a bias. */
static status edit_first(const job *j, bool bias)
{
    static const char *const roles[] = {"again"};
    static const float       zeros[4096];
    uint8_t                 *bytes = NULL;
    size_t                   size = 0;
    status                   st = SEPCL_OK;
    for (int i = 0; i < j->g->n_nodes; i++) {
        const node_view v = {j->g, j->g->nodes[i]};
        const char     *name = nv_out(&v, 0)->name;
        conv_part       c;
        if (v.n->op != OP_CONV || v.n->a.conv.out_channels > 4096 || model_file_why_not(j->file, name))
            continue;
        TRY(conv_part_of(&v, &c));
        const model_edit e = {
            .old = {name}, .n_old = 1, .parts = &c, .roles = roles, .n_parts = 1, .bias = bias ? zeros : NULL};
        st = model_file_edit(j->file, &e, 1, &bytes, &size);
        conv_part_free(&c);
        break;
    }
    free(bytes);
    return st;
}

static status do_edit(const void *given)
{
    const job *j = given;
    return edit_first(j, false);
}

static status do_edit_bias(const void *given)
{
    const job *j = given;
    return edit_first(j, true);
}

static const caps devices[] = {USUAL_CPU, USUAL_GPU};

static status plan_for(const job *j, const caps *c)
{
    graph *g;
    plan  *p = NULL;
    TRY(graph_clone(j->g, &g));
    status st = plan_forms(g, c, NULL);
    if (st == SEPCL_OK)
        st = plan_create(g, c, NULL, &p);
    plan_destroy(p);
    graph_destroy(g);
    return st;
}

static status do_plan_cpu(const void *given)
{
    const job *j = given;
    return plan_for(j, &devices[0]);
}

static status do_plan_gpu(const void *given)
{
    const job *j = given;
    return plan_for(j, &devices[1]);
}

static status do_reference(const void *given)
{
    const job *j = given;
    return starve_reference(j->g, &devices[0]);
}

/* ---------------------------------------------------------------- files */

static status starve_file(job *j, long most, long phase)
{
    graph *g;
    TRY(model_file_build(j->file, j->shapes, &g));
    j->g = g;
    starve(j->path, "the summary", do_summary, j, most, phase);
    starve(j->path, "writing", do_write, j, most, phase);
    if (model_file_edits(j->file)) {
        starve(j->path, "editing", do_edit, j, most, phase);
        starve(j->path, "editing with a bias", do_edit_bias, j, most, phase);
    }
    starve(j->path, "passes", do_passes, j, most, phase);
    starve(j->path, "passes for halves", do_passes_half, j, most, phase);
    starve(j->path, "passes without fusion", do_passes_unfused, j, most, phase);
    status st = passes_run(g, &(pass_options){0});
    if (st == SEPCL_OK) {
        starve(j->path, "planning for a CPU", do_plan_cpu, j, most, phase);
        starve(j->path, "planning for a GPU", do_plan_gpu, j, most, phase);
    }
    if (st == SEPCL_OK && starve_work(g) < SMALL)
        starve(j->path, "the reference", do_reference, j, most, phase);
    graph_destroy(g);
    return st;
}

/* A model that is not refused, with free extents fixed. */
static status open_file(job *j)
{
    TRY(model_file_open(j->path, j->path, &j->file));
    if (model_file_inputs(j->file) > MOST_INPUTS)
        return fail(SEPCL_UNSUPPORTED, "more than %d inputs", MOST_INPUTS);
    for (int i = 0; i < model_file_inputs(j->file); i++) {
        j->shapes[i] = model_file_input(j->file, i)->shape;
        for (int k = 0; k < j->shapes[i].rank; k++)
            if (j->shapes[i].dim[k] < 0)
                j->shapes[i].dim[k] = k == 0 ? 1 : 16;
    }
    return SEPCL_OK;
}

/* What is refused is refused each time. */
static void one_file(const char *path, long most, long phase)
{
    job    j = {.path = path};
    graph *g = NULL;
    if (open_file(&j) != SEPCL_OK || model_file_build(j.file, j.shapes, &g) != SEPCL_OK) {
        n_files++;
        starve(path, "loading", do_load, &j, most, phase);
    } else if (g->n_nodes <= MOST_NODES && g->memory.bytes <= MOST_BYTES) {
        n_files++;
        starve(path, "loading", do_load, &j, most, phase);
        starve(path, "building", do_build, &j, most, phase);
        if (starve_file(&j, most, phase) != SEPCL_OK)
            starve_wrong(path, "building", 0, "%s", error_sentence());
    }
    graph_destroy(g);
    model_file_close(j.file);
}

static bool is_small_model(const char *path)
{
    static const char *const kinds[] = {".onnx", ".tflite", ".keras", ".h5"};
    const char              *end = strrchr(path, '.');
    struct stat              st;
    bool                     known = false;
    for (size_t i = 0; end && i < sizeof kinds / sizeof kinds[0]; i++)
        known |= !strcmp(end, kinds[i]);
    return known && stat(path, &st) == 0 && S_ISREG(st.st_mode) && st.st_size < 1 << 19;
}

static void one_folder(const char *folder, long most)
{
    struct dirent **all;
    const int       n = scandir(folder, &all, NULL, alphasort);
    for (int i = 0; i < n; i++) {
        char path[4096];
        snprintf(path, sizeof path, "%s/%s", folder, all[i]->d_name);
        if (is_small_model(path))
            one_file(path, most, i);
        __real_free(all[i]); /* the C library's, so not of those that are counted */
    }
    if (n >= 0)
        __real_free(all);
}

int main(int argc, char **argv)
{
    long most = 0;
    int  first = 1;
    if (argc > 2 && !strcmp(argv[1], "--most")) {
        most = strtol(argv[2], NULL, 10);
        first = 3;
    } else if (argc > 1 && !strcmp(argv[1], "--new")) {
        most = STARVE_NEW(STARVE_FRAMES);
        first = 2;
    }
    for (int i = first; i < argc; i++) {
        struct stat st;
        if (stat(argv[i], &st) == 0 && S_ISDIR(st.st_mode))
            one_folder(argv[i], most);
        else
            one_file(argv[i], most, i);
    }
    printf("%ld files, %ld failures: %ld said that memory is out, %ld ended as without\n", n_files, starve_failures,
           starve_named, starve_finished);
    return starve_wrongs == 0 && starve_failures > 0 && starve_named > 0 ? 0 : 1;
}
