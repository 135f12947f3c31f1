"""The file: a flatbuffer of metadata, followed by the weights as a stream, so that none is copied or held twice."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path
from typing import BinaryIO

import numpy as np

from ...compiler.diagnostics import error, reason
from ...compiler.scratch import Scratch
from ...compiler.types import Array
from ...compiler.weights import Weight
from ..chunks import chunks
from ..growth import check_growth
from . import schema
from .model import Model

ALIGNMENT = 16
"""Of every weight in the file, as the schema demands."""

TAIL = 16
"""Zeros after the last weight: XNNPACK reads a little beyond the end."""

MAX_FLATBUFFER = (1 << 31) - 1
"""Bytes that a flatbuffer may have; what is larger keeps its weights after it, found by 64-bit offsets."""

SAMPLE = 256
"""Elements that are compared first, before two large weights are compared in full."""


def write(model: Model, path: Path) -> int:
    """Write a model and return the size of the file, which appears whole or not at all.

    Raises:
        CompileError: R012, the place can't be written to, or the disk is full; M002, the file would be far larger than
            the source.
    """
    check_growth(model.weights, partial(_describe, model))
    try:
        with Scratch(path) as scratch:
            part = scratch.path / path.name
            with part.open("w+b") as file:
                _Stream(model, file).run()
                size = file.tell()
            part.replace(path)
    except OSError as bad:
        raise error("R012", f"can't write {path}: {reason(bad)}") from bad
    return size


def _describe(model: Model, number: int) -> str:
    """Name the tensor that holds a weight."""
    tensors = (t for graph in model.subgraphs for t in graph.tensors if t.buffer == number + 1)
    tensor = next(tensors)
    return f"{tensor.name or 'nameless'}, {tensor.type}"


class _Stream:
    """Writes the metadata, then one weight after the other, then where they came to lie."""

    def __init__(self, model: Model, file: BinaryIO) -> None:
        self.file = file
        self.weights = [*model.weights, *(Weight.of(np.frombuffer(m, np.uint8)) for m in model.metadata.values())]
        self.packed = schema.pack(model, external=False)
        room = sum(w.nbytes + ALIGNMENT + 4 for w in self.weights)
        self.external = len(self.packed) + room > MAX_FLATBUFFER
        if self.external:
            self.packed = schema.pack(model, external=True)
        self.written: dict[tuple[int, bytes], list[int]] = {}

    def run(self) -> None:
        self.file.write(self.packed)
        places = [(self._weight(w), w.nbytes) for w in self.weights]
        self.file.seek(0, os.SEEK_END)
        self.file.write(bytes(TAIL))
        schema.place_buffers(self.packed, places, external=self.external)
        self.file.seek(0)
        self.file.write(self.packed)
        self.file.seek(0, os.SEEK_END)

    def _weight(self, weight: Weight) -> int:
        """Return where the weight lies: where an equal one does, else at the end."""
        array = weight.array()
        key = (weight.nbytes, _sample(array))
        places = self.written.setdefault(key, [])
        start = next((p for p in places if _is_at(self.file, p, array)), None)
        if start is None:
            start = self._append(array)
            places.append(start)
        if weight.source is not None:
            del array
            weight.source.release()
        return start

    def _append(self, array: Array) -> int:
        at = self.file.seek(0, os.SEEK_END)
        length = b"" if self.external else array.nbytes.to_bytes(4, "little")
        start = -(-(at + len(length)) // ALIGNMENT) * ALIGNMENT
        self.file.write(bytes(start - at - len(length)) + length)
        if _is_zero(array):
            self.file.truncate(start + array.nbytes)  # a hole, which takes no room on most disks
        else:
            for piece in chunks(array):
                self.file.write(piece)
        return start


def _sample(array: Array) -> bytes:
    """Some elements, evenly spread; enough to tell most weights of one size apart."""
    return array.flat[np.linspace(0, array.size - 1, min(array.size, SAMPLE), dtype=np.int64)].tobytes()


def _is_at(file: BinaryIO, start: int, array: Array) -> bool:
    """Whether the bytes of an array lie in the file from ``start`` on."""
    file.seek(start)
    return all(memoryview(file.read(len(piece))) == piece for piece in chunks(array))


def _is_zero(array: Array) -> bool:
    """Whether an array is known to be all zeros: one element repeated."""
    repeated = all(s == 0 or d == 1 for s, d in zip(array.strides, array.shape, strict=True))
    return repeated and array.size > 1 and not any(array.flat[0].tobytes())
