"""Leading axes: how many an operation leaves alone, and the same operation with these axes grouped in another way."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...compiler.axes import Names
from ...compiler.dims import Shape
from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.opdef import Elementwise, broadcast_shapes
from ...compiler.ops.activation import LogSoftmax, Softmax
from ...compiler.ops.linear import Linear, MatMul
from ...compiler.ops.norm import LayerNorm, RmsNorm
from ...compiler.ops.reduce import Reduce
from ...compiler.ops.shape import Concat, Pad, Slice, Split, Transpose


def pointwise(op: Op) -> int | None:
    """Return over how many leading axes an operation does the same for every position; None if it is none such."""
    parameters = op.operands[1:] if isinstance(op, Linear | LayerNorm | RmsNorm) else ()
    if any(v is not None and constant(v) is None for v in parameters):
        return None
    match op:
        case Linear(x=x, axis=axis):
            return axis % x.type.rank
        case MatMul(a=a, b=b) if a.type.rank == b.type.rank and a.type.shape[:-2] == b.type.shape[:-2]:
            return a.type.rank - 2
        case Softmax(axis=axis) | LogSoftmax(axis=axis):
            return axis
        case LayerNorm(x=x, dims=dims) | RmsNorm(x=x, dims=dims):
            ranks = [v.type.rank for v in parameters if v is not None]
            return min(x.type.rank - max(ranks, default=0), *(d % x.type.rank for d in dims))
        case _ if op.spec.has(Elementwise):
            return _common(op)
        case _:
            return None


def moving(op: Op) -> int | None:
    """The same for operations that cut, join, reduce or permute the axes after it."""
    match op:
        case Reduce(dims=dims) if dims:
            return min(dims)
        case Transpose(perm=perm):
            return next((i for i, p in enumerate(perm) if i != p), len(perm))
        case Split(axis=axis) | Concat(axis=axis):
            return axis
        case Slice(x=x, sizes=sizes, steps=steps):
            whole = (d == e and s == 1 for d, e, s in zip(x.type.shape, sizes, steps, strict=True))
            return next((i for i, same in enumerate(whole) if not same), len(sizes))
        case Pad(low=low, high=high):
            return next((i for i, p in enumerate(zip(low, high, strict=True)) if p != (0, 0)), len(low))
        case _:
            return None


def _common(op: Op) -> int | None:
    """Leading axes that all computed operands have, and constants either all or none of."""
    shape = op.results[0].type.shape
    operands = [v for v in op.operands if v is not None]
    if len(op.results) != 1 or broadcast_shapes(v.type.shape for v in operands) != shape:
        return None
    count = len(shape)
    for v in operands:
        own = v.type.shape
        padded = (1,) * (len(shape) - len(own)) + own
        same = next((i for i, (d, e) in enumerate(zip(padded, shape, strict=True)) if d != e), len(shape))
        if constant(v) is not None:
            same = max(same, next((i for i, d in enumerate(padded) if d != 1), len(shape)))
        elif len(own) != len(shape):
            return None
        count = min(count, same)
    return count


def operand_shape(value: Value, rank: int, before: Shape, after: Shape) -> Shape:
    """The shape of an operand beside data of ``rank`` axes once the leading axes ``before`` have become ``after``."""
    own = value.type.shape
    missing = rank - len(own)
    if missing >= len(before):
        return own
    lead, rest = own[: len(before) - missing], own[len(before) - missing :]
    if lead == before or any(d != 1 for d in lead):
        return (*after, *rest)
    return rest  # ones, which a constant does without


def grouped(op: Op, operands: tuple[Value | None, ...], count: int, after: Shape) -> Op:
    """Build the operation for data whose first ``count`` axes have become the axes ``after``."""
    attributes: dict[str, Any] = {
        name: _shifted(op.attributes[name], len(after) - count)
        for name, attribute in op.spec.attributes.items()
        if attribute.names in (Names.AXIS, Names.RESULT_AXIS) and op.attributes[name] is not None
    }
    return op.spec.build(type(op), operands, {**op.attributes, **attributes, **_per_axis(op, count, after)}, op.regions)


def _shifted(axes: int | tuple[int, ...], by: int) -> int | tuple[int, ...]:
    """Axes counted from the front; those counted from the end stay what they are."""
    if isinstance(axes, tuple):
        return tuple(a + by if a >= 0 else a for a in axes)
    return axes + by if axes >= 0 else axes


def _per_axis(op: Op, count: int, after: Shape) -> Mapping[str, object]:
    new = len(after)
    match op:
        case Transpose(perm=perm):
            return {"perm": (*range(new), *(p - count + new for p in perm[count:]))}
        case Slice(starts=starts, sizes=sizes, steps=steps):
            return {
                "starts": ((0,) * new) + starts[count:],
                "sizes": after + sizes[count:],
                "steps": ((1,) * new) + steps[count:],
            }
        case Pad(low=low, high=high):
            return {"low": ((0,) * new) + low[count:], "high": ((0,) * new) + high[count:]}
        case _:
            return {}
