"""Two recurrent layers that read the same sequences in either direction: one node of ONNX."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.recurrent import Recurrent
from ...compiler.types import Array
from ...compiler.weights import Weight
from ..common.directions import partner
from .table import Call, Nested, Operand


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
