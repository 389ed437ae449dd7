/* SPDX-License-Identifier: Apache-2.0 */
/* Pictures: kinds of PNG and JPEG, damaged files, orientation, resizing, and the way into a tensor. */
#include "tool_test.h"

#include <math.h>

#ifdef SEPCL_JPEG
#include <jpeglib.h>
#endif

#include "picture.h"
#include "png_writer.h"

static sepcl_status parse(const uint8_t *bytes, size_t size, picture *out)
{
    uint8_t           *exact = exact_copy(bytes, size);
    const sepcl_status st = picture_parse(exact, size, "x", out);
    free(exact);
    return st;
}

static void assert_pixel(const picture *p, int x, int y, int r, int g, int b)
{
    const uint8_t *at = p->rgb + 3 * (y * p->width + x);
    if (at[0] != r || at[1] != g || at[2] != b)
        fail_msg("pixel %d,%d is %d,%d,%d, not %d,%d,%d", x, y, at[0], at[1], at[2], r, g, b);
}

#ifdef SEPCL_PNG
/* A picture of one pixel of the given kind has this colour. */
static void check_pixel(int bits, int type, const uint8_t *pixel, size_t bytes, int r, int g, int b)
{
    png_file f;
    picture  p;
    png_begin(&f, 1, 1, bits, type);
    if (type == PNG_PALETTE) {
        png_chunk(&f, "PLTE", "\0\0\0\x0a\x14\x1e", 6);
        png_chunk(&f, "tRNS", "\xff\x80", 2);
    }
    png_pixels(&f, pixel, 1, bytes);
    png_end(&f);
    assert_done(parse(f.bytes, f.size, &p));
    assert_int_equal(p.width, 1);
    assert_int_equal(p.height, 1);
    assert_pixel(&p, 0, 0, r, g, b);
    picture_free(&p);
}

static void png_kinds(void **state)
{
    (void)state;
    check_pixel(8, PNG_RGB, (const uint8_t[]){1, 2, 3}, 3, 1, 2, 3);
    check_pixel(8, PNG_GRAY, (const uint8_t[]){7}, 1, 7, 7, 7);
    check_pixel(1, PNG_GRAY, (const uint8_t[]){0x80}, 1, 255, 255, 255);
    check_pixel(16, PNG_GRAY, (const uint8_t[]){0x80, 0x00}, 2, 128, 128, 128);
    check_pixel(16, PNG_RGB, (const uint8_t[]){0xff, 0xff, 0, 0, 0x01, 0x01}, 6, 255, 0, 1);
    check_pixel(8, PNG_RGBA, (const uint8_t[]){0, 100, 200, 0}, 4, 255, 255, 255); /* nothing but the white below */
    check_pixel(8, PNG_RGBA, (const uint8_t[]){0, 100, 200, 255}, 4, 0, 100, 200);
    check_pixel(8, PNG_GRAY_ALPHA, (const uint8_t[]){0, 51}, 2, 204, 204, 204);
    check_pixel(8, PNG_PALETTE, (const uint8_t[]){1}, 1, 132, 137, 142); /* half of 10, 20, 30 on white */
    check_pixel(4, PNG_PALETTE, (const uint8_t[]){0x00}, 1, 0, 0, 0);
}

/* A picture of 3 x 2 different pixels. */
static png_file small_png(void)
{
    uint8_t  rows[18];
    png_file f;
    for (int i = 0; i < 18; i++)
        rows[i] = (uint8_t)(10 * i);
    png_begin(&f, 3, 2, 8, PNG_RGB);
    png_pixels(&f, rows, 2, 9);
    png_end(&f);
    return f;
}

static void png_damaged(void **state)
{
    (void)state;
    const png_file f = small_png();
    picture        p;
    for (size_t size = 0; size < f.size; size++) { /* cut anywhere */
        assert_refused(SEPCL_BAD_FILE, "x", parse(f.bytes, size, &p));
        assert_null(p.rgb);
    }
    for (size_t at = 0; at < f.size; at++)
        for (int bit = 0; bit < 8; bit++) { /* changed anywhere: refused or read */
            png_file g = f;
            g.bytes[at] ^= (uint8_t)(1 << bit);
            if (parse(g.bytes, g.size, &p) == SEPCL_OK)
                picture_free(&p);
        }
    png_file g = f;
    g.bytes[60] ^= 1; /* in the pixels: the checksum is wrong */
    assert_refused(SEPCL_BAD_FILE, "x: bad PNG: ", parse(g.bytes, g.size, &p));
}

