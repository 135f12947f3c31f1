"""Everything that a file says, as plain data; constants stay where they lie."""

# the schema's generated views are untyped
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from ...compiler.weights import MappedFile
from .model import Blocks, Quantization
from .reader import OperatorInfo, Summary, TensorInfo, items, opened, summarize
from .sparse import Level, Sparsity

_DATA = 4
"""Place of a buffer's own bytes in its virtual table."""


class Place(NamedTuple):
    """Where the bytes of a constant lie in the file."""

    start: int
    size: int


@dataclass(frozen=True)
class StoredTensor:
    """A tensor of a subgraph: what the summary says, where its elements lie, and what integers stand for.

    ``is_elsewhere`` says that its elements lie in another file.
    """

    info: TensorInfo
    place: Place | None = None
    quantization: Quantization | None = None
    blocks: Blocks | None = None
    sparsity: Sparsity | None = None
    is_elsewhere: bool = False

    @property
    def is_constant(self) -> bool:
        """Whether the file holds its elements; an empty buffer is one only of a tensor without elements."""
        if self.place is None or self.info.is_variable:
            return self.is_elsewhere
        return self.place.size > 0 or 0 in self.info.shape


@dataclass(frozen=True)
class StoredOperator:
    """An operator with its options by name: numbers, truth values, strings, tuples; enumerations as their names.

    ``table`` is the schema's name of the options, None where the file leaves them out.
    """

    info: OperatorInfo
    table: str | None
    options: Mapping[str, Any]

    @property
    def name(self) -> str:
        """The builtin, or the name of a custom operator."""
        return self.info.name

    @property
    def is_custom(self) -> bool:
        """Whether it is a custom operator, whose kernel an application brings."""
        return self.info.custom_options is not None


@dataclass(frozen=True)
class StoredGraph:
    """A subgraph as the file has it: tensors, operators, inputs, outputs."""

    name: str
    tensors: tuple[StoredTensor, ...]
    operators: tuple[StoredOperator, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


@dataclass(frozen=True)
class Contents:
    """A file: its summary, its subgraphs, and its bytes."""

    summary: Summary
    graphs: tuple[StoredGraph, ...]
    path: Path | None
    bytes: MappedFile | bytes = field(repr=False)


def read_contents(source: Path | bytes) -> Contents:
    """Read a file, or its bytes.

    Raises:
        CompileError: R010, it is missing, truncated, damaged or no TFLite file.
    """
    with opened(source) as (data, model):
        summary = summarize(data, model)
        places = [_place(b, len(data)) for b in items(model.BuffersLength(), model.Buffers, len(data))]
        graphs = tuple(
            StoredGraph(
                info.name,
                tuple(_tensor(view.Tensors(i), t, places, len(data)) for i, t in enumerate(info.tensors)),
                tuple(_operator(view.Operators(i), op) for i, op in enumerate(info.operators)),
                info.inputs,
                info.outputs,
            )
            for view, info in ((model.Subgraphs(i), g) for i, g in enumerate(summary.subgraphs))
        )
        if isinstance(source, bytes):
            return Contents(summary, graphs, None, source)
        return Contents(summary, graphs, source, MappedFile(source))


def _place(buffer: Any, limit: int) -> Place | None:
    """Where a buffer's bytes lie; those inside of the flatbuffer go before those after it.

    Raises:
        ValueError: outside of the file.
    """
    table = buffer._tab
    own = table.Offset(_DATA)
    if own:
        place = Place(int(table.Vector(own)), int(table.VectorLen(own)))
    elif buffer.Offset() > 1:
        place = Place(int(buffer.Offset()), int(buffer.Size()))
    else:
        return None
    if place.start + place.size > limit:
        raise ValueError(f"a buffer of {place.size} bytes at {place.start}, but the file has {limit}")
    return place


def _tensor(view: Any, info: TensorInfo, places: list[Place | None], limit: int) -> StoredTensor:
    quantization, blocks = _quantization(view.Quantization(), limit)
    elsewhere = bool(view.ExternalBuffer()) if hasattr(view, "ExternalBuffer") else False
    sparsity = _sparsity(view.Sparsity(), limit)
    return StoredTensor(info, places[view.Buffer()], quantization, blocks, sparsity, elsewhere)


def _quantization(view: Any, limit: int) -> tuple[Quantization | None, Blocks | None]:
    if view is None:
        return None, None
    from .schema import blockwise

    scales = tuple(float(s) for s in items(view.ScaleLength(), view.Scale, limit))
    zeros = tuple(int(z) for z in items(view.ZeroPointLength(), view.ZeroPoint, limit))
    found = blockwise(view)
    blocks = None if found is None else Blocks(found[0], None if found[1] < 0 else found[1], found[2])
    if not scales:
        return None, blocks
    if len(zeros) not in (0, 1, len(scales)):
        raise ValueError(f"{len(zeros)} zero points for {len(scales)} scales")
    zeros = zeros or (0,)
    zeros = zeros * (len(scales) // len(zeros))
    return Quantization(scales, zeros, int(view.QuantizedDimension())), blocks


def _sparsity(view: Any, limit: int) -> Sparsity | None:
    if view is None:
        return None
    from .schema import sparse_numbers

    levels = tuple(
        Level(int(level.DenseSize()), sparse_numbers(level, "ArraySegments"), sparse_numbers(level, "ArrayIndices"))
        if level.Format()
        else Level(int(level.DenseSize()))
        for level in items(view.DimMetadataLength(), view.DimMetadata, limit)
    )
    order = tuple(int(d) for d in items(view.TraversalOrderLength(), view.TraversalOrder, limit))
    return Sparsity(order, tuple(int(d) for d in items(view.BlockMapLength(), view.BlockMap, limit)), levels)


def _operator(view: Any, info: OperatorInfo) -> StoredOperator:
    from .schema import options_of

    table, options = options_of(view)
    return StoredOperator(info, table, options)
