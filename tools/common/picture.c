/* SPDX-License-Identifier: Apache-2.0 */
#include "picture.h"

#include <stdlib.h>
#include <string.h>

#include "text.h"
#include "tool.h"

const char *picture_kind(const uint8_t *bytes, size_t size)
{
    static const uint8_t png[8] = {0x89, 'P', 'N', 'G', 13, 10, 26, 10};
    static const uint8_t jpeg[3] = {0xff, 0xd8, 0xff};
    if (size >= 4 && !memcmp(bytes, png, size < sizeof(png) ? size : sizeof(png)))
        return "PNG";
    if (size >= sizeof(jpeg) && !memcmp(bytes, jpeg, sizeof(jpeg)))
        return "JPEG";
    return NULL;
}

sepcl_status picture_parse(const uint8_t *bytes, size_t size, const char *name, picture *out)
{
    const char *kind = picture_kind(bytes, size);
    *out = (picture){0};
    if (!kind)
        return tool_fail(SEPCL_BAD_FILE, "%s is neither a PNG nor a JPEG picture", name);
#ifdef SEPCL_PNG
    if (!strcmp(kind, "PNG"))
        return png_parse(bytes, size, name, out);
#endif
#ifdef SEPCL_JPEG
    if (!strcmp(kind, "JPEG"))
        return jpeg_parse(bytes, size, name, out);
#endif
    return tool_fail(SEPCL_UNSUPPORTED, "%s: this build of sepcl cannot read %s pictures", name, kind);
}

void picture_free(picture *p)
{
    free(p->rgb);
    *p = (picture){0};
}

sepcl_status picture_alloc(picture *p, int64_t width, int64_t height, const char *name)
{
    if (width < 1 || height < 1 || width > PICTURE_SIDE || height > PICTURE_SIDE || width * height > PICTURE_PIXELS)
        return tool_fail(SEPCL_BAD_FILE, "%s: %lldx%lld pixels is outside the limits (sides %d, %lld pixels in all)",
                         name, (long long)width, (long long)height, PICTURE_SIDE, (long long)PICTURE_PIXELS);
    p->width = (int)width;
    p->height = (int)height;
    p->rgb = malloc(3 * (size_t)width * (size_t)height);
    if (!p->rgb)
        return tool_fail(SEPCL_OUT_OF_MEMORY, "%s: no memory for %lldx%lld pixels", name, (long long)width,
                         (long long)height);
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- Exif orientation */

typedef struct tiff {
    const uint8_t *bytes;
    size_t         size;
    bool           big;
} tiff;

/* n bytes at an offset as a number; 0 beyond the end. */
static uint32_t tiff_number(const tiff *t, size_t at, int n)
{
    uint32_t v = 0;
    if (at > t->size || t->size - at < (size_t)n)
        return 0;
    for (int i = 0; i < n; i++)
        v |= (uint32_t)t->bytes[at + (size_t)(t->big ? n - 1 - i : i)] << 8 * i;
    return v;
}

int exif_orientation(const uint8_t *bytes, size_t size)
{
    enum { TAG = 0x112, SHORT = 3, ENTRY = 12 };
    if (size < 8 || (memcmp(bytes, "II*", 4) && memcmp(bytes, "MM\0*", 4)))
        return 1;
    const tiff   t = {bytes, size, bytes[0] == 'M'};
    const size_t folder = tiff_number(&t, 4, 4), entries = tiff_number(&t, folder, 2);
    for (size_t i = 0; i < entries; i++) {
        const size_t at = folder + 2 + ENTRY * i;
        if (tiff_number(&t, at, 2) != TAG)
            continue;
        const uint32_t value = tiff_number(&t, at + 8, 2);
        return tiff_number(&t, at + 2, 2) == SHORT && value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

sepcl_status picture_orient(picture *p, int orientation, const char *name)
{
    if (orientation < 2 || orientation > 8)
        return SEPCL_OK;
    /* of the upright picture: is its row the stored column, and which way do stored rows and columns run? */
    const bool swap = orientation >= 5;
    const bool flip_x = orientation == 2 || orientation == 3 || orientation == 7 || orientation == 8;
    const bool flip_y = orientation == 3 || orientation == 4 || orientation == 6 || orientation == 7;
    picture    out = {0};
    TRY(picture_alloc(&out, swap ? p->height : p->width, swap ? p->width : p->height, name));
    uint8_t *to = out.rgb;
    for (int y = 0; y < out.height; y++)
        for (int x = 0; x < out.width; x++, to += 3) {
            int sx = swap ? y : x, sy = swap ? x : y;
            sx = flip_x ? p->width - 1 - sx : sx;
            sy = flip_y ? p->height - 1 - sy : sy;
            memcpy(to, p->rgb + 3 * ((size_t)sy * (size_t)p->width + (size_t)sx), 3);
        }
    picture_free(p);
    *p = out;
    return SEPCL_OK;
}

/* ---------------------------------------------------------------- layout */

static bool is_channels(int64_t n)
{
    return n == 1 || n == 3;
}

sepcl_status picture_find_layout(const sepcl_shape *s, const char *name, picture_layout *out)
{
    char      text[TEXT_SMALL];
    const int first = s->rank == 4 ? 1 : 0; /* of the three dimensions of one picture */
    *out = (picture_layout){.batch = s->rank == 4 ? 0 : -1, .channel = -1, .row = 0, .column = 1};
    if (s->rank == 2)
        return SEPCL_OK;
    if (s->rank == 3 || s->rank == 4) {
        const int64_t a = s->dims[first], b = s->dims[first + 2];
        const bool    planar = is_channels(a) || (a < 0 && !is_channels(b));
        if (planar || is_channels(b)) {
            out->channel = planar ? first : first + 2;
            out->row = planar ? first + 1 : first;
            out->column = out->row + 1;
            return SEPCL_OK;
        }
    }
    return tool_fail(
        SEPCL_INVALID,
        "input %s has shape %s, which no picture fits: neither dimension 1 (NCHW) nor the last (NHWC) is 1 or 3", name,
        text_shape(s, text));
}
