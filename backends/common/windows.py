"""What rows of windows ask for in several targets."""

from __future__ import annotations

from typing import Any

from ...compiler.dims import is_static
from .table import condition


@condition("known paddings")
def known_pads(op: Any) -> str | None:
    """Numbers only."""
    return None if all(is_static(pair) for pair in op.pads) else "symbolic paddings"


@condition("paddings smaller than the window")
def narrow_pads(op: Any) -> str | None:
    """Else some windows hold nothing but paddings."""
    wide = [p for pair, k in zip(op.pads, op.kernel, strict=True) for p in pair if not isinstance(p, int) or p >= k]
    return f"a padding of {wide[0]}" if wide else None
