"""How each recurrent layer runs."""

from __future__ import annotations

from ...compiler.diagnostics import Remark, remark
from ...compiler.ir import Module
from ...compiler.ops.recurrent import Recurrent
from .emitters.recurrent import NEEDS

MAX_UNROLLED = 16
"""Steps up to which a layer is unrolled."""


def choose_strategies(module: Module, wanted: str) -> None:
    """Decide for every recurrent layer that has no strategy yet."""
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy == "auto":
            op.attributes["strategy"] = _best(op) if wanted in ("auto", "fused") else wanted
            if wanted == "fused" and op.strategy != "fused":
                text = f"{op.spec.name} runs by {op.strategy}: {why_not_fused(op)}"
                remark(Remark("warning", "legalize-tflite", text, op.location))


def why_not_fused(op: Recurrent) -> str | None:
    """Say why no kernel runs a whole layer, None if one does."""
    if type(op) not in NEEDS:
        return f"TFLite has no kernel for {op.spec.name}"
    reasons = (condition(op) for condition in NEEDS[type(op)])
    return next((f"its kernel does not take {reason}" for reason in reasons if reason is not None), None)


def _best(op: Recurrent) -> str:
    if why_not_fused(op) is None:
        return "fused"
    return "unroll" if isinstance(op.steps, int) and 0 < op.steps <= MAX_UNROLLED else "while"
