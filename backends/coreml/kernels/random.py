"""Rows of the table for random numbers, drawn anew in each run."""

from __future__ import annotations

from ....compiler.ops import random as ir
from ....compiler.types import DType
from ...common.operands import scalar
from ..table import Call, Nested, Operand, condition, emits, sizes

ANY_SEED = -1
"""The seed that makes MIL draw other numbers in each run."""


def _seed(seed: int | None) -> dict[str, Operand]:
    return {"seed": ANY_SEED if seed is None else seed}


@condition("some axes")
def _axes(op: ir.RandomUniform | ir.RandomNormal) -> str | None:
    return None if op.shape else "no axes"


@emits(ir.RandomUniform, "random_uniform", dtypes={}, when=(_axes,))
def random_uniform(op: ir.RandomUniform) -> Call:
    """Uniformly distributed numbers from zero up to one, without one."""
    low, high = (scalar(n, DType.F32) for n in (0, 1))
    return Call({"shape": sizes(*op.shape), "low": low, "high": high, **_seed(op.seed)})


@emits(ir.RandomNormal, "random_normal", dtypes={}, when=(_axes,))
def random_normal(op: ir.RandomNormal) -> Call:
    """Normally distributed numbers of mean 0 and standard deviation 1."""
    mean, stddev = (scalar(n, DType.F32) for n in (0, 1))
    return Call({"shape": sizes(*op.shape), "mean": mean, "stddev": stddev, **_seed(op.seed)})


@emits(ir.RandomChoice, "cast", dtypes={"logits": "f16 f32", "dtype": "i32"})
def random_choice(op: ir.RandomChoice) -> Call:
    """Columns by the logarithms of their probabilities; MIL gives their numbers as floats."""
    type = op.result.type.with_dtype(op.logits.type.dtype)
    drawn = Nested("random_categorical", type, {"x": op.logits, "mode": "logits", "size": op.count, **_seed(op.seed)})
    return Call({"x": drawn, "dtype": "int32"})
