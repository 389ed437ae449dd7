/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a PNG or JPEG file: refused, or read and resized to a small input. */
#include "picture.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static float         out[3 * 7 * 5];
    const picture_recipe recipe = {.resize = size % 2 ? RESIZE_TO_CROP : RESIZE_TO_STRETCH};
    picture              p;
    if (picture_parse(bytes, size, "x", &p) == SEPCL_OK)
        picture_to_floats(&p, &recipe, &(picture_target){7, 5, size % 3 ? 3 : 1, size % 5 > 2}, out);
    picture_free(&p);
    return 0;
}
