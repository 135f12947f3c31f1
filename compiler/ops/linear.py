"""Matrix products."""

from __future__ import annotations

import math
from contextlib import suppress

import numpy as np

from ..axes import Axes, Form, Letters, letters
from ..dims import Dim
from ..ir import Op, Value
from ..opdef import Pure, broadcast_shapes, op
from ..types import Array, TensorType
from .arith import activate


@op("matmul", Pure)
class MatMul(Op):
    """Product of matrices in the last two axes; leading axes broadcast. Either matrix may be given transposed."""

    a: Value
    b: Value
    transpose_a: bool = False
    transpose_b: bool = False

    def infer(self) -> TensorType:
        """``m k, k n -> m n``."""
        a, b = self.a.type.shape, self.b.type.shape
        if len(a) < 2 or len(b) < 2:
            raise ValueError(f"{self.a.type} and {self.b.type} are not matrices")
        m, k = a[-2:] if not self.transpose_a else a[:-3:-1]
        j, n = b[-2:] if not self.transpose_b else b[:-3:-1]
        if k != j and isinstance(k, int) and isinstance(j, int):
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
                forms.append(Form((x, y), ((..., "m", "n"),), {"transpose_a": ta, "transpose_b": tb}))
                forms.append(
                    Form((x, y), ((..., "n", "m"),), {"transpose_a": not tb, "transpose_b": not ta}, swap=True)
                )
        return Axes((a, b), ((*batch, "m", "n"),), forms=tuple(forms), broadcasts=True)


@op("linear", Pure)
class Linear(Op):
    """``x`` times the transpose of ``w``, plus ``bias``: ``... k, o k, o -> ... o``; may end in an activation."""

    x: Value
    w: Value
    bias: Value | None = None
    activation: str = "none"

    def infer(self) -> TensorType:
        """The last size becomes the number of rows of ``w``."""
        k, (o, j) = self.x.type.shape[-1], self.w.type.shape
        if k != j and isinstance(k, int) and isinstance(j, int):
            raise ValueError(f"{k} features, but the weight takes {j}")
        shape: tuple[Dim, ...] = (*self.x.type.shape[:-1], o)
        return self.x.type.with_shape(shape)

    @staticmethod
    def evaluate(x: Array, w: Array, bias: Array | None, *, activation: str) -> Array:
        """Multiply and add."""
        y = np.matmul(x, w.T)
        return activate(y if bias is None else y + bias, activation)

    def macs(self) -> Dim:
        """A row of the weight for every element of the result."""
        return self.result.type.size * self.w.type.shape[-1]

    def axes(self) -> Axes:
        """Features last; their positions may lie in any order, the weight follows."""
        batch = letters(self.x.type.rank - 1, "b")
        operands = ((*batch, "k"), ("o", "k"), None if self.bias is None else ("o",))
        form = Form(((..., "k"), ("o", "k"), ("o",)), ((..., "o"),))
        return Axes(operands, ((*batch, "o"),), forms=(form,))


@op("det", Pure)
class Det(Op):
    """Determinants of the square matrices in the last two axes."""

    x: Value

    def infer(self) -> TensorType:
        """Drop the last two axes."""
        shape = self.x.type.shape
        if len(shape) < 2 or (isinstance(shape[-1], int) and isinstance(shape[-2], int) and shape[-1] != shape[-2]):
            raise ValueError(f"{self.x.type} holds no square matrices")
        return self.x.type.with_shape(shape[:-2])

    @staticmethod
    def evaluate(x: Array) -> Array:
        """By LU decomposition."""
        return np.linalg.det(x.astype(np.promote_types(x.dtype, np.float32))).astype(x.dtype)


@op("inverse", Pure)
class Inverse(Op):
    """Inverses of the square matrices in the last two axes; of a singular one, nothing that is meant."""

    x: Value

    def infer(self) -> TensorType:
        """Keep the type."""
        shape = self.x.type.shape
        if len(shape) < 2 or (isinstance(shape[-1], int) and isinstance(shape[-2], int) and shape[-1] != shape[-2]):
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
