"""Scales: which integers stand for which real numbers, and what kernels on integers demand of them.

An integer ``q`` stands for ``(q - zero) * scale``.  How ranges become scales is that of the int8 specification of
TFLite (https://ai.google.dev/edge/litert/conversion/tensorflow/quantization/quantization_spec), which ONNX shares.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from .types import Array, DType

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


def round_weight(weight: Array, scales: Array, bits: int) -> Array:
    """Return the integers nearest to a weight whose scales differ along axis 0; ties go to even."""
    spread = scales.reshape(-1, *(1,) * (weight.ndim - 1))
    last = (1 << (bits - 1)) - 1
    return np.clip(np.rint(weight / spread), -last, last).astype(np.int8)
