# SPDX-License-Identifier: Apache-2.0
"""look.py BROWSER WORK PAGE...: opens pages in headless Chromium as a phone and as a desktop has them, light and dark.

A page has to draw something, be dark where dark is asked for, fit a phone's width, fetch nothing, and leave the console empty.
The pictures stay in WORK.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

from PIL import Image, ImageStat

WIDTHS = {"phone": 390, "desktop": 1280}
HEIGHT = 1600
SCHEMES = {"light": 1, "dark": 0}  # Blink's numbers of preferred colour schemes
# the document's width beside the window's, for what sticks out of a phone; and whatever it fetched
MEASURE = """<script>addEventListener("load", () => { document.title = "widths " +
document.documentElement.scrollWidth + " " + innerWidth + " fetched " +
performance.getEntriesByType("resource").length; });</script>"""


def browse(browser, width, scheme, page, *options):
    with tempfile.TemporaryDirectory() as profile:
        command = [browser, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
                   "--enable-logging=stderr", f"--user-data-dir={profile}", f"--window-size={width},{HEIGHT}",
                   f"--blink-settings=preferredColorScheme={SCHEMES[scheme]}", *options, page.resolve().as_uri()]
        done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode:
        raise SystemExit(f"{browser} ended with {done.returncode}: {done.stderr[-2000:]}")
    console = [line for line in done.stderr.splitlines() if "CONSOLE" in line]
    if console:
        raise SystemExit(f"{page.name}, {width} wide, {scheme}: the console says {console[0]}")
    return done.stdout


def brightness(picture, width, where):
    with Image.open(picture) as image:
        if image.size != (width, HEIGHT):
            raise SystemExit(f"{where}: the picture is {image.size}, expected {width}x{HEIGHT}")
        gray = ImageStat.Stat(image.convert("L"))
    if gray.stddev[0] < 3:
        raise SystemExit(f"{where}: nothing is drawn")
    return gray.mean[0]


def look(browser, work, page):
    probe = work / f"{page.stem}-probe.html"
    probe.write_text(page.read_text(encoding="utf-8") + MEASURE, encoding="utf-8")
    for device, width in WIDTHS.items():
        bright = {}
        for scheme in SCHEMES:
            where = f"{page.name}, {device}, {scheme}"
            picture = work / f"{page.stem}-{device}-{scheme}.png"
            browse(browser, width, scheme, page, f"--screenshot={picture}")
            bright[scheme] = brightness(picture, width, where)
        if not bright["dark"] < 100 < 180 < bright["light"]:
            raise SystemExit(f"{page.name}, {device}: mean brightness {bright} of 255")
        said = re.search(r"<title>widths (\d+) (\d+) fetched (\d+)</title>",
                         browse(browser, width, "light", probe, "--dump-dom"))
        if not said:
            raise SystemExit(f"{page.name}, {device}: no answer from the page")
        whole, window, fetched = map(int, said.groups())
        if window != width or whole > window or fetched:
            raise SystemExit(f"{page.name}, {device}: {whole} wide in a window of {window}, {fetched} files fetched")


def main():
    browser, work, pages = sys.argv[1], pathlib.Path(sys.argv[2]), sys.argv[3:]
    if not pages:
        raise SystemExit(__doc__)
    work.mkdir(parents=True, exist_ok=True)
    for page in pages:
        look(browser, work, pathlib.Path(page))
    print(f"{len(pages)} pages, {2 * len(pages)} widths, light and dark")


main()
