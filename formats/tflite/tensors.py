"""Element types of tensors in a file, and the bytes of constants."""

from __future__ import annotations

import numpy as np

from ...compiler.types import Array, DType, TensorType
from ...compiler.weights import Weight

TENSOR_TYPES = {
    DType.BOOL: "BOOL",
    DType.I4: "INT4",
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
"""Element types of tensors; their bytes in a file are numpy's, except for strings and integers of 4 bits."""


def stored(weight: Weight) -> Weight:
    """Return what a file holds of a constant: of strings their number, where each begins and the last one ends.

    Two integers of 4 bits lie in a byte, the first one in its low bits.
    """
    if weight.type.dtype is DType.I4:
        size = weight.type.size
        assert isinstance(size, int)
        return weight.derive(TensorType(DType.U8, ((size + 1) // 2,)), _packed)
    if weight.type.dtype is not DType.STRING:
        return weight
    texts = [str(text).encode() for text in weight.array().flat]
    places = 4 * (len(texts) + 2) + np.cumsum([0, *map(len, texts)])
    head = np.asarray([len(texts), *places], "<i4").tobytes()
    return Weight.of(np.frombuffer(head + b"".join(texts), np.uint8))


def _packed(integers: Array) -> Array:
    low = integers.reshape(-1).view(np.uint8) & 0xF
    pairs = np.append(low, np.zeros(low.size % 2, np.uint8)).reshape(-1, 2)
    return pairs[:, 0] | pairs[:, 1] << 4
