"""What a file holds: tensors, operators, subgraphs and weights, still without bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ...compiler.types import TensorType
from ...compiler.weights import EAGER_BYTES, Weight
from .tensors import stored


@dataclass(frozen=True)
class Options:
    """A table of builtin options by its name in the schema; a field that is a region becomes a subgraph's index."""

    table: str
    fields: Mapping[str, Any]


def options(table: str, **fields: Any) -> Options:
    """Name an options table of the schema, and give values to its fields."""
    return Options(table, fields)


@dataclass(frozen=True)
class CustomOptions:
    """Which custom operator is called, and what its kernel finds in a flexbuffer; see :mod:`.flexbuffer`."""

    code: str
    fields: Mapping[str, Any]


CUSTOM = "CUSTOM"
"""The builtin that stands for all operators that an application brings the kernels of."""


def custom(code: str, **fields: Any) -> CustomOptions:
    """Name a custom operator and what its kernel is told."""
    return CustomOptions(code, fields)


@dataclass(frozen=True)
class Quantization:
    """One scale and zero point for all, or one per position along ``axis``."""

    scales: tuple[float, ...]
    zeros: tuple[int, ...]
    axis: int = 0


@dataclass(frozen=True)
class Blocks:
    """Scales of blocks along the last axis: the tensors that hold them and the zero points, elements of a block."""

    scales: int
    zeros: int | None
    size: int


@dataclass
class Tensor:
    """A tensor of a subgraph; ``buffer`` counts the model's weights from 1, 0 means computed.

    A variable is what a kernel may overwrite that reads it.  Of ``quantization`` and ``blocks``, one at most is given.
    """

    type: TensorType
    name: str | None
    buffer: int = 0
    quantization: Quantization | None = None
    blocks: Blocks | None = None
    is_variable: bool = False


@dataclass
class Operator:
    """A builtin with the tensors it reads (-1: left out) and writes."""

    builtin: str
    version: int
    inputs: list[int]
    outputs: list[int]
    options: Options | CustomOptions | None

    @property
    def custom_code(self) -> str | None:
        """The name of a custom operator, None for a builtin."""
        return self.options.code if isinstance(self.options, CustomOptions) else None


@dataclass
class Subgraph:
    """A list of operators over a list of tensors."""

    name: str
    tensors: list[Tensor] = field(default_factory=lambda: list[Tensor]())
    operators: list[Operator] = field(default_factory=lambda: list[Operator]())
    inputs: list[int] = field(default_factory=lambda: list[int]())
    outputs: list[int] = field(default_factory=lambda: list[int]())


@dataclass(frozen=True)
class Signature:
    """What applications call by a key: the number of a subgraph, and names for its inputs and outputs in order."""

    key: str
    subgraph: int
    inputs: Sequence[str]
    outputs: Sequence[str]


@dataclass
class Model:
    """Everything that is written: subgraphs (the first is the entry), weights, signatures, metadata."""

    subgraphs: list[Subgraph] = field(default_factory=lambda: list[Subgraph]())
    weights: list[Weight] = field(default_factory=lambda: list[Weight]())
    signatures: list[Signature] = field(default_factory=lambda: list[Signature]())
    metadata: dict[str, bytes] = field(default_factory=lambda: dict[str, bytes]())
    _buffers: dict[object, int] = field(default_factory=lambda: dict[object, int]())

    def buffer(self, weight: Weight) -> int:
        """Return the number of the buffer that holds a weight; small equal ones share one."""
        weight = stored(weight)
        key: object = weight.array().tobytes() if weight.nbytes <= EAGER_BYTES else id(weight)
        if key not in self._buffers:
            self.weights.append(weight)
            self._buffers[key] = len(self.weights)
        return self._buffers[key]

    @property
    def operators(self) -> Iterator[Operator]:
        """All operators of all subgraphs, in the order of the file."""
        return (op for graph in self.subgraphs for op in graph.operators)

    @property
    def versions(self) -> set[tuple[str, int]]:
        """The builtin operators that are used, each with the version it needs."""
        return {(op.builtin, op.version) for op in self.operators}

    @property
    def counts(self) -> Counter[str]:
        """How often each builtin and each custom operator is used."""
        return Counter(op.custom_code or op.builtin for op in self.operators)
