"""Boxes that detection networks begin with: they follow from the sizes of images alone, and become constants."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Annotated

import numpy as np

from ....compiler.budget import reserve
from ....compiler.ir import Value
from ....compiler.types import Array, DType
from ...common.schema import Since
from ..emitter import Emitter
from ..registry import openvino_op

Floats = tuple[float, ...]


def _laid_out(
    emit: Emitter, layer: Value, image: Value, half_sizes: Array, step: tuple[float, float], offset: float
) -> tuple[Array, tuple[int, int]]:
    """Return corners ``[rows, columns, boxes, 4]`` of boxes around the centres of cells, and the image's size."""
    (rows, columns), (height, width) = emit.ints(layer, "layer_shape")[-2:], emit.ints(image, "image_shape")[-2:]
    reserve(rows, columns, len(half_sizes), 4, what="the boxes")
    steps = [s or size / count for s, size, count in zip(step, (height, width), (rows, columns), strict=True)]
    y, x = ((np.arange(count) + offset) * s for count, s in zip((rows, columns), steps, strict=True))
    centres = np.stack(np.broadcast_arrays(x[None, :, None], y[:, None, None]), -1)
    w, h = half_sizes[:, 0], half_sizes[:, 1]
    low = centres - np.stack([w, h], -1)
    return np.concatenate([low, centres + np.stack([w, h], -1)], -1), (height, width)


def _finished(emit: Emitter, corners: Array, variance: Sequence[float], *, clip: bool) -> Value:
    """Insert the corners, and for each the numbers by which its shifts are divided."""
    boxes = np.clip(corners, 0, 1) if clip else corners
    flat = boxes.reshape(-1)
    factors = tuple(variance) or (0.1,)
    each = factors * 4 if len(factors) == 1 else factors
    return emit.const(np.stack([flat, np.resize(np.asarray(each), flat.shape)]), DType.F32)


@openvino_op("PriorBoxClustered")
def prior_box_clustered(
    emit: Emitter,
    layer: Value,
    image: Value,
    *,
    width: Floats,
    height: Floats,
    clip: bool = False,
    step: float = 0.0,
    step_w: float = 0.0,
    step_h: float = 0.0,
    offset: float,
    variance: Floats = (),
) -> Value:
    """PriorBoxClustered: boxes of stated widths and heights around the centre of each cell of a layer."""
    if len(width) != len(height):
        raise emit.fail(f"has {len(width)} widths and {len(height)} heights", code="F002")
    halves = np.asarray([(w / 2, h / 2) for w, h in zip(width, height, strict=True)])
    steps = (step, step) if step_w == 0 and step_h == 0 else (step_h, step_w)
    corners, (rows, columns) = _laid_out(emit, layer, image, halves, steps, offset)
    return _finished(emit, corners / [columns, rows, columns, rows], variance, clip=clip)


@openvino_op("PriorBox")
def prior_box(
    emit: Emitter,
    layer: Value,
    image: Value,
    *,
    min_size: Floats = (),
    max_size: Floats = (),
    aspect_ratio: Floats = (),
    density: Floats = (),
    fixed_ratio: Floats = (),
    fixed_size: Floats = (),
    clip: bool = False,
    flip: bool = False,
    step: float = 0.0,
    offset: float,
    variance: Floats = (),
    scale_all_sizes: bool = True,
    min_max_aspect_ratios_order: Annotated[bool, Since(8)] = True,
) -> Value:
    """Boxes of stated sizes and ratios, the square of the largest size second or last."""
    if density or fixed_ratio or fixed_size:
        raise emit.fail("lays boxes of fixed sizes densely")
    ratios = _ratios(aspect_ratio, flip=flip)
    sizes = _sizes(
        min_size, max_size, ratios, scale_all_sizes=scale_all_sizes, max_last=not min_max_aspect_ratios_order
    )
    return _prior_boxes(emit, layer, image, sizes, (step, offset, variance, clip))


def _ratios(given: Floats, *, flip: bool) -> list[float]:
    """Return different ratios of width to height, 1 first; with ``flip`` also their inverses."""
    found = [1.0]
    for ratio in given:
        if all(abs(ratio - other) > 1e-6 for other in found):
            found += [ratio, *([1 / ratio] if flip else [])]
    return found


def _sizes(
    least: Floats, largest: Floats, ratios: list[float], *, scale_all_sizes: bool, max_last: bool = False
) -> list[tuple[float, float]]:
    """Return widths and heights: of each least size, its square, that of the mean with the largest one, its ratios."""
    found: list[tuple[float, float]] = []
    for i, size in enumerate(least):
        square = [(size, size)]
        side = math.sqrt(size * largest[i]) if i < len(largest) else 0.0
        mean = [(side, side)] if i < len(largest) and scale_all_sizes else []
        others = [(size * math.sqrt(r), size / math.sqrt(r)) for r in ratios if abs(r - 1) > 1e-6]
        if not scale_all_sizes and i < len(least) - 1:
            others = []
        found += [*square, *others, *mean] if max_last else [*square, *mean, *others]
    sides = [] if scale_all_sizes else [math.sqrt(least[0] * size) for size in largest[:1]]
    return [*found, *((side, side) for side in sides)]


def _prior_boxes(
    emit: Emitter,
    layer: Value,
    image: Value,
    sizes: list[tuple[float, float]],
    how: tuple[float, float, Floats, bool],
) -> Value:
    step, offset, variance, clip = how
    halves = np.asarray(sizes).reshape(-1, 2) / 2
    corners, (height, width) = _laid_out(emit, layer, image, halves, (step, step), offset)
    return _finished(emit, corners / [width, height, width, height], variance, clip=clip)
