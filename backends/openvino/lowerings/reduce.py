"""Reductions."""

from __future__ import annotations

import numpy as np

from ....compiler.ops.reduce import REDUCTIONS, Reduce
from ....compiler.ops.shape import BroadcastTo
from .lowering import Build, lower


@lower(Reduce, benefit=3)
def nothing_to_combine(op: Reduce, e: Build) -> None:
    """Of no elements, whatever the kind gives."""
    if any(op.x.type.shape[a] == 0 for a in op.dims):
        found = np.asarray(REDUCTIONS[op.kind](np.zeros(0, op.x.type.dtype.numpy), (0,), False))
        e.replace(e(BroadcastTo, e.constant(found.astype(op.result.type.dtype.numpy)), op.result.type.shape))
