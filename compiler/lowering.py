"""How lowerings are declared: functions that rewrite what a target can't run into what it can.

A lowering names no target.  It is bound to one when the pass runs: then it applies to what that target's table does not
take, and what it builds may ask for the target's limits.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeVar

import numpy as np

from .diagnostics import Remark, remark
from .dims import Dim, product
from .ir import Op, Region, Value
from .ops.core import Const, Return
from .ops.shape import BroadcastTo, Reshape, ShapeOf, Transpose
from .options import Channels
from .rewrite import Pattern, Rewriter
from .types import Array, DType
from .weights import Weight

O = TypeVar("O", bound=Op)


@dataclass(frozen=True)
class Limits:
    """The most axes that a target's kernels take: of anything, of matrix products, of operands of different shapes."""

    rank: int
    product_rank: int
    broadcast_rank: int


class LoweringTarget(Protocol):
    """What a lowering may ask of the target that it is bound to."""

    @property
    def title(self) -> str:
        """What messages call the target, such as ``TFLite``."""
        ...

    @property
    def channels(self) -> Channels:
        """Where its convolutions have their channels: after the spatial axes, or before."""
        ...

    @property
    def limits(self) -> Limits:
        """How many axes the target's kernels take: of any data, of batches, of broadcasts."""
        ...

    def is_legal(self, op: Op) -> bool:
        """Say whether it runs an operation as it is."""
        ...


Rewrite = Callable[[O, "Build"], object]


@dataclass(frozen=True)
class Lowering:
    """A rewrite on the way to a target; ``always`` also of operations that the target runs as they are.

    With ``steps``, what it makes may round to other integers, up to so many quantization steps away.
    """

    name: str
    roots: tuple[type[Op], ...]
    rewrite: Callable[[Any, Build], object]
    benefit: int = 1
    always: bool = False
    steps: int = 0

    def bind(self, target: LoweringTarget) -> Pattern:
        """Return the pattern that lowers for a target; of the same two, an equal one."""
        unless = None if self.always else target.is_legal
        return Pattern(self.name, self.roots, _Bound(self.rewrite, target), self.benefit, unless, steps=self.steps)


@dataclass(frozen=True)
class _Bound:
    """What a pattern applies: a rewrite that builds for a target."""

    rewrite: Callable[[Any, Build], object]
    target: LoweringTarget

    def __call__(self, op: Op, rw: Rewriter) -> None:
        build = Build(rw, self.target)
        made = self.rewrite(op, build)
        if isinstance(made, Op | Value) and not op.is_unused:
            build.replace(rw.emit(made) if isinstance(made, Op) else made)


@dataclass(frozen=True)
class _Stated:
    """A rewrite that a rule states, which needs nothing but the rewriter."""

    rule: Pattern

    def __call__(self, op: Op, e: Build) -> None:
        self.rule.apply(op, e.rw)


@dataclass(frozen=True)
class Refusal:
    """Says why an operation can't be lowered, and rewrites nothing."""

    why: Callable[[Any], str | None]

    def __call__(self, op: Op, e: Build) -> None:
        """Give up with the reason, if there is one."""
        reason = self.why(op)
        e.require(reason is None, reason or "")


@dataclass(frozen=True)
class Decomposition:
    """What the docs say of a lowering: for which operations it is (none: for many), and what it does."""

    roots: tuple[type[Op], ...]
    text: str


