"""Lowerings of elementwise operations that TensorFlow does not have."""

from __future__ import annotations

from ....compiler.ir import Op
from ....compiler.ops.arith import BitCast, Cast, Square, SquaredDifference, Sub
from ....compiler.ops.logic import NotEqual
from ....compiler.ops.shape import BroadcastTo
from ....compiler.types import DType
from ....passes.lowerings.activated import ENDING, split_activation
from ....passes.lowerings.broadcast import ELEMENTWISE
from ..kernels.common import broadcasting
from .lowering import Build, lower

lower(*ENDING, benefit=5)(split_activation)


@lower(*ELEMENTWISE, general=True)
def repeat_operands(op: Op, e: Build) -> None:
    """Axes that broadcast in more groups than kernels know: operands are repeated before."""
    shape = op.results[0].type.shape
    if broadcasting(op) is not None:
        wide = [v if v is None or v.type.shape == shape else e(BroadcastTo, v, shape) for v in op.operands]
        e.replace(e.clone(op, *wide))


@lower(SquaredDifference)
def square_of_difference(op: SquaredDifference, e: Build) -> None:
    """Difference, then square: TensorFlow may take the operator for a part of something else."""
    e.replace(e(Square, e(Sub, op.a, op.b)))


@lower(BitCast)
def bits_of_truth_values(op: BitCast, e: Build) -> None:
    """Truth values are bytes of zero and one."""
    if op.x.type.dtype is DType.BOOL:
        e.replace(e(BitCast, e(Cast, op.x, to=DType.U8), to=op.to))
    elif op.to is DType.BOOL:
        e.replace(e(NotEqual, e(BitCast, op.x, to=DType.U8), e.number(0, DType.U8)))
