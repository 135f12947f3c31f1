"""Handlers of tensors that are made from a shape and numbers: filled ones, ranges and triangular matrices."""

from __future__ import annotations

import numpy as np

from ....compiler.budget import reserve
from ....compiler.dims import Dim
from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Mul
from ....compiler.ops.index import Trilu
from ....compiler.ops.shape import Range
from ....compiler.types import DType
from ..emitter import Emitter
from ..promotion import Number
from ..registry import aten


def filled(emit: Emitter, value: Number) -> Value:
    """Return the node's result if all its elements are the same."""
    return emit.full(value, emit.type)


@aten("full")
def full(emit: Emitter, size: tuple[Dim, ...], fill_value: Number) -> Value:
    """``full``: one number everywhere, in the shape and element type of the node's result."""
    return filled(emit, fill_value)


@aten("zeros", "empty.memory_format")
def zeros(emit: Emitter, size: tuple[Dim, ...]) -> Value:
    """``zeros`` and ``empty``, whose elements may be anything, as zeros in the shape of the node's result."""
    return filled(emit, 0)


@aten("ones")
def ones(emit: Emitter, size: tuple[Dim, ...]) -> Value:
    """``ones``: 1 everywhere, in the shape and element type of the node's result."""
    return filled(emit, 1)


@aten("full_like")
def full_like(emit: Emitter, x: Value, fill_value: Number) -> Value:
    """``full_like``: one number everywhere, in the shape of another tensor and the node's element type."""
    return filled(emit, fill_value)


@aten("zeros_like", "empty_like")
def zeros_like(emit: Emitter, x: Value) -> Value:
    """``zeros_like`` and ``empty_like``: zeros in the shape of another tensor and the node's element type."""
    return filled(emit, 0)


@aten("ones_like")
def ones_like(emit: Emitter, x: Value) -> Value:
    """``ones_like``: ones in the shape of another tensor and the node's element type."""
    return filled(emit, 1)


@aten("new_full")
def new_full(emit: Emitter, x: Value, size: tuple[Dim, ...], fill_value: Number) -> Value:
    """``new_full``: one number everywhere, in a shape that is given and by default another tensor's element type."""
    return filled(emit, fill_value)


@aten("new_zeros", "new_empty")
def new_zeros(emit: Emitter, x: Value, size: tuple[Dim, ...]) -> Value:
    """``new_zeros`` and ``new_empty``: zeros in a shape that is given and by default another tensor's element type."""
    return filled(emit, 0)


@aten("new_ones")
def new_ones(emit: Emitter, x: Value, size: tuple[Dim, ...]) -> Value:
    """``new_ones``: ones in a shape that is given and by default another tensor's element type."""
    return filled(emit, 1)


@aten("scalar_tensor")
def scalar_tensor(emit: Emitter, s: Number) -> Value:
    """``scalar_tensor``: a number as a tensor without axes; sizes that are symbolic may be such numbers."""
    return filled(emit, s)


@aten("fill.Scalar", "fill.Tensor")
def fill(emit: Emitter, x: Value, value: Number | Value) -> Value:
    """``fill``: a number, or a tensor without axes, everywhere in the shape and type of another tensor."""
    return emit.full(value, x.type) if isinstance(value, Value) else filled(emit, value)


@aten("zero")
def zero(emit: Emitter, x: Value) -> Value:
    """``zero``: zeros in the shape and element type of another tensor, which ``zero_`` overwrites."""
    return filled(emit, 0)


@aten("arange")
def arange(emit: Emitter, end: Number) -> Value:
    """``arange`` with an end only: 0, 1, 2 and so on, a constant if their number is known."""
    return _counted(emit, 0, 1)


@aten("arange.start")
def arange_start(emit: Emitter, start: Number, end: Number) -> Value:
    """``arange`` with a start and an end: numbers one by one, a constant if all is known."""
    return _counted(emit, start, 1)


@aten("arange.start_step")
def arange_step(emit: Emitter, start: Number, end: Number, step: Number = 1) -> Value:
    """``arange`` with a step: ``start + step * i``, a constant if all is known."""
    return _counted(emit, start, step)


def _counted(emit: Emitter, start: Number, step: Number) -> Value:
    """Numbers at equal distances; those that are known are a constant."""
    (size,) = emit.shape
    if isinstance(size, int) and isinstance(start, int | float) and isinstance(step, int | float):
        reserve(size, what="the numbers")
        return emit.const((start + np.arange(size) * step).astype(emit.dtype.numpy))
    kind = emit.dtype if emit.dtype in (DType.I32, DType.I64, DType.F32) else DType.F32
    counted = emit(Range(emit.value(0, kind), emit.value(1, kind), size))
    if step != 1:
        counted = emit(Mul(counted, emit.value(step, kind)))
    if start != 0:
        counted = emit(Add(counted, emit.value(start, kind)))
    return emit.cast(counted, emit.dtype)


@aten("linspace")
def linspace(emit: Emitter, start: float, end: float, steps: int) -> Value:
    """``linspace``: a constant of ``steps`` numbers at equal distances, both ends included."""
    reserve(steps, what="the numbers")
    return emit.const(np.linspace(start, end, steps).astype(emit.dtype.numpy))


@aten("eye", "eye.m")
def eye(emit: Emitter, n: int, m: int | None = None) -> Value:
    """``eye``: a constant matrix, not necessarily square, with ones on its main diagonal."""
    reserve(n, n if m is None else m, what="the matrix")
    return emit.const(np.eye(n, n if m is None else m, dtype=emit.dtype.numpy))


@aten("tril")
def tril(emit: Emitter, x: Value, diagonal: int = 0) -> Value:
    """``tril``: zeros above the stated diagonal of the matrices in the last two axes."""
    return emit(Trilu(x, diagonal, upper=False))


@aten("triu")
def triu(emit: Emitter, x: Value, diagonal: int = 0) -> Value:
    """``triu``: zeros below the stated diagonal of the matrices in the last two axes."""
    return emit(Trilu(x, diagonal))
