"""Operations that pick elements by computed positions, and order them."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias, cast

import numpy as np

from ..attributes import Count, IndexType, OneOf, Size, check_axes
from ..axes import Axes, Axis, Form, Letters, letters
from ..dims import Dim, may_equal
from ..ir import Op, Value
from ..opdef import Pure, Symbolic, op
from ..operands import Integers, Numbers
from ..traits import Accumulates, Grows, KeepsSign, Moves, NonNegative, Ordered, SameBits
from ..types import Array, DType, TensorType
from .indexing import Indexing, IndexOperand, check_constant, check_slices, coordinates, places_along

Reduction: TypeAlias = Annotated[str, OneOf("none", "add", "mul", "max", "min")]
"""How scattered elements are combined with what is there."""


@op("gather", Symbolic, Moves, KeepsSign)
class Gather(Indexing, Op):
    """``x`` at the positions ``indices`` along an axis; the indices' axes replace it.

    Negative positions count from the end where the source ``wraps`` them, else there are none.
    """

    x: Value
    indices: Integers
    axis: Axis
    wraps: bool = True

    def index_operand(self) -> IndexOperand:
        """The indices point along the axis that they replace."""
        return IndexOperand(self.indices, self.x.type.shape[self.axis : self.axis + 1], self.wraps)

    def infer(self) -> TensorType:
        """The axis' size gives way to the indices' shape."""
        shape = self.x.type.shape
        check_constant(self.indices, shape[self.axis : self.axis + 1])
        return self.x.type.with_shape((*shape[: self.axis], *self.indices.type.shape, *shape[self.axis + 1 :]))

    @staticmethod
    def evaluate(x: Array, indices: Array, *, axis: int, wraps: bool) -> Array:
        """Take."""
        return np.take(x, places_along(indices, x.shape[axis], wraps=wraps), axis)

    def axes(self) -> Axes:
        """Any order of the data's axes, the indices' axes staying together at the place of the one they replace."""
        names = letters(self.x.type.rank)
        picked = names[self.axis]
        result = (*names[: self.axis], *(picked for _ in self.indices.type.shape), *names[self.axis + 1 :])
        return Axes.common((names, None), (result,), frozenset({picked}))


@op("gather_elements", Pure, Moves, KeepsSign)
class GatherElements(Indexing, Op):
    """Element ``[i][j]`` of the result is ``x[indices[i][j]][j]`` for axis 0, and so on for other axes.

    Negative positions are as in ``gather``.
    """

    x: Value
    indices: Integers
    axis: Axis
    wraps: bool = True

    def index_operand(self) -> IndexOperand:
        """The indices point along the axis, each at its place in the others."""
        return IndexOperand(self.indices, self.x.type.shape[self.axis : self.axis + 1], self.wraps)

    def infer(self) -> TensorType:
        """The indices' shape."""
        check_slices(self.indices, self.x, self.axis)
        return self.x.type.with_shape(self.indices.type.shape)

    @staticmethod
    def evaluate(x: Array, indices: Array, *, axis: int, wraps: bool) -> Array:
        """Take along the axis; other axes may be shorter in the indices."""
        wrapped = places_along(indices, x.shape[axis], wraps=wraps)
        cut = tuple(slice(None) if i == axis else slice(n) for i, n in enumerate(indices.shape))
        return np.take_along_axis(x[cut], wrapped, axis)

    def axes(self) -> Axes:
        """Any common order; positions keep their order along the axis, and where the indices have fewer."""
        names = letters(self.x.type.rank)
        return Axes.common((names, names), (names,), _rigid(self, names))


