/* SPDX-License-Identifier: Apache-2.0 */
/* From files, pictures or .npy arrays, to what an input of a model takes. */
#ifndef SEPCL_TOOLS_FEED_H
#define SEPCL_TOOLS_FEED_H

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

/* Reads all files, each a picture of a batch or one array; fixes what is free of the shape. */
sepcl_status feed_read(feed *in, const picture_recipe *recipe);

#endif
