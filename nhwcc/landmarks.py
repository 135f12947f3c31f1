"""Numbers at which a network changes what it does: limits and thresholds, which inputs shall reach and lie close to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from nhwcc.compiler.fold import constant
from nhwcc.compiler.ir import Func, Op
from nhwcc.compiler.ops.activation import Clip
from nhwcc.compiler.ops.arith import Max, Min
from nhwcc.compiler.ops.logic import Equal, Greater, GreaterEqual, Less, LessEqual, NotEqual
from nhwcc.compiler.types import Array

COMPARES = (Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual)

LARGEST = 1024.0
"""Limits beyond this guard against overflow."""

MANY = 64
"""Constants of more elements are pictures or tables, not thresholds."""

SHARE = 4
"""One in so many elements becomes a number of these."""

TINY = 0.05
"""Smaller numbers stay: they are there for what is added to a variance."""

NEAR = np.asarray([0, 0, 1e-3, -1e-3, 1e-2, -1e-2, 0.1, -0.1])
"""How far from a number elements come to lie, relative to it: some exactly there."""


@dataclass(frozen=True)
class Landmarks:
    """What is known of an input of floats: the ``values`` that it may be compared with, directly or later."""

    values: tuple[float, ...] = ()

    @property
    def scale(self) -> float:
        """How large inputs must become to reach all of them, and go beyond."""
        return 2 * max(map(abs, self.values), default=0.0)

    def sprinkle(self, drawn: Array, rng: np.random.Generator) -> Array:
        """Return numbers some of which are at one of these values or next to it, zero, or as their neighbour is."""
        marked = drawn.copy()
        places = rng.permutation(np.flatnonzero(np.abs(drawn) > TINY))
        places = places[: places.size // SHARE]
        special = np.asarray([0.0, *self.values])
        near = rng.choice(special, places.size) * (1 + rng.choice(NEAR, places.size))
        ties = marked.flat[places - 1]
        marked.flat[places] = np.where(rng.random(places.size) < 0.5, ties, near.astype(drawn.dtype))
        return marked


def landmarks(func: Func) -> Landmarks:
    """Return the limits and thresholds of a function."""
    found = {value for op in func.walk() for value in _limits(op) if 0 < abs(value) <= LARGEST}
    return Landmarks(tuple(sorted(found)))


def _limits(op: Op) -> Iterator[float]:
    if isinstance(op, Clip):
        yield from (op.min, op.max)
    if not isinstance(op, (*COMPARES, Max, Min, Clip)):
        return
    for operand in op.operands:
        weight = constant(operand)
        size = 0 if weight is None else weight.type.size
        if weight is not None and isinstance(size, int) and size <= MANY and weight.type.dtype.numpy.kind in "fiu":
            yield from map(float, np.unique(weight.array()))
