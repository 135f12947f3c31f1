"""Traits: what an operation says about its numbers, whatever computes them.

Passes and lowerings ask for a trait instead of listing operations, so that a new operation states it once, in its own
declaration.  Those that the machinery itself needs are in :mod:`.opdef`.
"""

from __future__ import annotations

from .ir import Op
from .opdef import OPS


class Moves:
    """Trait: only moves elements, and puts a constant around them: any type with as many bits will do."""


class Ordered:
    """Trait: depends only on which of two numbers is larger, so that scales may change."""


class SameBits:
    """Trait: gives the same bits whether a number counts as signed or not."""


class Grows:
    """Trait: a result can have more bits than all operands."""


class NonNegative:
    """Trait: no element of a result is negative."""


class KeepsSign:
    """Trait: no element of a result is negative if none of the operands' is; sums that overflow are out of it."""


class Accumulates:
    """Trait: results are sums of many numbers, each rounded when kernels add them up in few bits."""


def ops_with(trait: type) -> tuple[type[Op], ...]:
    """Return the declared operations that have a trait, in the order of their declaration.

    >>> [op.spec.name for op in ops_with(Ordered)][:2]
    ['max', 'min']
    """
    return tuple(cls for cls in OPS.values() if cls.spec.has(trait))
