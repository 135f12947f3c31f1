"""Scales: which integers stand for which real numbers, and what kernels on integers demand of them.

An integer ``q`` stands for ``(q - zero) * scale``.  How ranges become scales is that of the int8 specification of
TFLite (https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec), which ONNX shares.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .types import Array, DType
from .weights import Weight

if TYPE_CHECKING:
    from .ir import Op

BYTES = frozenset({DType.I8, DType.U8})
"""Element types of computed integers of 8 bits that kernels compute with."""

WIDE = BYTES | {DType.I16}
"""Those of kernels that also compute with integers of 16 bits: without zero points, with weights of i8."""

OFFSET = 128
"""By how much the zero point of u8 is larger than that of i8 for the same numbers."""

SMALLEST_RANGE = 1e-9
"""Ranges are at least as wide: a tensor of zeros has a scale, too."""

EXACT_BITS = 8
"""With so many bits, clamping weights gains nothing."""

CLAMPED = tuple(1 - 0.04 * i for i in range(16))
"""Which shares of the largest weight are tried as the largest integer's."""

ON_GRID = (8, 6, 5, 4, 3, 2, 1)
"""Which integers of a block the largest weight may be: numbers that were integers of 4 bits are these again."""

BLOCK_SCALES = (2.0**-17, 2.0**15)
"""Between these, a scale of 8 significant bits is a number of 16 bits: kernels keep those of blocks so."""


@dataclass(frozen=True)
class Demands:
    """What a kernel on integers demands of the scales around an operation.

    ``weight`` names the operand that is constant, of i8 with zero points of 0 and one scale, or one per output along
    axis 0, or of u8 with one scale, as data of 8 bits is; ``bias`` the one that becomes i32 in the scale of the
    products, i64 beside data of i16.  ``result`` is the scale and zero point that a result of i8 must have;
    ``keeps_scale`` demands those of the operand.  ``is_product`` says that scales are multiplied; ``types`` are those
    of the integers.  ``is_nonnegative`` says that no operand may stand for a number below zero.  ``is_slow`` says that
    floats between two conversions are faster, or nearer: only who brings the scales asks for the kernel.
    """

    weight: str | None = None
    bias: str | None = None
    result: tuple[float, int] | None = None
    keeps_scale: bool = False
    is_product: bool = False
    types: frozenset[DType] = BYTES
    is_nonnegative: bool = False
    is_slow: bool = False

    def result_of(self, dtype: DType) -> tuple[float, int] | None:
        """Return the scale and zero point that a result must have; i16 reaches as far as i8 without a zero point.

        >>> Demands(result=(1 / 256, -128)).result_of(DType.I16) == (1 / 32768, 0)
        True
        """
        if self.result is None:
            return None
        scale, zero = self.result
        if dtype is DType.I16:
            return max(OFFSET - zero, OFFSET + zero) * scale / (1 << 15), 0
        return scale, zero + (OFFSET if dtype is DType.U8 else 0)


class IntegerKernels(Protocol):
    """What quantization asks of a target: which operations it has integer kernels for."""

    def demands(self, op: Op) -> Demands | None:
        """Return what the kernel on integers of an operation demands, None if it has none."""
        ...

    def rounded_dims(self, op: Op) -> tuple[int, ...] | None:
        """Return along which dims one range counts if a kernel rounds what it multiplies by a weight of 8 bits.

        None if no kernel of the operation does.
        """
        ...

    def takes_blocks(self, op: Op, size: int) -> bool:
        """Say whether a kernel that rounds what it multiplies takes weights of 4 bits, a scale for ``size`` of them."""
        ...

    def keeps_scales(self, op: Op | None) -> bool:
        """Say whether an operation on integers gives those that the same operation on numbers stands for."""
        ...


@dataclass(frozen=True)
class Range:
    """The real numbers that a tensor takes, zero among them."""

    low: float
    high: float

    @property
    def width(self) -> float:
        """The distance between the smallest and the largest number."""
        return self.high - self.low

    def join(self, other: Range) -> Range:
        """Return the smallest range that holds both."""
        return Range(min(self.low, other.low), max(self.high, other.high))


@dataclass(frozen=True)
class Scale:
    """The integers of one tensor: ``zero`` stands for 0, and the next one for ``scale``."""

    scale: float
    zero: int
    dtype: DType = DType.I8

    @staticmethod
    def of(range: Range, dtype: DType = DType.I8) -> Scale:
        """Return the finest scale that covers a range; that of 16 bits has no zero point.

        >>> Scale.of(Range(0.0, 127.5))
        Scale(scale=0.5, zero=-128, dtype=<DType.I8: 'i8'>)
        """
        low, high = min(range.low, 0.0), max(range.high, 0.0)
        if dtype is DType.I16:
            return Scale(_single(max(-low, high, SMALLEST_RANGE) / 32767), 0, dtype)
        first, last = dtype.bounds
        scale = _single(max(high - low, SMALLEST_RANGE) / (last - first))
        return Scale(scale, int(np.clip(np.rint(first - low / scale), first, last)), dtype)

    @property
    def range(self) -> Range:
        """The real numbers that the smallest and the largest integer stand for."""
        first, last = self.dtype.bounds
        return Range((first - self.zero) * self.scale, (last - self.zero) * self.scale)


