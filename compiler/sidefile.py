"""Side files: large weights beside a text, in the safetensors format (https://github.com/huggingface/safetensors).

The file is written as a stream, one tensor after the other, and read memory-mapped.
"""

from __future__ import annotations

import json
import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from .diagnostics import error, reason
from .dims import static
from .types import Array, DType, TensorType
from .weights import MappedFile, Weight

_TAGS = {
    DType.BOOL: "BOOL",
    DType.I8: "I8",
    DType.I16: "I16",
    DType.I32: "I32",
    DType.I64: "I64",
    DType.U8: "U8",
    DType.U16: "U16",
    DType.U32: "U32",
    DType.U64: "U64",
    DType.F16: "F16",
    DType.BF16: "BF16",
    DType.F32: "F32",
    DType.F64: "F64",
    DType.C64: "C64",
}
_TYPES = {tag: dtype for dtype, tag in _TAGS.items()}
_STORED_AS = {
    DType.I2: DType.I8,
    DType.I4: DType.I8,
    DType.U2: DType.U8,
    DType.U4: DType.U8,
    DType.F4E2M1: DType.F32,
    DType.F8E4M3FN: DType.F32,
    DType.F8E4M3FNUZ: DType.F32,
    DType.F8E5M2: DType.F32,
    DType.F8E5M2FNUZ: DType.F32,
    DType.F8E8M0: DType.F32,
    DType.C128: DType.F64,
}
"""Types that the format doesn't have, stored wider or as pairs; the text states the true type."""


@dataclass
class SideFile:
    """Collects weights under keys while modules are printed; ``known`` weights are in earlier files already."""

    prefix: str = "w"
    known: dict[int, tuple[str, Weight]] = field(default_factory=lambda: dict[int, tuple[str, Weight]]())
    fresh: dict[str, Weight] = field(default_factory=lambda: dict[str, Weight]())

    def add(self, weight: Weight) -> str:
        """Keep ``weight`` and return its key in the text."""
        if id(weight) not in self.known:
            key = f"@@{self.prefix}{len(self.known)}"
            self.known[id(weight)] = (key, weight)
            self.fresh[key] = weight
        return self.known[id(weight)][0]

    def write(self, path: Path) -> None:
        """Write the weights that are not in an earlier file, and count them as written."""
        header: dict[str, Any] = {}
        offset = 0
        for key, w in self.fresh.items():
            dtype = _STORED_AS.get(w.type.dtype, w.type.dtype)
            if dtype not in _TAGS:
                raise error("R011", f"weights of type {w.type.dtype} can't be stored in a side file")
            shape = [*static(w.type.shape), *([2] if w.type.dtype is DType.C128 else [])]
            size = math.prod(shape) * dtype.numpy.itemsize
            header[key[2:]] = {
                "dtype": _TAGS[dtype],
                "shape": shape,
                "data_offsets": [offset, offset + size],
            }
            offset += size
        text = json.dumps(header, separators=(",", ":")).encode()
        text += b" " * (-len(text) % 8)
        with path.open("wb") as file:
            file.write(struct.pack("<Q", len(text)) + text)
            for w in self.fresh.values():
                dtype = _STORED_AS.get(w.type.dtype, w.type.dtype)
                array = np.ascontiguousarray(w.array())
                array = array.view(dtype.numpy) if w.type.dtype is DType.C128 else array.astype(dtype.numpy, copy=False)
                file.write(array.reshape(-1).view(np.uint8).data)
        self.fresh.clear()


def from_stored(array: Array, *, type: TensorType) -> Array:
    """Elements of the type that the text states, from those that a side file holds."""
    if type.dtype is DType.C128:
        array = np.ascontiguousarray(array).reshape(-1).view(type.dtype.numpy)
    return array.astype(type.dtype.numpy, copy=False).reshape(static(type.shape))


def read_side_file(path: Path) -> dict[str, Weight]:
    """Return the weights of a side file by their keys in the text; nothing is read before it is needed.

    Raises:
        CompileError: R010, the file is missing or not in the format.
    """
    try:
        file = MappedFile(path)
        start, header = _read_header(file)
        return {f"@@{name}": _entry(file, start, e) for name, e in header.items() if name != "__metadata__"}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as bad:
        raise error("R010", f"can't read the weights in {path}: {reason(bad)}") from bad


def _read_header(file: MappedFile) -> tuple[int, dict[str, Any]]:
    """Return where the data starts, and what lies where."""
    with file.path.open("rb") as raw:
        length = int.from_bytes(raw.read(8), "little")
        if file.size < 8 + length:
            raise ValueError("the file is shorter than its header")
        return 8 + length, json.loads(raw.read(length))


def _entry(file: MappedFile, start: int, entry: dict[str, Any]) -> Weight:
    type = TensorType(_TYPES[entry["dtype"]], tuple(int(d) for d in entry["shape"]))
    begin, end = entry["data_offsets"]
    if min(static(type.shape), default=0) < 0 or not 0 <= begin <= end <= file.size - start:
        raise ValueError(f"{type} lies outside of the file")
    if math.prod(static(type.shape)) * type.dtype.numpy.itemsize != end - begin:
        raise ValueError(f"{type} does not have {end - begin} bytes")
    return Weight.mapped(file, start + begin, type)
