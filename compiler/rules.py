"""Rule files: rewrites written as ``left => right``.

``%x`` is any value (twice the same name, the same value), ``$p`` an attribute, a number a constant whose elements are
all that number, ``op(...) as %d`` names an operation's result, ``none`` is an absent operand.  Operands of commutative
operations match in either order.  Whatever the left side matches besides its root must have no users outside the
match.  Guards and attribute expressions call helpers, which are Python functions under ``@helper``.

An attribute that the left side does not name must have its default: ``add(%x, 0)`` does not match a sum that ends in an
activation.  ``activation=$a`` binds it, ``shape=$_`` matches anything; what has no default must be named.  A rule does
not fire where what its right side builds would be ill-typed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from .diagnostics import CompileError, counted, did_you_mean, error, reason
from .fold import constant
from .grammar import parser
from .ir import Op, Value
from .opdef import OPS, Commutative
from .ops.core import Const
from .rewrite import NoMatch, Pattern, Rewriter
from .types import DType
from .weights import Weight

MAX_COMPARED = 1 << 16
"""Bytes of a constant whose elements are compared one by one."""

HELPERS: dict[str, Callable[..., Any]] = {}
"""Functions that rule files may call, by name."""

SPLAT_TOLERANCE = 1e-6
"""Relative: exporters write 1/6 or sqrt(2) with the digits that float32 keeps; whole numbers are exact."""


def helper(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function callable from rule files, under its name with dashes."""
    HELPERS[fn.__name__.replace("_", "-")] = fn
    return fn


@dataclass(frozen=True)
class Match:
    """What the variables of a rule stand for, and the operations that were matched."""

    values: dict[str, Value | None] = field(default_factory=lambda: dict[str, Value | None]())
    attributes: dict[str, Any] = field(default_factory=lambda: dict[str, Any]())
    ops: tuple[Op, ...] = ()

    def bind(self, name: str, value: Value | None) -> Match | None:
        """Add a value, or compare with what is bound."""
        if name in self.values:
            return self if self.values[name] is value else None
        return replace(self, values=self.values | {name: value})

    @property
    def is_closed(self) -> bool:
        """Whether only the root's results are used outside the match."""
        return all(user in self.ops for op in self.ops[1:] for r in op.results for user in r.users)


@dataclass
class Names:
    """The names that a rule has bound so far, while it is checked: what is read must have been bound."""

    values: set[str] = field(default_factory=lambda: set[str]())
    attributes: set[str] = field(default_factory=lambda: set[str]())


@dataclass(frozen=True)
class Var:
    """``%x``: any value."""

    name: str

    def check_left(self, names: Names) -> None:
        """Bind the name."""
        names.values.add(self.name)

    def check(self, names: Names) -> None:
        """The name must be bound."""
        if self.name not in names.values:
            raise error("P003", f"{self.name} is not bound by the left side")

    def match(self, value: Value | None, found: Match) -> Iterator[Match]:
        """Bind, or compare with what is bound."""
        bound = found.bind(self.name, value)
        if bound is not None and value is not None:
            yield bound

    def build(self, found: Match, rw: Rewriter, like: DType) -> Value | None:
        """Return what is bound."""
        return found.values[self.name]

    def get(self, found: Match) -> Any:
        """Return what is bound, as a helper's argument."""
        return found.values[self.name]


@dataclass(frozen=True)
class Splat:
    """``6``: a constant, all of whose elements are six."""

    number: float

    def check_left(self, names: Names) -> None:
        """Bind nothing."""

    check = check_left

    def match(self, value: Value | None, found: Match) -> Iterator[Match]:
        """Compare all elements."""
        if is_splat(value, self.number):
            yield found

    def build(self, found: Match, rw: Rewriter, like: DType) -> Value:
        """Insert a scalar of the element type that the operands beside it have."""
        rw.require(like.is_float or (like.is_int and self.number.is_integer()), f"{self.number} is no {like}")
        return rw.insert(Const(Weight.of(np.asarray(self.number, like.numpy)))).result


