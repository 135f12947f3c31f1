"""Operations that slide a window over spatial axes: convolutions and poolings, of any number of spatial axes.

Data has a batch axis, a channel axis and spatial axes: ``n c s...``, or with ``channels_last`` ``n s... c``.  Filters
are ``o c k...`` or ``o k... c``.  Paddings are pairs (before, after) per spatial axis.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..attributes import Positive
from ..axes import Axes, Form, Letters, PerSpatial, letters
from ..demands import demand
from ..dims import Dim, Shape, at_least, ceil_div, minimum, product, static
from ..ir import Op
from ..opdef import Pure, op
from ..operands import Floats, Numbers, same_elements, vector_of
from ..traits import Accumulates, Grows, KeepsSign
from ..types import Array, TensorType
from .arith import Activation, activate

Pads = tuple[tuple[Dim, Dim], ...]


@dataclass(frozen=True)
class Spatial:
    """Where the batch, channel and spatial axes of data are."""

    channel: int
    axes: tuple[int, ...]

    @staticmethod
    def of(rank: int, channels_last: bool) -> Spatial:
        """Axes of data of a rank; the first one is the batch.

        >>> Spatial.of(4, True)
        Spatial(channel=3, axes=(1, 2))
        """
        if rank < 3:
            raise ValueError(f"data of rank {rank} has no spatial axis")
        return Spatial(rank - 1, tuple(range(1, rank - 1))) if channels_last else Spatial(1, tuple(range(2, rank)))

    def shape(self, batch: Dim, channels: Dim, sizes: Sequence[Dim]) -> tuple[Dim, ...]:
        """Return the shape of data with these sizes, channels where this layout has them."""
        return (batch, *sizes, channels) if self.channel > 1 else (batch, channels, *sizes)


def channels_first(x: Array, channels_last: bool) -> Array:
    """View data with its channels on axis 1."""
    return np.moveaxis(x, -1, 1) if channels_last else x


def channels_back(x: Array, channels_last: bool) -> Array:
    """Move channels from axis 1 back: the inverse of :func:`channels_first`."""
    return np.moveaxis(x, 1, -1) if channels_last else x


def whole_windows(size: Dim, kernel: int, stride: int, dilation: int, pad: tuple[Dim, Dim]) -> Dim:
    """Number of window positions of which none hangs over the end: none if a window has no room."""
    return (size + pad[0] + pad[1] - dilation * (kernel - 1) - 1) // stride + 1


def window_size(size: Dim, kernel: int, stride: int, dilation: int, pad: tuple[Dim, Dim], *, ceil: bool = False) -> Dim:
    """Number of window positions; with ``ceil`` one may hang over the end if it starts inside."""
    if any(isinstance(p, int) and p < 0 for p in pad):
        raise ValueError(f"negative padding {list(pad)}; cut with a slice instead")
    if not ceil:
        out = whole_windows(size, kernel, stride, dilation, pad)
    else:
        out = ceil_div(size + pad[0] + pad[1] - dilation * (kernel - 1) - 1, stride) + 1
        if not at_least(dilation * (kernel - 1) + 1, stride + pad[1]):  # else the last window starts inside anyway
            out = minimum(out, ceil_div(size + pad[0], stride))
    if isinstance(out, int) and out <= 0:
        raise ValueError(
            f"a window of {dilation * (kernel - 1) + 1} does not fit into {size} with paddings {pad[0]} and {pad[1]}"
        )
    return out


def windows(x: Array, kernel: Sequence[int], strides: Sequence[int], dilations: Sequence[int]) -> Array:
    """View padded channels-first data as ``[n, c, positions..., kernel...]``."""
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    rank = len(spans)
    view = slide(x, spans, tuple(range(2, 2 + rank)))
    steps = [slice(None, None, s) for s in strides]
    inner = [slice(None, None, d) for d in dilations]
    return view[(slice(None), slice(None), *steps, *inner)]


def slide(x: Array, spans: Sequence[int], axes: Sequence[int]) -> Array:
    """View all windows of some sizes along axes; numpy's own function takes its own element types only."""
    plain = x if x.dtype.isbuiltin == 1 else x.view(f"u{x.itemsize}")
    return np.lib.stride_tricks.sliding_window_view(plain, tuple(spans), tuple(axes)).view(x.dtype)


def _channel_letters(channels_last: bool, rank: int, channel: str) -> Letters:
    spatial = letters(rank - 2, "s")
    return ("n", *spatial, channel) if channels_last else ("n", channel, *spatial)


