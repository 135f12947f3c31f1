"""The table of what Core ML runs: one row per operation and operation of MIL, with how that is called.

Rows were read from Apple's descriptions of MIL as of iOS 16 (macOS 13), which coremltools has beside its type
inference: what these leave open, such as which of equal elements comes first, is not relied on where it matters.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias, TypeVar

from ...compiler.dims import Dim, is_static
from ...compiler.fold import constant
from ...compiler.ir import Op, Region, Value
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ...formats.coreml.program import STORED, Setting
from ..common.operands import Dims, scalar
from ..common.table import Condition, Table, condition

O = TypeVar("O", bound=Op)

DOCS = "https://apple.github.io/coremltools/source/coremltools.converters.mil.mil.ops.defs.html"

FLOATS = "f16 f32"
NUMBERS = f"{FLOATS} i32"
SMALL = "i8 i16 u8 u16"
"""Integers that a file has as i32, too: what only moves takes them."""
ANY = f"bool {NUMBERS} {SMALL}"

RANK = 5
"""Axes that tensors have at most."""

RANKS = range(RANK + 1)


@dataclass(frozen=True)
class Nested:
    """An operand that another operation of MIL computes from its arguments."""

    operator: str
    type: TensorType
    arguments: Mapping[str, Operand] = field(default_factory=lambda: dict[str, Operand](), hash=False)


@dataclass(frozen=True)
class Carried:
    """The values that a loop carries, as they are before the first iteration."""

    values: tuple[Value, ...]


Operand: TypeAlias = "Value | Weight | Dims | Nested | Carried | Setting | tuple[Value, ...]"
"""What is called with: values, constants, sizes, other operations, and what is fixed in the file."""


@dataclass(frozen=True)
class Call:
    """How an operation of MIL is called for one of the IR; results are the operation's own, in its order.

    ``operator`` is the one that gives the results, where it is not the row's: that is nested in it then. ``blocks`` are
    the regions that it runs.
    """

    arguments: Mapping[str, Operand]
    operator: str | None = None
    blocks: Mapping[str, Region] = field(default_factory=lambda: dict[str, Region](), hash=False)


TABLE: Table[Call] = Table("Core ML", "operation", RANKS)
"""All rows."""


def emits(
    op: type[O],
    operator: str,
    *,
    dtypes: str | Mapping[str, str] = FLOATS,
    when: tuple[Condition, ...] = (),
    ranks: range | None = None,
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``operator`` is called."""
    return TABLE.emits(op, operator, dtypes=dtypes, ranks=ranks, when=when, source=DOCS)


def sizes(*values: Dim) -> Dims:
    """Return a vector of sizes, which may be symbolic, as an operand."""
    return Dims(values, None, DType.I32)


def number(value: float, like: Value) -> Weight:
    """Return a number of the element type that a value has in the file."""
    return scalar(value, STORED[like.type.dtype])


def is_constant(value: Value | None) -> bool:
    """Whether a value is absent or a constant."""
    return value is None or constant(value) is not None


def given(**operands: Operand | None) -> dict[str, Operand]:
    """Return the named operands without those that are absent (None)."""
    return {name: operand for name, operand in operands.items() if operand is not None}


__all__ = [
    "ANY",
    "FLOATS",
    "NUMBERS",
    "RANK",
    "SMALL",
    "TABLE",
    "Call",
    "Carried",
    "Condition",
    "Dims",
    "Nested",
    "Operand",
    "condition",
    "emits",
    "given",
    "is_constant",
    "is_static",
    "number",
    "sizes",
]
