"""Conditions and operands that rows of several families share."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from ....compiler.dims import Shape
from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.types import Array
from ..table import Call, Nested, Operand, condition, emits, is_constant, sizes


@condition("no activation at its end")
def plain(op: Any) -> str | None:
    """Condition: no activation is fused, which MIL has as operations of their own."""
    return None if op.activation == "none" else f"{op.activation} at its end"


@condition("channels on axis 1")
def channels_first(op: Any) -> str | None:
    """Condition: channels come second, as all operations of MIL have them."""
    return None if not op.channels_last else "channels last; Core ML has them on axis 1"


@condition("constant parameters")
def constant_parameters(op: Op) -> str | None:
    """Condition: all operands but the first one are constants."""
    return None if all(is_constant(v) for v in op.operands[1:]) else "parameters that are computed"


def unary(op: Any) -> Call:
    """Call an operation of MIL on the only operand, without parameters."""
    return Call({"x": op.x})


def binary(op: Any) -> Call:
    """Call an operation of MIL on both operands, without parameters."""
    return Call({"x": op.a, "y": op.b})


def repeated(value: Value, shape: Shape) -> Operand:
    """Return a value repeated along axes of size one, and along new ones before its own, up to a shape."""
    added = len(shape) - value.type.rank
    before = (1,) * added + value.type.shape
    type, weight = value.type.with_shape(before), constant(value)
    x: Operand = value
    if added:
        axes: dict[str, Operand] = {"x": value, "axes": tuple(range(added))}
        x = Nested("expand_dims", type, axes) if weight is None else weight.derive(type, partial(_with_units, added))
    if before == shape:
        return x
    repeats = (1 if d == b else d for d, b in zip(shape, before, strict=True))
    return Nested("tile", value.type.with_shape(shape), {"x": x, "reps": sizes(*repeats)})


def _with_units(added: int, array: Array) -> Array:
    return array.reshape((1,) * added + array.shape)


def plainly(rows: dict[type[Op], str], dtypes: str) -> None:
    """Declare operations that take one operand or two as they are."""
    for op, operator in rows.items():
        when = (plain,) if "activation" in op.spec.attributes else ()
        call: Callable[[Any], Call] = unary if len(op.spec.operands) == 1 else binary
        emits(op, operator, dtypes=dtypes, when=when)(call)


__all__ = ["Operand", "binary", "channels_first", "constant_parameters", "plain", "plainly", "repeated", "unary"]
