"""Handlers of operators that move, cut and join data; shapes of results are those that torch.export states."""

from __future__ import annotations

from collections.abc import Sequence

from ....compiler.dims import Dim, Sym, at_least, is_by_data, minimum
from ....compiler.ir import Value
from ....compiler.ops import index, logic
from ....compiler.ops import shape as ir
from ....compiler.ops.index import Gather
from ....compiler.types import DType
from ...bound import Position
from ...common.frames import framed
from ...slicing import cut
from ..emitter import Emitter
from ..registry import aten


@aten("view", "view_copy", "_unsafe_view")
def view(emit: Emitter, x: Value, size: tuple[Dim, ...]) -> Value:
    """``view``: a reshape to the shape that the node states, where -1 has been replaced by a size."""
    return emit.reshape(x, emit.shape)


@aten("reshape")
def reshape(emit: Emitter, x: Value, shape: tuple[Dim, ...]) -> Value:
    """``reshape``: as ``view``; whether memory would be copied has no meaning in the IR."""
    return emit.reshape(x, emit.shape)


@aten("_reshape_copy")
def reshape_copy(emit: Emitter, x: Value, size: tuple[Dim, ...]) -> Value:
    """``_reshape_copy``, which decompositions leave of ``reshape``: the same for the IR."""
    return emit.reshape(x, emit.shape)


@aten("view_as", "reshape_as")
def view_as(emit: Emitter, x: Value, other: Value) -> Value:
    """``view_as`` and ``reshape_as``: a reshape to another tensor's shape, which the node states."""
    return emit.reshape(x, emit.shape)


@aten("flatten.using_ints")
def flatten(emit: Emitter, x: Value, start_dim: int = 0, end_dim: int = -1) -> Value:
    """``flatten``: the axes from ``start_dim`` to ``end_dim`` become one, in row-major order."""
    return emit.reshape(x, emit.shape)


@aten("unflatten.int")
def unflatten(emit: Emitter, x: Value, dim: int, sizes: tuple[Dim, ...]) -> Value:
    """``unflatten``: one axis is split into several whose sizes multiply to its own."""
    return emit.reshape(x, emit.shape)


@aten("squeeze", "squeeze_copy", "ravel")
def squeeze(emit: Emitter, x: Value) -> Value:
    """``squeeze`` without axes removes all of size 1; ``ravel`` makes a vector of the tensor."""
    return emit.reshape(x, emit.shape)


@aten("squeeze.dim", "squeeze.dims", "squeeze_copy.dims", "unsqueeze", "unsqueeze_copy")
def squeeze_along(emit: Emitter, x: Value, dim: int | tuple[int, ...]) -> Value:
    """``squeeze`` and ``unsqueeze`` along stated axes: those of size 1 are removed or added."""
    return emit.reshape(x, emit.shape)


@aten("permute", "permute_copy")
def permute(emit: Emitter, x: Value, dims: tuple[int, ...]) -> Value:
    """``permute``: the axes in the order that ``dims`` lists, which may count from the end."""
    return emit.transpose(x, emit.axes(dims, x.type.rank))


def _swap(emit: Emitter, x: Value, first: int, second: int) -> Value:
    perm = list(range(x.type.rank))
    if not perm:
        return x
    a, b = emit.axis(first, len(perm)), emit.axis(second, len(perm))
    perm[a], perm[b] = perm[b], perm[a]
    return emit.transpose(x, perm)


@aten("transpose.int", "swapdims")
def transpose(emit: Emitter, x: Value, dim0: int, dim1: int) -> Value:
    """``transpose``: two axes exchanged; a tensor without axes stays as it is."""
    return _swap(emit, x, dim0, dim1)


@aten("swapaxes")
def swapaxes(emit: Emitter, x: Value, axis0: int, axis1: int) -> Value:
    """``swapaxes``: two axes exchanged, as ``transpose`` under NumPy's name does."""
    return _swap(emit, x, axis0, axis1)


