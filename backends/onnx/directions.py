"""Two recurrent layers that read the same sequences in either direction: one node of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Op, Value
from ...compiler.ops.recurrent import Recurrent
from ...compiler.types import Array
from ...compiler.weights import Weight
from .table import Call, Nested, Operand

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
        if a is not None and not (name in STATES and _is_known_before(a, other)) and constant(a) is None:
            return False
    return True


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


def in_both_directions(call: Callable[[Any], Call]) -> Callable[[Any], Call]:
    """Let a layer and its partner be one call."""

    def joint(op: Recurrent) -> Call:
        other = partner(op)
        if other is None:
            return call(op)
        forward, backward = (call(o) for o in ((other, op) if op.reverse else (op, other)))
        pairs = zip(forward.inputs, backward.inputs, strict=True)
        shared = (0, 4)
        inputs = tuple(a if slot in shared else _stacked(a, b) for slot, (a, b) in enumerate(pairs))
        twice = {k: v + v for k, v in forward.attributes.items() if isinstance(v, tuple)}
        attributes: dict[str, Any] = {**forward.attributes, **twice, "direction": "bidirectional"}
        return replace(forward, inputs=inputs, attributes=attributes, beside=other)

    return joint


def _stacked(a: Operand, b: Operand) -> Operand:
    """Return what has the axis for the direction in front of both."""
    if a is None or b is None:
        return None
    _, *rest = a.type.shape
    type = a.type.with_shape((2, *rest))
    first, second = (v if isinstance(v, Weight) else constant(v) if isinstance(v, Value) else None for v in (a, b))
    if first is not None and second is not None:
        return first.derive(type, _joined, second)
    return Nested("Concat", type, (a, b), {"axis": 0})


def _joined(a: Array, b: Array) -> Array:
    return np.concatenate([a, b])
