"""Numbers that are counted up or down."""

from __future__ import annotations

import math

from ...compiler.diagnostics import CompileError
from ...compiler.dims import Dim, at_least, ceil_div, maximum
from ...compiler.ir import Value
from ...compiler.ops.arith import Ceil, Div, FloorDiv, Max, Neg, Sub
from ...compiler.ops.shape import Range
from ...compiler.types import DType
from ..bound import Element, bind
from .operands import OperandEmitter


def counted_range(emit: OperandEmitter, start: Value, limit: Value, delta: Value) -> Value:
    """Insert the numbers from ``start`` up to, not including, ``limit``.

    Raises:
        CompileError: F002, it is never reached.
    """
    size = _known_size(emit, start, limit, delta)
    if size is None:
        (size,) = bind(emit, [Element(_count(emit, start, limit, delta), 0)])
    return emit(Range(emit.reshape(start, ()), emit.reshape(delta, ()), size))


def _known_size(emit: OperandEmitter, start: Value, limit: Value, delta: Value) -> Dim | None:
    """Return how many numbers there are, None if data decides."""
    if start.type.dtype.is_float:
        if any(emit.known(v) is None for v in (start, limit, delta)):
            return None
        first, last, step = (emit.scalar(v, n) for v, n in ((start, "start"), (limit, "limit"), (delta, "delta")))
        steps = (last - first) / step if step else 0
        if not step:
            raise _endless(emit)
        if not math.isfinite(steps):
            raise emit.fail(f"never gets from {first} to {last} in steps of {step}", code="F002")
        return max(math.ceil(steps), 0)
    (first,), (last,) = emit.positions(start, "start"), emit.positions(limit, "limit")
    step = emit.known.dim(delta)
    if step == 0:
        raise _endless(emit)
    if not isinstance(step, int) or first.dim is None or last.dim is None:
        return None
    size = ceil_div(last.dim - first.dim, step)
    return size if at_least(size, 0) else maximum(size, 0)


def _endless(emit: OperandEmitter) -> CompileError:
    return emit.fail("counts in steps of zero", code="F002")


def _count(emit: OperandEmitter, start: Value, limit: Value, delta: Value) -> Value:
    """Insert how many numbers there are, as a scalar."""
    start, limit, delta = (emit.reshape(v, ()) for v in (start, limit, delta))
    back = emit(Sub(start, limit))
    if start.type.dtype.is_float:
        steps = emit.cast(emit(Ceil(emit(Neg(emit(Div(back, delta)))))), DType.I64)
    else:
        steps = emit.cast(emit(Neg(emit(FloorDiv(back, delta)))), DType.I64)
    return emit(Max(steps, emit.const(0, DType.I64)))