@op("gather_nd", Pure, Moves, KeepsSign)
class GatherNd(Indexing, Op):
    """``x`` at the positions in the last axis of ``indices``, after ``batch_dims`` common leading axes.

    Negative positions are as in ``gather``.
    """

    x: Value
    indices: Integers
    batch_dims: Count = 0
    wraps: bool = True

    def index_operand(self) -> IndexOperand:
        """The last axis of the indices points into the axes after the batch ones."""
        _, depth = coordinates(self.indices, self.x.type.rank - self.batch_dims)
        return IndexOperand(self.indices, self.x.type.shape[self.batch_dims :][:depth], self.wraps)

    def infer(self) -> TensorType:
        """The indices' shape without its last axis, then what of ``x`` is not indexed."""
        shape, batch = self.x.type.shape, self.batch_dims
        _, depth = coordinates(self.indices, len(shape) - batch)
        if self.indices.type.rank <= batch or not may_equal(self.indices.type.shape[:batch], shape[:batch]):
            raise ValueError(f"{self.indices.type} and {self.x.type} have no {batch} leading axes in common")
        check_constant(self.indices, shape[batch : batch + depth])
        return self.x.type.with_shape((*self.indices.type.shape[:-1], *shape[batch + depth :]))

    @staticmethod
    def evaluate(x: Array, indices: Array, *, batch_dims: int, wraps: bool) -> Array:
        """Index with a tuple of coordinate arrays."""
        batch: tuple[Array, ...] = cast(Any, np.indices(indices.shape[:batch_dims], sparse=True)) if batch_dims else ()
        spread = tuple(b.reshape(*b.shape, *[1] * (indices.ndim - 1 - batch_dims)) for b in batch)
        picked = (places_along(indices[..., i], x.shape[batch_dims + i], wraps=wraps) for i in range(indices.shape[-1]))
        return x[(*spread, *picked)]

    def axes(self) -> Axes | None:
        """The indexed axes outermost; either the others in any order, or the positions."""
        if self.batch_dims:
            return None
        indexed, rest, places = _indexed(self.x, self.indices)
        data, picked, found = (*indexed, *rest), (*places, "x"), (*places, *rest)
        forms = (
            Form(((*indexed, ...), picked), ((*places, ...),)),
            Form((data, (..., "x")), ((..., *rest),)),
        )
        return Axes((data, picked), (found,), frozenset((*indexed, "x")), forms)


@op("scatter_nd", Pure, SameBits)
class ScatterNd(Indexing, Op):
    """``x`` with the slices at ``indices`` replaced by ``updates``, or combined: "add", "mul", "max", "min".

    Which of several slices that replace the same one stays is not defined.
    """

    x: Value
    indices: Integers
    updates: Value
    reduction: Reduction = "none"

    def index_operand(self) -> IndexOperand:
        """The last axis of the indices points into the leading axes."""
        _, depth = coordinates(self.indices, self.x.type.rank)
        return IndexOperand(self.indices, self.x.type.shape[:depth], negative=True, distinct=self.reduction == "none")

    def infer(self) -> TensorType:
        """Keep the type."""
        _same_as_updates(self)
        shape = self.x.type.shape
        places, depth = coordinates(self.indices, len(shape))
        wanted = (*places, *shape[depth:])
        if not may_equal(self.updates.type.shape, wanted):
            raise ValueError(f"updates are {self.updates.type}, but [{','.join(map(str, wanted))}] fits")
        check_constant(self.indices, shape[:depth])
        return self.x.type

    @staticmethod
    def evaluate(x: Array, indices: Array, updates: Array, *, reduction: str) -> Array:
        """Update a copy, one by one where positions may repeat."""
        out = x.copy()
        where = tuple(places_along(indices[..., i], x.shape[i]) for i in range(indices.shape[-1]))
        _update(out, where, updates, reduction)
        return out

    def axes(self) -> Axes:
        """The indexed axes outermost; either the others in any order, or, if the updates add up, the positions."""
        indexed, rest, places = _indexed(self.x, self.indices)
        data, picked, put = (*indexed, *rest), (*places, "x"), (*places, *rest)
        rigid = frozenset((*indexed, "x", *(() if self.reduction == "add" else places)))
        forms = [Form(((*indexed, ...), picked, (*places, ...)), ((*indexed, ...),))]
        if self.reduction == "add":
            forms.append(Form((data, (..., "x"), (..., *rest)), (data,)))
        return Axes((data, picked, put), (data,), rigid, tuple(forms))


