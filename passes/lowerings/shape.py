"""Lowerings of operations that move, cut and join data."""

from __future__ import annotations

import numpy as np

from ...compiler.dims import Dim, Sym, is_static
from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops import arith
from ...compiler.ops.index import Gather
from ...compiler.ops.shape import (
    Concat,
    Range,
    Reshape,
    Reverse,
    ShapeOf,
    Slice,
    Split,
    Transpose,
)
from ...compiler.types import DType
from .permuting import LEAST_HALFWAY, first_swap, halfway
from .registry import lower, simplify


@simplify(Transpose)
def merge_transposes(op: Transpose, e: Build) -> None:
    """Two in a row are one, or none."""
    if op.perm == tuple(range(len(op.perm))):
        e.replace(op.x)
    elif isinstance(op.x.owner, Transpose):
        first = op.x.owner
        perm = tuple(first.perm[p] for p in op.perm)
        if len(_runs(perm, first.x.type.shape)) <= e.target.limits.rank:
            e.replace(e.transpose(first.x, perm))


@lower(Transpose)
def merge_axes(op: Transpose, e: Build) -> None:
    """More than six axes: neighbours that stay neighbours become one."""
    runs = _runs(op.perm, op.x.type.shape)
    if len(runs) == len(op.perm) or len(runs) > e.target.limits.rank:
        return
    order = sorted(range(len(runs)), key=lambda i: runs[i][0])
    x = e.reshape(op.x, [e.product([op.x.type.shape[a] for a in runs[i]]) for i in order])
    permuted = e(Transpose, x, tuple(order.index(i) for i in range(len(runs))))
    e.replace(e.reshape(permuted, op.result.type.shape))


@lower(Transpose)
def permute_in_steps(op: Transpose, e: Build) -> None:
    """More than six groups of axes: a transpose of six brings as many together as it can, the next has fewer.

    Where a transpose has four at most, one after the other is brought to its place.
    """
    runs, limit = _runs(op.perm, op.x.type.shape), e.target.limits.rank
    if len(runs) <= limit:
        return
    places = sorted(range(len(runs)), key=lambda i: runs[i])
    order = [places.index(i) for i in range(len(runs))]
    steps = halfway(order, limit) if limit >= LEAST_HALFWAY else first_swap(order)
    moved = [a for place in steps for a in runs[places[place]]]
    perm = [*(a for a in range(len(op.perm)) if a not in moved), *moved]
    e.replace(e.transpose(e.transpose(op.x, perm), [perm.index(a) for a in op.perm]))


def _runs(perm: tuple[int, ...], shape: tuple[Dim, ...]) -> list[list[int]]:
    """Operand axes in the result's order, those that follow each other together; axes of size one join any run."""
    runs: list[list[int]] = []
    kept = [a for a in perm if shape[a] != 1]
    rank = {a: i for i, a in enumerate(sorted(kept))}
    for axis in kept:
        if runs and rank[axis] == rank[runs[-1][-1]] + 1:
            runs[-1].append(axis)
        else:
            runs.append([axis])
    return runs


@simplify(Reshape)
def merge_reshapes(op: Reshape, e: Build) -> None:
    """Two in a row are one, or none."""
    if op.shape == op.x.type.shape:
        e.replace(op.x)
    elif isinstance(op.x.owner, Reshape) and _unknown(op.x.type.shape) + _unknown(op.shape) <= 1:
        e.replace(e.reshape(op.x.owner.x, op.shape))


def _unknown(shape: tuple[Dim, ...]) -> int:
    return sum(isinstance(d, Sym) for d in shape)


@simplify(Concat)
def drop_single_parts(op: Concat, e: Build) -> None:
    """A concatenation of one part is an identity, so it is dropped."""
    if len(op.xs) == 1:
        e.replace(op.xs[0])


@lower(Concat)
def fold_around_concat(op: Concat, e: Build) -> None:
    """More axes than XNNPACK takes: those before and after the axis fold into one each."""
    if op.result.type.rank <= e.target.limits.rank:
        return
    parts: list[Value] = []
    for x in op.xs:
        shape = x.type.shape
        parts.append(e.reshape(x, (e.product(shape[: op.axis]), e.product(shape[op.axis :]))))
    e.replace(e.reshape(e.rw.emit(Concat(tuple(parts), 1)), op.result.type.shape))


@lower(Split)
def split_by_slices(op: Split, e: Build) -> None:
    """Parts that SPLIT does not give are slices, which XNNPACK runs."""
    start: Dim = 0
    parts: list[Value] = []
    for part in op.sizes:
        starts: list[Dim] = [0] * op.x.type.rank
        sizes = list(op.x.type.shape)
        starts[op.axis], sizes[op.axis] = start, part
        parts.append(e(Slice, op.x, tuple(starts), tuple(sizes), (1,) * op.x.type.rank))
        start = start + part
    e.replace(*parts)


@lower(Slice)
def step_backwards(op: Slice, e: Build) -> None:
    """Slice forwards, then reverse: 36 times as fast as a slice with negative steps."""
    back = [a for a, s in enumerate(op.steps) if s < 0]
    if not back:
        return
    starts = tuple(a + (n - 1) * s if s < 0 else a for a, n, s in zip(op.starts, op.sizes, op.steps, strict=True))
    out = e(Slice, op.x, starts, op.sizes, tuple(abs(s) for s in op.steps))
    e.replace(e(Reverse, out, tuple(back)))


@simplify(Slice)
def drop_whole_slices(op: Slice, e: Build) -> None:
    """A slice of all elements is an identity, so it is dropped."""
    if op.sizes == op.x.type.shape and all(s == 1 for s in op.steps) and not any(op.starts):
        e.replace(op.x)


@simplify(ShapeOf, benefit=2)
def known_shape(op: ShapeOf, e: Build) -> None:
    """A shape whose sizes are all numbers is a constant."""
    sizes = tuple(op.x.type.shape[d] for d in op.dims)
    if is_static(sizes):
        e.replace(e.constant(np.asarray(sizes, op.dtype.numpy)))


@lower(ShapeOf)
def some_sizes(op: ShapeOf, e: Build) -> None:
    """The kernel gives the whole shape: gather the sizes that are asked for."""
    whole = tuple(range(op.x.type.rank))
    if op.dims != whole:
        e.replace(e(Gather, e(ShapeOf, op.x, whole, dtype=op.dtype), e.constant(np.asarray(op.dims, np.int32)), axis=0))
    elif op.dtype not in (DType.I32, DType.I64):
        e.replace(e(arith.Cast, e(ShapeOf, op.x, whole, dtype=DType.I32), to=op.dtype))


@lower(Range)
def count_then_scale(op: Range, e: Build) -> None:
    """Positions 0, 1, ... times the step, plus the start."""
    dtype = op.start.type.dtype
    if constant(op.start) is not None and constant(op.step) is not None and dtype is DType.I32:
        return
    count = e(Range, e.number(0, DType.I32), e.number(1, DType.I32), op.size)
    places = count if dtype is DType.I32 else e(arith.Cast, count, to=dtype)
    e.replace(e(arith.Add, e(arith.Mul, places, op.step), op.start))
