"""Rows for random numbers that are drawn anew in each run, by seeds that attributes hold."""

from __future__ import annotations

from ....compiler.ops import random as ir
from ....compiler.types import DType
from ..table import FLOATS, Call, Dims, emits, scalar


def _seeds(seed: int | None) -> dict[str, int]:
    return {"global_seed": 0 if seed is None else seed + 1, "op_seed": 0}


@emits(ir.RandomUniform, "RandomUniform", dtypes={})
def random_uniform(op: ir.RandomUniform) -> Call:
    """RandomUniform of f32, from 0 up to, not including, 1, in a shape that may be computed."""
    bounds = scalar(0, DType.F32), scalar(1, DType.F32)
    return Call((Dims(op.shape), *bounds), {"output_type": DType.F32, **_seeds(op.seed)})


@emits(ir.RandomChoice, "Multinomial", dtypes={"logits": FLOATS, "dtype": "i32 i64"})
def random_choice(op: ir.RandomChoice) -> Call:
    """Multinomial with replacement: columns drawn by the logarithms of their probabilities."""
    how = {"convert_type": op.dtype, "with_replacement": True, "log_probs": True}
    return Call((op.logits, scalar(op.count, DType.I64)), {**how, **_seeds(op.seed)})
