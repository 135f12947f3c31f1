"""In which of the kernels' coordinate modes a resize gives the same positions.

The kernels know three: ``half_pixel``, ``align_corners`` and ``asymmetric``.  The source's rules are more, but
many agree for the sizes at hand; where sizes are numbers, positions are compared instead of names.
"""

from __future__ import annotations

from typing import cast

import numpy as np

from ...compiler.dims import is_static
from ...compiler.ops.spatial import COORDINATES, ROUND, Resize
from ...compiler.types import Array

MODES = ("half_pixel", "align_corners", "asymmetric")

TOLERANCE = 1e-6
"""Of positions in the operand, relative to its size."""


def kernel_mode(op: Resize) -> str | None:
    """Return the mode in which the kernel does what a resize says, None if there is none."""
    if op.mode == "cubic" or (op.mode == "linear" and (op.antialias or op.exclude_outside)):
        return None
    before = tuple(op.x.type.shape[a] for a in op.dims)
    if is_static(before) and is_static(op.sizes):
        pairs = cast("list[tuple[int, int]]", list(zip(before, op.sizes, strict=True)))
        return next((m for m in MODES if _agrees(op, m, pairs)), None)
    if op.scales is not None:
        return None
    if op.mode == "linear":
        return op.coordinates if op.coordinates in MODES else None
    return _BY_NAME.get((op.coordinates, op.nearest))


_BY_NAME = {
    ("half_pixel_floor", "floor"): "half_pixel",
    ("asymmetric", "floor"): "asymmetric",
    ("align_corners", "round_prefer_ceil"): "align_corners",
}
"""Kernels' modes for nearest elements, where sizes are not known."""


def _agrees(op: Resize, mode: str, sizes: list[tuple[int, int]]) -> bool:
    return all(_axis_agrees(op, i, mode, *pair) for i, pair in enumerate(sizes))


def _axis_agrees(op: Resize, i: int, mode: str, size: int, out: int) -> bool:
    if op.mode == "nearest":
        return bool(np.array_equal(nearest_positions(op, i, size, out), _kernel_nearest(mode, size, out)))
    wanted = np.clip(positions(op, i, size, out), 0, size - 1)
    scale = out / size
    given = np.clip(COORDINATES[mode](np.arange(out, dtype=np.float64), scale, size, out), 0, size - 1)
    return bool(np.allclose(wanted, given, rtol=0, atol=TOLERANCE * size))


def positions(op: Resize, i: int, size: int, out: int) -> Array:
    """Where the result's positions lie along the ``i``-th resized axis."""
    scale = op.scales[i] if op.scales else out / size
    return COORDINATES[op.coordinates](np.arange(out, dtype=np.float64), scale, size, out)


def nearest_positions(op: Resize, i: int, size: int, out: int) -> Array:
    """Which elements are taken along the ``i``-th resized axis."""
    return np.clip(ROUND[op.nearest](positions(op, i, size, out)), 0, size - 1).astype(np.int64)


def _kernel_nearest(mode: str, size: int, out: int) -> Array:
    """What the kernel takes, in its own single precision."""
    at = np.arange(out, dtype=np.float32)
    if mode == "align_corners" and out > 1:
        found = np.floor(at * np.float32((size - 1) / (out - 1)) + np.float32(0.5))
    else:
        offset = np.float32(0.5 if mode == "half_pixel" else 0)
        found = np.floor((at + offset) * np.float32(size / out))
    return np.minimum(found, size - 1).astype(np.int64)
