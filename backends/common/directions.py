"""Two recurrent layers that read the same sequences in either direction, which many targets run as one."""

from __future__ import annotations

from collections.abc import Sequence

from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.ops.quantize import Dequantize
from ...compiler.ops.recurrent import Lstm, Recurrent
from ...compiler.ops.shape import Concat

STATES = ("h0", "c0")
"""Operands that may be computed; all others of a pair are constants."""


def partner(op: Recurrent) -> Recurrent | None:
    """Return the layer that reads what another one reads, with the same settings but from the other end."""
    others = [user for user in op.x.users if isinstance(user, type(op)) and user is not op]
    return next((other for other in others if _fits(op, other) and _fits(other, op)), None)


def _fits(op: Recurrent, other: Recurrent) -> bool:
    same = all(op.attributes[name] == value for name, value in other.attributes.items() if name != "reverse")
    if not same or op.reverse == other.reverse or op.parent is not other.parent or op.x is not other.x:
        return False
    if op.lengths is not other.lengths or len(_of_kind(op)) != 1:
        return False
    for name, a, b in zip(op.spec.operands, op.operands, other.operands, strict=True):
        if name in ("x", "lengths"):
            continue
        if (a is None) != (b is None):
            return False
        may_be_computed = name in STATES or (_is_dequantized(a) and _keeps_integers(op))
        if a is not None and not (may_be_computed and _is_known_before(a, other)) and constant(a) is None:
            return False
    return True


def _is_dequantized(value: Value | None) -> bool:
    """Whether a value is a constant of integers that stand for numbers."""
    return value is not None and isinstance(value.owner, Dequantize) and constant(value.owner.x) is not None


def _keeps_integers(op: Recurrent) -> bool:
    """Whether a layer multiplies by integers as they are."""
    return isinstance(op, Lstm) and op.rounds_state


def _of_kind(op: Recurrent) -> list[Op]:
    """The layers that read the same sequences from the same end: of several, none has a partner of its own."""
    return [u for u in op.x.users if isinstance(u, type(op)) and u.reverse == op.reverse]


def _is_known_before(value: Value, op: Op) -> bool:
    """Whether a value is defined before an operation."""
    if value.owner is None or value.owner.parent is not op.parent:
        return True
    before = op.before
    while before is not None and before is not value.owner:
        before = before.before
    return before is value.owner


FEATURES = 2
"""The axis of features in what a layer gives for every step."""


def beside(parts: Sequence[Value]) -> Concat | None:
    """Return what puts the features of all directions side by side, if nothing else reads them."""
    if any(len(part.uses) != 1 or part.type.rank != FEATURES + 1 for part in parts):
        return None
    (reader,), writer = parts[0].users, parts[0].owner
    if not isinstance(reader, Concat) or writer is None or reader.parent is not writer.parent:
        return None
    return reader if reader.operands == tuple(parts) and reader.axis == FEATURES else None
