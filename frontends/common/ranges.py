"""Numbers that are counted up or down."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TypeAlias

from ...compiler.diagnostics import counted
from ...compiler.dims import Dim, Sym, ceil_div, maximum
from ...compiler.ir import Value
from ...compiler.ops.shape import Range
from .operands import OperandEmitter

Number: TypeAlias = "int | float | Sym"

MAX_RATIO = 1 << 16
"""Numerators and denominators of steps with which an open number of positions is computed when the network runs."""


def counted_range(emit: OperandEmitter, start: Value, limit: Value, delta: Value) -> Value:
    """Insert the numbers from ``start`` up to, not including, ``limit``.

    Raises:
        CompileError: F002, it is never reached; F004, how many there are depends on data; F006, an operand has not one.
    """
    first, last, step = (_number(emit, v, n) for v, n in ((start, "start"), (limit, "limit"), (delta, "delta")))
    if isinstance(step, Sym):
        raise emit.fail(f"counts in steps of {step}, which depends on the shapes of inputs", code="F004")
    if step == 0:
        raise emit.fail("counts in steps of zero", code="F002")
    if isinstance(first, Sym) or isinstance(last, Sym):
        size = _steps(emit, first, last, step)
    elif isinstance(first, int) and isinstance(last, int) and isinstance(step, int):
        size = ceil_div(last - first, step)
    else:
        steps = (last - first) / step
        if not math.isfinite(steps):
            raise emit.fail(f"never gets from {first} to {last} in steps of {step}", code="F002")
        size = math.ceil(steps)
    return emit(Range(emit.reshape(start, ()), emit.reshape(delta, ()), maximum(size, 0)))


def _number(emit: OperandEmitter, value: Value, what: str) -> Number:
    """Return the only element of an operand: a number, or an expression of sizes that may have a fraction."""
    found = emit.array(value, what)
    if found.size != 1:
        raise emit.fail(f"has {counted(found.size, 'element')} in its input {what!r} instead of one", code="F006")
    return found.item()


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