def _filter_letters(channels_last: bool, rank: int, inner: str, outer: str = "o") -> Letters:
    spatial = letters(rank - 2, "s")
    return (outer, *spatial, inner) if channels_last else (outer, inner, *spatial)


def _pool_axes(op: MaxPool | AveragePool | LpPool) -> Axes:
    rank = op.x.type.rank
    names = _channel_letters(op.channels_last, rank, "c")
    first, last = ("n", "c", ...), ("n", ..., "c")
    forms = (
        Form((first,), (first,), {"channels_last": False}, "first"),
        Form((last,), (last,), {"channels_last": True}, "last"),
    )
    return Axes((names,), (names,), frozenset(letters(rank - 2, "s")), forms)


@op("conv", Pure, Grows, Accumulates)
class Conv(Op):
    """Cross-correlation with a filter, over ``groups`` of channels; may end in an activation."""

    x: Numbers
    w: Numbers
    bias: Numbers | None = None
    strides: PerSpatial[Positive] = ()
    dilations: PerSpatial[Positive] = ()
    pads: PerSpatial[tuple[Dim, Dim]] = ()
    groups: Positive = 1
    channels_last: bool = False
    activation: Activation = "none"

    def infer(self) -> TensorType:
        """Windows per spatial axis, as many channels as filters."""
        data = Spatial.of(self.x.type.rank, self.channels_last)
        filters = Spatial.of(self.w.type.rank, self.channels_last)
        shape, w = self.x.type.shape, self.w.type.shape
        if len(w) != len(shape):
            raise ValueError(f"data of rank {len(shape)} and a filter of rank {len(w)} don't fit")
        same_elements(self)
        channels, taken = shape[data.channel], w[filters.channel]
        if not demand(channels, taken * self.groups):
            raise ValueError(f"{channels} input channels, but the filter takes {taken} in each of {self.groups} groups")
        if isinstance(w[0], int) and w[0] % self.groups:
            raise ValueError(f"{w[0]} filters are not {self.groups} equal groups")
        vector_of(self.bias, w[0], "bias")
        sizes = [
            window_size(shape[a], _known(w[f]), s, d, p)
            for a, f, s, d, p in zip(data.axes, filters.axes, self.strides, self.dilations, self.pads, strict=True)
        ]
        return self.x.type.with_shape(data.shape(shape[0], w[0], sizes))

    @staticmethod
    def evaluate(
        x: Array,
        w: Array,
        bias: Array | None,
        *,
        strides: tuple[int, ...],
        dilations: tuple[int, ...],
        pads: tuple[tuple[int, int], ...],
        groups: int,
        channels_last: bool,
        activation: str,
    ) -> Array:
        """Windows times filters, group by group."""
        x, w = channels_first(x, channels_last), channels_first(w, channels_last)
        x = np.pad(x, [(0, 0), (0, 0), *pads])
        view = windows(x, w.shape[2:], strides, dilations)
        y = _correlate(view, w, groups)
        if bias is not None:
            y = y + bias.reshape(1, -1, *[1] * (y.ndim - 2))
        return activate(channels_back(y, channels_last), activation).astype(x.dtype)

    @property
    def is_depthwise(self) -> bool:
        """Whether every channel has its own filters: as many groups as input channels."""
        return self.groups > 1 and self.w.type.shape[Spatial.of(self.w.type.rank, self.channels_last).channel] == 1

    def macs(self) -> Dim:
        """One filter for every element of the result."""
        return self.result.type.size * product(self.w.type.shape[1:])

    def axes(self) -> Axes:
        """Input channels are summed over, so their positions may lie in any order; so may output channels."""
        rank = self.x.type.rank
        keeps = self.is_depthwise and self.groups == self.w.type.shape[0]  # each channel stays what it is
        channel, inner, outer = ("c", "u", "c") if keeps else ("c", "c" if self.groups == 1 else "u", "o")
        operands = (
            _channel_letters(self.channels_last, rank, channel),
            _filter_letters(self.channels_last, rank, inner, outer),
            None if self.bias is None else (outer,),
        )
        spatial = frozenset(letters(rank - 2, "s"))
        rigid = spatial if keeps or self.groups == 1 else spatial | {"c", "o"}
        forms = (
            Form(
                (("n", channel, ...), (outer, inner, ...), (outer,)),
                (("n", outer, ...),),
                {"channels_last": False},
                "first",
            ),
            Form(
                (("n", ..., channel), (outer, ..., inner), (outer,)),
                (("n", ..., outer),),
                {"channels_last": True},
                "last",
            ),
        )
        return Axes(operands, (_channel_letters(self.channels_last, rank, outer),), rigid, forms)