@aten("t", "numpy_T")
def t(emit: Emitter, x: Value) -> Value:
    """``t`` and ``numpy_T``: all axes in reversed order, of which ``t`` has two at most."""
    return emit.transpose(x, list(reversed(range(x.type.rank))))


@aten("mT", "adjoint", "mH")
def matrix_transpose(emit: Emitter, x: Value) -> Value:
    """``mT``, ``mH`` and ``adjoint`` of real tensors: the last two axes exchanged."""
    return _swap(emit, x, -1, -2)


@aten("movedim.intlist")
def movedim(emit: Emitter, x: Value, source: tuple[int, ...], destination: tuple[int, ...]) -> Value:
    """``movedim``: some axes moved to other positions, the others staying in order."""
    rank = x.type.rank
    places = dict(zip(emit.axes(destination, rank), emit.axes(source, rank), strict=True))
    rest = iter(a for a in range(rank) if a not in places.values())
    return emit.transpose(x, [places[i] if i in places else next(rest) for i in range(rank)])


@aten("movedim.int")
def movedim_one(emit: Emitter, x: Value, source: int, destination: int) -> Value:
    """``movedim`` of one axis to another position, the others staying in order."""
    return movedim(emit, x, (source,), (destination,))


@aten("expand", "expand_copy")
def expand(emit: Emitter, x: Value, size: tuple[Dim, ...], *, implicit: bool = False) -> Value:
    """``expand``: broadcasting to the shape that the node states, where -1 has been replaced by a size."""
    return emit.expand(x, emit.shape)


@aten("expand_as")
def expand_as(emit: Emitter, x: Value, other: Value) -> Value:
    """``expand_as``: broadcasting to another tensor's shape, which the node states."""
    return emit.expand(x, emit.shape)


@aten("broadcast_to")
def broadcast_to(emit: Emitter, x: Value, size: tuple[Dim, ...]) -> Value:
    """``broadcast_to``: broadcasting to the shape that the node states, as ``expand``."""
    return emit.expand(x, emit.shape)


@aten("broadcast_tensors")
def broadcast_tensors(emit: Emitter, tensors: tuple[Value, ...]) -> list[Value]:
    """``broadcast_tensors``: every tensor broadcast to the common shape of all."""
    return [emit.expand(t, type.shape) for t, type in zip(tensors, emit.types, strict=True) if type is not None]


@aten("repeat")
def repeat(emit: Emitter, x: Value, repeats: tuple[Dim, ...]) -> Value:
    """``repeat``: the whole tensor repeated along each axis; more numbers than axes add leading ones."""
    return _tiled(emit, x, repeats)


@aten("tile")
def tile(emit: Emitter, x: Value, dims: tuple[Dim, ...]) -> Value:
    """``tile``: the whole tensor repeated along the last axes; fewer numbers than axes leave leading ones alone."""
    return _tiled(emit, x, (*(1,) * (x.type.rank - len(dims)), *dims))


def _tiled(emit: Emitter, x: Value, repeats: Sequence[Dim]) -> Value:
    data = emit.reshape(x, (*(1,) * (len(repeats) - x.type.rank), *x.type.shape))
    return data if all(r == 1 for r in repeats) else emit(ir.Tile(data, tuple(repeats)))


@aten("repeat_interleave.self_int")
def repeat_interleave(
    emit: Emitter, x: Value, repeats: Dim, dim: int | None = None, *, output_size: Dim | None = None
) -> Value:
    """``repeat_interleave``: each position of an axis, or of the flattened tensor, repeated next to itself."""
    if dim is None:
        x, dim = emit.reshape(x, (x.type.size,)), 0
    axis = emit.axis(dim, x.type.rank) + 1
    shape = x.type.shape
    data = emit.reshape(x, (*shape[:axis], 1, *shape[axis:]))
    return emit.reshape(emit.expand(data, (*shape[:axis], repeats, *shape[axis:])), emit.shape)


