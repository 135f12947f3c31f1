"""The nearest elements of an axis whose sizes are known when the network runs only: their places, computed exactly."""

from __future__ import annotations

from collections.abc import Callable

from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.shape import Range
from ...compiler.ops.spatial import Resize
from ...compiler.types import DType

Ratio = tuple[Value, Value]
"""A numerator and a positive denominator."""


def _half_pixel(i: Value, size: Value, out: Value, e: Build) -> Ratio:
    """Return ``(i + 1/2) size / out - 1/2``."""
    odd = e(arith.Add, e(arith.Mul, i, 2), 1)
    return e(arith.Sub, e(arith.Mul, odd, size), out), e(arith.Mul, out, 2)


def _half_pixel_floor(i: Value, size: Value, out: Value, e: Build) -> Ratio:
    """Return ``(i + 1/2) size / out``."""
    return e(arith.Mul, e(arith.Add, e(arith.Mul, i, 2), 1), size), e(arith.Mul, out, 2)


def _asymmetric(i: Value, size: Value, out: Value, e: Build) -> Ratio:
    """Return ``i size / out``."""
    return e(arith.Mul, i, size), out


def _align_corners(i: Value, size: Value, out: Value, e: Build) -> Ratio:
    """Return ``i (size - 1) / (out - 1)``; of a single position the first one."""
    return e(arith.Mul, i, e(arith.Sub, size, 1)), e(arith.Max, e(arith.Sub, out, 1), 1)


RATIOS: dict[str, Callable[[Value, Value, Value, Build], Ratio]] = {
    "half_pixel": _half_pixel,
    "half_pixel_floor": _half_pixel_floor,
    "asymmetric": _asymmetric,
    "align_corners": _align_corners,
}
"""Where position ``i`` of ``out`` lies among ``size``, by the names of coordinates."""


def nearest_places(op: Resize, e: Build) -> Value:
    """Insert which elements are taken along the only resized axis."""
    size, out = (e.size(d, DType.I32) for d in (op.x.type.shape[op.dims[0]], op.sizes[0]))
    i = e(Range, e.number(0, DType.I32), e.number(1, DType.I32), op.sizes[0])
    top, bottom = RATIOS[op.coordinates](i, size, out, e)
    return e(arith.Max, e(arith.Min, _rounded(op.nearest, top, bottom, e), e(arith.Sub, size, 1)), 0)


def _rounded(how: str, top: Value, bottom: Value, e: Build) -> Value:
    """Divide and round; halves are told apart by doubling both."""
    if how.startswith("round"):
        top, bottom = e(arith.Mul, top, 2), e(arith.Mul, bottom, 2)
        half = e(arith.FloorDiv, bottom, 2)
        top = e(arith.Sub if how == "round_prefer_floor" else arith.Add, top, half)
    if how in ("ceil", "round_prefer_floor"):
        return e(arith.Neg, e(arith.FloorDiv, e(arith.Neg, top), bottom))
    return e(arith.FloorDiv, top, bottom)
