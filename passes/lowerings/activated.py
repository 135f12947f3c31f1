"""Activations at the end of operations, for targets whose kernels end in none; each declares what it needs of it."""

from __future__ import annotations

from ...compiler.ir import Op, Value
from ...compiler.lowering import Build
from ...compiler.opdef import OPS
from ...compiler.ops.activation import Clip, Relu
from ...compiler.ops.arith import ACTIVATIONS

ENDING = tuple(cls for cls in OPS.values() if "activation" in cls.spec.attributes)
"""Operations that may end in an activation."""


def activated(x: Value, activation: str, e: Build) -> Value:
    """Apply an activation as an operation of its own."""
    low, high = ACTIVATIONS[activation]
    if activation == "none":
        return x
    return e(Relu, x) if activation == "relu" else e(Clip, x, min=low, max=high)


def split_activation(op: Op, e: Build) -> None:
    """An activation at the end is an operation of its own."""
    activation: str = op.attributes["activation"]
    if activation != "none":
        e.replace(activated(e.clone(op, *op.operands, activation="none"), activation, e))
