"""How each recurrent layer runs."""

from __future__ import annotations

from ...compiler.ir import Module
from ...compiler.ops.recurrent import Recurrent

MAX_UNROLLED = 16
"""Steps up to which a layer is unrolled."""


def choose_strategies(module: Module, wanted: str) -> None:
    """Decide for every recurrent layer that has no strategy yet."""
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy == "auto":
            op.attributes["strategy"] = _best(op) if wanted == "auto" else wanted


def _best(op: Recurrent) -> str:
    return "unroll" if isinstance(op.steps, int) and 0 < op.steps <= MAX_UNROLLED else "while"
