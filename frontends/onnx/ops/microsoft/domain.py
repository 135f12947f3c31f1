"""What the handlers of operators in onnxruntime's own domain share."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.arith import Add
from ...emitter import Emitter

MICROSOFT = "com.microsoft"


def plus(emit: Emitter, x: Value, *others: Value | None) -> Value:
    """Add an optional operand, if it is there."""
    for other in others:
        x = x if other is None else emit(Add(x, other))
    return x