static void png_limits(void **state)
{
    (void)state;
    const uint32_t sizes[][2] = {{60000, 60000}, {70000, 1}, {1, 0x7fffffff}, {0, 1}};
    for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
        png_file f;
        picture  p;
        png_begin(&f, sizes[i][0], sizes[i][1], 8, PNG_RGB);
        png_pixels(&f, (const uint8_t[]){1, 2, 3}, 1, 3);
        png_end(&f);
        assert_refused(SEPCL_BAD_FILE, "x: ", parse(f.bytes, f.size, &p));
    }
}
#endif

static void not_pictures(void **state)
{
    (void)state;
    picture p;
    assert_refused(SEPCL_BAD_FILE, "neither a PNG nor a JPEG", parse((const uint8_t *)"GIF89a", 6, &p));
    assert_refused(SEPCL_BAD_FILE, "neither a PNG nor a JPEG", parse((const uint8_t *)"", 0, &p));
}

/* ---------------------------------------------------------------- orientation */

/* Numbers of the pixels of an upright picture: 0 1 2 above 3 4 5, as each orientation stores it. */
static void orientations(void **state)
{
    (void)state;
    static const int stored[9][6] = {
        [1] = {0, 1, 2, 3, 4, 5}, [2] = {2, 1, 0, 5, 4, 3}, [3] = {5, 4, 3, 2, 1, 0}, [4] = {3, 4, 5, 0, 1, 2},
        [5] = {0, 3, 1, 4, 2, 5}, [6] = {2, 5, 1, 4, 0, 3}, [7] = {5, 2, 4, 1, 3, 0}, [8] = {3, 0, 4, 1, 5, 2},
    };
    for (int o = 1; o <= 8; o++) {
        picture p;
        assert_done(picture_alloc(&p, o < 5 ? 3 : 2, o < 5 ? 2 : 3, "x"));
        for (int i = 0; i < 6; i++)
            memset(p.rgb + 3 * i, stored[o][i], 3);
        assert_done(picture_orient(&p, o, "x"));
        assert_int_equal(p.width, 3);
        for (int i = 0; i < 6; i++)
            assert_pixel(&p, i % 3, i / 3, i, i, i);
        picture_free(&p);
    }
}

static void exif(void **state)
{
    (void)state;
    uint8_t little[] = "II*\0\x08\0\0\0\x01\0\x12\x01\x03\0\x01\0\0\0\x06\0\0\0\0\0\0";
    uint8_t big[] = "MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x03\0\0\0\0\0\0";
    assert_int_equal(exif_orientation(little, sizeof(little)), 6);
    assert_int_equal(exif_orientation(big, sizeof(big)), 3);
    for (size_t size = 0; size < 20; size++) { /* cut: no orientation, and nothing read past the end */
        uint8_t *cut = exact_copy(little, size);
        assert_int_equal(exif_orientation(cut, size), 1);
        free(cut);
    }
    little[4] = little[5] = little[6] = little[7] = 0xff; /* a folder far beyond the end */
    assert_int_equal(exif_orientation(little, sizeof(little)), 1);
    big[19] = 9;
    assert_int_equal(exif_orientation(big, sizeof(big)), 1);
}

/* ---------------------------------------------------------------- JPEG */

#ifdef SEPCL_JPEG
typedef struct jpeg_kind {
    int           components;
    J_COLOR_SPACE space;
    bool          progressive;
    uint8_t       orientation; /* 0: no Exif */
} jpeg_kind;

