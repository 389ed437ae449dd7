/* SPDX-License-Identifier: Apache-2.0 */
/* PNG and JPEG pictures, and the way from a picture to a network's input. */
#ifndef SEPCL_TOOLS_PICTURE_H
#define SEPCL_TOOLS_PICTURE_H

#include <stddef.h>
#include <stdint.h>

#include "sepcl/sepcl.h"

/* Limits of what is read. */
#define PICTURE_BYTES ((size_t)256 << 20)
#define PICTURE_PIXELS ((int64_t)64 << 20)
#define PICTURE_SIDE 65535

/* 8-bit RGB, rows from the top without gaps. Transparent parts stand on white; 16 bits are rounded to 8; grey becomes
   three equal channels; a camera's turn (Exif orientation) is undone. */
typedef struct picture {
    int      width, height;
    uint8_t *rgb; /* malloc'd */
} picture;

/* "PNG" or "JPEG" by the first bytes; NULL for anything else. */
const char *picture_kind(const uint8_t *bytes, size_t size);
/* SEPCL_BAD_FILE when the file is damaged or over the limits; SEPCL_UNSUPPORTED when this build lacks the format. */
sepcl_status picture_parse(const uint8_t *bytes, size_t size, const char *name, picture *out);
void         picture_free(picture *p);

/* ---------------------------------------------------------------- as input of a network */

typedef enum picture_channels { CHANNELS_DEFAULT, CHANNELS_RGB, CHANNELS_BGR, CHANNELS_GRAY } picture_channels;
typedef enum picture_resize {
    RESIZE_TO_CROP,   /* scaled to cover, the middle kept */
    RESIZE_TO_STRETCH /* each side for itself */
} picture_resize;

typedef struct picture_recipe {
    picture_channels channels;
    picture_resize   resize;
    /* Channel c of 0 ... 255 becomes (value - mean[c]) * scale[c]. One number is used for all channels. n_mean 0 and
       n_scale 0: value / 255; else an absent mean is 0 and an absent scale 1. */
    int    n_mean, n_scale;
    double mean[3], scale[3];
} picture_recipe;

/* Which dimension of an input is what. */
typedef struct picture_layout {
    int batch, channel, row, column; /* indices; -1: there is none, which counts as 1 */
} picture_layout;

/* From an input's shape, in which -1 is free: NCHW when dimension 1 is 1 or 3, NHWC when the last one is, NCHW when all
   are free; without batch, or without batch and channel, likewise. name: the input's. */
sepcl_status picture_find_layout(const sepcl_shape *shape, const char *name, picture_layout *out);

/* Resizes, scales, and writes channels x height x width (planar) or height x width x channels floats. */
typedef struct picture_target {
    int  width, height, channels; /* channels: 1 or 3 */
    bool planar;
} picture_target;
sepcl_status picture_check_recipe(const picture_recipe *r, int channels, const char *name);
sepcl_status picture_to_floats(const picture *p, const picture_recipe *r, const picture_target *t, float *out);

/* ---------------------------------------------------------------- for the readers of formats */

/* Sets width, height and memory. The sentence names the limit. */
sepcl_status picture_alloc(picture *p, int64_t width, int64_t height, const char *name);
/* Orientation 1 ... 8 of a TIFF block as in Exif; 1 when there is none that makes sense. */
int          exif_orientation(const uint8_t *tiff, size_t size);
sepcl_status picture_orient(picture *p, int orientation, const char *name);
#ifdef SEPCL_PNG
sepcl_status png_parse(const uint8_t *bytes, size_t size, const char *name, picture *out);
#endif
#ifdef SEPCL_JPEG
sepcl_status jpeg_parse(const uint8_t *bytes, size_t size, const char *name, picture *out);
#endif

#endif
