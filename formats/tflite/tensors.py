"""Element types of tensors in a file, and the bytes of constants."""

from __future__ import annotations

import numpy as np

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
