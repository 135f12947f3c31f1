"""How a builtin is called: with what operands, options and version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

from ...compiler.dims import Dim
from ...compiler.ir import Op, Region, Value
from ...compiler.types import DType
from ...compiler.weights import Weight
from ...formats.tflite.model import CustomOptions, Options, Quantization


@dataclass(frozen=True)
class Dims:
    """An integer operand made of sizes: a constant if all are numbers, else computed in the file."""

    values: tuple[Dim, ...]
    shape: tuple[int, ...] | None = None
    dtype: DType = DType.I32


@dataclass(frozen=True)
class Stored:
    """A constant of integers with the scales that its tensor states.

    ``blocks`` are scales ``[rows, blocks]`` of a matrix, f16, which a tensor of their own holds.
    """

    weight: Weight
    quantization: Quantization | None
    blocks: Weight | None = None


@dataclass(frozen=True)
class Unfolded:
    """A constant that the file holds in fewer bits: the runtime unfolds it once, as integers with scales or as f16."""

    stored: Stored
    version: int


Operand: TypeAlias = Value | Weight | Dims | Stored | Unfolded | None
"""What a builtin is called with; None is an optional input left out."""


@dataclass(frozen=True)
class Call:
    """How a builtin is called for one operation; results are the operation's own.

    The kernel ``overwrites`` these inputs, so it gets copies; what it leaves there are the operation's last results.
    Of several operations that are one call, ``of`` are all, in the order of what it gives and leaves; the first results
    of each may be ``merged`` by an operation that the kernel runs, too.
    """

    inputs: tuple[Operand, ...]
    options: Options | CustomOptions | None = None
    version: int = 1
    overwrites: tuple[int, ...] = ()
    of: tuple[Op, ...] = ()
    merged: Op | None = None

    def results(self, op: Op) -> tuple[list[Value], list[Value]]:
        """Return what a call for an operation gives, and what it leaves in the inputs that it overwrites."""
        ops = self.of or (op,)
        count = len(self.overwrites) // len(ops)
        given = [r for one in ops for r in one.results[: len(one.results) - count]]
        left = [r for one in ops for r in one.results[len(one.results) - count :]]
        return given if self.merged is None else [*self.merged.results], left

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions of the operation that become subgraphs of the file."""
        given = self.options.fields.values() if isinstance(self.options, Options) else ()
        return tuple(v for v in given if isinstance(v, Region))
