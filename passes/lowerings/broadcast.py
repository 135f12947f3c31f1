"""Broadcasting: folded into few axes, made explicit where kernels don't do it, dropped where they do."""

from __future__ import annotations

from ...compiler.broadcasting import fold_shape, folds, needs_fold, shapes_of
from ...compiler.dims import exact_div
from ...compiler.ir import Op
from ...compiler.lowering import Build
from ...compiler.opdef import OPS, Elementwise, broadcast_shapes
from ...compiler.ops.shape import BroadcastTo, Tile
from .registry import lower, prepare, simplify

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
    """Merge neighbouring axes that broadcast alike, for kernels of fewer axes."""
    if not needs_fold(op, e.target.limits.broadcast_rank):
        return
    runs = folds(shapes_of(op))
    operands = [None if v is None else e.reshape(v, fold_shape(v.type.shape, runs)) for v in op.operands]
    e.replace(e.clone(op, *operands))


@lower(BroadcastTo)
def repeat(op: BroadcastTo, e: Build) -> None:
    """The kernel does not broadcast: tile operands along their axes of size one."""
    given = (1,) * (len(op.shape) - op.x.type.rank) + op.x.type.shape
    repeats = [exact_div(wanted, have) for have, wanted in zip(given, op.shape, strict=True)]
    if all(have in {1, wanted} for have, wanted in zip(given, op.shape, strict=True)) and None not in repeats:
        e.replace(e(Tile, e.reshape(op.x, given), tuple(repeats)))


@simplify(Tile)
def drop_single_tiles(op: Tile, e: Build) -> None:
    """Repeating once changes nothing, so the operation is dropped."""
    if all(r == 1 for r in op.repeats):
        e.replace(op.x)
