"""Rewrites after which a file has fewer nodes; they apply to what the standard has, too."""

from __future__ import annotations

from ....compiler.dims import static
from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.arith import Add, Div, Mul, Reciprocal, Rsqrt, Sqrt
from ....compiler.ops.norm import BatchNorm
from ....compiler.weights import Weight
from .lowering import Build, improve


@improve(Add)
def scale_and_shift_of_channels(op: Add, e: Build) -> None:
    """A factor, then a term for every channel: a batch normalisation of mean 0 and variance 1."""
    for x, shift in ((op.a, op.b), (op.b, op.a)):
        match x.owner:
            case Mul(a=a, b=b, activation="none") if x.has_one_use and op.activation == "none":
                for data, factor in ((a, b), (b, a)):
                    if _per_channel(data, factor, op) and _per_channel(data, shift, op):
                        channels, dtype = data.type.shape[1:2], data.type.dtype
                        scale, bias = (e.reshape(v, channels) for v in (factor, shift))
                        mean, variance = (e.constant(Weight.splat(n, dtype, static(channels))) for n in (0, 1))
                        e.replace(e(BatchNorm, data, scale, bias, mean, variance, epsilon=0.0))
                        return
            case _:
                continue


def _per_channel(data: Value, parameter: Value, op: Add) -> bool:
    """Whether a constant has one number for each position along axis 1 of the data, and nothing else."""
    shape, rank = data.type.shape, data.type.rank
    if data.type != op.result.type or constant(parameter) is None or rank < 3 or not data.type.dtype.is_float:
        return False
    padded = (1,) * (rank - parameter.type.rank) + parameter.type.shape
    return padded == (1, shape[1], *[1] * (rank - 2)) and shape[1] != 1 and constant(data) is None


@improve(Mul)
def divide_by_root(op: Mul, e: Build) -> None:
    """A product with what only it takes the inverse of, or the inverse root of, is a quotient."""
    for x, inverted in ((op.a, op.b), (op.b, op.a)):
        match inverted.owner:
            case Reciprocal(x=divisor) if inverted.has_one_use:
                e.replace(e(Div, x, divisor, op.activation))
                return
            case Rsqrt(x=square) if inverted.has_one_use:
                e.replace(e(Div, x, e(Sqrt, square), op.activation))
                return
            case _:
                continue
