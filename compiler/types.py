"""Types of values: an element type and a shape, written ``f32[batch,3,224,224]``."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import cache, lru_cache
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import DTypeLike, NDArray

from .diagnostics import error
from .dims import Dim, Shape, parse_dim, product

Array: TypeAlias = NDArray[Any]


class DType(StrEnum):
    """Element types; the value is what the text form shows."""

    BOOL = "bool"
    I2 = "i2"
    I4 = "i4"
    I8 = "i8"
    I16 = "i16"
    I32 = "i32"
    I64 = "i64"
    U2 = "u2"
    U4 = "u4"
    U8 = "u8"
    U16 = "u16"
    U32 = "u32"
    U64 = "u64"
    F4E2M1 = "f4e2m1"
    F8E4M3FN = "f8e4m3fn"
    F8E4M3FNUZ = "f8e4m3fnuz"
    F8E5M2 = "f8e5m2"
    F8E5M2FNUZ = "f8e5m2fnuz"
    F8E8M0 = "f8e8m0"
    F16 = "f16"
    BF16 = "bf16"
    F32 = "f32"
    F64 = "f64"
    C64 = "c64"
    C128 = "c128"
    STRING = "string"

    @property
    def numpy(self) -> np.dtype[Any]:
        """The numpy type that holds such elements; those that numpy lacks come from ``ml_dtypes``."""
        return _numpy(self)

    @property
    def bits(self) -> int:
        """Size of one element in bits; 0 for strings."""
        return 0 if self is DType.STRING else _SUB_BYTE.get(self) or 8 * self.numpy.itemsize

    @property
    def is_float(self) -> bool:
        """Whether elements are real floating-point numbers, of any number of bits."""
        return self is DType.BF16 or self.value[0] == "f"

    @property
    def is_int(self) -> bool:
        """Whether elements are integers, signed or not; booleans are none."""
        return self.value[0] in "iu"

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the largest integer of a type of integers.

        >>> DType.I4.bounds, DType.U8.bounds
        ((-8, 7), (0, 255))
        """
        if self.value[0] == "u":
            return 0, (1 << self.bits) - 1
        return -(1 << self.bits - 1), (1 << self.bits - 1) - 1

    @property
    def is_complex(self) -> bool:
        """Whether elements are complex numbers: pairs of a real and an imaginary part."""
        return self in (DType.C64, DType.C128)

    def holds(self, other: DType) -> bool:
        """Say whether every element of another type is exactly one of this type.

        >>> DType.F32.holds(DType.I16), DType.F32.holds(DType.I32)
        (True, False)
        """
        if other is self:
            return True
        if other is DType.BOOL:
            return self.is_int or self in _MANTISSA
        if other.is_int and self.is_int:
            signed = other.value[0] == "i"
            return self.bits > other.bits and (self.value[0] == "i" or not signed)
        if other.is_int:
            return other.bits <= _MANTISSA.get(self, 0)
        return other in _MANTISSA and self in (DType.F32, DType.F64) and self.bits > other.bits

    @staticmethod
    def of(dtype: DTypeLike) -> DType:
        """Return the element type of a numpy dtype.

        Raises:
            ValueError: numpy's type has no counterpart.
        """
        return _dtype(np.dtype(dtype))


_MANTISSA = {DType.F16: 11, DType.BF16: 8, DType.F32: 24, DType.F64: 53}
"""Bits of whole numbers that floating-point types hold exactly, of those whose range is no question."""

_NUMPY_NAMES = {
    DType.BOOL: "bool",
    DType.I8: "int8",
    DType.I16: "int16",
    DType.I32: "int32",
    DType.I64: "int64",
    DType.U8: "uint8",
    DType.U16: "uint16",
    DType.U32: "uint32",
    DType.U64: "uint64",
    DType.F16: "float16",
    DType.F32: "float32",
    DType.F64: "float64",
    DType.C64: "complex64",
    DType.C128: "complex128",
    DType.STRING: "object",
}
_ML_NAMES = {
    DType.BF16: "bfloat16",
    DType.I2: "int2",
    DType.I4: "int4",
    DType.U2: "uint2",
    DType.U4: "uint4",
    DType.F4E2M1: "float4_e2m1fn",
    DType.F8E4M3FN: "float8_e4m3fn",
    DType.F8E4M3FNUZ: "float8_e4m3fnuz",
    DType.F8E5M2: "float8_e5m2",
    DType.F8E5M2FNUZ: "float8_e5m2fnuz",
    DType.F8E8M0: "float8_e8m0fnu",
}
_SUB_BYTE = {DType.I2: 2, DType.U2: 2, DType.I4: 4, DType.U4: 4, DType.F4E2M1: 4}
"""Bits of types that share bytes in files; numpy holds one element a byte."""


@cache
def _numpy(dtype: DType) -> np.dtype[Any]:
    if dtype in _NUMPY_NAMES:
        return np.dtype(_NUMPY_NAMES[dtype])
    import ml_dtypes

    return np.dtype(getattr(ml_dtypes, _ML_NAMES[dtype]))


@cache
def _dtype(dtype: np.dtype[Any]) -> DType:
    for ours, name in (_NUMPY_NAMES | _ML_NAMES).items():
        if dtype.name == name:
            return ours
    if dtype.kind in "SU":
        return DType.STRING
    raise ValueError(f"numpy type {dtype} has no counterpart")


@dataclass(frozen=True, slots=True)
class TensorType:
    """The type of a tensor: ``f32[batch,3,224,224]``; ``f32[]`` is a scalar."""

    dtype: DType
    shape: Shape

    def __str__(self) -> str:
        return f"{self.dtype}[{','.join(map(str, self.shape))}]"

    @property
    def rank(self) -> int:
        """The number of axes; 0 for a scalar."""
        return len(self.shape)

    @property
    def size(self) -> Dim:
        """The number of elements; symbolic if a size is."""
        return product(self.shape)

    def with_shape(self, shape: tuple[Dim, ...] | list[Dim]) -> TensorType:
        """Return the same element type with another shape."""
        return TensorType(self.dtype, tuple(shape))

    def with_dtype(self, dtype: DType) -> TensorType:
        """Return the same shape with another element type."""
        return TensorType(dtype, self.shape)


@lru_cache(maxsize=1 << 12)
def parse_type(text: str) -> TensorType:
    """Read what a type prints as.

    >>> str(parse_type("f32[batch, 3, 2*h+1]"))
    'f32[batch,3,2*h+1]'

    Raises:
        CompileError: P007, a size is no dimension; P010, there is no such element type.
    """
    name, _, dims = text.strip().removesuffix("]").partition("[")
    if name.strip() not in tuple(DType):
        raise error(
            "P010", f"{name.strip()!r} is not an element type", excerpt=text, help=f"there are {', '.join(DType)}"
        )
    return TensorType(DType(name.strip()), tuple(_size(part) for part in _split(dims)))


MAX_DIGITS = 20
"""Of a size that is a number; what has more is not one."""


def _size(text: str) -> Dim:
    size = int(text) if text.isdecimal() and len(text) < MAX_DIGITS else parse_dim(text)
    if isinstance(size, int) and not 0 <= size < 2**63:
        raise error("P007", f"a size can't be {size}", help="sizes that are not known have names")
    return size


def _split(text: str) -> list[str]:
    """Split at the commas that are not inside parentheses."""
    parts, depth, start = list[str](), 0, 0
    for position, c in enumerate(text):
        depth += (c == "(") - (c == ")")
        if c == "," and depth == 0:
            parts.append(text[start:position].strip())
            start = position + 1
    last = text[start:].strip()
    return [*parts, last] if last else parts
