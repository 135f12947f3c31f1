"""Known values: what an integer tensor holds, as numbers or as sizes that are known by name.

Exporters compute shapes with operations: ``Shape``, ``Gather``, ``Concat``, ``Reshape``.  Their results are known while
compiling, up to the named sizes of the inputs.  :class:`Known` follows such chains on demand, running the reference
semantics on arrays of symbolic sizes.
"""

from __future__ import annotations

from typing import Any, Protocol, runtime_checkable

import numpy as np

from .dims import Dim, Sym
from .fold import constant
from .ir import Op, Value
from .opdef import Symbolic
from .types import Array

MAX_ELEMENTS = 1 << 12
"""Larger tensors are no shapes."""


@runtime_checkable
class KnownByType(Protocol):
    """An operation whose result is known from the types of its operands alone."""

    def known(self) -> Array:
        """Return the elements of the only result; sizes may be symbolic."""
        ...


class Known:
    """Answers what values hold; remembers every answer, so it must not outlive a change of the graph."""

    def __init__(self) -> None:
        self._answers: dict[Value, Array | None] = {}

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
        """Return the only element as a dimension."""
        found = self.dims(value)
        return found[0] if found is not None and len(found) == 1 else None

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
        if op is None or not op.spec.has(Symbolic) or isinstance(op, KnownByType):
            return []
        return [v for v in op.operands if v is not None]

    def _answer(self, value: Value) -> None:
        weight = constant(value)
        op = value.owner
        if weight is not None:
            small = isinstance(weight.type.size, int) and weight.type.size <= MAX_ELEMENTS
            self._answers[value] = weight.array() if small else None
        elif op is None or not op.spec.has(Symbolic) or op.spec.evaluate is None:
            self._answers[value] = None
        else:
            self._answers.update(zip(op.results, self._compute(op), strict=True))

    def _compute(self, op: Op) -> list[Array | None]:
        if isinstance(op, KnownByType):
            return [_normal(op.known(), op.results[0])]
        operands = [None if v is None else self._answers[v] for v in op.operands]
        if any(a is None and v is not None for a, v in zip(operands, op.operands, strict=True)):
            return [None] * len(op.results)
        assert op.spec.evaluate is not None
        try:
            out = op.spec.evaluate(*operands, **op.attributes)
        except (TypeError, ValueError, AttributeError, ZeroDivisionError):
            return [None] * len(op.results)  # the semantics don't extend to symbolic sizes here
        arrays = out if isinstance(out, tuple) else (out,)
        return [_normal(a, r) for a, r in zip(arrays, op.results, strict=True)]


def _normal(array: Any, result: Value) -> Array | None:
    """Return a numeric array where all elements are numbers."""
    array = np.asarray(array)
    if array.dtype == object and not any(isinstance(e, Sym) for e in array.flat):
        return array.astype(result.type.dtype.numpy)
    return array
