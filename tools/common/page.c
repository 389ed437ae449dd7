/* SPDX-License-Identifier: Apache-2.0 */
#include "page.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "text.h"
#include "tool.h"

#define LIGHT                                                                                                          \
    "--back:#fff;--card:#f5f6f8;--text:#1b1f24;--soft:#5b6470;--line:#dde1e6;--roof:#3b4450;--lost:#d9480f;"           \
    "--floor:#2f6fb3;--c0:#2f6fb3;--c1:#d9730d;--c2:#1f8a5b;--c3:#8250c4;--c4:#c2334d;--c5:#0f8b9d;--c6:#7a8390"
#define DARK                                                                                                           \
    "--back:#14171b;--card:#1d2126;--text:#e6e9ed;--soft:#9aa4b0;--line:#31373f;--roof:#c3cad3;--lost:#ff8a4c;"        \
    "--floor:#6aa9e9;--c0:#6aa9e9;--c1:#f0a04b;--c2:#4fc38a;--c3:#b48cf2;--c4:#f0738a;--c5:#4cc3d4;--c6:#939ca8"
#define COLOURS                                                                                                        \
    ".c0{fill:var(--c0);background:var(--c0)}.c1{fill:var(--c1);background:var(--c1)}"                                 \
    ".c2{fill:var(--c2);background:var(--c2)}.c3{fill:var(--c3);background:var(--c3)}"                                 \
    ".c4{fill:var(--c4);background:var(--c4)}.c5{fill:var(--c5);background:var(--c5)}"                                 \
    ".c6{fill:var(--c6);background:var(--c6)}\n"                                                                       \
    ".s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}.s3{stroke:var(--c3)}\n"
#define PICTURES                                                                                                       \
    "svg text{font-size:12px;fill:var(--soft)}svg .grid{stroke:var(--line);stroke-width:1}"                            \
    "svg .curve{fill:none;stroke-width:2;stroke-linejoin:round}svg text.strong{fill:var(--text);font-weight:600}"      \
    "svg .mark{stroke:var(--soft);stroke-width:1;stroke-dasharray:3 3}\n"                                              \
    "circle{stroke:var(--back);stroke-width:1}\n"

static const char base_style[] =
    ":root{color-scheme:light dark;" LIGHT "}\n"
    "@media (prefers-color-scheme:dark){:root{" DARK "}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0 auto;max-width:60rem;padding:1.5rem 1.25rem 3rem;background:var(--back);color:var(--text);"
    "font:15px/1.5 system-ui,sans-serif;font-variant-numeric:tabular-nums}\n"
    "h1{font-size:1.5rem;margin:0 0 .25rem;overflow-wrap:anywhere}\n"
    "h2{font-size:1.25rem;margin:2.5rem 0 .75rem;overflow-wrap:anywhere}\n"
    "h3{font-size:1rem;margin:2rem 0 .5rem}header+table{margin-top:1rem}\n"
    "p{margin:.25rem 0}.soft,figcaption,small{color:var(--soft)}small{font-size:.8rem}figure{margin:0}\n"
    "a{color:inherit}\n"
    ".tiles{display:grid;grid-template-columns:repeat(auto-fit,minmax(8.5rem,1fr));gap:.5rem;margin:1rem 0;padding:0}\n"
    ".tiles div{background:var(--card);border-radius:.5rem;padding:.6rem .75rem}\n"
    ".tiles dt{color:var(--soft);font-size:.8rem}.tiles dd{margin:0;font-size:1.15rem;font-weight:600}\n"
    ".key{display:flex;flex-wrap:wrap;gap:.25rem 1rem;padding:0;margin:.25rem 0;list-style:none;font-size:.85rem}\n"
    ".key i,.key b{display:inline-block;width:.7rem;height:.7rem;border-radius:50%;margin-right:.4rem}\n"
    ".key b{border-radius:2px}\n"
    "svg{width:100%;height:auto;display:block}svg.narrow{display:none}\n" PICTURES COLOURS
    "table{border-collapse:collapse;width:100%;font-size:.85rem}\n"
    "th,td{padding:.3rem .5rem;text-align:right;border-bottom:1px solid var(--line);vertical-align:top}\n"
    "th{color:var(--soft);font-weight:600;vertical-align:bottom}tfoot td{font-weight:600;border:0}\n"
    ".name{text-align:left;overflow-wrap:anywhere;min-width:8.5rem}td small{display:block;line-height:1.3}\n"
    "@media (max-width:40rem){body{padding:1rem .9rem 2rem}.wide{display:none}svg.narrow{display:block}"
    "th,td{padding:.3rem .3rem}}\n";

