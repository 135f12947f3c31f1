"""Activation functions that came late."""

from __future__ import annotations

import math

from ....compiler.ops import activation as ir
from ....compiler.ops import arith
from .lowering import Build, lower


@lower(ir.HardSwish)
def hard_swish(op: ir.HardSwish, e: Build) -> None:
    """A product with a hard sigmoid."""
    e.replace(e(arith.Mul, op.x, e(ir.HardSigmoid, op.x, alpha=1 / 6, beta=0.5)))


@lower(ir.Mish, benefit=2)
def mish(op: ir.Mish, e: Build) -> None:
    """By its definition."""
    e.replace(e(arith.Mul, op.x, e(ir.Tanh, e(ir.Softplus, op.x))))


@lower(ir.Gelu)
def gelu(op: ir.Gelu, e: Build) -> None:
    """By its definition, exact or by tanh."""
    x = op.x
    if op.approximate:
        cube = e(arith.Mul, e(arith.Mul, e(arith.Mul, x, x), x), 0.044715)
        inner = e(ir.Tanh, e(arith.Mul, e(arith.Add, x, cube), math.sqrt(2 / math.pi)))
    else:
        inner = e(arith.Erf, e(arith.Mul, x, math.sqrt(0.5)))
    e.replace(e(arith.Mul, e(arith.Mul, x, 0.5), e(arith.Add, inner, 1.0)))


@lower(ir.Softmax, ir.LogSoftmax)
def along_last_axis(op: ir.Softmax | ir.LogSoftmax, e: Build) -> None:
    """Transposes around: before opset 13 all axes from that one on were normalised as one."""
    rank = op.x.type.rank
    if op.axis == rank - 1:
        return
    swap = [*range(rank)]
    swap[op.axis], swap[-1] = swap[-1], swap[op.axis]
    e.replace(e.transpose(e.clone(op, e.transpose(op.x, swap), axis=rank - 1), swap))