def _correlate(view: Array, w: Array, groups: int) -> Array:
    """Sum of windows ``[n, c, p..., k...]`` times filters ``[o, c / groups, k...]``, giving ``[n, o, p...]``."""
    rank = w.ndim - 2
    n, c = view.shape[:2]
    positions, kernel = view.shape[2 : 2 + rank], view.shape[2 + rank :]
    if groups == c and groups == w.shape[0]:
        if view.dtype.kind == "V":  # einsum takes no bf16
            filters = w[:, 0].reshape(c, *[1] * rank, *kernel)
            return (view * filters).sum(tuple(range(2 + rank, 2 + 2 * rank)), dtype=view.dtype)
        return np.einsum(
            view, [0, 1, *range(2, 2 + 2 * rank)], w[:, 0], [1, *range(2 + rank, 2 + 2 * rank)], list(range(2 + rank))
        )
    per_in, per_out = c // groups, w.shape[0] // groups
    parts: list[Array] = []
    for g in range(groups):
        piece = view[:, g * per_in : (g + 1) * per_in]
        columns = np.moveaxis(piece, 1, 1 + rank).reshape(n * int(np.prod(positions)), per_in * int(np.prod(kernel)))
        rows = w[g * per_out : (g + 1) * per_out].reshape(per_out, -1)
        parts.append((columns @ rows.T).reshape(n, *positions, per_out))
    return np.moveaxis(np.concatenate(parts, -1), -1, 1)


