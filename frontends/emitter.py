"""What the emitters of all frontends share: inserting operations, and naming the node in errors about shapes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..compiler.budget import count_operations
from ..compiler.diagnostics import CompileError
from ..compiler.dims import Dim, Sym
from ..compiler.ir import Op, Region, Value
from ..compiler.ops.arith import Cast
from ..compiler.ops.core import Const
from ..compiler.ops.shape import BroadcastTo, Reshape, Transpose, settled
from ..compiler.types import DType
from ..compiler.value_analysis import Known
from ..compiler.weights import Weight


@dataclass(frozen=True)
class BaseEmitter(ABC):
    """Builds the operations of one node in ``region``; ``known`` answers what values hold.

    Helpers that serve more than one frontend take this class.
    """

    region: Region
    known: Known

    def __call__(self, op: Op) -> Value:
        """Insert an operation and return its only result."""
        count_operations(1)
        return self.region.insert(op).result

    def all(self, op: Op) -> tuple[Value, ...]:
        """Insert an operation that may have several results, and return all of them."""
        count_operations(1)
        return self.region.insert(op).results

    def const(self, value: ArrayLike | Weight, dtype: DType | None = None) -> Value:
        """Insert a constant: a weight, or numbers in the given element type or in NumPy's own."""
        if isinstance(value, Weight):
            return self(Const(value))
        return self(Const(Weight.of(np.asarray(value, None if dtype is None else dtype.numpy))))

    def cast(self, x: Value, dtype: DType) -> Value:
        """Convert the element type unless it is the same."""
        return x if x.type.dtype is dtype else self(Cast(x, dtype))

    def reshape(self, x: Value, shape: Sequence[Dim]) -> Value:
        """Reshape unless the shape is the same; a size that only the number of elements tells is what it tells."""
        shape = settled(x.type.shape, tuple(shape))
        return x if x.type.shape == shape else self(Reshape(x, shape))

    def transpose(self, x: Value, perm: Sequence[int]) -> Value:
        """Permute the axes unless they stay where they are."""
        return x if list(perm) == list(range(len(perm))) else self(Transpose(x, tuple(perm)))

    def expand(self, x: Value, shape: Sequence[Dim]) -> Value:
        """Repeat along axes of size one up to a shape."""
        return x if x.type.shape == tuple(shape) else self(BroadcastTo(x, tuple(shape)))

    @abstractmethod
    def fresh(self) -> Sym:
        """Return the name of a size that data decides about, which is not in use."""

    @abstractmethod
    def fail(self, message: str, *, code: str = "F005", help: str | None = None) -> CompileError:
        """Build the error that this node can't be imported; by default because of the variant of the operator."""

    @contextmanager
    def typed(self) -> Generator[None, None, None]:
        """Turn what helpers of the compiler say about shapes that don't fit into an error of this node.

        Raises:
            CompileError: T001.
        """
        try:
            yield
        except ValueError as bad:
            raise self.fail(f"has operands that don't fit: {bad}", code="T001") from bad
