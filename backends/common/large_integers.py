"""Integers of 64 bits in targets that have only those of 32."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ...compiler.diagnostics import Diagnostic
from ...compiler.ir import Module
from ...compiler.ops.core import Const
from ...compiler.types import DType


def too_large(title: str, module: Module, computed: Mapping[DType, DType]) -> Iterator[Diagnostic]:
    """Yield an error for each constant that i32 can't hold, of a type that is ``computed`` in it."""
    least, most = DType.I32.bounds
    for op in module.walk():
        dtype = op.value.type.dtype if isinstance(op, Const) else None
        if not isinstance(op, Const) or dtype is None or computed.get(dtype) is not DType.I32 or not op.value.type.size:
            continue
        low, high = int(op.value.array().min()), int(op.value.array().max())
        if low < least or high > most:
            text = f"a constant of {dtype} goes from {low} to {high}; {title} has integers of 32 bits only"
            help = "make it smaller in the model, or cut the model before it"
            yield from op.fail("B003", text, help=help).diagnostics