/* An 8 x 16 picture of one colour. */
static uint8_t *make_jpeg(const jpeg_kind *k, const uint8_t *colour, unsigned long *size_out)
{
    struct jpeg_compress_struct j;
    struct jpeg_error_mgr       errors;
    unsigned char              *bytes = NULL;
    uint8_t                     row[8 * 4];
    JSAMPROW                    rows = row;
    j.err = jpeg_std_error(&errors);
    jpeg_create_compress(&j);
    *size_out = 0;
    jpeg_mem_dest(&j, &bytes, size_out);
    j.image_width = 8;
    j.image_height = 16;
    j.input_components = k->components;
    j.in_color_space = k->space;
    jpeg_set_defaults(&j);
    jpeg_set_quality(&j, 100, TRUE);
    if (k->progressive)
        jpeg_simple_progression(&j);
    jpeg_start_compress(&j, TRUE);
    if (k->orientation) {
        uint8_t block[] = "Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x00\0\0\0\0\0";
        block[6 + 19] = k->orientation;
        jpeg_write_marker(&j, JPEG_APP0 + 1, block, sizeof(block));
    }
    for (int i = 0; i < 8; i++)
        memcpy(row + i * k->components, colour, (size_t)k->components);
    while (j.next_scanline < j.image_height)
        jpeg_write_scanlines(&j, &rows, 1);
    jpeg_finish_compress(&j);
    jpeg_destroy_compress(&j);
    return bytes;
}

static void check_jpeg(const jpeg_kind *k, const uint8_t *colour, int r, int g, int b)
{
    unsigned long size;
    picture       p;
    uint8_t      *bytes = make_jpeg(k, colour, &size);
    assert_done(parse(bytes, size, &p));
    assert_int_equal(p.width, k->orientation >= 5 ? 16 : 8);
    const int want[] = {r, g, b};
    for (int c = 0; c < 3; c++)
        assert_in_range(p.rgb[c] + 3, want[c], want[c] + 6);
    picture_free(&p);
    free(bytes);
}

static void jpeg_kinds(void **state)
{
    (void)state;
    const uint8_t colour[] = {200, 100, 50, 255};
    check_jpeg(&(jpeg_kind){3, JCS_RGB, false, 0}, colour, 200, 100, 50);
    check_jpeg(&(jpeg_kind){3, JCS_RGB, true, 0}, colour, 200, 100, 50);
    check_jpeg(&(jpeg_kind){1, JCS_GRAYSCALE, false, 0}, colour, 200, 200, 200);
    check_jpeg(&(jpeg_kind){4, JCS_CMYK, false, 0}, colour, 200, 100, 50); /* Adobe's: 255 is no ink */
    check_jpeg(&(jpeg_kind){3, JCS_RGB, false, 6}, colour, 200, 100, 50);
    check_jpeg(&(jpeg_kind){3, JCS_RGB, false, 3}, colour, 200, 100, 50);
}

static void jpeg_damaged(void **state)
{
    (void)state;
    for (int progressive = 0; progressive < 2; progressive++) {
        unsigned long size;
        picture       p;
        uint8_t *bytes = make_jpeg(&(jpeg_kind){3, JCS_RGB, progressive, 6}, (const uint8_t[]){200, 100, 50}, &size);
        for (size_t cut = 3; cut + 2 < size; cut++) { /* the last two bytes only say that it is the end */
            assert_refused(SEPCL_BAD_FILE, "x: bad JPEG: ", parse(bytes, cut, &p));
            assert_null(p.rgb);
        }
        for (size_t at = 0; at < size; at++) {
            const uint8_t kept = bytes[at];
            for (int i = 0; i < 3; i++) {
                bytes[at] = (const uint8_t[]){0, 0xff, (uint8_t)(kept + 1)}[i];
                if (parse(bytes, size, &p) == SEPCL_OK)
                    picture_free(&p);
            }
            bytes[at] = kept;
        }
        free(bytes);
    }
}

static void jpeg_limits(void **state)
{
    (void)state;
    unsigned long size;
    picture       p;
    uint8_t      *bytes = make_jpeg(&(jpeg_kind){3, JCS_RGB, false, 0}, (const uint8_t[]){1, 2, 3}, &size);
    for (size_t at = 0; at + 8 < size; at++)
        if (bytes[at] == 0xff && bytes[at + 1] == 0xc0) /* start of frame: height and width */
            memset(bytes + at + 5, 0xf0, 4);
    assert_refused(SEPCL_BAD_FILE, "61680x61680 pixels is outside the limits", parse(bytes, size, &p));
    free(bytes);
}
#endif

/* ---------------------------------------------------------------- layout */

static void check_layout(sepcl_shape s, int batch, int channel, int row, int column)
{
    picture_layout l;
    assert_done(picture_find_layout(&s, "x", &l));
    assert_int_equal(l.batch, batch);
    assert_int_equal(l.channel, channel);
    assert_int_equal(l.row, row);
    assert_int_equal(l.column, column);
}

