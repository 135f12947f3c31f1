"""Constant tensors of a model: in the message, in the model file, or in files beside it."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np

from ...compiler.beside import NotBesideError, file_beside
from ...compiler.budget import too_large
from ...compiler.diagnostics import CompileError, counted, error
from ...compiler.types import Array, DType, TensorType
from ...compiler.weights import MappedFile, Weight
from ..packed import stored_bytes, stored_weight
from .wire import OWN_FILE

if TYPE_CHECKING:
    from onnx import SparseTensorProto, TensorProto

DTYPES = {
    1: DType.F32,
    2: DType.U8,
    3: DType.I8,
    4: DType.U16,
    5: DType.I16,
    6: DType.I32,
    7: DType.I64,
    8: DType.STRING,
    9: DType.BOOL,
    10: DType.F16,
    11: DType.F64,
    12: DType.U32,
    13: DType.U64,
    14: DType.C64,
    15: DType.C128,
    16: DType.BF16,
    17: DType.F8E4M3FN,
    18: DType.F8E4M3FNUZ,
    19: DType.F8E5M2,
    20: DType.F8E5M2FNUZ,
    21: DType.U4,
    22: DType.I4,
    23: DType.F4E2M1,
    24: DType.F8E8M0,
    25: DType.U2,
    26: DType.I2,
}
"""Element types by the number that ONNX gives them; those it has besides are refused."""


_NUMBERS = {dtype: number for number, dtype in DTYPES.items()}


def number_of(dtype: DType) -> int:
    """Return the number that ONNX gives an element type."""
    return _NUMBERS[dtype]


def element_type(number: int) -> DType:
    """Return the element type that a number stands for.

    Raises:
        CompileError: F003, the IR has no such type.
    """
    if number in DTYPES:
        return DTYPES[number]
    from onnx import TensorProto

    names = {v: k for k, v in TensorProto.DataType.items()}
    raise error(
        "F003",
        f"the element type {names.get(number, number)} is not supported",
        help="Convert the model to one of " + ", ".join(names[n] for n in DTYPES if n != TensorProto.STRING),
    )


@dataclass
class Store:
    """Where the bytes of a model lie: its file, if it has one, and the folder around it."""

    file: MappedFile | None = None
    _files: dict[str, MappedFile] = field(default_factory=lambda: dict[str, MappedFile]())

    @property
    def path(self) -> Path | None:
        """The file of the model, beside which external data lies."""
        return None if self.file is None else self.file.path

    def open(self, location: str) -> MappedFile:
        """Return the file at a location relative to the model's folder.

        Raises:
            CompileError: F017, there is none, or it would lie outside of the folder.
        """
        if self.file is None:
            raise error("F017", f"the data lies in {location!r}, but the model has no folder", help="Give a path.")
        if location == OWN_FILE:
            return self.file
        if location not in self._files:
            try:
                self._files[location] = MappedFile(file_beside(self.file.path, location))
            except NotBesideError as bad:
                raise error("F017", f"the data can't be read: {bad}", help=bad.help) from bad
        return self._files[location]


class Constant(Protocol):
    """A constant of the model, not read yet."""

    @property
    def name(self) -> str:
        """Its name in the graph; empty for an attribute."""
        ...

    def weight(self) -> Weight:
        """Return the tensor.

        Raises:
            CompileError: F003, F016 or F017, it can't be read.
        """
        ...


@dataclass(frozen=True)
class Tensor:
    """A dense constant: its element type, its shape, and where its elements are."""

    proto: TensorProto
    store: Store

    @property
    def name(self) -> str:
        """Its name in the graph."""
        return self.proto.name

    def weight(self) -> Weight:
        """Return the tensor; what lies in a file stays there."""
        dims = tuple(self.proto.dims)
        if any(d < 0 for d in dims):
            raise self._fail(f"has shape {list(dims)}")
        type = TensorType(element_type(self.proto.data_type), dims)
        if self.proto.data_location == 1:
            return self._external(type)
        if self.proto.HasField("raw_data"):
            self._check_size(type, len(self.proto.raw_data))
            proto = self.proto
            return stored_weight(type, lambda: np.frombuffer(proto.raw_data, np.uint8))
        return Weight.of(self._typed(type), is_stored=True)

    def _external(self, type: TensorType) -> Weight:
        entries = {e.key: e.value for e in self.proto.external_data}
        file = self.store.open(entries.get("location", ""))
        size = stored_bytes(type)
        try:
            offset, length = int(entries.get("offset", 0)), int(entries.get("length", size))
        except ValueError as bad:
            raise self._fail(f"has an offset or length that is not a number: {entries}") from bad
        self._check_size(type, length)
        if offset < 0 or offset + length > file.size:
            text = f"lies at {offset} to {offset + length} in {file.path.name}, which has {file.size} bytes"
            raise self._fail(text, "F017", "The file is truncated, or belongs to another model.")
        if size == 0:
            return stored_weight(type, lambda: np.empty(0, np.uint8))
        if type.dtype.bits < 8:
            return stored_weight(type, lambda: file.read(offset, np.dtype(np.uint8), (size,)), file)
        return Weight.mapped(file, offset, type)

    def _check_size(self, type: TensorType, given: int) -> None:
        if given != stored_bytes(type):
            raise self._fail(f"is {type}, which takes {stored_bytes(type)} bytes, but has {given}")

    def _typed(self, type: TensorType) -> Array:
        """Decode ``float_data`` and the like."""
        from onnx import numpy_helper

        try:
            array = numpy_helper.to_array(self.proto)
        except (ValueError, TypeError, OverflowError) as bad:
            raise self._fail(f"can't be read as {type}: {bad}") from bad
        if array.shape != type.shape:
            raise self._fail(f"is {type}, but has {counted(array.size, 'element')}")
        return array.astype(type.dtype.numpy, copy=False)

    def _fail(self, text: str, code: str = "F016", help: str = "The file is damaged; export it again.") -> CompileError:
        return error(code, f"the tensor {self.name!r} {text}", help=help)


@dataclass(frozen=True)
class Given:
    """A tensor that whoever imports the model gives in place of an input."""

    name: str
    array: Array

    def weight(self) -> Weight:
        """Return the tensor."""
        return Weight.of(self.array, is_stored=True)


@dataclass(frozen=True)
class SparseTensor:
    """A constant of which only the elements that are not zero are stored."""

    proto: SparseTensorProto
    store: Store

    @property
    def name(self) -> str:
        """Its name in the graph."""
        return self.proto.values.name

    def weight(self) -> Weight:
        """Return the tensor with its zeros."""
        values = Tensor(self.proto.values, self.store).weight()
        places = Tensor(self.proto.indices, self.store).weight().array()
        shape = tuple(self.proto.dims)
        size = math.prod(shape)
        if any(d < 0 for d in shape) or places.dtype != np.int64 or places.shape[:1] != values.type.shape[:1]:
            raise self._fail(f"with indices {places.dtype}{list(places.shape)} does not fit {list(shape)}")
        if places.ndim == 2 and places.shape[1] == len(shape):
            strides = [math.prod(shape[i + 1 :]) for i in range(len(shape))]
            if (places >= np.asarray(shape)).any():
                raise self._fail(f"has indices outside of {list(shape)}")
            places = places @ np.asarray(strides, np.int64)
        if places.ndim != 1 or values.type.rank != 1 or (places < 0).any() or (places >= size).any():
            raise self._fail(f"has indices outside of {list(shape)}")

        def dense() -> Array:
            out = np.zeros(size, values.type.dtype.numpy)
            out[places] = values.array()
            return out.reshape(shape)

        type = TensorType(values.type.dtype, shape)
        problem = too_large(shape, type.dtype.bits)
        if problem is not None:
            raise error("M001", f"the sparse tensor {self.name!r} has {problem}")
        return Weight(type, dense, origins=values.origins)

    def _fail(self, text: str) -> CompileError:
        return error("F016", f"the sparse tensor {self.name!r} {text}")
