"""Broadcasting: folded into few axes, made explicit where kernels don't do it, dropped where they do."""

from __future__ import annotations

from ....compiler.dims import Dim, exact_div
from ....compiler.ir import Op, Value
from ....compiler.opdef import OPS, Elementwise, broadcast_shapes
from ....compiler.ops.arith import Add, Atan2, Max, Min, Mul
from ....compiler.ops.logic import BitwiseAnd
from ....compiler.ops.shape import BroadcastTo, Tile
from ....compiler.types import DType
from .. import broadcast
from ..lowering import Build, improve, lower, prepare

ELEMENTWISE = tuple(cls for cls in OPS.values() if cls.spec.has(Elementwise) and len(cls.spec.operands) > 1)


@prepare(*ELEMENTWISE)
def drop_broadcasts(op: Op, e: Build) -> None:
    """An operand need not be repeated where the operation broadcasts by itself."""
    for slot, value in enumerate(op.operands):
        if value is None or not isinstance(value.owner, BroadcastTo):
            continue
        operands = [*op.operands]
        operands[slot] = value.owner.x
        if broadcast_shapes(v.type.shape for v in operands if v is not None) == op.results[0].type.shape:
            e.replace(e.clone(op, *operands))
            return


@lower(*ELEMENTWISE, general=True)
def fold_axes(op: Op, e: Build) -> None:
    """Merge neighbouring axes that broadcast alike."""
    if not broadcast.needs_fold(op):
        return
    runs = broadcast.folds(broadcast.shapes_of(op))
    operands = [None if v is None else e.reshape(v, broadcast.fold_shape(v.type.shape, runs)) for v in op.operands]
    e.replace(e.clone(op, *operands))


@lower(Atan2, BitwiseAnd, Add, Mul, Max, Min)
def repeat_operands(op: Atan2 | BitwiseAnd | Add | Mul | Max | Min, e: Build) -> None:
    """The kernel does not broadcast: those of f64 don't, nor some others."""
    if isinstance(op, Add | Mul | Max | Min) and op.a.type.dtype is not DType.F64:
        return
    shape = op.result.type.shape
    if broadcast.same_shapes(op) is not None and op.a.type.dtype is op.b.type.dtype:
        e.replace(e.clone(op, *(_broadcast(v, shape, e) for v in (op.a, op.b))))


def _broadcast(value: Value, shape: tuple[Dim, ...], e: Build) -> Value:
    return value if value.type.shape == shape else e(BroadcastTo, value, shape)


@lower(BroadcastTo)
def repeat(op: BroadcastTo, e: Build) -> None:
    """Tile along the axes of size one."""
    given = (1,) * (len(op.shape) - op.x.type.rank) + op.x.type.shape
    repeats = [exact_div(wanted, have) for have, wanted in zip(given, op.shape, strict=True)]
    if all(have in {1, wanted} for have, wanted in zip(given, op.shape, strict=True)) and None not in repeats:
        e.replace(e(Tile, e.reshape(op.x, given), tuple(repeats)))


@improve(Tile)
def drop_single_tiles(op: Tile, e: Build) -> None:
    """Repeating once does nothing."""
    if all(r == 1 for r in op.repeats):
        e.replace(op.x)