def _indexed(x: Value, indices: Value) -> tuple[Letters, Letters, Letters]:
    """Letters of the indexed axes, of the others, and of the positions."""
    names, depth = letters(x.type.rank), indices.type.shape[-1]
    assert isinstance(depth, int)
    return names[:depth], names[depth:], letters(indices.type.rank - 1, "p")


@op("scatter", Pure)
class Scatter(Indexing, Op):
    """``x`` with the slices at the positions ``indices`` along an axis replaced by ``updates``, or combined.

    What ``gather`` takes, this puts back; combined as in ``scatter_nd``.
    """

    x: Value
    indices: Integers
    updates: Value
    axis: Axis
    reduction: Reduction = "none"

    def index_operand(self) -> IndexOperand:
        """The indices point along the axis, each to where a slice goes."""
        sizes = self.x.type.shape[self.axis : self.axis + 1]
        return IndexOperand(self.indices, sizes, negative=False, distinct=self.reduction == "none")

    def infer(self) -> TensorType:
        """Keep the type."""
        _same_as_updates(self)
        shape = self.x.type.shape
        slices = (*shape[: self.axis], *self.indices.type.shape, *shape[self.axis + 1 :])
        if self.indices.type.rank != 1 or not may_equal(self.updates.type.shape, slices):
            raise ValueError(f"{self.updates.type} at {self.indices.type} are no slices of {self.x.type}")
        return self.x.type

    @staticmethod
    def evaluate(x: Array, indices: Array, updates: Array, *, axis: int, reduction: str) -> Array:
        """Update a copy, one by one where positions may repeat."""
        out = x.copy()
        _update(np.moveaxis(out, axis, 0), (indices.astype(np.int64),), np.moveaxis(updates, axis, 0), reduction)
        return out

    def axes(self) -> Axes:
        """Any common order; along the axis positions keep their order."""
        names = letters(self.x.type.rank)
        return Axes.common((names, None, names), (names,), frozenset({names[self.axis]}))


@op("scatter_elements", Pure, SameBits)
class ScatterElements(Indexing, Op):
    """``x`` with ``updates[i][j]`` put at ``[indices[i][j]][j]`` for axis 0; combined as in ``scatter_nd``."""

    x: Value
    indices: Integers
    updates: Value
    axis: Axis
    reduction: Reduction = "none"

    def index_operand(self) -> IndexOperand:
        """The indices point along the axis, each to where an element goes."""
        sizes = self.x.type.shape[self.axis : self.axis + 1]
        return IndexOperand(self.indices, sizes, negative=True, distinct=self.reduction == "none", along=self.axis)

    def infer(self) -> TensorType:
        """The type of the data, whose slices the updates replace or combine with."""
        _same_as_updates(self)
        check_slices(self.indices, self.x, self.axis)
        if not may_equal(self.updates.type.shape, self.indices.type.shape):
            raise ValueError(f"updates are {self.updates.type}, but there are {self.indices.type} positions")
        return self.x.type

    @staticmethod
    def evaluate(x: Array, indices: Array, updates: Array, *, axis: int, reduction: str) -> Array:
        """Update a copy."""
        out = x.copy()
        where: list[Array] = list(cast(Any, np.indices(indices.shape)))
        where[axis] = places_along(indices, x.shape[axis])
        _update(out, tuple(where), updates, reduction)
        return out

    def axes(self) -> Axes:
        """Any common order; positions keep their order along the axis, and where the indices have fewer."""
        names = letters(self.x.type.rank)
        return Axes.common((names, names, names), (names,), _rigid(self, names))


def _rigid(op: GatherElements | ScatterElements, names: Letters) -> frozenset[str]:
    """The axis along which positions are computed, and those along which there are not all of them."""
    pairs = zip(op.x.type.shape, op.indices.type.shape, strict=True)
    return frozenset({names[op.axis], *(n for n, (d, e) in zip(names, pairs, strict=True) if d != e)})


def _same_as_updates(op: ScatterNd | ScatterElements | Scatter) -> None:
    if op.x.type.dtype is not op.updates.type.dtype:
        raise ValueError(f"updates of {op.updates.type.dtype} for {op.x.type.dtype}")


