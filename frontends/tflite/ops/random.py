"""Handlers of random numbers, which are drawn anew in each run."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import random as ir
from ....compiler.types import DType
from ...common.random import seed_of
from ..emitter import Emitter
from ..registry import builtin


@builtin("RANDOM_UNIFORM", "RandomOptions", integers="raw")
def random_uniform(emit: Emitter, shape: Value, *, seed: int = 0, seed2: int = 0) -> Value:
    """RANDOM_UNIFORM: numbers that are equally likely between 0 and 1."""
    return emit(ir.RandomUniform(emit.dims(shape, "shape"), seed_of(seed, seed2)))


@builtin("RANDOM_STANDARD_NORMAL", "RandomOptions", integers="raw")
def random_standard_normal(emit: Emitter, shape: Value, *, seed: int = 0, seed2: int = 0) -> Value:
    """RANDOM_STANDARD_NORMAL: normally distributed numbers of mean 0 and deviation 1."""
    return emit(ir.RandomNormal(emit.dims(shape, "shape"), seed_of(seed, seed2)))


@builtin("MULTINOMIAL", "RandomOptions", integers="raw")
def multinomial(emit: Emitter, logits: Value, count: Value, *, seed: int = 0, seed2: int = 0) -> Value:
    """MULTINOMIAL: columns drawn for each row by the logarithms of their probabilities."""
    dtype = emit.result_type(0)
    if dtype not in (DType.I32, DType.I64):
        raise emit.fail(f"gives {dtype}", code="F003")
    return emit(ir.RandomChoice(logits, emit.int(count, "num_samples"), dtype, seed_of(seed, seed2)))
