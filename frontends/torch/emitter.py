"""What handlers work with: inserting operations, converting element types, saying what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from torch import fx

from ...compiler.diagnostics import CompileError, error
from ...compiler.dims import Dim, Sym, at_least, is_by_data, is_static, static
from ...compiler.ir import Value
from ...compiler.ops.arith import Cast
from ...compiler.ops.bound import BindSizes
from ...compiler.ops.core import Const
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from ..bound import ANY_SIZE, Bounds, Element, Position
from ..emitter import BaseEmitter
from .locations import code
from .promotion import Operand, number_type, promote
from .sizes import size_value
from .symbols import Symbols


@dataclass(frozen=True)
class Emitter(BaseEmitter):
    """Builds the operations of one node.

    ``types`` are those of the node's results as PyTorch states them (None for what is no tensor), ``needed`` the
    numbers of the results that somebody reads, ``inputs`` the tensors whose shapes tell named sizes, ``symbols``
    what names stand for.
    """

    node: fx.Node
    types: tuple[TensorType | None, ...]
    needed: frozenset[int]
    inputs: Sequence[Value]
    symbols: Symbols

    @property
    def type(self) -> TensorType:
        """The type of the first result."""
        first = self.types[0]
        assert first is not None
        return first

    @property
    def dtype(self) -> DType:
        """The element type of the first result."""
        return self.type.dtype

    @property
    def shape(self) -> tuple[Dim, ...]:
        """The shape of the first result."""
        return self.type.shape

    def full(self, value: Operand, type: TensorType) -> Value:
        """Return a tensor of one number: a constant if number and sizes are known, else a broadcast scalar."""
        if is_static(type.shape) and isinstance(value, int | float):
            return self.const(Weight.splat(value, type.dtype, static(type.shape)))
        return self.expand(self.value(value, type.dtype), type.shape)

    def value(self, x: Operand, dtype: DType) -> Value:
        """Return a tensor or number as a tensor of an element type."""
        if isinstance(x, Value):
            return self.cast(x, dtype)
        if isinstance(x, Sym):
            return self.cast(size_value(self, x, self.inputs, self.symbols.bound), dtype)
        return self.const(np.asarray(x).astype(dtype.numpy))

    def cast(self, x: Value, dtype: DType) -> Value:
        """Convert the element type unless it is the same; what becomes bool is true where it is not zero."""
        if x.type.dtype is dtype:
            return x
        folded = x.owner.value if isinstance(x.owner, Const) and x.type.size == 1 else None
        if folded is not None:
            return self.const(folded.array().astype(dtype.numpy))
        return self(Cast(x, dtype))

    def promoted(self, *operands: Operand) -> tuple[Value, ...]:
        """Return operands as tensors of the element type in which PyTorch computes with them."""
        dtype = promote(operands)
        return tuple(self.value(x, dtype) for x in operands)

    def own_type(self, x: Operand) -> Value:
        """Return a tensor or a number as a tensor of its own element type."""
        return x if isinstance(x, Value) else self.value(x, number_type(x))

    def fresh(self) -> Sym:
        """Return a symbolic size with a new name, for a size that data decides about."""
        return self.symbols.fresh()

    def bind(self, name: Dim, x: Value, bounds: Bounds = ANY_SIZE) -> None:
        """Let a size that PyTorch names be what a tensor of one element holds; other ones are known."""
        if isinstance(name, int) or not name.expr.is_Symbol:
            return
        self.all(BindSizes(self.reshape(x, (1,)), (name,), (bounds.least,), (bounds.most,)))
        self.symbols.bound[str(name)] = self.cast(self.reshape(x, ()), DType.I64)

    def position(self, dim: Dim) -> Dim | Position:
        """Return a position along an axis; where data decides whether it counts from the end, with what computes it."""
        if not is_by_data(dim) or at_least(dim, 0) or at_least(-1, dim):
            return dim
        return Position(dim, Element(self.value(dim, DType.I64), 0))

    def fail(self, message: str, *, code: str = "F005", help: str | None = None) -> CompileError:
        """Build the error that this node can't be imported; by default because of the variant of the operator."""
        return error(code, f"{self.node.target} {message}", excerpt=self.line, help=help)

    @property
    def line(self) -> str | None:
        """The line of the model's Python code that the node comes from, if PyTorch has kept it."""
        return code(self.node)

    def scalar(self, value: Value, what: str) -> Any:
        """Return the only element of a tensor that must be known as a number.

        Raises:
            CompileError: F004, it is computed from data.
        """
        found = self.known(value)
        if found is None or found.size != 1 or found.dtype == object:
            help = "Compute it outside of the model, or make it a constant."
            raise self.fail(f"needs to know {what!r} while compiling, but it depends on data", code="F004", help=help)
        return found.item()

    def axis(self, axis: int, rank: int) -> int:
        """Return an axis counted from the front; a scalar is taken for a vector.

        Raises:
            CompileError: F002, there is no such axis.
        """
        rank = max(rank, 1)
        if not -rank <= axis < rank:
            raise self.fail(f"names axis {axis} of data of rank {rank}", code="F002")
        return axis + rank if axis < 0 else axis

    def axes(self, axes: int | Sequence[int] | None, rank: int) -> tuple[int, ...]:
        """Return axes counted from the front; None or none at all means all of them."""
        if axes is None or (not isinstance(axes, int) and not axes):
            return tuple(range(rank))
        found = tuple(self.axis(a, rank) for a in ((axes,) if isinstance(axes, int) else axes))
        return tuple(a for a in found if a < rank)