_COMBINE = {"add": np.add, "mul": np.multiply, "max": np.maximum, "min": np.minimum}


def _update(out: Array, where: tuple[Array, ...], updates: Array, reduction: str) -> None:
    if reduction == "none":
        out[where] = updates
    else:
        _COMBINE[reduction].at(out, where, updates)


@op("one_hot", Pure, SameBits)
class OneHot(Indexing, Op):
    """A new axis of ``depth`` positions holding ``values[1]`` at the index and ``values[0]`` elsewhere.

    Indices outside give no hit; negative ones count from the end where the source ``wraps`` them.
    """

    indices: Integers
    values: Value
    depth: Dim
    axis: int
    wraps: bool = True

    def index_operand(self) -> IndexOperand:
        """The indices point along the new axis."""
        return IndexOperand(self.indices, (self.depth,), self.wraps)

    def infer(self) -> TensorType:
        """The indices' shape with the new axis."""
        if not may_equal(self.values.type.shape, (2,)):
            raise ValueError(f"{self.values.type} does not hold the value elsewhere and the one at the index")
        shape = self.indices.type.shape
        check_axes((self.axis,), len(shape) + 1)
        return self.values.type.with_shape((*shape[: self.axis], self.depth, *shape[self.axis :]))

    @staticmethod
    def evaluate(indices: Array, values: Array, *, depth: int, axis: int, wraps: bool) -> Array:
        """Compare."""
        wrapped = np.where((indices < 0) & wraps, indices + depth, indices)
        hit = np.expand_dims(wrapped, axis) == np.arange(depth).reshape(
            [-1 if i == axis else 1 for i in range(indices.ndim + 1)]
        )
        return cast(Array, np.where(hit, values[1], values[0]))


class _ArgReduce:
    """The position of an extreme element along an axis, the first of equal ones."""

    @staticmethod
    def infer(op: ArgMax | ArgMin) -> TensorType:
        """The axis' size becomes one, or vanishes."""
        shape = op.x.type.shape
        if shape[op.axis] == 0:
            raise ValueError(f"there is nothing to search along axis {op.axis} of {op.x.type}")
        kept: tuple[Dim, ...] = (1,) if op.keepdims else ()
        return TensorType(op.dtype, (*shape[: op.axis], *kept, *shape[op.axis + 1 :]))

    @staticmethod
    def axes(op: ArgMax | ArgMin) -> Axes:
        """Any common order; along the axis positions keep their order."""
        names = letters(op.x.type.rank)
        result = names if op.keepdims else (*names[: op.axis], *names[op.axis + 1 :])
        return Axes.common((names,), (result,), frozenset({names[op.axis]}))


@op("arg_max", _ArgReduce, Pure, Ordered, NonNegative)
class ArgMax(Op):
    """The position of the largest element along an axis; of equal ones the first, or the last."""

    x: Value
    axis: Axis
    keepdims: bool = True
    last: bool = False
    dtype: IndexType = DType.I64

    @staticmethod
    def evaluate(x: Array, *, axis: int, keepdims: bool, last: bool, dtype: DType) -> Array:
        """Search."""
        found = x.shape[axis] - 1 - np.argmax(np.flip(x, axis), axis) if last else np.argmax(x, axis)
        return np.expand_dims(found, axis) if keepdims else np.asarray(found)


@op("arg_min", _ArgReduce, Pure, Ordered, NonNegative)
class ArgMin(Op):
    """The position of the smallest element along an axis; of equal ones the first, or the last."""

    x: Value
    axis: Axis
    keepdims: bool = True
    last: bool = False
    dtype: IndexType = DType.I64

    @staticmethod
    def evaluate(x: Array, *, axis: int, keepdims: bool, last: bool, dtype: DType) -> Array:
        """Search."""
        found = x.shape[axis] - 1 - np.argmin(np.flip(x, axis), axis) if last else np.argmin(x, axis)
        return np.expand_dims(found, axis) if keepdims else np.asarray(found)