@dataclass
class Lowerings:
    """The lowerings of one owner, in the order in which they are tried: those shared by targets, or one target's own.

    ``documented`` is what the docs say of them; ``preparations`` go over the whole module before the others start.
    """

    patterns: list[Lowering] = field(default_factory=lambda: list[Lowering]())
    documented: list[Decomposition] = field(default_factory=lambda: list[Decomposition]())
    preparations: list[Lowering] = field(default_factory=lambda: list[Lowering]())

    def lower(self, *roots: type[O], benefit: int = 1, general: bool = False) -> Callable[[Rewrite[O]], Rewrite[O]]:
        """Declare a lowering of operations that no row of the target's table takes; the docstring is for the docs.

        What is ``general`` is a way for many operations alike; the docs describe it once.

        It rewrites by calling :meth:`Build.replace`, or returns the new result.  It returns None if it is not meant for
        the operation, and raises :class:`~.rewrite.NoMatch` if it is but can't: the reason becomes part of the error.
        """

        def wrap(fn: Rewrite[O]) -> Rewrite[O]:
            self.patterns.append(Lowering(_name(fn), roots, fn, benefit))
            self.documented.append(Decomposition(() if general else roots, inspect.getdoc(fn) or ""))
            return fn

        return wrap

    def improve(self, *roots: type[O], benefit: int = 1, steps: int = 0) -> Callable[[Rewrite[O]], Rewrite[O]]:
        """Declare a rewrite that makes operations faster; it applies to legal ones too.

        One that rounds again says by how many quantization ``steps`` its integers may differ from the root's.
        """

        def wrap(fn: Rewrite[O]) -> Rewrite[O]:
            self.patterns.append(Lowering(_name(fn), roots, fn, benefit, always=True, steps=steps))
            return fn

        return wrap

    def prepare(self, *roots: type[O]) -> Callable[[Rewrite[O]], Rewrite[O]]:
        """Declare a rewrite of what others would spoil: it applies everywhere before they start, and with them."""

        def wrap(fn: Rewrite[O]) -> Rewrite[O]:
            self.improve(*roots, benefit=4)(fn)
            self.preparations.append(self.patterns[-1])
            return fn

        return wrap

    def refuse(self, *roots: type[O]) -> Callable[[Callable[[O], str | None]], Callable[[O], str | None]]:
        """Declare why operations can't be lowered, or None: the reason becomes part of the error."""

        def wrap(fn: Callable[[O], str | None]) -> Callable[[O], str | None]:
            self.patterns.append(Lowering(_name(fn), roots, Refusal(fn)))
            self.documented.append(Decomposition(roots, inspect.getdoc(fn) or ""))
            return fn

        return wrap

    def rules(self, rules: Iterable[Pattern], text: str) -> None:
        """Declare lowerings that a rule file states, with what the docs say of all of them."""
        for rule in rules:
            self.patterns.append(Lowering(rule.name, rule.roots, _Stated(rule), rule.benefit))
            self.documented.append(Decomposition(rule.roots, text))


def _name(fn: Callable[..., object]) -> str:
    return fn.__name__.strip("_").replace("_", "-")


class Build:
    """Builds operations before the one that is rewritten; numbers among the operands become constants."""

    def __init__(self, rw: Rewriter, target: LoweringTarget) -> None:
        self.rw = rw
        self.target = target

    def __call__(self, kind: type[Op], *args: object, **attributes: Any) -> Value:
        """Insert an operation, or what it folds to, and return its only result."""
        like = next((a.type.dtype for a in args if isinstance(a, Value)), DType.F32)
        count = len(kind.spec.operands)
        given = [self.number(a, like) if i < count and isinstance(a, int | float) else a for i, a in enumerate(args)]
        return self.rw.emit(kind(*given, **attributes))

    def each(self, op: Op) -> tuple[Value, ...]:
        """Insert an operation that has several results, and return all of them."""
        return self.rw.insert(op).results

    def number(self, value: float, dtype: DType) -> Value:
        """Insert a constant scalar of an element type, and return its value."""
        return self.constant(np.asarray(value).astype(dtype.numpy))

    def constant(self, value: Array | Weight) -> Value:
        """Insert a constant of an array or a weight, and return its value."""
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
        """Multiply sizes, symbolic ones, too; the product of none is 1."""
        return product(shape)

    def clone(self, op: Op, *operands: Value | None, **attributes: Any) -> Value:
        """Insert the same operation on other operands, with other attributes."""
        return self.rw.emit(op.clone(operands, **attributes))

    def region(self, carried: Sequence[Value], fill: Callable[[Build, list[Value]], tuple[Value, ...]]) -> Region:
        """Return a region on values of the same types; what ``fill`` builds in it is legalized like all else."""
        region = Region([Value(v.type) for v in carried])
        end = region.insert(Return(()))
        inner = Build(Rewriter(end, region), self.target)
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
        """Warn the user of something that matters although the result is right."""
        remark(Remark("warning", "legalize", text, self.rw.root.location))
