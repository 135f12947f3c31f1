"""canonicalize: the simplest form of the same computation."""

from __future__ import annotations

import math
from itertools import pairwise
from pathlib import Path

from ..compiler.dims import Dim, Shape, product
from ..compiler.fold import constant
from ..compiler.ir import Module, Op, Value
from ..compiler.ops.arith import ACTIVATIONS, Cast
from ..compiler.ops.index import Gather
from ..compiler.ops.shape import Concat, Reshape, Reverse, Slice, Split, Transpose
from ..compiler.pipeline import Pass, register
from ..compiler.rewrite import Rewriter, pattern, rewrite
from ..compiler.rules import helper, load_rules
from ..compiler.types import DType


@helper
def compose(first: tuple[int, ...], second: tuple[int, ...]) -> tuple[int, ...]:
    """Helper of rules: the permutation that transposes by ``first``, then by ``second``."""
    return tuple(first[i] for i in second)


@helper
def larger(a: float, b: float) -> float:
    """Helper of rules: the larger of two numbers that are attributes."""
    return max(a, b)


@helper
def smaller(a: float, b: float) -> float:
    """Helper of rules: the smaller of two numbers that are attributes."""
    return min(a, b)


@helper
def positive(a: float) -> bool:
    """Helper of rules: whether a number that is an attribute exceeds zero."""
    return a > 0


@helper
def lowest(activation: str) -> float:
    """The lower bound of what an operation ends in."""
    return ACTIVATIONS[activation][0]


@helper
def highest(activation: str) -> float:
    """The upper bound of what an operation ends in."""
    return ACTIVATIONS[activation][1]


@helper
def overlap(a: float, b: float, c: float, d: float) -> bool:
    """Whether the ranges from a to b and from c to d meet."""
    return max(a, c) <= min(b, d)


@helper
def is_float(x: Value) -> bool:
    """Helper of rules: whether a value's elements are real floating-point numbers."""
    return x.type.dtype.is_float


@helper
def is_uniform(x: Value) -> bool:
    """Whether a value is a constant of one repeated, finite number."""
    weight = constant(x)
    if weight is None or not weight.type.dtype.is_float or not weight.nbytes:
        return False
    if not weight.is_splat and weight.nbytes > 1 << 16:
        return False
    array = weight.array()
    return bool(math.isfinite(array.flat[0]) and (array == array.flat[0]).all())


@helper
def uniform(x: Value) -> float:
    """The number that a uniform constant repeats, with the digits that its type keeps."""
    weight = constant(x)
    assert weight is not None
    return float(str(weight.array().flat[0]))


@pattern(Op)
def drop_copy(op: Op, rw: Rewriter) -> None:
    """Remove identity operations: those whose result is their operand unchanged."""
    if op.copies() and op.operands[0] is not None and op.result.type == op.operands[0].type:
        rw.replace(op.operands[0])


@pattern(Transpose)
def transpose_of_units(op: Transpose, rw: Rewriter) -> None:
    """A transpose that only moves axes of size one is a reshape."""
    shape = op.x.type.shape
    kept = [p for p in op.perm if shape[p] != 1]
    if kept == sorted(kept):
        rw.replace(Reshape(op.x, op.result.type.shape))


@pattern(Reverse)
def reverse_of_units(op: Reverse, rw: Rewriter) -> None:
    """Axes of size one stay as they are, and so does what is empty."""
    shape = op.x.type.shape
    dims = () if 0 in shape else tuple(d for d in op.dims if shape[d] != 1)
    if dims != op.dims:
        rw.replace(Reverse(op.x, dims) if dims else op.x)


@pattern(Cast)
def merge_casts(op: Cast, rw: Rewriter) -> None:
    """Of two casts in a row the first is dropped if it can't lose anything."""
    match op.x:
        case Value(Cast(x=x) as first):
            rw.require(first.to.holds(x.type.dtype), f"{x.type.dtype} may not fit into {first.to}")
            rw.require(op.to is not DType.STRING, "a text shows the type that it was made of")
            rw.replace(op.clone((x,)))
        case _:
            return


@pattern(Concat)
def flatten_concat(op: Concat, rw: Rewriter) -> None:
    """A concat of concats along the same axis is one concat."""
    parts: list[Value] = []
    for x in op.xs:
        inner = x.owner
        if isinstance(inner, Concat) and inner.axis == op.axis and x.has_one_use:
            parts += inner.xs
        else:
            parts.append(x)
    if len(parts) != len(op.xs):
        rw.replace(Concat(tuple(parts), op.axis))


@pattern(Slice)
def merge_slices(op: Slice, rw: Rewriter) -> None:
    """A slice of a slice is one slice."""
    match op.x:
        case Value(Slice(x=x) as inner):
            starts: list[Dim] = [a + b * s for a, b, s in zip(inner.starts, op.starts, inner.steps, strict=True)]
            steps = tuple(a * b for a, b in zip(inner.steps, op.steps, strict=True))
            rw.replace(Slice(x, tuple(starts), op.sizes, steps))
        case _:
            return


