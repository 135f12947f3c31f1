"""Element types that tensors in a file can have."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Func, Op, Value
from ...compiler.types import DType
from ...compiler.weights import Weight

TENSOR_TYPES = {
    DType.BOOL: "BOOL",
    DType.I8: "INT8",
    DType.I16: "INT16",
    DType.I32: "INT32",
    DType.I64: "INT64",
    DType.U8: "UINT8",
    DType.U16: "UINT16",
    DType.U32: "UINT32",
    DType.U64: "UINT64",
    DType.F16: "FLOAT16",
    DType.F32: "FLOAT32",
    DType.F64: "FLOAT64",
    DType.C64: "COMPLEX64",
    DType.C128: "COMPLEX128",
    DType.STRING: "STRING",
}
"""Element types of tensors; their bytes in a file are those of numpy's array, except for strings."""


def stored(weight: Weight) -> Weight:
    """Return what a file holds of a constant: of strings their number, where each begins and the last one ends."""
    if weight.type.dtype is not DType.STRING:
        return weight
    texts = [str(text).encode() for text in weight.array().flat]
    places = 4 * (len(texts) + 2) + np.cumsum([0, *map(len, texts)])
    head = np.asarray([len(texts), *places], "<i4").tobytes()
    return Weight.of(np.frombuffer(head + b"".join(texts), np.uint8))


CARRIERS = {
    DType.BF16: DType.F32,
    DType.F8E4M3FN: DType.F32,
    DType.F8E4M3FNUZ: DType.F32,
    DType.F8E5M2: DType.F32,
    DType.F8E5M2FNUZ: DType.F32,
    DType.F8E8M0: DType.F32,
    DType.F4E2M1: DType.F32,
    DType.I2: DType.I8,
    DType.I4: DType.I8,
    DType.U2: DType.U8,
    DType.U4: DType.U8,
}
"""By type: the one that stands for it in the file."""


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
