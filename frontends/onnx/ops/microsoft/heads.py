"""Attention in heads: splitting, rotating, masking, weighing. Data in heads is ``[batch, heads, time, width]``."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from .....compiler.dims import Dim, exact_div, product
from .....compiler.ir import Value
from .....compiler.ops.activation import Softmax, Tanh
from .....compiler.ops.arith import Add, Div, Mul, Sub
from .....compiler.ops.index import Gather
from .....compiler.ops.linear import MatMul
from .....compiler.ops.logic import Greater, GreaterEqual, Less, LogicalAnd, Select
from .....compiler.ops.shape import Concat, Range, Reshape, Slice, Split, Transpose
from .....compiler.types import DType
from ...emitter import Emitter

LOWEST = float(np.finfo(np.float32).min) / 4
"""What hides a key from a query; sums of two do not overflow."""


def split_heads(emit: Emitter, x: Value, heads: int) -> Value:
    """From ``[batch, time, heads * width]``.

    Raises:
        CompileError: T001, the features are no multiple of the heads.
    """
    batch, time, features = x.type.shape if x.type.rank == 3 else (0, 0, 0)
    width = exact_div(features, heads) if heads > 0 else None
    if not width:
        raise emit.fail(f"divides {x.type} into {heads} heads", code="T001")
    return emit(Transpose(emit.reshape(x, (batch, time, heads, width)), (0, 2, 1, 3)))


def join_heads(emit: Emitter, x: Value) -> Value:
    """Join the heads' features: to ``[batch, time, heads * width]``."""
    batch, heads, time, width = x.type.shape
    return emit(Reshape(emit(Transpose(x, (0, 2, 1, 3))), (batch, time, product((heads, width)))))


@dataclass(frozen=True)
class Settings:
    """How products become weights: scaled, capped, and what is added to hide keys."""

    scale: float | None = None
    softcap: float = 0.0
    filter: float = -10000.0


def attend(emit: Emitter, query: Value, key: Value, value: Value, settings: Settings, *added: Value | None) -> Value:
    """Softmax of products with keys, plus what is ``added``, times values."""
    width, dtype = query.type.shape[-1], query.type.dtype
    scale = settings.scale
    if not scale:
        if not isinstance(width, int):
            raise emit.fail(f"has heads of {width} features, which is not known", code="F004")
        scale = 1 / math.sqrt(width)
    scores = emit(MatMul(emit(Mul(query, emit.const(scale, dtype))), key, transpose_b=True))
    if settings.softcap:
        cap = emit.const(settings.softcap, dtype)
        scores = emit(Mul(emit(Tanh(emit(Div(scores, cap)))), cap))
    for bias in added:
        scores = scores if bias is None else emit(Add(scores, bias))
    return emit(MatMul(emit(Softmax(scores, 3)), value))


def hidden_where(emit: Emitter, seen: Value, filter: float, dtype: DType) -> Value:
    """Return what hides keys that are not seen."""
    return emit(Select(seen, emit.const(0, dtype), emit.const(filter, dtype)))


def counted(emit: Emitter, size: Dim, dtype: DType = DType.I32) -> Value:
    """Return the vector 0, 1, 2, ... of a length that may be open."""
    return emit(Range(emit.const(0, dtype), emit.const(1, dtype), size))


def causal(emit: Emitter, queries: Dim, keys: Dim, dtype: DType) -> Value:
    """Hide keys after their query: the last query sees all keys."""
    places = emit.reshape(counted(emit, keys), (1, keys))
    ends = emit.reshape(counted(emit, queries), (queries, 1))
    offset = keys - queries
    if isinstance(offset, int):
        ends = emit(Add(ends, emit.const(offset, DType.I32)))
    else:
        last = emit(Slice(counted(emit, keys), (offset,), (queries,), (1,)))
        ends = emit.reshape(last, (queries, 1))
    return hidden_where(emit, emit(GreaterEqual(ends, places)), LOWEST, dtype)


