"""Reductions along axes: sums, means, extremes, products and norms."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Annotated, Any

import numpy as np

from ..attributes import OneOf
from ..axes import Axes, AxisTuple, letters
from ..ir import Op, Value
from ..opdef import Symbolic, op
from ..traits import Accumulates
from ..types import Array, DType, TensorType


def _of_nothing(x: Array, *, lowest: bool) -> dict[str, Any]:
    """Return what an extreme of no elements is: that which any element would replace."""
    if x.size or x.dtype == object:
        return {}
    if x.dtype.kind == "b":
        return {"initial": not lowest}
    if x.dtype.kind in "iu":
        info = np.iinfo(x.dtype)
        return {"initial": info.min if lowest else info.max}
    return {"initial": -np.inf if lowest else np.inf}


def _log_sum_exp(x: Array, axis: tuple[int, ...], keepdims: bool, /) -> Array:
    top = x.max(axis=axis, keepdims=True, **_of_nothing(x, lowest=True))
    shift = np.where(np.isfinite(top), top, 0)
    out = np.log(np.exp(x - shift).sum(axis=axis, keepdims=True)) + shift
    return out if keepdims else np.squeeze(out, axis)


def _mean(x: Array, axis: tuple[int, ...], keepdims: bool, /) -> Array:
    """Return the mean; sums of integers of 64 bits have more digits than floating-point numbers."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8:
        return x.mean(axis=axis, keepdims=keepdims, dtype=x.dtype if x.dtype.kind == "f" else None)
    total, count = np.asarray(x.astype(object).sum(axis=axis, keepdims=keepdims)), math.prod(x.shape[a] for a in axis)
    return np.where(total < 0, -(-total // count), total // count)


REDUCTIONS: dict[str, Callable[[Array, tuple[int, ...], bool], Any]] = {
    "sum": lambda x, a, k: x.sum(axis=a, keepdims=k, dtype=x.dtype),
    "mean": _mean,
    "max": lambda x, a, k: x.max(axis=a, keepdims=k, **_of_nothing(x, lowest=True)),
    "min": lambda x, a, k: x.min(axis=a, keepdims=k, **_of_nothing(x, lowest=False)),
    "prod": lambda x, a, k: x.prod(axis=a, keepdims=k, dtype=x.dtype),
    "l1": lambda x, a, k: np.abs(x).sum(axis=a, keepdims=k, dtype=x.dtype),
    "l2": lambda x, a, k: np.sqrt(np.square(x).sum(axis=a, keepdims=k, dtype=x.dtype)),
    "sum_square": lambda x, a, k: np.square(x).sum(axis=a, keepdims=k, dtype=x.dtype),
    "log_sum": lambda x, a, k: np.log(x.sum(axis=a, keepdims=k, dtype=x.dtype)),
    "log_sum_exp": _log_sum_exp,
    "any": lambda x, a, k: x.any(axis=a, keepdims=k),
    "all": lambda x, a, k: x.all(axis=a, keepdims=k),
}
"""Reference semantics by kind: array, axes, whether reduced axes stay with size one."""

OF_TRUTH = ("any", "all", "max", "min")
"""Kinds that booleans have."""

OF_FLOATS = ("l2", "log_sum", "log_sum_exp")
"""Kinds whose results are no integers even if all elements are."""


@op("reduce", Symbolic, Accumulates)
class Reduce(Op):
    """Combine the elements along ``dims``; ``kind`` is a key of ``REDUCTIONS``, such as "mean".

    Means of integers are rounded towards zero.
    """

    x: Value
    kind: Annotated[str, OneOf(*REDUCTIONS)]
    dims: AxisTuple
    keepdims: bool = True

    def infer(self) -> TensorType:
        """Reduced axes get size one, or vanish."""
        shape, dims = self.x.type.shape, self.dims
        if self.kind in OF_FLOATS and not self.x.type.dtype.is_float:
            raise ValueError(f"{self.kind} takes floating-point numbers, not {self.x.type.dtype}")
        if self.x.type.dtype is DType.BOOL and self.kind not in OF_TRUTH:
            raise ValueError(f"{self.kind} takes numbers, not bool")
        if self.kind == "mean" and self.x.type.dtype.is_int and any(shape[i] == 0 for i in dims):
            raise ValueError(f"no elements of {self.x.type} have a mean")
        dtype = DType.BOOL if self.kind in ("any", "all") else self.x.type.dtype
        return TensorType(
            dtype, tuple(1 if i in dims else d for i, d in enumerate(shape) if self.keepdims or i not in dims)
        )

    def copies(self) -> bool:
        """Nothing to combine."""
        return not self.dims and self.kind in ("sum", "mean", "max", "min", "prod")

    @staticmethod
    def evaluate(x: Array, *, kind: str, dims: tuple[int, ...], keepdims: bool) -> Array:
        """Look up the kind."""
        return np.asarray(REDUCTIONS[kind](x, dims, keepdims))

    def axes(self) -> Axes:
        """Any order; what remains keeps the order it has."""
        names = letters(self.x.type.rank)
        kept = names if self.keepdims else tuple(n for i, n in enumerate(names) if i not in self.dims)
        return Axes.common((names,), (kept,))
