"""The table of what the runtime can run, and how a builtin is called.

A row is declared by :func:`emits` on the function that says how the builtin is called.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

import numpy as np

from ...compiler.diagnostics import error
from ...compiler.ir import Op, Value
from ...compiler.ops.quantize import Quantize
from ...compiler.weights import Weight
from ...formats.tflite.model import CUSTOM, CustomOptions, Options, custom, options
from ..common.table import Condition, Row, Table, condition
from .calls import Call, Dims, Operand, Stored, Unfolded
from .integers import Quantizable, integer_row
from .quantization import keeps_scales

O = TypeVar("O", bound=Op)

MAX_RANK = 8
"""The kernels' own limit; what XNNPACK may claim without checking stays below (``FAST_RANKS``)."""

FAST_RANKS = range(7)
"""XNNPACK has at most six axes, and fails to load some operations with more instead of leaving them alone."""

KERNELS = "https://github.com/google-ai-edge/LiteRT/blob/main/tflite/kernels/"


DEMANDS: dict[type[Op], dict[str, Quantizable]] = {}
"""By operation and builtin: what it demands of integers."""

TABLE: Table[Call] = Table("TFLite", "builtin", range(MAX_RANK + 1))
"""All rows, read from the kernels."""


def emits(
    op: type[O],
    builtin: str,
    *,
    dtypes: str | Mapping[str, str] | Quantizable,
    ranks: range | None = None,
    when: tuple[Condition, ...] = (),
    kernel: str | None = None,
) -> Callable[[Callable[[O], Call]], Callable[[O], Call]]:
    """Declare a row; the decorated function says how ``builtin`` is called.

    ``dtypes`` lists element types of the first operand, or of operands and attributes by name; a :class:`Quantizable`
    also says what the kernel demands of integers that stand for numbers.  ``kernel`` is the runtime's file that says
    so; what calls :func:`custom` has none.
    """
    source = None if kernel is None else KERNELS + kernel
    integers = dtypes if isinstance(dtypes, Quantizable) else None
    types = dtypes.plain if isinstance(dtypes, Quantizable) else dtypes
    declare = TABLE.emits(op, builtin, dtypes=types, ranks=ranks, when=when, source=source)

    def wrap(call: Callable[[O], Call]) -> Callable[[O], Call]:
        declare(call)
        if integers is not None:
            _take_integers(TABLE.rows[op][-1], integers)
        return call

    return wrap


def _take_integers(row: Row[Call], integers: Quantizable) -> None:
    """Declare the row on integers: before the one that rounds what was computed in floats."""
    DEMANDS.setdefault(row.op, {})[row.kernel] = integers
    rows = TABLE.rows.setdefault(Quantize, [])
    place = next((i for i, r in enumerate(rows) if r.kernel == "QUANTIZE"), len(rows))
    rows.insert(place, integer_row(row, integers, TABLE.ranks))


def demands_of(op: Op) -> Quantizable | None:
    """Return what the builtin that runs an operation of floats demands if it ran on integers, None if it never does."""
    found = TABLE.legal(op)
    return DEMANDS.get(type(op), {}).get(found.kernel) if isinstance(found, Row) else None


class BuiltinsOnIntegers:
    """What builtins on integers demand: what quantization asks of the target."""

    def demands(self, op: Op) -> Quantizable | None:
        """Return what the builtin that runs an operation of floats demands if it ran on integers."""
        return demands_of(op)

    def rounded_dims(self, op: Op) -> tuple[int, ...] | None:
        """Return along which dims one range counts if a builtin rounds what an operation multiplies."""
        demands = demands_of(op)
        return None if demands is None or demands.rounds is None else demands.rounds(op)

    def takes_blocks(self, op: Op, size: int) -> bool:
        """Say whether a builtin that rounds takes weights of 4 bits with a scale for ``size`` of them."""
        demands = demands_of(op)
        return demands is not None and demands.blocks is not None and demands.blocks(op, size)

    def keeps_scales(self, op: Op | None) -> bool:
        """Say whether an operation on integers gives those that the same operation on numbers stands for."""
        return keeps_scales(op)


def gives_integers(op: Quantize) -> bool:
    """Say whether a kernel that computes with integers gives those that numbers are quantized to."""
    return _is_integer(TABLE.legal(op))


def runs_on_integers(operand: Value) -> bool:
    """Say whether all that read numbers are parts of kernels that read the integers they stand for."""
    quantizers = [_quantizer(user) for user in operand.users]
    return bool(quantizers) and all(q is not None and _is_integer(TABLE.legal(q)) for q in quantizers)


def _quantizer(op: Op) -> Quantize | None:
    """What alone reads the result of an operation, if that quantizes it."""
    readers = op.results[0].users if len(op.results) == 1 else ()
    found = next(iter(readers), None)
    return found if isinstance(found, Quantize) and op.results[0].has_one_use else None


def _is_integer(found: Row[Call] | list[str]) -> bool:
    return isinstance(found, Row) and found.kernel != "QUANTIZE"


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
    "Quantizable",
    "Stored",
    "Unfolded",
    "condition",
    "custom",
    "emits",
    "int_scalar",
    "ints",
    "options",
]
