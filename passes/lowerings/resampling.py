"""In which of the kernels' coordinate modes a resize gives the same positions.

The kernels know three: ``half_pixel``, ``align_corners`` and ``asymmetric``.  The source's rules are more, but
many agree for the sizes at hand; where sizes are numbers, positions are compared instead of names.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from ...compiler.budget import reserve
from ...compiler.dims import is_static, static
from ...compiler.ops.spatial import COORDINATES, ROUND, Resize
from ...compiler.types import Array

MODES = ("half_pixel", "align_corners", "asymmetric")

TOLERANCE = 1e-6
"""Of positions in the operand, relative to its size."""


@dataclass(frozen=True, slots=True)
class ResizedAxis:
    """One axis of a resize, its sizes being known: before, after, stated ratio, rules for positions and rounding."""

    size: int
    out: int
    scale: float | None
    coordinates: str
    nearest: str | None

    @staticmethod
    def of(op: Resize, i: int) -> ResizedAxis:
        """Return how a resize samples its ``i``-th axis: sizes, scale, rounding."""
        (size, out) = static((op.x.type.shape[op.dims[i]], op.sizes[i]))
        scale = op.scales[i] if op.scales else None
        return ResizedAxis(size, out, scale, op.coordinates, op.nearest if op.mode == "nearest" else None)

    def positions(self) -> Array:
        """Where the result's positions lie in the operand."""
        reserve(self.out, what="the positions of the result")
        scale = self.out / self.size if self.scale is None else self.scale
        return COORDINATES[self.coordinates](np.arange(self.out, dtype=np.float64), scale, self.size, self.out)

    def nearest_positions(self) -> Array:
        """Return the positions of the elements that the nearest mode takes, one per result."""
        assert self.nearest is not None
        return np.clip(ROUND[self.nearest](self.positions()), 0, self.size - 1).astype(np.int64)


def kernel_mode(op: Resize) -> str | None:
    """Return the mode in which the kernel does what a resize says, None if there is none."""
    if op.mode == "cubic" or (op.mode == "linear" and (op.antialias or op.exclude_outside)):
        return None
    if is_static((*(op.x.type.shape[a] for a in op.dims), *op.sizes)):
        axes = [ResizedAxis.of(op, i) for i in range(len(op.dims))]
        return next((m for m in MODES if all(_agrees(axis, m) for axis in axes)), None)
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


@lru_cache(maxsize=1 << 12)
def _agrees(axis: ResizedAxis, mode: str) -> bool:
    size, out = axis.size, axis.out
    if axis.nearest is not None:
        return bool(np.array_equal(axis.nearest_positions(), _kernel_nearest(mode, size, out)))
    given = COORDINATES[mode](np.arange(out, dtype=np.float64), out / size, size, out)
    wanted, given = (np.clip(a, 0, size - 1) for a in (axis.positions(), given))
    return bool(np.allclose(wanted, given, rtol=0, atol=TOLERANCE * size))


def _kernel_nearest(mode: str, size: int, out: int) -> Array:
    """What the kernel takes, in its own single precision."""
    reserve(out, bits=32, what="the positions of the result")
    at = np.arange(out, dtype=np.float32)
    if mode == "align_corners" and out > 1:
        found = np.floor(at * np.float32((size - 1) / (out - 1)) + np.float32(0.5))
    else:
        offset = np.float32(0.5 if mode == "half_pixel" else 0)
        found = np.floor((at + offset) * np.float32(size / out))
    return np.minimum(found, size - 1).astype(np.int64)