@op("conv_transpose", Pure, Grows, Accumulates)
class ConvTranspose(Op):
    """Transposed convolution: every input element adds a scaled filter to the output; may end in an activation.

    The filter is ``c o k...`` (input channels first), or with ``channels_last`` ``o k... c`` as TFLite stores it, and
    ``o`` counts the output channels of one group.  ``output_pads`` are added after the output.
    """

    x: Numbers
    w: Numbers
    bias: Numbers | None = None
    strides: PerSpatial[Positive] = ()
    dilations: PerSpatial[Positive] = ()
    pads: PerSpatial[tuple[Dim, Dim]] = ()
    output_pads: PerSpatial[Dim] = ()
    groups: Positive = 1
    channels_last: bool = False
    activation: Activation = "none"

    def infer(self) -> TensorType:
        """The inverse of a convolution's arithmetic."""
        data = Spatial.of(self.x.type.rank, self.channels_last)
        shape = self.x.type.shape
        if self.w.type.rank != len(shape):
            raise ValueError(f"data of rank {len(shape)} and a filter of rank {self.w.type.rank} don't fit")
        w = self.filter_shape
        same_elements(self)
        vector_of(self.bias, w[1] * self.groups, "bias")
        if not demand(shape[data.channel], w[0]):
            raise ValueError(f"{shape[data.channel]} input channels, but the filter takes {w[0]}")
        if isinstance(w[0], int) and w[0] % self.groups:
            raise ValueError(f"{w[0]} channels are not {self.groups} equal groups")
        sizes: list[Dim] = [
            (shape[a] - 1) * s + d * (_known(k) - 1) + 1 + o - p[0] - p[1]
            for a, k, s, d, p, o in zip(
                data.axes, w[2:], self.strides, self.dilations, self.pads, self.output_pads, strict=True
            )
        ]
        return self.x.type.with_shape(data.shape(shape[0], w[1] * self.groups, sizes))

    @property
    def filter_shape(self) -> Shape:
        """The filter's shape as ``c o k...``: input channels, output channels, window."""
        w = self.w.type.shape
        return (w[-1], w[0], *w[1:-1]) if self.channels_last else w

    @staticmethod
    def evaluate(
        x: Array,
        w: Array,
        bias: Array | None,
        *,
        strides: tuple[int, ...],
        dilations: tuple[int, ...],
        pads: tuple[tuple[int, int], ...],
        output_pads: tuple[int, ...],
        groups: int,
        channels_last: bool,
        activation: str,
    ) -> Array:
        """Correlate the spread-out input with the mirrored filter."""
        x = channels_first(x, channels_last)
        w = np.moveaxis(w, -1, 0) if channels_last else w
        kernel, rank = w.shape[2:], w.ndim - 2
        spread = np.zeros(
            (*x.shape[:2], *((n - 1) * s + 1 for n, s in zip(x.shape[2:], strides, strict=True))), x.dtype
        )
        spread[(..., *(slice(None, None, s) for s in strides))] = x
        reach = [d * (k - 1) for k, d in zip(kernel, dilations, strict=True)]
        widths = [(r - p[0], r - p[1] + o) for r, p, o in zip(reach, pads, output_pads, strict=True)]
        padded = np.pad(spread, [(0, 0), (0, 0), *((max(a, 0), max(b, 0)) for a, b in widths)])
        cut = tuple(slice(max(-a, 0), n - max(-b, 0)) for (a, b), n in zip(widths, padded.shape[2:], strict=True))
        c, o = w.shape[:2]
        mirrored = np.flip(w, tuple(range(2, 2 + rank))).reshape(groups, c // groups, o, *kernel)
        filters = np.swapaxes(mirrored, 1, 2).reshape(groups * o, c // groups, *kernel)
        y = _correlate(windows(padded[(..., *cut)], kernel, [1] * rank, dilations), filters, groups)
        if bias is not None:
            y = y + bias.reshape(1, -1, *[1] * rank)
        return activate(channels_back(y, channels_last), activation).astype(x.dtype)

    def macs(self) -> Dim:
        """One filter for every element of the operand."""
        return self.x.type.size * product(self.filter_shape[1:])

    def axes(self) -> Axes:
        """As for a convolution, with the filter's channels exchanged."""
        rank = self.x.type.rank
        spatial = letters(rank - 2, "s")
        inner = "o" if self.groups == 1 else "u"
        w = (inner, *spatial, "c") if self.channels_last else ("c", inner, *spatial)
        operands = (_channel_letters(self.channels_last, rank, "c"), w, None if self.bias is None else ("o",))
        rigid = frozenset(spatial) if self.groups == 1 else frozenset((*spatial, "c", "o"))
        forms = (
            Form((("n", "c", ...), ("c", inner, ...), ("o",)), (("n", "o", ...),), {"channels_last": False}, "first"),
            Form((("n", ..., "c"), (inner, ..., "c"), ("o",)), (("n", ..., "o"),), {"channels_last": True}, "last"),
        )
        return Axes(operands, (_channel_letters(self.channels_last, rank, "o"),), rigid, forms)


class _Pool:
    """Windows without weights."""

    @staticmethod
    def infer(op: MaxPool | AveragePool | LpPool) -> TensorType:
        """Windows per spatial axis."""
        data = Spatial.of(op.x.type.rank, op.channels_last)
        shape = op.x.type.shape
        fields = (op.kernel, op.strides, op.dilations, op.pads)
        sizes = [
            window_size(shape[a], k, s, d, p, ceil=op.ceil) for a, k, s, d, p in zip(data.axes, *fields, strict=True)
        ]
        if op.x.type.dtype.is_int and not holds_elements(op):
            raise ValueError("some windows hold nothing but paddings, of which no integer is the largest or the mean")
        return op.x.type.with_shape(data.shape(shape[0], shape[data.channel], sizes))

    @staticmethod
    def axes(op: MaxPool | AveragePool | LpPool) -> Axes:
        """Channels keep the order they have."""
        return _pool_axes(op)


def holds_elements(op: MaxPool | AveragePool | LpPool) -> bool:
    """Whether every window of a pooling holds an element; only known sizes can tell."""
    data = Spatial.of(op.x.type.rank, op.channels_last)
    fields = (op.kernel, op.strides, op.dilations, op.pads)
    return all_hold_elements([op.x.type.shape[a] for a in data.axes], fields, ceil=op.ceil)


def all_hold_elements(
    sizes: Sequence[Dim], fields: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...], Pads], *, ceil: bool
) -> bool:
    """Whether every window of some kernel, strides, dilations and pads holds an element; only known sizes can tell."""
    for size, k, s, d, (low, high) in zip(sizes, *fields, strict=True):
        if isinstance(size, int) and isinstance(low, int) and isinstance(high, int) and (low or high):
            (count,) = static((window_size(size, k, s, d, (low, high), ceil=ceil),))
            before = range(-low, min((count - 1) * s - low + 1, 0), s)  # where windows start that begin in a padding
            is_jumped_over = d > size and not all(start % d < size for start in before)
            if (count - 1) * s - low >= size or low > d * (k - 1) or is_jumped_over:
                return False
    return True


