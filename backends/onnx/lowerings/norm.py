"""Lowerings of normalisations to those that ONNX has."""

from __future__ import annotations

from ....compiler.dims import is_static
from ....compiler.ir import Value
from ....compiler.ops import arith
from ....compiler.ops.norm import BatchNorm, GroupNorm, LayerNorm, LocalResponseNorm, RmsNorm
from ....compiler.ops.shape import BroadcastTo, inverse
from ....compiler.types import DType
from ....compiler.weights import Weight
from .lowering import Build, lower

IMAGES = 4
"""Rank of a batch of images."""


@lower(LayerNorm, RmsNorm, benefit=2)
def parameters_by_themselves(op: LayerNorm | RmsNorm, e: Build) -> None:
    """Parameters that broadcast are repeated where they are constant, else they follow as a product and a sum."""
    rank, count = op.x.type.rank, len(op.dims)
    shape = op.x.type.shape[rank - count :]
    given = [v for v in op.operands[1:] if v is not None]
    if tuple(sorted(d % rank for d in op.dims)) != tuple(range(rank - count, rank)) or not is_static(shape):
        return
    if all(v.type.shape == shape for v in given):
        return
    if all(v.type.rank <= count for v in given):
        wide = [v if v is None or v.type.shape == shape else e(BroadcastTo, v, shape) for v in op.operands[1:]]
        e.replace(e.clone(op, op.x, *wide))
        return
    out = e.clone(op, op.x, *(None for _ in op.operands[1:]))
    out = out if op.scale is None else e(arith.Mul, out, op.scale)
    bias = op.bias if isinstance(op, LayerNorm) else None
    e.replace(out if bias is None else e(arith.Add, out, bias))


@lower(LayerNorm, RmsNorm, benefit=3)
def normalized_axes_last(op: LayerNorm | RmsNorm, e: Build) -> None:
    """Transposes around, where only last axes are normalised whole: three nodes do what else takes nine."""
    rank = op.x.type.rank
    dims = sorted(d % rank for d in op.dims)
    others = [a for a in range(rank) if a not in dims]
    if not dims or not others or dims[0] > others[-1]:
        return
    order, shape = (*others, *dims), tuple(op.x.type.shape[d] for d in dims)
    last = {"dims": tuple(range(len(others), rank))}
    given = [v for v in op.operands[1:] if v is not None]
    aligned = tuple(1 if a in others else op.x.type.shape[a] for a in range(rank))
    if any((1,) * (rank - v.type.rank) + v.type.shape != aligned for v in given):
        return
    flat = [v if v is None else v.type.with_shape(shape) for v in op.operands[1:]]
    moved = op.x.type.with_shape([op.x.type.shape[a] for a in order])
    probe = op.clone((Value(moved), *(None if t is None else Value(t) for t in flat)), **last)
    if not e.target.is_legal(probe):
        return
    parameters = [v if v is None else e.reshape(v, shape) for v in op.operands[1:]]
    e.replace(e.transpose(e.clone(op, e.transpose(op.x, order), *parameters, **last), inverse(order)))


@lower(GroupNorm, benefit=2)
def groups_as_channels(op: GroupNorm, e: Build) -> None:
    """Each group as one channel with all its positions, then scale and bias."""
    shape, channels = op.x.type.shape, op.x.type.shape[1]
    if op.axis != 1 or op.groups == channels:
        return
    rest = e.product(shape[1:])
    dtype, groups = op.x.type.dtype, op.groups
    ones, zeros = (e.constant(Weight.splat(n, dtype, (groups,))) for n in (1, 0))
    flat = e.reshape(op.x, (shape[0], groups, rest // groups))
    out = e.reshape(e(GroupNorm, flat, ones, zeros, groups=groups, epsilon=op.epsilon), shape)
    scale, bias = (_along(v, len(shape) - 2, e) for v in (op.scale, op.bias))
    e.replace(e(arith.Add, e(arith.Mul, out, scale), bias))


def _along(parameter: Value, behind: int, e: Build) -> Value:
    (size,) = parameter.type.shape
    return e.reshape(parameter, (size, *[1] * behind))


@lower(LocalResponseNorm, benefit=2)
def channels_on_axis_one(op: LocalResponseNorm, e: Build) -> None:
    """The operator has channels on axis 1: transpose before and after."""
    rank = op.x.type.rank
    if op.axis == 1 or rank != IMAGES or not op.size % 2 or op.x.type.dtype is DType.F64:
        return
    order = [a for a in range(rank) if a != op.axis]
    perm = (order[0], op.axis, *order[1:])
    e.replace(e.transpose(e.clone(op, e.transpose(op.x, perm), axis=1), inverse(perm)))


@lower(BatchNorm, benefit=2)
def fold_parameters(op: BatchNorm, e: Build) -> None:
    """Channels on another axis: one product and one sum."""
    if op.axis == 1:
        return
    behind = op.x.type.rank - 1 - op.axis
    root = e(arith.Sqrt, e(arith.Add, op.variance, e.number(op.epsilon, op.variance.type.dtype)))
    factor = e(arith.Div, op.scale, root)
    shift = e(arith.Sub, op.bias, e(arith.Mul, op.mean, factor))
    e.replace(e(arith.Add, e(arith.Mul, op.x, _along(factor, behind, e)), _along(shift, behind, e)))
