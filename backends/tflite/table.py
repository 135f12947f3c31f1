"""The table of what the runtime can run: one row per operation of the IR and builtin of TFLite.

A row is declared by :func:`emits` on the function that says how the builtin is called.  Whether an operation is
supported is written nowhere else: legalization asks :func:`legal`, errors print the reasons it gives, and the support
matrix in the docs is printed from :data:`ROWS`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar, cast

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.dims import Dim
from ...compiler.ir import Op, Region, Value
from ...compiler.ops.core import Const, Return
from ...compiler.types import DType
from ...compiler.weights import Weight

O = TypeVar("O", bound=Op)


@dataclass(frozen=True)
class Condition:
    """What a row demands, in words; and a look at an operation that says why it does not fit, None if it does."""

    text: str
    why_not: Callable[[Any], str | None]

    def __call__(self, op: Op) -> str | None:
        """Return why an operation does not fit."""
        return self.why_not(op)


def condition(text: str) -> Callable[[Callable[[Any], str | None]], Condition]:
    """Name what a function looks for."""
    return lambda why_not: Condition(text, why_not)


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


Operand: TypeAlias = Value | Weight | Dims | None
"""What a builtin is called with; None is an optional input left out."""


@dataclass(frozen=True)
class Options:
    """A table of builtin options by its name in the schema; a field that is a region becomes a subgraph's index."""

    table: str
    fields: Mapping[str, Any]


def options(table: str, **fields: Any) -> Options:
    """Name an options table and its fields."""
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


@dataclass(frozen=True)
class Row:
    """One way to run an operation: the builtin, element types by field, ranks of the first operand, conditions."""

    op: type[Op]
    builtin: str
    dtypes: Mapping[str, frozenset[DType]]
    ranks: range
    when: tuple[Condition, ...]
    kernel: str | None
    call: Callable[[Any], Call] = field(repr=False)

    def reason(self, op: Op) -> str | None:
        """Return why the row does not fit, None if it does."""
        for name, allowed in self.dtypes.items():
            dtype = _dtype(op, name)
            if dtype is not None and dtype not in allowed:
                return f"{self.builtin} does not take {name} of {dtype}, only {', '.join(sorted(allowed))}"
        first = op.operands[0] if op.operands else None
        if first is not None and first.type.rank not in self.ranks:
            return f"{self.builtin} takes {show_ranks(self.ranks)}, not {first.type.rank}"
        return next((why for why in (condition(op) for condition in self.when) if why is not None), None)

    @property
    def kernel_url(self) -> str | None:
        """Where the row was read from; None for what an application brings along."""
        return None if self.kernel is None else KERNELS + self.kernel


ROWS: dict[type[Op], list[Row]] = {}
"""All rows by operation, in the order in which they are tried."""

STRUCTURE = (Const, Return)
"""What becomes part of the file without being an operation there."""


def emits(
    op: type[O],
    builtin: str,
    *,
    dtypes: str | Mapping[str, str],
    ranks: range = range(MAX_RANK + 1),
    when: tuple[Condition, ...] = (),
    kernel: str | None = None,
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``builtin`` is called.

    ``dtypes`` lists element types of the first operand, or of operands and attributes by name.  ``kernel`` is the
    runtime's file that says so; what calls :func:`custom` has none.
    """

    def wrap(call: Callable[[O], Call]) -> Callable[[O], Call]:
        stated = {op.spec.fields[0]: dtypes} if isinstance(dtypes, str) else dtypes
        allowed = {name: frozenset(DType(d) for d in text.split()) for name, text in stated.items()}
        row = Row(op, builtin, allowed, ranks, when, kernel, call)
        ROWS.setdefault(op, []).append(row)
        return call

    return wrap


def legal(op: Op) -> Row | list[str]:
    """Return the first row that fits, or why none does."""
    reasons: list[str] = []
    for row in ROWS.get(type(op), ()):
        why = row.reason(op)
        if why is None:
            return row
        reasons.append(why)
    return reasons or [f"TFLite has no builtin for {op.spec.name}"]


def is_legal(op: Op) -> bool:
    """Say whether some row fits, or no row is needed."""
    return isinstance(op, STRUCTURE) or isinstance(legal(op), Row)


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


def _dtype(op: Op, name: str) -> DType | None:
    """The element type of an operand, or the one that an attribute holds; None where an operand is absent."""
    stated: object = getattr(op, name)
    if isinstance(stated, tuple):
        stated = cast(tuple[object, ...], stated)[0]
    return stated.type.dtype if isinstance(stated, Value) else cast(DType | None, stated)


def show_ranks(ranks: range) -> str:
    """Say which numbers of axes a row takes.

    >>> show_ranks(range(4, 5)), show_ranks(range(1, 7))
    ('rank 4', 'ranks 1 to 6')
    """
    if len(ranks) == 1:
        return f"rank {ranks[0]}"
    return f"ranks {ranks[0]} to {ranks[-1]}"
