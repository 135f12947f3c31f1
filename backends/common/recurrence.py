"""How each recurrent layer runs."""

from __future__ import annotations

from collections.abc import Callable

from ...compiler.diagnostics import Remark, remark
from ...compiler.ir import Module
from ...compiler.ops.recurrent import Recurrent
from ...passes.lowerings.loop_iterations import MAX_COPIES, bytes_of_step

MAX_STEPS = 8
"""Steps up to which a layer is unrolled; with more, a loop of several steps a turn is as fast with few operators."""


def choose_strategies(module: Module, wanted: str, why_not_fused: Callable[[Recurrent], str | None]) -> None:
    """Decide for every recurrent layer that has no strategy yet; ``why_not_fused`` says why no kernel runs a layer."""
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy == "auto":
            reason = why_not_fused(op) if wanted == "fused" else None
            op.attributes["strategy"] = _best(op) if wanted == "auto" or reason else wanted
            if reason:
                text = f"{op.spec.name} runs by {op.strategy}: {reason}"
                remark(Remark("warning", "legalize", text, op.location))


def _best(op: Recurrent) -> str:
    steps = op.steps
    is_short = isinstance(steps, int) and steps <= MAX_STEPS and steps * bytes_of_step(op) <= MAX_COPIES
    return "unroll" if is_short or steps == 1 else "while"
