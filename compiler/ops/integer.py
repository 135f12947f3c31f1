"""Products of integers that stand for real numbers: zero points are subtracted, sums have 32 bits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from ..attributes import Positive
from ..axes import Axes, Form, Letters, PerSpatial, letters
from ..dims import Dim
from ..ir import Op, Value
from ..opdef import Pure, op
from ..operands import Integers
from ..traits import Accumulates, Grows
from ..types import Array, DType, TensorType
from .linear import MatMul
from .window import Conv


@op("conv_integer", Pure, Grows, Accumulates)
class ConvInteger(Op):
    """``conv(x - x_zero, w - w_zero)`` in i32; each zero point is one number. Paddings stand for ``x_zero``."""

    x: Integers
    w: Integers
    x_zero: Integers
    w_zero: Integers
    strides: PerSpatial[Positive] = ()
    dilations: PerSpatial[Positive] = ()
    pads: PerSpatial[tuple[Dim, Dim]] = ()
    groups: Positive = 1
    channels_last: bool = False

    def windows(self, x: Value, w: Value) -> Conv:
        """Return the convolution of other operands that has the same windows."""
        flags = (self.strides, self.dilations, self.pads, self.groups, self.channels_last)
        return Conv(x, w, None, *flags)

    def _of_32_bits(self) -> Conv:
        """Return a convolution of operands of i32 in the same shapes, to ask for its type and its axes."""
        return self.windows(*(Value(v.type.with_dtype(DType.I32)) for v in (self.x, self.w)))

    def infer(self) -> TensorType:
        """The shape of a convolution with these windows, and i32; each zero point has the type of its operand."""
        _check_zero(self.x, self.x_zero)
        _check_zero(self.w, self.w_zero)
        return self._of_32_bits().infer()

    @staticmethod
    def evaluate(x: Array, w: Array, x_zero: Array, w_zero: Array, **attributes: Any) -> Array:
        """Convolve in i32, which wraps around; zero points are subtracted from data and filters before."""
        data, filters = (v.astype(np.int32) - zero.astype(np.int32) for v, zero in ((x, x_zero), (w, w_zero)))
        return Conv.evaluate(data, filters, None, **attributes, activation="none")

    def macs(self) -> Dim:
        """Multiply-accumulates of the convolution; subtracting zero points is not counted."""
        return self._of_32_bits().macs()

    def axes(self) -> Axes:
        """Axes and forms of a convolution, in which numbers for zero points have none."""
        found = self._of_32_bits().axes()
        forms = tuple(replace(form, operands=(*form.operands[:2], (), ())) for form in found.forms)
        return replace(found, operands=(*found.operands[:2], (), ()), forms=forms)


@op("matmul_integer", Pure, Grows, Accumulates)
class MatMulInteger(Op):
    """``matmul(a - a_zero, b - b_zero)`` in i32: ``a_zero`` is one number, ``b_zero`` one, or one for every column."""

    a: Integers
    b: Integers
    a_zero: Integers
    b_zero: Integers

    def infer(self) -> TensorType:
        """The shape of the matrix product, and i32; each zero point has the type of its matrix."""
        _check_zero(self.a, self.a_zero)
        _check_zero(self.b, self.b_zero, *self.b.type.shape[-1:])
        a, b = (Value(v.type.with_dtype(DType.I32)) for v in (self.a, self.b))
        return MatMul(a, b).infer()

    @staticmethod
    def evaluate(a: Array, b: Array, a_zero: Array, b_zero: Array) -> Array:
        """Multiply in i32, which wraps around; zero points are subtracted from both matrices before."""
        left, right = (v.astype(np.int32) - zero.astype(np.int32) for v, zero in ((a, a_zero), (b, b_zero)))
        return np.matmul(left, right)

    def macs(self) -> Dim:
        """One multiply-accumulate for every number of the result and every column of ``a``."""
        return self.result.type.size * self.a.type.shape[-1]

    def axes(self) -> Axes:
        """Rows first in each matrix; axes before may lie in a common order."""
        rank = self.result.type.rank
        batch = letters(rank - 2, "b")
        a: Letters = (*batch[rank - self.a.type.rank :], "m", "k")
        b: Letters = (*batch[rank - self.b.type.rank :], "k", "n")
        zero: Letters = ("n",) if self.b_zero.type.rank else ()
        form = Form(((..., "m", "k"), (..., "k", "n"), (), zero), ((..., "m", "n"),))
        return Axes((a, b, (), zero), ((*batch, "m", "n"),), forms=(form,), broadcasts=True)


def _check_zero(value: Value, zero: Value, *vector: Dim) -> None:
    """Check that a zero point is a number of the type of what it belongs to, or a vector of so many."""
    if zero.type.dtype is not value.type.dtype or zero.type.shape not in ((), vector):
        raise ValueError(f"{zero.type} is not a zero point of {value.type}")
