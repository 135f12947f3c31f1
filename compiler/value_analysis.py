"""Known values: what an integer tensor holds, as numbers or as sizes that are known by name.

Exporters compute shapes with operations: ``Shape``, ``Gather``, ``Concat``, ``Reshape``.  Their results are known while
compiling, up to the named sizes of the inputs.  :class:`Known` follows such chains on demand, running the reference
semantics on small arrays; those of operations that are :class:`~.opdef.Symbolic` also on arrays of symbolic sizes.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from .dims import Dim, Sym, is_static, static
from .fold import constant
from .ir import Op, Region, Value
from .opdef import Pure, Symbolic
from .types import Array

MAX_ELEMENTS = 1 << 12
"""Larger tensors are no shapes."""


@runtime_checkable
class KnownByType(Protocol):
    """An operation whose result is known from the types of its operands alone."""

    def known(self) -> Array:
        """Return the elements of the only result; sizes may be symbolic."""
        ...


@runtime_checkable
class SymbolicByType(Protocol):
    """An operation whose semantics on symbolic sizes depend on the types of its operands."""

    def symbolic(self, *operands: Array) -> Array:
        """Return the only result; raise ValueError if it can't be told."""
        ...


class Known:
    """Answers what values hold; remembers every answer, so it must not outlive a change of the graph.

    ``names`` are those that elements of values are bound to, in the region where they are.
    """

    def __init__(self) -> None:
        self._answers: dict[Value, Array | None] = {}
        self.names: dict[tuple[Value, int, Region], Sym] = {}

    def learn(self, value: Value, elements: Array) -> None:
        """Remember what the elements of a value are called; more may be known of what is computed from it."""
        self._answers = {v: a for v, a in self._answers.items() if a is not None}
        self._answers[value] = elements

    def __call__(self, value: Value | None) -> Array | None:
        """Return the elements of ``value``: a numeric array, or one of ints and :class:`Sym`; else None."""
        if value is None:
            return None
        if value not in self._answers:
            self._solve(value)
        return self._answers[value]

    def dims(self, value: Value | None) -> tuple[Dim, ...] | None:
        """Return the elements as dimensions, None if they are not known or no integers."""
        array = self(value)
        if array is None or array.dtype.kind not in "iuO":
            return None
        return tuple(d if isinstance(d, Sym) else int(d) for d in array.reshape(-1).tolist())

    def dim(self, value: Value | None) -> Dim | None:
        """Return the only element of a value as a size; None if it is not known."""
        found = self.dims(value)
        return found[0] if found is not None and len(found) == 1 else None

    def unknown(self, value: Value) -> Array | None:
        """Return what stands for the elements of a value that is not known: nothing."""
        del value
        return None

    def _solve(self, value: Value) -> None:
        """Answer for everything that ``value`` is computed from, without recursion: chains can be long."""
        stack = [value]
        while stack:
            top = stack[-1]
            needed = [v for v in self._inputs(top) if v not in self._answers]
            if needed:
                stack += needed
                continue
            stack.pop()
            if top not in self._answers:
                self._answer(top)

    def _inputs(self, value: Value) -> list[Value]:
        op = value.owner
        return [] if op is None or not _can_follow(op) else [v for v in op.operands if v is not None]

    def _answer(self, value: Value) -> None:
        weight = constant(value)
        op = value.owner
        if value.type.size == 0 and is_static(value.type.shape):
            self._answers[value] = np.empty(static(value.type.shape), value.type.dtype.numpy)
        elif weight is not None:
            self._answers[value] = weight.array() if is_small(value) else None
        elif isinstance(op, KnownByType):
            self._answers[value] = _normal(op.known(), value)
        elif op is None or not _can_follow(op):
            self._answers[value] = self.unknown(value)
        else:
            for result, found in zip(op.results, self._compute(op), strict=True):
                self._answers[result] = self.unknown(result) if found is None else found

    def _compute(self, op: Op) -> list[Array | None]:
        operands = [None if v is None else self._answers[v] for v in op.operands]
        unknown = any(a is None and v is not None for a, v in zip(operands, op.operands, strict=True))
        symbolic = any(a is not None and a.dtype == object for a in operands)
        if unknown or (symbolic and not op.spec.has(Symbolic)):
            return [None] * len(op.results)
        assert op.spec.evaluate is not None
        try:
            with np.errstate(all="ignore"):
                if symbolic and isinstance(op, SymbolicByType):
                    return [_normal(op.symbolic(*(a for a in operands if a is not None)), op.results[0])]
                out = op.spec.evaluate(*operands, **op.attributes)
        except (TypeError, ValueError, AttributeError, IndexError, ZeroDivisionError):
            return [None] * len(op.results)  # the semantics don't extend to these sizes, or positions are out of range
        arrays = out if isinstance(out, tuple) else (out,)
        return [_normal(a, r) for a, r in zip(arrays, op.results, strict=True)]


def is_small(value: Value) -> bool:
    """Say whether a tensor has few enough elements to be a shape."""
    return isinstance(value.type.size, int) and value.type.size <= MAX_ELEMENTS


def _can_follow(op: Op) -> bool:
    """Whether the results may be known if the operands are; large ones are nothing that shapes are made of."""
    is_computed = op.spec.has(Pure) and op.spec.evaluate is not None and not op.regions and op.spec.operands
    return bool(is_computed) and not isinstance(op, KnownByType) and all(map(is_small, op.results))


def _normal(array: Any, result: Value) -> Array | None:
    """Return a numeric array where all elements are numbers."""
    array = np.asarray(array)
    if array.dtype == object and not any(isinstance(e, Sym) for e in array.flat):
        return array.astype(result.type.dtype.numpy)
    return array if array.dtype == object else array.astype(result.type.dtype.numpy, copy=False)
