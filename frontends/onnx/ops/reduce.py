"""Reductions: one family, whose axes became an input at some version."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.ir import Value
from ....compiler.ops.arith import Cast
from ....compiler.ops.reduce import OF_FLOATS, Reduce
from ....compiler.types import DType
from ...common.axes_by_data import known_axes, reduced
from ..emitter import Emitter
from ..registry import onnx_op

KINDS = {
    "ReduceL1": ("l1", 18),
    "ReduceL2": ("l2", 18),
    "ReduceLogSum": ("log_sum", 18),
    "ReduceLogSumExp": ("log_sum_exp", 18),
    "ReduceMax": ("max", 18),
    "ReduceMean": ("mean", 18),
    "ReduceMin": ("min", 18),
    "ReduceProd": ("prod", 18),
    "ReduceSum": ("sum", 13),
    "ReduceSumSquare": ("sum_square", 18),
}
"""The kind of reduction by operator, and the version since which the axes are an input."""


def _reduce(emit: Emitter, x: Value, kind: str, axes: Sequence[int] | Value, *, keepdims: int) -> Value:
    if kind in ("max", "min") and x.type.dtype.value == "bool":
        kind = "any" if kind == "max" else "all"
    dtype = x.type.dtype
    if kind in OF_FLOATS and not dtype.is_float:
        x = emit(Cast(x, DType.F32))
    if isinstance(axes, Value):
        out = reduced(emit, x, kind, axes, keepdims=bool(keepdims))
    else:
        out = emit(Reduce(x, kind, emit.axes(axes, x.type.rank), bool(keepdims)))
    return out if out.type.dtype is dtype or kind in ("any", "all") else emit(Cast(out, dtype))


def _register(name: str, kind: str, since: int) -> None:
    @onnx_op(name, since=7, until=since - 1)
    def attribute(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter, data: Value, *, axes: tuple[int, ...] = (), keepdims: int = 1
    ) -> Value:
        return _reduce(emit, data, kind, axes or range(data.type.rank), keepdims=keepdims)

    @onnx_op(name, since=since)
    def input(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter,
        data: Value,
        axes: Value | None = None,
        *,
        keepdims: int = 1,
        noop_with_empty_axes: int = 0,
    ) -> Value:
        given = () if axes is None else known_axes(emit, axes, data.type.rank)
        if given is None and axes is not None:
            return _reduce(emit, data, kind, axes, keepdims=keepdims)
        everything = () if noop_with_empty_axes else range(data.type.rank)
        return _reduce(emit, data, kind, given or everything, keepdims=keepdims)


for _name, (_kind, _since) in KINDS.items():
    _register(_name, _kind, _since)
