"""Where the operators of a file run: on a device, beside it, or nowhere; and why not on the device."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import groupby
from typing import Literal, TypeAlias

Place: TypeAlias = Literal["device", "rest", "nowhere", "stops"]
"""On the device, on the processor beside it, on neither, or so that the device's tools fail."""


@dataclass(frozen=True)
class Placed:
    """An operator, called after what it computes; ``why`` it does not run on the device.

    ``macs`` are multiply-accumulates, ``weights`` bytes of constants that no earlier one reads, ``moved`` bytes of
    computed tensors that it reads and writes.
    """

    name: str
    kernel: str
    where: Place
    why: str | None = None
    macs: int = 0
    weights: int = 0
    moved: int = 0


@dataclass(frozen=True)
class Placement:
    """All operators of a file in its order; ``rest`` runs what the device does not, empty if nothing does.

    ``arena`` is how many bytes computed tensors need at the same time, packed greedily; None where sizes are open.
    ``one_part`` devices run one part of a network only, whose operators may be anywhere in the file.
    """

    target: str
    device: str
    rest: str
    operators: tuple[Placed, ...]
    arena: int | None = None
    one_part: bool = False

    @property
    def on_device(self) -> tuple[Placed, ...]:
        """The operators that run on the device, in the file's order."""
        return tuple(op for op in self.operators if op.where == "device")

    @property
    def elsewhere(self) -> tuple[Placed, ...]:
        """The operators that do not run on the device, in the file's order."""
        return tuple(op for op in self.operators if op.where != "device")

    @property
    def partitions(self) -> int:
        """Into how many parts on the device the file falls, in its order."""
        found = sum(where == "device" for where, _ in groupby(self.operators, key=lambda op: op.where))
        return min(found, 1) if self.one_part else found

    def share(self, what: Literal["operators", "macs"]) -> float:
        """Return which part of all operators, or of their multiply-accumulates, the device runs."""
        ours, all_ = (self._amount(ops, what) for ops in (self.on_device, self.operators))
        return ours / all_ if all_ else 1.0

    @staticmethod
    def _amount(ops: Iterable[Placed], what: str) -> int:
        return sum(op.macs if what == "macs" else 1 for op in ops)

    def reasons(self) -> dict[tuple[str, str], tuple[Placed, ...]]:
        """Return what does not run on the device by kernel and reason."""
        found: dict[tuple[str, str], list[Placed]] = {}
        for op in self.elsewhere:
            found.setdefault((op.kernel, op.why or ""), []).append(op)
        return {key: tuple(ops) for key, ops in found.items()}
