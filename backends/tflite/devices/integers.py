"""What devices compute with integers: all that they have kernels for, whatever is faster on a processor."""

from __future__ import annotations

from dataclasses import dataclass, replace

from ....compiler.ir import Op
from ...common.table import Row
from ..integers import Quantizable
from ..table import TABLE, BuiltinsOnIntegers
from .table import Kernels
from .uses import of_operation


@dataclass(frozen=True)
class DeviceIntegers(BuiltinsOnIntegers):
    """What builtins on integers demand on a device that computes with these only, or best.

    Where it has a kernel on integers, floats between two conversions leave the device, or cost more than they save.
    """

    kernels: Kernels

    def demands(self, op: Op) -> Quantizable | None:
        """Return what a builtin demands; none is slow that the device runs."""
        found = super().demands(op)
        if found is None or not found.is_slow:
            return found
        row = TABLE.legal(op)
        is_run = isinstance(row, Row) and self.kernels.why_not(of_operation(row, op).quantized()) is None
        return replace(found, is_slow=False) if is_run else found

    def rounded_dims(self, op: Op) -> tuple[int, ...] | None:
        """Return None: no device has products that round numbers as they come."""
        return None

    def takes_blocks(self, op: Op, size: int) -> bool:
        """Return False: no device has products that round."""
        return False
