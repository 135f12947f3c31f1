"""Directions of recurrent layers: operands have an axis for them in ONNX, and two opposite layers are one node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from ...compiler.fold import constant
from ...compiler.ir import Value
from ...compiler.ops.recurrent import Recurrent
from ...compiler.types import Array
from ...compiler.weights import Weight
from ..common.directions import partner
from .contiguous import in_one_piece
from .table import Call, Nested, Operand, ints

SHARED = (0, 4)
"""Inputs without that axis: sequences and their lengths."""


def with_directions(call: Callable[[Any], Call]) -> Callable[[Any], Call]:
    """Put an axis for the direction in front of operands, and let a layer and its partner be one call."""

    def joint(op: Recurrent) -> Call:
        other = partner(op)
        layers = (op,) if other is None else (other, op) if op.reverse else (op, other)
        calls = [call(layer) for layer in layers]
        columns = enumerate(zip(*(c.inputs for c in calls), strict=True))
        inputs = tuple(column[0] if slot in SHARED else _stacked(column) for slot, column in columns)
        first = calls[0]
        if other is None:
            return replace(first, inputs=inputs)
        twice = {k: v + v for k, v in first.attributes.items() if isinstance(v, tuple)}
        attributes: dict[str, Any] = {**first.attributes, **twice, "direction": "bidirectional"}
        return replace(first, inputs=inputs, attributes=attributes, beside=other)

    return joint


def constants_of(parts: Sequence[Operand]) -> list[Weight] | None:
    """Return what operands hold if all are constants."""
    known = [v if isinstance(v, Weight) else constant(v) if isinstance(v, Value) else None for v in parts]
    weights = [w for w in known if w is not None]
    return weights if len(weights) == len(parts) else None


def _stacked(parts: Sequence[Operand]) -> Operand:
    """Return operands behind each other along a new axis in front, as they are if they lie so already."""
    given = [part for part in parts if part is not None]
    if len(given) < len(parts):
        return None
    type = given[0].type.with_shape((len(given), *given[0].type.shape))
    known = constants_of(given)
    if known is not None:
        return known[0].derive(type, _one_behind_the_other, *known[1:])
    values = [part for part in given if isinstance(part, Value)]
    whole = in_one_piece(values) if len(values) == len(given) else None
    if whole is not None:
        return whole
    longer = tuple(Nested("Unsqueeze", p.type.with_shape((1, *p.type.shape)), (p, ints(0))) for p in given)
    return longer[0] if len(longer) == 1 else Nested("Concat", type, longer, {"axis": 0})


def _one_behind_the_other(*arrays: Array) -> Array:
    return np.stack(arrays)
