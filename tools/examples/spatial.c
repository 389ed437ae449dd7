/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spatial FILTER.onnx IN.png OUT.png: filters a grey picture of any size. make_filters.py writes filters, Gauss and
 * Sobel, each as one column and one row convolution. What is written is the filter's first channel, its least value
 * black, its greatest white; the middle value and the kernels that ran are printed.
 */
#include <png.h>
#include <sepcl/sepcl.h>
#include <stdio.h>
#include <stdlib.h>

static int fail(const char *sentence)
{
    fprintf(stderr, "%s\n", sentence);
    return 1;
}

static unsigned char *read_gray(const char *path, png_image *image)
{
    *image = (png_image){.version = PNG_IMAGE_VERSION};
    if (!png_image_begin_read_from_file(image, path))
        return NULL;
    image->format = PNG_FORMAT_GRAY;
    unsigned char *pixels = malloc(PNG_IMAGE_SIZE(*image));
    if (pixels && png_image_finish_read(image, NULL, pixels, 0, NULL))
        return pixels;
    free(pixels);
    return NULL;
}

static void to_bytes(const float *y, size_t n, unsigned char *out)
{
    float least = y[0], most = y[0];
    for (size_t i = 0; i < n; i++) {
        least = y[i] < least ? y[i] : least;
        most = y[i] > most ? y[i] : most;
    }
    for (size_t i = 0; i < n; i++)
        out[i] = (unsigned char)(most > least ? 255 * (y[i] - least) / (most - least) + 0.5f : 0);
}

static void print_kernels(const sepcl_session *session)
{
    sepcl_step_info step;
    for (int i = 0; i < sepcl_session_step_count(session); i++)
        if (sepcl_session_step(session, i, &step) == SEPCL_OK)
            printf("%s: %s\n", step.op, step.kernel);
}

int main(int argc, char **argv)
{
    png_image      image;
    unsigned char *pixels = argc == 4 ? read_gray(argv[2], &image) : NULL;
    if (!pixels)
        return fail(argc == 4 ? image.message : "usage: spatial FILTER.onnx IN.png OUT.png");
    const size_t   n = (size_t)image.width * image.height;
    sepcl_model   *model = NULL;
    sepcl_session *session = NULL;
    sepcl_shape    out;
    float         *x = malloc(n * sizeof(float)), *y = NULL;
    if (!x || sepcl_model_load(argv[1], NULL, &model))
        return fail(sepcl_last_error());
    for (size_t i = 0; i < n; i++)
        x[i] = pixels[i] / 255.0f;
    const sepcl_input_shape  shape = {sepcl_model_input_name(model, 0), {4, {1, 1, image.height, image.width}}};
    const sepcl_session_desc desc = {.shapes = &shape, .n_shapes = 1};
    if (sepcl_session_create(model, &desc, &session) || sepcl_session_output_shape(session, 0, &out))
        return fail(sepcl_last_error());
    const size_t channels = (size_t)out.dims[1];
    y = malloc(channels * n * sizeof(float));
    if (!y || sepcl_session_bind(session, 0, x, n * sizeof(float)) || sepcl_session_run(session) ||
        sepcl_session_read(session, 0, y, channels * n * sizeof(float)))
        return fail(sepcl_last_error());
    print_kernels(session);
    printf("middle: %.6f\n", y[image.width * (image.height / 2) + image.width / 2]);
    to_bytes(y, n, pixels);
    if (!png_image_write_to_file(&image, argv[3], 0, pixels, 0, NULL))
        return fail(image.message);
    sepcl_session_destroy(session);
    sepcl_model_destroy(model);
    free(pixels);
    free(x);
    free(y);
    return 0;
}