static void layouts(void **state)
{
    (void)state;
    picture_layout    l;
    const sepcl_shape bad = {4, {1, 64, 7, 7}}, flat = {1, {10}};
    check_layout((sepcl_shape){4, {1, 3, 224, 224}}, 0, 1, 2, 3);
    check_layout((sepcl_shape){4, {1, 224, 224, 3}}, 0, 3, 1, 2);
    check_layout((sepcl_shape){4, {-1, 1, -1, -1}}, 0, 1, 2, 3);
    check_layout((sepcl_shape){4, {-1, -1, -1, 1}}, 0, 3, 1, 2);
    check_layout((sepcl_shape){4, {-1, -1, -1, -1}}, 0, 1, 2, 3);
    check_layout((sepcl_shape){3, {3, 20, 30}}, -1, 0, 1, 2);
    check_layout((sepcl_shape){3, {20, 30, 3}}, -1, 2, 0, 1);
    check_layout((sepcl_shape){2, {28, 28}}, -1, -1, 0, 1);
    assert_refused(SEPCL_INVALID, "input x has shape 1x64x7x7", picture_find_layout(&bad, "x", &l));
    assert_refused(SEPCL_INVALID, "which no picture fits", picture_find_layout(&flat, "x", &l));
}

/* ---------------------------------------------------------------- to floats */

static picture make_picture(int width, int height, int (*value)(int x, int y, int c))
{
    picture p;
    assert_done(picture_alloc(&p, width, height, "x"));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < 3; c++)
                p.rgb[3 * (y * width + x) + c] = (uint8_t)value(x, y, c);
    return p;
}

static int by_place(int x, int y, int c)
{
    return 40 * c + 10 * y + x;
}

static void exact_size(void **state)
{
    (void)state;
    picture p = make_picture(4, 3, by_place);
    float   out[36];
    assert_done(picture_to_floats(&p, &(picture_recipe){.n_mean = 1}, &(picture_target){4, 3, 3, true}, out));
    for (int i = 0; i < 36; i++) /* planar, unchanged */
        assert_true(out[i] == (float)by_place(i % 4, i / 4 % 3, i / 12));
    assert_done(picture_to_floats(&p, &(picture_recipe){.n_mean = 1, .channels = CHANNELS_BGR},
                                  &(picture_target){4, 3, 3, false}, out));
    for (int i = 0; i < 36; i++) /* interleaved, blue first */
        assert_true(out[i] == (float)by_place(i / 3 % 4, i / 12, 2 - i % 3));
    assert_done(picture_to_floats(&p, &(picture_recipe){0}, &(picture_target){4, 3, 3, true}, out));
    assert_true(fabsf(out[35] - 103.0f / 255) < 1e-6f); /* 0 to 1 by default */
    const picture_recipe r = {.n_mean = 3, .n_scale = 3, .mean = {1, 2, 3}, .scale = {1, 0.5, 0.25}};
    assert_done(picture_to_floats(&p, &r, &(picture_target){4, 3, 3, true}, out));
    assert_true(out[0] == -1 && out[12] == 19 && out[24] == 19.25f);
    assert_done(
        picture_to_floats(&p, &(picture_recipe){.n_scale = 1, .scale = {1}}, &(picture_target){4, 3, 1, true}, out));
    assert_true(fabsf(out[0] - (0.587f * 40 + 0.114f * 80)) < 1e-4f);
    picture_free(&p);
}

static int stripes(int x, int y, int c)
{
    (void)y;
    (void)c;
    return x % 2 ? 255 : 0;
}

/* Columns of black and white shrink to grey, and do not turn into either: that is what antialiasing is. */
static void shrinking(void **state)
{
    (void)state;
    picture p = make_picture(64, 64, stripes);
    float   out[7 * 7];
    assert_done(picture_to_floats(&p, &(picture_recipe){.n_mean = 1}, &(picture_target){7, 7, 1, true}, out));
    for (int i = 0; i < 49; i++)
        assert_true(fabsf(out[i] - 127.5f) < 6);
    picture_free(&p);
}

static int ramp(int x, int y, int c)
{
    (void)y;
    (void)c;
    return 10 * x;
}

