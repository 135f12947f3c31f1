"""Elementwise operations."""

from __future__ import annotations

from ....compiler.ir import Op
from ....compiler.ops.shape import BroadcastTo
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
