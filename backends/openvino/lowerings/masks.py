"""Masks: kernels' largest number of nothing but minus infinity is the least finite one."""

from __future__ import annotations

import numpy as np

from ....compiler.constants import elements
from ....compiler.ops.logic import Equal
from ....compiler.ops.reduce import Reduce
from .lowering import Build, improve


@improve(Equal)
def all_are_infinite(op: Equal, e: Build) -> None:
    """A maximum compared with minus infinity becomes a logical one: whether all elements are minus infinity."""
    for largest, limit in ((op.a, op.b), (op.b, op.a)):
        known = elements(limit)
        match largest.owner:
            case Reduce(x=x, kind="max", dims=dims, keepdims=keepdims) if known is not None and known.size == 1:
                if np.isneginf(known).all() and largest.type.shape == op.result.type.shape:
                    e.replace(e(Reduce, e(Equal, x, e.constant(known.reshape(()))), "all", dims, keepdims=keepdims))
                    return
            case _:
                continue
