"""Reductions of no elements, which are constants and need no kernel."""

from __future__ import annotations

import numpy as np

from ....compiler.ops.reduce import REDUCTIONS, Reduce
from ....compiler.ops.shape import BroadcastTo
from .lowering import Build, lower


@lower(Reduce, benefit=3)
def nothing_to_combine(op: Reduce, e: Build) -> None:
    """A reduction of no elements is a constant: 0 for a sum, 1 for a product, NaN for a mean."""
    if any(op.x.type.shape[a] == 0 for a in op.dims):
        found = np.asarray(REDUCTIONS[op.kind](np.zeros(0, op.x.type.dtype.numpy), (0,), False))
        e.replace(e(BroadcastTo, e.constant(found.astype(op.result.type.dtype.numpy)), op.result.type.shape))
