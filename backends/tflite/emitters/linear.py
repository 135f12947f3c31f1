"""Rows of the table for matrix products and linear layers."""

from __future__ import annotations

from typing import Any

from ....compiler.constants import is_weight
from ....compiler.ops import linear as ir
from ....compiler.scales import WIDE
from ....compiler.types import DType
from ..hybrid import by_rows, is_in_blocks, is_per_channel, rounding, rows, takes_blocks
from ..table import Call, Quantizable, condition, emits, options
from .common import activation


@condition("a constant weight")
def _constant_weight(op: ir.Linear) -> str | None:
    return None if is_weight(op.w) else "a weight that is computed; BATCH_MATMUL is five times as fast"


@condition("features along the last axis")
def _features_last(op: ir.Linear) -> str | None:
    return None if op.is_along_last else f"features along axis {op.axis}; BATCH_MATMUL takes them so"


@emits(
    ir.Linear,
    "FULLY_CONNECTED",
    dtypes="f32",
    ranks=range(2, 7),
    when=(_features_last, by_rows),
    kernel="fully_connected.cc",
)
def fully_connected_rounding(op: ir.Linear) -> Call:
    """Every row is rounded by a scale and a zero point of its own."""
    given = options("FullyConnectedOptions", **_options(op), asymmetricQuantizeInputs=True)
    # no version speaks of blocks: 13 is that of the first runtimes that read them
    version = 13 if is_in_blocks(op.w) else 12 if is_per_channel(op.w) else 9
    return rounding(op, Call((op.x, op.w, op.bias), given), version, 12)


@emits(
    ir.Linear,
    "FULLY_CONNECTED",
    dtypes=Quantizable(version=4, weight="w", bias="bias", types=WIDE, version16=7, rounds=rows, blocks=takes_blocks),
    ranks=range(2, 7),
    when=(_constant_weight, _features_last),
    kernel="fully_connected.cc",
)
def fully_connected(op: ir.Linear) -> Call:
    """Leading axes stay what they are; a missing bias is a third operand left out, which old runtimes know."""
    given = options("FullyConnectedOptions", **_options(op))
    return Call((op.x, op.w, op.bias), given, 5 if op.x.type.rank > 2 else 1)


def _options(op: ir.Linear) -> dict[str, Any]:
    return {"fusedActivationFunction": activation(op), "keepNumDims": op.x.type.rank > 2}


@condition("both of at most 5 axes")
def _ranks(op: ir.MatMul) -> str | None:
    ranks = (op.a.type.rank, op.b.type.rank)
    return None if max(ranks) <= MAX_BATCH_RANK else f"matrices in tensors of more than {MAX_BATCH_RANK} axes"


MAX_BATCH_RANK = 5


@emits(
    ir.MatMul,
    "BATCH_MATMUL",
    dtypes=Quantizable(is_product=True, types=WIDE - {DType.U8}),
    ranks=range(2, MAX_BATCH_RANK + 1),
    when=(_ranks,),
    kernel="batch_matmul.cc",
)
def batch_matmul(op: ir.MatMul) -> Call:
    """BATCH_MATMUL: either matrix may be transposed, and batch axes broadcast."""
    return Call((op.a, op.b), options("BatchMatMulOptions", adjX=op.transpose_a, adjY=op.transpose_b))
