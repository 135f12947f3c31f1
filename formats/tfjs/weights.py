"""Weights of graph models: tensors concatenated in files that may end inside of one."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, partial
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from ...compiler.budget import too_large
from ...compiler.diagnostics import error
from ...compiler.types import Array, DType, TensorType
from ...compiler.weights import MappedFile, Weight
from ..packed import stored_bytes, stored_weight
from .names import WEIGHT_TYPES

Json: TypeAlias = "Mapping[str, Any]"

Place: TypeAlias = "tuple[MappedFile, int, int]"
"""Bytes of a file: where they begin, and how many they are."""

LENGTH = 4
"""Bytes that tell the length of a string."""

STORED = {"uint8": DType.U8, "uint16": DType.U16, "float16": DType.F16}
"""Element types in which weights are stored that are numbers of 32 bits for whoever reads them."""


@dataclass(frozen=True)
class _Parts:
    """The files of a group."""

    files: tuple[Path, ...]

    @cached_property
    def _mapped(self) -> list[MappedFile]:
        return [MappedFile(file) for file in self.files]

    def places(self, start: int, size: int) -> list[Place]:
        """Return where bytes lie.

        Raises:
            ValueError: the files end before.
        """
        found: list[Place] = []
        for file in self._mapped:
            taken = max(0, min(size, file.size - start))
            if taken:
                found.append((file, start, taken))
                size -= taken
            start = max(0, start - file.size)
        if size:
            raise ValueError(f"{size} bytes of weights are missing")
        return found

    def weight(self, start: int, type: TensorType) -> Weight:
        """Return a tensor that stays where it is, but for one that lies in several files."""
        places = self.places(start, stored_bytes(type))
        if len(places) == 1:
            file, first, _ = places[0]
            return Weight.mapped(file, first, type)
        return stored_weight(type, partial(_joined, places))

    def strings(self, start: int, shape: tuple[int, ...]) -> tuple[Weight, int]:
        """Return a tensor of strings, and how many bytes it has."""
        strings: list[str] = []
        place = start
        for _ in range(int(np.prod(shape, dtype=np.int64))):
            length = int.from_bytes(self._bytes(place, LENGTH), "little")
            strings.append(self._bytes(place + LENGTH, length).decode("utf-8", "surrogateescape"))
            place += LENGTH + length
        array = np.empty(len(strings), object)
        array[:] = strings
        return Weight.of(array.reshape(shape), is_stored=True), place - start

    def _bytes(self, start: int, size: int) -> bytes:
        return _joined(self.places(start, size)).tobytes()


def _joined(places: Sequence[Place]) -> Array:
    """Read bytes that may lie in several files."""
    parts = [file.read(start, np.dtype(np.uint8), (size,)) for file, start, size in places]
    return np.concatenate(parts) if parts else np.empty(0, np.uint8)


def read_weights(group: Json, folder: Path) -> Iterator[tuple[str, Weight]]:
    """Yield the tensors of a group by name.

    Raises:
        CompileError: M001, one is too large.
        OSError: a file can't be read.
        ValueError: what is said of the weights is wrong; KeyError and TypeError, it lacks something.
    """
    parts = _Parts(tuple(folder / _file_name(path) for path in group["paths"]))
    start = 0
    for said in group["weights"]:
        shape = tuple(int(size) for size in said["shape"])
        dtype, coded = WEIGHT_TYPES[said["dtype"]], said.get("quantization")
        stored = dtype if coded is None else STORED[coded["dtype"]]
        problem = too_large(shape, max(stored.bits, 8))
        if problem is not None or any(size < 0 for size in shape):
            raise error("M001", f"the weight {said['name']} has {problem or f'the shape {list(shape)}'}")
        if dtype is DType.STRING:
            weight, size = parts.strings(start, shape)
        else:
            type = TensorType(stored, shape)
            weight, size = parts.weight(start, type), stored_bytes(type)
        start += size
        yield said["name"], weight if coded is None else _decoded(weight, dtype, coded)


def _file_name(path: str) -> str:
    """Return the name of a file beside the model.

    Raises:
        ValueError: it would lie elsewhere.
    """
    if Path(path).name != path:
        raise ValueError(f"the weights lie in {path!r}, not beside the model")
    return path


def _decoded(weight: Weight, dtype: DType, coded: Json) -> Weight:
    """Return the numbers that stored ones stand for: halves, or steps from the least one."""
    type = weight.type.with_dtype(dtype)
    if weight.type.dtype is DType.F16:
        return weight.derive(type, partial(np.ndarray.astype, dtype=dtype.numpy))
    return weight.derive(type, partial(_number, scale=float(coded["scale"]), least=float(coded["min"]), dtype=dtype))


def _number(steps: Array, *, scale: float, least: float, dtype: DType) -> Array:
    found = steps.astype(np.float32) * np.float32(scale) + np.float32(least)
    return (np.round(found) if dtype.is_int else found).astype(dtype.numpy)
