"""Conditions and operands that rows of several families share."""

from __future__ import annotations

from typing import Any

import numpy as np

from ....compiler.dims import is_static
from ....compiler.ir import Op, Value
from ....compiler.types import Array
from ..table import Options, condition, options

MOVABLE = "bool i8 i32 i64 u8 f32"
"""What kernels that only move data take in all runtimes."""


def by_type(value: Value, **versions: int) -> int:
    """Return the version for an element type, 1 for those not named."""
    return versions.get(value.type.dtype.value, 1)


def activation(op: Any) -> str:
    """Return the schema's name of a fused activation."""
    return op.activation.upper()


def clamp_options(table: str, op: Any) -> Options | None:
    """Options that hold nothing but a fused activation; none if there is none."""
    return None if op.activation == "none" else options(table, fusedActivationFunction=activation(op))


@condition("fused activations only of floats")
def float_activation(op: Any) -> str | None:
    """Condition: only floats have a fused activation, integers have none."""
    if op.activation != "none" and not op.results[0].type.dtype.is_float:
        return f"the activation {op.activation} is fused into floating-point operations only"
    return None


def is_scalar(value: Value) -> bool:
    """Whether a value has exactly one element, in any number of axes."""
    return value.type.size == 1


def all_static(op: Op) -> str | None:
    """Condition: all sizes are numbers, none of them open."""
    values = [v for v in (*op.operands, *op.results) if v is not None]
    return None if all(is_static(v.type.shape) for v in values) else "sizes that are not known when compiling"


def float_scalar(value: float) -> Array:
    """Return a constant scalar of f32 as an operand."""
    return np.asarray(value, np.float32)
