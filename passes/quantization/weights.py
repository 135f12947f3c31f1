"""Weights in few bits: integers or f16 in place of a constant of floats, and what rounding changes on average."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial, reduce

import numpy as np

from ...compiler.diagnostics import at
from ...compiler.dims import Dim, static
from ...compiler.fold import constant
from ...compiler.ir import Op, Region, Value
from ...compiler.ops.core import Const
from ...compiler.ops.linear import Linear
from ...compiler.ops.quantize import Dequantize
from ...compiler.ops.window import Conv, ConvTranspose
from ...compiler.scales import block_scales, lowest, round_weight, spread_blocks, spread_scales, weight_scales
from ...compiler.types import Array, DType
from ...compiler.weights import Weight

BITS = 8
"""How many bits integers of weights have where nothing else is said."""

HALF_LARGEST = 65504.0
"""The largest number of f16."""

BIAS_ROOM = {DType.I8: float(1 << 30), DType.I16: float(1 << 46)}
"""By the type of the data: biases are integers of 32 or 48 bits in the scale of the products; half of these are left
for the sum."""


def const(region: Region, before: Op, value: Array | Weight) -> Value:
    """Insert a constant of an array, and return its value."""
    op = Const(Weight.of(value))
    region.insert(op, before)
    return op.result


@dataclass(frozen=True)
class Rounded:
    """A weight of integers and their scales, one per position of axis 0, one for all, or ``[rows, blocks]``.

    ``integers`` were rounded together (:mod:`.rounding`); without them each is the nearest one.
    """

    source: Weight
    scales: Array
    bits: int = BITS
    integers: Array | None = None

    @staticmethod
    def of(weight: Weight, *, per_channel: bool = True, bits: int = BITS, block: int = 0) -> Rounded:
        """Choose scales for a weight, each for ``block`` of a row's numbers if there is a size, and round it."""
        if block:
            return Rounded(weight, block_scales(weight.array(), bits, block), bits)
        return Rounded(weight, weight_scales(weight.array(), bits, per_channel=per_channel), bits)

    def with_integers(self, integers: Array | None) -> Rounded:
        """Take integers that were rounded together for the same scales, if they are as many and in the bits' reach."""
        if integers is None or integers.shape != self.source.type.shape:
            return self
        low, last = lowest(self.scales, self.bits), (1 << (self.bits - 1)) - 1
        fits = low <= integers.min(initial=0) and integers.max(initial=0) <= last
        return replace(self, integers=integers) if fits else self

    def with_room_for(self, bias: Array, input_scale: float, dtype: DType) -> Rounded:
        """Widen scales until biases are integers beside data of a type: a channel would be lost otherwise."""
        least = np.abs(bias) / (input_scale * BIAS_ROOM[dtype])
        if self.scales.size == 1:
            least = least.max(initial=0.0, keepdims=True)
        scales = np.maximum(self.scales, least).astype(np.float32)
        return self if (scales == self.scales).all() else replace(self, scales=scales, integers=None)

    def error(self) -> Array:
        """Return what rounding takes from the weight: exact minus rounded."""
        weight = self.source.array()
        integers = round_weight(weight, self.scales, self.bits) if self.integers is None else self.integers
        return weight - integers * self._spread()

    def _spread(self) -> Array:
        return spread_scales(self.scales, static(self.source.type.shape))

    def insert(self, region: Region, before: Op) -> Value:
        """Insert the integers and the operation that dequantizes them; return its result."""
        type = self.source.type.with_dtype(DType.I8)
        nearest = self.source.derive(type, partial(round_weight, scales=self.scales, bits=self.bits))
        integers = nearest if self.integers is None else Weight.of(self.integers)
        return _dequantized(region, before, integers, self._stored_scales())

    def _stored_scales(self) -> Weight:
        """Return scales that broadcast to the weight; those of blocks are repeated only when they are read."""
        if self.scales.size == 1 and self.scales.ndim < 2:
            return Weight.of(self.scales.reshape(()))
        if self.scales.ndim < 2:
            return Weight.of(self._spread())
        return spread_blocks(Weight.of(self.scales), static(self.source.type.shape))


