"""How decompositions are declared: functions that rewrite what the table does not take into what it takes."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from ...compiler.diagnostics import Remark, remark
from ...compiler.dims import Dim, product
from ...compiler.ir import Op, Region, Value
from ...compiler.ops.core import Const, Return
from ...compiler.ops.shape import BroadcastTo, Reshape, ShapeOf, Transpose
from ...compiler.rewrite import Pattern, Rewriter
from ...compiler.types import Array, DType
from ...compiler.weights import Weight
from .table import is_legal

O = TypeVar("O", bound=Op)

PATTERNS: list[Pattern] = []
"""All rewrites of legalize-tflite. Of several for one operation, those declared first are tried first."""


@dataclass(frozen=True)
class Decomposition:
    """What the docs say of a rewrite: for which operations it is (none: for many), and what it does."""

    roots: tuple[type[Op], ...]
    text: str


DECOMPOSITIONS: list[Decomposition] = []
"""All ways to express what has no builtin."""

PREPARATIONS: list[Pattern] = []
"""Those that go over the whole module before the others start."""

Rewrite = Callable[[O, "Build"], object]


def lower(*roots: type[O], benefit: int = 1, general: bool = False) -> Callable[[Rewrite[O]], Rewrite[O]]:
    """Declare a decomposition of operations that no row of the table takes; its docstring becomes part of the docs.

    What is ``general`` is a way for many operations alike; the docs describe it once.

    It rewrites by calling :meth:`Build.replace`, returns if it is not meant for the operation, and raises
    :class:`~...compiler.rewrite.NoMatch` if it is but can't: the reason becomes part of the error.
    """

    def wrap(fn: Rewrite[O]) -> Rewrite[O]:
        PATTERNS.append(Pattern(_name(fn), roots, lambda op, rw: fn(op, Build(rw)), benefit, is_legal))
        DECOMPOSITIONS.append(Decomposition(() if general else roots, inspect.getdoc(fn) or ""))
        return fn

    return wrap


def improve(*roots: type[O], benefit: int = 1) -> Callable[[Rewrite[O]], Rewrite[O]]:
    """Declare a rewrite that makes operations faster; it applies to legal ones too."""

    def wrap(fn: Rewrite[O]) -> Rewrite[O]:
        PATTERNS.append(Pattern(_name(fn), roots, lambda op, rw: fn(op, Build(rw)), benefit))
        return fn

    return wrap


def prepare(*roots: type[O]) -> Callable[[Rewrite[O]], Rewrite[O]]:
    """Declare a rewrite of what others would spoil: it applies everywhere before they start, and along with them."""

    def wrap(fn: Rewrite[O]) -> Rewrite[O]:
        improve(*roots, benefit=4)(fn)
        PREPARATIONS.append(PATTERNS[-1])
        return fn

    return wrap


def _name(fn: Callable[..., object]) -> str:
    return fn.__name__.strip("_").replace("_", "-")


class Build:
    """Builds operations before the one that is rewritten; numbers among the operands become constants."""

    def __init__(self, rw: Rewriter) -> None:
        self.rw = rw

    def __call__(self, kind: type[Op], *args: object, **attributes: Any) -> Value:
        """Insert an operation, or what it folds to, and return its only result."""
        like = next((a.type.dtype for a in args if isinstance(a, Value)), DType.F32)
        count = len(kind.spec.operands)
        given = [self.number(a, like) if i < count and isinstance(a, int | float) else a for i, a in enumerate(args)]
        return self.rw.emit(kind(*given, **attributes))

    def each(self, op: Op) -> tuple[Value, ...]:
        """Insert an operation with several results."""
        return self.rw.insert(op).results

    def number(self, value: float, dtype: DType) -> Value:
        """Insert a scalar constant."""
        return self.constant(np.asarray(value).astype(dtype.numpy))

    def constant(self, value: Array | Weight) -> Value:
        """Insert a constant."""
        return self.rw.insert(Const(Weight.of(value))).result

    def size(self, value: Dim, dtype: DType) -> Value:
        """Insert a scalar that holds a size: a constant, or the shape of something that has the size."""
        if isinstance(value, int):
            return self.number(value, dtype)
        shape = self(ShapeOf, self(BroadcastTo, self.number(0, DType.I32), (value,)), (0,), dtype=dtype)
        return self.reshape(shape, ())

    def reshape(self, x: Value, shape: Sequence[Dim]) -> Value:
        """Give a value another shape, if it has not got it."""
        return x if x.type.shape == tuple(shape) else self(Reshape, x, tuple(shape))

    def transpose(self, x: Value, perm: Sequence[int]) -> Value:
        """Permute axes, if there is anything to permute."""
        return x if tuple(perm) == tuple(range(len(perm))) else self(Transpose, x, tuple(perm))

    @staticmethod
    def product(shape: Sequence[Dim]) -> Dim:
        """Multiply sizes."""
        return product(shape)

    def clone(self, op: Op, *operands: Value | None, **attributes: Any) -> Value:
        """Insert the same operation on other operands, with other attributes."""
        return self.rw.emit(op.clone(operands, **attributes))

    def region(self, carried: Sequence[Value], fill: Callable[[Build, list[Value]], tuple[Value, ...]]) -> Region:
        """Return a region on values of the same types; what ``fill`` builds in it is legalized like all else."""
        region = Region([Value(v.type) for v in carried])
        end = region.insert(Return(()))
        inner = Build(Rewriter(end, region))
        returned = fill(inner, region.args)
        region.erase(end)
        region.insert(Return(returned))
        self.rw.inserted += inner.rw.inserted
        return region

    def replace(self, *values: Value) -> None:
        """Replace the results; sizes that are known under different names are taken for the same."""
        results = self.rw.root.results
        self.rw.replace(*(self.reshape(v, r.type.shape) for v, r in zip(values, results, strict=True)))

    def require(self, condition: bool, reason: str) -> None:
        """Give up with a reason unless the condition holds."""
        self.rw.require(condition, reason)

    def warn(self, text: str) -> None:
        """Tell the user what he should know although the result stands."""
        remark(Remark("warning", "legalize-tflite", text, self.rw.root.location))
