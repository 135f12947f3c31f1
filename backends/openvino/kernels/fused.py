"""Rows for several operations of the IR that are one of OpenVINO; what only they read is not written."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from ....compiler.constants import elements
from ....compiler.dims import product
from ....compiler.ir import Value
from ....compiler.ops.activation import Softmax
from ....compiler.ops.arith import Add, Div, Mul
from ....compiler.ops.linear import MatMul
from ....compiler.ops.shape import Reshape, Transpose
from ....compiler.types import DType
from ..table import Call, Nested, Operand, condition, emits, ints, scalar


def _shuffled(op: Reshape) -> tuple[Value, int, int] | None:
    """Return what is shuffled along which axis in how many groups, if a reshape ends that.

    Axes of size one don't count.
    """
    match op.x:
        case Value(Transpose(x=Value(Reshape(x=x) as inner), perm=perm)) if x.type == op.result.type:
            if not (op.x.has_one_use and inner.result.has_one_use):
                return None
        case _:
            return None
    places = [axis for axis, d in enumerate(inner.shape) if d != 1]
    split = [inner.shape[axis] for axis in places]
    order = [places.index(p) for p in perm if p in places]
    first = next((i for i, p in enumerate(order) if i != p), len(order))
    if order != [*range(first), first + 1, first, *range(first + 2, len(order))]:
        return None
    groups, shape, before = split[first], x.type.shape, product(split[:first])
    for axis, size in enumerate(shape):
        if size == groups * split[first + 1] and product(shape[:axis]) == before:
            return (x, axis, groups) if isinstance(groups, int) else None
    return None


@condition("channels in groups, exchanged")
def _shuffles(op: Reshape) -> str | None:
    return None if _shuffled(op) is not None else "no exchange of groups and channels"


@emits(Reshape, "ShuffleChannels", dtypes="f16 f32 i8 u8 i32", when=(_shuffles,))
def shuffle_channels(op: Reshape) -> Call:
    """ShuffleChannels for a reshape into groups, a transpose of these, and a reshape back."""
    found = _shuffled(op)
    assert found is not None
    x, axis, groups = found
    return Call((x,), {"axis": axis, "group": groups})


@dataclass(frozen=True)
class Attention:
    """What a product of weights and values computes: queries and keys, the factor of their products, and a mask."""

    query: Operand
    key: Operand
    scale: float = 1.0
    mask: Value | None = None


RANKS = (3, 4)
"""Axes of queries, keys and values."""


def _attention(op: MatMul) -> Attention | None:
    """Return what a product is the end of, if it is attention."""
    match op.a:
        case Value(Softmax(x=scores, axis=axis)) if op.a.has_one_use and axis == op.a.type.rank - 1:
            found = None if op.transpose_a else _masked(scores)
        case _:
            return None
    if found is None or found.query is None or found.key is None or op.b.type.rank not in RANKS:
        return None
    batches = {found.query.type.shape[:-2], found.key.type.shape[:-2], op.b.type.shape[:-2]}
    return found if len(batches) == 1 else None


def _masked(scores: Value) -> Attention | None:
    match scores:
        case Value(Add(a=a, b=b, activation="none")) if scores.has_one_use:
            for products, mask in ((a, b), (b, a)):
                found = _scaled(products)
                if found is not None and products.type == scores.type:
                    return replace(found, mask=mask)
            return None
        case _:
            return _scaled(scores)


def _scaled(products: Value) -> Attention | None:
    if not products.has_one_use:
        return None
    match products.owner:
        case Mul(a=a, b=b, activation="none"):
            pair = _factor(a, b) or _factor(b, a)
        case Div(a=a, b=b, activation="none"):
            pair = _factor(a, b)
            pair = None if pair is None or not pair[1] else (a, 1 / pair[1])
        case _:
            return _products(products)
    if pair is None or pair[0].type != products.type:
        return None
    found = _scaled(pair[0])
    return None if found is None else replace(found, scale=found.scale * pair[1])


def _factor(x: Value, factor: Value) -> tuple[Value, float] | None:
    known = elements(factor)
    return (x, float(known.reshape(()))) if known is not None and known.size == 1 else None


def _products(value: Value) -> Attention | None:
    match value.owner:
        case MatMul(a=a, b=b, transpose_a=turns, transpose_b=flag):
            pair = None if turns else _scaled_query(a)
            query, scale = (_turned(a, turns), 1.0) if pair is None else pair
            return Attention(query, _turned(b, not flag), scale)
        case _:
            return None


def _scaled_query(query: Value) -> tuple[Value, float] | None:
    match query.owner:
        case Mul(a=a, b=b, activation="none") if query.has_one_use:
            pair = _factor(a, b) or _factor(b, a)
            return pair if pair is not None and pair[0].type == query.type else None
        case _:
            return None


def _turned(x: Value, turns: bool) -> Operand:
    """Return a matrix, or the other way round; a transpose before it does that at once."""
    if not turns:
        return x
    rank = x.type.rank
    swap = (*range(rank - 2), rank - 1, rank - 2)
    source, perm = (x.owner.x, tuple(x.owner.perm[p] for p in swap)) if isinstance(x.owner, Transpose) else (x, swap)
    if perm == tuple(range(rank)):
        return source
    type = source.type.with_shape(tuple(source.type.shape[p] for p in perm))
    return Nested("Transpose", type, (source, ints(*perm)))


@condition("weights by a softmax of products, along their last axis")
def _attends(op: MatMul) -> str | None:
    return None if _attention(op) is not None else "no weights of attention"


@emits(MatMul, "ScaledDotProductAttention", dtypes="f32", when=(_attends,))
def attention(op: MatMul) -> Call:
    """Queries, keys and values; the factor is stated unless it is the usual one."""
    found = _attention(op)
    assert found is not None
    assert found.query is not None
    inputs: list[Operand] = [found.query, found.key, _turned(op.b, op.transpose_b)]
    width = found.query.type.shape[-1]
    is_usual = isinstance(width, int) and math.isclose(found.scale, 1 / math.sqrt(width), rel_tol=1e-6)
    if found.mask is not None or not is_usual:
        inputs.append(found.mask if found.mask is not None else scalar(0, DType.F32))
    if not is_usual:
        inputs.append(scalar(found.scale, DType.F32))
    return Call(tuple(inputs), {"causal": False})