@op("top_k", Pure, Ordered)
class TopK(Op):
    """The ``k`` largest (or smallest) elements along an axis, sorted, and their positions; equal ones in order."""

    x: Value
    k: Size
    axis: Axis
    largest: bool = True
    dtype: IndexType = DType.I64

    def infer(self) -> tuple[TensorType, TensorType]:
        """The axis' size becomes ``k``."""
        shape = self.x.type.shape
        size = shape[self.axis]
        if isinstance(self.k, int) and isinstance(size, int) and self.k > size:
            raise ValueError(f"k is {self.k}, but the axis has {size} positions")
        out = (*shape[: self.axis], self.k, *shape[self.axis + 1 :])
        return self.x.type.with_shape(out), TensorType(self.dtype, out)

    @staticmethod
    def evaluate(x: Array, *, k: int, axis: int, largest: bool, dtype: DType) -> tuple[Array, Array]:
        """Stable sort."""
        key = x.astype(np.int8) if x.dtype == np.bool_ else x
        if largest:
            flipped = np.flip(key, axis)
            places = x.shape[axis] - 1 - np.flip(np.argsort(flipped, axis, kind="stable"), axis)
        else:
            places = np.argsort(key, axis, kind="stable")
        places = np.take(places, np.arange(k), axis)
        return np.take_along_axis(x, places, axis), places

    def axes(self) -> Axes:
        """Along the axis stored last."""
        names = letters(self.x.type.rank)
        last = (..., names[self.axis])
        return Axes((names,), (names, names), frozenset({names[self.axis]}), (Form((last,), (last, last)),))


@op("cum_sum", Pure, SameBits, Grows, Accumulates)
class CumSum(Op):
    """Running sums along an axis; ``exclusive`` leaves out the element itself, ``reverse`` starts at the end."""

    x: Numbers
    axis: Axis
    exclusive: bool = False
    reverse: bool = False

    def infer(self) -> TensorType:
        """Keep the type."""
        return self.x.type

    @staticmethod
    def evaluate(x: Array, *, axis: int, exclusive: bool, reverse: bool) -> Array:
        """Accumulate."""
        y = np.flip(x, axis) if reverse else x
        total = np.cumsum(y, axis, dtype=x.dtype)
        total = total - y if exclusive else total
        return np.flip(total, axis) if reverse else total

    def axes(self) -> Axes:
        """Any common order; along the axis positions keep their order."""
        names = letters(self.x.type.rank)
        return Axes.common((names,), (names,), frozenset({names[self.axis]}))


@op("cum_prod", Pure, SameBits, Grows, Accumulates)
class CumProd(Op):
    """Running products along an axis; ``exclusive`` leaves out the element itself, ``reverse`` starts at the end."""

    x: Numbers
    axis: Axis
    exclusive: bool = False
    reverse: bool = False

    def infer(self) -> TensorType:
        """Keep the type."""
        return self.x.type

    @staticmethod
    def evaluate(x: Array, *, axis: int, exclusive: bool, reverse: bool) -> Array:
        """Accumulate."""
        y = np.flip(x, axis) if reverse else x
        if exclusive:
            first, cut = (
                tuple(part if i == axis else slice(None) for i in range(x.ndim)) for part in (slice(1), slice(0, -1))
            )
            y = np.concatenate([np.ones_like(y[first]), y[cut]], axis)
        total = np.cumprod(y, axis, dtype=x.dtype)
        return np.flip(total, axis) if reverse else total

    def axes(self) -> Axes:
        """Any common order; along the axis positions keep their order."""
        names = letters(self.x.type.rank)
        return Axes.common((names,), (names,), frozenset({names[self.axis]}))


