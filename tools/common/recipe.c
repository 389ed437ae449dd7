/* SPDX-License-Identifier: Apache-2.0 */
#include "recipe.h"

#include "tool.h"

recipe_settings recipe_set;

const char *const recipe_resizes[] = {"crop", "stretch", NULL};
const char *const recipe_channels[] = {"auto", "rgb", "bgr", "gray", NULL};

sepcl_status recipe_check(void)
{
    const bool mean = recipe_set.mean.count > 3;
    if (mean || recipe_set.scale.count > 3)
        return tool_fail(SEPCL_INVALID, "--%s takes 1 or 3 numbers, not %d", mean ? "mean" : "scale",
                         mean ? recipe_set.mean.count : recipe_set.scale.count);
    return SEPCL_OK;
}

picture_recipe recipe_make(void)
{
    picture_recipe out = {.channels = (picture_channels)recipe_set.channels,
                          .resize = (picture_resize)recipe_set.resize,
                          .n_mean = recipe_set.mean.count,
                          .n_scale = recipe_set.scale.count};
    for (int c = 0; c < 3; c++) {
        out.mean[c] = recipe_set.mean.v[c];
        out.scale[c] = recipe_set.scale.v[c];
    }
    return out;
}