@aten("cat", "concat", "concatenate")
def cat(emit: Emitter, tensors: tuple[Value, ...], dim: int = 0) -> Value:
    """Join along an axis; vectors without elements, whatever the others' rank, are left out."""
    parts = [emit.cast(t, emit.dtype) for t in tensors if t.type.shape != (0,)] or list(tensors[:1])
    return parts[0] if len(parts) == 1 else emit(ir.Concat(tuple(parts), emit.axis(dim, parts[0].type.rank)))


@aten("stack")
def stack(emit: Emitter, tensors: tuple[Value, ...], dim: int = 0) -> Value:
    """``stack``: tensors of one shape joined along a new axis, in the result's element type."""
    axis = emit.axis(dim, len(emit.shape))
    parts = [emit.cast(t, emit.dtype) for t in tensors]
    rows = [emit.reshape(t, (*t.type.shape[:axis], 1, *t.type.shape[axis:])) for t in parts]
    return rows[0] if len(rows) == 1 else emit(ir.Concat(tuple(rows), axis))


@aten("slice.Tensor", "slice_copy.Tensor")
def slice_(
    emit: Emitter, x: Value, dim: int = 0, start: Dim | None = None, end: Dim | None = None, step: int = 1
) -> Value:
    """Cut along an axis as Python does; PyTorch has worked out how long the cut is."""
    axis = emit.axis(dim, x.type.rank)
    if emit.shape == x.type.shape and step == 1:
        return x
    size, begin = x.type.shape[axis], 0 if start is None else start
    if isinstance(emit.shape[axis], int) or begin == 0 or is_by_data(begin):
        first = _first(size, begin)
        if first is not None:
            return _cut(emit, x, axis, first, emit.shape[axis], step)
    last = emit.position(size if end is None else end)
    return cut(emit, x, {axis: (emit.position(begin), last, step)})


def _first(size: Dim, start: Dim) -> Dim | None:
    """The first position, None if the sign of a symbolic start is not known."""
    if isinstance(start, Sym):
        return minimum(start, size) if is_by_data(start) and at_least(start, 0) else None
    if start >= 0:
        return min(start, size) if isinstance(size, int) else start
    return max(size + start, 0) if isinstance(size, int) else size + start


def _cut(emit: Emitter, x: Value, axis: int, start: Dim, size: Dim, step: int = 1) -> Value:
    starts, sizes, steps = [0] * x.type.rank, list(x.type.shape), [1] * x.type.rank
    bounds: list[Dim] = list(starts)
    bounds[axis], sizes[axis], steps[axis] = 0 if size == 0 else start, size, step
    return emit(ir.Slice(x, tuple(bounds), tuple(sizes), tuple(steps)))


@aten("narrow")
def narrow(emit: Emitter, x: Value, dim: int, start: Dim, length: Dim) -> Value:
    """``narrow``: ``length`` positions of an axis from ``start`` on, both of which may be symbolic."""
    axis = emit.axis(dim, x.type.rank)
    place = emit.position(start)
    if isinstance(place, Position) and isinstance(length, int):
        return cut(emit, x, {axis: (place, emit.position(start + length), 1)})
    first = start if is_by_data(start) else _first(x.type.shape[axis], start)
    return _cut(emit, x, axis, start if first is None else first, length)


@aten("select.int", "select_copy.int")
def select(emit: Emitter, x: Value, dim: int, index: Dim) -> Value:
    """``select``: one position of an axis, which is removed; a position that data decides about becomes a Gather."""
    axis = emit.axis(dim, x.type.rank)
    if is_by_data(index):
        return emit(Gather(x, emit.value(index, DType.I64), axis))
    first = _first(x.type.shape[axis], index)
    return emit.reshape(_cut(emit, x, axis, index if first is None else first, 1), emit.shape)


