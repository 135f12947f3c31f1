"""Why a rule does not match: how much of its left side an operation is, and what keeps the rest from matching."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import permutations
from typing import TypeAlias

from .ir import Op, Value
from .opdef import Commutative
from .rules import Absent, Hole, Match, Node, Splat, Term, is_splat

Near: TypeAlias = "tuple[int, str | None]"
"""How many operations and operands of a pattern are there, and the first thing that is not; None if nothing is."""

ORDERS = 6
"""Orders of commutative operands that are tried: all of up to three."""


def nearest(left: Node, op: Op) -> Near:
    """Compare an operation with the left side of a rule."""
    if type(op) is not left.op:
        return 0, f"{op.spec.name} stands where {left.op.spec.name} is asked for"
    wrong = _attributes(left, op)
    if wrong is not None:
        return 1, wrong
    orders = list(permutations(op.operands))[:ORDERS] if op.spec.has(Commutative) else [op.operands]
    return max((_operands(left, op, order) for order in orders), key=lambda near: (near[1] is None, near[0]))


def _attributes(left: Node, op: Op) -> str | None:
    for name, param in left.named:
        if not isinstance(param, Hole) and op.attributes[name] != (wanted := param.get(Match())):
            return f"{name} of {op.spec.name} is {op.attributes[name]}, not {wanted}"
    return None


def _operands(left: Node, op: Op, values: Sequence[Value | None]) -> Near:
    found, reason = 1, None
    for position, term in enumerate(left.terms):
        value = values[position] if position < len(values) else None
        matched, wrong = _operand(term, value, f"operand {position + 1} of {op.spec.name}")
        found += matched
        reason = reason or wrong
    return found, reason


def _operand(term: Term, value: Value | None, what: str) -> Near:
    match term:
        case Absent():
            return (1, None) if value is None else (0, f"{what} is there")
        case Splat(number):
            return (1, None) if is_splat(value, number) else (0, f"{what} is not the constant {number:g}")
        case Node():
            owner = None if value is None else value.owner
            if owner is None or owner.results[0] is not value:
                return 0, f"{what} is not the result of {term.op.spec.name}"
            found, reason = nearest(term, owner)
            return found, f"{what}: {reason}" if reason and not found else reason
        case _:
            return (1, None) if value is not None else (0, f"{what} is left out")
