"""Integers that stand for real numbers: a scale and a zero point per tensor, or per position along axes."""

from __future__ import annotations

import numpy as np

from ..axes import Axes, AxisTuple, letters
from ..ir import Op
from ..opdef import Elementwise, Kept, Pure, broadcast_type, op
from ..operands import Floats, Numbers
from ..types import Array, DType, TensorType


@op("quantize", Elementwise)
class Quantize(Op):
    """``x / scale`` to the nearest integer, plus ``zero``, clamped to the element type.

    Of two integers that are as near, the even one is taken.  The zero point is a number of that type, whatever its own.
    """

    x: Floats
    scale: Floats
    zero: Numbers
    dtype: DType

    def infer(self) -> TensorType:
        """Integers in the shape of ``x``, to which scale and zero point broadcast."""
        if not self.dtype.is_int or not self.zero.type.dtype.is_int:
            raise ValueError(f"{self.dtype}, or {self.zero.type.dtype} as zero point, is not a type of integers")
        return broadcast_type(self).with_dtype(self.dtype)

    @staticmethod
    def evaluate(x: Array, scale: Array, zero: Array, *, dtype: DType) -> Array:
        """Round and clamp in x's own type."""
        return np.clip(np.rint(x / scale) + zero.astype(x.dtype), *dtype.bounds).astype(dtype.numpy)


@op("dequantize", Elementwise, Kept)
class Dequantize(Op):
    """``(x - zero) * scale``; the zero point is a number of the type of ``x``, whatever its own."""

    x: Numbers
    scale: Floats
    zero: Numbers

    def infer(self) -> TensorType:
        """The scale's element type."""
        if self.x.type.dtype.is_int and not self.zero.type.dtype.is_int:
            raise ValueError(f"a zero point of {self.zero.type.dtype} is not a number of {self.x.type.dtype}")
        return broadcast_type(self).with_dtype(self.scale.type.dtype)

    @staticmethod
    def evaluate(x: Array, scale: Array, zero: Array) -> Array:
        """In the scale's own type."""
        return (x.astype(scale.dtype) - zero.astype(scale.dtype)) * scale


@op("round_dynamic", Pure)
class RoundDynamic(Op):
    """Numbers rounded to 8 bits by scales that their own ranges give: one scale for all elements along ``dims``.

    The range holds zero; integers go from -128 to 127, and the zero point is one of them.  Matrix products whose
    weights have 8 bits round so what they multiply.
    """

    x: Floats
    dims: AxisTuple

    def infer(self) -> TensorType:
        """That of ``x``."""
        return self.x.type

    @staticmethod
    def evaluate(x: Array, *, dims: tuple[int, ...]) -> Array:
        """In x's own type."""
        one = np.asarray(1, x.dtype)
        low = np.minimum(x.min(dims, keepdims=True, initial=0), 0)
        high = np.maximum(x.max(dims, keepdims=True, initial=0), 0)
        factor = np.where(high > low, 255 * one / np.where(high > low, high - low, one), one)
        is_low: Array = low * factor + high * factor > one
        ends: tuple[Array, Array] = (-128 - low * factor, 127 - high * factor)
        zero = np.rint(np.clip(np.where(is_low, *ends), -128, 127))
        return ((np.clip(np.rint(x * factor) + zero, -128, 127) - zero) / factor).astype(x.dtype)

    def axes(self) -> Axes:
        """Any order."""
        names = letters(self.x.type.rank)
        return Axes.common((names,), (names,))


@op("dynamic_quantize", Pure)
class DynamicQuantize(Op):
    """Numbers as u8, their scale and their zero point: the range of all of them, with zero in it, in 255 steps.

    Of nothing but zeros the scale is 1.
    """

    x: Floats

    def infer(self) -> tuple[TensorType, ...]:
        """Integers in the shape of ``x``, a number of its type, and a zero point."""
        one = self.x.type.with_shape(())
        return self.x.type.with_dtype(DType.U8), one, one.with_dtype(DType.U8)

    @staticmethod
    def evaluate(x: Array) -> tuple[Array, ...]:
        """Find the range and round in the type of ``x``, as ONNX's DynamicQuantizeLinear says; ties go to even."""
        low, high = (np.asarray(v, x.dtype) for v in (x.min(initial=0), x.max(initial=0)))
        steps = (high - low) / np.asarray(255, x.dtype)
        scale = np.where(steps == 0, np.asarray(1, x.dtype), steps)
        zero = np.rint(np.clip(-low / scale, 0, 255)).astype(x.dtype)
        whole = np.clip(np.rint(x / scale) + zero, 0, 255).astype(np.uint8)
        return whole, np.asarray(scale, x.dtype), np.asarray(zero, np.uint8)

    def axes(self) -> Axes:
        """Integers lie as the numbers do, in any order; scale and zero point have no axes."""
        names = letters(self.x.type.rank)
        return Axes.common((names,), (names, (), ()))
