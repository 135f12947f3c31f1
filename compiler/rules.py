"""Rule files: rewrites written as ``left => right``.

``%x`` is any value (twice the same name, the same value or equal constants), ``$p`` an attribute, a number a constant
whose elements are all that number, ``op(...) as %d`` names an operation's result, ``none`` is an absent operand.
Operands of commutative operations match in either order.  Whatever the left side matches besides its root must have no
users outside the match.  Guards and attributes call helpers, which are Python functions under ``@helper``.  On the
right side an attribute or a helper may be an operand, too, if it is a number.

An attribute that the left side does not name must have its default: ``add(%x, 0)`` does not match a sum that ends in an
activation.  ``activation=$a`` binds it, ``shape=$_`` matches anything; what has no default must be named.  A rule does
not fire where what its right side builds would be ill-typed.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any, TypeAlias, cast

from .constants import is_splat
from .diagnostics import CompileError, counted, did_you_mean, error, reason
from .grammar import parser
from .ir import Op, Value
from .opdef import OPS, Commutative
from .regular import regular
from .rewrite import NoMatch, Pattern, Rewriter
from .rule_helpers import HELPERS, check_known, helper, is_other, kind_of
from .rule_params import Call, Hole, Literal, Match, Names, Param, Var, scalar
from .types import DType

__all__ = ["Absent", "Node", "Rule", "Splat", "Term", "helper", "load_rules", "parse_rules"]


@dataclass(frozen=True)
class Splat:
    """``6``: a constant, all of whose elements are six."""

    number: float

    def check_left(self, names: Names) -> None:
        """Bind nothing: a number on the left side has no name."""

    check = check_left

    def match(self, value: Value | None, found: Match) -> Iterator[Match]:
        """Match a constant whose elements are all equal to the number."""
        if is_splat(value, self.number):
            yield found

    def build(self, found: Match, rw: Rewriter, like: DType) -> Value:
        """Insert a scalar of the element type that the operands beside it have."""
        return scalar(self.number, rw, like)


@dataclass(frozen=True)
class Absent:
    """``none``: an optional operand that must be, or is to be, absent."""

    def check_left(self, names: Names) -> None:
        """Bind nothing: an absent operand on the left side has no name."""

    check = check_left

    def match(self, value: Value | None, found: Match) -> Iterator[Match]:
        """Match an optional operand that the operation does not have."""
        if value is None:
            yield found

    def build(self, found: Match, rw: Rewriter, like: DType) -> None:
        """Return None, for an optional operand that the new operation does not get."""
        return


@dataclass(frozen=True)
class Node:
    """``add(%x, 3)``: an operation to match on the left, or to build on the right."""

    op: type[Op]
    terms: tuple[Term, ...]
    named: tuple[tuple[str, Param], ...]
    alias: str | None

    def check_left(self, names: Names) -> None:
        """Bind names in the order in which they are matched: attributes, then operands."""
        self._check_fields()
        self._check_missing(help="write NAME=$p to use what it is, NAME=$_ if any will do")
        for name, param in self.named:
            if not isinstance(param, Hole):
                self._check_value(name, param, names)
            elif not param.is_any:
                names.attributes.setdefault(param.name, kind_of(self.op.spec.attributes[name].type))
        if self.alias is not None:
            names.values.add(self.alias)
        for term in self.terms:
            if isinstance(term, Hole | Call):
                raise error("P006", "an attribute can't be an operand on the left side", help="%x is any operand there")
            term.check_left(names)

    def check(self, names: Names) -> None:
        """Everything must be bound, and nothing that the operation needs may be missing."""
        self._check_fields()
        self._check_missing()
        for name, param in self.named:
            self._check_value(name, param, names)
        for term in self.terms:
            term.check(names)
            if isinstance(term, Hole | Call) and is_other(kind := term.kind(names), kind_of(float)):
                raise error("P006", f"an operand of {self.op.spec.name} is a value or a number, not {kind}")

    def _check_value(self, name: str, param: Param, names: Names) -> None:
        """What an attribute is given or compared with must be bound, and a value that it can have."""
        param.check(names)
        attribute = self.op.spec.attributes[name]
        if isinstance(param, Literal):
            try:
                attribute.accept(param.value)
            except ValueError as bad:
                raise error("P006", f"{self.op.spec.name}: {bad}") from bad
        elif is_other(kind := param.kind(names), wanted := kind_of(attribute.type)):
            raise error("P006", f"{name} of {self.op.spec.name} is {wanted}, not {kind}")

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
        """Match the operation that defines ``value``, with its operands and attributes."""
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
        built = {i: t.build(found, rw, like) for i, t in enumerate(self.terms) if not isinstance(t, NUMBERS)}
        beside = next((v.type.dtype for v in built.values() if v is not None), like)
        operands = [built[i] if i in built else t.build(found, rw, beside) for i, t in enumerate(self.terms)]
        return rw.emit(self.op.spec.build(self.op, operands, {n: p.get(found) for n, p in self.named}))

    @property
    def orders(self) -> int:
        """In how many orders the operands of the pattern's operations may lie."""
        own = math.factorial(len(self.terms)) if self.op.spec.has(Commutative) else 1
        return own * math.prod(t.orders for t in self.terms if isinstance(t, Node))

    @property
    def size(self) -> int:
        """The number of operations in the pattern, those inside it included."""
        return 1 + sum(t.size for t in self.terms if isinstance(t, Node))


