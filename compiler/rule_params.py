"""What a rule's names stand for, and what attributes and helpers are given: ``%x``, ``$p``, numbers, calls."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np

from .constants import is_same
from .diagnostics import error
from .ir import Op, Value
from .ops.core import Const
from .rewrite import Rewriter
from .rule_helpers import HELPERS, Kind, check_call, kind_of, result_kind
from .types import DType
from .weights import Weight


@dataclass(frozen=True)
class Match:
    """What the variables of a rule stand for, and the operations that were matched."""

    values: dict[str, Value | None] = field(default_factory=lambda: dict[str, Value | None]())
    attributes: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    ops: tuple[Op, ...] = ()

    def bind(self, name: str, value: Value | None) -> Match | None:
        """Add a value, or compare with what is bound."""
        if name in self.values:
            return self if is_same(self.values[name], value) else None
        return replace(self, values=self.values | {name: value})

    @property
    def is_closed(self) -> bool:
        """Whether only the root's results are used outside the match."""
        return all(user in self.ops for op in self.ops[1:] for r in op.results for user in r.users)


@dataclass
class Names:
    """The names that a rule has bound so far, while it is checked: what is read must have been bound."""

    values: set[str] = field(default_factory=lambda: set[str]())
    attributes: dict[str, Kind] = field(default_factory=lambda: dict[str, Kind]())


@dataclass(frozen=True)
class Var:
    """``%x``: any value; in further places, the same value or an equal constant."""

    name: str

    def check_left(self, names: Names) -> None:
        """Note that the left side binds the name."""
        names.values.add(self.name)

    def check(self, names: Names) -> None:
        """Refuse a value that the left side does not bind.

        Raises:
            CompileError: P003.
        """
        if self.name not in names.values:
            raise error("P003", f"{self.name} is not bound by the left side")

    def match(self, value: Value | None, found: Match) -> Iterator[Match]:
        """Yield the match in which the name stands for ``value``; nothing if it stands for another one."""
        bound = found.bind(self.name, value)
        if bound is not None and value is not None:
            yield bound

    def build(self, found: Match, rw: Rewriter, like: DType) -> Value | None:
        """Return the value of a match that the name stands for, as an operand."""
        return found.values[self.name]

    def get(self, found: Match) -> Any:
        """Return the value of a match that the name stands for, as an argument of a helper."""
        return found.values[self.name]

    def kind(self, names: Names) -> Kind:
        """Return which kind of argument it is for a helper: a value."""
        return kind_of(Value)


def scalar(number: Any, rw: Rewriter, like: DType) -> Value:
    """Insert a number as a constant scalar of an element type."""
    rw.require(isinstance(number, int | float) and not isinstance(number, bool), f"{number} is not a number")
    rw.require(like.is_float or (like.is_int and float(number).is_integer()), f"{number} is not of the type {like}")
    return rw.insert(Const(Weight.of(np.asarray(number, like.numpy)))).result


@dataclass(frozen=True)
class Hole:
    """``$p``: an attribute; ``$_`` is any, and binds nothing."""

    name: str

    @property
    def is_any(self) -> bool:
        """Whether it is ``$_``, which matches any value and binds nothing."""
        return self.name == "_"

    def check(self, names: Names) -> None:
        """Refuse an attribute that the left side does not bind.

        Raises:
            CompileError: P003.
        """
        if self.name not in names.attributes:
            raise error("P003", f"${self.name} is not bound by the left side")

    def get(self, found: Match) -> Any:
        """Return the attribute's value that the left side was matched with."""
        return found.attributes[self.name]

    def kind(self, names: Names) -> Kind:
        """Return which kind of argument it is for a helper, from the declaration of the attribute."""
        return names.attributes[self.name]

    def build(self, found: Match, rw: Rewriter, like: DType) -> Value:
        """Insert the number as a scalar of the element type that the operands beside it have."""
        return scalar(self.get(found), rw, like)


@dataclass(frozen=True)
class Literal:
    """A number, a string, ``true``, ``false``, or a list of these."""

    value: Any

    def check(self, names: Names) -> None:
        """Accept it: a literal does not depend on any name."""

    def get(self, found: Match) -> Any:
        """Return the value as it is written in the rule."""
        return self.value

    def kind(self, names: Names) -> Kind:
        """Return which kind of argument it is for a helper."""
        return kind_of(type(self.value))


@dataclass(frozen=True)
class Call:
    """``compose($p, $q)``: a helper applied to attributes and values."""

    name: str
    params: tuple[Param, ...]

    def check(self, names: Names) -> None:
        """Refuse arguments that the left side does not bind, or that the helper does not take.

        Raises:
            CompileError: P003, P006.
        """
        for p in self.params:
            p.check(names)
        check_call(self.name, [p.kind(names) for p in self.params])

    def get(self, found: Match) -> Any:
        """Call the helper on its arguments in a match, and return its result."""
        return HELPERS[self.name](*(p.get(found) for p in self.params))

    def kind(self, names: Names) -> Kind:
        """Return which kind of argument the helper's result is for another one, from its annotation."""
        return result_kind(self.name)

    def build(self, found: Match, rw: Rewriter, like: DType) -> Value:
        """Insert the number that it gives as a scalar of the element type that the operands beside it have."""
        return scalar(self.get(found), rw, like)


Param: TypeAlias = Hole | Literal | Call | Var
