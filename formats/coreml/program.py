"""An ML program of Core ML as plain data: which operations of MIL are called, with what, in which order."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight


@dataclass(frozen=True)
class Tensor:
    """What an input or an operation gives, by its number."""

    number: int


@dataclass(frozen=True)
class Stored:
    """A constant, by its number: its elements are sent apart from the program."""

    number: int


Setting: TypeAlias = "bool | int | float | str | tuple[int, ...] | tuple[bool, ...]"
"""What is fixed when a program is written; integers are of 32 bits."""

Argument: TypeAlias = "Tensor | Weight | Stored | Setting | tuple[Argument, ...]"
"""What an operation is called with, by name."""


@dataclass(frozen=True)
class Block:
    """Steps inside of another one: what they take, and what they return with its type; they see what is outside."""

    takes: tuple[Tensor, ...]
    steps: tuple[Step, ...]
    returns: tuple[tuple[Tensor, TensorType], ...]


@dataclass(frozen=True)
class Step:
    """An operation; ``results`` are its tensors with the types that they must have. ``blocks`` are what it runs."""

    operator: str
    name: str
    arguments: Mapping[str, Argument]
    results: tuple[tuple[Tensor, TensorType], ...]
    blocks: Mapping[str, Block] = field(default_factory=lambda: dict[str, Block]())


def walk(steps: Iterable[Step]) -> Iterator[Step]:
    """Yield steps with those inside of them, in order."""
    for step in steps:
        yield step
        for block in step.blocks.values():
            yield from walk(block.steps)


@dataclass(frozen=True)
class Input:
    """An input with the type that it has in the file; sizes with names are open, from ``least`` on."""

    name: str
    tensor: Tensor
    type: TensorType
    least: tuple[int, ...]


@dataclass(frozen=True)
class Program:
    """A whole model; outputs are called as the steps that give them. ``said`` are strings of metadata in the file."""

    inputs: tuple[Input, ...]
    steps: tuple[Step, ...]
    outputs: tuple[Tensor, ...]
    said: Mapping[str, str]


STORED = {
    DType.F16: DType.F16,
    DType.F32: DType.F32,
    DType.BOOL: DType.BOOL,
    **dict.fromkeys((DType.I8, DType.I16, DType.I32, DType.I64, DType.U8, DType.U16), DType.I32),
}
"""Element types, and those that stand for them in a file; integers of 64 bits are sizes and positions only."""

LARGEST = 1 << 20
"""The largest size that an open axis of an input may have: the format demands a limit."""
