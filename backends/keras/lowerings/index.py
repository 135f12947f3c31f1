"""Elements picked by coordinates, one-hot vectors, and small integers that are combined at coordinates."""

from __future__ import annotations

from ....compiler.ops import arith
from ....compiler.ops.index import GatherNd, OneHot, ReverseSequence, ScatterNd
from ....compiler.types import DType
from ....passes.lowerings.by_position import compared_with_positions, rows_by_position, rows_in_other_order
from .lowering import Build, lower

lower(GatherNd)(rows_by_position)

WIDER = {
    **dict.fromkeys((DType.I8, DType.I16, DType.U8, DType.U16), DType.I32),
    DType.U32: DType.I64,
}
"""Types in which small integers are combined at positions."""


@lower(ScatterNd, benefit=2)
def combine_in_wider_integers(op: ScatterNd, e: Build) -> None:
    """Small integers are combined in a type that has kernels; sums wrap where they are narrowed again."""
    dtype = op.x.type.dtype
    if op.reduction in ("add", "max", "min") and dtype in WIDER:
        x, updates = (e(arith.Cast, v, to=WIDER[dtype]) for v in (op.x, op.updates))
        e.replace(e(arith.Cast, e.clone(op, x, op.indices, updates), to=dtype))


lower(OneHot)(compared_with_positions)
lower(ReverseSequence)(rows_in_other_order)
