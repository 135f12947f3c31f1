"""Random numbers."""

from __future__ import annotations

from ....compiler.ir import Value
from ....compiler.ops import random as ir
from ....compiler.types import DType
from ...common.random import seed_of
from ..emitter import Emitter
from ..registry import tf_op


@tf_op("RandomUniform")
def random_uniform(emit: Emitter, shape: Value, *, dtype: DType, seed: int = 0, seed2: int = 0) -> Value:
    """Numbers from 0 to 1."""
    return emit.cast(emit(ir.RandomUniform(emit.dims(shape, "shape"), seed_of(seed, seed2))), dtype)


@tf_op("RandomStandardNormal")
def random_standard_normal(emit: Emitter, shape: Value, *, dtype: DType, seed: int = 0, seed2: int = 0) -> Value:
    """Numbers of mean 0 and deviation 1."""
    return emit.cast(emit(ir.RandomNormal(emit.dims(shape, "shape"), seed_of(seed, seed2))), dtype)


@tf_op("Multinomial")
def multinomial(
    emit: Emitter, logits: Value, num_samples: Value, *, seed: int = 0, seed2: int = 0, output_dtype: DType = DType.I64
) -> Value:
    """Columns drawn for each row."""
    return emit(ir.RandomChoice(logits, emit.int(num_samples, "num_samples"), output_dtype, seed_of(seed, seed2)))
