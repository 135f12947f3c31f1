"""Numbers that are counted up or down."""

from __future__ import annotations

import math

from ...compiler.dims import Dim, at_least, ceil_div, maximum
from ...compiler.ir import Value
from ...compiler.ops.shape import Range
from .operands import OperandEmitter


def counted_range(emit: OperandEmitter, start: Value, limit: Value, delta: Value) -> Value:
    """Insert the numbers from ``start`` up to, not including, ``limit``.

    Raises:
        CompileError: F002, it is never reached; F004, how many there are depends on data.
    """
    if start.type.dtype.is_float:
        first, last, step = (emit.scalar(v, n) for v, n in ((start, "start"), (limit, "limit"), (delta, "delta")))
        steps = (last - first) / step if step else 0
        if not math.isfinite(steps):
            raise emit.fail(f"never gets from {first} to {last} in steps of {step}", code="F002")
        size: Dim = max(math.ceil(steps), 0)
    else:
        step = emit.int(delta, "delta")
        span = emit.dim(limit, "limit") - emit.dim(start, "start")
        size = 0 if step == 0 else ceil_div(span, step)
        size = size if at_least(size, 0) else maximum(size, 0)
    if step == 0:
        raise emit.fail("counts in steps of zero", code="F002")
    return emit(Range(emit.reshape(start, ()), emit.reshape(delta, ()), size))
