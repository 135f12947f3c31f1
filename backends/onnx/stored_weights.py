"""Weights that constants of integers stand for, outside of loops and branches.

onnxruntime fuses a product with the ``DequantizeLinear`` before it, and looks for its constants in the graph around
that node only, where those of a whole model don't lie.
"""

from __future__ import annotations

from collections.abc import Iterator

from ...compiler.diagnostics import at
from ...compiler.fold import constant
from ...compiler.ir import Func, Op
from ...compiler.ops.core import Const
from ...compiler.ops.quantize import Dequantize


def lift(func: Func) -> None:
    """Move them out of the regions of a function's operations."""
    for around in list(func.ops):
        for op in list(_inside(around)):
            weights = [constant(v) for v in op.operands]
            if all(w is not None for w in weights) and op.parent is not None:
                with at(op.location):
                    given = [func.body.insert(Const(w), around).result for w in weights if w is not None]
                    outside = func.body.insert(op.clone(given), around)
                op.result.replace_all_uses_with(outside.result)
                op.parent.erase(op)


def _inside(around: Op) -> Iterator[Dequantize]:
    return (op for region in around.regions for op in region.walk() if isinstance(op, Dequantize))