@op("reverse_sequence", Pure, Moves)
class ReverseSequence(Indexing, Op):
    """The first ``lengths[i]`` positions along ``axis`` reversed, for position ``i`` along ``batch``."""

    x: Value
    lengths: Integers
    axis: Axis
    batch: Axis

    def index_operand(self) -> IndexOperand:
        """A length is at most the size of the axis."""
        return IndexOperand(self.lengths, (self.x.type.shape[self.axis] + 1,), negative=False)

    def infer(self) -> TensorType:
        """Keep the type."""
        check_axes((self.axis, self.batch), self.x.type.rank)
        lengths, count = self.lengths.type, self.x.type.shape[self.batch]
        if not may_equal(lengths.shape, (count,)):
            raise ValueError(f"{lengths} does not tell a length for each of {count}")
        return self.x.type

    @staticmethod
    def evaluate(x: Array, lengths: Array, *, axis: int, batch: int) -> Array:
        """Gather mirrored positions."""
        places = cast(Array, np.arange(x.shape[axis]))[None, :]
        ends = lengths.astype(np.int64)[:, None]
        mirrored = np.where(places < ends, ends - 1 - places, places)
        rows = np.moveaxis(x, (batch, axis), (0, 1))
        picked = np.take_along_axis(rows, mirrored.reshape(*mirrored.shape, *[1] * (x.ndim - 2)), 1)
        return np.moveaxis(picked, (0, 1), (batch, axis))


@op("non_zero", Pure, NonNegative)
class NonZero(Op):
    """The positions of elements that are not zero, one column for each, or one row; ``count`` names their number."""

    x: Value
    count: Dim
    dtype: IndexType = DType.I64
    rows: bool = False

    def infer(self) -> TensorType:
        """One coordinate per axis."""
        rank = self.x.type.rank
        return TensorType(self.dtype, (self.count, rank) if self.rows else (rank, self.count))

    @staticmethod
    def evaluate(x: Array, *, count: Dim, dtype: DType, rows: bool) -> Array:
        """Search in row-major order."""
        found = np.stack(np.nonzero(x)) if x.ndim else np.zeros((0, int(x.item() != 0)), np.int64)
        return found.T if rows else found

    def axes(self) -> Axes:
        """The data in its own order, which tells the order of what is found; that comes in rows."""
        found = ("n", "r") if self.rows else ("r", "n")
        return Axes((None,), (found,), frozenset(found), (Form((None,), (("n", "r"),), {"rows": True}),))


@op("unique", Pure)
class Unique(Op):
    """The different elements, or slices along an axis; where each occurs first, which one is where, and how often.

    Without an axis ``x`` counts as flat.  ``count`` names their number; they are ``sorted`` or in the order of their
    first positions.
    """

    x: Value
    count: Dim
    axis: int | None = None
    sorted: bool = True

    def infer(self) -> tuple[TensorType, TensorType, TensorType, TensorType]:
        """As many as ``count``."""
        shape = self.x.type.shape
        if self.axis is not None:
            check_axes((self.axis,), len(shape))
        axis, parts = (0, (self.x.type.size,)) if self.axis is None else (self.axis, shape)
        found = self.x.type.with_shape((*parts[:axis], self.count, *parts[axis + 1 :]))
        one = TensorType(DType.I64, (self.count,))
        return found, one, TensorType(DType.I64, (parts[axis],)), one

    @staticmethod
    def evaluate(x: Array, *, count: Dim, axis: int | None, sorted: bool) -> tuple[Array, Array, Array, Array]:
        """Sort, compare neighbours."""
        along = axis or 0
        flat = x.reshape(-1) if axis is None else x
        _, first, where, often = np.unique(flat, True, True, True, axis=None if axis is None else along)
        where = where.reshape(-1)
        order = np.arange(len(first)) if sorted else np.argsort(first)
        return flat.take(first[order], along), first[order], np.argsort(order)[where], often[order]


@op("trilu", Pure, SameBits)
class Trilu(Op):
    """The upper or lower triangle of the last two axes, counted from diagonal ``k``; zero elsewhere."""

    x: Value
    k: int = 0
    upper: bool = True

    def infer(self) -> TensorType:
        """Keep the type."""
        if self.x.type.rank < 2:
            raise ValueError(f"{self.x.type} has no two axes")
        return self.x.type

    @staticmethod
    def evaluate(x: Array, *, k: int, upper: bool) -> Array:
        """Mask."""
        return np.triu(x, k) if upper else np.tril(x, k)
