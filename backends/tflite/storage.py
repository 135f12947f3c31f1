"""Element types that tensors in a file can have."""

from __future__ import annotations

from collections.abc import Iterator

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Func, Op, Value
from ...compiler.types import DType
from ...formats.tflite.tensors import TENSOR_TYPES


def not_storable(func: Func) -> Iterator[Diagnostic]:
    """Yield an error for every input and every operation of a function whose values no file can hold."""
    for port, arg in zip(func.inputs, func.args, strict=True):
        if arg.type.dtype not in TENSOR_TYPES or arg.type.dtype is DType.STRING:
            yield Diagnostic("error", "B003", f"the input {port.name} is {arg.type}; {_WHY.format(arg.type.dtype)}")
    for op in func.walk():
        bad = next((r for r in op.results if r.type.dtype not in TENSOR_TYPES), None)
        if bad is not None:
            yield from _at(op, bad)


_WHY = "TFLite files have no tensors of {} that kernels take"


def _at(op: Op, result: Value) -> tuple[Diagnostic, ...]:
    return op.fail("B003", f"{op.spec.name} gives {result.type}; {_WHY.format(result.type.dtype)}").diagnostics