def padding(emit: Emitter, mask: Value, batch: Dim, keys: Dim, filter: float, dtype: DType) -> Value:
    """Read a mask: lengths of each sequence, with their beginnings or without, or 1 for what is seen.

    Raises:
        CompileError: T001, it has none of these shapes.
    """
    shape = mask.type.shape
    if len(shape) in (2, 3) and shape[-1] == keys:
        seen = emit(Greater(mask, emit.const(0, mask.type.dtype)))
        wide = (shape[0], 1, *shape[1:]) if len(shape) == 3 else (shape[0], 1, 1, keys)
        return hidden_where(emit, emit.reshape(seen, wide), filter, dtype)
    if len(shape) != 1 or shape[0] not in (batch, batch * 2):
        raise emit.fail(f"has a mask {mask.type} for {batch} sequences with {keys} keys", code="T001")
    parts = emit.all(Split(mask, 0, (batch, batch))) if shape[0] != batch else (mask,)
    places = counted(emit, keys, mask.type.dtype)
    columns = [emit.reshape(part, (batch, 1, 1, 1)) for part in parts]
    seen = emit(Less(places, columns[0]))
    if len(columns) == 2:
        seen = emit(LogicalAnd(seen, emit(GreaterEqual(places, columns[1]))))
    return hidden_where(emit, seen, filter, dtype)


@dataclass(frozen=True)
class Rotation:
    """Cosines and sines by position, and how features are paired."""

    cosines: Value
    sines: Value
    interleaved: bool

    def __call__(self, emit: Emitter, x: Value, positions: Value) -> Value:
        """Rotate the first features of ``[batch, heads, time, width]`` at positions ``[batch or 1, time]``."""
        cos, sin = (self._at(emit, table, positions) for table in (self.cosines, self.sines))
        half, width = cos.type.shape[-1], x.type.shape[-1]
        if not isinstance(half, int) or not isinstance(width, int) or 2 * half > width:
            raise emit.fail(f"rotates {x.type} by {self.cosines.type}", code="T001")
        rotated, rest = x, None
        if 2 * half < width:
            rotated, rest = emit.all(Split(x, 3, (2 * half, width - 2 * half)))
        out = (self._pairs if self.interleaved else self._halves)(emit, rotated, cos, sin)
        return out if rest is None else emit(Concat((out, rest), 3))

    def _at(self, emit: Emitter, table: Value, positions: Value) -> Value:
        """``[batch or 1, 1, time, half]``."""
        found = emit(Gather(table, positions, 0))
        return emit.reshape(found, (found.type.shape[0], 1, *found.type.shape[1:]))

    @staticmethod
    def _halves(emit: Emitter, x: Value, cos: Value, sin: Value) -> Value:
        half = cos.type.shape[-1]
        a, b = emit.all(Split(x, 3, (half, half)))
        return emit(Concat(_turned(emit, a, b, cos, sin), 3))

    @staticmethod
    def _pairs(emit: Emitter, x: Value, cos: Value, sin: Value) -> Value:
        *shape, _ = x.type.shape
        half = cos.type.shape[-1]
        parts = emit.all(Split(emit.reshape(x, (*shape, half, 2)), 4, (1, 1)))
        a, b = (emit.reshape(part, (*shape, half)) for part in parts)
        columns = (emit.reshape(v, (*shape, half, 1)) for v in _turned(emit, a, b, cos, sin))
        return emit.reshape(emit(Concat(tuple(columns), 4)), x.type.shape)


def _turned(emit: Emitter, a: Value, b: Value, cos: Value, sin: Value) -> tuple[Value, Value]:
    first = emit(Sub(emit(Mul(a, cos)), emit(Mul(b, sin))))
    return first, emit(Add(emit(Mul(b, cos)), emit(Mul(a, sin))))


def positions_of(emit: Emitter, ids: Value, time: Dim) -> Value:
    """Return positions ``[batch or 1, time]``: as stated, or counted from a single one."""
    if ids.type.rank == 2:
        return ids
    return emit.reshape(emit(Add(counted(emit, time, ids.type.dtype), ids)), (1, time))


def after(emit: Emitter, past: Value | None, x: Value) -> Value:
    """Append to what was kept of earlier steps."""
    return x if past is None else emit(Concat((emit.cast(past, x.type.dtype), x), 2))
