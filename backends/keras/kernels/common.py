"""Conditions and settings that rows of several families share."""

from __future__ import annotations

from typing import Any

from ....compiler.dims import Dim
from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.ops.shape import BroadcastTo, Tile
from ....compiler.types import DType
from ....formats.keras.build import NAMES
from ...tensorflow.kernels.common import broadcasting, channels_last, last_axis, plain, precise
from ..table import Call, Weight, condition

ACTIVATIONS = ("none", "relu", "relu6")
"""What layers can end in."""


@condition("no activation at its end but relu and relu6")
def ending(op: Any) -> str | None:
    """Condition: a fused activation is one that the layer has as its setting ``activation``."""
    return None if op.activation in ACTIVATIONS else f"{op.activation} at its end"


@condition("constant weights")
def constant_weights(op: Any) -> str | None:
    """Condition: weights and bias are constants, since a layer of Keras holds them itself."""
    values: list[Value | None] = [op.w, op.bias]
    is_known = all(v is None or constant(v) is not None for v in values)
    return None if is_known else "weights that are computed"


@condition("computed operands that share their first axis")
def merging(op: Op) -> str | None:
    """Condition: layers that merge take no constants, and look at all axes but the first one for broadcasting."""
    values = [v for v in op.operands if v is not None]
    if any(constant(v) is not None for v in values):
        return "a constant operand"
    shapes = [v.type.shape for v in values]
    if not all(shapes) or len({len(s) for s in shapes}) > 1 or len({s[0] for s in shapes}) > 1:
        return "operands of different ranks, or whose first axis broadcasts"
    return None


@condition("a computed operand")
def computed(op: Op) -> str | None:
    """Condition: a layer is called with what depends on an input."""
    first = op.operands[0]
    return "a constant operand" if first is None or constant(first) is not None else None


def weight_of(value: Value) -> Weight:
    """Return the constant that a value is; conditions have made sure that it is one."""
    found = constant(value)
    assert found is not None
    return found


def dtype_of(op: Op) -> dict[str, Any]:
    """Return the setting by which a layer computes in the operation's type: it would convert otherwise."""
    return {"dtype": NAMES[op.results[0].type.dtype]}


def repetitions(op: BroadcastTo | Tile) -> tuple[Dim, ...]:
    """How often each axis of the result is repeated."""
    if isinstance(op, Tile):
        return op.repeats
    given = (1,) * (len(op.shape) - op.x.type.rank) + op.x.type.shape
    return tuple(1 if d == g else d for d, g in zip(op.shape, given, strict=True))


def same(op: Op) -> Call:
    """Call a function with the operands as they are, without settings."""
    return Call(tuple(v for v in op.operands if v is not None))


def layer(op: Op) -> Call:
    """Call a layer without settings but the element type in which it computes."""
    return Call(tuple(v for v in op.operands if v is not None), dtype_of(op))


def merged(op: Op) -> Call:
    """Call a layer that takes a list of tensors, without settings but the element type."""
    return Call((tuple(v for v in op.operands if v is not None),), dtype_of(op))


__all__ = [
    "DType",
    "broadcasting",
    "channels_last",
    "computed",
    "constant_weights",
    "dtype_of",
    "ending",
    "last_axis",
    "layer",
    "merged",
    "merging",
    "plain",
    "precise",
    "repetitions",
    "same",
    "weight_of",
]
