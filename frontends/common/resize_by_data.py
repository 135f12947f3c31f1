"""Resampling by factors that data decides about: positions and weights are computed when the network runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce

from ...compiler.dims import Dim
from ...compiler.ir import Value
from ...compiler.ops.arith import Abs, Add, Ceil, Div, Floor, Max, Min, Mul, Sub
from ...compiler.ops.index import Gather
from ...compiler.ops.logic import GreaterEqual, LessEqual, LogicalAnd, Select
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Range, Slice
from ...compiler.types import DType
from ..bound import Bounds, Element, bind
from .axes_by_data import shape_vector
from .operands import OperandEmitter

F32 = DType.F32


@dataclass(frozen=True)
class Filter:
    """How elements between positions are made up; words as the fields of ``resize``."""

    mode: str
    coordinates: str
    nearest: str
    cubic: float
    exclude_outside: bool


@dataclass(frozen=True)
class _Numbers:
    """Arithmetic on floats of 32 bits, some of which are plain numbers."""

    emit: OperandEmitter

    def of(self, x: Value | float) -> Value:
        return self.emit.cast(x, F32) if isinstance(x, Value) else self.emit.const(x, F32)

    def __call__(self, op: type[Add | Sub | Mul | Div | Min | Max], a: Value | float, b: Value | float) -> Value:
        return self.emit(op(self.of(a), self.of(b)))


def scaled_sizes(emit: OperandEmitter, x: Value, factors: Value, axes: Sequence[int]) -> Value:
    """Return the sizes of some axes after factors, rounded down, as integers of 64 bits."""
    return emit.cast(emit(Floor(_Numbers(emit)(Mul, _sizes_of(emit, x, axes), factors))), DType.I64)


def common_factor(emit: OperandEmitter, x: Value, sizes: Value, axes: Sequence[int], *, largest: bool) -> Value:
    """Return, once for every axis, the factor of the axis that needs the most, or of that which allows the least."""
    n = _Numbers(emit)
    ratios = n(Div, sizes, _sizes_of(emit, x, axes))
    parts = [_element(emit, ratios, place) for place in range(len(axes))]
    factor = reduce(lambda a, b: n(Max if largest else Min, a, b), parts)
    return emit.expand(emit.reshape(factor, (1,)), (len(axes),))


def rounded_sizes(emit: OperandEmitter, x: Value, factors: Value, axes: Sequence[int]) -> Value:
    """Return the sizes of some axes after factors, rounded to the nearest, as integers of 64 bits."""
    n = _Numbers(emit)
    exact = n(Mul, _sizes_of(emit, x, axes), factors)
    return emit.cast(emit(Floor(n(Add, exact, 0.5))), DType.I64)


def _sizes_of(emit: OperandEmitter, x: Value, axes: Sequence[int]) -> Value:
    return emit(Gather(shape_vector(emit, x), emit.const(list(axes), DType.I64), 0))


def _element(emit: OperandEmitter, vector: Value, place: int) -> Value:
    return emit.reshape(emit(Slice(vector, (place,), (1,), (1,))), ())


def bound_targets(emit: OperandEmitter, x: Value, sizes: Value, axes: Sequence[int]) -> list[Dim]:
    """Name the sizes after resampling; of images, data decides about rows and columns, not about what they are."""
    shape = x.type.shape
    kept = [a < 2 and len(axes) == len(shape) >= 3 for a in axes]
    bounds = [Bounds(shape[a], shape[a]) if k else Bounds(1) for a, k in zip(axes, kept, strict=True)]
    names = bind(emit, [Element(sizes, place) for place in range(len(axes))], bounds)
    return [shape[a] if k else name for a, k, name in zip(axes, kept, names, strict=True)]


def by_factors(emit: OperandEmitter, x: Value, axes: Sequence[int], given: tuple[Value, Value], how: Filter) -> Value:
    """Resample axes, where factors and new sizes are vectors that data decides about.

    Raises:
        CompileError: F006, elements that are no floats would be interpolated.
    """
    factors, sizes = given
    if how.mode != "nearest" and not x.type.dtype.is_float:
        raise emit.fail(f"interpolates {x.type} by factors that are data", code="F006")
    for place, (axis, out) in enumerate(zip(axes, bound_targets(emit, x, sizes, axes), strict=True)):
        if out == x.type.shape[axis]:
            continue
        scale, count = _element(emit, factors, place), _element(emit, sizes, place)
        x = _along(emit, x, axis, _positions(emit, x, axis, (scale, count, out), how), how)
    return x


def cropped(
    emit: OperandEmitter, x: Value, axes: Sequence[int], given: tuple[Value, Sequence[Dim]], how: Filter, outside: float
) -> Value:
    """Resample a part of each axis to new sizes; starts of all axes, then ends, as shares, are data.

    Elements beyond the ends of ``x`` are ``outside``.
    """
    corners, sizes = given
    n = _Numbers(emit)
    for place, (axis, out) in enumerate(zip(axes, sizes, strict=True)):
        if out == x.type.shape[axis] and axis < 2 and len(axes) == x.type.rank:
            continue  # of images, data decides about rows and columns
        start, end = (_element(emit, corners, place + offset) for offset in (0, len(axes)))
        last = n(Sub, _element(emit, shape_vector(emit, x), axis), 1)
        at = _part(n, (start, end), last, out)
        x = _along(emit, x, axis, at, how)
        inside = emit(LogicalAnd(emit(GreaterEqual(at, n.of(0))), emit(LessEqual(at, last))))
        mask = emit.reshape(inside, (out, *(1,) * (x.type.rank - axis - 1)))
        x = emit(Select(mask, x, emit.const(outside, x.type.dtype)))
    return x


def _part(n: _Numbers, ends: tuple[Value, Value], last: Value, out: Dim) -> Value:
    """Return the positions of a part of an axis: its middle if there is one, else equal distances from end to end."""
    start, end = ends
    places = n.of(n.emit(Range(n.emit.const(0, DType.I32), n.emit.const(1, DType.I32), out)))
    count = n.emit(Reduce(n.emit(Add(places, n.of(1))), "max", (0,), keepdims=False))
    steps = n(Div, n(Mul, n(Sub, end, start), last), n(Max, n(Sub, count, 1), 1))
    spread = n(Add, n(Mul, start, last), n(Mul, places, steps))
    middle = n(Mul, n(Mul, n(Add, start, end), 0.5), last)
    return n.emit(Select(n.emit(LessEqual(count, n.of(1))), middle, spread))


def _positions(emit: OperandEmitter, x: Value, axis: int, to: tuple[Value, Value, Dim], how: Filter) -> Value:
    """Return where the result's positions lie in the operand, by the rules of ``resize``."""
    scale, count, out = to
    n, size = _Numbers(emit), _element(emit, shape_vector(emit, x), axis)
    places = n.of(emit(Range(emit.const(0, DType.I32), emit.const(1, DType.I32), out)))
    match how.coordinates:
        case "asymmetric":
            return n(Div, places, scale)
        case "align_corners":
            last = n(Max, n(Sub, n(Mul, scale, size), 1), 1e-6)
            return n(Mul, places, n(Div, n(Sub, size, 1), last))
        case _:
            middle = n(Div, n(Add, places, 0.5), scale)
    if how.coordinates == "half_pixel_floor":
        return middle
    half = n(Sub, middle, 0.5)
    if how.coordinates == "pytorch_half_pixel":
        return n(Mul, half, n(Min, n(Sub, count, 1), 1))
    if how.coordinates == "half_pixel_symmetric":
        share = n(Div, count, n(Mul, scale, size))
        return n(Add, half, n(Mul, n(Div, size, 2), n(Sub, 1, share)))
    return half


