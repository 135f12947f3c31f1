"""Conditions and operands that kernels of several families share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Op, Value
from ....compiler.types import Array
from ....compiler.weights import Weight
from ..table import Call, condition, emits

SMALL_CONSTANT = 1 << 12
"""Bytes up to which a constant is looked at while rows are chosen."""


def elements(value: Value | None) -> Array | None:
    """Return the elements of a small constant, None of anything else."""
    weight = constant(value)
    return None if weight is None or weight.nbytes > SMALL_CONSTANT else weight.array()


@condition("no activation at its end")
def plain(op: Any) -> str | None:
    """Condition: no activation is fused, since ONNX has no fused activations."""
    return None if op.activation == "none" else f"{op.activation} at its end"


@condition("channels on axis 1")
def channels_first(op: Any) -> str | None:
    """Condition: channels come first, as everywhere in ONNX."""
    return None if not op.channels_last else "channels last; ONNX has them on axis 1"


def same(op: Op) -> Call:
    """Call an operator with the operands as they are, without attributes."""
    return Call(op.operands)


def plainly(rows: dict[type[Op], str]) -> None:
    """Declare operators that take the operands as they are."""
    for op, operator in rows.items():
        when = (plain,) if "activation" in op.spec.attributes else ()
        emits(op, operator, when=when)(same)


def renamed(rows: dict[type[Op], tuple[str, dict[str, str]]]) -> None:
    """Declare operators whose attributes are the operation's, by their names in ONNX."""
    for op, (operator, names) in rows.items():
        emits(op, operator)(_taking(names))


def _taking(names: dict[str, str]) -> Callable[[Op], Call]:
    return lambda op: Call(op.operands, {theirs: _number(op.attributes[ours]) for theirs, ours in names.items()})


def _number(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value


def transposed(value: Value) -> Weight | None:
    """Return a constant matrix the other way round, None if it is computed."""
    weight = constant(value)
    if weight is None:
        return None
    *batch, rows, columns = value.type.shape
    return weight.derive(value.type.with_shape((*batch, columns, rows)), _swap_last)


def _swap_last(array: Array) -> Array:
    return np.swapaxes(array, -1, -2)
