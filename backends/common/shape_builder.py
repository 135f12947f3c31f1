"""Sizes that are known only when a network runs, computed in the file from the shapes of its tensors."""

# sympy is untyped; the walk over its expressions is the only place here that sees it
# pyright: reportUnknownMemberType=false, reportUnknownVariableType=false, reportUnknownArgumentType=false

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import reduce
from itertools import groupby
from typing import Any, Generic, Protocol, TypeVar

from ...compiler.dims import Dim, Shape, Sym

T = TypeVar("T")
"""How a target's graph names a tensor; those of sizes are vectors, single sizes vectors of one."""


class Host(Protocol[T]):
    """The graph under construction, as far as sizes need it; all but constants append an operator."""

    def numbers(self, values: Sequence[int]) -> T:
        """Return a constant vector of integers, as a tensor of the file."""
        ...

    def shape_of(self, tensor: T) -> T:
        """Return the shape of a tensor as a vector, computed when the network runs."""
        ...

    def element(self, shape: T, axis: int) -> T:
        """Return the element of a shape at an axis, as a vector of one."""
        ...

    def as_sizes(self, vector: T) -> T:
        """Return a vector of integers in the type that sizes have."""
        ...

    def add(self, a: T, b: T) -> T:
        """Return the elementwise sum of two vectors of sizes."""
        ...

    def sub(self, a: T, b: T) -> T:
        """Return the elementwise difference of two vectors of sizes."""
        ...

    def mul(self, a: T, b: T) -> T:
        """Return the elementwise product of two vectors of sizes."""
        ...

    def floor_div(self, a: T, b: T, *, positive: bool) -> T:
        """Return a quotient rounded down; ``positive`` says that neither number can be negative."""
        ...

    def max(self, a: T, b: T) -> T:
        """Return the elementwise maximum of two vectors of sizes."""
        ...

    def min(self, a: T, b: T) -> T:
        """Return the elementwise minimum of two vectors of sizes."""
        ...

    def join(self, parts: Sequence[T], count: int) -> T:
        """Return several sizes in one vector of ``count``."""
        ...

    def capture(self, key: str) -> T:
        """Return a named size that the graph around this one tells.

        Raises:
            CompileError: B002, none does.
        """
        ...


class ShapeBuilder(Generic[T]):
    """Turns sizes into tensors; what was computed once is used again."""

    def __init__(self, host: Host[T]) -> None:
        self._host = host
        self._sources: dict[str, tuple[T, int, Sym]] = {}
        self._shapes: dict[T, T] = {}
        self._bound: dict[str, tuple[T, int | None]] = {}
        self._converted: dict[T, T] = {}
        self._known: dict[Any, T] = {}

    def learn(self, shape: Shape, tensor: T) -> None:
        """Remember which named sizes the shape of a tensor tells; a plain name is better than an expression."""
        for axis, size in enumerate(shape):
            if not isinstance(size, Sym) or len(size.names) != 1:
                continue
            (name,) = size.names
            known = self._sources.get(name)
            if known is None or (size.expr.is_Symbol and not known[2].expr.is_Symbol):
                self._sources[name] = (tensor, axis, size)

    def bind(self, sizes: Shape, vector: T) -> None:
        """Remember which named sizes the elements of a tensor are."""
        for place, size in enumerate(sizes):
            if isinstance(size, Sym):
                self._bound[str(size)] = (vector, place if len(sizes) > 1 else None)

    def vector(self, sizes: Sequence[Dim]) -> T:
        """Return a vector of sizes, computed from tensors when the network runs."""
        parts: list[T] = []
        for is_number, run in groupby(sizes, lambda d: isinstance(d, int)):
            some: list[Any] = list(run)
            parts += [self._host.numbers(some)] if is_number else [self._expr(d.expr) for d in some]
        return parts[0] if len(parts) == 1 else self._host.join(parts, len(sizes))

    def local(self, name: str) -> T | None:
        """Return a named size that a tensor of this graph tells, None if none does.

        A shape that is a linear expression of the name is solved for it.
        """
        if name in self._bound:
            return self._element(name)
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
        shifted = self._host.sub(read, self._host.numbers([int(offset)])) if offset else read
        if factor == 1:
            return shifted
        return self._host.floor_div(shifted, self._host.numbers([int(factor)]), positive=True)

    def _element(self, name: str) -> T:
        """Return the element that a named size is bound to."""
        if name not in self._known:
            vector, place = self._bound[name]
            if vector not in self._converted:
                self._converted[vector] = self._host.as_sizes(vector)
            whole = self._converted[vector]
            self._known[name] = whole if place is None else self._host.element(whole, place)
        return self._known[name]

    def _axis(self, tensor: T, axis: int) -> T:
        if tensor not in self._shapes:
            self._shapes[tensor] = self._host.shape_of(tensor)
        return self._host.element(self._shapes[tensor], axis)

    def _expr(self, expr: Any) -> T:
        """Return a tensor with the value of a sympy expression; equal parts are computed once."""
        if expr not in self._known:
            self._known[expr] = self._compute(expr)
        return self._known[expr]

    def _compute(self, expr: Any) -> T:
        import sympy

        host = self._host
        if expr.is_Integer:
            return host.numbers([int(expr)])
        if expr.is_Symbol:
            found = self.local(str(expr))
            return host.capture(str(expr)) if found is None else found
        top, bottom = sympy.fraction(sympy.together(expr.args[0] if expr.func is sympy.floor else expr))
        if expr.func is sympy.floor or bottom != 1:
            positive = bool(top.is_nonnegative) and bool(bottom.is_positive)
            return host.floor_div(self._expr(top), self._expr(bottom), positive=positive)
        if expr.func is sympy.ceiling:
            return host.sub(host.numbers([0]), self._expr(sympy.floor(-expr.args[0])))
        if expr.is_Pow:
            return reduce(host.mul, [self._expr(expr.base)] * int(expr.exp))
        combine: dict[Any, Callable[[T, T], T]] = {
            sympy.Add: host.add,
            sympy.Mul: host.mul,
            sympy.Max: host.max,
            sympy.Min: host.min,
        }
        return reduce(combine[expr.func], [self._expr(a) for a in expr.args])
