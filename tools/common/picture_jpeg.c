/* SPDX-License-Identifier: Apache-2.0 */
/* JPEG by libjpeg-turbo. */
#include <stdio.h>

#include <jerror.h>
#include <jpeglib.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>

#include "picture.h"
#include "tool.h"

/* A progressive file may hold any number of scans, each of which costs a pass over the picture. */
#define MOST_SCANS 200

/* State outside the function that libjpeg jumps back to, so that nothing in it is lost by the jump. */
typedef struct reader {
    struct jpeg_decompress_struct j;
    struct jpeg_error_mgr         errors;
    struct jpeg_progress_mgr      progress;
    jmp_buf                       jump;
    const char                   *name;
    uint8_t                      *row; /* of a CMYK picture */
    int                           orientation;
    char                          message[JMSG_LENGTH_MAX];
} reader;

static void on_error(j_common_ptr j)
{
    reader *r = j->client_data;
    j->err->format_message(j, r->message);
    longjmp(r->jump, 1);
}

/* Warnings of lost picture data are errors here: the rest would be grey. */
static void on_message(j_common_ptr j, int level)
{
    reader   *r = j->client_data;
    const int code = j->err->msg_code;
    char      text[JMSG_LENGTH_MAX];
    if (level >= 0)
        return;
    if (code != JWRN_EXTRANEOUS_DATA && code != JWRN_JFIF_MAJOR && code != JWRN_ADOBE_XFORM)
        on_error(j);
    j->err->format_message(j, text);
    tool_say("%s: %s", r->name, text);
}

static void on_progress(j_common_ptr j)
{
    reader *r = j->client_data;
    if (((j_decompress_ptr)j)->input_scan_number > MOST_SCANS) {
        snprintf(r->message, sizeof(r->message), "more than %d scans", MOST_SCANS);
        longjmp(r->jump, 1);
    }
}

static int orientation_of(const reader *r)
{
    static const uint8_t exif[6] = {'E', 'x', 'i', 'f', 0, 0};
    for (jpeg_saved_marker_ptr m = r->j.marker_list; m; m = m->next)
        if (m->marker == JPEG_APP0 + 1 && m->data_length > sizeof(exif) && !memcmp(m->data, exif, sizeof(exif)))
            return exif_orientation(m->data + sizeof(exif), m->data_length - sizeof(exif));
    return 1;
}

/* Adobe stores CMYK inverted: 255 is no ink. */
static void cmyk_to_rgb(const uint8_t *cmyk, uint8_t *rgb, size_t pixels, bool inverted)
{
    for (size_t i = 0; i < pixels; i++, cmyk += 4, rgb += 3)
        for (int c = 0; c < 3; c++) {
            const int ink = inverted ? cmyk[c] : 255 - cmyk[c], black = inverted ? cmyk[3] : 255 - cmyk[3];
            rgb[c] = (uint8_t)((ink * black + 127) / 255);
        }
}

static sepcl_status read_rows(reader *r, picture *out)
{
    struct jpeg_decompress_struct *j = &r->j;
    const bool                     cmyk = j->jpeg_color_space == JCS_CMYK || j->jpeg_color_space == JCS_YCCK;
    const size_t                   width = j->image_width;
    TRY(picture_alloc(out, (int64_t)width, j->image_height, r->name));
    j->out_color_space = cmyk ? JCS_CMYK : JCS_RGB;
    jpeg_start_decompress(j);
    if (j->output_components != (cmyk ? 4 : 3) || j->output_width != width)
        return tool_fail(SEPCL_BAD_FILE, "%s: libjpeg gives rows of an unexpected size", r->name);
    r->row = cmyk ? malloc(4 * width) : NULL;
    if (cmyk && !r->row)
        return tool_fail(SEPCL_OUT_OF_MEMORY, "%s: no memory for a row of %zu pixels", r->name, width);
    while (j->output_scanline < j->output_height) {
        uint8_t *to = out->rgb + 3 * width * j->output_scanline;
        JSAMPROW row = cmyk ? r->row : to;
        if (jpeg_read_scanlines(j, &row, 1) != 1)
            return tool_fail(SEPCL_BAD_FILE, "%s: libjpeg gives no more rows", r->name);
        if (cmyk)
            cmyk_to_rgb(r->row, to, width, j->saw_Adobe_marker);
    }
    jpeg_finish_decompress(j);
    return SEPCL_OK;
}

static sepcl_status read_jumping(reader *r, const uint8_t *bytes, size_t size, picture *out)
{
    if (setjmp(r->jump))
        return tool_fail(SEPCL_BAD_FILE, "%s: bad JPEG: %s", r->name, r->message);
    jpeg_create_decompress(&r->j);
    r->j.progress = &r->progress;
    jpeg_save_markers(&r->j, JPEG_APP0 + 1, 0xffff);
    jpeg_mem_src(&r->j, bytes, (unsigned long)size);
    jpeg_read_header(&r->j, TRUE);
    r->orientation = orientation_of(r); /* the end of decompression frees the markers */
    return read_rows(r, out);
}

sepcl_status jpeg_parse(const uint8_t *bytes, size_t size, const char *name, picture *out)
{
    reader r = {.name = name};
    r.j.err = jpeg_std_error(&r.errors);
    r.errors.error_exit = on_error;
    r.errors.emit_message = on_message;
    r.progress.progress_monitor = on_progress;
    r.j.client_data = &r; /* kept by jpeg_create_decompress */
    sepcl_status st = read_jumping(&r, bytes, size, out);
    jpeg_destroy_decompress(&r.j);
    free(r.row);
    if (st == SEPCL_OK)
        st = picture_orient(out, r.orientation, name);
    if (st != SEPCL_OK)
        picture_free(out);
    return st;
}