def _along(emit: OperandEmitter, x: Value, axis: int, at: Value, how: Filter) -> Value:
    """Read at positions along one axis: one element, or a weighted sum of those around."""
    n, last = _Numbers(emit), _Numbers(emit)(Sub, _element(emit, shape_vector(emit, x), axis), 1)

    def read(places: Value) -> Value:
        inside = emit.cast(n(Max, n(Min, places, last), 0), DType.I64)
        return emit(Gather(x, inside, axis))

    if how.mode == "nearest":
        return read(_rounded(emit, at, how.nearest))
    low = emit(Floor(at))
    taps = [n(Add, low, tap) for tap in ((0, 1) if how.mode == "linear" else (-1, 0, 1, 2))]
    weights = [_weight(n, emit(Abs(n(Sub, at, tap))), how) for tap in taps]
    if how.exclude_outside:
        weights = _only_inside(n, taps, weights, last)
    shape = (at.type.shape[0], *(1,) * (x.type.rank - axis - 1))
    spread = [emit.reshape(emit.cast(w, x.type.dtype), shape) for w in weights]
    return reduce(lambda a, b: emit(Add(a, b)), (emit(Mul(read(t), w)) for t, w in zip(taps, spread, strict=True)))


def _rounded(emit: OperandEmitter, at: Value, rule: str) -> Value:
    """Round positions by a rule of :data:`~nhwcc.compiler.ops.spatial.ROUND`."""
    n = _Numbers(emit)
    match rule:
        case "floor":
            return emit(Floor(at))
        case "ceil":
            return emit(Ceil(at))
        case "round_prefer_ceil":
            return emit(Floor(n(Add, at, 0.5)))
        case _:
            return emit(Ceil(n(Sub, at, 0.5)))


def _weight(n: _Numbers, distance: Value, how: Filter) -> Value:
    """Return the weight of an element at a distance: a triangle, or the kernel of Keys (1981)."""
    if how.mode == "linear":
        return n(Sub, 1, distance)
    a = how.cubic
    near = n(Sub, n(Mul, a + 2, distance), a + 3)
    near = n(Add, n(Mul, n(Mul, near, distance), distance), 1)
    far = n(Add, n(Mul, n(Sub, n(Mul, a, distance), 5 * a), distance), 8 * a)
    far = n(Sub, n(Mul, far, distance), 4 * a)
    return n.emit(Select(n.emit(LessEqual(distance, n.of(1))), near, far))


def _only_inside(n: _Numbers, taps: Sequence[Value], weights: Sequence[Value], last: Value) -> list[Value]:
    """Give no weight to positions outside, and the sum of one to all others."""
    zero = n.of(0)
    inside = [n.emit(LogicalAnd(n.emit(GreaterEqual(t, zero)), n.emit(LessEqual(t, last)))) for t in taps]
    kept = [n.emit(Select(is_in, w, zero)) for is_in, w in zip(inside, weights, strict=True)]
    total = reduce(lambda a, b: n(Add, a, b), kept)
    return [n(Div, w, total) for w in kept]
