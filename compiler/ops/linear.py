"""Matrix products, linear layers, determinants and inverses, of stacks of matrices, too."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np

from ..axes import Axes, Axis, Form, Letters, letters
from ..demands import demand
from ..dims import Dim
from ..ir import Op
from ..opdef import Pure, broadcast_shapes, op
from ..operands import Floats, Numbers, same_elements, vector_of
from ..traits import Accumulates, Grows
from ..types import Array, TensorType
from .arith import Activation, activate


@op("matmul", Pure, Grows, Accumulates)
class MatMul(Op):
    """Product of matrices in the last two axes; leading axes broadcast. Either matrix may be given transposed."""

    a: Numbers
    b: Numbers
    transpose_a: bool = False
    transpose_b: bool = False

    def infer(self) -> TensorType:
        """``m k, k n -> m n``."""
        a, b = self.a.type.shape, self.b.type.shape
        if len(a) < 2 or len(b) < 2:
            raise ValueError(f"{self.a.type} and {self.b.type} are not matrices")
        same_elements(self)
        m, k = a[-2:] if not self.transpose_a else a[:-3:-1]
        j, n = b[-2:] if not self.transpose_b else b[:-3:-1]
        if not demand(k, j):
            raise ValueError(f"a row has {k} elements, a column {j}")
        return self.a.type.with_shape((*broadcast_shapes((a[:-2], b[:-2])), m, n))

    @staticmethod
    def evaluate(a: Array, b: Array, *, transpose_a: bool, transpose_b: bool) -> Array:
        """Multiply."""
        x = np.swapaxes(a, -1, -2) if transpose_a else a
        y = np.swapaxes(b, -1, -2) if transpose_b else b
        return np.matmul(x, y)

    def macs(self) -> Dim:
        """A row times a column for every element of the product."""
        return self.result.type.size * self.a.type.shape[-2 if self.transpose_a else -1]

    def axes(self) -> Axes:
        """Batch axes first in a common order; each matrix either way round, the product too by swapping operands."""
        rank = self.result.type.rank
        batch = letters(rank - 2, "b")
        a: Letters = (*batch[rank - self.a.type.rank :], *(("k", "m") if self.transpose_a else ("m", "k")))
        b: Letters = (*batch[rank - self.b.type.rank :], *(("n", "k") if self.transpose_b else ("k", "n")))
        forms: list[Form] = []
        for ta in (False, True):
            for tb in (False, True):
                x = (..., "k", "m") if ta else (..., "m", "k")
                y = (..., "n", "k") if tb else (..., "k", "n")
                plain, swapped = (
                    {"transpose_a": ta, "transpose_b": tb},
                    {"transpose_a": not tb, "transpose_b": not ta},
                )
                transposed = tuple(i for i, is_transposed in enumerate((ta, tb)) if is_transposed)
                others = tuple(i for i in range(2) if i not in transposed)
                forms.append(Form((x, y), ((..., "m", "n"),), plain, transposed=transposed))
                forms.append(Form((x, y), ((..., "n", "m"),), swapped, swap=True, transposed=others))
        return Axes((a, b), ((*batch, "m", "n"),), forms=tuple(forms), broadcasts=True)


@op("linear", Pure, Grows, Accumulates)
class Linear(Op):
    """``x`` times the transpose of ``w``, plus ``bias``: ``... k, o k, o -> ... o``; may end in an activation.

    Features lie along ``axis``, the last one where nothing else is said.
    """

    x: Numbers
    w: Numbers
    bias: Numbers | None = None
    activation: Activation = "none"
    axis: Axis = -1

    def infer(self) -> TensorType:
        """The size along the axis becomes the number of rows of ``w``."""
        shape = list(self.x.type.shape)
        if not -len(shape) <= self.axis < len(shape):
            raise ValueError(f"axis {self.axis} is outside of rank {len(shape)}")
        if self.w.type.rank != 2:
            raise ValueError(f"the weight is {self.w.type}, but should be a matrix")
        k, (o, j) = shape[self.axis], self.w.type.shape
        same_elements(self)
        vector_of(self.bias, o, "bias")
        if not demand(k, j):
            raise ValueError(f"{k} features, but the weight takes {j}")
        shape[self.axis] = o
        return self.x.type.with_shape(shape)

    @staticmethod
    def evaluate(x: Array, w: Array, bias: Array | None, *, activation: str, axis: int) -> Array:
        """Multiply and add."""
        y = np.matmul(np.moveaxis(x, axis, -1), w.T)
        return np.moveaxis(activate(y if bias is None else y + bias, activation), -1, axis)

    @property
    def is_along_last(self) -> bool:
        """Whether the features lie along the last axis."""
        return self.axis in (-1, self.x.type.rank - 1)

    def macs(self) -> Dim:
        """A row of the weight for every element of the result."""
        return self.result.type.size * self.w.type.shape[-1]

    def axes(self) -> Axes:
        """Features last, or anywhere; their positions may lie in any order, the weight follows."""
        batch, at = letters(self.x.type.rank - 1, "b"), self.axis % self.x.type.rank
        data, result = (*batch[:at], "k", *batch[at:]), (*batch[:at], "o", *batch[at:])
        weights = (("o", "k"), None if self.bias is None else ("o",))
        last = Form(((..., "k"), ("o", "k"), ("o",)), ((..., "o"),), {"axis": -1})
        anywhere = Form(((...,), ("o", "k"), ("o",)), ((...,),), places={"o": "k"}, penalty=1, moves=0.25)
        return Axes((data, *weights), (result,), forms=(last, anywhere))


@op("det", Pure)
class Det(Op):
    """Determinants of the square matrices in the last two axes."""

    x: Floats

    def infer(self) -> TensorType:
        """Drop the last two axes."""
        shape = self.x.type.shape
        if len(shape) < 2 or not demand(shape[-1], shape[-2]):
            raise ValueError(f"{self.x.type} holds no square matrices")
        return self.x.type.with_shape(shape[:-2])

    @staticmethod
    def evaluate(x: Array) -> Array:
        """By LU decomposition."""
        return np.linalg.det(x.astype(np.promote_types(x.dtype, np.float32))).astype(x.dtype)


@op("inverse", Pure)
class Inverse(Op):
    """Inverses of the square matrices in the last two axes; of a singular one, nothing that is meant."""

    x: Floats

    def infer(self) -> TensorType:
        """Keep the type."""
        shape = self.x.type.shape
        if len(shape) < 2 or not demand(shape[-1], shape[-2]):
            raise ValueError(f"{self.x.type} holds no square matrices")
        return self.x.type

    @staticmethod
    def evaluate(x: Array) -> Array:
        """By LU decomposition; NaN for what is singular."""
        wide = x.astype(np.promote_types(x.dtype, np.float32))
        flat = wide.reshape(math.prod(x.shape[:-2]), *x.shape[-2:])
        out = np.full_like(flat, np.nan)
        for i, matrix in enumerate(flat):
            with suppress(np.linalg.LinAlgError):
                out[i] = np.linalg.inv(matrix)
        return out.reshape(x.shape).astype(x.dtype)
