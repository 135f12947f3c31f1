"""Quantization by arithmetic, where scales are computed or no kernel fits; integers that are weights."""

from __future__ import annotations

from math import prod

from ...compiler.dims import static
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.activation import Clip
from ...compiler.ops.logic import Greater, Select
from ...compiler.ops.quantize import Dequantize, Quantize, RoundDynamic
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Reshape, Transpose
from ...compiler.types import DType
from .registry import lower, simplify


@lower(Quantize)
def quantize_by_arithmetic(op: Quantize, e: Build) -> None:
    """Without a kernel: divide by the scale, round, add the zero point, clamp."""
    (low, high), types = op.dtype.bounds, (op.x.type.dtype, op.scale.type.dtype)
    dtype = types[0] if len(set(types)) == 1 else DType.F64 if DType.F64 in types else DType.F32
    x, scale = (v if v.type.dtype is dtype else e(arith.Cast, v, to=dtype) for v in (op.x, op.scale))
    rounded = e(arith.Round, e(arith.Div, x, scale))
    moved = e(arith.Add, rounded, e(arith.Cast, op.zero, to=dtype))
    e.replace(e(arith.Cast, e(Clip, moved, float(low), float(high)), to=op.dtype))


@lower(Dequantize)
def dequantize_by_arithmetic(op: Dequantize, e: Build) -> None:
    """Without a kernel: subtract the zero point, multiply by the scale."""
    dtype = op.scale.type.dtype
    moved = e(arith.Sub, e(arith.Cast, op.x, to=dtype), e(arith.Cast, op.zero, to=dtype))
    e.replace(e(arith.Mul, moved, op.scale))


@lower(RoundDynamic)
def round_by_arithmetic(op: RoundDynamic, e: Build) -> None:
    """Find the range, scale, round, and scale back."""
    zero, one, least, most = (e.number(n, op.x.type.dtype) for n in (0, 1, -128, 127))
    low = e(arith.Min, e(Reduce, op.x, "min", op.dims), zero)
    high = e(arith.Max, e(Reduce, op.x, "max", op.dims), zero)
    width = e(arith.Sub, high, low)
    factor = e(Select, e(Greater, width, zero), e(arith.Div, e.number(255, op.x.type.dtype), width), one)
    below, above = (e(arith.Mul, end, factor) for end in (low, high))
    is_low = e(Greater, e(arith.Add, below, above), one)
    point = e(Select, is_low, e(arith.Sub, least, below), e(arith.Sub, most, above))
    point = e(arith.Round, e(Clip, point, -128.0, 127.0))
    kept = e(Clip, e(arith.Add, e(arith.Round, e(arith.Mul, op.x, factor)), point), -128.0, 127.0)
    e.replace(e(arith.Div, e(arith.Sub, kept, point), factor))


@simplify(Reshape, Transpose)
def move_weights(op: Reshape | Transpose, e: Build) -> None:
    """Move weights while they are integers: for runtimes, a weight is a constant that is dequantized."""
    writer = op.x.owner
    if not isinstance(writer, Dequantize) or constant(writer.x) is None or writer.x.type.shape != op.x.type.shape:
        return
    scale, zero = (_moved(op, v, e) for v in (writer.scale, writer.zero))
    if scale is not None and zero is not None:
        e.replace(e(Dequantize, e.clone(op, writer.x), scale, zero))


def _moved(op: Reshape | Transpose, v: Value, e: Build) -> Value | None:
    """Return what broadcasts to the result as ``v``, of one number per position of an axis, does to the operand."""
    if v.type.size == 1:
        return e.reshape(v, ())
    before, after = static(op.x.type.shape), static(op.result.type.shape)
    wide = e.reshape(v, (*(1,) * (len(before) - v.type.rank), *v.type.shape))
    if isinstance(op, Transpose):
        return e.transpose(wide, op.perm)
    places = [i for i, d in enumerate(wide.type.shape) if d != 1]
    axis = next((i for i, d in enumerate(after) if d != 1 and prod(after[:i]) == prod(before[: places[0]])), None)
    if len(places) != 1 or axis is None or after[axis] != before[places[0]]:
        return None
    return e.reshape(v, [d if i == axis else 1 for i, d in enumerate(after)])
