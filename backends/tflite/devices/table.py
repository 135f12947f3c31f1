"""The table of what a device runs: one row per builtin and group of element types, with what it demands in words."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal, TypeAlias

from ....compiler.ir import Op
from ....compiler.types import DType
from ...common.table import ANY_RANK, Condition, Row, Table, show_ranks
from ..calls import Call
from .uses import Use, of_operation

CONVERSIONS = ("QUANTIZE", "DEQUANTIZE")
"""What says which numbers integers stand for: kernels on integers are found between them."""

Parts: TypeAlias = Literal["all", "first", "largest"]

ANY_VERSION = 1 << 16
"""Where a runtime does not look at versions."""


@dataclass(frozen=True)
class Kernel:
    """A builtin of a device: element types of its data, its highest version, numbers of axes, conditions.

    ``stops`` are conditions without which the device's tools don't leave the operator to the processor, but fail.
    """

    builtin: str
    types: frozenset[DType]
    version: int
    ranks: range
    when: tuple[Condition, ...]

    def why_not(self, use: Use) -> str | None:
        """Return why an operator does not run, None if it does."""
        data = use.data
        if data is not None and data.type.dtype not in self.types:
            return f"{self.builtin} does not take {data.type.dtype}, only {', '.join(sorted(self.types))}"
        if use.version > self.version:
            return f"{self.builtin} of version {use.version}; at most {self.version} is known"
        if data is not None and data.type.rank not in self.ranks:
            return f"{self.builtin} takes {show_ranks(self.ranks)}, not {data.type.rank}"
        return next((why for why in (condition.why_not(use) for condition in self.when) if why is not None), None)

    @property
    def demands(self) -> tuple[str, ...]:
        """What it demands, in words."""
        version = () if self.version == ANY_VERSION else (f"version {self.version} at most",)
        ranks = () if self.ranks == ANY_RANK else (show_ranks(self.ranks),)
        return (*version, *ranks, *(condition.text for condition in self.when))


@dataclass(eq=False)
class Kernels:
    """All builtins that a device runs: rows by builtin; ``always`` is what it demands of every operator.

    ``types`` and ``ranks`` are those of rows that do not say so. ``stops`` is what its tools fail at.

    ``parts`` says which parts of a network run on it that what it lacks cuts off from each other: all, the first one,
    or the largest.  Where ``only_integers`` are computed with, numbers in floats count as those that quantization will
    make of them as long as a network is lowered, and of builtins that the device lacks, only those that are
    ``rewritten`` become others: each further operation rounds once more.
    """

    title: str
    types: str
    ranks: range = ANY_RANK
    always: tuple[Condition, ...] = ()
    parts: Parts = "all"
    only_integers: bool = False
    rewritten: frozenset[str] = frozenset()
    rows: dict[str, list[Kernel]] = field(default_factory=lambda: dict[str, list[Kernel]]())
    stops: dict[str, tuple[Condition, ...]] = field(default_factory=lambda: dict[str, tuple[Condition, ...]]())

    def run(
        self,
        builtins: str,
        types: str | None = None,
        *,
        version: int = ANY_VERSION,
        ranks: range | None = None,
        when: tuple[Condition, ...] = (),
    ) -> None:
        """Declare rows for builtin operators, given as one string of names with spaces."""
        allowed = frozenset(map(DType, (types or self.types).split()))
        for builtin in builtins.split():
            row = Kernel(builtin, allowed, version, self.ranks if ranks is None else ranks, when)
            self.rows.setdefault(builtin, []).append(row)

    def stop(self, builtins: str, *when: Condition) -> None:
        """Declare what the device's tools fail at instead of leaving it to the processor."""
        for builtin in builtins.split():
            self.stops[builtin] = when

    def why_not(self, use: Use) -> str | None:
        """Return why an operator does not run on the device, None if it does: the reason of the last row."""
        rows = self.rows.get(use.builtin, ())
        if not rows:
            return f"{self.title} has no {use.builtin}"
        general = next((why for why in (condition.why_not(use) for condition in self.always) if why is not None), None)
        if general is not None:
            return general
        reasons = [row.why_not(use) for row in rows]
        return None if None in reasons else _nearest(rows, reasons, use)

    def why_it_stops(self, use: Use) -> str | None:
        """Return why the device's tools fail at an operator that it does not run, None if they do not."""
        if self.why_not(use) is None:
            return None
        conditions = self.stops.get(use.builtin)
        if conditions is None:
            return None
        return next((why for why in (condition.why_not(use) for condition in conditions) if why is not None), None)

    def narrowed(self, table: Table[Call]) -> Table[Call]:
        """Return the rows of a table whose calls the device runs, and those of what stays what it is."""
        narrow: Table[Call] = Table(self.title, table.kind, table.ranks)
        for op, rows in table.rows.items():
            kept = [
                self._narrowed(row) if row.kernel in self.rows and row.kernel not in CONVERSIONS else row
                for row in rows
                if row.kernel in self.rows or self._leaves(row.kernel)
            ]
            if kept:
                narrow.rows[op] = kept
        return narrow

    def _leaves(self, kernel: str) -> bool:
        """Say whether a builtin that the device lacks stays what it is."""
        return kernel in CONVERSIONS or (self.only_integers and kernel not in self.rewritten)

    def _narrowed(self, row: Row[Call]) -> Row[Call]:
        def why_not(op: Op) -> str | None:
            use = of_operation(row, op)
            return self.why_not(use.quantized() if self.only_integers else use)

        text = "; ".join(dict.fromkeys(demand for kernel in self.rows[row.kernel] for demand in _said(kernel)))
        return replace(row, when=(*row.when, Condition(text, why_not)))


def _said(kernel: Kernel) -> tuple[str, ...]:
    return (", ".join(sorted(map(str, kernel.types))), *kernel.demands)


def _nearest(rows: Iterable[Kernel], reasons: Iterable[str | None], use: Use) -> str | None:
    """Return the reason of the row that takes the data's type, of several the last one."""
    data = use.data
    pairs = list(zip(rows, reasons, strict=True))
    fitting = [why for row, why in pairs if data is None or data.type.dtype in row.types]
    return fitting[-1] if fitting else pairs[-1][1]
