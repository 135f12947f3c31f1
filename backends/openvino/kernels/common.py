"""Conditions and operands that kernels of several families share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ....compiler.dims import Dim, is_static, static
from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.ops.shape import Reshape
from ....compiler.types import Array
from ....compiler.weights import Weight
from ..table import Call, Dims, Nested, Operand, condition, emits, ints, scalar

SMALL_CONSTANT = 1 << 12
"""Bytes up to which a constant is looked at while rows are chosen."""

EXACT = {"special_zero": False}
"""Of a reshape: no size of zero stands for another one."""


def elements(value: Value | None) -> Array | None:
    """Return the elements of a small constant, None of anything else."""
    weight = constant(value)
    return None if weight is None or weight.nbytes > SMALL_CONSTANT else weight.array()


@condition("no activation at its end")
def plain(op: Any) -> str | None:
    """Condition: no fused activation, since operations of OpenVINO have none; its runtime fuses them."""
    return None if op.activation == "none" else f"{op.activation} at its end"


@condition("channels on axis 1")
def channels_first(op: Any) -> str | None:
    """Condition: channels are axis 1, where all operations of OpenVINO on images have them."""
    return None if not op.channels_last else "channels last; OpenVINO has them on axis 1"


def same(op: Op) -> Call:
    """Call an operation with the operands as they are, without attributes."""
    return Call(op.operands)


def plainly(rows: dict[type[Op], str], dtypes: str) -> None:
    """Declare rows whose operation takes the operands as they are and has no attributes."""
    for op, operator in rows.items():
        when = (plain,) if "activation" in op.spec.attributes else ()
        emits(op, operator, dtypes=dtypes, when=when)(same)


def renamed(rows: dict[type[Op], tuple[str, dict[str, str]]], dtypes: str) -> None:
    """Declare operations whose attributes are those of the IR, by their names in OpenVINO."""
    for op, (operator, names) in rows.items():
        emits(op, operator, dtypes=dtypes)(_taking(names))


def _taking(names: dict[str, str]) -> Callable[[Op], Call]:
    return lambda op: Call(op.operands, {theirs: op.attributes[ours] for theirs, ours in names.items()})


def number(value: float, like: Value) -> Weight:
    """Return a number as a scalar constant in the element type of a value."""
    return scalar(value, like.type.dtype)


def reshaped(value: Value, shape: Sequence[Dim]) -> Operand:
    """Return a value in another shape: a constant when it is written, anything else by a layer."""
    while isinstance(value.owner, Reshape):
        value = value.owner.x
    type = value.type.with_shape(tuple(shape))
    if type == value.type:
        return value
    weight = constant(value)
    if weight is not None and is_static(type.shape):
        return weight.derive(type, partial(_reshape, shape=static(type.shape)))
    if not type.shape:
        return Nested("Squeeze", type, (value, ints(*range(value.type.rank))))
    return Nested("Reshape", type, (value, Dims(type.shape)), EXACT)


def _reshape(array: Array, *, shape: tuple[int, ...]) -> Array:
    return array.reshape(shape)
