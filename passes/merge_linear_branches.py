"""merge-linear-branches: sums of linear maps of one value become one of them, where that takes no more arithmetic."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise, product

from ..compiler.fold import constant
from ..compiler.ir import Module, Op, Value
from ..compiler.opdef import Elementwise
from ..compiler.ops.arith import Add, Sub
from ..compiler.ops.linear import Linear
from ..compiler.ops.shape import Concat
from ..compiler.ops.window import Conv
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Rewriter, pattern, rewrite
from .fuse_batch_norm import PATTERNS
from .linear_maps import Frame, LinearMap, linear_map, maps_of, weighted_map

MAX_TERMS = 16
"""Terms of a sum that are looked at together."""


@dataclass(frozen=True)
class Term:
    """A term of a sum: a value, and the sign that it is added with."""

    value: Value
    sign: int


def _terms(op: Add | Sub, sign: int = 1) -> Iterator[Term]:
    """The terms of a sum, those of sums in it that nobody else reads included."""
    for value, s in ((op.a, sign), (op.b, -sign if isinstance(op, Sub) else sign)):
        inner = value.owner
        is_read_here = value.has_one_use and value.type == op.result.type
        if isinstance(inner, Add | Sub) and inner.activation == "none" and is_read_here:
            yield from _terms(inner, s)
        else:
            yield Term(value, s)


@pattern(Add, Sub)
def merge_branches(op: Add | Sub, rw: Rewriter) -> None:
    """Terms of a sum that are linear maps of one value: one map, whose weights are their sum."""
    terms = list(_terms(op))
    if len(terms) > MAX_TERMS or not op.result.type.dtype.is_float:
        return
    for i, head in enumerate(terms):
        producer = head.value.owner
        if not isinstance(producer, Conv | Linear) or head.value.type != op.result.type:
            continue
        for j, other in enumerate(terms):
            is_looked_at = j < i and isinstance(other.value.owner, Conv | Linear)
            if j == i or is_looked_at or other.value.type != op.result.type or constant(other.value) is not None:
                continue
            merged = _merge(head, other, Frame.of(producer), rw)
            if merged is not None:
                rest = [t for n, t in enumerate(terms) if n not in (i, j)]
                _replace(op, merged, rest, rw)
                return


def _merge(head: Term, other: Term, frame: Frame, rw: Rewriter) -> LinearMap | None:
    """Return the cheapest map that two terms are together, with the sign of the first one; None if none is cheaper."""
    found = [
        (merged.cost - a.cost - b.cost - a.outputs, merged)
        for a, b in product(maps_of(head.value, frame), maps_of(other.value, frame))
        if a.x is not head.value and (merged := a.plus(b, head.sign * other.sign)) is not None
    ]
    if not found:
        return None
    growth, merged = min(found, key=lambda pair: pair[0])
    rw.require(growth <= 0, f"one operation would take {growth:,} multiplications more for each position")
    return merged.negated() if head.sign < 0 else merged


def _replace(op: Add | Sub, merged: LinearMap, rest: Sequence[Term], rw: Rewriter) -> None:
    """Replace a sum by one of a map and of other terms."""
    last = len(rest)
    total: Conv | Linear | Add | Sub = merged.build(rw, "none" if rest else op.activation)
    for number, term in enumerate(rest, 1):
        activation = op.activation if number == last else "none"
        total = (Add if term.sign > 0 else Sub)(rw.emit(total), term.value, activation)
    rw.replace(total)


@pattern(Conv, Linear)
def compose_maps(op: Conv | Linear, rw: Rewriter) -> None:
    """A linear map of another one's result: one map, if that multiplies less often."""
    if not op.x.has_one_use or not op.result.type.dtype.is_float:
        return
    frame = Frame.of(op)
    outer = weighted_map(op, frame)
    inner = next((m for m in maps_of(op.x, frame) if m.x is not op.x), None)
    composed = None if outer is None or inner is None else outer.after(inner)
    if composed is None:
        return
    growth = composed.own_cost - composed.cost
    rw.require(growth < 0, f"one operation would take {growth:,} multiplications more for each position")
    rw.replace(composed.build(rw, op.activation))


@pattern(Concat)
def join_filters(op: Concat, rw: Rewriter) -> None:
    """Neighbours in a concat of channels that read one value through the same windows: one map with all filters.

    What follows each of them may be one elementwise operation, if it is the same.
    """
    for first, (a, b) in enumerate(pairwise(op.xs)):
        x, y, end = _under_same_end(a, b)
        producer = x.owner
        if not isinstance(producer, Conv | Linear) or not (x.has_one_use and y.has_one_use):
            continue
        frame = Frame.of(producer)
        p, q = linear_map(producer, frame), linear_map(y.owner, frame)
        joined = p.beside(q) if p is not None and q is not None and frame.channel == op.axis else None
        if joined is not None:
            total = rw.emit(joined.build(rw))
            total = total if end is None else rw.emit(end.clone((total,)))
            rest = (*op.xs[:first], total, *op.xs[first + 2 :])
            rw.replace(total if len(rest) == 1 else op.clone(rest))
            return


def _under_same_end(a: Value, b: Value) -> tuple[Value, Value, Op | None]:
    """Return what two values are made of by the same elementwise operation of one operand; themselves if by none."""
    p, q = a.owner, b.owner
    if p is None or type(p) is not type(q) or len(p.operands) != 1 or not p.spec.has(Elementwise):
        return a, b, None
    x, y = p.operands[0], q.operands[0] if q is not None else None
    is_same = q is not None and p.attributes == q.attributes and a.has_one_use and b.has_one_use
    return (x, y, p) if is_same and x is not None and y is not None else (a, b, None)


@register("merge-linear-branches")
class MergeLinearBranches(Pass):
    """Let parallel linear branches of one value that are summed become one convolution or matrix product.

    Branches are convolutions, also grouped ones, matrix products, factors per channel, averages over windows, the value
    itself, and several of these in a row; what is merged never multiplies more often than its parts.  Those whose
    results are concatenated become one with all filters.  So networks that
    are trained with many branches and run with one do so without being rewritten by hand.
    """

    def run(self, module: Module) -> None:
        """Merge branches, then fold factors that became neighbours of weights."""
        rewrite(module, [merge_branches, compose_maps, join_filters, *PATTERNS])
