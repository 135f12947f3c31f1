"""Matrix products, sums in Einstein's notation, and attention."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.linear import Inverse
from ...common.einsum import einsum as contraction
from ...common.linear import matmul as product_of
from ..emitter import Emitter
from ..registry import openvino_op


@openvino_op("MatMul")
def matmul(emit: Emitter, a: Value, b: Value, *, transpose_a: bool = False, transpose_b: bool = False) -> Value:
    """A vector counts as one row on the left, as one column on the right."""
    return product_of(emit, a, b, transpose_a, transpose_b)


@openvino_op("Einsum", since=7)
def einsum(emit: Emitter, *xs: Value, equation: str) -> Value:
    """Contract the operands from left to right."""
    return contraction(emit, xs, equation)


@openvino_op("Inverse", since=14)
def inverse(emit: Emitter, x: Value, *, adjoint: bool = False) -> Value:
    """Inverses of square matrices; their adjoints are not computed."""
    if adjoint:
        raise emit.fail("gives adjoint matrices")
    return emit(Inverse(x))
