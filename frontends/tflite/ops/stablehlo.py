"""Handlers of those of StableHLO's operators that have kernels in TFLite."""

from __future__ import annotations

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.shape import Pad
from ...slicing import cut, pad
from ..emitter import Emitter
from ..registry import builtin


@builtin("STABLEHLO_PAD", "StablehloPadOptions", integers="moved")
def stablehlo_pad(
    emit: Emitter,
    x: Value,
    value: Value,
    *,
    edge_padding_low: tuple[int, ...] = (),
    edge_padding_high: tuple[int, ...] = (),
    interior_padding: tuple[int, ...] = (),
) -> Value:
    """A value around and between elements; negative paddings cut."""
    rank = x.type.rank
    if not len(edge_padding_low) == len(edge_padding_high) == len(interior_padding) == rank:
        raise emit.fail(f"has paddings of another number of axes than {x.type}", code="F002")
    number = float(emit.scalar(value, "padding_value"))
    for axis, between in enumerate(interior_padding):
        if between > 0:
            x = spread_out(emit, x, axis, between + 1, number)
    return pad(emit, x, edge_padding_low, edge_padding_high, "constant", number)


def spread_out(emit: Emitter, x: Value, axis: int, step: int, value: float) -> Value:
    """Put ``step - 1`` times a value between the elements along an axis."""
    shape = x.type.shape
    apart = emit.reshape(x, (*shape[: axis + 1], 1, *shape[axis + 1 :]))
    high: tuple[Dim, ...] = tuple(step - 1 if i == axis + 1 else 0 for i in range(len(shape) + 1))
    filled = emit(Pad(apart, (0,) * len(high), high, "constant", value))
    size = shape[axis] * step
    joined = emit.reshape(filled, (*shape[:axis], size, *shape[axis + 1 :]))
    return cut(emit, joined, {axis: (0, size - (step - 1), 1)})


@builtin("DILATE", "DilateOptions", integers="moved")
def dilate(emit: Emitter, x: Value, dilations: Value, padding_value: Value) -> Value:
    """Put a value between the elements along each axis."""
    steps = emit.ints(dilations, "dilations")
    value = float(emit.scalar(padding_value, "padding_value"))
    if len(steps) != x.type.rank or any(s < 1 for s in steps):
        raise emit.fail(f"has the dilations {list(steps)} for {x.type}", code="F006")
    for axis, step in enumerate(steps):
        if step > 1:
            x = spread_out(emit, x, axis, step, value)
    return x
