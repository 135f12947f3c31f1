"""Handlers of reductions, positions of extreme elements, and running sums."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.index import ArgMax, ArgMin, CumSum, TopK
from ....compiler.ops.reduce import Reduce
from ....compiler.types import DType
from ...common.axes_by_data import along_axis, known_axes, reduced
from ...common.operands import OperandEmitter
from ..emitter import Emitter
from ..registry import builtin

KINDS = {
    "MEAN": "mean",
    "SUM": "sum",
    "REDUCE_MAX": "max",
    "REDUCE_MIN": "min",
    "REDUCE_PROD": "prod",
    "REDUCE_ANY": "any",
    "REDUCE_ALL": "all",
}


def _reduction(name: str, kind: str) -> None:
    @builtin(name, "ReducerOptions")
    def handler(emit: Emitter, x: Value, axes: Value, *, keep_dims: bool = False) -> Value:  # pyright: ignore[reportUnusedFunction] -- registered
        if known_axes(emit, axes, x.type.rank) is None:
            return reduced(emit, x, kind, axes, keepdims=keep_dims)
        given = {emit.axis(a, x.type.rank) for a in emit.ints(axes, "axes")}
        return emit(Reduce(x, kind, tuple(sorted(given)), keep_dims))


for _name, _kind in KINDS.items():
    _reduction(_name, _kind)


@builtin("ARG_MAX", "ArgMaxOptions")
def arg_max(emit: Emitter, x: Value, axis: Value, *, output_type: DType = DType.F32) -> Value:
    """ARG_MAX: the position of the largest element, the first of equal ones."""
    return emit(ArgMax(x, emit.axis(emit.int(axis, "axis"), x.type.rank), False, False, emit.result_type(0)))


@builtin("ARG_MIN", "ArgMinOptions")
def arg_min(emit: Emitter, x: Value, axis: Value, *, output_type: DType = DType.F32) -> Value:
    """ARG_MIN: the position of the smallest element, the first of equal ones."""
    return emit(ArgMin(x, emit.axis(emit.int(axis, "axis"), x.type.rank), False, False, emit.result_type(0)))


@builtin("TOPK_V2", "TopKV2Options")
def topk_v2(emit: Emitter, x: Value, k: Value) -> tuple[Value, ...]:
    """TOPK_V2: the largest elements along the last axis, sorted, with their positions."""
    axis = emit.axis(-1, x.type.rank)
    return emit.all(TopK(x, emit.dim(k, "k"), axis, True, emit.result_type(1)))


@builtin("CUMSUM", "CumsumOptions")
def cumsum(emit: Emitter, x: Value, axis: Value, *, exclusive: bool = False, reverse: bool = False) -> Value:
    """Either direction, with or without the element itself."""

    def build(inner: OperandEmitter, at: int) -> Value:
        return inner(CumSum(x, at, exclusive, reverse))

    return along_axis(emit, axis, x.type.rank, build)
