"""Normal random numbers from uniform ones, since OpenVINO draws only these."""

from __future__ import annotations

import math

from ....compiler.ops import arith
from ....compiler.ops.random import RandomNormal, RandomUniform
from .lowering import Build, lower

OTHER = 7919
"""What tells the second draw's seed from the first one's."""


@lower(RandomNormal)
def from_two_uniform(op: RandomNormal, e: Build) -> None:
    """A radius and an angle of uniform numbers (Box and Muller)."""
    seeds = (op.seed, None if op.seed is None else op.seed + OTHER)
    first, second = (e(RandomUniform, op.shape, seed) for seed in seeds)
    radius = e(arith.Sqrt, e(arith.Mul, e(arith.Log, e(arith.Sub, e.number(1, first.type.dtype), first)), -2.0))
    e.replace(e(arith.Mul, radius, e(arith.Cos, e(arith.Mul, second, 2 * math.pi))))
