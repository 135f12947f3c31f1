"""Layer norms that converters write as one factor and one shift: ``x * s + (beta - mean * s)``."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

from ..compiler.constants import is_weight
from ..compiler.fold import constant
from ..compiler.ir import Value
from ..compiler.ops.arith import Add, Mul, Neg, Rsqrt, Square, SquaredDifference, Sub
from ..compiler.ops.norm import LayerNorm
from ..compiler.ops.quantize import Dequantize
from ..compiler.ops.reduce import Reduce
from ..compiler.ops.shape import Reshape
from ..compiler.rewrite import Rewriter, pattern
from ..compiler.types import Shape


@pattern(Add)
def shifted_layer_norm(op: Add, rw: Rewriter) -> None:
    """Numbers times the inverse of their deviation, minus their mean times that: what they are around their mean."""
    if op.activation != "none":
        return
    for scaled, shift in ((op.a, op.b), (op.b, op.a)):
        for x, factor in _operands(scaled, Mul):
            norm = _Norm.of(x, factor) if op.result.type == x.type else None
            is_shift, beta = (False, None) if norm is None else _shift(shift, norm)
            if norm is not None and is_shift:
                out = rw.emit(LayerNorm(x, None, None, norm.dims, norm.epsilon))
                out = out if norm.gamma is None else rw.emit(Mul(out, norm.gamma))
                rw.replace(out if beta is None else Add(out, beta))
                return


@dataclass(frozen=True)
class _Norm:
    """The statistics of ``x``: what it is multiplied by, and its mean, both without axes of size one."""

    factor: Value
    mean: Value
    dims: tuple[int, ...]
    epsilon: float
    gamma: Value | None

    @staticmethod
    def of(x: Value, factor: Value) -> _Norm | None:
        """Return the norm whose factor, the inverse deviation, perhaps with a constant, a value is."""
        for deviation, gamma in ((factor, None), *_operands(factor, Mul)):
            found = _inverse_deviation(deviation) if gamma is None or is_weight(gamma) else None
            if found is None:
                continue
            variance, epsilon = found
            mean = _mean_of_squares(variance, x)
            if mean is not None and deviation.type.shape == _kept(x, mean[1]):
                return _Norm(_plain(factor), mean[0], mean[1], epsilon, gamma)
        return None


def _plain(value: Value) -> Value:
    """What a value is but for axes of size one that reshapes insert or drop."""
    while isinstance(value.owner, Reshape) and _wide(value.owner.x.type.shape) == _wide(value.type.shape):
        value = value.owner.x
    return value


def _wide(shape: Shape) -> Shape:
    return tuple(d for d in shape if d != 1)


def _kept(x: Value, dims: tuple[int, ...]) -> Shape:
    return tuple(1 if i in dims else d for i, d in enumerate(x.type.shape))


def _operands(value: Value, kind: type[Mul | Add]) -> Iterator[tuple[Value, Value]]:
    """Yield both operands of a sum or product, either first."""
    owner = _plain(value).owner
    if isinstance(owner, kind) and owner.activation == "none":
        yield owner.a, owner.b
        yield owner.b, owner.a


def _inverse_deviation(value: Value) -> tuple[Value, float] | None:
    """Return the variance, and the number added to it, of whose root a value is the inverse."""
    owner = _plain(value).owner
    if not isinstance(owner, Rsqrt):
        return None
    for variance, added in _operands(owner.x, Add):
        epsilon = _number(added)
        if epsilon is not None and math.isfinite(epsilon):
            return variance, epsilon
    return None


def _number(value: Value) -> float | None:
    """Return what a constant of one element is, or stands for."""
    writer = value.owner
    stored = writer.operands if isinstance(writer, Dequantize) else (value,)
    arrays = [weight.array() for v in stored if (weight := constant(v)) is not None]
    if value.type.size != 1 or len(arrays) < len(stored):
        return None
    return float((Dequantize.evaluate(*arrays) if isinstance(writer, Dequantize) else arrays[0]).item())


def _mean(value: Value) -> tuple[Value, Value, tuple[int, ...]] | None:
    """Return a mean, what it is of, and along which axes of more than one element."""
    mean = _plain(value)
    if not isinstance(mean.owner, Reduce) or mean.owner.kind != "mean":
        return None
    x = mean.owner.x
    return mean, x, tuple(sorted(d for d in mean.owner.dims if x.type.shape[d] != 1))


def _mean_of_squares(variance: Value, x: Value) -> tuple[Value, tuple[int, ...]] | None:
    """Return the mean of ``x`` if a value is the mean of squared differences from it, and along which axes."""
    outer = _mean(variance)
    if outer is None:
        return None
    for one, other in _differences(outer[1]):
        inner = _mean(other)
        if one is x and inner is not None and inner[1] is x and inner[2] == outer[2]:
            is_aligned = other.type.shape == _kept(x, outer[2])
            return (inner[0], outer[2]) if is_aligned else None
    return None


def _differences(square: Value) -> Iterator[tuple[Value, Value]]:
    """Yield what two values are whose difference is squared, either first."""
    match square.owner:
        case SquaredDifference(a=a, b=b):
            yield a, b
            yield b, a
        case Square(x=Value(owner=Sub(a=a, b=b))):
            yield a, b
        case Mul(a=Value(owner=Sub(a=a, b=b)) as one, b=other) if one is other:
            yield a, b
        case _:
            return


def _shift(value: Value, norm: _Norm) -> tuple[bool, Value | None]:
    """Whether a value is a constant, or nothing, minus the mean times the factor; and that constant."""
    plain = _plain(value)
    if isinstance(plain.owner, Neg):
        return _is_product(plain.owner.x, norm.factor, norm.mean), None
    if isinstance(plain.owner, Sub) and plain.owner.activation == "none":
        beta = plain.owner.a
        is_zero = _number(beta) == 0
        return is_weight(beta) and _is_product(plain.owner.b, norm.factor, norm.mean), None if is_zero else beta
    negated = [b for a, b in _operands(plain, Mul) if _plain(a) is norm.factor]
    return any(isinstance(n := _plain(v).owner, Neg) and _plain(n.x) is norm.mean for v in negated), None


def _is_product(value: Value, factor: Value, mean: Value) -> bool:
    return any(_plain(a) is factor and _plain(b) is mean for a, b in _operands(value, Mul))
