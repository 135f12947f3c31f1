"""Handlers of reductions, which are one family: axes are an operand, ``keep_dims`` an attribute."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops.reduce import OF_FLOATS, Reduce
from ....compiler.types import DType
from ...common.axes_by_data import known_axes
from ...common.axes_by_data import reduced as reduced_by_data
from ..emitter import Emitter
from ..registry import openvino_op

KINDS = {
    "ReduceL1": ("l1", 4),
    "ReduceL2": ("l2", 4),
    "ReduceLogicalAnd": ("all", 1),
    "ReduceLogicalOr": ("any", 1),
    "ReduceMax": ("max", 1),
    "ReduceMean": ("mean", 1),
    "ReduceMin": ("min", 1),
    "ReduceProd": ("prod", 1),
    "ReduceSum": ("sum", 1),
}
"""The kind of reduction by operation, and the operator set with which it has come."""


def reduced(emit: Emitter, x: Value, kind: str, axes: Value, *, keep_dims: bool) -> Value:
    """Combine elements along axes; kinds that give no integers are computed with floats."""
    dims, dtype = known_axes(emit, axes, x.type.rank), x.type.dtype
    if kind in OF_FLOATS and not dtype.is_float:
        x = emit.cast(x, DType.F32)
    if dims is None:
        found = reduced_by_data(emit, x, kind, axes, keepdims=keep_dims)
    else:
        found = emit(Reduce(x, kind, dims, keep_dims))
    return found if kind in ("any", "all") else emit.cast(found, dtype)


def _register(name: str, kind: str, since: int) -> None:
    @openvino_op(name, since=since)
    def handler(  # pyright: ignore[reportUnusedFunction] -- registered
        emit: Emitter, x: Value, axes: Value, *, keep_dims: bool = False
    ) -> Value:
        return reduced(emit, x, kind, axes, keep_dims=keep_dims)


for _name, (_kind, _since) in KINDS.items():
    _register(_name, _kind, _since)
