"""A rule as a theorem over the real numbers: where its guards hold and its left side has a value, the right has it too.

Variables are one element each, any number; attributes that the rule binds are any value, those that it does not name
have their default.  Operations on elements commute with broadcasting, so that the statement for one element is enough.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any
from typing import Literal as Choice

from nhwcc.compiler.opdef import Attribute
from nhwcc.compiler.ops.arith import ACTIVATIONS
from nhwcc.compiler.rule_helpers import HELPERS
from nhwcc.compiler.rule_params import Call, Hole, Literal, Param, Var
from nhwcc.compiler.rules import Absent, Node, Rule, Splat, Term

from .reals import CONSTANTS, Extended, Meaning, Unsupported, Word, larger, smaller, z3

Outcome = Choice["proven", "refuted", "unknown", "unsupported"]
MILLISECONDS = 4000
"""Given to the solver for one question."""


@dataclass(frozen=True)
class Proof:
    """What came of a rule; ``reason`` is a counterexample, or why there is nothing to prove."""

    outcome: Outcome
    reason: str = ""


def prove(rule: Rule) -> Proof:
    """Prove or refute a rule."""
    statement = _Statement()
    try:
        left = statement.left(rule.left)
        guards = [statement.guard(g) for g in rule.guards]
        domain = list(statement.meaning.domain)
        right = statement.right(rule.right)
        assert left is not None and right is not None
    except Unsupported as bad:
        return Proof("unsupported", str(bad))
    known = [*CONSTANTS, *statement.meaning.facts, *statement.ranges, *guards, *domain]
    defined = z3.And(*statement.meaning.domain) if statement.meaning.domain else z3.BoolVal(True)
    for goal in (defined, left.equals(right)):
        outcome = _check(known, goal)
        if outcome.outcome != "proven":
            return outcome
        known.append(goal)
    return Proof("proven")


def _check(known: list[Any], goal: Any) -> Proof:
    solver = z3.Solver()
    solver.set("timeout", MILLISECONDS)
    solver.add(*known, z3.Not(goal))
    answer = str(solver.check())
    if answer == "sat":
        return Proof("refuted", str(solver.model()))
    return Proof("proven") if answer == "unsat" else Proof("unknown", str(solver.reason_unknown()))


class _Statement:
    """What the names of a rule stand for."""

    def __init__(self) -> None:
        self.meaning = Meaning()
        self.values: dict[str, Extended] = {}
        self.attributes: dict[str, Any] = {}
        self.ranges: list[Any] = []
        self.numbers = count()

    def left(self, term: Term) -> Extended | None:
        match term:
            case Var(name):
                return self.values.setdefault(name, Extended.of(z3.Real(name)))
            case Splat(number):
                return Extended.of(number)
            case Absent():
                return None
            case Node(alias=str(alias)) if alias in self.values:
                return self.values[alias]
            case Node():
                value = self.node(term, [self.left(t) for t in term.terms], self.bind)
                if term.alias is not None:
                    self.values[term.alias] = value
                return value
            case Hole() | Call():
                return Extended.of(self.param(term))

    def right(self, term: Term) -> Extended | None:
        match term:
            case Var(name):
                return self.values[name]
            case Node():
                return self.node(term, [self.right(t) for t in term.terms], lambda _, param: self.param(param))
            case _:
                return self.left(term)

    def node(self, node: Node, operands: list[Extended | None], read: Callable[[Attribute, Param], Any]) -> Extended:
        """Apply an operation to operands; attributes that are not named have their default."""
        spec, named = node.op.spec, dict(node.named)
        missing = [n for n, a in spec.attributes.items() if n not in named and a.is_required]
        if missing:
            raise Unsupported(f"{spec.name} with any {missing[0]}")
        given = {n: read(a, named[n]) if n in named else a.default for n, a in spec.attributes.items()}
        operands += [None] * (len(spec.operands) - len(operands))
        return self.meaning.apply(spec.name, operands, given)

    def bind(self, attribute: Attribute, param: Param) -> Any:
        """An attribute of the left side."""
        if isinstance(param, Hole):
            if param.is_any:
                return self.symbol(attribute, f"any {next(self.numbers)}")
            if param.name not in self.attributes:
                self.attributes[param.name] = self.symbol(attribute, param.name)
            return self.attributes[param.name]
        return self.param(param)

    def symbol(self, attribute: Attribute, name: str) -> Any:
        """Any value of an attribute; those of clips may be infinite."""
        if attribute.name == "activation":
            chosen = z3.Int(name)
            self.ranges += [chosen >= 0, chosen < len(ACTIVATIONS)]
            return Word(chosen, tuple(ACTIVATIONS))
        if attribute.name == "dims":
            return z3.Int(name)
        if attribute.type is bool:
            return z3.Bool(name)
        if attribute.is_float:
            sign = z3.Int(f"sign of {name}") if attribute.name in ("min", "max") else z3.IntVal(0)
            self.ranges += [sign >= -1, sign <= 1]
            return Extended(sign, z3.Real(name))
        raise Unsupported(f"an open attribute {attribute.name}")

    def param(self, param: Param) -> Any:
        match param:
            case Hole(name):
                return self.attributes[name]
            case Literal(value):
                return value
            case Var(name):
                return self.values[name]
            case Call(name, params):
                given = [self.param(p) for p in params]
                if len(given) == 1 and isinstance(given[0], Word):
                    return given[0].select(lambda option: Extended.of(HELPERS[name](option)))
                if name not in FUNCTIONS:
                    raise Unsupported(f"the helper {name}")
                return FUNCTIONS[name](*(Extended.of(g) for g in given))

    def guard(self, call: Call) -> Any:
        """What a guard says about numbers; what it says about types and constants does not matter to them."""
        if call.name in ABOUT_TYPES:
            return z3.BoolVal(True)
        if call.name not in GUARDS:
            raise Unsupported(f"the guard {call.name}")
        return GUARDS[call.name](*(Extended.of(self.param(p)) for p in call.params))


ABOUT_TYPES = ("is-float", "is-constant", "is-uniform")
"""Guards that hold for one element whatever it is."""


def _is_slope(a: Extended) -> Any:
    return z3.And(a.number >= 0, a.number <= 1)


def _positive(a: Extended) -> Any:
    return z3.Or(a.sign > 0, z3.And(a.sign == 0, a.number > 0))


def _overlap(a: Extended, b: Extended, c: Extended, d: Extended) -> Any:
    return larger(a, c).at_most(smaller(b, d))


GUARDS: dict[str, Callable[..., Any]] = {
    "is-slope": _is_slope,
    "positive": _positive,
    "overlap": _overlap,
    "close": Extended.equals,
}
"""What guards say about numbers."""

FUNCTIONS: dict[str, Callable[..., Extended]] = {"uniform": Extended.of, "larger": larger, "smaller": smaller}
"""What attributes on the right side are computed by."""
