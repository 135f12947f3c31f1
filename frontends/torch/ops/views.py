"""Views by positions in memory, axes that are added, and pieces by number or place."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import Dim, Shape, is_static, product, static
from ....compiler.ir import Value
from ....compiler.ops import index as ir
from ....compiler.ops.shape import Concat, Slice
from ....compiler.types import Array, DType
from ..emitter import Emitter
from ..nodes import stated
from ..registry import aten
from .shape import diagonal, pieces


@aten("unsafe_chunk")
def unsafe_chunk(emit: Emitter, x: Value, chunks: int, dim: int = 0) -> list[Value]:
    """``unsafe_chunk``: ``chunk``, but not as views for autograd, which makes no difference here."""
    return pieces(emit, x, dim)


@aten("tensor_split.indices")
def tensor_split_at(emit: Emitter, x: Value, indices: tuple[Dim, ...], dim: int = 0) -> list[Value]:
    """``tensor_split`` at known positions; a part that ends before it begins has no elements."""
    axis = emit.axis(dim, x.type.rank)
    size = x.type.shape[axis]
    if not is_static((size, *indices)):
        raise emit.fail("cuts at positions that are not known", code="F004")
    line = range(static((size,))[0])
    spans = [line[a:b] for a, b in zip((None, *static(indices)), (*static(indices), None), strict=True)]
    return [_stretch(emit, x, axis, span.start if len(span) else 0, len(span)) for span in spans]


@aten("tensor_split.tensor_indices_or_sections")
def tensor_split(emit: Emitter, x: Value, tensor_indices_or_sections: Value, dim: int = 0) -> list[Value]:
    """``tensor_split`` by a constant tensor: a number of parts, or positions at which it is cut."""
    known = emit.known(tensor_indices_or_sections)
    if known is None:
        raise emit.fail("cuts where data says", code="F004")
    return pieces(emit, x, dim) if known.ndim == 0 else tensor_split_at(emit, x, tuple(known.tolist()), dim)


def _split_along(name: str, axis: Callable[[int], int]) -> None:
    """Register cuts along an axis that depends on the rank."""

    @aten(f"{name}.int")
    def by_number(emit: Emitter, x: Value, sections: int) -> list[Value]:  # pyright: ignore[reportUnusedFunction]
        return pieces(emit, x, axis(x.type.rank))

    @aten(f"{name}.array")
    def at_places(emit: Emitter, x: Value, indices: tuple[int, ...]) -> list[Value]:  # pyright: ignore[reportUnusedFunction]
        return tensor_split_at(emit, x, indices, axis(x.type.rank))


_split_along("hsplit", lambda rank: 0 if rank == 1 else 1)
_split_along("vsplit", lambda rank: 0)
_split_along("dsplit", lambda rank: 2)


def _stretch(emit: Emitter, x: Value, axis: int, start: int, size: int) -> Value:
    shape = [size if i == axis else d for i, d in enumerate(x.type.shape)]
    return emit(Slice(x, tuple(start if i == axis else 0 for i in range(len(shape))), tuple(shape), (1,) * len(shape)))


@aten("atleast_1d", "atleast_2d", "atleast_3d")
def atleast(emit: Emitter, x: Value) -> Value:
    """``atleast_1d``, ``2d`` and ``3d``: axes of size 1 added where a tensor has fewer."""
    return emit.reshape(x, emit.shape)


@aten("atleast_1d.Sequence", "atleast_2d.Sequence", "atleast_3d.Sequence")
def atleast_all(emit: Emitter, tensors: tuple[Value, ...]) -> list[Value]:
    """``atleast_1d``, ``2d`` and ``3d`` of several tensors: axes of size 1 added where one has fewer."""
    return [emit.reshape(t, type.shape) for t, type in zip(tensors, emit.types, strict=True) if type is not None]


@aten("matrix_H")
def matrix_h(emit: Emitter, x: Value) -> Value:
    """``matrix_H`` of a real matrix: its two axes exchanged, without a conjugate."""
    return emit.transpose(x, list(reversed(range(x.type.rank))))


@aten("cartesian_prod")
def cartesian_prod(emit: Emitter, tensors: tuple[Value, ...]) -> Value:
    """Every choice of one element of each vector, a row each."""
    if len(tensors) == 1:
        return tensors[0]
    sizes = tuple(t.type.size for t in tensors)
    columns: list[Value] = []
    for i, x in enumerate(tensors):
        line = emit.reshape(x, [d if i == k else 1 for k, d in enumerate(sizes)])
        columns.append(emit.reshape(emit.expand(line, sizes), (product(sizes), 1)))
    return emit(Concat(tuple(columns), 1))


@aten("linalg_diagonal")
def linalg_diagonal(emit: Emitter, x: Value, *, offset: int = 0, dim1: int = -2, dim2: int = -1) -> Value:
    """``linalg_diagonal``: diagonals of the matrices in two axes, by default the last two."""
    return diagonal(emit, x, offset, dim1, dim2)


def _strided(emit: Emitter, x: Value, size: Shape, stride: Shape, offset: Dim | None) -> Array:
    """Numbers of the elements that a view by strides shows."""
    if not is_static((*x.type.shape, *size, *stride, offset or 0)):
        raise emit.fail("has sizes or strides that are not known", code="F004")
    sizes, steps = static(size), static(stride)
    reserve(*sizes, what="the positions of all elements")
    places = np.full(sizes, static((offset or 0,))[0], np.int64)
    for axis, step in enumerate(steps):
        line = np.arange(sizes[axis]) * step
        places += line.reshape([-1 if i == axis else 1 for i in range(len(sizes))])
    given: Any = emit.node.args[0]
    memory = stated(given)
    is_whole = memory.is_contiguous() and not memory.storage_offset()
    if not is_whole or places.max(initial=0) >= max(memory.numel(), 1):
        raise emit.fail("reads memory by strides where the tensor's elements don't lie in order")
    return places


@aten("as_strided", "as_strided_copy")
def as_strided(
    emit: Emitter, x: Value, size: tuple[Dim, ...], stride: tuple[Dim, ...], storage_offset: Dim | None = None
) -> Value:
    """Elements by their places in memory, in which they must lie in order."""
    places = _strided(emit, x, size, stride, storage_offset)
    return emit(ir.Gather(emit.reshape(x, (x.type.size,)), emit.const(places), 0))


@aten("as_strided_scatter")
def as_strided_scatter(
    emit: Emitter,
    x: Value,
    src: Value,
    size: tuple[Dim, ...],
    stride: tuple[Dim, ...],
    storage_offset: Dim | None = None,
) -> Value:
    """Put elements at places in memory, in which they must lie in order."""
    return _put(emit, x, src, _strided(emit, x, size, stride, storage_offset))


@aten("diagonal_scatter")
def diagonal_scatter(emit: Emitter, x: Value, src: Value, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Value:
    """``diagonal_scatter``: a copy of ``x``, whose sizes must be known, with ``src`` in the place of a diagonal."""
    if not is_static(x.type.shape):
        raise emit.fail(f"writes to a diagonal of {x.type}", code="F004")
    shape = static(x.type.shape)
    reserve(*shape, what="the positions of all elements")
    numbers = np.arange(int(np.prod(shape))).reshape(shape)
    return _put(emit, x, src, np.diagonal(numbers, offset, dim1, dim2))


def _put(emit: Emitter, x: Value, src: Value, places: Array) -> Value:
    """Put elements at places of the flattened data."""
    if not places.size:
        return x
    flat = emit.reshape(x, (x.type.size,))
    rows = emit.reshape(emit.expand(emit.cast(src, x.type.dtype), places.shape), (places.size,))
    found = emit(ir.ScatterNd(flat, emit.const(places.reshape(-1, 1), DType.I64), rows))
    return emit.reshape(found, x.type.shape)
