"""Rows of the table for random numbers, drawn anew in each run."""

from __future__ import annotations

from ....compiler.ops import random as ir
from ..table import Call, Dims, Options, emits, int_scalar, options


def _seeds(seed: int | None) -> Options:
    """Two numbers that are both zero ask for other numbers in each process."""
    return options("RandomOptions", seed=seed or 0, seed2=0 if seed is None else 1)


@emits(ir.RandomUniform, "RANDOM_UNIFORM", dtypes={}, kernel="random_ops.cc")
def random_uniform(op: ir.RandomUniform) -> Call:
    """RANDOM_UNIFORM: drawn by the runtime's Philox generator, from a seed."""
    return Call((Dims(op.shape),), _seeds(op.seed))


@emits(ir.RandomNormal, "RANDOM_STANDARD_NORMAL", dtypes={}, kernel="random_ops.cc")
def random_normal(op: ir.RandomNormal) -> Call:
    """RANDOM_STANDARD_NORMAL: drawn by the runtime's Philox generator, from a seed."""
    return Call((Dims(op.shape),), _seeds(op.seed))


@emits(ir.RandomChoice, "MULTINOMIAL", dtypes={"logits": "f32", "dtype": "i32 i64"}, kernel="random_ops.cc")
def random_choice(op: ir.RandomChoice) -> Call:
    """MULTINOMIAL: drawn by the runtime's Philox generator, from a seed."""
    return Call((op.logits, int_scalar(op.count)), _seeds(op.seed))
