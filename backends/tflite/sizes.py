"""Sizes that are known only when the network runs, computed in the file from the shapes of its tensors."""

# sympy is untyped; the walk over its expressions is the only place here that sees it
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from functools import reduce
from itertools import groupby
from typing import Any, Protocol

import numpy as np

from ...compiler.dims import Shape, Sym
from ...compiler.types import DType, TensorType
from ...compiler.weights import Weight
from .table import Dims, Operand, Options, ints, options

ONE = TensorType(DType.I32, (1,))

_JOIN = options("ConcatenationOptions", axis=0)
_SHAPE = options("ShapeOptions", outType=DType.I32)


class Host(Protocol):
    """The subgraph under construction, as far as sizes need it."""

    def operator(
        self, builtin: str, inputs: list[int], outputs: list[int], options: Options | None = None, version: int = 1
    ) -> None:
        """Append an operator."""
        ...

    def temporary(self, type: TensorType) -> int:
        """Append a tensor."""
        ...

    def tensor(self, operand: Operand) -> int:
        """Return the number of an operand's tensor."""
        ...

    def rank(self, tensor: int) -> int:
        """Return the number of axes of a tensor."""
        ...

    def capture(self, key: str) -> int:
        """Return a size that the subgraph around knows."""
        ...


class Sizes:
    """Turns sizes into tensors; what was computed once is used again."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._sources: dict[str, tuple[int, int, Sym]] = {}
        self._shapes: dict[int, int] = {}
        self._known: dict[Any, int] = {}
        self._vectors: dict[Dims, int] = {}

    def learn(self, shape: Shape, tensor: int) -> None:
        """Remember which named sizes the shape of a tensor tells; a plain name is better than an expression."""
        for axis, size in enumerate(shape):
            if not isinstance(size, Sym) or len(size.names) != 1:
                continue
            (name,) = size.names
            known = self._sources.get(name)
            if known is None or (size.expr.is_Symbol and not known[2].expr.is_Symbol):
                self._sources[name] = (tensor, axis, size)

    def vector(self, dims: Dims) -> int:
        """Return the tensor of several sizes."""
        if all(isinstance(d, int) for d in dims.values):
            shape = (len(dims.values),) if dims.shape is None else dims.shape
            return self._host.tensor(Weight.of(np.asarray(dims.values, dims.dtype.numpy).reshape(shape)))
        if dims not in self._vectors:
            self._vectors[dims] = self._vector(dims)
        return self._vectors[dims]

    def _vector(self, dims: Dims) -> int:
        parts: list[int] = []
        for is_number, run in groupby(dims.values, lambda d: isinstance(d, int)):
            sizes = list(run)
            parts += [self._number(*sizes)] if is_number else [self._expr(d.expr) for d in sizes if isinstance(d, Sym)]
        type = TensorType(DType.I32, (len(dims.values),))
        joined = parts[0] if len(parts) == 1 else self._apply("CONCATENATION", parts, type, _JOIN)
        if dims.shape is not None:
            type = type.with_shape(dims.shape)
            joined = self._apply("RESHAPE", [joined, self._host.tensor(ints(*dims.shape))], type)
        return joined if dims.dtype is DType.I32 else self._apply("CAST", [joined], type.with_dtype(dims.dtype))

    def local(self, name: str) -> int | None:
        """Return a named size that a tensor of this subgraph tells, None if none does.

        A shape that is a linear expression of the name is solved for it.
        """
        source = self._sources.get(name)
        if source is None:
            return None
        tensor, axis, size = source
        offset = size.expr.subs(dict.fromkeys(size.expr.free_symbols, 0))
        factor = size.expr.subs(dict.fromkeys(size.expr.free_symbols, 1)) - offset
        if not (factor.is_Integer and offset.is_Integer) or size.expr.diff(*size.expr.free_symbols) != factor:
            return None
        if size.expr not in self._known:
            self._known[size.expr] = self._axis(tensor, axis)
        read = self._known[size.expr]
        shifted = self._fold("SUB", [read, self._number(int(offset))]) if offset else read
        return shifted if factor == 1 else self._fold("FLOOR_DIV", [shifted, self._number(int(factor))])

    def _axis(self, tensor: int, axis: int) -> int:
        if tensor not in self._shapes:
            rank = self._host.rank(tensor)
            self._shapes[tensor] = self._apply("SHAPE", [tensor], TensorType(DType.I32, (rank,)), _SHAPE)
        cut = [self._shapes[tensor], self._host.tensor(ints(axis)), self._host.tensor(ints(1))]
        return self._apply("SLICE", cut, ONE)

    def _number(self, *values: Any) -> int:
        return self._host.tensor(ints(*values))

    def _expr(self, expr: Any) -> int:
        """Return a tensor with the value of a sympy expression; equal parts are computed once."""
        if expr not in self._known:
            self._known[expr] = self._compute(expr)
        return self._known[expr]

    def _compute(self, expr: Any) -> int:
        import sympy

        if expr.is_Integer:
            return self._number(int(expr))
        if expr.is_Symbol:
            found = self.local(str(expr))
            return self._host.capture(str(expr)) if found is None else found
        top, bottom = sympy.fraction(sympy.together(expr.args[0] if expr.func is sympy.floor else expr))
        if expr.func is sympy.floor or bottom != 1:
            return self._fold("FLOOR_DIV", [self._expr(top), self._expr(bottom)])
        if expr.func is sympy.ceiling:
            return self._fold("SUB", [self._number(0), self._expr(sympy.floor(-expr.args[0]))])
        if expr.is_Pow:
            return self._fold("MUL", [self._expr(expr.base)] * int(expr.exp))
        builtins: dict[Any, str] = {sympy.Add: "ADD", sympy.Mul: "MUL", sympy.Max: "MAXIMUM", sympy.Min: "MINIMUM"}
        return self._fold(builtins[expr.func], [self._expr(a) for a in expr.args])

    def _fold(self, builtin: str, parts: list[int]) -> int:
        return reduce(lambda a, b: self._apply(builtin, [a, b], ONE), parts)

    def _apply(self, builtin: str, inputs: list[int], type: TensorType, given: Options | None = None) -> int:
        out = self._host.temporary(type)
        self._host.operator(builtin, inputs, [out], given)
        return out
