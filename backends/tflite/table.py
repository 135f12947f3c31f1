"""The table of what the runtime can run, and how a builtin is called.

A row is declared by :func:`emits` on the function that says how the builtin is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias, TypeVar

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.dims import Dim
from ...compiler.ir import Op, Region, Value
from ...compiler.types import DType
from ...compiler.weights import Weight
from ...formats.tflite.model import CUSTOM, CustomOptions, Options, Quantization, custom, options
from ..common.table import Condition, Table, condition

O = TypeVar("O", bound=Op)

MAX_RANK = 8
"""The kernels' own limit; what XNNPACK may claim without checking stays below (``FAST_RANKS``)."""

FAST_RANKS = range(7)
"""XNNPACK has at most six axes, and fails to load some operations with more instead of leaving them alone."""

KERNELS = "https://github.com/google-ai-edge/LiteRT/blob/main/tflite/kernels/"


@dataclass(frozen=True)
class Dims:
    """An integer operand made of sizes: a constant if all are numbers, else computed in the file."""

    values: tuple[Dim, ...]
    shape: tuple[int, ...] | None = None
    dtype: DType = DType.I32


@dataclass(frozen=True)
class Unfolded:
    """A constant that the file holds in fewer bits: the runtime unfolds it once, as integers with scales or as f16."""

    weight: Weight
    quantization: Quantization | None
    version: int


Operand: TypeAlias = Value | Weight | Dims | Unfolded | None
"""What a builtin is called with; None is an optional input left out."""


@dataclass(frozen=True)
class Call:
    """How a builtin is called for one operation; results are the operation's own.

    The kernel ``overwrites`` these inputs, so it gets copies; what it leaves there are the operation's last results.
    """

    inputs: tuple[Operand, ...]
    options: Options | CustomOptions | None = None
    version: int = 1
    overwrites: tuple[int, ...] = ()

    @property
    def regions(self) -> tuple[Region, ...]:
        """The regions that become subgraphs."""
        given = self.options.fields.values() if isinstance(self.options, Options) else ()
        return tuple(v for v in given if isinstance(v, Region))


TABLE: Table[Call] = Table("TFLite", "builtin", range(MAX_RANK + 1))
"""All rows, read from the kernels."""


def emits(
    op: type[O],
    builtin: str,
    *,
    dtypes: str | Mapping[str, str],
    ranks: range | None = None,
    when: tuple[Condition, ...] = (),
    kernel: str | None = None,
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``builtin`` is called.

    ``dtypes`` lists element types of the first operand, or of operands and attributes by name.  ``kernel`` is the
    runtime's file that says so; what calls :func:`custom` has none.
    """
    source = None if kernel is None else KERNELS + kernel
    return TABLE.emits(op, builtin, dtypes=dtypes, ranks=ranks, when=when, source=source)


def ints(*values: int) -> Weight:
    """An int32 vector.

    Raises:
        CompileError: M001, a number has more bits.
    """
    return Weight.of(np.asarray([_in_32_bits(v) for v in values], np.int32))


def int_scalar(value: int) -> Weight:
    """An int32 scalar.

    Raises:
        CompileError: M001, the number has more bits.
    """
    return Weight.of(np.asarray(_in_32_bits(value), np.int32))


def _in_32_bits(value: int) -> int:
    if not -(1 << 31) <= value < 1 << 31:
        raise error("M001", f"a size or position of {value:,} does not fit the 32 bits that TFLite has for it")
    return value


__all__ = [
    "CUSTOM",
    "FAST_RANKS",
    "MAX_RANK",
    "TABLE",
    "Call",
    "Condition",
    "CustomOptions",
    "Dims",
    "Operand",
    "Options",
    "Unfolded",
    "condition",
    "custom",
    "emits",
    "int_scalar",
    "ints",
    "options",
]
