"""Channels: which operations have weights per channel, and where these channels are in values around them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..compiler.dims import is_static, product, static
from ..compiler.fold import constant
from ..compiler.ir import Op, Value
from ..compiler.ops.core import Const
from ..compiler.ops.linear import Linear
from ..compiler.ops.reduce import Reduce
from ..compiler.ops.shape import Concat, Reshape, Slice, Split, Transpose
from ..compiler.ops.window import Conv, ConvTranspose, Spatial
from ..compiler.rewrite import Rewriter
from ..compiler.types import Array
from ..compiler.weights import Weight

Weighted = Conv | ConvTranspose | Linear
"""Operations that multiply by constant weights and add a bias."""


def channel_axis(op: Weighted) -> int:
    """The axis of channels, of the operand and of the result."""
    if isinstance(op, Linear):
        return op.axis % op.x.type.rank
    return Spatial.of(op.x.type.rank, op.channels_last).channel


def per_channel(value: Value, axis: int, data: Value, rw: Rewriter) -> Value:
    """Return a constant that depends on the channel only as a vector with one element per channel.

    Raises:
        NoMatch: it depends on more, or the number of channels is not known.
    """
    rank, shape = data.type.rank, value.type.shape
    channels = data.type.shape[axis]
    padded = (1,) * (rank - len(shape)) + shape
    rw.require(all(d == 1 for i, d in enumerate(padded) if i != axis), "the constant differs within a channel")
    rw.require(isinstance(channels, int), "the number of channels is not known")
    assert isinstance(channels, int)
    weight = constant(value)
    assert weight is not None
    spread = np.broadcast_to(weight.array().reshape(-1), (channels,))
    return rw.emit(Const(Weight.of(spread)))


def along_outputs(op: Weighted, vector: Value, rw: Rewriter) -> Value:
    """The vector in a shape that broadcasts over the weights' output channels."""
    rank = op.w.type.rank
    if isinstance(op, ConvTranspose):
        outputs, groups = op.filter_shape[1], op.groups
        if groups == 1:
            axis = 0 if op.channels_last else 1
            return rw.emit(Reshape(vector, unit_shape(rank, axis, outputs)))
        rw.require(not op.channels_last, "the transposed convolution is grouped")
        inputs = op.filter_shape[0]
        assert isinstance(inputs, int)
        assert isinstance(outputs, int)
        weight = constant(vector)
        assert weight is not None
        spread = np.repeat(weight.array().reshape(groups, outputs), inputs // groups, axis=0)
        return rw.emit(Const(Weight.of(spread.reshape(inputs, outputs, *[1] * (rank - 2)))))
    return rw.emit(Reshape(vector, unit_shape(rank, 0, op.w.type.shape[0])))


def along_inputs(op: Conv | Linear, vector: Value, rw: Rewriter) -> Value:
    """The vector in a shape that broadcasts over the weights' input channels."""
    rank = op.w.type.rank
    axis = 1 if isinstance(op, Linear) else Spatial.of(rank, op.channels_last).channel
    return rw.emit(Reshape(vector, unit_shape(rank, axis, op.w.type.shape[axis])))


def unit_shape(rank: int, axis: int, size: object) -> tuple[int, ...]:
    """A shape with one axis that is not of size one."""
    assert isinstance(size, int)
    return tuple(size if i == axis else 1 for i in range(rank))


MAX_TRACED = 1 << 24
"""Elements of a value that are followed through views one by one."""


@dataclass(frozen=True)
class Origin:
    """The weighted operation that gives a value, and the reshapes, transposes and splits on the way down to it."""

    producer: Weighted
    steps: tuple[tuple[Reshape | Transpose | Split, int], ...]

    @staticmethod
    def of(value: Value) -> Origin | None:
        """Follow a value up through views that have no other use; None if no weighted operation is there."""
        steps: list[tuple[Reshape | Transpose | Split, int]] = []
        while isinstance(value.owner, Reshape | Transpose | Split) and value.has_one_use:
            steps.append((value.owner, value.owner.results.index(value)))
            value = value.owner.x
        producer = value.owner
        return Origin(producer, tuple(reversed(steps))) if isinstance(producer, Weighted) else None

    def channels(self) -> Array | None:
        """Say for every element of the value which channel of the producer it comes from; None if that is too much."""
        shape = self.producer.result.type.shape
        size = product(shape)
        if not is_static(shape) or not isinstance(size, int) or size > MAX_TRACED:
            return None
        axis = channel_axis(self.producer)
        count = static(shape)[axis]
        along = np.arange(count, dtype=np.int32).reshape(unit_shape(len(shape), axis, count))
        numbers: Array = np.broadcast_to(along, static(shape))
        for op, index in self.steps:
            assert op.spec.evaluate is not None
            out = op.spec.evaluate(numbers, **op.attributes)
            numbers = out[index] if isinstance(out, tuple) else out
        return numbers

    def vector(self, c: Value, x: Value, neutral: float, rw: Rewriter) -> Array:
        """Return a constant beside ``x``, which comes from here, per channel, and ``neutral`` for the others.

        Raises:
            NoMatch: it is not the same for all elements of a channel.
        """
        numbers, weight = self.channels(), constant(c)
        rw.require(numbers is not None, "sizes are not known")
        assert numbers is not None
        assert weight is not None
        count = static(self.producer.result.type.shape)[channel_axis(self.producer)]
        rw.require(count > 0, "there are no channels")
        table = np.broadcast_to(weight.array(), numbers.shape)
        vector = np.full(count, neutral, weight.type.dtype.numpy)
        vector[numbers] = table
        rw.require(bool((vector[numbers] == table).all()), "the constant differs within a channel")
        seen = np.bincount(numbers.reshape(-1), minlength=count)
        whole = static((self.producer.result.type.size,))[0] // count
        rw.require(bool(np.isin(seen, (0, whole)).all()), "a channel is split between several values")
        return vector


def readers(value: Value, axis: int) -> list[Conv | Linear] | None:
    """Return the weighted operations that read the channels along ``axis`` of a value, however it is moved on the way.

    None if anything else reads it, or a convolution whose padding or groups would tell.
    """
    found: list[Conv | Linear] = []
    moved: dict[Value, int] = {value: axis}
    queue = [value]
    concats: list[Concat] = []
    while queue:
        v = queue.pop()
        for op, slot in v.uses:
            if slot == 0 and isinstance(op, Conv | Linear) and reads_plainly(op, moved[v]):
                found.append(op)
                continue
            results = dict(_moved(op, moved[v]))
            if not results:
                return None
            concats += [op] if isinstance(op, Concat) else []
            queue += [r for r in results if r not in moved]
            moved |= results
    return found if all(x in moved for c in concats for x in c.xs) else None


def reads_plainly(op: Conv | Linear, axis: int) -> bool:
    """Whether an operation only sums over the channels along ``axis`` with constant weights."""
    if constant(op.w) is None or (op.bias is not None and constant(op.bias) is None) or channel_axis(op) != axis:
        return False
    return isinstance(op, Linear) or (op.groups == 1 and all(p == (0, 0) for p in op.pads))


def _moved(op: Op, axis: int) -> Iterator[tuple[Value, int]]:
    """The results of an operation that moves whole channels or averages over others, and their axis there."""
    match op:
        case Transpose(perm=perm):
            yield op.result, perm.index(axis)
        case Reshape(x=x, shape=shape):
            inner, size = product(x.type.shape[axis + 1 :]), x.type.shape[axis]
            places = [i for i, d in enumerate(shape) if d == size and product(shape[i + 1 :]) == inner]
            yield from ((op.result, i) for i in places[:1])
        case Slice(x=x, sizes=sizes, steps=steps) if sizes[axis] == x.type.shape[axis] and steps[axis] == 1:
            yield op.result, axis
        case Concat(axis=along) | Split(axis=along) if along != axis:
            yield from ((r, axis) for r in op.results)
        case Reduce(kind="mean", dims=dims, keepdims=keepdims) if axis not in dims:
            yield op.result, axis if keepdims else axis - sum(d < axis for d in dims)
        case _:
            return