def pool_windows(
    x: Array,
    fill: float,
    kernel: Sequence[int],
    strides: Sequence[int],
    dilations: Sequence[int],
    pads: Sequence[tuple[int, int]],
    ceil: bool,
) -> Array:
    """Windows of padded channels-first data, the kernel flattened into the last axis."""
    sizes = [
        window_size(n, k, s, d, p, ceil=ceil)
        for n, k, s, d, p in zip(x.shape[2:], kernel, strides, dilations, pads, strict=True)
    ]
    widths = [(0, 0), (0, 0)]
    for n, size, k, s, d, p in zip(x.shape[2:], sizes, kernel, strides, dilations, pads, strict=True):
        assert isinstance(size, int)
        over = (size - 1) * s + d * (k - 1) + 1 - (n + p[0] + p[1])
        widths.append((p[0], p[1] + max(over, 0)))
    low = np.asarray(fill, x.dtype) if x.dtype.kind == "f" else (np.iinfo(x.dtype).min if fill < 0 else 0)
    view = windows(np.pad(x, widths, constant_values=low), kernel, strides, dilations)
    keep = tuple(slice(0, n) for n in sizes)  # pyright: ignore[reportArgumentType]
    view = view[(slice(None), slice(None), *keep)]
    return view.reshape(*view.shape[: 2 + len(kernel)], math.prod(kernel))


@op("max_pool", _Pool, Pure, KeepsSign)
class MaxPool(Op):
    """The largest element of every window; paddings never win. ``ceil`` lets the last window hang over."""

    x: Numbers
    kernel: PerSpatial[Positive]
    strides: PerSpatial[Positive]
    dilations: PerSpatial[Positive]
    pads: PerSpatial[tuple[Dim, Dim]]
    ceil: bool = False
    channels_last: bool = False

    @staticmethod
    def evaluate(
        x: Array,
        *,
        kernel: tuple[int, ...],
        strides: tuple[int, ...],
        dilations: tuple[int, ...],
        pads: tuple[tuple[int, int], ...],
        ceil: bool,
        channels_last: bool,
    ) -> Array:
        """Maximum over windows."""
        view = pool_windows(channels_first(x, channels_last), -np.inf, kernel, strides, dilations, pads, ceil)
        return channels_back(view.max(-1), channels_last)


@op("average_pool", _Pool, Pure, KeepsSign, Accumulates)
class AveragePool(Op):
    """The mean of every window; ``count_pads`` says whether paddings count as zeros or not at all."""

    x: Numbers
    kernel: PerSpatial[Positive]
    strides: PerSpatial[Positive]
    dilations: PerSpatial[Positive]
    pads: PerSpatial[tuple[Dim, Dim]]
    ceil: bool = False
    count_pads: bool = False
    channels_last: bool = False

    @staticmethod
    def evaluate(
        x: Array,
        *,
        kernel: tuple[int, ...],
        strides: tuple[int, ...],
        dilations: tuple[int, ...],
        pads: tuple[tuple[int, int], ...],
        ceil: bool,
        count_pads: bool,
        channels_last: bool,
    ) -> Array:
        """Sums over windows, divided by what counts in them; what hangs over the end never counts."""
        x = channels_first(x, channels_last)
        total = pool_windows(x, 0.0, kernel, strides, dilations, pads, ceil).sum(-1)
        ones = np.ones((1, 1, *x.shape[2:]), x.dtype)
        if count_pads:
            ones = np.pad(ones, [(0, 0), (0, 0), *pads], constant_values=1)
        none = [(0, 0)] * len(kernel) if count_pads else pads
        count = pool_windows(ones, 0.0, kernel, strides, dilations, none, ceil).sum(-1)
        count = count[tuple(slice(n) for n in (1, 1, *total.shape[2:]))]  # one that starts in a padding is none
        return channels_back(total / count, channels_last).astype(x.dtype)


@op("lp_pool", _Pool, Pure, Accumulates)
class LpPool(Op):
    """The ``p``-norm of every window: the ``p``-th root of a sum of powers."""

    x: Floats
    kernel: PerSpatial[Positive]
    strides: PerSpatial[Positive]
    dilations: PerSpatial[Positive]
    pads: PerSpatial[tuple[Dim, Dim]]
    p: Positive = 2
    ceil: bool = False
    channels_last: bool = False

    @staticmethod
    def evaluate(
        x: Array,
        *,
        kernel: tuple[int, ...],
        strides: tuple[int, ...],
        dilations: tuple[int, ...],
        pads: tuple[tuple[int, int], ...],
        p: int,
        ceil: bool,
        channels_last: bool,
    ) -> Array:
        """Root of the sum of powers."""
        view = pool_windows(channels_first(x, channels_last), 0.0, kernel, strides, dilations, pads, ceil)
        total = np.power(np.abs(view), p).sum(-1)
        return channels_back(np.power(total, 1.0 / p), channels_last).astype(x.dtype)


def _known(size: Dim) -> int:
    if not isinstance(size, int):
        raise ValueError(f"the filter has a size {size} that is not known")
    return size
