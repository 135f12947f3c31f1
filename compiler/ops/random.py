"""Random numbers, drawn anew each time a network runs: in the same sequence for the same ``seed``.

Which numbers a seed stands for is up to each runtime.
"""

from __future__ import annotations

import numpy as np

from ..attributes import Count, IndexType
from ..dims import Dim
from ..ir import Op
from ..opdef import Draws, op
from ..operands import Floats
from ..types import Array, DType, TensorType


@op("random_uniform", Draws)
class RandomUniform(Op):
    """Numbers from 0 up to, not including, 1."""

    shape: tuple[Dim, ...]
    seed: Count | None = None

    def infer(self) -> TensorType:
        """The stated shape."""
        return TensorType(DType.F32, self.shape)

    @staticmethod
    def evaluate(*, shape: tuple[int, ...], seed: int | None) -> Array:
        """Draw."""
        return np.random.default_rng(seed).random(shape, np.float32)


@op("random_normal", Draws)
class RandomNormal(Op):
    """Normally distributed numbers of mean 0 and deviation 1, drawn anew in each run."""

    shape: tuple[Dim, ...]
    seed: Count | None = None

    def infer(self) -> TensorType:
        """The stated shape."""
        return TensorType(DType.F32, self.shape)

    @staticmethod
    def evaluate(*, shape: tuple[int, ...], seed: int | None) -> Array:
        """Draw."""
        return np.random.default_rng(seed).standard_normal(shape, np.float32)


@op("random_choice", Draws)
class RandomChoice(Op):
    """For each row, ``count`` columns drawn with probabilities whose logarithms are the elements, up to a constant."""

    logits: Floats
    count: Count
    dtype: IndexType = DType.I64
    seed: Count | None = None

    def infer(self) -> TensorType:
        """One row of choices for each row."""
        if self.logits.type.rank != 2:
            raise ValueError(f"{self.logits.type} has no rows of logarithms")
        return TensorType(self.dtype, (self.logits.type.shape[0], self.count))

    @staticmethod
    def evaluate(logits: Array, *, count: int, dtype: DType, seed: int | None) -> Array:
        """The largest after noise of Gumbel's distribution was added."""
        rows, columns = logits.shape
        noise = np.random.default_rng(seed).gumbel(size=(rows, count, columns))
        return np.argmax(logits[:, None, :] + noise, -1)
