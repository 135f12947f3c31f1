"""Convolutions and poolings, of images and volumes, channels last or first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.window import AveragePool, Conv, ConvTranspose, MaxPool
from ....compiler.padding import same_pads
from ....compiler.types import Array
from ...common.filters import transposed_weight
from ...common.windows import Pads, padding_of, transposed_padding
from ..emitter import Emitter
from ..registry import tf_op

Padding: TypeAlias = Literal["SAME", "VALID", "EXPLICIT"]

ImageFormat: TypeAlias = Literal["NHWC", "NCHW"]
"""Where images have their channels."""

VolumeFormat: TypeAlias = Literal["NDHWC", "NCDHW"]
"""Where volumes have their channels."""


@dataclass(frozen=True)
class Layout:
    """The number of axes that data has, and whether its channels are the last axis or axis 1."""

    rank: int
    is_last: bool

    @staticmethod
    def of(emit: Emitter, x: Value, data_format: str) -> Layout:
        """Read the format of data.

        Raises:
            CompileError: F006, the data has another number of axes.
        """
        if x.type.rank != len(data_format):
            raise emit.fail(f"has the operand {x.type}, not of {len(data_format)} axes", code="F006")
        return Layout(len(data_format), data_format.endswith("C"))

    @property
    def channel(self) -> int:
        """The number of the axis of channels: 1, or the last one."""
        return self.rank - 1 if self.is_last else 1

    @property
    def axes(self) -> range:
        """The spatial axes."""
        return range(1, self.rank - 1) if self.is_last else range(2, self.rank)

    def spatial(self, emit: Emitter, numbers: Sequence[int], what: str) -> tuple[int, ...]:
        """Return what a list with a number for each axis says of the spatial ones.

        Raises:
            CompileError: F002, a number is less than one; F005, windows move over batches or channels.
        """
        if len(numbers) == self.rank - 2:
            return tuple(emit.positive(n, what) for n in numbers)
        if len(numbers) != self.rank:
            raise emit.fail(f"has {list(numbers)} as its {what}", code="F002")
        if any(numbers[axis] != 1 for axis in range(self.rank) if axis not in self.axes):
            raise emit.fail(f"has {list(numbers)} as its {what}, over batches or channels")
        return tuple(emit.positive(numbers[axis], what) for axis in self.axes)

    def sizes(self, shape: Sequence[Dim]) -> tuple[Dim, ...]:
        """Return the spatial sizes of a shape that is in this layout."""
        return tuple(shape[axis] for axis in self.axes)

    def explicit(self, emit: Emitter, given: Sequence[int]) -> Pads:
        """Return the paddings that are listed, two for each axis.

        Raises:
            CompileError: F002, they are not as many, or negative.
        """
        if len(given) != 2 * self.rank or min(given) < 0:
            raise emit.fail(f"has the paddings {list(given)} for {self.rank} axes", code="F002")
        return tuple((given[2 * axis], given[2 * axis + 1]) for axis in self.axes)

    def pads(
        self,
        emit: Emitter,
        x: Value,
        padding: tuple[Padding, tuple[int, ...]],
        fields: tuple[Sequence[Dim], tuple[int, ...], tuple[int, ...]],
    ) -> Pads:
        """Return the paddings that a word stands for, or those that are listed.

        ``fields`` are the kernel, strides and dilations.
        """
        word, listed = padding
        if word == "EXPLICIT":
            return self.explicit(emit, listed)
        return padding_of(word, self.sizes(x.type.shape), *fields)


def _convolution(
    emit: Emitter,
    operands: tuple[Value, Value],
    data_format: str,
    steps: tuple[tuple[int, ...], tuple[int, ...]],
    padding: tuple[Padding, tuple[int, ...]],
) -> Value:
    """Insert a convolution by filters ``k... i o``, which take a part of the channels where there are groups."""
    x, w = operands
    layout = Layout.of(emit, x, data_format)
    _check_filter(emit, w, layout.rank)
    strides, dilations = layout.spatial(emit, steps[0], "strides"), layout.spatial(emit, steps[1], "dilations")
    kernel = w.type.shape[:-2]
    pads = layout.pads(emit, x, padding, (kernel, strides, dilations))
    spatial = tuple(range(layout.rank - 2))
    inner, outer = layout.rank - 2, layout.rank - 1
    perm = (outer, *spatial, inner) if layout.is_last else (outer, inner, *spatial)
    filters = transposed_weight(emit, w, perm)
    groups = _groups(x.type.shape[layout.channel], w.type.shape[-2])
    return emit(Conv(x, filters, None, strides, dilations, pads, groups, layout.is_last))


def _groups(channels: Dim, taken: Dim) -> int:
    return max(channels // taken, 1) if isinstance(channels, int) and isinstance(taken, int) and taken else 1


def _check_filter(emit: Emitter, w: Value, rank: int) -> None:
    if w.type.rank != rank or not all(isinstance(d, int) and d > 0 for d in w.type.shape):
        raise emit.fail(f"has the filter {w.type}, not of {rank} known axes", code="F006")


@tf_op("Conv2D")
def conv_2d(
    emit: Emitter,
    input: Value,
    filter: Value,
    *,
    strides: tuple[int, ...],
    padding: Padding,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: tuple[int, ...] = (),
    data_format: ImageFormat = "NHWC",
    dilations: tuple[int, ...] = (1, 1, 1, 1),
) -> Value:
    """Conv2D: images by filters ``h w i o``; fewer input channels in the filter than in the image mean groups."""
    return _convolution(emit, (input, filter), data_format, (strides, dilations), (padding, explicit_paddings))


@tf_op("Conv3D")
def conv_3d(
    emit: Emitter,
    input: Value,
    filter: Value,
    *,
    strides: tuple[int, ...],
    padding: Literal["SAME", "VALID"],
    data_format: VolumeFormat = "NDHWC",
    dilations: tuple[int, ...] = (1, 1, 1, 1, 1),
) -> Value:
    """Conv3D: volumes by filters ``d h w i o``, with channels last or first, as ``data_format`` says."""
    return _convolution(emit, (input, filter), data_format, (strides, dilations), (padding, ()))


@tf_op("DepthwiseConv2dNative")
def depthwise_conv_2d(
    emit: Emitter,
    input: Value,
    filter: Value,
    *,
    strides: tuple[int, ...],
    padding: Padding,
    explicit_paddings: tuple[int, ...] = (),
    data_format: ImageFormat = "NHWC",
    dilations: tuple[int, ...] = (1, 1, 1, 1),
) -> Value:
    """Filters ``h w c m`` of one channel each, ``m`` for every channel."""
    _check_filter(emit, filter, 4)
    h, w, c, m = filter.type.shape
    joined = transposed_weight(emit, filter, (0, 1, 3, 2)) if c == 1 else filter
    filters = _reshaped(emit, joined, (h, w, 1, c * m))
    return _convolution(emit, (input, filters), data_format, (strides, dilations), (padding, explicit_paddings))


def _reshaped(emit: Emitter, w: Value, shape: tuple[Dim, ...]) -> Value:
    """Give a filter another shape; a constant now."""
    from ....compiler.fold import constant

    weight = constant(w)
    if weight is None:
        return emit.reshape(w, shape)
    sizes = tuple(d for d in shape if isinstance(d, int))

    def reshaped(array: Array) -> Array:
        return array.reshape(sizes)

    return emit.const(weight.derive(weight.type.with_shape(sizes), reshaped))


def _transposed(
    emit: Emitter,
    operands: tuple[Value, Value, Value],
    data_format: str,
    steps: tuple[tuple[int, ...], tuple[int, ...]],
    padding: tuple[Padding, tuple[int, ...]],
) -> Value:
    """Insert a transposed convolution whose result has a given shape; the filter is ``k... o c``."""
    shape, w, x = operands
    layout = Layout.of(emit, x, data_format)
    _check_filter(emit, w, layout.rank)
    strides, dilations = layout.spatial(emit, steps[0], "strides"), layout.spatial(emit, steps[1], "dilations")
    given = emit.dims(shape, "input_sizes")
    if len(given) not in (layout.rank, layout.rank - 2):
        raise emit.fail(f"has {list(given)} as the shape of its result", code="F006")
    sizes = layout.sizes(given) if len(given) == layout.rank else given
    groups = _groups(given[layout.channel], w.type.shape[-2]) if len(given) == layout.rank else 1
    kernel = [k for k in w.type.shape[:-2] if isinstance(k, int)]
    word, listed = padding
    if word == "EXPLICIT":
        before = [a for a, _ in layout.explicit(emit, listed)]
    elif word == "SAME":
        before = [same_pads(*field)[0] for field in zip(sizes, kernel, strides, dilations, strict=True)]
    else:
        before = [0] * len(sizes)
    spans = [d * (k - 1) + 1 for k, d in zip(kernel, dilations, strict=True)]
    pads, more = transposed_padding(layout.sizes(x.type.shape), spans, strides, before, sizes)
    spatial = tuple(range(layout.rank - 2))
    outer, inner = layout.rank - 2, layout.rank - 1
    filters = transposed_weight(emit, w, (outer, *spatial, inner) if layout.is_last else (inner, outer, *spatial))
    return emit(ConvTranspose(x, filters, None, strides, dilations, pads, more, groups, layout.is_last))


@tf_op("Conv2DBackpropInput")
def conv_2d_transpose(
    emit: Emitter,
    input_sizes: Value,
    filter: Value,
    out_backprop: Value,
    *,
    strides: tuple[int, ...],
    padding: Padding,
    use_cudnn_on_gpu: bool = True,
    explicit_paddings: tuple[int, ...] = (),
    data_format: ImageFormat = "NHWC",
    dilations: tuple[int, ...] = (1, 1, 1, 1),
) -> Value:
    """Images; the result's shape is an operand, filters are ``h w o i``."""
    operands = (input_sizes, filter, out_backprop)
    return _transposed(emit, operands, data_format, (strides, dilations), (padding, explicit_paddings))