const char page_svg_style[] = "svg{" LIGHT ";font-family:system-ui,sans-serif;background:var(--back)}\n"
                              "@media (prefers-color-scheme:dark){svg{" DARK "}}\n" PICTURES COLOURS;

/* ---------------------------------------------------------------- words and numbers */

void page_text(FILE *out, const char *text)
{
    char *clean = text_clean(text);
    for (const char *c = clean; *c; c++) {
        const char *reference = *c == '&'   ? "&amp;"
                                : *c == '<' ? "&lt;"
                                : *c == '>' ? "&gt;"
                                : *c == '"' ? "&quot;"
                                            : NULL;
        if (reference)
            fputs(reference, out);
        else
            fputc(*c, out);
    }
    free(clean);
}

const char *page_number(double v, char buffer[PAGE_NUMBER])
{
    snprintf(buffer, PAGE_NUMBER, "%.*f", v >= 99.95 ? 0 : v >= 9.995 ? 1 : 2, v);
    return buffer;
}

const char *page_file_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

void page_tile_text(FILE *out, const char *title, const char *text)
{
    fprintf(out, "<div><dt>%s</dt><dd>", title);
    page_text(out, text);
    fputs("</dd></div>\n", out);
}

void page_tile(FILE *out, const char *title, double value, const char *unit)
{
    char number[PAGE_NUMBER];
    fprintf(out, "<div><dt>%s</dt><dd>%s %s</dd></div>\n", title, page_number(value, number), unit);
}

void page_cell(FILE *out, bool known, double value, const char *class)
{
    char number[PAGE_NUMBER];
    fprintf(out, "<td class=\"%s\">%s</td>", class, known ? page_number(value, number) : "–");
}

void page_percent(FILE *out, bool known, double share)
{
    if (known)
        fprintf(out, "<td>%.0f %%</td>", 100 * share);
    else
        fputs("<td>–</td>", out);
}

/* ---------------------------------------------------------------- begin and end */

void page_begin(FILE *out, const char *program, const char *title, const char *style)
{
    fprintf(out,
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n"
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"/>\n<title>%s: ",
            program);
    page_text(out, title);
    fprintf(out, "</title>\n<style>\n%s%s</style>\n</head>\n<body>\n<header>\n<h1>", base_style, style);
    page_text(out, title);
    fputs("</h1>\n", out);
}

void page_device(FILE *out, const sepcl_device_info *device)
{
    char         date[32] = "";
    struct tm    tm;
    const time_t now = time(NULL);
    if (gmtime_r(&now, &tm))
        strftime(date, sizeof(date), "%Y-%m-%d %H:%M UTC", &tm);
    fputs("<p class=\"soft\">", out);
    page_text(out, device->name);
    fputs(", driver ", out);
    page_text(out, device->driver_version);
    fprintf(out, ", sepcl %s, %s</p>\n", sepcl_version(), date);
}

void page_end(FILE *out)
{
    fputs("</body>\n</html>\n", out);
}

char *page_write(void (*write)(FILE *out, const void *what), const void *what)
{
    char  *text = NULL;
    size_t size;
    FILE  *out = need(open_memstream(&text, &size));
    write(out, what);
    const bool ok = !ferror(out);
    return need(fclose(out) == 0 && ok ? text : NULL);
}
