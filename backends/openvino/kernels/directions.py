"""Two recurrent layers that read the same sequences in either direction, as one of OpenVINO's."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from ....compiler.fold import constant
from ....compiler.ir import Value
from ....compiler.ops.recurrent import Recurrent
from ....compiler.ops.shape import BroadcastTo
from ....compiler.types import Array
from ....compiler.weights import Weight
from ...common.directions import partner
from ..table import Call, Dims, Nested, Operand

DATA = 0
"""The slot of the sequences."""


def in_both_directions(states: int) -> Callable[[Callable[[Any], Call]], Callable[[Any], Call]]:
    """Let a layer and its partner be one call; after the sequences come so many states, then their lengths."""

    def wrap(call: Callable[[Any], Call]) -> Callable[[Any], Call]:
        def joint(op: Recurrent) -> Call:
            other = partner(op)
            if other is None:
                return call(op)
            layers = (other, op) if op.reverse else (op, other)
            forward, backward = map(call, layers)
            inputs: list[Operand] = []
            for slot, (a, b) in enumerate(zip(forward.inputs, backward.inputs, strict=True)):
                if slot in (DATA, states + 1):
                    inputs.append(a)
                elif slot <= states:
                    inputs.append(_states(a, b, *(layer.operands[STATES[slot - 1](layer)] for layer in layers)))
                else:
                    inputs.append(_stacked(a, b, 0))
            attributes = {**forward.attributes, "direction": "bidirectional"}
            return replace(forward, inputs=tuple(inputs), attributes=attributes, layers=layers)

        return joint

    return wrap


STATES: tuple[Callable[[Recurrent], int], ...] = (
    lambda op: op.spec.operands.index("h0"),
    lambda op: op.spec.operands.index("c0"),
)
"""Where the states stand among the operands of a layer."""


def _states(a: Operand, b: Operand, first: Value | None, second: Value | None) -> Operand:
    """Return the states of both directions; one number repeated is repeated once."""
    assert a is not None
    if first is not None and first is second and isinstance(first.owner, BroadcastTo) and not first.owner.x.type.rank:
        batch, _, features = a.type.shape
        type = a.type.with_shape((batch, 2, features))
        return Nested("Broadcast", type, (first.owner.x, Dims(type.shape)), {"mode": "numpy"})
    return _stacked(a, b, 1)


def _stacked(a: Operand, b: Operand, axis: int) -> Operand:
    """Return both along the axis for the direction."""
    assert a is not None
    assert b is not None
    shape = list(a.type.shape)
    shape[axis] = 2
    type = a.type.with_shape(shape)
    first, second = (v if isinstance(v, Weight) else constant(v) if isinstance(v, Value) else None for v in (a, b))
    if first is not None and second is not None:
        return first.derive(type, partial(_joined, axis=axis), second)
    return Nested("Concat", type, (a, b), {"axis": axis})


def _joined(a: Array, b: Array, *, axis: int) -> Array:
    return np.concatenate([a, b], axis)
