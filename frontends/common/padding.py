"""Kernels, strides and paddings of sliding windows, as attributes or by rule."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ...compiler.diagnostics import counted
from ...compiler.dims import Dim, at_least, ceil_div, maximum
from ...compiler.ir import Value
from ..slicing import pad
from .operands import OperandEmitter

Pads = tuple[tuple[Dim, Dim], ...]

AUTO_PADS = ("NOTSET", "VALID", "SAME_UPPER", "SAME_LOWER", "")
"""Rules for paddings; the first and the last stand for stated ones."""


@dataclass(frozen=True)
class Window:
    """A sliding window: one entry per spatial axis."""

    kernel: tuple[int, ...]
    strides: tuple[int, ...]
    dilations: tuple[int, ...]
    pads: Pads

    @property
    def spans(self) -> tuple[int, ...]:
        """How far the window reaches along each axis."""
        return tuple(d * (k - 1) + 1 for k, d in zip(self.kernel, self.dilations, strict=True))


def window(
    emit: OperandEmitter,
    x: Value,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    auto_pad: str,
    pads: Sequence[int],
) -> Window:
    """Fill in defaults and apply the rule for paddings.

    Raises:
        CompileError: F002, an attribute has another number of entries than ``x`` has spatial axes.
    """
    rank = x.type.rank - 2
    ones = (1,) * rank
    found = Window(tuple(kernel), tuple(strides) or ones, tuple(dilations) or ones, _paired(emit, pads, rank))
    for name in ("kernel", "strides", "dilations"):
        values: tuple[int, ...] = getattr(found, name)
        if len(values) != rank or min(values, default=1) < 1:
            raise emit.fail(
                f"has {name} {list(values)} for {x.type} with {counted(max(rank, 0), 'spatial axis', 'spatial axes')}",
                code="F002",
            )
    if auto_pad not in AUTO_PADS:
        raise emit.fail(f"has auto_pad {auto_pad!r}, none of {', '.join(AUTO_PADS[:-1])}", code="F002")
    if auto_pad == "VALID":
        return Window(found.kernel, found.strides, found.dilations, ((0, 0),) * rank)
    if not auto_pad.startswith("SAME"):
        return found
    totals = (
        _same(d, span, stride) for d, span, stride in zip(x.type.shape[2:], found.spans, found.strides, strict=True)
    )
    pairs = tuple(halves(total, upper=auto_pad == "SAME_UPPER") for total in totals)
    return Window(found.kernel, found.strides, found.dilations, pairs)


def _paired(emit: OperandEmitter, pads: Sequence[int], rank: int) -> Pads:
    """Begins come first, then ends."""
    if pads and len(pads) != 2 * rank:
        raise emit.fail(
            f"has {counted(len(pads), 'padding')} for {counted(max(rank, 0), 'spatial axis', 'spatial axes')}",
            code="F002",
        )
    return tuple(zip(pads[:rank], pads[rank:], strict=True)) if pads else ((0, 0),) * rank


def _same(size: Dim, span: int, stride: int) -> Dim:
    """Return the padding with which there are as many windows as strides fit into the axis."""
    total = (ceil_div(size, stride) - 1) * stride + span - size
    if span >= stride:
        return total  # it can't be negative: the last stride starts inside
    return 0 if span == 1 else total if at_least(total, 0) else maximum(total, 0)


def halves(total: Dim, *, upper: bool) -> tuple[Dim, Dim]:
    """Divide a padding; of an odd one the larger part lies after the data if ``upper``, else before it."""
    small = total // 2
    return (small, total - small) if upper else (total - small, small)


def cut_negative(emit: OperandEmitter, x: Value, pads: Pads) -> tuple[Value, Pads]:
    """Cut what negative paddings take away, and return what remains to be padded."""
    if all(at_least(p, 0) for pair in pads for p in pair):
        return x, pads
    none = (0, 0)
    low, high = zip(
        *((min(a, 0), min(b, 0)) for a, b in pads if isinstance(a, int) and isinstance(b, int)), strict=True
    )
    x = pad(emit, x, (*none, *low), (*none, *high), "constant")
    return x, tuple((maximum(a, 0), maximum(b, 0)) for a, b in pads)