@dataclass(frozen=True)
class Absent:
    """``none``: no operand."""

    def check_left(self, names: Names) -> None:
        """Bind nothing."""

    check = check_left

    def match(self, value: Value | None, found: Match) -> Iterator[Match]:
        """Match absence."""
        if value is None:
            yield found

    def build(self, found: Match, rw: Rewriter, like: DType) -> None:
        """Give no operand."""
        return


@dataclass(frozen=True)
class Hole:
    """``$p``: an attribute; ``$_`` is any, and binds nothing."""

    name: str

    @property
    def is_any(self) -> bool:
        """Whether it is ``$_``, which matches any value and binds nothing."""
        return self.name == "_"

    def check(self, names: Names) -> None:
        """The name must be bound."""
        if self.name not in names.attributes:
            raise error("P003", f"${self.name} is not bound by the left side")

    def get(self, found: Match) -> Any:
        """Return what is bound."""
        return found.attributes[self.name]


@dataclass(frozen=True)
class Literal:
    """A number, a string, ``true`` or ``false``."""

    value: Any

    def check(self, names: Names) -> None:
        """Read nothing."""

    def get(self, found: Match) -> Any:
        """Return it."""
        return self.value


@dataclass(frozen=True)
class Call:
    """``compose($p, $q)``: a helper applied to attributes and values."""

    name: str
    params: tuple[Param, ...]

    def check(self, names: Names) -> None:
        """All arguments must be bound."""
        for p in self.params:
            p.check(names)

    def get(self, found: Match) -> Any:
        """Call it."""
        return HELPERS[self.name](*(p.get(found) for p in self.params))


Param: TypeAlias = Hole | Literal | Call | Var


@dataclass(frozen=True)
class Node:
    """``add(%x, 3)``: an operation."""

    op: type[Op]
    terms: tuple[Term, ...]
    named: tuple[tuple[str, Param], ...]
    alias: str | None

    def check_left(self, names: Names) -> None:
        """Bind names in the order in which they are matched: attributes, then operands."""
        self._check_fields()
        self._check_missing(help="write NAME=$p to use what it is, NAME=$_ if any will do")
        for _, param in self.named:
            if isinstance(param, Hole):
                names.attributes |= set() if param.is_any else {param.name}
            else:
                param.check(names)
        if self.alias is not None:
            names.values.add(self.alias)
        for term in self.terms:
            term.check_left(names)

    def check(self, names: Names) -> None:
        """Everything must be bound, and nothing that the operation needs may be missing."""
        self._check_fields()
        self._check_missing()
        for item in (*(p for _, p in self.named), *self.terms):
            item.check(names)

    def _check_missing(self, help: str | None = None) -> None:
        """All attributes without a default must be named."""
        missing = [n for n, a in self.op.spec.attributes.items() if a.is_required and n not in dict(self.named)]
        if missing:
            raise error("P006", f"{self.op.spec.name} needs {', '.join(missing)}", help=help)

    def _check_fields(self) -> None:
        """Compare with the declaration; optional operands at the end may be left out, they are absent then."""
        spec = self.op.spec
        unknown = [n for n, _ in self.named if n not in spec.attributes]
        if unknown:
            known = ", ".join(spec.attributes) or "none"
            raise error("P006", f"{spec.name} has no attribute {unknown[0]!r}", help=f"its attributes: {known}")
        least = len([n for n in spec.operands if n not in spec.optional and n != spec.variadic])
        most = len(self.terms) if spec.variadic else len(spec.operands)
        if not least <= len(self.terms) <= most:
            raise error(
                "P006",
                f"{spec.name} takes {', '.join(spec.operands)}, but is given {counted(len(self.terms), 'operand')}",
            )

    def match(self, value: Value | None, found: Match) -> Iterator[Match]:
        """Match the operation that gives ``value``."""
        if value is not None and value.owner is not None and value.owner.results[0] is value:
            yield from self.match_op(value.owner, found)

    def match_op(self, op: Op, found: Match) -> Iterator[Match]:
        """Match attributes, then operands in every admissible order."""
        if type(op) is not self.op:
            return
        bound = self._match_attributes(op, replace(found, ops=(*found.ops, op)))
        if bound is not None and self.alias is not None:
            bound = bound.bind(self.alias, op.results[0])
        if bound is None:
            return
        for order in permutations(op.operands) if op.spec.has(Commutative) else [op.operands]:
            yield from _match_all(self.terms, order, bound)

    def _match_attributes(self, op: Op, found: Match) -> Match | None:
        named = dict(self.named)
        for name, attribute in self.op.spec.attributes.items():
            have, param = op.attributes[name], named.get(name)
            if param is None:
                if have != attribute.default:
                    return None
            elif not isinstance(param, Hole):
                if have != param.get(found):
                    return None
            elif not param.is_any:
                if found.attributes.get(param.name, have) != have:
                    return None
                found = replace(found, attributes=found.attributes | {param.name: have})
        return found

    def build(self, found: Match, rw: Rewriter, like: DType) -> Value:
        """Insert the operation, or what it folds to; numbers get the element type of the first operand beside them."""
        built = {i: t.build(found, rw, like) for i, t in enumerate(self.terms) if not isinstance(t, Splat)}
        beside = next((v.type.dtype for v in built.values() if v is not None), like)
        operands = [t.build(found, rw, beside) if isinstance(t, Splat) else built[i] for i, t in enumerate(self.terms)]
        return rw.emit(self.op.spec.build(self.op, operands, {n: p.get(found) for n, p in self.named}))

    @property
    def size(self) -> int:
        """Number of operations in the pattern."""
        return 1 + sum(t.size for t in self.terms if isinstance(t, Node))


