#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws one line of text, dark on light, as a PNG of 192 x 48, and the same turned by 180 degrees.

    draw_text.py UPRIGHT.png TURNED.png [TEXT]
"""
import argparse

from PIL import Image, ImageDraw, ImageFont

SIZE = (192, 48)


def font_for(text):
    """The largest size at which the text fits; Pillow brings a font of its own."""
    for points in range(36, 8, -1):
        font = ImageFont.load_default(points)
        left, top, right, bottom = font.getbbox(text)
        if right - left <= SIZE[0] - 12 and bottom - top <= SIZE[1] - 10:
            return font, (left, top, right, bottom)
    raise SystemExit(f"draw_text: '{text}' does not fit into {SIZE[0]} x {SIZE[1]} pixels")


def draw(text):
    picture = Image.new("RGB", SIZE, (247, 244, 238))
    font, (left, top, right, bottom) = font_for(text)
    at = ((SIZE[0] - right - left) / 2, (SIZE[1] - bottom - top) / 2)
    ImageDraw.Draw(picture).text(at, text, font=font, fill=(32, 38, 52))
    return picture


def main():
    parser = argparse.ArgumentParser(description="Draw text upright and turned.")
    parser.add_argument("upright")
    parser.add_argument("turned")
    parser.add_argument("text", nargs="?", default="Hello, OpenCL")
    arguments = parser.parse_args()
    picture = draw(arguments.text)
    picture.save(arguments.upright)
    picture.transpose(Image.Transpose.ROTATE_180).save(arguments.turned)


if __name__ == "__main__":
    main()
