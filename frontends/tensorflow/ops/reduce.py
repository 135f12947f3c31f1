"""Handlers of reductions, of positions of extreme elements, and of running sums and products."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.index import ArgMax, ArgMin, CumProd, CumSum, TopK
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ...common.axes_by_data import along_axis, known_axes, reduced
from ...common.operands import OperandEmitter
from ..emitter import Emitter
from ..registry import tf_op

KINDS = {
    "All": "all",
    "Any": "any",
    "EuclideanNorm": "l2",
    "Max": "max",
    "Mean": "mean",
    "Min": "min",
    "Prod": "prod",
    "Sum": "sum",
}
"""The IR's names of reductions."""


def _reduction(name: str, kind: str) -> None:
    @tf_op(name)
    def handler(emit: Emitter, input: Value, reduction_indices: Value, *, keep_dims: bool = False) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        axes = known_axes(emit, reduction_indices, input.type.rank)
        if axes is None:
            return reduced(emit, input, kind, reduction_indices, keepdims=keep_dims)
        return emit(Reduce(input, kind, tuple(sorted(axes)), keep_dims)) if axes else input


for _name, _kind in KINDS.items():
    _reduction(_name, _kind)


@tf_op("ArgMax")
def arg_max(emit: Emitter, input: Value, dimension: Value, *, output_type: DType = DType.I64) -> Value:
    """Positions of the largest elements along an axis, of equal ones the first."""
    return emit(ArgMax(input, emit.axis(emit.int(dimension, "axis"), input.type.rank), False, False, output_type))


@tf_op("ArgMin")
def arg_min(emit: Emitter, input: Value, dimension: Value, *, output_type: DType = DType.I64) -> Value:
    """Positions of the smallest elements along an axis, of equal ones the first."""
    return emit(ArgMin(input, emit.axis(emit.int(dimension, "axis"), input.type.rank), False, False, output_type))


@tf_op("TopKV2", outputs=("values", "indices"))
def top_k_v2(
    emit: Emitter, input: Value, k: Value, *, sorted: bool = True, index_type: DType = DType.I32
) -> tuple[Value, ...]:
    """TopKV2: the largest elements along the last axis in descending order, and their positions."""
    return emit.all(TopK(input, emit.dim(k, "k"), emit.axis(-1, input.type.rank), True, index_type))


@tf_op("Cumsum")
def cumsum(emit: Emitter, x: Value, axis: Value, *, exclusive: bool = False, reverse: bool = False) -> Value:
    """Running sums in either direction, with or without the element itself."""

    def build(inner: OperandEmitter, at: int) -> Value:
        return inner(CumSum(x, at, exclusive, reverse))

    return along_axis(emit, axis, x.type.rank, build)


@tf_op("Cumprod")
def cumprod(emit: Emitter, x: Value, axis: Value, *, exclusive: bool = False, reverse: bool = False) -> Value:
    """Running products in either direction, with or without the element itself."""

    def build(inner: OperandEmitter, at: int) -> Value:
        return inner(CumProd(x, at, exclusive, reverse))

    return along_axis(emit, axis, x.type.rank, build)
