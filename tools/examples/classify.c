/* SPDX-License-Identifier: Apache-2.0 */
/* classify MODEL.onnx PICTURE.png HEIGHT WIDTH: the class of a picture, for a model of RGB values from -1 to 1. */
#include <png.h>
#include <sepcl/sepcl.h>
#include <stdio.h>
#include <stdlib.h>

int main(int argc, char **argv)
{
    png_image      image = {.version = PNG_IMAGE_VERSION};
    sepcl_model   *model = NULL;
    sepcl_session *session = NULL;
    sepcl_shape    out;
    const int      height = argc < 5 ? 0 : atoi(argv[3]), width = argc < 5 ? 0 : atoi(argv[4]);
    if (height < 1 || width < 1 || !png_image_begin_read_from_file(&image, argv[2]))
        return fprintf(stderr, "usage: classify MODEL.onnx PICTURE.png HEIGHT WIDTH; %s\n", image.message), 2;
    image.format = PNG_FORMAT_RGB;
    const size_t   bytes = 3 * sizeof(float) * (size_t)height * (size_t)width;
    unsigned char *rgb = malloc(PNG_IMAGE_SIZE(image));
    float         *x = malloc(bytes), *scores = NULL;
    if (!rgb || !x || !png_image_finish_read(&image, NULL, rgb, 0, NULL))
        return fprintf(stderr, "%s cannot be read: %s\n", argv[2], image.message), 3;
    for (int c = 0, i = 0; c < 3; c++) /* the nearest pixels, one colour after the other */
        for (int row = 0; row < height; row++)
            for (int column = 0; column < width; column++) {
                const size_t line = row * image.height / height, at = line * image.width + column * image.width / width;
                x[i++] = rgb[3 * at + c] / 127.5f - 1;
            }
    sepcl_input_shape  shape = {NULL, {4, {1, 3, height, width}}};
    sepcl_session_desc desc = {.shapes = &shape, .n_shapes = 1};
    if (sepcl_model_load(argv[1], NULL, &model) || !(shape.name = sepcl_model_input_name(model, 0)) ||
        sepcl_session_create(model, &desc, &session) || sepcl_session_output_shape(session, 0, &out) ||
        !(scores = malloc((size_t)out.dims[1] * sizeof *scores)) || sepcl_session_write(session, 0, x, bytes) ||
        sepcl_session_run(session) || sepcl_session_read(session, 0, scores, (size_t)out.dims[1] * sizeof *scores))
        return fprintf(stderr, "%s\n", sepcl_last_error()), 1;
    int best = 0;
    for (int i = 1; i < out.dims[1]; i++)
        best = scores[i] > scores[best] ? i : best;
    return printf("class %d, score %.4f\n", best, scores[best]), 0; /* the system takes back what is left */
}