Left: TypeAlias = Var | Splat | Absent | Node
Term: TypeAlias = Left | Hole | Call

MOST_ORDERS = 4096
"""Orders of operands that matching may have to try at an operation: a sum of 13 in pairs has as many."""

NUMBERS = (Splat, Hole, Call)
"""Terms that are a number: they get the element type of the other operands."""


def _match_all(terms: tuple[Term, ...], values: tuple[Value | None, ...], found: Match) -> Iterator[Match]:
    if not terms:
        if all(v is None for v in values):
            yield found
        return
    first = values[0] if values else None
    for partial in cast(Left, terms[0]).match(first, found):
        yield from _match_all(terms[1:], values[1:], partial)


@dataclass(frozen=True)
class Rule:
    """A rewrite rule as it was read: ``rule name: left where guards => right``."""

    name: str
    left: Node
    guards: tuple[Call, ...]
    right: Term

    def check(self) -> None:
        """Compare with the declarations of its operations.

        Raises:
            CompileError: P003, a name is read that the left side does not bind; P006, fields don't fit; P011, matching
                could take for ever.
        """
        names = Names()
        self.left.check_left(names)
        if self.left.orders > MOST_ORDERS:
            text = f"operands of the left side of {self.name} may lie in {self.left.orders:,} orders"
            raise error("P011", text, help=f"at most {MOST_ORDERS:,} are tried; make several rules of it")
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


def _argument(helper: str, given: object) -> Param:
    """Return a term that was parsed as an operand as the argument of a helper.

    Raises:
        CompileError: P006, helpers take no such thing.
    """
    match given:
        case Splat(number):
            return Literal(int(number) if number.is_integer() else number)
        case Var() | Hole() | Call():
            return given
        case _:
            raise error("P006", f"{helper} takes attributes, numbers and values, in the order of its parameters")


class _Actions:
    """What each rule of ``rules.lark`` makes of its children."""

    def start(self, items: list[Any]) -> list[Rule]:
        return items

    def rule(self, items: list[Any]) -> Rule:
        name, left, guards, right = items
        try:
            for side, term in (("left", left), ("right", right)):
                if isinstance(term, NUMBERS) or (side == "left" and not isinstance(term, Node)):
                    raise error("P006", f"its {side} side must be an operation{', or a value' * (side == 'right')}")
            rule = Rule(str(name), left, guards or (), right)
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

    def node(self, items: list[Any]) -> Node | Call:
        name, *args, alias = items
        if str(name) not in OPS and str(name) in HELPERS and alias is None:
            return Call(str(name), tuple(_argument(str(name), a) for a in args if a is not None))
        if str(name) not in OPS:
            raise error("P004", f"unknown operation {str(name)!r}", help=did_you_mean(name, [*OPS, *HELPERS]))
        terms = tuple(a for a in args if isinstance(a, Var | Splat | Absent | Node | Hole | Call))
        named: Any = tuple(a for a in args if isinstance(a, tuple))  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]
        return Node(OPS[str(name)], terms, named, None if alias is None else str(alias))

    def named(self, items: list[Any]) -> tuple[str, Param]:
        return str(items[0]), items[1]

    def hole(self, items: list[Any]) -> Hole:
        return Hole(str(items[0]).removeprefix("$"))

    def number(self, items: list[Any]) -> Literal:
        text = str(items[0])
        return Literal(int(text) if text.lstrip("+-").isdigit() else float(text))

    def items(self, items: list[Any]) -> Literal:
        return Literal(tuple(i.value for i in items if i is not None))

    def string(self, items: list[Any]) -> Literal:
        return Literal(str(items[0])[1:-1])

    def bool(self, items: list[Any]) -> Literal:
        return Literal(str(items[0]) == "true")

    def call(self, items: list[Any]) -> Call:
        name = str(items[0])
        check_known(name)
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
        text = regular(path).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as bad:
        raise error("R010", f"can't read {path}: {reason(bad)}") from bad
    return parse_rules(text, path.name)
