"""Vectors of numbers that are counted up or down by a step."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TypeAlias

from ...compiler.diagnostics import counted
from ...compiler.dims import Dim, Sym, ceil_div, is_by_data, maximum
from ...compiler.ir import Value
from ...compiler.ops.arith import Ceil, Div, FloorDiv, Max, Neg, Sub
from ...compiler.ops.shape import Range
from ...compiler.types import DType
from ..bound import Element, bind
from .operands import OperandEmitter

Number: TypeAlias = "int | float | Sym"

MAX_RATIO = 1 << 16
"""Numerators and denominators of steps with which an open number of positions is computed when the network runs."""


def counted_range(emit: OperandEmitter, start: Value, limit: Value, delta: Value) -> Value:
    """Insert the numbers from ``start`` up to, not including, ``limit``.

    Raises:
        CompileError: F002, it is never reached; F004, steps are no ratios of sizes; F006, an operand is no number.
    """
    first, last, step = (_number(emit, v, n) for v, n in ((start, "start"), (limit, "limit"), (delta, "delta")))
    if step == 0:
        raise emit.fail("counts in steps of zero", code="F002")
    if first is None or last is None or step is None or isinstance(step, Sym):
        (size,) = bind(emit, [Element(_count(emit, start, limit, delta), 0)])
    elif isinstance(first, Sym) or isinstance(last, Sym):
        size = _steps(emit, first, last, step)
    elif isinstance(first, int) and isinstance(last, int) and isinstance(step, int):
        size = ceil_div(last - first, step)
    else:
        steps = (last - first) / step
        if not math.isfinite(steps):
            raise emit.fail(f"never gets from {first} to {last} in steps of {step}", code="F002")
        size = math.ceil(steps)
    return emit(Range(emit.reshape(start, ()), emit.reshape(delta, ()), maximum(size, 0)))


def _number(emit: OperandEmitter, value: Value, what: str) -> Number | None:
    """Return the only element of an operand: a number, or an expression of sizes that may have a fraction.

    None if data decides about it.
    """
    if value.type.size != 1:
        raise emit.fail(f"has {counted(value.type.size, 'element')} in its input {what!r} instead of one", code="F006")
    if value.type.dtype.is_int:
        return emit.positions(value, what)[0].dim
    found = emit.known(value)
    return None if found is None or is_by_data(found.item()) else found.item()


def _count(emit: OperandEmitter, start: Value, limit: Value, delta: Value) -> Value:
    """Insert how many numbers there are, as a scalar."""
    start, limit, delta = (emit.reshape(v, ()) for v in (start, limit, delta))
    back = emit(Sub(start, limit))
    quotient = emit(Div(back, delta)) if start.type.dtype.is_float else emit(FloorDiv(back, delta))
    steps = emit(Neg(quotient))
    whole = emit(Ceil(steps)) if start.type.dtype.is_float else steps
    return emit(Max(emit.cast(whole, DType.I64), emit.const(0, DType.I64)))


def _steps(emit: OperandEmitter, first: Number, last: Number, step: float) -> Dim:
    """Return how many steps lead from one number to another, which depend on sizes.

    Raises:
        CompileError: F004, numbers like 0.1 are no ratios that sizes can be computed with.
    """
    ratios = [Fraction(n) for n in (first, last, step) if not isinstance(n, Sym) and math.isfinite(n)]
    if max(max(abs(r.numerator), r.denominator) for r in ratios) > MAX_RATIO:
        raise emit.fail(
            f"counts from {first} to {last} in steps of {step}", code="F004", help="Fix the sizes by shapes=..."
        )
    ratio = Fraction(step)
    span = (last - first if ratio > 0 else first - last) * ratio.denominator
    return ceil_div(span.ceil() if isinstance(span, Sym) else int(span), abs(ratio.numerator))