def insert_halves(weight: Weight, region: Region, before: Op) -> Value | None:
    """Insert a weight as numbers of 16 bits, None if they do not reach its largest."""
    if not np.abs(weight.array()).max(initial=0.0) <= HALF_LARGEST:
        return None
    halves = weight.derive(weight.type.with_dtype(DType.F16), _halves)
    return _dequantized(region, before, halves, np.asarray(1.0, np.float32))


def _halves(weight: Array) -> Array:
    return weight.astype(np.float16)


def _dequantized(region: Region, before: Op, stored: Weight, scales: Array | Weight) -> Value:
    is_float = stored.type.dtype.is_float
    zero = np.zeros((), np.float32 if is_float else np.int32)
    op = Dequantize(const(region, before, stored), const(region, before, scales), const(region, before, zero))
    region.insert(op, before)
    return op.result


def mean_change(op: Op, error: Array, means: Array) -> Array | None:
    """Return how much rounding a weight lowers the mean of each output channel, from the means of the input's channels.

    None if the operation is no sum of products with channels last.
    """
    if isinstance(op, Linear):
        return error @ means if op.is_along_last and error.shape[1] == means.size else None
    if isinstance(op, Conv) and op.channels_last:
        return _grouped(error * _coverage(op)[None, ..., None], means, op.groups)
    if isinstance(op, ConvTranspose) and op.channels_last and op.groups == 1:
        found = _grouped(error, means, 1)
        return None if found is None else found / float(np.prod(op.strides))
    return None


def _grouped(error: Array, means: Array, groups: int) -> Array | None:
    outputs, inputs = error.shape[0], error.shape[-1]
    if inputs * groups != means.size:
        return None
    by_channel = error.reshape(outputs, -1, inputs).sum(1, dtype=np.float64)
    own = means.reshape(groups, inputs).repeat(outputs // groups, 0)
    return (by_channel * own).sum(1)


def _coverage(op: Conv) -> Array:
    """Return, for every place of a filter, the share of windows in which it lies inside of the data.

    The paddings of small images are a large part of what filters see.
    """
    sizes = zip(op.x.type.shape[1:-1], op.result.type.shape[1:-1], strict=True)
    shares = [
        _inside(*size, *window)
        for size, window in zip(
            sizes, zip(op.w.type.shape[1:-1], op.strides, op.dilations, op.pads, strict=True), strict=True
        )
    ]
    return reduce(np.multiply.outer, shares)


def _inside(size: Dim, count: Dim, kernel: Dim, stride: int, dilation: int, pad: tuple[Dim, Dim]) -> Array:
    if not (isinstance(size, int) and isinstance(count, int) and isinstance(kernel, int) and isinstance(pad[0], int)):
        return np.ones(kernel if isinstance(kernel, int) else 1)
    places = np.arange(count)[:, None] * stride + np.arange(kernel) * dilation - pad[0]
    return ((places >= 0) & (places < size)).mean(0)


def correct_bias(op: Op, error: Array, means: Array, slot: int) -> bool:
    """Add to a bias what rounding the weight takes from the mean of each output channel; say whether that was possible.

    Nagel et al., "Data-Free Quantization through Weight Equalization and Bias Correction", 2019, section 4.2.
    """
    change = mean_change(op, error, means)
    region, bias = op.parent, op.operands[slot]
    if change is None or region is None:
        return False
    own = constant(bias)
    if own is None and bias is not None:
        return False
    with at(op.location):
        old = np.zeros(change.shape, np.float32) if own is None else own.array()
        op.set_operand(slot, const(region, op, (old + change).astype(np.float32)))
    return True
