/* SPDX-License-Identifier: Apache-2.0 */
/* PNG by libpng. */
#include <png.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "tool.h"

/* State outside the function that libpng jumps back to, so that nothing in it is lost by the jump. */
typedef struct reader {
    const uint8_t *bytes;
    size_t         size, at;
    const char    *name;
    png_structp    png;
    png_infop      info;
    uint8_t       *rgba;
    png_bytep     *rows;
    char           message[200];
} reader;

static void on_error(png_structp png, png_const_charp message)
{
    reader *r = png_get_error_ptr(png);
    snprintf(r->message, sizeof(r->message), "%s", message);
    png_longjmp(png, 1);
}

static void on_warning(png_structp png, png_const_charp message)
{
    const reader *r = png_get_error_ptr(png);
    tool_say("%s: %s", r->name, message);
}

static void on_read(png_structp png, png_bytep to, size_t n)
{
    reader *r = png_get_io_ptr(png);
    if (n > r->size - r->at)
        png_error(png, "the file ends too early");
    memcpy(to, r->bytes + r->at, n);
    r->at += n;
}

static void set_up(reader *r)
{
    png_set_read_fn(r->png, r, on_read);
    png_set_user_limits(r->png, PICTURE_SIDE, PICTURE_SIDE);
    png_set_chunk_cache_max(r->png, 64);
    png_set_chunk_malloc_max(r->png, 8u << 20);
    png_read_info(r->png, r->info);
}

/* Everything becomes 8-bit RGBA. */
static void set_transforms(reader *r)
{
    png_set_scale_16(r->png);
    png_set_expand(r->png);
    png_set_gray_to_rgb(r->png);
    png_set_add_alpha(r->png, 255, PNG_FILLER_AFTER);
    png_set_interlace_handling(r->png);
    png_read_update_info(r->png, r->info);
}

static void on_white(const uint8_t *rgba, uint8_t *rgb, size_t pixels)
{
    for (size_t i = 0; i < pixels; i++, rgba += 4, rgb += 3)
        for (int c = 0; c < 3; c++)
            rgb[c] = (uint8_t)((rgba[c] * rgba[3] + 255 * (255 - rgba[3]) + 127) / 255);
}

static sepcl_status read_pixels(reader *r, picture *out)
{
    const size_t width = png_get_image_width(r->png, r->info), height = png_get_image_height(r->png, r->info);
    TRY(picture_alloc(out, (int64_t)width, (int64_t)height, r->name));
    set_transforms(r);
    if (png_get_rowbytes(r->png, r->info) != 4 * width)
        return tool_fail(SEPCL_BAD_FILE, "%s: libpng gives rows of an unexpected size", r->name);
    r->rgba = malloc(4 * width * height);
    r->rows = malloc(height * sizeof(*r->rows));
    if (!r->rgba || !r->rows)
        return tool_fail(SEPCL_OUT_OF_MEMORY, "%s: no memory for %zux%zu pixels", r->name, width, height);
    for (size_t y = 0; y < height; y++)
        r->rows[y] = r->rgba + 4 * width * y;
    png_read_image(r->png, r->rows);
    png_read_end(r->png, r->info);
    on_white(r->rgba, out->rgb, width * height);
    return SEPCL_OK;
}

static sepcl_status read_jumping(reader *r, picture *out)
{
    if (setjmp(png_jmpbuf(r->png)))
        return tool_fail(SEPCL_BAD_FILE, "%s: bad PNG: %s", r->name, r->message);
    set_up(r);
    return read_pixels(r, out);
}

static int orientation_of(reader *r)
{
#ifdef PNG_eXIf_SUPPORTED
    png_bytep   exif = NULL;
    png_uint_32 size = 0;
    if (png_get_eXIf_1(r->png, r->info, &size, &exif) == PNG_INFO_eXIf && exif)
        return exif_orientation(exif, size);
#endif
    (void)r;
    return 1;
}

sepcl_status png_parse(const uint8_t *bytes, size_t size, const char *name, picture *out)
{
    reader r = {.bytes = bytes, .size = size, .name = name};
    r.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &r, on_error, on_warning);
    r.info = r.png ? png_create_info_struct(r.png) : NULL;
    sepcl_status st = r.info ? read_jumping(&r, out) : tool_fail(SEPCL_OUT_OF_MEMORY, "%s: no memory for libpng", name);
    const int    orientation = st == SEPCL_OK ? orientation_of(&r) : 1;
    png_destroy_read_struct(&r.png, &r.info, NULL);
    free(r.rgba);
    free(r.rows);
    if (st == SEPCL_OK)
        st = picture_orient(out, orientation, name);
    if (st != SEPCL_OK)
        picture_free(out);
    return st;
}
