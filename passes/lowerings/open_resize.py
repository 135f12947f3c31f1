"""Resampling between sizes of which one is open: positions are computed when the network runs, in integers.

A position in the operand is a ratio of integers, so that rounding is exact: ``i / 1.5`` is ``2 i / 3``.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

import numpy as np

from ...compiler.dims import Dim, is_static, maximum
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.arith import Add, Cast, Div, FloorDiv, Max, Min, Mul, Sub
from ...compiler.ops.index import Gather
from ...compiler.ops.shape import Range
from ...compiler.ops.spatial import Resize
from ...compiler.rewrite import NoMatch
from ...compiler.types import DType
from .registry import lower
from .resize import runs_as_image

MAX_RATIO = 1 << 12
"""Of numerators and denominators: what they are multiplied with stays within 32 bits."""


@dataclass(frozen=True)
class _Positions:
    """Where the result's positions lie in the operand: ``over / under``, the first a vector."""

    over: Value
    under: Dim
    build: Build

    def down(self, twice: int = 1, more: Dim = 0) -> Value:
        """Return ``(twice * over + more) / (twice * under)``, rounded down."""
        e = self.build
        top = self.over if twice == 1 else e(Mul, self.over, twice)
        if more != 0:
            top = e(Add, top, e.size(more, DType.I32))
        return e(FloorDiv, top, e.size(self.under * twice, DType.I32))

    def rounded(self, rule: str) -> Value:
        """Return the positions, rounded by a rule of :data:`~nhwcc.compiler.ops.spatial.ROUND`."""
        if rule == "floor":
            return self.down()
        if rule == "round_prefer_ceil":
            return self.down(2, self.under)
        e = self.build
        negative = _Positions(e(Sub, 0, self.over), self.under, e)
        return e(Sub, 0, negative.down() if rule == "ceil" else negative.down(2, self.under))


@lower(Resize)
def one_axis_by_positions(op: Resize, e: Build) -> None:
    """An open size that no kernel resamples: take the nearest elements, or the two around a position, weighted."""
    if len(op.dims) != 1 or runs_as_image(op, e) or is_static((op.x.type.shape[op.dims[0]], *op.sizes)):
        return
    e.require(op.mode in ("nearest", "linear") and not op.antialias, f"{op.mode} resampling of open sizes")
    e.require(op.mode == "nearest" or op.x.type.dtype.is_float, "linear resampling of integers of open sizes")
    e.require(not op.exclude_outside, "weights for positions inside only, of open sizes")
    (axis,), size = op.dims, op.x.type.shape[op.dims[0]]
    at = _positions(op, size, e)
    if op.mode == "nearest":
        e.replace(e(Gather, op.x, _clipped(at.rounded(op.nearest), size, e), axis=axis))
        return
    low, dtype = at.down(), op.x.type.dtype
    part = e(Sub, at.over, e(Mul, low, e.size(at.under, DType.I32)))
    share = e(Div, e(Cast, part, dtype), e(Cast, e.size(at.under, DType.I32), dtype))
    weight = e.reshape(share, (*op.sizes, *(1,) * (op.x.type.rank - axis - 1)))
    first, second = (e(Gather, op.x, _clipped(places, size, e), axis=axis) for places in (low, e(Add, low, 1)))
    e.replace(e(Add, first, e(Mul, e(Sub, second, first), weight)))


def _clipped(places: Value, size: Dim, e: Build) -> Value:
    return e(Min, e(Max, places, 0), e(Sub, e.size(size, DType.I32), 1))  # never a tensor of size zero


def _positions(op: Resize, size: Dim, e: Build) -> _Positions:
    """Return where the result's positions lie, by the rules of :data:`~nhwcc.compiler.ops.spatial.COORDINATES`."""
    (out,), over, under = op.sizes, op.sizes[0], size
    if op.scales is not None:
        ratio = Fraction(float(np.float32(op.scales[0])))
        e.require(max(ratio.numerator, ratio.denominator) <= MAX_RATIO, f"a ratio of {op.scales[0]} between open sizes")
        over, under = ratio.numerator, ratio.denominator
    places = e(Range, e.number(0, DType.I32), e.number(1, DType.I32), out)
    match op.coordinates:
        case "asymmetric":
            return _Positions(_times(places, under, e), over, e)
        case "align_corners":
            last = over * size - under if op.scales is not None else out - 1
            top = e(Mul, places, e(Sub, e.size(size, DType.I32), 1))
            return _Positions(_times(top, 1 if op.scales is None else under, e), maximum(last, 1), e)
        case "half_pixel" | "pytorch_half_pixel" | "half_pixel_floor":
            middle = _times(e(Add, e(Mul, places, 2), 1), under, e)
            shifted = middle if op.coordinates == "half_pixel_floor" else e(Sub, middle, e.size(over, DType.I32))
            if op.coordinates == "pytorch_half_pixel":
                shifted = e(Mul, shifted, e(Min, e(Sub, e.size(out, DType.I32), 1), 1))
            return _Positions(shifted, over * 2, e)
        case other:
            raise NoMatch(f"{op.mode} resampling with {other} positions of open sizes")


def _times(value: Value, factor: Dim, e: Build) -> Value:
    return value if factor == 1 else e(Mul, value, e.size(factor, DType.I32))
