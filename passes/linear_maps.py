"""Linear maps: what an operation computes that only sums over channels and windows of one value with constant weights.

Every map is written as a convolution, so that two of the same value can be added, and two in a row composed: a matrix
product has no spatial axes, a factor per channel is a window of one element in as many groups as there are channels,
an average over windows without paddings, or one that counts them, has equal weights.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from ..compiler.fold import constant
from ..compiler.ir import Op, Value
from ..compiler.ops.arith import Div, Mul
from ..compiler.ops.core import Const
from ..compiler.ops.linear import Linear
from ..compiler.ops.window import AveragePool, Conv, Spatial
from ..compiler.padding import known_pads
from ..compiler.rewrite import Rewriter
from ..compiler.types import Array, DType, TensorType
from ..compiler.weights import EAGER_BYTES, Weight

MAX_DEPTH = 4
"""Maps in a row that are composed."""


@dataclass(frozen=True)
class Frame:
    """Where maps find their channels, and the spatial axes of their windows; a matrix product has no windows."""

    rank: int
    channel: int
    spatial: tuple[int, ...]

    @staticmethod
    def of(op: Conv | Linear | AveragePool) -> Frame:
        """Return the channel axis and the spatial axes of a linear operation."""
        rank = op.x.type.rank
        if isinstance(op, Linear):
            return Frame(rank, op.axis % rank, ())
        data = Spatial.of(rank, op.channels_last)
        return Frame(rank, data.channel, data.axes)

    @property
    def channels_last(self) -> bool:
        """Whether channels come after the spatial axes, as in N,H,W,C."""
        return bool(self.spatial) and self.channel == self.rank - 1

    @property
    def pointwise(self) -> tuple[Window, ...]:
        """Windows of one element along each spatial axis, as a matrix product has."""
        return (Window(),) * len(self.spatial)


@dataclass(frozen=True)
class Window:
    """The windows along a spatial axis: ``taps`` are the places of the elements of the first one.

    Places before 0 and after the end are paddings.  The size n of the axis becomes ``(n + slack - 1) // stride + 1``.
    """

    stride: int = 1
    taps: range = range(1)
    slack: int = 0

    @staticmethod
    def of(kernel: int, stride: int, dilation: int, pads: tuple[int, int]) -> Window:
        """Return the windows of a convolution along one axis."""
        taps = range(-pads[0], dilation * (kernel - 1) - pads[0] + 1, dilation)
        return Window(stride, taps, pads[1] - taps[-1])

    @property
    def pads(self) -> tuple[int, int]:
        """The paddings before and after the axis, in elements."""
        return -self.taps.start, self.slack + self.taps[-1]

    def joined(self, other: Window) -> Window:
        """Return the windows that hold the elements of both, as many as these are."""
        a, b = self.taps, other.taps
        steps = [t.step for t in (a, b) if len(t) > 1]
        step = math.gcd(*steps, a.start - b.start) or 1
        return replace(self, taps=range(min(a.start, b.start), max(a[-1], b[-1]) + 1, step))


@dataclass(frozen=True)
class LinearMap:
    """A convolution of ``x``: filters are ``o c/groups k...`` wherever the data has its channels.

    ``cost`` counts the multiplications for one element of each output channel of all operations it stands for.
    """

    frame: Frame
    x: Value
    w: Weight
    bias: Weight | None
    windows: tuple[Window, ...]
    groups: int
    cost: int

    @property
    def outputs(self) -> int:
        """How many output channels the map has."""
        return _shape(self.w)[0]

    @property
    def inputs(self) -> int:
        """How many input channels there are."""
        return _shape(self.w)[1] * self.groups

    @property
    def is_pointwise(self) -> bool:
        """Whether every window is one element, and none is a padding."""
        return all(w.taps == range(1) and w.slack == 0 for w in self.windows)

    def plus(self, other: LinearMap, sign: int) -> LinearMap | None:
        """Return the sum with another map of the same value, or the difference; None if their windows move apart."""
        strides = [w.stride for w in self.windows] == [w.stride for w in other.windows]
        if self.x is not other.x or not strides or self.outputs != other.outputs:
            return None
        groups = math.gcd(self.groups, other.groups)
        windows = tuple(a.joined(b) for a, b in zip(self.windows, other.windows, strict=True))
        shape = (self.outputs, self.inputs // groups, *(len(w.taps) for w in windows))
        a, b = (
            m.w.derive(
                self._type(shape), partial(_spread, groups=m.groups, windows=m.windows, all=windows, shape=shape)
            )
            for m in (self, other)
        )
        w = a.derive(a.type, partial(_add, sign=sign), b)
        bias = _signed_sum(self.bias, other.bias, sign)
        return LinearMap(self.frame, self.x, w, bias, windows, groups, math.prod(shape))

    def beside(self, other: LinearMap) -> LinearMap | None:
        """Return the map that gives the output channels of both, those of ``other`` last; None if windows differ."""
        if (self.x, self.windows, self.groups, other.groups) != (other.x, other.windows, 1, 1):
            return None
        w, bias = (self._joined(a, b) for a, b in ((self.w, other.w), (self._any_bias, other._any_bias)))
        bias = None if self.bias is None and other.bias is None else bias
        return replace(self, w=w, bias=bias, cost=self.cost + other.cost)

    @property
    def _any_bias(self) -> Weight:
        return Weight.splat(0, self.w.type.dtype, (self.outputs,)) if self.bias is None else self.bias

    def _joined(self, a: Weight, b: Weight) -> Weight:
        """Weights concatenated along the output channels."""
        shape = (self.outputs + _shape(b)[0], *_shape(a)[1:])
        return a.derive(self._type(shape), _concatenated, b)

    def negated(self) -> LinearMap:
        """Return the map of opposite sign: weights and bias negated."""
        bias = _signed_sum(None, self.bias, -1)
        return replace(self, w=self.w.derive(self.w.type, np.negative), bias=bias)

    def after(self, inner: LinearMap) -> LinearMap | None:
        """Return this map of what another one gives as one map; None if it would be none, or has to look far.

        One of the two must be pointwise; paddings in between are zeros, which a bias would not leave.
        """
        if not (self.is_pointwise or (inner.is_pointwise and all(w.stride == 1 for w in inner.windows))):
            return None
        if inner.bias is not None and any(w.pads != (0, 0) for w in self.windows):
            return None
        windows = tuple(
            Window(a.stride * b.stride, b.taps if self.is_pointwise else a.taps, a.slack + b.slack)
            for a, b in zip(self.windows, inner.windows, strict=True)
        )
        groups = math.gcd(self.groups, inner.groups)
        shape = (self.outputs, inner.inputs // groups, *(len(w.taps) for w in windows))
        join = partial(_composed, groups=groups, outer_groups=self.groups, inner_groups=inner.groups, shape=shape)
        w = self.w.derive(self._type(shape), join, inner.w)
        return LinearMap(self.frame, inner.x, w, self._moved_bias(inner), windows, groups, self.cost + inner.cost)

    def _moved_bias(self, inner: LinearMap) -> Weight | None:
        if inner.bias is None:
            return self.bias
        moved = inner.bias.derive(self._type((self.outputs,)), partial(_mapped, groups=self.groups), self.w)
        return _signed_sum(moved, self.bias, 1)

    @property
    def own_cost(self) -> int:
        """Multiplications of this map for one output position: the size of its weight."""
        return math.prod(_shape(self.w))

    def build(self, rw: Rewriter, activation: str = "none") -> Conv | Linear:
        """Return the operation that computes this map and ends in an activation; its weights are inserted."""
        bias = None if self.bias is None else rw.emit(Const(self.bias))
        if not self.frame.spatial:
            axis = self.frame.channel
            return Linear(self.x, rw.emit(Const(self.w)), bias, activation, -1 if axis == self.frame.rank - 1 else axis)
        last = self.frame.channels_last
        return Conv(
            self.x,
            rw.emit(Const(_channels_moved(self.w, 1, -1) if last else self.w)),
            bias,
            tuple(w.stride for w in self.windows),
            tuple(w.taps.step for w in self.windows),
            tuple(w.pads for w in self.windows),
            self.groups,
            last,
            activation,
        )

    def _type(self, shape: tuple[int, ...]) -> TensorType:
        return TensorType(self.w.type.dtype, shape)


def linear_map(op: Op | None, frame: Frame) -> LinearMap | None:
    """Return what an operation computes if that is a map of floating-point numbers along the axes of ``frame``."""
    if op is None or not op.results or not op.results[0].type.dtype.is_float:
        return None
    match op:
        case Conv() | Linear() if op.activation == "none":
            return weighted_map(op, frame)
        case AveragePool():
            return _average(op, frame)
        case Mul() | Div() if op.activation == "none":
            return _factor(op, frame)
        case _:
            return None


def weighted_map(op: Conv | Linear, frame: Frame) -> LinearMap | None:
    """Return what a convolution or matrix product computes before its activation.

    None if its weights are computed, or so large that a second version of what others read, too, would be too much.
    """
    w, bias = constant(op.w), constant(op.bias)
    if w is None or (bias is None and op.bias is not None) or Frame.of(op) != frame:
        return None
    if not op.w.has_one_use and w.nbytes > EAGER_BYTES:
        return None
    if 0 in _shape(w):
        return None
    if isinstance(op, Linear):
        return LinearMap(frame, op.x, w, bias, (), 1, math.prod(_shape(w)))
    w = _channels_moved(w, -1, 1) if op.channels_last else w
    pads = known_pads(op.pads)
    if pads is None:
        return None
    geometry = zip(_shape(w)[2:], op.strides, op.dilations, pads, strict=True)
    windows = tuple(Window.of(k, s, d if k > 1 else 1, p) for k, s, d, p in geometry)
    return LinearMap(frame, op.x, w, bias, windows, op.groups, math.prod(_shape(w)))


def _average(op: AveragePool, frame: Frame) -> LinearMap | None:
    """An average over a number of elements that is always the same."""
    channels = op.x.type.shape[frame.channel]
    counts_all = op.count_pads or all(p == (0, 0) for p in op.pads)
    is_plain = counts_all and not op.ceil
    pads = known_pads(op.pads)
    if Frame.of(op) != frame or not is_plain or pads is None or not isinstance(channels, int) or not channels:
        return None
    shape = (channels, 1, *op.kernel)
    w = Weight.splat(1 / math.prod(op.kernel), op.x.type.dtype, shape)
    windows = tuple(map(Window.of, op.kernel, op.strides, op.dilations, pads))
    return LinearMap(frame, op.x, w, None, windows, channels, math.prod(shape))


def _factor(op: Mul | Div, frame: Frame) -> LinearMap | None:
    """A constant factor per channel, or a divisor that is not zero."""
    pairs = [(op.a, op.b)] if isinstance(op, Div) else [(op.a, op.b), (op.b, op.a)]
    for x, c in pairs:
        weight, type = constant(c), op.result.type
        if weight is None or constant(x) is not None or x.type != type or type.rank != frame.rank:
            continue
        channels = type.shape[frame.channel]
        shape = (1,) * (type.rank - c.type.rank) + _shape(weight)
        if not isinstance(channels, int) or any(d != 1 for i, d in enumerate(shape) if i != frame.channel):
            return None
        values = np.broadcast_to(weight.array().reshape(-1), (channels,))
        if isinstance(op, Div):
            if not values.all():
                return None
            values = np.reciprocal(values)
        w = Weight.of(values.reshape(channels, 1, *[1] * len(frame.spatial)))
        return LinearMap(frame, x, w, None, frame.pointwise, channels, channels)
    return None


def identity(x: Value, frame: Frame) -> LinearMap | None:
    """Return the map that gives every channel as it is; None if their number is not known."""
    channels = x.type.shape[frame.channel] if x.type.rank == frame.rank else None
    if not isinstance(channels, int) or not channels or not x.type.dtype.is_float:
        return None
    shape = (channels, 1, *[1] * len(frame.spatial))
    w = Weight.splat(1, x.type.dtype, shape)
    if not frame.spatial:
        w = w.derive(TensorType(x.type.dtype, (channels, channels)), _diagonal)
    return LinearMap(frame, x, w, None, frame.pointwise, channels if frame.spatial else 1, 0)


def maps_of(value: Value, frame: Frame) -> Iterator[LinearMap]:
    """Return a value as maps of all that it comes from: of itself, of the operand of its operation, and so on.

    Every value on the way but the last is read once only: it goes if the map takes its place.
    """
    found = identity(value, frame)
    if found is not None:
        yield found
    inner: LinearMap | None = None
    for _ in range(MAX_DEPTH):
        step = linear_map(value.owner, frame) if value.has_one_use else None
        if step is None:
            return
        inner = step if inner is None else inner.after(step)
        if inner is None:
            return
        yield inner
        value = inner.x


def _shape(w: Weight) -> tuple[int, ...]:
    shape = w.type.shape
    assert all(isinstance(d, int) for d in shape)
    return tuple(int(d) for d in shape if isinstance(d, int))


def _channels_moved(w: Weight, source: int, target: int) -> Weight:
    order = list(range(w.type.rank))
    order.insert(target % w.type.rank, order.pop(source))
    type = w.type.with_shape(tuple(w.type.shape[i] for i in order))
    return w.derive(type, partial(np.transpose, axes=order))


def _signed_sum(a: Weight | None, b: Weight | None, sign: int) -> Weight | None:
    if b is None:
        return a
    if a is None:
        return b if sign == 1 else b.derive(b.type, np.negative)
    return a.derive(a.type, partial(_add, sign=sign), b)


def _add(a: Array, b: Array, *, sign: int) -> Array:
    return a + b if sign > 0 else a - b


def _concatenated(a: Array, b: Array) -> Array:
    return np.concatenate([a, b])


def _diagonal(values: Array) -> Array:
    return np.diag(values.reshape(-1))


def _wide(w: Array) -> Array:
    """Weights in a type that their products and sums lose nothing in."""
    return w if w.dtype == np.dtype(DType.F64.numpy) else w.astype(DType.F64.numpy)


def _regrouped(w: Array, groups: int, fewer: int) -> Array:
    """Filters of ``groups`` as those of fewer ones: channels that a filter did not take get zeros."""
    factor = groups // fewer
    if factor == 1:
        return w
    outputs, taken = w.shape[0] // groups, w.shape[1]
    whole = np.zeros((w.shape[0], taken * factor, *w.shape[2:]), w.dtype)
    for g in range(groups):
        rows, first = slice(g * outputs, (g + 1) * outputs), g % factor * taken
        whole[rows, first : first + taken] = w[rows]
    return whole


def _spread(
    w: Array, *, groups: int, windows: tuple[Window, ...], all: tuple[Window, ...], shape: tuple[int, ...]
) -> Array:
    """Filters with the elements of larger windows, zeros where theirs have none."""
    whole = np.zeros(shape, w.dtype)
    fewer = groups * w.shape[1] // shape[1]
    places = [
        [(tap - wide.taps.start) // wide.taps.step for tap in own.taps] for own, wide in zip(windows, all, strict=True)
    ]
    whole[np.ix_(range(shape[0]), range(shape[1]), *places)] = _regrouped(w, groups, fewer)
    return whole


def _composed(
    outer: Array, inner: Array, *, groups: int, outer_groups: int, inner_groups: int, shape: tuple[int, ...]
) -> Array:
    """Filters of a map of another map's result."""
    a, b = (_regrouped(_wide(w), g, groups) for w, g in ((outer, outer_groups), (inner, inner_groups)))
    a = a.reshape(groups, a.shape[0] // groups, a.shape[1], -1)
    b = b.reshape(groups, b.shape[0] // groups, b.shape[1], -1)
    return np.einsum("gomk,gmij->goikj", a, b, optimize=True).reshape(shape)


def _mapped(vector: Array, w: Array, *, groups: int) -> Array:
    """What filters make of data whose channels are constant."""
    sums = _wide(w).reshape(groups, w.shape[0] // groups, w.shape[1], -1).sum(-1)
    return np.einsum("gom,gm->go", sums, _wide(vector).reshape(groups, -1)).reshape(-1)
