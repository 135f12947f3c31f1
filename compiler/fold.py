"""Folding: what an operation on constants gives, computed now if it is small, when it is written if it is large."""

from __future__ import annotations

from functools import partial

import numpy as np

from .budget import EXPANSION, budget
from .dims import is_open, is_static
from .ir import Op, Region, Value
from .opdef import Kept, Multiplies, Pure
from .ops.core import Const
from .types import Array
from .weights import Origin, Weight

MAX_PRODUCTS = 1 << 34
"""How many products are summed up to fold one operation: a second or two."""


def constant(value: Value | None) -> Weight | None:
    """Return the weight that a value is, None if it is not constant."""
    return value.owner.value if value is not None and isinstance(value.owner, Const) else None


def fold(op: Op, *, max_bytes: int | None = None) -> list[Weight] | None:
    """Return the results of a pure operation whose operands are all constant; None if it can't be folded.

    Results larger than ``max_bytes`` are not folded unless they are no larger than what they are made of, and none that
    has more bytes than the budget allows: it is computed when the network runs.
    """
    if not _is_foldable(op):
        return None
    weights = [constant(v) for v in op.operands]
    if any(w is None and v is not None for w, v in zip(weights, op.operands, strict=True)):
        return None
    if not all(is_static(r.type.shape) for r in op.results) or any(map(is_open, op.attributes.values())):
        return None
    given = [w for w in weights if w is not None]
    if _grows(op, given, max_bytes):
        return None
    return [_derive(op, i, weights, given) for i in range(len(op.results))]


def _is_foldable(op: Op) -> bool:
    if isinstance(op, Const) or op.spec.has(Kept) or not op.spec.has(Pure):
        return False
    return op.spec.evaluate is not None and not op.regions and bool(op.results) and not _is_long(op)


def _is_long(op: Op) -> bool:
    """Whether it takes long to compute, which then is done when the network runs."""
    macs = op.macs() if isinstance(op, Multiplies) else 0
    return isinstance(macs, int) and macs > MAX_PRODUCTS


def _grows(op: Op, given: list[Weight], max_bytes: int | None) -> bool:
    """Whether results are too large; an operand that is read twice counts once."""
    after = sum(int(r.type.size) * max(r.type.dtype.bits // 8, 1) for r in op.results if isinstance(r.type.size, int))
    before = sum({id(w): w.nbytes for w in given}.values())
    if after <= before:
        return False
    held = frozenset[Origin]().union(*(w.origins for w in given))
    is_bomb = after - EXPANSION * sum(o.nbytes for o in held) > budget().growth
    return is_bomb or (max_bytes is not None and after > max_bytes)


def _derive(op: Op, index: int, weights: list[Weight | None], given: list[Weight]) -> Weight:
    type = op.results[index].type
    present = tuple(w is not None for w in weights)
    if given:
        return given[0].derive(type, partial(_compute, op, index, present), *given[1:])
    return Weight.of(np.asarray(_compute(op, index, present), type.dtype.numpy))


def _compute(op: Op, index: int, present: tuple[bool, ...], *arrays: Array) -> Array:
    given = iter(arrays)
    operands = [next(given) if there else None for there in present]
    assert op.spec.evaluate is not None
    try:
        with np.errstate(all="ignore"):
            out = op.spec.evaluate(*operands, **op.attributes)
    except ValueError as bad:
        raise op.fail("T002", str(bad)) from bad
    except MemoryError as bad:
        bad.add_note(f"while computing the constant {op.results[index].type} of {op.spec.name}, {op.location}")
        raise
    return out[index] if isinstance(out, tuple) else out


def emit(op: Op, region: Region, before: Op | None) -> tuple[Value, ...]:
    """Insert ``op``, or the constants that it folds to, and return its results."""
    folded = fold(op)
    if folded is None:
        region.insert(op, before)
        return op.results
    op.drop_operands()
    return tuple(region.insert(Const(w), before).result for w in folded)
