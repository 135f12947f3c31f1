"""Group normalisations that exporters write as other normalisations between reshapes."""

from __future__ import annotations

import numpy as np

from ..compiler.dims import Dim, exact_div, product
from ..compiler.fold import constant
from ..compiler.ir import Op, Value
from ..compiler.ops.arith import Add, Mul
from ..compiler.ops.core import Const
from ..compiler.ops.norm import GroupNorm, LayerNorm
from ..compiler.ops.shape import Reshape
from ..compiler.rewrite import Rewriter, pattern
from ..compiler.weights import Weight
from .channels import per_channel


@pattern(Reshape)
def reshaped_group_norm(op: Reshape, rw: Rewriter) -> None:
    """A normalisation of runs of neighbouring elements, between a reshape and the one back: it is one of the channels.

    So exporters write group normalisations: as instance normalisations whose channels are the groups.
    """
    norm = op.x.owner
    if not isinstance(norm, GroupNorm | LayerNorm) or not isinstance(norm.x.owner, Reshape):
        return
    source = norm.x.owner.x
    if source.type.shape != op.shape or source.type.rank < 3 or not op.x.has_one_use:
        return
    channels, runs = source.type.shape[1], _runs(norm)
    groups = None if runs is None else exact_div(runs, source.type.shape[0])
    if not isinstance(channels, int) or not isinstance(groups, int) or not groups or channels % groups:
        return
    if isinstance(norm, LayerNorm):
        if groups == channels:
            return  # along whole axes: it can stay what it is
        one = np.ones(channels, source.type.dtype.numpy)
        scale, bias = (rw.emit(Const(Weight.of(v))) for v in (one, 0 * one))
    else:
        aligned = norm.x.type.shape[0] == source.type.shape[0]
        scale, bias = (_spread(v, channels, rw, aligned=aligned) for v in (norm.scale, norm.bias))
    rw.replace(GroupNorm(source, scale, bias, groups, norm.epsilon))


def _runs(norm: GroupNorm | LayerNorm) -> Dim | None:
    """How many runs of neighbouring elements a normalisation looks at; None if it looks at something else."""
    shape = norm.x.type.shape
    if isinstance(norm, GroupNorm):
        return shape[0] * norm.groups if norm.axis == 1 else None
    dims = sorted(d % len(shape) for d in norm.dims)
    is_plain = norm.scale is None and norm.bias is None and dims == list(range(dims[0], len(shape)))
    return product(shape[: dims[0]]) if is_plain else None


def _spread(parameter: Value, channels: int, rw: Rewriter, *, aligned: bool) -> Value:
    """A parameter per channel of the reshaped data as one per channel of the data.

    Raises:
        NoMatch: it is computed, or differs within a channel.
    """
    weight, given = constant(parameter), parameter.type.shape[0]
    rw.require(weight is not None and isinstance(given, int), "a parameter is computed")
    assert weight is not None
    assert isinstance(given, int)
    numbers = weight.array()
    fits = aligned and channels % given == 0
    rw.require(fits or bool((numbers == numbers[0]).all()), "a parameter differs within a channel")
    return rw.emit(Const(Weight.of(np.repeat(numbers, channels // given) if fits else np.resize(numbers, channels))))


@pattern(Mul, Add)
def affine_of_group_norm(op: Mul | Add, rw: Rewriter) -> None:
    """A constant per channel that multiplies a group normalisation or is added to it: its scale and its bias."""
    for x, c in ((op.a, op.b), (op.b, op.a)):
        match x.owner:
            case GroupNorm(scale=scale, bias=bias) as norm if constant(c) is not None and x.type == op.result.type:
                rw.require(x.has_one_use, "the normalised value is used elsewhere too")
                rw.require(op.activation == "none", "the result ends in an activation")
                vector = per_channel(c, norm.axis, x, rw)
                rw.replace(norm.clone((norm.x, *_affine(op, scale, bias, vector, rw))))
                return
            case _:
                continue


def _affine(op: Op, scale: Value, bias: Value, vector: Value, rw: Rewriter) -> tuple[Value, Value]:
    if isinstance(op, Add):
        return scale, rw.emit(Add(bias, vector))
    return rw.emit(Mul(scale, vector)), rw.emit(Mul(bias, vector))
