"""Rewrites after which a file has fewer nodes; they apply to what the target has, too."""

from __future__ import annotations

from typing import cast

import numpy as np

from ....compiler.dims import Dim, product
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.lowering import Build
from ....compiler.opdef import Elementwise
from ....compiler.ops.activation import LogSoftmax, Softmax
from ....compiler.ops.index import Gather, TopK
from ....compiler.ops.shape import Concat, Reshape, Slice, Split, Transpose, inverse
from .registry import improve


@improve(Reshape)
def softmax_without_reshapes(op: Reshape, e: Build) -> None:
    """A softmax between reshapes that drop axes of size one and bring them back: along its axis in the whole shape."""
    match op.x:
        case Value(Softmax(x=Value(Reshape(x=x))) | LogSoftmax(x=Value(Reshape(x=x))) as inner) if (
            x.type == op.result.type and op.x.has_one_use
        ):
            axis = _same_axis(inner, x)
            if axis is not None:
                e.replace(e(type(inner), x, axis=axis))
        case _:
            return


def _same_axis(inner: Softmax | LogSoftmax, x: Value) -> int | None:
    """Return which axis of ``x`` is the one along which is normalised; None if it is none of them alone."""
    folded, axis = inner.x.type.shape, inner.axis
    behind = product(folded[axis + 1 :])
    shape = x.type.shape
    found = [i for i, d in enumerate(shape) if d == folded[axis] and product(shape[i + 1 :]) == behind]
    return found[0] if found else None


@improve(TopK)
def order_along_any_axis(op: TopK, e: Build) -> None:
    """The largest along an axis that was brought to the end and back: along the axis where it is."""
    match op.x:
        case Value(Transpose(x=x, perm=perm)):
            users = [user for r in op.results for user in r.users]
            if any(not isinstance(user, Transpose) or user.perm != inverse(perm) for user in users):
                return
            found = e.each(op.clone((x,), axis=perm[op.axis]))
            e.replace(*(e(Transpose, v, perm) for v in found))
        case _:
            return


@improve(Reshape)
def join_without_an_axis(op: Reshape, e: Build) -> None:
    """Parts joined along an axis of their own, which is merged with the next one: joined along that one."""
    match op.x:
        case Value(Concat(xs=xs, axis=axis) as joined) if op.x.has_one_use:
            shape, rank = op.x.type.shape, op.x.type.rank
            if axis + 1 >= rank or op.shape != (*shape[:axis], shape[axis] * shape[axis + 1], *shape[axis + 2 :]):
                return
            plain = [_without_axis(x, axis) for x in xs]
            parts = tuple(x for x in plain if x is not None)
            if len(parts) == len(xs):
                e.replace(e.rw.emit(joined.clone(parts)))
        case _:
            return


def _without_axis(x: Value, axis: int) -> Value | None:
    """Return what a value was before it got an axis of size one, None if it did not."""
    match x:
        case Value(Reshape(x=source)) if x.type.shape == (*source.type.shape[:axis], 1, *source.type.shape[axis:]):
            return source
        case _:
            return None


@improve(Split)
def cut_where_it_was_joined(op: Split, e: Build) -> None:
    """Parts that are joined and cut at the same places."""
    match op.x:
        case Value(Concat(xs=xs, axis=axis)) if axis == op.axis and tuple(x.type.shape[axis] for x in xs) == op.sizes:
            e.replace(*xs)
        case _:
            return


@improve(Reshape)
def take_one_position(op: Reshape, e: Build) -> None:
    """One position along an axis, without the axis: taken by its number."""
    match op.x:
        case Value(Slice(x=x, starts=starts) as cut) if op.x.has_one_use and constant(x) is None:
            axes = [a for a, (old, new) in enumerate(zip(x.type.shape, cut.sizes, strict=True)) if old != new]
            if len(axes) != 1 or cut.sizes[axes[0]] != 1:
                return
            (axis,) = axes
            at, shape = _from_either_end(starts[axis], x.type.shape[axis]), x.type.shape
            others = [a for a in range(x.type.rank) if a != axis]
            if at is None or any(cut.steps[a] != 1 for a in others) or op.shape != (*shape[:axis], *shape[axis + 1 :]):
                return
            e.replace(e(Gather, x, e.constant(np.asarray(at, np.int64)), axis=axis))
        case _:
            return


def _from_either_end(position: Dim, size: Dim) -> int | None:
    """Return a position that is as far from one end of an axis whatever its size is, None if it is not."""
    return next((at for at in (position, position - size) if isinstance(at, int)), None)


@improve(Slice)
def slice_the_whole(op: Slice, e: Build) -> None:
    """Parts of which nothing but slices is read: slices of what was cut into them."""
    match op.x:
        case Value(Split(x=x, axis=axis, sizes=sizes) as cut):
            if not all(isinstance(user, Slice) for part in cut.results for user in part.users):
                return
            before = sum(sizes[: cut.results.index(op.x)], start=cast(Dim, 0))
            starts = tuple(s + before if a == axis else s for a, s in enumerate(op.starts))
            e.replace(e.clone(op, x, starts=starts))
        case _:
            return


@improve(Concat)
def join_before_transposing(op: Concat, e: Build) -> None:
    """Parts that are transposed alike, each for this alone, are joined first: one transpose does for all.

    Where only axes of size one move, a reshape is a transpose, too.
    """
    perms = {x.owner.perm for x in op.xs if isinstance(x.owner, Transpose)}
    if len(perms) != 1 or len(op.xs) == 1:
        return
    (perm,) = perms
    before = [_before_transposing(x, perm) for x in op.xs]
    parts = tuple(x for x in before if x is not None)
    if len(parts) == len(op.xs):
        e.replace(e.transpose(e(Concat, parts, perm[op.axis]), perm))


def _before_transposing(x: Value, perm: tuple[int, ...]) -> Value | None:
    """Return what only this value is transposed from, by a permutation; None if it is not."""
    match x:
        case Value(Transpose(x=source, perm=found)) if found == perm and x.has_one_use:
            return source
        case Value(Reshape(x=source)) if x.has_one_use and source.type.rank == len(perm):
            shape = source.type.shape
            larger = [p for p in perm if shape[p] != 1]
            is_same = x.type.shape == tuple(shape[p] for p in perm) and larger == sorted(larger)
            return source if is_same else None
        case _:
            return None


@improve(Reshape)
def shape_of_what_it_is_made_of(op: Reshape, e: Build) -> None:
    """What is computed of constants and numbers, element by element, has its shape from the beginning."""
    if constant(op.x) is None and _is_of_constants(op.x):
        e.replace(_in_shape(op.x, op.result.type.shape, e))


def _is_of_constants(value: Value) -> bool:
    """Whether only operations on single elements lie between a value and constants of its shape."""
    if constant(value) is not None:
        return True
    op = value.owner
    if op is None or not op.spec.has(Elementwise) or len(op.results) != 1 or not value.has_one_use:
        return False
    wide = [v for v in op.operands if v is not None and v.type.rank]
    return bool(wide) and all(v.type.shape == value.type.shape and _is_of_constants(v) for v in wide)


def _in_shape(value: Value, shape: tuple[Dim, ...], e: Build) -> Value:
    """Compute a value in another shape, of constants in that shape."""
    if constant(value) is not None:
        return e.reshape(value, shape)
    op = value.owner
    assert op is not None
    return e.clone(op, *(_in_shape(v, shape, e) if v is not None and v.type.rank else v for v in op.operands))
