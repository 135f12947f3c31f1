"""Weights of few bits, and numbers rounded to those that integers stand for."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import numpy as np

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.activation import Clip
from ....compiler.ops.arith import Add, Cast, Max, Min, Mul, Round, Sub
from ....compiler.ops.logic import Greater, LessEqual, Select
from ....compiler.ops.quantize import Dequantize, Quantize
from ....compiler.types import Array, DType
from ..emitter import Emitter
from ..registry import openvino_op

FEW_BITS = frozenset({DType.I4, DType.U4, DType.U2, DType.I8, DType.U8})


def scaled_integers(emit: Emitter, x: Value, scale: Value) -> Value | None:
    """Return the numbers that a constant of integers stands for, None if ``x`` is no converted constant of few bits.

    What compression writes is ``convert(integers) * scale`` or ``(convert(integers) - convert(zero)) * scale``.
    """
    zero = None
    if isinstance(x.owner, Sub):
        x, zero = x.owner.a, x.owner.b
    integers = _converted_constant(x)
    numbers = constant(scale)
    if integers is None or numbers is None or numbers.type.dtype is not DType.F32:
        return None
    if scale.type.rank > integers.type.rank:
        return None
    point = emit.const(0, DType.I32) if zero is None else _point(emit, zero)
    return None if point is None else emit(Dequantize(integers, scale, point))


def moved_weight(emit: Emitter, w: Value, shape: tuple[int, ...], move: Callable[[Array], Array]) -> Value | None:
    """Return a constant whose elements are moved now, or numbers of one scale whose constant is; else None."""
    weight = constant(w)
    if weight is not None:
        return emit.const(weight.derive(weight.type.with_shape(shape), move))
    writer = w.owner
    if not isinstance(writer, Dequantize) or writer.scale.type.size != 1 or writer.zero.type.size != 1:
        return None
    inner = moved_weight(emit, writer.x, shape, move)
    if inner is None:
        return None
    scale, zero = (moved_weight(emit, v, (), lambda array: array.reshape(())) for v in (writer.scale, writer.zero))
    return None if scale is None or zero is None else emit(Dequantize(inner, scale, zero))


def _converted_constant(x: Value) -> Value | None:
    """Return the constant of few bits that a conversion converts."""
    if not isinstance(x.owner, Cast) or constant(x.owner.x) is None:
        return None
    return x.owner.x if x.owner.x.type.dtype in FEW_BITS else None


def _point(emit: Emitter, zero: Value) -> Value | None:
    """Return a constant zero point as integers, None if it is none."""
    integers = _converted_constant(zero)
    if integers is not None:
        return emit.cast(integers, DType.I32)
    known = constant(zero)
    if known is None:
        return None
    array = known.array()
    return emit.const(array, DType.I32) if (array == np.rint(array)).all() and (np.abs(array) < 256).all() else None


@openvino_op("FakeQuantize")
def fake_quantize(
    emit: Emitter,
    x: Value,
    input_low: Value,
    input_high: Value,
    output_low: Value,
    output_high: Value,
    *,
    levels: int,
    auto_broadcast: Literal["numpy", "none", "pdpd"] = "numpy",
) -> Value:
    """Rounded to one of ``levels`` numbers; as integers with a scale where zero is one of them."""
    if levels < 2:
        raise emit.fail(f"has {levels} levels", code="F002")
    if auto_broadcast == "pdpd":
        raise emit.fail("broadcasts as PaddlePaddle does")
    bounds = [constant(v) for v in (input_low, input_high, output_low, output_high)]
    if all(b is not None for b in bounds):
        found = _as_integers(emit, x, [b.array() for b in bounds if b is not None], levels)
        if found is not None:
            return found
    return _rounded(emit, x, (input_low, input_high), (output_low, output_high), levels)


def _as_integers(emit: Emitter, x: Value, bounds: list[Array], levels: int) -> Value | None:
    """Return numbers through the integers that stand for them; None if no scale and zero point do.

    Results have the range of the operand, in which zero is one of the levels.
    """
    low, high, *out = (b.astype(np.float64) for b in bounds)
    wide = np.maximum(high - low, 1e-30)
    is_same = all(np.allclose(a, b, rtol=0, atol=1e-5 * wide.max()) for a, b in zip((low, high), out, strict=True))
    if not is_same or levels > FULL or (high - low <= 0).any() or low.shape != high.shape:
        return None
    scale = (high - low) / (levels - 1)
    start = -low / scale
    dtype, first = (DType.I8, -(levels // 2)) if (low < 0).any() else (DType.U8, 0)
    zero = np.rint(start) + first
    if np.abs(start - np.rint(start)).max() > 1e-3 or not ((zero >= first) & (zero <= first + levels - 1)).all():
        return None
    scale_value, zero_value = emit.const(_scalar(scale), DType.F32), emit.const(_scalar(zero), DType.I32)
    weight = constant(x)
    if weight is not None and np.broadcast_shapes(static(x.type.shape), scale.shape) == x.type.shape:

        def integers(array: Array) -> Array:
            steps = np.rint(np.clip(array, low, high) / scale.astype(np.float32))
            return (steps + zero).astype(dtype.numpy)

        stored = emit.const(weight.derive(weight.type.with_dtype(dtype), integers))
        return emit(Dequantize(stored, scale_value, zero_value))
    kept = x
    if levels != FULL:
        first, last = (emit.const(_scalar(bound), DType.F32) for bound in (low, high))
        kept = emit(Min(emit(Max(x, first)), last))
    return emit(Dequantize(emit(Quantize(kept, scale_value, zero_value, dtype)), scale_value, zero_value))


FULL = 256
"""Levels that all integers of eight bits are."""


def _scalar(x: Array) -> Array:
    return x.reshape(()) if x.size == 1 else x


def _rounded(emit: Emitter, x: Value, given: tuple[Value, Value], wanted: tuple[Value, Value], levels: int) -> Value:
    """Compute by definition: outside of the range the ends of the results, inside the nearest level."""
    (low, high), (out_low, out_high) = given, wanted
    steps = emit.number(levels - 1, x)
    share = emit(arith.Div(emit(Sub(x, low)), emit(Sub(high, low))))
    level = emit(arith.Div(emit(Round(emit(Mul(share, steps)))), steps))
    inside = emit(Add(emit(Mul(level, emit(Sub(out_high, out_low)))), out_low))
    above = emit(Select(emit(Greater(x, emit(Max(low, high)))), _spread(emit, out_high, inside), inside))
    return emit(Select(emit(LessEqual(x, emit(Min(low, high)))), _spread(emit, out_low, above), above))


def _spread(emit: Emitter, bound: Value, like: Value) -> Value:
    return emit.cast(bound, like.type.dtype)


@openvino_op("FakeConvert", since=13)
def fake_convert(
    emit: Emitter,
    x: Value,
    scale: Value,
    shift: Value | None = None,
    *,
    destination_type: Literal["f8e4m3", "f8e5m2"] = "f8e4m3",
) -> Value:
    """Rounded to numbers of eight bits, after a scale and a shift that are undone."""
    to, limit = (DType.F8E4M3FN, 448.0) if destination_type == "f8e4m3" else (DType.F8E5M2, 57344.0)
    moved = emit(Mul(x, scale))
    moved = moved if shift is None else emit(Sub(moved, shift))
    found = emit.cast(emit(Cast(emit(Clip(moved, -limit, limit)), to)), x.type.dtype)
    found = found if shift is None else emit(Add(found, shift))
    return emit(arith.Div(found, scale))