@aten("unbind.int", "unbind_copy.int")
def unbind(emit: Emitter, x: Value, dim: int = 0) -> list[Value]:
    """``unbind``: one tensor for each position of an axis, which is removed."""
    axis = emit.axis(dim, x.type.rank)
    rest = (*x.type.shape[:axis], *x.type.shape[axis + 1 :])
    pieces = emit.all(ir.Split(x, axis, (1,) * len(emit.types)))
    return [emit.reshape(p, rest) for p in pieces]


def pieces(emit: Emitter, x: Value, dim: int) -> list[Value]:
    """Split a tensor along an axis into parts whose sizes are those that the node's results state."""
    axis = emit.axis(dim, x.type.rank)
    sizes = tuple(t.shape[axis] for t in emit.types if t is not None)
    return list(emit.all(ir.Split(x, axis, sizes))) if len(sizes) > 1 else [x]


@aten("split.Tensor", "split_copy.Tensor")
def split(emit: Emitter, x: Value, split_size: Dim, dim: int = 0) -> list[Value]:
    """Cut into pieces of one size, the last one maybe shorter."""
    return pieces(emit, x, dim)


@aten("split_with_sizes", "split_with_sizes_copy", "split.sizes")
def split_with_sizes(emit: Emitter, x: Value, split_sizes: tuple[Dim, ...], dim: int = 0) -> list[Value]:
    """``split`` into parts of given sizes, which the types of the results state."""
    return pieces(emit, x, dim)


@aten("chunk")
def chunk(emit: Emitter, x: Value, chunks: int, dim: int = 0) -> list[Value]:
    """``chunk``: parts of equal size, the last one maybe smaller, and maybe fewer than asked for."""
    return pieces(emit, x, dim)


@aten("tensor_split.sections")
def tensor_split(emit: Emitter, x: Value, sections: Dim, dim: int = 0) -> list[Value]:
    """``tensor_split``: exactly so many parts, whose sizes differ by at most 1."""
    return pieces(emit, x, dim)


@aten("flip")
def flip(emit: Emitter, x: Value, dims: tuple[int, ...]) -> Value:
    """``flip``: the order of elements reversed along several axes at once."""
    return emit(ir.Reverse(x, emit.axes(dims, x.type.rank))) if dims and x.type.rank else x


@aten("roll")
def roll(emit: Emitter, x: Value, shifts: tuple[Dim, ...], dims: tuple[int, ...] = ()) -> Value:
    """``roll``: elements moved in a circle along axes, or, without axes, in the flattened tensor."""
    if not dims:
        flat = emit.reshape(x, (x.type.size,))
        return emit.reshape(_rolled(emit, flat, 0, shifts[0]), x.type.shape)
    for axis, shift in zip(dims, shifts, strict=True):
        x = _rolled(emit, x, emit.axis(axis, x.type.rank), shift)
    return x


def _rolled(emit: Emitter, x: Value, axis: int, shift: Dim) -> Value:
    size = x.type.shape[axis]
    by = shift % size if size != 0 else 0
    if by == 0:
        return x
    back = _cut(emit, x, axis, size - by, by)
    return emit(ir.Concat((back, _cut(emit, x, axis, 0, size - by)), axis))


@aten("unfold", "unfold_copy")
def unfold(emit: Emitter, x: Value, dimension: int, size: int, step: int) -> Value:
    """Windows along an axis, their elements on a new last one."""
    axis = emit.axis(dimension, x.type.rank)
    picked = framed(emit, emit.reshape(x, x.type.shape or (1,)), axis, size, step)
    if not x.type.rank:
        return emit.reshape(picked, emit.shape)
    rest = [a for a in range(picked.type.rank) if a != axis + 1]
    return emit.transpose(picked, [*rest, axis + 1])


