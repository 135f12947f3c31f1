"""Handler of Einsum: sums of products in Einstein's notation."""

from __future__ import annotations

from ....compiler.ir import Value
from ...common import einsum as common
from ..emitter import Emitter
from ..registry import onnx_op


@onnx_op("Einsum", since=12)
def einsum(emit: Emitter, *Inputs: Value, equation: str) -> Value:
    """Contract the operands two by two, from left to right."""
    return common.einsum(emit, Inputs, equation)