/* Twice the width: each new pixel is a quarter of the way between the old ones; the ends stay. */
static void enlarging(void **state)
{
    (void)state;
    static const float want[] = {0, 2.5f, 7.5f, 12.5f, 17.5f, 22.5f, 27.5f, 30};
    picture            p = make_picture(4, 1, ramp);
    float              out[8];
    assert_done(picture_to_floats(&p, &(picture_recipe){.n_mean = 1, .resize = RESIZE_TO_STRETCH},
                                  &(picture_target){8, 1, 1, true}, out));
    for (int i = 0; i < 8; i++)
        assert_true(fabsf(out[i] - want[i]) < 1e-3f);
    picture_free(&p);
}

/* Of a picture of 6 x 2, crop keeps the 2 x 2 in the middle, stretch all of it. */
static void crop_and_stretch(void **state)
{
    (void)state;
    picture p = make_picture(6, 2, ramp);
    float   out[4];
    assert_done(picture_to_floats(&p, &(picture_recipe){.n_mean = 1}, &(picture_target){2, 2, 1, true}, out));
    assert_true(fabsf(out[0] - 20) < 1e-3f && fabsf(out[1] - 30) < 1e-3f);
    assert_done(picture_to_floats(&p, &(picture_recipe){.n_mean = 1, .resize = RESIZE_TO_STRETCH},
                                  &(picture_target){2, 2, 1, true}, out));
    assert_true(out[0] < 14 && out[1] > 36 && fabsf(out[0] + out[1] - 50) < 1e-3f);
    picture_free(&p);
}

/* Odd sizes: every output of a constant picture is the constant, whatever the sizes. */
static int constant(int x, int y, int c)
{
    (void)x;
    (void)y;
    return 17 * (c + 1);
}

static void odd_sizes(void **state)
{
    (void)state;
    static const int sizes[] = {1, 2, 3, 7, 31, 100};
    static float     out[3 * 100 * 100];
    for (int s = 0; s < 36; s++) {
        picture p = make_picture(sizes[s / 6], sizes[s % 6], constant);
        for (int t = 0; t < 72; t++) {
            const picture_target target = {sizes[t / 6 % 6], sizes[t % 6], 3, true};
            const picture_recipe r = {.n_mean = 1, .resize = (picture_resize)(t / 36)};
            const int            plane = target.width * target.height;
            assert_done(picture_to_floats(&p, &r, &target, out));
            for (int i = 0; i < 3 * plane; i++)
                assert_true(fabsf(out[i] - 17.0f * (float)(i / plane + 1)) < 1e-3f);
        }
        picture_free(&p);
    }
}

static void recipes(void **state)
{
    (void)state;
    const picture_recipe three = {.n_mean = 3}, two = {.n_scale = 2}, gray = {.channels = CHANNELS_GRAY},
                         bgr = {.channels = CHANNELS_BGR};
    assert_done(picture_check_recipe(&three, 3, "x"));
    assert_done(picture_check_recipe(&gray, 1, "x"));
    assert_refused(SEPCL_INVALID, "--mean has 3 numbers, but input x has 1 channel",
                   picture_check_recipe(&three, 1, "x"));
    assert_refused(SEPCL_INVALID, "--scale has 2 numbers", picture_check_recipe(&two, 3, "x"));
    assert_refused(SEPCL_INVALID, "cannot be gray", picture_check_recipe(&gray, 3, "x"));
    assert_refused(SEPCL_INVALID, "cannot be rgb or bgr", picture_check_recipe(&bgr, 1, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#ifdef SEPCL_PNG
        cmocka_unit_test(png_kinds),    cmocka_unit_test(png_damaged),  cmocka_unit_test(png_limits),
#endif
#ifdef SEPCL_JPEG
        cmocka_unit_test(jpeg_kinds),   cmocka_unit_test(jpeg_damaged), cmocka_unit_test(jpeg_limits),
#endif
        cmocka_unit_test(not_pictures), cmocka_unit_test(orientations), cmocka_unit_test(exif),
        cmocka_unit_test(layouts),      cmocka_unit_test(exact_size),   cmocka_unit_test(shrinking),
        cmocka_unit_test(enlarging),    cmocka_unit_test(odd_sizes),    cmocka_unit_test(crop_and_stretch),
        cmocka_unit_test(recipes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
