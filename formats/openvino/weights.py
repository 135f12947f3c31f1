"""Constants as weights: places in the file beside the XML, mapped, in all element types that the IR has."""

from __future__ import annotations

import math
from functools import cached_property
from pathlib import Path

import numpy as np

from ...compiler.budget import too_large
from ...compiler.diagnostics import CompileError, error, reason
from ...compiler.types import Array, DType, TensorType
from ...compiler.weights import MappedFile, Origin, Weight
from ..packed import stored_bytes, stored_weight
from .model import Layer

ELEMENTS = {
    "boolean": DType.BOOL,
    "bool": DType.BOOL,
    "f4e2m1": DType.F4E2M1,
    "f8e4m3": DType.F8E4M3FN,
    "f8e5m2": DType.F8E5M2,
    "f8e8m0": DType.F8E8M0,
    **{str(d): d for d in (DType.F16, DType.BF16, DType.F32, DType.F64)},
    **{f"{sign}{bits}": DType(f"{sign}{bits}") for sign in "iu" for bits in (4, 8, 16, 32, 64)},
    "u2": DType.U2,
    "string": DType.STRING,
}
"""Element types by OpenVINO's names."""

STORED_AS = {d: name for name, d in ELEMENTS.items() if name != "bool"}
"""OpenVINO's names by element type."""

NF4 = np.asarray(
    [
        -1.0,
        -0.6961928009986877,
        -0.5250730514526367,
        -0.39491748809814453,
        -0.28444138169288635,
        -0.18477343022823334,
        -0.09105003625154495,
        0.0,
        0.07958029955625534,
        0.16093020141124725,
        0.24611230194568634,
        0.33791524171829224,
        0.44070982933044434,
        0.5626170039176941,
        0.7229568362236023,
        1.0,
    ],
    np.float32,
)
"""The numbers that the codes of ``nf4`` stand for: quantiles of the normal distribution (arXiv 2305.14314)."""


PRECISIONS = {"FP64": "f64", "FP32": "f32", "FP16": "f16", "BF16": "bf16", "BOOL": "boolean"}
"""Element types as ports state them, where these are no types' own names."""


def stated_type(precision: str) -> str:
    """Return the name of the element type that a port states.

    >>> stated_type("FP32"), stated_type("I64")
    ('f32', 'i64')
    """
    return PRECISIONS.get(precision.upper(), precision.lower())


def element_type(name: str) -> DType:
    """Return an element type by OpenVINO's name.

    Raises:
        CompileError: F003, the IR has no such type.
    """
    if name not in ELEMENTS:
        raise error("F003", f"there are no elements of type {name or 'unknown'}")
    return ELEMENTS[name]


class WeightsFile:
    """The file that holds the elements of all constants; a model without constants needs none."""

    def __init__(self, path: Path | None) -> None:
        self.path = path

    @cached_property
    def size(self) -> int:
        """Bytes of the file.

        Raises:
            CompileError: F017, there is no file.
        """
        if self.path is None:
            raise error("F017", "the elements of constants are missing", help="Give the path of the XML, not its text.")
        try:
            return self.path.stat().st_size
        except OSError as bad:
            text = f"can't read the weights {self.path}: {reason(bad)}"
            raise error("F017", text, help="Put the .bin beside the .xml, or name it with --weights.") from bad

    @cached_property
    def file(self) -> MappedFile:
        """The file, which is mapped when elements are read."""
        assert self.path is not None
        return MappedFile(self.path)


def constant_weight(layer: Layer, file: WeightsFile, shape: tuple[int, ...]) -> Weight:
    """Return the elements of a constant, which are read when they are needed.

    Raises:
        CompileError: F003, the IR has no such type; F016, place or size don't fit; F017, there is no file of weights.
    """
    name = layer.data.get("element_type", "").lower()
    packed = {"nf4": 4, "u1": 1}
    type = TensorType(DType.U4 if name in packed else element_type(name), shape)
    if type.dtype is DType.STRING:
        raise error("F003", f"the constant {layer.name!r} holds strings")
    problem = too_large(shape, type.dtype.bits)
    if problem is not None:
        raise error("M001", f"the constant {layer.name!r} has {problem}")
    size = (math.prod(shape) * packed[name] + 7) // 8 if name in packed else stored_bytes(type)
    start = _place(layer, size, file)
    if size == 0:
        return stored_weight(type, lambda: np.empty(0, np.uint8))
    if name == "u1":
        return _bits(shape, file.file, start, size)
    if type.dtype.bits < 8:
        codes = stored_weight(type, lambda: file.file.read(start, np.dtype(np.uint8), (size,)), file.file)
        return codes if name != "nf4" else codes.derive(type.with_dtype(DType.F32), _numbers_of_nf4)
    return Weight.mapped(file.file, start, type)


def _numbers_of_nf4(codes: Array) -> Array:
    return NF4[codes.astype(np.uint8)]


def _bits(shape: tuple[int, ...], file: MappedFile, start: int, size: int) -> Weight:
    """Return single bits, the highest of a byte first, as bytes."""

    def make() -> Array:
        return np.unpackbits(file.read(start, np.dtype(np.uint8), (size,)))[: math.prod(shape)].reshape(shape)

    return Weight(TensorType(DType.U8, shape), make, file, origins=frozenset({Origin(size)}))


def _place(layer: Layer, size: int, file: WeightsFile) -> int:
    """Return where the elements begin.

    Raises:
        CompileError: F016, they are not stated, of another size, or outside of the file.
    """
    try:
        start, stated = int(layer.data["offset"]), int(layer.data["size"])
    except (KeyError, ValueError):
        raise _bad(layer, "does not say where its elements are") from None
    if stated != size and size:  # OpenVINO gives what is empty one byte
        raise _bad(layer, f"needs {size} bytes, but has {stated}")
    if start < 0 or (size and start + size > file.size):
        raise _bad(layer, f"has {size} bytes at {start}, but {file.path} has {file.size} in all")
    return start


def _bad(layer: Layer, text: str) -> CompileError:
    return error("F016", f"the constant {layer.name!r} {text}", help="The files don't belong together, or are damaged.")
