"""Weights that several networks of one file have in common."""

from __future__ import annotations

import hashlib

from ...compiler.types import DType, TensorType
from ...compiler.weights import EAGER_BYTES, Weight
from ...formats.chunks import chunks


class EqualWeights:
    """Finds large weights that are equal to an earlier one; small ones are compared by their elements anyway."""

    def __init__(self) -> None:
        self._first: dict[tuple[TensorType, bytes], Weight] = {}

    def first(self, weight: Weight) -> Weight:
        """Return the first weight that was seen of these elements and this type."""
        if weight.nbytes <= EAGER_BYTES or weight.type.dtype is DType.STRING:
            return weight
        return self._first.setdefault((weight.type, _digest(weight)), weight)


def _digest(weight: Weight) -> bytes:
    """Return what tells the elements of weights apart; they are read once, and not kept."""
    found = hashlib.sha256()
    for piece in chunks(weight.array()):
        found.update(piece)
    if weight.source is not None:
        weight.source.release()
    return found.digest()