@pattern(Gather)
def gather_is_slice(op: Gather, rw: Rewriter) -> None:
    """Picking one position, or evenly spaced ones, is a slice."""
    weight = constant(op.indices)
    shape = op.x.type.shape
    size = shape[op.axis]
    if weight is None or not weight.nbytes or weight.nbytes > 1 << 16 or op.indices.type.rank > 1:
        return
    indices = [int(i) for i in weight.array().reshape(-1)]
    if any(i < 0 for i in indices) and not isinstance(size, int):
        return
    places = [i + size if i < 0 and isinstance(size, int) else i for i in indices]
    step = places[1] - places[0] if len(places) > 1 else 1
    rw.require(
        step != 0 and all(b - a == step for a, b in pairwise(places)),
        "positions are not evenly spaced",
    )
    rank, axis = len(shape), op.axis
    starts = tuple(places[0] if i == axis else 0 for i in range(rank))
    sizes = tuple(len(places) if i == axis else d for i, d in enumerate(shape))
    cut = Slice(op.x, starts, sizes, tuple(step if i == axis else 1 for i in range(rank)))
    rw.replace(Reshape(rw.emit(cut), op.result.type.shape))


@pattern(Slice)
def slices_are_split(op: Slice, rw: Rewriter) -> None:
    """Slices that cut a value along one axis into equal parts, all of them, are a split."""
    axis = _cut_axis(op)
    if axis is None:
        return
    count, part = op.x.type.shape[axis], op.sizes[axis]
    if not isinstance(count, int) or not isinstance(part, int) or part in (0, count) or count % part:
        return
    siblings = [u for u in op.x.users if isinstance(u, Slice) and u.parent is op.parent and _cut_axis(u) == axis]
    parts = {u.starts[axis]: u for u in siblings if u.sizes[axis] == part}
    if len(siblings) != len(parts) or set(parts) != set(range(0, count, part)):
        return
    split, writer = Split(op.x, axis, (part,) * (count // part)), op.x.owner
    is_here = writer is not None and writer.parent is op.parent
    rw.region.insert(split, before=writer.after if writer is not None and is_here else rw.region.ops.first)
    rw.inserted.append(split)
    for start, result in zip(range(0, count, part), split.results, strict=True):
        if parts[start] is op:
            rw.replace(result)
        else:
            parts[start].result.replace_all_uses_with(result)


def _cut_axis(op: Slice) -> int | None:
    """The only axis along which a slice does not take everything, one by one; None if there are others."""
    shape = op.x.type.shape
    cut = [i for i, (d, e) in enumerate(zip(shape, op.sizes, strict=True)) if d != e]
    return cut[0] if len(cut) == 1 and all(s == 1 for s in op.steps) else None


@pattern(Reshape)
def units_before_transpose(op: Reshape, rw: Rewriter) -> None:
    """Axes of size one leave before the transpose, where another reshape may do that as well."""
    match op.x:
        case Value(Transpose(x=x, perm=perm)) if op.x.has_one_use:
            shape = x.type.shape
            moved = [p for p in perm if shape[p] != 1]
            if [shape[p] for p in moved] != [d for d in op.shape if d != 1] or len(op.shape) >= len(shape):
                return
            axes, order = iter(sorted(moved)), iter(moved)
            kept = [None if d == 1 else next(axes) for d in op.shape]
            squeezed = rw.emit(Reshape(x, tuple(1 if a is None else shape[a] for a in kept)))
            back = tuple(i if d == 1 else kept.index(next(order)) for i, d in enumerate(op.shape))
            rw.replace(Transpose(squeezed, back))
        case _:
            return


@pattern(Reshape)
def merge_behind_transpose(op: Reshape, rw: Rewriter) -> None:
    """A reshape that only merges axes, then a transpose and another reshape: the latter does both."""
    match op.x:
        case Value(Transpose(x=Value(Reshape(x=x) as first), perm=perm)) if (
            op.x.has_one_use and first.result.has_one_use
        ):
            groups = _merged(x.type.shape, first.shape)
            if groups is not None:
                rw.replace(Reshape(rw.emit(Transpose(x, tuple(a for p in perm for a in groups[p]))), op.shape))
        case _:
            return


def _merged(shape: Shape, merged: Shape) -> list[list[int]] | None:
    """Which axes of a shape each axis of another one is made of; None if one of them is split."""
    groups: list[list[int]] = []
    axes = list(range(len(shape)))
    for size in merged:
        group: list[int] = []
        while axes and (product([shape[a] for a in group]) != size or shape[axes[0]] == 1):
            group.append(axes.pop(0))
        groups.append(group)
    fits = all(product([shape[a] for a in group]) == size for group, size in zip(groups, merged, strict=True))
    return groups if fits and not axes else None


PATTERNS = (
    drop_copy,
    transpose_of_units,
    reverse_of_units,
    merge_casts,
    flatten_concat,
    merge_slices,
    gather_is_slice,
    slices_are_split,
    units_before_transpose,
    merge_behind_transpose,
)


@register("canonicalize")
class Canonicalize(Pass):
    """Apply algebraic rules until none applies: the simplest form of the same computation."""

    def run(self, module: Module) -> None:
        """Rewrite greedily."""
        rewrite(module, [*load_rules(Path(__file__).with_suffix(".rules")), *PATTERNS])
