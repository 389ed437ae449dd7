/* SPDX-License-Identifier: Apache-2.0 */
/* From files, pictures or .npy arrays, to what an input of a model takes. */
#ifndef SEPCL_TOOLS_FEED_H
#define SEPCL_TOOLS_FEED_H

#include "options.h"
#include "picture.h"

/* One input, the files that were named for it, and what was read from them. */
typedef struct feed {
    const char  *name;
    sepcl_shape  shape; /* -1 where it is free still */
    const char **files;
    int          n_files;
    float       *data; /* malloc'd; NULL: nothing was read */
    size_t       count;
} feed;

/* What the options for pictures say. */
typedef struct feed_settings {
    option_numbers mean, scale;
    int            resize, channels;
} feed_settings;
extern const char *const feed_resize_names[], *const feed_channel_names[];
#define FEED_OPTIONS(settings)                                                                                         \
    {.name = "mean",                                                                                                   \
     .arg = "M[,M,M]",                                                                                                 \
     .group = "Pictures",                                                                                              \
     .kind = OPTION_NUMBERS,                                                                                           \
     .value = &(settings).mean,                                                                                        \
     .help = "subtracted from the values of 0 to 255, for all channels or each"},                                      \
        {.name = "scale",                                                                                              \
         .arg = "S[,S,S]",                                                                                             \
         .group = "Pictures",                                                                                          \
         .kind = OPTION_NUMBERS,                                                                                       \
         .value = &(settings).scale,                                                                                   \
         .help = "multiplied with what is left; 1/255 is understood [1 with --mean, else 1/255: values from 0 to 1]"}, \
        {.name = "resize",                                                                                             \
         .arg = "crop|stretch",                                                                                        \
         .group = "Pictures",                                                                                          \
         .kind = OPTION_CHOICE,                                                                                        \
         .value = &(settings).resize,                                                                                  \
         .choices = feed_resize_names,                                                                                 \
         .help = "to the model's size: cut the middle out, or let each side have its own factor [crop]"},              \
    {                                                                                                                  \
        .name = "channels", .arg = "rgb|bgr|gray", .group = "Pictures", .kind = OPTION_CHOICE,                         \
        .value = &(settings).channels, .choices = feed_channel_names,                                                  \
        .help = "order of the channels [rgb, or gray when the model's input has one channel]"                          \
    }

/* Mean and scale have one number, or one a channel. */
sepcl_status feed_check(const feed_settings *s);
/* Reads all files, each a picture of a batch or one array; fixes what is free of the shape. */
sepcl_status feed_read(feed *in, const feed_settings *settings);

#endif