def _single(scale: float) -> float:
    """Round to what a file holds."""
    return float(np.float32(scale))


def weight_scales(weight: Array, bits: int, *, per_channel: bool = True) -> Array:
    """Return the scales of a weight's integers without zero points, f32, one per position of axis 0 or one for all.

    Integers leave out the smallest one, so that negated weights have them, too.  Fewer than 8 bits are so coarse that a
    scale which clamps the largest numbers may lose less in all: the one with the least mean square error is taken.
    """
    axes = tuple(range(1, weight.ndim)) if per_channel else None
    largest = np.abs(weight).max(axes, initial=0.0).reshape(-1)
    scales = np.maximum(largest / ((1 << (bits - 1)) - 1), SMALLEST_RANGE).astype(np.float32)
    if bits >= EXACT_BITS or not weight.size:
        return scales
    rows = weight.reshape(len(scales), -1)
    tried = np.stack([scales * np.float32(share) for share in CLAMPED])
    losses = np.stack([((rows - round_weight(rows, s, bits) * s[:, None]) ** 2).sum(1) for s in tried])
    return np.take_along_axis(tried, losses.argmin(0)[None], 0)[0]


def block_scales(weight: Array, bits: int, size: int) -> Array:
    """Return the scales of blocks of ``size`` weights in each row of a matrix, f32 ``[rows, columns / size]``.

    Each is the one with the least mean square error among those with 8 significant bits, which kernels keep.  All
    integers of so many bits are used: numbers that were such integers in blocks as large become them again.
    """
    blocks = weight.reshape(-1, size)
    last = (1 << (bits - 1)) - 1
    largest = np.abs(blocks).max(1, initial=0.0)
    shares = (*CLAMPED, *(last / integer for integer in ON_GRID))
    tried = np.stack([_in_8_bits(largest / last * np.float32(share)) for share in shares])
    losses = np.stack([_loss(blocks, s, last) for s in tried])
    return np.take_along_axis(tried, losses.argmin(0)[None], 0)[0].reshape(len(weight), -1)


def _in_8_bits(scales: Array) -> Array:
    """Round scales to the nearest numbers of 8 significant bits, within what 16 bits hold."""
    kept = np.clip(scales, *BLOCK_SCALES).astype(np.float32)
    return ((kept.view(np.uint32) + np.uint32(1 << 15)) & np.uint32(0xFFFF0000)).view(np.float32)


def _loss(blocks: Array, scales: Array, last: int) -> Array:
    spread = scales[:, None]
    return ((blocks - np.clip(np.rint(blocks / spread), -last - 1, last) * spread) ** 2).sum(1)


def spread_scales(scales: Array, shape: Sequence[int]) -> Array:
    """Give scales the axes of a weight: one for all, one per position of axis 0, or ``[rows, blocks]`` of a matrix.

    Those of blocks are repeated for each of their weights.
    """
    if scales.ndim == 2:
        return np.repeat(scales, shape[1] // scales.shape[1], 1)
    return scales.reshape(-1, *(1,) * (len(shape) - 1))


def spread_blocks(scales: Weight, shape: Sequence[int]) -> Weight:
    """Return scales ``[rows, blocks]`` as a constant in the ``shape`` of their matrix, repeated when it is read."""
    type = scales.type.with_shape(tuple(shape))
    return scales.derive(type, partial(spread_scales, shape=tuple(shape)))


def blocks_of(scales: Array) -> Array | None:
    """Return the scales of blocks from those of each weight of a matrix; None if rows have one scale each.

    >>> blocks_of(np.repeat(np.array([[1.0, 2.0]]), 16, 1))
    array([[1., 2.]])
    """
    size = common_run(scales)
    return scales[:, ::size] if size < scales.shape[1] else None


def common_run(*matrices: Array) -> int:
    """Return the largest divisor of the columns such that so many neighbours are always equal, in each matrix.

    >>> common_run(np.array([[1, 1, 2, 2, 2, 2]]), np.zeros((1, 6)))
    2
    """
    ends = [np.flatnonzero((m[:, 1:] != m[:, :-1]).any(0)) + 1 for m in matrices]
    return int(np.gcd.reduce([matrices[0].shape[1], *(end for each in ends for end in each)]))


def lowest(scales: Array, bits: int) -> int:
    """Return the smallest integer of weights: those of blocks use all that so many bits have."""
    return -(1 << (bits - 1)) + (scales.ndim < 2)


def round_weight(weight: Array, scales: Array, bits: int) -> Array:
    """Return the integers nearest to a weight whose scales differ along axis 0, or in blocks; ties go to even."""
    last = (1 << (bits - 1)) - 1
    return np.clip(np.rint(weight / spread_scales(scales, weight.shape)), lowest(scales, bits), last).astype(np.int8)