@tf_op("Conv3DBackpropInputV2")
def conv_3d_transpose(
    emit: Emitter,
    input_sizes: Value,
    filter: Value,
    out_backprop: Value,
    *,
    strides: tuple[int, ...],
    padding: Literal["SAME", "VALID"],
    data_format: VolumeFormat = "NDHWC",
    dilations: tuple[int, ...] = (1, 1, 1, 1, 1),
) -> Value:
    """Volumes; the result's shape is an operand, filters are ``d h w o i``."""
    operands = (input_sizes, filter, out_backprop)
    return _transposed(emit, operands, data_format, (strides, dilations), (padding, ()))


def _pool(
    emit: Emitter,
    x: Value,
    data_format: str,
    window: tuple[tuple[int, ...], tuple[int, ...]],
    padding: tuple[Padding, tuple[int, ...]],
    *,
    is_mean: bool,
) -> Value:
    """Insert a pooling; paddings are no part of any window."""
    layout = Layout.of(emit, x, data_format)
    kernel, strides = layout.spatial(emit, window[0], "window"), layout.spatial(emit, window[1], "strides")
    ones = (1,) * len(kernel)
    pads = layout.pads(emit, x, padding, (kernel, strides, ones))
    if is_mean:
        return emit(AveragePool(x, kernel, strides, ones, pads, channels_last=layout.is_last))
    return emit(MaxPool(x, kernel, strides, ones, pads, channels_last=layout.is_last))


