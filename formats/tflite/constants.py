"""Constants of a file as weights: mapped, packed in fewer than eight bits, sparse, or strings."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np

from ...compiler.budget import too_large
from ...compiler.diagnostics import CompileError, error
from ...compiler.types import Array, DType, TensorType
from ...compiler.weights import MappedFile, Weight
from ..packed import stored_bytes, stored_weight
from .contents import Contents, Place, StoredTensor
from .sparse import densify
from .tensors import TENSOR_TYPES

DTYPES = {name: dtype for dtype, name in TENSOR_TYPES.items()} | {
    "INT4": DType.I4,
    "UINT4": DType.U4,
    "INT2": DType.I2,
    "BFLOAT16": DType.BF16,
    "FLOAT8_E4M3FN": DType.F8E4M3FN,
    "FLOAT8_E5M2": DType.F8E5M2,
}
"""Element types by the schema's name; handles of resources and variants are no tensors."""


def element_type(tensor: StoredTensor) -> DType:
    """Return a tensor's element type.

    Raises:
        CompileError: F003, the IR has no such type.
    """
    name = tensor.info.dtype
    if name not in DTYPES:
        raise error("F003", f"the tensor {tensor.info.name!r} has elements of type {name}")
    return DTYPES[name]


def constant_weight(contents: Contents, tensor: StoredTensor) -> Weight:
    """Return a constant's elements, which are read when they are needed.

    Raises:
        CompileError: F003, the IR has no such type; F016, the elements don't fit it; F017, they lie in another file.
    """
    if tensor.place is None:
        raise error("F017", f"the elements of {tensor.info.name!r} lie in another file", help="Give one whole file.")
    type = TensorType(element_type(tensor), tensor.info.shape)
    if any(d < 0 for d in tensor.info.shape):
        raise _bad(tensor, f"has open sizes {list(tensor.info.shape)}")
    problem = too_large(type.shape, type.dtype.bits)
    if problem is not None:
        raise error("M001", f"the constant {tensor.info.name!r} has {problem}")
    if type.dtype is DType.STRING:
        return Weight.of(_strings(tensor, _read(contents, tensor.place), tensor.info.shape), is_stored=True)
    if tensor.sparsity is not None:
        return _sparse(contents, tensor, tensor.place, type)
    if tensor.place.size != stored_bytes(type):
        raise _bad(tensor, f"is {type}, which takes {stored_bytes(type)} bytes, but has {tensor.place.size}")
    return _dense(contents, tensor.place, type)


def _bad(tensor: StoredTensor, text: str) -> CompileError:
    return error("F016", f"the tensor {tensor.info.name!r} {text}", help="The file is damaged; convert it again.")


def _read(contents: Contents, place: Place) -> Array:
    if isinstance(contents.bytes, MappedFile):
        return contents.bytes.read(place.start, np.dtype(np.uint8), (place.size,))
    return np.frombuffer(contents.bytes, np.uint8, place.size, place.start)


def _dense(contents: Contents, place: Place, type: TensorType) -> Weight:
    file = contents.bytes if isinstance(contents.bytes, MappedFile) else None
    if place.size == 0:
        return stored_weight(type, lambda: np.empty(0, np.uint8))
    if file is None or type.dtype.bits < 8:
        return stored_weight(type, lambda: _read(contents, place), file)
    return Weight.mapped(file, place.start, type)


def _sparse(contents: Contents, tensor: StoredTensor, place: Place, type: TensorType) -> Weight:
    """Of a sparse constant, the elements that are not zero are stored."""
    assert tensor.sparsity is not None
    sparsity, count = tensor.sparsity, place.size * 8 // type.dtype.bits
    values = _dense(contents, place, type.with_shape((count,)))
    shape = tensor.info.shape
    try:  # once now, so that a damaged tree is found where it can be reported
        densify(np.zeros(count, np.int8), shape, sparsity)
    except ValueError as bad:
        raise _bad(tensor, f"is sparse, but {bad}") from bad

    def unfolded(array: Array) -> Array:
        return densify(array, shape, sparsity)

    return values.derive(type, unfolded)


def _strings(tensor: StoredTensor, raw: Array, shape: tuple[int, ...]) -> Array:
    """Decode strings: their number, where each begins and the last one ends, then their bytes."""
    data, count = raw.tobytes(), math.prod(shape)
    head = 4 * (count + 2)
    if len(data) < head or int.from_bytes(data[:4], "little") != count:
        raise _bad(tensor, f"does not hold {count} strings")
    ends = np.frombuffer(data, "<i4", count + 1, 4)
    if ends[0] != head or (np.diff(ends) < 0).any() or ends[-1] > len(data):
        raise _bad(tensor, "holds strings that lie nowhere")
    texts = np.empty(count, object)
    texts[:] = [data[a:b].decode("utf-8", "replace") for a, b in pairwise(ends)]
    return texts.reshape(shape)
