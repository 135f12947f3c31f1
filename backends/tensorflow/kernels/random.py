"""Rows of the table for random numbers, drawn anew in each run."""

from __future__ import annotations

from ....compiler.ops import random as ir
from ....compiler.types import DType
from ..table import Attribute, Call, Dims, emits, scalar


def _seeds(seed: int | None) -> dict[str, Attribute]:
    """Two numbers that are both zero ask for other numbers in each process."""
    return {"seed": seed or 0, "seed2": 0 if seed is None else 1}


@emits(ir.RandomUniform, "RandomUniform")
def random_uniform(op: ir.RandomUniform) -> Call:
    """Uniform numbers of the Philox generator, with the seeds of the operation."""
    return Call((Dims(op.shape, dtype=DType.I32),), _seeds(op.seed))


@emits(ir.RandomNormal, "RandomStandardNormal")
def random_normal(op: ir.RandomNormal) -> Call:
    """Normal numbers of the Philox generator, with the seeds of the operation."""
    return Call((Dims(op.shape, dtype=DType.I32),), _seeds(op.seed))


@emits(ir.RandomChoice, "Multinomial", ranks=range(2, 3))
def random_choice(op: ir.RandomChoice) -> Call:
    """Categories drawn by the Philox generator, with the seeds of the operation."""
    return Call((op.logits, scalar(op.count, DType.I32)), _seeds(op.seed))
