"""Handlers of random numbers, which are drawn anew in each run of the network."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import random as ir
from ....compiler.types import DType
from ...common.random import seed_of
from ..emitter import Emitter
from ..registry import tf_op


@tf_op("RandomUniform")
def random_uniform(emit: Emitter, shape: Value, *, dtype: DType, seed: int = 0, seed2: int = 0) -> Value:
    """RandomUniform: numbers from 0 up to, not including, 1, in a shape that may be computed."""
    return emit.cast(emit(ir.RandomUniform(emit.dims(shape, "shape"), seed_of(seed, seed2))), dtype)


@tf_op("RandomStandardNormal")
def random_standard_normal(emit: Emitter, shape: Value, *, dtype: DType, seed: int = 0, seed2: int = 0) -> Value:
    """RandomStandardNormal: numbers of mean 0 and standard deviation 1, in a shape that may be computed."""
    return emit.cast(emit(ir.RandomNormal(emit.dims(shape, "shape"), seed_of(seed, seed2))), dtype)


@tf_op("Multinomial")
def multinomial(
    emit: Emitter, logits: Value, num_samples: Value, *, seed: int = 0, seed2: int = 0, output_dtype: DType = DType.I64
) -> Value:
    """Multinomial: columns drawn for each row, whose elements are logarithms of probabilities."""
    return emit(ir.RandomChoice(logits, emit.int(num_samples, "num_samples"), output_dtype, seed_of(seed, seed2)))
