"""Handlers of operators on single matrices, such as inverses."""

from __future__ import annotations

from .....compiler.ir import Value
from .....compiler.ops.linear import Inverse
from ...emitter import Emitter
from ...registry import onnx_op
from .domain import MICROSOFT


@onnx_op("Inverse", since=1, domain=MICROSOFT)
def inverse(emit: Emitter, x: Value) -> Value:
    """Inverse: the inverses of a stack of square matrices."""
    return emit(Inverse(x))
