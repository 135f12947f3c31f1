"""Why a rule does not match: how much of its left side an operation is, and what keeps the rest from matching."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TypeAlias

from .constants import is_same, is_splat
from .ir import Op, Value
from .opdef import Commutative
from .rule_params import Hole, Match, Var
from .rules import Absent, Node, Splat, Term

Near: TypeAlias = "tuple[int, str | None]"
"""How many operations and operands of a pattern are there, and the first thing that is not; None if nothing is."""

ORDERS = 6
"""Orders of commutative operands that are tried: all of up to three."""


Bound: TypeAlias = "dict[str, Value]"
"""What names stand for so far."""


def nearest(left: Node, op: Op, bound: Bound | None = None) -> Near:
    """Compare an operation with the left side of a rule."""
    if type(op) is not left.op:
        return 0, f"{op.spec.name} stands where {left.op.spec.name} is asked for"
    wrong = _attributes(left, op)
    if wrong is not None:
        return 1, wrong
    names = {} if bound is None else bound
    orders = list(permutations(op.operands))[:ORDERS] if op.spec.has(Commutative) else [op.operands]
    tried = [(_operands(left, op, order, inner := dict(names)), inner) for order in orders]
    near, inner = max(tried, key=lambda found: (found[0][1] is None, found[0][0]))
    names.update(inner)
    return near


def _attributes(left: Node, op: Op) -> str | None:
    named = dict(left.named)
    for name, attribute in op.spec.attributes.items():
        have, param = op.attributes[name], named.get(name)
        if param is None and have != attribute.default:
            return f"{name} of {op.spec.name} is {have}, and the rule does not name it"
        if param is not None and not isinstance(param, Hole) and have != (wanted := param.get(Match())):
            return f"{name} of {op.spec.name} is {have}, not {wanted}"
    return None


def _operands(left: Node, op: Op, values: Sequence[Value | None], bound: Bound) -> Near:
    found, reason = 1, None
    for position, term in enumerate(left.terms):
        value = values[position] if position < len(values) else None
        matched, wrong = _operand(term, value, f"operand {position + 1} of {op.spec.name}", bound)
        found += matched
        reason = reason or wrong
    return found, reason


def _operand(term: Term, value: Value | None, what: str, bound: Bound) -> Near:
    match term:
        case Absent():
            return (1, None) if value is None else (0, f"{what} is there")
        case Splat(number):
            return (1, None) if is_splat(value, number) else (0, f"{what} is not the constant {number:g}")
        case Node():
            owner = None if value is None else value.owner
            if owner is None or owner.results[0] is not value:
                return 0, f"{what} is not the result of {term.op.spec.name}"
            found, reason = nearest(term, owner, bound)
            return found, f"{what}: {reason}" if reason and not found else reason
        case Var(name) if value is not None:
            same = is_same(bound.setdefault(name, value), value)
            return (1, None) if same else (0, f"{what} is not the same value as {name} before")
        case _:
            return (1, None) if value is not None else (0, f"{what} is left out")
