"""Decides how each recurrent layer runs: unrolled, as a loop, or as a kernel."""

from __future__ import annotations

from collections.abc import Callable

from ...compiler.diagnostics import Remark, remark
from ...compiler.ir import Module
from ...compiler.ops.recurrent import Recurrent
from ...passes.lowerings.loop_iterations import MAX_COPIES, bytes_of_step

MAX_STEPS = 8
"""Steps up to which a layer is unrolled; with more, a loop of several steps a turn is as fast with few operators."""


def choose_strategies(module: Module, wanted: str, why_not_fused: Callable[[Recurrent], str | None]) -> None:
    """Decide for every recurrent layer that has no strategy yet; ``why_not_fused`` says why no kernel runs a layer.

    What one kernel ran in the source stays one unless another way is asked for: a loop would be more operations.
    """
    for op in module.walk():
        if isinstance(op, Recurrent) and op.strategy in ("auto", "fused"):
            asked = op.strategy if wanted == "auto" else wanted
            reason = why_not_fused(op) if asked == "fused" else None
            op.attributes["strategy"] = _best(op) if asked == "auto" or reason else asked
            if reason and wanted == "fused":
                text = f"{op.spec.name} runs by {op.strategy}: {reason}"
                remark(Remark("warning", "legalize", text, op.location))


def _best(op: Recurrent) -> str:
    steps = op.steps
    is_short = isinstance(steps, int) and steps <= MAX_STEPS and steps * bytes_of_step(op) <= MAX_COPIES
    return "unroll" if is_short or steps == 1 else "while"