Term: TypeAlias = Var | Splat | Absent | Node


def _match_all(terms: tuple[Term, ...], values: tuple[Value | None, ...], found: Match) -> Iterator[Match]:
    if not terms:
        if all(v is None for v in values):
            yield found
        return
    first = values[0] if values else None
    for partial in terms[0].match(first, found):
        yield from _match_all(terms[1:], values[1:], partial)


@dataclass(frozen=True)
class Rule:
    """``rule name: left where guards => right``."""

    name: str
    left: Node
    guards: tuple[Call, ...]
    right: Term

    def check(self) -> None:
        """Compare with the declarations of its operations.

        Raises:
            CompileError: P003, a name is read that the left side does not bind; P006, fields don't fit.
        """
        names = Names()
        self.left.check_left(names)
        for item in (*self.guards, self.right):
            item.check(names)

    def apply(self, op: Op, rw: Rewriter) -> None:
        """Rewrite ``op`` with the first match that passes the guards."""
        reason: str | None = None
        for found in self.left.match_op(op, Match()):
            if not found.is_closed:
                reason = "an inner result is used elsewhere too"
                continue
            failed = next((g for g in self.guards if not g.get(found)), None)
            if failed is None:
                rw.replace(self._build(found, rw))
                return
            reason = f"not {failed.name}"
        if reason is not None:
            raise NoMatch(reason)

    def _build(self, found: Match, rw: Rewriter) -> Value:
        """Insert the right side.

        Raises:
            NoMatch: it is ill-typed, or has another type than the left side.
        """
        old = rw.root.result.type
        try:
            new = self.right.build(found, rw, old.dtype)
        except CompileError as bad:
            rw.require(bad.diagnostics[0].code != "T001", bad.diagnostics[0].message)
            raise
        assert new is not None
        rw.require(new.type == old, f"the result would be {new.type}")
        return new

    def nearly(self, op: Op) -> tuple[int, str | None]:
        """Say how much of the left side an operation is, and what keeps the rest from matching."""
        from .nearly import nearest

        return nearest(self.left, op)


