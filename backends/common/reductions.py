"""What rows of reductions ask for in several targets."""

from __future__ import annotations

from ...compiler.ops.reduce import Reduce
from .table import Condition, condition


def of_kind(kind: str) -> Condition:
    """Return the condition that a reduction is of a kind, such as ``sum``."""
    return Condition(f"kind {kind}", lambda op: None if op.kind == kind else f"the kind {op.kind}")


@condition("some axes, and elements along them")
def some_elements(op: Reduce) -> str | None:
    """Condition: there are axes to reduce, and elements along each: kernels disagree about sums of nothing."""
    if not op.dims:
        return "no axes"
    return "nothing to reduce" if any(op.x.type.shape[a] == 0 for a in op.dims) else None
