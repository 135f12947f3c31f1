"""Joining, cutting and rearranging data, where shapes and axes are operands."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ...compiler.dims import Dim, Sym, at_least, is_static, product
from ...compiler.ir import Value
from ...compiler.opdef import broadcast_shapes
from ...compiler.ops import shape as ir
from ..slicing import cut
from .axes_by_data import unsqueezed as unsqueezed_by_data
from .operands import OperandEmitter


def squeezed(emit: OperandEmitter, x: Value, axes: Sequence[int]) -> Value:
    """Drop some axes of size one, or all of them where none are named.

    Raises:
        CompileError: F002, an axis has another size; F004, an open size may be one, if none are named.
    """
    shape = x.type.shape
    dims = emit.axes(axes, len(shape)) if axes else axes_of_one(emit, x)
    if any(isinstance(shape[a], int) and shape[a] != 1 for a in dims):
        raise emit.fail(f"drops axes {list(dims)} of {x.type}", code="F002")
    return emit.reshape(x, [d for i, d in enumerate(shape) if i not in dims])


def may_be_one(size: Dim) -> bool:
    """Whether an open size may have the value one."""
    return isinstance(size, Sym) and not at_least(size, 2)


def axes_of_one(emit: OperandEmitter, x: Value) -> tuple[int, ...]:
    """Return the axes of size one.

    Raises:
        CompileError: F004, an open size may be one: how many axes there are would depend on the shapes of inputs.
    """
    shape = x.type.shape
    opened = [d for d in shape if isinstance(d, Sym) and may_be_one(d)]
    if opened:
        names = sorted({name for d in opened for name in d.names})
        text = f"drops all axes of size one of {x.type}, and whether {opened[0]} is one depends on the shapes of inputs"
        sizes = " or ".join(f"--shape {name}=1" for name in names)
        raise emit.fail(text, code="F004", help=f"Fix the size ({sizes}, or another number), or name the axes.")
    return tuple(i for i, d in enumerate(shape) if d == 1)


def unsqueezed(emit: OperandEmitter, x: Value, axis: Value) -> Value:
    """Insert an axis of size one at a position."""
    if emit.known(axis) is None and x.type.rank:
        return unsqueezed_by_data(emit, x, axis)
    at = emit.axis(emit.int(axis, "axis"), x.type.rank + 1)
    return emit.reshape(x, (*x.type.shape[:at], 1, *x.type.shape[at:]))


def joined(emit: OperandEmitter, values: Sequence[Value], axis: int) -> Value:
    """Stack tensors of the same shape along a new axis."""
    at = emit.axis(axis, values[0].type.rank + 1)
    parts = [emit.reshape(x, (*x.type.shape[:at], 1, *x.type.shape[at:])) for x in values]
    return emit(ir.Concat(tuple(parts), at)) if len(parts) > 1 else parts[0]


def equal_parts(emit: OperandEmitter, x: Value, axis: int, count: int) -> tuple[Value, ...]:
    """Cut into equal parts.

    Raises:
        CompileError: F002, the size is no multiple of their number.
    """
    size = x.type.shape[axis]
    if count < 1 or (isinstance(size, int) and size % count):
        raise emit.fail(f"cuts {x.type} into {count} equal parts along axis {axis}", code="F002")
    return emit.all(ir.Split(x, axis, (size // count,) * count))


def parts_of_sizes(emit: OperandEmitter, x: Value, sizes: Value, axis: Value) -> tuple[Value, ...]:
    """Cut into parts of given sizes, one of which may be what is left."""
    along = emit.axis(emit.int(axis, "axis"), x.type.rank)
    given = list(emit.dims(sizes, "sizes"))
    if -1 in given:
        given[given.index(-1)] = x.type.shape[along] - sum((d for d in given if d != -1), start=0)  # pyright: ignore[reportArgumentType, reportCallIssue]
    return emit.all(ir.Split(x, along, tuple(given)))


def pieces(emit: OperandEmitter, x: Value, count: int, axis: int) -> tuple[Value, ...]:
    """Cut into single positions along an axis, which is dropped."""
    at = emit.axis(axis, x.type.rank)
    parts = equal_parts(emit, x, at, count)
    return tuple(emit.reshape(p, (*p.type.shape[:at], *p.type.shape[at + 1 :])) for p in parts)


def pairs_of(emit: OperandEmitter, paddings: Value, rank: int) -> tuple[tuple[Dim, ...], tuple[Dim, ...]]:
    """Return the numbers of paddings before and after each axis.

    Raises:
        CompileError: F006, there are not as many as axes, or one is negative.
    """
    given = emit.dims(paddings, "paddings")
    if len(given) != 2 * rank or any(isinstance(p, int) and p < 0 for p in given):
        raise emit.fail(f"has the paddings {list(given)} for {rank} axes", code="F006")
    return given[::2], given[1::2]


def common_shape(emit: OperandEmitter, a: Value, b: Value) -> Value:
    """Return the shape to which two shapes broadcast.

    Raises:
        CompileError: F004, its sizes are open; T001, they do not broadcast.
    """
    with emit.typed():
        shape = broadcast_shapes((emit.dims(a, "shape1"), emit.dims(b, "shape2")))
    if not is_static(shape):
        raise emit.fail(f"gives the shape {list(shape)}, whose sizes are open", code="F004")
    return emit.const(np.asarray(shape), a.type.dtype)


def _blocks(
    emit: OperandEmitter, x: Value, block: Value, pairs: Value
) -> tuple[tuple[int, ...], tuple[Dim, ...], tuple[Dim, ...]]:
    sizes = emit.ints(block, "block_shape")
    low, high = pairs_of(emit, pairs, len(sizes))
    if x.type.rank <= len(sizes) or any(n < 1 for n in sizes):
        raise emit.fail(f"has blocks {list(sizes)} for {x.type}", code="F006")
    return sizes, low, high


def space_to_batch(emit: OperandEmitter, x: Value, block_shape: Value, paddings: Value) -> Value:
    """Positions within blocks of the spatial axes become batches; ``paddings`` are added before."""
    sizes, low, high = _blocks(emit, x, block_shape, paddings)
    rest = (0,) * (x.type.rank - 1 - len(sizes))
    if any(p != 0 for p in (*low, *high)):
        x = emit(ir.Pad(x, (0, *low, *rest), (0, *high, *rest), "constant"))
    batch, *spatial = x.type.shape
    counts = [d // b for d, b in zip(spatial, sizes, strict=False)]
    if any(isinstance(d, int) and d % b for d, b in zip(spatial, sizes, strict=False)):
        raise emit.fail(f"cuts {x.type} into blocks {list(sizes)}", code="F002")
    m, tail = len(sizes), tuple(spatial[len(sizes) :])
    pairs = [n for pair in zip(counts, sizes, strict=True) for n in pair]
    split = emit.reshape(x, (batch, *pairs, *tail))
    perm = (*range(2, 2 * m + 1, 2), 0, *range(1, 2 * m, 2), *range(2 * m + 1, split.type.rank))
    return emit.reshape(emit.transpose(split, perm), (batch * product(sizes), *counts, *tail))


def batch_to_space(emit: OperandEmitter, x: Value, block_shape: Value, crops: Value) -> Value:
    """Batches become positions within blocks of the spatial axes; ``crops`` are cut off after."""
    sizes, low, high = _blocks(emit, x, block_shape, crops)
    m = len(sizes)
    batch, spatial, tail = x.type.shape[0], x.type.shape[1 : m + 1], x.type.shape[m + 1 :]
    split = emit.reshape(x, (*sizes, batch // product(sizes), *spatial, *tail))
    pairs = [n for i in range(m) for n in (m + 1 + i, i)]
    moved = emit.transpose(split, (m, *pairs, *range(2 * m + 1, split.type.rank)))
    whole = [d * b for d, b in zip(spatial, sizes, strict=True)]
    joined = emit.reshape(moved, (batch // product(sizes), *whole, *tail))
    ends = [d - h for d, h in zip(whole, high, strict=True)]
    return cut(emit, joined, {1 + i: (a, e, 1) for i, (a, e) in enumerate(zip(low, ends, strict=True))})
