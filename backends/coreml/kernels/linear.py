"""Rows of the table for matrix products and linear layers."""

from __future__ import annotations

from ....compiler.ops import linear as ir
from ..table import Call, Nested, condition, emits, given
from .common import constant_parameters, plain


@condition("features along the last axis")
def _features_last(op: ir.Linear) -> str | None:
    return None if op.is_along_last else f"features along axis {op.axis}"


@emits(ir.Linear, "linear", ranks=range(1, 4), when=(plain, _features_last, constant_parameters))
def linear(op: ir.Linear) -> Call:
    """A product with the transpose of a constant weight, plus a bias."""
    return Call(given(x=op.x, weight=op.w, bias=op.bias))


@condition("no bias")
def _no_bias(op: ir.Linear) -> str | None:
    return None if op.bias is None else "a bias"


_PRODUCT = (plain, _features_last)


@emits(ir.Linear, "matmul", ranks=range(2, 6), when=(*_PRODUCT, _no_bias))
def product(op: ir.Linear) -> Call:
    """On more axes, or by a weight that is computed."""
    return Call({"x": op.x, "y": op.w, "transpose_x": False, "transpose_y": True})


@emits(ir.Linear, "add", ranks=range(2, 6), when=_PRODUCT)
def product_and_bias(op: ir.Linear) -> Call:
    """A product with a computed weight, then a sum with the bias."""
    assert op.bias is not None
    return Call({"x": Nested("matmul", op.result.type, product(op).arguments), "y": op.bias})


@emits(ir.MatMul, "matmul", ranks=range(2, 6))
def matmul(op: ir.MatMul) -> Call:
    """Batches broadcast, and either matrix may be transposed."""
    return Call({"x": op.a, "y": op.b, "transpose_x": op.transpose_a, "transpose_y": op.transpose_b})
