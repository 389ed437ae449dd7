/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frames MODEL.onnx FOLDER: runs a model on every PNG of a folder, in the order of their names. All frames have the
 * size of the first. While the device works on a frame, the next one is read: two buffers take turns.
 */
#include <dirent.h>
#include <png.h>
#include <pthread.h>
#include <sepcl/sepcl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

typedef struct frame {
    int    width, height;
    float *values; /* 3 x height x width, from -1 to 1 */
} frame;

static bool read_frame(const char *path, frame *f)
{
    png_image image = {.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(&image, path))
        return fprintf(stderr, "%s: %s\n", path, image.message), false;
    image.format = PNG_FORMAT_RGB;
    if (!f->values) {
        f->width = (int)image.width;
        f->height = (int)image.height;
        f->values = malloc(PNG_IMAGE_SIZE(image) * sizeof(float));
    }
    unsigned char *rgb = malloc(PNG_IMAGE_SIZE(image));
    bool           ok = rgb && f->values && f->width == (int)image.width && f->height == (int)image.height;
    if (!ok)
        fprintf(stderr, "%s is not as large as the first frame, or memory is short\n", path);
    else if (!png_image_finish_read(&image, NULL, rgb, 0, NULL))
        ok = fprintf(stderr, "%s: %s\n", path, image.message) < 0;
    const size_t pixels = (size_t)f->width * (size_t)f->height;
    for (size_t i = 0; ok && i < pixels; i++)
        for (size_t c = 0; c < 3; c++)
            f->values[c * pixels + i] = rgb[3 * i + c] / 127.5f - 1;
    png_image_free(&image);
    free(rgb);
    return ok;
}

static int is_png(const struct dirent *entry)
{
    const char *dot = strrchr(entry->d_name, '.');
    return dot && !strcmp(dot, ".png");
}

/* What the reading thread does. */
typedef struct reading {
    const char          *folder;
    const struct dirent *entry;
    frame               *into;
    bool                 ok;
} reading;

static void *read_next(void *argument)
{
    reading *r = argument;
    char     path[4096];
    r->ok = snprintf(path, sizeof(path), "%s/%s", r->folder, r->entry->d_name) < (int)sizeof(path) &&
            read_frame(path, r->into);
    return NULL;
}

static int fail(void)
{
    fprintf(stderr, "%s\n", sepcl_last_error());
    return 1;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

int main(int argc, char **argv)
{
    struct dirent **entries;
    frame           frames[2] = {0};
    sepcl_model    *model;
    sepcl_session  *session;
    sepcl_shape     out;
    const int       n = argc == 3 ? scandir(argv[2], &entries, is_png, alphasort) : -1;
    if (n < 1)
        return fprintf(stderr, "usage: frames MODEL.onnx FOLDER-OF-PNG\n"), 2;
    reading next = {.folder = argv[2], .entry = entries[0], .into = &frames[0]};
    read_next(&next);
    if (!next.ok)
        return 3;
    frames[1] = (frame){frames[0].width, frames[0].height,
                        malloc(3 * sizeof(float) * (size_t)frames[0].width * (size_t)frames[0].height)};
    if (sepcl_model_load(argv[1], NULL, &model))
        return fail();
    const sepcl_input_shape  shape = {sepcl_model_input_name(model, 0), {4, {1, 3, frames[0].height, frames[0].width}}};
    const sepcl_session_desc desc = {.shapes = &shape, .n_shapes = 1};
    if (sepcl_session_create(model, &desc, &session) || sepcl_session_output_shape(session, 0, &out))
        return fail();
    const size_t in_bytes = 3 * sizeof(float) * (size_t)frames[0].width * (size_t)frames[0].height;
    size_t       count = 1;
    for (int i = 0; i < out.rank; i++)
        count *= (size_t)out.dims[i];
    float       *scores = calloc(count, sizeof(float));
    const double begin = now();
    for (int i = 0; scores && i < n; i++) {
        const bool more = i + 1 < n;
        pthread_t  reader;
        if (more) {
            next.entry = entries[i + 1];
            next.into = &frames[(i + 1) % 2];
            if (pthread_create(&reader, NULL, read_next, &next) != 0)
                return 1;
        }
        /* bound, not written: a CPU reads the frame where it lies */
        if (sepcl_session_bind(session, 0, frames[i % 2].values, in_bytes) || sepcl_session_run(session) ||
            sepcl_session_read(session, 0, scores, count * sizeof(float)))
            return fail();
        if (more)
            pthread_join(reader, NULL);
        if (!next.ok)
            return 3;
        size_t best = 0;
        for (size_t k = 1; k < count; k++)
            best = scores[k] > scores[best] ? k : best;
        printf("%s: %zu (%.4f)\n", entries[i]->d_name, best, scores[best]);
    }
    printf("%d frames, %.1f a second\n", n, n / (now() - begin));
    sepcl_session_destroy(session);
    sepcl_model_destroy(model);
    free(scores);
    for (int i = 0; i < n; i++)
        free(entries[i]);
    free(entries);
    free(frames[0].values);
    free(frames[1].values);
    return 0;
}
