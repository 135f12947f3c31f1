"""Real inputs for trained networks: crops of photographs, lines of rendered text, rows of common words.

The photographs lie inside of scikit-image and scikit-learn, which are fetched for them; those that networks are
calibrated on are others than those that are held back.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from nhwcc.compiler.types import Array
from PIL import Image, ImageDraw, ImageFont

from examples.trained import Source, fetch_source

SCIKIT_IMAGE = ("scikit-image", "0.26.0", "skimage/data", "BSD-3-Clause")
SCIKIT_LEARN = ("scikit-learn", "1.9.1", "sklearn/datasets/images", "BSD-3-Clause")

CALIBRATION = (
    *("astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg", "brick.png", "coins.png", "motorcycle_left.png"),
    *("page.png", "retina.jpg", "ihc.png", "camera.png", "moon.png", "china.jpg"),
)
HELD_BACK = (
    *("hubble_deep_field.jpg", "color.png", "motorcycle_right.png", "grass.png", "gravel.png", "cell.png"),
    "flower.jpg",
)

WORDS = (
    *("the", "quick", "brown", "fox", "jumps", "over", "a", "lazy", "dog", "while", "rain", "falls", "on", "old"),
    *("stone", "bridges", "in", "May", "2024", "for", "365", "days"),
)


def photograph(name: str) -> Path:
    """Return the file of a photograph."""
    package, version, folder, licence = SCIKIT_LEARN if name in ("china.jpg", "flower.jpg") else SCIKIT_IMAGE
    return fetch_source(Source(package, version, f"{folder}/{name}", licence))


def crops(names: Sequence[str], count: int, size: tuple[int, int], seed: int) -> Iterator[Array]:
    """Yield square parts of photographs, ``[height, width, 3]``, f32 from 0 to 1."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        image = Image.open(photograph(names[i % len(names)])).convert("RGB")
        side = min(image.size) * rng.uniform(0.5, 1)
        left, top = (rng.uniform(0, s - side) for s in image.size)
        part = image.crop((int(left), int(top), int(left + side), int(top + side))).resize((size[1], size[0]))
        yield np.asarray(part, np.float32) / 255


def text_lines(names: Sequence[str], count: int, size: tuple[int, int], seed: int) -> Iterator[Array]:
    """Yield lines of words on parts of photographs, ``[height, width, 3]``, f32 from 0 to 1."""
    rng = np.random.default_rng(seed)
    for background in crops(names, count, size, seed):
        image = Image.fromarray((background * 255).astype(np.uint8))
        light = background.mean() > 0.5
        words = " ".join(rng.choice(WORDS, 3))
        place = (int(rng.integers(2, 12)), int(rng.integers(0, max(size[0] // 5, 1))))
        fill = tuple(int(c) for c in (rng.integers(0, 60, 3) if light else rng.integers(200, 256, 3)))
        ImageDraw.Draw(image).text(place, words, fill, ImageFont.load_default(size[0] * 0.6))
        yield np.asarray(image, np.float32) / 255


def word_rows(count: int, length: int, seed: int) -> Iterator[tuple[Array, Array]]:
    """Yield numbers of common words of BERT's vocabulary with their mask: rows of different lengths, padded."""
    rng = np.random.default_rng(seed)
    for _ in range(count):
        used = int(rng.integers(6, length))
        ids = np.zeros((1, length), np.int64)
        ids[0, :used] = [101, *rng.integers(1996, 5000, used - 2), 102]
        yield ids, (np.arange(length) < used).astype(np.int64)[None]