@tf_op("MaxPool")
def max_pool(
    emit: Emitter,
    input: Value,
    *,
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Padding,
    explicit_paddings: tuple[int, ...] = (),
    data_format: ImageFormat = "NHWC",
) -> Value:
    """MaxPool: the largest element of every window of images, by a rule or by explicit paddings, which never win."""
    return _pool(emit, input, data_format, (ksize, strides), (padding, explicit_paddings), is_mean=False)


@tf_op("MaxPoolV2")
def max_pool_v2(
    emit: Emitter,
    input: Value,
    ksize: Value,
    strides: Value,
    *,
    padding: Literal["SAME", "VALID"],
    data_format: ImageFormat = "NHWC",
) -> Value:
    """The largest element of every window of images; sizes and steps of windows are constant operands."""
    window = (emit.ints(ksize, "ksize"), emit.ints(strides, "strides"))
    return _pool(emit, input, data_format, window, (padding, ()), is_mean=False)


@tf_op("AvgPool")
def avg_pool(
    emit: Emitter,
    value: Value,
    *,
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Literal["SAME", "VALID"],
    data_format: ImageFormat = "NHWC",
) -> Value:
    """AvgPool: the mean of every window of images; paddings don't count."""
    return _pool(emit, value, data_format, (ksize, strides), (padding, ()), is_mean=True)


@tf_op("MaxPool3D")
def max_pool_3d(
    emit: Emitter,
    input: Value,
    *,
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Literal["SAME", "VALID"],
    data_format: VolumeFormat = "NDHWC",
) -> Value:
    """MaxPool3D: the largest element of every window of volumes; paddings never win."""
    return _pool(emit, input, data_format, (ksize, strides), (padding, ()), is_mean=False)


@tf_op("AvgPool3D")
def avg_pool_3d(
    emit: Emitter,
    input: Value,
    *,
    ksize: tuple[int, ...],
    strides: tuple[int, ...],
    padding: Literal["SAME", "VALID"],
    data_format: VolumeFormat = "NDHWC",
) -> Value:
    """AvgPool3D: the mean of every window of volumes; paddings don't count."""
    return _pool(emit, input, data_format, (ksize, strides), (padding, ()), is_mean=True)
