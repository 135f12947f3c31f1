"""Computes convolutions group by group and joins the results."""

from __future__ import annotations

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.lowering import Build
from ...compiler.ops.shape import Concat, Slice, Split
from ...compiler.ops.window import Conv, ConvTranspose


def group_by_group(op: Conv | ConvTranspose, inputs: int, e: Build) -> None:
    """Convolve the groups of a convolution with its channels last one by one; filters have theirs along an axis."""
    last = op.x.type.rank - 1
    xs, ws = parts(op.x, last, op.groups, e), parts(op.w, inputs, op.groups, e)
    biases = [None] * op.groups if op.bias is None else parts(op.bias, 0, op.groups, e)
    results = tuple(e.clone(op, x, w, b, groups=1) for x, w, b in zip(xs, ws, biases, strict=True))
    e.replace(e.rw.emit(Concat(results, last)))


def parts(value: Value, axis: int, count: int, e: Build) -> list[Value]:
    """Equal parts along an axis; of a constant, constants."""
    size = value.type.shape[axis]
    e.require(isinstance(size, int), "groups of channels whose number is not known")
    assert isinstance(size, int)
    if constant(value) is None:
        return list(e.each(Split(value, axis, (size // count,) * count)))
    out: list[Value] = []
    for i in range(count):
        starts, sizes = [0] * value.type.rank, list(value.type.shape)
        starts[axis], sizes[axis] = i * size // count, size // count
        out.append(e(Slice, value, tuple(starts), tuple(sizes), (1,) * value.type.rank))
    return out
