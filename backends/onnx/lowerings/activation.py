"""Lowerings of activation functions that came late to ONNX."""

from __future__ import annotations

from ....compiler.ops import activation as ir
from ....compiler.ops import arith
from .lowering import Build, lower


@lower(ir.Mish, benefit=2)
def mish(op: ir.Mish, e: Build) -> None:
    """Mish by its definition, for operator sets that do not have it."""
    e.replace(e(arith.Mul, op.x, e(ir.Tanh, e(ir.Softplus, op.x))))


@lower(ir.Softmax, ir.LogSoftmax)
def along_last_axis(op: ir.Softmax | ir.LogSoftmax, e: Build) -> None:
    """Transposes around: before opset 13 all axes from that one on were normalised as one."""
    rank = op.x.type.rank
    if op.axis == rank - 1:
        return
    swap = [*range(rank)]
    swap[op.axis], swap[-1] = swap[-1], swap[op.axis]
    e.replace(e.transpose(e.clone(op, e.transpose(op.x, swap), axis=rank - 1), swap))
