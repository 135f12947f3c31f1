"""Rows for matrix products: ``layers.Dense`` for constant weights, ``ops.matmul`` for all others, and inverses."""

from __future__ import annotations

from typing import Any

from ....compiler.ir import Value
from ....compiler.ops import linear as ir
from ....compiler.types import Array
from ..table import FLOATS, Call, Nested, Operand, condition, emits
from .common import computed, constant_weights, dtype_of, ending, plain, precise, same, weight_of

MATRIX = 2
"""Axes of a matrix."""


@condition("features along the last axis")
def _features_last(op: ir.Linear) -> str | None:
    return None if op.is_along_last else f"features along axis {op.axis}"


def _transposed(array: Array) -> Array:
    return array.T


@emits(
    ir.Linear,
    "layers.Dense",
    ranks=range(MATRIX, 64),
    when=(computed, constant_weights, ending, _features_last, precise),
)
def dense(op: ir.Linear) -> Call:
    """``layers.Dense`` with the bias and the activation; its kernel is the weight transposed, inputs first."""
    rows, columns = op.w.type.shape
    kernel = weight_of(op.w).derive(op.w.type.with_shape((columns, rows)), _transposed)
    bias = () if op.bias is None else (weight_of(op.bias),)
    activation: dict[str, Any] = {} if op.activation == "none" else {"activation": op.activation}
    assert isinstance(rows, int)
    return Call((op.x,), {"units": rows, "use_bias": bool(bias), **activation, **dtype_of(op)}, (kernel, *bias))


@condition("both of at least 2 axes")
def _stacks(op: ir.MatMul) -> str | None:
    return None if min(op.a.type.rank, op.b.type.rank) > 1 else "a vector"


def _swapped(value: Value) -> Nested:
    *lead, rows, columns = value.type.shape
    settings = {"axis1": value.type.rank - 2, "axis2": value.type.rank - 1}
    return Nested("ops.swapaxes", value.type.with_shape((*lead, columns, rows)), (value,), settings)


@emits(ir.MatMul, "ops.matmul", dtypes=f"{FLOATS} i32 i64", when=(_stacks, precise))
def matmul(op: ir.MatMul) -> Call:
    """``ops.matmul``, whose batch axes broadcast; a transposed operand is transposed by ``ops.swapaxes`` before."""
    pairs = ((op.a, op.transpose_a), (op.b, op.transpose_b))
    return Call(tuple(_swapped(v) if is_transposed else v for v, is_transposed in pairs))


@emits(ir.Linear, "ops.matmul", dtypes=FLOATS, ranks=range(MATRIX, 64), when=(plain, _features_last, precise))
def product(op: ir.Linear) -> Call:
    """``ops.matmul`` by weights that are computed, which are transposed before; then ``ops.add`` of the bias."""
    inputs: tuple[Operand, ...] = (op.x, _swapped(op.w))
    if op.bias is None:
        return Call(inputs)
    return Call((Nested("ops.matmul", op.result.type, inputs), op.bias), function="ops.add")


emits(ir.Det, "ops.det", dtypes="f32 f64", ranks=range(MATRIX, 64))(same)
emits(ir.Inverse, "ops.inv", dtypes="f32 f64", ranks=range(MATRIX, 64))(same)