@aten("slice_scatter")
def slice_scatter(
    emit: Emitter, x: Value, src: Value, dim: int = 0, start: Dim | None = None, end: Dim | None = None, step: int = 1
) -> Value:
    """``slice_scatter``: a copy of ``x`` with ``src`` in the place of a slice along one axis."""
    axis = emit.axis(dim, x.type.rank)
    size = x.type.shape[axis]
    src = emit.cast(src, x.type.dtype)
    if step != 1:
        return _put_in_steps(emit, x, src, axis, _first(size, start or 0), step)
    first = _first(size, start or 0)
    if first is None:
        first = start or 0
    return _replaced(emit, x, src, axis, first)


def _put_in_steps(emit: Emitter, x: Value, src: Value, axis: int, first: Dim | None, step: int) -> Value:
    size, count = x.type.shape[axis], src.type.shape[axis]
    if not (isinstance(size, int) and isinstance(first, int) and isinstance(count, int)):
        raise emit.fail("writes in steps along a size that is not known", code="F004")
    mask = [first <= i < first + count * step and (i - first) % step == 0 for i in range(size)]
    places = [min(max(i - first, 0) // step, count - 1) for i in range(size)]
    spread = emit(index.Gather(src, emit.const(places, DType.I64), axis))
    shape = [1] * x.type.rank
    shape[axis] = size
    return emit(logic.Select(emit.reshape(emit.const(mask), shape), spread, x))


def _replaced(emit: Emitter, x: Value, src: Value, axis: int, start: Dim) -> Value:
    """``x`` with ``src`` from position ``start`` on."""
    size, length = x.type.shape[axis], src.type.shape[axis]
    behind = start + length
    parts = [
        _cut(emit, x, axis, 0, start) if start != 0 else None,
        src,
        _cut(emit, x, axis, behind, size - behind) if behind != size else None,
    ]
    kept = tuple(p for p in parts if p is not None)
    return kept[0] if len(kept) == 1 else emit(ir.Concat(kept, axis))


@aten("select_scatter")
def select_scatter(emit: Emitter, x: Value, src: Value, dim: int, index: Dim) -> Value:
    """``select_scatter``: a copy of ``x`` with ``src`` in the place of one position of an axis."""
    axis = emit.axis(dim, x.type.rank)
    first = _first(x.type.shape[axis], index)
    row = emit.reshape(emit.cast(src, x.type.dtype), (*x.type.shape[:axis], 1, *x.type.shape[axis + 1 :]))
    return _replaced(emit, x, row, axis, index if first is None else first)


@aten("diagonal", "diagonal_copy")
def diagonal(emit: Emitter, x: Value, offset: int = 0, dim1: int = 0, dim2: int = 1) -> Value:
    """The elements whose positions on two axes are equal, on a new last axis."""
    a, b = emit.axis(dim1, x.type.rank), emit.axis(dim2, x.type.rank)
    rest = [i for i in range(x.type.rank) if i not in (a, b)]
    rows, columns = x.type.shape[a], x.type.shape[b]
    length = emit.shape[-1]
    if not isinstance(columns, int) or not isinstance(length, int):
        raise emit.fail("has a diagonal whose length is not known", code="F004")
    data = emit.transpose(x, [*rest, a, b])
    kept = data.type.shape[:-2]
    flat = emit.reshape(data, (*kept, rows * columns))
    first = offset if offset >= 0 else -offset * columns
    places = [first + i * (columns + 1) for i in range(length)]
    return emit(index.Gather(flat, emit.const(places, DType.I64), len(kept)))


@aten("meshgrid.indexing", "meshgrid")
def meshgrid(emit: Emitter, tensors: tuple[Value, ...], *, indexing: str = "ij") -> list[Value]:
    """``meshgrid``: each vector along its own axis, broadcast along the others; ``xy`` exchanges the first two."""
    out: list[Value] = []
    for i, (x, type) in enumerate(zip(tensors, emit.types, strict=True)):
        assert type is not None
        axis = 1 - i if indexing == "xy" and i < 2 <= len(tensors) else i
        shape: list[Dim] = [1] * len(tensors)
        shape[axis] = x.type.size
        out.append(emit.expand(emit.reshape(x, shape), type.shape))
    return out