def is_splat(value: Value | None, number: float) -> bool:
    """Say whether a value is a constant whose elements are all ``number``.

    Whole numbers are meant exactly, fractions up to :data:`SPLAT_TOLERANCE`.
    """
    weight = constant(value)
    if weight is None or not (weight.type.dtype.is_float or weight.type.dtype.is_int) or not weight.nbytes:
        return False
    if weight.is_splat or weight.nbytes <= MAX_COMPARED:
        array = weight.array()
        first, tolerance = array.flat[0], 0.0 if number.is_integer() else SPLAT_TOLERANCE
        close = abs(float(first) - number) <= tolerance * abs(number)
        return bool(close and (array.size == 1 or (array == first).all()))
    return False


class _Actions:
    """What each rule of ``rules.lark`` makes of its children."""

    def start(self, items: list[Any]) -> list[Rule]:
        return items

    def rule(self, items: list[Any]) -> Rule:
        name, left, guards, right = items
        rule = Rule(str(name), left, guards or (), right)
        try:
            rule.check()
        except CompileError as bad:
            bad.diagnostics[0].message = f"rule {name}: {bad.diagnostics[0].message}"
            raise
        return rule

    def guards(self, items: list[Any]) -> tuple[Call, ...]:
        return tuple(items)

    def var(self, items: list[Any]) -> Var:
        return Var(str(items[0]))

    def splat(self, items: list[Any]) -> Splat:
        return Splat(float(items[0]))

    def absent(self, items: list[Any]) -> Absent:
        return Absent()

    def node(self, items: list[Any]) -> Node:
        name, *args, alias = items
        if str(name) not in OPS:
            raise error("P004", f"unknown operation {str(name)!r}", help=did_you_mean(name, OPS))
        terms = tuple(a for a in args if isinstance(a, Var | Splat | Absent | Node))
        named: Any = tuple(a for a in args if isinstance(a, tuple))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return Node(OPS[str(name)], terms, named, None if alias is None else str(alias))

    def named(self, items: list[Any]) -> tuple[str, Param]:
        return str(items[0]), items[1]

    def hole(self, items: list[Any]) -> Hole:
        return Hole(str(items[0]).removeprefix("$"))

    def number(self, items: list[Any]) -> Literal:
        text = str(items[0])
        return Literal(int(text) if text.lstrip("+-").isdigit() else float(text))

    def string(self, items: list[Any]) -> Literal:
        return Literal(str(items[0])[1:-1])

    def bool(self, items: list[Any]) -> Literal:
        return Literal(str(items[0]) == "true")

    def call(self, items: list[Any]) -> Call:
        name = str(items[0])
        if name not in HELPERS:
            raise error(
                "P009", f"rules call an unknown helper {name!r}", help=f"there are {', '.join(sorted(HELPERS))}"
            )
        return Call(name, tuple(i for i in items[1:] if i is not None))


@lru_cache(maxsize=1)
def _parser() -> Callable[[str, str], list[Rule]]:
    return parser(Path(__file__).with_name("rules.lark"), _Actions)


def parse_rules(text: str, file: str = "<rules>") -> list[Pattern]:
    """Compile rules into patterns.

    Raises:
        CompileError: P001, P003, P004, P006 or P009.
    """
    return list(_compiled(text, file, tuple(OPS.values()), tuple(HELPERS.values())))


@lru_cache(maxsize=64)
def _compiled(text: str, file: str, *known: object) -> tuple[Pattern, ...]:
    """Compile rules once while what they may speak of is ``known`` as it is: passes ask every time that they run."""
    del known  # which only says when the answer is another one
    rules = _parser()(text, file)
    return tuple(Pattern(r.name, (r.left.op,), r.apply, benefit=r.left.size, nearly=r.nearly) for r in rules)


def load_rules(path: Path) -> list[Pattern]:
    """Compile a rule file into patterns.

    Raises:
        CompileError: R010, the file can't be read; P..., it can't be understood.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}") from bad
    return parse_rules(text, path.name)
