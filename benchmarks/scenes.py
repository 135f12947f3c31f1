"""Scenes with something to find: faces and signs on parts of photographs, pages with text, pictures and tables.

Faces are those that scikit-image brings along, 25 pixels wide; those for calibration are others than those held back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cache

import numpy as np
from nhwcc.compiler.types import Array
from PIL import Image, ImageDraw, ImageFont

from benchmarks.pictures import CALIBRATION, SCIKIT_IMAGE, WORDS, crops
from examples.trained import Source, fetch_source

FACES = 100
"""How many of the pictures in scikit-image's file are faces; even ones are for calibration, odd ones are held back."""

SIGNS = "ABCDEFGHJKLMNPRSTUVWXYZ23456789"


@cache
def _faces() -> Array:
    package, version, folder, licence = SCIKIT_IMAGE
    found: Array = np.load(fetch_source(Source(package, version, f"{folder}/lfw_subset.npy", licence)))
    return found[:FACES]


def faces(names: Sequence[str], count: int, size: tuple[int, int], seed: int) -> Iterator[Array]:
    """Yield parts of photographs with one or two faces on them, ``[height, width, 3]``, f32 from 0 to 1."""
    rng = np.random.default_rng(seed)
    known = _faces()[0 if names is CALIBRATION else 1 :: 2]
    for background in crops(names, count, size, seed):
        image = Image.fromarray((background * 255).astype(np.uint8))
        for half in range(int(rng.integers(1, 3))):
            side = int(rng.integers(60, 110))
            face = Image.fromarray((known[rng.integers(len(known))] * 255).astype(np.uint8))
            left = half * size[1] // 2 + int(rng.integers(0, size[1] // 2 - side))
            place = (left, int(rng.integers(0, size[0] - side)))
            image.paste(face.resize((side, side), Image.Resampling.BICUBIC).convert("RGB"), place)
        yield np.asarray(image, np.float32) / 255


def signs(names: Sequence[str], count: int, size: tuple[int, int], seed: int) -> Iterator[Array]:
    """Yield parts of photographs with three to five letters on them, turned, ``[height, width, 3]``, from 0 to 1."""
    rng = np.random.default_rng(seed)
    for background in crops(names, count, size, seed):
        image = Image.fromarray((background * 255).astype(np.uint8))
        many = int(rng.integers(3, 6))
        width = size[1] // many
        for i in range(many):
            side = int(rng.integers(50, min(width, 100)))
            sign = Image.new("L", (side, side))
            font = ImageFont.load_default(side * 0.9)
            ImageDraw.Draw(sign).text((side / 2, side / 2), str(rng.choice(list(SIGNS))), 255, font, anchor="mm")
            turned = sign.rotate(float(rng.uniform(-30, 30)))
            left = i * width + int(rng.integers(0, width - side + 1))
            colour = tuple(int(c) for c in rng.integers(0, 256, 3))
            image.paste(Image.new("RGB", (side, side), colour), (left, int(rng.integers(0, size[0] - side))), turned)
        yield np.asarray(image, np.float32) / 255


def pages(names: Sequence[str], count: int, size: tuple[int, int], seed: int) -> Iterator[Array]:
    """Yield pages with a headline, paragraphs, a photograph and a table, ``[height, width, 3]``, f32 from 0 to 1."""
    rng = np.random.default_rng(seed)
    for photograph in crops(names, count, (size[0] // 4, size[1] // 2), seed):
        page = Image.new("RGB", (size[1], size[0]), (int(rng.integers(235, 256)),) * 3)
        draw, left, right = ImageDraw.Draw(page), size[1] // 12, size[1] - size[1] // 12
        top = int(rng.integers(20, 60))
        draw.text((left, top), " ".join(rng.choice(WORDS, 4)), 0, ImageFont.load_default(30))
        top += 60
        blocks = [_paragraph, _paragraph, _table, _photograph]
        for i in map(int, rng.permutation(len(blocks))):
            top = blocks[i](page, (left, right, top), photograph, rng) + int(rng.integers(15, 40))
        yield np.asarray(page, np.float32) / 255


Place = tuple[int, int, int]
"""Left end, right end, top."""


def _paragraph(page: Image.Image, place: Place, _: Array, rng: np.random.Generator) -> int:
    left, right, top = place
    font, draw = ImageFont.load_default(13), ImageDraw.Draw(page)
    for _row in range(int(rng.integers(4, 9))):
        line = ""
        while draw.textlength(line, font) < right - left - 40:
            line += f"{rng.choice(WORDS)} "
        draw.text((left, top), line, 20, font)
        top += 18
    return top


def _table(page: Image.Image, place: Place, _: Array, rng: np.random.Generator) -> int:
    left, right, top = place
    draw, font = ImageDraw.Draw(page), ImageFont.load_default(12)
    rows, columns = int(rng.integers(4, 8)), int(rng.integers(3, 6))
    for _row in range(rows):
        for column in range(columns):
            x = left + column * (right - left) // columns
            draw.rectangle((x, top, x + (right - left) // columns, top + 20), outline=0)
            draw.text((x + 5, top + 3), str(rng.choice(WORDS)), 0, font)
        top += 20
    return top


def _photograph(page: Image.Image, place: Place, photograph: Array, _: np.random.Generator) -> int:
    left, right, top = place
    image = Image.fromarray((photograph * 255).astype(np.uint8))
    page.paste(image, ((left + right - image.width) // 2, top))
    return top + image.height
