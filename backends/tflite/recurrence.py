"""Which recurrent layers one kernel runs as a whole."""

from __future__ import annotations

from ...compiler.ops.recurrent import Recurrent
from .emitters.recurrent import NEEDS


def why_not_fused(op: Recurrent) -> str | None:
    """Say why no kernel runs a whole layer, None if one does."""
    if type(op) not in NEEDS:
        return f"TFLite has no kernel for {op.spec.name}"
    reasons = (condition(op) for condition in NEEDS[type(op)])
    return next((f"its kernel does not take {reason}" for reason in reasons if reason is not None), None)
