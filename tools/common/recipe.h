/* SPDX-License-Identifier: Apache-2.0 */
/* The options that say how a picture becomes an input; of every program that takes pictures. */
#ifndef SEPCL_TOOLS_RECIPE_H
#define SEPCL_TOOLS_RECIPE_H

#include "options.h"
#include "picture.h"

typedef struct recipe_settings {
    option_numbers mean, scale;
    int            resize, channels; /* picture_resize, picture_channels */
} recipe_settings;
extern recipe_settings recipe_set;

extern const char *const recipe_resizes[], *const recipe_channels[];

/* Rows for a program's table. */
#define RECIPE_OPTIONS                                                                                                 \
    {.name = "mean",                                                                                                   \
     .arg = "M[,M,M]",                                                                                                 \
     .group = "Pictures",                                                                                              \
     .kind = OPTION_NUMBERS,                                                                                           \
     .value = &recipe_set.mean,                                                                                        \
     .help = "subtracted from the values of 0 to 255, for all channels or each"},                                      \
        {.name = "scale",                                                                                              \
         .arg = "S[,S,S]",                                                                                             \
         .group = "Pictures",                                                                                          \
         .kind = OPTION_NUMBERS,                                                                                       \
         .value = &recipe_set.scale,                                                                                   \
         .help = "multiplied with what is left; 1/255 is understood [1 with --mean, else 1/255: values from 0 to 1]"}, \
        {.name = "resize",                                                                                             \
         .arg = "crop|stretch",                                                                                        \
         .group = "Pictures",                                                                                          \
         .kind = OPTION_CHOICE,                                                                                        \
         .value = &recipe_set.resize,                                                                                  \
         .choices = recipe_resizes,                                                                                    \
         .help = "to the model's size: cut the middle out, or let each side have its own factor [crop]"},              \
    {                                                                                                                  \
        .name = "channels", .arg = "rgb|bgr|gray", .group = "Pictures", .kind = OPTION_CHOICE,                         \
        .value = &recipe_set.channels, .choices = recipe_channels,                                                     \
        .help = "order of the channels [rgb, or gray when the model's input has one channel]"                          \
    }

/* Looks at what can be wrong before any picture is read. */
sepcl_status   recipe_check(void);
picture_recipe recipe_make(void);

#endif
